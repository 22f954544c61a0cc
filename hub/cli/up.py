"""`metip up`: the whole estate on this machine: started, shown, asked a sample question, watched, and stopped without a trace."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.options import before_grpc, estate_options, home_option
from hub.cli.printing import FAILED, OK, count, dim, mark, span, title

if TYPE_CHECKING:
    from hub.cli.client import Place
    from hub.cli.messages import Messages
    from hub.contracts.samples import Sample
    from hub.laptop.estate import Options
    from hub.laptop.layout import Home


@click.command(
    cls=Changing,
    dev_only=True,
    epilog="\b\nExamples:\n"
    "  metip up\n"
    "  metip up --port 9443 --json-port 9444 --home /tmp/mesh\n"
    "  metip up --soap-port 8446\n"
    "  metip up --system example --workers 2 --xds sotw\n\n"
    "Everything it keeps is in the home folder: identities, settings, access policy, logs, sockets.",
)
@home_option
@click.option("--port", type=click.IntRange(1, 65535), default=8443, show_default=True, help="Port of gRPC on 127.0.0.1.")
@click.option("--json-port", type=click.IntRange(1, 65535), default=8444, show_default=True, help="Port of JSON on 127.0.0.1.")
@click.option("--console-port", type=click.IntRange(1, 65535), default=8445, show_default=True, help="Port of the console on 127.0.0.1.")
@click.option("--no-console", is_flag=True, help="Start no console.")
@click.option(
    "--soap-port", type=click.IntRange(1, 65535), help="Start the SOAP façade too, on this port on 127.0.0.1. Default: no façade."
)
@estate_options
@click.option(
    "--traces", default="", metavar="HOST:PORT", help="Send traces of every call to this collector (OTLP over gRPC). Default: none."
)
@click.option("--no-sample", is_flag=True, help="Ask no sample question.")
def up(
    home: Path,
    port: int,
    json_port: int,
    console_port: int,
    no_console: bool,
    soap_port: int | None,
    systems: tuple[str, ...],
    workers: int,
    seed: int,
    xds: str,
    traces: str,
    no_sample: bool,
) -> None:
    """Start the whole estate and show it at work, until Ctrl-C.

    That is the hub, Envoy, and each system's adapter and simulator. Once everything is served it prints the status, asks a
    sample question and says what to try next. What dies is started again. On a terminal it prints the console's address
    with a sign-in of an hour; `metip console` prints a fresh one.
    """
    before_grpc()
    from hub.cli.starting import Stopper, check_systems
    from hub.laptop.estate import Options
    from hub.laptop.layout import Home
    from hub.laptop.preparing import Ports

    ports = [port, json_port, *(() if no_console else (console_port,)), *((soap_port,) if soap_port else ())]
    if len(set(ports)) < len(ports):
        raise click.UsageError("--port, --json-port, --console-port and --soap-port must differ")
    check_systems(systems)
    options = Options(
        Ports(port, json_port, console=0 if no_console else console_port, soap=soap_port or 0),
        workers=workers,
        seed=seed,
        xds=xds,
        traces=traces,
        only=systems,
    )
    where = Home.at(home)
    progress = Progress()
    Stopper(where, progress.say).run(lambda: _up(where, options, progress, sampled=not no_sample))


class Progress:
    """Says what happens, each line led by the time since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.print: Callable[[str], None] = click.echo
        """Where lines go; a live table puts its own here, so that lines appear above it."""

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def say(self, words: str) -> None:
        """One line; nothing when the terminal is gone, since what runs must be stopped all the same."""
        with suppress(OSError):
            self.print(f"{dim(f'{self.elapsed:6.1f} s')}  {words}")


async def _up(home: "Home", options: "Options", progress: Progress, *, sampled: bool) -> None:
    from hub.cli.client import place
    from hub.cli.gathering import gather
    from hub.cli.live import watch
    from hub.cli.messages import installed
    from hub.cli.status import print_interfaces
    from hub.laptop.estate import running

    async with running(home, options, progress.say) as supervisor:
        progress.say(
            f"{mark(OK)} ready: {count(len(options.systems), 'system')}, {count(len(supervisor.processes), 'process', 'processes')}"
        )
        where, messages = place(home.root), installed()
        state = await gather(where)
        click.echo(f"\n{title('interfaces')}")
        print_interfaces(state.interfaces)
        served = {one.name for one in state.interfaces if one.healthy}
        sample = best_sample(messages, served)
        if sample is not None and sampled:
            await show_sample(where, messages, sample)
        _print_next(where, messages, sample)
        await watch(where, progress)


