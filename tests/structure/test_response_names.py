"""Two of buf's rules, for operations that are no messages: a response is named after its operation, and no two operations share one.

buf can't be told of the one exception, the receipt that every message operation returns, so its own two rules are off.
"""

import importlib.resources

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from metip.contracts import DESCRIPTORS
from metip.contracts.messages import RECEIPT

DECLARED = [
    (f"{file.package}.{service.name}/{method.name}", method.name, method.input_type.lstrip("."), method.output_type.lstrip("."))
    for file in FileDescriptorSet.FromString(importlib.resources.files("metip.contracts").joinpath(DESCRIPTORS).read_bytes()).file
    if file.package.startswith("metip.")
    for service in file.service
    for method in service.method
]


def test_a_request_and_a_response_are_named_after_their_operation() -> None:
    wrong = [
        operation
        for operation, method, request, response in DECLARED
        if not request.endswith(f".{method}Request") or not (response == RECEIPT or response.endswith(f".{method}Response"))
    ]
    assert wrong == []


def test_no_two_operations_share_a_request_or_a_response() -> None:
    used = [message for _, _, request, response in DECLARED for message in (request, response) if message != RECEIPT]
    assert sorted({message for message in used if used.count(message) > 1}) == []
