"""What it costs to accept a message durably and to bring it to its subscriber, beside what the store itself can do in the same run.

The raw store is one bare insert of the same bytes into one table of one SQLite file, as durable as the exchange is (WAL, `synchronous =
FULL`): one row a transaction, and as many as the exchange puts into one. The generator is ours, since each message needs a key of its own.
"""

import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import apsw
import grpc
import nats
from exchange_rig import INTERFACE, PROBE, SYSTEM, ExchangeRig, probe, running_exchange
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from nats_server import NatsServer

from adapters.kit.registration import Registration
from hub.exchange.jetstream import JetStreamEngine, Settings
from hub.exchange.port import Engine
from hub.exchange.records import Accepted, Arrival, BrokenError
from hub.exchange.sqlite import SqliteEngine
from metip.exchange.v1 import exchange_service_pb2 as api
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED, Receipt
from metip.logs import Log
from tests.bench import frames
from tests.bench.cores import SERVER
from tests.bench.sample import cpu_seconds, percentiles

BODY = 500
IN_FLIGHT = 64
GROUP = 1000
ROUNDS = 5
"""Turns of those ways that are compared with one another; each has the median of its own."""
CERTIFICATE = (("x-forwarded-client-cert", "Hash=0;URI=spiffe://metip.local/consumer/developer"), ("x-metip-purposes", "*"))


@dataclass(frozen=True)
class Length:
    """How long to measure."""

    seconds: float = 3.0
    batch: int = 40_000
    rates: tuple[int, ...] = (100, 500)


LONG = Length()
SHORT = Length(seconds=0.3, batch=1000, rates=(50,))


@dataclass(frozen=True)
class Speed:
    """How fast one way of keeping messages is."""

    name: str
    rate: float
    """Messages a second."""
    hub: float
    """CPU of the hub in microseconds a message; 0 where no hub takes part."""


@dataclass(frozen=True)
class Journey:
    """How long messages take from the producer's call to the subscriber, at a fixed rate."""

    rate: int
    latencies: tuple[float, ...]
    """Milliseconds at each of `sample.PERCENTILES`."""
    lost: int


@dataclass(frozen=True)
class Messages:
    """Everything that one run found."""

    speeds: tuple[Speed, ...]
    journeys: tuple[Journey, ...]

    def speed(self, name: str) -> Speed:
        """One of them. Raises `KeyError`."""
        for one in self.speeds:
            if one.name == name:
                return one
        raise KeyError(name)


RAW_ONE, RAW_MANY = "raw store, a row a transaction", f"raw store, {GROUP} rows a transaction"
ENGINE_ONE, ENGINE_MANY = f"engine, {IN_FLIGHT} callers", f"engine, batches of {GROUP}"
LOG_ONE, LOG_MANY = f"raw log, {IN_FLIGHT} in flight", f"raw log, {GROUP} in flight"
JETSTREAM_ONE, JETSTREAM_MANY = f"engine on JetStream, {IN_FLIGHT} callers", f"engine on JetStream, batches of {GROUP}"
UNARY, EDGE, BATCH = f"hub, unary, {IN_FLIGHT} in flight", f"edge, unary, {IN_FLIGHT} in flight", "edge, PublishBatch"


async def measure_messages(length: Length, told: Callable[[str], None]) -> Messages:
    """Measures; a hub, an Envoy and a subscriber are started for it."""
    with tempfile.TemporaryDirectory(prefix="metip-bench-x-") as folder:
        raw = _RawStore(Path(folder), length)
        speeds = [Speed(RAW_ONE, raw.rate(1), 0.0), *await _sqlite(Path(folder), length), *await _jetstream(Path(folder), length)]
        async with running_exchange(Path(folder), subscribers=1) as rig:
            await rig.supervisor.stop("subscriber-0")
            _pin(rig)
            speeds += await _hub(rig, length)
            for one in speeds:
                told(f"{one.name}: {one.rate:.0f}/s")
            _allow(rig, os.cpu_count() or 1)  # from here on as on any machine that is not shared with a generator
            journeys = [await _journey(rig, rate, length) for rate in length.rates]
            batched = await _bulk(rig, length, raw)  # last, since all that it hands over waits for its subscriber afterwards
            for one in batched:
                told(f"{one.name}: {one.rate:.0f}/s")
    many, batch = batched
    return Messages((speeds[0], many, *speeds[1:], batch), tuple(journeys))


