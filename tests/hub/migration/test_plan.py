"""The migration plan: what systems say, what the installation lays over it, and that everything wrong is told at once."""

from dataclasses import replace
from pathlib import Path

import pytest
from migrating import CONTRACTS

from hub.migration.plan import BARS, Bar, Samples, Watch, read, system_plans
from hub.migration.states import State, at
from metip.settings import SettingsError

OLD = next(one.system for one in CONTRACTS.back_ends if one.platform == "METIP")
OTHER = next(one.system for one in CONTRACTS.back_ends if one.platform != "METIP")
MOVED = sorted({name.partition("/")[0] for one in CONTRACTS.back_ends if one.system == OLD for name in one.serves})


def plan_of(tmp_path: Path, text: str):  # type: ignore[no-untyped-def]
    (tmp_path / "migration.yaml").write_text(text)
    return read(tmp_path / "migration.yaml", CONTRACTS)


def test_without_a_word_of_the_installation_what_contracts_and_systems_say_holds() -> None:
    found = read(None, CONTRACTS)
    assert found.old == OLD
    assert sorted(set(found.rules) & set(MOVED)) == MOVED
    assert all(rules.bar(at(State.NEW)).soak >= 14 * 86400 for rules in found.rules.values())


def test_what_systems_say_of_themselves_can_be_read_and_names_only_their_own() -> None:
    assert system_plans()
    for source, plan in system_plans():
        system = source.partition("/")[0]
        names = [one.interface for one in plan.interfaces] + [name for group in plan.groups for name in group.interfaces]
        assert [name for name in names if name.split(".")[1] != system] == [], source


def test_what_systems_say_of_interfaces_that_are_not_loaded_is_passed_over() -> None:
    said = sorted({one.interface for _, plan in system_plans() for one in plan.interfaces})
    gone = said[0]
    less = replace(CONTRACTS, interfaces=tuple(one for one in CONTRACTS.interfaces if one.name != gone))
    found, whole = read(None, less), read(None, CONTRACTS)
    assert gone not in found.rules
    assert set(found.rules) == set(whole.rules) - {gone}
    assert {name for together in found.groups.values() for name in together} <= set(found.rules)


def test_every_system_says_what_it_says_of_interfaces_that_there_are() -> None:
    known = {one.name for one in CONTRACTS.interfaces}
    named = {one.interface for _, plan in system_plans() for one in plan.interfaces}
    named |= {name for _, plan in system_plans() for group in plan.groups for name in group.interfaces}
    assert named <= known


def test_the_installation_goes_before_key_by_key(tmp_path: Path) -> None:
    name = MOVED[0]
    found = plan_of(
        tmp_path,
        f"""
rings: [5]
watch: {{window: 30s, error_percent: 2}}
interfaces:
  - interface: {name}
    rings: [20, 40]
    bars:
      - {{to: STATE_CANARY, up_to_percent: 20, comparisons: 7}}
      - {{to: STATE_PRIMARY, parity_percent: 99}}
    watch: {{slow_factor: 2}}
    samples: {{per_million: 5}}
    hours: {{begin: "07:00", end: "07:30", because: numbers begin anew}}
    notes: [mind the gap]
""",
    ).rules
    rules = found[name]
    assert rules.rings == (20, 40)
    assert next(one for key, one in found.items() if key != name and not one.notes).rings == (5,)
    assert rules.bar(at(State.CANARY, 20)) == Bar(7, BARS[State.CANARY, 25].parity, BARS[State.CANARY, 25].soak)
    assert rules.bar(at(State.CANARY, 1)) == rules.bar(at(State.CANARY, 20)), "it is said of all canaries up to there"
    assert rules.bar(at(State.CANARY, 40)) == BARS[State.CANARY, 99]
    assert rules.bar(at(State.PRIMARY)).parity == 0.99
    assert rules.watch == Watch(window=30, errors=0.02, slow_factor=2)
    assert rules.samples == Samples(per_million=5)
    assert rules.notes[-1] == "mind the gap"
    assert str(rules.hours) == "07:00 to 07:30"


def test_the_old_platform_is_a_value(tmp_path: Path) -> None:
    found = plan_of(tmp_path, f"old_platform: {OTHER}\n")
    assert found.old == OTHER
    assert {rules.old for rules in found.rules.values()} == {OTHER}


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = f"""
old_platform: nobody
rings: [50, 10]
interfaces:
  - interface: metip.nobody.v1.NobodyService
  - {{interface: {MOVED[0]}, hours: {{begin: "07:00", end: "07:00"}}, bars: [{{to: STATE_NEW, up_to_percent: 5}}]}}
  - {{interface: {MOVED[0]}}}
groups:
  - {{name: one, interfaces: [{MOVED[0]}, {MOVED[1]}]}}
  - {{name: two, interfaces: [{MOVED[1]}, metip.nobody.v1.NobodyService]}}
"""
    with pytest.raises(SettingsError) as raised:
        plan_of(tmp_path, text)
    said = "\n".join(raised.value.problems)
    for part in (
        "old_platform: nobody is no back end",
        "the smallest comes first",
        "no contract has metip.nobody.v1.NobodyService",
        "only a canary has a per cent",
        "they end as they begin",
        "is there twice",
        "is in one and in two",
    ):
        assert part in said


def test_a_key_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such setting"):
        plan_of(tmp_path, "ring: [5]\n")


@pytest.mark.parametrize("name", MOVED)
def test_the_way_of_every_interface_ends_at_new(name: str) -> None:
    rules = read(None, CONTRACTS).rules[name]
    here, way = at(State.LEGACY), []
    while (following := rules.following(here)) is not None:
        way.append(str(following))
        here = following
    assert way[0] == "shadow"
    assert way[-2:] == ["primary", "new"]
    assert (len(way) == 3) == rules.undivided
