"""What may be said of calls beside who may make them: frozen values, one for each thing that operators set, each known by a key.

A target is an interface (`metip.example.v1.ExampleService`), which stands for all that it offers, or one operation of it
(`metip.example.v1.ExampleService/GetExample`); what is said of an operation goes before what is said of its interface. A consumer is a
SPIFFE ID; an empty one stands for everybody, and what is said of one consumer goes before what is said of everybody.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

Key: TypeAlias = tuple[str, ...]
"""Its kind, such as `pin`, and what it is about. A setting replaces the one of the same key."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How the calls of an interface are shared among the systems behind it; one that is not named gets none."""

    kind: ClassVar = "shares"
    interface: str
    weights: tuple[tuple[str, int], ...]
    """System and weight, by system; at least one is above 0."""
    writes: str = ""
    """The system that gets all that is no query, as far as it serves it, whatever the weights: what writes is never split. Empty for as the
    weights say."""

    @property
    def key(self) -> Key:
        """By interface."""
        return self.kind, self.interface


@dataclass(frozen=True, slots=True)
class Pin:
    """One consumer's calls of an interface go to one system, whatever the shares say."""

    kind: ClassVar = "pin"
    interface: str
    consumer: str
    system: str

    @property
    def key(self) -> Key:
        """By interface and consumer."""
        return self.kind, self.interface, self.consumer


@dataclass(frozen=True, slots=True)
class FaultInjection:
    """Calls are held back, or ended, on purpose."""

    kind: ClassVar = "fault"
    target: str
    consumer: str = ""
    delay: float = 0.0
    """Seconds."""
    delay_percent: float = 0.0
    abort: str = ""
    """The gRPC status by name, such as `UNAVAILABLE`; empty for none."""
    abort_percent: float = 0.0

    @property
    def key(self) -> Key:
        """By target and consumer."""
        return self.kind, self.target, self.consumer


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Calls are answered by Envoy itself: UNAVAILABLE, with a text for whoever calls."""

    kind: ClassVar = "maintenance"
    target: str
    text: str
    """Reaches callers, so nothing personal."""
    until: float = 0.0
    """Unix seconds at which it is expected to be over, for callers to read; 0 for unknown. It ends nothing."""
    retry_after: float = 60.0
    """Seconds, which callers are told to wait."""

    @property
    def key(self) -> Key:
        """By target."""
        return self.kind, self.target


@dataclass(frozen=True, slots=True)
class CallLimit:
    """How often an interface may be called: by one consumer, or by everybody together."""

    kind: ClassVar = "limit"
    interface: str
    rate_per_second: int
    consumer: str = ""
    burst: int = 0
    """Calls at once; 0 for one second of the rate."""

    @property
    def key(self) -> Key:
        """By interface and consumer."""
        return self.kind, self.interface, self.consumer


@dataclass(frozen=True, slots=True)
class Breaker:
    """How much one system behind an interface may be asked at once, and when an instance of it is left alone; 0 for the platform's own."""

    kind: ClassVar = "breaker"
    interface: str
    system: str
    max_requests: int = 0
    max_pending: int = 0
    max_connections: int = 0
    failures_to_eject: int = 0
    ejected_for: float = 0.0
    """Seconds."""

    @property
    def key(self) -> Key:
        """By interface and system."""
        return self.kind, self.interface, self.system


@dataclass(frozen=True, slots=True)
class Drain:
    """A system, or one instance of it, gets no new call; calls in progress end as they would."""

    kind: ClassVar = "drain"
    system: str
    instance: str = ""
    """Its id in the registry; empty for the whole system, whose subscriptions then rest too."""
    text: str = ""
    """What callers are told where no other system can answer."""

    @property
    def key(self) -> Key:
        """By system and instance."""
        return self.kind, self.system, self.instance


@dataclass(frozen=True, slots=True)
class Versions:
    """How the calls that one system gets are shared among versions of its adapter; one that is not named gets none."""

    kind: ClassVar = "versions"
    system: str
    weights: tuple[tuple[str, int], ...]
    """Version, as instances register it, and weight."""

    @property
    def key(self) -> Key:
        """By system."""
        return self.kind, self.system


Steering: TypeAlias = Shares | Pin | FaultInjection | Maintenance | CallLimit | Breaker | Drain | Versions
"""What Envoy carries out."""
