"""Asks the hub's own socket about recordings and samples, as this user; and how shares and times are written."""

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hub.cli.exchange.asking import Words
from hub.cli.ledger.asking import operator
from hub.cli.options import F, Problem, home_option, json_option

if TYPE_CHECKING:
    from hub.cli.client import Place
    from metip.common.v1.access_pb2 import AccessContext

T = TypeVar("T")
MILLION: Final = 1_000_000
PATIENCE: Final = 60.0
UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


@dataclass(frozen=True)
class Asker:
    """Who asks, why, and how it prints."""

    home: Path
    as_json: bool
    reason: str = ""

    @property
    def access(self) -> "AccessContext":
        """Why, in the contract's words."""
        from metip.common.v1.access_pb2 import AccessContext
        from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST

        return AccessContext(purpose=PURPOSE_MIGRATION_TEST, justification=self.reason)


class Share(click.ParamType[int]):
    """A share of calls such as 1%, 0.05% or 200/million; in millionths."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The share in millionths."""
        if isinstance(value, int):
            return value
        text = str(value)
        try:
            number = Decimal(text.removesuffix("%").removesuffix("/million"))
        except InvalidOperation:
            number = Decimal(-1)
        millionths = number * 10_000 if text.endswith("%") else number
        if not text.endswith(("%", "/million")) or not 0 <= millionths <= MILLION or millionths != int(millionths):
            self.fail(f"{text!r} is no share; write one such as 1%, 0.05% or 200/million", param, ctx)
        return int(millionths)


class Length(click.ParamType[float]):
    """A length of time such as 30s, 2h, 14d; in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The time in seconds."""
        if isinstance(value, int | float):
            return float(value)
        found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhdw])", str(value))
        if found is None or float(found[1]) == 0:
            self.fail(f"{value!r} is no time above zero; write one such as 30s, 2h or 14d", param, ctx)
        return float(found[1]) * UNITS[found[2]]


def asking_options(*, why: bool) -> Callable[[F], F]:
    """Adds `--home` and `--json`, and `--reason` where `why`, and gives the command one `asker`."""

    def with_options(command: F) -> F:
        @functools.wraps(command)
        def with_asker(*arguments: Any, home: Path, as_json: bool, reason: str = "", **others: Any) -> Any:
            return command(*arguments, asker=Asker(home, as_json, reason), **others)

        found: Any = with_asker
        if why:
            words = "Why, in your words; it is recorded."
            found = click.option("--reason", type=Words(), required=True, metavar="WORDS", help=words)(found)
        typed: F = home_option(json_option(found))
        return typed

    return with_options


def share(millionths: int) -> str:
    """A share for people."""
    return f"{(Decimal(millionths) / 10_000).normalize():f}%"


class Hub:
    """The hub's services for recordings and samples. Every call raises `grpc.aio.AioRpcError` as it ends."""

    def __init__(self, channel: Any) -> None:
        from metip.parity.v1.recording_service_pb2_grpc import RecordingServiceStub
        from metip.parity.v1.sampling_service_pb2_grpc import SamplingServiceStub

        self.recordings: Any = RecordingServiceStub(channel)
        self.sampling: Any = SamplingServiceStub(channel)
        self.metadata = [("x-metip-operator", operator())]

    async def ask(self, rpc: Any, request: Any) -> Any:
        """The answer to a request."""
        return await rpc(request, metadata=self.metadata, timeout=PATIENCE)


def asked(asker: Asker, work: Callable[[Hub], Awaitable[T]]) -> T:
    """What `work` finds out; a refusal is printed and ends the command with status 1. Raises `Problem` where there is no mesh or hub."""
    import grpc

    from hub.cli.client import place

    where = place(asker.home)
    try:
        return asyncio.run(_through(where, work))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            problem = "this hub compares nothing: it has no exchange, or no ledger whose keys could seal a recording"
            raise Problem(problem, "settings of the hub: `exchange` and `ledger`") from None
        if error.code() is grpc.StatusCode.UNAVAILABLE and not _ours(error.details() or ""):
            raise Problem(f"the hub at {where.hub} does not answer", where.remedy) from None
        from hub.cli.refusals import print_refusal, refusal_of

        print_refusal(refusal_of(error), as_json=asker.as_json)
        raise click.exceptions.Exit(1) from None


async def _through(where: "Place", work: Callable[[Hub], Awaitable[T]]) -> T:
    from hub.cli.client import hub_channel

    async with hub_channel(where) as channel:
        return await work(Hub(channel))


def _ours(details: str) -> bool:
    """Whether it is a refusal of the hub's, which begins with its reason, and not gRPC's own word for a hub that is away."""
    return details.partition(":")[0].isupper()
