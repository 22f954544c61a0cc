"""Tokens: keyed, per kind, of normal forms, under the newest key and searchable under all."""

import hmac
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from metip.journal.blinding import LOOK_EVERY, IndexKeys, Token, letters, name_and_birth, normal_form
from metip.journal.keys import SecretError, add_index_key

BORN = date(1984, 2, 29)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one key."""
    add_index_key(tmp_path)
    return tmp_path


def test_a_token_is_what_the_law_says(folder: Path) -> None:
    key = (folder / "1.key").read_bytes()
    expected = hmac.digest(hmac.digest(key, b"metip-index/vrm", "sha256"), b"AB12CDE", "sha256")[:16]
    assert IndexKeys(folder).token("vrm", "AB12CDE") == Token("vrm", expected, 1)


def test_equal_values_of_two_kinds_have_different_tokens(folder: Path) -> None:
    keys = IndexKeys(folder)
    assert keys.token("vrm", "A1").value != keys.token("officer", "A1").value


def test_a_new_key_is_used_without_a_restart_and_the_old_one_is_still_searched(folder: Path) -> None:
    now = [0.0]
    keys = IndexKeys(folder, clock=lambda: now[0])
    old = keys.token("vrm", "AB12CDE")
    assert add_index_key(folder) == 2
    assert keys.token("vrm", "AB12CDE") == old, "it looks no more often than it must"
    now[0] += LOOK_EVERY
    new = keys.token("vrm", "AB12CDE")
    assert (old.key, new.key) == (1, 2)
    assert keys.tokens("vrm", "AB12CDE") == (new, old)


def test_a_folder_without_a_key_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SecretError, match="holds no index key"):
            IndexKeys(folder)


FORMS = [
    ("vrm", " ab12 cde ", "AB12CDE"),
    ("vrm", "not a mark!", ""),
    ("officer", " p 123456", "P123456"),
    ("reference", "90001/23nov26", "90001/23NOV26"),
    ("name_and_birth", "SMITH|ANN|1984-02-29", "SMITH|ANN|1984-02-29"),
]


@pytest.mark.parametrize(("kind", "text", "normal"), FORMS, ids=[f"{kind}-{number}" for number, (kind, _, _) in enumerate(FORMS)])
def test_an_identifier_has_one_form_and_what_does_not_parse_has_none(kind: str, text: str, normal: str) -> None:
    assert normal_form(kind, text) == normal


def test_a_name_is_found_however_it_is_spelt() -> None:
    assert name_and_birth("O'Brien-Müller", "Zoë", BORN) == name_and_birth("obrien muller", "ZOE", BORN) == "OBRIENMULLER|ZOE|1984-02-29"


@given(some.text(max_size=30))
def test_the_letters_of_a_name_are_the_letters_of_its_letters(text: str) -> None:
    assert letters(letters(text)) == letters(text)
    assert "|" not in letters(text)
