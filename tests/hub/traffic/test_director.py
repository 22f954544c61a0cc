"""Changes of traffic: judged, recorded before they are in force, undone by number, begun and ended by the clock, whole after a crash."""

from pathlib import Path

import pytest
import pytest_asyncio
from directing import CONSUMER, FIRST, INTERFACE, OPERATION, OPERATOR, OTHER, SECOND, WHY, CutOffError, Directed, shifted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.mesh.inputs import Traffic
from hub.recording import TRAFFIC_CHANGE, TRAFFIC_CHANGE_REFUSED
from hub.traffic.changes import Standing, StandsOnError, TrafficError, UnknownChangeError
from hub.traffic.settings import Drain, FaultInjection, Maintenance, Paused, Pin, Sampling, Shares, State
from metip.faults import Fault

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def hub(tmp_path: Path) -> Directed:
    """A hub that has just started."""
    found = Directed(tmp_path)
    await found.restart()
    return found


async def test_a_change_is_recorded_before_it_is_in_force_and_says_what_it_did(hub: Directed) -> None:
    before = len(hub.seen)
    number = await hub.shift(5)
    assert hub.share == 5
    assert hub.records[0][:2] == (TRAFFIC_CHANGE, OPERATOR)
    assert hub.records[0][2]["change"] == number
    assert f"{SECOND} 5" in hub.records[0][2]["says"]
    assert len(hub.seen) == before + 1


async def test_what_cannot_be_recorded_is_not_done(hub: Directed) -> None:
    hub.unrecorded = True
    seen = list(hub.seen)
    with pytest.raises(Fault):
        await hub.shift(5)
    assert hub.share == 0
    assert hub.seen == seen
    assert hub.traffic.store.latest(1)[0].standing is Standing.REFUSED


async def test_every_problem_is_named_at_once_and_nothing_changes(hub: Directed) -> None:
    def edit(state: State) -> State:
        return state.put(
            Pin(INTERFACE, "spiffe://metip.local/consumer/nobody", SECOND),
            Shares(INTERFACE, (("stranger", 5),)),
            FaultInjection(f"{INTERFACE}/Nothing", abort="TIRED", abort_percent=200),
            Paused("nobody:nothing"),
            Drain("stranger"),
        )

    with pytest.raises(TrafficError) as refused:
        await hub.director.change("all wrong", OPERATOR, WHY, edit)
    text = str(refused.value)
    for words in (
        "consumer/nobody may call nothing",
        "puts stranger behind",
        "no operation Nothing",
        "TIRED is no gRPC",
        "not 200",
        "no subscription nobody:nothing",
        "knows a system stranger",
    ):
        assert words in text
    assert hub.director.state == State()
    assert hub.traffic.store.latest(5) == []


async def test_calls_are_never_sent_where_nobody_serves(hub: Directed) -> None:
    hub.control.inputs = hub.control.inputs.__class__(
        **{**hub.control.inputs.__dict__, "instances": tuple(one for one in hub.control.inputs.instances if one.system != SECOND)}
    )
    with pytest.raises(TrafficError, match=f"no instance of {SECOND}"):
        await hub.shift(5)


async def test_a_write_is_never_sampled(hub: Directed) -> None:
    write = next(one for one in hub.director.known.contracts.operations.values() if one.delivery_class.value != "NO_SIDE_EFFECTS")
    with pytest.raises(TrafficError, match="only a query can be asked twice"):
        await hub.director.change("mirror", OPERATOR, WHY, lambda state: state.put(Sampling(write.name, 1000, cap_per_hour=1)))


async def test_what_holds_already_is_no_change(hub: Directed) -> None:
    await hub.shift(5)
    found = await hub.director.change("again", OPERATOR, WHY, shifted(5))
    assert found.number == 0
    assert len(hub.records) == 1


async def test_an_undo_puts_back_what_was_and_an_undo_of_it_brings_it_again(hub: Directed) -> None:
    first = await hub.shift(5)
    undone = await hub.director.undo(first, OPERATOR, WHY)
    assert hub.share == 0
    assert hub.director.state == State()
    await hub.director.undo(undone.number, OPERATOR, WHY)
    assert hub.share == 5
    assert hub.traffic.store.change(first).standing is Standing.IN_FORCE
    await hub.director.undo(first, OPERATOR, WHY)
    assert hub.share == 0


