"""Whatever order requests and responses cross in, an Envoy ends up with exactly what it asked for.

A model of the client's half of each protocol is driven through drawn histories: snapshots change, names are asked for and
given up, responses are taken or refused, and messages wait on the wire in both directions meanwhile.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from envoy_data_plane.envoy.config.core.v3 import Node
from envoy_data_plane.envoy.service.discovery import v3 as discovery
from envoy_data_plane.google.rpc import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_envoy import CLUSTER, ENDPOINT, LISTENER, ROUTE, edge, mesh_of, system, thing

from hub.mesh.resources import SEND_ORDER, ResourceType, Snapshot
from hub.mesh.sessions import MESSAGE_LIMIT, UNANSWERED_LIMIT, DeltaSession, Session, SotwSession

NAMES = ("a", "b", "c")
SNAPSHOTS = [
    Snapshot.of([]),
    Snapshot.of([*edge("a"), *system("a")]),
    Snapshot.of([*edge("a", content="2"), *system("a"), *system("b")]),
    Snapshot.of([*edge("b", content="2"), *system("a", "2"), *system("b")]),
    Snapshot.of([*edge("c"), *system("a", "2"), *system("b", "2"), *system("c")]),
]
LAST = Snapshot.of([*edge("a", content="last"), *system("a", "last"), *system("c", "last")])

ACTIONS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(range(len(SNAPSHOTS)))),
    st.tuples(st.just("ask"), st.sampled_from(NAMES)),
    st.tuples(st.just("give up"), st.sampled_from(NAMES)),
    st.tuples(st.just("server reads"), st.none()),
    st.tuples(st.just("server sends"), st.none()),
    st.tuples(st.just("take"), st.none()),
    st.tuples(st.just("refuse"), st.none()),
)


@dataclass
class Client:
    """The client's half: all clusters, and endpoints by name. Messages travel as bytes."""

    session: Session[Any]
    up: deque[bytes] = field(default_factory=deque)
    down: deque[bytes] = field(default_factory=deque)
    names: set[str] = field(default_factory=set)
    held: dict[ResourceType, dict[str, str]] = field(default_factory=lambda: {CLUSTER: {}, ENDPOINT: {}})
    nonces: dict[ResourceType, str] = field(default_factory=dict)

    def send(self, kind: ResourceType, **fields: Any) -> None:
        request = discovery.DiscoveryRequest if self.session.protocol == "sotw" else discovery.DeltaDiscoveryRequest
        self.up.append(bytes(request(type_url=kind.value, **fields)))

    def start(self) -> None:
        if self.session.protocol == "sotw":
            self.send(CLUSTER, node=Node(id="edge-1"))
        else:
            self.send(CLUSTER, node=Node(id="edge-1"), resource_names_subscribe=["*"])

    def change(self, name: str, *, wanted: bool) -> None:
        if (name in self.names) is wanted:
            return
        self.names ^= {name}
        self.held[ENDPOINT].pop(name, None)  # what was given up is forgotten
        if self.session.protocol == "sotw":
            self.send(ENDPOINT, resource_names=sorted(self.names), response_nonce=self.nonces.get(ENDPOINT, ""))
        else:
            changed = {"resource_names_subscribe" if wanted else "resource_names_unsubscribe": [name]}
            self.send(ENDPOINT, **changed)

    def answer(self, *, taking: bool) -> None:
        if not self.down:
            return
        sotw = self.session.protocol == "sotw"
        message = (discovery.DiscoveryResponse if sotw else discovery.DeltaDiscoveryResponse).parse(self.down.popleft())
        kind = ResourceType(message.type_url)
        self.nonces[kind] = message.nonce
        if taking:
            self._take(kind, message)
        error = None if taking else Status(code=3, message="no")
        if sotw:
            names = sorted(self.names) if kind is ENDPOINT else []
            self.send(kind, resource_names=names, response_nonce=message.nonce, error_detail=error)
        else:
            self.send(kind, response_nonce=message.nonce, error_detail=error)

    def _take(self, kind: ResourceType, message: Any) -> None:
        sotw = self.session.protocol == "sotw"
        packed = message.resources if sotw else [resource.resource for resource in message.resources]
        contents = dict(any_.value.decode().split("=", 1) for any_ in packed)
        if sotw and kind is CLUSTER:
            self.held[kind].clear()
        self.held[kind].update({name: body for name, body in contents.items() if kind is CLUSTER or name in self.names})
        for name in () if sotw else message.removed_resources:
            self.held[kind].pop(name, None)


def server_reads(client: Client) -> None:
    if client.up:
        request = discovery.DiscoveryRequest if client.session.protocol == "sotw" else discovery.DeltaDiscoveryRequest
        client.session.receive(request.parse(client.up.popleft()))


def server_sends(client: Client, snapshot: Snapshot) -> bool:
    response = client.session.respond(snapshot)
    if response is not None:
        client.down.append(response)
    return response is not None


def settle(client: Client, snapshot: Snapshot) -> None:
    """Let everything arrive and be taken, until neither side has more to say."""
    for _ in range(1000):
        before = (len(client.up), len(client.down))
        server_reads(client)
        sent = server_sends(client, snapshot)
        client.answer(taking=True)
        if before == (0, 0) and not sent:
            return
    raise AssertionError("the two never come to rest")


