"""One worker of an adapter: what it refuses to start with, what it opens, and how it stops without losing a call."""

import asyncio
import io
import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import grpc
import protovalidate
import pytest
from adapter_rig import from_envoy
from grpc_health.v1 import health_pb2, health_pb2_grpc
from registry_stand_in import StandIn, registry_at
from sample_contract import INTERFACE, STRICT, TODAY, Asked, Plain, Remembering, Told, asking, sample_contracts
from waiting import until

from adapters.kit import Call, Site, discovery, serving
from adapters.kit.journal import Journal, NoJournal
from adapters.kit.pipeline import Gate, Pipeline
from adapters.kit.serving import Worker, handlers, serve_worker
from metip.adapter.v1.settings_pb2 import Serving
from metip.logs import Log

if TYPE_CHECKING:
    from collections.abc import Awaitable as NotThereAtRunTime

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Sample:
    """A servicer that holds its calls until it is told to answer."""

    interface = INTERFACE

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.inside = 0

    async def GetSample(self, request: Asked, call: Call) -> Told:
        """Waits, then answers."""
        self.inside += 1
        await self.go.wait()
        return Told(words="at last")

    async def RecordSample(self, request: Asked, call: Call) -> Told:
        """Answers."""
        return Told()

    async def WatchSamples(self, request: Asked, call: Call) -> AsyncIterator[Told]:
        """Answers."""
        yield Told()

    async def Count(self, request: Plain, call: Call) -> Told:
        """Answers."""
        return Told(words=str(request.count))


class Strict:
    """The other servicer."""

    interface = STRICT

    async def GetStrictly(self, request: Asked, call: Call) -> Told:
        """Answers."""
        return Told()


# What does not start.


def compiled(*servicers: object) -> Any:
    """Compiles servicers."""
    pipeline = Pipeline("sample", NoJournal(), Log(io.StringIO()), Gate(1), protovalidate.Validator())
    return handlers(pipeline, servicers, sample_contracts())


class Wrong:
    """Everything that can be wrong with a servicer."""

    interface = INTERFACE

    async def GetSample(self, request: Plain, call: Call) -> Told:
        """Takes another message."""
        return Told()

    async def WatchSamples(self, request: Asked, call: Call) -> Told:
        """Returns where the contract streams."""
        return Told()

    async def Count(self, request: Plain, call: Call) -> AsyncIterator[Told]:
        """Streams where the contract returns."""
        yield Told()


class Unreadable(Strict):
    """A servicer whose annotation names what is imported for the type checker only."""

    async def GetStrictly(self, request: "NotThereAtRunTime[None]", call: Call) -> Told:
        """Answers."""
        return Told()


class Unannotated:
    """A servicer that says nothing about what it takes."""

    interface = STRICT

    async def GetStrictly(self, request, call):  # type: ignore[no-untyped-def]  # wrong on purpose
        """Answers."""


class Nowhere:
    """A servicer of an interface that no contract declares."""

    interface = "metip.nowhere.v1.NowhereService"


async def test_servicers_that_keep_their_contracts_are_compiled() -> None:
    found = compiled(Sample(), Strict())
    assert {interface: set(methods) for interface, methods in found.items()} == {
        INTERFACE: {"GetSample", "RecordSample", "WatchSamples", "Count"},
        STRICT: {"GetStrictly"},
    }


async def test_every_wrong_and_missing_method_is_listed_at_once() -> None:
    with pytest.raises(TypeError) as caught:
        compiled(Wrong(), Nowhere(), object(), Unreadable(), Unannotated())
    assert str(caught.value).split("; ") == [
        "Wrong has a GetSample that must take request: Asked",
        "Wrong has no RecordSample",
        "Wrong has a WatchSamples that must yield its replies",
        "Wrong has a Count that must return one reply",
        "Nowhere.interface is 'metip.nowhere.v1.NowhereService', which is no interface that loads",
        "object.interface is '', which is no interface that loads",
        "Unreadable has a GetStrictly with an annotation that can't be read: name 'NotThereAtRunTime' is not defined",
        "Unannotated has a GetStrictly that must take request: Asked",
    ]


