"""Messages of any contract, made from descriptors alone: nobody's generated modules are imported, and other contracts can be judged."""

from functools import cached_property
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from hub.contracts import Contracts

CASE = "metip.cases.v1.Case"
PURPOSE = "metip.options.v1.Purpose"


class Messages:
    """The message types of a set of contracts, in a pool of their own."""

    def __init__(self, contracts: Contracts) -> None:
        self.contracts = contracts

    @cached_property
    def pool(self) -> DescriptorPool:
        """The descriptors."""
        pool: Any = DescriptorPool()
        for file in FileDescriptorSet.FromString(self.contracts.descriptor_set).file:
            pool.Add(file)
        found: DescriptorPool = pool
        return found

    def kind(self, name: str) -> type[Message]:
        """The message class of that full name. Raises `KeyError`."""
        return GetMessageClass(self.pool.FindMessageTypeByName(name))

    @cached_property
    def purposes(self) -> EnumDescriptor:
        """The purposes there are."""
        return self.pool.FindEnumTypeByName(PURPOSE)

    def document(self, message: Message) -> dict[str, Any]:
        """A message as protobuf's JSON, under the fields' own names."""
        found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=self.pool)
        return found
