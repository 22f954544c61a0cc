"""Which calls are sampled: it follows from their ids, so that adapters and the hub agree without a word, and nobody can choose."""

from enum import StrEnum
from typing import Final
from zlib import crc32

MILLION: Final = 1_000_000


class Dropped(StrEnum):
    """Why a call that was to be sampled was not. Nothing of it is kept but the count."""

    QUEUE_FULL = "QUEUE_FULL"
    """The adapter had no room for it."""
    TOO_LARGE = "TOO_LARGE"
    """Its answer is larger than what is offered."""
    HUB_AWAY = "HUB_AWAY"
    """The hub did not take the adapter's offer."""
    NOT_WANTED = "NOT_WANTED"
    """The hub samples it no longer."""
    HUB_FULL = "HUB_FULL"
    """The hub had no room for it."""
    TOO_OLD = "TOO_OLD"
    """It waited until its answer may no longer be what the platform would say."""
    NO_SHADOW = "NO_SHADOW"
    """No instance of the other system was to be reached."""
    NO_REPLICA = "NO_REPLICA"
    """The policy demands a copy or a simulator, and the other system is a live one, or one of its instances is."""
    CAP = "CAP"
    """The hour's look-ups at live systems are spent."""
    SHADOW_DOWN = "SHADOW_DOWN"
    """The other system failed too often and is left alone for a while."""
    SHADOW_BUSY = "SHADOW_BUSY"
    """The other system's adapter turned the call away."""
    REFUSED = "REFUSED"
    """The other system's adapter did not admit the comparison's call."""
    MALFORMED = "MALFORMED"
    """What was offered is no request of the operation."""
    DISK = "DISK"
    """A recording could not be written."""


def place(call_id: str) -> int:
    """Where a call stands among a million: it is sampled where that is below the share."""
    return crc32(call_id.encode()) % MILLION


def place_again(call_id: str) -> int:
    """The same for being asked a second time, independent of the first."""
    return crc32(b"again/" + call_id.encode()) % MILLION
