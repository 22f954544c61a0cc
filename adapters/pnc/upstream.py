"""The host as the adapter asks it: one transaction out, one back, and every way in which that fails as a fault.

The law: an update is sent at most once, and what became of one whose reply was lost, can't be read or means nothing that we know is
IN_DOUBT. Nothing is repeated here; Bichard 7 repeats a lock at most three times, ten seconds apart, and our callers may.
"""

import datetime
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from google.protobuf.message import Message

from adapters.kit import Call, Fault, Guard, Limits, Log, Reason
from adapters.kit.framing import FramedSession, FrameError, endpoint
from adapters.kit.sessions import Pool
from adapters.pnc import translate
from adapters.pnc.records import OPERATIONS, Direction, Header, Segment, Transaction, WireError
from adapters.pnc.replies import Outcome, ReplyText, classify, overall, reply_codes, verdict
from adapters.pnc.wire import decode, encode
from metip.pnc.v1.settings_pb2 import Settings

M = TypeVar("M", bound=Message)
SENDER: Final = "073"
AGAIN: Final = timedelta(seconds=10)
"""When a locked record is worth another try (Bichard 7's own interval)."""

# Outcome -> reason and words; the words are ours alone, since the host's name people and numbers.
REFUSALS: Final[Mapping[Outcome, tuple[Reason, str]]] = {
    Outcome.NOT_FOUND: (Reason.NO_TRACE, "the host knows nothing by that number or description"),
    Outcome.INVALID: (Reason.INVALID_REQUEST, "the host found bad data in the request"),
    Outcome.JUSTIFY: (Reason.JUSTIFICATION_NEEDED, "the host wants a fuller reason before it answers"),
    Outcome.PRECONDITION: (Reason.PRECONDITION, "the record is not in the state that the request needs"),
    Outcome.LOCKED: (Reason.LOCKED, "somebody else holds the record, and nothing was done"),
    Outcome.UNAVAILABLE: (Reason.UPSTREAM_UNAVAILABLE, "the host is not available"),
    Outcome.HOST_FAULT: (Reason.UPSTREAM_FAULT, "the host failed, or answered what nobody here can read"),
    Outcome.IN_DOUBT: (Reason.IN_DOUBT, "the update may have been done"),
}
GONE: Final = "PNCAM"
"""Communications, access or time-out behind the interface: the host as a whole can't be reached."""
DONE: Final = frozenset({Outcome.ACCEPTED, Outcome.WARNING})


@dataclass(slots=True)
class Serials:
    """Numbers of messages, one after another; `start` is a value from the clock, so that two processes hardly ever begin alike."""

    start: int
    _given: int = 0

    def next(self) -> tuple[int, int]:
        """The next serial (1 to 999999) and running number (1 to 9999999); after the last comes 1."""
        number = self.start + self._given
        self._given += 1
        return number % 999_999 + 1, number % 9_999_999 + 1