class _RawStore:
    """One table of one file."""

    def __init__(self, folder: Path, length: Length) -> None:
        self._seconds, self._body = length.seconds / 2, os.urandom(BODY)
        self._database = apsw.Connection(str(folder / "raw.sqlite"))
        self._database.pragma("journal_mode", "wal")
        self._database.pragma("synchronous", "full")
        self._database.execute("create table message (sequence integer primary key, key text not null, body blob not null)")

    def rate(self, rows: int) -> float:
        """Rows a second, so many to a transaction."""
        done, started, insert = 0, time.perf_counter(), "insert into message (key, body) values (?, ?)"
        while time.perf_counter() - started < self._seconds:
            with self._database:
                self._database.executemany(insert, ((uuid.uuid4().hex, self._body) for _ in range(rows)))
            done += rows
        return done / (time.perf_counter() - started)


async def _sqlite(folder: Path, length: Length) -> list[Speed]:
    engine = await SqliteEngine.open(folder / "engine.sqlite", _broken)
    found = [
        Speed(ENGINE_ONE, await _accepting(engine, IN_FLIGHT, 1, length), 0.0),
        Speed(ENGINE_MANY, await _accepting(engine, 2, GROUP, length), 0.0),
    ]
    await engine.close()
    return found


async def _jetstream(folder: Path, length: Length) -> list[Speed]:
    server = NatsServer(folder)
    await server.start()
    try:
        client = await nats.connect(server.address)
        log = client.jetstream()
        await log.add_stream(name="raw", subjects=["raw"])
        body = os.urandom(BODY)

        async def publish() -> int:
            await log.publish("raw", body)
            return 1

        found = [
            Speed(LOG_ONE, await _at_once(IN_FLIGHT, publish, length), 0.0),
            Speed(LOG_MANY, await _at_once(GROUP, publish, length), 0.0),
        ]
        await client.close()
        own = folder / "hub"
        own.mkdir()
        settings = Settings((server.address,), "bench", own, "bench", monitor=server.monitor)
        engine = await JetStreamEngine.open(settings, _broken)
        found.append(Speed(JETSTREAM_ONE, await _accepting(engine, IN_FLIGHT, 1, length), 0.0))
        found.append(Speed(JETSTREAM_MANY, await _accepting(engine, 2, GROUP, length), 0.0))
        await engine.close()
    finally:
        server.kill()
    return found


def _broken(error: BrokenError) -> None:
    raise AssertionError("the store of a benchmark broke") from error


async def _accepting(engine: Engine, callers: int, size: int, length: Length) -> float:
    """Messages a second that an engine accepts from so many callers, each with so many at a time."""
    body = os.urandom(BODY)

    async def accept() -> int:
        keys = [uuid.uuid4().hex for _ in range(size)]
        found = await engine.accept([Arrival(PROBE, body, key, key[:3], "spiffe://metip.local/consumer/bench") for key in keys])
        return sum(isinstance(one, Accepted) for one in found)

    return await _at_once(callers, accept, length)


async def _at_once(callers: int, call: Callable[[], Awaitable[int]], length: Length) -> float:
    done, started = 0, time.perf_counter()

    async def one() -> None:
        nonlocal done
        while time.perf_counter() - started < length.seconds / 2:
            accepted = await call()  # apart from the sum, which others change meanwhile
            done += accepted

    await asyncio.gather(*(one() for _ in range(callers)))
    return done / (time.perf_counter() - started)


