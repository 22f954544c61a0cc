"""The map: consumers, interfaces, systems and instances as nodes, and what goes along between them as edges."""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from hub.contracts import Interface
from hub.estate.choosing import Choice
from hub.estate.measuring import counts, far, health, measures
from hub.estate.scene import OLD, Behind, Scene
from hub.estate.telling import consumer_node, notes_of_interface, notes_of_system, short
from hub.estate.window import ALL, Tally, Totals
from hub.mesh.inputs import Instance, cluster_name
from hub.migration.messages import STATES
from metip.contracts.model import NEW
from metip.estate.v1 import estate_pb2 as api
from metip.migration.v1 import step_pb2

LANES: Final = {OLD: step_pb2.PLATFORM_METIP, NEW: step_pb2.PLATFORM_METIP2}

WORDS: Final = {number: name.removeprefix("EDGE_KIND_").lower() for name, number in api.EdgeKind.items()}


class Drawing:
    """One map of one scene."""

    def __init__(self, scene: Scene, totals: Totals, choice: Choice) -> None:
        self._scene, self._totals, self._choice = scene, totals, choice
        self._shown = [one for one in scene.interfaces if choice.shows(scene, totals, one)]

    @cached_property
    def _callers(self) -> dict[str, str]:
        """The node of each consumer."""
        return {consumer: consumer_node(self._scene, consumer) for consumer in self._totals.consumers}

    @cached_property
    def nodes(self) -> list[api.Node]:
        """Every node, kept or not."""
        return list(self._nodes())

    def draw(self) -> tuple[list[api.Node], list[api.Edge]]:
        """Nodes and edges that are kept, by id. An edge that is kept keeps the nodes at its ends."""
        known = {one.id for one in self.nodes}
        edges = {one.id: one for one in self._edges() if self._choice.keeps(one) and {one.from_node, one.to_node} <= known}
        ends = {end for one in edges.values() for end in (one.from_node, one.to_node)}
        nodes = {one.id: one for one in self.nodes if one.id in ends or self._choice.keeps(one)}
        return [nodes[name] for name in sorted(nodes)], [edges[name] for name in sorted(edges)]

    def counts(self) -> api.StateCounts:
        """What is in which state of everything that is shown, together."""
        scene, shown = self._scene, {one.name for one in self._shown}
        clusters = {one.cluster for name in shown for one in scene.behind[name]} | {one.name for one in self._shown if one.of_messages}
        kept = [one for one in scene.accounts if one.operation.partition("/")[0] in shown and self._choice.has_system(one.system)]
        return counts(scene, self._totals.everything.get(ALL), clusters, kept)

    def _edges(self) -> Iterator[api.Edge]:
        scene, totals = self._scene, self._totals
        shown = {one.name for one in self._shown}
        for (consumer, interface), tally in totals.callers.items():
            if interface in shown:
                start, end = self._callers[consumer], f"interface:{interface}"
                yield api.Edge(
                    id=f"calls|{start}|{end}",
                    kind=api.EDGE_KIND_CALLS,
                    from_node=start,
                    to_node=end,
                    measures=measures(tally, scene.seconds),
                )
        for one in self._shown:
            for behind in scene.behind[one.name]:
                if self._choice.has_system(behind.system):
                    yield self._answers(one, behind)
                    yield from self._shadow(one, behind.system)
            yield from self._deliveries(one)
        for system in self._systems():
            for instance in scene.serving.get(system, ()):
                edge = self._edge(api.EDGE_KIND_RUNS, f"system:{system}", f"instance:{instance.id}", system)
                edge.measures.CopyFrom(measures(self._of_instance(instance), scene.seconds))
                yield edge

    def _answers(self, interface: Interface, behind: Behind) -> api.Edge:
        scene = self._scene
        edge = self._edge(api.EDGE_KIND_ANSWERS, f"interface:{interface.name}", f"system:{behind.system}", behind.system)
        if behind.share is not None and behind.in_envoy is not None:
            edge.weight_percent, edge.weight_percent_in_envoy = round(behind.share, 1), round(behind.in_envoy, 1)
        tally = self._totals.answers.get((interface.name, behind.system))
        edge.measures.CopyFrom(measures(tally, scene.seconds, far(scene, (behind.cluster,))))
        return edge

    def _shadow(self, interface: Interface, system: str) -> Iterator[api.Edge]:
        scene, key = self._scene, (interface.name, system)
        if key in scene.compared or key in self._totals.shadows:
            edge = self._edge(api.EDGE_KIND_SHADOW, f"interface:{interface.name}", f"system:{system}", system)
            edge.compared_per_million = scene.compared.get(key, 0)
            edge.measures.CopyFrom(measures(self._totals.shadows.get(key), scene.seconds))
            yield edge

    def _deliveries(self, interface: Interface) -> Iterator[api.Edge]:
        scene = self._scene
        by_system: dict[str, list[str]] = {}
        for one in scene.subscriptions.get(interface.name, ()):
            by_system.setdefault(one.system, []).append(one.name)
        for system, names in by_system.items():
            if self._choice.has_system(system):
                edge = self._edge(api.EDGE_KIND_DELIVERS, f"interface:{interface.name}", f"system:{system}", system)
                tally, cluster = self._totals.deliveries.get((interface.name, system)), cluster_name(interface.name, system)
                edge.measures.CopyFrom(measures(tally, scene.seconds, far(scene, (cluster,))))
                kept = [scene.account[name] for name in names if name in scene.account]
                edge.counts.CopyFrom(counts(scene, tally, None, kept))
                yield edge

    def _nodes(self) -> Iterator[api.Node]:
        scene, totals, callers = self._scene, self._totals, dict[str, None]()
        for consumer, tally in totals.consumers.items():
            system = scene.caller(consumer)
            if system:
                callers[system] = None
            else:
                node = api.Node(id=f"consumer:{consumer}", kind=api.NODE_KIND_CONSUMER, name=consumer, label=short(consumer))
                node.measures.CopyFrom(measures(tally, scene.seconds))
                node.counts.CopyFrom(counts(scene, tally, None))
                yield node
        for one in self._shown:
            yield self._interface(one)
        for system in dict.fromkeys((*self._systems(), *callers)):
            yield self._system(system)
            for instance in scene.serving.get(system, ()):
                yield self._instance(instance, system)

    def _interface(self, interface: Interface) -> api.Node:
        scene = self._scene
        tally, behind = self._totals.interfaces.get(interface.name), scene.behind[interface.name]
        clusters = [one.cluster for one in behind] or [interface.name]
        node = api.Node(
            id=f"interface:{interface.name}",
            kind=api.NODE_KIND_INTERFACE,
            name=interface.name,
            label=short(interface.name),
            system=interface.system,
            of_messages=interface.of_messages,
        )
        if (standing := scene.standings.get(interface.name)) is not None:
            node.migration, node.new_platform_percent = STATES[standing.state], standing.percent
        kept = [scene.account[one.name] for one in scene.subscriptions.get(interface.name, ()) if one.name in scene.account]
        asked = [one.cluster for one in behind if one.in_envoy != 0] or clusters
        there, healthy = self._serving(asked, scene.registered.get(interface.name, 0))
        node.instances, node.healthy_instances = there, healthy or 0
        node.notes.extend(notes_of_interface(scene, interface))
        stopped = any(one.target == interface.name for one in scene.traffic.maintenance)
        node.health = health(tally, there, healthy, stopped=stopped)
        node.measures.CopyFrom(measures(tally, scene.seconds, far(scene, clusters)))
        node.counts.CopyFrom(counts(scene, tally, clusters, kept if interface.of_messages else None))
        return node

    def _system(self, system: str) -> api.Node:
        scene, tally = self._scene, self._totals.systems.get(system)
        node = api.Node(id=f"system:{system}", kind=api.NODE_KIND_SYSTEM, name=system, label=system, system=system, lane=self._lane(system))
        kept = [one for one in scene.accounts if one.system == system]
        there = scene.serving.get(system, ())
        known = [one for one in map(scene.healthy, there) if one is not None]
        node.instances, node.healthy_instances = len(there), sum(known)
        node.notes.extend(notes_of_system(scene, system))
        stopped = system in scene.traffic.drained
        node.health = health(tally, len(there), sum(known) if known else None, stopped=stopped)
        node.measures.CopyFrom(measures(tally, scene.seconds, far(scene, scene.clusters.get(system, ()))))
        node.counts.CopyFrom(counts(scene, tally, scene.called.get(system, ()), kept or None))
        return node

    def _instance(self, instance: Instance, system: str) -> api.Node:
        scene, tally, healthy = self._scene, self._of_instance(instance), self._scene.healthy(instance)
        node = api.Node(
            id=f"instance:{instance.id}",
            kind=api.NODE_KIND_INSTANCE,
            name=instance.id,
            label=instance.id,
            system=system,
            lane=self._lane(system),
            version=instance.version,
            replica=instance.replica,
        )
        node.instances, node.healthy_instances = 1, int(bool(healthy))
        stopped = any(one.instance == instance.id for one in scene.traffic.drains)
        node.health = health(tally, 1, None if healthy is None else int(healthy), stopped=stopped)
        node.measures.CopyFrom(measures(tally, scene.seconds))
        node.counts.CopyFrom(counts(scene, tally, None))
        return node

    def _systems(self) -> list[str]:
        """Systems behind what is shown."""
        scene, found = self._scene, dict[str, None]()
        for one in self._shown:
            behind = [two.system for two in scene.behind[one.name]]
            subscribed = [two.system for two in scene.subscriptions.get(one.name, ())]
            found |= dict.fromkeys(system for system in (*behind, *subscribed) if self._choice.has_system(system))
        return list(found)

    def _serving(self, clusters: list[str], registered: int) -> tuple[int, int | None]:
        """How many instances serve clusters that get calls, and how many of them Envoy sends calls to; None where it does not say."""
        if self._scene.reading is None:
            return registered, None
        there = [self._scene.cluster(name) for name in clusters]
        return sum(one.count("membership_total") for one in there), sum(one.count("membership_healthy") for one in there)

    def _of_instance(self, instance: Instance) -> Tally | None:
        return self._totals.instances.get(instance.address.removeprefix("unix:"))

    def _edge(self, kind: "api.EdgeKind.ValueType", start: str, end: str, system: str = "") -> api.Edge:
        lane = self._lane(system) if system else step_pb2.PLATFORM_UNSPECIFIED
        return api.Edge(id=f"{WORDS[kind]}|{start}|{end}", kind=kind, from_node=start, to_node=end, lane=lane)

    def _lane(self, system: str) -> "step_pb2.Platform.ValueType":
        return LANES.get(self._scene.lanes.get(system, ""), step_pb2.PLATFORM_UNSPECIFIED)
