"""`metip sim day`: plays the traffic of a day on a running estate, and says how each interface bore it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import printing
from hub.cli.options import Problem, Seconds, home_option, json_option
from hub.cli.printing import FAILED, OK, count, mark, span

if TYPE_CHECKING:
    from hub.cli.client import Place
    from hub.cli.day.plan import Traffic
    from hub.cli.day.player import Tally
    from hub.cli.exchange.asking import Exchange
    from hub.cli.messages import Messages
    from hub.laptop.layout import Home

SUBJECTS: Final = 3000
MOVING: Final = ("pending", "attempt")
"""States in which a delivery still moves by itself."""
TELL_EVERY: Final = 10.0


@dataclass(frozen=True)
class Held:
    """What the exchange holds for one subscription."""

    given: int
    """Deliveries in whatever state."""
    moving: int
    parked: int


@dataclass
class Report:
    """What a day came to."""

    simulated: float
    """Seconds."""
    took: float
    tallies: list["Tally"]
    before: dict[str, Held]
    after: dict[str, Held]
    memory: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Bytes of each process, when it was warm and at the end."""

    @property
    def failed(self) -> int:
        """Calls that came to nothing or were not made."""
        return sum(one.failed + one.given_up for one in self.tallies)

    @property
    def lost(self) -> int:
        """Messages that were accepted from us and are in no account of a subscription."""
        missing = 0
        for operation, accepted in self._accepted().items():
            for name, held in self.after.items():
                if name.partition(":")[2] == operation:
                    missing += max(0, accepted - held.given + self._given_before(name))
        return missing

    @property
    def waiting(self) -> int:
        """Deliveries that still move when we stopped waiting."""
        return sum(one.moving for one in self.after.values())

    @property
    def well(self) -> bool:
        """Whether nothing failed, nothing was lost and nothing is left waiting."""
        return not (self.failed or self.lost or self.waiting)

    def _given_before(self, name: str) -> int:
        return self.before[name].given if name in self.before else 0

    def _accepted(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.tallies:
            if one.traffic.operation.delivery is not None and one.traffic.template is not None:
                found[one.traffic.operation.name] = found.get(one.traffic.operation.name, 0) + one.ends["OK"]
        return found

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "well": self.well,
            "simulated_seconds": self.simulated,
            "seconds": round(self.took, 1),
            "failed": self.failed,
            "lost": self.lost,
            "waiting": self.waiting,
            "traffic": [
                {
                    "system": one.traffic.system,
                    "operation": one.traffic.operation.name,
                    "due": one.due,
                    "not_made": one.given_up,
                    "ends": dict(one.ends),
                    "a_second": round(sum(one.ends.values()) / self.took, 2),
                    "milliseconds": {f"p{share}": round(1000 * one.percentile(share / 100), 1) for share in (50, 90, 99)},
                }
                for one in self.tallies
            ],
            "subscriptions": {
                name: {"given": held.given - self._given_before(name), "waiting": held.moving, "parked": held.parked}
                for name, held in self.after.items()
            },
            "memory_bytes": {name: {"warm": warm, "end": end} for name, (warm, end) in self.memory.items()},
        }


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
    epilog="\b\nExamples:\n"
    "  metip sim day                            the hour from 18:00 in a minute\n"
    "  metip sim day --speed 20 --from 23:00 --for 2h\n"
    "  metip sim day --system pnc --system cris --share 0.5 --json\n\n"
    "Ends with status 1 if a call failed, a message was lost, or deliveries are still under way after the patience is over."
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

    async def play(self) -> Report:
        """Plays it, and waits until what was accepted has come to rest."""
        import time

        from hub.cli.client import edge_channel
        from hub.cli.day.player import Player, asking
        from hub.cli.exchange.asking import Exchange, token_of

        subjects = await drawn(self.where.home, SUBJECTS, self.seed)
        async with edge_channel(self.where, self.where.identity()) as channel:
            exchange = Exchange(channel, self.messages.contracts, token_of(self.where, ""))
            before = await held(exchange)
            player = Player(
                self.messages, subjects, self.speed, self.begins, asking(self.where, self.messages, channel), self._happen, self.seed
            )
            started = time.perf_counter()
            telling = asyncio.create_task(self._tell(started))
            warm = asyncio.create_task(self._warm())
            try:
                tallies = await player.play(self.lines, self.lasts)
            finally:
                telling.cancel()
            took = time.perf_counter() - started
            after = await self._at_rest(exchange)
            early, late = await warm, memory(self.where.home)
            return Report(self.lasts, took, tallies, before, after, {name: (early[name], late[name]) for name in early if name in late})

    async def _happen(self, line: "Traffic", number: int) -> None:
        from hub.cli.simulating import set_dials
        from metip.cases.v1.case_pb2 import Fault

        await set_dials(self.where.home, line.system, [Fault(dial=line.dial, setting=str(number), times=1)])

    async def _warm(self) -> dict[str, int]:
        """Memory after a quarter of the time, when caches and pools are filled."""
        await asyncio.sleep(self.lasts / self.speed / 4)
        return memory(self.where.home)

    async def _tell(self, started: float) -> None:
        import time

        while True:
            await asyncio.sleep(TELL_EVERY)
            passed = (time.perf_counter() - started) * self.speed
            click.echo(printing.dim(f"{span(min(passed, self.lasts))} of {span(self.lasts)} played"), err=True)

    async def _at_rest(self, exchange: "Exchange") -> dict[str, Held]:
        """The accounts when nothing moves any more, or when the patience is over."""
        import time

        until = time.monotonic() + self.patience
        while True:
            found = await held(exchange)
            if time.monotonic() >= until or not any(one.moving for one in found.values()):
                return found
            await asyncio.sleep(1)


