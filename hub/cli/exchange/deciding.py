"""`metip messages park`, `release`, `purge` and `settle`: a person moves deliveries, after seeing which, and says why."""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.asking import Caller, access, asked, caller_options, reason_option
from hub.cli.exchange.filters import Wanted, filter_of, filter_options, pages, state_of
from hub.cli.exchange.moments import age
from hub.cli.exchange.names import shortened
from hub.cli.options import F, Problem
from hub.cli.printing import OK, WARNED, aligned, count, mark
from hub.exchange.life import NEXT, Event, State

AT_ONCE: Final = 1000
"""Deliveries of one request: all of them are moved or none."""


@dataclass(frozen=True)
class Verb:
    """One decision as commands speak of it."""

    name: str
    done: str
    """What is said of what was moved."""
    decision: str
    """The contract's word for it."""
    states: tuple[State, ...]
    """States that it moves."""


def _from(event: Event) -> tuple[State, ...]:
    return tuple(state for state in State if (state, event) in NEXT)


PARK: Final = Verb("park", "parked", "DECISION_PARK", _from(Event.PARK))
RELEASE: Final = Verb("release", "released", "DECISION_RELEASE", _from(Event.RELEASE))
PURGE: Final = Verb("purge", "purged", "DECISION_PURGE", _from(Event.PURGE))
SETTLED_DONE: Final = Verb("settle as done", "settled as done", "DECISION_DONE", (State.IN_DOUBT,))
SETTLED_NOT_DONE: Final = Verb("settle as not done", "settled as not done", "DECISION_NOT_DONE", (State.IN_DOUBT,))


def yes_option(command: F) -> F:
    """Adds `--yes`."""
    return click.option("--yes", "-y", is_flag=True, help="Do it without asking.")(command)


def _decision(command: F) -> F:
    """Ids or a filter, a reason, `--yes`, and the caller."""
    found: Any = command
    for option in (caller_options, yes_option, reason_option, filter_options(ids="", cause=("--cause",))):
        found = option(found)
    typed: F = found
    return typed


ENDING: Final = (
    "Shows what it would do and asks, unless --yes is given. --reason is yours and is kept; --cause finds deliveries by the reason of "
    "their last attempt. All of a thousand are moved or none. Ends with status 1 when nothing can be moved, or you say no."
)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip messages park 0197c5a0-0000-8000-8000-00000000002a --reason 'Wrong address, CHG-17'\n"
    f"  metip messages park --subscription PublishExample --since 1h --reason 'CHG-17' --yes\n\n{ENDING}",
)
@_decision
def park(caller: Caller, wanted: Wanted, reason: str, yes: bool) -> None:
    """Hold back deliveries that are pending, until they are released.

    Later messages of the same ordering key wait behind them, unless the subscription lets them pass. To hold back everything,
    `pause` is better.
    """
    _decide(PARK, caller, wanted, reason, yes)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip messages release 0197c5a0-0000-8000-8000-00000000002a --reason 'Corrected at the far end'\n"
    f"  metip messages release --state parked --cause TIMED_OUT --reason 'The far system is back' --yes\n\n{ENDING}",
)
@_decision
def release(caller: Caller, wanted: Wanted, reason: str, yes: bool) -> None:
    """Let deliveries that are parked, expired or in doubt be delivered again.

    One that is in doubt may have had its effect: look at the far system first, and `settle` it if it has.
    """
    _decide(RELEASE, caller, wanted, reason, yes)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip messages purge 0197c5a0-0000-8000-8000-00000000002a --reason 'Test data, INC-4711'\n"
    f"  metip messages purge --state expired --until 7d --reason 'Of no use any more' --yes\n\n{ENDING}",
)
@_decision
def purge(caller: Caller, wanted: Wanted, reason: str, yes: bool) -> None:
    """Take deliveries out for good, undelivered.

    What is purged stays visible until its retention ends; only a replay brings it back.
    """
    _decide(PURGE, caller, wanted, reason, yes)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip messages settle 0197c5a0-0000-8000-8000-00000000002a --done --reason 'Seen in the far system'\n"
    f"  metip messages settle --subscription PublishExample --not-done --reason 'The far system lost the hour' --yes\n\n{ENDING}",
)
@click.option("--done/--not-done", "done", default=None, help="Whether the far system has done it.")
@_decision
def settle(caller: Caller, wanted: Wanted, reason: str, yes: bool, done: bool | None) -> None:
    """Settle deliveries in doubt: the far system has done it, or has not.

    Done makes them processed. Not done makes them refused, for good: to have one delivered again, `release` it instead.
    """
    if done is None:
        raise click.UsageError("say which it is: --done or --not-done")
    _decide(SETTLED_DONE if done else SETTLED_NOT_DONE, caller, wanted, reason, yes)


