"""What a contract says, as frozen values that the rest of the platform derives everything from."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cached_property
from typing import Final

NEW: Final = "METIP2"
"""The new platform, which a system belongs to unless its contract says otherwise."""


class DeliveryClass(Enum):
    """How often the platform may run an operation; it is protobuf's own `idempotency_level` under the names of operations staff."""

    READ = "NO_SIDE_EFFECTS"
    """A query: may be retried, hedged, compared."""
    WRITE_IDEMPOTENT = "IDEMPOTENT"
    """A command with an idempotency key: may be retried."""
    WRITE_ONCE = "IDEMPOTENCY_UNKNOWN"
    """A command that the platform never repeats."""

    @property
    def repeatable(self) -> bool:
        """Whether the platform may run the operation again after it gave no answer."""
        return self is not DeliveryClass.WRITE_ONCE


@dataclass(frozen=True, slots=True)
class Dpia:
    """A data protection impact assessment (Data Protection Act 2018 section 64)."""

    reference: str
    review_by: date


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the exchange keeps the messages of one operation; times in seconds."""

    dedupe_window: float
    retention: float
    max_age: float
    """0 for never."""
    delay: float = 0.0
    """How long each message is held back after it was accepted."""
    after_field: str = ""
    """The field of the request that says before when a message is not delivered; empty when there is none."""


class Start(Enum):
    """From where a new subscription takes messages."""

    BEGINNING = "beginning"
    NOW = "now"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One system's durable interest in one message operation; times in seconds."""

    system: str
    operation: str
    start: Start = Start.BEGINNING
    start_at: float = 0.0
    """Unix time, for `Start.TIME`."""
    first_delay: float = 1.0
    longest_delay: float = 60.0
    give_up_after: float = 72 * 3600.0
    attempt_timeout: float = 30.0
    write_once: bool = False
    """Whether an attempt without an answer is in doubt rather than repeated."""
    parked_blocks: bool = True
    """Whether a parked message holds back later ones of its own key; it never holds back another key."""
    in_flight: int = 32
    backlog: int = 2_000_000
    instead_of: str = ""
    """The system in whose place it delivers; empty for a subscription that gets every message."""

    @property
    def name(self) -> str:
        """Its name, `<system>:<operation>`."""
        return f"{self.system}:{self.operation}"

    @property
    def post(self) -> str:
        """The name of the subscription in whose place it delivers, or its own: those of one post share its messages among them."""
        return f"{self.instead_of or self.system}:{self.operation}"


@dataclass(frozen=True)
class Operation:
    """One rpc and all that follows from its contract."""

    name: str
    """Full name, `metip.example.v1.ExampleService/GetExample`."""
    description: str
    """The contract's comment."""
    delivery_class: DeliveryClass
    timeout: float
    """Seconds; never zero."""
    verb: str
    """The section 62 verb, `CONSULTATION` and so on, or `NONE`."""
    purposes: tuple[str, ...]
    purpose_numbers: frozenset[int]
    mirror: str
    consults: tuple[str, ...]
    officer_required: bool
    justification_required: bool
    max_request_bytes: int
    request: str
    """Full name of the request message."""
    reply: str
    client_streams: bool
    server_streams: bool
    delivery: Delivery | None = None
    """How its messages are kept; None for an operation that is answered at once."""
    idempotency_fields: tuple[str, ...] = ()
    """Fields of the request whose values, together, make two messages the same one."""
    ordering_fields: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The HTTP/2 path of the rpc."""
        return f"/{self.name}"

    @property
    def interface(self) -> str:
        """Full name of the interface it belongs to."""
        return self.name.partition("/")[0]

    @property
    def method(self) -> str:
        """Name of the rpc within its interface."""
        return self.name.partition("/")[2]

    @property
    def personal(self) -> bool:
        """Whether the operation touches personal data, so that purpose and record are demanded."""
        return self.verb != "NONE"

    @property
    def comparable(self) -> bool:
        """Whether both platforms may be asked the same: a query whose mirror policy is not `NEVER`. That permits the purpose
        `MIGRATION_TEST`, which the contract need not list, to the hub's comparison and to nobody else (`metip.admission`)."""
        return self.mirror != "NEVER" and self.delivery_class is DeliveryClass.READ

    @property
    def officer_admissible(self) -> bool:
        """Whether an officer token is read at all; operations without personal data have no use for one."""
        return self.personal


