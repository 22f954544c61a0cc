"""What becomes of characters that a far system of Latin-1 can't hold."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.latin import CHARACTERS, LIKENESSES, Transcript, to_latin
from metip.faults import Fault, Reason

REPLACED = [
    pytest.param("O\u2019Verzandle", "O'Verzandle", id="typographers_apostrophe"),
    pytest.param("\u201cyes\u201d \u2013 he said\u2026", '"yes" - he said...', id="quotation_marks_dash_and_ellipsis"),
    pytest.param("\u0141\u00f3d\u017a", "L\u00f3dz", id="polish_keeping_the_letter_that_latin_1_has"),
    pytest.param("\u0174yn \u0177n", "Wyn yn", id="welsh_circumflexes"),
    pytest.param("\u0219i \u021bar\u0103", "si tara", id="romanian"),
    pytest.param("\u20ac20", "EUR20", id="euro"),
    pytest.param("\u00a320 Zo\u00eb", "\u00a320 Zo\u00eb", id="pound_and_diaeresis_stay"),
    pytest.param("e\u0301", "\u00e9", id="a_letter_and_its_accent_become_one"),
    pytest.param("\u5f20", "?", id="no_likeness"),
    pytest.param("bell\x07 and \x85", "bell  and  ", id="control_characters"),
    pytest.param("one\r\ntwo\rthree", "one\ntwo\nthree", id="line_ends"),
    pytest.param("zero\u200bwidth", "zerowidth", id="nothing_that_can_be_seen"),
]


@pytest.mark.parametrize(("text", "held"), REPLACED)
def test_characters_are_replaced_by_their_plainest_likeness(text: str, held: str) -> None:
    assert to_latin(text) == held


@given(st.text())
def test_whatever_comes_can_be_written_in_latin_1_and_printed(text: str) -> None:
    held = to_latin(text)
    held.encode("latin-1")
    assert all(mark in "\n\t" or unicodedata.category(mark) != "Cc" for mark in held)
    assert to_latin(held) == held


@given(st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"])))
def test_what_cris_can_hold_is_left_alone(text: str) -> None:
    copy = Transcript()
    assert copy.copy("text", text, 10_000) == text
    assert copy.warnings == []


@pytest.mark.parametrize(("character", "likeness"), LIKENESSES.items())
def test_no_likeness_is_given_for_what_cris_can_hold_or_by_what_it_can_not(character: str, likeness: str) -> None:
    assert character > "\xff"
    assert likeness.isascii()


def test_each_field_that_was_touched_is_named_once_without_its_text() -> None:
    copy = Transcript()
    for name in ("\u0141ezorn", "Bezorn", "Ga\u0142zorn"):
        copy.copy("sheet.parties.person.name.given_names", name, 35)
    copy.copy("text", "line\r\nend", 10)
    assert [(remark.code, remark.text) for remark in copy.warnings] == [
        (CHARACTERS, "sheet.parties.person.name.given_names: characters that the far system lacks were replaced")
    ]


def test_a_text_that_grows_past_its_field_is_refused_by_path_and_length() -> None:
    copy = Transcript()
    copy.copy("text", "\u2026" * 1334, 4000)
    copy.copy("other", "\u2026", 4000)
    with pytest.raises(Fault) as refused:
        copy.settle()
    assert refused.value.reason is Reason.INVALID_REQUEST
    assert refused.value.fields == (("text", "has 4002 of at most 4000 characters once written as the far system holds it"),)


def test_a_text_that_still_fits_is_not_refused() -> None:
    copy = Transcript()
    copy.copy("text", "\u2026" * 1333, 4000)
    copy.settle()
