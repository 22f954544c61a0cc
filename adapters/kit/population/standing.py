"""What courts had done about an arrest when the invented world begins: the same in every system that keeps court cases (assumed)."""

from enum import Enum

from .records import Arrest

DEFERRED_MONTHS = 6
FINE_POUNDS = 150


class Standing(Enum):
    """How far an arrest has come."""

    NOTHING = "nothing"
    PENALTY = "a penalty notice, by the custody number"
    OPEN = "a court case without a finding"
    FINED = "found guilty of everything on the day of the arrest, after pleading so, and fined"
    DEFERRED = "found guilty likewise, and the sentence deferred"


def standing(arrest: Arrest) -> Standing:
    """Charged: one court case, which for some is over (every fourth waits for a deferred sentence); for some others a penalty notice."""
    if not arrest.charged:
        return Standing.NOTHING if arrest.number % 5 else Standing.PENALTY
    if arrest.number % 4 == 0:
        return Standing.DEFERRED
    return Standing.FINED if arrest.number % 4 == 2 and arrest.number > 2 else Standing.OPEN


def opened_serial(count: int) -> int:
    """The serial of the reference of a case that was opened later, by how many were; above those that the world begins with."""
    return 800_000 + count
