"""Lots for the tests of stores: what acceptance makes of a bulk hand-over, of messages that a test made."""

from array import array
from collections.abc import Sequence

from hub.exchange.keys import fingerprints
from hub.exchange.lots import Lot, packed
from hub.exchange.records import Arrival


def lot_of(arrivals: Sequence[Arrival]) -> Lot:
    """Messages that differ in nothing but keys and bytes, as a lot."""
    one = arrivals[0]
    keys, lines = [arrival.idempotency_key for arrival in arrivals], [arrival.ordering_key for arrival in arrivals]
    return Lot(
        one.operation,
        one.producer,
        one.officer,
        one.call_id,
        one.not_before,
        one.expires,
        one.window,
        tuple(packed(arrival.idempotency_key, arrival.ordering_key, arrival.body) for arrival in arrivals),
        array("q", fingerprints(one.operation, keys)),
        array("q", fingerprints(one.operation, lines)) if any(lines) else array("q"),
        len(set(keys)) == len(keys),
    )
