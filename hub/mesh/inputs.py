"""What the mesh is compiled from, beside the contracts: frozen values, so that equal inputs give equal snapshots."""

from dataclasses import dataclass, field
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Grant:
    """One consumer and the operations (or patterns of them) that it may call."""

    consumer: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call what; whatever no grant names is refused."""

    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """How officer tokens are verified."""

    issuer: str
    audience: str
    keys: str = field(repr=False)
    """The issuer's public keys, a JSON Web Key Set."""


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


HUB_SYSTEM: Final = "hub"
"""The hub among the instances: it serves its own interfaces, and those of messages."""


def hub_identity(trust_domain: str) -> str:
    """The SPIFFE ID under which the hub hands messages to subscribers."""
    return f"spiffe://{trust_domain}/hub"


def adapter_identity(trust_domain: str, system: str) -> str:
    """The SPIFFE ID under which the adapter of a system calls other interfaces."""
    return f"spiffe://{trust_domain}/adapter/{system}"
