"""Message operations: what their contracts must say, and what follows from it.

The law: an operation that returns `Receipt` is a message, which the exchange accepts and delivers; it says how long it is kept and by which
fields it is known. Such operations are apart from others, in interfaces of their own, so that an interface has one way through the mesh.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)
from google.protobuf.duration_pb2 import Duration

from metip.contracts.model import Delivery, Fault, Start, Subscription
from metip.options.v1 import options_pb2 as options

RECEIPT = "metip.exchange.v1.Receipt"
BULK = "metip.exchange.v1.ExchangeService/PublishBatch"
"""The one operation whose requests stream: it takes the messages of any other."""
TIMESTAMP = ".google.protobuf.Timestamp"
SHORTEST_WINDOW = 72 * 3600.0
KEYS = ("idempotency_key", "ordering_key")
NO_KEYS = frozenset({FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.TYPE_DOUBLE, FieldDescriptorProto.TYPE_FLOAT})
STARTS = {
    options.START_UNSPECIFIED: Start.BEGINNING,
    options.START_BEGINNING: Start.BEGINNING,
    options.START_NOW: Start.NOW,
    options.START_TIME: Start.TIME,
}
Requests = Mapping[str, DescriptorProto]
Posts = frozenset[tuple[str, str]]


def is_message(method: MethodDescriptorProto) -> bool:
    """Whether an operation is a message."""
    return method.output_type.lstrip(".") == RECEIPT


def delivery(method: MethodDescriptorProto, requests: Requests) -> Delivery | None:
    """How the exchange keeps the operation's messages."""
    if not is_message(method):
        return None
    said = method.options.Extensions[options.operation].delivery
    after = "".join(key_fields(method, requests, "deliver_after")[:1])
    return Delivery(_seconds(said.dedupe_window), _seconds(said.retention), _seconds(said.max_age), _seconds(said.delay), after)


def key_fields(method: MethodDescriptorProto, requests: Requests, key: str) -> tuple[str, ...]:
    """Names of the request's fields that are marked as this key."""
    request = requests.get(method.input_type)
    if request is None or not is_message(method):
        return ()
    return tuple(field.name for field in request.field if getattr(field.options.Extensions[options.field], key))


def subscriptions(
    file: FileDescriptorProto, said: options.Interface | options.BackEnd, declared: Mapping[str, MethodDescriptorProto]
) -> tuple[Subscription, ...]:
    """What the system of this contract wants delivered."""
    return tuple(_subscription(file.package.split(".")[1], one, declared[one.operation]) for one in said.subscribes)


def _subscription(system: str, said: options.Subscription, method: MethodDescriptorProto) -> Subscription:
    timeout = method.options.Extensions[options.operation].timeout
    return Subscription(
        system=system,
        operation=said.operation,
        start=STARTS[said.start],
        start_at=datetime.fromisoformat(said.start_at).timestamp() if said.start == options.START_TIME else 0.0,
        first_delay=_seconds(said.first_delay) or 1.0,
        longest_delay=_seconds(said.longest_delay) or 60.0,
        give_up_after=_seconds(said.give_up_after) or SHORTEST_WINDOW,
        attempt_timeout=_seconds(said.attempt_timeout) or _seconds(timeout),
        write_once=method.options.idempotency_level != MethodOptions.IDEMPOTENT,
        parked_blocks=not said.parked_lets_pass,
        in_flight=said.in_flight or 32,
        backlog=said.backlog or 2_000_000,
        instead_of=said.instead_of,
    )


def service_faults(
    file: FileDescriptorProto, service: ServiceDescriptorProto, declared: Mapping[str, MethodDescriptorProto], posts: Posts = frozenset()
) -> Iterator[Fault]:
    """Everything that is wrong with an interface's messages and subscriptions as a whole."""
    name = f"{file.package}.{service.name}"
    if len({is_message(method) for method in service.method}) > 1:
        yield Fault(
            name, "mixes messages with operations that are answered at once", "Move those that return Receipt to a service of their own"
        )
    yield from subscription_faults(name, service.options.Extensions[options.interface].subscribes, declared, posts)