async def _hub(rig: ExchangeRig, length: Length) -> list[Speed]:
    """Straight to the hub and through the edge, in turns."""
    operation, body = PROBE, BODY - 50
    ways: dict[str, dict[str, Any]] = {
        UNARY: {"socket": str(rig.home.hub_socket), "metadata": CERTIFICATE},
        EDGE: {"port": rig.ports.grpc, "secured": rig.tls()},
    }
    found: dict[str, list[Speed]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            await frames.run(operation, lambda: probe(uuid.uuid4().hex, filler=body), IN_FLIGHT, length.seconds / 10, **way)
            before = _cpu(rig)
            ran = await frames.run(operation, lambda: probe(uuid.uuid4().hex, filler=body), IN_FLIGHT, length.seconds, **way)
            if ran.not_ok:
                raise AssertionError(f"{ran.not_ok} of {ran.ok + ran.not_ok} messages were not accepted")
            found[name].append(Speed(name, ran.ok / ran.seconds, (_cpu(rig) - before) / ran.ok * 1_000_000))
    return [Speed(name, median(one.rate for one in turns), median(one.hub for one in turns)) for name, turns in found.items()]


async def _bulk(rig: ExchangeRig, length: Length, raw: _RawStore) -> tuple[Speed, Speed]:
    """The raw store and bulk hand-overs in turns. The latter are judged in one process, kept by two threads of another."""
    stub: Any = ExchangeServiceStub(rig.channel())
    await _batch(stub, max(1, length.batch // 4))  # what judges is started with the first one
    await asyncio.sleep(min(3.0, length.seconds))
    rates, cpu, bare = [], [], []
    for _ in range(ROUNDS):
        bare.append(raw.rate(GROUP))
        before = _cpu(rig)
        accepted, took = await _batch(stub, length.batch)
        rates.append(accepted / took)
        cpu.append((_cpu(rig) - before) / accepted * 1_000_000)
    return Speed(RAW_MANY, median(bare), 0.0), Speed(BATCH, median(rates), median(cpu))


async def _batch(stub: Any, messages: int) -> tuple[int, float]:
    """Hands over so many in one call; how many were accepted, and in how many seconds."""
    parts = [
        api.PublishBatchRequest(operation=PROBE, messages=[probe(uuid.uuid4().hex, filler=BODY - 50) for _ in range(GROUP)])
        for _ in range(max(1, messages // GROUP))
    ]

    async def stream() -> AsyncIterator[api.PublishBatchRequest]:
        for part in parts:
            yield part

    started = time.perf_counter()
    answer = await stub.PublishBatch(stream(), timeout=120)
    return len(answer.message_ids) - len(answer.refused), time.perf_counter() - started


async def _journey(rig: ExchangeRig, rate: int, length: Length) -> Journey:
    """The producer and the subscriber are this process, so that one clock times both ends."""
    arrived: dict[str, float] = {}
    due: dict[str, float] = {}
    async with _subscriber(rig, arrived):
        call: Any = rig.channel().unary_unary(f"/{PROBE}")
        await _until_delivered(rig, arrived, call)
        started, count = time.perf_counter(), int(rate * length.seconds)
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                at = started + number / rate
                if (left := at - time.perf_counter()) > 0:
                    await asyncio.sleep(left)
                name = f"{rate}-{number}"
                due[name] = at
                group.create_task(_call(call, probe(name, f"line{number % 100}", number, filler=BODY - 50)))
        deadline = time.perf_counter() + 20
        while not due.keys() <= arrived.keys() and time.perf_counter() < deadline:  # noqa: ASYNC110 - another process delivers
            await asyncio.sleep(0.01)
    taken = [(arrived[name] - at) * 1000 for name, at in due.items() if name in arrived]
    return Journey(rate, percentiles(taken), len(due) - len(taken))


async def _call(call: Any, data: bytes) -> None:
    await call(data, timeout=10)


async def _until_delivered(rig: ExchangeRig, arrived: dict[str, float], call: Any) -> None:
    """Until what earlier measurements left behind has gone through, and a probe of now too."""
    name = uuid.uuid4().hex
    await call(probe(name), timeout=10)
    async with asyncio.timeout(120):
        while name not in arrived:  # noqa: ASYNC110 - another process delivers
            await asyncio.sleep(0.05)


class _subscriber:  # noqa: N801 - used as a statement
    """A subscriber in this process for the length of the block: notes when each probe arrived."""

    def __init__(self, rig: ExchangeRig, arrived: dict[str, float]) -> None:
        from exchange_rig import kind

        request: Any = kind("metip.probe.v1.PublishProbeRequest")
        receipt = Receipt(progress=PROGRESS_PROCESSED).SerializeToString()

        async def take(data: bytes, _: Any) -> bytes:
            arrived[request.FromString(data).id] = time.perf_counter()
            return receipt

        socket = rig.home.run / "bench.sock"
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handlers: Any = {name: grpc.unary_unary_rpc_method_handler(take) for name in ("PublishProbe", "PublishOnce")}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(INTERFACE, handlers),))
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        socket.unlink(missing_ok=True)
        self._server.add_insecure_port(f"unix:{socket}")
        registry = f"unix:{rig.home.hub_socket}"
        name = f"{SYSTEM}-bench-{uuid.uuid4().hex[:6]}"
        self._registration = Registration(registry, name, SYSTEM, (INTERFACE,), f"unix:{socket}", Log(system=SYSTEM))

    async def __aenter__(self) -> None:
        await self._health.set(INTERFACE, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()
        self._keeping = asyncio.create_task(self._registration.keep())

    async def __aexit__(self, *_: object) -> None:
        self._keeping.cancel()
        await self._registration.end()
        await self._server.stop(1)


def _cpu(rig: ExchangeRig) -> float:
    pid = rig.pid("hub")
    assert pid is not None, "the hub runs"
    return cpu_seconds({"hub": pid})["hub"]


def _pin(rig: ExchangeRig) -> None:
    """Gives the hub the server's core, as the servers of the other paths have it."""
    if SERVER in os.environ:
        _put_on(rig, {int(os.environ[SERVER])})


def _allow(rig: ExchangeRig, cores: int) -> None:
    """Gives the hub every core."""
    if SERVER in os.environ:
        _put_on(rig, set(range(cores)))


def _put_on(rig: ExchangeRig, cores: set[int]) -> None:
    pid = rig.pid("hub")
    if pid is not None:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)
