"""Which deliveries a command means: options that make a filter, and the deliveries that it finds, page by page."""

import functools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.exchange.moments import Moment
from hub.cli.exchange.names import MessageId, StateName, operation_named, subscription_named
from hub.cli.options import F
from hub.exchange.life import State

if TYPE_CHECKING:
    from hub.cli.exchange.asking import Exchange
    from metip.exchange.v1.message_pb2 import DeliveryFilter, DeliveryState

LARGEST_PAGE: Final = 1000
MOST_IDS: Final = 1000


@dataclass(frozen=True)
class Wanted:
    """What was typed."""

    subscription: str = ""
    operation: str = ""
    states: tuple[State, ...] = ()
    key: str = ""
    cause: str = ""
    since: datetime | None = None
    until: datetime | None = None
    ids: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it means everything."""
        return self == Wanted()

    def of(self, states: tuple[State, ...]) -> "Wanted":
        """The same, of other states."""
        return replace(self, states=states)


def filter_options(*, ids: str = "--id", cause: tuple[str, ...] = ("--cause", "--reason")) -> Callable[[F], F]:
    """Adds the options of a filter, and gives the command one `wanted`. `ids` is `--id`, or empty where ids are arguments.

    Where `--reason` is the person's own, only `--cause` is left for the delivery's.
    """

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def with_filter(*arguments: Any, **given: Any) -> Any:
            typed = {name: given.pop(name) for name in ("subscription", "operation", "states", "key", "cause", "since", "until", "ids")}
            return command(*arguments, wanted=_checked(Wanted(**typed)), **given)

        found: Any = with_filter
        for option in reversed((*_options(cause), _ids(ids))):
            found = option(found)
        typed: F = found
        return typed

    return decorate


def _options(cause: tuple[str, ...]) -> tuple[Callable[[Any], Any], ...]:
    moment = Moment()
    return (
        click.option("--subscription", default="", metavar="NAME", help="Of this subscription, system:operation or a part of it."),
        click.option("--operation", default="", metavar="NAME", help="Of messages of this operation."),
        click.option("--state", "states", type=StateName(), multiple=True, metavar="STATE", help="In this state; may be repeated."),
        click.option("--key", default="", metavar="KEY", help="Of this business key, in full: an ordering or idempotency key."),
        click.option(*cause, "cause", default="", metavar="CODE", help="Whose last attempt ended for this reason, such as TIMED_OUT."),
        click.option(
            "--since", type=moment, metavar="TIME", help="Accepted then or later: 2026-11-23T10:15 or 10:15 (UTC), or an age: 2h."
        ),
        click.option("--until", type=moment, metavar="TIME", help="Accepted before then."),
    )


def _ids(name: str) -> Callable[[Any], Any]:
    if name:
        return click.option(name, "ids", type=MessageId(), multiple=True, metavar="ID", help="Of this message; may be repeated.")
    return click.argument("ids", type=MessageId(), nargs=-1, metavar="[ID]...")


def _checked(wanted: Wanted) -> Wanted:
    if wanted.since and wanted.until and wanted.since >= wanted.until:
        raise click.UsageError(f"--since ({wanted.since:%Y-%m-%d %H:%M:%S}) is not before --until ({wanted.until:%Y-%m-%d %H:%M:%S})")
    if len(wanted.ids) > MOST_IDS:
        raise click.UsageError(f"{len(wanted.ids)} ids are too many; at most {MOST_IDS} at a time")
    return wanted


async def filter_of(wanted: Wanted, exchange: "Exchange") -> "DeliveryFilter":
    """The filter as the exchange takes it, short names in full. Raises `Problem` for a name that is not one."""
    from metip.exchange.v1.message_pb2 import DeliveryFilter

    found = DeliveryFilter(key=wanted.key, reason=wanted.cause, states=map(number_of, wanted.states), message_ids=dict.fromkeys(wanted.ids))
    if wanted.subscription or wanted.operation:
        names = [one.subscription for one in await exchange.subscriptions()]
        found.subscription = subscription_named(wanted.subscription, names) if wanted.subscription else ""
        found.operation = operation_named(wanted.operation, names) if wanted.operation else ""
    if wanted.since:
        found.accepted_from.FromDatetime(wanted.since)
    if wanted.until:
        found.accepted_before.FromDatetime(wanted.until)
    return found


def number_of(state: State) -> Any:
    """A state as the contract numbers it."""
    from metip.exchange.v1 import message_pb2

    return message_pb2.State.Value(f"STATE_{state.name}")


def state_of(number: int) -> str:
    """A state of the contract by the word that is typed and read; the bare number where this program does not know it."""
    from metip.exchange.v1 import message_pb2

    known = message_pb2.State.DESCRIPTOR.values_by_number.get(number)
    return known.name.removeprefix("STATE_").lower() if known else str(number)


async def pages(
    exchange: "Exchange", wanted: "DeliveryFilter", why: str, *, limit: int = 0, size: int = LARGEST_PAGE, keys: bool = False
) -> AsyncIterator[list["DeliveryState"]]:
    """What a filter finds, oldest first, a page at a time; at most `limit` of them, 0 for all; ordering keys only with `keys`."""
    from hub.cli.exchange.asking import access
    from metip.exchange.v1.exchange_service_pb2 import ListDeliveriesRequest

    request, left = ListDeliveriesRequest(access=access(why), filter=wanted, keys=keys), limit
    while True:
        request.page_size = min(size, left) if limit else size
        reply = await exchange.ask("ListDeliveries", request)
        yield list(reply.deliveries)
        left -= len(reply.deliveries)
        request.page_token = reply.next_page_token
        if not request.page_token or (limit and left <= 0):
            return
