"""The one door to envoy-data-plane: its modules under short names, and how a message becomes a resource's bytes.

The package follows Envoy's API behind one maintainer; should it stop, the messages used through this door are what has to be generated.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any as AnyMessage

from envoy_data_plane.envoy.config.accesslog import v3 as accesslog
from envoy_data_plane.envoy.config.cluster import v3 as cluster
from envoy_data_plane.envoy.config.common.mutation_rules import v3 as mutation
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.endpoint import v3 as endpoint
from envoy_data_plane.envoy.config.listener import v3 as listener
from envoy_data_plane.envoy.config.rbac import v3 as rbac
from envoy_data_plane.envoy.config.route import v3 as route
from envoy_data_plane.envoy.config.trace import v3 as trace
from envoy_data_plane.envoy.extensions.access_loggers.file import v3 as file_log
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel import v3 as cel_filter
from envoy_data_plane.envoy.extensions.common.ratelimit import v3 as rate_limit
from envoy_data_plane.envoy.extensions.compression.gzip.compressor import v3 as gzip
from envoy_data_plane.envoy.extensions.filters.common.fault import v3 as fault_delay
from envoy_data_plane.envoy.extensions.filters.http.buffer import v3 as buffered
from envoy_data_plane.envoy.extensions.filters.http.compressor import v3 as compressor
from envoy_data_plane.envoy.extensions.filters.http.csrf import v3 as csrf
from envoy_data_plane.envoy.extensions.filters.http.fault import v3 as fault
from envoy_data_plane.envoy.extensions.filters.http.grpc_json_transcoder import v3 as transcoder
from envoy_data_plane.envoy.extensions.filters.http.grpc_stats import v3 as grpc_stats
from envoy_data_plane.envoy.extensions.filters.http.grpc_web import v3 as grpc_web
from envoy_data_plane.envoy.extensions.filters.http.jwt_authn import v3 as jwt
from envoy_data_plane.envoy.extensions.filters.http.local_ratelimit import v3 as local_limit
from envoy_data_plane.envoy.extensions.filters.http.lua import v3 as lua
from envoy_data_plane.envoy.extensions.filters.http.oauth2 import v3 as oauth2
from envoy_data_plane.envoy.extensions.filters.http.rbac import v3 as rbac_filter
from envoy_data_plane.envoy.extensions.filters.http.router import v3 as router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import v3 as hcm
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation import v3 as early_headers
from envoy_data_plane.envoy.extensions.rate_limit_descriptors.expr import v3 as rate_key
from envoy_data_plane.envoy.extensions.request_id.uuid import v3 as request_id
from envoy_data_plane.envoy.extensions.retry.host.previous_hosts import v3 as previous_hosts
from envoy_data_plane.envoy.extensions.tracers.opentelemetry.samplers import v3 as samplers
from envoy_data_plane.envoy.extensions.transport_sockets.tls import v3 as tls
from envoy_data_plane.envoy.extensions.upstreams.http import v3 as upstream_http
from envoy_data_plane.envoy.type import v3 as percent
from envoy_data_plane.envoy.type.matcher import v3 as matcher
from envoy_data_plane.google.protobuf import Any, Empty, Struct

__all__ = [
    "Any",
    "Empty",
    "Struct",
    "accesslog",
    "ads",
    "buffered",
    "cel_filter",
    "cluster",
    "compressor",
    "core",
    "csrf",
    "early_headers",
    "endpoint",
    "fault",
    "fault_delay",
    "file_log",
    "grpc_stats",
    "grpc_web",
    "gzip",
    "hcm",
    "joined",
    "jwt",
    "listener",
    "local_limit",
    "lua",
    "matcher",
    "mutation",
    "oauth2",
    "packed",
    "percent",
    "previous_hosts",
    "rate_key",
    "rate_limit",
    "rbac",
    "rbac_filter",
    "request_id",
    "route",
    "router",
    "samplers",
    "seconds",
    "tls",
    "trace",
    "transcoder",
    "upstream_http",
]


def packed(message: AnyMessage) -> Any:
    """A message as the typed bytes that extensions are configured with."""
    return Any.pack(message)


def joined(number: int, parts: Iterable[bytes]) -> bytes:
    """Messages as the repeated field of that number, below 16: appended to a message's bytes, they are part of it (protobuf's encoding)."""
    found = bytearray()
    for part in parts:
        found.append(number << 3 | 2)
        length = len(part)
        while length > 0x7F:
            found.append(length & 0x7F | 0x80)
            length >>= 7
        found.append(length)
        found += part
    return bytes(found)


def seconds(value: float) -> timedelta:
    """A duration."""
    return timedelta(seconds=value)


def ads() -> core.ConfigSource:
    """Says that a resource comes over the stream that everything comes over."""
    return core.ConfigSource(ads=core.AggregatedConfigSource(), resource_api_version=core.ApiVersion.V3)
