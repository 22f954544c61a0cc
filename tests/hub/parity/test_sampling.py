"""What may be sampled: the contract's policy first, whatever is asked; the cap; what adapters are told."""

from dataclasses import replace
from pathlib import Path

import pytest
from pairs_rig import ALL, CONTRACTS, FIRST, NEVER, RECORDED, REPLICA, SAMPLED, SECOND, WRITE, instances

from hub.contracts import Contracts, Interface
from hub.mesh.inputs import Instance
from hub.parity.sampling import HOUR, ForbiddenError, Sampler, Sampling, is_replica, shadow_of
from metip.sampling import Dropped


class Clock:
    """A clock that a test moves."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def sampler(folder: Path, known: list[Instance] | None = None, clock: Clock | None = None) -> Sampler:
    found = instances() if known is None else known
    return Sampler(folder / "sampling.sqlite", CONTRACTS, lambda: tuple(found), clock=clock or Clock())


@pytest.mark.parametrize(
    ("sampling", "words"),
    [
        (Sampling(WRITE, ALL, cap_per_hour=100, shadow=SECOND), "has side effects"),
        (Sampling(NEVER.name, ALL, cap_per_hour=100, shadow=SECOND), "policy is NEVER"),
        (Sampling(RECORDED.operation.name, ALL, cap_per_hour=100, shadow=SECOND), "recorded pairs only"),
        (Sampling(SAMPLED.operation.name, ALL, shadow=SECOND), "needs a cap"),
        (Sampling(REPLICA.operation.name, ALL + 1, shadow=SECOND), "more than the whole"),
        (Sampling(REPLICA.operation.name, ALL, shadow="nobody"), "nobody does not serve"),
        (Sampling("metip.nowhere.v1.NoService/Get", ALL), "no contract that is loaded has"),
    ],
    ids=["write", "never", "recorded", "no cap", "too much", "no shadow", "unknown"],
)
def test_what_the_contract_forbids_is_refused(tmp_path: Path, sampling: Sampling, words: str) -> None:
    found = sampler(tmp_path)
    with pytest.raises(ForbiddenError, match=words):
        found.put(sampling)
    assert found.settings == ()
    assert found.rates(FIRST) == {}


@pytest.mark.parametrize("name", [one for one, found in CONTRACTS.operations.items() if not found.comparable])
def test_no_operation_that_is_not_a_mirrored_query_can_ever_be_asked(name: str) -> None:
    operation = CONTRACTS.operations[name]
    assert operation.mirror == "NEVER" or operation.delivery_class.value != "NO_SIDE_EFFECTS"


def test_an_operation_that_turned_into_never_is_sampled_no_longer(tmp_path: Path) -> None:
    first = sampler(tmp_path)
    first.put(Sampling(REPLICA.operation.name, ALL, shadow=SECOND))
    first.close()
    never = replace(CONTRACTS, interfaces=tuple(_never(one) for one in CONTRACTS.interfaces))
    again = Sampler(tmp_path / "sampling.sqlite", never, lambda: tuple(instances()))
    assert again.settings == ()


def _never(interface: Interface) -> Interface:
    return replace(interface, operations=tuple(replace(one, mirror="NEVER") for one in interface.operations))


def test_what_is_set_outlives_the_process_and_ends_with_a_share_of_nothing(tmp_path: Path) -> None:
    first, wanted = sampler(tmp_path), Sampling(REPLICA.operation.name, 5000, 100, 7, SECOND)
    first.put(wanted)
    first.close()
    second = sampler(tmp_path)
    assert [*second.settings] == [wanted]
    second.put(replace(wanted, per_million=0))
    assert [*second.settings] == []
    assert (tmp_path / "sampling.sqlite").stat().st_mode & 0o077 == 0


def test_a_replica_policy_asks_copies_only(tmp_path: Path) -> None:
    known = instances()
    found, operation = sampler(tmp_path, known), CONTRACTS.operations[REPLICA.operation.name]
    found.put(Sampling(operation.name, ALL, shadow=SECOND))
    assert found.may_ask(operation, SECOND) is None
    known.append(replace(known[1], id="live", replica=False))
    assert not is_replica(known, SECOND, operation.interface), "one live instance among copies is enough"
    assert found.may_ask(operation, SECOND) is Dropped.NO_REPLICA
    assert found.rates(FIRST) == {}, "adapters are not even told"
    assert found.rates(SECOND) == {operation.name: ALL}, "the other way round it may be"
    del known[1:]
    assert found.may_ask(operation, SECOND) is Dropped.NO_SHADOW


def test_adapters_are_told_of_both_sides(tmp_path: Path) -> None:
    found = sampler(tmp_path)
    found.put(Sampling(REPLICA.operation.name, 5000, shadow=SECOND))
    assert found.rates(FIRST) == found.rates(SECOND) == {REPLICA.operation.name: 5000}
    assert found.rates("somebody") == {}


def test_the_cap_holds_within_any_hour_and_over_a_restart(tmp_path: Path) -> None:
    clock, live = Clock(), instances(replica=False)
    operation = CONTRACTS.operations[SAMPLED.operation.name]
    first = sampler(tmp_path, live, clock)
    first.put(Sampling(operation.name, ALL, cap_per_hour=3, shadow=SECOND))
    assert [first.may_ask(operation, SECOND) for _ in range(2)] == [None, None]
    first.close()
    clock.now += HOUR / 2
    second = sampler(tmp_path, live, clock)
    assert [second.may_ask(operation, FIRST) for _ in range(2)] == [None, Dropped.CAP], "the primary's second look-up counts as well"
    clock.now += HOUR / 2
    assert [second.may_ask(operation, SECOND) for _ in range(3)] == [None, None, Dropped.CAP], "two of three are an hour old"


def test_a_copy_costs_nothing_of_the_cap(tmp_path: Path) -> None:
    found, operation = sampler(tmp_path), CONTRACTS.operations[SAMPLED.operation.name]
    found.put(Sampling(operation.name, ALL, cap_per_hour=1, shadow=SECOND))
    assert {found.may_ask(operation, SECOND) for _ in range(5)} == {None}


def test_the_shadow_is_the_other_system(tmp_path: Path) -> None:
    operation = CONTRACTS.operations[REPLICA.operation.name]
    assert shadow_of(CONTRACTS, operation, SECOND) == FIRST
    assert shadow_of(CONTRACTS, operation, FIRST, SECOND) == SECOND
    assert shadow_of(CONTRACTS, operation, "somebody") == ""
    third = replace(CONTRACTS.back_ends[0], system="third")
    several = Contracts(CONTRACTS.interfaces, (), b"", (CONTRACTS.back_ends[0], third))
    assert shadow_of(several, operation, FIRST) == "", "which of two is not guessed"
    assert shadow_of(several, operation, "third") == FIRST
