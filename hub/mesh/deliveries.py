"""The way from the hub to systems: a listener that only the hub may use, a route for each subscription, and one for each system behind an
operation that may be compared.

The hub calls the operation's own path and names the system in a header, which the edge strips from everybody else. Envoy repeats
nothing here: the exchange does, since it knows what was tried; a comparison is asked once. What a comparison asks it asks as the hub, for
the migration's purpose: the header that says so is set here and nowhere else.
"""

from functools import lru_cache
from typing import Final

from hub.contracts import Contracts, Operation, Subscription
from hub.mesh.clusters import CERTIFICATE, cluster_of, endpoints_of, on_tcp
from hub.mesh.edge_log import access_log, connection_log
from hub.mesh.inputs import AS_OWNED, Edge, Instance, Traffic, adapter_identity, cluster_name, hub_identity
from hub.mesh.listeners import AUTHORITY, mutual_tls, one_identity
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.resting import weighing_of
from hub.mesh.routes import RBAC, UNREAD
from hub.mesh.tracing import COLLECTOR, call_ids_of, tracing_of
from hub.mesh.types import accesslog, ads, core, hcm, listener, matcher, packed, rbac, rbac_filter, route, router, seconds
from metip.call import FLAGS_HEADER, SUBSCRIBER_HEADER
from metip.grants import PURPOSES_HEADER, written
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST

NAME: Final = "deliveries"
MAX_STREAMS: Final = 1000
BUFFER: Final = 64 * 1024


def _cluster(subscription: Subscription) -> str:
    return cluster_name(subscription.operation.partition("/")[0], subscription.system)


def deliveries_of(contracts: Contracts, instances: tuple[Instance, ...], edge: Edge, traffic: Traffic = AS_OWNED) -> tuple[Resource, ...]:
    """Listener, routes, clusters and endpoints; nothing where the edge has no port for them or nobody subscribes."""
    subscriptions = contracts.subscriptions
    if not edge.deliveries_port or not subscriptions:
        return ()
    subscribers = {_cluster(one): (one.system, one.operation.partition("/")[0]) for one in subscriptions}
    found = [
        (name, system, interface, _addresses(system, interface, instances)) for name, (system, interface) in sorted(subscribers.items())
    ]
    return (
        *(
            cluster_of(name, interface, adapter_identity(edge.trust_domain, system) if on_tcp(addresses) else "")
            for name, system, interface, addresses in found
        ),
        *(endpoints_of(name, addresses, weighing_of(addresses, instances, traffic)) for name, _, _, addresses in found),
        _listener(edge),
        _routes(subscriptions, _compared(contracts)),
    )


def _compared(contracts: Contracts) -> tuple[tuple[Operation, str, str], ...]:
    """Operations that may be compared, with each system behind them and its cluster, which the edge's own routes have made."""
    found = []
    for interface in contracts.interfaces:
        for operation in interface.operations:
            others = contracts.serving(operation.name)
            if operation.comparable and not interface.private and others:
                found.append((operation, interface.system, interface.name))
                found += [(operation, system, cluster_name(interface.name, system)) for system in others]
    return tuple(found)


def _addresses(system: str, interface: str, instances: tuple[Instance, ...]) -> tuple[str, ...]:
    return tuple(sorted({one.address for one in instances if one.system == system and interface in one.interfaces}))


@lru_cache(maxsize=8)
def _routes(subscriptions: tuple[Subscription, ...], compared: tuple[tuple[Operation, str, str], ...]) -> Resource:
    body = route.RouteConfiguration(
        name=NAME,
        virtual_hosts=[
            route.VirtualHost(
                name=NAME,
                domains=["*"],
                routes=[*(_route(one) for one in subscriptions), *(_comparison(*one) for one in compared)],
                request_headers_to_remove=[*UNREAD, SUBSCRIBER_HEADER],
            )
        ],
        validate_clusters=False,
    )
    needed = {_cluster(one) for one in subscriptions} | {cluster for _, _, cluster in compared}
    return Resource(ResourceType.ROUTE, NAME, bytes(body), frozenset((ResourceType.CLUSTER, name) for name in needed))


def _route(subscription: Subscription) -> route.Route:
    match = _to(subscription.system, subscription.operation)
    return route.Route(name=subscription.name, match=match, route=_once(_cluster(subscription), subscription.attempt_timeout))


