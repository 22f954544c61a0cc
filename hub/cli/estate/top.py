"""`metip top`: what is live by interface, operation, consumer, system or subscription, again and again."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.estate.figures import COLUMNS, GROUPINGS, ORDERS, cells, document, figures, in_order, numbers
from hub.cli.options import Seconds, home_option, json_option
from hub.cli.printing import WARNED, clean, mark

EVERY: Final = 2.0
FOR_PEOPLE: Final = 40
"""Rows where nobody says how many, and no terminal has fewer lines."""
AROUND: Final = 6
"""Lines of a terminal that the table's head and the line above it take."""


@click.command(
    epilog="\b\nExamples:\n  metip top\n  metip top --by consumer --sort errors\n  metip top --by operation --filter vehicle --watch 1\n"
    "  metip top --by subscription --sort oldest --once\n  metip top --failing --once --json\n\n"
    "Rates, errors and times are those of the last ten seconds of Envoy's log; what is in flight and queued is Envoy's own count, what "
    "waits and is parked the exchange's. An answer such as NOT_FOUND is no error. Nothing is measured while nobody looks. "
    "docs/operations/estate.md says what each figure is."
)
@click.option("--by", type=click.Choice(GROUPINGS), default="interface", show_default=True, help="What each row stands for.")
@click.option("--sort", type=click.Choice(tuple(ORDERS)), default="rate", show_default=True, help="What comes first.")
@click.option("--filter", "text", default="", metavar="TEXT", help="What has this text in the name of a consumer, operation or system.")
@click.option("--consumer", "consumers", multiple=True, metavar="ID", help="Calls of this consumer only, by SPIFFE ID; may be repeated.")
@click.option("--interface", "interfaces", multiple=True, metavar="NAME", help="This interface only, in full; may be repeated.")
@click.option("--system", "systems", multiple=True, metavar="NAME", help="What this system answers only; may be repeated.")
@click.option("--active", is_flag=True, help="Leave out what has no calls and nothing that waits.")
@click.option("--failing", is_flag=True, help="Leave out what has no errors and nothing parked.")
@click.option("--rows", type=click.IntRange(0), default=None, metavar="NUMBER", help="At most so many rows, 0 for all.")
@click.option("--once", is_flag=True, help="Look once; also where the output is no terminal, unless --watch is given.")
@click.option("--watch", type=Seconds(), default=None, metavar="SECONDS", help="Look again so often. Default: 2 s on a terminal.")
@home_option
@json_option
def top(home: Path, as_json: bool, once: bool, watch: float | None, **said: Any) -> None:
    """Show what is live: rates, errors, times, what is in flight, queued, parked, and waits longest.

    With --json a document, or, without --once, a document to a line.
    """
    from hub.cli.estate.asking import asked

    if once or (watch is None and not printing.on_terminal()):
        estate = asked(home, as_json, lambda stub: _once(stub, said))
        if estate is not None:
            _print(estate, estate.rows, said, as_json=as_json)
        return
    asked(home, as_json, lambda stub: _live(stub, said, watch or EVERY, as_json=as_json))


async def _once(stub: Any, said: dict[str, Any]) -> Any:
    from hub.cli.estate.asking import PATIENCE
    from metip.estate.v1 import estate_service_pb2 as api

    request = api.GetEstateRequest(filter=_filter(said), rows=[_grouping(said)], without_map=True)
    return (await stub.GetEstate(request, timeout=PATIENCE)).estate


async def _live(stub: Any, said: dict[str, Any], every: float, *, as_json: bool) -> None:
    from hub.cli.estate.asking import following
    from metip.estate.v1 import estate_service_pb2 as api

    request = api.WatchEstateRequest(filter=_filter(said), rows=[_grouping(said)], without_map=True)
    request.every.FromMilliseconds(int(max(every, 1.0) * 1000))
    rows: dict[str, Any] = {}
    async with following(stub.WatchEstate(request)) as answers:
        with _screen(as_json=as_json) as show:
            async for answer in answers:
                if answer.whole:
                    rows.clear()
                rows |= {row.id: row for row in answer.estate.rows}
                for gone in answer.gone:
                    rows.pop(gone, None)
                show(answer.estate, list(rows.values()), said)


