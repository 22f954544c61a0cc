"""Differences that somebody accepted: which, who, why, for how long."""

from dataclasses import dataclass

from hub.parity.tallying import Signal


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A difference that is an improvement, or does not matter. Instants in seconds since 1970, 0 for never.

    It covers the kinds and hints that were seen when it was made: the same field differing in another way is a finding again. Without any,
    it covers whatever differs in the field.
    """

    number: int
    operation: str
    field: str
    looks: frozenset[tuple[str, str]]
    """Kinds and hints."""
    because: str
    author: str
    at: float
    until: float = 0.0
    withdrawn_at: float = 0.0
    withdrawn_by: str = ""
    withdrawn_because: str = ""

    def covers(self, operation: str, signal: Signal) -> bool:
        """Whether it is about a difference of that look."""
        return self.operation == operation and self.field == signal.path and (not self.looks or (signal.kind, signal.hint) in self.looks)

    def holds(self, now: float) -> bool:
        """Whether it is in force."""
        return not self.withdrawn_at and (not self.until or now < self.until)
