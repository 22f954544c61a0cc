"""Court case references, PTI-URNs, notice numbers, offence codes and the codes of organisations."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metip.identifiers import (
    PARSERS,
    build_court_case_reference,
    build_pti_urn,
    colon_npcc_offence_code,
    parse_court_case_reference,
    parse_npcc_offence_code,
    parse_pti_urn,
    short_court_case_reference,
)
from metip.identifiers.check_letter import ALPHABET

# Kind, received, canonical: Bichard 7's published fixtures and standing data, Standard Prosecutor Interface schemas.
GOOD = [
    ("court_case_reference", "21/2732/000017A", "21/2732/000017A"),
    ("court_case_reference", "21/2732/17A", "21/2732/000017A"),
    ("court_case_reference", "97/1626/008395Q", "97/1626/008395Q"),
    ("court_case_reference", "21/2732/1H                    ", "21/2732/000001H"),
    ("pti_urn", "01VK1600008", "01VK1600008"),
    ("pti_urn", "01zd0300108", "01ZD0300108"),
    ("notice_number", "0123456789012345", "0123456789012345"),
    ("notice_number", "0123 4567 8901 2345", "0123456789012345"),
    ("cjs_offence_code", "TH68023A", "TH68023A"),
    ("cjs_offence_code", "CJ03510", "CJ03510"),
    ("cjs_offence_code", "th68006 ", "TH68006"),
    ("cjs_offence_code", "COML062", "COML062"),
    ("cjs_offence_code", "XX00123", "XX00123"),
    ("cjs_offence_code", "GM000008", "GM000008"),
    ("npcc_offence_code", "8:7:69:3", "8.7.69.3"),
    ("npcc_offence_code", "12.15.13.1", "12.15.13.1"),
    ("npcc_offence_code", "5.5", "5.5"),
    ("home_office_classification", "034/01", "034/01"),
    ("ou_code", "B01EF01", "B01EF01"),
    ("ou_code", "A01AH00", "A01AH00"),
    ("ou_code", "GAEAA01", "GAEAA01"),
    ("ou_code", "01ZD00", "01ZD00"),
    ("ou_code", "01ZD", "01ZD00"),
    ("ou_code", "01VK", "01VK00"),
    ("force_code", "01", "01"),
    ("force_station_code", "01YZ", "01YZ"),
    ("force_station_code", "01zd", "01ZD"),
    ("court_code", "2576", "2576"),
    ("court_code", "100", "0100"),
    ("court_code", "9998", "9998"),
    ("worker_reference", "p 123456", "P123456"),
]
BAD = [
    ("court_case_reference", "05/9876/123456R", "has a check letter that does not fit its digits"),
    ("court_case_reference", "21/273/17A", "is not of the form yy/cccc/nnnnnnL"),
    ("pti_urn", "01VK16000081", "is not force and unit (four characters) and three to seven digits"),
    ("notice_number", "012345678901234", "is not 16 digits"),
    ("cjs_offence_code", "TH6802", "is not an offence code of seven or eight characters"),
    ("cjs_offence_code", "COMM062", "is not an offence code of seven or eight characters"),
    ("npcc_offence_code", "8:7.69:3", "is not two to four numbers parted by full stops or by colons"),
    ("npcc_offence_code", "8", "is not two to four numbers parted by full stops or by colons"),
    ("npcc_offence_code", "1.2.3.4.5", "is not two to four numbers parted by full stops or by colons"),
    ("home_office_classification", "34/1", "is not of the form nnn/nn"),
    ("ou_code", "K01EF01", "is not an organisation unit code of six or seven characters"),
    ("ou_code", "B01E", "is not an organisation unit code of six or seven characters"),
    ("force_code", "1", "is not two digits"),
    ("force_station_code", "01Z", "is not four letters or digits"),
    ("court_code", "099", "is below 100"),
    ("worker_reference", "P-123", "is not 1 to 15 letters or digits"),
]


@pytest.mark.parametrize(("kind", "raw", "canonical"), GOOD)
def test_a_good_value_has_its_canonical_form(kind: str, raw: str, canonical: str) -> None:
    parsed = PARSERS[kind](raw)
    assert (parsed.raw, parsed.canonical, parsed.problem) == (raw, canonical, "")


@pytest.mark.parametrize(("kind", "raw", "problem"), BAD)
def test_a_bad_value_becomes_empty_with_its_problem_in_words(kind: str, raw: str, problem: str) -> None:
    parsed = PARSERS[kind](raw)
    assert (parsed.raw, parsed.canonical, parsed.problem) == (raw, "", problem)


@settings(deadline=None)
@given(st.integers(1950, 2049), st.integers(100, 9999), st.integers(0, 999_999), st.integers(1, len(ALPHABET) - 1))
def test_a_built_court_case_reference_round_trips_and_fails_with_another_letter(year: int, court: int, serial: int, steps: int) -> None:
    canonical = build_court_case_reference(year, court, serial)
    short = short_court_case_reference(canonical)
    assert len(canonical) == 15, "the court case segment of PNC has 15 characters for it"
    assert parse_court_case_reference(canonical).canonical == canonical
    assert parse_court_case_reference(short).canonical == canonical
    other = ALPHABET[(ALPHABET.index(canonical[-1]) + steps) % len(ALPHABET)]
    assert not parse_court_case_reference(short[:-1] + other).valid


@settings(deadline=None)
@given(st.lists(st.integers(0, 999), min_size=2, max_size=4))
def test_an_npcc_code_keeps_its_numbers_between_colons_and_full_stops(numbers: list[int]) -> None:
    canonical = ".".join(map(str, numbers))
    assert colon_npcc_offence_code(canonical) == ":".join(map(str, numbers))
    assert parse_npcc_offence_code(colon_npcc_offence_code(canonical)).canonical == canonical


def test_a_pti_urn_is_built_of_force_unit_serial_and_year() -> None:
    urn = build_pti_urn("01VK", 16_000, 2008)
    assert urn == "01VK1600008"
    assert parse_pti_urn(urn).canonical == urn


@pytest.mark.parametrize("force_station", ["01V", "01VKX", "01-K"])
def test_a_pti_urn_cannot_be_built_of_another_force_and_station(force_station: str) -> None:
    with pytest.raises(ValueError, match=r"^not a canonical PTI-URN$"):
        build_pti_urn(force_station, 1, 2026)


def test_formatters_refuse_what_is_not_canonical_without_repeating_it() -> None:
    with pytest.raises(ValueError, match=r"^not a canonical court case reference$"):
        short_court_case_reference("21/2732/17A")
    with pytest.raises(ValueError, match=r"^not a canonical NPCC offence code$"):
        colon_npcc_offence_code("8:7:69:3")
