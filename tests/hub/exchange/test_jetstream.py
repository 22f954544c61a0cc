"""Several hubs on one log: work is shared, a dead hub's attempts are taken over once, and no acknowledged message is lost or doubled."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw
import pytest
import pytest_asyncio
from engines import NOW, Bench, Time, arrival, hub, subscription
from nats_server import NatsServer, cluster, shared_server
from waiting import until

from hub.exchange.jetstream import JetStreamEngine, Settings
from hub.exchange.jetstream.leases import Watch
from hub.exchange.jetstream.sequencer import Append, Told
from hub.exchange.life import Event, State
from hub.exchange.records import Accepted, BrokenError, Filter, FullError, UnknownError

FAR = subscription().name
ONCE = subscription("once", write_once=True).name
LEASE = 0.6
WITHIN = 15.0


@dataclass
class Hubs:
    """Hubs on one log, each opened by name."""

    server: NatsServer
    folder: Path
    time: Time
    stack: AsyncExitStack

    async def open(self, name: str, **changes: Any) -> Bench:
        """One hub; it is closed with the rest unless it was killed."""
        append = changes.pop("append", None)
        settings = hub(self.server, self.folder, name, **{"stream": _stream(self.folder), "lease": LEASE, **changes})
        broken: list[BrokenError] = []
        engine = await JetStreamEngine.open(settings, broken.append, clock=self.time.clock(), append=append)
        self.stack.push_async_callback(engine.halt)
        return Bench(engine, self.time, broken=broken)


def _stream(folder: Path) -> str:
    return f"log-{abs(hash(str(folder)))}"


def _engine(bench: Bench) -> JetStreamEngine:
    assert isinstance(bench.engine, JetStreamEngine)
    return bench.engine


@asynccontextmanager
async def _hubs(server: NatsServer, folder: Path) -> AsyncIterator[Hubs]:
    async with AsyncExitStack() as stack:
        yield Hubs(server, folder, Time(), stack)


@pytest_asyncio.fixture(loop_scope="function")
async def hubs(tmp_path: Path) -> AsyncIterator[Hubs]:
    """Hubs on the session's server."""
    async with _hubs(await shared_server(), tmp_path) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="function")
async def own(tmp_path: Path) -> AsyncIterator[Hubs]:
    """Hubs on a server of the test's own, to be killed."""
    folder = tmp_path / "server"
    folder.mkdir()
    server = NatsServer(folder)
    await server.start()
    try:
        async with _hubs(server, tmp_path) as found:
            yield found
    finally:
        server.kill()


def _ids(found: Sequence[Accepted | FullError]) -> list[str]:
    return [one.message_id for one in found if isinstance(one, Accepted)]


async def _caught_up(*benches: Bench) -> None:
    """Waits until every hub has carried out what any has."""

    async def same() -> bool:
        return len({(await _standing(one)) for one in benches}) == 1

    await until(same, WITHIN)


async def _standing(bench: Bench) -> int:
    return (await _engine(bench)._writer.do(lambda store: store.standing())).applied


def _content(folder: Path, name: str) -> dict[str, list[Any]]:
    """Everything in a hub's file."""
    database = apsw.Connection(str(folder / name / "exchange.sqlite"))
    try:
        tables = [str(row[0]) for row in database.execute("select name from sqlite_master where type = 'table' order by 1")]
        return {table: list(database.execute("select * from " + table)) for table in tables}
    finally:
        database.close()


@pytest.mark.asyncio(loop_scope="function")
async def test_what_one_hub_accepts_another_delivers_and_both_say_the_same_of_it(hubs: Hubs) -> None:
    one, two = await hubs.open("one"), await hubs.open("two")
    await one.subscribe(subscription())
    await two.subscribe(subscription())
    message_id = await one.accept("a")
    await until(lambda: _has(two, FAR, State.PENDING), WITHIN)
    assert FAR in two.ready
    (attempt,) = await two.take(FAR)
    assert (attempt.message_id, attempt.body) == (message_id, b"a")
    await _caught_up(one, two)
    assert await one.take(FAR) == []
    await two.settle(attempt, Event.CONFIRMED)
    await _caught_up(one, two)
    assert await one.counts(FAR) == await two.counts(FAR) == {State.PROCESSED: 1}


