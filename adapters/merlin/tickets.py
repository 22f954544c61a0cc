"""The session with Merlin: a ticket that a logon gives, kept until shortly before it ends, and got again when Merlin no longer knows it.

The laws: however many calls need a ticket, one of them logs on and the others wait for it; and a logon that Merlin refused is not tried
again for a while, since an account that keeps coming with a wrong secret is locked.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic

from adapters.kit import Call, Fault, Reason
from adapters.merlin.codes import LOGON_REFUSED
from adapters.merlin.records import Logon, Ticket

# The share of its life for which a ticket is used, so that it does not end on its way.
USED_FOR = 0.9
HOLD_OFF = 30.0
"""Seconds without another logon after a refused one."""


class Tickets:
    """Keeps one ticket for all calls. `log_on` asks Merlin for one on behalf of the call that needs it."""

    def __init__(self, log_on: Callable[[Call], Awaitable[Ticket]], *, clock: Callable[[], float] = monotonic) -> None:
        self._log_on = log_on
        self._clock = clock
        self._turn = asyncio.Lock()
        self._ticket = ""
        self._good_until = 0.0
        self._held_off_until = 0.0

    async def current(self, call: Call) -> str:
        """A ticket that should be good. Raises what `log_on` raises, and `Fault` TIMED_OUT when the caller's time is over before."""
        if self._good:
            return self._ticket
        return await self._renewed(call, lambda: self._good)

    async def instead_of(self, expired: str, call: Call) -> str:
        """Another ticket than the one that Merlin has just refused; raises as `current` does."""
        return await self._renewed(call, lambda: self._good and self._ticket != expired)

    @property
    def _good(self) -> bool:
        return self._clock() < self._good_until

    async def _renewed(self, call: Call, settled: Callable[[], bool]) -> str:
        try:
            async with asyncio.timeout(call.remaining), self._turn:
                if not settled():
                    await self._renew(call)
                return self._ticket
        except TimeoutError:
            raise Fault(Reason.TIMED_OUT, "the logon did not end in time") from None

    async def _renew(self, call: Call) -> None:
        left = self._held_off_until - self._clock()
        if left > 0:
            raise Fault(
                Reason.UPSTREAM_UNAVAILABLE,
                "Merlin refused the adapter's logon a moment ago",
                metadata={"code": LOGON_REFUSED},
                retry_after=timedelta(seconds=left),
            )
        try:
            ticket = await self._log_on(call)
        except Fault as fault:
            if fault.metadata.get("code") == LOGON_REFUSED:
                self._held_off_until = self._clock() + HOLD_OFF
            raise
        self._ticket = ticket.value
        self._good_until = self._clock() + ticket.seconds * USED_FOR


def credentials(path: str) -> Logon:
    """The account to log on with: first line of the file the user, second the secret; no path is the anonymous logon.

    Raises `OSError` when the file can't be read and `ValueError` when it does not hold both lines.
    """
    if not path:
        return Logon()
    found = Path(path).read_text(encoding="utf-8").splitlines()
    if len(found) < 2 or not found[0].strip() or not found[1].strip():
        raise ValueError("it must hold the account on its first line and the secret on its second")
    return Logon(user=found[0].strip(), secret=found[1].strip())
