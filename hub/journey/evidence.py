"""What the sources tell of one journey, each of what it saw itself. Nothing in it is personal. Times are Unix times in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from metip.tracing import trace_id


class Source(Enum):
    """Who tells."""

    LEDGER = 1
    EXCHANGE = 2
    ENVOY = 3
    ADAPTER_LOG = 4


@dataclass(frozen=True, slots=True)
class Recorded:
    """One record of the ledger."""

    index: int
    at: float
    """When it was recorded: at the end of what it records."""
    operation: str
    consumer: str
    outcome: str
    call_id: str = ""
    trace: str = ""
    parent: str = ""
    took: float | None = None
    """Seconds."""
    platform: str = ""
    """The system that answered."""
    message_id: str = ""
    recipient: str = ""
    """The system that a message was handed to; empty for anything else."""
    refused: bool = False
    """Whether no handler saw the call."""
    action: bool = False
    """Whether it records what a person did."""
    comparing: bool = False
    """Whether the hub asked in order to compare two platforms."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One line of Envoy's log: a call that it let through, or answered by itself."""

    at: float
    operation: str
    call_id: str
    consumer: str
    answered: bool
    """Whether whom it was sent to answered."""
    outcome: str
    """`OK`, a gRPC status by name, or why Envoy answered by itself."""
    ms: int
    sent: bool = True
    """Whether anything of it was sent on."""
    system: str = ""
    """Whose instances it went to; empty where it went to none."""
    upstream: str = ""
    """The instance's address."""
    trace: str = ""
    parent: str = ""
    message_id: str = ""
    """The message that the hub hands over."""
    attempt: int = 0
    comparing: bool = False
    """Whether the hub asked in order to compare two platforms."""


@dataclass(frozen=True, slots=True)
class Noted:
    """One line of an adapter's log, or of the hub's, at the end of an operation."""

    at: float
    """When it was written: at the end."""
    system: str
    operation: str
    outcome: str
    ms: float
    call_id: str
    consumer: str = ""
    far_ms: float | None = None
    """What of it the far system took; None where the line does not say."""
    comparing: bool = False


@dataclass(frozen=True, slots=True)
class Stepped:
    """One step of a delivery, as the exchange keeps it."""

    subscription: str
    at: float
    began: float
    """When the attempt began; 0 for a step that was none."""
    state: str
    attempt: int
    status: str
    reason: str
    by: str
    """`exchange`, the subscriber's system, or `person`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one delivery stands."""

    subscription: str
    state: str
    attempts: int
    next_at: float
    status: str
    reason: str
    held_back: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """One message as the exchange keeps it."""

    message_id: str
    operation: str
    producer: str
    call_id: str
    trace: str
    accepted: float
    replay_of: str = ""
    deliveries: tuple[Standing, ...] = ()
    steps: tuple[Stepped, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one source reaches."""

    problem: str = ""
    """What keeps it from telling anything; empty where nothing does."""
    since: float = 0.0
    """The first instant of which it can tell; 0 where it tells of all."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a contract says of an operation, as far as its story needs it."""

    personal: bool = False
    """Whether every call of it is recorded."""
    message: bool = False
    """Whether the exchange takes it."""
    far: bool = True
    """Whether its adapter asks a far system; one that consults other interfaces, and the hub itself, do not."""


@dataclass(frozen=True)
class Evidence:
    """Everything that was found of one journey."""

    records: tuple[Recorded, ...] = ()
    passed: tuple[Passed, ...] = ()
    noted: tuple[Noted, ...] = ()
    messages: tuple[Kept, ...] = ()
    reach: Mapping[Source, Reach] = field(default_factory=dict)
    """Sources that are there; one that is not has the problem of not being there."""
    work: Mapping[str, Work] = field(default_factory=dict)
    """By operation."""
    now: float = 0.0
    partial: bool = False
    """Whether there is more than was gathered."""


def trace_of(one: Recorded | Passed | Kept) -> str:
    """The trace that something belongs to: as it says, or as its call id gives it."""
    return one.trace or trace_id("", one.call_id)
