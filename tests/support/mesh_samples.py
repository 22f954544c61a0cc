"""Small real Envoy resources for tests: a listener on a unix socket, its certificate, a route, a cluster, an endpoint."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from envoy_data_plane.envoy.config.cluster import v3 as cluster_v3
from envoy_data_plane.envoy.config.core import v3 as core_v3
from envoy_data_plane.envoy.config.endpoint import v3 as endpoint_v3
from envoy_data_plane.envoy.config.listener import v3 as listener_v3
from envoy_data_plane.envoy.config.route import v3 as route_v3
from envoy_data_plane.envoy.extensions.filters.http.router import v3 as router_v3
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import v3 as hcm_v3
from envoy_data_plane.envoy.extensions.transport_sockets.tls import v3 as tls_v3
from envoy_data_plane.envoy.extensions.upstreams.http import v3 as http_v3
from envoy_data_plane.envoy.type.matcher import v3 as matcher_v3
from envoy_data_plane.google.protobuf import Any

from hub.mesh.resources import Resource, ResourceType

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def _ads() -> core_v3.ConfigSource:
    return core_v3.ConfigSource(ads=core_v3.AggregatedConfigSource(), resource_api_version=core_v3.ApiVersion.V3)


def _socket(path: Path) -> core_v3.Address:
    return core_v3.Address(pipe=core_v3.Pipe(path=str(path)))


def cluster(name: str, *, connect_timeout: float = 1.0) -> Resource:
    """A cluster that takes its endpoints over EDS under its own name; the timeout, in seconds, is there to be changed."""
    h2 = http_v3.HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=core_v3.Http2ProtocolOptions())
    body = cluster_v3.Cluster(
        name=name,
        type=cluster_v3.ClusterDiscoveryType.EDS,
        eds_cluster_config=cluster_v3.ClusterEdsClusterConfig(eds_config=_ads()),
        connect_timeout=timedelta(seconds=connect_timeout),
        typed_extension_protocol_options={HTTP_OPTIONS: Any.pack(http_v3.HttpProtocolOptions(explicit_http_config=h2))},
    )
    return Resource(ResourceType.CLUSTER, name, bytes(body), frozenset({(ResourceType.ENDPOINT, name)}))


def endpoint(name: str, *backends: Path) -> Resource:
    """The endpoints of a cluster: these unix sockets."""
    hosts = [endpoint_v3.LbEndpoint(endpoint=endpoint_v3.Endpoint(address=_socket(path))) for path in backends]
    body = endpoint_v3.ClusterLoadAssignment(cluster_name=name, endpoints=[endpoint_v3.LocalityLbEndpoints(lb_endpoints=hosts)])
    return Resource(ResourceType.ENDPOINT, name, bytes(body))


def listener(name: str, path: Path, route_name: str, *, stat_prefix: str = "edge", certificate: str | None = None) -> Resource:
    """A listener on a unix socket that takes its routes over RDS and, if it has one, its certificate over SDS."""
    manager = hcm_v3.HttpConnectionManager(
        stat_prefix=stat_prefix,
        codec_type=hcm_v3.HttpConnectionManagerCodecType.HTTP2,
        rds=hcm_v3.Rds(route_config_name=route_name, config_source=_ads()),
        http_filters=[hcm_v3.HttpFilter(name="envoy.filters.http.router", typed_config=Any.pack(router_v3.Router()))],
    )
    filters = [listener_v3.Filter(name="envoy.filters.network.http_connection_manager", typed_config=Any.pack(manager))]
    chain = listener_v3.FilterChain(filters=filters)
    needs = {(ResourceType.ROUTE, route_name)}
    if certificate is not None:
        by_sds = tls_v3.SdsSecretConfig(name=certificate, sds_config=_ads())
        context = tls_v3.CommonTlsContext(tls_certificate_sds_secret_configs=[by_sds], alpn_protocols=["h2"])
        tls = Any.pack(tls_v3.DownstreamTlsContext(common_tls_context=context))
        chain.transport_socket = core_v3.TransportSocket(name="envoy.transport_sockets.tls", typed_config=tls)
        needs.add((ResourceType.SECRET, certificate))
    body = listener_v3.Listener(name=name, address=_socket(path), filter_chains=[chain])
    return Resource(ResourceType.LISTENER, name, bytes(body), frozenset(needs))


def secret(name: str, certificate: bytes, key: bytes) -> Resource:
    """A certificate and its key, both PEM."""
    pair = tls_v3.TlsCertificate(
        certificate_chain=core_v3.DataSource(inline_bytes=certificate), private_key=core_v3.DataSource(inline_bytes=key)
    )
    return Resource(ResourceType.SECRET, name, bytes(tls_v3.Secret(name=name, tls_certificate=pair)))


def self_signed(common_name: str) -> tuple[bytes, bytes, str]:
    """A new certificate for a test: certificate and key as PEM, and the serial number in capital hexadecimal digits."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    start = datetime.now(UTC) - timedelta(hours=1)
    names = x509.SubjectAlternativeName([x509.DNSName(common_name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(names, critical=False)
    certificate = builder.not_valid_before(start).not_valid_after(start + timedelta(days=1)).sign(key, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private, f"{certificate.serial_number:X}"


def route(name: str, cluster_name: str, *, regex: str | None = None) -> Resource:
    """Everything to one cluster; a regex is put before it, so that a bad one makes Envoy refuse the whole."""
    action = route_v3.RouteAction(cluster=cluster_name, timeout=timedelta(0))
    routes = [route_v3.Route(match=route_v3.RouteMatch(prefix="/"), route=action)]
    if regex is not None:
        match = route_v3.RouteMatch(safe_regex=matcher_v3.RegexMatcher(regex=regex))
        routes.insert(0, route_v3.Route(match=match, route=action))
    body = route_v3.RouteConfiguration(name=name, virtual_hosts=[route_v3.VirtualHost(name="all", domains=["*"], routes=routes)])
    return Resource(ResourceType.ROUTE, name, bytes(body), frozenset({(ResourceType.CLUSTER, cluster_name)}))
