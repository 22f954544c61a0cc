"""An estate as operations see it: one trace from a consumer to the far system and across the exchange, and a backlog from alert to fix."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cases import case_files, read_case
from collector import Collector, Kept, collecting
from command_line import metip
from journals_of_mesh import traced
from leaks import leaks_of
from mesh_rig import MeshRig, running_mesh, until
from metric_pages import pages, samples

from metip.cases.v1.case_pb2 import Fault
from metip.exchange.v1.receipt_pb2 import Receipt

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

SYSTEM, FAR = "cdw", "far system"
QUERY = read_case(next(path for path in case_files([SYSTEM]) if path.stem == "get_load"))
OPENED = read_case(next(path for path in case_files(["custody"]) if path.stem == "publish_record_opened"))
AWAY = "UPSTREAM_UNAVAILABLE"
MESSAGE = read_case(next(path for path in case_files(["custody"]) if path.stem == "publish_record_closed"))
"""Has subscribers beside this one; none of them runs."""


@dataclass
class Traced:
    """An estate that traces, and the collector that it tells."""

    mesh: MeshRig
    collector: Collector

    async def spans(self, trace: str, *wanted: tuple[str, str]) -> dict[str, Kept]:
        """The spans of a trace, once those wanted (service, name; empty for any) are there and Envoy's, which come last, and none hangs."""

        def there() -> bool:
            spans = self.collector.of(trace)
            found = {(one.service, one.name) for one in spans.values()}
            hanging = {one.parent for one in spans.values()} - spans.keys()
            return len(hanging) == 1 and found | {(service, "") for service, _ in found} >= {*wanted, ("envoy-edge", "")}

        try:
            async with asyncio.timeout(20):
                while not there():  # noqa: ASYNC110 - other processes send
                    await asyncio.sleep(0.05)
        except TimeoutError:
            found = sorted((one.service, one.name, one.attributes.get("metip.outcome", "")) for one in self.collector.of(trace).values())
            pytest.fail(f"{wanted} are not all among {found}")
        return self.collector.of(trace)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    """One system, traced."""
    async with (
        collecting() as collector,
        running_mesh(tmp_path_factory.mktemp("traces"), systems=(SYSTEM,), traces=collector.address) as rig,
    ):
        await rig.admin.set_runtime({"tracing.opentelemetry.flush_interval_ms": "200"})  # Envoy keeps spans back for five seconds otherwise
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
    await call(QUERY.case.request.value, timeout=30, wait_for_ready=True, metadata=[*estate.mesh.token(), header])
    adapter = f"adapter-{SYSTEM}"
    spans = await estate.spans(trace, (adapter, FAR), (adapter, QUERY.operation.name))
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
    spans = await estate.spans(trace, (adapter, FAR), (adapter, name), ("hub", name), ("hub", "deliver"), ("envoy-deliveries", ""))
    far = next(one for one in spans.values() if one.name == FAR)
    names = way(spans, far, root)
    ours = [one for one in names if not one[0].startswith("envoy")]
    assert ours == [("hub", name), ("hub", "deliver"), (adapter, name), (adapter, FAR)]
    assert names[0][0] == "envoy-edge"
    assert any(service == "envoy-deliveries" for service, _ in names)
    taken = next(one for one in spans.values() if one.service == adapter and one.name == name)
    assert taken.attributes["messaging.message.id"] == receipt.message_id
    accepted = next(one for one in spans.values() if one.service == "hub" and one.name == name)
    assert taken.attributes["metip.call_id"] == accepted.attributes["metip.call_id"], "a delivery goes by the id of its message's call"


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
    await estate.spans(trace)
    assert {one.service for one in estate.collector.of(trace).values()} == {"envoy-edge", f"adapter-{SYSTEM}"}


async def test_a_backlog_is_told_with_its_cause_found_by_the_runbooks_commands_and_gone_when_the_cause_is(estate: Traced) -> None:
    mesh, subscription = estate.mesh, f"{SYSTEM}:{OPENED.operation.name}"

    async def hub(name: str, **labels: str) -> float:
        found = samples((await pages(mesh.home.metrics))["hub"])
        return sum(
            one.value for one in found if one.name == name and {"subscription": subscription, **labels}.items() <= one.labels.items()
        )

    async def listed() -> list[dict[str, Any]]:
        done = await metip(mesh.home.root, "messages", "list", "--subscription", f"{SYSTEM}:", "--state", "pending", "--json")
        found: list[dict[str, Any]] = done.json["deliveries"]
        return found

    async with mesh.dials({SYSTEM: [Fault(dial="readonly")]}):
        call: Any = mesh.channel().unary_unary(OPENED.operation.path)
        await call(OPENED.case.request.value, timeout=10, metadata=mesh.token())

        async def told() -> bool:
            old, failed = await hub("metip_subscription_oldest_seconds"), await hub("metip_delivery_failures_total", reason=AWAY)
            return old > 0.5 and failed > 0 and await hub("metip_subscription_messages", state="pending") == 1

        await until(told, within=30)
        waiting: dict[str, Any] = {}

        async def found() -> bool:  # it is not pending while it is being sent
            waiting.update(*await listed())
            return bool(waiting)

        await until(found)
        assert waiting["reason"] in (AWAY, "CIRCUIT_OPEN"), "the runbook's first look names the cause"
        shown = await metip(mesh.home.root, "messages", "show", waiting["message_id"], "--json")
        assert AWAY in {step["reason"] for step in shown.json["steps"]}
        assert (await metip(mesh.home.root, "messages", "subscriptions")).out.count("unreachable") < 5, (
            "it is reached: the far system is not"
        )

    async def over() -> bool:
        return await hub("metip_subscription_oldest_seconds") == 0 and await listed() == []

    await until(over, within=60)
    assert await hub("metip_delivery_attempts_total", event="confirmed") >= 1


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
