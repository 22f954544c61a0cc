"""Configurations of the Envoys that exist for the benchmark only: the plain one, the consumer's sidecar, and the edge with parts taken off.

h2load can't present a client certificate. So a sidecar of the consumer stands before every path and passes bytes on; before the full path
it also speaks mutual TLS. Its work is counted apart, and it does the same for each path but for the TLS that a consumer has to do anyway.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_TYPE: Final = "type.googleapis.com/envoy"
HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
UNLIMITED: Final = 100_000
Json = dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """Files of a certificate, its key, and the authority."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True)
class Pipe:
    """One thing the sidecar passes on: from a port of 127.0.0.1 to an address, in clear or over mutual TLS."""

    name: str
    port: int
    to: str
    """`unix:/path` or `host:port`."""
    secured: bool


def plain(port: int, to: str, path: str, admin: Path) -> Json:
    """Envoy with one listener in clear, one route and no filter but the router."""
    return _bootstrap(admin, [_listener("plain", port, _manager("bare", path), None)], [_http2_cluster("bare", to)])


def sidecar(pipes: Sequence[Pipe], identity: Identity, admin: Path) -> Json:
    """Envoy that passes bytes on."""
    listeners, clusters = [], []
    for pipe in pipes:
        proxy = {"@type": f"{_TYPE}.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": pipe.name, "cluster": pipe.name}
        listeners.append(
            {
                "name": pipe.name,
                "address": address(f"127.0.0.1:{pipe.port}"),
                "filter_chains": [{"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}],
            }
        )
        cluster = _cluster(pipe.name, pipe.to)
        if pipe.secured:
            cluster["transport_socket"] = _originate(identity)
        clusters.append(cluster)
    return _bootstrap(admin, listeners, clusters)


def ablated(config_dump: Json, path: str, to: str, ports: Sequence[int], edge: Identity, admin: Path) -> Json:
    """The listener that the edge has at this moment, once for each step of `STEPS`, each with one thing less than the one before."""
    found = {part["@type"].rpartition(".")[2]: part for part in config_dump["configs"]}
    states = (one["active_state"]["listener"] for one in found["ListenersConfigDump"]["dynamic_listeners"])
    listener = next(one for one in states if one["name"] == "edge")
    del listener["@type"]
    (chain,) = listener["filter_chains"]
    (network,) = chain["filters"]
    manager = network["typed_config"]
    named = manager.pop("rds")["route_config_name"]
    routes = next(
        one for dynamic in found["RoutesConfigDump"]["dynamic_route_configs"] if (one := dynamic["route_config"])["name"] == named
    )
    manager["route_config"] = {"name": "operations", "virtual_hosts": [_only_route(routes, path)]}
    chain["transport_socket"]["typed_config"]["common_tls_context"] |= {
        "tls_certificate_sds_secret_configs": [],
        "tls_certificates": [{"certificate_chain": {"filename": str(edge.certificate)}, "private_key": {"filename": str(edge.key)}}],
        "validation_context_sds_secret_config": None,
        "validation_context": {"trusted_ca": {"filename": str(edge.authority)}},
    }
    listeners = []
    for number, ((_, take_off), port) in enumerate(zip(STEPS, ports, strict=True)):
        take_off(chain, manager)
        one = copy.deepcopy(listener)
        one["name"], one["address"] = f"step-{number}", address(f"127.0.0.1:{port}")
        listeners.append(one)
    return _bootstrap(admin, listeners, [_http2_cluster("bare", to)])


def address(text: str) -> Json:
    """An address as Envoy has it."""
    if text.startswith("unix:"):
        return {"pipe": {"path": text.removeprefix("unix:")}}
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def _without(name: str) -> Callable[[Json, Json], None]:
    def take_off(chain: Json, manager: Json) -> None:
        manager["http_filters"] = [one for one in manager["http_filters"] if one["name"] != name]
        for host in manager["route_config"]["virtual_hosts"]:
            for route in host["routes"]:
                route.get("typed_per_filter_config", {}).pop(name, None)

    return take_off


def _nothing(chain: Json, manager: Json) -> None:
    """The edge as it is."""


def _without_log(chain: Json, manager: Json) -> None:
    manager.pop("access_log", None)


def _without_retries(chain: Json, manager: Json) -> None:
    for host in manager["route_config"]["virtual_hosts"]:
        for route in host["routes"]:
            route["route"].pop("retry_policy", None)
            route["route"].pop("max_stream_duration", None)


def _without_headers(chain: Json, manager: Json) -> None:
    for name in ("early_header_mutation_extensions", "forward_client_cert_details", "set_current_client_cert_details"):
        manager.pop(name, None)


def _without_tls(chain: Json, manager: Json) -> None:
    del chain["transport_socket"]


STEPS: Final[Sequence[tuple[str, Callable[[Json, Json], None]]]] = (
    ("", _nothing),
    ("access log (JSON, to a file)", _without_log),
    ("gRPC statistics by method", _without("envoy.filters.http.grpc_stats")),
    ("grpc-web", _without("envoy.filters.http.grpc_web")),
    ("calls by consumer", _without("envoy.filters.http.local_ratelimit")),
    ("one identity to a certificate", _without("envoy.filters.http.lua")),
    ("RBAC", _without("envoy.filters.http.rbac")),
    ("JWT", _without("envoy.filters.http.jwt_authn")),
    ("retries, maximum duration", _without_retries),
    ("forged headers dropped, consumer's identity passed on", _without_headers),
    ("TLS at the edge", _without_tls),
)
"""What is taken off at each step, in order; each step keeps what was taken off before it."""


def _only_route(routes: Json, path: str) -> Json:
    (host,) = routes["virtual_hosts"]
    (route,) = [one for one in host["routes"] if one["match"].get("path") == path]
    route["route"]["cluster"] = "bare"
    return {"name": host["name"], "domains": ["*"], "routes": [route]}


def _manager(cluster: str, path: str) -> Json:
    route = {"match": {"path": path}, "route": {"cluster": cluster, "timeout": "0s"}}
    router = {"@type": f"{_TYPE}.extensions.filters.http.router.v3.Router"}
    return {
        "@type": f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "plain",
        "codec_type": "HTTP2",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }


def _listener(name: str, port: int, manager: Json, transport: Json | None) -> Json:
    chain: Json = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    if transport:
        chain["transport_socket"] = transport
    return {"name": name, "address": address(f"127.0.0.1:{port}"), "filter_chains": [chain]}


def _cluster(name: str, to: str) -> Json:
    endpoint = {"endpoint": {"address": address(to)}}
    endpoints = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}
    # Envoy's own limits (1,024) would refuse calls where the bare server behind it lets them wait.
    limits = {"max_connections": UNLIMITED, "max_pending_requests": UNLIMITED, "max_requests": UNLIMITED}
    cluster = {"name": name, "type": "STATIC", "connect_timeout": "10s", "load_assignment": endpoints}
    return cluster | {"circuit_breakers": {"thresholds": [limits]}}


def _http2_cluster(name: str, to: str) -> Json:
    options = {"@type": f"{_TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}
    return _cluster(name, to) | {"typed_extension_protocol_options": {HTTP_OPTIONS: options}}


def _originate(identity: Identity) -> Json:
    own = {"certificate_chain": {"filename": str(identity.certificate)}, "private_key": {"filename": str(identity.key)}}
    common = {
        "alpn_protocols": ["h2"],
        "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
        "tls_certificates": [own],
        "validation_context": {"trusted_ca": {"filename": str(identity.authority)}},
    }
    context = {
        "@type": f"{_TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": "localhost",
        "common_tls_context": common,
    }
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _bootstrap(admin: Path, listeners: Sequence[Mapping[str, Any]], clusters: Sequence[Mapping[str, Any]]) -> Json:
    return {
        "admin": {"address": address(f"unix:{admin}")},
        "static_resources": {"listeners": list(listeners), "clusters": list(clusters)},
    }
