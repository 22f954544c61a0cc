"""The session's ticket: kept, renewed before its end, got once for all who wait, and never forced."""

import asyncio
import time
from pathlib import Path

import pytest

from adapters.kit import Call, Fault, Reason
from adapters.merlin.codes import LOGON_REFUSED
from adapters.merlin.records import Logon, Ticket
from adapters.merlin.tickets import HOLD_OFF, USED_FOR, Tickets, credentials

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIFE = 100


class Far:
    """A system that gives numbered tickets, and a clock that stands still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.logons = 0
        self.refuses: Fault | None = None
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.tickets = Tickets(self.log_on, clock=lambda: self.now)

    async def log_on(self, call: Call) -> Ticket:
        self.logons += 1
        number = self.logons
        self.asked.set()
        await self.gate.wait()
        if self.refuses:
            raise self.refuses
        return Ticket(value=f"T{number}", seconds=LIFE)


def call(seconds: float = 5.0) -> Call:
    return Call("call-1", "op", "spiffe://x/y", None, time.monotonic() + seconds)


async def test_a_ticket_is_kept_for_most_of_its_life_and_then_renewed() -> None:
    far = Far()
    assert await far.tickets.current(call()) == "T1"
    far.now = LIFE * USED_FOR - 1
    assert await far.tickets.current(call()) == "T1"
    far.now = LIFE * USED_FOR
    assert await far.tickets.current(call()) == "T2"
    assert far.logons == 2


async def test_an_expired_ticket_is_replaced_once_for_all_who_held_it() -> None:
    far = Far()
    old = await far.tickets.current(call())
    assert await asyncio.gather(*(far.tickets.instead_of(old, call()) for _ in range(20))) == ["T2"] * 20
    assert far.logons == 2


async def test_one_call_logs_on_and_the_others_wait_for_it() -> None:
    far = Far()
    far.gate.clear()
    waiting = [asyncio.ensure_future(far.tickets.current(call())) for _ in range(20)]
    await far.asked.wait()
    far.gate.set()
    assert await asyncio.gather(*waiting) == ["T1"] * 20
    assert far.logons == 1


async def test_who_waits_for_a_logon_waits_no_longer_than_their_own_time() -> None:
    far = Far()
    far.gate.clear()
    first = asyncio.ensure_future(far.tickets.current(call()))
    await far.asked.wait()
    with pytest.raises(Fault) as told:
        await far.tickets.current(call(0.02))
    assert told.value.reason is Reason.TIMED_OUT
    far.gate.set()
    assert await first == "T1"


async def test_when_the_call_that_logs_on_goes_away_the_next_one_does() -> None:
    far = Far()
    far.gate.clear()
    first = asyncio.ensure_future(far.tickets.current(call()))
    await far.asked.wait()
    second = asyncio.ensure_future(far.tickets.current(call()))
    await asyncio.sleep(0)
    first.cancel()
    far.gate.set()
    assert await second == "T2"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_refused_logon_is_not_tried_again_for_a_while() -> None:
    far = Far()
    far.refuses = Fault(Reason.UPSTREAM_UNAVAILABLE, "refused", metadata={"code": LOGON_REFUSED})
    for _ in range(3):
        with pytest.raises(Fault) as told:
            await far.tickets.current(call())
        assert (told.value.reason, told.value.metadata["code"]) == (Reason.UPSTREAM_UNAVAILABLE, LOGON_REFUSED)
    assert far.logons == 1
    assert told.value.retry_after
    far.refuses, far.now = None, HOLD_OFF
    assert await far.tickets.current(call()) == "T2"


async def test_a_logon_that_only_failed_is_tried_again_at_once() -> None:
    far = Far()
    far.refuses = Fault(Reason.UPSTREAM_UNAVAILABLE, "no connection")
    with pytest.raises(Fault):
        await far.tickets.current(call())
    far.refuses = None
    assert await far.tickets.current(call()) == "T2"


async def test_no_path_is_the_anonymous_logon() -> None:
    assert credentials("") == Logon()


async def test_a_file_holds_account_and_secret_on_two_lines(tmp_path: Path) -> None:
    path = tmp_path / "account"
    path.write_text("hub-adapter\n s3cret \n")
    assert credentials(str(path)) == Logon(user="hub-adapter", secret="s3cret")


@pytest.mark.parametrize(
    "text", ["", "hub-adapter", "hub-adapter\n\n", "\ns3cret"], ids=["empty", "no secret", "blank secret", "no account"]
)
async def test_a_file_without_both_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "account"
    path.write_text(text)
    with pytest.raises(ValueError, match="first line") as told:
        credentials(str(path))
    assert "hub-adapter" not in str(told.value)


async def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        credentials(str(tmp_path / "nowhere"))
