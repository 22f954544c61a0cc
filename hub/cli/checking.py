"""`metip check`: everything that must be right, ticked off; each failure with its fix, and a non-zero exit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import FAILED, SKIPPED, WARNED, count, mark
from hub.cli.watching import watch_option

if TYPE_CHECKING:
    from hub.cli.findings import Finding

# As in hub.cli.findings, which is not imported for the sake of --help; a test compares them.
SECTIONS = ("identity", "contracts", "settings", "processes", "hub", "envoy", "interfaces", "traffic", "ledger", "edge", "simulators")
THERE = ("processes", "envoy")
"""Sections that only the mesh's own machine can be asked about, with those at rest."""
AFAR = "not looked at: this context names addresses, and it can be told only where the mesh runs"


@click.command(
    epilog="\b\nExamples:\n"
    "  metip check\n"
    "  metip check --json | python3 -m json.tool\n"
    "  metip check --only contracts --contracts changed.binpb     judge contracts before they are installed\n\n"
    "Ends with status 1 if anything is wrong; what is only doubtful (!) does not count."
)
@home_option
@json_option
@click.option(
    "--contracts",
    "source",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Judge this descriptor set instead of the installed contracts.",
)
@click.option("--only", multiple=True, type=click.Choice(SECTIONS), help="Look at this section only; may be repeated.")
@click.option("--as", "name", default="developer", show_default=True, metavar="NAME", help="Identity to try the edge with.")
@watch_option
def check(home: Path, as_json: bool, source: Path | None, only: tuple[str, ...], name: str) -> None:
    """Tick off everything that must be right; name each fault and its fix."""
    found = asyncio.run(_examined(home, source, only or SECTIONS, name, quiet=as_json))
    failed = sum(one.state == FAILED for one in found)
    if as_json:
        printing.print_json({"well": not failed, "findings": [one.document() for one in found]})
    else:
        click.echo(f"\n{summary(found)}")
    if failed:
        click.get_current_context().exit(1)


async def _examined(home: Path, source: Path | None, only: tuple[str, ...], name: str, *, quiet: bool) -> "list[Finding]":
    found: list[Finding] = []
    async for finding in examine(home, source, only, name):
        if not quiet:
            for line in lines(finding, found[-1] if found else None):
                click.echo(line)
        found.append(finding)
    return found


def _elsewhere(home: Path) -> bool:
    """Whether the home is on another machine, and a context names addresses instead."""
    return home.is_file()


async def examine(home: Path, source: Path | None, only: tuple[str, ...], name: str) -> "AsyncIterator[Finding]":
    """Every finding of those sections, as it is made."""
    from hub.cli import checks_at_rest, findings
    from hub.cli.messages import contracts
    from hub.laptop.layout import Home

    where = Home.at(home)
    installed = contracts()
    judged = contracts(source) if source else installed
    at_rest = {
        findings.IDENTITY: lambda: checks_at_rest.of_identity(where),
        findings.CONTRACTS: lambda: checks_at_rest.of_contracts(judged, source),
        findings.SETTINGS: lambda: checks_at_rest.of_settings(where, installed),
    }
    for section in only:
        if section in (findings.IDENTITY, findings.SETTINGS) and _elsewhere(home):
            yield findings.Section(section).unknown(AFAR)
        elif section in at_rest:
            for finding in at_rest[section]():
                yield finding
    if not set(only) <= set(at_rest):
        async for finding in _in_motion(home, only, name):
            yield finding


async def _in_motion(home: Path, only: tuple[str, ...], name: str) -> "AsyncIterator[Finding]":
    from hub.cli import (
        checks_in_motion,
        checks_of_console,
        checks_of_edge,
        checks_of_facades,
        checks_of_ledger,
        checks_of_traffic,
        findings,
    )
    from hub.cli.client import place
    from hub.cli.gathering import gather
    from hub.cli.messages import installed

    try:
        where = place(home)
    except Problem:
        yield findings.Section(findings.HUB).unknown("what runs was not looked at: the settings say where it would be")
        return
    state, messages = await gather(where), installed()
    looks = {
        findings.PROCESSES: lambda: checks_in_motion.of_processes(state),
        findings.HUB: lambda: checks_in_motion.of_hub(where, state, messages.contracts),
        findings.ENVOY: lambda: checks_in_motion.of_envoy(where, state),
        findings.INTERFACES: lambda: checks_in_motion.of_interfaces(where, state),
    }
    for section in only:
        if where.elsewhere and section in THERE:
            yield findings.Section(section).unknown(AFAR)
            continue
        for finding in looks.get(section, lambda: iter(()))():
            yield finding
    if findings.TRAFFIC in only:
        async for finding in checks_of_traffic.of_traffic(where):
            yield finding
    if findings.LEDGER in only:
        async for finding in checks_of_ledger.of_ledger(where):
            yield finding
    if findings.EDGE in only and where.from_afar:
        yield findings.Section(findings.EDGE).unknown("not tried: this context names no edge")
    elif findings.EDGE in only:
        async for finding in checks_of_edge.of_edge(where, state, messages, name):
            yield finding
        async for finding in checks_of_console.of_console(where):
            yield finding
        async for finding in checks_of_facades.of_facades(where, state):
            yield finding
    if findings.SIMULATORS in only and not where.elsewhere:
        async for finding in checks_in_motion.of_simulators(where, state):
            yield finding


def lines(finding: "Finding", before: "Finding | None") -> list[str]:
    """A finding for people, under its section's heading where that begins."""
    found = [] if before is not None and before.section == finding.section else [printing.title(finding.section)]
    found.append(f"  {mark(finding.state)} {printing.clean(finding.what)}")
    if finding.fix:
        found.append(f"      fix: {printing.clean(finding.fix)}")
    return found


def summary(found: "list[Finding]") -> str:
    """The last line."""
    failed, doubtful = (sum(one.state == state for one in found) for state in (FAILED, WARNED))
    looked_at = sum(one.state != SKIPPED for one in found)
    if failed:
        return click.style(f"{failed} of {count(looked_at, 'check')} failed; each says its fix.", fg="red", bold=True)
    words = f"all {count(looked_at, 'check')} passed" + (f", {doubtful} with a doubt" if doubtful else "")
    return click.style(f"{words}.", fg="green", bold=True)
