"""Reflection for every contract, whoever serves it, so that grpcurl and its kin need no files. Versions 1 and 1alpha are the same bytes."""

from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection, reflection_pb2

from hub.contracts import Contracts

SERVICES = ("grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection")


def handlers(contracts: Contracts) -> tuple[grpc.GenericRpcHandler, ...]:
    """Handlers of both versions, answering from the contracts' own descriptors."""
    pool: Any = DescriptorPool()
    for file in FileDescriptorSet.FromString(contracts.descriptor_set).file:
        pool.Add(file)
    names = [interface.name for interface in contracts.interfaces if not interface.private]
    servicer: Any = reflection.aio.ReflectionServicer([*names, *SERVICES], pool=pool)
    handler: Any = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return tuple(grpc.method_handlers_generic_handler(service, {"ServerReflectionInfo": handler}) for service in SERVICES)
