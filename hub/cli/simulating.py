"""`metip sim`: the simulators that stand in for the far systems, and the fault dials on them."""

import asyncio
import importlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import OK, WARNED, mark

if TYPE_CHECKING:
    from hub.laptop.layout import Home
    from metip.cases.v1.case_pb2 import Fault
    from metip.simulator.v1.simulator_service_pb2 import GetSimulatorResponse
    from metip.simulator.v1.simulator_service_pb2_grpc import SimulatorServiceAsyncStub

DIAL = re.compile(r"(?P<dial>[a-z][a-z0-9_]*)(?:=(?P<setting>.*?))?(?P<limits>(?::(?:share|times|lasts)=[^:]*)*)")
OWN: Final = {"faults": "hub.cli.faults:faults", "play": "hub.cli.faults:play", "day": "hub.cli.day.command:day"}
PREFIX, SUFFIX = "sim-", ".sock"
PATIENCE = 5.0


class Simulators(click.Group):
    """Its own commands, and one for each simulator, whichever run."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of its own, or the one that shows and turns the dials of that system."""
        if cmd_name in OWN:
            module, _, attribute = OWN[cmd_name].partition(":")
            found: click.Command = getattr(importlib.import_module(module), attribute)
            return found
        return None if cmd_name.startswith("-") else _command_of(cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those that are always there."""
        return list(OWN)


@click.group(
    cls=Simulators,
    invoke_without_command=True,
    subcommand_metavar="[SYSTEM [DIAL[=SETTING][:share=0.1][:times=3][:lasts=25s]]...] | [COMMAND]",
    epilog="\b\nExamples:\n"
    "  metip sim                                which simulators run, which dials are set\n"
    "  metip sim example                        its dials, and how often it was asked what\n"
    "  metip sim example delay=2s               answer after two seconds\n"
    "  metip sim example hang:share=0.1 drop:times=3 garbage:lasts=25s\n"
    "                                           never answer one in ten; drop the next three; nonsense for 25 s\n"
    "  metip sim example --clear                put every dial back\n"
    "  metip sim faults                         the catalogue of faults, by name\n"
    "  metip sim play F01                       play one of them\n"
    "  metip sim day --speed 60                 play a day of the force\n",
)
@home_option
@json_option
@click.pass_context
def sim(context: click.Context, home: Path, as_json: bool) -> None:
    """List simulators, show their dials, play faults and days.

    A simulator speaks its system's own protocol with made-up people; its dials make it fail as the real one would.
    """
    from hub.laptop.layout import Home

    if context.invoked_subcommand is None:
        _list(asyncio.run(_all(Home.at(home))), as_json)


def _command_of(system: str) -> click.Command:
    """`metip sim <system>`."""

    @click.command(
        system,
        cls=Changing,
        when=lambda given: bool(given["dials"] or given["clear"]),
        help=f"Show the dials of the simulator of {system}, or turn them.",
    )
    @click.argument("dials", nargs=-1, metavar="[DIAL[=SETTING][:share=0.1][:times=3][:lasts=25s]]...")
    @home_option
    @json_option
    @click.option("--clear", is_flag=True, help="Put every dial back; before dials that are given are set.")
    def turn(dials: tuple[str, ...], home: Path, as_json: bool, clear: bool) -> None:
        from hub.laptop.layout import Home

        faults = parse_dials(dials)
        told = asyncio.run(_one(Home.at(home), system, faults, clear=clear))
        if as_json:
            printing.print_json(document(told))
            return
        _show(told, changed=bool(faults or clear))

    return turn


def parse_dials(texts: Sequence[str]) -> "list[Fault]":
    """`delay=2s`, `hang:share=0.1`, `error=E42:times=2`. Raises `click.UsageError` with every one that makes no sense."""
    from metip.cases.v1.case_pb2 import Fault

    found, problems = [], []
    for text in texts:
        match = DIAL.fullmatch(text)
        if match is None:
            problems.append(f"{text!r}: write a dial such as hang, delay=2s, hang:share=0.1 or drop:times=3")
            continue
        fault = Fault(dial=match["dial"], setting=match["setting"] or "")
        for limit in filter(None, match["limits"].split(":")):
            key, _, value = limit.partition("=")
            problem = _limit(fault, key, value)
            if problem:
                problems.append(f"{text!r}: {problem}")
        found.append(fault)
    if problems:
        raise click.UsageError("\n".join(problems))
    return found


def _limit(fault: "Fault", key: str, value: str) -> str:
    try:
        if key == "share":
            fault.share = float(value)
            return "" if 0 < fault.share <= 1 else "a share is above 0 and at most 1"
        if key == "lasts":
            from hub.cli.options import seconds

            lasts = seconds(value)
            if not lasts:
                return "lasts is a time such as 25s"
            fault.lasts.FromNanoseconds(int(lasts * 1e9))
            return ""
        fault.times = int(value)
    except ValueError:
        return f"{key} is a number"
    return "" if fault.times > 0 else "times is at least 1"


def simulators(home: "Home") -> tuple[str, ...]:
    """Systems whose simulator has a control socket here."""
    return tuple(sorted(path.name.removeprefix(PREFIX).removesuffix(SUFFIX) for path in home.run.glob(f"{PREFIX}*{SUFFIX}")))


@asynccontextmanager
async def simulator(home: "Home", system: str) -> "AsyncIterator[SimulatorServiceAsyncStub]":
    """The control of one simulator for the length of the block. Raises `Problem` when it does not answer or refuses."""
    import grpc

    from metip.simulator.v1.simulator_service_pb2_grpc import SimulatorServiceStub

    known = simulators(home)
    if system not in known:
        there = f"there are {', '.join(known)}" if known else "no simulator runs here"
        raise Problem(f"there is no simulator of {system}; {there}", "" if known else "start them with `metip up`")
    async with grpc.aio.insecure_channel(f"unix:{home.run / f'{PREFIX}{system}{SUFFIX}'}") as channel:
        stub: SimulatorServiceAsyncStub = SimulatorServiceStub(channel)
        try:
            yield stub
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                raise Problem(error.details() or "the simulator refuses the dial", f"`metip sim {system}` explains its dials") from None
            raise Problem(
                f"the simulator of {system} does not answer", f"its log is one of {home.log('simulators-*')}; `metip up` starts it"
            ) from None


async def told_by(home: "Home", system: str) -> "GetSimulatorResponse":
    """What one simulator says about itself. Raises `Problem`."""
    from metip.simulator.v1.simulator_service_pb2 import GetSimulatorRequest

    async with simulator(home, system) as stub:
        return await stub.GetSimulator(GetSimulatorRequest(), timeout=PATIENCE)


async def set_dials(home: "Home", system: str, faults: "Sequence[Fault]", *, clear: bool = False) -> None:
    """Puts dials back if that is asked for, then sets others. Raises `Problem`."""
    from metip.simulator.v1.simulator_service_pb2 import ClearFaultsRequest, SetFaultsRequest

    async with simulator(home, system) as stub:
        if clear:
            await stub.ClearFaults(ClearFaultsRequest(), timeout=PATIENCE)
        if faults:
            await stub.SetFaults(SetFaultsRequest(faults=faults), timeout=PATIENCE)


async def _one(home: "Home", system: str, faults: "Sequence[Fault]", *, clear: bool) -> "GetSimulatorResponse":
    await set_dials(home, system, faults, clear=clear)
    return await told_by(home, system)


async def _all(home: "Home") -> "dict[str, GetSimulatorResponse | Problem]":
    async def one(system: str) -> "GetSimulatorResponse | Problem":
        try:
            return await told_by(home, system)
        except Problem as problem:
            return problem

    names = simulators(home)
    return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


def _list(found: "dict[str, GetSimulatorResponse | Problem]", as_json: bool) -> None:
    if as_json:
        rows = {
            name: {"problem": told.message, "fix": told.fix} if isinstance(told, Problem) else document(told)
            for name, told in found.items()
        }
        printing.print_json(rows)
    elif not found:
        click.echo("no simulator runs here; start them with `metip up`")
    else:
        columns = ("simulator", "address", "exchanges", "dials set")
        printing.print_table(columns, [_row(name, told) for name, told in found.items()])
    if any(isinstance(told, Problem) for told in found.values()):
        click.get_current_context().exit(1)


def _row(name: str, told: "GetSimulatorResponse | Problem") -> tuple[str, ...]:
    if isinstance(told, Problem):
        return (f"{mark(printing.FAILED)} {name}", "does not answer", "", told.fix)
    dials = ", ".join(map(fault_words, told.faults)) or "none"
    return (f"{mark(WARNED if told.faults else OK)} {name}", told.address, str(sum(told.exchanges.values())), dials)


def _show(told: "GetSimulatorResponse", *, changed: bool) -> None:
    click.echo(f"{printing.title(told.system)} at {told.address}")
    current = {fault.dial: fault for fault in told.faults}
    if changed:
        words = ", ".join(map(fault_words, told.faults))
        click.echo(f"{mark(WARNED)} set now: {words}" if words else f"{mark(OK)} every dial is back")
        return
    rows = [(name, fault_words(current[name]) if name in current else "", words) for name, words in told.dials.items()]
    printing.print_table(("dial", "set to", "what it does"), sorted(rows))
    if told.exchanges:
        click.echo()
        printing.print_table(("exchange", "times"), sorted((name, str(times)) for name, times in told.exchanges.items()))
    else:
        click.echo("it was asked nothing yet")


def fault_words(fault: "Fault") -> str:
    """A dial as it is typed."""
    lasts = f":lasts={fault.lasts.ToTimedelta().total_seconds():g}s" if fault.HasField("lasts") else ""
    share = f":share={fault.share:g}" if 0 < fault.share < 1 else ""
    return f"{fault.dial}{f'={fault.setting}' if fault.setting else ''}{share}{f':times={fault.times}' if fault.times else ''}{lasts}"


def document(told: "GetSimulatorResponse") -> dict[str, Any]:
    """A simulator as JSON."""
    return {
        "system": told.system,
        "address": told.address,
        "dials": dict(told.dials),
        "set": [{"dial": one.dial, "setting": one.setting, "share": one.share, "times": one.times} for one in told.faults],
        "exchanges": dict(told.exchanges),
    }
