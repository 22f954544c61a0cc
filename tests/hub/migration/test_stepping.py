"""Steps through crashes, refusals and a ledger that can't be written: what is shown is what is applied, and nothing unrecorded."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from migrating import ASKED, AUTHOR, WRITTEN, Crashed, Rig, World, plan, rules, step_to

from hub.migration.ports import RefusedError
from hub.migration.states import NoSuchStepError, Platform, State, at
from hub.migration.stepping import STEP, UNDONE
from hub.migration.surroundings import NotAdmissibleError, UnknownInterfaceError
from metip.faults import Fault, Reason
from metip.migration.v1 import migration_service_pb2 as api
from metip.migration.v1 import step_pb2

CONSUMER = "spiffe://metip.local/consumer/room-1"
BOTH = plan(rules(ASKED), rules(WRITTEN))
MOVES = st.one_of(
    st.tuples(
        st.just("take"),
        st.sampled_from([ASKED, WRITTEN]),
        st.sampled_from([at(State.SHADOW), at(State.CANARY, 10), at(State.PRIMARY), at(State.NEW)]),
    ),
    st.tuples(st.just("back"), st.sampled_from([ASKED, WRITTEN]), st.sampled_from([at(State.LEGACY), at(State.SHADOW), None])),
    st.tuples(
        st.just("pin"), st.just(ASKED), st.sampled_from([step_pb2.PLATFORM_METIP, step_pb2.PLATFORM_METIP2, step_pb2.PLATFORM_UNSPECIFIED])
    ),
)


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """A folder for each example."""

    def several() -> Iterator[Path]:
        number = 0
        while True:
            number += 1
            (folder := tmp_path / str(number)).mkdir()
            yield folder

    return several()


async def act(rig: Rig, kind: str, interface: str, there: Any) -> None:
    """Does what was drawn; what the table or a guard refuses is refused."""
    try:
        if kind == "take":
            await rig.migration.take(
                step_to(interface, there.state, there.percent if there.state is State.CANARY else 0, override=True), AUTHOR
            )
        elif kind == "back":
            await rig.migration.back(interface, there, "a test", AUTHOR)
        else:
            request = api.PinConsumerRequest(interface=interface, consumer=CONSUMER, platform=there, because="a test", approver="bob")
            await rig.migration.pin(request, AUTHOR)
    except (NoSuchStepError, NotAdmissibleError):
        pass


def holds(rig: Rig) -> None:
    """The law."""
    world, store = rig.world, rig.migration.store
    for interface, standing in store.standings().items():
        here = standing.position
        assert world.shares.get(interface, 100) == here.percent, "what is shown is what is applied"
        assert world.compared.get(interface, False) == here.meaning.compared
        for operation in rig.the_plan.rules[interface].writes:
            assert world.writer.get(operation.name, "owner") == ("before" if here.meaning.writer is Platform.METIP else "owner")
        shown = {one.consumer: one.platform for one in store.pins() if one.interface == interface}
        assert world.pins.get(interface, {}) == shown
    assert store.unfinished() == []
    recorded = [json.loads(detail)["number"] for action, _, detail in world.ledger if action == STEP]
    done = [step.number for step in store.steps(limit=1000) if step.phase == step_pb2.STEP_PHASE_APPLIED]
    assert {str(one) for one in done} <= set(recorded), "each step in force is in the ledger"
    assert all(records > 0 for _, _, records in world.applied), "nothing is put in force before it is recorded"


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(MOVES, st.one_of(st.none(), st.integers(0, 24))), min_size=1, max_size=8))
def test_a_hub_that_ends_at_any_moment_shows_what_is_applied_when_it_is_back(
    folders: Iterator[Path], script: list[tuple[tuple[str, str, object], int | None]]
) -> None:
    async def play() -> None:
        rig = Rig(next(folders), BOTH)
        await rig.migration.begin()
        for name in (ASKED, WRITTEN):
            rig.stand(name, State.LEGACY)
        for (kind, interface, there), fuse in script:
            rig.fuse.left = fuse
            try:
                await act(rig, kind, interface, there)
            except Crashed:
                await rig.restart()
            rig.fuse.left = None
            holds(rig)
        rig.close()

    asyncio.run(play())


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 24), st.integers(0, 24))
def test_a_hub_that_ends_again_while_it_takes_up_its_work_loses_nothing(folders: Iterator[Path], first: int, second: int) -> None:
    async def play() -> None:
        rig = Rig(next(folders), BOTH)
        await rig.migration.begin()
        rig.stand(ASKED, State.CANARY, 10)
        rig.stand(WRITTEN, State.SHADOW)
        acts: list[tuple[int, str, str, Any]] = [(first, "take", WRITTEN, at(State.PRIMARY)), (second, "back", ASKED, None)]
        for fuse, kind, interface, there in acts:
            rig.fuse.left = fuse
            try:
                await act(rig, kind, interface, there)
            except Crashed:
                rig.close()
                rig.fuse.left = second
                rig.start()
                try:
                    await rig.migration.begin()
                except Crashed:
                    await rig.restart()
            rig.fuse.left = None
            holds(rig)
        rig.close()

    asyncio.run(play())


@pytest.mark.asyncio
async def test_every_moment_at_which_the_hub_can_end_in_a_step_is_tried(tmp_path: Path) -> None:
    """So that the properties above do cover all of them: each moment of one step forward of an interface that writes, and back."""
    rig = Rig(tmp_path, BOTH)
    await rig.migration.begin()
    rig.stand(WRITTEN, State.SHADOW)
    writes = len(BOTH.rules[WRITTEN].writes)
    before = rig.fuse.moments
    await act(rig, "take", WRITTEN, at(State.PRIMARY))
    assert rig.fuse.moments - before == 2 + 2 + 2 + 2 * writes + 2 + 2
    assert rig.fuse.moments - before <= 25


@pytest.mark.asyncio
async def test_a_step_back_that_was_recorded_is_finished_by_the_next_hub(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.migration.begin()
    rig.stand(ASKED, State.CANARY, 10)
    rig.fuse.left = 6  # written down, recorded, marked so; not in force
    with pytest.raises(Crashed):
        await rig.migration.back(ASKED, None, "a test", AUTHOR)
    assert rig.world.shares[ASKED] == 10
    await rig.restart()
    assert rig.world.shares[ASKED] == 0
    assert rig.migration.store.standings()[ASKED].position == at(State.SHADOW)


@pytest.mark.asyncio
async def test_a_step_forward_that_was_recorded_is_taken_back_by_the_next_hub(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.migration.begin()
    rig.stand(ASKED, State.SHADOW)
    rig.fuse.left = 7  # in force, and not yet known to be
    with pytest.raises(Crashed):
        await rig.migration.take(step_to(ASKED, State.CANARY, 10, override=True), AUTHOR)
    assert rig.world.shares[ASKED] == 10
    await rig.restart()
    assert rig.world.shares[ASKED] == 0
    step = rig.migration.store.steps()[0]
    assert (step.phase, step.problem) == (step_pb2.STEP_PHASE_UNDONE, "the hub ended before it was in force")
    assert rig.world.ledger[-1][0] == UNDONE


@pytest.mark.asyncio
async def test_what_cannot_be_recorded_is_not_done(tmp_path: Path) -> None:
    rig = Rig(tmp_path, world=World(unrecordable=Fault(Reason.JOURNAL, "the disk is full")))
    await rig.migration.begin()
    rig.stand(ASKED, State.CANARY, 10)
    with pytest.raises(Fault, match="the disk is full"):
        await rig.migration.back(ASKED, None, "a test", AUTHOR)
    assert rig.world.shares[ASKED] == 10
    assert rig.migration.store.standings()[ASKED].position == at(State.CANARY, 10)
    assert rig.migration.store.steps()[0].phase == step_pb2.STEP_PHASE_REFUSED


@pytest.mark.asyncio
async def test_what_envoy_refuses_leaves_everything_where_it_was(tmp_path: Path) -> None:
    rig = Rig(tmp_path, BOTH)
    await rig.migration.begin()
    rig.stand(WRITTEN, State.SHADOW)
    rig.world.refusing = RefusedError("Envoy would not take it")
    with pytest.raises(RefusedError):
        await rig.migration.take(step_to(WRITTEN, State.PRIMARY, override=True), AUTHOR)
    holds(rig)
    assert rig.migration.store.steps()[0].problem == "Envoy would not take it"


@pytest.mark.asyncio
async def test_interfaces_that_move_together_do_so_in_one_step(tmp_path: Path) -> None:
    both = plan(rules(ASKED, group="pair"), rules(WRITTEN, group="pair"), groups={"pair": (ASKED, WRITTEN)})
    rig = Rig(tmp_path, both)
    await rig.migration.begin()
    for name in (ASKED, WRITTEN):
        rig.stand(name, State.LEGACY)
    step = await rig.migration.take(step_to(ASKED, State.SHADOW), AUTHOR)
    assert [move.interface for move in step.moves] == [ASKED, WRITTEN]
    assert {one.position for one in rig.migration.store.standings().values()} == {at(State.SHADOW)}
    with pytest.raises(UnknownInterfaceError, match="is not being moved"):
        rig.migration.together("metip.nobody.v1.NobodyService")
    assert rig.migration.together("pair") == rig.migration.together(ASKED.rpartition(".")[2]) == (ASKED, WRITTEN)


@pytest.mark.asyncio
async def test_whoever_asked_may_go_and_the_step_is_finished_all_the_same(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.migration.begin()
    rig.stand(ASKED, State.LEGACY)
    entered, let_go = asyncio.Event(), asyncio.Event()
    roads: Any = rig.migration.around.roads
    put = roads.put

    async def slow(*arguments: Any) -> None:
        entered.set()
        await let_go.wait()
        await put(*arguments)

    roads.put = slow
    asked = asyncio.ensure_future(rig.migration.take(step_to(ASKED, State.SHADOW), AUTHOR))
    await entered.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    let_go.set()
    roads.put = put
    await rig.migration.back(ASKED, at(State.LEGACY), "a test", AUTHOR)  # waits its turn
    assert [one.phase for one in rig.migration.store.steps()] == [step_pb2.STEP_PHASE_APPLIED] * 2
