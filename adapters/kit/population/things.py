"""Things that bear a number and were reported: firearms, trailers, plant, boats, animals.

Drawn from dice of their own. No real thing has these numbers: identification numbers begin with maker 000, where no region of ISO 3780
begins with 0; microchips with 999, which ISO 11784 keeps for tests; hulls with ZZ, which is no country; guns with MET, a mark that no
maker uses (assumed). Kinds and reports are spelt as in the PNC contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from .dice import Dice
from .places import force_station
from .population import Population
from .records import Record

THINGS = 150
KINDS = ("FIREARM", "TRAILER", "PLANT", "MARINE", "ANIMAL")
"""The first thing of each kind, 1 to 5, is stolen, so that demonstrations can count on it."""
# Kind -> how its numbers begin and how many digits follow, then makes with models and descriptions; all names are invented.
_SERIES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {"FIREARM": ("MET9", 5), "TRAILER": ("000METT0A0Z", 6), "PLANT": ("000METP0A0Z", 6), "MARINE": ("ZZMET", 5), "ANIMAL": ("999000", 9)}
)
_MODELS: Mapping[str, tuple[tuple[str, str, str], ...]] = MappingProxyType(
    {
        "FIREARM": (("ZANDWICK", "SIDE BY SIDE", "Shotgun, 12 bore"), ("OLQUAR", "M2", "Bolt action rifle, .22")),
        "TRAILER": (("VELLOX", "TWIN AXLE", "Plant trailer, galvanised"), ("CARAZOL", "ROAMER 4", "Touring caravan, white")),
        "PLANT": (("DIGZOR", "801", "Mini excavator, yellow"), ("HARVOX", "T6", "Tractor, blue")),
        "MARINE": (("WAVEXA", "RIB 5", "Rigid inflatable, 5 metres"), ("MOTZUR", "40HP", "Outboard engine, 40 hp")),
        "ANIMAL": (("LABRADOR", "", "Dog, black, microchipped"), ("COB", "", "Horse, piebald, freeze-marked")),
    }
)
_REPORTS = (
    ("STOLEN", "Reported stolen. Preserve for examination."),
    ("LOST", "Reported lost by its owner."),
    ("FOUND", "Found; owner not yet traced."),
    ("DECEPTION", "Obtained by deception on hire."),
    ("OF_INTEREST", "Of interest. Note who has it."),
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Thing(Record):
    """A thing and what a force reported about it."""

    number: int
    kind: str
    serial_number: str
    make: str
    model: str
    description: str
    report: str
    open_air: bool
    circulated_by: str
    reference: str
    reported_on: date
    text: str


def things(population: Population) -> tuple[Thing, ...]:
    """All of them, in order of number."""
    return tuple(_thing(population, number) for number in range(1, THINGS + 1))


def _thing(population: Population, number: int) -> Thing:
    dice = Dice(f"{population.scale.seed}/thing/{number}")
    kind = KINDS[(number - 1) % len(KINDS)]
    make, model, description = dice.pick(_MODELS[kind])
    report, text = _REPORTS[0] if number <= len(KINDS) else dice.pick(_REPORTS)
    station = force_station(dice.between(1, population.scale.addresses))
    beginning, digits = _SERIES[kind]
    return Thing(
        number=number,
        kind=kind,
        serial_number=f"{beginning}{number * 37 % 1_000:0{digits}d}",
        make=make,
        model=model,
        description=description,
        report=report,
        open_air=number <= len(KINDS) or dice.chance(85),
        circulated_by=station,
        reference=f"{station}/{920_000 + number}",
        reported_on=population.scale.as_of - timedelta(days=dice.between(1, 900)),
        text=text,
    )
