"""Spans: only of traced calls, under the parent that asked, with nothing said that is not declared; and nobody waits for the collector."""

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from collector import Collector, collecting
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from metip.telemetry import tracing
from metip.telemetry.otlp import Queue, traced
from metip.telemetry.tracing import Role
from metip.telemetry.v1.telemetry_pb2 import Traces

TRACE, SPAN = secrets.token_hex(16), secrets.token_hex(8)
SAMPLED = f"00-{TRACE}-{SPAN}-01"


async def until(collector: Collector, count: int) -> None:
    async with asyncio.timeout(10):
        while len(collector.spans) < count:  # noqa: ASYNC110 - another thread sends
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "parent",
    ["", f"00-{TRACE}-{SPAN}-00", f"01-{TRACE}-{SPAN}-01", "00-" + "z" * 60, SAMPLED + "-more"],
    ids=["none", "not sampled", "of another version", "nonsense", "too long"],
)
def test_a_call_that_is_not_traced_gets_no_span(parent: str) -> None:
    with traced(Traces(collector="127.0.0.1:1"), "p", "p-0", Path()):
        assert tracing.begin("x", Role.SERVER, parent) is None
        assert tracing.begin_call("a.B/C", Role.SERVER, parent) is None


def test_without_a_collector_nothing_is_traced_and_nothing_is_imported() -> None:
    assert tracing.begin("x", Role.SERVER, SAMPLED) is None
    code = "import adapters.kit.serving, hub.server, sys; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_what_is_declared_is_said_of_a_span() -> None:
    with traced(Traces(collector="127.0.0.1:1"), "p", "p-0", Path()), pytest.raises(ValueError, match=r"officer: that is not said"):
        tracing.begin("x", Role.SERVER, SAMPLED, officer="somebody")


@pytest.mark.asyncio
async def test_spans_of_one_call_hang_together_and_reach_the_collector() -> None:
    async with collecting() as collector:
        with traced(Traces(collector=collector.address), "adapter-x", "x-0", Path()) as queue:
            call = tracing.begin_call("metip.x.v1.XService/GetX", Role.SERVER, SAMPLED, metip__call_id="c-1")
            assert call is not None
            asked = tracing.begin("far system", Role.CLIENT, call.traceparent, server__address="h:1")
            assert asked is not None
            asked.end("UPSTREAM_FAULT")
            call.end("OK")
            await until(collector, 2)
        assert (queue.ended, queue.exported, queue.failed, queue.dropped) == (2, 2, 0, 0)
    spans = {one.name: one for one in collector.spans}
    call_span, far = spans["metip.x.v1.XService/GetX"], spans["far system"]
    assert (call_span.trace, call_span.parent) == (TRACE, SPAN)
    assert (far.trace, far.parent) == (TRACE, call_span.id)
    assert call_span.service == "adapter-x"
    assert call_span.attributes["rpc.method"] == "GetX"
    assert far.attributes == {"server.address": "h:1", "metip.outcome": "UPSTREAM_FAULT"}


@pytest.mark.asyncio
async def test_what_waits_when_a_process_ends_is_still_sent() -> None:
    def process(address: str) -> None:
        with traced(Traces(collector=address), "p", "p-0", Path()):
            for _ in range(10):
                span = tracing.begin("x", Role.SERVER, SAMPLED)
                assert span is not None
                span.end("OK")

    async with collecting() as collector:
        await asyncio.to_thread(process, collector.address)
        await until(collector, 10)


def test_a_collector_that_is_away_holds_up_nobody_who_ends() -> None:
    began = time.perf_counter()
    with traced(Traces(collector="127.0.0.1:1"), "p", "p-0", Path()) as queue:
        span = tracing.begin("x", Role.SERVER, SAMPLED)
        assert span is not None
        span.end("OK")
    assert time.perf_counter() - began < 4
    assert queue.exported == 0


class Hanging(SpanExporter):
    """A collector that takes its time, and nothing else."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        time.sleep(0.05)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Ends."""


def test_a_collector_that_hangs_holds_nobody_up_and_what_is_dropped_is_counted() -> None:
    queue, provider = Queue(Hanging(), most=50), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(queue)
    tracer = provider.get_tracer("test")
    began = time.perf_counter()
    for number in range(2000):
        tracer.start_span(f"s{number}").end()
    took = time.perf_counter() - began
    assert took < 1, "no call waits for a collector"
    assert queue.dropped > 0
    assert queue.waiting <= 50
    queue.shutdown()
    assert queue.dropped + queue.failed == queue.ended == 2000
    assert queue.waiting == 0
