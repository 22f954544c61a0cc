"""A stand-in for COPA on COPA's own wire: the case files of everybody who was charged, the register's rules, and dials for what goes wrong.

It knows no accounts: it takes any that has a name.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from lxml import etree

from adapters.copa import codes, records
from adapters.copa.register import Refusal, Register
from adapters.copa.wire import WireError, element_of, record_of
from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.soap import SoapError, envelope, fault_envelope, header_and_body

DIALS = {
    "conflict": "lets somebody else change the case file just before each change or filing",
    "locked": "has the case file open in somebody's session, so that it can't be changed",
    "read_only": "takes no changes, as in the nightly window",
    "lost_reply": "does what it was asked, then fails as if it had not",
    "account_refused": "refuses the account",
    "error": "answers with an error of its own under this code, such as CPA-999",
}
QUESTIONS = {kind.__name__: kind for kind in (records.GetCase, records.OpenCase, records.AmendCase, records.FileResult)}


class Simulator:
    """COPA over HTTP."""

    def __init__(self, population: Population, dials: Dials, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._dials = dials
        self._clock = clock
        self.register = Register.of(population)
        self.transport = Http(self.answer)

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one document with another."""
        try:
            return HttpReply(envelope(element_of(self._answer(request.body))))
        except (SoapError, WireError) as error:
            return HttpReply(fault_envelope("Client", f"Can't be read: {error}.", {"ErrorCode": codes.MALFORMED}), status=500)
        except Refusal as refusal:
            detail = {"ErrorCode": refusal.code, **({"Version": str(refusal.version)} if refusal.version else {})}
            return HttpReply(fault_envelope("Server" if refusal.own else "Client", refusal.words, detail), status=500)

    def _answer(self, document: bytes) -> object:
        header, body = header_and_body(document)
        name = etree.QName(body).localname
        if name not in QUESTIONS:
            raise Refusal(codes.MALFORMED, "There is no such question.")
        self._dials.exchanges[name] += 1
        question = record_of(body, QUESTIONS[name])
        caller = record_of(header[0], records.Caller) if header else records.Caller(account="")
        if not caller.account or self._dials.strike("account_refused") is not None:
            raise Refusal(codes.ACCOUNT_REFUSED, f"Account {caller.account} may not ask.")
        failure = self._dials.strike("error")
        if failure is not None:
            raise Refusal(failure or "CPA-999", f"Failure while {caller.officer} asked.", own=True)
        return self._settled(question, self._clock().replace(microsecond=0))

    def _settled(self, question: object, now: datetime) -> object:
        """The answer to a question from somebody who may ask."""
        if isinstance(question, records.GetCase):
            return records.GetCaseReply(as_at=now, case=self.register.get(question.urn))
        if self._dials.strike("read_only") is not None:
            raise Refusal(codes.READ_ONLY, "Come again in the morning.")
        answer = self._changed(question, now)
        if self._dials.strike("lost_reply") is not None:
            raise Refusal("CPA-999", "Failure on the way back.", own=True)
        return answer

    def _changed(self, question: object, now: datetime) -> object:
        if isinstance(question, records.OpenCase):
            return records.OpenCaseReply(as_at=now, version=self.register.open(question, now).version)
        assert isinstance(question, records.AmendCase | records.FileResult), "QUESTIONS names no other record"
        if self._dials.strike("locked") is not None:
            raise Refusal(codes.CASE_LOCKED, f"Case {question.urn} is open in another session.")
        if self._dials.strike("conflict") is not None:
            self.register.touch(question.urn)
        if isinstance(question, records.AmendCase):
            case = self.register.amend(question)
            return records.AmendCaseReply(as_at=now, version=case.version, status=case.status)
        case, before = self.register.file(question, now)
        return records.FileResultReply(as_at=now, version=case.version, before=before)
