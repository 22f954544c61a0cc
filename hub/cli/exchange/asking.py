"""Asks the exchange through the edge as `metip call` does: as the developer, with an officer's token; a refusal ends the command."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hub.cli.options import F, home_option, json_option

if TYPE_CHECKING:
    import grpc

    from hub.cli.client import Place
    from hub.cli.refusals import Refusal
    from hub.contracts import Contracts
    from metip.common.v1.access_pb2 import AccessContext

T = TypeVar("T")
SERVICE: Final = "metip.exchange.v1.ExchangeService"
DOMAIN: Final = "exchange.metip"
SHORTEST, LONGEST = 3, 250
"""Characters of a justification, by its contract."""
ADVICE: Final[tuple[tuple[str, str], ...]] = (
    # (words of the exchange, what its operator can do)
    ("there is no such message", "it was never accepted here, or its retention is over: `metip messages list` finds those that are kept"),
    ("there is no such plan", "plan again: metip messages replay … --reason …"),
    ("the plan has expired", "plan again: metip messages replay … --reason …"),
    ("a second person must approve it", "somebody else runs: metip messages approve PLAN --officer NUMBER --reason …"),
    ("approved by another person", "approve it as somebody else: --officer NUMBER"),
    ("can't be moved so", "it has moved on meanwhile: look again with `metip messages list`"),
    ("to officers with the role", "--role unmask, where the officer has it; without --unmask the message is shown masked"),
    ("may not publish that", "check the operation's name, and that access.yaml grants it to this consumer"),
)


@dataclass(frozen=True)
class Caller:
    """As whom a command asks, and how it prints."""

    home: Path
    as_json: bool
    officer: str = ""
    """Warrant number of a synthetic officer; empty for the one that calls of the command line usually have."""
    roles: tuple[str, ...] = ()
    """Roles of the officer beyond the usual ones."""


def caller_options(command: F) -> F:
    """Adds `--home`, `--json` and `--officer`, and gives the command one `caller`."""

    @functools.wraps(command)
    def with_caller(*arguments: Any, home: Path, as_json: bool, officer: str, **others: Any) -> Any:
        return command(*arguments, caller=Caller(home, as_json, officer), **others)

    officer = click.option("--officer", default="", metavar="NUMBER", help="Act as the synthetic officer of this warrant number.")
    found: Any = home_option(json_option(officer(with_caller)))
    typed: F = found
    return typed


class Words(click.ParamType[str]):
    """A written reason."""

    name = "words"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The reason without blanks around it."""
        text = str(value).strip()
        if not SHORTEST <= len(text) <= LONGEST:
            self.fail(f"a reason has {SHORTEST} to {LONGEST} characters, and this one has {len(text)}", param, ctx)
        return text


def reason_option(command: F) -> F:
    """Adds `--reason`: what a person decides is kept with it."""
    return click.option("--reason", type=Words(), required=True, metavar="WORDS", help="Why; it is kept with the decision.")(command)


def why_option(command: F) -> F:
    """Adds `--why`: a look at messages is recorded with a justification."""
    words = "Why you look; it is recorded."
    return click.option("--why", type=Words(), default="Looked at from the command line", metavar="WORDS", help=words)(command)


def access(reason: str) -> "AccessContext":
    """Why the exchange is asked: for audit, in a person's own words."""
    from metip.common.v1.access_pb2 import AccessContext
    from metip.options.v1.options_pb2 import PURPOSE_AUDIT

    return AccessContext(purpose=PURPOSE_AUDIT, justification=reason)


def purpose_named(text: str) -> Any:
    """The purpose of that name, however it is written. Raises `click.UsageError`."""
    from metip.options.v1.options_pb2 import Purpose

    name = f"PURPOSE_{text.upper().replace('-', '_').removeprefix('PURPOSE_')}"
    if name not in Purpose.keys()[1:]:
        raise click.UsageError(f"--purpose: there is no purpose {text}")
    return Purpose.Value(name)


class Exchange:
    """The exchange's rpcs by name. Every method raises `grpc.aio.AioRpcError` as the call does."""

    def __init__(self, channel: "grpc.aio.Channel", contracts: "Contracts", token: str) -> None:
        from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub

        self.channel = channel
        self._stub: Any = ExchangeServiceStub(channel)
        self._contracts, self._token = contracts, token

    async def ask(self, rpc: str, request: Any) -> Any:
        """The answer to a request, or to an iterator of them."""
        return await getattr(self._stub, rpc)(request, **self._sent(rpc))

    async def follow(self, rpc: str, request: Any) -> AsyncIterator[Any]:
        """Answers as they come, for the operation's own time."""
        async for reply in getattr(self._stub, rpc)(request, **self._sent(rpc)):
            yield reply

    async def subscriptions(self) -> list[Any]:
        """Every subscription with its accounts."""
        from metip.exchange.v1.exchange_service_pb2 import ListSubscriptionsRequest

        return list((await self.ask("ListSubscriptions", ListSubscriptionsRequest())).subscriptions)

    def _sent(self, rpc: str) -> dict[str, Any]:
        from hub.cli.client import SPARE

        operation = self._contracts.operations[f"{SERVICE}/{rpc}"]
        metadata = [("authorization", f"Bearer {self._token}")] if operation.officer_admissible else []
        return {"timeout": operation.timeout + SPARE, "metadata": metadata}


def asked(caller: Caller, work: Callable[[Exchange], Awaitable[T]]) -> T:
    """What `work` finds out; a refusal is printed and ends the command with status 1. Raises `Problem` where there is no mesh."""
    import grpc

    from hub.cli.client import place
    from hub.cli.messages import contracts

    where, known = place(caller.home), contracts()
    token = token_of(where, caller.officer, caller.roles)
    try:
        return asyncio.run(through(where, known, token, work))
    except grpc.aio.AioRpcError as error:
        from hub.cli.refusals import print_refusal, refusal_of

        print_refusal(advised(refusal_of(error)), as_json=caller.as_json)
        raise click.exceptions.Exit(1) from None


async def through(where: "Place", known: "Contracts", token: str, work: Callable[[Exchange], Awaitable[T]]) -> T:
    """What `work` finds out of the exchange: through the edge, or through the console from afar. Raises what `work` does, and `Problem`."""
    from hub.cli.client import edge_channel, hub_channel

    if where.from_afar:
        async with hub_channel(where, token=token) as channel:
            return await work(Exchange(channel, known, ""))  # the channel bears the token
    async with edge_channel(where, where.identity()) as channel:
        return await work(Exchange(channel, known, token))


def token_of(where: "Place", number: str, roles: tuple[str, ...] = ()) -> str:
    """A token of the officer with that warrant number, or of the usual one, with further roles. Raises `Problem`."""
    from dataclasses import replace

    from hub.cli.client import usual_officer

    officer = replace(usual_officer(), warrant_number=number) if number else usual_officer()
    return where.token(officer=replace(officer, roles=tuple(dict.fromkeys((*officer.roles, *roles)))))


def advised(refusal: "Refusal") -> "Refusal":
    """The refusal with advice for an operator, where the exchange's own is for those who call it from programs."""
    from dataclasses import replace

    advice = next((advice for words, advice in ADVICE if words in refusal.text), None) if refusal.domain == DOMAIN else None
    return refusal if advice is None else replace(refusal, advice=advice)
