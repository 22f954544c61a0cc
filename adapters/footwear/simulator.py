"""A stand-in for the database on its own wire: its rules, the shared population's footwear, and dials for what goes wrong."""

from collections.abc import Callable
from datetime import UTC, datetime

from adapters.footwear import codes, wire
from adapters.footwear.holdings import held_before
from adapters.footwear.records import Answer, Fetch, Found, Question, Refused, Search, Submit, Withdraw
from adapters.footwear.register import Refusal, Register
from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest

DIALS = {
    "no_scan": "never gets the scan, as with three detainees in ten, and goes on waiting for it",
    "unknown_pattern": "finds the pattern in no collection, and leaves it to the bureau",
    "unreadable": "cannot read the scan, and refuses the impression",
    "busy": "takes no more at the moment",
    "closed": "is closed for maintenance",
    "key_refused": "refuses the force's key",
    "error": "answers with an error of its own under this code, such as NF999",
}
REFUSING = {
    "key_refused": codes.KEY_REFUSED,
    "closed": codes.CLOSED,
    "busy": codes.BUSY,
    "error": "NF999",
}
"""Dials that refuse any question, and the code; `error` may be set to another."""


class Simulator:
    """The database over HTTP."""

    def __init__(self, population: Population, dials: Dials, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._dials = dials
        self._clock = clock
        self.register = Register(held_before(population))
        self.seen: list[bytes] = []
        """Documents as they came, the latest hundred, so that tests can prove what was and what was not sent."""
        self.transport = Http(self.answer)

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one document with another."""
        self.seen = [*self.seen[-99:], request.body]
        try:
            answer = self._answer(request)
        except Refusal as refusal:
            answer = Refused(code=refusal.code, words=refusal.words)
        status = int(answer.code[2:]) if isinstance(answer, Refused) else 200
        # 503 and its like are a gateway's: the service itself says what is wrong in its document.
        return HttpReply(wire.encode(answer), status=min(status, 500), content_type=wire.CONTENT_TYPE)

    def _answer(self, request: HttpRequest) -> Answer:
        try:
            question = wire.decode(request.body)
        except wire.WireError as error:
            raise Refusal(codes.MALFORMED, str(error)) from None
        if not isinstance(question, Question) or request.path != wire.path(question):
            raise Refusal(codes.MALFORMED, "There is no such question.")
        self._dials.exchanges[type(question).__name__] += 1
        for dial, code in REFUSING.items():
            setting = self._dials.strike(dial)
            if setting is not None:
                raise Refusal(setting or code, "Played.")
        return self._settled(question)

    def _settled(self, question: Question) -> Answer:
        match question:
            case Submit():
                if question.impression.scan and self._dials.strike("unreadable") is not None:
                    raise Refusal(codes.UNREADABLE, "The scan cannot be read.")
                return self.register.submit(
                    question,
                    unknown_pattern=self._dials.strike("unknown_pattern") is not None,
                    scanned=self._dials.strike("no_scan") is None,
                )
            case Withdraw():
                return self.register.withdraw(question)
            case Search():
                found, more = self.register.search(question)
                return Found(as_at=self._clock(), more=more, impressions=found)
            case Fetch():
                return Found(as_at=self._clock(), more=False, impressions=(self.register.fetch(question),))
