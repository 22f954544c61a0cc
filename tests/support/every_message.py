"""Every message of every contract, as generated classes of the default pool."""

import importlib.resources
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from metip.contracts import DESCRIPTORS

INSTALLED = importlib.resources.files("metip.contracts").joinpath(DESCRIPTORS)


def every_message() -> list[type[Message]]:
    """A class for each message under `metip.`, nested ones included and entries of maps left out, in a pool of their own."""
    pool = DescriptorPool()
    files = FileDescriptorSet.FromString(INSTALLED.read_bytes()).file
    for file in files:
        pool.Add(file)
    own = [pool.FindFileByName(file.name) for file in files if file.package.startswith("metip.")]
    return [GetMessageClass(one) for file in own for top in file.message_types_by_name.values() for one in _with_nested(top)]


def _with_nested(message: Descriptor) -> Iterator[Descriptor]:
    if not message.GetOptions().map_entry:
        yield message
        for one in message.nested_types:
            yield from _with_nested(one)
