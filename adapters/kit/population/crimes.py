"""Makes crime reports and arrests, which are tied: the arrested person is the first suspect of the crime behind the arrest."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from . import codes, reserved
from .cast import Cast
from .codes import CrimeStatus, Offence
from .dice import Dice
from .records import Arrest, ArrestOffence, Crime, Person
from .stories import LAST, STORIES


class _Plot(NamedTuple):
    """What is fixed about a crime that belongs to a story; `days` is how long ago it was reported."""

    victim: int
    suspects: tuple[int, ...]
    cjs_code: str
    days: int
    vehicle: int = 0
    restricted: bool = False


_ROBBERY, _ASSAULT, _TAKING, _FROM_PERSON, _CYCLE = "TH68023", "CJ88116", "TH68151", "TH68001", "TH68006"
_PLOTS = {
    1: _Plot(STORIES["stolen_vehicle_keeper"], (STORIES["known_offender"],), _ROBBERY, 40),
    2: _Plot(STORIES["restricted_victim"], (), _ASSAULT, 12, restricted=True),
    3: _Plot(STORIES["stolen_vehicle_keeper"], (), _TAKING, 3, vehicle=2),
    4: _Plot(STORIES["apostrophe"], (STORIES["wanted"],), _ROBBERY, 60),
    5: _Plot(STORIES["hyphen"], (), _CYCLE, 25),
    6: _Plot(STORIES["long_name"], (), _FROM_PERSON, 90),
}
# Crimes behind the arrests: two for the stories, then two crimes in five from the eleventh on.
_STORY_ARRESTS = (1, 4)
_FIRST_SOLVED = 11
_COURT = 2576
"""South London magistrates (Bichard 7's standing data)."""
_UNSOLVED = (CrimeStatus.OPEN, CrimeStatus.OPEN, CrimeStatus.SCREENED_OUT)


def crime_of_arrest(arrest_number: int, crimes: int) -> int:
    """Number of the crime behind an arrest; 0 when there are more arrests than solved crimes."""
    if arrest_number <= len(_STORY_ARRESTS):
        return _STORY_ARRESTS[arrest_number - 1]
    fives, one = divmod(arrest_number - len(_STORY_ARRESTS) - 1, 2)
    crime_number = _FIRST_SOLVED + 5 * fives + one
    return crime_number if crime_number <= crimes else 0


def arrest_of_crime(crime_number: int, arrests: int) -> int:
    """Number of the arrest that a crime led to; 0 when there was none. The reverse of `crime_of_arrest`."""
    if crime_number in _STORY_ARRESTS:
        return _STORY_ARRESTS.index(crime_number) + 1
    fives, place = divmod(crime_number - _FIRST_SOLVED, 5)
    arrest_number = len(_STORY_ARRESTS) + 1 + 2 * fives + place
    return arrest_number if fives >= 0 and place < 2 and arrest_number <= arrests else 0


def make_crime(cast: Cast, number: int) -> Crime:
    """The crime report of a number."""
    scale = cast.scale
    dice = Dice(f"{scale.seed}/crime/{number}")
    plot = _PLOTS.get(number)
    offence = codes.offence(plot.cjs_code) if plot else dice.pick(codes.OFFENCES)
    victim = cast.person(plot.victim) if plot else cast.anyone(dice)
    solved = bool(arrest_of_crime(number, scale.arrests))
    # Arrests follow within two weeks, so that a solved crime must lie at least that far back.
    reported_at = scale.before(dice, plot.days - 1, plot.days) if plot else scale.before(dice, 15 if solved else 1, 690)
    committed_to = reported_at - timedelta(minutes=dice.between(5, 2_880))
    venue = cast.home(victim) if dice.chance(40) else cast.address(dice.between(LAST + 1, scale.addresses))
    return Crime(
        number=number,
        reference=reserved.crime_reference(number, reported_at.year),
        borough=venue.borough,
        beat=f"{venue.borough}{dice.between(1, 30):02d}",
        title=offence.title,
        cjs_code=offence.cjs_code,
        classification=offence.classification,
        committed_from=committed_to - timedelta(minutes=dice.between(0, 600)),
        committed_to=committed_to,
        reported_at=reported_at,
        venue_number=venue.number,
        victim_number=victim.number,
        suspect_numbers=plot.suspects if plot else _suspects(cast, dice, victim, solved),
        vehicle_number=plot.vehicle if plot else 0,
        method=dice.pick(offence.methods),
        flags=dice.some(codes.CRIME_FLAGS, 1) if dice.chance(20) else (),
        restricted=plot.restricted if plot else dice.chance(2),
        cad_number=reserved.cad_number(number, reported_at.date()) if dice.chance(70) else "",
        status=CrimeStatus.DETECTED if solved else CrimeStatus.OPEN if plot else dice.pick(_UNSOLVED),
    )


def _suspects(cast: Cast, dice: Dice, victim: Person, solved: bool) -> tuple[int, ...]:
    """Numbers of the suspects; the first of a solved crime has a PNC record, since whoever is arrested has one."""
    first = cast.someone(dice, lambda person: bool(person.pnc_id) and person.number != victim.number) if solved else None
    suspects = [first.number] if first else []
    if dice.chance(12):
        other = cast.someone(dice, lambda person: person.number not in (victim.number, *suspects))
        suspects.append(other.number)
    return tuple(suspects)


def make_arrest(cast: Cast, number: int, crime: Crime | None) -> Arrest:
    """The arrest of a number; `crime` is the one that `crime_of_arrest` names."""
    scale = cast.scale
    dice = Dice(f"{scale.seed}/arrest/{number}")
    if crime is not None:
        person = cast.person(crime.suspect_numbers[0])
        offence = codes.offence(crime.cjs_code)
        committed_at = crime.committed_to
        arrested_at = crime.reported_at + timedelta(minutes=dice.between(30, 14 * 1_440))
        station = cast.address(crime.venue_number).force_station
    else:
        person = cast.someone(dice, lambda person: bool(person.pnc_id))
        offence = dice.pick(codes.OFFENCES)
        committed_at = scale.before(dice, 15, 690)
        arrested_at = committed_at + timedelta(minutes=dice.between(10, 14 * 1_440))
        station = cast.home(person).force_station
    charged = number <= len(_STORY_ARRESTS) or dice.chance(55)
    offences: tuple[Offence, ...] = (offence, *(dice.some(codes.OFFENCES, dice.between(1, 2)) if dice.chance(30) else ()))
    year = arrested_at.year
    return Arrest(
        number=number,
        asn=reserved.arrest_summons_number(number, station, year),
        custody_number=reserved.custody_number(number, station, year),
        person_number=person.number,
        force_station=station,
        arrested_at=arrested_at,
        offences=tuple(
            ArrestOffence(title=one.title, cjs_code=one.cjs_code, npcc_code=one.npcc_code, committed_on=committed_at.date())
            for one in dict.fromkeys(offences)
        ),
        crime_number=crime.number if crime else 0,
        charged=charged,
        court_code=f"{_COURT:04d}" if charged else "",
        court_case_reference=reserved.court_case_reference(number, _COURT, year) if charged else "",
        pti_urn=reserved.pti_urn(number, station, year) if charged else "",
    )