def _decide(verb: Verb, caller: Caller, wanted: Wanted, reason: str, yes: bool) -> None:
    if wanted.empty:
        raise click.UsageError(f"say what to {verb.name}: ids, or a filter such as --state {verb.states[0].value}")
    chosen = tuple(state for state in verb.states if not wanted.states or state in wanted.states)
    if not chosen:
        raise click.UsageError(f"none of these states can be moved so: only what is {words_of(verb.states)} can")
    found = asked(caller, lambda exchange: _find(exchange, wanted, chosen, reason))
    movable = [one for one in found if state_of(one.state) in {state.value for state in chosen}]
    _tell_rest(verb, wanted, found, movable)
    confirm(f"would {verb.name}", movable, yes)
    moved = asked(caller, lambda exchange: _move(exchange, verb, movable, reason))
    if caller.as_json:
        printing.print_json({"decision": verb.decision.removeprefix("DECISION_").lower(), "matched": len(movable), "moved": moved})
    else:
        click.echo(f"{mark(OK)} {verb.done}: {count(moved, 'delivery', 'deliveries')}")


async def _find(exchange: Any, wanted: Wanted, chosen: tuple[State, ...], reason: str) -> list[Any]:
    """What can be moved; of named messages, and where there is nothing to move, also what can't, so that it can be said."""
    narrow = await filter_of(wanted if wanted.ids else wanted.of(chosen), exchange)
    found = [one async for page in pages(exchange, narrow, reason) for one in page]
    if found or wanted.ids or wanted.states:
        return found
    return [one async for page in pages(exchange, await filter_of(wanted, exchange), reason, limit=AT_ONCE) for one in page]


def _tell_rest(verb: Verb, wanted: Wanted, found: list[Any], movable: list[Any]) -> None:
    """Says what was named and is left. Raises `Problem` when nothing can be moved."""
    gone = sorted(set(wanted.ids) - {one.message_id for one in found})
    left = Counter(state_of(one.state) for one in found) - Counter(state_of(one.state) for one in movable)
    standing = ", ".join(f"{number} {state}" for state, number in sorted(left.items()))
    for one in gone:
        click.echo(f"{mark(WARNED)} {one}: no such delivery is kept", err=True)
    if movable:
        if left:
            click.echo(f"{mark(WARNED)} left as they are: {standing}", err=True)
        return
    if not found:
        raise Problem("no delivery matches, so nothing was done", "`metip messages list` shows what there is")
    raise Problem(
        f"nothing was done: none of the deliveries that match is {words_of(verb.states)}, but {standing}",
        "`metip messages show ID` says how one came there; docs/exchange.md what can follow",
    )


def words_of(states: Iterable[State]) -> str:
    """`parked, in_doubt or expired`."""
    *first, last = [state.value for state in states]
    return f"{', '.join(first)} or {last}" if first else last


def confirm(intention: str, found: list[Any], yes: bool) -> None:
    """Shows what would be done to which deliveries, and asks unless `yes`. Raises `Problem` when the answer is no."""
    for line in summary(intention, found, datetime.now(UTC)):
        click.echo(line, err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem("standard input is no terminal, so nobody can be asked; nothing was done", "repeat it with --yes")
    try:
        said = click.confirm("Do it?", err=True)
    except click.Abort:
        click.echo(err=True)
        raise Problem("nobody answered, so nothing was done", "repeat it with --yes") from None
    if not said:
        raise Problem("nothing was done")


def summary(intention: str, found: list[Any], now: datetime) -> list[str]:
    """What would be done, and to how many deliveries of which subscription in which state."""
    names = shortened(one.subscription for one in found)
    tally: dict[tuple[str, str], list[Any]] = {}
    for one in found:
        tally.setdefault((names[one.subscription], state_of(one.state)), []).append(one)
    rows = [(name, state, str(len(some)), f"oldest {age(some[0].accepted, now)} ago") for (name, state), some in sorted(tally.items())]
    return [f"{intention} {count(len(found), 'delivery', 'deliveries')}:", *aligned(rows, indent="  ")]


async def _move(exchange: Any, verb: Verb, found: list[Any], reason: str) -> int:
    import grpc

    from metip.exchange.v1 import exchange_service_pb2 as api

    moved = 0
    for start in range(0, len(found), AT_ONCE):
        names = [api.DeliveryName(message_id=one.message_id, subscription=one.subscription) for one in found[start : start + AT_ONCE]]
        request = api.DecideRequest(access=access(reason), decision=api.Decision.Value(verb.decision), deliveries=names)
        try:
            moved += (await exchange.ask("Decide", request)).moved
        except grpc.aio.AioRpcError:
            if moved:
                click.echo(f"{mark(WARNED)} {verb.done} before that: {count(moved, 'delivery', 'deliveries')}", err=True)
            raise
    return moved
