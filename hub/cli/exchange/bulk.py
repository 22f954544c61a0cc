"""A file of requests through PublishBatch: read line by line, handed over some thousands at a time, and told by line what became of each.

Several hand-overs rather than one, so that none outlasts its time limit and a failure says how far it came. A repetition is harmless.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.options import Problem
from hub.cli.printing import WARNED, count, mark

if TYPE_CHECKING:
    from hub.cli.exchange.asking import Exchange
    from hub.cli.messages import Messages
    from hub.contracts import Operation

AT_ONCE: Final = 10_000
"""Messages of one hand-over."""
PART_MESSAGES, PART_BYTES = 1000, 256 * 1024
"""What one part of a hand-over may hold; it is ended when it reaches either."""


@dataclass(frozen=True)
class RefusedLine:
    """A line that was not accepted."""

    line: int
    """Its number in the file, from 1."""
    status: str
    reason: str
    text: str


@dataclass
class Summary:
    """What became of a file."""

    accepted: int = 0
    """Messages that are kept, those that were known before included."""
    duplicates: int = 0
    refused: list[RefusedLine] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Lines:
    """The requests of a file. A line without access gets the purpose and the justification that were typed."""

    path: Path
    operation: "Operation"
    messages: "Messages"
    purpose: str = ""
    why: str = ""

    def read(self, refused: list[RefusedLine]) -> Iterator[tuple[int, bytes]]:
        """Line numbers and requests; a line that is no request is added to `refused`. Raises `Problem` for a file that can't be read."""
        from google.protobuf import json_format

        kind, access = self.messages.kind(self.operation.request), self._access()
        try:
            with self._open() as file:
                for number, line in enumerate(map(str.strip, file), 1):
                    if not line:
                        continue
                    request: Any = kind()
                    try:
                        json_format.Parse(line, request, descriptor_pool=self.messages.pool)
                    except json_format.ParseError as error:
                        refused.append(RefusedLine(number, "INVALID_ARGUMENT", "MALFORMED", _harmless(line, error)))
                        continue
                    if access is not None and not request.HasField("access"):
                        request.access.ParseFromString(access)
                    yield number, request.SerializeToString()
        except OSError as error:
            raise Problem(f"{self.path} can't be read: {error.strerror}", "name a file with --file, or - for the input") from None
        except UnicodeDecodeError:
            raise Problem(f"{self.path} is not UTF-8 text", "write one request to a line, as protobuf's JSON") from None

    def _open(self) -> Any:
        return contextlib.nullcontext(sys.stdin) if str(self.path) == "-" else self.path.open(encoding="utf-8")

    def _access(self) -> bytes | None:
        """The access of lines without one; None for an operation that asks for none. Raises `click.UsageError`."""
        from hub.cli.values import FieldError, enum_number

        if not self.operation.personal:
            if self.purpose or self.why:
                raise click.UsageError(f"{self.operation.method} touches no personal data, so it asks for no purpose")
            return None
        from metip.common.v1.access_pb2 import AccessContext

        try:
            number: Any = enum_number(self.messages.purposes, self.purpose or self.operation.purposes[0])
        except FieldError as error:
            raise click.UsageError(f"--purpose: {error}") from None
        return AccessContext(purpose=number, justification=self.why).SerializeToString()


def _harmless(line: str, error: Exception) -> str:
    """What is wrong with a line, without what it holds: the parser quotes values, which may be personal."""
    try:
        found = json.loads(line)
    except ValueError as problem:
        return f"is not JSON: {getattr(problem, 'msg', 'it can not be read')}, column {getattr(problem, 'colno', 1)}"
    if not isinstance(found, dict):
        return "is JSON, but no object"
    words = str(error)
    named = words.partition('has no field named "')[2].partition('"')[0]
    return f"has no field {named}" if named else "has a field whose value is not of its type"


async def hand_over(exchange: "Exchange", operation: str, lines: Lines, *, quiet: bool) -> Summary:
    """Hands everything over. Raises `grpc.aio.AioRpcError` when a hand-over fails, after it said how far it came."""
    import grpc

    summary = Summary()
    waiting: list[tuple[int, bytes]] = []
    progress = _Progress(quiet)
    try:
        for one in lines.read(summary.refused):
            waiting.append(one)
            if len(waiting) == AT_ONCE:
                await _some(exchange, operation, waiting, summary)
                waiting = []
                progress.tell(summary)
        if waiting:
            await _some(exchange, operation, waiting, summary)
    except grpc.aio.AioRpcError:
        progress.end()
        if summary.accepted:
            words = f"{count(summary.accepted, 'message')} had been accepted before that; hand the same file over again: they are known"
            click.echo(f"{mark(WARNED)} {words}", err=True)
        raise
    progress.end()
    summary.refused.sort(key=lambda one: one.line)
    return summary


async def _some(exchange: "Exchange", operation: str, some: list[tuple[int, bytes]], summary: Summary) -> None:
    """One hand-over."""
    reply = await exchange.ask("PublishBatch", _parts(operation, [body for _, body in some]))
    summary.accepted += sum(map(bool, reply.message_ids))
    summary.duplicates += reply.duplicates
    summary.refused += [RefusedLine(some[one.place][0], one.status, one.reason, one.text) for one in reply.refused]


def _parts(operation: str, bodies: list[bytes]) -> Iterator[Any]:
    from metip.exchange.v1.exchange_service_pb2 import PublishBatchRequest

    part, size = PublishBatchRequest(operation=operation), 0
    for body in bodies:
        part.messages.append(body)
        size += len(body)
        if len(part.messages) == PART_MESSAGES or size >= PART_BYTES:
            yield part
            part, size = PublishBatchRequest(), 0
    if part.messages:
        yield part


class _Progress:
    """How far it came, on one line of a terminal or a line each time elsewhere; on standard error, and not at all when quiet."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._terminal, self._open = quiet, sys.stderr.isatty(), False

    def tell(self, summary: Summary) -> None:
        """So much was handed over."""
        if self._quiet:
            return
        words = f"{summary.accepted:,} accepted, {len(summary.refused):,} refused so far"
        click.echo(f"\r{words}" if self._terminal else words, err=True, nl=not self._terminal)
        self._open = self._terminal

    def end(self) -> None:
        """What follows begins on a line of its own."""
        if self._open:
            click.echo(err=True)
            self._open = False
