"""Traffic control on real processes: each setting is seen to bite and to be undone, and no call fails that was not meant to."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cases import case_files, read_case
from command_line import Done, metip, shell
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from json_client import post
from mesh_rig import MeshRig, load, running_mesh, until
from samples import send
from traffic_client import traffic_of

from adapters.kit.serving import installed_contracts
from hub.laptop.layout import DEVELOPER
from metip.contracts import DeliveryClass

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]  # most commands are processes, as operators type them

CONTRACTS = installed_contracts(date.min)
SECOND = CONTRACTS.back_ends[0].system
CASE = next(
    case
    for case in map(read_case, case_files())
    if case.case.sample and SECOND in CONTRACTS.serving(case.operation.name) and case.operation.delivery_class is DeliveryClass.READ
)
FIRST, OPERATION, INTERFACE = CASE.system, CASE.operation.name, CASE.operation.interface
OTHER = "another"
POLICY = """grants:
  - {consumer: "spiffe://metip.local/consumer/developer", operations: ["*"]}
  - {consumer: "spiffe://metip.local/consumer/another", operations: ["*"]}
"""
WHY = ("--because", "a test")
PATIENCE = 180.0
"""Seconds that a command may take on a busy machine."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """An estate with both systems and two consumers; each test leaves it as it found it."""
    async with running_mesh(tmp_path_factory.mktemp("t"), systems=(FIRST, SECOND), workers=2) as rig:
        rig.home.access.write_text(POLICY)
        channel = rig.channel(OTHER)

        async def let_in() -> bool:
            return await status_of(rig, channel, OTHER) == "OK"

        await until(let_in)
        yield rig


async def run(mesh: MeshRig, *arguments: str) -> Done:
    """`metip traffic …` that has to go well."""
    done = await metip(mesh.home.root, "traffic", *arguments, within=PATIENCE)
    assert done.code == 0, done.err
    return done


async def change(mesh: MeshRig, *arguments: str) -> int:
    """Makes a change; its number."""
    return int((await run(mesh, *arguments, *WHY, "--json")).json["change"]["number"])


async def undo(mesh: MeshRig, number: int) -> None:
    """Takes it back."""
    async with traffic_of(mesh.home.hub_socket) as traffic:
        await traffic.undo(number)


async def call(mesh: MeshRig, channel: grpc.aio.Channel, name: str = DEVELOPER) -> str:
    """Calls the operation; the system that answered, by Envoy's word for it."""
    ask: Any = channel.unary_unary(CASE.operation.path)
    sent = ask(CASE.case.request.value, timeout=10, metadata=mesh.token(name))
    await sent
    return next((str(value) for key, value in await sent.initial_metadata() if key == "x-metip-served-by"), "")


async def status_of(mesh: MeshRig, channel: grpc.aio.Channel, name: str = DEVELOPER) -> str:
    """How a call ends."""
    try:
        await call(mesh, channel, name)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


async def who(mesh: MeshRig, channel: grpc.aio.Channel, calls: int = 1, name: str = DEVELOPER) -> Counter[str]:
    """How many calls each system answers."""
    return Counter([await call(mesh, channel, name) for _ in range(calls)])


async def test_a_shift_moves_calls_and_its_undo_moves_them_back_without_losing_any(mesh: MeshRig) -> None:
    channel = mesh.channel()
    async with load(lambda: send(mesh, CASE, channel), workers=2) as calls:
        done = await run(mesh, "shift", INTERFACE, f"{SECOND}=1", *WHY)
        assert await who(mesh, channel, 10) == {SECOND: 10}
        assert f"{FIRST} 100 % → 0 %, {SECOND} 0 % → 100 %" in done.out
        assert "is in force in Envoy after" in done.out
        number = done.out.rpartition("traffic undo ")[2].split()[0]
        assert f"{FIRST} 0 % → 100 %" in (await run(mesh, "undo", number, *WHY)).out
        assert await who(mesh, channel, 10) == {FIRST: 10}
    assert calls.failed == []
    assert calls.done


async def test_a_change_is_in_the_ledger_before_it_is_in_force(mesh: MeshRig) -> None:
    number = await change(mesh, "shift", INTERFACE, f"{FIRST}=95", f"{SECOND}=5")
    await undo(mesh, number)

    async def gathered() -> bool:
        found = await metip(mesh.home.root, "ledger", "search", "--operation", "traffic/change", "--reason", "a test", "--json")
        return len(found.json["records"]) >= 2

    await until(gathered)


