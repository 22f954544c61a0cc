"""From an interface and its instances: the cluster, with its health checks, breakers and ejection, and the endpoints.

The settings are measured, not guessed: with Envoy's defaults four kills of one of two workers failed some 650 calls, with these none.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from hub.contracts import Interface
from hub.mesh.inputs import HUB_SYSTEM, MAX_EJECTION_PERCENT, Edge, Instance, cluster_name
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.resting import UNWEIGHED, Weighing
from hub.mesh.steering import Breaker
from hub.mesh.types import Struct, ads, cluster, core, endpoint, matcher, packed, percent, seconds, tls, upstream_http

HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CONNECT_TIMEOUT: Final = 1.0
HEALTH_INTERVAL: Final = 1.0
MAX_REQUESTS: Final = 2000
# Retries may be a tenth of what is in flight, so that they can't outlive their cause; the floor lets the calls of one dead worker move.
RETRY_BUDGET_PERCENT: Final = 10.0
RETRY_FLOOR: Final = 100
FAILURES_TO_EJECT: Final = 5
EJECTED_FOR: Final = 5.0
UNIX: Final = "unix:"
CERTIFICATE, ADAPTERS = "edge-certificate", "adapter-authority"
AS_MEASURED: Final = Breaker("", "")
"""The settings below, for clusters of which nobody said anything else."""
MUTUAL: Final = "mutual_tls"
"""What an endpoint's metadata says of one on TCP, so that Envoy speaks TLS with it."""
_SECURED: Final = core.Metadata(filter_metadata={"envoy.transport_socket_match": Struct.from_dict({MUTUAL: True})})


@lru_cache(maxsize=4096)
def cluster_of(name: str, interface: str, adapter: str = "", breaker: Breaker = AS_MEASURED) -> Resource:
    """The cluster of one interface, and of one subscriber of it; its endpoints come by its name, so that they change without it.

    `adapter` is the SPIFFE ID that instances on TCP must show; empty where all are on unix sockets, which only their own user can make.
    """
    limits = cluster.CircuitBreakersThresholds(
        max_connections=breaker.max_connections or MAX_REQUESTS,
        max_pending_requests=breaker.max_pending or MAX_REQUESTS,
        max_requests=breaker.max_requests or MAX_REQUESTS,
        retry_budget=cluster.CircuitBreakersThresholdsRetryBudget(
            budget_percent=percent.Percent(value=RETRY_BUDGET_PERCENT), min_retry_concurrency=RETRY_FLOOR
        ),
    )
    ejection = cluster.OutlierDetection(
        # A caller's own mistake must never eject anybody: only UNAVAILABLE and timeouts count, which mean that an instance is sick.
        enforcing_consecutive_5xx=0,
        consecutive_gateway_failure=breaker.failures_to_eject or FAILURES_TO_EJECT,
        enforcing_consecutive_gateway_failure=100,
        split_external_local_origin_errors=True,
        consecutive_local_origin_failure=breaker.failures_to_eject or FAILURES_TO_EJECT,
        interval=seconds(1),
        base_ejection_time=seconds(breaker.ejected_for or EJECTED_FOR),
        max_ejection_percent=MAX_EJECTION_PERCENT,
        enforcing_success_rate=0,
    )
    health = core.HealthCheck(
        timeout=seconds(1),
        interval=seconds(HEALTH_INTERVAL),
        no_traffic_interval=seconds(HEALTH_INTERVAL),
        unhealthy_threshold=2,
        healthy_threshold=1,
        grpc_health_check=core.HealthCheckGrpcHealthCheck(service_name=interface),
    )
    http2 = core.Http2ProtocolOptions(
        connection_keepalive=core.KeepaliveSettings(interval=seconds(10), timeout=seconds(3)),
        max_concurrent_streams=1000,
    )
    explicit = upstream_http.HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=http2)
    body = cluster.Cluster(
        name=name,
        type=cluster.ClusterDiscoveryType.EDS,
        eds_cluster_config=cluster.ClusterEdsClusterConfig(eds_config=ads()),
        connect_timeout=seconds(CONNECT_TIMEOUT),
        lb_policy=cluster.ClusterLbPolicy.LEAST_REQUEST,
        circuit_breakers=cluster.CircuitBreakers(thresholds=[limits]),
        outlier_detection=ejection,
        health_checks=[health],
        ignore_health_on_host_removal=True,
        common_lb_config=cluster.ClusterCommonLbConfig(
            # Merging updates for a second lets an ejected host take traffic again.
            update_merge_window=seconds(0),
            healthy_panic_threshold=percent.Percent(value=0.0),
        ),
        typed_extension_protocol_options={HTTP_OPTIONS: packed(upstream_http.HttpProtocolOptions(explicit_http_config=explicit))},
        transport_socket_matches=[_mutual_tls(adapter)] if adapter else [],
    )
    secrets = {(ResourceType.SECRET, CERTIFICATE), (ResourceType.SECRET, ADAPTERS)} if adapter else set()
    return Resource(ResourceType.CLUSTER, name, bytes(body), frozenset({(ResourceType.ENDPOINT, name), *secrets}))