async def test_an_undo_is_refused_while_later_changes_stand_on_it(hub: Directed) -> None:
    first, second = await hub.shift(5), await hub.shift(50)
    with pytest.raises(StandsOnError, match=rf"later changes stand on {first}: {second} \(50 %\)"):
        await hub.director.undo(first, OPERATOR, WHY)
    pin = (await hub.director.change("pin", OPERATOR, WHY, lambda state: state.put(Pin(INTERFACE, CONSUMER, FIRST)))).number
    await hub.director.undo(second, OPERATOR, WHY)
    await hub.director.undo(first, OPERATOR, WHY)
    assert hub.director.state == State((Pin(INTERFACE, CONSUMER, FIRST),))
    await hub.director.undo(pin, OPERATOR, WHY)
    with pytest.raises(StandsOnError, match="not in force: undone"):
        await hub.director.undo(pin, OPERATOR, WHY)
    with pytest.raises(UnknownChangeError):
        await hub.director.undo(99, OPERATOR, WHY)


async def test_the_file_is_what_changes_stand_on(tmp_path: Path) -> None:
    hub = Directed(tmp_path, file=Traffic(((INTERFACE, ((FIRST, 70), (SECOND, 30))),)))
    await hub.restart()
    assert hub.share == 30
    number = await hub.shift(80)
    hub.file = Traffic(((INTERFACE, ((FIRST, 60), (SECOND, 40))),))
    await hub.restart()
    assert hub.share == 80, "what a change says goes before the file"
    await hub.director.undo(number, OPERATOR, WHY)
    assert hub.share == 40, "the file's own word, as it is now"
    await hub.director.change("as owned", OPERATOR, WHY, lambda state: state.drop(("shares", INTERFACE)))
    assert hub.director.state.weights(INTERFACE) == {FIRST: 1}


async def test_a_change_steps_back_when_its_time_is_over(hub: Directed) -> None:
    number = await hub.shift(5, until=hub.now + 60)
    hub.now += 59
    await hub.director.keep_time()
    assert hub.share == 5
    hub.now += 1
    await hub.director.keep_time()
    assert hub.share == 0
    old = hub.traffic.store.change(number)
    assert (old.standing, old.undone_by) == (Standing.EXPIRED, number + 1)
    assert hub.records[-1][1] == "os://hub/hub"


async def test_a_change_steps_back_after_a_restart_too(hub: Directed) -> None:
    await hub.shift(5, until=hub.now + 60)
    hub.now += 3600
    await hub.restart()
    assert hub.share == 5
    await hub.director.keep_time()
    assert hub.share == 0


async def test_a_step_back_that_cannot_be_recorded_is_tried_again(hub: Directed) -> None:
    await hub.shift(5, until=hub.now + 60)
    hub.now += 60
    hub.unrecorded = True
    with pytest.raises(Fault):
        await hub.director.keep_time()
    assert hub.share == 5
    hub.unrecorded = False
    await hub.director.keep_time()
    assert hub.share == 0


async def test_the_way_back_of_a_later_change_leads_past_one_whose_time_is_over(hub: Directed) -> None:
    await hub.shift(5, until=hub.now + 60)
    await hub.shift(50, until=hub.now + 120)
    hub.now += 60
    await hub.director.keep_time()
    assert hub.share == 50, "a later word holds"
    hub.now += 60
    await hub.director.keep_time()
    assert hub.share == 0, "and what comes back is not what was over"


async def test_a_scheduled_change_begins_at_its_time_and_can_be_called_off(hub: Directed) -> None:
    first, second = await hub.shift(5, at=hub.now + 60, until=hub.now + 120), await hub.shift(50, at=hub.now + 300)
    assert hub.share == 0
    assert hub.records[0][2]["at"] == hub.now + 60
    hub.now += 60
    await hub.restart()
    await hub.director.keep_time()
    assert hub.share == 5
    hub.now += 60
    await hub.director.keep_time()
    assert hub.share == 0
    await hub.director.undo(second, OPERATOR, WHY)
    hub.now += 600
    await hub.director.keep_time()
    assert hub.share == 0
    assert hub.traffic.store.change(first).standing is Standing.EXPIRED


async def test_a_scheduled_change_is_refused_where_something_else_was_said_meanwhile(hub: Directed) -> None:
    number = await hub.shift(5, at=hub.now + 60)
    await hub.shift(7)
    hub.now += 60
    await hub.director.keep_time()
    assert hub.share == 7
    found = hub.traffic.store.change(number)
    assert found.standing is Standing.REFUSED
    assert "meanwhile" in found.problem
    assert hub.records[-1][0] == TRAFFIC_CHANGE_REFUSED


async def test_times_that_are_past_are_refused(hub: Directed) -> None:
    with pytest.raises(TrafficError, match="its end is past"):
        await hub.shift(5, until=hub.now - 1)
    with pytest.raises(TrafficError, match="end before it begins"):
        await hub.shift(5, at=hub.now + 60, until=hub.now + 30)


