"""Asks the hub for a change of traffic over its own socket, as this user: says what it will do, asks on a terminal, prints the way back."""

import asyncio
import functools
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hub.cli import printing
from hub.cli.exchange.asking import Words
from hub.cli.options import F, Problem, Seconds, home_option, json_option
from hub.cli.printing import OK, WARNED, dim, mark

if TYPE_CHECKING:
    from hub.cli.client import Place
    from hub.contracts import Contracts

T = TypeVar("T")
PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Changer:
    """How a change is to be made."""

    home: Path
    as_json: bool
    because: str
    dry_run: bool
    lasting: float | None
    """Seconds after which the hub steps back by itself; None for never."""
    after: float | None
    """Seconds after which it begins; None for at once."""
    yes: bool


def change_options(command: F) -> F:
    """Adds `--because`, `--dry-run`, `--for`, `--in`, `--yes`, `--home` and `--json`, and gives the command one `changer`."""

    @functools.wraps(command)
    def with_changer(
        *arguments: Any,
        home: Path,
        as_json: bool,
        because: str,
        dry_run: bool,
        lasting: float | None,
        after: float | None,
        yes: bool,
        **others: Any,
    ) -> Any:
        if not because and not dry_run:
            raise click.UsageError("Missing option '--because': say why; it is recorded.")
        return command(*arguments, changer=Changer(home, as_json, because, dry_run, lasting, after, yes), **others)

    found: Any = with_changer
    for option in (
        click.option("--yes", is_flag=True, help="Do not ask, on a terminal either."),
        click.option("--in", "after", type=Seconds(), default=None, metavar="TIME", help="Begin after that time, such as 2h."),
        click.option(
            "--for", "lasting", type=Seconds(), default=None, metavar="TIME", help="Step back by itself after that time, such as 30m."
        ),
        click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing."),
        click.option("--because", type=Words(), default=None, metavar="WORDS", help="Why; it is recorded, so it names nobody."),
    ):
        found = option(found)
    typed: F = home_option(json_option(found))
    return typed


class TrafficClient:
    """The service's rpcs by name. Every method raises `grpc.aio.AioRpcError` as the call does."""

    def __init__(self, channel: Any) -> None:
        from hub.cli.ledger.asking import operator
        from metip.traffic.v1.traffic_service_pb2_grpc import TrafficServiceStub

        self._stub: Any = TrafficServiceStub(channel)
        self._metadata = [("x-metip-operator", operator())]

    async def ask(self, rpc: str, request: Any) -> Any:
        """The answer to a request."""
        return await getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=PATIENCE)

    def follow(self, rpc: str, request: Any) -> Any:
        """Answers as they come."""
        return getattr(self._stub, rpc)(request, metadata=self._metadata)

    async def overview(self) -> Any:
        """What is in force."""
        from metip.traffic.v1.traffic_service_pb2 import GetTrafficRequest

        return (await self.ask("GetTraffic", GetTrafficRequest())).overview


def asked(home: Path, as_json: bool, work: Callable[[TrafficClient], Awaitable[T]]) -> T:
    """What `work` finds out; a refusal is printed and ends the command with status 1. Raises `Problem` where there is no mesh or hub."""
    import grpc

    from hub.cli.client import place

    where = place(home)
    try:
        return asyncio.run(_through(where, work))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE and "JOURNAL" not in (error.details() or ""):
            raise Problem(
                f"the hub at {where.hub} does not answer",
                f"{where.remedy}; without the hub, envoy/README.md moves traffic with Envoy's admin interface alone",
            ) from None
        from hub.cli.refusals import print_refusal, refusal_of

        print_refusal(refusal_of(error), as_json=as_json)
        raise click.exceptions.Exit(1) from None


Edits = Iterable[Any]
"""Of `metip.traffic.v1.Edit`."""


def put(settings: Iterable[Any]) -> list[Any]:
    """Edits that put settings (of `hub.traffic.settings`) in place."""
    from hub.traffic.words import message_of
    from metip.traffic.v1.traffic_service_pb2 import Edit

    return [Edit(put=message_of(one)) for one in settings]


def drop(settings: Iterable[Any]) -> list[Any]:
    """Edits that take settings away."""
    from hub.traffic.words import message_of
    from metip.traffic.v1.traffic_service_pb2 import Edit

    return [Edit(drop=message_of(one)) for one in settings]


