"""Envoy's own spans: where calls begin to be traced, and whom Envoy tells. Nothing of it is compiled unless settings name a collector.

The law: whether a call is traced is decided once. Where a caller sends a W3C context its decision stands; where it sends none, Envoy
decides by the share that the settings say, and everybody behind it follows.
"""

from functools import lru_cache
from typing import Final

from hub.mesh.clusters import CONNECT_TIMEOUT, HTTP_OPTIONS
from hub.mesh.inputs import Traces
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.types import cluster, core, endpoint, hcm, packed, percent, request_id, samplers, seconds, trace, upstream_http

COLLECTOR: Final = "trace-collector"
SAMPLERS: Final = "envoy.tracers.opentelemetry.samplers"
TAKEN_WITHIN: Final = 1.0


def tracing_of(traces: Traces | None, service: str) -> hcm.HttpConnectionManagerTracing | None:
    """How a listener traces; None for not at all. `service` is how its spans are called, beside `envoy`."""
    if traces is None:
        return None
    share = percent.FractionalPercent(
        numerator=round(traces.percent * 10_000), denominator=percent.FractionalPercentDenominatorType.MILLION
    )
    by_share = samplers.TraceIdRatioBasedSamplerConfig(sampling_percentage=share)
    by_parent = samplers.ParentBasedSamplerConfig(
        wrapped_sampler=core.TypedExtensionConfig(name=f"{SAMPLERS}.trace_id_ratio_based", typed_config=packed(by_share))
    )
    tracer = trace.OpenTelemetryConfig(
        service_name=f"envoy-{service}",
        grpc_service=core.GrpcService(envoy_grpc=core.GrpcServiceEnvoyGrpc(cluster_name=COLLECTOR), timeout=seconds(TAKEN_WITHIN)),
        sampler=core.TypedExtensionConfig(name=f"{SAMPLERS}.parent_based", typed_config=packed(by_parent)),
    )
    return hcm.HttpConnectionManagerTracing(
        # Envoy's own sampling, which knows no caller's decision, leaves all to the sampler.
        random_sampling=percent.Percent(value=100.0),
        spawn_upstream_span=True,
        # Envoy writes the path otherwise, which of a call of JSON may be whatever somebody typed.
        max_path_tag_length=0,
        provider=trace.TracingHttp(name="envoy.tracers.opentelemetry", typed_config=packed(tracer)),
    )


def call_ids_of(traces: Traces | None) -> hcm.RequestIdExtension | None:
    """Keeps Envoy from marking in a call's id whether it traces the call: the id would be another one with each hop."""
    if traces is None:
        return None
    return hcm.RequestIdExtension(typed_config=packed(request_id.UuidRequestIdConfig(pack_trace_reason=False)))


@lru_cache(maxsize=8)
def collector_of(traces: Traces | None) -> tuple[Resource, ...]:
    """The cluster of the collector; nothing where there is none."""
    if traces is None:
        return ()
    host, _, port = traces.collector.rpartition(":")
    address = core.Address(socket_address=core.SocketAddress(address=host, port_value=int(port)))
    explicit = upstream_http.HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=core.Http2ProtocolOptions())
    hosts = [endpoint.LbEndpoint(endpoint=endpoint.Endpoint(address=address))]
    body = cluster.Cluster(
        name=COLLECTOR,
        type=cluster.ClusterDiscoveryType.STRICT_DNS,
        connect_timeout=seconds(CONNECT_TIMEOUT),
        load_assignment=endpoint.ClusterLoadAssignment(
            cluster_name=COLLECTOR, endpoints=[endpoint.LocalityLbEndpoints(lb_endpoints=hosts)]
        ),
        typed_extension_protocol_options={HTTP_OPTIONS: packed(upstream_http.HttpProtocolOptions(explicit_http_config=explicit))},
    )
    return (Resource(ResourceType.CLUSTER, COLLECTOR, bytes(body)),)
