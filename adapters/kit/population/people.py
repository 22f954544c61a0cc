"""Makes people: their names, descriptions and numbers, and what PNC has to say about them."""

from __future__ import annotations

from datetime import date, timedelta

from . import codes, names, reserved, stories
from .codes import CirculationKind
from .dice import Dice
from .places import BOROUGHS, force_station
from .records import Alias, Circulation, Person
from .scale import Scale

_SEXES = "MF" * 49 + "UU"
_CIRCULATED = (
    (CirculationKind.WANTED, "Wanted on warrant. Arrest and inform originator."),
    (CirculationKind.FAILED_TO_APPEAR, "Failed to appear at court. Arrest and inform originator."),
    (CirculationKind.LOCATE, "Address needed for service of papers. Do not arrest."),
    (CirculationKind.IMPENDING_PROSECUTION, "Prosecution pending. No action beyond locating."),
    (CirculationKind.RECALL, "Licence revoked. Arrest and return to prison."),
)


def _opening(scale: Scale, number: int) -> tuple[Dice, stories.Part | None, str]:
    """A person's dice, part in a story and surname, the first draw: a child's surname needs no more of the parent than this."""
    dice = Dice(f"{scale.seed}/person/{number}")
    drawn = names.surname(dice)
    part = stories.part_of(number)
    return dice, part, part.surname if part else drawn


def make_person(scale: Scale, number: int) -> Person:
    """The person of a number; nobody else is made for it."""
    dice, part, surname = _opening(scale, number)
    sex = part.sex if part else dice.pick(_SEXES)
    # Two people to a household; only the second can be a child, so that the first is always there as its guardian.
    child = number == stories.STORIES["missing_child"] if part else number % 2 == 0 and dice.chance(40)
    if child and not part and dice.chance(90):
        surname = _opening(scale, number - 1)[2]
    born = _born(scale, dice, part if number <= stories.LAST else None, child)
    forenames = part.forenames if part else names.forenames(dice, sex)
    adult = not child
    recorded = part.recorded if part else _old_enough(scale, born) and dice.chance(50 if adult else 20)
    drives = part.drives if part else adult and dice.chance(75)
    record_year = dice.between(max(reserved.FIRST_RECORD_YEAR, born.year + 10), scale.as_of.year - 2) if recorded else 0
    in_story = number <= stories.LAST
    address_number = _address_number(scale, number)
    return Person(
        number=number,
        surname=surname,
        forenames=forenames,
        sex=sex,
        date_of_birth=born,
        place_of_birth=names.town(dice.between(0, len(BOROUGHS) - 1)),
        nationality="GBR",
        observed_ethnicity=dice.pick(codes.OBSERVED_ETHNICITIES),
        self_defined_ethnicity=dice.pick(codes.SELF_DEFINED_ETHNICITIES),
        height_cm=dice.between(150, 198) if adult else 75 + 6 * (scale.as_of.year - born.year) + dice.between(0, 9),
        pnc_id=reserved.pnc_id(number, record_year) if recorded else "",
        cro=reserved.cro(number, record_year) if recorded and (in_story or dice.chance(70)) else "",
        driver_number=reserved.driver_number(number, surname, forenames, born, sex) if drives else "",
        aliases=_aliases(dice, part, number, forenames, sex, born) if recorded else (),
        address_number=address_number,
        phone=reserved.phone(dice) if adult or dice.chance(50) else "",
        warning_signals=_warning_signals(dice, part, number) if recorded else (),
        circulations=_circulations(scale, dice, number, address_number) if recorded else (),
        school=names.school(dice) if child else "",
        guardian_number=number - 1 if child else 0,
    )


def _old_enough(scale: Scale, born: date) -> bool:
    """Whether somebody was at least ten, the age of criminal responsibility, two years ago when the last records were made."""
    return born.year + 10 <= scale.as_of.year - 2


def _born(scale: Scale, dice: Dice, part: stories.Part | None, child: bool) -> date:
    if part and part.born:
        return part.born
    age = part.age if part else dice.between(1, 17) if child else dice.between(18, 90)
    # At most a year less a day before the day on which somebody turns that age today.
    return years_before(scale.as_of, age) - timedelta(days=dice.below(365))


def years_before(day: date, years: int) -> date:
    """The same day that many years before; 28 February for a 29 February that the year does not have."""
    if (day.month, day.day) == (2, 29):
        day = date(day.year, 2, 28)
    return day.replace(year=day.year - years)


def _address_number(scale: Scale, number: int) -> int:
    """A story person lives apart, but for the missing child; the others live in twos at the addresses after theirs."""
    if number <= stories.LAST:
        return stories.STORIES["known_offender"] if number == stories.STORIES["missing_child"] else number
    first = stories.LAST + 1
    return first + (number - first) // 2 % (scale.addresses - stories.LAST)


def _aliases(dice: Dice, part: stories.Part | None, number: int, forenames: tuple[str, ...], sex: str, born: date) -> tuple[Alias, ...]:
    if number <= stories.LAST:
        return tuple(Alias(surname=name, forenames=forenames, date_of_birth=born) for name in part.aliases) if part else ()
    if not dice.chance(12):
        return ()
    other_day = born + timedelta(days=dice.between(1, 400)) if dice.chance(40) else None
    return (Alias(surname=names.surname(dice), forenames=names.forenames(dice, sex)[:1], date_of_birth=other_day),)


def _warning_signals(dice: Dice, part: stories.Part | None, number: int) -> tuple[str, ...]:
    if number <= stories.LAST:
        return part.warning_signals if part else ()
    return dice.some(tuple(codes.WARNING_SIGNALS), dice.between(1, 3)) if dice.chance(15) else ()


def _circulations(scale: Scale, dice: Dice, number: int, address_number: int) -> tuple[Circulation, ...]:
    as_of, station = scale.as_of, force_station(address_number)
    if number == stories.STORIES["wanted"]:
        kind, text, days = CirculationKind.WANTED, "Wanted on warrant for robbery. Arrest and inform originator.", 20
    elif number == stories.STORIES["missing_child"]:
        kind, text, days = CirculationKind.MISSING, "Missing child, high risk. Take to a place of safety.", 1
    elif number > stories.LAST and dice.chance(3):
        kind, text = dice.pick(_CIRCULATED)
        days = dice.between(1, 600)
    else:
        return ()
    reference = f"{station}/{900_000 + number}"
    circulated_on = as_of - timedelta(days=days)
    return (Circulation(kind=kind, circulated_by=station, reference=reference, text=text, circulated_on=circulated_on),)
