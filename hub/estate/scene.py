"""Everything that a picture of the estate is made of, at one instant: frozen, so that the picture is a plain function of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from hub.contracts import Contracts, Interface, Subscription
from hub.estate.statistics import Cluster, Far, Reading
from hub.estate.window import Totals
from hub.exchange.records import Account
from hub.mesh.admin import WEIGHT_KEY, Host
from hub.mesh.going import weights_of
from hub.mesh.inputs import AS_OWNED, HUB_SYSTEM, Instance, Traffic, adapter_identity, cluster_name
from hub.migration.states import Position

OLD: Final = "METIP"
"""The old platform, as contracts name it."""
NO_CLUSTER: Final = Cluster()


@dataclass(frozen=True, slots=True)
class Source:
    """Whether something that the picture is made of answers."""

    name: str
    problem: str = ""
    at: float = 0.0
    """Unix time up to which it was read; 0 where it never answered."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A system behind an interface."""

    system: str
    cluster: str
    share: float | None = None
    """Per cent of calls by the hub; None where there is no choice."""
    in_envoy: float | None = None
    """Per cent as Envoy has it."""
    by_hand: str = ""
    """The weight that somebody set by hand in Envoy."""


@dataclass(frozen=True)
class Scene:
    """One instant."""

    at: float
    seconds: float
    """Seconds of calls that `totals` counts."""
    totals: Totals
    contracts: Contracts
    instances: Sequence[Instance] = ()
    traffic: Traffic = AS_OWNED
    trust_domain: str = ""
    reading: Reading | None = None
    """Envoy's statistics; None while it does not answer."""
    far: Mapping[str, Far] | None = None
    """What came since the reading before, by cluster; None without one."""
    hosts: Mapping[str, Host] = field(default_factory=dict)
    """Instances as Envoy sees them, by address."""
    by_hand: Mapping[str, str] = field(default_factory=dict)
    """Runtime keys that somebody set in Envoy and that make a difference."""
    accounts: Sequence[Account] = ()
    unreachable: Mapping[str, float] = field(default_factory=dict)
    """Subscriptions whose subscriber can't be reached, and since when."""
    standings: Mapping[str, Position] = field(default_factory=dict)
    """Where interfaces that are moved stand between the platforms."""
    compared: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many of a million calls the hub compares, by interface and the system that is only asked."""
    others: int = 0
    sources: Sequence[Source] = ()

    @cached_property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those on the mesh."""
        return tuple(one for one in self.contracts.interfaces if not one.private)

    @cached_property
    def behind(self) -> dict[str, tuple[Behind, ...]]:
        """Systems behind each interface, its owner first; none where the exchange takes messages."""
        return {one.name: self._behind(one) for one in self.interfaces}

    @cached_property
    def subscriptions(self) -> dict[str, tuple[Subscription, ...]]:
        """Subscriptions to each interface's messages."""
        found: dict[str, tuple[Subscription, ...]] = {}
        for one in self.contracts.subscriptions:
            interface = one.operation.partition("/")[0]
            found[interface] = (*found.get(interface, ()), one)
        return found

    @cached_property
    def account(self) -> dict[str, Account]:
        """The accounts by subscription."""
        return {one.subscription: one for one in self.accounts}

    @cached_property
    def called(self) -> dict[str, tuple[str, ...]]:
        """Clusters of what each system answers; of messages it is the hub."""
        found: dict[str, list[str]] = {}
        for interface in self.interfaces:
            if interface.of_messages:
                found.setdefault(HUB_SYSTEM, []).append(interface.name)
            for one in self.behind[interface.name]:
                found.setdefault(one.system, []).append(one.cluster)
        return {system: tuple(names) for system, names in found.items()}

    @cached_property
    def clusters(self) -> dict[str, tuple[str, ...]]:
        """Clusters of each system: of what it answers, and of what it is handed."""
        found = {system: dict.fromkeys(names) for system, names in self.called.items()}
        for one in self.contracts.subscriptions:
            found.setdefault(one.system, {})[cluster_name(one.operation.partition("/")[0], one.system)] = None
        return {system: tuple(names) for system, names in found.items()}

    @cached_property
    def serving(self) -> dict[str, tuple[Instance, ...]]:
        """Instances that answer for each system; the platform's own interfaces are the hub's, whatever their package."""
        found: dict[str, list[Instance]] = {}
        for one in self.instances:
            found.setdefault(one.system, []).append(one)
        for interface in self.interfaces:
            if interface.system not in found and not interface.of_messages:
                at_the_hub = [one for one in found.get(HUB_SYSTEM, ()) if interface.name in one.interfaces]
                if at_the_hub:
                    found[interface.system] = at_the_hub
        return {system: tuple(those) for system, those in found.items()}

    @cached_property
    def registered(self) -> dict[str, int]:
        """How many instances serve each interface, as the registry has it."""
        return Counter(interface for one in self.instances for interface in one.interfaces)

    @cached_property
    def lanes(self) -> dict[str, str]:
        """The platform of each system while both run; empty where nothing is moved."""
        return {one: self.contracts.platform(one) for one in self.clusters.keys() | self.serving.keys()} if self.moving else {}

    @cached_property
    def moving(self) -> bool:
        """Whether anything is being moved from an old platform to a new one."""
        return any(one.platform == OLD for one in self.contracts.back_ends)

    def cluster(self, name: str) -> Cluster:
        """What Envoy counts of a cluster; nothing where it does not say."""
        return self.reading.clusters.get(name, NO_CLUSTER) if self.reading is not None else NO_CLUSTER

    def healthy(self, instance: Instance) -> bool | None:
        """Whether Envoy sends calls to an instance; None where it does not say."""
        host = self.hosts.get(instance.address.removeprefix("unix:"))
        return host.healthy if host is not None else None

    def caller(self, consumer: str) -> str:
        """The system whose adapter a consumer is; empty for one that is none."""
        prefix = adapter_identity(self.trust_domain, "")
        return consumer.removeprefix(prefix) if consumer.startswith(prefix) else ""

    def _behind(self, interface: Interface) -> tuple[Behind, ...]:
        if interface.of_messages:
            return ()
        if not self.contracts.back_ends_of(interface.name):
            return (Behind(interface.system, interface.name),)
        weights = weights_of(self.contracts, interface, self.traffic)
        hand = {cluster: self.by_hand.get(f"{WEIGHT_KEY}{cluster}", "") for _, cluster, _ in weights}
        there = {cluster: int(hand[cluster]) if hand[cluster].isdigit() else weight for _, cluster, weight in weights}
        all_said, all_there = sum(weight for *_, weight in weights) or 1, sum(there.values()) or 1
        return tuple(
            Behind(system, cluster, 100 * weight / all_said, 100 * there[cluster] / all_there, hand[cluster])
            for system, cluster, weight in weights
        )
