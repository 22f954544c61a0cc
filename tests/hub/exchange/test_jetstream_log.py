"""The log itself: servers that die, logs that can't be reached, and those that are not to be relied on."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from engines import arrival, hub, subscription
from hubs import WITHIN, Hubs, engine_of, hubs_on, standing_of, stream_of
from nats_server import NatsServer, cluster
from waiting import until

from hub.exchange.jetstream import JetStreamEngine, Settings
from hub.exchange.life import State
from hub.exchange.records import Accepted, BrokenError, Filter, FullError

FAR = subscription().name


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
        async with hubs_on(servers[0], tmp_path) as found:
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
    await until(lambda: not engine_of(one)._log.connected, WITHIN)
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
    await engine_of(one).snapshot()
    await engine_of(one)._log._context.delete_stream(stream_of(hubs.folder))
    await engine_of(one).halt()
    for name in ("one", "two"):
        with pytest.raises(BrokenError, match="the log lost entries"):
            await hubs.open(name, lease=3600)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_log_whose_last_entries_were_rewritten_stops_a_hub(hubs: Hubs) -> None:
    one = await hubs.open("one", lease=3600)
    await one.accept("a")
    await engine_of(one).halt()
    context = engine_of(await hubs.open("helper", stream=stream_of(hubs.folder) + "-helper"))._log._context
    name, applied = stream_of(hubs.folder), 3
    await context.delete_stream(name)
    await context.add_stream(name=name, subjects=[f"{name}.*"], storage="file", discard="new")
    for number in range(applied):
        await context.publish(f"{name}.two", b"", headers={"Nats-Msg-Id": f"other{number}"})
    with pytest.raises(BrokenError, match="is not the one"):
        await hubs.open("one", lease=3600)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_task_that_did_not_hear_that_it_was_to_end_holds_up_nobody(hubs: Hubs) -> None:
    one = await hubs.open("one", lease=3600)
    heard = 0

    async def deaf() -> None:
        nonlocal heard
        while heard < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:  # as `asyncio.wait_for` forgets it when what it waits for comes in the same moment
                heard += 1

    engine_of(one)._tasks.append(asyncio.create_task(deaf()))
    await asyncio.sleep(0)
    async with asyncio.timeout(WITHIN):
        await engine_of(one).halt()
    assert heard == 2


@pytest.mark.asyncio(loop_scope="function")
async def test_an_entry_that_somebody_took_out_of_the_log_stops_a_hub_that_needs_it(hubs: Hubs) -> None:
    one = await hubs.open("one", lease=3600)
    await one.accept("a")
    await one.accept("b")
    await engine_of(one)._log._context.delete_msg(stream_of(hubs.folder), await standing_of(one) - 1)
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
    helper = await hubs.open("one", stream=stream_of(hubs.folder) + "-helper")
    name = stream_of(hubs.folder)
    await engine_of(helper)._log._context.add_stream(
        **{"name": name, "subjects": [f"{name}.*"], "storage": "file", "discard": "new", **changes}
    )
    with pytest.raises(BrokenError, match=says):
        await hubs.open("two")


@pytest.mark.asyncio(loop_scope="function")
async def test_a_server_that_acknowledges_before_it_syncs_is_refused(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, sync='"2m"')
    await server.start()
    try:
        async with hubs_on(server, tmp_path) as found:
            with pytest.raises(BrokenError, match="sync_interval: always"):
                await found.open("one")
            with pytest.raises(BrokenError, match="monitoring address"):
                await JetStreamEngine.open(replace(hub(server, tmp_path), monitor=""), lambda _: None)
    finally:
        server.kill()


def test_the_hub_starts_without_the_extra() -> None:
    code = "import sys; import hub.exchange.jetstream; sys.exit('nats' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("stream", "name"), [("log", "a.b"), ("log", ""), ("a b", "one"), ("*", "one")], ids=["dot", "empty", "space", "wildcard"]
)
def test_a_name_that_can_not_be_part_of_a_subject_is_refused(tmp_path: Path, stream: str, name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        Settings(("nats://127.0.0.1:1",), stream, tmp_path, name)
