"""Checks of what runs: processes, hub, Envoy, who serves what, simulators.

The law: a fault is named once. What can't be looked at because of a fault that is named already is left out, and says so.
"""

from collections.abc import AsyncIterator, Iterator

from hub.cli.client import Place
from hub.cli.findings import ENVOY, HUB, INTERFACES, PROCESSES, SIMULATORS, Finding, Section
from hub.cli.gathering import ADAPTER, Served, State
from hub.cli.messages import operations
from hub.cli.options import Problem
from hub.cli.printing import count
from hub.cli.simulating import PREFIX, fault_words, simulators, told_by
from hub.contracts import Contracts
from metip.hub.v1.mesh_service_pb2 import ChangeOutcome

START = "start the mesh with `metip up`"
AGAIN = "stop the mesh with Ctrl-C and start it again with `metip up`"
STANDING = (ChangeOutcome.CHANGE_OUTCOME_ACCEPTED, ChangeOutcome.CHANGE_OUTCOME_UNSPECIFIED)


def of_processes(state: State) -> Iterator[Finding]:
    """What `metip up` started still runs."""
    section = Section(PROCESSES)
    if not state.processes:
        yield section.unknown("nobody runs `metip up` in this home")
        return
    if state.supervisor is None:
        yield section.wrong("`metip up` is gone, so nothing is started again when it ends", START)
    for one in state.processes:
        if not one.alive:
            words = "is stopped" if one.state in ("stopped", "running") else f"is {one.state}"
            yield section.wrong(f"{one.name} {words}", f"read {one.log}; {AGAIN}")
        elif one.restarts:
            yield section.doubtful(f"{one.name} runs, but was restarted {count(one.restarts, 'time')}", f"read {one.log}")
    well = [one for one in state.processes if one.alive]
    if len(well) == len(state.processes):
        yield section.right(f"all run: {', '.join(one.name for one in well)}")


def of_hub(where: Place, state: State, known: Contracts | None) -> Iterator[Finding]:
    """The hub answers, and has loaded what is installed."""
    section = Section(HUB)
    if state.mesh is None or state.catalogue is None:
        fix = where.remedy if where.elsewhere else f"{START}; its log is {where.home.log('hub')}"
        yield section.wrong(f"the hub at {where.hub} does not answer", fix)
        return
    yield section.right(f"answers at {where.hub}")
    for fault in state.catalogue.faults:
        yield section.wrong(f"{fault.element} is not loaded: it {fault.problem}", fault.fix)
    if known is None:
        return
    loaded = {f"{one.name}/{operation}" for one in state.catalogue.interfaces for operation in one.operations}
    differing = sorted(loaded ^ set(operations(known)))
    yield section.judged(
        not differing,
        "has loaded the contracts that are installed",
        f"the hub's contracts are not those installed: {', '.join(differing[:3])}{' …' if len(differing) > 3 else ''}",
        AGAIN,
    )


def of_envoy(where: Place, state: State) -> Iterator[Finding]:
    """Envoy answers, is connected to the hub, and took what it was told."""
    section = Section(ENVOY)
    if state.envoy_version is None:
        yield section.wrong(
            f"Envoy's admin interface at {where.home.admin_socket} does not answer", f"{START}; its log is {where.home.log('envoy')}"
        )
    else:
        yield section.right(f"answers: version {state.envoy_version}")
    if state.mesh is None:
        yield section.unknown("whether it is connected and took its configuration is the hub's to say")
        return
    if not state.mesh.envoys:
        yield section.wrong("no Envoy takes its configuration from the hub", f"start Envoy, or see in {where.home.log('envoy')} why not")
    for one in state.mesh.envoys:
        yield section.right(f"{one.node} takes its configuration from the hub ({one.protocol})")
        if one.last_refusal:
            yield section.wrong(f"{one.node} refused a change: {one.last_refusal}", "`metip status` shows the change; undo it")
    if state.changes:
        last = state.changes[0]
        why = "; ".join(last.reasons) or ChangeOutcome.Name(last.outcome)
        yield section.judged(
            last.outcome in STANDING,
            f"the last change ({last.cause}) was accepted",
            f"the last change ({last.cause}) was not accepted: {why}",
            "undo what caused it; `metip status` shows the changes",
        )


def of_interfaces(where: Place, state: State) -> Iterator[Finding]:
    """Each interface has an instance at the hub and a healthy host at Envoy."""
    section = Section(INTERFACES)
    if state.catalogue is None:
        yield section.unknown("who serves what is the hub's to say")
        return
    for one in state.interfaces:
        yield _interface(section, where, state, one)


def _interface(section: Section, where: Place, state: State, one: Served) -> Finding:
    adapter = f"{ADAPTER}{one.system}"
    process = state.process(adapter)
    log = process.log if process else where.home.log(adapter)
    if not one.expected:
        return section.unknown(f"{one.name}: not served, its adapter was not asked for when this mesh was started")
    if not one.instances:
        if process is not None and not process.alive:
            return section.wrong(f"{one.name}: nobody serves it, its adapter is stopped", f"{AGAIN}; read {log}")
        return section.wrong(f"{one.name}: nobody serves it, no instance is registered", f"start its adapter; read {log}")
    if state.envoy_version is None:
        return section.unknown(f"{one.name}: {count(one.instances, 'instance')}; their health is Envoy's to say")
    if not one.healthy:
        fix = f"restart its adapter; read {log}"
        return section.wrong(f"{one.name}: {count(one.instances, 'instance')} registered, none is healthy", fix)
    if one.healthy < len(one.hosts):
        return section.doubtful(f"{one.name}: {one.healthy} of {count(len(one.hosts), 'host')} healthy", f"read {log}")
    return section.right(f"{one.name}: {count(one.instances, 'instance')}, healthy")


async def of_simulators(where: Place, state: State) -> AsyncIterator[Finding]:
    """Every simulator answers; dials that are set are named, since they look like faults."""
    section = Section(SIMULATORS)
    names = sorted({*simulators(where.home), *(one.name.removeprefix(PREFIX) for one in state.processes if one.name.startswith(PREFIX))})
    if not names:
        yield section.unknown("no simulator runs here")
    for name in names:
        try:
            told = await told_by(where.home, name)
        except Problem as problem:
            yield section.wrong(problem.message, problem.fix)
            continue
        if told.faults:
            set_to = ", ".join(map(fault_words, told.faults))
            yield section.doubtful(f"{name} plays a fault: {set_to}", f"metip sim {name} --clear")
        else:
            yield section.right(f"{name} answers at {told.address}")
