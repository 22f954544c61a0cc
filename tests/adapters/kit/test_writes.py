"""The stage before a handler that writes where two systems could: tokens, fences, restarts, and any order of them."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.owned import Owned
from adapters.kit.serving import installed_contracts
from adapters.kit.writes import Writes
from metip.call import Call
from metip.contracts import Operation
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.faults import Fault, Reason
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="function")
CONTRACTS = installed_contracts(date(2026, 11, 23))
OPERATION: Operation = next(one for one in CONTRACTS.operations.values() if CONTRACTS.contended(one))
INTERFACE = OPERATION.interface
OLD, NEW = "old", "new"


def call(token: str) -> Call:
    """A call that writes."""
    return Call("1", OPERATION.name, "spiffe://any", None, 0.0, writer=token)


class Worker:
    """One worker of a system, on a file that outlives it."""

    def __init__(self, folder: Path, system: str) -> None:
        self.folder, self.system = folder, system
        self.done: list[str] = []
        self.go = asyncio.Event()
        self.go.set()
        self.owned: Owned
        self.writes: Writes

    async def start(self) -> "Worker":
        """Starts it."""
        self.owned = Owned(self.folder / f"{self.system}.sqlite", self.system, 0, Log(io.StringIO()))
        self.writes = await Writes.opened(self.system, self.owned, [INTERFACE])
        self.answer = self.writes.guarded(OPERATION, self.handle)
        return self

    async def stop(self) -> None:
        """Ends it."""
        await asyncio.to_thread(self.owned.close)

    async def handle(self, _request: Any, call: Call) -> Receipt:
        """What the far system is asked."""
        await self.go.wait()
        self.done.append(call.writer)
        return Receipt()

    async def asked(self, token: str) -> Reason | None:
        """Why it refused; None for what it did."""
        try:
            await self.answer(None, call(token))
        except Fault as fault:
            return fault.reason
        return None


@pytest_asyncio.fixture(loop_scope="function")
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    """One of the old system."""
    found = await Worker(tmp_path, OLD).start()
    yield found
    await found.stop()


@pytest.mark.parametrize("token", ["", "new 5", "old five", "old"], ids=["none", "another's", "no number", "half"])
async def test_a_write_that_is_nobody_s_or_another_s_is_refused(worker: Worker, token: str) -> None:
    assert await worker.asked(token) is Reason.FENCED
    assert worker.done == []


async def test_below_its_fence_a_system_writes_nothing_and_above_it_everything(worker: Worker) -> None:
    assert await worker.asked("old 0") is None
    await worker.writes.hold([(INTERFACE, 7), ("metip.other.v1.OtherService", 9)])
    assert worker.writes.held == 9
    assert [await worker.asked(f"old {number}") for number in (0, 6, 7, 8)] == [Reason.FENCED, Reason.FENCED, None, None]


async def test_a_fence_is_lowered_by_nothing(worker: Worker) -> None:
    await worker.writes.hold([(INTERFACE, 7)])
    await worker.writes.hold([(INTERFACE, 3)])
    assert await worker.asked("old 6") is Reason.FENCED


async def test_a_fence_is_held_only_when_no_write_below_it_is_under_way(worker: Worker) -> None:
    worker.go.clear()
    under_way = asyncio.ensure_future(worker.asked("old 5"))
    await asyncio.sleep(0.05)
    holding = asyncio.create_task(worker.writes.hold([(INTERFACE, 7)]))
    await asyncio.sleep(0.1)
    assert (holding.done(), worker.writes.held) == (False, 0)
    assert await asyncio.wait_for(worker.asked("old 5"), 5) is Reason.FENCED  # it is in force already, and only not told yet
    worker.go.set()
    assert await under_way is None
    await asyncio.wait_for(holding, 5)
    assert worker.writes.held == 7


async def test_a_fence_outlives_the_worker_and_holds_for_the_next_one_before_the_hub_says_anything(worker: Worker) -> None:
    await worker.writes.hold([(INTERFACE, 7)])
    await worker.stop()
    await worker.start()
    assert worker.writes.held == 0, "the hub is to say it again"
    assert await worker.asked("old 6") is Reason.FENCED


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.sampled_from([OLD, NEW])),
        st.tuples(st.just("envoy hears"), st.integers(0, 1)),
        st.tuples(st.just("renew"), st.sampled_from([OLD, NEW])),
        st.tuples(st.just("restart"), st.sampled_from([OLD, NEW])),
        st.tuples(st.just("write"), st.integers(0, 1)),
    ),
    min_size=15,
    max_size=60,
)


class World:
    """A hub that moves writes, two Envoys of which one may have missed that, and a worker of each system."""

    def __init__(self, folder: Path) -> None:
        self.workers = {system: Worker(folder, system) for system in (OLD, NEW)}
        self.now = (OLD, 1)
        self.envoys = [self.now, self.now]

    async def happens(self, what: str, about: Any) -> None:
        """One event, and what must hold at it."""
        if what == "move":
            self.now = (about, self.now[1] + (about != self.now[0]))
        elif what == "envoy hears":
            self.envoys[about] = self.now
        elif what == "renew":
            worker, (writer, number) = self.workers[about], self.now
            if writer != about and number > worker.writes.held:
                await worker.writes.hold([(INTERFACE, number)])
        elif what == "restart":
            await self.workers[about].stop()
            await self.workers[about].start()
        else:
            await self._written(*self.envoys[about])

    async def _written(self, system: str, number: int) -> None:
        worker = self.workers[system]
        before = {name: len(one.done) for name, one in self.workers.items()}
        refused = await worker.asked(f"{system} {number}")
        grown = {name: len(one.done) - before[name] for name, one in self.workers.items()}
        assert grown == {OLD: 0, NEW: 0} | {system: int(refused is None)}, "once, or not at all"
        if self.now == (system, number):
            assert refused is None, "whose it is may always write"
        fence = await worker.owned.fence(f"writes of {INTERFACE}")
        assert (refused is Reason.FENCED) == (number < fence), "a held fence keeps out every Envoy that missed the move"


@given(EVENTS)
@settings(max_examples=70, deadline=None)
async def test_in_any_order_of_moves_and_restarts_no_write_is_executed_where_it_is_not_any_more(events: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for worker in world.workers.values():
            await worker.start()
        try:
            for event in events:
                await world.happens(*event)
        finally:
            for worker in world.workers.values():
                await worker.stop()
