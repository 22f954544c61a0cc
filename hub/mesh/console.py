"""The console's door: a listener for operators' browsers, behind it the console's files and the hub's own services, and nothing else.

The law: what the table below does not name is not reached, and what it names takes a verified token with a role. `operations` may do
everything; `operations-read` may call what has no side effect. Who acts is written down by Envoy from that token, and by nobody else.
"""

from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from hub.contracts import Contracts, DeliveryClass, Operation
from hub.mesh.clusters import CERTIFICATE, CONNECT_TIMEOUT, HTTP_OPTIONS
from hub.mesh.console_refusals import console_replies
from hub.mesh.inputs import Console, Edge, console_identity
from hub.mesh.listeners import CACHED_TOKENS, OFFICER_HEADER, hardened, nobody
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.routes import BEARER, CERTIFIED, JWT, OFFICER_METADATA, RBAC, UNREAD, all_of, holding, one_of, said
from hub.mesh.signing_in import issuers_of, remote_keys, sign_in_filters, sign_in_secrets
from hub.mesh.types import (
    ads,
    cluster,
    compressor,
    core,
    endpoint,
    grpc_web,
    gzip,
    hcm,
    jwt,
    matcher,
    packed,
    rbac,
    rbac_filter,
    route,
    seconds,
    tls,
    upstream_http,
)
from metip.call import OPERATOR_HEADER
from metip.grants import EVERY, PURPOSES_HEADER

NAME: Final = "console"
HUB, FILES = "console-hub", "console-files"
OWN_CERTIFICATE: Final = "console-certificate"
OPERATIONS, READING = "operations", "operations-read"
SERVICES: Final = (
    "metip.console.v1.TryService",
    "metip.estate.v1.EstateService",
    "metip.exchange.v1.ExchangeService",
    "metip.hub.v1.CatalogueService",
    "metip.hub.v1.MeshService",
    "metip.journey.v1.JourneyService",
    "metip.ledger.v1.LedgerService",
    "metip.migration.v1.MigrationService",
    "metip.parity.v1.ParityService",
    "metip.parity.v1.RecordingService",
    "metip.parity.v1.SamplingService",
    "metip.traffic.v1.TrafficService",
)
"""What operators call. Services of machines (registry, subscribers, witness, tap), and the one by which a command line has something
recorded that it is about to do itself, are not for browsers."""
NOT_FOR_BROWSERS: Final = frozenset({"metip.exchange.v1.ExchangeService/PublishBatch"})
"""What producers alone call, in the services above."""
SIGNED_IN: Final = "signed_in"
SUBJECT: Final = r"[A-Za-z0-9._@|:+-]+"
"""How an issuer may name a person, so that the name can stand in a header and in a record. How long it may be is the hub's to say, since
Envoy takes no expression that counts."""
FILES_WITHIN: Final = 10.0
GET_OR_HEAD: Final = "GET|HEAD"
ROUTED: Final = "application/grpc"
"""How the content type of every call begins. No form of another site can send it, and a script of one would have to ask first."""


def console_of(contracts: Contracts, edge: Edge) -> tuple[Resource, ...]:
    """Listener, routes, clusters and secrets; nothing where the edge has no console."""
    if edge.console is None:
        return ()
    own = ((_own_certificate(edge.console)),) if edge.console.certificate else ()
    return (
        *own,
        *sign_in_secrets(edge.console),
        _cluster(HUB, edge.console.hub, http2=True),
        _cluster(FILES, edge.console.files, http2=False),
        *issuers_of(edge.console),
        _listener(edge, edge.console),
        _routes(contracts, edge, edge.console),
    )


def routed(contracts: Contracts) -> tuple[Operation, ...]:
    """Operations that the console reaches."""
    found = {one.name: one.operations for one in contracts.interfaces}
    return tuple(one for service in SERVICES for one in found.get(service, ()) if one.name not in NOT_FOR_BROWSERS)