async def test_the_adapters_that_are_installed_find_their_contracts() -> None:
    known = serving.installed_contracts(TODAY)
    owners, others = {interface.system for interface in known.interfaces}, {one.system for one in known.back_ends}
    assert set(discovery.systems()) <= owners | others


# A running worker.


class Running:
    """A worker that serves."""

    def __init__(self, sample: Sample, worker: Worker, channel: grpc.aio.Channel, stop: asyncio.Event) -> None:
        self.sample, self.worker, self.channel, self.stop = sample, worker, channel, stop
        self.task: asyncio.Task[None] | None = None
        self.health: Any = health_pb2_grpc.HealthStub(channel)

    async def count(self, number: int = 7) -> str:
        """A call that is answered at once."""
        method = self.channel.unary_unary(
            f"/{INTERFACE}/Count", request_serializer=Plain.SerializeToString, response_deserializer=Told.FromString
        )
        return str((await method(Plain(count=number), metadata=from_envoy(), timeout=5)).words)

    async def slow(self) -> str:
        """A call that is answered when the servicer is told to."""
        method = self.channel.unary_unary(
            f"/{INTERFACE}/GetSample", request_serializer=Asked.SerializeToString, response_deserializer=Told.FromString
        )
        return str((await method(Asked(access=asking(), surname="Quackenbush"), metadata=from_envoy(), timeout=10)).words)

    async def is_healthy(self, interface: str = "") -> bool:
        """What Envoy is told."""
        reply = await self.health.Check(health_pb2.HealthCheckRequest(service=interface), timeout=5)
        return bool(reply.status == SERVING)

    async def ends(self) -> None:
        """Waits for the worker's own end."""
        assert self.task is not None
        await asyncio.wait_for(asyncio.shield(self.task), 5)


@asynccontextmanager
async def running(
    monkeypatch: pytest.MonkeyPatch,
    directory: Path,
    *,
    said: Serving | None = None,
    registry: str = "",
    servicers: Sequence[object] | None = None,
    journal: Journal | None = None,
) -> AsyncIterator[Running]:
    """A worker of an adapter that exists in this test only."""
    sample = Sample()

    @asynccontextmanager
    async def serve(settings: Any, site: Site) -> AsyncIterator[Sequence[object]]:
        yield (sample, Strict()) if servicers is None else servicers

    monkeypatch.setattr(discovery, "adapter", lambda system: SimpleNamespace(serve=serve))
    monkeypatch.setattr(serving, "installed_contracts", lambda today: sample_contracts())
    worker, stop = Worker("sample", 3, directory / "run" / "sample-3.sock", registry), asyncio.Event()
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"unix:{worker.socket}"))
        found = Running(sample, worker, channel, stop)
        found.task = task = asyncio.create_task(
            serve_worker(worker, Serving(), said or Serving(), mesh=None, stop=stop, journal=journal or Remembering())
        )
        try:
            await until(lambda: task.done() or _opened(worker.socket))
            if task.done():
                await task
            yield found
        finally:
            stop.set()
            sample.go.set()
            await asyncio.wait((task,), timeout=10)


def _opened(socket: Path) -> bool:
    """Whether the worker listens, and what it may have found there has gone."""
    return socket.exists() and stat.S_ISSOCK(socket.stat().st_mode)


