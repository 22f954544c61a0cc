"""What the director knows, in the words of the contract."""

from collections.abc import Mapping
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from hub.mesh.going import weights_of
from hub.mesh.inputs import cluster_name
from hub.traffic.changes import Preview, Standing, Step, TrafficChange
from hub.traffic.director import Director
from hub.traffic.settings import Drain
from hub.traffic.store import Store
from hub.traffic.words import message_of
from metip.traffic.v1 import traffic_service_pb2 as api

FILE: Final = "file"
STANDINGS: Final = {one: api.ChangeStanding.Value(f"CHANGE_STANDING_{one.name}") for one in Standing}
InProgress = Mapping[str, Mapping[str, int]]
"""Calls in progress by cluster and endpoint, as Envoy counts them."""


def overview(director: Director, store: Store, active: InProgress | None) -> api.Overview:
    """What is in force, and by whom; `active` is None where Envoy does not say, or nothing is drained."""
    found = api.Overview(envoy_answers=director.overrides.answers)
    said, changes = store.said(), {one.number: one for one in store.of_standing(Standing.IN_FORCE)}
    ends = {step.key: one.until for one in changes.values() if one.until for step in one.steps}
    for setting in director.state.settings:
        one = found.settings.add(setting=message_of(setting), author=FILE)
        number = said[setting.key][1] if setting.key in said else 0
        if number and number in changes:
            one.change, one.author = number, changes[number].author
            one.since.CopyFrom(stamp(changes[number].at))
        if number and setting.key in ends:
            one.until.CopyFrom(stamp(ends[setting.key]))
    for override in director.overrides.current:
        found.overrides.add(
            key=override.key, value=override.value, said=override.said, differs=override.differs, since=stamp(override.since)
        )
    found.scheduled.extend(map(change_message, store.of_standing(Standing.SCHEDULED)))
    _sharings(found, director)
    _drainings(found, director, active or {})
    return found


def change_message(change: TrafficChange) -> api.TrafficChange:
    """One change."""
    found = api.TrafficChange(
        number=change.number,
        what=change.what,
        author=change.author,
        because=change.because,
        standing=STANDINGS[change.standing],
        asked=stamp(change.asked),
        at=stamp(change.at),
        steps=map(_step, change.steps),
        undone_by=change.undone_by,
        undoes=change.undoes,
        problem=change.problem,
    )
    if change.until:
        found.until.CopyFrom(stamp(change.until))
    return found


def preview_message(preview: Preview) -> api.Preview:
    """What a change does."""
    return api.Preview(steps=map(_step, preview.steps), sentences=preview.sentences, warnings=preview.warnings, resources=preview.resources)


def stamp(at: float) -> Timestamp:
    """An instant, to the microsecond."""
    found = Timestamp()
    found.FromNanoseconds(round(at * 1e6) * 1000)
    return found


def _step(step: Step) -> api.Step:
    before, after = (None if one is None else message_of(one) for one in (step.before, step.after))
    return api.Step(before=before, after=after)


def _sharings(into: api.Overview, director: Director) -> None:
    contracts, traffic = director.known.contracts, director.control.inputs.traffic
    by_hand = {one.key: one.value for one in director.overrides.current}
    for interface in contracts.interfaces:
        if interface.private or not contracts.back_ends_of(interface.name):
            continue
        one = into.sharings.add(interface=interface.name)
        for system, cluster, weight in weights_of(contracts, interface, traffic):
            value = by_hand.get(f"weight.{cluster}", "")
            one.weights[system] = weight
            one.in_envoy[system] = int(value) if value.isdigit() else weight


def _drainings(into: api.Overview, director: Director, active: InProgress) -> None:
    known = director.known
    addresses = {one.id: one.address.removeprefix("unix:") for one in known.instances}
    for drain in director.state.of(Drain):
        clusters = {
            one.name if one.system == drain.system else cluster_name(one.name, drain.system)
            for one in known.contracts.interfaces
            if drain.system in known.behind(one.name)
        }
        counted = [hosts for name, hosts in active.items() if name in clusters]
        here = addresses.get(drain.instance, "")
        calls = sum(count for hosts in counted for where, count in hosts.items() if not drain.instance or where == here)
        into.drainings.add(drain=message_of(drain).drain, in_progress=calls)
