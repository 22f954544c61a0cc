"""The estate as people watch it: sources are asked while somebody does, once for all of them, and let go of when the last one leaves."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hub.estate.calls import Call
from hub.estate.choosing import Choice
from hub.estate.feed import Feed
from hub.estate.picture import picture
from hub.estate.scene import Scene, Source
from hub.estate.statistics import PAGE, Far, compared, read
from hub.estate.statistics import Reading as Statistics
from hub.estate.tap import Tap
from hub.estate.window import LAG, SPAN, Window
from hub.exchange.records import Account, ExchangeError
from hub.mesh.admin import Admin, EnvoyGoneError, Host
from hub.mesh.control import Inputs
from hub.migration.states import Position
from metip.estate.v1 import estate_pb2
from metip.estate.v1 import estate_service_pb2 as api

FRESH: Final = 0.9
"""Seconds for which what was asked of Envoy and the exchange serves everybody."""
HOSTS_EVERY: Final = 6.0
"""Seconds between two looks at single instances: their page is a long one."""
LINGER: Final = 5.0
"""Seconds for which calls are counted on when the last watcher has left, since many come back."""
Grouping: TypeAlias = "estate_pb2.Grouping.ValueType"
MOST_WATCHERS: Final = 50
MOST_TAPS: Final = 20


class BusyError(Exception):
    """Too many watch already."""


class NoLogError(Exception):
    """Envoy writes no log of calls."""


async def _no_accounts() -> Sequence[Account]:
    return ()


@dataclass(frozen=True)
class Sources:
    """What the estate is made of, beside Envoy's log: ways to ask the rest of the hub."""

    inputs: Callable[[], Inputs]
    """Contracts, instances and traffic in force."""
    admin: Admin | None = None
    accounts: Callable[[], Awaitable[Sequence[Account]]] = _no_accounts
    """Raises `ExchangeError`."""
    unreachable: Callable[[], Mapping[str, float]] = dict
    """Subscriptions whose subscriber can't be reached, and since when."""
    by_hand: Callable[[], Mapping[str, str]] = dict
    """Runtime keys that somebody set in Envoy and that make a difference."""
    standings: Callable[[], Mapping[str, Position]] = dict
    compared: Callable[[], Mapping[tuple[str, str], int]] = dict
    """How many of a million calls are compared, by interface and the system that is only asked."""


@dataclass
class _Asked:
    """What was asked last."""

    at: float = float("-inf")
    hosts_at: float = float("-inf")
    reading: Statistics | None = None
    far: Mapping[str, Far] | None = None
    hosts: Mapping[str, Host] = field(default_factory=dict)
    accounts: Sequence[Account] = ()
    states: tuple[Source, ...] = ()


