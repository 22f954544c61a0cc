"""Two platforms behind a real hub and a real Envoy: messages move between them while everything is killed.

The far system's own ledger tells who executed what: each probe on one platform, in the order of its key, and none missing.
"""

import asyncio
import random
import signal
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import grpc
import pytest
import pytest_asyncio
from command_line import metip
from exchange_rig import OLD, OLD_TOO, PROBE, SYSTEM, ExchangeRig, probe, running_exchange

from metip.exchange.v1 import owner_pb2
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from metip.exchange.v1.receipt_pb2 import Receipt

pytestmark = pytest.mark.asyncio(loop_scope="module")
AUDIT: Any = {"purpose": "PURPOSE_AUDIT", "justification": "a test decides"}
KEYS = 6
LASTS = 25.0
"""Seconds of load, moves and kills."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ExchangeRig]:
    """One exchange with both platforms."""
    async with running_exchange(tmp_path_factory.mktemp("p"), environment={OLD_TOO: "1"}) as found:
        yield found


async def publish(rig: ExchangeRig, channel: grpc.aio.Channel, probe_id: str, line: str, place: int) -> None:
    """One message, handed over until there is a receipt."""
    call: Any = channel.unary_unary(f"/{PROBE}")
    while True:
        with suppress(grpc.aio.AioRpcError):
            Receipt.FromString(await call(probe(probe_id, line, place), timeout=5))
            return
        await asyncio.sleep(0.1)


async def move(rig: ExchangeRig, channel: grpc.aio.Channel, **said: Any) -> Any:
    """Asks for a move."""
    request = owner_pb2.MoveOwnerRequest(access=AUDIT, operation=PROBE, patience_seconds=5, **said)
    return (await ExchangeServiceStub(channel).MoveOwner(request, metadata=rig.token(), timeout=30)).move


def executed(rig: ExchangeRig, prefix: str) -> dict[str, list[tuple[str, ...]]]:
    """Effects of probes whose id begins so, by id, in the order in which they came."""
    found = defaultdict(list)
    for effect in rig.effects():
        if effect[1].startswith(prefix):
            found[effect[1]].append(effect)
    return found


async def all_there(rig: ExchangeRig, prefix: str, count: int, seconds: float = 30.0) -> dict[str, list[tuple[str, ...]]]:
    async with asyncio.timeout(seconds):
        while len(executed(rig, prefix)) < count:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    return executed(rig, prefix)


def check(found: dict[str, list[tuple[str, ...]]], count: int) -> None:
    """Each on one platform, none missing."""
    assert len(found) == count
    split = {probe_id: {one[0] for one in effects} for probe_id, effects in found.items() if len({one[0] for one in effects}) > 1}
    assert not split, f"executed by both platforms: {split}"


def in_order(rig: ExchangeRig, prefix: str) -> None:
    """Of each key, the first effect of each probe comes in the order of acceptance."""
    seen: dict[str, int] = {}
    known = set()
    for _, probe_id, line, place, *_ in rig.effects():
        if not probe_id.startswith(prefix) or probe_id in known:
            continue
        known.add(probe_id)
        assert seen.get(line, -1) < int(place), f"{probe_id} of {line} came after {seen[line]}"
        seen[line] = int(place)


async def test_messages_go_where_they_were_moved_by_the_command_line(rig: ExchangeRig) -> None:
    channel, home = rig.channel(), rig.home.root
    await publish(rig, channel, "a1", "line-a", 1)
    assert {one[0] for one in (await all_there(rig, "a", 1))["a1"]} == {SYSTEM}
    done = await metip(
        home, "messages", "owner", "move", "PublishProbe", "--to", OLD, "--key", "line-a", "--reason", "a test moves", "--json"
    )
    assert done.code == 0, done.err + done.out
    assert done.json["stage"] == "moved"
    await publish(rig, channel, "a2", "line-a", 2)
    await publish(rig, channel, "a3", "line-b", 3)
    found = await all_there(rig, "a", 3)
    assert [found["a2"][0][0], found["a3"][0][0]] == [OLD, SYSTEM]
    shown = await metip(home, "messages", "owner", "show", "PublishProbe", "--key", "line-a", "--json")
    assert shown.json["keys"][0]["owner"] == OLD
    handed = await metip(home, "messages", "hand-over", "PublishProbe", "--from", SYSTEM, "--to", OLD, "--reason", "a test hands over")
    assert handed.code == 0, handed.err + handed.out
    await publish(rig, channel, "a4", "line-b", 4)
    assert (await all_there(rig, "a", 4))["a4"][0][0] == OLD
    refused = await metip(home, "messages", "owner", "move", "PublishProbe", "--to", "nobody", "--all", "--reason", "a test moves")
    assert (refused.code, "is no platform of" in refused.out + refused.err) == (1, True)
    back = await metip(home, "messages", "owner", "move", "PublishProbe", "--to", SYSTEM, "--all", "--reason", "a test moves back")
    assert back.code == 0, back.err + back.out


async def test_a_token_of_ones_own_is_stripped_at_the_edge(rig: ExchangeRig) -> None:
    call: Any = rig.channel().unary_unary(f"/{PROBE}")
    await call(probe("t1", "line-t", 1), timeout=5, metadata=[("x-metip-token", f"{OLD} 9999999999 00")])
    assert (await all_there(rig, "t1", 1))["t1"][0][0] == SYSTEM


async def test_through_moves_and_kills_each_message_is_executed_by_one_platform_in_order(rig: ExchangeRig) -> None:
    chance, channel = random.Random(2026), rig.channel()
    over = asyncio.Event()

    async def load(key: int) -> int:
        place = 0
        while not over.is_set():
            place += 1
            await publish(rig, channel, f"k{key}-{place}", f"k-line-{key}", place)
            await asyncio.sleep(0.02)
        return place

    async def moves() -> int:
        carried_out = 0
        while not over.is_set():
            to = chance.choice((SYSTEM, OLD))
            what = chance.choice(("key", "all", "new", "cut"))
            with suppress(grpc.aio.AioRpcError):
                if what == "key":
                    await move(rig, channel, scope=owner_pb2.MOVE_SCOPE_KEY, key=f"k-line-{chance.randrange(KEYS)}", to=to)
                elif what == "cut":
                    source = SYSTEM if to == OLD else OLD
                    request = owner_pb2.HandOverRequest(access=AUDIT, operation=PROBE, to=to, **{"from": source})
                    await ExchangeServiceStub(channel).HandOver(request, metadata=rig.token(), timeout=10)
                else:
                    await move(rig, channel, scope=owner_pb2.MOVE_SCOPE_ALL if what == "all" else owner_pb2.MOVE_SCOPE_NEW, to=to)
                carried_out += 1
            await asyncio.sleep(chance.uniform(0, 0.5))
        return carried_out

    async def kills() -> int:
        killed = 0
        while not over.is_set():
            await asyncio.sleep(chance.uniform(2, 4))
            name = chance.choice(("hub", f"subscriber-{SYSTEM}-0", f"subscriber-{OLD}-0"))
            killed += rig.kill(name, signal.SIGKILL)
        return killed

    async with asyncio.TaskGroup() as group:
        loads = [group.create_task(load(key)) for key in range(KEYS)]
        moving, killing = group.create_task(moves()), group.create_task(kills())
        await asyncio.sleep(LASTS)
        over.set()
    published = sum(one.result() for one in loads)
    found = await all_there(rig, "k", published, seconds=60)
    check(found, published)
    in_order(rig, "k")
    assert moving.result() >= 1
    assert killing.result() >= 3, "it was too quiet"
    by = {platform: sum(1 for effects in found.values() if effects[0][0] == platform) for platform in (SYSTEM, OLD)}
    assert min(by.values()) > 0, f"one platform had nothing to do: {by}"
