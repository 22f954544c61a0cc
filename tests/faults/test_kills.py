"""The kill run, in its short form, and the checker that judges it."""

from dataclasses import replace

import pytest
from exchange_rig import JETSTREAM, SQLITE

from tests.faults import killing
from tests.faults.checking import Effect, Evidence, Sample, Sent, check

SEED = 20_261


@pytest.mark.parametrize("engine", [SQLITE, JETSTREAM])
@pytest.mark.asyncio(loop_scope="function")
async def test_nothing_acknowledged_is_lost_or_doubled_while_everything_is_killed(engine: str) -> None:
    said: list[str] = []
    found = check(await killing.run(replace(killing.QUICK, seed=SEED, engine=engine), said.append))
    assert all(one.holds for one in found), "\n".join((*said, *(f"{one.number} {one.words}" for one in found)))


def test_the_same_seed_makes_the_same_faults() -> None:
    effort = replace(killing.QUICK, seed=SEED)
    assert killing.schedule(effort) == killing.schedule(effort) != killing.schedule(replace(effort, seed=SEED + 1))
    assert sum(not one.stopped for one in killing.schedule(effort)) == effort.kills


def good() -> Evidence:
    """A run in which all went well."""
    sent = {f"line-{place}": Sent("PublishProbe", "line", place) for place in range(3)} | {"once-0": Sent("PublishOnce", "", 0)}
    names = {probe: f"id-{probe}" for probe in sent}
    effects = [Effect(one.operation, probe, one.line, one.place, names[probe], again=False) for probe, one in sent.items()]
    last = [Sample("PublishProbe", 3, {"PROCESSED": 3}, 3), Sample("PublishOnce", 1, {"PROCESSED": 1}, 1)]
    return Evidence(1, sent, names, effects, dict.fromkeys(names.values(), "PROCESSED"), last, last, peak_memory=1024.0)


def _lost(found: Evidence) -> None:
    found.effects = found.effects[1:]


def _repeated_unsaid(found: Evidence) -> None:
    found.effects = [*found.effects, found.effects[0]]


def _once_repeated(found: Evidence) -> None:
    found.effects = [*found.effects, replace(found.effects[3], again=True)]


def _accepted_twice(found: Evidence) -> None:
    found.effects = [*found.effects, replace(found.effects[0], message_id="another", again=True)]


def _forgotten(found: Evidence) -> None:
    found.states = {name: state for name, state in found.states.items() if name != "id-line-0"}


def _out_of_order(found: Evidence) -> None:
    found.effects = [found.effects[1], found.effects[0], *found.effects[2:]]


def _unaccounted(found: Evidence) -> None:
    found.samples = [Sample("PublishProbe", 3, {"PROCESSED": 2}, 3)]


def _one_too_many(found: Evidence) -> None:
    found.last = [Sample("PublishProbe", 3, {"PROCESSED": 4}, 4)]


def _swollen(found: Evidence) -> None:
    found.peak_memory = 2 * found.memory_bound


def _slow(found: Evidence) -> None:
    found.recovered_after = 31.0


@pytest.mark.parametrize(
    ("spoil", "number"),
    [
        (_lost, "I1"), (_forgotten, "I1"), (_repeated_unsaid, "I2"), (_once_repeated, "I2"), (_accepted_twice, "I2"), (_unaccounted, "I3"),
        (_one_too_many, "I3"), (_out_of_order, "I4"), (_lost, "I6"), (_swollen, "I10"), (_slow, "I11"),
    ],
)  # fmt: skip
def test_the_checker_finds_what_was_spoilt_and_nothing_in_a_good_run(spoil: object, number: str) -> None:
    found = good()
    assert [one for one in check(found) if not one.holds] == []
    assert callable(spoil)
    spoil(found)
    assert number in {one.number for one in check(found) if not one.holds}
