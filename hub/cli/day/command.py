"""`metip sim day`: plays the traffic of a day on a running estate, and says how each interface bore it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.options import Problem, Seconds, home_option, json_option
from hub.cli.printing import span

if TYPE_CHECKING:
    from hub.cli.client import Place
    from hub.cli.day.plan import Traffic
    from hub.cli.day.report import Report
    from hub.cli.messages import Messages
    from hub.laptop.layout import Home

SUBJECTS: Final = 3000
TELL_EVERY: Final = 10.0


class TimeOfDay(click.ParamType[datetime]):
    """A time such as 18:00; of today."""

    name = "time of day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """That time today, UTC."""
        found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", str(value))
        if not found:
            self.fail(f"{value!r} is no time of day; write one such as 18:00", param, ctx)
        return datetime.now(UTC).replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip sim day                            the hour from 18:00 in a minute\n"
    "  metip sim day --speed 6                  the same in ten minutes, which two cores carry\n"
    "  metip sim day --speed 20 --from 23:00 --for 2h\n"
    "  metip sim day --system pnc --system cris --share 0.5 --json\n\n"
    "Ends with status 1 if a call failed, a message was lost, deliveries are still pending when patience is over, or memory is not flat.",
)
@home_option
@json_option
@click.option("--speed", type=click.FloatRange(0.1, 1440), default=60.0, show_default=True, help="How much faster than life.")
@click.option("--from", "begins", type=TimeOfDay(), default="18:00", show_default=True, help="When it begins.")
@click.option(
    "--for", "lasts", type=Seconds(), default="1h", show_default=True, metavar="TIME", help="How much of the day, in its own time."
)
@click.option("--share", type=click.FloatRange(0, 10, min_open=True), default=1.0, show_default=True, help="Of the day's volumes.")
@click.option("--system", "systems", multiple=True, metavar="NAME", help="Play this system's part only; may be repeated.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides who is asked about, and when.")
@click.option("--patience", type=Seconds(), default="60s", show_default=True, metavar="TIME", help="How long to wait for deliveries.")
def day(
    home: Path,
    as_json: bool,
    speed: float,
    begins: datetime,
    lasts: float,
    share: float,
    systems: tuple[str, ...],
    seed: int,
    patience: float,
) -> None:
    """Play a day of the force on a running estate: its mix of calls and events, at its volumes.

    The volumes are each system's own, in `adapters/<system>/day.yaml`. Calls come when they are due, whatever became of those before.
    """
    from hub.cli.client import place
    from hub.cli.messages import installed

    messages = installed()
    where = place(home)
    lines = _lines(messages, where.home, systems, share)
    run = Run(where, messages, lines, speed, begins, lasts, seed, patience)
    report = asyncio.run(run.play())
    if as_json:
        printing.print_json(report.document())
    else:
        from hub.cli.day.showing import show

        show(report)
    if not report.well:
        click.get_current_context().exit(1)


def _lines(messages: "Messages", home: "Home", systems: Sequence[str], share: float) -> "list[Traffic]":
    """The lines of the systems that run here. Raises `Problem` when there are none."""
    from dataclasses import replace

    from hub.cli.day.plan import traffic
    from hub.cli.gathering import ADAPTER, processes

    running = {one.name.removeprefix(ADAPTER) for one in processes(home) if one.name.startswith(ADAPTER)}
    unknown = set(systems) - running
    if unknown:
        raise Problem(f"{', '.join(sorted(unknown))} does not run here", f"there are {', '.join(sorted(running)) or 'none'}")
    found = [replace(one, a_day=max(1, round(one.a_day * share))) for one in traffic(messages) if one.system in (systems or running)]
    if not found:
        raise Problem(
            "no system that runs here has a part in the day", "start them with `metip up`; the parts are adapters/<system>/day.yaml"
        )
    return found


@dataclass(frozen=True)
class Run:
    """One day to be played."""

    where: "Place"
    messages: "Messages"
    lines: "Sequence[Traffic]"
    speed: float
    begins: datetime
    lasts: float
    seed: int
    patience: float

    async def play(self) -> "Report":
        """Plays it, once what came before is at rest, and waits until what was accepted has come to rest as well."""
        import time

        from hub.cli.client import edge_channel
        from hub.cli.day.accounts import Backlog, at_rest, causes, delays
        from hub.cli.day.player import Player, asking
        from hub.cli.day.report import Memory, Report
        from hub.cli.exchange.asking import Exchange, token_of

        subjects = await drawn(self.where.home, SUBJECTS, self.seed)
        async with edge_channel(self.where, self.where.identity()) as channel:
            exchange = Exchange(channel, self.messages.contracts, token_of(self.where, ""))
            before, known, backlog = await at_rest(exchange, self.patience), await causes(exchange), Backlog()
            ask = asking(self.where, self.messages, channel)
            player = Player(self.messages, subjects, self.speed, self.begins, ask, self._happen, self.seed)
            lives = restarts(self.where.home)
            start, since, started = memory(self.where.home), datetime.now(UTC), time.perf_counter()
            aside = [asyncio.create_task(one) for one in (self._tell(started), backlog.watch(exchange))]
            halfway = asyncio.create_task(self._halfway())
            try:
                tallies = await player.play(self.lines, self.lasts)
            finally:
                for task in aside:
                    task.cancel()
            took, middle, end = time.perf_counter() - started, await halfway, memory(self.where.home)
            after = await at_rest(exchange, self.patience)
            return Report(
                self.lasts,
                took,
                tallies,
                before,
                after,
                backlog,
                await causes(exchange) - known,
                await delays(exchange, list(after), since, self.seed),
                {name: Memory(start[name], middle[name], end[name]) for name in sorted(start.keys() & middle.keys() & end.keys())},
                sorted(name for name, times in restarts(self.where.home).items() if times > lives.get(name, 0)),
                {one.name: one.post for one in self.messages.contracts.subscriptions},
            )

    async def _happen(self, line: "Traffic", number: int) -> None:
        from hub.cli.simulating import set_dials
        from metip.cases.v1.case_pb2 import Fault

        await set_dials(self.where.home, line.system, [Fault(dial=line.dial, setting=str(number), times=1)])

    async def _halfway(self) -> dict[str, int]:
        await asyncio.sleep(self.lasts / self.speed / 2)
        return memory(self.where.home)

    async def _tell(self, started: float) -> None:
        import time

        while True:
            await asyncio.sleep(TELL_EVERY)
            passed = (time.perf_counter() - started) * self.speed
            click.echo(printing.dim(f"{span(min(passed, self.lasts))} of {span(self.lasts)} played"), err=True)


async def drawn(home: "Home", number: int, seed: int) -> list[Mapping[str, str]]:
    """People to ask about, from one simulator; every other is asked for somebody, which has it make everything. Raises `Problem`."""
    from hub.cli.simulating import simulator, simulators
    from metip.simulator.v1.simulator_service_pb2 import DrawSubjectsRequest

    known = simulators(home)
    if not known:
        raise Problem("no simulator runs here, and a day is played on simulators only", "start them with `metip up`")

    async def ask(system: str, count: int) -> list[Mapping[str, str]]:
        async with simulator(home, system) as stub:
            reply = await stub.DrawSubjects(DrawSubjectsRequest(count=count, seed=seed), timeout=30)
        return [dict(one.facts) for one in reply.subjects]

    for other in known[1:]:
        await ask(other, 1)
    return await ask(known[0], number)


def memory(home: "Home") -> dict[str, int]:
    """Resident bytes of each process of the estate."""
    from hub.cli.gathering import processes

    found = {}
    for one in processes(home):
        try:
            text = Path(f"/proc/{one.pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        found[one.name] = next((1024 * int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")), 0)
    return found


def restarts(home: "Home") -> dict[str, int]:
    """How often each process of the estate was started again."""
    from hub.cli.gathering import processes

    return {one.name: one.restarts for one in processes(home)}
