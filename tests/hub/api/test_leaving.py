"""Who leaves the registry is told so when Envoy sends it nothing more, and not kept for ever by an Envoy that is silent."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from hub.api import registry as registry_api
from hub.mesh.inputs import Instance
from hub.mesh.registry import Registry, Store
from metip.hub.v1.registry_service_pb2 import DeregisterRequest
from metip.hub.v1.registry_service_pb2_grpc import RegistryServiceStub, add_RegistryServiceServicer_to_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def leaving(folder: Path, published: asyncio.Event) -> AsyncIterator[tuple[Any, Registry]]:
    """The registry over a socket, with one instance; what changes there is in force when `published` is set."""
    store = Store(folder / "registry.sqlite")
    registry = Registry(store)
    registry.register(Instance("sample-0-1", "sample", (), f"unix:{folder}/sample.sock"))
    nobody: Any = None  # who leaves asks nothing of the control plane
    server = grpc.aio.server()
    add_RegistryServiceServicer_to_server(registry_api.RegistryApi(registry, nobody, lambda _what, _author: published), server)
    server.add_insecure_port(f"unix:{folder}/hub.sock")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"unix:{folder}/hub.sock") as channel:
            yield RegistryServiceStub(channel), registry
    finally:
        await server.stop(0)
        store.close()


async def test_who_leaves_is_answered_once_envoy_has_heard(tmp_path: Path) -> None:
    published = asyncio.Event()
    async with leaving(tmp_path, published) as (stub, registry):
        asked = asyncio.ensure_future(stub.Deregister(DeregisterRequest(instance_id="sample-0-1"), timeout=5))
        done, _ = await asyncio.wait((asked,), timeout=0.3)
        assert (done, registry.instances) == (set(), ())
        published.set()
        await asked


async def test_an_envoy_that_is_silent_keeps_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_api, "SEEN_WITHIN", 0.2)
    async with leaving(tmp_path, asyncio.Event()) as (stub, registry):
        began = time.monotonic()
        await stub.Deregister(DeregisterRequest(instance_id="sample-0-1"), timeout=5)
        assert time.monotonic() - began >= 0.2
        assert registry.instances == ()


async def test_who_is_not_there_leaves_at_once(tmp_path: Path) -> None:
    async with leaving(tmp_path, asyncio.Event()) as (stub, registry):
        await stub.Deregister(DeregisterRequest(instance_id="sample-0-2"), timeout=1)
        assert len(registry.instances) == 1