async def test_a_worker_answers_and_is_healthy_for_each_interface(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with running(monkeypatch, tmp_path) as worker:
        assert await worker.count() == "7"
        for interface in ("", INTERFACE, STRICT):
            assert await worker.is_healthy(interface)


async def test_only_its_own_user_can_open_its_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        async with running(monkeypatch, tmp_path) as worker:
            assert stat.S_IMODE(worker.worker.socket.stat().st_mode) == 0o600
            assert stat.S_IMODE(worker.worker.socket.parent.stat().st_mode) == 0o700
            assert os.umask(0) == 0, "the process's own mask is put back"
    finally:
        os.umask(old)


async def test_a_socket_that_a_killed_worker_left_behind_is_taken_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    left = tmp_path / "run" / "sample-3.sock"
    left.parent.mkdir()
    left.write_text("left behind")
    async with running(monkeypatch, tmp_path) as worker:
        assert await worker.count() == "7"


async def test_a_worker_with_operations_on_personal_data_does_not_start_without_a_journal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=f"{INTERFACE}, {STRICT} can't be served without a journal"):
        async with running(monkeypatch, tmp_path, journal=NoJournal()):
            pytest.fail("it started")


async def test_a_worker_without_personal_data_needs_no_journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with running(monkeypatch, tmp_path, servicers=(), journal=NoJournal()) as worker:
        assert await worker.is_healthy("")


async def test_a_worker_with_a_wrong_servicer_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="Wrong has no RecordSample"):
        async with running(monkeypatch, tmp_path, servicers=(Wrong(),)):
            pytest.fail("it started")


async def test_a_worker_that_stops_says_so_finishes_its_calls_and_takes_no_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with running(monkeypatch, tmp_path) as worker:
        watch = worker.health.Watch(health_pb2.HealthCheckRequest(service=INTERFACE))
        assert (await watch.read()).status == SERVING
        call = asyncio.create_task(worker.slow())
        await until(lambda: worker.sample.inside == 1)
        worker.stop.set()
        assert (await watch.read()).status == NOT_SERVING
        watch.cancel()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await until(lambda: _refused_in_the_end(worker))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        worker.sample.go.set()
        assert await call == "at last"
        await worker.ends()


async def _refused_in_the_end(worker: Running) -> bool:
    await worker.count()
    return False


async def test_a_call_that_outlasts_the_drain_is_cut(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = Serving()
    said.drain.FromMilliseconds(50)
    async with running(monkeypatch, tmp_path, said=said) as worker:
        call = asyncio.create_task(worker.slow())
        await until(lambda: worker.sample.inside == 1)
        worker.stop.set()
        await worker.ends()
        with pytest.raises(grpc.aio.AioRpcError):
            await call


async def test_one_call_past_the_limit_that_is_set_is_busy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with running(monkeypatch, tmp_path, said=Serving(max_in_flight=1)) as worker:
        call = asyncio.create_task(worker.slow())
        await until(lambda: worker.sample.inside == 1)
        with pytest.raises(grpc.aio.AioRpcError, match="BUSY"):
            await worker.count()
        worker.sample.go.set()
        assert await call == "at last"


async def test_a_worker_leaves_the_registry_unhealthy_and_answers_until_envoy_has_seen_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serving, "SEEN_STOPPING", 0.3)
    registry = StandIn()
    async with registry_at(tmp_path / "hub", registry) as address, running(monkeypatch, tmp_path, registry=address) as worker:
        await until(lambda: registry.registered)
        (instance,) = registry.registered
        assert (instance.id, instance.system) == (f"sample-3-{os.getpid()}", "sample")
        assert set(instance.interfaces) == {INTERFACE, STRICT}
        assert instance.address == f"unix:{worker.worker.socket}"
        worker.stop.set()
        await until(lambda: registry.deregistered)
        assert registry.deregistered == [instance.id]
        assert not await worker.is_healthy(INTERFACE)
        assert await worker.count() == "7", "Envoy may not have seen it yet"
        await worker.ends()


async def test_a_worker_whose_hub_is_away_stops_as_it_should(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(serving, "SEEN_STOPPING", 0.0)
    async with running(monkeypatch, tmp_path, registry=f"unix:{tmp_path / 'nobody'}") as worker:
        assert await worker.count() == "7"
        worker.stop.set()
        await worker.ends()
