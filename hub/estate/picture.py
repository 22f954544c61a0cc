"""The estate as one message, and what changed from one to the next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from hub.estate.choosing import Choice
from hub.estate.drawing import Drawing
from hub.estate.measuring import measures
from hub.estate.scene import Scene, Source
from hub.estate.tabling import rows
from hub.estate.window import ALL, Totals
from metip.estate.v1 import estate_pb2 as api
from metip.estate.v1 import estate_service_pb2 as service


def picture(scene: Scene, totals: Totals, choice: Choice, wanted: Iterable[int], *, with_map: bool) -> api.Estate:
    """What there is of a choice; `totals` are those of the choice."""
    found, drawing, wanted = api.Estate(other_consumers=scene.others), Drawing(scene, totals, choice), set(wanted)
    found.at.CopyFrom(moment(scene.at))
    found.window.FromMicroseconds(int(scene.seconds * 1e6))
    found.sources.extend(map(_source, scene.sources))
    nodes = drawing.nodes
    if with_map:
        drawn, edges = drawing.draw()
        found.nodes.extend(drawn)
        found.edges.extend(edges)
    found.rows.extend(rows(scene, totals, choice, wanted, nodes))
    found.total.CopyFrom(measures(totals.everything.get(ALL), scene.seconds))
    found.counts.CopyFrom(drawing.counts())
    return found


def moment(at: float) -> Timestamp:
    """A unix time as a message."""
    found = Timestamp()
    found.FromMicroseconds(int(at * 1e6))
    return found


def changed(known: Mapping[str, Any], now: api.Estate) -> tuple[dict[str, Any], service.WatchEstateResponse]:
    """What is known after an estate, by id, and what to tell whoever knew what was known before."""
    told = service.WatchEstateResponse()
    told.estate.CopyFrom(api.Estate(at=now.at, window=now.window, sources=now.sources, total=now.total, counts=now.counts))
    told.estate.other_consumers = now.other_consumers
    fresh: dict[str, Any] = {}
    parts: Sequence[tuple[Any, Any]] = (
        (now.nodes, told.estate.nodes),
        (now.edges, told.estate.edges),
        (now.rows, told.estate.rows),
    )
    for those, changes in parts:
        for one in those:
            fresh[one.id] = one
            if known.get(one.id) != one:
                changes.append(one)
    told.gone.extend(sorted(known.keys() - fresh.keys()))
    return fresh, told


def _source(one: Source) -> api.SourceState:
    return api.SourceState(name=one.name, problem=one.problem, at=moment(one.at) if one.at else None)
