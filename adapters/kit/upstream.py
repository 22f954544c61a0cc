"""What stands between an adapter and its far system: bulkhead, circuit breaker, time limit; the same for every protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Final
from weakref import WeakSet

from metip.adapter.v1.settings_pb2 import Upstream
from metip.breaker import Breaker, State
from metip.call import Call
from metip.faults import Fault, Reason
from metip.logs import Log
from metip.telemetry import tracing
from metip.telemetry.spread import Counted

OK: Final = "OK"
CANCELLED: Final = "CANCELLED"
PROVING_NOTHING = frozenset({Reason.BUSY, Reason.CIRCUIT_OPEN})
FAILURES = frozenset({Reason.UPSTREAM_UNAVAILABLE, Reason.UPSTREAM_FAULT, Reason.TIMED_OUT, Reason.IN_DOUBT})


def answer_in(remaining: float) -> float:
    """The seconds that the far system gets of a caller's `remaining` ones; the rest carries the answer back, so that the caller learns why.

    The rest is a twentieth, yet a tenth of a second where that is no more than a fifth: a machine under load needs it.
    """
    return remaining - max(remaining / 20, min(0.1, remaining / 5))


@dataclass(frozen=True, slots=True)
class Limits:
    """An `Upstream` setting with its defaults filled in."""

    address: str
    sessions: int
    timeout: float
    failures_to_open: int
    open_for: timedelta
    max_waiting: int

    @classmethod
    def of(cls, settings: Upstream) -> "Limits":
        """Reads the setting; the defaults are those that its contract promises."""
        sessions = settings.sessions or 8
        return cls(
            address=settings.address,
            sessions=sessions,
            timeout=settings.timeout.ToTimedelta().total_seconds() if settings.HasField("timeout") else 8.0,
            failures_to_open=settings.failures_to_open or 5,
            open_for=settings.open_for.ToTimedelta() if settings.HasField("open_for") else timedelta(seconds=5),
            max_waiting=settings.max_waiting or 4 * sessions,
        )


@dataclass(slots=True)
class Passage:
    """One exchange with the far system; `sent` is set when the first byte leaves."""

    sent: bool = False
    call: Call | None = None
    """The call that it is made for."""
    traceparent: str = ""
    """The trace context that goes along where the protocol can carry it; empty for none."""


class Guard:
    """Admits calls to one far system: at most `sessions` at once, at most `max_waiting` in line, none while the circuit is open."""

    def __init__(self, limits: Limits, log: Log) -> None:
        self.limits = limits
        self.exchanges = Counted()
        """Exchanges that began, and how they ended."""
        self.opened = 0
        """How often the circuit opened."""
        self.breaker = Breaker(limits.failures_to_open, limits.open_for, on_change=self._tell)
        self._log = log
        self._room = asyncio.Semaphore(limits.sessions)
        self._waiting = 0
        self._unreachable = False
        GUARDS.add(self)

    @property
    def waiting(self) -> int:
        """Calls that wait for a place."""
        return self._waiting

    @asynccontextmanager
    async def admit(self, call: Call, *, write_once: bool = False) -> AsyncIterator[Passage]:
        """Holds a place at the far system for the length of the block and bounds the block by the caller's deadline.

        Raises `Fault`: BUSY when too many wait, CIRCUIT_OPEN, TIMED_OUT. What the block raises decides about the breaker: a fault that says
        that the far system did not answer counts against it, any other answer counts for it. With `write_once`, a fault of that kind after
        `passage.sent` was set becomes IN_DOUBT: the far system may have done what it was asked.
        """
        within = min(self.limits.timeout, answer_in(call.remaining))
        if within <= 0:
            raise Fault(Reason.TIMED_OUT, "no time was left to ask the far system")
        spell = self.breaker.admit()
        passage = Passage(call=call)
        asked, exchange = False, _Exchange(self, call)
        try:
            async with asyncio.timeout(within), self._place():
                if spell != self.breaker.spell:  # the circuit opened while this call stood in line
                    spell = self.breaker.admit()
                asked = True
                passage.traceparent = exchange.begin()
                yield passage
        except TimeoutError:
            if not asked:  # impatient callers say nothing about the far system, so they can't open the circuit for the others
                self.breaker.abandoned(spell)
                raise Fault(Reason.TIMED_OUT, "no place at the far system came free in time") from None
            self.breaker.failed(spell)
            exchange.outcome = Reason.TIMED_OUT.name
            raise _lost(passage, write_once, Fault(Reason.TIMED_OUT, "the far system did not answer in time")) from None
        except Fault as fault:
            exchange.outcome = fault.reason.name
            if fault.reason in FAILURES:
                self.breaker.failed(spell)
                raise _lost(passage, write_once, fault) from fault
            if fault.reason in PROVING_NOTHING:
                self.breaker.abandoned(spell)
            else:
                self.breaker.succeeded(spell)
            raise
        except BaseException:
            self.breaker.abandoned(spell)
            if write_once and passage.sent:
                # The caller is gone and can't be told; operations can.
                self._log.line("in_doubt", operation=call.operation, call_id=call.id)
            raise
        else:
            exchange.outcome = OK
            self.breaker.succeeded(spell)
        finally:
            exchange.end()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._room.locked() and self._waiting >= self.limits.max_waiting:
            raise Fault(Reason.BUSY, f"{self._waiting} calls wait for the far system", retry_after=timedelta(milliseconds=500))
        self._waiting += 1
        try:
            await self._room.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._room.release()

    def _tell(self, state: State) -> None:
        """Logs that the system is lost, once however many trials fail, and that it is back, once."""
        self.opened += state is State.OPEN
        if state is State.TRIAL or self._unreachable == (state is State.OPEN):
            return
        self._unreachable = state is State.OPEN
        self._log.line("system_lost" if self._unreachable else "system_back", address=self.limits.address)


GUARDS: Final[WeakSet[Guard]] = WeakSet()
"""Guards of this process, for its metrics: each adapter makes its own, and need not hand them to anybody."""


class _Exchange:
    """One exchange with a far system, as it is counted and traced."""

    __slots__ = ("_began", "_call", "_guard", "_span", "outcome")

    def __init__(self, guard: Guard, call: Call) -> None:
        self._guard, self._call = guard, call
        self._began = 0.0
        self._span: tracing.Span | None = None
        self.outcome = CANCELLED

    def begin(self) -> str:
        """There is a place: from now on it is the far system's time. The trace context that goes along with it."""
        self._began = perf_counter()
        at = self._guard.limits.address
        self._span = tracing.begin("far system", tracing.Role.CLIENT, self._call.traceparent, server__address=place(at))
        return self._span.traceparent if self._span is not None else self._call.trace

    def end(self) -> None:
        """It is over; one that never began is nobody's."""
        if self._began:
            seconds = perf_counter() - self._began
            self._call.far += seconds
            self._guard.exchanges.ended(self.outcome, seconds)
        if self._span is not None:
            self._span.end(self.outcome)


def place(address: str) -> str:
    """Host and port of an address of the settings, without anything else that a URL may hold."""
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2] if "://" in address else address


def _lost(passage: Passage, write_once: bool, fault: Fault) -> Fault:
    if not (write_once and passage.sent):
        return fault
    return Fault(Reason.IN_DOUBT, f"it was sent, and then: {fault.text}", metadata=fault.metadata)