@dataclass(frozen=True)
class Interface:
    """One protobuf service, owned by one system."""

    name: str
    system: str
    description: str
    owner: str
    dpia: Dpia
    classification: str
    legal_regime: str
    private: bool
    operations: tuple[Operation, ...]
    subscribes: tuple[Subscription, ...] = ()
    wire: str = ""
    """What its adapter and its system speak, in a few words."""

    @property
    def of_messages(self) -> bool:
        """Whether the exchange serves it: its operations are messages, all or none."""
        return any(operation.delivery is not None for operation in self.operations)


@dataclass(frozen=True, slots=True)
class BackEnd:
    """A system that serves operations of interfaces which another system owns."""

    system: str
    owner: str
    dpia: Dpia
    serves: tuple[str, ...]
    """Full names of operations."""
    subscribes: tuple[Subscription, ...] = ()
    platform: str = NEW
    """Which of the two platforms it is while both run."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with a contract; `fix` says what to write."""

    element: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.element}: {self.problem}. {self.fix}"


@dataclass(frozen=True, slots=True, order=True)
class Review:
    """An impact assessment that is to be reviewed soon: past that date the interface or back end would not load."""

    review_by: date
    element: str
    reference: str
    days: int
    """Days that are left; 0 on the last one, negative once it is overdue."""

    def __str__(self) -> str:
        when = f"in {self.days} days" if self.days > 1 else "tomorrow" if self.days == 1 else "today" if not self.days else "overdue"
        return f"{self.element}: its DPIA {self.reference} is to be reviewed by {self.review_by}, {when}"


@dataclass(frozen=True)
class Contracts:
    """Every interface that loaded, and every fault of those that did not."""

    interfaces: tuple[Interface, ...]
    faults: tuple[Fault, ...]
    descriptor_set: bytes
    """The FileDescriptorSet that all this was read from, for reflection and transcoding."""
    back_ends: tuple[BackEnd, ...] = ()
    """By system."""

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Operations by full name."""
        return {operation.name: operation for interface in self.interfaces for operation in interface.operations}

    @cached_property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """Every subscription to an operation that loaded, by name."""
        wanted = [one for interface in self.interfaces for one in interface.subscribes]
        wanted += [one for back_end in self.back_ends for one in back_end.subscribes]
        return tuple(sorted((one for one in wanted if one.operation in self.operations), key=lambda one: one.name))

    def post(self, system: str, operation: str) -> str:
        """The post of a system's subscription that others may hold too (`Subscription.post`); empty where it gets every message."""
        posts = {one.system: one.post for one in self.subscriptions if one.operation == operation}
        mine = posts.get(system, "")
        return mine if list(posts.values()).count(mine) > 1 else ""

    def serving(self, operation: str) -> tuple[str, ...]:
        """Systems that serve an operation beside the one that owns it, by name."""
        return tuple(one.system for one in self.back_ends if operation in one.serves)

    def contended(self, operation: Operation) -> bool:
        """Whether two systems could execute a call that writes, so that each must know whose it is. Messages have owners of their own."""
        return operation.delivery_class is not DeliveryClass.READ and operation.delivery is None and bool(self.serving(operation.name))

    def back_ends_of(self, interface: str) -> tuple[str, ...]:
        """Systems that serve any operation of an interface beside the one that owns it, by name."""
        return tuple(one.system for one in self.back_ends if any(name.partition("/")[0] == interface for name in one.serves))

    def platform(self, system: str) -> str:
        """Which of the two platforms a system is while both run: METIP, the old one, or METIP2."""
        return next((one.platform for one in self.back_ends if one.system == system), NEW)

    def served_by(self, system: str, interface: Interface) -> tuple[Operation, ...]:
        """What a system's adapter must serve of an interface: as much as its own contract says, or all."""
        listed = {name for one in self.back_ends if one.system == system for name in one.serves}
        return tuple(one for one in interface.operations if one.name in listed) or interface.operations

    def interface(self, name: str) -> Interface:
        """The interface of that full name; `KeyError` when it did not load."""
        for interface in self.interfaces:
            if interface.name == name:
                return interface
        raise KeyError(name)
