"""What the vehicle register says of the population's vehicles beyond what other records have: fuel, engine, emissions, certificates.

Drawn from dice of their own, so that no other record changes with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .dice import Dice
from .population import Population
from .records import Record, Vehicle

_FUELS = ("PETROL", "PETROL", "PETROL", "DIESEL", "DIESEL", "HYBRID ELECTRIC", "ELECTRICITY")
_EURO = ((2015, "EURO 6"), (2011, "EURO 5"), (2006, "EURO 4"), (2001, "EURO 3"))
"""First year of each European emission standard for new cars, latest first (Regulation (EC) 715/2007 and those before it)."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Registered(Record):
    """The register's entry of a vehicle of the population."""

    number: int
    fuel: str
    engine_cc: int
    """0 for an electric vehicle."""
    co2: int
    """Grams a kilometre; 0 for an electric vehicle."""
    euro_status: str
    """'' for a vehicle older than the standards."""
    off_road: bool
    """Whether an untaxed vehicle is declared off the road."""
    exported: bool
    tax_due: date
    v5c_issued: date


def registered(population: Population, vehicle: Vehicle) -> Registered:
    """The register's entry of a vehicle."""
    dice = Dice(f"{population.scale.seed}/registered/{vehicle.number}")
    fuel = dice.pick(_FUELS)
    electric = fuel == "ELECTRICITY"
    engine_cc, co2 = dice.between(9, 30) * 100 - 2, dice.between(90, 210)
    due = dice.between(1, 365)
    return Registered(
        number=vehicle.number,
        fuel=fuel,
        engine_cc=0 if electric else engine_cc,
        co2=0 if electric else co2,
        euro_status=next((name for year, name in _EURO if vehicle.first_registered.year >= year), ""),
        off_road=dice.chance(50),
        exported=vehicle.number > 12 and dice.chance(1),
        tax_due=population.scale.as_of + timedelta(days=due if vehicle.taxed else -due),
        v5c_issued=vehicle.keeper_since,
    )