@pytest.mark.asyncio(loop_scope="function")
async def test_hubs_that_take_turns_at_once_give_each_message_once(hubs: Hubs) -> None:
    one, two = await hubs.open("one"), await hubs.open("two")
    await one.subscribe(subscription())
    await two.subscribe(subscription())
    keys = [f"k{number}" for number in range(40)]
    await asyncio.gather(*((one, two)[number % 2].accept(key) for number, key in enumerate(keys)))
    given: list[str] = []
    async with asyncio.timeout(WITHIN):
        while len(given) < len(keys):
            for bodies in await asyncio.gather(one.bodies(FAR, 3), two.bodies(FAR, 3)):
                given += bodies
    assert sorted(given) == sorted(keys)
    await _caught_up(one, two)
    assert await one.counts(FAR) == {State.ATTEMPT: 40}


@pytest.mark.asyncio(loop_scope="function")
async def test_files_of_all_hubs_are_the_same_to_the_last_row(hubs: Hubs) -> None:
    one, two = await hubs.open("one", lease=60), await hubs.open("two", lease=60)
    await one.subscribe(subscription(backlog=6), subscription("once", write_once=True))
    for number in range(8):
        hubs.time.now += 1
        await (one, two)[number % 2].engine.accept([arrival(f"k{number % 5}", str(number % 2))])
    (first, other) = await two.take(FAR)
    await two.settle(first, Event.GAVE_UP, reason="NO_TRACE")
    await two.settle(other, Event.FAILED, retry_at=NOW)
    plan = await one.engine.plan(Filter(states=frozenset({State.PARKED})), by="P1", reason="x", write_once=frozenset(), expires=NOW + 99)
    await one.engine.replay(plan.plan_id, by="P1", reason="x")
    await hubs.open("three", lease=60)

    def alike() -> bool:
        one, two, three = (_content(hubs.folder, name) for name in ("one", "two", "three"))
        return bool(one["message"]) and one == two == three

    await until(alike, WITHIN)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_dead_hubs_attempts_are_taken_over_once(hubs: Hubs) -> None:
    one, two, three = await hubs.open("one"), await hubs.open("two"), await hubs.open("three")
    for bench in (one, two, three):
        await bench.subscribe(subscription(), subscription("once", write_once=True))
    await one.accept("a")
    (attempt,) = await one.take(FAR)
    await one.take(ONCE)
    await _caught_up(one, two, three)
    assert await two.take(FAR) == []
    await _engine(one).halt()
    await until(lambda: _has(two, FAR, State.PENDING), WITHIN)
    await _caught_up(two, three)
    taken = [again for bench in (two, three) for again in await bench.take(FAR)]
    assert [(again.message_id, again.number, again.redelivery) for again in taken] == [(attempt.message_id, 2, True)]
    assert await two.counts(ONCE) == {State.IN_DOUBT: 1}
    steps = [one.reason for one in await two.engine.steps(attempt.message_id)]
    assert steps == ["PROCESS_ENDED", "PROCESS_ENDED"]


async def _has(bench: Bench, name: str, state: State) -> bool:
    return bool((await bench.counts(name)).get(state))


@pytest.mark.asyncio(loop_scope="function")
async def test_a_living_hubs_attempts_stay_its_own_when_another_joins_subscribes_or_leaves(hubs: Hubs) -> None:
    one = await hubs.open("one")
    await one.subscribe(subscription())
    await one.accept("a")
    await one.take(FAR)
    two = await hubs.open("two")
    await two.subscribe(subscription())
    await one.subscribe(subscription())
    await two.engine.close()
    assert await one.counts(FAR) == {State.ATTEMPT: 1}


@pytest.mark.asyncio(loop_scope="function")
async def test_a_restarted_hub_takes_its_own_attempts_back_at_once(hubs: Hubs) -> None:
    one = await hubs.open("one", lease=3600)
    two = await hubs.open("two", lease=3600)
    await one.subscribe(subscription())
    await one.accept("a")
    await one.take(FAR)
    await _engine(one).halt()
    again = await hubs.open("one", lease=3600)
    assert _engine(again).recovered == (1, 0)
    (attempt,) = await again.take(FAR)
    assert attempt.redelivery
    await _caught_up(again, two)
    assert await two.counts(FAR) == {State.ATTEMPT: 1}


