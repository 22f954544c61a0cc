"""Messages that were handed over in bulk, as they go to the store: a value each, and once what they share.

An object for each message would cost a bulk hand-over more than its rows do.
"""

from array import array
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Final

from hub.exchange.records import Accepted, Arrival, FullError
from metip.faults import Fault

LENGTH: Final = 8
"""Digits of a length within a value."""


@dataclass(slots=True)
class Lot:
    """Messages of one operation and one call, in order. Not frozen, as arrivals are not."""

    operation: str
    producer: str
    officer: str = field(repr=False)
    call_id: str
    not_before: float
    expires: float
    window: float
    values: tuple[bytes, ...] = field(repr=False)
    """Of each message: the length of its idempotency key and of its ordering key, in digits; the two keys; its bytes."""
    known_by: "array[int]" = field(repr=False)
    """Fingerprints of the idempotency keys."""
    in_line: "array[int]" = field(repr=False)
    """Fingerprints of the ordering keys, 0 for none; nothing at all where no message has one."""
    unlike: bool
    """Whether no two idempotency keys are the same."""
    traceparent: str = ""

    def __len__(self) -> int:
        return len(self.values)

    def but(self, left_out: Set[int]) -> "Lot":
        """The same without the messages of those places."""
        left = [place for place in range(len(self)) if place not in left_out]
        in_line = array("q", [self.in_line[place] for place in left]) if self.in_line else self.in_line
        known_by = array("q", [self.known_by[place] for place in left])
        return replace(self, values=tuple(self.values[place] for place in left), known_by=known_by, in_line=in_line)

    def keys(self) -> Iterator[str]:
        """The idempotency keys."""
        for value in self.values:
            yield value[2 * LENGTH : 2 * LENGTH + int(value[:LENGTH])].decode()

    def arrivals(self) -> list[Arrival]:
        """The messages one by one."""
        found = []
        for value in self.values:
            line = 2 * LENGTH + int(value[:LENGTH])
            body = line + int(value[LENGTH : 2 * LENGTH])
            key, ordering = value[2 * LENGTH : line].decode(), value[line:body].decode()
            found.append(
                Arrival(
                    self.operation,
                    value[body:],
                    key,
                    ordering,
                    self.producer,
                    self.officer,
                    self.call_id,
                    self.not_before,
                    self.expires,
                    self.window,
                    self.traceparent,
                )
            )
        return found


@dataclass(slots=True)
class Judged:
    """What became of one part of a hand-over. Not frozen, as lots are not."""

    messages: int
    """How many there were."""
    lots: tuple[Lot, ...]
    """What may be kept, in order."""
    refused: tuple[tuple[int, Fault], ...] = ()
    """The place within the part, and why."""

    def places(self) -> Iterator[Sequence[int]]:
        """For each lot the places of its messages within the part."""
        refused = {place for place, _ in self.refused}
        left: Sequence[int] = range(self.messages)
        if refused:
            left = [place for place in left if place not in refused]
        first = 0
        for lot in self.lots:
            yield left[first : first + len(lot)]
            first += len(lot)


@dataclass(slots=True)
class Kept:
    """What became of a lot. Not frozen, as lots are not."""

    ids: list[str]
    """Of each message its id, or that of the message whose duplicate it is; empty where it was not kept."""
    duplicates: int = 0
    full: Sequence[tuple[int, FullError]] = ()
    """The place within the lot, and why it was not kept."""


def kept_of(found: Sequence[Accepted | FullError]) -> Kept:
    """The same, told one by one."""
    full = [(place, one) for place, one in enumerate(found) if isinstance(one, FullError)]
    duplicates = sum(isinstance(one, Accepted) and bool(one.duplicate_of) for one in found)
    return Kept([one.message_id if isinstance(one, Accepted) else "" for one in found], duplicates, full)


def packed(key: str, line: str, body: bytes) -> bytes:
    """A message as the value of a lot."""
    if line:
        known_by, in_line = key.encode(), line.encode()
        return b"%08d%08d%b%b%b" % (len(known_by), len(in_line), known_by, in_line, body)
    known_by = key.encode()
    return b"%08d00000000%b%b" % (len(known_by), known_by, body)
