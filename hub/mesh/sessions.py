"""The two xDS protocols as state without I/O: what one Envoy asked for, what it was sent, and what it answered.

The laws, for both protocols:
- a response answers a subscription: nothing is sent that was not asked for, by name or by wildcard;
- types go out in `SEND_ORDER`; no type waits for the answer to another, since Envoy holds back the acknowledgement of a
  cluster until its endpoints have come;
- what was sent is never sent again unless it differs, is asked for again, or what needs it was sent anew: Envoy warms
  a changed cluster only when its endpoints come again, and a changed listener when its routes do (Envoy's xDS
  protocol, "Resource warming");
- so a refused version is not sent again, and the version before it is, as soon as it is served again.

State of the world: a response holds everything that is wanted of its type, and a cluster or listener that is missing is
deleted. A request with any nonce but the last is stale and ignored altogether: Envoy may have given a name up and asked
for it again meanwhile, so the response that made it stale must hold that name again. Delta: only differences go out,
removals are named, and each response is answered by its own nonce.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Generic, TypeVar

from envoy_data_plane.envoy.service.discovery import v3 as discovery
from envoy_data_plane.google.protobuf import Any

from hub.mesh.resources import NEEDED_BY, SEND_ORDER, Resource, ResourceType, Snapshot

COMPLETE: Final = frozenset({ResourceType.CLUSTER, ResourceType.LISTENER})
"""The types that Envoy may ask for by wildcard, and of which a state-of-the-world response is the whole truth."""

UNANSWERED_LIMIT: Final = 16
"""Responses of one type that an Envoy may leave unanswered before it is sent no more of that type."""

MESSAGE_LIMIT: Final = 2000
"""Characters kept of what an Envoy says of a refusal."""

PACKED_LIMIT: Final = 1024
"""Resources kept ready to send; at some 3 kB for a cluster, 3 MB."""

_ABSENT: Final = ""
_BY_URL: Final[Mapping[str, ResourceType]] = {kind.value: kind for kind in SEND_ORDER}

RequestT = TypeVar("RequestT", discovery.DiscoveryRequest, discovery.DeltaDiscoveryRequest)


@dataclass(frozen=True)
class Answer:
    """What an Envoy says to a response: taken (`refusal` is None), or refused and why."""

    type: ResourceType
    version: str
    refusal: str | None = None


@dataclass(frozen=True)
class _Sent:
    """A response that waits for its answer."""

    version: str
    gone: tuple[str, ...]


@dataclass
class Subscription:
    """One type on one stream. `held` is name to version as last sent (or as a returning Envoy says it has)."""

    wildcard: bool = False
    explicit: bool = False
    names: set[str] = field(default_factory=set)
    held: dict[str, str] = field(default_factory=dict)
    unanswered: dict[str, _Sent] = field(default_factory=dict)  # by nonce, oldest first
    lingering: set[str] = field(default_factory=set)  # names whose removal was refused: named again in the next response
    overtaken: bool = False  # the next response had gone out before that refusal came, so another is due
    last_nonce: str = ""
    acked: str = ""
    refused: bool = False

    def wants(self, name: str) -> bool:
        """Whether this name is subscribed to."""
        return self.wildcard or name in self.names


@dataclass(frozen=True)
class _Due:
    """What is to be sent of one type."""

    resources: tuple[Resource, ...]
    gone: tuple[str, ...]


class Session(ABC, Generic[RequestT]):
    """One stream of one Envoy."""

    protocol: str

    def __init__(self) -> None:
        self.node_id = ""
        self.node_cluster = ""
        self._subscriptions: dict[ResourceType, Subscription] = {}
        self._owed: dict[ResourceType, set[str]] = {}
        self._nonce = 0

    def receive(self, request: RequestT) -> Answer | None:
        """Take in one request; returns what it answers, if it answers anything. Types we do not serve are ignored."""
        if request.node is not None:
            self.node_id, self.node_cluster = request.node.id, request.node.cluster
        kind = _BY_URL.get(request.type_url)
        return None if kind is None else self._received(kind, request)

    def respond(self, snapshot: Snapshot) -> bytes | None:
        """The next response towards this snapshot, serialised and taken as sent; None when there is nothing to send."""
        for kind in SEND_ORDER:
            subscription = self._subscriptions.get(kind)
            if subscription is None or len(subscription.unanswered) >= UNANSWERED_LIMIT:
                continue
            due = self._due(kind, subscription, snapshot)
            if due is not None:
                return self._sent(kind, subscription, snapshot, due)
        return None

    def behind(self, snapshot: Snapshot, types: Collection[ResourceType]) -> tuple[ResourceType, ...]:
        """Those of the types in which this Envoy has yet to answer, or to ask for, what the snapshot holds for it."""
        return tuple(kind for kind in SEND_ORDER if kind in types and self._is_behind(kind, snapshot))

    def acked(self, snapshot: Snapshot | None) -> dict[ResourceType, str]:
        """The version of each subscribed type that Envoy took last: the snapshot's own where nothing is missing."""

        def version(kind: ResourceType, subscription: Subscription) -> str:
            if snapshot is None or subscription.refused or self._is_behind(kind, snapshot):
                return subscription.acked
            return snapshot.version(kind)

        return {kind: version(kind, subscription) for kind, subscription in self._subscriptions.items()}

    @abstractmethod
    def _received(self, kind: ResourceType, request: RequestT) -> Answer | None: ...

    @abstractmethod
    def _due(self, kind: ResourceType, subscription: Subscription, snapshot: Snapshot) -> _Due | None: ...

    @abstractmethod
    def _packed(self, kind: ResourceType, version: str, nonce: str, due: _Due) -> bytes: ...

    def _sent(self, kind: ResourceType, subscription: Subscription, snapshot: Snapshot, due: _Due) -> bytes:
        self._nonce += 1
        nonce, version = str(self._nonce), snapshot.version(kind)
        for resource in due.resources:
            if subscription.held.get(resource.name) != resource.version:
                self._owe(resource)
            subscription.held[resource.name] = resource.version
        for name in due.gone:
            subscription.held.pop(name, None)
            if name in subscription.names:
                subscription.held[name] = _ABSENT
        # What is sent is owed no more, nor is what has left the snapshot.
        self._owed[kind] = self._owed.get(kind, set()) - {resource.name for resource in due.resources}
        self._owed = {owed: names & snapshot.of_type(owed).keys() for owed, names in self._owed.items()}
        subscription.last_nonce = nonce
        subscription.unanswered[nonce] = _Sent(version, due.gone)
        subscription.lingering.clear()
        subscription.overtaken = False
        return self._packed(kind, version, nonce, due)

    def _owe(self, resource: Resource) -> None:
        for kind, name in resource.refers_to:
            if NEEDED_BY.get(kind) is resource.type:
                self._owed.setdefault(kind, set()).add(name)

    def _changed(self, kind: ResourceType, subscription: Subscription, snapshot: Snapshot) -> tuple[Resource, ...]:
        owed = self._owed.get(kind, set())
        return tuple(
            resource
            for resource in _wanted(subscription, snapshot.of_type(kind))
            if subscription.held.get(resource.name) != resource.version or resource.name in owed
        )

    def _answered(self, kind: ResourceType, subscription: Subscription, nonce: str, refusal: str | None) -> Answer:
        sent = subscription.unanswered.pop(nonce)
        subscription.refused = refusal is not None
        if refusal is None:
            subscription.acked = sent.version
        else:
            subscription.lingering.update(sent.gone)
            subscription.overtaken = bool(sent.gone) and nonce != subscription.last_nonce
        return Answer(kind, sent.version, None if refusal is None else refusal[:MESSAGE_LIMIT])

    def _is_behind(self, kind: ResourceType, snapshot: Snapshot) -> bool:
        subscription = self._subscriptions.get(kind)
        if subscription is not None and (subscription.unanswered or self._due(kind, subscription, snapshot) is not None):
            return True
        return any(subscription is None or not subscription.wants(name) for name in self._needed(kind, snapshot))

    def _needed(self, kind: ResourceType, snapshot: Snapshot) -> set[str]:
        """The names that Envoy is bound to ask for, because of what it has taken."""
        if kind in COMPLETE:
            return set()
        taken = (
            resource
            for user in COMPLETE
            if (subscription := self._subscriptions.get(user)) is not None and not subscription.refused
            for resource in _wanted(subscription, snapshot.of_type(user))
        )
        return {name for resource in taken for wanted, name in resource.refers_to if wanted is kind}


