"""Random schedules against a model: order within a key, no key in another's way, accounts that add up, nothing lost, nothing doubled.

The model is what the port promises, and knows nothing of how an engine does it: of each key, the first delivery that is not done is the
only one that may go out, and of all of these each one goes out that is due. After every step the engine's accounts must be the model's.
`METIP_ORDER_EXAMPLES` asks for more schedules, made anew each time; without it they are always the same.
"""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from engines import ENGINES, Bench, Opening, Time, arrival, settled, subscription
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.exchange.life import Event, State
from hub.exchange.records import Accepted, Attempt
from metip.contracts import Subscription

ASKED = os.environ.get("METIP_ORDER_EXAMPLES", "")
EXAMPLES = {"sqlite": int(ASKED or 60)}
FEWER = int(ASKED or 60) // 3
"""For engines that ask a server at each step."""
PHASES = (Phase.explicit, Phase.generate) if os.environ.get("METIP_FAULTS_PLANT") else tuple(Phase)
"""With a planted bug, that something is found will do: nobody reads the smallest schedule."""
DONE = frozenset({State.PROCESSED, State.REFUSED, State.PURGED})
ENDINGS = {
    Event.CONFIRMED: State.PROCESSED,
    Event.REFUSED: State.REFUSED,
    Event.GAVE_UP: State.PARKED,
    Event.FAILED: State.PENDING,
    Event.DOUBTED: State.IN_DOUBT,
}
DECISIONS = {
    Event.PARK: (frozenset({State.PENDING}), State.PARKED),
    Event.RELEASE: (frozenset({State.PARKED, State.IN_DOUBT}), State.PENDING),
    Event.PURGE: (frozenset({State.PENDING, State.PARKED, State.IN_DOUBT}), State.PURGED),
}
ACCEPT = st.tuples(st.just("accept"), st.sampled_from(["", "a", "b", "c"]), st.integers(1, 3))
TURN = st.tuples(st.just("turn"), st.integers(0, 9))
ENDING = st.sampled_from([Event.CONFIRMED, Event.CONFIRMED, *sorted(ENDINGS, key=lambda one: one.value)])
SETTLE = st.tuples(st.just("settle"), st.integers(0, 30), ENDING, st.sampled_from([0, 5]))
STEP = st.one_of(
    *(ACCEPT, ACCEPT, TURN, TURN, TURN, SETTLE, SETTLE, SETTLE, SETTLE),
    st.tuples(st.just("again"), st.integers(0, 30)),
    st.tuples(st.just("settle_old"), st.integers(0, 30)),
    st.tuples(st.just("decide"), st.integers(0, 30), st.sampled_from(sorted(DECISIONS, key=lambda one: one.value))),
    st.tuples(st.sampled_from(["pause", "crash"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 6])),
)
SHORTEST, LONGEST = 20, 60
"""Steps of a schedule."""


@dataclass
class Known:
    """One delivery, as the model has it."""

    name: str
    message_id: str
    key: str
    state: State = State.PENDING
    next_at: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)
    may_have_arrived: bool = False


@dataclass
class Model:
    """One subscription, and what must be so."""

    said: Subscription
    time: Time
    known: list[Known] = field(default_factory=list)
    paused: bool = False

    def holds(self, one: Known) -> bool:
        """Whether it holds back the later ones of its key."""
        waiting = {State.PARKED, State.IN_DOUBT} if self.said.parked_blocks else set()
        return one.state in {State.PENDING, State.ATTEMPT, *waiting}

    def may_go(self) -> list[Known]:
        """Deliveries that may go out now: due, and the first of their key."""
        under_way = {one.key for one in self.known if one.state is State.ATTEMPT}
        found, held = [], set[str]()
        for one in self.known:
            first = not one.key or (one.key not in held and one.key not in under_way)
            if one.state is State.PENDING and first and one.next_at <= self.time.now:
                found.append(one)
            if one.key and self.holds(one):
                held.add(one.key)
        return found

    def counts(self) -> dict[State, int]:
        """The accounts."""
        return dict(Counter(one.state for one in self.known))

    def recover(self) -> None:
        """The process has died."""
        for one in self.known:
            if one.state is State.ATTEMPT:
                one.state = State.IN_DOUBT if self.said.write_once else State.PENDING
                one.may_have_arrived, one.next_at = True, self.time.now


