"""From the traffic settings: where the calls of one operation go, for everybody and for single consumers, and what happens on the way.

The laws: what is said of one consumer goes before what is said of everybody, and then what is said of an operation before what is said of
its interface. A system that is drained gets nothing; where nobody else has any weight, callers are told so instead of being sent elsewhere.
What writes goes to one system, where one is named, whatever the shares and whoever calls.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hub.contracts import Contracts, DeliveryClass, Interface, Operation
from hub.mesh.inputs import Traffic, cluster_name
from hub.mesh.steering import FaultInjection, Maintenance

Shares: TypeAlias = tuple[tuple[str, str, int], ...]
"""System, cluster and weight."""
DRAINED: Final = "the system behind it is being taken out of service"


@dataclass(frozen=True, slots=True)
class Going:
    """Where calls go."""

    consumer: str = ""
    """Whose; empty for whoever has no going of their own."""
    shares: Shares = ()
    """Empty where there is no choice, so that all go to the interface's own cluster."""
    pinned: tuple[str, str] | None = None
    """System and cluster to which a consumer is pinned, whatever the shares."""
    fault: FaultInjection | None = None
    answer: Maintenance | None = None
    """What Envoy answers in place of any system."""
    epoch: int | None = None
    """The number under which whoever gets a call is told that it is theirs; None for a query, and where nobody else could get it."""
    limited: bool = False
    """Whether the calls count towards a limit of the interface."""


def goings(contracts: Contracts, interface: Interface, operation: Operation, traffic: Traffic) -> tuple[Going, ...]:
    """Those of single consumers, in a fixed order, and last the one of everybody else."""
    systems = (interface.system, *contracts.serving(operation.name))
    clusters = {one: interface.name if one == interface.system else cluster_name(interface.name, one) for one in systems}
    everybody = Going(
        shares=_shares(traffic, interface.name, clusters) if len(systems) > 1 else (),
        fault=_fault(traffic.faults, operation, ""),
        answer=_answer(traffic, operation, systems),
        epoch=dict(traffic.epochs).get(interface.name, 0) if contracts.contended(operation) else None,
        limited=any(one.interface == interface.name for one in traffic.limits),
    )
    writer = _writer(traffic, operation, clusters)
    if writer:
        told = everybody.answer or (_drained(traffic, operation, writer) if writer in traffic.drained else None)
        everybody = replace(everybody, pinned=(writer, clusters[writer]), answer=told)
    pins = {one.consumer: one.system for one in traffic.pins if one.interface == interface.name and one.system in clusters and not writer}
    faulty = {one.consumer for one in traffic.faults if one.consumer and one.target in (operation.name, interface.name)}
    found = []
    for consumer in sorted(pins.keys() | faulty):
        one = replace(everybody, consumer=consumer, fault=_fault(traffic.faults, operation, consumer) or everybody.fault)
        if consumer in pins:
            system = pins[consumer]
            stated = _stated(traffic, operation)
            answer = stated or (_drained(traffic, operation, system) if system in traffic.drained else None)
            one = replace(one, pinned=(system, clusters[system]), answer=answer)
        found.append(one)
    return (*found, everybody)


def _writer(traffic: Traffic, operation: Operation, clusters: dict[str, str]) -> str:
    """The system that gets all calls of an operation that is no query; empty where the shares hold."""
    named = dict(traffic.writers).get(operation.interface, "")
    return named if named in clusters and len(clusters) > 1 and operation.delivery_class is not DeliveryClass.READ else ""


def weights_of(contracts: Contracts, interface: Interface, traffic: Traffic) -> Shares:
    """The systems behind an interface, its owner first, with the weights that Envoy is told."""
    others = contracts.back_ends_of(interface.name)
    clusters = {interface.system: interface.name} | {one: cluster_name(interface.name, one) for one in others}
    return _shares(traffic, interface.name, clusters)


def _shares(traffic: Traffic, interface: str, clusters: dict[str, str]) -> Shares:
    systems = tuple(clusters)
    weights = dict(zip(systems, traffic.weights(interface, systems), strict=True))
    left = {system: 0 if system in traffic.drained else weight for system, weight in weights.items()}
    in_force = left if any(left.values()) else weights
    return tuple((system, clusters[system], in_force[system]) for system in systems)


def _answer(traffic: Traffic, operation: Operation, systems: tuple[str, ...]) -> Maintenance | None:
    stated = _stated(traffic, operation)
    if stated is not None or not traffic.drained:
        return stated
    weights = zip(systems, traffic.weights(operation.interface, systems), strict=True)
    asked = [system for system, weight in weights if weight]
    return _drained(traffic, operation, asked[0]) if all(system in traffic.drained for system in asked) else None


def _stated(traffic: Traffic, operation: Operation) -> Maintenance | None:
    by_target = {one.target: one for one in traffic.maintenance}
    return by_target.get(operation.name) or by_target.get(operation.interface)


def _drained(traffic: Traffic, operation: Operation, system: str) -> Maintenance:
    text = next((one.text for one in traffic.drains if one.system == system and not one.instance), "")
    return Maintenance(operation.interface, text or DRAINED)


def _fault(faults: Iterable[FaultInjection], operation: Operation, consumer: str) -> FaultInjection | None:
    found = {one.target: one for one in faults if one.consumer == consumer}
    return found.get(operation.name) or found.get(operation.interface)
