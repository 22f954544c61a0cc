"""Unique Learner Numbers: the published check rule, and numbers that cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metip.identifiers import build_uln, parse_learner_id, parse_uln

GOOD = {
    "worked example of the Higher Education Statistics Agency": "9276308686",
    "least that adds up": "0000000042",
    "blanks left out": "000 000 0042",
}
BAD = {
    "last digit one too many": "9276308687",
    "two digits exchanged": "2976308686",
    "nine digits": "927630868",
    "stand-in of the learner record for somebody without one": "9999999999",
    "all zeros": "0000000000",
    "a letter": "927630868A",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_number_that_adds_up_is_read(text: str) -> None:
    assert parse_uln(text).canonical == text.replace(" ", "")


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_number_that_does_not_add_up_is_refused(text: str) -> None:
    assert parse_uln(text).problem


@given(st.integers(0, 999_999_999))
def test_what_is_built_is_read_and_any_other_last_digit_is_refused(serial: int) -> None:
    try:
        uln = build_uln(serial)
    except ValueError:
        assert not any(parse_uln(f"{serial:09d}{digit}").valid for digit in range(10))
        return
    assert [digit for digit in range(10) if parse_uln(f"{serial:09d}{digit}").valid] == [int(uln[-1])]


def test_a_partners_own_number_is_letters_and_digits() -> None:
    assert parse_learner_id("lx2600017").canonical == "LX2600017"
    assert parse_learner_id("LX/17").problem
