"""The edge: the listeners that consumers reach, and everything that is checked before a call is let in.

gRPC and grpc-web share one listener; JSON has its own. Both demand a certificate of the trust domain, know only TLS 1.3, and drop every
header by which somebody could pretend to be Envoy.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2, status_pb2

from hub.contracts import Contracts
from hub.mesh.clusters import CERTIFICATE
from hub.mesh.edge_log import access_log, connection_log
from hub.mesh.injecting import FAULT
from hub.mesh.inputs import Edge
from hub.mesh.limits import Limits
from hub.mesh.rates import INTERFACE_LIMIT, RATE_LIMIT, no_interface_limit, share
from hub.mesh.refusals import local_replies
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.routes import JWT, NAME, OFFICER_METADATA, OFFICER_OPTIONAL, OFFICER_REQUIRED, RBAC
from hub.mesh.tracing import COLLECTOR, call_ids_of, tracing_of
from hub.mesh.types import (
    Empty,
    ads,
    buffered,
    core,
    early_headers,
    fault,
    grpc_stats,
    grpc_web,
    hcm,
    jwt,
    listener,
    lua,
    matcher,
    mutation,
    packed,
    rbac,
    rbac_filter,
    router,
    seconds,
    tls,
    transcoder,
)
from metip.call import OPERATOR_HEADER
from metip.grants import PURPOSES_HEADER

EDGE, JSON = "edge", "json"
AUTHORITY = "consumer-authority"
OFFICER_HEADER: Final = "x-metip-officer"
# What only Envoy may say. Each is dropped on arrival, so that a consumer's own is never mistaken for Envoy's.
FORGEABLE: Final = (
    OFFICER_HEADER,
    "x-metip-accepted",
    "x-metip-attempt",
    "x-metip-message-id",
    OPERATOR_HEADER,
    "x-metip-producer",
    PURPOSES_HEADER,
    "x-metip-redelivery",
    "x-metip-subscriber",
    "x-metip-token",
    "x-metip-writer",
    "x-envoy-attempt-count",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-fault-abort-grpc-request",
    "x-envoy-fault-abort-request",
    "x-envoy-fault-delay-request",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-max-retries",
    "x-envoy-original-path",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-ms",
    "x-forwarded-for",
)
# A signature takes longer to check than all else here together, and an officer's token comes again with each call of a shift. Envoy keeps
# what it found good in each of its threads, and looks at the expiry each time, with the same allowance.
CACHED_TOKENS: Final = 2000


@lru_cache(maxsize=8)
def listeners_of(contracts: Contracts, edge: Edge) -> tuple[Resource, ...]:
    """The listener for gRPC and grpc-web, and the one for JSON."""
    json_filter = hcm.HttpFilter(name="envoy.filters.http.grpc_json_transcoder", typed_config=packed(_transcoder(contracts, edge.limits)))
    # The transcoder has a limit of its own, which Envoy 1.40 does not keep where it can pass a body on as it comes.
    bounded = hcm.HttpFilter(
        name="envoy.filters.http.buffer", typed_config=packed(buffered.Buffer(max_request_bytes=edge.limits.json_bytes))
    )
    web_filter = hcm.HttpFilter(name="envoy.filters.http.grpc_web", typed_config=packed(grpc_web.GrpcWeb()))
    stats = hcm.HttpFilter(name="envoy.filters.http.grpc_stats", typed_config=packed(_counted(contracts)))
    return (
        _listener(EDGE, edge, edge.port, [web_filter, stats], ["h2", "http/1.1"], local_replies(as_json=False)),
        _listener(JSON, edge, edge.json_port, [bounded, json_filter, stats], ["h2", "http/1.1"], local_replies(as_json=True)),
    )


@lru_cache(maxsize=8)
def secrets_of(edge: Edge) -> tuple[Resource, ...]:
    """The edge's certificate, and the authority by which consumers are known."""
    own = tls.Secret(
        name=CERTIFICATE,
        tls_certificate=tls.TlsCertificate(
            certificate_chain=core.DataSource(inline_string=edge.certificate),
            private_key=core.DataSource(inline_string=edge.key),
        ),
    )
    consumers = tls.Secret(
        name=AUTHORITY,
        validation_context=tls.CertificateValidationContext(
            trusted_ca=core.DataSource(inline_string=edge.authority),
            match_typed_subject_alt_names=[
                tls.SubjectAltNameMatcher(
                    san_type=tls.SubjectAltNameMatcherSanType.URI,
                    matcher=matcher.StringMatcher(prefix=f"spiffe://{edge.trust_domain}/"),
                )
            ],
        ),
    )
    return (
        Resource(ResourceType.SECRET, CERTIFICATE, bytes(own)),
        Resource(ResourceType.SECRET, AUTHORITY, bytes(consumers)),
    )


