"""One trace, through real processes: from a consumer's call through Envoy and adapter to the far system, and across the exchange to the
subscriber of a message."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cases import RecordedCase, case_files, read_case
from collector import Collector, Kept, collecting
from journals_of_mesh import traced
from leaks import leaks_of
from mesh_rig import MeshRig, running_mesh
from metric_pages import pages, samples

from adapters.kit.serving import installed_contracts
from metip.contracts import DeliveryClass
from metip.exchange.v1.receipt_pb2 import Receipt

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]
FAR = "far system"


def query(system: str) -> RecordedCase | None:
    """A sample query of a system that its far system answers; None where it has none."""
    for path in case_files([system]):
        case = read_case(path)
        read = case.operation.delivery_class is DeliveryClass.READ and not case.operation.server_streams and not case.operation.consults
        if case.case.sample and read and case.operation.name.startswith(f"metip.{system}."):
            return case
    return None


def told() -> Iterator[tuple[RecordedCase, RecordedCase]]:
    """Sample messages, each whose subscriber is its own system, with a query of that: one adapter is enough."""
    contracts = installed_contracts(date.min)
    subscribed = {(one.system, one.operation) for one in contracts.subscriptions}
    for case in map(read_case, case_files()):
        asked = query(case.system) if (case.system, case.operation.name) in subscribed and case.case.sample else None
        if asked is not None:
            yield case, asked


MESSAGE, QUERY = next(told())
SYSTEM = QUERY.system


@dataclass
class Traced:
    """An estate that traces, and the collector that it tells."""

    mesh: MeshRig
    collector: Collector

    async def spans(self, trace: str, *wanted: tuple[str, str]) -> dict[str, Kept]:
        """The spans of a trace, once those wanted (service, name) are among them."""
        async with asyncio.timeout(15):
            while {(one.service, one.name) for one in self.collector.of(trace).values()} < set(wanted):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
        return self.collector.of(trace)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    """One system, traced."""
    async with (
        collecting() as collector,
        running_mesh(tmp_path_factory.mktemp("traces"), systems=(SYSTEM,), traces=collector.address) as rig,
    ):
        yield Traced(rig, collector)


def way(spans: dict[str, Kept], leaf: Kept, root: str) -> list[tuple[str, str]]:
    """Service and name from the span that the consumer made down to a leaf. Fails where the chain is broken."""
    found: list[tuple[str, str]] = []
    at: Kept = leaf
    while True:
        found.append((at.service, at.name))
        if at.parent == root:
            return found[::-1]
        assert at.parent in spans, f"{at} hangs in the air"
        at = spans[at.parent]


async def test_one_trace_leads_from_the_consumers_call_to_the_far_system(estate: Traced) -> None:
    trace, header = traced()
    root = header[1].split("-")[2]
    call: Any = estate.mesh.channel().unary_unary(QUERY.operation.path)
    await call(QUERY.case.request.value, timeout=10, metadata=[*estate.mesh.token(), header])
    adapter = f"adapter-{SYSTEM}"
    spans = await estate.spans(trace, (adapter, FAR), (adapter, QUERY.operation.name), ("envoy-edge", "egress"))
    far = next(one for one in spans.values() if one.name == FAR)
    names = way(spans, far, root)
    assert [service for service, _ in names if not service.startswith("envoy")] == [adapter, adapter]
    assert names[-2:] == [(adapter, QUERY.operation.name), (adapter, FAR)]
    assert names[0][0] == "envoy-edge", "Envoy is between the consumer and the adapter"
    assert far.attributes["metip.outcome"] == "OK"


async def test_one_trace_leads_across_the_exchange_to_the_subscriber_and_its_far_system(estate: Traced) -> None:
    trace, header = traced()
    root = header[1].split("-")[2]
    call: Any = estate.mesh.channel().unary_unary(MESSAGE.operation.path)
    receipt = Receipt.FromString(await call(MESSAGE.case.request.value, timeout=10, metadata=[*estate.mesh.token(), header]))
    name, adapter = MESSAGE.operation.name, f"adapter-{SYSTEM}"
    spans = await estate.spans(trace, (adapter, FAR), (adapter, name), ("hub", name), ("hub", "deliver"))
    far = next(one for one in spans.values() if one.name == FAR)
    names = way(spans, far, root)
    ours = [one for one in names if not one[0].startswith("envoy")]
    assert ours == [("hub", name), ("hub", "deliver"), (adapter, name), (adapter, FAR)]
    assert names[0][0] == "envoy-edge"
    assert any(service == "envoy-deliveries" for service, _ in names)
    taken = next(one for one in spans.values() if one.service == adapter and one.name == name)
    assert taken.attributes["messaging.message.id"] == receipt.message_id


async def test_a_call_that_its_consumer_does_not_trace_is_not_traced_by_anybody(estate: Traced) -> None:
    trace, header = traced()
    call: Any = estate.mesh.channel().unary_unary(QUERY.operation.path)
    untraced = (header[0], header[1][:-2] + "00")
    await call(QUERY.case.request.value, timeout=10, metadata=[*estate.mesh.token(), untraced])
    other, sampled = traced()
    await call(QUERY.case.request.value, timeout=10, metadata=[*estate.mesh.token(), sampled])
    await estate.spans(other, (f"adapter-{SYSTEM}", FAR))
    assert estate.collector.of(trace) == {}


async def test_where_the_consumer_decides_nothing_envoy_begins_the_trace(estate: Traced) -> None:
    known = {one.trace for one in estate.collector.spans}
    call: Any = estate.mesh.channel().unary_unary(QUERY.operation.path)
    await call(QUERY.case.request.value, timeout=10, metadata=estate.mesh.token())

    def begun() -> set[str]:
        return {one.trace for one in estate.collector.spans if one.name == FAR} - known

    async with asyncio.timeout(15):
        while not begun():  # noqa: ASYNC110 - other processes send
            await asyncio.sleep(0.05)
    (trace,) = begun()
    assert {one.service for one in estate.collector.of(trace).values()} == {"envoy-edge", f"adapter-{SYSTEM}"}


async def test_nothing_personal_is_in_any_span_and_every_span_is_accounted_for(estate: Traced) -> None:
    call: Any = estate.mesh.channel().unary_unary(QUERY.operation.path)
    with pytest.raises(grpc.aio.AioRpcError):
        await call(b"\xff" + QUERY.case.request.value, timeout=10, metadata=[*estate.mesh.token(), traced()[1]])
    assert estate.collector.raw
    assert list(leaks_of("spans", b"\n".join(estate.collector.raw))) == []
    for process, text in (await pages(estate.mesh.home.metrics)).items():
        fates = {one.labels["fate"]: one.value for one in samples(text) if one.name == "metip_telemetry_spans_total"}
        assert fates.keys() == {"exported", "failed", "dropped"}, process
        assert fates["failed"] == fates["dropped"] == 0
        assert fates["exported"] > 0