def best_sample(messages: "Messages", served: set[str]) -> "Sample | None":
    """The sample that shows most: one that consults several sources if there is one, a query rather than a command."""
    from hub.contracts.samples import playable, samples

    fit = [one for one in samples(messages) if playable(one, served) and one.status == "OK" and not one.dials]
    return max(fit, key=lambda one: (len(one.operation.consults), one.operation.delivery_class.name == "READ"), default=None)


async def show_sample(where: "Place", messages: "Messages", sample: "Sample") -> bool:
    """Asks a sample question and shows each reply as it comes; whether it was answered."""
    import grpc

    from hub.cli.client import Edge, edge_channel
    from hub.cli.refusals import refusal_of
    from hub.cli.sources import reply_line

    operation = sample.operation
    click.echo(f"\n{title('a sample question')}: {sample.title}")
    click.echo(dim(f"  {operation.name}, as developer, with an officer's token" if operation.personal else f"  {operation.name}"))
    if operation.consults:
        click.echo(dim(f"  which asks {', '.join(operation.consults)}"))
    token = where.token() if operation.officer_admissible else ""
    started, replies = time.monotonic(), 0
    try:
        async with edge_channel(where, where.identity()) as channel:
            async for reply in Edge(channel, messages).replies(operation, sample.request, token=token):
                replies += 1
                state, words = reply_line(reply)
                click.echo(f"  {span(time.monotonic() - started):>8}  {mark(state)} {printing.shortened(words, printing.width() - 16)}")
    except grpc.aio.AioRpcError as error:
        first, *rest = refusal_of(error).lines()
        click.echo("\n".join([f"  {mark(FAILED)} {first}", *(f"  {line}" for line in rest)]))
        return False
    click.echo(f"  {span(time.monotonic() - started):>8}  {mark(OK)} complete: {count(replies, 'reply', 'replies')}")
    return True


def _print_next(where: "Place", messages: "Messages", sample: "Sample | None") -> None:
    from hub.cli.grpcurl import command, lines_for
    from hub.cli.simulating import simulators
    from hub.cli.starting import shown

    root = where.home.root
    click.echo(f"\n{title('try next')}, in another terminal:")
    rows = [(command("status", root), "what runs, who serves what"), (command("check", root), "is everything right?")]
    if sample is not None:
        name = sample.operation.name
        rows += [
            (command(f"explain {name}", root), "who may call it, why, where it goes"),
            (command(f"call {name} --sample", root), "ask it again"),
        ]
        rows += _fault_rows(where, messages, sample, simulators(where.home))
    rows += [
        (command("envoy status", root), "what Envoy counted"),
        (f"tail -f {shown(where.home.access_log)}", "each call that reaches the edge"),
    ]
    for line in printing.aligned([(words, dim(f"# {why}")) for words, why in rows], indent="  "):
        click.echo(line)
    if sample is not None:
        lines = lines_for(where, "developer", messages, sample.operation, sample.request)
        click.echo(f"\n{dim('  # the same with grpcurl')}\n  {lines.grpcurl}\n{dim('  # and as JSON over HTTP')}\n  {lines.curl}")
    _print_console(where)
    click.echo(f"\ngRPC on {where.edge}, JSON on {where.edge_json}. Ctrl-C stops everything.")


def _print_console(where: "Place") -> None:
    """The console's address. With the sign-in in it only where the person who started all this reads it, and no log does."""
    from hub.cli.console import ROLE, address, signed_in_address

    if where.settings.console is None:
        return
    words = "open the console in a browser; the sign-in lasts an hour, `metip console` prints a fresh one"
    shown = signed_in_address(where, (ROLE,)) if printing.on_terminal() else address(where)
    click.echo(f"\n{dim(f'  # {words}')}\n  {shown}")


def _fault_rows(where: "Place", messages: "Messages", sample: "Sample", known: tuple[str, ...]) -> list[tuple[str, str]]:
    """How to play a fault in a system that answers the sample, and how to undo it."""
    from hub.cli.grpcurl import command

    operations = messages.contracts.operations
    behind = [messages.contracts.interface(operations[one].interface).system for one in sample.operation.consults if one in operations]
    behind.append(messages.contracts.interface(sample.operation.interface).system)
    system = next((one for one in behind if one in known), None)
    if system is None:
        return []
    root = where.home.root
    return [
        (command(f"sim {system} hang", root), f"let {system} fall silent; then ask again"),
        (command(f"sim {system} --clear", root), "let it speak again"),
    ]
