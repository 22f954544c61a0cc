"""The tap: what is offered of answered calls, to whom, and that no caller could tell."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from adapter_rig import from_envoy
from sample_contract import INTERFACE, Asked, Plain, Told, asking, sample_contracts, served
from waiting import until

from adapters.kit import Call, Fault, Reason, tap
from adapters.kit.pipeline import Pipeline
from adapters.kit.tap import LARGEST, MOST, Tap
from metip.hub.v1.registry_service_pb2 import SampledOperation
from metip.parity.v1.sample_pb2 import Sample
from metip.parity.v1.tap_service_pb2 import OfferRequest, OfferResponse
from metip.parity.v1.tap_service_pb2_grpc import TapServiceServicer, add_TapServiceServicer_to_server
from metip.sampling import Dropped, place

pytestmark = pytest.mark.asyncio(loop_scope="module")
GET, WATCH = f"{INTERFACE}/GetSample", f"{INTERFACE}/WatchSamples"
ALL = 1_000_000


class Hub(TapServiceServicer):
    """Takes offers, or does not."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.drops: dict[str, int] = {}
        self.hangs = False

    async def Offer(self, request: OfferRequest, context: Any) -> OfferResponse:
        """Keeps what is offered."""
        if self.hangs:
            await asyncio.sleep(60)
        self.samples += request.samples
        for one in request.drops:
            self.drops[one.cause] = self.drops.get(one.cause, 0) + one.count
        return OfferResponse(taken=len(request.samples))


class Servicer:
    """Answers, refuses or streams."""

    interface = INTERFACE
    fault: Fault | None = None
    words = "told"

    async def GetSample(self, request: Asked, call: Call) -> Told:
        """Answers, or refuses."""
        if self.fault is not None:
            raise self.fault
        return Told(words=self.words)

    async def RecordSample(self, request: Asked, call: Call) -> Told:
        """Answers."""
        return Told(words="recorded")

    async def WatchSamples(self, request: Asked, call: Call) -> AsyncIterator[Told]:
        """Streams."""
        for number in range(3):
            yield Told(words=str(number))
        if self.fault is not None:
            raise self.fault

    async def Count(self, request: Plain, call: Call) -> Told:
        """Answers."""
        return Told(words="counted")


class Strict:
    """The other interface of the contract."""

    interface = "metip.sample.v1.StrictService"

    async def GetStrictly(self, request: Asked, call: Call) -> Told:
        """Answers."""
        return Told(words="strictly")


@dataclass
class Rig:
    """A servicer behind a pipeline with a tap, and the hub that is offered."""

    tap: Tap
    channel: grpc.aio.Channel
    hub: Hub = field(default_factory=Hub)
    servicer: Servicer = field(default_factory=Servicer)

    async def ask(self, operation: str = GET, call_id: str = "call-1", metadata: Any = None) -> list[bytes]:
        """The bytes of the replies."""
        request = Asked(access=asking(), surname="HALZERWICK").SerializeToString()
        told = from_envoy(call_id=call_id) if metadata is None else metadata
        if operation == WATCH:
            stream: Any = self.channel.unary_stream(f"/{operation}")
            return [reply async for reply in stream(request, metadata=told, timeout=5)]
        unary: Any = self.channel.unary_unary(f"/{operation}")
        return [await unary(request, metadata=told, timeout=5)]


@asynccontextmanager
async def rig(folder: Path, monkeypatch: pytest.MonkeyPatch, *, hub_there: bool = True) -> AsyncIterator[Rig]:
    """All of it, for the length of the block."""
    found, servicer = Tap("sample", f"unix:{folder / 'hub'}"), Servicer()
    monkeypatch.setattr("sample_contract.Pipeline", partial(Pipeline, tap=found))
    monkeypatch.setattr(tap, "AGAIN", 0.02)
    monkeypatch.setattr(tap, "PATIENCE", 0.3)
    hub, server = Hub(), grpc.aio.server()
    add_TapServiceServicer_to_server(hub, server)
    if hub_there:
        server.add_insecure_port(f"unix:{folder / 'hub'}")
        await server.start()
    running = asyncio.create_task(found.run())
    async with served((servicer, Strict()), folder) as serving:
        try:
            yield Rig(found, serving.channel, hub, servicer)
        finally:
            await tap.ended(running)
            await server.stop(None)


def sampled(share: int = ALL, *operations: str) -> list[SampledOperation]:
    return [SampledOperation(operation=one, per_million=share) for one in operations or (GET, WATCH)]


async def test_a_shut_tap_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as found:
        await found.ask()
        await asyncio.sleep(0.1)
        assert found.hub.samples == []
        assert found.tap.rates == {}


