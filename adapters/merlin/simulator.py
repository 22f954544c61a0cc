"""A stand-in for Merlin on Merlin's own wire: sessions, who may see what, the register's rules, and dials for what goes wrong.

It knows no accounts: it takes the anonymous logon, and any account with any secret.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic

from lxml import etree

from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.dials import seconds
from adapters.kit.soap import Element, SoapError, envelope, fault_envelope, header_and_body
from adapters.merlin import codes, records
from adapters.merlin.holdings import held
from adapters.merlin.register import ADULT, CHILD, MISSING, Refusal, Register, overdue
from adapters.merlin.wire import ROOTS, WireError, element_of, record_of

DIALS = {
    "ticket_expired": "ends the session of whoever asks",
    "ticket_life": "gives tickets that live only this long, such as 5s or 0s",
    "logon_refused": "refuses logons",
    "outbox_full": "has no room left in the outbox for partners",
    "later": "sets Merlin's clock forward by so many hours, such as 13h, so that reviews of risks fall due",
    "error": "answers with an error of its own under this code, such as MR999",
}
TICKET_SECONDS = 1800
"""Life of a ticket (assumed)."""
QUESTIONS = {ROOTS[kind]: kind for kind in (records.Logon, records.Find, records.Fetch, records.Raise, records.Amend)}
DETAILS = {MISSING: "missing", CHILD: "child", ADULT: "adult"}


class Simulator:
    """Merlin over HTTP."""

    def __init__(self, population: Population, dials: Dials, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._dials = dials
        self._clock = clock
        self.register = Register(held(population, clock()))
        self._sessions: dict[str, float] = {}
        self._logons = 0
        self.transport = Http(self.answer)

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one document with another."""
        try:
            return HttpReply(envelope(element_of(self._answer(request.body))))
        except (SoapError, WireError) as error:
            return HttpReply(fault_envelope("Client", f"Can't be read: {error}.", {"code": codes.MALFORMED}), status=500)
        except Refusal as refusal:
            detail = {"code": refusal.code, **({"reference": refusal.reference} if refusal.reference else {})}
            return HttpReply(fault_envelope("Server" if refusal.own else "Client", refusal.words, detail), status=500)

    def _answer(self, document: bytes) -> object:
        header, body = header_and_body(document)
        name = etree.QName(body).localname
        if name not in QUESTIONS:
            raise Refusal(codes.MALFORMED, "There is no such question.")
        self._dials.exchanges[name] += 1
        question = record_of(body, QUESTIONS[name])
        if isinstance(question, records.Logon):
            return self._log_on(question)
        self._check_session(record_of(_header(header, records.Session), records.Session))
        asker = record_of(_header(header, records.Asker), records.Asker)
        failure = self._dials.strike("error")
        if failure is not None:
            raise Refusal(failure or "MR999", f"Failure while {asker.warrant} asked.", own=True)
        return self._settled(question, asker, self._now())

    def _settled(self, question: object, asker: records.Asker, now: datetime) -> object:
        """The answer to a question whose session is good."""
        match question:
            case records.Find():
                found, more = self.register.find(question, asker)
                return records.Found(as_at=now, more=more, reports=found)
            case records.Fetch():
                report = self.register.fetch(question.reference, asker)
                late = records.Remark(code=codes.REVIEW_OVERDUE, text="The risk should have been looked at again.")
                return records.Fetched(as_at=now, report=report, remarks=(late,) if overdue(report, now) else ())
            case records.Raise():
                _check_submission(question)
                report = self.register.submit(question, asker, now, outbox_full=self._dials.strike("outbox_full") is not None)
                raised = report.summary
                return records.Raised(as_at=now, reference=raised.reference, created=raised.created or now, review_due=report.review_due)
            case records.Amend():
                _check_change(question)
                report = self.register.amend(question, asker, now)
                return records.Amended(as_at=now, status=report.summary.status, risk=report.summary.risk, review_due=report.review_due)
        raise AssertionError("unreachable: QUESTIONS names no other record")

    def _log_on(self, logon: records.Logon) -> records.Ticket:
        if self._dials.strike("logon_refused") is not None or bool(logon.user) != bool(logon.secret):
            raise Refusal(codes.LOGON_REFUSED, f"Account {logon.user} may not log on.")
        setting = self._dials.strike("ticket_life")
        life = TICKET_SECONDS if setting is None else int(seconds(setting) or 0)
        now = monotonic()
        self._sessions = {ticket: end for ticket, end in self._sessions.items() if end > now}
        self._logons += 1
        ticket = f"{self._logons:016X}"
        # Even a ticket without a life is good for the question that it was got for.
        self._sessions[ticket] = now + max(life, 1)
        return records.Ticket(value=ticket, seconds=life)

    def _check_session(self, session: records.Session) -> None:
        if self._dials.strike("ticket_expired") is not None:
            self._sessions.pop(session.ticket, None)
        if self._sessions.get(session.ticket, 0.0) <= monotonic():
            raise Refusal(codes.SESSION_EXPIRED, "Log on again.")

    def _now(self) -> datetime:
        setting = self._dials.strike("later")
        hours = re.fullmatch(r"(\d{1,4})h", setting or "")
        ahead = timedelta(hours=int(hours[1])) if hours else timedelta()
        return (self._clock() + ahead).replace(second=0, microsecond=0)


def _header(header: Sequence[Element], kind: type[object]) -> Element:
    for element in header:
        if etree.QName(element).localname == ROOTS[kind]:
            return element
    # A caller without a session is told what one with an old session is told.
    raise Refusal(codes.SESSION_EXPIRED, "Log on first.")


def _check_submission(submission: records.Raise) -> None:
    present = {name for name in DETAILS.values() if getattr(submission, name)}
    if present != {DETAILS.get(submission.type)} or submission.assessment.level not in codes.RISKS:
        raise Refusal(codes.MALFORMED, "The parts of the report do not go together.")


def _check_change(change: records.Amend) -> None:
    present = [part for part in (change.assessment, change.located, change.debriefed, change.closed) if part]
    if len(present) != 1 or (change.assessment and change.assessment.level not in codes.RISKS):
        raise Refusal(codes.MALFORMED, "One change at a time.")
