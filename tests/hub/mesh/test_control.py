"""Changes of the mesh: what is accepted is in force, what is rejected leaves everything as it was."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

import hub.contracts
from hub.mesh import control
from hub.mesh.control import Control, Inputs
from hub.mesh.history import Outcome
from hub.mesh.inputs import Edge, Grant, Instance, Policy, Tokens
from hub.mesh.publisher import Publisher
from hub.mesh.resources import Resource, ResourceType, Snapshot

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRACTS = hub.contracts.load(date(2026, 11, 23))
EDGE = Edge("metip.local", "127.0.0.1", 8443, 8444, "certificate", "key", "authority", Tokens("issuer", "metip", '{"keys": []}'))
GOOD, BAD = "spiffe://metip.local/consumer/good", "spiffe://metip.local/consumer/bad"
SERVED = next(one.name for one in CONTRACTS.interfaces if not any(operation.delivery for operation in one.operations))
"""An interface that an adapter serves; those of messages are the exchange's."""
ONE = Instance("sample-0-1", CONTRACTS.interfaces[0].system, (SERVED,), "unix:/run/sample-0.sock")


class Envoy:
    """A follower in this process that takes whatever is served, refuses what names `BAD`, or says nothing at all."""

    node_id = "edge-1"

    def __init__(self, publisher: Publisher, *, silent: bool = False) -> None:
        self._publisher = publisher
        self._silent = silent
        self.held: Snapshot | None = None
        publisher.attach(self)

    def wake(self) -> None:
        """Answers soon."""
        if not self._silent:
            asyncio.get_running_loop().call_soon(self._answer)

    def behind(self, snapshot: Snapshot, types: frozenset[ResourceType]) -> tuple[ResourceType, ...]:
        """Everything, until it took the snapshot."""
        return () if self.held == snapshot else tuple(types)

    def _answer(self) -> None:
        serving = self._publisher.serving()
        if serving is None or serving == self.held:
            return
        routes = ResourceType.ROUTE
        if names(serving, BAD):
            self._publisher.rejected(self, routes, serving.version(routes), "no such consumer")
        else:
            self.held = serving
            self._publisher.acknowledged(self, routes, serving.version(routes))


def names(snapshot: Snapshot | None, what: str) -> bool:
    """Whether anything in a snapshot names this."""
    return snapshot is not None and any(what.encode() in resource.body for resource in snapshot.all())


class Mesh:
    """A control, its publisher, and one Envoy."""

    def __init__(self, *, silent: bool = False, envoy: bool = True) -> None:
        self.told: list[Inputs] = []
        self.publisher = Publisher(lambda: datetime.now(UTC), answer_within=0.05 if silent else 5.0)
        self.control = Control(self.publisher, Inputs(CONTRACTS, Policy(), EDGE), on_change=self.told.append)
        self.envoy = Envoy(self.publisher, silent=silent) if envoy else None

    async def propose(self, **changes: object) -> Outcome:
        """Proposes and gives the outcome."""
        return (await self.control.propose("a test", "tester", **changes)).outcome


def allowing(*consumers: str) -> Policy:
    """A policy that lets these call everything."""
    return Policy(tuple(Grant(consumer, ("*",)) for consumer in consumers))


async def test_an_accepted_change_is_in_force_and_told() -> None:
    mesh = Mesh()
    assert await mesh.propose(policy=allowing(GOOD)) is Outcome.ACCEPTED
    assert mesh.control.inputs == replace(Inputs(CONTRACTS, Policy(), EDGE), policy=allowing(GOOD))
    assert mesh.told == [mesh.control.inputs]
    assert names(mesh.publisher.current(), GOOD)


async def test_a_change_carries_its_cause() -> None:
    mesh = Mesh()
    change = await mesh.control.propose("access.yaml changed", "file", policy=allowing(GOOD))
    assert (change.cause.what, change.cause.author) == ("access.yaml changed", "file")


async def test_without_an_envoy_a_change_is_accepted() -> None:
    mesh = Mesh(envoy=False)
    assert await mesh.propose(instances=(ONE,)) is Outcome.ACCEPTED
    assert mesh.control.inputs.instances == (ONE,)


async def test_a_change_that_changes_nothing_for_envoy_is_in_force_too() -> None:
    mesh = Mesh()
    await mesh.propose(instances=(ONE,))
    renamed = replace(ONE, version="2.0")
    assert await mesh.propose(instances=(renamed,)) is Outcome.UNCHANGED
    assert mesh.control.inputs.instances == (renamed,)


async def test_a_rejected_change_leaves_the_inputs_as_they_were() -> None:
    mesh = Mesh()
    await mesh.propose(policy=allowing(GOOD))
    before = mesh.control.inputs
    assert await mesh.propose(policy=allowing(GOOD, BAD)) is Outcome.REJECTED
    assert mesh.control.inputs is before
    assert mesh.told == [before]
    assert names(mesh.publisher.current(), GOOD)
    assert not names(mesh.publisher.current(), BAD)


async def test_no_later_change_brings_a_rejected_one_back() -> None:
    mesh = Mesh()
    await mesh.propose(policy=allowing(GOOD))
    await mesh.propose(policy=allowing(BAD))
    assert await mesh.propose(instances=(ONE,)) is Outcome.ACCEPTED
    assert mesh.control.inputs == Inputs(CONTRACTS, allowing(GOOD), EDGE, (ONE,))
    assert not names(mesh.publisher.current(), BAD)


async def test_a_change_that_contradicts_itself_is_refused_and_leaves_the_inputs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = Mesh()
    await mesh.propose(policy=allowing(GOOD))
    before = mesh.control.inputs
    orphan = Snapshot.of([Resource(ResourceType.ENDPOINT, "orphan", b"")])
    with monkeypatch.context() as patched:
        patched.setattr(control, "compile_mesh", lambda *inputs: orphan)
        assert await mesh.propose(instances=(ONE,)) is Outcome.REFUSED
    assert mesh.control.inputs is before
    assert await mesh.propose(instances=(ONE,)) is Outcome.ACCEPTED


async def test_a_change_that_can_not_be_compiled_leaves_the_inputs_as_they_were_and_the_way_free() -> None:
    mesh = Mesh()
    await mesh.propose(policy=allowing(GOOD))
    before = mesh.control.inputs
    with pytest.raises(ValueError):
        await mesh.propose(instances=(replace(ONE, address="nonsense"),))
    assert mesh.control.inputs is before
    assert await mesh.propose(instances=(ONE,)) is Outcome.ACCEPTED


async def test_a_change_that_an_envoy_did_not_answer_stands() -> None:
    mesh = Mesh(silent=True)
    assert await mesh.propose(policy=allowing(GOOD)) is Outcome.TIMED_OUT_WAITING
    assert mesh.control.inputs.policy == allowing(GOOD)


async def test_changes_made_at_once_do_not_undo_one_another() -> None:
    mesh = Mesh()
    await mesh.propose()
    edge: Any = replace(EDGE, certificate="another certificate")
    outcomes = await asyncio.gather(
        mesh.propose(policy=allowing(GOOD)), mesh.propose(policy=allowing(BAD)), mesh.propose(instances=(ONE,)), mesh.propose(edge=edge)
    )
    assert list(outcomes) == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert mesh.control.inputs == Inputs(CONTRACTS, allowing(GOOD), edge, (ONE,))
