"""Asks the ledger over the hub's own socket: as this user, with a purpose, a reason and, where needed, an officer's token."""

import asyncio
import functools
import getpass
import re
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hub.cli.exchange.asking import Words
from hub.cli.options import F, Problem, home_option, json_option

if TYPE_CHECKING:
    from hub.cli.client import Place
    from metip.common.v1.access_pb2 import AccessContext

T = TypeVar("T")
MOST_TOKEN: Final = 16_384
PATIENCE: Final = 600.0
"""Seconds that an answer may take: an erasure goes through the whole index."""
STANDARD_INPUT: Final = Path("-")


@dataclass(frozen=True)
class Asker:
    """Who asks, why, and how it prints."""

    home: Path
    as_json: bool
    reason: str = ""
    purpose: str = "audit"
    token: str = field(default="", repr=False)

    @property
    def access(self) -> "AccessContext":
        """Why, in the contract's words. Raises `click.UsageError` for a purpose that there is not."""
        from hub.cli.values import FieldError, enum_number
        from metip.common.v1.access_pb2 import AccessContext
        from metip.options.v1 import options_pb2

        try:
            number: Any = enum_number(options_pb2.Purpose.DESCRIPTOR, self.purpose)
        except FieldError as error:
            raise click.UsageError(f"--purpose: {error}") from None
        return AccessContext(purpose=number, justification=self.reason)


class TokenFile(click.ParamType[str]):
    """An officer's token, read from a file, or from standard input where the file is `-`."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The token itself; of an empty default nothing."""
        if not value:
            return ""
        path = Path(value)
        try:
            content = sys.stdin.read(MOST_TOKEN) if path == STANDARD_INPUT else _read(path)
        except (OSError, ValueError):
            # The argument may be the token itself, so it isn't repeated.
            self.fail("it names a file that can be read, or - for standard input", param, ctx)
        return content.strip()


def asking_options(command: F) -> F:
    """Adds `--reason`, `--purpose`, `--token-file`, `--home` and `--json`, and gives the command one `asker`."""

    @functools.wraps(command)
    def with_asker(*arguments: Any, home: Path, as_json: bool, reason: str, purpose: str, token: str, **others: Any) -> Any:
        return command(*arguments, asker=Asker(home, as_json, reason, purpose, token), **others)

    found: Any = with_asker
    for option in (
        click.option(
            "--token-file", "token", type=TokenFile(), default="", metavar="FILE", help="An officer's token; - for standard input."
        ),
        click.option("--purpose", default="audit", show_default=True, metavar="PURPOSE", help="Why you ask, by the ledger's contract."),
        click.option("--reason", type=Words(), required=True, metavar="WORDS", help="Why you ask, in your words; it is recorded."),
    ):
        found = option(found)
    typed: F = home_option(json_option(found))
    return typed


def asked(asker: Asker, work: "Callable[[Ledger], Awaitable[T]]") -> T:
    """What `work` finds out; a refusal is printed and ends the command with status 1. Raises `Problem` where there is no mesh or hub."""
    import grpc

    from hub.cli.client import place

    where = place(asker.home)
    try:
        return asyncio.run(_through(where, asker, work))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise Problem("this hub keeps no ledger", "settings of the hub: `ledger`") from None
        if error.code() is grpc.StatusCode.UNAVAILABLE and "JOURNAL" not in (error.details() or ""):
            raise Problem(f"the hub at {where.hub} does not answer", where.remedy) from None
        from hub.cli.refusals import print_refusal, refusal_of

        print_refusal(refusal_of(error), as_json=asker.as_json)
        raise click.exceptions.Exit(1) from None


class Ledger:
    """The ledger's rpcs by name. Every method raises `grpc.aio.AioRpcError` as the call does."""

    def __init__(self, channel: Any, token: str) -> None:
        from metip.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub

        self._stub: Any = LedgerServiceStub(channel)
        self._metadata = [("x-metip-operator", operator())]
        if token:
            self._metadata.append(("authorization", f"Bearer {token}"))

    async def ask(self, rpc: str, request: Any) -> Any:
        """The answer to a request."""
        return await getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=PATIENCE)

    async def follow(self, rpc: str, request: Any) -> AsyncIterator[Any]:
        """Answers as they come."""
        async for part in getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=PATIENCE):
            yield part


def operator() -> str:
    """The user of this machine, `os://<host>/<user>`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return f"os://{_plain(socket.gethostname(), 100)}/{_plain(user, 64)}"


async def _through(where: "Place", asker: Asker, work: Callable[[Ledger], Awaitable[T]]) -> T:
    from hub.cli.client import hub_channel

    async with hub_channel(where, token=asker.token) as channel:
        return await work(Ledger(channel, asker.token))


def _plain(text: str, most: int) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:most] or "unknown"


def _read(path: Path) -> str:
    with path.open(encoding="ascii") as file:
        return file.read(MOST_TOKEN)
