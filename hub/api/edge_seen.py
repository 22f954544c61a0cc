"""A line of the edge's log as the ledger reads it."""

from typing import Final

from hub.ledger.edge import Seen
from hub.mesh.edge_causes import reason_of
from hub.mesh.edge_log import Reached, read_line

OK: Final = 0


def seen(text: str, *, hub: str = "") -> Seen | None:
    """What a line says; None for a call that an adapter ended otherwise than with OK, since the adapter's own journal tells of it. `hub`
    is the identity under which messages are handed to subscribers. Raises ValueError for what is no line."""
    line = read_line(text)
    if line.reached is Reached.ANSWERED:
        answered = line.grpc_status == OK
        delivery = bool(hub) and line.consumer == hub
        return Seen(True, "", line.call_id, line.consumer, line.path, line.at, delivery) if answered else None
    if line.reached is Reached.SENT:
        return None
    return Seen(False, reason_of(line), line.call_id, line.consumer, line.path, line.at)
