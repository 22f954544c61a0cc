"""A small collector of traces: OTLP's TraceService over gRPC, which keeps what it is sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceServicer, add_TraceServiceServicer_to_server


@dataclass(frozen=True)
class Kept:
    """One span."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    """Everything that is said of it, as text."""


@dataclass
class Collector(TraceServiceServicer):
    """Keeps spans; `raw` is what came, byte for byte."""

    address: str = ""
    spans: list[Kept] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    async def Export(self, request: ExportTraceServiceRequest, context: Any) -> ExportTraceServiceResponse:
        """Takes a batch."""
        self.raw.append(request.SerializeToString())
        for resource in request.resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    said = {one.key: one.value.string_value or str(one.value) for one in span.attributes}
                    ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
                    self.spans.append(Kept(named.get("service.name", ""), span.name, *ids, said))
        return ExportTraceServiceResponse()

    def of(self, trace: str) -> dict[str, Kept]:
        """Spans of one trace, by their id."""
        return {one.id: one for one in self.spans if one.trace == trace}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on a free port, for the length of the block."""
    collector = Collector()
    server = grpc.aio.server()
    add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]  # generated without types
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(None)