@pytest.mark.asyncio(loop_scope="function")
async def test_a_hub_whose_lease_ran_out_while_it_lived_joins_again_and_loses_nothing_that_it_is_told(hubs: Hubs) -> None:
    one, two = await hubs.open("one", lease=3600), await hubs.open("two", lease=LEASE)
    await one.subscribe(subscription())
    await one.accept("a")
    (attempt,) = await one.take(FAR)
    await _caught_up(one, two)
    await until(lambda: _has(two, FAR, State.PENDING), WITHIN)
    await one.accept("b")
    await one.settle(attempt, Event.CONFIRMED)
    await _caught_up(one, two)
    assert await two.counts(FAR) == {State.PENDING: 2}
    assert not one.broken


@pytest.mark.asyncio(loop_scope="function")
async def test_a_second_process_of_the_same_hub_ends_the_first(hubs: Hubs) -> None:
    first = await hubs.open("one")
    second = await _other_folder(hubs, "one")
    await until(lambda: first.broken, WITHIN)
    with pytest.raises(BrokenError):
        await first.accept("a")
    await second.accept("a")


async def _other_folder(hubs: Hubs, name: str) -> Bench:
    folder = hubs.folder / "elsewhere"
    folder.mkdir()
    elsewhere = Hubs(hubs.server, folder, hubs.time, hubs.stack)
    return await elsewhere.open(name, stream=_stream(hubs.folder))


class LosesAcks:
    """Writes entries and forgets that they were acknowledged, so often."""

    def __init__(self, losses: int) -> None:
        self.losses = losses

    def __call__(self, append: Append) -> Append:
        async def lossy(entry_id: str, data: bytes) -> Told:
            told = await append(entry_id, data)
            if self.losses:
                self.losses -= 1
                return Told.UNKNOWN
            return told

        return lossy


class ForgetsIds(LosesAcks):
    """Also writes under an id of its own each time, as when the log's memory of ids is too short."""

    def __call__(self, append: Append) -> Append:
        tries = 0

        async def lossy(entry_id: str, data: bytes) -> Told:
            nonlocal tries
            tries += 1
            return await super(ForgetsIds, self).__call__(append)(f"{entry_id}.{tries}", data)

        return lossy


@pytest.mark.parametrize("losing", [LosesAcks, ForgetsIds], ids=["kept once by the log", "written thrice"])
@pytest.mark.asyncio(loop_scope="function")
async def test_an_entry_whose_acknowledgement_was_lost_is_not_doubled(hubs: Hubs, losing: type[LosesAcks]) -> None:
    losses = losing(0)
    bench = await hubs.open("one", append=losses, lease=3600)
    await bench.subscribe(subscription())
    losses.losses = 2
    # No idempotency window: only the log's own care can keep this from being doubled.
    message_id = await bench.accept("a", window=0.0)
    await bench.accept("b", window=0.0)
    assert losses.losses == 0
    attempts = await bench.take(FAR)
    assert [one.body for one in attempts] == [b"a", b"b"]
    assert attempts[0].message_id == message_id


@pytest.mark.asyncio(loop_scope="function")
async def test_a_hub_starts_from_a_snapshot_and_what_the_log_still_has(hubs: Hubs) -> None:
    one = await hubs.open("one", snapshot_every=1, lease=3600)
    await one.subscribe(subscription())
    ids = [await one.accept(f"k{number}") for number in range(5)]
    applied = await _engine(one).snapshot()
    assert (await _engine(one)._log.span())[0] >= applied
    ids.append(await one.accept("late"))
    two = await hubs.open("two", lease=3600)
    assert [found.message_id for found in await two.find()] == ids
    assert [attempt.message_id for attempt in await two.take(FAR)] == ids
    await _engine(two).halt()
    again = await hubs.open("two", lease=3600)
    assert _engine(again).recovered == (6, 0)


@pytest.mark.asyncio(loop_scope="function")
async def test_snapshots_are_kept_as_the_log_grows_and_it_is_bounded(hubs: Hubs) -> None:
    one = await hubs.open("one", snapshot_every=10, lease=3600)
    for number in range(60):
        await one.accept(f"k{number}")

    async def bounded() -> bool:
        return (await _engine(one)._log.span())[0] > 10

    await until(bounded, WITHIN)
    assert len(await (await hubs.open("two")).find()) == 0
    assert (await (await hubs.open("three")).engine.message(await one.accept("k59"))).body == b"k59"


