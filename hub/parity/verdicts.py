"""Counts to verdicts: which fields differ more than noise, by how much, and how many pairs differ in anything that nobody accepted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.parity.acceptances import Acceptance
from hub.parity.differences import MIRROR, Kind
from hub.parity.evidence import Evidence, FieldVerdict, Finding
from hub.parity.hints import OPPOSITE
from hub.parity.noise import FEWEST, Sightings, is_proved, needed, one_sided, probability, wilson
from hub.parity.tallying import AGAIN, COMPARED, ERRORS, MIXED, NOISE, PATTERN, SIGNAL, Book, Seen, Signal, Tally, quantile

RANK: Final = {Finding.FINDING: 0, Finding.UNPROVED: 1, Finding.ACCEPTED: 2, Finding.NOISE: 3}
"""Findings, the gravest first: a field has that of its gravest difference."""
LOSSES: Final = frozenset((Kind.MISSING.value, Kind.LOST_RECORD.value, Kind.DUPLICATE_RECORD.value))
"""Kinds that a later question does not bring about by itself, as it brings about a value or a record more."""
MOST_HINTS: Final = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """One operation."""

    operation: str
    compared: int
    differing: int
    again: int
    fields: tuple[FieldVerdict, ...]
    signals: Mapping[Signal, Finding]


def judge(book: Book, tally: Tally, accepted: Sequence[Acceptance] = ()) -> Judged:
    """What is said of an operation by what was counted of it."""
    groups: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for signal, seen in list(book.signals.items()):
        if signal.hint:
            groups[signal.path, signal.kind].append(seen)
    findings: dict[Signal, Finding] = {}
    odds: dict[str, float] = {}
    for (path, kind), group in groups.items():
        whole = _sightings(tally, book.seen(Signal(path, kind)).number)
        if not whole.differing and not whole.noisy:
            continue
        found = _judge_group(book, tally, whole, group)
        findings |= {signal: _accepted(book, signal, one, accepted) for signal, one in found.items()}
        odds[path] = min(odds.get(path, 1.0), *(_odds(book, tally, seen) for seen in group), probability(whole))
    fields = tuple(_verdict(book, tally, path, findings, odds[path], accepted) for path in odds)
    return Judged(
        book.operation,
        tally[COMPARED, 0],
        tally[MIXED, 0] + _differing(book, tally, findings),
        tally[AGAIN, 0],
        tuple(sorted(fields, key=lambda one: (RANK[one.finding], -one.rate, one.field))),
        findings,
    )


def evidence(interface: str, since: float, judged: Sequence[Judged], tallies: Iterable[Tally]) -> Evidence:
    """All operations of an interface together."""
    compared, differing = sum(one.compared for one in judged), sum(one.differing for one in judged)
    fields = sorted((field for one in judged for field in one.fields), key=lambda one: (RANK[one.finding], -one.rate, one.field))
    together: Tally = Tally()
    for tally in tallies:
        together.update(tally)
    return Evidence(
        interface=interface,
        since=since,
        compared=compared,
        differing=differing,
        parity=1 - differing / compared if compared else 0.0,
        lower=wilson(compared - differing, compared)[0],
        fields=tuple(fields),
        primary_errors=together[ERRORS["primary"], 0],
        shadow_errors=together[ERRORS["shadow"], 0],
        primary_p99_ms=quantile(together, "primary", 0.99),
        shadow_p99_ms=quantile(together, "shadow", 0.99),
    )


def _sightings(tally: Tally, number: int) -> Sightings:
    return Sightings(tally[SIGNAL, number], tally[COMPARED, 0], tally[NOISE, number], tally[AGAIN, 0])


def _reverse(book: Book, tally: Tally, signal: Signal) -> int | None:
    """Sightings of the same damage in the other direction; None for what has no direction, or one that time explains."""
    if signal.hint in OPPOSITE:
        other = book.signals.get(signal._replace(hint=OPPOSITE[signal.hint]))
    elif signal.kind in LOSSES:
        other = book.signals.get(Signal(signal.path, MIRROR[Kind(signal.kind)].value))
    else:
        return None
    return tally[SIGNAL, other.number] if other is not None else 0


def _odds(book: Book, tally: Tally, seen: Seen) -> float:
    """Probability that noise alone would show as much of a signal."""
    counted = _sightings(tally, seen.number)
    found = probability(counted)
    reverse = _reverse(book, tally, seen.signal)
    return found if reverse is None or counted.noisy else min(found, one_sided(counted.differing, reverse))


def _judge_group(book: Book, tally: Tally, whole: Sightings, group: list[Seen]) -> dict[Signal, Finding]:
    """Each signal of one kind in one field, first by itself, then all together; what is not proved is noise where the kind is."""
    proved = {one.signal for one in group if is_proved(_sightings(tally, one.number), _reverse(book, tally, one.signal))}
    if not proved and is_proved(whole):
        counts = {one.signal: _sightings(tally, one.number) for one in group}
        proved = {signal for signal, one in counts.items() if one.differing * (one.again or 1) > one.noisy * one.compared}
    rest = Finding.NOISE if whole.noisy else Finding.UNPROVED
    return {one.signal: Finding.FINDING if one.signal in proved else rest for one in group if tally[SIGNAL, one.number] or whole.noisy}


def _accepted(book: Book, signal: Signal, found: Finding, accepted: Sequence[Acceptance]) -> Finding:
    counts = found in (Finding.FINDING, Finding.UNPROVED)
    return Finding.ACCEPTED if counts and any(one.covers(book.operation, signal) for one in accepted) else found


def _differing(book: Book, tally: Tally, findings: Mapping[Signal, Finding]) -> int:
    """Pairs that differ in anything but noise and what was accepted."""
    harmless = (Finding.NOISE, Finding.ACCEPTED)
    fields: dict[str, bool] = {}
    for signal, one in findings.items():
        fields[signal.path] = fields.get(signal.path, True) and one in harmless
    names = {seen.number: signal for signal, seen in book.signals.items()}

    def counts(number: int) -> bool:
        signal = names[number]
        return not fields.get(signal.path, True) if not signal.kind else findings.get(signal, Finding.UNPROVED) not in harmless

    relevant = {number for number in names if counts(number)}
    patterns = {number: pattern for pattern, number in book.patterns.items()}
    return sum(
        count
        for (counter, number), count in tally.items()
        if counter == PATTERN and number in patterns and not relevant.isdisjoint(patterns[number])
    )


def _verdict(
    book: Book, tally: Tally, path: str, findings: Mapping[Signal, Finding], odds: float, accepted: Sequence[Acceptance]
) -> FieldVerdict:
    own = {signal: one for signal, one in findings.items() if signal.path == path}
    counted = _sightings(tally, book.seen(Signal(path)).number)
    gravest = min(own.values(), key=RANK.__getitem__, default=Finding.NOISE)
    lower, upper = wilson(counted.differing, counted.compared)
    telling = [signal for signal, one in own.items() if one is gravest]
    seen = [book.signals[signal] for signal in own if tally[SIGNAL, book.signals[signal].number]]
    kinds = {
        kind.value: tally[SIGNAL, book.signals[Signal(path, kind.value)].number]
        for kind in Kind
        if Signal(path, kind.value) in book.signals
    }
    because = next((one.because for one in accepted if any(one.covers(book.operation, signal) for signal in own)), "")
    return FieldVerdict(
        operation=book.operation,
        field=path,
        finding=gravest,
        kinds={kind: count for kind, count in kinds.items() if count},
        compared=counted.compared,
        differing=counted.differing,
        rate=counted.differing / counted.compared if counted.compared else 0.0,
        lower=lower,
        upper=upper,
        noise_compared=counted.again,
        noise_differing=counted.noisy,
        noise_rate=counted.noisy / counted.again if counted.again else 0.0,
        confidence=1 - odds,
        first_seen=min((one.first for one in seen), default=0.0),
        last_seen=max((one.last for one in seen), default=0.0),
        hints=tuple(_hints(book, tally, telling)),
        because=because if gravest is Finding.ACCEPTED else "",
    )


def _hints(book: Book, tally: Tally, signals: Sequence[Signal]) -> Iterable[str]:
    """Guesses at the cause, the most frequent first, with the one detail that most of them share."""
    ordered = sorted((one for one in signals if one.hint != one.kind.lower()), key=lambda one: -tally[SIGNAL, book.signals[one].number])
    for signal in ordered[:MOST_HINTS]:
        details = book.signals[signal].details.most_common(1)
        usual = details and details[0][1] * 2 > sum(book.signals[signal].details.values())
        yield f"{signal.hint} {details[0][0]}".strip() if usual else signal.hint


def more_needed(verdict: FieldVerdict) -> int:
    """Second answers of the primary that would prove what is unproved; 0 where nothing is, or where it was seen too rarely to say."""
    if verdict.finding is not Finding.UNPROVED or verdict.differing < FEWEST:
        return 0
    seen = Sightings(verdict.differing, verdict.compared, verdict.noise_differing, verdict.noise_compared)
    return max(needed(seen) - verdict.noise_compared, 0)
