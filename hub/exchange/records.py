"""What the exchange speaks of: messages, deliveries, attempts and steps, as values. Times are Unix times in seconds.

Nobody changes one. Arrivals and what is said of them are not frozen, as each message would pay 2 µs for that.
"""

from dataclasses import dataclass, field

from hub.exchange.life import Event, State


@dataclass(slots=True)
class Arrival:
    """A message as a producer hands it over."""

    operation: str
    """Full name of the rpc."""
    body: bytes = field(repr=False)
    """The request's own bytes, as they came."""
    idempotency_key: str = field(repr=False)
    ordering_key: str = field(default="", repr=False)
    """Messages of one key are delivered in order of acceptance; empty when order does not matter."""
    producer: str = ""
    """SPIFFE ID."""
    officer: str = field(default="", repr=False)
    """The verified token's payload, as Envoy sent it; empty when nobody stood behind the call."""
    call_id: str = ""
    not_before: float = 0.0
    """Not delivered before; 0 for at once."""
    expires: float = 0.0
    """Of no use after; 0 for never."""
    window: float = 72 * 3600.0
    """Seconds within which an equal idempotency key makes it a duplicate."""


@dataclass(slots=True)
class Accepted:
    """What the producer is told once the message is on disk."""

    message_id: str
    accepted: float
    duplicate_of: str = ""
    """The first message with the same idempotency key, when this is not the first."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery under way: what to send, and how often it was tried before."""

    sequence: int
    """Position of the message in the exchange; with the subscription it names the delivery."""
    subscription: str
    message_id: str
    body: bytes = field(repr=False)
    number: int
    """1 for the first attempt."""
    tries: int
    """The same, counted anew when a person released the delivery."""
    redelivery: bool
    """Whether an earlier attempt may have reached the subscriber."""
    first_began: float
    """When the first attempt began, or the first after a person released it."""
    accepted: float
    producer: str
    officer: str = field(repr=False)
    call_id: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ended."""

    sequence: int
    number: int
    """The attempt that it settles; a settlement of an older attempt is ignored."""
    event: Event
    status: str = ""
    """gRPC status by name."""
    reason: str = ""
    """Reason of the ErrorInfo, or of the platform; never a far system's words."""
    retry_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a subscription may do next."""

    attempts: tuple[Attempt, ...]
    due: float | None
    """When the next delivery comes due that is not due yet; None when there is none."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the life of a delivery, kept as long as its message."""

    sequence: int
    subscription: str
    at: float
    began: float
    """When the attempt began; 0 for a step that was none."""
    state: State
    attempt: int
    status: str
    reason: str
    by: str
    """Who moved it: the exchange itself, the subscriber, or a person."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where one delivery stands."""

    sequence: int
    message_id: str
    subscription: str
    state: State
    attempts: int
    next_at: float
    status: str
    reason: str
    accepted: float
    ordering_key: str = field(repr=False)
    held_back: bool
    """Whether an earlier message of its key is in its way."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is kept."""

    sequence: int
    message_id: str
    operation: str
    body: bytes = field(repr=False)
    producer: str
    call_id: str
    accepted: float
    replay_of: str
    officer: str = field(default="", repr=False)
    """The verified token's payload of whoever stood behind the producer's call; empty when nobody did."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did to messages, deliveries or a subscription."""

    place: int
    """Its place among the acts, from 1."""
    at: float
    by: str = field(repr=False)
    """Warrant number."""
    what: str
    subject: str
    """A subscription, a plan, or a message id and a subscription."""
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """Finds deliveries; what is empty finds all."""

    subscription: str = ""
    operation: str = ""
    states: frozenset[State] = frozenset()
    key: str = field(default="", repr=False)
    """An idempotency or ordering key, in full."""
    reason: str = ""
    accepted_from: float = 0.0
    accepted_before: float = 0.0
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Deliveries that wait for a person for one cause."""

    subscription: str
    state: State
    status: str
    reason: str
    deliveries: int
    oldest: float
    example: str
    """A message id."""


@dataclass(frozen=True, slots=True)
class Account:
    """A subscription's accounts: deliveries by state add up to all that it was given and that is kept."""

    subscription: str
    system: str
    operation: str
    paused: bool
    counts: dict[State, int]
    oldest_waiting: float
    """When the oldest message that still moves by itself was accepted; 0 when none does."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A replay that was planned: a stable set of deliveries."""

    plan_id: str
    made_by: str
    counts: dict[State, int]
    operations: frozenset[str]
    expires: float
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a replay."""

    replayed: int
    left: int
    """Under way anyhow, or gone."""
    message_ids: tuple[str, ...] = ()
    """Messages that are now delivered: those released, and those made anew."""


class ExchangeError(Exception):
    """The exchange can't do what was asked, and did nothing of it."""


class FullError(ExchangeError):
    """No room: a backlog, the line for the disk, or the disk. Nothing was accepted."""


class UnknownError(ExchangeError):
    """There is no such message, delivery, subscription or plan."""


class ForbiddenError(ExchangeError):
    """Somebody else has to do that."""


class NotAllowedError(ExchangeError):
    """The delivery, or the plan, is not in a state in which that can be done."""


class BrokenError(ExchangeError):
    """The store could not make something durable; the process must stop and start again from what is on disk."""
