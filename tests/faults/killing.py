"""The kill run: hub, subscribers, Envoy and NATS server are killed and stopped at instants of a seed under load; then all is counted."""

import asyncio
import random
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from exchange_rig import JETSTREAM, LOG, SQLITE, ExchangeRig, running_exchange

from hub.laptop import supervisor
from hub.laptop.layout import DEVELOPER, TRUST_DOMAIN
from metip.exchange.v1.exchange_service_pb2 import ListSubscriptionsRequest, ListSubscriptionsResponse, TrackRequest, TrackResponse
from metip.exchange.v1.message_pb2 import State
from tests.faults.checking import OPEN, POISON, Effect, Evidence, Sample
from tests.faults.producing import PRODUCERS, Books, Producer, produce

VICTIMS = ("hub", "hub", "subscriber-0", "subscriber-1", "envoy")
"""The hub twice: it is what must keep its word."""
KEEPERS = {SQLITE: (), JETSTREAM: (LOG, LOG)}
"""Those that keep messages besides, by engine."""
STOPPED = 0.1
"""Share of the faults that stop a process for a while instead of killing it."""
LONGEST_STOP = 2.0
SLOW = 0.06
"""Seconds that a subscriber takes at most before an effect and after it, so that faults find messages under way."""
CALM = 5.0
"""Seconds without a fault, before and after, in which the rate is taken."""
SAMPLE_EVERY = 0.2
RECOVERY = 60.0
QUIET_WITHIN = 180.0
UP_WITHIN = 20.0
AT_ONCE = 32
SERVICE = "/metip.exchange.v1.ExchangeService"
PRODUCER = (("x-forwarded-client-cert", f"Hash=0;URI=spiffe://{TRUST_DOMAIN}/consumer/{DEVELOPER}"),)
"""What Envoy says of whoever handed the messages over."""
Told = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How long a run is."""

    kills: int = 200
    seconds: float = 340.0
    """Length of the part with faults, about."""
    seed: int = 1
    producers: Sequence[Producer] = PRODUCERS
    calm: float = CALM
    engine: str = SQLITE
    hub_module: str = "tests.faults.planted"
    environment: dict[str, str] = field(default_factory=dict)


QUICK = Effort(kills=12, seconds=26.0, calm=3.0)


@dataclass(frozen=True)
class Fault:
    """One fault of the schedule."""

    after: float
    """Seconds after the last one."""
    victim: str
    stopped: float
    """Seconds for which it is stopped; 0 when it is killed."""


def schedule(effort: Effort) -> list[Fault]:
    """The faults of a seed: always the same ones."""
    chance = random.Random(effort.seed)
    gap, found, kills = effort.seconds / effort.kills, [], 0
    victims = VICTIMS + KEEPERS[effort.engine]
    while kills < effort.kills:
        stopped = chance.uniform(0.1, LONGEST_STOP) if chance.random() < STOPPED else 0.0
        found.append(Fault(chance.uniform(0.05, 2 * gap - 0.05), chance.choice(victims), stopped))
        kills += not stopped
    return found


async def run(effort: Effort, told: Told) -> Evidence:
    """The run, in a home of its own, and what it leaves behind."""
    with tempfile.TemporaryDirectory(prefix="metip-faults-") as folder, _restarted_soon():
        folder_of, said, module = Path(folder), effort.environment, effort.hub_module
        async with running_exchange(folder_of, subscribers=2, engine=effort.engine, environment=said, hub_module=module) as rig:
            return await _Run(rig, effort, told).run()


@dataclass
class _Run:
    rig: ExchangeRig
    effort: Effort
    told: Told
    books: Books = field(default_factory=Books)
    samples: list[Sample] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    peak: float = 0.0

    async def run(self) -> Evidence:
        rig, books, effort = self.rig, self.books, self.effort
        rig.mode(f"poison {POISON} slow {SLOW}")
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        producing = asyncio.create_task(produce(rig, books, stop, effort.producers))
        sampling = asyncio.create_task(self._sample())
        try:
            await asyncio.sleep(1)
            began = loop.time()
            await asyncio.sleep(effort.calm)
            rate = _rate(books.times, began, loop.time())
            self.told(f"{rate:.0f} acknowledged a second before the first fault")
            await self._hurt()
            ended = loop.time()
            recovered = await self._recovered(rate)
            stop.set()
            async with asyncio.timeout(RECOVERY):
                await producing
            self.told(f"all acknowledged: {len(books.acknowledged)}; answers that were no receipts: {dict(books.codes)}")
            last = await self._until_quiet()
            self.told("quiet")
            rig.kill("hub")
            self.faults["SIGKILL hub"] += 1
            await rig.ready()
            last += await self._until_quiet()
            states = await self._states()
        finally:
            for task in (producing, sampling):
                task.cancel()
            await asyncio.gather(producing, sampling, return_exceptions=True)
        return Evidence(
            effort.seed,
            books.sent,
            books.acknowledged,
            [Effect.read(row) for row in rig.effects()],
            states,
            self.samples,
            last,
            books.contradictions,
            self.peak,
            recovered_after=None if recovered is None else recovered - ended,
            faults=self.faults,
        )

    async def _hurt(self) -> None:
        faults = schedule(self.effort)
        for number, fault in enumerate(faults):
            await asyncio.sleep(fault.after)
            await self._up(fault.victim)
            if fault.stopped:
                self._signal(fault.victim, signal.SIGSTOP)
                await asyncio.sleep(fault.stopped)
                self._signal(fault.victim, signal.SIGCONT)
            else:
                self._signal(fault.victim, signal.SIGKILL)
            if number % 50 == 49:
                self.told(f"{number + 1} of {len(faults)} faults, {len(self.books.acknowledged)} acknowledged")

    async def _up(self, name: str) -> None:
        async with asyncio.timeout(UP_WITHIN):
            while self.rig.pid(name) is None:  # noqa: ASYNC110 - the supervisor has no event for it
                await asyncio.sleep(0.01)

    def _signal(self, name: str, number: signal.Signals) -> None:
        if self.rig.kill(name, number) and number is not signal.SIGCONT:
            self.faults[f"{number.name} {name}"] += 1

    async def _recovered(self, rate: float) -> float | None:
        """When, on the loop's clock, as much was acknowledged as before."""
        loop, times = asyncio.get_running_loop(), self.books.times
        began = loop.time()
        while (now := loop.time()) < began + RECOVERY:
            start = now - self.effort.calm
            if start >= began and _rate(times, start, now) >= 0.95 * rate:
                return next((one for one in times if one >= start), now)
            await asyncio.sleep(0.1)
        return None

    async def _sample(self) -> None:
        channel = self.rig.hub()
        while True:
            self.peak = max(self.peak, _memory(self.rig.pid("hub")))
            with suppress(grpc.aio.AioRpcError):
                self.samples += await _accounts(channel, self.books)
            await asyncio.sleep(SAMPLE_EVERY)

    async def _until_quiet(self) -> list[Sample]:
        channel = self.rig.hub()
        async with asyncio.timeout(QUIET_WITHIN):
            while True:
                with suppress(grpc.aio.AioRpcError):
                    found = await _accounts(channel, self.books)
                    if not any(one.counts.get(state) for one in found for state in OPEN):
                        return found
                await asyncio.sleep(0.2)

    async def _states(self) -> dict[str, str]:
        """Where each acknowledged message stands, by the exchange's own word."""
        channel = self.rig.hub()
        track: Any = channel.unary_unary(f"{SERVICE}/Track")
        names, found = iter(sorted(set(self.books.acknowledged.values()))), {}

        async def ask() -> None:
            for name in names:
                try:
                    asked = TrackRequest(message_id=name).SerializeToString()
                    reply = await track(asked, timeout=10, wait_for_ready=True, metadata=PRODUCER)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.NOT_FOUND:
                        raise
                    continue
                (delivery,) = TrackResponse.FromString(reply).message.deliveries
                found[name] = _word(delivery.state)

        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        return found


async def _accounts(channel: grpc.aio.Channel, books: Books) -> list[Sample]:
    call: Any = channel.unary_unary(f"{SERVICE}/ListSubscriptions")
    before = books.acknowledged_of.copy()
    reply = await call(ListSubscriptionsRequest().SerializeToString(), timeout=2)
    return [
        Sample(
            name := one.operation.rpartition("/")[2],
            before[name],
            {_word(count.state): count.deliveries for count in one.counts},
            books.sent_of[name],
        )
        for one in ListSubscriptionsResponse.FromString(reply).subscriptions
    ]


def _word(state: Any) -> str:
    return State.Name(state).removeprefix("STATE_")


def _rate(times: Sequence[float], began: float, ended: float) -> float:
    return sum(began <= one < ended for one in times) / (ended - began)


def _memory(pid: int | None) -> float:
    """Resident set in KiB; 0 when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")), 0.0)


class _restarted_soon:  # noqa: N801 - used as a statement
    """The supervisor's patience with what dies often, cut short: here everything does."""

    def __enter__(self) -> None:
        self._before, supervisor.LONGEST_DELAY = supervisor.LONGEST_DELAY, supervisor.FIRST_DELAY

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        supervisor.LONGEST_DELAY = self._before
