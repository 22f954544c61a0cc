"""Leases: who is there, until when, and after the hub's own restart."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.mesh.inputs import Instance
from hub.mesh.registry import Registry, Store

LEASE = 9.0
ONE = Instance("sample-0-1", "sample", ("metip.sample.v1.One", "metip.sample.v1.Two"), "unix:/run/sample-0.sock", "1.0")
OTHER = Instance("sample-1-2", "sample", ("metip.sample.v1.One",), "unix:/run/sample-1.sock")


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """One for each test."""
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the registry keeps what must outlive it."""
    return tmp_path / "registry.sqlite"


@pytest.fixture
def registry(file: Path, clock: Clock) -> Iterator[Registry]:
    """An empty registry."""
    store = Store(file)
    yield Registry(store, lease=LEASE, clock=clock)
    store.close()


def restarted(file: Path, clock: Clock) -> Registry:
    """The registry of a hub that starts with what the one before left."""
    return Registry(Store(file), lease=LEASE, clock=clock)


def test_a_new_instance_is_a_change_and_is_there(registry: Registry) -> None:
    assert registry.register(ONE)
    assert registry.instances == (ONE,)


def test_a_renewal_is_no_change(registry: Registry) -> None:
    registry.register(ONE)
    assert not registry.register(ONE)


@pytest.mark.parametrize(
    "changed",
    [replace(ONE, interfaces=("metip.sample.v1.One",)), replace(ONE, address="unix:/run/x.sock"), replace(ONE, version="2.0")],
    ids=["interfaces", "address", "version"],
)
def test_an_instance_that_says_something_else_is_a_change(registry: Registry, changed: Instance) -> None:
    registry.register(ONE)
    assert registry.register(changed)
    assert registry.instances == (changed,)


def test_instances_are_in_a_fixed_order(registry: Registry) -> None:
    registry.register(OTHER)
    registry.register(ONE)
    assert registry.instances == (ONE, OTHER)


def test_a_lease_that_is_not_renewed_ends(registry: Registry, clock: Clock) -> None:
    registry.register(ONE)
    clock.now += LEASE - 0.01
    assert registry.expire() == ()
    clock.now += 0.01
    assert registry.expire() == (ONE.id,)
    assert registry.instances == ()
    assert registry.expire() == ()


def test_a_renewal_moves_the_end(registry: Registry, clock: Clock) -> None:
    registry.register(ONE)
    registry.register(OTHER)
    clock.now += LEASE - 1
    registry.register(ONE)
    clock.now += 1
    assert registry.expire() == (OTHER.id,)
    assert registry.instances == (ONE,)


def test_an_instance_that_leaves_is_gone_at_once_and_only_once(registry: Registry) -> None:
    registry.register(ONE)
    assert registry.deregister(ONE.id)
    assert registry.instances == ()
    assert not registry.deregister(ONE.id)
    assert not registry.deregister("nobody")


def test_an_instance_that_left_can_come_back(registry: Registry) -> None:
    registry.register(ONE)
    registry.deregister(ONE.id)
    assert registry.register(ONE)


def test_a_worker_that_takes_over_an_address_replaces_the_one_before(registry: Registry, clock: Clock) -> None:
    registry.register(ONE)
    successor = replace(ONE, id="sample-0-99")
    assert registry.register(successor)
    assert registry.instances == (successor,)
    clock.now += LEASE
    assert registry.expire() == (successor.id,)


def test_an_instance_that_moves_to_the_address_of_another_replaces_it(registry: Registry) -> None:
    registry.register(ONE)
    registry.register(OTHER)
    moved = replace(OTHER, address=ONE.address)
    assert registry.register(moved)
    assert registry.instances == (moved,)


def test_time_in_which_nobody_could_renew_counts_against_nobody(registry: Registry, clock: Clock) -> None:
    registry.register(ONE)
    clock.now += 3 * LEASE
    registry.extend(3 * LEASE)
    assert registry.expire() == ()
    clock.now += LEASE
    assert registry.expire() == (ONE.id,)


def test_what_is_registered_outlives_the_hub_with_a_fresh_lease(registry: Registry, file: Path, clock: Clock) -> None:
    registry.register(ONE)
    registry.register(OTHER)
    registry.deregister(OTHER.id)
    clock.now += LEASE - 1
    again = restarted(file, clock)
    assert again.instances == (ONE,)
    assert not again.register(ONE), "the hub tells Envoy nothing new"
    clock.now += LEASE - 1
    assert again.expire() == ()
    clock.now += 1
    assert again.expire() == (ONE.id,)


