"""What the exchange speaks of: messages, subscriptions, deliveries and their attempts, as frozen values."""

from dataclasses import dataclass, field
from enum import Enum

from hub.exchange.life import Event, State


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as a producer hands it over."""

    operation: str
    """Full name of the rpc."""
    body: bytes = field(repr=False)
    """The request's own bytes, unread."""
    idempotency_key: str = field(repr=False)
    ordering_key: str = field(default="", repr=False)
    """Messages of one key are delivered in order of acceptance; empty when order does not matter."""
    producer: str = ""
    """SPIFFE ID."""
    call_id: str = ""
    not_before: float = 0.0
    """Unix time before which it is not delivered; 0 for at once."""
    expires: float = 0.0
    """Unix time after which it is of no use; 0 for never."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the producer is told once the message is on disk."""

    message_id: str
    accepted: float
    """Unix time."""
    duplicate_of: str = ""
    """The first message with the same idempotency key, when this is not the first."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A durable interest of one system in one message operation."""

    system: str
    operation: str
    write_once: bool = False
    """Whether a lost attempt is in doubt rather than repeated."""
    parked_blocks: bool = True
    """Whether a parked message holds back later ones of its own key; it never holds back another key."""
    paused: bool = False

    @property
    def name(self) -> str:
        """Its name: `<system>:<operation>`."""
        return f"{self.system}:{self.operation}"


class Start(Enum):
    """From where a new subscription takes messages."""

    NOW = "now"
    BEGINNING = "beginning"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery under way: what to send, and how often it was tried before."""

    sequence: int
    """Position of the message in the exchange; with the subscription it names the delivery."""
    subscription: str
    message_id: str
    operation: str
    body: bytes = field(repr=False)
    number: int
    """1 for the first attempt."""
    redelivery: bool
    """Whether an earlier attempt may have reached the subscriber."""
    accepted: float
    expires: float
    call_id: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ended."""

    sequence: int
    subscription: str
    number: int
    """The attempt that it settles; a settlement of an older attempt is ignored."""
    event: Event
    status: str = ""
    """gRPC status by name."""
    reason: str = ""
    """Reason of the ErrorInfo, or of the platform; never a far system's words."""
    retry_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in the life of a delivery, as it is kept for ever."""

    subscription: str
    at: float
    state: State
    attempt: int
    status: str
    reason: str
    by: str
    """Who moved it: the exchange itself, or a person."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where one delivery stands."""

    sequence: int
    message_id: str
    operation: str
    subscription: str
    state: State
    attempts: int
    next_at: float
    status: str
    reason: str
    accepted: float


class ExchangeFullError(Exception):
    """No room: the backlog of a subscription, or the disk. Nothing was accepted."""


class ExchangeBrokenError(Exception):
    """The store failed to make something durable; the process must stop and start again from what is on disk."""
