"""Recorded exchanges (`adapters/<system>/cases/*.txtpb`): found, read, played over any channel, and compared with what came back.

The law: an expected reply says only what must be there. Every field set in it has the same value in the reply; lists agree item by item and
have the same length; maps agree for the keys that are named. Of a stream, each expected reply is found among the replies, in any order.

Nothing here knows who serves the channel, so the same cases run in process and against a mesh.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from adapters.kit import discovery
from adapters.kit.serving import installed_contracts
from metip.cases.v1.case_pb2 import Case, Fault
from metip.contracts import Contracts, Operation

DEADLINE = 10.0
"""Seconds, for a case that sets none; the case's contract promises it."""


@dataclass(frozen=True)
class RecordedCase:
    """One file."""

    system: str
    path: Path
    case: Case

    @property
    def operation(self) -> Operation:
        """The operation as its contract has it. Raises `KeyError` when no contract declares it."""
        return _contracts().operations[self.case.operation]

    @property
    def deadline(self) -> float:
        """Seconds."""
        return self.case.deadline.ToTimedelta().total_seconds() if self.case.HasField("deadline") else DEADLINE

    @property
    def faults(self) -> dict[str, list[Fault]]:
        """Faults to set before the call, by system.

        A dial belongs to the case's own system unless it is written `<system>/<dial>`: a system that only consults others has no far
        side of its own, and how it takes their failures is what its cases are about.
        """
        found: dict[str, list[Fault]] = {}
        for fault in self.case.faults:
            owner, _, dial = fault.dial.rpartition("/")
            found.setdefault(owner or self.system, []).append(Fault(dial=dial, setting=fault.setting, share=fault.share, times=fault.times))
        return found


@dataclass(frozen=True)
class Played:
    """What came back: the replies, and the error that ended the call, if one did."""

    replies: tuple[bytes, ...]
    error: grpc.aio.AioRpcError | None = None


def case_files(systems: Iterable[str] | None = None, folder: Path = discovery.FOLDER) -> tuple[Path, ...]:
    """Paths of all cases of those systems, or of every system, in the order in which they run."""
    names = discovery.systems(folder) if systems is None else systems
    return tuple(path for system in names for path in sorted((folder / system / "cases").glob("*.txtpb")))


def request_fields(operation: Operation) -> frozenset[str]:
    """Names of the fields of an operation's request."""
    return frozenset(_pool().FindMessageTypeByName(operation.request).fields_by_name)


def request_message(recorded: RecordedCase) -> Message:
    """The case's request in its contract's type."""
    return _message(recorded.operation.request, recorded.case.request.value)


def case_id(path: Path) -> str:
    """`<system>/<file>`, for test reports."""
    return f"{path.parent.parent.name}/{path.stem}"


def read_case(path: Path) -> RecordedCase:
    """Reads one file. Raises `google.protobuf.text_format.ParseError` with line and column."""
    return RecordedCase(path.parent.parent.name, path, Case.FromString(_parsed(path.read_text(encoding="utf-8"))))


@cache
def _parsed(text: str) -> bytes:
    """A case in binary: a text is read once, however many modules look for a sample among all cases, and each has a message of its own."""
    return bytes(text_format.Parse(text, Case(), descriptor_pool=_pool()).SerializeToString())


async def play(recorded: RecordedCase, channel: grpc.aio.Channel, metadata: Sequence[tuple[str, str]]) -> Played:
    """Sends the case's request. What the call ends with is returned, never raised."""
    request: Any = recorded.case.request.value  # bytes in, bytes out: nothing is registered with the channel
    kind = channel.unary_stream if recorded.operation.server_streams else channel.unary_unary
    call: Any = kind(recorded.operation.path)(request, timeout=recorded.deadline, metadata=metadata)
    replies: list[bytes] = []
    try:
        if recorded.operation.server_streams:
            async for reply in call:
                replies.append(reply)
        else:
            replies.append(await call)
    except grpc.aio.AioRpcError as error:
        return Played(tuple(replies), error)
    return Played(tuple(replies))


def problems(recorded: RecordedCase, played: Played) -> list[str]:
    """What did not come back as the case has it; empty when all did."""
    expected = recorded.case
    if expected.WhichOneof("outcome") == "refused":
        return _refusal_problems(expected, played)
    if played.error is not None:
        return [f"answered with {played.error.code().name}: {played.error.details()}"]
    kind = recorded.operation.reply
    wrong = [one.TypeName() for one in expected.answered.replies if one.TypeName() != kind]
    if wrong:
        return [f"expects {', '.join(wrong)}, and the operation answers {kind}"]
    wanted = [_unpacked(one) for one in expected.answered.replies]
    came = [_message(kind, reply) for reply in played.replies]
    if recorded.operation.server_streams:
        return missing_from_stream(wanted, came)
    if len(wanted) != 1:
        return [f"expects {len(wanted)} replies, and the operation answers one"]
    return disagreements(wanted[0], came[0])


