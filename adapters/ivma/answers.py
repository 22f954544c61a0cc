"""What the findings of all sources come to, within the bytes that one packet carries. Pure.

The law: the most urgent comes first and the least urgent is left out first, and what is left out or withheld is counted. What is not for
open air never reaches a screen that somebody else can read.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from adapters.ivma.translate import Finding
from adapters.kit.federation import Ended, Status
from metip.ivma.v1 import vehicle_check_service_pb2 as api

R = TypeVar("R", api.CheckVehicleResponse, api.EnrichAnprHitResponse)
Ends = Mapping[str, Ended]
Found = Mapping[str, Finding]
IMMEDIATE, ACTION, INFORMATION = api.HIT_PRIORITY_IMMEDIATE, api.HIT_PRIORITY_ACTION, api.HIT_PRIORITY_INFORMATION
URGENCY: Mapping[api.Mark.ValueType, api.HitPriority.ValueType] = {
    api.MARK_STOLEN: IMMEDIATE,
    api.MARK_DECEPTION: IMMEDIATE,
    api.MARK_SUSPECTED: IMMEDIATE,
    api.MARK_OF_INTEREST: ACTION,
    api.MARK_UNSPECIFIED: ACTION,
    api.MARK_DESCRIPTION_DIFFERS: ACTION,
    api.MARK_OPEN_INCIDENT: INFORMATION,
    api.MARK_NO_INSURANCE: ACTION,
    api.MARK_EXPORTED: ACTION,
    api.MARK_SORN: ACTION,
    api.MARK_UNTAXED: ACTION,
    api.MARK_NO_MOT: ACTION,
    api.MARK_NOT_REGISTERED: INFORMATION,
    api.MARK_FOUND: INFORMATION,
    api.MARK_SEEN: INFORMATION,
    api.MARK_REMOVED: INFORMATION,
    api.MARK_MOVED: INFORMATION,
    api.MARK_POLICE: INFORMATION,
}
"""Marks in the order in which a crew reads them, and what a sighting of each is worth (assumed)."""
ORDER = {mark: place for place, mark in enumerate(URGENCY)}
REGISTERS = ("pnc", "dvla")
ESCAPED = str.maketrans(dict.fromkeys("<>\x7f\u2028\u2029\ufeff", "123456"))
"""Signs for which Envoy writes six bytes (`\\u003c`); here only the length counts."""


def check(vrm: str, ends: Ends, found: Found, *, overlooked: bool, largest: int) -> api.CheckVehicleResponse:
    """The answer to a check, of at most `largest` bytes of JSON."""
    markers = _markers(ends, found)
    shown = [one for one in markers if not (overlooked and one.not_over_open_air)]
    response = api.CheckVehicleResponse(
        vrm=vrm,
        facts=_facts(found),
        keeper=None if overlooked else next((one.keeper for one in found.values() if one.keeper), None),
        markers=shown,
        withheld=len(markers) - len(shown),
        sources=_sources(ends),
    )
    return _fitted(response, response.markers, largest)


def hit(
    asked: api.EnrichAnprHitRequest, ends: Ends, found: Found, *, until: datetime, now: datetime, largest: int
) -> api.EnrichAnprHitResponse:
    """What a sighting is worth, in at most `largest` bytes of JSON. What is withheld counts for its priority."""
    markers = _markers(ends, found)
    shown = [one for one in markers if not one.not_over_open_air]
    facts = _facts(found) or api.VehicleFacts()
    response = api.EnrichAnprHitResponse(
        vrm=asked.vrm.value,
        priority=_priority(markers, ends, stale=now > until),
        reasons=shown,
        withheld=len(markers) - len(shown),
        expect=" ".join(filter(None, (facts.colour, facts.make, facts.model))),
        stale=now > until,
        sources=_sources(ends),
    )
    response.valid_until.FromDatetime(until)
    return _fitted(response, response.reasons, largest)


def _fitted(response: R, markers: Any, largest: int) -> R:
    while size(response) > largest and markers:
        del markers[-1]
        response.left_out += 1
    return response


def size(message: Message) -> int:
    """Bytes of a message as Envoy prints it for a JSON client."""
    document = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).translate(ESCAPED).encode())


def _priority(markers: Sequence[api.Marker], ends: Ends, *, stale: bool) -> api.HitPriority.ValueType:
    if markers:
        highest = max(URGENCY.get(one.mark, ACTION) for one in markers)
        return min(highest, INFORMATION) if stale else highest
    silent = any(end.status not in (Status.ANSWERED, Status.NO_TRACE, Status.NOT_SEARCHABLE) for end in ends.values())
    return api.HIT_PRIORITY_UNSPECIFIED if silent else api.HIT_PRIORITY_NONE


def _markers(ends: Ends, found: Found) -> list[api.Marker]:
    """All markers, most urgent first."""
    told = chain.from_iterable(one.markers for one in found.values())
    return sorted([*told, *_compared(ends, found)], key=lambda one: ORDER.get(one.mark, 0))


def _compared(ends: Ends, found: Found) -> Iterator[api.Marker]:
    """What no source tells by itself, and two together do."""
    ours, theirs = (found[name].facts if name in found else None for name in REGISTERS)
    if ours and theirs:
        differs = [(a, b) for a, b in ((ours.make, theirs.make), (ours.colour, theirs.colour)) if a and b and a.casefold() != b.casefold()]
        if differs:
            text = "; ".join(f"pnc {a}, dvla {b}" for a, b in differs)
            yield api.Marker(mark=api.MARK_DESCRIPTION_DIFFERS, source="dvla", text=text)
    # Where the register is silent, the PNC's copy of last night has to do.
    if ours and ours.tax == api.TAX_STATUS_UNTAXED and not (theirs and theirs.tax):
        yield api.Marker(mark=api.MARK_UNTAXED, source="pnc")
    if ours and ours.mot == api.MOT_STATUS_NOT_VALID and not (theirs and theirs.mot):
        yield api.Marker(mark=api.MARK_NO_MOT, source="pnc")
    if all(name in ends and ends[name].status is Status.NO_TRACE for name in REGISTERS):
        yield api.Marker(mark=api.MARK_NOT_REGISTERED, source="dvla")


def _facts(found: Found) -> api.VehicleFacts | None:
    """The register's facts, and the PNC's where the register has none."""
    ours, theirs = (found[name].facts if name in found else None for name in REGISTERS)
    if ours is None or theirs is None:
        return ours or theirs
    facts = api.VehicleFacts()
    facts.CopyFrom(ours)
    if theirs.mot:
        facts.ClearField("mot_expiry")  # a certificate is one system's or the other's, never half of each
    facts.MergeFrom(theirs)
    return facts


def _sources(ends: Ends) -> list[api.SourceState]:
    return [
        api.SourceState(source=name, status=api.SourceStatus.Value(f"SOURCE_STATUS_{end.status.name}"), reason=_reason(end))
        for name, end in sorted(ends.items())
    ]


def _reason(end: Ended) -> str:
    """The reason's name, or the status's where there is no reason; both stand in the explanation in capitals."""
    said = re.search(r"\(([A-Z_]+)\)", end.explanation) or re.match(r"([A-Z_]{3,})", end.explanation)
    return said[1] if said else ""
