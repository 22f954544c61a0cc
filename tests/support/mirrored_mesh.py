"""An estate with two systems behind one interface whose contracts say, for the test, how each of its queries may be compared."""

import functools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from unittest.mock import patch

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from mesh_rig import MeshRig, running_mesh

import metip.contracts
from hub.laptop import estate
from metip.options.v1 import options_pb2 as options
from metip.parity.v1 import sampling_service_pb2 as api
from metip.parity.v1.sampling_service_pb2_grpc import SamplingServiceStub

OPERATOR = "os://test/operator"


def mirrored(policies: Mapping[str, str]) -> bytes:
    """The installed contracts with other mirror policies, by operation."""
    data = resources.files("metip.contracts").joinpath(metip.contracts.DESCRIPTORS).read_bytes()
    found = FileDescriptorSet.FromString(data)
    for file in found.file:
        for service in file.service:
            for method in service.method:
                policy = policies.get(f"{file.package}.{service.name}/{method.name}")
                if policy is not None:
                    method.options.Extensions[options.operation].mirror = options.MirrorPolicy.Value(f"MIRROR_POLICY_{policy}")
    return found.SerializeToString()


@asynccontextmanager
async def running_mirrored(directory: Path, systems: tuple[str, ...], policies: Mapping[str, str]) -> AsyncIterator[MeshRig]:
    """An estate whose hub reads such contracts; adapters read the installed ones, which permit as much."""
    contracts = directory / "contracts.binpb"
    contracts.write_bytes(mirrored(policies))
    original = estate._process

    @functools.wraps(original)
    def process(home: Any, name: str, *command: str) -> Any:
        return original(home, name, *command, *(("--contracts", str(contracts)) if name == estate.HUB else ()))

    with patch.object(estate, "_process", process):
        async with running_mesh(directory, systems=systems) as rig:
            yield rig


@dataclass
class Sampled:
    """The hub's samples, over its own socket."""

    rig: MeshRig
    channel: grpc.aio.Channel

    @property
    def stub(self) -> Any:
        """The service."""
        return SamplingServiceStub(self.channel)

    async def put(self, operation: str, share: int = 1_000_000, **more: Any) -> None:
        """Samples an operation. Raises `grpc.aio.AioRpcError`."""
        request = api.SetSamplingRequest(sampling=api.Sampling(operation=operation, per_million=share, **more), because="a test")
        await self.stub.SetSampling(request, metadata=[("x-metip-operator", OPERATOR)], timeout=10)

    async def count(self, operation: str) -> api.SampledCount:
        """What became of the samples of an operation so far."""
        found = await self.stub.GetSampling(api.GetSamplingRequest(), timeout=10)
        return next((one for one in found.counts if one.operation == operation), api.SampledCount(operation=operation))

    async def dropped(self, operation: str) -> dict[str, int]:
        """What was dropped, by cause."""
        return {one.cause: one.count for one in (await self.count(operation)).drops}


@asynccontextmanager
async def sampling_of(rig: MeshRig) -> AsyncIterator[Sampled]:
    """The hub's samples for the length of the block."""
    async with grpc.aio.insecure_channel(f"unix:{rig.home.hub_socket}") as channel:
        yield Sampled(rig, channel)