@pytest.mark.parametrize("protocol", [SotwSession, DeltaSession])
@given(actions=st.lists(ACTIONS, max_size=30))
@settings(max_examples=100, deadline=None)
def test_an_envoy_ends_up_with_exactly_what_it_asked_for(protocol: type[Session[Any]], actions: list[tuple[str, Any]]) -> None:
    client, snapshot = Client(protocol()), SNAPSHOTS[0]
    client.start()
    for action, value in actions:
        match action:
            case "publish":
                snapshot = SNAPSHOTS[value]
            case "ask" | "give up":
                client.change(value, wanted=action == "ask")
            case "server reads":
                server_reads(client)
            case "server sends":
                server_sends(client, snapshot)
            case "take" | "refuse":
                client.answer(taking=action == "take")
    settle(client, LAST)
    contents = {kind: dict(r.body.decode().split("=", 1) for r in LAST.of_type(kind).values()) for kind in (CLUSTER, ENDPOINT)}
    assert client.held[CLUSTER] == contents[CLUSTER]
    wanted = {name: body for name, body in contents[ENDPOINT].items() if name in client.names}
    assert {name: body for name, body in client.held[ENDPOINT].items() if name in contents[ENDPOINT]} == wanted
    if protocol is DeltaSession:
        assert client.held[ENDPOINT] == wanted
    behind = client.session.behind(LAST, SEND_ORDER)
    assert behind == (() if {"a", "c"} <= client.names else (ENDPOINT,))
    assert client.session.respond(LAST) is None


def nonce_of(session: Session[Any], snapshot: Snapshot) -> str:
    """The nonce of the next response, of which there has to be one."""
    response = session.respond(snapshot)
    assert response is not None
    return discovery.DiscoveryResponse.parse(response).nonce


def request_of(session: Session[Any], kind: ResourceType, **fields: Any) -> Any:
    kind_of_request = discovery.DiscoveryRequest if session.protocol == "sotw" else discovery.DeltaDiscoveryRequest
    return kind_of_request(type_url=kind.value, **fields)


def test_an_envoy_that_answers_nothing_is_sent_no_more_than_so_many_responses() -> None:
    session = DeltaSession()
    session.receive(request_of(session, LISTENER))
    snapshots = [Snapshot.of([thing(LISTENER, "edge", str(n), (ROUTE, "edge"))]) for n in range(2 * UNANSWERED_LIMIT)]
    assert sum(session.respond(snapshot) is not None for snapshot in snapshots) == UNANSWERED_LIMIT


def test_an_envoy_is_behind_until_it_has_asked_for_the_routes_of_its_listeners() -> None:
    session = SotwSession()
    session.receive(request_of(session, LISTENER))
    snapshot = mesh_of("a")
    nonce = nonce_of(session, snapshot)
    assert session.behind(snapshot, SEND_ORDER) == (LISTENER, ROUTE)
    session.receive(request_of(session, LISTENER, response_nonce=nonce))
    assert session.behind(snapshot, SEND_ORDER) == (ROUTE,)
    session.receive(request_of(session, ROUTE, resource_names=["edge"]))
    nonce = nonce_of(session, snapshot)
    assert session.behind(snapshot, SEND_ORDER) == (ROUTE,)
    session.receive(request_of(session, ROUTE, resource_names=["edge"], response_nonce=nonce))
    assert session.behind(snapshot, SEND_ORDER) == ()


def test_a_delta_envoy_that_asks_again_is_answered_again() -> None:
    """It may have dropped the resource before it could say so (Envoy's xDS protocol)."""
    session, snapshot = DeltaSession(), mesh_of("a")
    for _ in range(2):
        session.receive(request_of(session, ENDPOINT, resource_names_subscribe=["a"]))
        assert session.respond(snapshot) is not None
        assert session.respond(snapshot) is None


def test_a_stale_request_is_not_answered_even_when_it_asks_for_more() -> None:
    session = SotwSession()
    session.receive(request_of(session, ENDPOINT, resource_names=["a"]))
    first = nonce_of(session, mesh_of("a", "b"))
    snapshot = Snapshot.of([*system("a", "2"), *system("b")])
    last = nonce_of(session, snapshot)
    session.receive(request_of(session, ENDPOINT, resource_names=["a", "b"], response_nonce=first))
    assert session.respond(snapshot) is None
    session.receive(request_of(session, ENDPOINT, resource_names=["a", "b"], response_nonce=last))
    assert session.respond(snapshot) is not None


def test_what_is_owed_is_forgotten_with_the_snapshot_that_held_it() -> None:
    session = SotwSession()
    session.receive(request_of(session, CLUSTER))
    for number in range(50):
        session.respond(Snapshot.of(system(f"s{number}")))
    assert sum(map(len, session._owed.values())) == 1


def test_what_an_envoy_says_of_a_refusal_is_kept_up_to_a_limit() -> None:
    session = SotwSession()
    session.receive(request_of(session, CLUSTER))
    nonce = nonce_of(session, mesh_of("a"))
    error = Status(code=3, message="x" * 10 * MESSAGE_LIMIT)
    answer = session.receive(request_of(session, CLUSTER, response_nonce=nonce, error_detail=error))
    assert answer is not None
    assert answer.refusal == "x" * MESSAGE_LIMIT


def test_one_that_has_named_its_clusters_and_names_none_wants_none() -> None:
    session = SotwSession()
    session.receive(request_of(session, CLUSTER, resource_names=["a"]))
    assert session.respond(mesh_of("a", "b")) is not None
    session.receive(request_of(session, CLUSTER))
    session.receive(request_of(session, CLUSTER))
    assert session.respond(mesh_of("b")) is None