def changed(changer: Changer, what: str, edits: "Edits | Callable[[Any], Edits]", *, then: Any = None) -> None:
    """Makes a change, or says what it would do, and prints it. `edits` may be found from what is in force; `then` is awaited with the
    client and the answer, and may add to it."""
    from google.protobuf.json_format import MessageToDict

    async def work(client: TrafficClient) -> tuple[Any, Any, dict[str, Any]]:
        found = list(edits(await client.overview()) if callable(edits) else edits)
        if not found:
            raise Problem("there is nothing to change", "`metip traffic show` says what is in force")
        preview = await _previewed(client, found)
        if changer.dry_run or not _goes_ahead(changer, preview):
            return None, preview, {}
        answer = await client.ask("ChangeTraffic", _request(changer, what, found))
        return answer, answer.preview, (await then(client, answer)) if then is not None else {}

    answer, preview, more = asked(changer.home, changer.as_json, work)
    if changer.as_json:
        document: dict[str, Any] = {"dry_run": True}
        if answer is not None:
            document = MessageToDict(answer, preserving_proto_field_name=True)
        document["preview"] = MessageToDict(preview, preserving_proto_field_name=True)
        printing.print_json(document | more)
    else:
        print_answer(answer, preview)


def print_answer(answer: Any, preview: Any) -> None:
    """Prints what a change did, and how it is undone."""
    if answer is None:
        click.echo(f"{mark(OK)} nothing was changed; this would happen:")
    elif not answer.change.number:
        click.echo(f"{mark(OK)} everything is so already")
    elif answer.change.standing == _standing("SCHEDULED"):
        click.echo(f"{mark(OK)} change {answer.change.number} begins at {_clock(answer.change.at)}")
    else:
        click.echo(f"{mark(OK)} change {answer.change.number} is in force in Envoy after {answer.milliseconds:.0f} ms")
    print_preview(preview)
    if answer is not None and answer.change.number:
        if answer.change.HasField("until"):
            click.echo(f"  steps back by itself at {_clock(answer.change.until)}")
        click.echo(f"  undo: metip traffic undo {answer.change.number} --because WORDS")


def print_preview(preview: Any) -> None:
    """Prints what a change does."""
    for sentence in preview.sentences:
        click.echo(f"  {printing.clean(sentence)}")
    for warning in preview.warnings:
        click.echo(f"  {mark(WARNED)} {printing.clean(warning)}")
    if preview.resources:
        click.echo(dim(f"  Envoy is told anew: {', '.join(preview.resources)}"))


async def _previewed(client: TrafficClient, edits: list[Any]) -> Any:
    from metip.traffic.v1.traffic_service_pb2 import PreviewChangeRequest

    return (await client.ask("PreviewChange", PreviewChangeRequest(edits=edits))).preview


def _request(changer: Changer, what: str, edits: list[Any]) -> Any:
    from hub.api.traffic_words import stamp
    from metip.traffic.v1.traffic_service_pb2 import ChangeTrafficRequest

    request = ChangeTrafficRequest(edits=edits, what=what[:250], because=changer.because)
    begins = time.time() + (changer.after or 0.0)
    if changer.after is not None:
        request.at.CopyFrom(stamp(begins))
    if changer.lasting is not None:
        request.until.CopyFrom(stamp(begins + changer.lasting))
    return request


def _goes_ahead(changer: Changer, preview: Any) -> bool:
    """Asks a person who sits in front of it."""
    if changer.yes or changer.as_json or not (sys.stdin.isatty() and printing.on_terminal()):
        return True
    print_preview(preview)
    return click.confirm("Make this change?", default=False)


async def _through(where: "Place", work: Callable[[TrafficClient], Awaitable[T]]) -> T:
    from hub.cli.client import hub_channel

    async with hub_channel(where) as channel:
        return await work(TrafficClient(channel))


def _standing(word: str) -> int:
    from metip.traffic.v1.traffic_service_pb2 import ChangeStanding

    return int(ChangeStanding.Value(f"CHANGE_STANDING_{word}"))


def _clock(stamp: Any) -> str:
    from hub.cli.exchange.moments import written

    return f"{written(stamp)} UTC"


def known() -> "Contracts":
    """The contracts that are installed."""
    from hub.cli.messages import contracts

    return contracts()