def test_what_expired_or_was_replaced_does_not_come_back_after_a_restart(registry: Registry, file: Path, clock: Clock) -> None:
    registry.register(ONE)
    clock.now += LEASE
    registry.expire()
    registry.register(OTHER)
    successor = replace(OTHER, id="sample-1-99")
    registry.register(successor)
    assert restarted(file, clock).instances == (successor,)


class Failing(Store):
    """A store whose disk is full when it is told so."""

    full = False

    def put(self, instance: Instance) -> None:
        """Keeps one, or fails."""
        if self.full:
            raise apsw.FullError("database or disk is full")
        super().put(instance)


def test_an_instance_that_could_not_be_written_is_new_when_it_comes_again(file: Path, clock: Clock) -> None:
    store = Failing(file)
    registry = Registry(store, lease=LEASE, clock=clock)
    store.full = True
    with pytest.raises(apsw.FullError):
        registry.register(ONE)
    assert registry.instances == ()
    clock.now += LEASE
    assert registry.expire() == ()
    store.full = False
    assert registry.register(ONE)


class AnyHistory(RuleBasedStateMachine):
    """Registrations, departures, time and restarts in any order, against a plain model of the law."""

    ids = st.sampled_from(["a", "b", "c"])
    addresses = st.sampled_from(["unix:/1", "unix:/2"])

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.file = Path(self.folder.name) / "registry.sqlite"
        self.clock = Clock()
        self.store = Store(self.file)
        self.registry = Registry(self.store, lease=LEASE, clock=self.clock)
        self.model: dict[str, tuple[Instance, float]] = {}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(name=ids, address=addresses, version=st.sampled_from(["1", "2"]))
    def an_instance_registers(self, name: str, address: str, version: str) -> None:
        instance = Instance(name, "sample", ("metip.sample.v1.One",), address, version)
        known = self.model.get(name)
        assert self.registry.register(instance) == (known is None or known[0] != instance)
        self.model = {one: held for one, held in self.model.items() if held[0].address != address or one == name}
        self.model[name] = (instance, self.clock.now + LEASE)

    @rule(name=ids)
    def an_instance_leaves(self, name: str) -> None:
        assert self.registry.deregister(name) == (self.model.pop(name, None) is not None)

    @rule(seconds=st.sampled_from([1.0, LEASE / 2, LEASE]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds
        ended = {name for name, (_, end) in self.model.items() if end <= self.clock.now}
        assert set(self.registry.expire()) == ended
        self.model = {name: held for name, held in self.model.items() if name not in ended}

    @rule()
    def the_hub_starts_again(self) -> None:
        self.store.close()
        self.store = Store(self.file)
        self.registry = Registry(self.store, lease=LEASE, clock=self.clock)
        self.model = {name: (instance, self.clock.now + LEASE) for name, (instance, _) in self.model.items()}

    @invariant()
    def those_are_there_whose_lease_runs(self) -> None:
        assert self.registry.instances == tuple(self.model[name][0] for name in sorted(self.model))

    @invariant()
    def no_two_share_an_address(self) -> None:
        addresses = [instance.address for instance in self.registry.instances]
        assert len(addresses) == len(set(addresses))


AnyHistory.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestAnyHistory = AnyHistory.TestCase


def test_instances_that_do_not_hold_a_fence_yet_are_named(tmp_path: Path) -> None:
    found = Registry(Store(tmp_path / "registry.sqlite"))
    for number, system in enumerate(("new", "new", "old")):
        found.register(Instance(f"{system}-{number}", system, ("one.Interface",), f"unix:/{number}"), held=number)
    assert found.unfenced({"new"}, "one.Interface", 1) == ("new-0",)
    assert found.unfenced({"new", "old"}, "one.Interface", 9) == ("new-0", "new-1", "old-2")
    assert found.unfenced({"new"}, "another.Interface", 9) == ()
    found.deregister("new-0")
    assert found.unfenced({"new"}, "one.Interface", 1) == ()


def test_who_may_not_write_any_more_is_named_until_it_holds_the_fence(tmp_path: Path) -> None:
    found = Registry(Store(tmp_path / "registry.sqlite"))
    for number, system in enumerate(("new", "new", "old")):
        found.register(Instance(f"{system}-{number}", system, ("one.Interface",), f"unix:/{number}"), held_of_writes=number)
    assert found.writing("old", "one.Interface", 1) == ("new-0",)
    assert found.writing("new", "one.Interface", 9) == ("old-2",)
    assert found.writing("new", "one.Interface", 2) == ()
    assert found.writing("old", "another.Interface", 9) == ()
