"""What the exchange speaks of: messages, deliveries, attempts and steps, as values. Times are Unix times in seconds.

Nobody changes one. Arrivals and what is said of them are not frozen, as each message would pay 2 µs for that.
"""

from dataclasses import dataclass, field
from enum import Enum

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
    traceparent: str = ""
    """The W3C trace context of the call that brought it; empty when the caller traced nothing."""


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
    token: str = ""
    """Whose the message is, where several systems might deliver it (`metip.tokens`); empty otherwise."""
    traceparent: str = ""


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
    traceparent: str = ""


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
    """Or an interface, for all of its operations."""
    states: frozenset[State] = frozenset()
    key: str = field(default="", repr=False)
    """An idempotency or ordering key, in full."""
    reason: str = ""
    accepted_from: float = 0.0
    accepted_before: float = 0.0
    message_ids: tuple[str, ...] = ()

    def looks_in(self, subscription: str, operation: str) -> bool:
        """Whether it can find anything among the deliveries of a subscription of an operation."""
        named = self.operation in ("", operation) or operation.startswith(f"{self.operation}/")
        return named and self.subscription in ("", subscription)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why deliveries wait for a person: what a group of them has in common."""

    subscription: str
    state: State
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody said of a group, naming nobody."""

    at: float
    by: str
    """Warrant number, or the operator."""
    words: str


@dataclass(frozen=True, slots=True)
class Group:
    """Deliveries that wait for a person for one cause."""

    cause: Cause
    deliveries: int
    oldest: float
    example: str
    """A message id."""
    notes: tuple[Note, ...] = ()
    """The latest first."""


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


class Scope(Enum):
    """What is moved from one platform to another."""

    KEY = "key"
    """One ordering key, which stays where it was put whatever becomes of the others."""
    ALL = "all"
    """Every key that was not put elsewhere by itself."""
    NEW = "new"
    """Keys that nobody owns yet: a case that began on one platform ends there."""
    CUT = "cut"
    """Whatever comes after the cursor, while what came before it is finished where it is: the hand-over of a subscription."""


class Stage(Enum):
    """How far a move is."""

    DRAINING = "draining"
    """What is under way ends; nothing new is begun."""
    FENCING = "fencing"
    """Whoever is not to own it any more is being told so, for good."""
    FINISHING = "finishing"
    """Of a cut: the new owner is at work; the old one finishes what it has, and is fenced when it has."""
    MOVED = "moved"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class Move:
    """One move of messages from one platform to another."""

    move_id: str
    post: str
    """The subscription that they deliver in the place of, `<system>:<operation>`; of calls that are no messages, the operation."""
    scope: Scope
    to: str
    """A system."""
    stage: Stage
    number: int
    """The fencing token from then on; 0 before there is one."""
    began: float
    deliveries: int = 0
    """How many that waited were moved with it."""
    waits_for: str = ""
    """What has to end first."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns the messages of a post."""

    post: str
    operation: str
    owner: str
    """The system that gets keys which nobody owns yet."""
    number: int
    systems: tuple[str, ...]
    """All that may own them."""
    keys: dict[str, int]
    """How many keys each system owns."""
    ejected: dict[str, int]
    """How many of them were put there by themselves."""
    unfinished: dict[str, int]
    """How many deliveries each has that are not done."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a system must not take any more: anything of a post, or of one key of it, with a lower number."""

    number: int
    post: str
    digest: str
    """Of the key, as tokens have it; empty for all keys."""


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
