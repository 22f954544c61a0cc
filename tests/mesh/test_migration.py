"""An interface on its way from the old platform to the new one, on real processes, by the command line alone, under constant load.

Which system stands for the old platform is a value: any back end of an interface of queries will do.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from cases import case_files, read_case
from command_line import Done, metip
from mesh_rig import MeshRig, load, reason_of, running_mesh, stopwatch, until
from samples import send

from adapters.kit.serving import installed_contracts
from hub.migration.plan import read
from metip.cases.v1.case_pb2 import Fault

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CONTRACTS = installed_contracts(date.min)
OLD = next(one.system for one in CONTRACTS.back_ends if one.platform == "METIP")
RULES = read(None, CONTRACTS).rules
CASE = next(
    case
    for case in map(read_case, case_files())
    if case.case.sample
    and OLD in CONTRACTS.serving(case.operation.name)
    and not RULES[case.operation.interface].undivided
    and not RULES[case.operation.interface].writes
    and not case.operation.server_streams
)
NEW, INTERFACE = CASE.system, CASE.operation.interface
COMPARED = next(
    case
    for case in map(read_case, case_files())
    if case.case.sample
    and OLD in CONTRACTS.serving(case.operation.name)
    and case.operation.mirror == "REPLICA"
    and case.operation.method.startswith("Search")
)
"""A search that may be compared live, of an interface that also writes."""
WRITE = next(
    case
    for case in map(read_case, case_files())
    if case.case.sample and case.operation.interface == COMPARED.operation.interface and CONTRACTS.contended(case.operation)
)
"""A call that writes, of the same interface."""
FIRST_RING = ("--to", "canary", "--percent", "10", "--because", "too fast", "--approver", "lead")
ANSWERED_BY = "provenance.system"
ENOUGH = 100
"""Comparisons before each step: what a test of a minute can gather."""
PLAN = f"""
old_platform: {OLD}
rings: [10, 50]
bars:
  - {{to: STATE_CANARY, up_to_percent: 99, comparisons: {ENOUGH}, parity_percent: 95, soak: 0s}}
  - {{to: STATE_PRIMARY, comparisons: {ENOUGH}, parity_percent: 95, soak: 0s}}
  - {{to: STATE_NEW, comparisons: {ENOUGH}, parity_percent: 95, soak: 1s}}
samples: {{per_million: 1000000, again_per_million: 0, cap_per_hour: 1000000}}
watch: {{slow_floor: 0.4s}}
"""
"""Bars that evidence has to reach, low enough for a test of a minute; what they are otherwise is tested elsewhere."""
LOAD = 8
"""Callers at a time: a modest load."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """An estate with both platforms, whose interface is on the old one."""
    async with running_mesh(tmp_path_factory.mktemp("m"), systems=tuple({NEW: 1, COMPARED.system: 1, OLD: 1})) as rig:
        rig.home.migration.write_text(PLAN)

        async def taken_up() -> bool:
            found = (await metip(rig.home.root, "migrate", "plan", INTERFACE, "--json")).json
            return bool(found.get("interfaces")) and found["interfaces"][0]["rings"] == [10, 50]

        await until(taken_up, within=30)
        yield rig


async def migrate(mesh: MeshRig, *arguments: str) -> Done:
    return await metip(mesh.home.root, "migrate", *arguments)


async def moved(mesh: MeshRig, *arguments: str) -> Any:
    """A step that is taken."""
    done = await migrate(mesh, *arguments, "--json")
    assert done.code == 0, done.out + done.err
    return done.json["step"]


async def stepped(mesh: MeshRig, to: str, *more: str, interface: str = INTERFACE) -> Any:
    return await moved(mesh, "step", interface, "--to", to, "--because", f"the board let it go to {to}", "--approver", "lead", *more)


async def state(mesh: MeshRig, interface: str = INTERFACE) -> Any:
    return (await migrate(mesh, "status", interface, "--json")).json["interfaces"][0]


async def shares(mesh: MeshRig, calls: int = 40) -> Counter[str]:
    """Who answers, by Envoy's word."""
    found: Counter[str] = Counter()
    call: Any = mesh.channel().unary_unary(CASE.operation.path)
    for _ in range(calls):
        sent = call(CASE.case.request.value, timeout=10, metadata=mesh.token())
        await sent
        found.update(str(value) for key, value in await sent.initial_metadata() if key == "x-metip-served-by")
    return found


