"""A stand-in for the vehicle register's enquiry service on its own wire: the population's vehicles, and dials for what goes wrong."""

import re
from dataclasses import replace

from adapters.ivma import wire
from adapters.ivma.records import Document, Enquiry, Problem, Refused, Vehicle
from adapters.kit.population import Population
from adapters.kit.population.records import Vehicle as Invented
from adapters.kit.population.registered import registered
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest

MARK = re.compile(r"[A-Z0-9]{1,7}")
DIALS = {
    "key_refused": "refuses the key, as the gateway before the service does",
    "limit": "has had too many requests under this key; its setting is the seconds to wait",
    "system_error": "fails",
    "maintenance": "is down for maintenance",
    "repainted": "has another colour than the PNC, as for a repaint or a clone",
    "sparse": "gives only what it has for every vehicle, as for old ones",
    "another": "gives another vehicle than the one that was asked for",
}
FORBIDDEN = Refused(message="Forbidden")
TOO_MANY = Refused(message="Too Many Requests")
NO_ROUTE = Refused(message="Missing Authentication Token")
NOT_FOUND = Problem(status="404", code="404", title="Vehicle Not Found", detail="Record for vehicle not found")
BAD = Problem(status="400", code="ENQ103", title="Bad Request", detail="Invalid format for field - vehicle registration number")
FAILED = Problem(status="500", code="500", title="Internal Server Error", detail="System Error occurred")
DOWN = Problem(status="503", title="System currently down for maintenance", detail="The service is currently down for maintenance")


class Simulator:
    """The enquiry service over HTTP. It knows the vehicles as of the population's own day, so that an answer never ages."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._population = population
        self._dials = dials
        self.keys: list[str] = []
        """The keys that came, so that tests can prove which one did."""
        self.transport = Http(self.answer)

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one request."""
        self._dials.exchanges["vehicles"] += 1
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.keys.append(headers.get("x-api-key", ""))
        if (request.method, request.path) != ("POST", wire.PATH):
            return _reply(403, NO_ROUTE)
        if self._dials.strike("key_refused") is not None:
            return _reply(403, FORBIDDEN)
        wait = self._dials.strike("limit")
        if wait is not None:
            return _reply(429, TOO_MANY, {"Retry-After": wait} if wait else {})
        if self._dials.strike("maintenance") is not None:
            return _reply(503, Refused(errors=(DOWN,)))
        if self._dials.strike("system_error") is not None:
            return _reply(500, Refused(errors=(FAILED,)))
        return self._found(request.body)

    def _found(self, body: bytes) -> HttpReply:
        try:
            asked = wire.decode(body)
        except wire.WireError:
            asked = Refused(message="unreadable")
        if not isinstance(asked, Enquiry) or not MARK.fullmatch(asked.registration_number):
            return _reply(400, Refused(errors=(BAD,)))
        held = self._population.vehicle(asked.registration_number)
        if held is None:
            return _reply(404, Refused(errors=(NOT_FOUND,)))
        found = self._entry(held)
        if self._dials.strike("repainted") is not None:
            found = replace(found, colour="PINK")
        if self._dials.strike("another") is not None:
            found = replace(found, registration_number="AA00AAA")
        if self._dials.strike("sparse") is not None:
            found = Vehicle(
                registration_number=found.registration_number, tax_status=found.tax_status, make=found.make, colour=found.colour
            )
        return _reply(200, found)

    def _entry(self, held: Invented) -> Vehicle:
        today, more = self._population.scale.as_of, registered(self._population, held)
        mot = "No details held by DVLA" if held.mot_expiry is None else "Valid" if held.mot_expiry >= today else "Not valid"
        return Vehicle(
            registration_number=held.vrm,
            tax_status="Taxed" if held.taxed else "SORN" if more.off_road else "Untaxed",
            tax_due_date=None if more.off_road and not held.taxed else f"{more.tax_due}",
            mot_status=mot,
            mot_expiry_date=f"{held.mot_expiry}" if held.mot_expiry else None,
            make=held.make,
            colour=held.colour,
            year_of_manufacture=held.first_registered.year,
            month_of_first_registration=f"{held.first_registered:%Y-%m}",
            engine_capacity=more.engine_cc or None,
            co2_emissions=more.co2,
            fuel_type=more.fuel,
            marked_for_export=more.exported,
            type_approval="M1",
            euro_status=more.euro_status or None,
            wheelplan="2 AXLE RIGID BODY",
            date_of_last_v5_c_issued=f"{more.v5c_issued}",
        )


def _reply(status: int, document: Document, headers: dict[str, str] | None = None) -> HttpReply:
    return HttpReply(wire.encode(document), status=status, content_type=wire.CONTENT_TYPE, headers=headers or {})