def _wanted(subscription: Subscription, named: Mapping[str, Resource]) -> list[Resource]:
    if subscription.wildcard:
        return list(named.values())
    return [named[name] for name in sorted(subscription.names & named.keys())]


class SotwSession(Session[discovery.DiscoveryRequest]):
    """State of the world: each request lists every name that is wanted."""

    protocol = "sotw"

    def _received(self, kind: ResourceType, request: discovery.DiscoveryRequest) -> Answer | None:
        subscription = self._subscriptions.setdefault(kind, Subscription())
        nonce = request.response_nonce
        if nonce and subscription.last_nonce and nonce != subscription.last_nonce:
            return None
        self._subscribe(kind, subscription, set(request.resource_names))
        if nonce not in subscription.unanswered:
            return None
        error = request.error_detail
        return self._answered(kind, subscription, nonce, None if error is None else error.message)

    def _subscribe(self, kind: ResourceType, subscription: Subscription, names: set[str]) -> None:
        # No names at all means everything, but only from one that has never given a name.
        subscription.explicit = subscription.explicit or bool(names)
        everything = kind in COMPLETE and not subscription.explicit
        subscription.wildcard = "*" in names or everything
        subscription.names = names - {"*"}
        if not subscription.wildcard:
            subscription.held = {name: held for name, held in subscription.held.items() if name in subscription.names}

    def _due(self, kind: ResourceType, subscription: Subscription, snapshot: Snapshot) -> _Due | None:
        changed = self._changed(kind, subscription, snapshot)
        if not changed and kind not in COMPLETE:
            return None  # of these, what is missing is not deleted: Envoy gives it up by itself
        present = snapshot.of_type(kind)
        gone = tuple(name for name, held in subscription.held.items() if held != _ABSENT and name not in present)
        if changed or gone or not subscription.last_nonce:
            return _Due(tuple(_wanted(subscription, present)), gone)
        return None

    def _sent(self, kind: ResourceType, subscription: Subscription, snapshot: Snapshot, due: _Due) -> bytes:
        subscription.unanswered.clear()  # only the last response can still be answered
        return super()._sent(kind, subscription, snapshot, due)

    def _packed(self, kind: ResourceType, version: str, nonce: str, due: _Due) -> bytes:
        head = discovery.DiscoveryResponse(version_info=version, type_url=kind.value, nonce=nonce)
        return bytes(head) + _joined(_in_sotw, due.resources)


