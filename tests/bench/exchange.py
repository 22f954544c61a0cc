"""The one exchange that every path carries: a query on personal data, picked by what its contract demands, with a reply of about 1 kB."""

import importlib
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any

import protovalidate
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from adapters.kit import discovery
from adapters.kit.serving import installed_contracts
from metip.call import CALL_ID_HEADER, CERTIFICATE_HEADER, OFFICER_HEADER
from metip.cases.v1.case_pb2 import Case
from metip.contracts import DESCRIPTORS, Contracts, DeliveryClass, Operation
from metip.grants import PURPOSES_HEADER
from metip.options.v1 import options_pb2

REPLY_BYTES = 1000
JUSTIFICATION = "A synthetic question, asked by the benchmark, with as many words of justification as the contract lets anybody give. "
LONGEST_JUSTIFICATION = 250
CONSUMER = "spiffe://metip.local/consumer/developer"


@dataclass(frozen=True)
class Exchange:
    """A request that is valid, and a reply."""

    system: str
    operation: Operation
    request: Message
    reply: Message


def the_exchange(*, shared: bool = False) -> Exchange:
    """The first recorded sample whose operation is a unary query that demands an officer's token and a written justification.

    `shared` demands that another system serves it too. No system is named here, so that the benchmark outlives any of them. Raises
    `LookupError` when no contract is like that.
    """
    known = installed_contracts(date.min)  # which assessments are overdue is not what is measured
    _import_messages(known)
    for path in sorted(discovery.FOLDER.glob("*/cases/*.txtpb")):
        case = text_format.Parse(path.read_text(encoding="utf-8"), Case())
        operation = known.operations[case.operation]
        if case.sample and _accepts(operation) and (not shared or (operation.comparable and known.serving(operation.name))):
            request = _kind(operation.request).FromString(case.request.value)
            _justify(request)
            return Exchange(path.parent.parent.name, operation, request, _filled(_kind(operation.reply)()))
    raise LookupError("no sample case is of a unary query that needs an officer and a justification")


def from_the_edge(token: str) -> tuple[tuple[str, str], ...]:
    """What the edge sends with a call under that token."""
    return (
        ("authorization", f"Bearer {token}"),
        (OFFICER_HEADER, token.split(".")[1]),
        (CERTIFICATE_HEADER, f"By=spiffe://metip.local/edge;Hash={'0' * 64};URI={CONSUMER}"),
        (PURPOSES_HEADER, "*"),
        (CALL_ID_HEADER, "0af76519-16cd-43dd-8448-eb211c80319c"),
        ("x-forwarded-proto", "https"),
    )


def another(exchange: Exchange) -> str:
    """The system that serves the exchange's operation beside its owner, by name. Raises `LookupError` where there is none."""
    others = installed_contracts(date.min).serving(exchange.operation.name)
    if not others:
        raise LookupError(f"nobody serves {exchange.operation.name} beside its owner")
    return others[0]


def compared_contracts(exchange: Exchange) -> bytes:
    """The installed contracts, in which the exchange's operation may be compared at a copy."""
    found = descriptor_pb2.FileDescriptorSet.FromString(resources.files("metip.contracts").joinpath(DESCRIPTORS).read_bytes())
    for file in found.file:
        for service in file.service:
            for method in service.method:
                if f"{file.package}.{service.name}/{method.name}" == exchange.operation.name:
                    method.options.Extensions[options_pb2.operation].mirror = options_pb2.MIRROR_POLICY_REPLICA
    return found.SerializeToString()


def _accepts(operation: Operation) -> bool:
    demanding = operation.officer_required and operation.justification_required
    return demanding and operation.delivery_class is DeliveryClass.READ and not (operation.server_streams or operation.client_streams)


def _justify(request: Any) -> None:
    request.access.justification = (JUSTIFICATION * 3)[:LONGEST_JUSTIFICATION]
    protovalidate.validate(request)


def _filled(message: Message) -> Message:
    """The message with synthetic values in its fields, level by level, until it has the size; then its first text is made longer."""
    level: list[Any] = [message]
    texts: list[tuple[Any, str]] = []
    while level and message.ByteSize() < REPLY_BYTES:
        below: list[Any] = []
        for one in level:
            for field in one.DESCRIPTOR.fields:
                if message.ByteSize() < REPLY_BYTES:
                    below += _fill(one, field, texts)
        level = below
    if texts and (missing := REPLY_BYTES - message.ByteSize()) > 0:
        holder, name = texts[0]
        setattr(holder, name, getattr(holder, name) + "X" * missing)
    return message


def _fill(message: Any, field: FieldDescriptor, texts: list[tuple[Any, str]]) -> list[Any]:
    """Sets one field; gives the messages that it now holds."""
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            return []
        if field.is_repeated:
            return [getattr(message, field.name).add() for _ in range(2)]
        getattr(message, field.name).SetInParent()
        return [getattr(message, field.name)]
    value: Any = 1
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        value = b"SYNTHETIC" if field.type == FieldDescriptor.TYPE_BYTES else "SYNTHETIC"
    if field.is_repeated:
        getattr(message, field.name).extend([value])
    else:
        setattr(message, field.name, value)
        if isinstance(value, str):
            texts.append((message, field.name))
    return []


def _kind(name: str) -> type[Message]:
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


def _import_messages(known: Contracts) -> None:
    for file in descriptor_pb2.FileDescriptorSet.FromString(known.descriptor_set).file:
        importlib.import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