@lru_cache(maxsize=8)
def _listener(edge: Edge, console: Console) -> Resource:
    certificate = OWN_CERTIFICATE if console.certificate else CERTIFICATE
    newest = tls.TlsParametersTlsProtocol.TLSv1_3
    secured = tls.DownstreamTlsContext(
        common_tls_context=tls.CommonTlsContext(
            tls_params=tls.TlsParameters(tls_minimum_protocol_version=newest, tls_maximum_protocol_version=newest),
            alpn_protocols=["h2", "http/1.1"],
            tls_certificate_sds_secret_configs=[tls.SdsSecretConfig(name=certificate, sds_config=ads())],
        )
    )
    filters = [
        _compressing(),
        *sign_in_filters(console),
        hcm.HttpFilter(name=JWT, typed_config=packed(_tokens(edge, console))),
        nobody(),
        # Last, since it would put its own status on whatever a filter behind it refuses.
        hcm.HttpFilter(name="envoy.filters.http.grpc_web", typed_config=packed(grpc_web.GrpcWeb())),
    ]
    replies = console_replies("" if console.sign_in else console_identity(edge.trust_domain))
    body = hardened(NAME, edge, console.port, NAME, filters, replies, secured, console.access_log)
    secrets = {(one.type, one.name) for one in sign_in_secrets(console)} | {(ResourceType.SECRET, certificate)}
    reached = {(one.type, one.name) for one in issuers_of(console)}
    return Resource(ResourceType.LISTENER, NAME, bytes(body), frozenset({(ResourceType.ROUTE, NAME), *secrets, *reached}))


def _compressing() -> hcm.HttpFilter:
    """Envoy's own list of types, which has those of the console's files and none of a call's answer: what is compressed together with a
    secret can give it away."""
    library = core.TypedExtensionConfig(name="gzip", typed_config=packed(gzip.Gzip()))
    body = compressor.Compressor(compressor_library=library)
    return hcm.HttpFilter(name="envoy.filters.http.compressor", typed_config=packed(body))


def _own_certificate(console: Console) -> Resource:
    shown = tls.TlsCertificate(
        certificate_chain=core.DataSource(inline_string=console.certificate), private_key=core.DataSource(inline_string=console.key)
    )
    return Resource(ResourceType.SECRET, OWN_CERTIFICATE, bytes(tls.Secret(name=OWN_CERTIFICATE, tls_certificate=shown)))


def _tokens(edge: Edge, console: Console) -> jwt.JwtAuthentication:
    sign_in = console.sign_in
    keys: dict[str, Any] = {"local_jwks": core.DataSource(inline_string=edge.tokens.keys)}
    provider = jwt.JwtProvider(
        issuer=sign_in.issuer if sign_in else edge.tokens.issuer,
        audiences=[sign_in.audience if sign_in else edge.tokens.audience],
        require_expiration=True,
        **({"remote_jwks": remote_keys(sign_in)} if sign_in else keys),
        # Nowhere else: a token in an address would be in every log on its way.
        from_headers=[jwt.JwtHeader(name=BEARER, value_prefix="Bearer ")],
        # The ledger and what is tried out judge the person by it.
        forward=True,
        forward_payload_header=OFFICER_HEADER,
        payload_in_metadata=OFFICER_METADATA,
        jwt_cache_config=jwt.JwtCacheConfig(jwt_cache_size=CACHED_TOKENS),
        clock_skew_seconds=30,
    )
    required = {SIGNED_IN: jwt.JwtRequirement(provider_name=OFFICER_METADATA)}
    return jwt.JwtAuthentication(providers={OFFICER_METADATA: provider}, requirement_map=required, strip_failure_response=True)


@lru_cache(maxsize=8)
def _routes(contracts: Contracts, edge: Edge, console: Console) -> Resource:
    issuer = console.sign_in.issuer if console.sign_in else edge.tokens.issuer
    consumer = console_identity(edge.trust_domain)
    headers = [
        _header(OPERATOR_HEADER, f"sso://{urlsplit(issuer).hostname}/%DYNAMIC_METADATA({JWT}:{OFFICER_METADATA}:sub)%"),
        _header(CERTIFIED, f"URI={consumer}"),
        _header(PURPOSES_HEADER, EVERY),
    ]
    only_for = "" if console.sign_in else consumer
    host = route.VirtualHost(
        name=NAME,
        domains=["*"],
        routes=[*(_route(operation, headers, only_for) for operation in routed(contracts)), _files()],
        request_headers_to_remove=[*UNREAD, "cookie"],
    )
    body = route.RouteConfiguration(name=NAME, virtual_hosts=[host], validate_clusters=False)
    return Resource(ResourceType.ROUTE, NAME, bytes(body), frozenset((ResourceType.CLUSTER, name) for name in (HUB, FILES)))