class DeltaSession(Session[discovery.DeltaDiscoveryRequest]):
    """Delta: requests add and remove names, and every response is answered by its own nonce."""

    protocol = "delta"

    def _received(self, kind: ResourceType, request: discovery.DeltaDiscoveryRequest) -> Answer | None:
        added = set(request.resource_names_subscribe)
        subscription = self._subscriptions.get(kind)
        if subscription is None:
            # The first request of a type: an Envoy that returns says what it has, and need not be sent that again.
            subscription = Subscription(held=dict(request.initial_resource_versions))
            subscription.wildcard = kind in COMPLETE and not added
            self._subscriptions[kind] = subscription
        else:
            for name in added:
                subscription.held.pop(name, None)
        self._subscribe(subscription, added, set(request.resource_names_unsubscribe))
        nonce = request.response_nonce
        if nonce not in subscription.unanswered:
            return None
        error = request.error_detail
        return self._answered(kind, subscription, nonce, None if error is None else error.message)

    def _subscribe(self, subscription: Subscription, added: set[str], removed: set[str]) -> None:
        subscription.wildcard = (subscription.wildcard or "*" in added) and "*" not in removed
        subscription.names = (subscription.names | added) - removed - {"*"}
        for name in removed:
            subscription.held.pop(name, None)
        if not subscription.wildcard:
            subscription.held = {name: held for name, held in subscription.held.items() if name in subscription.names}

    def _due(self, kind: ResourceType, subscription: Subscription, snapshot: Snapshot) -> _Due | None:
        changed = self._changed(kind, subscription, snapshot)
        known = subscription.held.keys() | subscription.names
        present = snapshot.of_type(kind)
        gone = tuple(n for n in sorted(known) if n not in present and subscription.held.get(n) != _ABSENT)
        lingering = tuple(sorted(subscription.lingering - present.keys() - set(gone)))
        first = kind in COMPLETE and not subscription.last_nonce
        if changed or gone or first or (lingering and subscription.overtaken):
            return _Due(changed, gone + lingering)
        return None

    def _packed(self, kind: ResourceType, version: str, nonce: str, due: _Due) -> bytes:
        head = discovery.DeltaDiscoveryResponse(
            system_version_info=version, type_url=kind.value, nonce=nonce, removed_resources=list(due.gone)
        )
        return bytes(head) + _joined(_in_delta, due.resources)


# A serialised message may be put together from parts, so each resource is serialised once and not once for each response:
# with envoy-data-plane 200 clusters take 40 to 150 ms, during which the event loop stands still.


def _in_sotw(resource: Resource) -> bytes:
    """A state-of-the-world response with this resource and nothing else."""
    return bytes(discovery.DiscoveryResponse(resources=[Any(type_url=resource.type.value, value=resource.body)]))


def _in_delta(resource: Resource) -> bytes:
    """A delta response with this resource and nothing else."""
    packed = Any(type_url=resource.type.value, value=resource.body)
    named = discovery.Resource(name=resource.name, version=resource.version, resource=packed)
    return bytes(discovery.DeltaDiscoveryResponse(resources=[named]))


@lru_cache(maxsize=PACKED_LIMIT)
def _kept(pack: Callable[[Resource], bytes], resource: Resource) -> bytes:
    return pack(resource)


def _joined(pack: Callable[[Resource], bytes], resources: Iterable[Resource]) -> bytes:
    # A private key that was replaced has no business in memory, so secrets are packed anew each time.
    secret = ResourceType.SECRET
    return b"".join(pack(resource) if resource.type is secret else _kept(pack, resource) for resource in resources)
