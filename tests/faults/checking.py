"""What must hold after a fault run, by number: judged from what was acknowledged, the far system's ledger and the accounts, and no code.

The law: evidence comes from outside whatever was killed. The client's own list says what was acknowledged; the subscribers' ledger says
what had an effect; the exchange is only believed where it is compared with one of these.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

PROBE, ONCE = "PublishProbe", "PublishOnce"
POISON = "poison"
"""Probes whose id begins so are refused by the far system, for good: each must end as parked."""
OPEN = frozenset({"PENDING", "ATTEMPT"})
MEBIBYTE = 1024.0
SHOWN = 5


@dataclass(frozen=True)
class Sent:
    """A probe as its producer made it."""

    operation: str
    line: str
    place: int


@dataclass(frozen=True)
class Effect:
    """One line of the far system's ledger."""

    operation: str
    probe: str
    line: str
    place: int
    message_id: str
    again: bool
    """Whether the exchange said that this may be a repetition."""

    @classmethod
    def read(cls, row: tuple[str, ...]) -> "Effect":
        """From the columns that a subscriber writes."""
        return cls(row[0], row[1], row[2], int(row[3]), row[4], row[6] == "again")


@dataclass(frozen=True)
class Sample:
    """The accounts of one operation's subscription at one instant, between two looks at the client's own list."""

    operation: str
    acknowledged_before: int
    counts: Mapping[str, int]
    sent_after: int

    @property
    def adds_up(self) -> bool:
        """Whether all that was acknowledged is accounted for, and nothing that nobody sent."""
        return self.acknowledged_before <= sum(self.counts.values()) <= self.sent_after


@dataclass
class Evidence:
    """All that a run leaves behind."""

    seed: int
    sent: Mapping[str, Sent]
    """By probe id; a producer sends a probe again until it is acknowledged."""
    acknowledged: Mapping[str, str]
    """Message id by probe id."""
    effects: Sequence[Effect]
    states: Mapping[str, str]
    """State of the delivery by message id, as the exchange says at the end; without those that it does not know."""
    samples: Sequence[Sample] = ()
    last: Sequence[Sample] = ()
    """The accounts once quiet, before and after one more start."""
    contradictions: Sequence[str] = ()
    """Probes that were acknowledged under two names."""
    peak_memory: float = 0.0
    """The hub's largest resident set, in KiB."""
    memory_bound: float = 400 * MEBIBYTE
    recovered_after: float | None = 0.0
    """Seconds from the last fault until as much was acknowledged as before the first; None when that never came."""
    faults: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One invariant and whether it held."""

    number: str
    holds: bool
    words: str
    ran: bool = True
    """False when this machine can't do it: neither held nor broken."""

    @property
    def verdict(self) -> str:
        """In one word, or two."""
        return "NOT RUN" if not self.ran else "holds" if self.holds else "BROKEN"


def check(found: Evidence) -> list[Finding]:
    """Every invariant of a fault run, by number."""
    return [_kept(found), _effects(found), _accounts(found), _order(found), _claims(found), _memory(found), _recovery(found), _seed(found)]


def _kept(found: Evidence) -> Finding:
    """I1: nothing that was acknowledged is lost."""
    effects = {one.message_id for one in found.effects}
    aside = {message_id for message_id, state in found.states.items() if state in ("PARKED", "IN_DOUBT")}
    unknown = [probe for probe, message_id in found.acknowledged.items() if message_id not in found.states]
    parked = [probe for probe, message_id in found.acknowledged.items() if found.states.get(message_id) == "PARKED"]
    doubted = [probe for probe, message_id in found.acknowledged.items() if found.states.get(message_id) == "IN_DOUBT"]
    lost = [probe for probe, message_id in found.acknowledged.items() if message_id not in effects and message_id not in aside]
    wrongly = [probe for probe in parked if not probe.startswith(POISON)]
    delivered = sum(message_id in effects for message_id in found.acknowledged.values())
    unheard = len(found.sent) - len(found.acknowledged)
    words = (
        f"acknowledged {len(found.acknowledged)}, delivered {delivered}, parked as they should be {len(parked) - len(wrongly)},"
        f" in doubt {len(doubted)}, lost {len(lost)}"
    )
    words += _some("the exchange does not know", unknown) + _some("lost", lost) + _some("parked without cause", wrongly)
    words += f"; never acknowledged {unheard}" if unheard else ""
    return Finding("I1", not (lost or unknown or wrongly or unheard), words)


