"""Makes people and addresses by number, and finds somebody fit for a part in what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from . import codes, names, reserved, stories
from .codes import CirculationKind
from .dice import Dice
from .records import Address, Alias, Circulation, Person

# Operational command units of the Metropolitan Police (general knowledge). The towns around them here are invented.
BOROUGHS = (
    *("BS", "CW", "EK", "FH", "GD", "HT", "JC", "JI", "KD", "KF", "KG", "LX", "MD", "NI", "PL", "PY"),
    *("QA", "QK", "RG", "RY", "SX", "TW", "TX", "VK", "VW", "WW", "XB", "XH", "YE", "YR", "ZD", "ZT"),
)
STREETS = 320
_CIRCULATED = (
    (CirculationKind.WANTED, "Wanted on warrant. Arrest and inform originator."),
    (CirculationKind.FAILED_TO_APPEAR, "Failed to appear at court. Arrest and inform originator."),
    (CirculationKind.LOCATE, "Address needed for service of papers. Do not arrest."),
    (CirculationKind.IMPENDING_PROSECUTION, "Prosecution pending. No action beyond locating."),
    (CirculationKind.RECALL, "Licence revoked. Arrest and return to prison."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many there are of everything, the seed they come from, and the day on which everything stands as it is told."""

    seed: int = 2026
    as_of: date = date(2026, 11, 1)
    people: int = 3_000
    addresses: int = 1_500
    vehicles: int = 2_500
    crimes: int = 2_000
    episodes: int = 600
    arrests: int = 800

    def __post_init__(self) -> None:
        """Raises ValueError for a count that leaves no room for the stories or goes beyond the reserved ranges."""
        least = {"people": 100, "addresses": 50, "vehicles": 3, "crimes": 10, "episodes": 10, "arrests": 2}
        for name, low in least.items():
            if not low <= getattr(self, name) <= reserved.CAPACITY:
                raise ValueError(f"{name} must lie in {low}..{reserved.CAPACITY}")
        if not 2010 <= self.as_of.year <= 2090:
            raise ValueError("as_of must lie in 2010..2090")

    @property
    def now(self) -> datetime:
        """The first instant of the day on which everything stands as it is told."""
        return datetime.combine(self.as_of, time(), UTC)

    def before(self, dice: Dice, least_days: int, most_days: int) -> datetime:
        """An instant, to the minute, that many days before `now`."""
        return self.now - timedelta(minutes=dice.between(least_days * 1_440, most_days * 1_440))


