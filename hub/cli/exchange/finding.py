"""`metip messages list` and `export`: the deliveries that a filter finds, to look at or as lines for other programs."""

import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import click

from hub.cli import printing
from hub.cli.exchange.asking import Caller, asked, caller_options, why_option
from hub.cli.exchange.filters import Wanted, filter_of, filter_options, pages, state_of
from hub.cli.exchange.moments import age, written
from hub.cli.exchange.names import shortened
from hub.cli.options import Problem
from hub.cli.printing import OK, clean, count, mark

LIMIT: Final = 100


@click.command(
    "list",
    epilog="\b\nExamples:\n"
    "  metip messages list --state parked --state expired --since 2h\n"
    "  metip messages list --subscription PublishExample --reason TIMED_OUT --all\n"
    "  metip messages list --key 01AB/1234/26 --keys --json\n"
    "  metip messages list --since 2026-11-23T10:00 --until 2026-11-23T11:00 --limit 1000\n\n"
    "Ends with status 0 whether or not it finds any.",
)
@filter_options()
@click.option("--limit", type=click.IntRange(1), default=LIMIT, show_default=True, help="How many to show at the most.")
@click.option("--all", "everything", is_flag=True, help="Show all of them, however many.")
@click.option("--keys", is_flag=True, help="Show ordering keys, which are personal.")
@why_option
@caller_options
def list_(caller: Caller, wanted: Wanted, limit: int, everything: bool, keys: bool, why: str) -> None:
    """List the deliveries that a filter finds, oldest first.

    Without a filter that is every delivery that is kept. What a message says is `metip messages show`'s to tell.
    """
    from hub.cli.exchange import documents

    async def ask(exchange: Any) -> list[Any]:
        bound = 0 if everything else limit + 1  # one more than is shown says whether there are more
        return [one async for page in pages(exchange, await filter_of(wanted, exchange), why, limit=bound, keys=keys) for one in page]

    found = asked(caller, ask)
    more = not everything and len(found) > limit
    found = found[:limit] if more else found
    if caller.as_json:
        printing.print_json({"deliveries": [documents.delivery(one, keys=keys) for one in found], "more": more})
        return
    if not found:
        click.echo("no delivery matches")
        return
    columns, rows = table(found, datetime.now(UTC), keys=keys)
    printing.print_table(columns, rows)
    words = "there are more: --all shows them, --limit a number of them" if more else count(len(found), "delivery", "deliveries")
    click.echo(printing.dim(words), err=True)


def table(found: list[Any], now: datetime, *, keys: bool = False) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Deliveries as a table."""
    names = shortened(one.subscription for one in found)
    rows = []
    for one in found:
        cells = (one.message_id, names[one.subscription], state_of(one.state), written(one.accepted), str(one.attempts), outlook(one, now))
        rows.append((*cells, last(one), *((clean(one.ordering_key),) if keys else ())))
    more = ("ordering key",) if keys else ()
    return ("message", "subscription", "state", "accepted (UTC)", "attempts", "next", "last attempt", *more), rows


def outlook(one: Any, now: datetime) -> str:
    """What comes next of a delivery, by itself; empty where nothing does."""
    if one.held_back:
        return "held back by its key"
    if not one.HasField("next_attempt"):
        return ""
    due = (one.next_attempt.ToDatetime(tzinfo=UTC) - now).total_seconds()
    return f"in {printing.span(due)}" if due > 0 else f"due for {age(one.next_attempt, now)}"


def last(one: Any) -> str:
    """How the last attempt ended, or why a person moved the delivery."""
    return clean(" ".join(filter(None, (one.status, one.reason))))


@click.command(
    epilog="\b\nExamples:\n"
    "  metip messages export --since 24h --to yesterday.jsonl\n"
    "  metip messages export --state parked | jq -r .message_id\n\n"
    "A line holds message_id, subscription, state, attempts, accepted, and where they are set next_attempt, status, reason and held_back. "
    "No key, no content; a reason in a person's words becomes IN_WORDS. A file is there when it is whole, not before."
)
@filter_options()
@click.option(
    "--to", "path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to this file, not to the output."
)
@why_option
@caller_options
def export(caller: Caller, wanted: Wanted, path: Path | None, why: str) -> None:
    """Write the deliveries that a filter finds as JSON lines, nothing personal in them.

    With --json it ends with a line that counts what was written to the file.
    """

    async def found(exchange: Any) -> AsyncIterator[list[Any]]:
        async for page in pages(exchange, await filter_of(wanted, exchange), why):
            yield page

    async def to_output(exchange: Any) -> int:
        return await _write(found(exchange), sys.stdout)

    async def to_file(exchange: Any) -> int:
        assert path is not None, "chosen below"
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with partial.open("w", encoding="utf-8") as file:
                written = await _write(found(exchange), file)
            partial.replace(path)
        except OSError as error:
            raise Problem(f"{path} can't be written: {error.strerror}", "name another file with --to") from None
        finally:
            partial.unlink(missing_ok=True)
        return written

    number = asked(caller, to_file if path else to_output)
    if path and caller.as_json:
        click.echo(json.dumps({"deliveries": number, "file": str(path)}))
    elif path:
        click.echo(f"{mark(OK)} {count(number, 'delivery', 'deliveries')} in {path}", err=True)


async def _write(found: AsyncIterator[list[Any]], file: IO[str]) -> int:
    from hub.cli.exchange.documents import nameless

    number = 0
    async for page in found:
        file.writelines(f"{json.dumps(nameless(one), ensure_ascii=False)}\n" for one in page)
        number += len(page)
    file.flush()
    return number
