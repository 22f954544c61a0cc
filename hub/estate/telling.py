"""Names and notes of the map: short labels, and what an operator should know of a node, in sentences that name nobody."""

from collections.abc import Iterator

from hub.contracts import Interface
from hub.estate.scene import Scene

NO_CERTIFICATE = "no certificate"


def short(name: str) -> str:
    """The last word of a SPIFFE ID or an interface."""
    return name.rpartition("/")[2].rpartition(".")[2] or NO_CERTIFICATE


def consumer_node(scene: Scene, consumer: str) -> str:
    """The node from which a consumer's calls leave: of an adapter it is its system's."""
    system = scene.caller(consumer)
    return f"system:{system}" if system else f"consumer:{consumer}"


def notes_of_interface(scene: Scene, interface: Interface) -> Iterator[str]:
    """What holds of an interface beside its contract."""
    name = interface.name
    for stop in scene.traffic.maintenance:
        if stop.target.partition("/")[0] == name:
            yield f"{_of(stop.target)}in maintenance: {stop.text}"
    for fault in scene.traffic.faults:
        if fault.target.partition("/")[0] == name:
            yield f"{_of(fault.target)}faults are injected on purpose"
    for limit in scene.traffic.limits:
        if limit.interface == name:
            yield f"limited to {limit.rate_per_second} calls a second{f' for {short(limit.consumer)}' if limit.consumer else ''}"
    for one in scene.behind[name]:
        if one.by_hand:
            yield f"somebody set the weight of {one.system} to {one.by_hand} by hand in Envoy"
    for pin in scene.traffic.pins:
        if pin.interface == name:
            yield f"{short(pin.consumer)} is pinned to {pin.system}"


def notes_of_system(scene: Scene, system: str) -> Iterator[str]:
    """What holds of a system."""
    if system in scene.traffic.drained:
        yield "it is being drained and gets no new call"
    for one in scene.accounts:
        if one.system == system:
            name = one.operation.rpartition("/")[2]
            if one.paused:
                yield f"deliveries of {name} are paused"
            if one.subscription in scene.unreachable:
                yield f"deliveries of {name} do not reach it"


def _of(target: str) -> str:
    method = target.partition("/")[2]
    return f"{method} is " if method else ""