def subscription_faults(
    name: str, subscribes: Iterable[options.Subscription], declared: Mapping[str, MethodDescriptorProto], posts: Posts
) -> Iterator[Fault]:
    """Everything that is wrong with the subscriptions of an interface or a back end; `posts` has all that others may stand in for."""
    seen: set[str] = set()
    for one in subscribes:
        method = declared.get(one.operation)
        if method is None:
            yield Fault(name, f"subscribes to {one.operation}, which no contract declares", "Correct the name in subscribes")
        elif not is_message(method):
            yield Fault(name, f"subscribes to {one.operation}, which returns no Receipt", "Subscribe to message operations only")
        if one.operation in seen:
            yield Fault(name, f"subscribes to {one.operation} twice", "Subscribe once")
        seen.add(one.operation)
        if one.instead_of:
            yield from _stand_in_faults(name, one, posts)
        if one.start == options.START_TIME and _time(one.start_at) is None:
            yield Fault(name, f"subscribes to {one.operation} from no time", 'Add start_at: "2026-11-01T00:00:00Z"')


def _stand_in_faults(name: str, one: options.Subscription, posts: Posts) -> Iterator[Fault]:
    if one.instead_of == name.split(".")[1]:
        yield Fault(name, f"subscribes to {one.operation} instead of itself", "Take instead_of out")
    elif (one.instead_of, one.operation) not in posts:
        yield Fault(
            name,
            f"subscribes to {one.operation} instead of {one.instead_of}, which has no subscription of its own to it",
            "Name a system that subscribes to it, and instead of nobody",
        )


def posts(files: Iterable[FileDescriptorProto]) -> Posts:
    """(system, operation) of every subscription that stands in for no other."""
    found = set()
    for file in files:
        said = [file.options.Extensions[options.back_end].subscribes]
        said += [service.options.Extensions[options.interface].subscribes for service in file.service]
        found |= {(file.package.split(".")[1], one.operation) for some in said for one in some if not one.instead_of}
    return frozenset(found)


def method_faults(
    file: FileDescriptorProto, service: ServiceDescriptorProto, method: MethodDescriptorProto, requests: Requests
) -> Iterator[Fault]:
    """Everything that is wrong with one operation as a message."""
    name = f"{file.package}.{service.name}/{method.name}"
    said = method.options.Extensions[options.operation]
    if not is_message(method):
        if said.HasField("delivery"):
            yield Fault(name, "has a delivery option and returns no Receipt", f"Return {RECEIPT}, or take the option out")
        return
    if not said.HasField("delivery"):
        yield Fault(
            name, "returns Receipt and has no delivery option", "Add delivery: {dedupe_window … retention …} to its operation option"
        )
        return
    if method.server_streaming or method.client_streaming:
        yield Fault(name, "streams and returns Receipt", "Take one message and return one Receipt")
    if method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS:
        yield Fault(name, "is a message and has no side effects", "Mark it IDEMPOTENT, or leave its idempotency_level unset")
    if _seconds(said.delivery.dedupe_window) < SHORTEST_WINDOW:
        yield Fault(name, "forgets idempotency keys before 72 h", "Set delivery.dedupe_window to {seconds: 259200} or more")
    if _seconds(said.delivery.retention) < _seconds(said.delivery.dedupe_window):
        yield Fault(name, "keeps messages for less than the window", "Set delivery.retention to delivery.dedupe_window or more")
    if not key_fields(method, requests, KEYS[0]):
        yield Fault(name, "has no idempotency key", f"Mark a field of {method.input_type.lstrip('.')} with idempotency_key: true")
    request = requests.get(method.input_type)
    for field in request.field if request is not None else ():
        marks = field.options.Extensions[options.field]
        if (marks.idempotency_key or marks.ordering_key) and not _can_be_key(field, requests):
            yield Fault(f"{name} {field.name}", "can't be a key", "Mark a text, a number, an enum, or an identifier with a field `value`")
        if marks.deliver_after and (field.type_name != TIMESTAMP or field.label == FieldDescriptorProto.LABEL_REPEATED):
            yield Fault(f"{name} {field.name}", "is no time to deliver after", "Mark a google.protobuf.Timestamp with deliver_after")
    if len(key_fields(method, requests, "deliver_after")) > 1:
        yield Fault(name, "has several times to deliver after", "Mark one field with deliver_after")


def _can_be_key(field: FieldDescriptorProto, requests: Requests) -> bool:
    if field.label == FieldDescriptorProto.LABEL_REPEATED or field.type in NO_KEYS:
        return False
    if field.type != FieldDescriptorProto.TYPE_MESSAGE:
        return True
    identifier = requests.get(field.type_name)
    return identifier is not None and any(
        one.name == "value" and one.type == FieldDescriptorProto.TYPE_STRING and one.label != FieldDescriptorProto.LABEL_REPEATED
        for one in identifier.field
    )


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
