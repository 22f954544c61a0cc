"""CRIS as it would answer: SOAP 1.1 over HTTP in ISO-8859-1, optimistic locks, restricted reports, and every way in which it fails."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from adapters.cris import records, wire
from adapters.cris.codes import ENCODING, MAINTENANCE_MINUTES, PATH, Code, Problem
from adapters.cris.simulated import originals
from adapters.cris.simulated.register import Register
from adapters.cris.simulated.rules import Refusal
from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.dials import seconds
from adapters.kit.soap import Element, SoapError, SoapFault, envelope, fault_envelope, open_envelope, parse_xml

DIALS: Mapping[str, str] = {
    "slow_search": "a search takes this long, such as 5s; 3s when nothing is set, as one in twenty does on a bad day",
    "maintenance": "refuses everything, as between 03:00 and 03:30; set to the minutes left, 30 when nothing is set",
    "session_limit": "refuses, since every session of the account is taken",
    "conflict": "somebody else saves a report just before it is updated",
    "locked": "somebody else has the report open, so that it can't be changed",
    "validation": "refuses a write for one field; set to CRIS's name of it, SHEET.VENUE.POSTCODE when nothing is set",
    "tells_apart": "tells a restricted report from a number that no report has, as it should not",
    "internal": "fails with CRIS-0999 after it did what was asked",
}
CONTENT_TYPE = f"text/xml; charset={ENCODING.lower()}"
SLOW = 3.0
NAMES: Mapping[type, str] = {
    records.Search: "search",
    records.Get: "get",
    records.Create: "create",
    records.AddDet: "add_det",
    records.Update: "update",
}


class Simulator:
    """One CRIS; what is recorded stays in memory. `clock` gives local time without a zone."""

    def __init__(self, population: Population, dials: Dials, clock: Callable[[], datetime] = originals.now) -> None:
        self.register = Register(population, clock)
        self.transport = Http(self.answer)
        self._dials = dials

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one request."""
        if request.method != "POST" or request.path != PATH:
            return HttpReply(b"", status=404)
        # CRIS reads what it gets as Latin-1 and would store a name in UTF-8 as gibberish; better to refuse it here.
        if ENCODING.lower() not in request.headers.get("Content-Type", "").lower():
            return HttpReply(b"", status=415)
        try:
            if parse_xml(request.body).getroottree().docinfo.encoding != ENCODING:
                return HttpReply(b"", status=415)
            body = open_envelope(request.body)
            asked = wire.question(body)
        except (SoapError, SoapFault, wire.WireError):
            return _fault(Code.INTERNAL, "UNKNOWN")
        if request.headers.get("SOAPAction") != f'"{wire.action(type(asked))}"':
            return HttpReply(b"", status=400)
        self._dials.exchanges[NAMES[type(asked)]] += 1
        return await self._answer(asked, body)

    async def _answer(self, asked: records.Question, body: Element) -> HttpReply:
        if (minutes := self._dials.strike("maintenance")) is not None:
            return _fault(Code.MAINTENANCE, asked.requestor.warrant_no, RETRY_MINUTES=minutes or str(MAINTENANCE_MINUTES))
        if self._dials.strike("session_limit") is not None:
            return _fault(Code.SESSION_LIMIT, asked.requestor.warrant_no)
        if isinstance(asked, records.Search) and (slow := self._dials.strike("slow_search")) is not None:
            await asyncio.sleep(seconds(slow) or SLOW)
        try:
            self._interfere(asked)
            _check_characters(body)
            reply = self._do(asked)
        except Refusal as refusal:
            errors = "\n".join(f"{field}|{problem}" for field, problem in refusal.errors)
            return _fault(refusal.code, asked.requestor.warrant_no, ERRORS=errors)
        if self._dials.strike("internal") is not None:
            return _fault(Code.INTERNAL, asked.requestor.warrant_no)
        return HttpReply(envelope(wire.write(reply), encoding=ENCODING), content_type=CONTENT_TYPE)

    def _do(self, asked: records.Question) -> records.Answer:
        match asked:
            case records.Search():
                return self.register.search(asked)
            case records.Get():
                return self.register.get(asked)
            case records.Create():
                return self.register.create(asked)
            case records.AddDet():
                return self.register.add_det(asked)
            case records.Update():
                return self.register.update(asked)

    def _interfere(self, asked: records.Question) -> None:
        """Plays what others do, or CRIS does wrong, before the question is looked at."""
        if isinstance(asked, records.Search):
            return
        if not isinstance(asked, records.Get) and (field := self._dials.strike("validation")) is not None:
            raise Refusal(Code.INVALID, ((field or "SHEET.VENUE.POSTCODE", Problem.FORMAT),))
        if isinstance(asked, records.Create):
            return
        if self._dials.strike("tells_apart") is not None and not self.register.exists(asked.crime_no):
            raise Refusal(Code.UNKNOWN_REF)
        if isinstance(asked, records.AddDet | records.Update) and self._dials.strike("locked") is not None:
            raise Refusal(Code.LOCKED)
        if isinstance(asked, records.Update) and self._dials.strike("conflict") is not None:
            self.register.save_elsewhere(asked.crime_no)


def _check_characters(body: Element) -> None:
    """Refuses what only a character reference could bring in: CRIS has one byte for a character."""
    for element in body.iter():
        if any(character > "\xff" for character in element.text or ""):
            raise Refusal(Code.INVALID, (("TEXT", Problem.CHARACTERS),))


def _fault(code: Code, user: str, **detail: str) -> HttpReply:
    """A SOAP fault. Its words are for CRIS's own screens and name whoever asked; the code is what counts."""
    side = "Server" if code in (Code.MAINTENANCE, Code.SESSION_LIMIT, Code.INTERNAL) else "Client"
    said = fault_envelope(side, f"{code.name} - USER {user}", {"CODE": code.value, **detail}, encoding=ENCODING)
    return HttpReply(said, status=500, content_type=CONTENT_TYPE)