def _listener(
    name: str, edge: Edge, port: int, faces: list[hcm.HttpFilter], protocols: list[str], replies: hcm.LocalReplyConfig
) -> Resource:
    filters = [
        one_identity(),
        hcm.HttpFilter(name=RATE_LIMIT, typed_config=packed(share(edge.limits))),
        hcm.HttpFilter(name=JWT, typed_config=packed(_tokens(edge))),
        nobody(),
        hcm.HttpFilter(name=INTERFACE_LIMIT, typed_config=packed(no_interface_limit()), disabled=True),
        *faces,
        # Behind the faces, so that a call from JSON ends as any other does.
        hcm.HttpFilter(name=FAULT, typed_config=packed(fault.HttpFault()), disabled=True),
    ]
    certified = {
        "forward_client_cert_details": hcm.HttpConnectionManagerForwardClientCertDetails.SANITIZE_SET,
        "set_current_client_cert_details": hcm.HttpConnectionManagerSetCurrentClientCertDetails(uri=True),
    }
    traced = {"tracing": tracing_of(edge.traces, EDGE), "request_id_extension": call_ids_of(edge.traces)}
    body = hardened(name, edge, port, NAME, filters, replies, mutual_tls(protocols), edge.access_log, **certified, **traced)
    needs = {(ResourceType.ROUTE, NAME), (ResourceType.SECRET, CERTIFICATE), (ResourceType.SECRET, AUTHORITY)}
    if edge.traces is not None:
        needs.add((ResourceType.CLUSTER, COLLECTOR))
    return Resource(ResourceType.LISTENER, name, bytes(body), frozenset(needs))


@cache
def nobody() -> hcm.HttpFilter:
    """Lets nobody in; each route says whom it lets in instead."""
    return hcm.HttpFilter(name=RBAC, typed_config=packed(rbac_filter.Rbac(rules=rbac.Rbac(policies={}))))


def hardened(
    name: str,
    edge: Edge,
    port: int,
    routes: str,
    filters: list[hcm.HttpFilter],
    replies: hcm.LocalReplyConfig,
    secured: tls.DownstreamTlsContext,
    log: str,
    **more: Any,
) -> listener.Listener:
    """A listener that strangers reach: what it bounds, refuses and drops is the same whoever they are. `more` is of its manager."""
    limits = edge.limits
    manager = hcm.HttpConnectionManager(
        stat_prefix=name,
        codec_type=hcm.HttpConnectionManagerCodecType.AUTO,
        rds=hcm.Rds(route_config_name=routes, config_source=ads()),
        http_filters=[*filters, hcm.HttpFilter(name="envoy.filters.http.router", typed_config=packed(router.Router()))],
        early_header_mutation_extensions=[_drop_forged_headers()],
        **more,
        use_remote_address=True,
        always_set_request_id_in_response=True,
        # A folded or escaped path could be read one way here and another way behind; routes are exact, so nothing is folded.
        normalize_path=False,
        merge_slashes=False,
        path_with_escaped_slashes_action=hcm.HttpConnectionManagerPathWithEscapedSlashesAction.REJECT_REQUEST,
        max_request_headers_kb=limits.header_kilobytes,
        common_http_protocol_options=core.HttpProtocolOptions(
            idle_timeout=seconds(limits.idle),
            max_headers_count=limits.headers,
            headers_with_underscores_action=core.HttpProtocolOptionsHeadersWithUnderscoresAction.REJECT_REQUEST,
        ),
        http2_protocol_options=_http2(limits),
        request_headers_timeout=seconds(limits.headers_within),
        stream_idle_timeout=seconds(limits.stream_idle),
        server_name="metip",
        local_reply_config=replies,
        access_log=[access_log(log)] if log else [],
    )
    chain = listener.FilterChain(
        filters=[listener.Filter(name="envoy.filters.network.http_connection_manager", typed_config=packed(manager))],
        transport_socket=core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(secured)),
        transport_socket_connect_timeout=seconds(limits.handshake),
    )
    return listener.Listener(
        name=name,
        address=core.Address(socket_address=core.SocketAddress(address=edge.address, port_value=port)),
        filter_chains=[chain],
        per_connection_buffer_limit_bytes=limits.buffer,
        # With it, a second Envoy would share the port in silence instead of being told that it is taken.
        enable_reuse_port=False,
        access_log=[connection_log(log)] if log else [],
    )


def _http2(limits: Limits) -> core.Http2ProtocolOptions:
    return core.Http2ProtocolOptions(
        max_concurrent_streams=limits.streams,
        initial_stream_window_size=limits.stream_window,
        initial_connection_window_size=limits.connection_window,
        allow_connect=False,
        max_outbound_frames=limits.frames,
        max_outbound_control_frames=limits.control_frames,
        stream_reset_burst=limits.resets,
        stream_reset_rate=limits.resets_per_second,
        connection_keepalive=core.KeepaliveSettings(interval=seconds(limits.ping_every), timeout=seconds(limits.pong_within)),
    )


