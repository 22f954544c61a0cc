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
from metip.command_control.v1 import resource_pb2
from metip.command_control.v1.incident_service_pb2 import HeldIncident
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.pole_pb2 import Bs7666Address

ROOM = "POL-01CC"
AGENCIES = (ROOM, "FRS-LFB", "AMB-LAS", "POL-93BTP", "HMC-THAMES", "HWY-NH")
ALWAYS = ("free_text", "resource_status", "incident_request_assistance")
"""Contents that are taken whatever came before; the others are a state, of which a late one is nothing."""
Incident, Location, Caller = map(record_type, (contract.Incident, contract.Location, contract.Caller))
Held, Resource, Address, From = map(record_type, (HeldIncident, resource_pb2.Resource, Bs7666Address, Provenance))
Change, Text = map(record_type, (contract.IncidentChange, contract.FreeText))


class Room:
    """Incidents by origin and by the room's own reference, resources by callsign; each message is taken once."""

    def __init__(self, population: Population) -> None:
        self.held: dict[tuple[str, str], Any] = {}
        self.resources = {
            one.callsign: Resource(agency=ROOM, callsign=one.callsign, state=one.state, easting=one.easting, northing=one.northing)
            for one in units(population)
        }
        self.calls = room_calls(population)
        self._said: dict[str, Ack] = {}
        for call in self.calls:
            self._hold(incident_of(call, ROOM))
        self.effects: Counter[str] = Counter()
        """What was done for good: incidents created, crews asked for."""

    def take(self, message: Message, room: str) -> Ack:
        """Takes a message for one of the rooms, and says what became of it."""
        key = f"{message.header.message_id}/{room}"
        if key not in self._said:
            accepted, code, held = self._taken(message, room)
            mine = held.held_as if held else None
            self._said[key] = Ack(message_id=message.header.message_id, accepted=accepted, code=code, their_incident=mine)
        return self._said[key]

    def _taken(self, message: Message, room: str) -> tuple[bool, str, Any]:
        if room not in AGENCIES:
            return False, records.UNKNOWN_AGENCY, None
        if not message.header.version.startswith("1."):
            return False, records.VERSION, None
        if message.header.test:
            return True, records.TEST, None
        created = message.incident_create
        origin = created.origin if created else message.origin
        held = self.held.get((origin.agency, origin.reference)) if origin else None
        if created and held is None:
            self.effects["created"] += 1
            return True, "", self._hold(created)
        if held is None:
            return False, records.UNKNOWN_INCIDENT, None
        if created:
            return True, records.DUPLICATE, held
        late = message.update_number and message.update_number <= held.update_number
        if late and not any(getattr(message, one) for one in ALWAYS):
            return False, records.SUPERSEDED, None
        self._change(held, message)
        return True, "", held

    def _hold(self, incident: Any) -> Any:
        own = Reference(agency=ROOM, reference=f"CC26-{900_000 + len(self.held)}")
        held = Held(held_as=incident.origin if incident.origin.agency == ROOM else own, incident=incident)
        self._keep(held)
        return held

    def _keep(self, held: Any) -> None:
        for name in (held.held_as, held.incident.origin):
            self.held[name.agency, name.reference] = held

    def _change(self, held: Any, message: Message) -> None:
        new = dataclasses.asdict(message.incident_update or Change())
        words = message.free_text.text if message.free_text else new["narrative"]
        changed = {name: getattr(message.incident_update, name) for name, value in new.items() if value}
        changed["narrative"] = "\n".join(filter(None, (held.incident.narrative, words)))
        if message.incident_close:
            changed["status"] = "CLOSED"
        if message.incident_request_assistance:
            self.effects["crews"] += sum(one.count for one in message.incident_request_assistance.needs)
        if message.resource_status:
            self.resources[message.resource_status.callsign] = message.resource_status
        number = max(held.update_number, message.update_number)
        self._keep(dataclasses.replace(held, incident=dataclasses.replace(held.incident, **changed), update_number=number))

    def answer(self, question: Any) -> Any:
        """Answers an enquiry."""
        kind, found = records.ANSWERS[records.QUESTIONS.index(type(question))], self._found(question)
        if not found:
            return Refused(code=records.UNKNOWN_INCIDENT)
        name, limit = dataclasses.fields(kind)[0].name, getattr(question, "limit", 1) or 100
        said = From(system="C&C", as_of=datetime.now(UTC).replace(microsecond=0), truncated=len(found) > limit)
        return kind(**{name: found[0] if name == "incident" else tuple(found[:limit])}, provenance=said)

    def _found(self, question: Any) -> list[Any]:
        if hasattr(question, "incident"):
            held = self.held.get((question.incident.agency, question.incident.reference))
            return [held] if held else []
        if hasattr(question, "agency"):
            return [one for _, one in sorted(self.resources.items()) if _fits(one, question, "agency", "kind", "state")]
        until = question.opened_to or datetime.now(UTC)
        found = {
            one.held_as.reference: one
            for one in self.held.values()
            if _fits(one.incident, question, "type", "status")
            and question.opened_from <= one.incident.opened_at <= until
            and one.incident.location.postcode.startswith(question.postcode)
        }
        return sorted(found.values(), key=lambda one: (one.incident.opened_at, str(one.held_as.reference)), reverse=True)


def _fits(one: Any, question: Any, *names: str) -> bool:
    return all(getattr(question, name) in ("", getattr(one, name)) for name in names)


def incident_of(call: RoomCall, agency: str) -> Any:
    """A call as an incident of the agency that took it."""
    person, place = call.caller, call.address
    address = Address(primary=str(place.house), street=place.street, town=place.town, uprn=place.uprn)
    return Incident(
        origin=Reference(agency=agency, reference=f"X26-{800_000 + call.number}"),
        opened_at=call.opened_at,
        cad_number=call.cad_number,
        type="CRIME_OTHER" if call.crime_code else "MISSING_PERSON",
        priority=call.grade,
        location=Location(address=address, postcode=place.postcode, easting=place.easting, northing=place.northing),
        caller=Caller(name=f"{' '.join(person.forenames)} {person.surname}", telephone=person.phone, at_scene=call.at_scene),
        narrative=call.words,
        status="OPEN",
    )


def story(call: RoomCall, agency: str, to: str) -> tuple[Message, ...]:
    """What an agency hands over of a call: the incident, then two updates."""
    incident = incident_of(call, agency)
    worse = Change(priority="I", narrative="The caller hears shouting.")
    contents = ({"incident_create": incident}, {"incident_update": worse}, {"free_text": Text(text="The caller has hung up.")})
    told = []
    for number, content in enumerate(contents):
        header = Header(message_id=str(uuid5(NAMESPACE_URL, f"{agency}/{call.number}/{number}")), from_agency=agency, to_agencies=to)
        told.append(Message(header=header, origin=incident.origin, update_number=number, **content))
    return tuple(told)
