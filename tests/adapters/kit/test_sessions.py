"""The pool of sessions: nobody ever reads the answer to somebody else's question."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.sessions import Pool

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Conversation:
    """A session that knows what was done with it."""

    number: int
    alive: bool = True
    closed: int = 0
    doubtful: bool = False

    async def close(self) -> None:
        """Ends it."""
        await asyncio.sleep(0)
        self.alive = False
        self.closed += 1


@dataclass
class Far:
    """A far system that counts who connects."""

    connected: list[Conversation] = field(default_factory=list)
    refusing: bool = False

    async def connect(self) -> Conversation:
        """A new conversation."""
        await asyncio.sleep(0)
        if self.refusing:
            raise ConnectionRefusedError
        self.connected.append(Conversation(len(self.connected)))
        return self.connected[-1]


async def test_a_session_is_kept_and_lent_again() -> None:
    far = Far()
    pool = Pool(far.connect)
    for _ in range(3):
        async with pool.session() as session:
            assert session.number == 0
    assert len(far.connected) == 1


async def test_two_borrowers_never_share_a_session() -> None:
    pool = Pool(Far().connect)
    async with pool.session() as one, pool.session() as other:
        assert one is not other


async def test_the_session_that_came_back_last_is_lent_first() -> None:
    pool = Pool(Far().connect)
    async with pool.session() as outer, pool.session():
        pass
    async with pool.session() as again:
        assert again is outer


@pytest.mark.parametrize("error", [ValueError, TimeoutError, asyncio.CancelledError, KeyboardInterrupt], ids=lambda error: error.__name__)
async def test_a_session_whose_block_raised_is_closed_and_never_lent_again(error: type[BaseException]) -> None:
    far = Far()
    pool = Pool(far.connect)
    with suppress(error):
        async with pool.session():
            raise error
    assert far.connected[0].closed == 1
    async with pool.session() as fresh:
        assert fresh.number == 1


async def test_a_session_whose_block_was_cancelled_is_closed_and_never_lent_again() -> None:
    far = Far()
    pool = Pool(far.connect)
    inside = asyncio.Event()

    async def borrow() -> None:
        async with pool.session():
            inside.set()
            await asyncio.Event().wait()

    borrowing = asyncio.create_task(borrow())
    await inside.wait()
    borrowing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await borrowing
    assert far.connected[0].closed == 1
    async with pool.session() as fresh:
        assert fresh.number == 1


async def test_a_block_that_ran_out_of_time_closes_its_session() -> None:
    far = Far()
    pool = Pool(far.connect)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), pool.session():
            await asyncio.Event().wait()
    assert far.connected[0].closed == 1
    async with pool.session() as fresh:
        assert fresh.number == 1


async def test_a_session_that_died_in_the_block_is_closed() -> None:
    far = Far()
    pool = Pool(far.connect)
    async with pool.session() as session:
        session.alive = False
    assert far.connected[0].closed == 1


async def test_a_session_that_died_while_idle_is_closed_and_another_opened() -> None:
    far = Far()
    pool = Pool(far.connect)
    async with pool.session() as session:
        pass
    session.alive = False
    async with pool.session() as fresh:
        assert fresh.number == 1
    assert far.connected[0].closed == 1


async def test_a_refused_connection_reaches_the_borrower_and_harms_nothing() -> None:
    far = Far(refusing=True)
    pool = Pool(far.connect)
    with pytest.raises(ConnectionRefusedError):
        async with pool.session():
            pytest.fail("there is nothing to lend")
    far.refusing = False
    async with pool.session() as session:
        assert session.alive


async def test_closing_ends_every_idle_session() -> None:
    far = Far()
    pool = Pool(far.connect)
    async with pool.session(), pool.session():
        pass
    await pool.close()
    assert [session.closed for session in far.connected] == [1, 1]


async def test_a_session_that_comes_back_after_the_pool_closed_is_closed_too() -> None:
    far = Far()
    pool = Pool(far.connect)
    async with pool.session():
        await pool.close()
    assert far.connected[0].closed == 1


@settings(max_examples=40, deadline=None, database=None)
@given(ends=st.lists(st.sampled_from(["returns", "raises", "is cancelled", "dies"]), max_size=12), at_once=st.integers(1, 4))
async def test_whatever_happens_a_doubtful_session_is_never_lent(ends: list[str], at_once: int) -> None:
    far = Far()
    pool, room = Pool(far.connect), asyncio.Semaphore(at_once)
    outcomes = await asyncio.gather(*(_borrow(pool, room, end) for end in ends), return_exceptions=True)
    await pool.close()
    assert not [outcome for outcome in outcomes if isinstance(outcome, AssertionError)]
    assert all(session.closed == 1 for session in far.connected)


async def _borrow(pool: Pool[Conversation], room: asyncio.Semaphore, end: str) -> None:
    async with room, pool.session() as session:
        assert not session.doubtful
        session.doubtful = True
        await asyncio.sleep(0)
        if end == "raises":
            raise ValueError
        if end == "is cancelled":
            raise asyncio.CancelledError
        session.doubtful = False
        session.alive = end != "dies"
