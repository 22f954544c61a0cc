"""What the mesh is compiled from, beside the contracts: frozen values, so that equal inputs give equal snapshots."""

from dataclasses import dataclass, field
from typing import Final

from hub.mesh.limits import Limits
from hub.mesh.steering import Breaker, CallLimit, Drain, FaultInjection, Maintenance, Pin, Versions

MAX_EJECTION_PERCENT: Final = 50


@dataclass(frozen=True, slots=True, order=True)
class Instance:
    """A process that serves interfaces: one endpoint in Envoy."""

    id: str
    system: str
    interfaces: tuple[str, ...]
    address: str
    """`unix:/path` or `host:port`."""
    version: str = ""
    replica: bool = False
    """Whether its far system is a copy or a simulator."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One consumer and the operations (or patterns of them) that it may call, for which purposes and in which roles."""

    consumer: str
    operations: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    """Words such as `STREET_STOP`; empty for every purpose that an operation permits."""
    roles: tuple[str, ...] = ()
    """One of them must be in the officer's token; empty for any, and for no token."""
    name: str = ""
    """Empty for one that goes by its place."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How often one consumer may call; a rate of 0 leaves it the share that everybody has, a burst of 0 is one second of the rate."""

    consumer: str
    rate_per_second: int = 0
    burst: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call what; whatever no grant names is refused."""

    grants: tuple[Grant, ...] = ()
    limits: tuple[Limit, ...] = ()


OWNERS_WEIGHT: Final = 100
"""What the system that owns an interface gets where traffic says nothing of it; everybody else gets nothing."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Where calls of interfaces go, and what happens to them on the way."""

    shares: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """Interface, then system and weight; a system that is not named there gets nothing."""
    pins: tuple[Pin, ...] = ()
    faults: tuple[FaultInjection, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    limits: tuple[CallLimit, ...] = ()
    breakers: tuple[Breaker, ...] = ()
    drains: tuple[Drain, ...] = ()
    versions: tuple[Versions, ...] = ()
    writers: tuple[tuple[str, str], ...] = ()
    """Interface, and the system that gets all of its calls that are no queries, whatever the shares."""
    epochs: tuple[tuple[str, int], ...] = ()
    """Interface, and a number that grows whenever those calls go to another system."""

    def weights(self, interface: str, systems: tuple[str, ...]) -> tuple[int, ...]:
        """Weights of the systems behind an operation of an interface, its owner first; where none of them has any, the owner gets all."""
        said = next((dict(weights) for name, weights in self.shares if name == interface), {})
        found = tuple(said.get(system, 0) for system in systems)
        return found if any(found) else (OWNERS_WEIGHT, *found[1:])

    @property
    def drained(self) -> frozenset[str]:
        """Systems that are to get no call."""
        return frozenset(one.system for one in self.drains if not one.instance)


AS_OWNED: Final = Traffic()
"""Every call goes to the system that owns its interface."""


def cluster_name(interface: str, system: str) -> str:
    """What Envoy calls the instances of one system of an interface that it does not own: a back end, or a subscriber."""
    return f"{system}/{interface}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """How officer tokens are verified."""

    issuer: str
    audience: str
    keys: str = field(repr=False)
    """The issuer's public keys, a JSON Web Key Set."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Where Envoy sends its spans, and of how many calls."""

    collector: str
    """`host:port`."""
    percent: float


@dataclass(frozen=True, slots=True)
class SignIn:
    """An issuer of OpenID Connect, and who the console is to it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    keys_endpoint: str
    end_session_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    cookie_secret: str = field(repr=False)
    authority: str = field(repr=False)
    """PEM of the authorities that the issuer's own certificate may be from."""
    audience: str
    address: str
    """The console's own, as browsers see it."""
    scopes: tuple[str, ...] = ("openid",)


@dataclass(frozen=True, slots=True)
class Console:
    """The listener that Envoy opens to operators' browsers."""

    port: int
    hub: str
    """Path of the hub's own unix socket."""
    files: str
    """Path of the unix socket on which the hub gives out the console's files."""
    access_log: str = ""
    certificate: str = field(default="", repr=False)
    """PEM; empty for the edge's."""
    key: str = field(default="", repr=False)
    sign_in: SignIn | None = None
    """None where browsers bring a token of the edge's issuer."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The listeners that Envoy opens to consumers, and the identity it shows them."""

    trust_domain: str
    address: str
    port: int
    json_port: int
    certificate: str = field(repr=False)
    """PEM."""
    key: str = field(repr=False)
    authority: str = field(repr=False)
    tokens: Tokens
    access_log: str = ""
    deliveries_port: int = 0
    """Where the hub, and nobody else, hands messages to subscribers; 0 for nowhere."""
    limits: Limits = field(default_factory=Limits)
    traces: Traces | None = None
    """None where Envoy traces nothing."""
    console: Console | None = None
    """None where there is no console."""


CONSOLE_CONSUMER: Final = "console"
HUB_SYSTEM: Final = "hub"
"""The hub among the instances: it serves its own interfaces, and those of messages."""


def hub_identity(trust_domain: str) -> str:
    """The SPIFFE ID under which the hub hands messages to subscribers."""
    return f"spiffe://{trust_domain}/hub"


def console_identity(trust_domain: str) -> str:
    """The SPIFFE ID of the console among consumers: tokens for it are made for this one, and it tries operations out under it."""
    return f"spiffe://{trust_domain}/consumer/{CONSOLE_CONSUMER}"


def adapter_identity(trust_domain: str, system: str) -> str:
    """The SPIFFE ID under which the adapter of a system calls other interfaces."""
    return f"spiffe://{trust_domain}/adapter/{system}"