@cache
def one_identity() -> hcm.HttpFilter:
    """Refuses whoever shows a certificate that is not exactly one workload's, which Envoy's own validation lets pass."""
    code = Path(__file__).with_name("identity.lua").read_text(encoding="utf-8")
    return hcm.HttpFilter(
        name="envoy.filters.http.lua", typed_config=packed(lua.Lua(default_source_code=core.DataSource(inline_string=code)))
    )


def mutual_tls(protocols: list[str]) -> tls.DownstreamTlsContext:
    """TLS 1.3 with the edge's certificate, for callers with one of the trust domain's."""
    newest = tls.TlsParametersTlsProtocol.TLSv1_3
    return tls.DownstreamTlsContext(
        require_client_certificate=True,
        common_tls_context=tls.CommonTlsContext(
            tls_params=tls.TlsParameters(tls_minimum_protocol_version=newest, tls_maximum_protocol_version=newest),
            alpn_protocols=protocols,
            tls_certificate_sds_secret_configs=[tls.SdsSecretConfig(name=CERTIFICATE, sds_config=ads())],
            validation_context_sds_secret_config=tls.SdsSecretConfig(name=AUTHORITY, sds_config=ads()),
        ),
    )


def _tokens(edge: Edge) -> jwt.JwtAuthentication:
    provider = jwt.JwtProvider(
        issuer=edge.tokens.issuer,
        audiences=[edge.tokens.audience],
        require_expiration=True,
        local_jwks=core.DataSource(inline_string=edge.tokens.keys),
        # Kept on the request, because a federated search forwards it to each source.
        forward=True,
        forward_payload_header=OFFICER_HEADER,
        payload_in_metadata=OFFICER_METADATA,
        jwt_cache_config=jwt.JwtCacheConfig(jwt_cache_size=CACHED_TOKENS),
        clock_skew_seconds=30,
    )
    required = jwt.JwtRequirement(provider_name=OFFICER_METADATA)
    optional = jwt.JwtRequirement(requires_any=jwt.JwtRequirementOrList(requirements=[required, jwt.JwtRequirement(allow_missing=Empty())]))
    return jwt.JwtAuthentication(
        providers={OFFICER_METADATA: provider},
        requirement_map={OFFICER_REQUIRED: required, OFFICER_OPTIONAL: optional},
        # Its own words would repeat the address that was asked for, query string included.
        strip_failure_response=True,
    )


def _transcoder(contracts: Contracts, limits: Limits) -> transcoder.GrpcJsonTranscoder:
    return transcoder.GrpcJsonTranscoder(
        proto_descriptor_bin=_with_error_details(contracts.descriptor_set),
        services=[interface.name for interface in contracts.interfaces if not interface.private],
        auto_mapping=True,
        convert_grpc_status=True,
        case_insensitive_enum_parsing=True,
        max_request_body_size=limits.json_bytes,
        print_options=transcoder.GrpcJsonTranscoderPrintOptions(preserve_proto_field_names=True, stream_newline_delimited=True),
        request_validation_options=transcoder.GrpcJsonTranscoderRequestValidationOptions(
            reject_unknown_method=True, reject_unknown_query_parameters=True
        ),
    )


def _with_error_details(descriptor_set: bytes) -> bytes:
    """The contracts together with what a refusal is made of: Envoy prints no status whose details it does not know, and leaves the body of
    such an answer empty."""
    known = FileDescriptorSet.FromString(descriptor_set)
    present = {file.name for file in known.file}
    for one in (any_pb2, duration_pb2, status_pb2, error_details_pb2):
        if one.DESCRIPTOR.name not in present:
            one.DESCRIPTOR.CopyToProto(known.file.add())
    return known.SerializeToString(deterministic=True)


def _counted(contracts: Contracts) -> grpc_stats.FilterConfig:
    """Counts calls by operation and status. They are named here, since Envoy would make a counter's name anew for each call."""
    counted = [
        core.GrpcMethodListService(name=interface.name, method_names=[operation.method for operation in interface.operations])
        for interface in contracts.interfaces
        if not interface.private
    ]
    return grpc_stats.FilterConfig(individual_method_stats_allowlist=core.GrpcMethodList(services=counted))


def _drop_forged_headers() -> core.TypedExtensionConfig:
    drops = [mutation.HeaderMutation(remove=name) for name in FORGEABLE]
    return core.TypedExtensionConfig(
        name="envoy.http.early_header_mutation.header_mutation", typed_config=packed(early_headers.HeaderMutation(mutations=drops))
    )
