"""Lines as Envoy writes them to its log, and an estate on a log and an admin page that a test writes."""

import json
from datetime import UTC, date, datetime
from typing import Any

from adapters.kit.serving import installed_contracts
from hub.estate.calls import Call, Reading
from metip.contracts import DeliveryClass

CONTRACTS = installed_contracts(date.min)
HUB = "spiffe://metip.local/hub"
CONSUMER = "spiffe://metip.local/consumer/tablet"
QUERY = next(
    one
    for one in CONTRACTS.operations.values()
    if one.delivery_class is DeliveryClass.READ and one.comparable and CONTRACTS.serving(one.name)
)
"""A query that another system answers too, and that may be compared."""
OWNER = CONTRACTS.interface(QUERY.interface).system
OTHER = CONTRACTS.serving(QUERY.name)[0]
SUBSCRIPTION = CONTRACTS.subscriptions[0]
NOW = 1_800_000_000.0
READING = Reading(CONTRACTS, HUB)


def line(operation: str = QUERY.name, *, at: float = NOW, ms: int = 0, status: int = 0, **more: Any) -> str:
    """A line of a call that an adapter answered, or as `more` says otherwise."""
    said = {
        "kind": "call",
        "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "call_id": "c1",
        "consumer": CONSUMER,
        "path": f"/{operation}",
        "grpc_status": status,
        "http_status": 200,
        "flags": "-",
        "details": "via_upstream",
        "ms": ms,
        "attempts": 1,
        "cluster": operation.partition("/")[0],
        "upstream": "/run/one-0.sock",
        "upstream_sent": 90,
    }
    return json.dumps({key: value for key, value in (said | more).items() if value is not None})


def call(operation: str = QUERY.name, **more: Any) -> Call:
    """The call that such a line tells of."""
    (found,) = READING.calls([line(operation, **more)])
    return found
