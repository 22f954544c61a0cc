"""Registration marks and their schemes, VINs, UPRNs, and the references of CRIS, CAD, custody and Merlin."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metip.identifiers import (
    MERLIN_TYPES,
    PARSERS,
    VrmScheme,
    build_cad_number,
    build_cris_crime_reference,
    build_custody_number,
    build_merlin_reference,
    merlin_type,
    parse_cad_number,
    parse_cris_crime_reference,
    parse_custody_number,
    parse_merlin_reference,
    parse_vrm,
    vrm_period,
    vrm_scheme,
)

MARKS = [
    ("AB51ABC", "AB51ABC", VrmScheme.CURRENT),
    ("ab51 abc", "AB51ABC", VrmScheme.CURRENT),
    ("AA00 AAA", "AA00AAA", VrmScheme.CURRENT),
    ("K50 WTB", "K50WTB", VrmScheme.PREFIX),
    ("ABC 123D", "ABC123D", VrmScheme.SUFFIX),
    ("AIG 1234", "AIG1234", VrmScheme.NORTHERN_IRELAND),
    ("1234 CZ", "1234CZ", VrmScheme.NORTHERN_IRELAND),
    ("AB 123", "AB123", VrmScheme.DATELESS),
    ("1 A", "1A", VrmScheme.DATELESS),
    ("AI51ABC", "AI51ABC", VrmScheme.OTHER),
    ("AZ51ABC", "AZ51ABC", VrmScheme.OTHER),
    ("AB51AQC", "AB51AQC", VrmScheme.OTHER),
    ("Q123ABC", "Q123ABC", VrmScheme.OTHER),
    ("AB12CD", "AB12CD", VrmScheme.OTHER),
    ("123 D 456", "123D456", VrmScheme.OTHER),
    ("MÜ-AB 1234", "MUAB1234", VrmScheme.OTHER),
    ("B·AB 123", "BAB123", VrmScheme.DATELESS),
]
PERIODS = [
    ("AB51ABC", (date(2001, 9, 1), date(2002, 2, 28))),
    ("AB02ABC", (date(2002, 3, 1), date(2002, 8, 31))),
    ("AB53ABC", (date(2003, 9, 1), date(2004, 2, 29))),
    ("AB26ABC", (date(2026, 3, 1), date(2026, 8, 31))),
    ("AB00ABC", None),
    ("AB01ABC", None),
    ("AB50ABC", None),
    ("K50WTB", None),
]
GOOD = [
    ("vin", "000AAAAAAAA123456", "000AAAAAAAA123456"),
    ("uprn", "1", "1"),
    ("uprn", "000999999999999", "999999999999"),
    ("usrn", "99999999", "99999999"),
    ("cris_crime_reference", "0123456/21", "0123456/21"),
    ("cad_number", "1234/23NOV26", "1234/23NOV26"),
    ("cad_number", "CAD 01234 / 23nov26", "1234/23NOV26"),
    ("cad_number", "1/29FEB28", "1/29FEB28"),
    ("custody_number", "01ZD/1234/21", "01ZD/1234/21"),
    ("custody_number", "01zd/001234/21", "01ZD/1234/21"),
    ("merlin_reference", "21PAC123456", "21PAC123456"),
    ("merlin_reference", "21MIS012345", "21MIS012345"),
    ("merlin_reference", "21/acn/012345", "21ACN012345"),
]
BAD = [
    ("vrm", " - ", "is empty"),
    ("vrm", "AB51ABCDEFGH", "is longer than 11 characters"),
    ("vrm", "A" * 41, "is longer than 40 characters"),
    ("vrm", "AB51/ABC", "holds something other than letters of A to Z and digits"),
    ("vrm", "\u0410123\u0412\u0421", "holds something other than letters of A to Z and digits"),
    ("vin", "000AAAAAAAA12345Q", "is not 17 letters and digits without I, O and Q"),
    ("uprn", "0", "is not in 1 to 999999999999"),
    ("uprn", "1000000000000", "is not in 1 to 999999999999"),
    ("uprn", "-1", "is not a whole number"),
    ("usrn", "100000000", "is not in 1 to 99999999"),
    ("cris_crime_reference", "1234567/123", "is not seven digits, a slash and two digits of the year"),
    ("cris_crime_reference", "123456/21", "is not seven digits, a slash and two digits of the year"),
    ("cad_number", "0/23NOV26", "has the number 0; numbers start at 1"),
    ("cad_number", "1/29FEB26", "holds a date that does not exist"),
    ("cad_number", "1/23NOX26", "holds a date that does not exist"),
    ("cad_number", "1234", "is not one to five digits, a slash and a date such as 23NOV26"),
    ("custody_number", "01ZD/1234567/21", "is not force and station, serial and year, parted by slashes"),
    ("merlin_reference", "21ABC123456", "is not a year, one of PAC, MIS, ACN and six digits"),
    ("merlin_reference", "21PAC12345", "is not a year, one of PAC, MIS, ACN and six digits"),
]


@pytest.mark.parametrize(("raw", "canonical", "scheme"), MARKS)
def test_a_registration_mark_is_canonical_and_known_by_its_scheme(raw: str, canonical: str, scheme: VrmScheme) -> None:
    assert parse_vrm(raw).canonical == canonical
    assert vrm_scheme(canonical) is scheme


@pytest.mark.parametrize(("canonical", "period"), PERIODS)
def test_the_age_identifier_says_when_a_mark_was_issued(canonical: str, period: tuple[date, date] | None) -> None:
    assert vrm_period(canonical) == period


@pytest.mark.parametrize(("kind", "raw", "canonical"), GOOD)
def test_a_good_value_has_its_canonical_form(kind: str, raw: str, canonical: str) -> None:
    parsed = PARSERS[kind](raw)
    assert (parsed.raw, parsed.canonical, parsed.problem) == (raw, canonical, "")


@pytest.mark.parametrize(("kind", "raw", "problem"), BAD, ids=[f"{kind}-{n}" for n, (kind, _, _) in enumerate(BAD)])
def test_a_bad_value_becomes_empty_with_its_problem_in_words(kind: str, raw: str, problem: str) -> None:
    parsed = PARSERS[kind](raw)
    assert (parsed.raw, parsed.canonical, parsed.problem) == (raw, "", problem)


@settings(deadline=None)
@given(st.from_regex(r"[A-Za-z]{2}[0-9]{2} ?[A-Za-z]{3}", fullmatch=True))
def test_case_and_blanks_never_tell_two_marks_apart(raw: str) -> None:
    assert parse_vrm(raw).canonical == parse_vrm(raw.swapcase().replace(" ", "")).canonical != ""


@settings(deadline=None)
@given(st.text())
def test_a_mark_of_any_text_is_refused_or_fits_the_register(raw: str) -> None:
    parsed = parse_vrm(raw)
    assert parsed.valid == bool(parsed.canonical)
    if parsed.valid:
        assert parsed.canonical.isascii()
        assert parsed.canonical.isalnum()
        assert parsed.canonical == parsed.canonical.upper()
        assert len(parsed.canonical) <= 11


@settings(deadline=None)
@given(st.integers(1, 99_999), st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_built_cad_number_parses(number: int, on: date) -> None:
    canonical = build_cad_number(number, on)
    assert parse_cad_number(canonical).canonical == canonical
    assert parse_cad_number(f"CAD {canonical.lower()}").canonical == canonical


@settings(deadline=None)
@given(st.integers(1900, 2099), st.integers(0, 999_999), st.sampled_from(MERLIN_TYPES))
def test_built_references_of_other_systems_parse(year: int, serial: int, report_type: str) -> None:
    crime = build_cris_crime_reference(serial, year)
    custody = build_custody_number("01ZD", serial, year)
    merlin = build_merlin_reference(year, report_type, serial)
    assert parse_cris_crime_reference(crime).canonical == crime
    assert parse_custody_number(custody).canonical == custody
    assert parse_merlin_reference(merlin).canonical == merlin
    assert merlin_type(merlin) == report_type


@pytest.mark.parametrize(
    ("build", "parts", "problem"),
    [
        (build_cad_number, (100_000, date(2026, 11, 1)), "the number must lie in 1..99999"),
        (build_cad_number, (1, date(1999, 12, 31)), "the year must lie in 2000..2099"),
        (build_merlin_reference, (2026, "ABC", 1), "the type must be one of PAC, MIS, ACN"),
        (build_cris_crime_reference, (10_000_000, 2026), "the serial must lie in 0..9999999"),
        (build_custody_number, ("01Z", 1, 2026), "not a canonical custody record number"),
        (merlin_type, ("21ABC123456",), "not a canonical Merlin reference"),
    ],
)
def test_a_reference_out_of_range_cannot_be_built(build: Callable[..., str], parts: tuple[object, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        build(*parts)
