"""Which records a command means: options that make a query."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.exchange.moments import Moment
from hub.cli.ledger.identifiers import add_identifiers
from hub.cli.options import F

if TYPE_CHECKING:
    from metip.ledger.v1.query_pb2 import Query

CLEAR = ("consumer", "operation", "outcome", "call_id", "force", "unit")


@dataclass(frozen=True)
class Wanted:
    """What was typed; nothing personal is among it."""

    by: tuple[str, ...] = ()
    file: Path | None = None
    for_purpose: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None
    clear: tuple[tuple[str, str], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it means everything."""
        return self == Wanted()

    def query(self) -> "Query":
        """The query, identifiers read now. Raises `click.UsageError` and `Problem`."""
        from hub.cli.values import FieldError, enum_number
        from metip.ledger.v1.query_pb2 import Query
        from metip.ledger.v1.record_pb2 import Kind
        from metip.options.v1.options_pb2 import Purpose

        found: Any = Query()
        for name, text in self.clear:
            setattr(found, name, text)
        for name, option, enum, word in (
            ("purpose", "--for-purpose", Purpose.DESCRIPTOR, self.for_purpose),
            ("kind", "--kind", Kind.DESCRIPTOR, self.kind),
        ):
            try:
                setattr(found, name, enum_number(enum, word) if word else 0)
            except FieldError as error:
                raise click.UsageError(f"{option}: {error}") from None
        if self.since:
            getattr(found, "from").FromDatetime(self.since)
        if self.until:
            found.before.FromDatetime(self.until)
        add_identifiers(found, self.by, self.file)
        typed: Query = found
        return typed


def query_options(command: F) -> F:
    """Adds the options of a query, and gives the command one `wanted`."""

    @functools.wraps(command)
    def with_query(*arguments: Any, **given: Any) -> Any:
        clear = tuple((name, given.pop(name)) for name in CLEAR)
        plain = {name: given.pop(name) for name in ("by", "file", "for_purpose", "kind", "since", "until")}
        wanted = Wanted(**plain, clear=tuple((name, value) for name, value in clear if value))
        if wanted.since and wanted.until and wanted.since >= wanted.until:
            raise click.UsageError("--since is not before --until")
        return command(*arguments, wanted=wanted, **given)

    found: Any = with_query
    for option in reversed(_OPTIONS):
        found = option(found)
    typed: F = found
    return typed


def _option(*names: str, **said: Any) -> Callable[[Any], Any]:
    return click.option(*names, **said)


_OPTIONS = (
    _option(
        "--by",
        multiple=True,
        metavar="KIND",
        help="By an identifier of this kind, such as vrm, pnc_id, custody_number, name_and_birth, officer or reference; its value is "
        "asked for, or read from standard input. May be repeated.",
    ),
    _option(
        "--subject-file",
        "file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="By identifiers in a file, one a line: kind, blank, value; - for standard input.",
    ),
    _option("--consumer", default="", metavar="SPIFFE-ID", help="Of this workload, or operator (os://host/user)."),
    _option("--operation", default="", metavar="NAME", help="Of this operation, in full; Interface/* for all of an interface."),
    _option("--for-purpose", default="", metavar="PURPOSE", help="That stated this purpose, such as road-traffic."),
    _option("--kind", default="", metavar="KIND", help="Of this kind: operation, refusal, action, opened, heartbeat."),
    _option("--outcome", default="", metavar="CODE", help="That ended so: OK, or a reason such as NO_TRACE."),
    _option("--call-id", default="", metavar="ID", help="Of this call."),
    _option("--force", default="", metavar="CODE", help="With a person of this force behind it."),
    _option("--unit", default="", metavar="NAME", help="With a person of this unit behind it."),
    _option("--since", type=Moment(), metavar="TIME", help="Recorded then or later: 2026-11-23T10:15 (UTC), or an age: 30d."),
    _option("--until", type=Moment(), metavar="TIME", help="Recorded before then."),
)
