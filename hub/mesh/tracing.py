"""Envoy's own spans: where calls begin to be traced, and whom Envoy tells. Nothing of it is compiled unless settings name a collector.

The law: whether a call is traced is decided once. Where a caller sends a W3C context its decision stands; where it sends none, Envoy
decides by the share that the settings say, and everybody behind it follows.
"""

from functools import lru_cache
from typing import Final

from hub.mesh.clusters import CONNECT_TIMEOUT, HTTP_OPTIONS
from hub.mesh.inputs import Traces
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.types import cluster, core, endpoint, hcm, packed, percent, seconds, trace, upstream_http

COLLECTOR: Final = "trace-collector"
TAKEN_WITHIN: Final = 1.0


def tracing_of(traces: Traces | None, service: str, *, begins: bool = True) -> hcm.HttpConnectionManagerTracing | None:
    """How a listener traces; None for not at all. `service` is how its spans are called, beside `envoy`.

    Deliveries begin no trace, since their message's call began it or did not. To begin one would change the call's id too, in which Envoy
    marks what it traces.
    """
    if traces is None:
        return None
    tracer = trace.OpenTelemetryConfig(
        service_name=f"envoy-{service}",
        grpc_service=core.GrpcService(envoy_grpc=core.GrpcServiceEnvoyGrpc(cluster_name=COLLECTOR), timeout=seconds(TAKEN_WITHIN)),
    )
    return hcm.HttpConnectionManagerTracing(
        random_sampling=percent.Percent(value=traces.percent if begins else 0.0),
        spawn_upstream_span=True,
        # Envoy writes the whole path otherwise, which of a call of JSON may be whatever somebody typed.
        max_path_tag_length=0,
        provider=trace.TracingHttp(name="envoy.tracers.opentelemetry", typed_config=packed(tracer)),
    )


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
