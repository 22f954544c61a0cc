"""Snapshots are whole and consistent, and one becomes the next without a moment in which traffic leads nowhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.mesh.resources import (
    EMPTY,
    SEND_ORDER,
    Reference,
    Resource,
    ResourceType,
    Snapshot,
    stages,
    unsafe,
)

SECRET, CLUSTER, ENDPOINT, LISTENER, ROUTE = SEND_ORDER


def thing(kind: ResourceType, name: str, content: str = "1", *needs: Reference) -> Resource:
    return Resource(kind, name, f"{name}={content}".encode(), frozenset(needs))


CERTIFICATE = thing(SECRET, "edge-cert")
BIRCH = thing(CLUSTER, "birch", "1", (ENDPOINT, "birch"))
BIRCH_AT = thing(ENDPOINT, "birch")
ALDER = thing(CLUSTER, "alder", "1", (ENDPOINT, "alder"))
ALDER_AT = thing(ENDPOINT, "alder")
EDGE = thing(LISTENER, "edge", "1", (ROUTE, "edge"), (SECRET, "edge-cert"))
TO_BIRCH = thing(ROUTE, "edge", "birch", (CLUSTER, "birch"))
TO_ALDER = thing(ROUTE, "edge", "alder", (CLUSTER, "alder"))

ONE_SYSTEM = Snapshot.of([CERTIFICATE, BIRCH, BIRCH_AT, EDGE, TO_BIRCH])
OTHER_SYSTEM = Snapshot.of([CERTIFICATE, ALDER, ALDER_AT, EDGE, TO_ALDER])

INCONSISTENT = [
    pytest.param(
        [thing(ROUTE, "edge", "1", (CLUSTER, "birch")), EDGE, CERTIFICATE],
        ["route 'edge' needs cluster 'birch', which is not in the snapshot"],
        id="route to no cluster",
    ),
    pytest.param([BIRCH], ["cluster 'birch' needs endpoint 'birch', which is not in the snapshot"], id="cluster without endpoints"),
    pytest.param(
        [EDGE],
        [
            "listener 'edge' needs route 'edge', which is not in the snapshot",
            "listener 'edge' needs secret 'edge-cert', which is not in the snapshot",
        ],
        id="listener without route or certificate",
    ),
    pytest.param([BIRCH_AT], ["endpoint 'birch' belongs to no cluster"], id="endpoints without cluster"),
    pytest.param([TO_BIRCH, BIRCH, BIRCH_AT], ["route 'edge' belongs to no listener"], id="route without listener"),
    pytest.param([CERTIFICATE], [], id="a secret may wait for its user"),
    pytest.param([], [], id="nothing at all"),
]

STEPS = [
    pytest.param(ONE_SYSTEM, ONE_SYSTEM, [], id="nothing"),
    pytest.param(
        ONE_SYSTEM,
        OTHER_SYSTEM,
        [
            ("prepare", "added cluster 'alder', endpoint 'alder'"),
            ("switch", "changed route 'edge'"),
            ("drop", "removed cluster 'birch', endpoint 'birch'"),
        ],
        id="to another system",
    ),
    pytest.param(
        ONE_SYSTEM,
        Snapshot.of([CERTIFICATE, BIRCH, thing(ENDPOINT, "birch", "2"), EDGE, TO_BIRCH]),
        [("prepare", "changed endpoint 'birch'")],
        id="endpoints only",
    ),
    pytest.param(
        ONE_SYSTEM,
        Snapshot.of([CERTIFICATE, BIRCH, BIRCH_AT, EDGE, thing(ROUTE, "edge", "2", (CLUSTER, "birch"))]),
        [("switch", "changed route 'edge'")],
        id="route only",
    ),
    pytest.param(
        ONE_SYSTEM,
        Snapshot.of([CERTIFICATE, thing(CLUSTER, "birch", "2", (ENDPOINT, "birch-2")), thing(ENDPOINT, "birch-2"), EDGE, TO_BIRCH]),
        [("prepare", "added endpoint 'birch-2'; changed cluster 'birch'; removed endpoint 'birch'")],
        id="a cluster that takes its endpoints under another name",
    ),
    pytest.param(
        EMPTY,
        ONE_SYSTEM,
        [
            ("prepare", "added secret 'edge-cert', cluster 'birch', endpoint 'birch'"),
            ("switch", "added listener 'edge', route 'edge'"),
        ],
        id="from nothing",
    ),
    pytest.param(
        ONE_SYSTEM,
        EMPTY,
        [
            ("switch", "removed listener 'edge', route 'edge'"),
            ("drop", "removed secret 'edge-cert', cluster 'birch', endpoint 'birch'"),
        ],
        id="to nothing",
    ),
]


@st.composite
def consistent_snapshots(draw: st.DrawFn) -> Snapshot:
    """Any consistent snapshot over a few names, so that two of them share names with and without change."""
    contents = st.sampled_from("12")
    names = st.sets(st.sampled_from("abc"))
    secrets = [thing(SECRET, name, draw(contents)) for name in sorted(draw(names))]
    maybe_secret = st.sampled_from([(), *(((SECRET, secret.name),) for secret in secrets)])
    found: dict[Reference, Resource] = {secret.reference: secret for secret in secrets}
    clusters = sorted(draw(names))
    for name in clusters:
        at = draw(st.sampled_from([name, f"{name}-2", "shared"]))
        found[CLUSTER, name] = thing(CLUSTER, name, f"{draw(contents)}@{at}", (ENDPOINT, at), *draw(maybe_secret))
        found[ENDPOINT, at] = thing(ENDPOINT, at, draw(contents))
    for name in sorted(draw(names)) if clusters else []:
        to = draw(st.sampled_from(clusters))
        found[LISTENER, name] = thing(LISTENER, name, draw(contents), (ROUTE, name), *draw(maybe_secret))
        found[ROUTE, name] = thing(ROUTE, name, f"{draw(contents)}>{to}", (CLUSTER, to))
    return Snapshot.of(found.values())


@pytest.mark.parametrize(("resources", "problems"), INCONSISTENT)
def test_every_inconsistency_is_named_in_words(resources: list[Resource], problems: list[str]) -> None:
    assert [str(problem) for problem in Snapshot.of(resources).consistent()] == problems


@pytest.mark.parametrize(("old", "new", "steps"), STEPS)
def test_a_change_is_made_before_the_old_is_broken(old: Snapshot, new: Snapshot, steps: list[tuple[str, str]]) -> None:
    assert [(stage.name, str(stage.difference)) for stage in stages(old, new)] == steps


@given(consistent_snapshots(), consistent_snapshots())
@settings(max_examples=50)
def test_every_step_between_two_consistent_snapshots_is_consistent(old: Snapshot, new: Snapshot) -> None:
    assert not old.consistent()
    for stage in stages(old, new):
        assert stage.snapshot.consistent() == ()
        for route in stage.snapshot.of_type(ROUTE).values():
            assert all(name in stage.snapshot.of_type(CLUSTER) for _, name in route.refers_to)


@given(consistent_snapshots(), consistent_snapshots())
@settings(max_examples=50)
def test_the_last_step_is_the_new_snapshot_and_no_step_is_empty(old: Snapshot, new: Snapshot) -> None:
    steps = stages(old, new)
    assert [old, *(stage.snapshot for stage in steps)][-1] == new
    assert all(stage.difference for stage in steps)
    assert len(steps) <= 3


@given(consistent_snapshots(), consistent_snapshots())
@settings(max_examples=50)
def test_traffic_moves_in_one_step_and_what_it_needs_is_there_before_and_after(old: Snapshot, new: Snapshot) -> None:
    """At the switch, every cluster of old and of new is there: a call decided a moment ago still finds its cluster."""
    for stage in stages(old, new):
        if stage.difference.types & {LISTENER, ROUTE}:
            assert stage.name == "switch"
            clusters = stage.snapshot.of_type(CLUSTER).keys()
            assert old.of_type(CLUSTER).keys() | new.of_type(CLUSTER).keys() == clusters


@given(consistent_snapshots(), consistent_snapshots())
@settings(max_examples=50)
def test_snapshots_are_equal_exactly_when_nothing_differs(one: Snapshot, other: Snapshot) -> None:
    assert (one == other) is not bool(one.difference(other))
    assert (hash(one) == hash(other)) or one != other


def test_two_resources_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two resources are called cluster 'birch'"):
        Snapshot.of([BIRCH, BIRCH])


@pytest.mark.parametrize("name", ["", "*"])
def test_a_resource_needs_a_name_that_is_not_the_wildcard(name: str) -> None:
    with pytest.raises(ValueError, match="a cluster needs a name"):
        thing(CLUSTER, name)


def test_a_reference_that_its_type_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="endpoint 'birch' cannot refer to cluster 'birch'"):
        thing(ENDPOINT, "birch", "1", (CLUSTER, "birch"))


def test_a_version_is_the_same_in_every_run_of_the_hub() -> None:
    assert BIRCH.version == "b0370c2a10a6e317"
    assert ONE_SYSTEM.version(ENDPOINT) == Snapshot.of([BIRCH_AT]).version(ENDPOINT)
    assert ONE_SYSTEM.version(CLUSTER) != OTHER_SYSTEM.version(CLUSTER)


def test_an_open_listener_may_not_leave_its_route_table() -> None:
    moved = Snapshot.of(
        [CERTIFICATE, BIRCH, BIRCH_AT, thing(LISTENER, "edge", "2", (ROUTE, "new")), thing(ROUTE, "new", "1", (CLUSTER, "birch"))]
    )
    assert not moved.consistent()
    assert [str(problem) for problem in unsafe(ONE_SYSTEM, moved)] == [
        "listener 'edge' leaves route 'edge', which its open connections keep: change the route instead"
    ]
    assert unsafe(ONE_SYSTEM, OTHER_SYSTEM) == ()
    assert unsafe(EMPTY, ONE_SYSTEM) == ()
    assert unsafe(ONE_SYSTEM, EMPTY) == ()