async def held(exchange: "Exchange") -> dict[str, Held]:
    """The accounts by subscription; empty where there is no exchange."""
    from metip.exchange.v1.message_pb2 import State

    found = {}
    for one in await exchange.subscriptions():
        counts = {State.Name(count.state).removeprefix("STATE_").casefold(): count.deliveries for count in one.counts}
        found[one.subscription] = Held(sum(counts.values()), sum(counts.get(state, 0) for state in MOVING), counts.get("parked", 0))
    return found


async def drawn(home: "Home", number: int, seed: int) -> list[Mapping[str, str]]:
    """People to ask about, from any simulator that runs. Raises `Problem`."""
    from hub.cli.simulating import simulator, simulators
    from metip.simulator.v1.simulator_service_pb2 import DrawSubjectsRequest

    known = simulators(home)
    if not known:
        raise Problem("no simulator runs here, and a day is played on simulators only", "start them with `metip up`")
    async with simulator(home, known[0]) as stub:
        reply = await stub.DrawSubjects(DrawSubjectsRequest(count=number, seed=seed), timeout=30)
    return [dict(one.facts) for one in reply.subjects]


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


def show(report: Report) -> None:
    """The report for people."""
    columns = ("system", "operation", "due", "a second", "p50 ms", "p90 ms", "p99 ms", "answers", "failed")
    printing.print_table(columns, [_row(one, report.took) for one in report.tallies])
    click.echo()
    rows = [(name, str(held.given - report._given_before(name)), str(held.moving), str(held.parked)) for name, held in report.after.items()]
    printing.print_table(("subscription", "given", "waiting", "parked"), [row for row in rows if row[1] != "0"])
    click.echo()
    grown = [(name, _mib(warm), _mib(end), f"{(end - warm) / max(warm, 1):+.0%}") for name, (warm, end) in sorted(report.memory.items())]
    printing.print_table(("process", "MiB, warm", "MiB, at the end", "growth"), grown)
    click.echo()
    calls = sum(sum(one.ends.values()) for one in report.tallies)
    words = f"{span(report.simulated)} in {span(report.took)}: {count(calls, 'call')}, {report.failed} failed, {report.lost} lost"
    click.echo(f"{mark(OK if report.well else FAILED)} {words}, {report.waiting} still waiting")


def _row(one: "Tally", took: float) -> tuple[str, ...]:
    head = (one.traffic.system, one.traffic.operation.name.rpartition(".")[2], str(one.due))
    if one.traffic.template is None:
        return (*head, f"{one.due / took:.1f}", "", "", "", "by its simulator", "")
    ends = ", ".join(f"{number} {status}" for status, number in sorted(one.ends.items(), key=_most) if status != "OK")
    times = (f"{1000 * one.percentile(share):.1f}" for share in (0.5, 0.9, 0.99))
    failed = one.failed + one.given_up
    return (*head, f"{sum(one.ends.values()) / took:.1f}", *times, f"{one.ends['OK']} OK{', ' if ends else ''}{ends}", str(failed or ""))


def _most(end: tuple[str, int]) -> int:
    return -end[1]


def _mib(number: int) -> str:
    return f"{number / 2**20:.0f}"