def _mutual_tls(adapter: str) -> cluster.ClusterTransportSocketMatch:
    """For endpoints on TCP: TLS 1.3 under the edge's identity, with that adapter and nobody else of the trust domain."""
    newest = tls.TlsParametersTlsProtocol.TLSv1_3
    itself = tls.SubjectAltNameMatcher(san_type=tls.SubjectAltNameMatcherSanType.URI, matcher=matcher.StringMatcher(exact=adapter))
    context = tls.UpstreamTlsContext(
        common_tls_context=tls.CommonTlsContext(
            tls_params=tls.TlsParameters(tls_minimum_protocol_version=newest, tls_maximum_protocol_version=newest),
            alpn_protocols=["h2"],
            tls_certificate_sds_secret_configs=[tls.SdsSecretConfig(name=CERTIFICATE, sds_config=ads())],
            combined_validation_context=tls.CommonTlsContextCombinedCertificateValidationContext(
                default_validation_context=tls.CertificateValidationContext(match_typed_subject_alt_names=[itself]),
                validation_context_sds_secret_config=tls.SdsSecretConfig(name=ADAPTERS, sds_config=ads()),
            ),
        )
    )
    secured = core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(context))
    return cluster.ClusterTransportSocketMatch(name=MUTUAL, match=Struct.from_dict({MUTUAL: True}), transport_socket=secured)


@lru_cache(maxsize=8)
def adapters_authority(edge: Edge) -> Resource:
    """The authority by which adapters on TCP are known, without a word on names: one said here would do beside the cluster's."""
    known = tls.CertificateValidationContext(trusted_ca=core.DataSource(inline_string=edge.authority))
    secret = tls.Secret(name=ADAPTERS, validation_context=known)
    return Resource(ResourceType.SECRET, ADAPTERS, bytes(secret))


def on_tcp(addresses: Iterable[str]) -> bool:
    """Whether any of these addresses is on TCP."""
    return not all(address.startswith(UNIX) for address in addresses)


@lru_cache(maxsize=4096)
def endpoints_of(name: str, addresses: tuple[str, ...], weighing: Weighing = UNWEIGHED) -> Resource:
    """The endpoints of one cluster; none at all is an answer too: callers get UNAVAILABLE at once. One that rests gets no new call, and
    stays, so that it can be seen how many it still has."""
    hosts = [
        endpoint.LbEndpoint(
            endpoint=endpoint.Endpoint(address=_address(address)),
            metadata=_SECURED if on_tcp((address,)) else None,
            health_status=core.HealthStatus.DRAINING if address in weighing.resting else core.HealthStatus.UNKNOWN,
            load_balancing_weight=weighing.weight(address),
        )
        for address in addresses
    ]
    body = endpoint.ClusterLoadAssignment(cluster_name=name, endpoints=[endpoint.LocalityLbEndpoints(lb_endpoints=hosts)] if hosts else [])
    return Resource(ResourceType.ENDPOINT, name, bytes(body))


def addresses_of(interface: Interface, instances: tuple[Instance, ...], back_ends: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Clusters of an interface, its owner's first, and the addresses in each: once, in a fixed order. Messages go to the exchange, whoever
    subscribes. `back_ends` are the other systems that may serve the interface; any other instance counts as the owner's."""
    serving = [one for one in instances if interface.name in one.interfaces and (not interface.of_messages or one.system == HUB_SYSTEM)]
    found = {interface.name: {one.address for one in serving if one.system not in back_ends}}
    found |= {cluster_name(interface.name, system): {one.address for one in serving if one.system == system} for system in back_ends}
    return {name: tuple(sorted(addresses)) for name, addresses in found.items()}


def _address(text: str) -> core.Address:
    if text.startswith(UNIX):
        return core.Address(pipe=core.Pipe(path=text.removeprefix(UNIX)))
    host, _, port = text.rpartition(":")
    return core.Address(socket_address=core.SocketAddress(address=host, port_value=int(port)))