def faults_of_writing(recorded: RecordedCase) -> list[str]:
    """What is wrong with the case itself, before anything is sent."""
    case, found = recorded.case, []
    if not case.title.strip():
        found.append("has no title")
    if case.WhichOneof("outcome") is None:
        found.append("expects nothing: add answered or refused")
    operation = _contracts().operations.get(case.operation)
    if operation is None:
        return [*found, f"names {case.operation!r}, which no contract declares"]
    owner = _contracts().interface(operation.interface).system
    if recorded.system not in (owner, *_contracts().serving(operation.name)):
        found.append(f"belongs to the system of {operation.interface}")
    if case.sample and recorded.system != owner:
        found.append("is a sample, which only the owner of an operation gives")
    if case.request.TypeName() != operation.request:
        found.append(f"sends {case.request.TypeName() or 'nothing'}, and the operation takes {operation.request}")
    return found


def disagreements(expected: Message, actual: Message, path: str = "") -> list[str]:
    """Where a message lacks what is expected of it, a line for each field."""
    found: list[str] = []
    for field, value in expected.ListFields():
        here, came = f"{path}{field.name}", getattr(actual, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            found += _map_disagreements(field, value, came, here)
        elif field.is_repeated:
            found += _list_disagreements(field, value, came, here)
        else:
            found += _value_disagreements(field, value, came, here)
    return found


def _map_disagreements(field: FieldDescriptor, expected: Any, actual: Any, here: str) -> list[str]:
    assert field.message_type is not None
    kind = field.message_type.fields_by_name["value"]
    found: list[str] = []
    for key, value in expected.items():
        found += _value_disagreements(kind, value, actual[key], f"{here}[{key!r}]") if key in actual else [f"{here}[{key!r}] is missing"]
    return found


def _list_disagreements(field: FieldDescriptor, expected: Any, actual: Any, here: str) -> list[str]:
    if len(expected) != len(actual):
        return [f"{here} has {len(actual)} items, expected {len(expected)}"]
    pairs = enumerate(zip(expected, actual, strict=True))
    return [line for place, (wanted, came) in pairs for line in _value_disagreements(field, wanted, came, f"{here}[{place}]")]


def _value_disagreements(field: FieldDescriptor, expected: Any, actual: Any, here: str) -> list[str]:
    if field.message_type is not None:
        return disagreements(expected, actual, f"{here}.")
    if field.enum_type is not None:
        expected, actual = (_enum_word(field.enum_type, value) for value in (expected, actual))
    return [] if expected == actual else [f"{here} is {actual!r}, expected {expected!r}"]


def missing_from_stream(wanted: Sequence[Message], came: Sequence[Message]) -> list[str]:
    """A line for each expected reply that is not among those that came."""
    missing = [one for one in wanted if not any(not disagreements(one, reply) for reply in came)]
    said = "\n".join(text_format.MessageToString(reply, as_one_line=True) for reply in came)
    return [f"no reply agrees with {text_format.MessageToString(one, as_one_line=True)}; the replies were:\n{said}" for one in missing]


def _refusal_problems(expected: Case, played: Played) -> list[str]:
    refused = expected.refused
    if played.error is None:
        return [f"was answered, expected {refused.status} {refused.reason}"]
    found = []
    if played.error.code().name != refused.status:
        found.append(f"status is {played.error.code().name} ({played.error.details()}), expected {refused.status}")
    info = error_info(played.error)
    if refused.reason and info.reason != refused.reason:
        found.append(f"reason is {info.reason or 'not given'}, expected {refused.reason}")
    for key, value in refused.metadata.items():
        if info.metadata.get(key) != value:
            found.append(f"metadata {key} is {info.metadata.get(key)!r}, expected {value!r}")
    return found


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """The error's `google.rpc.ErrorInfo`; an empty one where it carries none."""
    info = error_details_pb2.ErrorInfo()
    failed: Any = error  # has what `from_call` reads, though its annotation names the synchronous class
    status = rpc_status.from_call(failed)
    for detail in status.details if status else ():
        if detail.Unpack(info):
            break
    return info


def _unpacked(packed: any_pb2.Any) -> Message:
    return _message(packed.TypeName(), packed.value)


def _message(name: str, data: bytes) -> Message:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name)).FromString(data)


def _enum_word(kind: EnumDescriptor, number: int) -> str:
    value = kind.values_by_number.get(number)
    return value.name if value else str(number)


@cache
def _contracts() -> Contracts:
    # The earliest day: which assessments are overdue is not what cases are about.
    return installed_contracts(date.min)


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    """Every installed contract, so that a case can be read without importing anybody's generated modules."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(_contracts().descriptor_set).file:
        pool.Add(file)
    return pool