def _route(operation: Operation, headers: list[core.HeaderValueOption], only_for: str) -> route.Route:
    limit = seconds(operation.timeout)
    roles = (OPERATIONS, READING) if operation.delivery_class is DeliveryClass.READ else (OPERATIONS,)
    return route.Route(
        name=operation.name,
        match=route.RouteMatch(
            path=operation.path,
            headers=[
                route.HeaderMatcher(name=":method", string_match=matcher.StringMatcher(exact="POST")),
                route.HeaderMatcher(name="content-type", string_match=matcher.StringMatcher(prefix=ROUTED)),
            ],
        ),
        route=route.RouteAction(
            cluster=HUB,
            timeout=seconds(0),
            max_stream_duration=route.RouteActionMaxStreamDuration(grpc_timeout_header_max=limit, max_stream_duration=limit),
        ),
        request_headers_to_add=headers,
        response_headers_to_add=[_header("cache-control", "no-store")],
        typed_per_filter_config={
            JWT: packed(jwt.PerRouteConfig(requirement_name=SIGNED_IN)),
            RBAC: _per_route(_somebody(roles, only_for)),
        },
    )


def _files() -> route.Route:
    """Whatever a browser gets: the console's page and what it is made of, which hold nothing of the estate."""
    return route.Route(
        name=FILES,
        match=route.RouteMatch(
            prefix="/",
            headers=[
                route.HeaderMatcher(name=":method", string_match=matcher.StringMatcher(safe_regex=matcher.RegexMatcher(regex=GET_OR_HEAD)))
            ],
        ),
        route=route.RouteAction(cluster=FILES, timeout=seconds(FILES_WITHIN)),
        request_headers_to_remove=[BEARER],
        typed_per_filter_config={
            JWT: packed(jwt.PerRouteConfig(disabled=True)),
            RBAC: _per_route(rbac.Principal(any=True)),
        },
    )


def _somebody(roles: tuple[str, ...], only_for: str) -> rbac.Principal:
    """Who has one of these roles and a name that can be written down, by a token that was made for the console."""
    named = said("sub", matcher.ValueMatcher(string_match=matcher.StringMatcher(safe_regex=matcher.RegexMatcher(regex=SUBJECT))))
    azp = said("azp", matcher.ValueMatcher(string_match=matcher.StringMatcher(exact=only_for)))
    return all_of(named, one_of(*(said("roles", holding(role)) for role in roles)), *((azp,) if only_for else ()))


def _per_route(principal: rbac.Principal) -> Any:
    policies = {"operators": rbac.Policy(permissions=[rbac.Permission(any=True)], principals=[principal])}
    return packed(rbac_filter.RbacPerRoute(rbac=rbac_filter.Rbac(rules=rbac.Rbac(policies=policies))))


def _header(name: str, value: str) -> core.HeaderValueOption:
    header = core.HeaderValue(key=name, value=value)
    return core.HeaderValueOption(header=header, append_action=core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)


@lru_cache(maxsize=8)
def _cluster(name: str, socket: str, *, http2: bool) -> Resource:
    """One process on a unix socket. Nothing is ejected or asked for its health: there is no other to go to."""
    there = endpoint.Endpoint(address=core.Address(pipe=core.Pipe(path=socket)))
    kept_alive = core.KeepaliveSettings(interval=seconds(10), timeout=seconds(3))
    explicit = upstream_http.HttpProtocolOptionsExplicitHttpConfig(
        **(
            {"http2_protocol_options": core.Http2ProtocolOptions(connection_keepalive=kept_alive)}
            if http2
            else {"http_protocol_options": core.Http1ProtocolOptions()}
        )
    )
    body = cluster.Cluster(
        name=name,
        type=cluster.ClusterDiscoveryType.STATIC,
        connect_timeout=seconds(CONNECT_TIMEOUT),
        load_assignment=endpoint.ClusterLoadAssignment(
            cluster_name=name, endpoints=[endpoint.LocalityLbEndpoints(lb_endpoints=[endpoint.LbEndpoint(endpoint=there)])]
        ),
        typed_extension_protocol_options={HTTP_OPTIONS: packed(upstream_http.HttpProtocolOptions(explicit_http_config=explicit))},
    )
    return Resource(ResourceType.CLUSTER, name, bytes(body))
