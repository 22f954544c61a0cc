"""The table: the same estate by interface, operation, consumer, system and subscription, with counts by state."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from hub.estate.choosing import Choice
from hub.estate.measuring import counts, measures
from hub.estate.scene import Scene
from hub.estate.window import Totals
from hub.migration.messages import STATES
from metip.estate.v1 import estate_pb2 as api


def rows(scene: Scene, totals: Totals, choice: Choice, wanted: Iterable[int], nodes: Iterable[api.Node]) -> list[api.Row]:
    """Rows by what is wanted, by id. `nodes` are those of the whole map of the same choice, whose figures rows of the same thing repeat."""
    known = {one.id: one for one in nodes}
    found = [row for by in sorted(set(wanted)) for row in TABLES[by](scene, totals, choice, known) if choice.keeps(row)]
    return sorted(found, key=lambda one: one.id)


Nodes = dict[str, api.Node]


def _interfaces(scene: Scene, totals: Totals, choice: Choice, nodes: Nodes) -> Iterator[api.Row]:
    return (_same(node, api.GROUPING_INTERFACE) for node in nodes.values() if node.kind == api.NODE_KIND_INTERFACE)


def _systems(scene: Scene, totals: Totals, choice: Choice, nodes: Nodes) -> Iterator[api.Row]:
    return (_same(node, api.GROUPING_SYSTEM) for node in nodes.values() if node.kind == api.NODE_KIND_SYSTEM)


def _consumers(scene: Scene, totals: Totals, choice: Choice, nodes: Nodes) -> Iterator[api.Row]:
    for consumer, tally in totals.consumers.items():
        row = api.Row(id=f"row:consumer:{consumer}", by=api.GROUPING_CONSUMER, name=consumer, system=scene.caller(consumer))
        row.measures.CopyFrom(measures(tally, scene.seconds))
        row.counts.CopyFrom(counts(scene, tally, None))
        yield row


def _operations(scene: Scene, totals: Totals, choice: Choice, nodes: Nodes) -> Iterator[api.Row]:
    by_operation: dict[str, list[str]] = {}
    for one in scene.contracts.subscriptions:
        by_operation.setdefault(one.operation, []).append(one.name)
    for interface in scene.interfaces:
        if f"interface:{interface.name}" not in nodes:
            continue
        for operation in interface.operations:
            tally = totals.operations.get(operation.name)
            if tally is None and (choice.consumers or not choice.has_text(operation.name, interface.system)):
                continue
            row = api.Row(id=f"row:operation:{operation.name}", by=api.GROUPING_OPERATION, name=operation.name, system=interface.system)
            if (standing := scene.standings.get(interface.name)) is not None:
                row.migration = STATES[standing.state]
            row.measures.CopyFrom(measures(tally, scene.seconds))
            kept = [scene.account[name] for name in by_operation.get(operation.name, ()) if name in scene.account]
            row.counts.CopyFrom(counts(scene, tally, None, kept if operation.delivery is not None else None))
            yield row


def _subscriptions(scene: Scene, totals: Totals, choice: Choice, nodes: Nodes) -> Iterator[api.Row]:
    for account in scene.accounts:
        interface = account.operation.partition("/")[0]
        if f"interface:{interface}" not in nodes or not choice.has_system(account.system):
            continue
        row = api.Row(
            id=f"row:subscription:{account.subscription}", by=api.GROUPING_SUBSCRIPTION, name=account.subscription, system=account.system
        )
        tally = totals.subscriptions.get((account.system, account.operation))
        row.measures.CopyFrom(measures(tally, scene.seconds))
        row.counts.CopyFrom(counts(scene, tally, None, (account,)))
        if account.paused:
            row.health = api.NODE_HEALTH_STOPPED
        else:
            row.health = api.NODE_HEALTH_DOWN if account.subscription in scene.unreachable else api.NODE_HEALTH_WELL
        yield row


def _same(node: api.Node, by: "api.Grouping.ValueType") -> api.Row:
    return api.Row(
        id=f"row:{node.id}",
        by=by,
        name=node.name,
        system=node.system,
        migration=node.migration,
        health=node.health,
        measures=node.measures,
        counts=node.counts,
    )


TABLES: Final[dict[int, Callable[[Scene, Totals, Choice, Nodes], Iterator[api.Row]]]] = {
    api.GROUPING_INTERFACE: _interfaces,
    api.GROUPING_OPERATION: _operations,
    api.GROUPING_CONSUMER: _consumers,
    api.GROUPING_SYSTEM: _systems,
    api.GROUPING_SUBSCRIPTION: _subscriptions,
}
"""What gives the rows of each grouping."""
