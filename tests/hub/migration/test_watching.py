"""The watch, from lines of the edge's log to the step back: what it sees, when it acts, and that it never leads forward."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from migrating import ASKED, AUTHOR, WRITTEN, Rig, World, plan, rules, step_to

from hub.migration.states import Platform, State, at
from hub.migration.stepping import STEP
from hub.migration.watching import Watching
from hub.parity.evidence import Evidence
from metip.faults import Fault, Reason
from metip.migration.v1 import migration_service_pb2 as api
from metip.migration.v1 import step_pb2

pytestmark = pytest.mark.asyncio
OLD = f"before/{ASKED}"
CONSUMER = "spiffe://metip.local/consumer/room-1"


class Watched:
    """A rig, its log and its watch."""

    def __init__(self, folder: Path, **world: object) -> None:
        self.log = folder / "access.log"
        self.log.touch()
        both = plan(rules(ASKED, group="pair"), rules(WRITTEN, group="pair"), groups={"pair": (ASKED, WRITTEN)})
        self.rig = Rig(folder, both, World(**world), more={"edge_log": self.log, "hub": "spiffe://metip.local/hub"})  # type: ignore[arg-type]
        self.watching = Watching(self.rig.migration)

    def calls(self, count: int, cluster: str = ASKED, *, status: int = 0, ms: int = 20, **more: str) -> None:
        began = datetime.fromtimestamp(self.rig.world.now, UTC).isoformat()
        line = {
            "kind": "call",
            "at": began,
            "cluster": cluster,
            "grpc_status": str(status),
            "ms": str(ms),
            "consumer": CONSUMER,
            "path": "/x/y",
        }
        line |= {"details": "via_upstream", "upstream_sent": "100"}
        line.update(more)
        with self.log.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for _ in range(count))

    async def looks(self, count: int = 1) -> None:
        for _ in range(count):
            self.rig.world.now += 0.25
            await self.watching.look()

    @property
    def here(self) -> object:
        return self.rig.migration.store.standings()[ASKED].position


OPEN: list[Watched] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """What a test opened is closed."""
    yield
    while OPEN:
        OPEN.pop().rig.close()


async def begun(found: Watched) -> Watched:
    OPEN.append(found)
    await found.rig.migration.begin()
    found.rig.stand(ASKED, State.CANARY, 10)
    found.rig.stand(WRITTEN, State.LEGACY)
    await found.looks()
    return found


async def test_good_calls_lead_nowhere(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    for _ in range(20):
        found.calls(9, OLD)
        found.calls(1)
        await found.looks()
    assert found.here == at(State.CANARY, 10)
    facts = await found.rig.migration.facts(ASKED)
    assert (facts.old.calls, facts.new.calls) == (180, 20)


@pytest.mark.parametrize(
    ("defect", "bar"),
    [({"status": 14}, "errors: 12 of 12 calls"), ({"ms": 2000}, "latency: 12 of 12 calls"), ({"status": 13, "ms": 4000}, "errors: ")],
    ids=["errors", "slowness", "both"],
)
async def test_a_defect_leads_back_within_two_looks(tmp_path: Path, defect: dict[str, int], bar: str) -> None:
    found = await begun(Watched(tmp_path))
    found.calls(100, OLD)
    found.calls(12, **defect)  # type: ignore[arg-type]
    found.rig.world.now += defect.get("ms", 0) / 1000
    await found.looks(2)
    assert found.here == at(State.SHADOW)
    step = found.rig.migration.store.steps()[0]
    assert (step.kind, step.author) == (step_pb2.STEP_KIND_BREACH, "migration")
    assert step.because.startswith(bar)
    assert found.rig.world.ledger[-1][0] == STEP
    assert found.rig.world.shares[ASKED] == 0


async def test_wrong_answers_lead_back_at_the_next_look(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    found.rig.world.evidence = Evidence(ASKED, 0.0, 60, 6, 0.9, 0.8, (), 0, 0, 0.0, 0.0)
    await found.looks()
    assert found.here == at(State.SHADOW)
    assert found.rig.migration.store.steps()[0].because == "parity: 6 of 60 comparisons differ"


async def test_one_pause_of_the_machine_is_no_breach(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    found.calls(100, OLD, ms=2500)  # everybody waited
    found.calls(12, ms=2500)
    found.rig.world.now += 2.5
    await found.looks(3)
    assert found.here == at(State.CANARY, 10)


async def test_after_a_step_back_nothing_leads_forward_and_the_evidence_begins_anew(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    found.rig.stand(WRITTEN, State.SHADOW)
    found.calls(12, status=14)
    await found.looks(2)
    for _ in range(10):
        found.calls(50, OLD)
        await found.looks()
    assert found.here == at(State.SHADOW)
    facts = await found.rig.migration.facts(ASKED)
    assert facts.new.calls == facts.old.calls == 0
    await found.rig.migration.take(step_to(ASKED, State.CANARY, 10, override=True), AUTHOR)
    await found.looks(4)
    assert found.here == at(State.CANARY, 10), "what came before it says nothing of the new canary"


async def test_calls_of_the_hub_and_refusals_of_the_edge_are_nobodys(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    found.calls(50, status=14, consumer="spiffe://metip.local/hub")
    found.calls(50, status=8, details="local_rate_limited", upstream_sent="0", flags="RL")
    found.calls(50, status=7, details="rbac_access_denied", upstream_sent="0")
    found.calls(50, "metip.other.v1.OtherService", status=14)
    found.calls(50, status=5)
    with found.log.open("a") as file:
        file.write(f"no line of {ASKED}\n")
    await found.looks(3)
    assert found.here == at(State.CANARY, 10)
    assert (await found.rig.migration.facts(ASKED)).new.calls == 50


async def test_a_platform_that_nobody_answers_for_is_to_blame(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    found.calls(20, status=14, details="no_healthy_upstream", upstream_sent="0", flags="UH")
    await found.looks(2)
    assert found.here == at(State.SHADOW)


async def test_whoever_goes_first_comes_back_too(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    alone = plan(rules(ASKED))
    await found.rig.migration.replan(alone)
    found.rig.stand(ASKED, State.SHADOW)
    request = api.PinConsumerRequest(
        interface=ASKED, consumer=CONSUMER, platform=step_pb2.PLATFORM_METIP2, because="a test", approver="bob"
    )
    found.rig.world.evidence = Evidence(ASKED, 0.0, 100, 0, 1.0, 1.0, (), 0, 0, 10.0, 10.0)
    await found.rig.migration.pin(request, AUTHOR)
    assert found.rig.world.pins[ASKED] == {CONSUMER: Platform.METIP2}
    await found.looks()
    found.calls(20, status=14)
    await found.looks(2)
    assert found.rig.world.pins[ASKED] == {}
    assert found.rig.migration.store.pins() == ()
    assert found.here == at(State.SHADOW)


async def test_what_cannot_be_recorded_waits_and_is_tried_again(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    found.rig.world.unrecordable = Fault(Reason.JOURNAL, "the disk is full")
    found.calls(20, status=14)
    await found.looks(3)
    assert found.here == at(State.CANARY, 10)
    found.rig.world.unrecordable = None
    await found.looks()
    assert found.here == at(State.SHADOW)


async def test_without_an_old_platform_that_is_there_nobody_is_sent_to_it(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    found.rig.world.absent = ("before",)
    found.calls(20, status=14)
    await found.looks(2)
    assert found.here == at(State.CANARY, 10)
    found.rig.world.absent = ()
    await found.looks()
    assert found.here == at(State.SHADOW)


async def test_what_is_new_is_watched_for_fourteen_days_and_only_if_it_was_moved_here(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    migration, world = found.rig.migration, found.rig.world
    await migration.replan(plan(rules(ASKED)))
    found.rig.stand(ASKED, State.NEW)
    assert not migration.watched(ASKED), "nobody moved it here"
    found.rig.stand(ASKED, State.PRIMARY)
    await migration.take(step_to(ASKED, State.NEW, override=True), AUTHOR)
    assert migration.watched(ASKED)
    world.now += 13.9 * 86400
    assert migration.watched(ASKED)
    world.now += 86400
    assert not migration.watched(ASKED)


async def test_a_step_for_a_time_ends_by_itself_and_what_moves_together_in_one_step(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    for name in (ASKED, WRITTEN):
        found.rig.stand(name, State.LEGACY)
    request = step_to("pair", State.SHADOW)
    request.lasting.FromSeconds(60)
    await found.rig.migration.take(request, AUTHOR)
    await found.looks(4)
    assert found.here == at(State.SHADOW)
    found.rig.world.now += 60
    await found.looks()
    step = found.rig.migration.store.steps()[0]
    assert (step.kind, len(step.moves), step.because) == (step_pb2.STEP_KIND_EXPIRED, 2, "the time of step 1 is over")
    assert found.here == at(State.LEGACY)


async def test_a_step_waits_for_its_time_and_its_guards_are_judged_then(tmp_path: Path) -> None:
    found = await begun(Watched(tmp_path))
    await found.rig.migration.replan(plan(rules(ASKED)))
    found.rig.stand(ASKED, State.LEGACY)
    migration, world = found.rig.migration, found.rig.world
    for approver in ("bob", ""):
        request = step_to(ASKED, State.SHADOW, approver=approver)
        request.at.FromSeconds(int(world.now) + 100)
        migration.schedule(request, AUTHOR)
    await found.looks()
    assert found.here == at(State.LEGACY)
    world.now += 101
    await found.looks()
    assert found.here == at(State.SHADOW)
    (left,) = migration.store.scheduled()
    assert "it is at shadow already" in left[4]
    assert await migration.cancel(left[0], "a test", AUTHOR)
    assert not await migration.cancel(left[0], "a test", AUTHOR)