@pytest.mark.asyncio(loop_scope="function")
async def test_acknowledged_messages_are_found_after_the_server_was_killed_in_the_middle_of_accepting(own: Hubs) -> None:
    one = await own.open("one", lease=3600, patience=30)
    await one.subscribe(subscription())
    acknowledged: list[str] = []

    async def produce(name: str) -> None:
        for number in range(40):
            acknowledged.append(await one.accept(f"{name}{number}"))

    producers = [asyncio.create_task(produce(name)) for name in "abcd"]
    for enough in (20, 60, 100):
        await until(lambda enough=enough: len(acknowledged) >= enough, WITHIN)  # type: ignore[misc]
        own.server.kill()
        await own.server.start()
    async with asyncio.timeout(60):
        await asyncio.gather(*producers)
    assert len(set(acknowledged)) == 160
    two = await own.open("two", lease=3600)
    found = [one.message_id for one in await two.engine.deliveries(Filter(), limit=1000)]
    assert sorted(found) == sorted(acknowledged)
    for number in range(40):
        assert isinstance((await two.engine.accept([arrival(f"a{number}")]))[0], Accepted)
    assert len(await two.engine.deliveries(Filter(), limit=1000)) == 160
    assert not one.broken


@pytest.mark.asyncio(loop_scope="function")
async def test_three_replicas_lose_nothing_and_go_on_when_one_server_after_the_other_is_killed(tmp_path: Path) -> None:
    servers = cluster(tmp_path)
    try:
        await asyncio.gather(*(server.start() for server in servers))
        async with _hubs(servers[0], tmp_path) as found:
            changes = {"servers": tuple(server.address for server in servers), "replicas": 3, "monitor": "", "patience": 30, "lease": 3600}
            one = await found.open("one", **changes)
            acknowledged: list[str] = []
            enough = asyncio.Event()

            async def produce(name: str) -> None:
                number = 0
                while not enough.is_set():
                    number += 1
                    acknowledged.append(await one.accept(f"{name}{number}"))

            producers = [asyncio.create_task(produce(name)) for name in "abc"]
            for server in servers[:2]:
                before = len(acknowledged)
                await until(lambda before=before: len(acknowledged) >= before + 20, 45)  # type: ignore[misc]
                server.kill()
                killed = len(acknowledged)
                await until(lambda killed=killed: len(acknowledged) >= killed + 20, 45)  # type: ignore[misc]
                await server.start()
            enough.set()
            await asyncio.gather(*producers)
            two = await found.open("two", **changes)
            for message_id in acknowledged:
                await two.engine.message(message_id)
            database = apsw.Connection(str(tmp_path / "two" / "exchange.sqlite"))
            assert list(database.execute("select count(*) from message")) == [(len(set(acknowledged)),)]
            database.close()
            assert not one.broken
    finally:
        for server in servers:
            server.kill()


@pytest.mark.asyncio(loop_scope="function")
async def test_without_the_log_messages_are_refused_in_time_and_turns_wait(own: Hubs) -> None:
    one = await own.open("one", patience=0.3, lease=3600)
    await one.subscribe(subscription())
    await one.accept("a")
    own.server.kill()
    await until(lambda: not _engine(one)._log.connected, WITHIN)
    found = await one.engine.accept([arrival("b")])
    assert [str(refusal) for refusal in found] == ["the log can't be reached"]
    with pytest.raises(FullError):
        await one.engine.pause(FAR, paused=True, by="P1", reason="x")
    turn = asyncio.create_task(one.bodies(FAR))
    assert await one.counts(FAR) == {State.PENDING: 1}
    await own.server.start()
    async with asyncio.timeout(WITHIN):
        assert await turn == ["a"]
    assert await one.bodies(FAR) == []


@pytest.mark.asyncio(loop_scope="function")
async def test_a_hub_that_can_not_reach_the_log_does_not_start(own: Hubs) -> None:
    own.server.kill()
    with pytest.raises(FullError):
        await own.open("one", patience=0.3)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_log_that_was_made_anew_stops_every_hub(hubs: Hubs) -> None:
    one = await hubs.open("one", lease=3600)
    await one.accept("a")
    await _engine(one).snapshot()
    await _engine(one)._log._context.delete_stream(_stream(hubs.folder))
    await _engine(one).halt()
    for name in ("one", "two"):
        with pytest.raises(BrokenError, match="the log lost entries"):
            await hubs.open(name, lease=3600)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_log_whose_last_entries_were_rewritten_stops_a_hub(hubs: Hubs) -> None:
    one = await hubs.open("one", lease=3600)
    await one.accept("a")
    await _engine(one).halt()
    context = _engine(await hubs.open("helper", stream=_stream(hubs.folder) + "-helper"))._log._context
    name, applied = _stream(hubs.folder), 3
    await context.delete_stream(name)
    await context.add_stream(name=name, subjects=[f"{name}.*"], storage="file", discard="new")
    for number in range(applied):
        await context.publish(f"{name}.two", b"", headers={"Nats-Msg-Id": f"other{number}"})
    with pytest.raises(BrokenError, match="is not the one"):
        await hubs.open("one", lease=3600)