class Live:
    """One hub's estate. Of one event loop."""

    def __init__(self, feed: Feed, sources: Sources, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives unix time, as Envoy's log does."""
        self.feed, self._sources, self._clock = feed, sources, clock
        self._window = Window()
        self._asked = _Asked()
        self._turn = asyncio.Lock()
        self._watchers = self._taps = 0
        self.drawing = 0.0
        """Seconds of CPU that the last picture took."""
        self._counting: asyncio.Task[None] | None = None
        self._filled = asyncio.Event()
        self._left: asyncio.TimerHandle | None = None
        self._drawn: dict[bytes, tuple[float, estate_pb2.Estate]] = {}

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Calls are counted for the length of the block, and a little longer. Raises `BusyError`."""
        if self._watchers >= MOST_WATCHERS:
            raise BusyError(f"{MOST_WATCHERS} watch already")
        self._watchers += 1
        if self._left is not None:
            self._left.cancel()
            self._left = None
        try:
            if self._counting is None:
                self._filled.clear()
                self._counting = asyncio.create_task(self._count())
            await self._filled.wait()
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._left = asyncio.get_running_loop().call_later(LINGER, self._let_go)

    @asynccontextmanager
    async def tapping(self, said: api.WatchCallsRequest) -> AsyncIterator[Tap]:
        """Gives calls as they end, for the length of the block. Raises `BusyError` and `NoLogError`."""
        if self._taps >= MOST_TAPS:
            raise BusyError(f"{MOST_TAPS} watch calls already")
        if problem := self.feed.problem:
            raise NoLogError(problem)
        tap = Tap(said, time.monotonic)
        self._taps += 1
        try:
            async with self.feed.listening(tap):
                yield tap
        finally:
            self._taps -= 1

    @property
    def at_rest(self) -> bool:
        """Whether nothing is read and nobody is asked."""
        return self._counting is None and not self.feed.listeners

    async def estate(self, said: api.EstateFilter, wanted: Sequence[Grouping], *, with_map: bool) -> estate_pb2.Estate:
        """The estate now; to be asked within `watching`. Whoever wants the same at the same time gets the same; nobody may change it."""
        key = api.GetEstateRequest(filter=said, rows=wanted, without_map=not with_map).SerializeToString(deterministic=True)
        async with self._turn:
            now = time.monotonic()
            self._drawn = {one: drawn for one, drawn in self._drawn.items() if now - drawn[0] < FRESH}
            if key not in self._drawn:
                choice, asked = Choice.of(said), await self._ask()
                async with self.feed.still:
                    scene = self._scene(asked)
                    # Drawn beside everything else that the hub does, which would have to wait for a wide estate.
                    drawn = await asyncio.to_thread(self._draw, scene, choice, wanted, with_map)
                self._drawn[key] = now, drawn
            return self._drawn[key][1]

    def _draw(self, scene: Scene, choice: Choice, wanted: Sequence[Grouping], with_map: bool) -> estate_pb2.Estate:
        began = time.thread_time()
        totals = self._window.only(choice.has) if choice.narrows else scene.totals
        found = picture(scene, totals, choice, wanted, with_map=with_map)
        self.drawing = time.thread_time() - began
        return found

    async def close(self) -> None:
        """Lets go of everything at once."""
        if self._left is not None:
            self._left.cancel()
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.wait((self._counting,))

    def take(self, calls: Sequence[Call]) -> None:
        """Counts calls."""
        self._window.take(calls)
        self._window.expire(self._clock())

    def passed_over(self, lines: int) -> None:
        """What was not read is not counted: the window begins anew."""
        self._window.begin(self._clock())

    async def _count(self) -> None:
        """Counts the last seconds and whatever comes, until it is cancelled."""
        since = self._clock() - SPAN - LAG
        self._window.begin(since)
        try:
            async with self.feed.listening(self):
                past, since = await self.feed.past(since)
                self._window.take(past)
                self._window.whole_since(since)
                self._filled.set()
                await asyncio.Event().wait()
        finally:
            self._window.begin(self._clock())
            self._asked = _Asked()

    def _let_go(self) -> None:
        self._left = None
        if self._counting is not None and not self._watchers:
            self._counting.cancel()
            self._counting = None

    def _scene(self, asked: _Asked) -> Scene:
        inputs, sources, now = self._sources.inputs(), self._sources, self._clock()
        log = Source("log", self.feed.problem, self.feed.read_at)
        return Scene(
            at=now,
            seconds=self._window.expire(now),
            totals=self._window.totals,
            contracts=inputs.contracts,
            instances=inputs.instances,
            traffic=inputs.traffic,
            trust_domain=inputs.edge.trust_domain,
            reading=asked.reading,
            far=asked.far,
            hosts=asked.hosts,
            by_hand=sources.by_hand(),
            accounts=asked.accounts,
            unreachable=sources.unreachable(),
            standings=sources.standings(),
            compared=sources.compared(),
            others=self._window.others,
            sources=(log, *asked.states),
        )

    async def _ask(self) -> _Asked:
        """What Envoy and the exchange say, asked anew where that is not fresh."""
        now, asked = time.monotonic(), self._asked
        if now - asked.at < FRESH:
            return asked
        asked.at, before = now, {one.name: one for one in asked.states}
        envoy = await self._ask_envoy(asked, before.get("envoy", Source("envoy")).at)
        try:
            asked.accounts = await self._sources.accounts()
            exchange = Source("exchange", at=self._clock())
        except ExchangeError as error:
            asked.accounts = ()
            known = before.get("exchange", Source("exchange")).at
            exchange = Source("exchange", f"the exchange does not tell its accounts, so messages are not counted: {error}", known)
        asked.states = (envoy, exchange)
        return asked

    async def _ask_envoy(self, asked: _Asked, known: float) -> Source:
        admin = self._sources.admin
        if admin is None:
            return Source("envoy", "the hub's settings name no admin interface of Envoy, so nothing is known of what is in flight")
        try:
            reading = read(await admin.get(PAGE), time.monotonic())
            if asked.at - asked.hosts_at >= HOSTS_EVERY:
                asked.hosts = {host.address: host for those in (await admin.hosts()).values() for host in those}
                asked.hosts_at = asked.at
        except (EnvoyGoneError, ValueError) as error:
            asked.reading = asked.far = None
            asked.hosts = {}
            return Source("envoy", f"{error}: what is in flight and which instances are well is not known", known)
        if asked.reading is not None:
            asked.far = compared(asked.reading, reading)
        asked.reading = reading
        return Source("envoy", at=self._clock())
