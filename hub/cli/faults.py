"""`metip sim faults` and `metip sim play`: the catalogue of faults that are known to happen, each played by its name."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import OK, WARNED, mark, span

if TYPE_CHECKING:
    from hub.cli.client import Place
    from hub.cli.staging import Answer
    from metip.simulator.v1.catalogue_pb2 import Catalogue, NamedFault

FILE: Final = "faults.yaml"


def catalogue(folder: Path | None = None) -> "Catalogue":
    """The catalogue. Raises `Problem` when it can't be read."""
    from hub.contracts.folders import adapters_folder
    from metip.settings import SettingsError, read_settings
    from metip.simulator.v1.catalogue_pb2 import Catalogue

    try:
        return read_settings((folder or adapters_folder()) / FILE, Catalogue)
    except SettingsError as error:
        raise Problem(str(error)) from None


@click.command(epilog="\b\nExamples:\n  metip sim faults\n  metip sim faults --json\n")
@json_option
def faults(as_json: bool) -> None:
    """List the faults that are known to happen, by name."""
    found = catalogue().faults
    if as_json:
        printing.print_json([_document(one) for one in found])
        return
    rows = [(one.name, one.what, one.why, "; ".join([*one.dials, *one.cases])) for one in found]
    printing.print_table(("fault", "what happens", "why it is real", "how it is played"), rows)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip sim play F01                       turn the dials of the fault\n"
    "  metip sim play F21                       ask as the consumer asks, and see the answers\n"
    "  metip sim play F01 --stop                put the dials of its systems back\n",
)
@click.argument("name")
@home_option
@json_option
@click.option("--stop", is_flag=True, help="Put every dial of the fault's systems back.")
def play(name: str, home: Path, as_json: bool, stop: bool) -> None:
    """Play a fault of the catalogue: turn its dials, then send its cases."""
    from hub.cli.client import place

    known = {one.name: one for one in catalogue().faults}
    fault = known.get(name.upper())
    if fault is None:
        raise Problem(f"the catalogue has no {name}", "`metip sim faults` lists it")
    where = place(home)
    answers = asyncio.run(_play(where, fault, stop=stop))
    if as_json:
        told = [{"case": case, "status": answer.status, "said": answer.words()} for case, answer in answers]
        printing.print_json({**_document(fault), "stopped": stop, "answers": told})
        return
    for dial in fault.dials:
        click.echo(f"{mark(OK if stop else WARNED)} {dial.partition(' ')[0]} is back" if stop else f"{mark(WARNED)} set: {dial}")
    for case, answer in answers:
        click.echo(f"{mark(OK)} {case}: {printing.clean(answer.words())} ({span(answer.took)})")


def dials_of(fault: "NamedFault") -> dict[str, list[str]]:
    """The dials of each system, as they are typed."""
    found: dict[str, list[str]] = {}
    for line in fault.dials:
        system, _, dial = line.partition(" ")
        found.setdefault(system, []).append(dial)
    return found


async def _play(where: "Place", fault: "NamedFault", *, stop: bool) -> "list[tuple[str, Answer]]":
    from hub.cli.client import Edge, edge_channel
    from hub.cli.messages import installed
    from hub.cli.simulating import parse_dials, set_dials
    from hub.cli.staging import ask
    from hub.contracts.folders import adapters_folder
    from hub.contracts.samples import CaseError, read_case

    for system, dials in dials_of(fault).items():
        await set_dials(where.home, system, [] if stop else parse_dials(dials), clear=stop)
    if stop or not fault.cases:
        return []
    messages, answers = installed(), []
    async with edge_channel(where, where.identity()) as channel:
        for name in fault.cases:
            system, _, case = name.partition("/")
            try:
                sample = read_case(adapters_folder() / system / "cases" / f"{case}.txtpb", messages)
            except CaseError as error:
                raise Problem(str(error)) from None
            token = where.token() if sample.operation.officer_admissible else ""
            edge = Edge(channel, messages)
            answers.append((name, await ask(edge, sample.operation, sample.request, token=token, within=sample.deadline)))
    return answers


def _document(fault: "NamedFault") -> dict[str, Any]:
    return {"name": fault.name, "what": fault.what, "why": fault.why, "dials": list(fault.dials), "cases": list(fault.cases)}
