"""Spans of what this process does of a traced call. Whether a call is traced Envoy decides, at the edge; here its decision is followed.

The law: a call that is not traced pays for one comparison. Nothing is imported, measured or kept for it, and without a collector in the
settings that holds for every call. A span holds names of operations and systems, outcomes and ids of calls and messages, nothing else:
what is not in `ATTRIBUTES` can't be said of one.

The tracer is one for the process, as in OpenTelemetry's own interface: what asks a far system should not have to be handed it.
"""

from enum import Enum
from typing import Final, Protocol

ATTRIBUTES: Final = frozenset(
    {
        "rpc.system",
        "rpc.service",
        "rpc.method",
        "server.address",
        "messaging.system",
        "messaging.message.id",
        "messaging.destination.name",
        "metip.system",
        "metip.call_id",
        "metip.attempt",
    }
)
"""What may be said of a span; the first ones are OpenTelemetry's own names. How it ended comes with `end`."""
LENGTH: Final = 55
"""Letters of a `traceparent` of version 00 (W3C Trace Context)."""


class Role(Enum):
    """Which side of a call or a message a span is."""

    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """One span that has begun."""

    @property
    def traceparent(self) -> str:
        """The context in which whatever follows from it is asked."""

    def end(self, outcome: str) -> None:
        """Ends it: `OK`, or the reason why not."""


class Tracer(Protocol):
    """Makes spans."""

    def begin(self, name: str, role: Role, parent: str, attributes: dict[str, str]) -> Span:
        """Begins one under the parent's context."""


_tracers: list[Tracer] = []


def install(tracer: Tracer) -> None:
    """From now on this process has a tracer."""
    _tracers[:] = [tracer]


def uninstall() -> None:
    """From now on it has none."""
    _tracers.clear()


def sampled(traceparent: str) -> bool:
    """Whether whoever began the trace decided to keep it."""
    return len(traceparent) == LENGTH and traceparent[-1] in "13579bdf" and traceparent.startswith("00-")


def begin(name: str, role: Role, parent: str, **attributes: str) -> Span | None:
    """Begins a span; None where the call is not traced. In names of attributes `__` stands for a dot."""
    if not _tracers or not sampled(parent):
        return None
    said = {key.replace("__", "."): value for key, value in attributes.items() if value}
    if not said.keys() <= ATTRIBUTES:
        raise ValueError(f"{', '.join(sorted(said.keys() - ATTRIBUTES))}: that is not said of a span")
    return _tracers[0].begin(name, role, parent, said)


def begin_call(operation: str, role: Role, parent: str, **attributes: str) -> Span | None:
    """The same for a call of an operation, `metip.example.v1.ExampleService/GetExample`."""
    if not _tracers or not sampled(parent):
        return None
    service, _, method = operation.partition("/")
    return begin(operation, role, parent, rpc__system="grpc", rpc__service=service, rpc__method=method, **attributes)
