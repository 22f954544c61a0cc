"""`metip status` and `metip interfaces`: what runs, who serves what, what the mesh was told last."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import printing
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import FAILED, OK, SKIPPED, WARNED, count, mark, span
from hub.cli.watching import watch_option

if TYPE_CHECKING:
    from hub.cli.gathering import Served, State
    from metip.hub.v1.catalogue_service_pb2 import ListInterfacesResponse
    from metip.hub.v1.mesh_service_pb2 import AccessState, Change

SHORT_VERSION = 8
MOST_RESOURCES = 3


@click.command(
    epilog="\b\nExamples:\n  metip status\n  metip status --watch 2s\n  metip status --json | python3 -m json.tool\n\n"
    "Ends with status 1 if anything that should run does not."
)
@home_option
@json_option
@click.option("--changes", default=5, show_default=True, type=click.IntRange(0, 500), help="How many of the last changes to show.")
@watch_option
def status(home: Path, as_json: bool, changes: int) -> None:
    """Show processes, Envoys, instances, interfaces and the last changes."""
    if not _show(home, as_json, changes).well:
        click.get_current_context().exit(1)


def _show(home: Path, as_json: bool, changes: int) -> "State":
    from hub.cli.client import place
    from hub.cli.gathering import gather

    state = asyncio.run(gather(place(home), changes=max(changes, 1)))
    if state.mesh is None and state.envoy_version is None and not state.processes:
        raise Problem(f"no mesh runs in {home}", "start one with `metip up`")
    if as_json:
        printing.print_json(document(state, changes))
    else:
        print_status(state, changes)
    return state


@click.command(
    epilog="\b\nExamples:\n  metip interfaces\n  metip interfaces --offline\n  metip interfaces --json\n"
    "  metip interfaces --register > docs/interfaces.md\n"
    "  metip interfaces --openapi > openapi.json    for code generators, test tools and gateways of the JSON face\n\n"
    "What one operation does and who may call it is `metip explain`'s to say."
)
@home_option
@json_option
@click.option("--register", "as_page", is_flag=True, help="Print the register of installed contracts as a Markdown page.")
@click.option("--openapi", "as_openapi", is_flag=True, help="Print the JSON face of installed contracts as an OpenAPI 3.1 document.")
@click.option("--offline", is_flag=True, help="Read the installed contracts instead of asking the hub.")
def interfaces(home: Path, as_json: bool, offline: bool, as_page: bool, as_openapi: bool) -> None:
    """List the interfaces, who owns them, and who serves them."""
    if as_openapi:
        _openapi()
        return
    if as_page:
        from hub.cli.day.plan import traffic
        from hub.cli.messages import installed
        from hub.cli.register import register

        messages = installed()
        click.echo(register(messages, traffic(messages)), nl=False)
        return
    found = _offline() if offline else asyncio.run(_from_hub(home))
    if as_json:
        from google.protobuf.json_format import MessageToDict

        printing.print_json(MessageToDict(found, preserving_proto_field_name=True))
        return
    columns = ("interface", "system", "operations", "instances", "owner", "classification", "assessment", "review by")
    rows = [
        (
            one.name,
            one.system,
            str(len(one.operations)),
            "" if offline else str(one.instances),
            one.owner,
            one.classification,
            one.dpia,
            one.dpia_review_by,
        )
        for one in found.interfaces
    ]
    printing.print_table(columns, rows)
    for fault in found.faults:
        click.echo(f"{mark(FAILED)} {fault.element} {fault.problem}\n    fix: {fault.fix}")


def _openapi() -> None:
    import json
    from importlib.metadata import version

    from hub.catalogue import document
    from hub.cli.messages import installed
    from hub.contracts.samples import samples

    messages = installed()
    requests = {one.operation.name: messages.document(one.request) for one in samples(messages)}
    click.echo(json.dumps(document(messages.contracts, version=version("metip"), samples=requests), ensure_ascii=False, indent=1))


async def _from_hub(home: Path) -> "ListInterfacesResponse":
    from hub.cli.client import HubGoneError, hub_client, place

    async with hub_client(place(home)) as hub:
        try:
            return await hub.interfaces()
        except HubGoneError as error:
            raise Problem(error.message, "start it with `metip up`, or read the installed contracts with --offline") from None


def _offline() -> "ListInterfacesResponse":
    from hub.cli.messages import contracts
    from metip.hub.v1.catalogue_service_pb2 import ContractFault, InterfaceSummary, ListInterfacesResponse

    known = contracts()
    return ListInterfacesResponse(
        interfaces=[
            InterfaceSummary(
                name=one.name,
                system=one.system,
                owner=one.owner,
                dpia=one.dpia.reference,
                dpia_review_by=one.dpia.review_by.isoformat(),
                classification=one.classification.replace("_", "-"),
                operations=[operation.method for operation in one.operations],
            )
            for one in known.interfaces
            if not one.private
        ],
        faults=[ContractFault(element=one.element, problem=one.problem, fix=one.fix) for one in known.faults],
    )


def print_status(state: "State", changes: int = 5) -> None:
    """The whole state, for people."""
    if state.processes:
        click.echo(printing.title("processes"))
        printing.print_table(("process", "state", "pid", "restarts", "log"), [_process(one) for one in state.processes])
    click.echo(printing.title("\nEnvoy"))
    _print_envoys(state)
    click.echo(printing.title("\ninterfaces"))
    if state.catalogue is None:
        click.echo(f"{mark(FAILED)} the hub does not answer, so nobody knows who serves what")
    else:
        print_interfaces(state.interfaces)
        rows = back_end_rows(state.interfaces)
        if rows:
            click.echo(printing.title("\nseveral systems behind one interface"))
            printing.print_table(("interface", "system", "weight", "instances", "healthy hosts"), rows)
    if state.mesh is not None:
        click.echo(printing.title("\ninstances"))
        rows = [(one.id, one.system, count(len(one.interfaces), "interface"), one.address) for one in state.mesh.instances]
        printing.print_table(("instance", "system", "serves", "address"), rows)
        _print_access(state.mesh.access)
        for one in state.mesh.certificates:
            if one.expires_soon:
                click.echo(f"{mark(WARNED)} the certificate of {one.use} ({one.spiffe_id}) ends on {one.not_after.ToDatetime():%Y-%m-%d}")
        for due in state.mesh.reviews_due:
            words = f"its DPIA {due.reference} is to be reviewed by {due.review_by}; past that date it does not load"
            click.echo(f"{mark(WARNED)} {due.element}: {words}")
    if changes and state.changes:
        click.echo(printing.title("\nlast changes"))
        printing.print_table(("change", "at (UTC)", "took", "outcome", "cause", "what"), [_change(one) for one in state.changes[:changes]])


def print_interfaces(served: "tuple[Served, ...]") -> None:
    """Interfaces with who serves them."""
    printing.print_table(("interface", "system", "operations", "instances", "healthy hosts"), interface_rows(served))


def interface_rows(served: "tuple[Served, ...]") -> list[tuple[str, ...]]:
    """Interfaces as rows of a table."""
    return [
        (f"{mark(one.state)} {one.name}", one.system, str(len(one.operations)), str(one.instances), f"{one.healthy} of {len(one.hosts)}")
        for one in served
    ]


def back_end_rows(served: "tuple[Served, ...]") -> list[tuple[str, ...]]:
    """The systems behind interfaces that have several, as rows of a table."""
    return [
        (
            one.name,
            behind.system,
            str(behind.weight) if behind.weight == behind.in_force else f"{behind.in_force} (runtime; settings {behind.weight})",
            str(behind.instances),
            f"{sum(host.healthy for host in behind.hosts)} of {len(behind.hosts)}",
        )
        for one in served
        for behind in one.back_ends
    ]


def _process(one: Any) -> tuple[str, ...]:
    words = one.state if one.alive or one.state != "running" else "does not run"
    return (f"{mark(OK if one.alive else FAILED)} {one.name}", words, str(one.pid or ""), str(one.restarts), one.log)


def _print_envoys(state: "State") -> None:
    if state.afar:
        click.echo(f"{mark(SKIPPED)} its admin interface is not reached from here, so nobody can say which hosts are healthy")
    elif state.envoy_version is None:
        click.echo(f"{mark(FAILED)} Envoy's admin interface does not answer")
    else:
        click.echo(f"{mark(OK)} version {state.envoy_version}")
    if state.mesh is None:
        return
    if not state.mesh.envoys:
        click.echo(f"{mark(FAILED)} no Envoy takes its configuration from the hub")
    for envoy in state.mesh.envoys:
        versions = ", ".join(f"{kind} {version[:SHORT_VERSION]}" for kind, version in sorted(envoy.accepted.items()))
        click.echo(
            f"{mark(OK)} {envoy.node}, {envoy.protocol}, connected since {_at(envoy.since)} UTC; accepted: {versions or 'nothing yet'}"
        )
        if envoy.last_refusal:
            click.echo(f"{mark(WARNED)} last refusal: {printing.clean(envoy.last_refusal)}")


def _print_access(now: "AccessState") -> None:
    click.echo(printing.title("\naccess policy"))
    since = f"in force since {now.since.ToDatetime():%Y-%m-%d %H:%M:%S} UTC"
    approved = f", approval {now.number} by {now.author} and {now.approver}" if now.number else ""
    words = f"{now.digest[:SHORT_VERSION]}, {count(len(now.policy.grants), 'grant')}, {since}{approved}" if now.digest else "there is none"
    click.echo(f"{mark(OK if now.digest else WARNED)} {words}")
    for problem in now.waiting:
        click.echo(f"{mark(WARNED)} the one in the file is not in force: {printing.clean(problem)}")
    for problem in now.idle:
        click.echo(f"{mark(WARNED)} {printing.clean(problem)}")


def _change(one: "Change") -> tuple[str, ...]:
    took = (one.finished.ToDatetime() - one.started.ToDatetime()).total_seconds()
    resources = list(one.resources)
    more = f" and {len(resources) - MOST_RESOURCES} more" if len(resources) > MOST_RESOURCES else ""
    what = "; ".join(one.reasons) or ", ".join(resources[:MOST_RESOURCES]) + more
    return (str(one.id), _at(one.started), span(took), outcome_word(one), one.cause, printing.clean(what))


def outcome_word(change: "Change") -> str:
    """How a change ended, in one word."""
    from metip.hub.v1.mesh_service_pb2 import ChangeOutcome

    return ChangeOutcome.Name(change.outcome).removeprefix("CHANGE_OUTCOME_").lower()


def _at(stamp: Any) -> str:
    return f"{stamp.ToDatetime():%H:%M:%S}"


def document(state: "State", changes: int) -> dict[str, Any]:
    """The whole state as JSON."""
    from google.protobuf.json_format import MessageToDict

    return {
        "well": state.well,
        "supervisor": state.supervisor,
        "processes": [
            {"name": one.name, "state": one.state, "alive": one.alive, "pid": one.pid, "restarts": one.restarts, "log": one.log}
            for one in state.processes
        ],
        "envoy": {"version": state.envoy_version},
        "interfaces": [
            {
                "name": one.name,
                "system": one.system,
                "operations": list(one.operations),
                "instances": one.instances,
                "hosts": [{"address": host.address, "healthy": host.healthy, "ejected": host.ejected} for host in one.hosts],
                "expected": one.expected,
                "state": one.state,
                "back_ends": [
                    {"system": behind.system, "weight": behind.weight, "in_force": behind.in_force, "instances": behind.instances}
                    for behind in one.back_ends
                ],
            }
            for one in state.interfaces
        ],
        "mesh": MessageToDict(state.mesh, preserving_proto_field_name=True) if state.mesh is not None else None,
        "changes": [MessageToDict(one, preserving_proto_field_name=True) for one in state.changes[:changes]],
    }