class Cast:
    """The people and addresses of a population, each made when first asked for and then kept."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self._people: dict[int, Person] = {}
        self._addresses: dict[int, Address] = {}

    def person(self, number: int) -> Person:
        """The person of a number. Raises LookupError when there is none."""
        person = self._people.get(number)
        if person is None:
            if not 1 <= number <= self.scale.people:
                raise LookupError(f"people are numbered 1 to {self.scale.people}")
            person = self._people[number] = _make_person(self, number)
        return person

    def address(self, number: int) -> Address:
        """The address of a number. Raises LookupError when there is none."""
        address = self._addresses.get(number)
        if address is None:
            if not 1 <= number <= self.scale.addresses:
                raise LookupError(f"addresses are numbered 1 to {self.scale.addresses}")
            address = self._addresses[number] = _make_address(self.scale, number)
        return address

    def home(self, person: Person) -> Address:
        """Where a person lives."""
        return self.address(person.address_number)

    def anyone(self, dice: Dice) -> Person:
        """Somebody who is in no story."""
        return self.person(dice.between(stories.LAST + 1, self.scale.people))

    def someone(self, dice: Dice, fit: Callable[[Person], bool]) -> Person:
        """Somebody fit for a part and in no story: the first from a drawn number on, and round again.

        Raises LookupError when nobody fits.
        """
        first, count = stories.LAST + 1, self.scale.people - stories.LAST
        start = dice.between(0, count - 1)
        for offset in range(count):
            person = self.person(first + (start + offset) % count)
            if fit(person):
                return person
        raise LookupError("nobody in this population fits the part")

    def is_child(self, person: Person) -> bool:
        """Whether a person is under 18."""
        return bool(person.guardian_number)


def _make_address(scale: Scale, number: int) -> Address:
    dice = Dice(f"{scale.seed}/address/{number}")
    street_index = number % STREETS
    borough_index = street_index % len(BOROUGHS)
    # Three house numbers are kept for each address of a street, so that no two addresses are the same house.
    house = 1 + number // STREETS * 3 + dice.between(0, 2)
    flat = dice.between(1, 40) if dice.chance(0.25) else 0
    easting, northing = reserved.grid_reference(dice, borough_index)
    street, town = names.street(street_index), names.town(borough_index)
    return Address(
        number=number,
        flat=flat,
        house=house,
        street=street,
        town=town,
        administrative_area="Zedlandshire",
        postcode=reserved.postcode(street_index, borough_index),
        uprn=reserved.uprn(number),
        usrn=reserved.usrn(street_index),
        easting=easting,
        northing=northing,
        borough=BOROUGHS[borough_index],
        force_station=f"01{BOROUGHS[borough_index]}",
        lines=(*((f"Flat {flat}",) if flat else ()), f"{house} {street}", town),
    )


def _surname(scale: Scale, number: int) -> tuple[Dice, str]:
    """A person's dice and, as their first draw, the surname: so that a child's needs no more of the parent than this."""
    dice = Dice(f"{scale.seed}/person/{number}")
    drawn = names.surname(dice)
    part = stories.PARTS.get(stories.STORIES["common_name"] if stories.is_namesake(number) else number)
    return dice, part.surname if part else drawn


def _make_person(cast: Cast, number: int) -> Person:
    scale = cast.scale
    dice, surname = _surname(scale, number)
    part = stories.PARTS.get(stories.STORIES["common_name"] if stories.is_namesake(number) else number)
    sex = part.sex if part else dice.pick("MMMMMMMMMMFFFFFFFFFU")
    # Two people to a household; only the second can be a child, so that the first is always there as its guardian.
    child = number == stories.STORIES["missing_child"] if part else number % 2 == 0 and dice.chance(0.4)
    if child and not part and dice.chance(0.9):
        surname = _surname(scale, number - 1)[1]
    born = _born(scale, dice, part if number <= stories.LAST else None, child)
    forenames = part.forenames if part else names.forenames(dice, sex)
    adult = not child
    recorded = part.recorded if part else _old_enough(scale, born) and dice.chance(0.5 if adult else 0.2)
    drives = part.drives if part else adult and dice.chance(0.75)
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
        cro=reserved.cro(number, record_year) if recorded and (in_story or dice.chance(0.7)) else "",
        driver_number=(
            reserved.driver_number(number, surname, "".join(name[0] for name in forenames[:2]), born, sex) if drives else ""
        ),
        aliases=_aliases(dice, part, number, forenames, sex, born) if recorded else (),
        address_number=address_number,
        phone=reserved.phone(dice) if adult or dice.chance(0.5) else "",
        warning_signals=_warning_signals(dice, part, number) if recorded else (),
        circulations=_circulations(cast, dice, number, address_number) if recorded else (),
        school=names.school(dice) if child else "",
        guardian_number=number - 1 if child else 0,
    )


def _old_enough(scale: Scale, born: date) -> bool:
    """Whether somebody was at least ten, the age of criminal responsibility, two years ago when the last records were made."""
    return born.year + 10 <= scale.as_of.year - 2


def _born(scale: Scale, dice: Dice, part: stories.Part | None, child: bool) -> date:
    if part and part.born:
        return part.born
    youngest, oldest = (part.age, part.age) if part else (1, 17) if child else (18, 90)
    return dice.day(_years_before(scale.as_of, oldest + 1) + timedelta(days=1), _years_before(scale.as_of, youngest))


def _years_before(day: date, years: int) -> date:
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


def _aliases(
    dice: Dice, part: stories.Part | None, number: int, forenames: tuple[str, ...], sex: str, born: date
) -> tuple[Alias, ...]:
    if number <= stories.LAST:
        return tuple(Alias(surname=name, forenames=forenames, date_of_birth=born) for name in part.aliases) if part else ()
    if not dice.chance(0.12):
        return ()
    other_day = born + timedelta(days=dice.between(1, 400)) if dice.chance(0.4) else None
    return (Alias(surname=names.surname(dice), forenames=names.forenames(dice, sex)[:1], date_of_birth=other_day),)


def _warning_signals(dice: Dice, part: stories.Part | None, number: int) -> tuple[str, ...]:
    if number <= stories.LAST:
        return part.warning_signals if part else ()
    return dice.some(tuple(codes.WARNING_SIGNALS), dice.between(1, 3)) if dice.chance(0.15) else ()


def _circulations(cast: Cast, dice: Dice, number: int, address_number: int) -> tuple[Circulation, ...]:
    as_of, station = cast.scale.as_of, cast.address(address_number).force_station
    if number == stories.STORIES["wanted"]:
        kind, text, days = CirculationKind.WANTED, "Wanted on warrant for robbery. Arrest and inform originator.", 20
    elif number == stories.STORIES["missing_child"]:
        kind, text, days = CirculationKind.MISSING, "Missing child, high risk. Take to a place of safety.", 1
    elif number > stories.LAST and dice.chance(0.03):
        kind, text = dice.pick(_CIRCULATED)
        days = dice.between(1, 600)
    else:
        return ()
    reference = f"{station}/{900_000 + number}"
    circulated_on = as_of - timedelta(days=days)
    return (Circulation(kind=kind, circulated_by=station, reference=reference, text=text, circulated_on=circulated_on),)
