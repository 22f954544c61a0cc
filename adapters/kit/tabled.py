"""Services put together from tables: an operation is a handler that is told its request and an empty response."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from metip.call import Call

Handler = Callable[[Any, Any, Call], Awaitable[Any]]
"""Takes request, empty response and call; gives the response."""


def service(interface: str, operations: Mapping[str, Handler]) -> object:
    """A servicer of an interface: its operations by name. Each takes the request that the contract says. Raises `KeyError` for an interface
    or an operation that no contract declares."""
    methods = {name: _method(interface, name, handler) for name, handler in operations.items()}
    return type(interface.rpartition(".")[2], (), {"interface": interface, **methods})()


def _method(interface: str, name: str, handler: Handler) -> Callable[..., Awaitable[Message]]:
    method: Any = descriptor_pool.Default().FindServiceByName(interface).methods_by_name[name]
    response: Any = message_factory.GetMessageClass(method.output_type)

    async def answer(self: object, request: Any, call: Call) -> Message:
        found: Message = await handler(request, response(), call)
        return found

    answer.__annotations__["request"] = message_factory.GetMessageClass(method.input_type)
    return answer
