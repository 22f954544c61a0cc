"""Watches a running estate: a live table on a terminal, elsewhere a line whenever something changes; until it is cancelled."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import printing
from hub.cli.client import Place
from hub.cli.envoy_status import Counts, counts_of, stats_page
from hub.cli.gathering import State, gather
from hub.cli.options import Problem
from hub.cli.printing import FAILED, OK, SKIPPED, count, mark
from hub.mesh.admin import EnvoyGoneError

if TYPE_CHECKING:
    from hub.cli.up import Progress

EVERY: Final = 2.0


async def watch(where: Place, progress: "Progress") -> None:
    """Shows the state again and again; it never ends by itself."""
    if printing.on_terminal():
        await _draw(where, progress)
    else:
        await _tell(where, progress)


async def _tell(where: Place, progress: "Progress") -> None:
    """A line for each interface that changes between served and not."""
    known: dict[str, str] = {}
    while True:
        for name, state in _states(await _look(where)).items():
            if known.get(name, state) != state:
                words = "is served again" if state == OK else "is not served: `metip check` says why"
                progress.say(f"{mark(state)} {name} {words}")
            known[name] = state
        await asyncio.sleep(EVERY)


def _states(state: State) -> dict[str, str]:
    found = {one.name: one.state for one in state.interfaces if one.state != SKIPPED}
    return found if state.envoy_version is not None else dict.fromkeys(found, FAILED)


async def _draw(where: Place, progress: "Progress") -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    before = progress.print
    with Live(console=console, auto_refresh=False, transient=True) as live:
        progress.print = lambda words: console.print(Text.from_ansi(words))
        try:
            while True:
                state, counts = await _look(where), await _counts(where)
                live.update(Group(_table(state, counts), Text.from_ansi(_summary(state))), refresh=True)
                await asyncio.sleep(EVERY)
        finally:
            progress.print = before


async def _look(where: Place) -> State:
    """The state, or an empty one: whatever is wrong with the mesh, watching it must not bring it down."""
    try:
        return await gather(where)
    except (Problem, ValueError, KeyError):
        return State()


async def _counts(where: Place) -> dict[str, Counts]:
    try:
        return counts_of(await where.admin.get(stats_page()))
    except (EnvoyGoneError, ValueError):
        return {}


def _table(state: State, counts: dict[str, Counts]) -> Any:
    columns = ("interface", "instances", "healthy hosts", "calls", "refused", "p50", "p99")
    rows = []
    for one in state.interfaces:
        counted = counts.get(one.name, Counts())
        times = [f"{counted.milliseconds[place]:.0f} ms" if place in counted.milliseconds else "" for place in ("50", "99")]
        told = (str(one.instances), f"{one.healthy} of {len(one.hosts)}", str(counted.calls), str(counted.refused), *times)
        rows.append((f"{mark(one.state)} {one.name}", *told))
    return printing.rich_table(columns, rows)


def _summary(state: State) -> str:
    down = [one.name for one in state.processes if not one.alive]
    restarts = sum(one.restarts for one in state.processes)
    words = f"{mark(FAILED)} not running: {', '.join(down)}" if down else f"{mark(OK)} everything runs"
    if restarts:
        words += f", {count(restarts, 'restart')} so far"
    if state.mesh is None:
        words += f"  {mark(FAILED)} the hub does not answer; calls go on without it"
    if state.envoy_version is None:
        words += f"  {mark(FAILED)} Envoy does not answer"
    return words + click.style("   Ctrl-C stops everything", fg="bright_black")