class Schedule:
    """Steps, each made on the engine and on the model."""

    def __init__(self, opening: Opening, folder: Path, said: Subscription) -> None:
        self._opening, self._folder, self._time = opening, folder, Time()
        self.model = Model(said, self._time)
        self._stack = AsyncExitStack()
        self.bench: Bench

    async def open(self) -> None:
        """Opens the engine, anew when it was open."""
        await self._stack.aclose()
        self.bench = await self._stack.enter_async_context(self._opening(self._folder, self._time))
        await self.bench.subscribe(self.model.said)

    async def close(self) -> None:
        """Lets go."""
        await self._stack.aclose()

    async def accept(self, key: str, number: int) -> None:
        """Some messages of one key."""
        names = [f"{key}{len(self.model.known) + more}" for more in range(number)]
        for name, one in zip(names, await self.bench.engine.accept([arrival(name, key) for name in names]), strict=True):
            assert isinstance(one, Accepted)
            assert not one.duplicate_of
            self.model.known.append(Known(name, one.message_id, key))

    async def again(self, which: int) -> None:
        """A producer that did not hear the first time."""
        if self.model.known:
            before = self.model.known[which % len(self.model.known)]
            (one,) = await self.bench.engine.accept([arrival(before.name, before.key)])
            assert isinstance(one, Accepted)
            assert one.duplicate_of == one.message_id == before.message_id

    async def turn(self, limit: int) -> None:
        """New attempts: exactly those that may go, as many as there is room for, each once."""
        may_go = [] if self.model.paused else self.model.may_go()
        by_id = {one.message_id: one for one in may_go}
        given = await self.bench.take(self.model.said.name, limit)
        names = [one.message_id for one in given]
        assert len(set(names)) == len(names)
        assert set(names) <= set(by_id), "given out of its turn"
        assert len(names) == min(limit, len(may_go)), "held back for nothing"
        for attempt in given:
            known = by_id[attempt.message_id]
            assert attempt.body.decode() == known.name
            assert attempt.number == len(known.attempts) + 1
            assert attempt.redelivery or not known.may_have_arrived
            known.state = State.ATTEMPT
            known.attempts.append(attempt)

    async def settle(self, which: int, event: Event, later: int) -> None:
        """An attempt ends."""
        under_way = [one for one in self.model.known if one.state is State.ATTEMPT]
        if under_way and (event is not Event.DOUBTED or self.model.said.write_once):
            one = under_way[which % len(under_way)]
            await self.bench.settle(one.attempts[-1], event, retry_at=self._time.now + later)
            one.state, one.next_at = ENDINGS[event], self._time.now + later
            one.may_have_arrived |= event in (Event.FAILED, Event.DOUBTED, Event.GAVE_UP)

    async def settle_old(self, which: int) -> None:
        """A reply that comes when nobody waits for it any more changes nothing."""
        old = [
            attempt
            for one in self.model.known
            for attempt in one.attempts
            if one.state is not State.ATTEMPT or attempt.number < len(one.attempts)
        ]
        if old:
            attempt = old[which % len(old)]
            await self.bench.engine.turn(attempt.subscription, [settled(attempt, Event.REFUSED)], 0)

    async def decide(self, which: int, event: Event) -> None:
        """A person moves one, if it can be moved so."""
        states, after = DECISIONS[event]
        found = [one for one in self.model.known if one.state in states]
        if found:
            one = found[which % len(found)]
            await self.bench.engine.decide([(one.message_id, self.model.said.name)], event, by="P1", reason="a test")
            one.state, one.next_at = after, self._time.now

    async def pause(self) -> None:
        """A person stops the subscription, or lets it go on."""
        self.model.paused = not self.model.paused
        await self.bench.engine.pause(self.model.said.name, paused=self.model.paused, by="P1", reason="a test")

    async def wait(self, seconds: int) -> None:
        """Time passes."""
        self._time.now += seconds

    async def crash(self) -> None:
        """The process dies and another one opens what is there."""
        await self.open()
        self.model.recover()

    async def drain(self) -> None:
        """At the end everything is let go: each delivery that nobody took out arrives."""
        if self.model.paused:
            await self.pause()
        for one in self.model.known:
            if one.state in (State.PARKED, State.IN_DOUBT):
                await self.bench.engine.decide([(one.message_id, self.model.said.name)], Event.RELEASE, by="P1", reason="a test")
                one.state, one.next_at = State.PENDING, self._time.now
        self._time.now += 10
        while any(one.state not in DONE for one in self.model.known):
            before = self.model.counts()
            await self.turn(100)
            for _ in [one for one in self.model.known if one.state is State.ATTEMPT]:
                await self.settle(0, Event.CONFIRMED, 0)
            assert self.model.counts() != before, "nothing moves any more"

    async def accounts_are_right(self) -> None:
        """After every step."""
        assert await self.bench.counts(self.model.said.name) == self.model.counts()


async def _play(opening: Opening, said: Subscription, steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory(prefix="metip-order-") as folder:
        schedule = Schedule(opening, Path(folder), said)
        try:
            await schedule.open()
            for name, *arguments in steps:
                step: Callable[..., object] = getattr(schedule, str(name))
                await step(*arguments)  # type: ignore[misc]  # every step is a coroutine function
                await schedule.accounts_are_right()
            await schedule.drain()
            await schedule.accounts_are_right()
        finally:
            await schedule.close()


@pytest.mark.parametrize("name", ENGINES)
def test_any_schedule_keeps_order_and_accounts_and_neither_loses_nor_doubles(name: str) -> None:
    @given(blocks=st.booleans(), once=st.booleans(), steps=st.lists(STEP, min_size=SHORTEST, max_size=LONGEST))
    @settings(
        max_examples=EXAMPLES.get(name, FEWER), deadline=None, phases=PHASES, derandomize=not ASKED, suppress_health_check=list(HealthCheck)
    )
    def play(blocks: bool, once: bool, steps: list[tuple[object, ...]]) -> None:
        asyncio.run(_play(ENGINES[name], subscription(parked_blocks=blocks, write_once=once), steps))

    play()


@pytest.mark.parametrize("blocks", [True, False], ids=["blocking", "passing"])
@pytest.mark.parametrize("name", ENGINES)
def test_one_poisoned_key_delays_no_other(name: str, blocks: bool) -> None:
    async def body() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with ENGINES[name](Path(folder), Time()) as bench:
                said = subscription(parked_blocks=blocks)
                await bench.subscribe(said)
                for number in range(50):
                    for key in ("poison", "good"):
                        await bench.accept(f"{key}-{number}", key)
                given: list[str] = []
                for _ in range(200):
                    for attempt in await bench.take(said.name, 2):
                        poisoned = attempt.body.startswith(b"poison")
                        given += [] if poisoned else [attempt.body.decode()]
                        await bench.settle(attempt, Event.GAVE_UP if poisoned else Event.CONFIRMED)
                assert given == [f"good-{number}" for number in range(50)]

    asyncio.run(body())
