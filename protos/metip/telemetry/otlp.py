"""Spans by OpenTelemetry's SDK, sent by OTLP over gRPC. Imported only where settings name a collector; the packages are an extra.

The law: nobody waits for a collector. Spans go to a thread of their own in batches; what does not fit in the queue is dropped, and counted,
as is what the collector did not take.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import Span as SdkSpan
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace import Tracer as SdkTracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from metip.telemetry import families
from metip.telemetry.samples import Samples
from metip.telemetry.tracing import Role, install, uninstall
from metip.telemetry.v1.telemetry_pb2 import Traces

MOST_WAITING: Final = 4096
"""Spans that wait for the collector; about 4 MB."""
TOGETHER: Final = 512
EVERY_MS: Final = 1000
TAKEN_WITHIN: Final = 5.0
"""Seconds that a collector has to take a batch."""
AT_THE_END: Final = 2.0
"""Seconds that a process which ends gives its last spans."""
KINDS: Final = {
    Role.SERVER: SpanKind.SERVER,
    Role.CLIENT: SpanKind.CLIENT,
    Role.PRODUCER: SpanKind.PRODUCER,
    Role.CONSUMER: SpanKind.CONSUMER,
}
WELL: Final = frozenset({"OK", "NO_TRACE", "CANCELLED"})
"""Outcomes that are no error of whoever answered."""


class Queue(SpanProcessor, SpanExporter):
    """The way to the collector, with its accounts: `ended` spans are `exported`, `failed`, `dropped`, or still waiting."""

    def __init__(self, exporter: SpanExporter, most: int = MOST_WAITING) -> None:
        self._exporter, self._most = exporter, most
        self.ended = self.exported = self.failed = self.dropped = 0
        self._batches = BatchSpanProcessor(
            self, max_queue_size=2 * most, schedule_delay_millis=EVERY_MS, max_export_batch_size=min(TOGETHER, most)
        )

    @property
    def waiting(self) -> int:
        """Spans that nobody has taken yet."""
        return self.ended - self.exported - self.failed - self.dropped

    def on_end(self, span: ReadableSpan) -> None:
        """Takes a span, or drops it where too many wait; on the thread that ended it."""
        full = self.waiting >= self._most
        self.ended += 1
        if full:
            self.dropped += 1
        else:
            self._batches.on_end(span)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends a batch; on the queue's own thread."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.exported += len(spans)
        else:
            self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        """Sends what waits, for a moment, and ends. The SDK calls it as a processor and, from there, as an exporter."""
        batches, self._batches = self._batches, _Ended()
        if isinstance(batches, _Ended):
            self._exporter.shutdown()
        else:
            batches.shutdown()  # type: ignore[no-untyped-call]  # the SDK's own

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Sends what waits now."""
        return bool(self._batches.force_flush(timeout_millis))

    def put(self, samples: Samples) -> None:
        """The source of its metrics."""
        for fate, count in (("exported", self.exported), ("failed", self.failed), ("dropped", self.dropped)):
            samples.put(families.SPANS, count, fate)


class _Ended(BatchSpanProcessor):
    """Where spans go that end after the end: nowhere."""

    def __init__(self) -> None:
        """Has no thread."""

    def on_end(self, span: ReadableSpan) -> None:
        """Forgets it."""

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Has nothing."""
        return True


class _Span:
    """One span of the SDK."""

    __slots__ = ("_span",)

    def __init__(self, span: SdkSpan) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        said = self._span.get_span_context()
        return f"00-{said.trace_id:032x}-{said.span_id:016x}-{int(said.trace_flags):02x}"

    def end(self, outcome: str) -> None:
        self._span.set_attribute("metip.outcome", outcome)
        if outcome not in WELL:
            self._span.set_status(Status(StatusCode.ERROR, outcome))
        self._span.end()


class _Tracer:
    """The SDK's tracer, as `metip.telemetry.tracing` wants it."""

    def __init__(self, tracer: SdkTracer) -> None:
        self._tracer, self._propagator = tracer, TraceContextTextMapPropagator()

    def begin(self, name: str, role: Role, parent: str, attributes: dict[str, str]) -> _Span:
        context = self._propagator.extract({"traceparent": parent})
        return _Span(self._tracer.start_span(name, context=context, kind=KINDS[role], attributes=attributes))


@contextmanager
def traced(said: Traces, process: str, instance: str, folder: Path) -> Iterator[Queue]:
    """Has this process trace, for the length of the block; `folder` is where relative paths of the settings start. Raises `OSError`."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a collector that is away is counted, not told with each batch
    credentials = grpc.ssl_channel_credentials((folder / said.authority_file).read_bytes()) if said.authority_file else None
    exporter = OTLPSpanExporter(said.collector, insecure=credentials is None, credentials=credentials, timeout=TAKEN_WITHIN)
    queue = Queue(exporter)
    resource = Resource({"service.namespace": "metip", "service.name": process, "service.instance.id": instance})
    provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF), resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(queue)
    install(_Tracer(provider.get_tracer("metip")))
    try:
        yield queue
    finally:
        uninstall()
        ending = threading.Thread(target=provider.shutdown, name="traces-end", daemon=True)
        ending.start()
        ending.join(AT_THE_END)
