"""Whether settings can be carried out, by the contracts, the access policy and the instances that serve: every problem, not the first.

The law: a setting names what exists. Calls are never sent where certainly nobody answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from google.rpc import code_pb2

from hub.contracts import Contracts, DeliveryClass
from hub.mesh.grants import rights_of
from hub.mesh.inputs import Instance, Policy
from hub.traffic.settings import (
    Breaker,
    CallLimit,
    Drain,
    FaultInjection,
    Maintenance,
    Paused,
    Pin,
    Sampling,
    Setting,
    Shares,
    State,
    Versions,
)

WEIGHT_LIMIT: Final = 1000
DELAY_LIMIT: Final = 300.0
MIRRORED: Final = ("REPLICA", "RECORDED", "SAMPLED")
CAPPED: Final = "SAMPLED"
STATUSES: Final = frozenset(code_pb2.Code.keys()) - {"OK"}


@dataclass(frozen=True)
class Known:
    """What settings are judged by."""

    contracts: Contracts
    policy: Policy
    trust_domain: str
    instances: tuple[Instance, ...]

    def owner(self, interface: str) -> str:
        """The system that owns an interface. Raises KeyError for one that there is not."""
        return self.contracts.interface(interface).system

    def behind(self, interface: str) -> tuple[str, ...]:
        """Systems behind an interface, its owner first."""
        return (self.owner(interface), *self.contracts.back_ends_of(interface))

    @property
    def interfaces(self) -> frozenset[str]:
        """Interfaces on the mesh."""
        return frozenset(one.name for one in self.contracts.interfaces if not one.private)

    def serving(self, interface: str, system: str) -> int:
        """How many instances of a system serve an interface now. Messages are the exchange's, so somebody always does."""
        if self.contracts.interface(interface).of_messages:
            return 1
        return sum(one.system == system and interface in one.interfaces for one in self.instances)

    def consumers(self, interface: str) -> frozenset[str]:
        """SPIFFE IDs that may call any operation of an interface."""
        rights = rights_of(self.contracts, self.policy, self.trust_domain)
        operations = (one.name for one in self.contracts.interface(interface).operations)
        return frozenset(right.consumer for name in operations for right in rights[name])

    @property
    def systems(self) -> frozenset[str]:
        """Systems that own, serve or subscribe."""
        owners = {one.system for one in self.contracts.interfaces if not one.private}
        return frozenset(owners | {one.system for one in self.contracts.back_ends} | {one.system for one in self.contracts.subscriptions})


def judge(before: State, after: State, known: Known) -> tuple[str, ...]:
    """Every problem with what changes between two states."""
    changed = [after.get(key) for key in before.differing(after)]
    return tuple(problem for setting in changed if setting is not None for problem in _faults(setting, after, known))


def _faults(setting: Setting, state: State, known: Known) -> Iterator[str]:
    match setting:
        case Shares():
            yield from _of_shares(setting, known)
        case Pin():
            yield from _of_pin(setting, known)
        case FaultInjection():
            yield from _of_fault(setting, known)
        case Maintenance():
            yield from _of_target(setting.target, known)
            if not setting.text.strip():
                yield f"maintenance of {setting.target}: callers are to be told something"
        case CallLimit():
            yield from _of_limit(setting, known)
        case Breaker():
            yield from _of_system(setting.interface, setting.system, known)
        case Drain():
            yield from _of_drain(setting, state, known)
        case Versions():
            yield from _of_versions(setting, known)
        case Paused():
            if setting.subscription not in {one.name for one in known.contracts.subscriptions}:
                yield f"there is no subscription {setting.subscription}"
        case Sampling():
            yield from _of_sampling(setting, known)


def _of_shares(setting: Shares, known: Known) -> Iterator[str]:
    if setting.interface not in known.interfaces:
        yield f"no contract has {setting.interface}"
        return
    weights, behind = dict(setting.weights), known.behind(setting.interface)
    strangers = sorted(weights.keys() - set(behind))
    if strangers:
        yield f"no contract puts {', '.join(strangers)} behind {setting.interface}; there are {', '.join(behind)}"
    if not any(weights.values()):
        yield f"nobody has any weight for {setting.interface}"
    if setting.writes and setting.writes not in behind:
        yield f"no contract puts {setting.writes}, which is to get the writes, behind {setting.interface}"
    for system, weight in setting.weights:
        if not 0 <= weight <= WEIGHT_LIMIT:
            yield f"the weight of {system} is to be from 0 to {WEIGHT_LIMIT}, not {weight}"
        elif weight and system in behind and not known.serving(setting.interface, system):
            yield f"no instance of {system} serves {setting.interface} now, so its calls would fail"