async def standing_at(mesh: MeshRig, target: str, *, interface: str = INTERFACE) -> None:
    """Brings the interface there from wherever it stands."""
    way = ("shadow", "canary", "primary", "new")
    here = (await state(mesh, interface))["position"]["state"]
    if here != "legacy":
        await moved(mesh, "back", interface, "--to", "legacy", "--because", "begin anew")
    for to in way[: way.index(target) + 1]:
        await stepped(mesh, to, *(("--percent", "10") if to == "canary" else ()), "--override", interface=interface)


async def calls_of(mesh: MeshRig, count: int) -> None:
    """Waits until the platform that is new here answered so many callers since the last step."""

    async def enough() -> bool:
        return int((await state(mesh))["figures"]["new_platform"]["calls"]) >= count

    await until(enough, within=120)


@asynccontextmanager
async def comparing(mesh: MeshRig, recorded: str, asked: str) -> AsyncIterator[None]:
    """Calls that one system answers are recorded and asked of the other, for the length of the block."""
    why = ("--reason", "evidence for the board")
    begun = await metip(
        mesh.home.root, "parity", "record", INTERFACE, "--for", "20m", "--share", "100%", "--system", recorded, *why, "--json"
    )
    assert begun.code == 0, begun.out + begun.err
    name = begun.json["id"]
    follow = ("parity", "replay", name, "--against", asked, "--follow", *why)
    replaying = asyncio.create_task(metip(mesh.home.root, *follow, within=300))
    try:
        yield
    finally:
        assert (await metip(mesh.home.root, "parity", "stop", name, *why)).code == 0
        done = await replaying
        assert done.code == 0, done.out + done.err


async def compared(mesh: MeshRig) -> None:
    """Until there is enough evidence for the next step."""

    async def enough() -> bool:
        return int((await state(mesh))["figures"]["compared"]) >= ENOUGH

    await until(enough, within=120)


async def proven(mesh: MeshRig, to: str, *more: str) -> None:
    """A step, taken as soon as its guards let it: on a machine with other work evidence takes its time."""
    arguments = ("step", INTERFACE, "--to", to, "--because", f"the board let it go to {to}", "--approver", "lead", *more)

    async def taken() -> bool:
        done = await migrate(mesh, *arguments, "--json")
        moves = done.json.get("step", {}).get("moves", ())  # none where what was missing came just when it was to be told
        missing = {one["guard"] for move in moves for one in move["guards"] if not one["passed"]}
        # How fast anything is on this machine, beside other tests, proves nothing; whatever else is missing has to come.
        return done.code == 0 or (missing == {"latency"} and (await migrate(mesh, *arguments, "--override")).code == 0)

    await until(taken, within=120)


async def test_legacy_to_new_under_load_by_command_line_on_evidence_without_a_failed_call(mesh: MeshRig) -> None:
    await moved(mesh, "back", INTERFACE, "--to", "legacy", "--because", "the beginning")
    channel = mesh.channel()
    async with load(lambda: send(mesh, CASE, channel), workers=4) as calls:
        assert set(await shares(mesh, 20)) == {OLD}
        await stepped(mesh, "shadow")
        assert set(await shares(mesh, 20)) == {OLD}
        refused = await migrate(mesh, "step", INTERFACE, *FIRST_RING)
        assert refused.code == 1
        assert f"of {ENOUGH}" in refused.out
        async with comparing(mesh, OLD, NEW):
            await compared(mesh)
            refused = await migrate(mesh, "step", INTERFACE, *FIRST_RING)
            assert refused.code == 1
            assert "the bar is 95.000%" in refused.out, "each answer says who gave it, and so they all differ"
            why = "the new platform names itself"
            accepted = await metip(mesh.home.root, "parity", "accept", ANSWERED_BY, "--operation", CASE.operation.method, "--because", why)
            assert accepted.code == 0, accepted.out + accepted.err
            await proven(mesh, "canary", "--percent", "10")
            await calls_of(mesh, 110)
            found = await shares(mesh, 100)
            assert 0 < found[NEW] < 40
            await proven(mesh, "canary", "--percent", "50")
            await calls_of(mesh, 110)
            await proven(mesh, "primary")
        assert set(await shares(mesh, 20)) == {NEW}
        async with comparing(mesh, NEW, OLD):
            await calls_of(mesh, 110)
            await proven(mesh, "new")
        assert set(await shares(mesh, 20)) == {NEW}
    assert calls.failed == []
    assert calls.done > 400
    steps = (await migrate(mesh, "history", INTERFACE, "--json")).json["steps"]
    assert [one["moves"][0]["after"]["state"] for one in reversed(steps)] == ["legacy", "shadow", "canary", "canary", "primary", "new"]
    assert {one["phase"] for one in steps} == {"applied"}
    await in_the_ledger(mesh, len(steps))
    board = await migrate(mesh, "report", INTERFACE)
    assert "6 steps, 1 of them back" in board.out
    assert "the board let it go to primary" in board.out
    excused = [line for line in board.out.splitlines() if line.strip().startswith("excused: ")]
    assert all(line.strip().startswith("excused: latency: ") for line in excused), excused


