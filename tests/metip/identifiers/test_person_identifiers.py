"""PNC ids, CRO numbers, driver numbers and National Insurance numbers against published vectors, and by property."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metip.identifiers import (
    build_cro,
    build_driver_number,
    build_pnc_id,
    check_letter,
    parse_cro,
    parse_driver_number,
    parse_national_insurance_number,
    parse_pnc_id,
    plain_pnc_id,
    short_pnc_id,
)
from metip.identifiers.check_letter import ALPHABET

TODAY = date(2026, 11, 23)

# Published test vectors of HM Prison and Probation Service's person record and of Bichard 7.
PNC_IDS = [
    ("2002/0073319Z", "2002/0073319Z"),
    ("2003/0062845E", "2003/0062845E"),
    ("20020073319Z", "2002/0073319Z"),
    ("21/23U", "2021/0000023U"),
    ("81/34U", "1981/0000034U"),
    ("02/73319Z", "2002/0073319Z"),
    ("00/223R", "2000/0000223R"),
    ("79/163001B", "1979/0163001B"),
    ("79163001B", "1979/0163001B"),
    ("033Y", "2003/0000003Y"),
    ("67/9893091D", "1967/9893091D"),
    ("2008/0W", "2008/0000000W"),
    (" 2002/0073319z ", "2002/0073319Z"),
]
BAD_PNC_IDS = [
    ("2008/0000000L", "has a check letter that does not fit its digits"),
    ("20030011985Z", "has a check letter that does not fit its digits"),
    ("20120052494O", "has a check letter that does not fit its digits"),
    ("2001/0171310S", "has a check letter that does not fit its digits"),
    ("1X23/1234567A", "is not of the form yyyy/nnnnnnnL or yy/nnnnnnnL"),
    ("1923[1234567A", "is not of the form yyyy/nnnnnnnL or yy/nnnnnnnL"),
    ("1923/1234567AA", "is not of the form yyyy/nnnnnnnL or yy/nnnnnnnL"),
    ("01234567890123", "is not of the form yyyy/nnnnnnnL or yy/nnnnnnnL"),
    ("2002/0073319Z\n2003/0062845E", "is not of the form yyyy/nnnnnnnL or yy/nnnnnnnL"),
    ("٢٠٠٢/0073319Z", "holds a character outside ASCII"),
    ("  ", "is empty"),
    ("2" * 41, "is longer than 40 characters"),
]
CROS = [
    ("097501/98T", "097501/98T"),
    ("97501/98T", "097501/98T"),
    ("265416/21G", "265416/21G"),
    ("29906/12J", "029906/12J"),
    ("SF05/482703J", "SF05/482703J"),
    ("SF83/50058Z", "SF83/50058Z"),
    ("sf83/50058z", "SF83/50058Z"),
]
YEARS_WITHIN_A_CENTURY = st.integers(TODAY.year - 99, TODAY.year)
SERIALS = st.integers(0, 9_999_999)
OTHER_LETTER = st.integers(1, len(ALPHABET) - 1)


def with_another_letter(identifier: str, steps: int) -> str:
    """The identifier with its check letter moved `steps` (1 to 22) along the alphabet: always another letter."""
    return identifier[:-1] + ALPHABET[(ALPHABET.index(identifier[-1]) + steps) % len(ALPHABET)]


@pytest.mark.parametrize(("raw", "canonical"), PNC_IDS)
def test_a_published_pnc_id_has_its_published_canonical_form(raw: str, canonical: str) -> None:
    parsed = parse_pnc_id(raw, today=TODAY)
    assert (parsed.raw, parsed.canonical, parsed.problem, parsed.valid) == (raw, canonical, "", True)


@pytest.mark.parametrize(("raw", "problem"), BAD_PNC_IDS, ids=range(len(BAD_PNC_IDS)))
def test_a_bad_pnc_id_becomes_empty_with_its_problem_in_words(raw: str, problem: str) -> None:
    parsed = parse_pnc_id(raw, today=TODAY)
    assert (parsed.raw, parsed.canonical, parsed.problem, parsed.valid) == (raw, "", problem, False)


@pytest.mark.parametrize(
    ("today", "century"),
    [(date(2026, 1, 1), "2026"), (date(2025, 12, 31), "1926"), (date(2099, 1, 1), "2026"), (date(2100, 1, 1), "2026")],
    ids=["this year", "next year is last century", "end of century", "two digits above today's"],
)
def test_two_year_digits_above_todays_mean_the_century_before(today: date, century: str) -> None:
    assert parse_pnc_id(short_pnc_id(build_pnc_id(2026, 1)), today=today).canonical[:4] == century


def test_a_short_pnc_id_can_be_read_without_saying_what_day_it_is() -> None:
    assert parse_pnc_id("02/73319Z").canonical == "2002/0073319Z"


@settings(deadline=None)
@given(YEARS_WITHIN_A_CENTURY, SERIALS)
def test_every_form_of_a_pnc_id_reads_back_to_the_same_canonical_form(year: int, serial: int) -> None:
    canonical = build_pnc_id(year, serial)
    for form in (canonical, short_pnc_id(canonical), plain_pnc_id(canonical), short_pnc_id(canonical).lower()):
        assert parse_pnc_id(form, today=TODAY).canonical == canonical
    assert len(short_pnc_id(canonical)) <= 11, "the identity segment of PNC has 11 characters for it"


@settings(deadline=None)
@given(YEARS_WITHIN_A_CENTURY, SERIALS, OTHER_LETTER)
def test_a_pnc_id_with_any_other_check_letter_is_refused(year: int, serial: int, steps: int) -> None:
    parsed = parse_pnc_id(with_another_letter(build_pnc_id(year, serial), steps), today=TODAY)
    assert not parsed.canonical
    assert parsed.problem == "has a check letter that does not fit its digits"


@pytest.mark.parametrize("raw", ["02/73319Z", "2002/73319Z", "2002/0073319O", "", "2002/0073319Z "])
def test_a_formatter_refuses_what_is_not_canonical_without_repeating_it(raw: str) -> None:
    for formatter in (short_pnc_id, plain_pnc_id):
        with pytest.raises(ValueError, match=r"^not a canonical PNC id$"):
            formatter(raw)


@pytest.mark.parametrize(("raw", "canonical"), CROS)
def test_a_published_cro_number_has_its_canonical_form(raw: str, canonical: str) -> None:
    assert parse_cro(raw).canonical == canonical


@pytest.mark.parametrize("raw", ["85227/65G", "265416/21H", "SF83/050058Z", "SF83/50058A"])
def test_a_cro_number_with_a_wrong_letter_is_refused(raw: str) -> None:
    assert parse_cro(raw).problem == "has a check letter that does not fit its digits"


@settings(deadline=None)
@given(st.integers(1900, 2099), st.integers(0, 999_999), OTHER_LETTER)
def test_a_built_cro_number_parses_and_fails_with_another_letter(year: int, serial: int, steps: int) -> None:
    canonical = build_cro(year, serial)
    assert parse_cro(canonical).canonical == canonical
    assert parse_cro(canonical.lstrip("0") if serial else canonical).canonical == canonical
    assert not parse_cro(with_another_letter(canonical, steps)).canonical


@settings(deadline=None)
@given(st.integers(0, 99), st.from_regex(r"[0-9]{1,6}", fullmatch=True))
def test_the_small_file_form_keeps_its_serial_as_written(year: int, serial: str) -> None:
    raw = f"SF{year:02d}/{serial}{check_letter(f'{year:02d}{serial}')}"
    assert parse_cro(raw).canonical == raw


@pytest.mark.parametrize("raw", ["CRIME709136TC9GZ", "crime 709136 tc9gz"])
def test_the_published_driver_number_is_read(raw: str) -> None:
    assert parse_driver_number(raw).canonical == "CRIME709136TC9GZ"


@pytest.mark.parametrize(
    "raw",
    [
        "CRIME709136TC9G",
        "CRIME713136TC9GZ",
        "CRIME700136TC9GZ",
        "CRIME763136TC9GZ",
        "CRIME709326TC9GZ",
        "CRIME709136TC9G1",
    ],
    ids=["15 characters", "month 13", "month 0", "month 63", "day 32", "digit at the end"],
)
def test_a_driver_number_of_another_shape_is_refused(raw: str) -> None:
    assert parse_driver_number(raw).problem.startswith("is not a driver number of 16 characters")


@settings(deadline=None)
@given(st.dates(date(1920, 1, 1), date(2015, 1, 1)), st.booleans())
def test_a_driver_number_built_of_any_birthday_parses(born: date, female: bool) -> None:
    number = build_driver_number("O'Vell-Quorn", "AB", born, female=female, tail="9XY")
    assert parse_driver_number(number).canonical == number
    assert number.startswith("OVELL")
    assert (int(number[6:8]) > 50) == female


def test_a_short_name_and_a_single_initial_are_padded_with_nines() -> None:
    assert build_driver_number("Qo", "Z", date(1985, 2, 28), female=False, tail="9AA") == "QO999802285Z99AA"


@pytest.mark.parametrize(("raw", "canonical"), [("AB123456C", "AB123456C"), ("ab 12 34 56 c", "AB123456C"), ("AB123456", "AB123456")])
def test_a_national_insurance_number_is_read_with_and_without_blanks(raw: str, canonical: str) -> None:
    assert parse_national_insurance_number(raw).canonical == canonical


@pytest.mark.parametrize("raw", ["DB123456C", "AO123456C", "AB12345C", "AB123456E", "QQ123456C"])
def test_a_national_insurance_number_with_letters_not_in_use_is_refused(raw: str) -> None:
    assert not parse_national_insurance_number(raw).valid


@pytest.mark.parametrize("digits", ["", "12A", "١٢", "-1"])
def test_a_check_letter_is_made_from_digits_only(digits: str) -> None:
    with pytest.raises(ValueError, match="from digits only"):
        check_letter(digits)


@pytest.mark.parametrize(("year", "serial"), [(26, 1), (2026, -1), (2026, 10_000_000), (2100, 1)])
def test_a_pnc_id_cannot_be_built_out_of_range(year: int, serial: int) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        build_pnc_id(year, serial)