@pytest.mark.parametrize(("where", "share"), [("before", 0), ("after", 0)])
async def test_a_hub_that_stops_while_it_records_a_change_does_not_make_it(hub: Directed, where: str, share: int) -> None:
    await hub.shift(7)
    hub.cut_off = where
    with pytest.raises(CutOffError):
        await hub.shift(5)
    await hub.restart()
    assert hub.share == 7
    assert (await hub.director.undo(1, OPERATOR, WHY)).number
    assert hub.share == share


async def test_a_hub_that_stops_between_record_and_envoy_makes_the_change_when_it_starts(hub: Directed) -> None:
    async def never(*_: object, **__: object) -> object:
        raise CutOffError

    hub.control.propose = never  # type: ignore[method-assign,assignment]
    with pytest.raises(CutOffError):
        await hub.shift(5)
    assert hub.traffic.store.latest(1)[0].standing is Standing.RECORDED
    await hub.restart()
    assert hub.share == 5
    assert hub.traffic.store.latest(1)[0].standing is Standing.IN_FORCE
    await hub.director.undo(1, OPERATOR, WHY)
    assert hub.share == 0


async def test_a_drained_system_takes_its_weight_and_its_subscriptions_with_it(hub: Directed) -> None:
    await hub.shift(50)
    subscriber = next(one for one in hub.director.known.contracts.subscriptions)
    found = await hub.director.change("drain", OPERATOR, WHY, lambda state: state.put(Drain(subscriber.system)))
    assert hub.paused[subscriber.name] is True
    await hub.director.undo(found.number, OPERATOR, WHY)
    assert hub.paused[subscriber.name] is False
    done = await hub.director.preview(lambda state: state.put(Drain(FIRST)))
    assert any(f"{INTERFACE} ({SECOND})" in one for one in done.sentences)


async def test_subscriptions_that_are_to_rest_rest_after_a_restart(hub: Directed) -> None:
    name = hub.director.known.contracts.subscriptions[0].name
    await hub.director.change("pause", OPERATOR, WHY, lambda state: state.put(Paused(name)))
    hub.paused.clear()
    await hub.restart()
    assert hub.paused == {name: True}


async def test_whoever_samples_is_told_of_each_change_and_at_the_start(hub: Directed) -> None:
    queries = [one for one in hub.director.known.contracts.operations.values() if one.mirror in ("REPLICA", "RECORDED")]
    assert queries, "some contract allows a second consultation"
    told: list[Sampling] = []
    hub.director.sample = told.append
    wanted = Sampling(queries[0].name, 1000, 100)
    number = (await hub.director.change("sample", OPERATOR, WHY, lambda state: state.put(wanted))).number
    await hub.director.take_up()
    await hub.director.undo(number, OPERATOR, WHY)
    assert told == [wanted, wanted, Sampling(queries[0].name, 0)]


async def test_a_preview_says_who_moves_and_changes_nothing(hub: Directed) -> None:
    seen = list(hub.seen)
    found = await hub.director.preview(lambda state: shifted(5)(state).put(Pin(INTERFACE, CONSUMER, FIRST)))
    assert f"{FIRST} 100 % → 95 %, {SECOND} 0 % → 5 %" in found.sentences[1]
    assert "consumer/one stays pinned" in found.sentences[1]
    assert OPERATION.method in found.sentences[1]
    assert found.resources == ("~route operations",)
    assert (hub.director.state, hub.seen, hub.records) == (State(), seen, [])


