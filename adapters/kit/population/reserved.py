"""Numbers for invented people and things, each from a range that is reserved for fiction or that no real one reaches.

| identifier      | range here                              | why nobody has it                                          |
|-----------------|-----------------------------------------|------------------------------------------------------------|
| telephone       | 020 7946 0000-0999, 07700 900000-900999 | Ofcom keeps them for drama                                 |
| postcode        | area ZZ, districts 1-32                 | no such area (and not ZZ99, the health service's filler)   |
| grid reference  | easting 690000-699999                   | North Sea: Great Britain ends near 655500                  |
| UPRN            | from 999,000,000,000                    | top of the twelve-digit range, not allocated (assumed)     |
| USRN            | from 99,900,000                         | top of the eight-digit range, not allocated (assumed)      |
| VRM             | age identifier 00, 01 or 50             | the current scheme began with 51 (DVLA leaflet INF104)     |
| VIN             | maker 000                               | no region of ISO 3780 begins with 0 (general knowledge)    |
| engine number   | begins with 000MET                      | as the VIN's maker (assumed)                               |
| driver number   | letter X in 14th place                  | that place holds a digit (general knowledge)               |
| PNC id          | 1995 on, serial 9,000,000-9,999,999     | all years together held 11.56 million people in 2014       |
| CRO number      | 1995 on, serial from 900,000            | no year has that many new fingerprint records (assumed)    |
| ASN             | sequence from 99,000,000,000            | 11,000 arrests and summonses a month (Met, 2003)           |
| court case ref  | serial from 900,000                     | all magistrates' courts hear about a million a year        |
| PTI-URN         | serial from 90,000                      | one unit, one year (assumed)                               |
| crime reference | serial from 9,900,000                   | about a million reports a year (Met, 2006)                 |
| CAD number      | 90,000-99,999                           | the busiest day of 2014 had 18,417 calls                   |
| custody record  | serial from 900,000                     | 132,000 a year in all stations of the Met together         |
| Merlin ref      | serial from 900,000                     | about 260,000 reports a year (assumed)                     |

Serials are spread over their range, so that neighbours do not look alike, and never repeat below CAPACITY.
"""

from __future__ import annotations

from datetime import date

from metip.identifiers import (
    build_arrest_summons_number,
    build_cad_number,
    build_court_case_reference,
    build_cris_crime_reference,
    build_cro,
    build_custody_number,
    build_driver_number,
    build_merlin_reference,
    build_pnc_id,
    build_pti_urn,
)

from .dice import Dice

CAPACITY = 9_999
"""The highest number of an entity of any kind: the narrowest range, PTI-URN serials, has this many."""

FIRST_RECORD_YEAR = 1995
"""Records of earlier years were taken over from paper, so that their serials are less regular."""

# A prime that divides none of the ranges, so that multiplying by it is a rearrangement of the range.
_STEP = 7_919
_AREA_LETTERS = "ABCDEFGHJKLMNOPRSTUVWXY"
_LAST_LETTERS = "BCDFGHJKLMNPRSTVWXYZ"  # no vowels, so that no mark spells a word
_AGES = ("00", "01", "50")
_MARKS = len(_AGES) * len(_AREA_LETTERS) ** 2 * len(_LAST_LETTERS) ** 3


def _spread(number: int, start: int, size: int) -> int:
    return start + number * _STEP % size


def pnc_id(number: int, year: int) -> str:
    """The PNC id of a person."""
    return build_pnc_id(year, _spread(number, 9_000_000, 1_000_000))


def cro(number: int, year: int) -> str:
    """The CRO number of a person."""
    return build_cro(year, _spread(number, 900_000, 100_000))


def driver_number(number: int, surname: str, forenames: tuple[str, ...], born: date, sex: str) -> str:
    """The driver number of a person."""
    initials = forenames[0][0] + (forenames[1][0] if len(forenames) > 1 else "")
    letters = _LAST_LETTERS
    tail = f"X{letters[number // len(letters) % len(letters)]}{letters[number % len(letters)]}"
    return build_driver_number(surname, initials, born, female=sex == "F", tail=tail)


def phone(dice: Dice) -> str:
    """A telephone number in national form, mobile rather than fixed."""
    line = dice.between(0, 999)
    return f"07700 900{line:03d}" if dice.chance(80) else f"020 7946 0{line:03d}"


def postcode(street_index: int, borough_index: int) -> str:
    """The postcode of a street; the letters are among those that postcodes use."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    inward = f"{letters[street_index // 20 % 20]}{letters[street_index % 20]}"
    return f"ZZ{borough_index + 1} {street_index % 9 + 1}{inward}"


def uprn(number: int) -> int:
    """The unique property reference number of an address."""
    return _spread(number, 999_000_000_000, 100_000_000)


def usrn(street_index: int) -> int:
    """The unique street reference number of a street."""
    return 99_900_000 + street_index


def grid_reference(dice: Dice, borough_index: int) -> tuple[int, int]:
    """Easting and northing in metres: the boroughs are eight by four rectangles in the sea."""
    easting = 690_000 + borough_index % 8 * 1_250 + dice.between(0, 1_249)
    return easting, 180_000 + borough_index // 8 * 2_500 + dice.between(0, 2_499)


def vrm(number: int) -> str:
    """The registration mark of a vehicle, in the shape of the current scheme."""
    rest = number * 9_999_991 % _MARKS
    rest, age = divmod(rest, len(_AGES))
    letters = []
    for alphabet in (_AREA_LETTERS, _AREA_LETTERS, _LAST_LETTERS, _LAST_LETTERS, _LAST_LETTERS):
        rest, place = divmod(rest, len(alphabet))
        letters.append(alphabet[place])
    return f"{letters[0]}{letters[1]}{_AGES[age]}{letters[2]}{letters[3]}{letters[4]}"


def vin(number: int, dice: Dice) -> str:
    """The vehicle identification number of a vehicle."""
    letters = "ABCDEFGHJKLMNPRST"
    return f"000MET{dice.pick(letters)}{dice.pick(letters)}0{dice.pick(letters)}Z{900_000 + number:06d}"


def engine_number(vehicle_number: int) -> str:
    """The number on the engine of a vehicle."""
    return f"000MET{_spread(vehicle_number, 900_000, 100_000)}"


def arrest_summons_number(number: int, force_station: str, year: int) -> str:
    """The arrest/summons number of an arrest."""
    return build_arrest_summons_number(year, force_station, "01", _spread(number, 99_000_000_000, 1_000_000_000))


def custody_number(number: int, force_station: str, year: int) -> str:
    """The custody record number of an arrest."""
    return build_custody_number(force_station, _spread(number, 900_000, 100_000), year)


def court_case_reference(number: int, court: int, year: int) -> str:
    """The court case reference of an arrest that was charged."""
    return build_court_case_reference(year, court, _spread(number, 900_000, 100_000))


def pti_urn(number: int, force_station: str, year: int) -> str:
    """The PTI-URN of an arrest that was charged."""
    return build_pti_urn(force_station, _spread(number, 90_000, 10_000), year)


def crime_reference(number: int, year: int) -> str:
    """The reference of a crime."""
    return build_cris_crime_reference(_spread(number, 9_900_000, 100_000), year)


def cad_number(number: int, on: date) -> str:
    """The number of the incident in which a crime was reported."""
    return build_cad_number(_spread(number, 90_000, 10_000), on)


def merlin_reference(number: int, report_type: str, year: int) -> str:
    """The reference of a Merlin report."""
    return build_merlin_reference(year, report_type, _spread(number, 900_000, 100_000))
