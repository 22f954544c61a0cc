"""Figures of the comparator in the words of their contract."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from hub.parity import Evidence, FieldVerdict, Finding
from hub.parity.acceptances import Acceptance
from hub.parity.store import Example
from hub.parity.tallying import Signal
from hub.parity.verdicts import Judged, more_needed
from metip.parity.v1 import verdict_pb2 as words

FINDINGS: Final = {
    Finding.FINDING: words.FINDING_DIFFERENCE,
    Finding.UNPROVED: words.FINDING_UNPROVED,
    Finding.ACCEPTED: words.FINDING_ACCEPTED,
    Finding.NOISE: words.FINDING_NOISE,
}


def report(evidence: Evidence, judged: Sequence[Judged], made: datetime) -> words.Report:
    """A whole report."""
    found = words.Report(
        interface=evidence.interface,
        made=_stamp(made.timestamp()),
        compared=evidence.compared,
        differing=evidence.differing,
        parity=evidence.parity,
        parity_lower=evidence.lower,
        primary_errors=evidence.primary_errors,
        shadow_errors=evidence.shadow_errors,
        primary_p99_ms=evidence.primary_p99_ms,
        shadow_p99_ms=evidence.shadow_p99_ms,
        operations=[
            words.OperationVerdict(operation=one.operation, compared=one.compared, differing=one.differing, again=one.again)
            for one in judged
        ],
        fields=map(verdict, evidence.fields),
    )
    if evidence.since:
        found.since.CopyFrom(_stamp(evidence.since))
    return found


def verdict(one: FieldVerdict) -> words.FieldVerdict:
    """The verdict on a field."""
    return words.FieldVerdict(
        operation=one.operation,
        field=one.field,
        finding=FINDINGS[one.finding],
        kinds=one.kinds,
        compared=one.compared,
        differing=one.differing,
        rate_lower=one.lower,
        rate_upper=one.upper,
        noise_compared=one.noise_compared,
        noise_differing=one.noise_differing,
        confidence=one.confidence,
        first_seen=_stamp(one.first_seen),
        last_seen=_stamp(one.last_seen),
        hints=one.hints,
        because=one.because,
        needed=more_needed(one),
    )


def example(signal: Signal, one: Example) -> words.Example:
    """A masked example."""
    return words.Example(
        at=_stamp(one.at),
        call_id=one.call_id,
        origin=one.origin,
        kind=signal.kind,
        hint=signal.hint if signal.hint != signal.kind.lower() else "",
        detail=one.detail,
        primary=one.before,
        shadow=one.after,
    )


def day(start: int, differing: int, compared: int) -> words.Day:
    """One day's counts."""
    return words.Day(day=datetime.fromtimestamp(start, UTC).date().isoformat(), compared=compared, differing=differing)


def acceptance(one: Acceptance, *, in_force: bool) -> words.Acceptance:
    """What was accepted."""
    return words.Acceptance(
        number=one.number,
        operation=one.operation,
        field=one.field,
        looks=sorted(f"{kind} {hint}" if hint != kind.lower() else kind for kind, hint in one.looks),
        because=one.because,
        author=one.author,
        at=_stamp(one.at),
        until=_stamp(one.until) if one.until else None,
        withdrawn_at=_stamp(one.withdrawn_at) if one.withdrawn_at else None,
        withdrawn_by=one.withdrawn_by,
        withdrawn_because=one.withdrawn_because,
        in_force=in_force,
    )


def _stamp(seconds: float) -> Any:
    return Timestamp(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
