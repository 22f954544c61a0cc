"""Moves from end to end: what is recorded, who is waited for, what is refused, and what a hub that starts again goes on with."""

import asyncio
import io
from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from engines import OPERATION, Bench, subscription

from hub.contracts import Contracts
from hub.exchange import owning
from hub.exchange.life import Event
from hub.exchange.owning import Owners
from hub.exchange.records import NotAllowedError, Scope, Stage, UnknownError
from metip.contracts import BackEnd, Dpia, Operation
from metip.faults import Fault, Reason
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="function")
NEW, OLD = f"new:{OPERATION}", f"old:{OPERATION}"
SUBSCRIPTIONS = (subscription("new"), subscription("old", instead_of="new"), subscription("third"))
WHO = ("1234", "the board said so")


class Around:
    """What surrounds owners: instances that hold fences or do not, and a ledger."""

    def __init__(self) -> None:
        self.left: tuple[str, ...] = ()
        self.asked: list[tuple[frozenset[str], str, int]] = []
        self.recorded: list[tuple[str, str, str]] = []
        self.full = False

    def unfenced(self, systems: Collection[str], interface: str, number: int) -> tuple[str, ...]:
        """Instances that do not hold it yet."""
        self.asked.append((frozenset(systems), interface, number))
        return self.left

    async def record(self, action: str, author: str, purpose: int, detail: str) -> None:
        """Keeps it, or can't."""
        if self.full:
            raise Fault(Reason.JOURNAL, "the journal's disk is full")
        self.recorded.append((action, author, detail))


def known() -> Contracts:
    """Contracts with these subscriptions."""
    operation: Any = object.__new__(Operation)
    contracts = Contracts((), (), b"", (BackEnd("any", "any", Dpia("", date.max), (), SUBSCRIPTIONS),))
    contracts.__dict__["operations"] = {OPERATION: operation}
    return contracts


async def owners(bench: Bench, around: Around) -> Owners:
    """Owners of an engine with two platforms, and somebody else."""
    await bench.subscribe(*SUBSCRIPTIONS)
    return Owners(bench.engine, known(), around.unfenced, around.record, Log(io.StringIO()))


async def test_a_move_is_recorded_before_it_is_begun_and_waits_for_every_instance_of_the_other(bench: Bench) -> None:
    around = Around()
    found = await owners(bench, around)
    around.left = ("new-0-1",)
    moving = asyncio.create_task(found.move(OPERATION, "k", "old", *WHO))
    await asyncio.sleep(0.3)
    assert not moving.done()
    around.left = ()
    assert (await moving).stage is Stage.MOVED
    assert around.recorded == [("messages/owner-key", "1234", f"key k of {NEW} to old: the board said so")]
    assert around.asked[-1][:2] == (frozenset({"new"}), OPERATION.partition("/")[0])
    assert (await found.token(OPERATION, "k")).owner == "old"
    assert (await found.token(OPERATION, "other")).owner == "new"


async def test_an_instance_that_does_not_take_its_fence_is_named_and_nothing_is_moved(bench: Bench) -> None:
    around = Around()
    found = await owners(bench, around)
    around.left = ("new-0-1",)
    with pytest.raises(NotAllowedError, match=r"nothing was moved.*new-0-1 to hold the fence"):
        await found.move(OPERATION, None, "old", *WHO, patience=0.3)
    assert await bench.engine.moves() == []
    assert (await found.token(OPERATION, "k")).owner == "new"


async def test_what_is_under_way_for_too_long_is_named_and_nothing_is_moved(bench: Bench) -> None:
    found = await owners(bench, Around())
    message_id = await bench.accept("m1", "k")
    (attempt,) = await bench.take(NEW)
    with pytest.raises(NotAllowedError, match=message_id):
        await found.move(OPERATION, None, "old", *WHO, patience=0.3)
    await bench.settle(attempt, Event.CONFIRMED)
    assert (await found.move(OPERATION, None, "old", *WHO)).stage is Stage.MOVED


async def test_what_cant_be_recorded_is_not_done(bench: Bench) -> None:
    around = Around()
    found = await owners(bench, around)
    around.full = True
    with pytest.raises(Fault):
        await found.move(OPERATION, None, "old", *WHO)
    assert (await found.token(OPERATION, "")).owner == "new"


async def test_what_has_no_platforms_or_other_ones_is_refused(bench: Bench) -> None:
    found = await owners(bench, Around())
    with pytest.raises(UnknownError, match="third is no platform"):
        await found.move(OPERATION, None, "third", *WHO)
    with pytest.raises(UnknownError, match="one platform only"):
        await found.move("metip.example.v1.ExampleService/GetExample", None, "old", *WHO)
    with pytest.raises(UnknownError, match="without an ordering key"):
        await found.move(OPERATION, "", "old", *WHO)


async def test_a_hand_over_names_who_hands_over(bench: Bench) -> None:
    around = Around()
    found = await owners(bench, around)
    assert (await found.hand_over(OPERATION, "new", "old", *WHO)).stage in (Stage.FINISHING, Stage.MOVED)
    assert around.recorded[-1][0] == "messages/hand-over"
    with pytest.raises(UnknownError):
        await found.hand_over(OPERATION, "third", "old", *WHO)


async def test_a_hub_that_starts_again_goes_on_with_moves_and_takes_back_what_never_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owning, "PATIENCE", 0.5)
    around = Around()
    found = await owners(bench, around)
    await bench.engine.begin_move(NEW, "old", Scope.KEY, "k", move_id="one", by="1234", reason="before it died")
    running = asyncio.create_task(found.run())
    await asyncio.sleep(1.0)
    assert (await found.token(OPERATION, "k")).owner == "old"
    around.left = ("new-0-1",)
    await bench.engine.begin_move(NEW, "old", Scope.KEY, "j", move_id="two", by="1234", reason="before it died")
    await asyncio.sleep(3.5)
    assert (await found.token(OPERATION, "j")).owner == "new"
    assert await bench.engine.moves() == []
    running.cancel()


async def test_doubts_are_counted_wherever_they_are(bench: Bench) -> None:
    found = await owners(bench, Around())
    await bench.engine.subscribe([replace(one, write_once=True) for one in SUBSCRIPTIONS[:2]], bench.ready.append)
    await bench.accept("m1", "k")
    (attempt,) = await bench.take(NEW)
    assert await found.in_doubt(OPERATION) == 0
    await bench.settle(attempt, Event.DOUBTED)
    assert await found.in_doubt(OPERATION) == 1
