"""Makes addresses: 32 boroughs with real codes and invented towns, 320 streets, and houses that stand in the North Sea."""

from __future__ import annotations

from . import names, reserved
from .dice import Dice
from .records import Address
from .scale import Scale

# Operational command units of the Metropolitan Police (general knowledge). The towns around them here are invented.
BOROUGHS = (
    *("BS", "CW", "EK", "FH", "GD", "HT", "JC", "JI", "KD", "KF", "KG", "LX", "MD", "NI", "PL", "PY"),
    *("QA", "QK", "RG", "RY", "SX", "TW", "TX", "VK", "VW", "WW", "XB", "XH", "YE", "YR", "ZD", "ZT"),
)
STREETS = 320


def borough_index(address_number: int) -> int:
    """Index in BOROUGHS of the borough that an address lies in."""
    return address_number % STREETS % len(BOROUGHS)


def force_station(address_number: int) -> str:
    """Force and station that an address belongs to, such as `01ZD`."""
    return f"01{BOROUGHS[borough_index(address_number)]}"


def make_address(scale: Scale, number: int) -> Address:
    """The address of a number."""
    dice = Dice(f"{scale.seed}/address/{number}")
    street_index, borough = number % STREETS, borough_index(number)
    # Three house numbers are kept for each address of a street, so that no two addresses are the same house.
    house = 1 + number // STREETS * 3 + dice.between(0, 2)
    flat = dice.between(1, 40) if dice.chance(25) else 0
    easting, northing = reserved.grid_reference(dice, borough)
    street, town = names.street(street_index), names.town(borough)
    return Address(
        number=number,
        flat=flat,
        house=house,
        street=street,
        town=town,
        administrative_area="Zedlandshire",
        postcode=reserved.postcode(street_index, borough),
        uprn=reserved.uprn(number),
        usrn=reserved.usrn(street_index),
        easting=easting,
        northing=northing,
        borough=BOROUGHS[borough],
        force_station=force_station(number),
        lines=(*((f"Flat {flat}",) if flat else ()), f"{house} {street}", town),
    )