async def in_the_ledger(mesh: MeshRig, steps: int) -> None:
    """Each step has its record; the last one's says what it stood on."""
    found: list[dict[str, Any]] = []
    why = ("--reason", "the board asks")

    async def recorded() -> bool:
        done = await metip(mesh.home.root, "ledger", "search", "--operation", "migration/step", *why, "--json")
        found[:] = done.json["records"]
        return len(found) >= steps

    await until(recorded, within=30)
    token = mesh.home.root / "unmask.token"
    issued = await metip(mesh.home.root, "token", "issue", "--role", "unmask")
    token.write_text(issued.out)
    token.chmod(0o600)
    shown = await metip(mesh.home.root, "ledger", "show", str(found[0]["index"]), "--unmask", "--token-file", str(token), *why)
    assert shown.code == 0, shown.out + shown.err
    for words in (INTERFACE, "the board let it go to new", "compared"):
        assert words in shown.out


DEFECTS: dict[str, tuple[list[Fault], str]] = {
    "errors": ([Fault(dial="drop")], "errors"),
    "slowness": ([Fault(dial="delay", setting="1s")], "latency"),
}


@pytest.mark.parametrize(("faults", "bar"), DEFECTS.values(), ids=DEFECTS)
async def test_a_defect_at_a_tenth_is_back_at_none_within_five_seconds(mesh: MeshRig, faults: list[Fault], bar: str) -> None:
    channel = mesh.channel()
    async with load(lambda: send(mesh, CASE, channel), workers=LOAD):
        await steady(mesh)
        with stopwatch() as seconds:
            async with mesh.dials({NEW: faults}):
                await until(lambda: back_in_the_shadow(mesh), within=15)
                took = seconds()
    assert took < 5, f"{took:.1f} s"
    last = (await migrate(mesh, "history", INTERFACE, "--limit", "1", "--json")).json["steps"][0]
    assert (last["kind"], last["author"]) == ("breach", "migration")
    assert last["because"].startswith(f"{bar}: ")
    assert set(await shares(mesh, 20)) == {OLD}


async def steady(mesh: MeshRig) -> None:
    """At a canary of a tenth that stands; a system that a test broke before needs its time to be itself again."""

    async def stands() -> bool:
        here = await state(mesh)
        if here["position"]["state"] != "canary":
            await standing_at(mesh, "canary")
        return int(here["figures"]["new_platform"]["calls"]) >= 30 and here["position"]["state"] == "canary"

    await until(stands, within=90)


async def back_in_the_shadow(mesh: MeshRig, interface: str = INTERFACE) -> bool:
    """Whether Envoy gives the new platform nothing any more: asked of what Envoy was told, since commands take their time."""
    page = json.loads(await mesh.admin.get("/config_dump?resource=dynamic_route_configs"))
    text = json.dumps(page)
    return f'"name": "{interface}", "weight": 0' in text or f'"weight": 0, "name": "{interface}"' in text


async def test_answers_that_differ_at_a_tenth_are_back_at_none_within_five_seconds(mesh: MeshRig) -> None:
    """Which of the two is wrong the comparison can't know: one tells the first record twice."""
    interface, channel = COMPARED.operation.interface, mesh.channel()
    async with load(lambda: send(mesh, COMPARED, channel), workers=LOAD), mesh.dials({OLD: [Fault(dial="duplicated")]}):
        await standing_at(mesh, "canary", interface=interface)
        with stopwatch() as seconds:
            await until(lambda: back_in_the_shadow(mesh, interface), within=15)
            took = seconds()
    assert took < 5, f"{took:.1f} s"
    last = (await migrate(mesh, "history", interface, "--limit", "1", "--json")).json["steps"][0]
    assert (last["kind"], last["author"]) == ("breach", "migration")
    assert last["because"].startswith("parity: ")