def _effects(found: Evidence) -> Finding:
    """I2: one effect for what may be repeated, each repetition said to be one; at most one for what may not."""
    rows: dict[str, list[Effect]] = {}
    for one in found.effects:
        rows.setdefault(one.probe, []).append(one)
    names = {probe: {one.message_id for one in many} | {found.acknowledged.get(probe, "")} - {""} for probe, many in rows.items()}
    twice = [probe for probe, known in names.items() if len(known) > 1] + list(found.contradictions)
    unsaid = [probe for probe, many in rows.items() if sum(not one.again for one in many) > 1]
    repeated = [probe for probe, many in rows.items() if many[0].operation == ONCE and len(many) > 1]
    again = sum(len(many) - 1 for many in rows.values() if many[0].operation == PROBE)
    once = [many for many in rows.values() if many[0].operation == ONCE]
    unknown = [probe for probe in rows if probe not in found.sent]
    words = f"duplicates seen by an idempotent far system {len(unsaid) + len(twice)} ({again} repetitions, each said to be one)"
    words += f"; write-once: effects {len(once)}, more than one {len(repeated)}"
    words += _some("accepted twice", twice) + _some("repeated and not said to be", unsaid) + _some("write-once repeated", repeated)
    words += _some("sent by nobody", unknown)
    return Finding("I2", not (twice or unsaid or repeated or unknown), words)


def _accounts(found: Evidence) -> Finding:
    """I3: the accounts add up at every instant, and at the end to the last message."""
    wrong = [one for one in found.samples if not one.adds_up]
    acknowledged = Counter(found.sent[probe].operation for probe in found.acknowledged)
    off = [one for one in found.last if sum(one.counts.values()) != acknowledged[one.operation]]
    still = sum(one.counts.get(state, 0) for one in found.last for state in OPEN)
    last = {one.operation: dict(one.counts) for one in found.last}
    words = f"accounts add up at {len(found.samples) - len(wrong)} of {len(found.samples)} instants; once quiet: {last}"
    words += _some("wrong", [str(one) for one in wrong]) + _some("wrong at the end", [str(one) for one in off])
    words += f"; still moving {still}" if still else ""
    return Finding("I3", not wrong and not off and not still and bool(found.last), words)


def _order(found: Evidence) -> Finding:
    """I4: of each line first effects come in the order of acceptance; a write-once doubt lets others pass, so it is left out."""
    lines: dict[tuple[str, str], list[int]] = {}
    seen: set[str] = set()
    for one in found.effects:
        doubted = one.operation == ONCE and found.states.get(one.message_id) == "IN_DOUBT"
        if one.line and one.probe not in seen and not doubted:
            lines.setdefault((one.operation, one.line), []).append(one.place)
        seen.add(one.probe)
    wrong = [f"{line}: {_first_fall(places)}" for (_, line), places in lines.items() if _first_fall(places)]
    words = f"{len(lines)} lines with {sum(map(len, lines.values()))} first effects, out of order {len(wrong)}"
    return Finding("I4", not wrong, words + _some("out of order", wrong))


def _claims(found: Evidence) -> Finding:
    """I6: nothing is said to be done that was not."""
    effects = {one.message_id for one in found.effects}
    claimed = [message_id for message_id, state in found.states.items() if state in ("PROCESSED", "DELIVERED")]
    false = [message_id for message_id in claimed if message_id not in effects]
    return Finding("I6", not false, f"said to be done {len(claimed)}, without an effect {len(false)}" + _some("without", false))


def _memory(found: Evidence) -> Finding:
    """I10: the hub's memory is bounded."""
    peak, bound = found.peak_memory / MEBIBYTE, found.memory_bound / MEBIBYTE
    return Finding("I10", 0 < peak <= bound, f"the hub's largest resident set was {peak:.0f} MiB, {bound:.0f} allowed")


def _recovery(found: Evidence) -> Finding:
    """I11: what was lost in speed is back within 30 s, by itself."""
    after = found.recovered_after
    said = "never" if after is None else f"{after:.1f} s after the last fault"
    return Finding("I11", after is not None and after <= 30, f"95% of the rate before the first fault again {said}, 30 allowed")


def _seed(found: Evidence) -> Finding:
    """I13: the run can be made again."""
    did = ", ".join(f"{name} {number}" for name, number in sorted(found.faults.items()))
    return Finding("I13", True, f"seed {found.seed}; {did}")


def _first_fall(places: Sequence[int]) -> str:
    return next((f"{later} after {earlier}" for earlier, later in pairwise(places) if later <= earlier), "")


def _some(what: str, which: Iterable[str]) -> str:
    found = list(which)
    return f"; {what} {len(found)}: {', '.join(found[:SHOWN])}" if found else ""
