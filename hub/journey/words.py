"""A journey's sentences: plain English, without anything personal."""

from typing import Final

from hub.journey.evidence import Reach, Source
from hub.journey.steps import State
from metip.journal.records import DUPLICATE

OK: Final = "OK"
ANSWERS: Final = frozenset({OK, DUPLICATE, "NO_TRACE", "NOT_FOUND"})
"""Outcomes that are answers."""
FAILURES: Final = frozenset(
    [
        "UPSTREAM_UNAVAILABLE",
        "UPSTREAM_FAULT",
        "TIMED_OUT",
        "IN_DOUBT",
        "CIRCUIT_OPEN",
        "BUSY",
        "STOPPING",
        "JOURNAL",
        "NOT_KEPT",
        "INTERNAL",
        "CANCELLED",
        "UNAVAILABLE",
        "DEADLINE_EXCEEDED",
        "UNKNOWN",
        "DATA_LOSS",
        "ABORTED",
        "RESOURCE_EXHAUSTED",
        "UNIMPLEMENTED",
    ]
)
NOT_ASKED: Final = frozenset(
    [
        "MALFORMED",
        "INVALID_REQUEST",
        "TOO_LARGE",
        "CONSUMER_UNKNOWN",
        "OFFICER_NEEDED",
        "PURPOSE_NOT_PERMITTED",
        "JUSTIFICATION_NEEDED",
        "BUSY",
        "CIRCUIT_OPEN",
        "STOPPING",
        "JOURNAL",
        "FENCED",
        "INTERNAL",
        "CANCELLED",
    ]
)
"""Reasons for which an adapter asks its far system nothing, or nobody knows whether it did."""
SOURCES: Final = {
    Source.LEDGER: "the ledger",
    Source.EXCHANGE: "the exchange",
    Source.ENVOY: "Envoy's log",
    Source.ADAPTER_LOG: "the adapters' logs",
}


def state_of(outcome: str) -> State:
    """How a step ended that ended so."""
    if outcome in ANSWERS:
        return State.DONE
    return State.FAILED if outcome in FAILURES else State.REFUSED


def short(operation: str) -> str:
    """An operation, or an action, as people call it: `VehicleService/GetVehicle`."""
    return operation.rpartition(".")[2] if "/" in operation else operation


def workload(identity: str) -> str:
    """A workload by the path of its SPIFFE ID: `consumer/tablet`."""
    if not identity:
        return "somebody without an identity"
    return identity.removeprefix("spiffe://").partition("/")[2] if identity.startswith("spiffe://") else identity


def took(ms: float | None) -> str:
    """How long it took, as the end of a sentence; nothing where nobody knows."""
    if ms is None:
        return ""
    if ms >= 10_000:
        return f" in {ms / 1000:.0f} s"
    return f" in {ms:.0f} ms" if ms >= 10 else f" in {ms:.1f} ms"


def ended(outcome: str) -> str:
    """How something ended, as a verb."""
    if outcome == OK:
        return "answered"
    if outcome in ("NO_TRACE", "NOT_FOUND"):
        return "answered that it knows nothing by that description"
    return f"ended with {outcome}" if outcome in FAILURES else f"refused with {outcome}"


def missing(what: str, reach: Reach | None, source: Source, at: float, *, late: bool, soon: str) -> str:
    """Why something that should be there is not. `late` says whether its source has had time enough to have it."""
    name = SOURCES[source]
    if reach is None or reach.problem:
        why = f"{name} {'is ' if reach is None else ''}{reach.problem if reach is not None else 'not kept here'}"
    elif at and at < reach.since:
        why = f"{name} does not reach back that far any more"
    elif not late:
        why = soon
    else:
        why = f"{name} has nothing of it"
    return f"{what} is missing: {why}."