async def test_nothing_goes_forward_by_itself(mesh: MeshRig) -> None:
    await standing_at(mesh, "canary")
    await moved(mesh, "back", INTERFACE, "--because", "a look")
    channel = mesh.channel()
    async with load(lambda: send(mesh, CASE, channel), workers=2):
        await asyncio.sleep(2)
    assert (await state(mesh))["position"] == {"state": "shadow", "percent": 0}


async def test_what_somebody_sets_in_envoy_by_hand_shows_as_a_deviation(mesh: MeshRig) -> None:
    await standing_at(mesh, "shadow")
    await mesh.admin.post(f"/runtime_modify?weight.{INTERFACE}=30")

    async def shown() -> bool:
        done = await migrate(mesh, "status", INTERFACE, "--json")
        return done.code == 1 and any("past the hub" in one for one in done.json["interfaces"][0]["deviations"])

    await until(shown, within=20)
    await moved(mesh, "back", INTERFACE, "--to", "legacy", "--because", "the last word")
    assert set(await shares(mesh, 20)) == {OLD}
    assert (await state(mesh))["deviations"] == []


async def test_a_step_for_a_time_ends_by_itself(mesh: MeshRig) -> None:
    await standing_at(mesh, "shadow")
    await stepped(mesh, "canary", "--percent", "10", "--for", "2s", "--override")

    async def over() -> bool:
        return bool((await state(mesh))["position"]["state"] == "shadow")

    await until(over, within=20)
    last = (await migrate(mesh, "history", INTERFACE, "--limit", "1", "--json")).json["steps"][0]
    assert (last["kind"], last["author"]) == ("expired", "migration")


async def test_the_hub_that_starts_again_knows_where_everything_stands(mesh: MeshRig) -> None:
    await standing_at(mesh, "canary")
    before = await state(mesh)
    await mesh.kill("hub")

    async def again() -> bool:
        done = await migrate(mesh, "status", INTERFACE, "--json")
        return done.code == 0 and done.json["interfaces"][0]["position"] == before["position"]

    await until(again, within=100)
    found = await shares(mesh, 100)
    assert 0 < found[NEW] < 40


async def test_an_envoy_that_missed_a_move_of_writes_is_refused_by_whoever_lost_them(mesh: MeshRig) -> None:
    """What such an Envoy would send goes past Envoy, to the adapter's own socket."""
    interface = COMPARED.operation.interface
    await standing_at(mesh, "shadow", interface=interface)
    number = await epoch(mesh, interface)
    await until(lambda: refuses(mesh, COMPARED.system, number - 1), within=20)
    assert not await refuses(mesh, OLD, number)
    await standing_at(mesh, "primary", interface=interface)
    moved_by = await epoch(mesh, interface)
    assert moved_by > number
    await until(lambda: refuses(mesh, OLD, number), within=20)
    assert not await refuses(mesh, COMPARED.system, moved_by)
    assert (await state(mesh, interface))["deviations"] == []


async def epoch(mesh: MeshRig, interface: str) -> int:
    """The number under which Envoy's routes say whose the interface's writes are."""
    page = json.dumps(json.loads(await mesh.admin.get("/config_dump?resource=dynamic_route_configs")))
    found = {int(one) for one in re.findall(r'"x-metip-writer", "value": "[a-z0-9_]+ ([0-9]+)"', page)}
    assert interface in page
    return max(found)


async def refuses(mesh: MeshRig, system: str, number: int) -> bool:
    """Whether a system's adapter refuses a write that was sent to it under that number."""
    async with grpc.aio.insecure_channel(f"unix:{mesh.home.run / f'{system}-0.sock'}") as channel:
        call: Any = channel.unary_unary(WRITE.operation.path)
        metadata = [*from_envoy(), ("x-metip-writer", f"{system} {number}")]
        try:
            await call(WRITE.case.request.value, timeout=10, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return reason_of(error) == "FENCED"
    return False
