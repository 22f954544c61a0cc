"""Messages of any contract, made from descriptors alone: nobody's generated modules are imported, and other contracts can be judged."""

from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import hub.contracts
from hub.cli.options import Problem
from hub.contracts import Contracts, Operation

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


def installed() -> Messages:
    """The messages of the contracts that this installation was built with. Raises `Problem` when there are none."""
    return Messages(contracts())


def contracts(path: Path | None = None) -> Contracts:
    """The contracts installed, or those of another descriptor set. Raises `Problem` when they can't be read."""
    from google.protobuf.message import DecodeError

    today = date.today()  # noqa: DTZ011 - an assessment is due by the local calendar
    try:
        return hub.contracts.load(today, descriptor_set=path.read_bytes() if path else None)
    except FileNotFoundError:
        if path:
            raise Problem(f"{path} does not exist", "make it with `protoc --include_imports --descriptor_set_out`") from None
        raise Problem("the contracts were never compiled", "run: make gen") from None
    except (DecodeError, OSError):
        raise Problem(f"{path} is not a descriptor set", "make it with `protoc --include_imports --descriptor_set_out`") from None


def operations(known: Contracts) -> dict[str, Operation]:
    """Operations that are on the mesh, by full name."""
    return {one.name: one for interface in known.interfaces if not interface.private for one in interface.operations}


def operation_named(text: str, known: Contracts) -> Operation:
    """The operation of that name: full, or its end as far as it is unique (`ExampleService/GetExample`, `GetExample`).

    Raises `Problem` that lists what was meant, or might have been.
    """
    on_mesh = operations(known)
    wanted = text.strip().lstrip("/")
    head, dot, tail = wanted.rpartition(".")
    if dot and "/" not in wanted and f"{head}/{tail}" in on_mesh:
        wanted = f"{head}/{tail}"  # as grpcurl and stubs also write it
    if wanted in on_mesh:
        return on_mesh[wanted]
    found = [one for name, one in on_mesh.items() if f"/{name}".replace(".", "/").casefold().endswith(f"/{_slashed(wanted)}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise Problem(f"{text} is not one operation but {len(found)}", f"say which: {', '.join(one.name for one in found)}")
    from difflib import get_close_matches

    ends = {name.rpartition("/")[2]: name for name in on_mesh}
    close = [ends[end] for end in get_close_matches(wanted.rpartition("/")[2], ends, n=3)]
    faulty = [fault for fault in known.faults if fault.element.endswith(wanted)]
    if faulty:
        raise Problem(f"{faulty[0].element} does not load: it {faulty[0].problem}", faulty[0].fix)
    raise Problem(
        f"no operation {text} is loaded", f"did you mean {' or '.join(close)}?" if close else "`metip explain` lists all operations"
    )


def _slashed(text: str) -> str:
    return text.replace(".", "/").casefold()