@pytest.mark.asyncio(loop_scope="function")
async def test_an_entry_that_somebody_took_out_of_the_log_stops_a_hub_that_needs_it(hubs: Hubs) -> None:
    one = await hubs.open("one", lease=3600)
    await one.accept("a")
    await one.accept("b")
    await _engine(one)._log._context.delete_msg(_stream(hubs.folder), await _standing(one) - 1)
    with pytest.raises(BrokenError, match="missing from the log"):
        await hubs.open("two", lease=3600)
    await one.accept("c")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"storage": "memory"}, "in memory"),
        ({"retention": "workqueue"}, "retention"),
        ({"max_age": 60.0}, "age"),
        ({"discard": "old"}, "discard"),
    ],
    ids=["memory", "work queue", "age", "discards"],
)
@pytest.mark.asyncio(loop_scope="function")
async def test_a_stream_that_may_forget_is_refused(hubs: Hubs, changes: dict[str, Any], says: str) -> None:
    helper = await hubs.open("one", stream=_stream(hubs.folder) + "-helper")
    name = _stream(hubs.folder)
    await _engine(helper)._log._context.add_stream(
        **{"name": name, "subjects": [f"{name}.*"], "storage": "file", "discard": "new", **changes}
    )
    with pytest.raises(BrokenError, match=says):
        await hubs.open("two")


@pytest.mark.asyncio(loop_scope="function")
async def test_a_server_that_acknowledges_before_it_syncs_is_refused(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, sync='"2m"')
    await server.start()
    try:
        async with _hubs(server, tmp_path) as found:
            with pytest.raises(BrokenError, match="sync_interval: always"):
                await found.open("one")
            with pytest.raises(BrokenError, match="monitoring address"):
                await JetStreamEngine.open(replace(hub(server, tmp_path), monitor=""), lambda _: None)
    finally:
        server.kill()


@pytest.mark.asyncio(loop_scope="function")
async def test_a_message_larger_than_the_log_takes_is_refused_alone(hubs: Hubs) -> None:
    bench = await hubs.open("one")
    large = arrival("large")
    found = await bench.engine.accept([arrival("a"), _with_body(large, b"x" * 2_000_000), arrival("b")])
    assert [type(one) for one in found] == [Accepted, FullError, Accepted]
    many = [_with_body(arrival(f"m{number}"), b"y" * 100_000) for number in range(30)]
    assert len(_ids(await bench.engine.accept(many))) == 30


def _with_body(one: Any, body: bytes) -> Any:
    return replace(one, body=body)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_plan_of_one_hub_is_carried_out_by_another(hubs: Hubs) -> None:
    one, two = await hubs.open("one"), await hubs.open("two")
    await one.subscribe(subscription())
    await one.accept("a")
    (attempt,) = await one.take(FAR)
    await one.settle(attempt, Event.GAVE_UP)
    plan = await one.engine.plan(Filter(), by="P1", reason="mended", write_once=frozenset(), expires=NOW + 60)
    assert (await two.engine.replay(plan.plan_id, by="P2", reason="mended")).replayed == 1
    with pytest.raises(UnknownError):
        await two.engine.approve("00000000-0000-4000-8000-000000000000", by="P2", reason="")


def test_the_hub_starts_without_the_extra() -> None:
    code = "import sys; import hub.exchange.jetstream; sys.exit('nats' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("stream", "name"), [("log", "a.b"), ("log", ""), ("a b", "one"), ("*", "one")], ids=["dot", "empty", "space", "wildcard"]
)
def test_a_name_that_can_not_be_part_of_a_subject_is_refused(tmp_path: Path, stream: str, name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        Settings(("nats://127.0.0.1:1",), stream, tmp_path, name)


def test_a_process_is_silent_only_after_a_lease_without_an_entry() -> None:
    watch = Watch(10)
    assert watch.silent({"a": 1, "b": 2}, 100) == []
    assert watch.silent({"a": 1, "b": 3}, 109) == []
    assert watch.silent({"a": 1, "b": 3}, 111) == [("a", 1)]
    watch.forget()
    assert watch.silent({"a": 1, "b": 3}, 200) == []
