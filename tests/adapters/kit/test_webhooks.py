"""The door: what rings with the right seal and in time is taken once, and everything else is turned away before it is read."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO, StringIO

import aiohttp
import pytest

from adapters.kit import Fault, Log, Reason, webhooks
from adapters.kit.webhooks import TOLERANCE, Bell, Headers, RingError, Seals, sign

pytestmark = pytest.mark.asyncio(loop_scope="module")
HEADERS = Headers(timestamp="X-Time", signature="X-Seal", prefix="v1=")
BODY = b'{"items":[]}'
KEY = b"k" * 32


async def test_the_seal_is_the_one_that_the_law_describes() -> None:
    # echo -n '1795600000.{"items":[]}' | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    assert sign(KEY, "1795600000", BODY) == "e2e12349cb4a8a5d5d840bc82f18eae22c41f3d4ce3e47e51ae2bfaea3ee057c"


@dataclass
class Taker:
    """What stands behind a door."""

    url: str = ""
    key: str = ""
    took: list[bytes] = field(default_factory=list)
    raising: list[Exception] = field(default_factory=list)
    hanging: bool = False
    lines: StringIO = field(default_factory=StringIO)

    async def take(self, body: bytes) -> None:
        """Takes what was rung."""
        if self.hanging:
            await asyncio.Event().wait()
        if self.raising:
            raise self.raising.pop(0)
        self.took.append(body)

    async def ring(self, body: bytes = BODY, *, age: float = 0.0, key: str = "", moment: str = "", seal: str = "") -> int:
        """Rings, and gives the status."""
        at = moment or str(int(time.time() - age))
        headers = {"X-Time": at, "X-Seal": seal or f"v1={sign((key or self.key).encode(), at, body)}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/any/path", data=BytesIO(body), headers=headers) as response,
        ):
            return response.status


@asynccontextmanager
async def door() -> AsyncIterator[Taker]:
    """A door on a free port."""
    taker = Taker()
    async with Bell("127.0.0.1:0", "", HEADERS).ringing(taker.take, Log(taker.lines)) as way:
        assert way is not None
        taker.url, taker.key = way
        yield taker


async def test_a_ring_is_taken_as_it_came() -> None:
    async with door() as taker:
        assert (await taker.ring(), taker.took) == (204, [BODY])


async def test_what_is_not_sealed_with_the_key_at_that_time_is_turned_away_unread() -> None:
    now = str(int(time.time()))
    async with door() as taker:
        assert await taker.ring(key="another") == 401
        assert await taker.ring(seal="v1=") == 401
        assert await taker.ring(seal="v1=é") == 401
        assert await taker.ring(moment=now, seal=f"v1={sign(taker.key.encode(), str(int(now) - 1), BODY)}") == 401
        assert await taker.ring(b"other", moment=now, seal=f"v1={sign(taker.key.encode(), now, BODY)}") == 401
        assert taker.took == []
        assert taker.lines.getvalue().count('"ring_refused"') == 5


@pytest.mark.parametrize("age", [TOLERANCE + 5, -TOLERANCE - 5], ids=["too old", "too new"])
async def test_a_timestamp_is_bounded_on_both_sides(age: float) -> None:
    async with door() as taker:
        assert await taker.ring(age=age) == 401
        assert await taker.ring(moment="soon") == 401
        assert taker.took == []


async def test_a_ring_that_was_taken_is_not_taken_again() -> None:
    moment = str(int(time.time()))
    async with door() as taker:
        assert [await taker.ring(moment=moment), await taker.ring(moment=moment)] == [204, 409]
        assert len(taker.took) == 1


async def test_a_ring_that_was_not_taken_may_come_again_as_it_is() -> None:
    moment = str(int(time.time()))
    async with door() as taker:
        taker.raising = [Fault(Reason.BUSY, "later"), RuntimeError("not foreseen"), RingError()]
        assert [await taker.ring(moment=moment) for _ in range(4)] == [503, 500, 400, 204]


async def test_who_takes_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "PATIENCE", 0.01)
    async with door() as taker:
        taker.hanging = True
        assert await taker.ring() == 503


async def test_more_at_one_time_than_there_is_room_for_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "AT_ONCE", 0)
    async with door() as taker:
        assert (await taker.ring(), taker.took) == (503, [])


async def test_a_body_that_is_too_large_is_not_read() -> None:
    async with door() as taker:
        assert (await taker.ring(b"x" * (webhooks.LARGEST + 1)), taker.took) == (413, [])


async def test_each_start_has_a_key_of_its_own() -> None:
    async with door() as one, door() as two:
        assert one.key != two.key
        assert len(one.key) == 64


async def test_without_an_address_there_is_no_door() -> None:
    async with Bell("", "", HEADERS).ringing(Taker().take, Log(StringIO())) as way:
        assert way is None


async def test_rings_are_forgotten_when_their_time_is_over_and_not_before() -> None:
    now = 1000.0
    seals = Seals(KEY, lambda: now)
    first = sign(KEY, "1000", BODY)
    assert seals.admit("1000", first, BODY) == 0
    now = 1000.0 + TOLERANCE
    assert seals.admit("1000", first, BODY) == 409
    now = 1001.0 + 2 * TOLERANCE
    later = str(int(now))
    assert seals.admit(later, sign(KEY, later, BODY), BODY) == 0
    assert list(seals._taken) == [sign(KEY, later, BODY)]