class Pnc:
    """The host interface, through a pool of sessions with one exchange in flight each."""

    def __init__(
        self,
        settings: Settings,
        log: Log,
        *,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        """Raises `SettingsError` for an address that is not `host:port`."""
        limits = Limits.of(settings.upstream)
        host, port = endpoint(limits.address)
        self._update_owner = settings.update_owner
        self.now = now
        self._sender = settings.sender or SENDER
        self._guard = Guard(limits, log)
        # How the host's own line delimits messages is not public; the framing is (assumed).
        self._pool = Pool(lambda: FramedSession.connected(host, port))
        self._serials = Serials(time.time_ns() // 1_000)

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> "AsyncIterator[Pnc]":
        """The host for the length of the block; connections are opened when they are needed."""
        pnc = cls(settings, log)
        try:
            yield pnc
        finally:
            await pnc._pool.close()

    async def enquire(self, function: str, request: Message, kind: type[M], call: Call) -> M:
        """Asks what a message asks and gives the answer of that kind. Raises `Fault`, see `ask`."""
        segments = translate.question(request, call.officer, self.now().date())
        return translate.answer(kind, await self.ask(function, segments, call), self.now())

    async def update(self, function: str, request: translate.Update, call: Call) -> Transaction:
        """Tells the host what a court did and gives its receipt. Raises `Fault`, see `ask`."""
        return await self.ask(function, translate.update(request, self._update_owner), call)

    async def ask(self, function: str, segments: Sequence[Segment], call: Call) -> Transaction:
        """Sends one transaction of a function (`ENQASI`, `DISARR`, …) and gives the reply, which answers it or says that it was done.

        Raises `Fault`: every refusal of the host by `REFUSALS`, UPSTREAM_UNAVAILABLE, UPSTREAM_FAULT and TIMED_OUT, which for an update
        are IN_DOUBT once its first byte may have left, BUSY and CIRCUIT_OPEN.
        """
        serial, sequence = self._serials.next()
        header = Header.of(function, serial=serial, sequence=sequence, at=self.now(), sender=self._sender)
        request = Transaction.of(OPERATIONS[function].root, header, segments)
        try:
            data = encode(request)
        except WireError as error:
            raise Fault(Reason.TOO_LARGE, f"the host takes no such message: {error}") from None
        async with self._guard.admit(call, write_once=request.update) as passage:
            with map_upstream():
                async with self._pool.session() as session:
                    passage.sent = session.alive  # from the next line on bytes may leave; a dead session refuses at once
                    reply = decode(await session.send(data))
                    check_echo(request, reply)
            refused = refusal(function, reply)
            if refused is not None and refused.metadata.get("code") == GONE:
                raise refused
        # Any other refusal is a sign of life, so it is raised where it does not count against the host: one locked record must not open
        # the circuit for everybody.
        if refused is not None:
            raise refused
        return reply


@contextmanager
def map_upstream() -> Iterator[None]:
    """Turns what a connection and the codec raise into faults."""
    try:
        yield
    except (WireError, FrameError) as error:
        raise Fault(Reason.UPSTREAM_FAULT, f"the host's reply is no message: {error}") from None
    except OSError as error:
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, f"no connection to the host ({type(error).__name__})") from None


def check_echo(request: Transaction, reply: Transaction) -> None:
    """Raises `Fault` UPSTREAM_FAULT for a reply to another message, and for one that contradicts itself.

    The reply's date and time are not looked at: the host's clock may be an hour ahead (seen in Bichard 7's recorded exchanges).
    """
    asked, came = request.header, reply.header
    problems = [str(problem) for problem in reply.problems()]
    refused = came.direction == Direction.ERROR
    if (came.sender, came.group, came.serial) != (asked.sender, asked.group, asked.serial):
        problems.append("GMH: answers another message")
    elif came.direction not in (Direction.REPLY, Direction.ERROR):
        problems.append("GMH: is no reply")
    elif came.function != (f"ERR{asked.function[3:]}" if refused else asked.function):
        problems.append("GMH: answers another function")
    if problems:
        raise Fault(Reason.UPSTREAM_FAULT, f"the host's reply can't be trusted: {'; '.join(problems)}")


def refusal(function: str, reply: Transaction) -> Fault | None:
    """The `Fault` of a reply that refuses, or that brings neither the data nor the acceptance that its function needs."""
    texts, update = reply_codes(reply), OPERATIONS[function].update
    answered = not update and reply.find(OPERATIONS[function].data) is not None
    if answered and not texts:
        return None
    outcome = overall(texts, update=update)
    if outcome in DONE and not update and not answered:
        outcome = Outcome.HOST_FAULT
    if outcome in DONE:
        return None
    reason, words = REFUSALS[outcome]
    return Fault(reason, words, metadata=_codes(texts, outcome, update=update), retry_after=AGAIN if reason is Reason.LOCKED else None)


def _codes(texts: Sequence[ReplyText], outcome: Outcome, *, update: bool) -> dict[str, str]:
    """The host's code that decided and the exception that Bichard 7 raises for it."""
    if not texts:
        return {}
    deciding = next((text for text in texts if classify(text.code, update=update, text=text.text) is outcome), None)
    if deciding is None:  # done and refused at once: the code that does not say that it was done
        deciding = next((text for text in texts if classify(text.code, update=update, text=text.text) not in DONE), texts[0])
    exception = verdict(deciding.code, update=update, text=deciding.text).exception
    return {"code": deciding.code} | ({"exception": exception} if exception else {})