async def test_an_answered_call_is_offered_as_it_was_asked_and_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as found:
        before = await found.ask()
        found.tap.follow(sampled())
        assert await found.ask(call_id="call-7") == before, "to the byte"
        await until(lambda: found.hub.samples)
        (one,) = found.hub.samples
        assert (one.operation, one.call_id, one.system, one.code, one.reason) == (GET, "call-7", "sample", 0, "")
        assert list(one.replies) == before
        assert Asked.FromString(one.request).surname == "HALZERWICK"
        assert 0 < one.taken.ToTimedelta().total_seconds() < 5


async def test_a_stream_is_offered_with_all_its_replies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as found:
        found.tap.follow(sampled())
        replies = await found.ask(WATCH)
        await until(lambda: found.hub.samples)
        assert list(found.hub.samples[0].replies) == replies
        assert len(replies) == 3


@pytest.mark.parametrize(("operation", "kept"), [(GET, 0), (WATCH, 3)])
async def test_a_refusal_is_offered_with_its_reason_and_what_came_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, kept: int
) -> None:
    async with rig(tmp_path, monkeypatch) as found:
        found.tap.follow(sampled())
        found.servicer.fault = Fault(Reason.NO_TRACE, "nothing is known")
        with pytest.raises(grpc.aio.AioRpcError):
            await found.ask(operation)
        await until(lambda: found.hub.samples)
        (one,) = found.hub.samples
        assert (one.code, one.reason, len(one.replies)) == (grpc.StatusCode.NOT_FOUND.value[0], "NO_TRACE", kept)


async def test_a_call_that_was_not_admitted_is_not_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as found:
        found.tap.follow(sampled())
        with pytest.raises(grpc.aio.AioRpcError):
            await found.ask(metadata=from_envoy(officer=None))
        await found.ask()
        await until(lambda: found.hub.samples)
        assert len(found.hub.samples) == 1


async def test_what_the_hub_asks_is_not_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as found:
        found.tap.follow(sampled(ALL, f"{INTERFACE}/RecordSample"))
        hub = from_envoy(consumer="spiffe://metip.local/hub", officer=None)
        await found.ask(f"{INTERFACE}/RecordSample", metadata=hub)
        await found.ask(f"{INTERFACE}/RecordSample", "call-2", from_envoy(consumer="spiffe://metip.local/consumer/hub", call_id="call-2"))
        await until(lambda: found.hub.samples)
        assert [one.call_id for one in found.hub.samples] == ["call-2"]


async def test_a_share_of_calls_follows_from_their_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"call-{number}" for number in range(200)]
    wanted = {one for one in ids if place(one) < 250_000}
    assert 30 < len(wanted) < 70
    async with rig(tmp_path, monkeypatch) as found:
        found.tap.follow(sampled(250_000))
        for one in ids:
            await found.ask(call_id=one)
        await until(lambda: len(found.hub.samples) >= len(wanted))
        assert {one.call_id for one in found.hub.samples} == wanted


async def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    full, operation, call = Tap("sample", f"unix:{tmp_path}/hub"), sample_contracts().operations[GET], _call()
    for _ in range(MOST + 5):
        full.offer(operation, call, b"asked", (b"told",), 0.1)
    assert full.drops == {(GET, Dropped.QUEUE_FULL): 5}


async def test_an_answer_that_is_too_large_is_dropped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as found:
        found.tap.follow(sampled())
        found.servicer.words = "x" * (LARGEST + 1)
        await found.ask()
        await until(lambda: found.hub.drops == {"TOO_LARGE": 1})
        assert found.hub.samples == []


@pytest.mark.parametrize("there", [True, False], ids=["hung", "away"])
async def test_a_hub_that_takes_nothing_costs_callers_nothing_and_samples_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    async with rig(tmp_path, monkeypatch, hub_there=there) as found:
        found.hub.hangs = True
        found.tap.follow(sampled())
        for number in range(20):
            async with asyncio.timeout(1):
                await found.ask(call_id=f"call-{number}")
        await until(lambda: found.tap.drops[GET, Dropped.HUB_AWAY] == 20)
        if there:
            found.hub.hangs = False
            await until(lambda: found.hub.drops.get("HUB_AWAY") == 20)


async def test_nothing_is_sent_anywhere_but_to_a_socket_of_this_machine() -> None:
    remote = Tap("sample", "10.1.2.3:4711")
    remote.follow(sampled())
    assert remote.rates == {}


async def test_a_tap_that_ends_ends_quietly() -> None:
    running = asyncio.create_task(Tap("sample", "unix:/nowhere").run())
    await asyncio.sleep(0)
    await tap.ended(running)
    with suppress(asyncio.CancelledError):
        await running


def _call() -> Call:
    return Call("call-1", GET, "spiffe://metip.local/consumer/test", None, 0.0)
