"""The nine ways in which nobody may call any operation, and what each is refused with; made from one recorded request for each operation.

`WAYS` is the matrix by operation: `applies` says for which operations a way is one at all (where a contract reads no token, a bad one is no
offence). Certificates and tokens come from `hostile_certificates` and `hostile_tokens`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from cases import case_files, read_case, request_message
from google.protobuf import descriptor_pool, message_factory, text_format
from google.protobuf.message import Message

from adapters.kit.serving import installed_contracts
from metip.contracts import Operation
from metip.exchange.v1 import exchange_service_pb2

UNKNOWN_PURPOSE: Final = 9999
EXCHANGE: Final = exchange_service_pb2.DESCRIPTOR.services_by_name["ExchangeService"].full_name
_MESSAGE: Final = "00000000-0000-8000-8000-000000000001"
UNRECORDED: Final[Mapping[str, str]] = {
    # Operations of the platform itself, which have no recorded cases: a request that would be good.
    "PauseSubscription": 'subscription: "any:one" paused: true',
    "ListDeliveries": "page_size: 10",
    "GetMessage": f'message_id: "{_MESSAGE}"',
    "Decide": f'decision: DECISION_PURGE deliveries {{message_id: "{_MESSAGE}" subscription: "any:one"}}',
    "ListOwners": 'operation: "any"',
    "MoveOwner": 'operation: "any" scope: MOVE_SCOPE_ALL to: "any"',
    "HandOver": 'operation: "any" from: "any" to: "one"',
    "PlanReplay": 'filter {subscription: "any:one"}',
    "ApproveReplay": f'plan_id: "{_MESSAGE}"',
    "Replay": f'plan_id: "{_MESSAGE}"',
    "FindMessages": 'call_id: "any"',
    "NoteGroup": 'subscription: "any:one" state: STATE_PARKED words: "Somebody looks at it."',
}


@dataclass(frozen=True)
class Way:
    """One way to be refused."""

    status: str
    reasons: frozenset[str]
    applies: Callable[[Operation], bool]
    reaches_adapter: bool = False
    """Whether it takes the typed request to tell, which Envoy does not read."""


def _officer_needed(operation: Operation) -> bool:
    return operation.officer_required


def _token_read(operation: Operation) -> bool:
    return operation.officer_admissible


def _with_purpose(operation: Operation) -> bool:
    return operation.personal and operation.name in recorded()


def _always(_: Operation) -> bool:
    return True


WAYS: Final[Mapping[str, Way]] = {
    "without_a_certificate": Way("NO_CONNECTION", frozenset(), _always),
    "with_a_certificate_of_another_authority": Way("NO_CONNECTION", frozenset(), _always),
    "without_a_grant": Way("PERMISSION_DENIED", frozenset({"NOT_GRANTED"}), _always),
    "with_a_forged_identity_header": Way("PERMISSION_DENIED", frozenset({"NOT_GRANTED"}), _always),
    "without_a_token": Way("UNAUTHENTICATED", frozenset({"OFFICER_NEEDED"}), _officer_needed),
    "with_a_forged_officer_header": Way("UNAUTHENTICATED", frozenset({"OFFICER_NEEDED"}), _officer_needed),
    "with_an_expired_token": Way("UNAUTHENTICATED", frozenset({"TOKEN_EXPIRED"}), _token_read),
    "with_a_forged_token": Way("UNAUTHENTICATED", frozenset({"TOKEN_REFUSED"}), _token_read),
    "with_a_token_for_another_platform": Way("PERMISSION_DENIED", frozenset({"TOKEN_WRONG_AUDIENCE"}), _token_read),
    "with_a_token_of_another_consumer": Way("PERMISSION_DENIED", frozenset({"TOKEN_OF_ANOTHER"}), _token_read),
    "with_an_unknown_purpose": Way("INVALID_ARGUMENT", frozenset({"INVALID_REQUEST"}), _with_purpose, reaches_adapter=True),
    "without_a_purpose": Way("INVALID_ARGUMENT", frozenset({"INVALID_REQUEST"}), _with_purpose, reaches_adapter=True),
    "with_a_forbidden_purpose": Way(
        "PERMISSION_DENIED",
        frozenset({"PURPOSE_NOT_PERMITTED"}),
        lambda operation: _with_purpose(operation) and forbidden_purpose(operation) is not None,
        reaches_adapter=True,
    ),
}


@cache
def operations() -> Mapping[str, Operation]:
    """Every operation that the edge has a route for."""
    return {
        operation.name: operation
        for interface in installed_contracts(date.min).interfaces
        if not interface.private
        for operation in interface.operations
        if not operation.client_streams
    }


@cache
def recorded() -> Mapping[str, Message]:
    """A good request by operation, where a case answers one or the table above has one."""
    found: dict[str, Message] = {}
    for path in case_files():
        one = read_case(path)
        if one.case.WhichOneof("outcome") == "answered" and one.operation.name not in found:
            found[one.operation.name] = request_message(one)
    for name, text in UNRECORDED.items():
        operation = operations()[f"{EXCHANGE}/{name}"]
        kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(operation.request))
        access = 'access {purpose: PURPOSE_AUDIT justification: "a test asks" reference: "CASE 1"}'
        found[operation.name] = text_format.Parse(f"{access} {text}", kind())
    return found


def request_of(operation: Operation, purpose: int | None = None) -> bytes:
    """The recorded request, with another purpose if one is given; nothing where no case has one."""
    if operation.name not in recorded():
        return b""
    request: Any = type(recorded()[operation.name]).FromString(recorded()[operation.name].SerializeToString())
    if purpose is not None:
        request.access.purpose = purpose
    data: bytes = request.SerializeToString()
    return data


def forbidden_purpose(operation: Operation) -> int | None:
    """A purpose that there is and that the operation does not permit; None where it permits all."""
    request: Any = recorded()[operation.name]
    numbers = request.access.DESCRIPTOR.fields_by_name["purpose"].enum_type.values_by_number
    return next((number for number in numbers if number and number not in operation.purpose_numbers), None)


def words_of(message: Message) -> frozenset[str]:
    """Every text in a message that could name somebody: those of five letters or more, in any depth."""
    found: set[str] = set()
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for one in values.values() if hasattr(values, "values") else values:
            if isinstance(one, Message):
                found |= words_of(one)
            elif isinstance(one, str) and len(one) >= 5:
                found.add(one)
    return frozenset(found)


CASES: Final = [(way, name) for way, one in WAYS.items() for name, operation in operations().items() if one.applies(operation)]
