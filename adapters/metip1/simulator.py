"""The old bus as it would answer: SOAP 1.1 over HTTPS with certificates both ways, and PNC, CRIS, Merlin, custody and the courts behind it.

It knows who asks by certificate and account, wants a purpose, and does what the systems behind it do, in its own print. It is slow, at
times stale and at times tells a row twice, and says so nowhere.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.dials import seconds
from adapters.kit.soap import Element, SoapError, envelope, fault_envelope, header_and_body
from adapters.kit.tls import Credentials
from adapters.metip1.faults import AGAIN, CODE, TRANSACTION
from adapters.metip1.services import BY_QUESTION, CONTEXT, SoapOperation
from adapters.metip1.simulated import printing
from adapters.metip1.simulated.court_cases import CourtCases
from adapters.metip1.simulated.crimes import Crimes
from adapters.metip1.simulated.enquiries import Enquiries
from adapters.metip1.simulated.episodes import Episodes
from adapters.metip1.simulated.printing import Refused
from adapters.metip1.wire import REQUESTER, Layout, Record, WireError, element_of, record_of

DIALS: Final[Mapping[str, str]] = {
    "fault": "refuses with this code, such as MB2003; MB3002 when not set",
    "update_fault": "the same for whatever changes something, so that enquiries are answered",
    "retry": "names so many seconds to whoever it refuses with `fault`; 5 when not set",
    "lost_reply": "does what it was asked, then answers 504 as a gateway does",
    "broken": "does what it was asked, then answers with the answer to another question",
    "slow": "takes this long for each row of its answer, such as 20ms; 50ms when not set",
    "stale": "answers from a copy that is so many days old, 30 when not set, and lacks what was changed or reported since",
    "duplicated": "tells the first of the rows that it found twice",
    "justify": "wants a reason of at least so many letters, 40 when not set",
    "unknown": "does not know the account",
}
FULLER, STALE_DAYS, SLOW = 40, 30, 0.05
KNOWN: Final = ("METIP2",)
"""Accounts."""


class Simulator:
    """One bus; what is recorded stays in memory."""

    def __init__(
        self,
        population: Population,
        dials: Dials,
        credentials: Credentials | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._dials, self._clock = dials, clock
        self.enquiries, self.cases = Enquiries(population), CourtCases(population)
        self.crimes, self.episodes = Crimes(population, clock), Episodes(population, clock)
        self.accepted: dict[tuple[str, ...], Record] = {}
        """Messages by what makes each once, with what came first."""
        self.asked: list[tuple[Record, Record, Mapping[str, str]]] = []
        """Requester, context and addressing of the last hundred questions, for tests of what the bus is told."""
        self.transport = Http(self.answer, tls=(credentials or Credentials.everybodys()).server)
        self._reads: Mapping[str, Callable[[Record, Record, int], Record]] = {
            "FindNames": lambda asked, asker, stale: self.enquiries.find_names(asked, stale),
            "GetName": lambda asked, asker, stale: self.enquiries.get_name(asked, stale),
            "GetVehicle": lambda asked, asker, stale: self.enquiries.get_vehicle(asked, stale),
            "FindVehicles": lambda asked, asker, stale: self.enquiries.find_vehicles(asked, stale),
            "GetDriver": lambda asked, asker, stale: self.enquiries.get_driver(asked, stale),
            "FindProperty": lambda asked, asker, stale: self.enquiries.find_property(asked, stale),
            "GetArrestSummons": lambda asked, asker, stale: self.cases.get(asked, stale),
            "FindCrimes": self.crimes.find,
            "GetCrime": self.crimes.get,
            "FindReports": self.episodes.find,
            "GetReport": self.episodes.get,
        }
        self._writes: Mapping[str, Callable[[Record, Record], Record]] = {
            "UpdateDisposal": lambda asked, asker: self.cases.dispose(asked),
            "UpdateRemand": lambda asked, asker: self.cases.remand(asked),
            "UpdateDeferredSentence": lambda asked, asker: self.cases.defer(asked),
            "UpdateVariation": lambda asked, asker: self.cases.vary(asked),
            "CreateCrime": self.crimes.create,
            "AddDet": self.crimes.add,
            "UpdateCrime": self.crimes.update,
            "RaiseReport": self.episodes.submit,
            "UpdateReport": self.episodes.update,
            "SendCustodyRecord": lambda asked, asker: self._accept(asked, "CustodyNumber", "Version"),
            "SubmitCase": lambda asked, asker: self._accept(asked, "URN", "Submission"),
            "SendResult": lambda asked, asker: self._accept(asked, "DeliveryId", "CaseNumber", "ContentDigest"),
        }

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one request."""
        try:
            headers, body = header_and_body(request.body)
            operation = BY_QUESTION.get(str(body.tag))
            if operation is None or request.path != operation.service.path or request.method != "POST":
                return HttpReply(b"", status=404)
            asker, why, question = _told(headers, REQUESTER), _told(headers, CONTEXT), record_of(operation.asked, body)
        except (SoapError, WireError):
            return _fault("MB1002", "CAN NOT BE READ", "")
        if request.headers.get("SOAPAction") != f'"{operation.action}"':
            return HttpReply(b"", status=400)
        self._dials.exchanges[operation.name] += 1
        self.asked = [*self.asked[-99:], (asker, why, {str(one.tag).rpartition("}")[2]: one.text or "" for one in headers if not len(one)})]
        try:
            self._admit(operation, asker, why)
            answer = self._done(operation, question, asker)
        except Refused as refused:
            again = self._dials.strike("retry")
            return _fault(refused.code, refused.words, asker.get("Transaction", ""), "" if again is None else again or "5")
        await self._dawdle(answer)
        return self._replied(operation, answer)

    def _admit(self, operation: SoapOperation, asker: Record, why: Record) -> None:
        if asker.get("Account") not in KNOWN or self._dials.strike("unknown") is not None:
            raise Refused("MB1107", f"ACCOUNT {asker.get('Account', '')} IS NOT KNOWN")
        if not why.get("Purpose"):
            raise Refused("MB1105", f"USER {asker.get('UserId', '')} GAVE NO PURPOSE")
        for dial in ("fault", *(("update_fault",) if operation.name in self._writes else ())):
            code = self._dials.strike(dial)
            if code is not None:
                raise Refused(code or "MB3002", f"PLAYED FOR USER {asker.get('UserId', '')}")
        least = self._dials.strike("justify")
        if least is not None and len(why.get("Justification", "")) < int(least or FULLER):
            raise Refused("MB1103", f"USER {asker.get('UserId', '')} MUST SAY MORE")

    def _done(self, operation: SoapOperation, question: Record, asker: Record) -> Record:
        try:
            if operation.name in self._writes:
                return self._writes[operation.name](question, asker)
            stale = self._dials.strike("stale")
            answer = self._reads[operation.name](question, asker, 0 if stale is None else int(stale or STALE_DAYS))
        except (KeyError, ValueError, IndexError):
            raise Refused("MB1001", "A FIELD IS MISSING OR OF ANOTHER KIND") from None
        rows = _rows(answer)
        if rows and self._dials.strike("duplicated") is not None:
            rows.insert(1, rows[0])
        if "AnswerInfo" in {item.name for item in operation.answered.items}:
            answer = answer | {"AnswerInfo": {"AsOf": printing.moment(self._clock()), "MoreRecords": "N", **answer.get("AnswerInfo", {})}}
        return answer

    async def _dawdle(self, answer: Record) -> None:
        slow = self._dials.strike("slow")
        if slow is not None:
            await asyncio.sleep((seconds(slow) or SLOW) * max(1, len(_rows(answer))))

    def _replied(self, operation: SoapOperation, answer: Record) -> HttpReply:
        if self._dials.strike("lost_reply") is not None:
            return HttpReply(b"<html>gateway time-out</html>", status=504)
        if self._dials.strike("broken") is not None:
            return HttpReply(envelope(element_of(REQUESTER, {"Account": "SOMEBODY ELSE'S"})))
        return HttpReply(envelope(element_of(operation.answered, answer)))

    def _accept(self, asked: Record, *key: str) -> Record:
        """Takes a message, once for each key; delivering it is the bus's own business."""
        found = (key[0], *(asked.get(one, "") for one in key))
        number = str(uuid5(NAMESPACE_URL, "/".join(found)))
        if found in self.accepted:
            return {"MessageId": number, "DuplicateOf": number}
        self.accepted[found] = asked
        return {"MessageId": number, "Accepted": printing.moment(self._clock())}


def _told(headers: Any, layout: Layout) -> Record:
    found: Element | None = next((one for one in headers if one.tag == layout.tag), None)
    return record_of(layout, found) if found is not None else {}


def _rows(answer: Record) -> list[Any]:
    """What a search found: the answer's own list; none of an answer that is one record."""
    return next((one for one in answer.values() if isinstance(one, list)), [])


def _fault(code: str, words: str, transaction: str, again: str = "") -> HttpReply:
    """A SOAP fault. Its words are for the bus's own log and name whoever asked."""
    side = "Client" if code.startswith("MB1") else "Server"
    detail = {CODE: code, TRANSACTION: transaction} | ({AGAIN: again} if again else {})
    return HttpReply(fault_envelope(side, words, detail), status=500)