def _filter(said: dict[str, Any]) -> Any:
    from metip.estate.v1.estate_service_pb2 import EstateFilter

    return EstateFilter(
        text=said["text"],
        consumers=said["consumers"],
        interfaces=said["interfaces"],
        systems=said["systems"],
        only_active=said["active"],
        only_failing=said["failing"],
    )


def _grouping(said: dict[str, Any]) -> Any:
    from metip.estate.v1.estate_pb2 import Grouping

    return Grouping.Value(f"GROUPING_{said['by'].upper()}")


def _chosen(estate: Any, rows: Any, said: dict[str, Any], most: int) -> tuple[list[Any], int, datetime]:
    """Rows in order, how many are left out, and the moment of which they tell."""
    now = estate.at.ToDatetime(tzinfo=UTC)
    found = in_order(rows, said["sort"], now)
    limit = most if said["rows"] is None else said["rows"]
    shown = found[:limit] if limit else found
    return shown, len(found) - len(shown), now


def _print(estate: Any, rows: Any, said: dict[str, Any], *, as_json: bool) -> None:
    shown, left_out, now = _chosen(estate, rows, said, 0 if as_json or not printing.on_terminal() else FOR_PEOPLE)
    if as_json:
        printing.print_json(document(estate, shown, said["by"], now))
        return
    for line in _head(estate, now):
        click.echo(line)
    if shown:
        printing.print_table((said["by"], *COLUMNS), [cells(row, now) for row in shown])
    click.echo(_foot(shown, left_out, said))


def _head(estate: Any, now: datetime) -> list[str]:
    rate, errors, *times = figures(estate.total)
    in_flight, queued, parked, oldest = numbers(estate.counts, now)
    words = [f"{now:%H:%M:%S} UTC", f"{rate or 'no calls'} over {estate.window.ToTimedelta().total_seconds():.3g} s"]
    words += [f"errors {errors}"] if errors else []
    words += [f"p50 {times[0]}, p95 {times[1]}, p99 {times[2]}"] if rate else []
    words += [f"{name} {value}" for name, value in (("in flight", in_flight), ("queued", queued), ("parked", parked)) if value]
    words += [f"oldest waits {oldest}"] if oldest else []
    words += [f"{estate.other_consumers} further consumers are counted together"] if estate.other_consumers else []
    return ["  ".join(words), *(f"{mark(WARNED)} {clean(one.problem)}" for one in estate.sources if one.problem)]


def _foot(shown: list[Any], left_out: int, said: dict[str, Any]) -> str:
    if left_out:
        return printing.dim(f"{left_out} more rows: --rows 0 shows all, --filter fewer")
    narrowed = any(said[one] for one in ("text", "consumers", "interfaces", "systems", "active", "failing"))
    return "" if shown else "nothing is found: look again without the filter" if narrowed else "there is nothing"


class _screen:  # noqa: N801 - used as a statement
    """What each look is shown by: a live table on a terminal, a line of JSON, or tables one after another."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._live: Any = None

    def __enter__(self) -> Any:
        if self._as_json:
            return self._line
        if not printing.on_terminal():
            return self._page
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(highlight=False), auto_refresh=False, screen=True)
        self._live.__enter__()
        return self._draw

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.__exit__(None, None, None)

    def _page(self, estate: Any, rows: list[Any], said: dict[str, Any]) -> None:
        _print(estate, rows, said, as_json=False)
        sys.stdout.flush()

    def _line(self, estate: Any, rows: list[Any], said: dict[str, Any]) -> None:
        shown, _, now = _chosen(estate, rows, said, 0)
        click.echo(json.dumps(document(estate, shown, said["by"], now), ensure_ascii=False))

    def _draw(self, estate: Any, rows: list[Any], said: dict[str, Any]) -> None:
        from rich.console import Group
        from rich.text import Text

        head = [f"{line}" for line in _head(estate, estate.at.ToDatetime(tzinfo=UTC))]
        room = max(self._live.console.height - AROUND - len(head), 3)
        shown, left_out, now = _chosen(estate, rows, said, room)
        table = printing.rich_table((said["by"], *COLUMNS), [cells(row, now) for row in shown[:room]])
        foot = _foot(shown, left_out, said) or printing.dim("Ctrl-C ends it")
        self._live.update(Group(*(Text.from_ansi(line) for line in head), table, Text.from_ansi(foot)), refresh=True)
