"""Services put together from tables: an operation is a handler that is told its request and an empty response."""

import re
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from typing import Any

from google.protobuf import message_factory
from google.protobuf.message import Message

from metip.call import Call

Handler = Callable[[Any, Any, Call], Awaitable[Any]]
"""Takes request, empty response and call; gives the response."""


def served(operations: Iterable[tuple[str, str, Handler]]) -> tuple[object, ...]:
    """A servicer for each interface, of rows of interface, operation and handler. Each takes the request that the contract says.

    A contract's file is named after its service, `example_service.proto` after `ExampleService`. Raises `ImportError` for an interface, and
    `KeyError` for an operation, that no contract declares.
    """
    found: dict[str, dict[str, Any]] = {}
    for interface, operation, handler in operations:
        package, _, name = interface.rpartition(".")
        file = import_module(f"{package}.{re.sub('(?<!^)(?=[A-Z])', '_', name).lower()}_pb2")
        declared = file.DESCRIPTOR.services_by_name[name].methods_by_name[operation]
        found.setdefault(interface, {})[operation] = _method(declared, handler)
    return tuple(type(interface.rpartition(".")[2], (), {"interface": interface, **methods})() for interface, methods in found.items())


def _method(declared: Any, handler: Handler) -> Callable[..., Awaitable[Message]]:
    response: Any = message_factory.GetMessageClass(declared.output_type)

    async def answer(self: object, request: Any, call: Call) -> Message:
        found: Message = await handler(request, response(), call)
        return found

    answer.__annotations__["request"] = message_factory.GetMessageClass(declared.input_type)
    return answer
