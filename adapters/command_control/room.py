"""A control room's own rules, for the simulator: what it holds, what it takes, what it refuses, and what it hands over itself."""

import dataclasses
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adapters.command_control import records
from adapters.command_control.records import Ack, Header, Message, Reference, Refused
from adapters.kit.mirror import record_type
from adapters.kit.population import Population
from adapters.kit.population.control_rooms import RoomCall, room_calls, units
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1 import incident_service_pb2 as service
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.pole_pb2 import Bs7666Address

ROOM = "POL-01CC"
AGENCIES = (ROOM, "FRS-LFB", "AMB-LAS", "POL-93BTP", "HMC-THAMES", "HWY-NH")
VIOLENCE = ("CJ", "OF", "TH68023")
WORDS = ("free_text", "resource_status", "incident_request_assistance")
"""Contents that are taken whatever came before; the others are a state, of which a late one is nothing."""
Incident, Location, Caller, Held, Resource, Address, From = map(
    record_type,
    (
        *(contract.Incident, contract.Location, contract.Caller, service.HeldIncident, contract.Resource),
        *(Bs7666Address, Provenance),
    ),
)


class Room:
    """Incidents by origin and by the room's own reference, resources by callsign; each message is taken once."""

    def __init__(self, population: Population) -> None:
        self.held: dict[tuple[str, str], Any] = {}
        self.resources = {one.callsign: _resource(one) for one in units(population)}
        self.effects: Counter[str] = Counter()
        """What was done for good: incidents created, crews asked for."""
        self._said: dict[str, Ack] = {}
        self.calls = tuple(room_calls(population))
        for call in self.calls:
            self._hold(incident_of(call))
        self.effects.clear()

    def take(self, message: Message, room: str) -> Ack:
        """Takes a message for one of the rooms, and says what became of it."""
        key = f"{message.header.message_id}/{room}"
        if key not in self._said:
            self._said[key] = self._taken(message, room)
        return self._said[key]

    def _taken(self, message: Message, room: str) -> Ack:
        def said(accepted: bool, code: str = "", held: Any = None) -> Ack:
            return Ack(message_id=message.header.message_id, accepted=accepted, code=code, their_incident=held.held_as if held else None)

        if room not in AGENCIES:
            return said(False, records.UNKNOWN_AGENCY)
        if not message.header.version.startswith("1."):
            return said(False, records.VERSION)
        if message.header.test:
            return said(True, records.TEST)
        origin = message.incident_create.origin if message.incident_create else message.origin
        held = self.held.get((origin.agency, origin.reference)) if origin else None
        if message.incident_create:
            return said(True, records.DUPLICATE, held) if held else said(True, "", self._hold(message.incident_create))
        if held is None:
            return said(False, records.UNKNOWN_INCIDENT)
        late = message.update_number and message.update_number <= held.update_number
        if late and not any(getattr(message, one) for one in WORDS):
            return said(False, records.SUPERSEDED)
        self._change(held, message)
        return said(True, "", held)

    def _hold(self, incident: Any) -> Any:
        self.effects["created"] += 1
        held = Held(held_as=Reference(agency=ROOM, reference=f"CC26-{900_000 + len(self.held) // 2 + 1}"), incident=incident)
        self._keep(held)
        return held

    def _keep(self, held: Any) -> None:
        for name in (held.held_as, held.incident.origin):
            self.held[name.agency, name.reference] = held

    def _change(self, held: Any, message: Message) -> None:
        incident, update = held.incident, message.incident_update
        if message.incident_request_assistance:
            self.effects["crews"] += sum(one.count for one in message.incident_request_assistance.needs)
        if message.resource_status:
            self.resources[message.resource_status.callsign] = message.resource_status
        words = message.free_text.text if message.free_text else update.narrative if update else ""
        if update:
            new = {one.name: getattr(update, one.name) for one in dataclasses.fields(update) if one.name != "narrative"}
            incident = dataclasses.replace(incident, **{name: value for name, value in new.items() if value})
        incident = dataclasses.replace(
            incident,
            narrative="\n".join(filter(None, (incident.narrative, words))),
            status="CLOSED" if message.incident_close else incident.status,
        )
        self._keep(dataclasses.replace(held, incident=incident, update_number=max(held.update_number, message.update_number)))

    def answer(self, question: Any) -> Any:
        """Answers an enquiry."""
        kind, found = records.ANSWERS[records.QUESTIONS.index(type(question))], self._found(question)
        limit = getattr(question, "limit", 1) or 100
        said = From(system="C&C", as_of=datetime.now(UTC).replace(microsecond=0), truncated=len(found) > limit)
        if not found:
            return Refused(code=records.UNKNOWN_INCIDENT)
        name = next(one.name for one in dataclasses.fields(kind) if one.name != "provenance")
        return kind(**{name: found[0] if name == "incident" else tuple(found[:limit])}, provenance=said)

    def _found(self, question: Any) -> list[Any]:
        if hasattr(question, "incident"):
            held = self.held.get((question.incident.agency, question.incident.reference))
            return [held] if held else []
        if hasattr(question, "agency"):
            bounds = ("agency", "kind", "state")
            fitting = [one for one in self.resources.values() if all(getattr(question, b) in ("", getattr(one, b)) for b in bounds)]
            return sorted(fitting, key=lambda one: str(one.callsign))
        until = question.opened_to or datetime.now(UTC)
        several = {one.held_as.reference: one for one in self.held.values() if question.opened_from <= one.incident.opened_at <= until}
        return sorted(
            (
                one
                for one in several.values()
                if question.type in ("", one.incident.type)
                and question.status in ("", one.incident.status)
                and one.incident.location.postcode.startswith(question.postcode)
            ),
            key=lambda one: (one.incident.opened_at, str(one.held_as.reference)),
            reverse=True,
        )