def _comparison(operation: Operation, system: str, cluster: str) -> route.Route:
    return route.Route(
        name=f"{system}:{operation.name}",
        match=_to(system, operation.name),
        route=_once(cluster, operation.timeout),
        request_headers_to_add=[migrating()] if operation.personal else [],
    )


def _to(system: str, operation: str) -> route.RouteMatch:
    named = route.HeaderMatcher(name=SUBSCRIBER_HEADER, string_match=matcher.StringMatcher(exact=system))
    return route.RouteMatch(path=f"/{operation}", headers=[named])


def _once(cluster: str, within: float) -> route.RouteAction:
    limit = seconds(within)
    return route.RouteAction(
        cluster=cluster,
        timeout=seconds(0),
        max_stream_duration=route.RouteActionMaxStreamDuration(grpc_timeout_header_max=limit, max_stream_duration=limit),
    )


def migrating() -> core.HeaderValueOption:
    """Gives the hub, and nobody else, the migration's purpose."""
    header = core.HeaderValue(key=PURPOSES_HEADER, value=written([(frozenset({PURPOSE_MIGRATION_TEST}), (), (hub_identity(""),))]))
    return core.HeaderValueOption(header=header, append_action=core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)


@lru_cache(maxsize=8)
def _listener(edge: Edge) -> Resource:
    hub = rbac.Principal(
        authenticated=rbac.PrincipalAuthenticated(principal_name=matcher.StringMatcher(exact=hub_identity(edge.trust_domain)))
    )
    only_the_hub = rbac.Rbac(policies={"hub": rbac.Policy(permissions=[rbac.Permission(any=True)], principals=[hub])})
    manager = hcm.HttpConnectionManager(
        stat_prefix=NAME,
        codec_type=hcm.HttpConnectionManagerCodecType.HTTP2,
        rds=hcm.Rds(route_config_name=NAME, config_source=ads()),
        http_filters=[
            one_identity(),
            hcm.HttpFilter(name=RBAC, typed_config=packed(rbac_filter.Rbac(rules=only_the_hub))),
            hcm.HttpFilter(name="envoy.filters.http.router", typed_config=packed(router.Router())),
        ],
        forward_client_cert_details=hcm.HttpConnectionManagerForwardClientCertDetails.SANITIZE_SET,
        set_current_client_cert_details=hcm.HttpConnectionManagerSetCurrentClientCertDetails(uri=True),
        use_remote_address=True,
        # A delivery goes by the id of the call that brought the message.
        preserve_external_request_id=True,
        normalize_path=False,
        merge_slashes=False,
        http2_protocol_options=core.Http2ProtocolOptions(
            max_concurrent_streams=MAX_STREAMS,
            connection_keepalive=core.KeepaliveSettings(interval=seconds(10), timeout=seconds(5)),
        ),
        local_reply_config=_telling_flags(),
        tracing=tracing_of(edge.traces, NAME),
        request_id_extension=call_ids_of(edge.traces),
        access_log=[access_log(edge.access_log)] if edge.access_log else [],
    )
    chain = listener.FilterChain(
        filters=[listener.Filter(name="envoy.filters.network.http_connection_manager", typed_config=packed(manager))],
        transport_socket=core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(mutual_tls(["h2"]))),
        transport_socket_connect_timeout=seconds(10),
    )
    body = listener.Listener(
        name=NAME,
        address=core.Address(socket_address=core.SocketAddress(address="127.0.0.1", port_value=edge.deliveries_port)),
        filter_chains=[chain],
        per_connection_buffer_limit_bytes=BUFFER,
        # The way from the hub stays open whatever comes to the edge.
        ignore_global_conn_limit=True,
        enable_reuse_port=False,
        access_log=[connection_log(edge.access_log)] if edge.access_log else [],
    )
    needs = {(ResourceType.ROUTE, NAME), (ResourceType.SECRET, CERTIFICATE), (ResourceType.SECRET, AUTHORITY)}
    if edge.traces is not None:
        needs.add((ResourceType.CLUSTER, COLLECTOR))
    return Resource(ResourceType.LISTENER, NAME, bytes(body), frozenset(needs))


def _telling_flags() -> hcm.LocalReplyConfig:
    flags = core.HeaderValueOption(header=core.HeaderValue(key=FLAGS_HEADER, value="%RESPONSE_FLAGS%"))
    any_flag = accesslog.AccessLogFilter(response_flag_filter=accesslog.ResponseFlagFilter())
    return hcm.LocalReplyConfig(mappers=[hcm.ResponseMapper(filter=any_flag, headers_to_add=[flags])])
