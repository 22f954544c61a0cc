"""A stand-in for LEDS and its identity service on their own wire, HTTPS, over the population that all simulators share.

It gives tokens for signed assertions, wants its headers, answers enquiries, and takes updates and remembers them until it ends.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from cryptography import x509

from adapters.kit.keys import self_signed
from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.identity import PATH, Identity
from adapters.leds import wire
from adapters.leds.register import Refused, Register, pages, told_vehicle
from adapters.leds.wire import Record, WireError, decode
from metip import identifiers

DIALS: Final[Mapping[str, str]] = {
    "type": "refuses with this type of error, such as conflict/version or unprocessable/not-allowed",
    "update_type": "the same for updates alone, so that the enquiry before one is answered",
    "status": "answers this HTTP status with words that are no error of LEDS, such as 403 or 500",
    "lost_reply": "does an update, then answers 504 as a gateway does",
    "expired": "no longer takes the token that it gave",
    "no_token": "gives no token",
    "throttled": "takes no more at the moment, and says for how many seconds (2 when not set)",
    "justify": "wants a reason of at least so many letters (40 when not set) before it answers about a person or a vehicle",
    "weeded": "no longer has the record that is asked for by number",
}
FULLER, MOST = 40, 20
STATUSES: Final = {"conflict": 409, "unprocessable": 422, "bad-request": 400, "forbidden": 403}
LENGTHS: Final = {"X-Leds-System-Name": (3, 250), "X-Leds-Justification": (3, 250), "X-Leds-On-Behalf-Of": (3, 50)}
NEEDED: Final = tuple(
    f"X-Leds-{name}"
    for name in (
        *("Session-Id", "System-Name", "Application-Datetime", "Justification", "Reason", "Activity-Flow-Id", "Activity-Code"),
        *("Action-Code", "Reference-Id", "Correlation-Id"),
    )
)
REASON: Final = re.compile(r"[0-9] - .+")


class Simulator:
    """LEDS, and beside it the identity service."""

    def __init__(self, population: Population, dials: Dials, known: x509.Certificate | None = None) -> None:
        """`known` is the one certificate that the identity service knows; without it, it takes any that comes with an assertion."""
        self.register = Register(population)
        self.transport = Http(self.answer, tls=self_signed().server_context())
        self.headers: list[Mapping[str, str]] = []
        """Headers of the last hundred requests, for tests of what LEDS is told."""
        self._population, self._dials = population, dials
        self._identity = Identity(known)
        self._answers: tuple[tuple[wire.Action, Callable[..., Any]], ...] = (
            (wire.BY_ASN, self._by_asn),
            (wire.BY_CASE, self._by_case),
            (wire.FIND_PEOPLE, self._people),
            (wire.FIND_VEHICLES, self._vehicles),
            (wire.ADD_REMAND, self.register.remand),
            (wire.ADD_DISPOSAL, self.register.dispose),
            (wire.ADD_LATER, self.register.resume),
        )

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one request."""
        if request.path == PATH:
            self._dials.exchanges["token"] += 1
            return HttpReply(b"", status=500) if self._dials.strike("no_token") is not None else self._identity.answer(request)
        for action, answer in self._answers:
            ids = re.fullmatch(re.sub(r"[{](\w+)[}]", r"(?P<\1>[^/]+)", action.path), request.path)
            if ids and request.method == "POST":
                return self._answered(request, action, answer, ids.groupdict())
        return _json(404, {"status": 404, "type": "about:blank", "title": "Not Found"})

    def _answered(self, request: HttpRequest, action: wire.Action, answer: Callable[..., Record], ids: dict[str, str]) -> HttpReply:
        self._dials.exchanges[action.path.rpartition("/")[2]] += 1
        self.headers = [*self.headers[-99:], request.headers]
        if self._dials.strike("expired") is not None:
            self._identity.take_back()
        if not self._identity.knows(request.headers):
            return _json(401, {"title": "Unauthorized"})
        try:
            self._ask_why(request, action)
            self._play(action)
            said = answer(_read(action, request.body), **ids)
        except Refused as refused:
            return refused_reply(refused, request)
        except Status as status:
            return HttpReply(b"<html>nothing of LEDS</html>", status=status.code, headers=status.headers)
        if action.update and self._dials.strike("lost_reply") is not None:
            return HttpReply(b"<html>gateway time-out</html>", status=504)
        return _json(201, {"id": said}) if action.update else _json(200, said)

    def _ask_why(self, request: HttpRequest, action: wire.Action) -> None:
        said = request.headers
        wrong = [name for name in NEEDED if not said.get(name)]
        wrong += [name for name, (least, most) in LENGTHS.items() if not least <= len(said.get(name, "x" * least)) <= most]
        if wrong or said["X-Leds-Action-Code"] != action.code or not REASON.fullmatch(said["X-Leds-Reason"]):
            raise Refused(400, "conflict/missing-required-data", f"HEADERS {', '.join(wrong)}")
        if action.path in (wire.FIND_PEOPLE.path, wire.FIND_VEHICLES.path):
            least = self._dials.strike("justify")
            if least is not None and len(said["X-Leds-Justification"]) < int(least or FULLER):
                raise Refused(403, "forbidden/payload", "FULLER JUSTIFICATION NEEDED")

    def _play(self, action: wire.Action) -> None:
        for dial in ("type", *(("update_type",) if action.update else ())):
            kind = self._dials.strike(dial)
            if kind is not None:
                raise Refused(STATUSES.get(kind.partition("/")[0], 400), kind, "PLAYED")
        status = self._dials.strike("status")
        if status is not None:
            raise Status(int(status or 500))
        seconds = self._dials.strike("throttled")
        if seconds is not None:
            raise Status(429, {"Retry-After": seconds or "2"})

    def _by_asn(self, said: Record) -> Record:
        return self._found(self.register.by_asn(said["asn"]), said["asn"])

    def _by_case(self, said: Record) -> Record:
        return self._found(self.register.by_case(said["courtCaseReference"], said["personUrn"]), said["courtCaseReference"])

    def _found(self, record: Record | None, number: str) -> Record:
        if record is None or self._dials.strike("weeded") is not None:
            raise Refused(404, "bad-request/invalid-reference", f"{number} NOT FOUND")
        return record

    def _people(self, said: Record) -> Record:
        population, limit = self._population, min(said.get("limit", MOST), MOST)
        if "personUrn" in said or "croNumber" in said:
            pnc_id = identifiers.parse_pnc_id(said.get("personUrn", ""), today=date.max).canonical
            person = population.person_by_pnc_id(pnc_id) if pnc_id else population.person_by_cro(said.get("croNumber", ""))
            weeded = person is not None and self._dials.strike("weeded") is not None
            return pages([] if person is None or weeded else [person], 1, population)
        found = population.find_people(
            surname=said.get("lastName", ""),
            forename=" ".join(said.get("firstNames", ())),
            sex=said.get("sex", ""),
            born_from=date.fromisoformat(said["bornFrom"]) if "bornFrom" in said else None,
            born_to=date.fromisoformat(said["bornTo"]) if "bornTo" in said else None,
            limit=population.scale.people,
        )
        return pages((person for person in found if person.pnc_id), limit, population)

    def _vehicles(self, said: Record) -> Record:
        vehicle = self.register.vehicle(said)
        if vehicle is not None and self._dials.strike("weeded") is not None:
            vehicle = None
        refreshed = datetime.combine(datetime.now(UTC).date(), time(4), UTC)  # every night at four (assumed)
        as_of = refreshed if refreshed <= datetime.now(UTC) else refreshed - timedelta(days=1)
        return {"vehicles": [told_vehicle(vehicle, self._population)] if vehicle else [], "registerAsOf": as_of.isoformat()}


class Status(Exception):
    """An HTTP status without a word of LEDS."""

    def __init__(self, code: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code, self.headers = code, headers or {}


def _read(action: wire.Action, body: bytes) -> Record:
    try:
        return decode(action.asks, body)
    except WireError as error:
        raise Refused(400, "conflict/missing-required-data", str(error)) from None


def refused_reply(refused: Refused, request: HttpRequest) -> HttpReply:
    """An error as LEDS tells it; its words hold what was asked for, as the real one's do."""
    detail = {"errorDetailType": refused.kind, "message": refused.words}
    said = {"status": refused.status, "title": "Refused", "type": refused.kind, "details": refused.words, "instance": request.path}
    return _json(refused.status, said | {"leds": {"errors": [detail]}})


def _json(status: int, said: Record) -> HttpReply:
    return HttpReply(json.dumps(said).encode(), status=status, content_type="application/json")