def incident_of(call: RoomCall, agency: str = ROOM, prefix: str = "CC26-S") -> Any:
    """A call as an incident of the agency that took it."""
    person, place = call.caller, call.address
    violent = call.crime_code.startswith(VIOLENCE)
    return Incident(
        origin=Reference(agency=agency, reference=f"{prefix}{call.number:05d}"),
        opened_at=call.opened_at,
        cad_number=call.cad_number,
        type="MISSING_PERSON" if not call.crime_code else "CRIME_VIOLENCE" if violent else "CRIME_THEFT",
        priority=call.grade,
        location=Location(
            address=Address(primary=str(place.house), street=place.street, town=place.town, uprn=place.uprn),
            postcode=place.postcode,
            easting=place.easting,
            northing=place.northing,
        ),
        caller=Caller(name=f"{' '.join(person.forenames)} {person.surname}", telephone=person.phone, at_scene=call.at_scene),
        narrative=call.words,
        status="OPEN",
    )


def story(call: RoomCall, agency: str, to: str) -> tuple[Message, ...]:
    """What an agency hands over of a call: the incident, then two updates."""
    incident = incident_of(call, agency, "X-")

    def message(number: int, **content: Any) -> Message:
        name = str(uuid5(NAMESPACE_URL, f"{agency}/{call.number}/{number}"))
        header = Header(message_id=name, from_agency=agency, to_agencies=to, version="1.0")
        return Message(header=header, origin=incident.origin, update_number=number, **content)

    worse = record_type(contract.IncidentChange)(priority="I", narrative="The caller hears shouting.")
    words = record_type(contract.FreeText)(text="The caller has hung up.")
    return message(0, incident_create=incident), message(1, incident_update=worse), message(2, free_text=words)


def _resource(unit: Any) -> Any:
    return Resource(
        callsign=unit.callsign,
        agency=ROOM,
        kind="RESPONSE_VEHICLE",
        state="6" if unit.busy else "2",
        easting=unit.easting,
        northing=unit.northing,
    )
