"""The ledger's values in the words of its contract. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hub.ledger.cosigning import Witnessed
from hub.ledger.edge import Counts
from hub.ledger.exporting import Bundle
from hub.ledger.gathering import JournalState
from hub.ledger.reporting import Use
from hub.ledger.retention import Erasure
from metip.ledger.v1 import ledger_service_pb2 as api


def journal(one: JournalState) -> api.JournalStatus:
    """How far a journal is gathered."""
    found = api.JournalStatus(name=one.name, position=one.position, lag_seconds=one.lag)
    if one.gap is not None:
        found.gap, found.gap_position = one.gap.trouble.value, one.gap.position
        found.gap_since.FromDatetime(datetime.fromtimestamp(one.gap_since, UTC))
    if one.last_record:
        found.last_record.FromDatetime(datetime.fromtimestamp(one.last_record, UTC))
    return found


def reconciliation(counts: Counts, missing: Sequence[tuple[str, float, str]]) -> api.Reconciliation:
    """How the ledger agrees with what Envoy saw."""
    found = api.Reconciliation(
        answered=counts.answered, recorded=counts.recorded, missing=counts.missing, waiting=counts.waiting, refused=counts.refused
    )
    for call_id, at, operation in missing:
        found.missing_calls.add(call_id=call_id, operation=operation).at.FromDatetime(datetime.fromtimestamp(at, UTC))
    return found


def witness(one: Witnessed) -> api.WitnessStatus:
    """How far the witness is."""
    return api.WitnessStatus(size=one.cosigned, lag_seconds=one.lag, problem=one.problem, healthy=one.healthy)


def use(one: Use) -> api.Use:
    """A count."""
    found = api.Use(operation=one.operation, consumer=one.consumer, outcome=one.outcome, records=one.records, disclosed=one.disclosed)
    found.verb, found.purpose = one.verb, one.purpose  # type: ignore[assignment]  # as the records have them
    return found


def seal(one: Bundle, verifier_keys: Sequence[str], made: datetime) -> api.Seal:
    """What a bundle's leaves are proved against."""
    found = api.Seal(checkpoint=one.checkpoint, cosigned=one.cosigned, verifier_keys=verifier_keys)
    found.made.FromDatetime(made)
    return found


def erasure(one: Erasure) -> api.Erasure:
    """What is erased of one interface and month."""
    return api.Erasure(interface=one.interface, month=one.month, keys=one.keys, records=one.records, tokens=one.tokens)