def _of_pin(setting: Pin, known: Known) -> Iterator[str]:
    problems = tuple(_of_system(setting.interface, setting.system, known))
    yield from problems
    if problems:
        return
    yield from _of_consumer(setting.interface, setting.consumer, known)
    if not known.serving(setting.interface, setting.system):
        yield f"no instance of {setting.system} serves {setting.interface} now, so its calls would fail"


def _of_fault(setting: FaultInjection, known: Known) -> Iterator[str]:
    problems = tuple(_of_target(setting.target, known))
    yield from problems
    if setting.consumer and not problems:
        yield from _of_consumer(setting.target.partition("/")[0], setting.consumer, known)
    if not 0 <= setting.delay <= DELAY_LIMIT:
        yield f"a delay is to be from 0 to {DELAY_LIMIT:.0f} seconds"
    for share in (setting.delay_percent, setting.abort_percent):
        if not 0 <= share <= 100:
            yield f"a share is to be from 0 to 100 per cent, not {share:g}"
    if setting.abort and setting.abort not in STATUSES:
        yield f"{setting.abort} is no gRPC status that ends a call in failure"
    if not (setting.delay_percent and setting.delay) and not (setting.abort_percent and setting.abort):
        yield f"the fault of {setting.target} does nothing: give a delay or a status, and the share of calls"


def _of_limit(setting: CallLimit, known: Known) -> Iterator[str]:
    if setting.interface not in known.interfaces:
        yield f"no contract has {setting.interface}"
    elif setting.consumer:
        yield from _of_consumer(setting.interface, setting.consumer, known)
    if setting.rate_per_second < 1:
        yield "a limit is at least one call a second; to refuse all calls use maintenance"


def _of_drain(setting: Drain, state: State, known: Known) -> Iterator[str]:
    if setting.system not in known.systems:
        yield f"no contract knows a system {setting.system}"
    elif setting.instance:
        others = {one.instance for one in state.of(Drain) if one.instance}
        of_system = [one for one in known.instances if one.system == setting.system]
        if setting.instance not in {one.id for one in of_system}:
            named = ", ".join(sorted(one.id for one in of_system)) or "none"
            yield f"{setting.system} has no instance {setting.instance} now; there are {named}"
        elif not {one.id for one in of_system} - others:
            yield f"{setting.instance} is the last instance of {setting.system}; drain the system, so that callers are told"


def _of_versions(setting: Versions, known: Known) -> Iterator[str]:
    if setting.system not in known.systems:
        yield f"no contract knows a system {setting.system}"
        return
    there = {one.version for one in known.instances if one.system == setting.system}
    if not any(weight for _, weight in setting.weights):
        yield f"no version of {setting.system} has any weight"
    elif not any(weight and version in there for version, weight in setting.weights):
        yield f"no instance of {setting.system} has a version that gets anything; there are {', '.join(sorted(there)) or 'none'}"


def _of_sampling(setting: Sampling, known: Known) -> Iterator[str]:
    operation = known.contracts.operations.get(setting.operation)
    if operation is None:
        yield f"no contract has {setting.operation}"
        return
    if operation.delivery_class is not DeliveryClass.READ:
        yield f"{setting.operation} changes something: only a query can be asked twice"
    if operation.mirror not in MIRRORED:
        yield f"the contract of {setting.operation} allows no second consultation (mirror policy {operation.mirror or 'NEVER'})"
    if operation.mirror == CAPPED and not setting.cap_per_hour:
        yield f"the contract of {setting.operation} says SAMPLED: give a cap per hour"


def _of_target(target: str, known: Known) -> Iterator[str]:
    if target not in known.interfaces and target.partition("/")[0] not in known.interfaces:
        yield f"no contract has {target}"
    elif "/" in target and target not in known.contracts.operations:
        yield f"{target.partition('/')[0]} has no operation {target.partition('/')[2]}"


def _of_system(interface: str, system: str, known: Known) -> Iterator[str]:
    if interface not in known.interfaces:
        yield f"no contract has {interface}"
    elif system not in known.behind(interface):
        yield f"no contract puts {system} behind {interface}; there are {', '.join(known.behind(interface))}"


def _of_consumer(interface: str, consumer: str, known: Known) -> Iterator[str]:
    if consumer not in known.consumers(interface):
        yield f"{consumer} may call nothing of {interface}"
