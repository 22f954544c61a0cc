"""Records of the exchange to messages of the log and back; pure.

A field has one name on both sides, so that a record's own fields say what is copied. An enum travels by its value, a set in order.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from hub.exchange.life import Event, State
from hub.exchange.records import Arrival, Cause, Filter, Settlement
from metip.contracts import Start, Subscription
from metip.exchange.v1 import log_pb2 as log

M = TypeVar("M", bound=Message)
VERSION: Final = 3
"""Of the rules by which entries are carried out: raise it with any change of what a command does to a store."""


def packed(into: type[M], record: Any) -> M:
    """A record as a message of the log. Raises `ValueError` or `TypeError` for what the log can't hold."""
    return into(**{field.name: _plain(getattr(record, field.name)) for field in fields(record)})


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(_plain(one) for one in value)
    return value


def _unpacked(message: Message, record: type[Any], **made: Callable[[Any], Any]) -> Any:
    return record(
        **{field.name: made.get(field.name, _same)(getattr(message, field.name)) for field in fields(record) if _has(message, field.name)}
    )


def _has(message: Message, name: str) -> bool:
    return name in message.DESCRIPTOR.fields_by_name


def _same(value: Any) -> Any:
    return value


def arrival(message: log.LogArrival) -> Arrival:
    """A message as a producer handed it over."""
    found: Arrival = _unpacked(message, Arrival)
    return found


def settlement(message: log.LogSettlement) -> Settlement:
    """How an attempt ended."""
    found: Settlement = _unpacked(message, Settlement, event=Event)
    return found


def subscription(message: log.LogSubscription) -> Subscription:
    """A subscription as its contract has it."""
    found: Subscription = _unpacked(message, Subscription, start=Start)
    return found


def cause(message: log.LogNote) -> Cause:
    """Why the deliveries of a group wait."""
    found: Cause = _unpacked(message, Cause, state=State)
    return found


def filtered(message: log.LogFilter) -> Filter:
    """What finds deliveries."""
    return Filter(
        message.subscription,
        message.operation,
        frozenset(State(one) for one in message.states),
        message.key,
        message.reason,
        message.accepted_from,
        message.accepted_before,
        tuple(message.message_ids),
    )


def retention(message: log.LogRetain) -> Mapping[str, float]:
    """Seconds by operation, in order."""
    return {one.operation: one.retention for one in message.retention}
