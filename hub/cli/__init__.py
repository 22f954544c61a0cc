"""The `metip` command line: a table of commands, each of whose modules is imported when it is used, so that `--help` is quick."""

import metip.forking  # noqa: F401 - before gRPC

# isort: split

import importlib
import os
from typing import Any, Final

import click

Sections = dict[str, dict[str, tuple[str, str]]]

SECTIONS: Final[Sections] = {
    "Run": {
        "up": ("hub.cli.up:up", "Start the whole estate and show it at work, until Ctrl-C."),
        "demo": ("hub.cli.demo:demo", "Play the scenarios on an estate of their own, say what happened, and end."),
    },
    "Look": {
        "check": ("hub.cli.checking:check", "Tick off everything that must be right; name each fault and its fix."),
        "status": ("hub.cli.status:status", "Show processes, Envoys, instances, interfaces and the last changes."),
        "interfaces": ("hub.cli.status:interfaces", "List the interfaces, who owns them, and who serves them."),
        "console": (
            "hub.cli.console:console",
            "Print the console's address with a fresh sign-in in your name, for a browser.",
        ),
        "top": (
            "hub.cli.estate.top:top",
            "Show what is live: rates, errors, times, what is in flight, queued, parked, and waits longest.",
        ),
        "tap": ("hub.cli.estate.tap:tap", "Show calls live as they end: whose, of what, how, how long."),
        "trace": (
            "hub.cli.journey.trace:trace",
            "Tell the whole journey of a call or message: consumer, Envoy, adapter, exchange, far system.",
        ),
        "explain": ("hub.cli.explaining:explain", "Say who may call an operation, why, where it goes, and its limits."),
        "envoy": ("hub.cli.envoy_status:envoy", "Show what Envoy knows: clusters, hosts, health, counts."),
        "doctor": ("hub.cli.doctor.command:doctor", "Gather a bundle for support: all about this estate, nothing personal, no secret."),
    },
    "Call": {
        "call": ("hub.cli.calling:call", "Call an operation through the edge and print a readable answer, masked."),
        "grpcurl": ("hub.cli.grpcurl:grpcurl", "Print grpcurl and curl lines with valid sample data, ready to paste."),
        "bench": ("hub.cli.bench.command:bench", "Call one query of a running estate at a rate, and say how it answered."),
        "sim": ("hub.cli.simulating:sim", "List simulators, show their dials, play faults and days."),
    },
    "Exchange": {
        "messages": ("hub.cli.exchange:messages", "Find, follow, steer, replay and hand over messages of the exchange."),
    },
    "Steer": {
        "traffic": ("hub.cli.traffic:traffic", "Show and change where calls go: weights, pins, faults, limits, maintenance, drains."),
    },
    "Migrate": {
        "migrate": ("hub.cli.migrate:migrate", "Move interfaces from the old platform to the new one and back, with evidence."),
        "parity": ("hub.cli.parity:parity", "Report where the old and the new platform differ; show, accept, and make cases of it."),
    },
    "Account": {
        "access": ("hub.cli.access:access", "Check, explain, compare and approve access policies."),
        "ledger": ("hub.cli.ledger:ledger", "Find, show, report, hand out and erase records of who looked at whom."),
    },
    "Identify": {
        "context": ("hub.cli.contexts:context", "Name meshes (dev, test, live), and choose the one that commands are for."),
        "identity": ("hub.cli.identity:identity", "Issue and check the certificates by which workloads know one another."),
        "token": ("hub.cli.identity:token", "Issue and show officer tokens, which say who is behind a call (development only)."),
    },
    "Learn": {
        "help": ("hub.cli.manual.command:help_", "Show the help of a command, or write the manual: a page of each, for man."),
        "completion": ("hub.cli.completing.command:completion", "Print the script by which a shell completes the words of `metip`."),
    },
    "Build": {
        "new": (
            "hub.cli.scaffolding:new",
            "Scaffold SYSTEM: its contract, its adapter, a simulator and what is fuzzed, which work and pass all checks untouched.",
        ),
    },
}
"""Commands by section: where each one lives, and what `metip --help` says of it."""


class Commands(click.Group):
    """A group that knows its commands' names and words, and imports only the one that is used."""

    def __init__(self, *arguments: Any, sections: Sections, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the help."""
        return [name for commands in self._sections.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None for one that there is not."""
        for commands in self._sections.values():
            if cmd_name in commands:
                module, _, attribute = commands[cmd_name][0].partition(":")
                command: click.Command = getattr(importlib.import_module(module), attribute)
                return command
        return None

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Runs the command line, or completes words of it where a shell's script asks."""
        if os.environ.get("_METIP_COMPLETE"):
            from hub.cli.completing.shells import install

            install()
        return super().main(*arguments, **options)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, in the words of the table."""
        width = max(map(len, self.list_commands(ctx)))
        for section, commands in self._sections.items():
            with formatter.section(section):
                formatter.write_dl([(f"{name:{width}}", words) for name, (_, words) in commands.items()])


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"metip {version('metip')}")
        ctx.exit()


@click.group(
    cls=Commands,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="\b\nExamples:\n"
    "  metip up                                 start everything here, until Ctrl-C\n"
    "  metip check                              is everything right? what to do where it is not\n"
    "  metip call GetExample --sample           call an operation with its sample request\n"
    "  metip explain GetExample                 who may call it, why, where it goes\n\n"
    "Exit status: 0 all is well, 1 something is wrong, 2 the command was not understood.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and end.")
def main() -> None:
    """MetIP Hub: police systems behind typed gRPC contracts, on an Envoy mesh.

    Everything a command needs is in one folder, .metip unless --home or METIP_HOME names another.
    """
