"""Makes vehicles, their keepers and what has been reported about them."""

from __future__ import annotations

from datetime import date, timedelta

from . import codes, reserved, stories
from .cast import Cast
from .codes import VehicleReportKind
from .dice import Dice
from .places import force_station
from .records import Person, Vehicle, VehicleReport

# Keepers of the first vehicles, which belong to stories.
_STORY_KEEPERS = ("known_offender", "stolen_vehicle_keeper", "wanted")
_REPORTS = (
    (VehicleReportKind.LOST_STOLEN, "Reported stolen. Keys taken. Stop and preserve for examination."),
    (VehicleReportKind.DECEPTION, "Obtained by deception from a hire company."),
    (VehicleReportKind.FOUND, "Found abandoned; keeper not yet traced."),
    (VehicleReportKind.REMOVED, "Removed to a police pound."),
    (VehicleReportKind.SUSPECTED, "Seen leaving the place of a crime. Obtain details of occupants."),
    (VehicleReportKind.OF_INTEREST, "Of interest. Note occupants and direction; do not stop."),
    (VehicleReportKind.SEEN, "Checked late at night in an industrial estate."),
)


def make_vehicle(cast: Cast, number: int) -> Vehicle:
    """The vehicle of a number."""
    scale = cast.scale
    dice = Dice(f"{scale.seed}/vehicle/{number}")
    in_story = number <= len(_STORY_KEEPERS)
    if in_story:
        keeper = cast.person(stories.STORIES[_STORY_KEEPERS[number - 1]])
    else:
        keeper = cast.anyone(dice)
        keeper = cast.person(keeper.guardian_number) if keeper.guardian_number else keeper
    make, model = dice.pick(codes.MODELS)
    age_in_days = dice.between(30, 7_000)
    first_registered = scale.as_of - timedelta(days=age_in_days)
    # Nobody keeps a vehicle before the age of 17.
    keeper_since = dice.day(max(first_registered, keeper.date_of_birth + timedelta(days=17 * 366)), scale.as_of)
    needs_test = age_in_days > 3 * 366
    return Vehicle(
        number=number,
        vrm=reserved.vrm(number),
        vin=reserved.vin(number, dice),
        make=make,
        model=model,
        colour=dice.pick(codes.COLOURS),
        keeper_number=keeper.number,
        keeper_since=keeper_since,
        first_registered=first_registered,
        taxed=dice.chance(94),
        mot_expiry=scale.as_of + timedelta(days=dice.between(-40, 365)) if needs_test else None,
        insured=number != _STORY_KEEPERS.index("wanted") + 1 and (in_story or dice.chance(95)),
        reports=_reports(dice, number, keeper, scale.as_of),
    )


def _reports(dice: Dice, number: int, keeper: Person, as_of: date) -> tuple[VehicleReport, ...]:
    if keeper.number == stories.STORIES["known_offender"]:
        kind, text, open_air, days = *_REPORTS[5], False, 14
    elif keeper.number == stories.STORIES["stolen_vehicle_keeper"]:
        kind, text, open_air, days = *_REPORTS[0], True, 3
    elif number > len(_STORY_KEEPERS) and dice.chance(4):
        (kind, text), open_air, days = dice.pick(_REPORTS), dice.chance(80), dice.between(1, 300)
    else:
        return ()
    station = force_station(keeper.address_number)
    return (
        VehicleReport(
            kind=kind,
            open_air=open_air,
            circulated_by=station,
            reference=f"{station}/{910_000 + number}",
            text=text,
            reported_on=as_of - timedelta(days=days),
        ),
    )
