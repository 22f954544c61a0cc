"""Envoy names its listeners before it opens them: nobody is to take the one for the other."""

from typing import Any

import pytest
from envoy_process import running_envoy, short_directory
from free_ports import free_ports
from mesh_rig import until

from hub.mesh.admin import Admin

pytestmark = pytest.mark.asyncio
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = {"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}


def waiting_for_routes(port: int) -> dict[str, Any]:
    """A bootstrap whose listener waits for ever for routes that nobody sends."""
    nobody = {"name": "nobody", "type": "STATIC", "connect_timeout": "1s", "http2_protocol_options": {}}
    service = {"envoy_grpc": {"cluster_name": "nobody"}}
    source = {
        "resource_api_version": "V3",
        "initial_fetch_timeout": "0s",
        "api_config_source": {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [service]},
    }
    manager = {"@type": MANAGER, "stat_prefix": "x", "rds": {"route_config_name": "x", "config_source": source}, "http_filters": [ROUTER]}
    listener = {
        "name": "door",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {"node": {"id": "x", "cluster": "x"}, "static_resources": {"listeners": [listener], "clusters": [nobody]}}


async def test_a_door_that_is_named_is_not_open_while_envoy_starts() -> None:
    (port,) = free_ports(1)
    with short_directory() as folder:
        async with running_envoy(waiting_for_routes(port), folder, live=False) as envoy:

            async def named() -> bool:
                return str(port) in await envoy.get("/listeners")

            await until(named, within=10)
            assert not await Admin(envoy.admin).listens({port})
