"""The registry of kinds: complete against the contracts, total over any text, and silent about the values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metip.identifiers
from metip.identifiers import PARSERS, Parsed

PROTOS = Path(metip.identifiers.__file__).parents[2]
# Letters, digits and separators that identifiers are made of, so that generated text often gets past the first test.
ALMOST = st.text(st.sampled_from("0123456789ABCDEFZ/ .:-abcé\n"), max_size=30)


def test_every_kind_that_a_contract_names_can_be_made_canonical() -> None:
    contracts = [path.read_text(encoding="utf-8") for path in PROTOS.glob("metip/*/v1/*.proto")]
    named = {kind for text in contracts for kind in re.findall(r'subject_identifier\s*=\s*"([^"]+)"', text)}
    assert "vrm" in named
    assert named <= PARSERS.keys() | {"surname", "forename", "birth"}  # which make a `name_and_birth` together


@pytest.mark.parametrize("kind", PARSERS)
def test_the_function_of_a_kind_is_named_after_it_and_exported(kind: str) -> None:
    assert getattr(metip.identifiers, f"parse_{kind}") is PARSERS[kind]


def test_everything_exported_exists_and_is_listed_once() -> None:
    names = metip.identifiers.__all__
    assert names == sorted(set(names), key=names.index)
    assert all(hasattr(metip.identifiers, name) for name in names)


def test_the_registry_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PARSERS["vrm"] = PARSERS["vin"]  # type: ignore[index]  # what a caller must not be able to do


@pytest.mark.parametrize("kind", PARSERS)
@settings(deadline=None, max_examples=40)
@given(raw=st.one_of(ALMOST, st.text(max_size=60)))
def test_any_text_is_canonical_once_and_for_all_or_refused(kind: str, raw: str) -> None:
    parsed = PARSERS[kind](raw)
    assert parsed.raw == raw
    assert parsed.valid == bool(parsed.canonical) == (not parsed.problem)
    if parsed.valid:
        assert PARSERS[kind](parsed.canonical).canonical == parsed.canonical
    elif len(raw.strip()) > 4 and raw.strip() in parsed.problem:
        # Only because the words of the problem happen to be in the text, whoever it is said to.
        assert parsed.problem in {PARSERS[kind](other).problem for other in ("", "?????", "0" * 50)}


def test_the_repr_of_a_result_shows_neither_form() -> None:
    assert repr(PARSERS["pnc_id"]("2002/0073319Z")) == "Parsed(problem='')"
    assert "0000000L" not in repr(PARSERS["pnc_id"]("2008/0000000L"))


def test_results_are_values() -> None:
    assert PARSERS["vrm"]("ab51 abc") == Parsed(raw="ab51 abc", canonical="AB51ABC")
    with pytest.raises(AttributeError):
        PARSERS["vrm"]("AB51ABC").canonical = "AB51ABD"  # type: ignore[misc]  # what a caller must not be able to do
