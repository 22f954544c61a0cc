"""Arrest/summons numbers in their three forms, their check letter, and the dummies that courts make up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metip.identifiers import (
    build_arrest_summons_number,
    is_dummy_arrest_summons_number,
    parse_arrest_summons_number,
    slash_arrest_summons_number,
)
from metip.identifiers.check_letter import ALPHABET

# Bichard 7's published fixtures: the form received, the canonical form.
VECTORS = [
    ("1401ZD0100000449846U", "1401ZD0100000449846U"),
    ("14/01ZD/01/449846U", "1401ZD0100000449846U"),
    ("11/01ZD/01/410779H", "1101ZD0100000410779H"),
    ("0836FP0100000377244A", "0836FP0100000377244A"),
    ("09/0000/00/20001E", "0900000000000020001E"),
    ("1401zd0100000449846u", "1401ZD0100000449846U"),
    ("11/01ZD/01/445117G         ", "1101ZD0100000445117G"),
]
BAD = [
    ("0836FP0100000377244F", "has a check letter that does not fit its digits"),
    ("1401ZD0100000449846O", "has a check letter that does not fit its digits"),
    (
        "1101ZD010000410836V",
        "is not 20 or 21 characters, or of the form yy/FFUU/SS/nL, ending in digits and a check letter",
    ),
    (
        "1101ZD01410792X",
        "is not 20 or 21 characters, or of the form yy/FFUU/SS/nL, ending in digits and a check letter",
    ),
    (
        "14/01ZD/0100000449846U",
        "is not 20 or 21 characters, or of the form yy/FFUU/SS/nL, ending in digits and a check letter",
    ),
    ("", "is empty"),
]
DUMMIES = [
    "0800NP0100000000001H",
    "0800PP0100000000008Q",
    "0800NP0100000000001A",
    "1544NRPR1234ABCD567Z",
    "1512LN0000000000001A",
    "1500NP0000000000001A",
    "1563000000000000001A",
    "1506SS0100000000001A",
    "1500XX0100000000001A",
    "1550110100000000001A",
    "1550OF0100000000001A",
    "1550SJ0100000000001A",
]
UNITS = st.from_regex("[A-Z]{2}", fullmatch=True).filter(lambda unit: unit not in {"NP", "PP", "LN", "SS", "XX", "OF", "SJ", "NR"})
YEARS = st.integers(2009, 2099)
FORCES = st.sampled_from(["01", "02", "48", "93", "A1"])
SEQUENCES = st.integers(0, 99_999_999_999)
SYSTEMS = st.sampled_from(["01", "02", "C1"])
TOPS = st.sampled_from(["", "A", "G", "0"])


@pytest.mark.parametrize(("raw", "canonical"), VECTORS)
def test_a_published_number_has_its_canonical_form(raw: str, canonical: str) -> None:
    parsed = parse_arrest_summons_number(raw)
    assert (parsed.canonical, parsed.problem) == (canonical, "")
    assert not is_dummy_arrest_summons_number(canonical)


@pytest.mark.parametrize(("raw", "problem"), BAD, ids=range(len(BAD)))
def test_a_bad_number_becomes_empty_with_its_problem_in_words(raw: str, problem: str) -> None:
    parsed = parse_arrest_summons_number(raw)
    assert (parsed.canonical, parsed.problem) == ("", problem)


def test_the_form_of_pnc_has_slashes_and_no_leading_zeros() -> None:
    assert slash_arrest_summons_number("1101ZD0100000410779H") == "11/01ZD/01/410779H"


@pytest.mark.parametrize("raw", DUMMIES)
def test_a_dummy_is_accepted_as_it_stands_and_known_as_one(raw: str) -> None:
    parsed = parse_arrest_summons_number(raw)
    assert parsed.canonical == raw
    assert is_dummy_arrest_summons_number(parsed.canonical)


def test_a_dummy_without_a_numeric_sequence_has_no_form_on_pnc() -> None:
    with pytest.raises(ValueError, match=r"^not a canonical arrest/summons number$"):
        slash_arrest_summons_number("1544NRPR1234ABCD567Z")


@settings(deadline=None)
@given(YEARS, FORCES, UNITS, SYSTEMS, SEQUENCES, TOPS)
def test_all_forms_of_a_built_number_read_back_to_it(year: int, force: str, unit: str, system: str, sequence: int, top: str) -> None:
    canonical = build_arrest_summons_number(year, force + unit, system, sequence, top=top)
    assert len(canonical) == 20 + len(top)
    assert parse_arrest_summons_number(canonical).canonical == canonical
    slashed = slash_arrest_summons_number(canonical)
    assert parse_arrest_summons_number(slashed).canonical == canonical
    assert len(slashed) <= 23 + len(top), "the arrest/summons segment of PNC has 23 characters for the form of 20"


@settings(deadline=None)
@given(YEARS, FORCES, UNITS, SYSTEMS, SEQUENCES, TOPS, st.integers(1, len(ALPHABET) - 1))
def test_a_number_with_any_other_check_letter_is_refused(
    year: int, force: str, unit: str, system: str, sequence: int, top: str, steps: int
) -> None:
    canonical = build_arrest_summons_number(year, force + unit, system, sequence, top=top)
    other = ALPHABET[(ALPHABET.index(canonical[-1]) + steps) % len(ALPHABET)]
    assert parse_arrest_summons_number(canonical[:-1] + other).problem == "has a check letter that does not fit its digits"


@settings(deadline=None)
@given(UNITS, UNITS)
def test_the_unit_is_not_in_the_sum(one: str, other: str) -> None:
    letters = {build_arrest_summons_number(2026, f"01{unit}", "01", 410_779)[-1] for unit in (one, other)}
    assert len(letters) == 1


@pytest.mark.parametrize(
    ("year", "force_station", "system", "sequence"),
    [(2026, "01Z", "01", 1), (2026, "01ZD", "1", 1), (2026, "01ZD", "01", 10**11), (26, "01ZD", "01", 1)],
)
def test_a_number_cannot_be_built_of_parts_out_of_range(year: int, force_station: str, system: str, sequence: int) -> None:
    with pytest.raises(ValueError, match=r"must lie in|not a canonical"):
        build_arrest_summons_number(year, force_station, system, sequence)