async def test_an_author_that_is_a_part_of_the_hub_is_recorded_as_one(hub: Directed) -> None:
    await hub.director.change("step back", "migration", "a breach", shifted(5))
    assert hub.records[0][1] == "os://hub/migration"


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("shift"), st.integers(1, 99), st.sampled_from([0, 0, 30, 90])),
        st.tuples(st.just("pin"), st.sampled_from([CONSUMER, OTHER]), st.sampled_from([0, 30])),
        st.tuples(st.just("maintain"), st.just(0), st.sampled_from([0, 45])),
        st.tuples(st.just("undo"), st.integers(1, 12), st.just(0)),
        st.tuples(st.just("wait"), st.integers(5, 60), st.just(0)),
        st.tuples(st.just("crash"), st.sampled_from(["before", "after", "restart"]), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
async def test_whatever_happens_what_is_undone_and_over_leaves_nothing_behind(
    acts: list[tuple[str, object, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    hub = Directed(tmp_path_factory.mktemp("traffic"))
    await hub.restart()
    for act, what, lasting in acts:
        until = hub.now + lasting if lasting else None
        try:
            if act == "shift":
                await hub.shift(int(str(what)), until=until)
            elif act == "pin":
                await hub.director.change("pin", OPERATOR, WHY, lambda state, who=what: state.put(Pin(INTERFACE, str(who), SECOND)), until)  # type: ignore[misc]
            elif act == "maintain":
                await hub.director.change("maintain", OPERATOR, WHY, lambda state: state.put(Maintenance(INTERFACE, "closed")), until)
            elif act == "undo":
                await hub.director.undo(int(str(what)), OPERATOR, WHY)
            elif act == "wait":
                hub.now += float(str(what))
                await hub.director.keep_time()
            elif what == "restart":
                await hub.restart()
            else:
                hub.cut_off = str(what)
                await hub.shift(33)
                hub.cut_off = ""
        except CutOffError:
            await hub.restart()
        except TrafficError:
            pass
        assert hub.share == hub.director.state.weights(INTERFACE).get(SECOND, 0)
    hub.now += 1000
    await hub.director.keep_time()
    for _ in range(2):
        for change in hub.traffic.store.of_standing(Standing.IN_FORCE)[::-1]:
            if not change.undoes and hub.traffic.store.change(change.number).standing is Standing.IN_FORCE:
                await hub.director.undo(change.number, OPERATOR, WHY)
    assert hub.director.state == State()
    hub.traffic.store.close()


def writing(system: str, share: int = 10) -> State:
    """What gives one system all calls that write, and the second a share of the rest."""
    return State((Shares(INTERFACE, tuple(sorted(((FIRST, 100 - share), (SECOND, share)))), system),))


async def written(hub: Directed, system: str, share: int = 10) -> int:
    done = await hub.director.change(f"{system} writes", OPERATOR, WHY, lambda state: state.put(*writing(system, share).settings))
    return done.number


def epoch(hub: Directed) -> int:
    assert hub.control.inputs.traffic.epochs == tuple(sorted(hub.traffic.layers.epochs.items())), "Envoy was told something else"
    return hub.traffic.layers.epochs.get(INTERFACE, 0)


async def test_whoever_loses_the_writes_gets_a_fence_and_whoever_has_them_none(hub: Directed) -> None:
    assert (epoch(hub), hub.traffic.layers.fences(FIRST, 0)) == (0, ())
    await written(hub, FIRST)
    first = epoch(hub)
    assert first >= hub.now
    assert hub.traffic.layers.fences(FIRST, 0) == ()
    assert hub.traffic.layers.fences(SECOND, 0) == ((INTERFACE, first),)
    await written(hub, FIRST, share=50)
    assert epoch(hub) == first, "the share is none of its business"
    await written(hub, SECOND)
    assert epoch(hub) > first
    assert hub.traffic.layers.fences(FIRST, first) == ((INTERFACE, epoch(hub)),)
    assert hub.traffic.layers.fences(FIRST, epoch(hub)) == ()


async def test_undoing_a_move_of_writes_is_a_move_with_a_higher_number(hub: Directed) -> None:
    await written(hub, FIRST)
    number = await written(hub, SECOND)
    moved = epoch(hub)
    await hub.director.undo(number, OPERATOR, WHY)
    assert epoch(hub) > moved
    assert hub.traffic.layers.writer(INTERFACE) == (FIRST, epoch(hub))


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_hub_that_ends_in_the_middle_of_a_move_of_writes_gives_no_number_twice(hub: Directed, moment: str) -> None:
    await written(hub, FIRST)
    before = epoch(hub)
    hub.cut_off = moment
    with pytest.raises(CutOffError):
        await written(hub, SECOND)
    await hub.restart()
    # A record that was cut off after it was written counts as not written, since the file does not know of it.
    assert (hub.traffic.layers.writer(INTERFACE)[0], epoch(hub)) == (FIRST, before)
    await written(hub, SECOND)
    assert epoch(hub) > before
    await hub.restart()
    assert hub.traffic.layers.writer(INTERFACE) == (SECOND, epoch(hub))


async def test_writes_that_envoy_refuses_to_move_stay_where_they_are(hub: Directed, monkeypatch: pytest.MonkeyPatch) -> None:
    await written(hub, FIRST)
    before = epoch(hub)
    monkeypatch.setattr("hub.traffic.director.STANDS", frozenset())
    with pytest.raises(TrafficError):
        await written(hub, SECOND)
    assert (hub.traffic.layers.writer(INTERFACE), hub.traffic.layers.epochs[INTERFACE]) == ((FIRST, before), before)