async def test_a_pinned_consumer_goes_where_it_is_pinned_and_nobody_else(mesh: MeshRig) -> None:
    mine, theirs = mesh.channel(), mesh.channel(OTHER)
    async with load(lambda: send(mesh, CASE, mine), workers=2) as calls:
        number = await change(mesh, "pin", INTERFACE, f"consumer/{OTHER}", SECOND)
        assert await who(mesh, theirs, 5, OTHER) == {SECOND: 5}
        assert await who(mesh, mine, 5) == {FIRST: 5}
        shifted = await change(mesh, "shift", INTERFACE, f"{SECOND}=100")
        released = await change(mesh, "pin", INTERFACE, OTHER, FIRST)
        assert await who(mesh, theirs, 5, OTHER) == {FIRST: 5}
        assert await who(mesh, mine, 5) == {SECOND: 5}
        for one in (released, shifted, number):
            await undo(mesh, one)
        assert await who(mesh, theirs, 3, OTHER) + await who(mesh, mine, 3) == {FIRST: 6}
    assert calls.failed == []


async def test_maintenance_tells_callers_why_over_grpc_and_as_json(mesh: MeshRig) -> None:
    channel = mesh.channel()
    number = await change(mesh, "maintain", OPERATION, "Back at 14:00, 100 % sure é for 'all'", "--for", "10m", "--retry-after", "2m")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(mesh, channel)
    status: Any = rpc_status.from_call(refused.value)  # type: ignore[arg-type]
    info, text, retry = error_details_pb2.ErrorInfo(), error_details_pb2.LocalizedMessage(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(text)
    assert status.details[2].Unpack(retry)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert (info.reason, info.domain, info.metadata["interface"]) == ("MAINTENANCE", "edge.metip", INTERFACE)
    assert info.metadata["until"]
    assert text.message == "Back at 14:00, 100 % sure é for 'all'"
    assert retry.retry_delay.seconds == 120
    answer = await post(mesh, OPERATION, {})
    assert answer.status == 503
    assert [one.get("reason") or one.get("message") or one.get("retry_delay") for one in answer.document["details"]] == [
        "MAINTENANCE",
        "Back at 14:00, 100 % sure é for 'all'",
        "120s",
    ]
    resumed = await change(mesh, "resume", OPERATION)
    assert await status_of(mesh, channel) == "OK"
    await undo(mesh, resumed)
    await undo(mesh, number)
    assert await status_of(mesh, channel) == "OK"


async def test_a_fault_hits_the_consumer_it_is_meant_for_by_its_share(mesh: MeshRig) -> None:
    mine, theirs = mesh.channel(), mesh.channel(OTHER)
    number = await change(mesh, "fault", OPERATION, "--abort", "aborted", "--percent", "50", "--consumer", OTHER)
    found = Counter([await status_of(mesh, theirs, OTHER) for _ in range(100)])
    assert found.keys() == {"OK", "ABORTED"}
    assert 20 <= found["ABORTED"] <= 80
    assert [await status_of(mesh, mine) for _ in range(10)] == ["OK"] * 10
    await undo(mesh, number)
    number = await change(mesh, "fault", INTERFACE, "--delay", "400ms")
    began = time.monotonic()
    assert await status_of(mesh, mine) == "OK"
    assert time.monotonic() - began >= 0.4
    await undo(mesh, number)
    assert [await status_of(mesh, theirs, OTHER) for _ in range(10)] == ["OK"] * 10


async def test_a_limit_of_an_interface_counts_one_consumer_or_all(mesh: MeshRig) -> None:
    mine, theirs = mesh.channel(), mesh.channel(OTHER)
    number = await change(mesh, "limit", INTERFACE, "2", "--consumer", OTHER)
    assert "RESOURCE_EXHAUSTED" in [await status_of(mesh, theirs, OTHER) for _ in range(8)]
    assert [await status_of(mesh, mine) for _ in range(8)] == ["OK"] * 8
    await undo(mesh, number)
    number = await change(mesh, "limit", INTERFACE, "2")
    ended = await asyncio.gather(*(status_of(mesh, mine) for _ in range(6)), *(status_of(mesh, theirs, OTHER) for _ in range(6)))
    assert "RESOURCE_EXHAUSTED" in ended
    await undo(mesh, number)
    assert [await status_of(mesh, theirs, OTHER) for _ in range(8)] == ["OK"] * 8


async def test_a_breaker_bounds_what_is_asked_at_once_and_going_back_fails_nobody(mesh: MeshRig) -> None:
    channel = mesh.channel()
    number = await change(mesh, "breaker", INTERFACE, FIRST, "--max-requests", "1")
    ended = Counter(await asyncio.gather(*(status_of(mesh, channel) for _ in range(40))))
    assert ended["UNAVAILABLE"] > 0
    assert ended["OK"] > 0
    await undo(mesh, number)
    async with load(lambda: send(mesh, CASE, channel), workers=4) as calls:
        number = await change(mesh, "breaker", INTERFACE, FIRST, "--failures", "9", "--ejected-for", "1s")
        await undo(mesh, number)
    assert calls.failed == []


async def test_a_drained_instance_gets_no_call_and_is_waited_for(mesh: MeshRig) -> None:
    channel = mesh.channel()
    status = (await metip(mesh.home.root, "status", "--json")).json
    instances = sorted(one["id"] for one in status["mesh"]["instances"] if one["system"] == FIRST)
    assert len(instances) == 2
    async with load(lambda: send(mesh, CASE, channel), workers=4) as calls:
        done = (await run(mesh, "drain", FIRST, "--instance", instances[0], *WHY, "--json")).json
        assert done["drained"]
        refused = await metip(mesh.home.root, "traffic", "drain", FIRST, "--instance", instances[1], *WHY)
        assert refused.code == 1
        assert "last instance" in refused.err
        assert len((await mesh.admin.in_progress())[INTERFACE]) == 2
        await run(mesh, "resume", instances[0], *WHY)
    assert calls.failed == []


async def test_a_drained_system_leaves_calls_to_others_or_tells_callers(mesh: MeshRig) -> None:
    channel = mesh.channel()
    shifted = await change(mesh, "shift", INTERFACE, f"{FIRST}=50", f"{SECOND}=50")
    async with load(lambda: send(mesh, CASE, channel), workers=4) as calls:
        done = (await run(mesh, "drain", FIRST, "--text", "the far system moves house", *WHY, "--json")).json
        assert done["drained"]
        assert await who(mesh, channel, 10) == {SECOND: 10}
        resumed = await change(mesh, "resume", FIRST)
    assert calls.failed == []
    await undo(mesh, resumed)
    await undo(mesh, int(done["change"]["number"]))
    await undo(mesh, shifted)
    drained = await change(mesh, "drain", FIRST, "--text", "the far system moves house")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(mesh, channel)
    assert "the far system moves house" in str(refused.value.details())
    await undo(mesh, drained)
    assert await who(mesh, channel, 5) == {FIRST: 5}


async def test_a_time_boxed_change_ends_by_itself(mesh: MeshRig) -> None:
    channel = mesh.channel()
    async with load(lambda: send(mesh, CASE, channel), workers=2) as calls:
        await run(mesh, "shift", INTERFACE, f"{SECOND}=1", "--for", "8s", *WHY)
        assert await who(mesh, channel, 3) == {SECOND: 3}

        async def back() -> bool:
            return await who(mesh, channel) == {FIRST: 1}

        await until(back, within=20)
    assert calls.failed == []
    found = (await run(mesh, "history", "--limit", "2", "--json")).json["changes"]
    assert found[1]["standing"] == "CHANGE_STANDING_EXPIRED"
    assert found[0]["author"] == "hub"


async def test_what_is_set_by_hand_is_noticed_adopted_and_reset(mesh: MeshRig) -> None:
    channel, key = mesh.channel(), f"weight.{SECOND}/{INTERFACE}"
    keys = {f"weight.{INTERFACE}": "0", key: "100"}

    async def seen() -> bool:
        found = (await run(mesh, "show", "--json")).json["overrides"]
        return {one["key"]: one["value"] for one in found if one["differs"]} == keys

    await mesh.admin.set_runtime(keys)
    began = time.monotonic()
    await until(seen, within=5)
    assert time.monotonic() - began < 4
    checked = await metip(mesh.home.root, "check", "--json")
    assert key in checked.out
    shown = await run(mesh, "show")
    assert f"{key} = 100 since" in shown.out
    assert "the hub says 0" in shown.out
    async with load(lambda: send(mesh, CASE, channel), workers=2) as calls:
        adopted = (await run(mesh, "adopt", *WHY, "--json")).json
        assert sorted(adopted["keys"]) == sorted(keys)
        assert await mesh.admin.shaping() == {}
        assert await who(mesh, channel, 5) == {SECOND: 5}
        await mesh.admin.set_runtime({key: "7"})
        assert (await run(mesh, "reset", *WHY, "--json")).json["keys"] == [key]
        assert await mesh.admin.shaping() == {}
        await mesh.admin.set_runtime(keys)
        await undo(mesh, int(adopted["change"]["number"]))
        assert await mesh.admin.shaping() == {}, "the last word holds"
        assert await who(mesh, channel, 5) == {FIRST: 5}
    assert calls.failed == []


def sheet() -> dict[str, str]:
    """Actions of the sheet on traffic, and their commands."""
    page = (Path(__file__).parents[2] / "envoy" / "README.md").read_text(encoding="utf-8").partition("## Moving traffic")[2]
    return dict(re.findall(r"^\| (.+?) \| `(curl .+?)` \|$", page, re.MULTILINE))


async def test_each_line_of_the_sheet_does_what_it_says_with_nothing_but_curl(mesh: MeshRig) -> None:
    channel, lines = mesh.channel(), sheet()
    names = f"A={mesh.home.admin_socket}; I={INTERFACE}; B={SECOND}/$I"

    async def ended(calls: int = 60) -> Counter[str]:
        return Counter([await status_of(mesh, channel) for _ in range(calls)])

    async def at_once() -> Counter[str]:
        return Counter(await asyncio.gather(*(status_of(mesh, channel) for _ in range(40))))

    async def shared() -> bool:
        return 1 <= (await who(mesh, channel, 300))[SECOND] <= 45

    async def held_back() -> bool:
        before = await mesh.stat("http.edge.fault.delays_injected")
        await ended(120)
        return await mesh.stat("http.edge.fault.delays_injected") > before

    async def limited() -> bool:
        return "RESOURCE_EXHAUSTED" in await at_once()

    limit = await change(mesh, "limit", INTERFACE, "5")
    checks: dict[str, Callable[[str], Awaitable[object]]] = {}

    def check(action: str) -> Callable[[Callable[[str], Awaitable[object]]], None]:
        def keep(of: Callable[[str], Awaitable[object]]) -> None:
            checks[action] = of

        return keep

    @check("What is set by hand now?")
    async def _(out: str) -> object:
        return "entries" in json.loads(out)

    @check("How are calls shared?")
    async def _(out: str) -> object:
        return f"{SECOND}/{INTERFACE}" in out

    @check("Lift limits of interfaces, but count")
    async def _(_: str) -> object:
        return not await limited()

    @check("Keep limits again")
    async def _(_: str) -> object:
        return await limited()

    @check("Give the other system 5 %")
    async def _(_: str) -> object:
        return await shared()

    @check("Give it everything")
    async def _(_: str) -> object:
        return await who(mesh, channel, 10) == {SECOND: 10}

    @check("Give it nothing: step back")
    async def _(_: str) -> object:
        return await who(mesh, channel, 10) == {FIRST: 10}

    @check("As the hub says")
    async def _(_: str) -> object:
        return await who(mesh, channel, 10) == {FIRST: 10} and not any(one.startswith("weight.") for one in await mesh.admin.shaping())

    @check("Hold 10 % of calls back")
    async def _(_: str) -> object:
        return await held_back()

    @check("Hold none back")
    async def _(_: str) -> object:
        return not await held_back()

    @check("End 10 % of calls with UNAVAILABLE (14)")
    async def _(_: str) -> object:
        return (await ended()).keys() == {"OK", "UNAVAILABLE"}

    @check("Refuse all calls of an interface")
    async def _(_: str) -> object:
        return (await ended(10)).keys() == {"UNAVAILABLE"}

    @check("End none")
    async def _(_: str) -> object:
        return (await ended(10)).keys() == {"OK"}

    @check("At most 50 calls at once to a system")
    async def _(_: str) -> object:
        return "UNAVAILABLE" in await at_once()

    @check("As many as usual")
    async def _(_: str) -> object:
        return (await at_once()).keys() == {"OK"}

    @check("How many calls are in progress, by cluster?")
    async def _(out: str) -> object:
        return f"cluster.{INTERFACE}.upstream_rq_active: " in out

    assert lines.keys() == checks.keys()
    for action in (*(one for one in lines if "imits" in one), *(one for one in lines if "imits" not in one)):
        done = await shell(mesh.home.root, f"{names}; {lines[action].replace('requests=50', 'requests=1')}")
        assert done.code == 0, done.err
        assert await checks[action](done.out), action
        if action == "Keep limits again":
            await undo(mesh, limit)
    assert await mesh.admin.shaping() == {}


async def test_a_dry_run_and_a_preview_change_nothing(mesh: MeshRig) -> None:
    before = (await run(mesh, "show", "--json")).json["settings"]
    done = await run(mesh, "shift", INTERFACE, f"{SECOND}=1", "--dry-run")
    again = await run(mesh, "preview", "shift", INTERFACE, f"{SECOND}=1")
    assert done.out == again.out
    assert "nothing was changed; this would happen" in done.out
    assert "~route operations" in done.out
    assert (await run(mesh, "show", "--json")).json["settings"] == before


async def test_what_can_not_be_is_refused_with_every_reason(mesh: MeshRig) -> None:
    done = await metip(mesh.home.root, "traffic", "shift", INTERFACE, "nobody=1", *WHY)
    assert done.code == 1
    assert "puts nobody behind" in done.err
    first, second = (
        await change(mesh, "shift", INTERFACE, f"{FIRST}=90", f"{SECOND}=10"),
        await change(mesh, "shift", INTERFACE, f"{FIRST}=1"),
    )
    done = await metip(mesh.home.root, "traffic", "undo", str(first), *WHY)
    assert done.code == 1
    assert f"later changes stand on {first}: {second}" in done.err
    await undo(mesh, second)
    await undo(mesh, first)
