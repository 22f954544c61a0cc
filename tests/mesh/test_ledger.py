"""Journals of a running estate gathered into the hub's ledger: all of them, once, though the hub is killed; found, proved and verified."""

import asyncio
import getpass
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import apsw
import grpc
import pytest
import pytest_asyncio
from command_line import Done, environment, metip
from journals_of_mesh import journals, rows, traced
from mesh_rig import MeshRig, running_mesh, until
from samples import query, write_once

from hub.cli.messages import installed
from hub.ledger import entries, reading, verifier
from metip.journal.subjects import subjects
from metip.ledger.v1 import record_pb2 as ledger

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]
CASE = query(write_once().system)
CALLERS, ANSWERS, KILLS = 6, 60, 2
APPLICATION = frozenset({grpc.StatusCode.OK, grpc.StatusCode.NOT_FOUND})
WHY = ("--reason", "a test of the ledger")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """One system with two workers, in an estate that may be broken."""
    async with running_mesh(tmp_path_factory.mktemp("ledger"), workers=2, systems=(CASE.system,)) as rig:
        await until(lambda: rig.healthy(CASE.operation.interface, 2))
        yield rig


async def ask(rig: MeshRig, channel: grpc.aio.Channel) -> tuple[str, grpc.StatusCode]:
    """The trace of one call and how it ended."""
    trace, header = traced()
    call: Any = channel.unary_unary(CASE.operation.path)
    try:
        await call(CASE.case.request.value, timeout=10, metadata=[*rig.token(), header])
    except grpc.aio.AioRpcError as error:
        return trace, error.code()
    return trace, grpc.StatusCode.OK


def leaves(rig: MeshRig) -> list[entries.Entry]:
    """What the ledger holds."""
    found = reading.opened(rig.home.state / "ledger.sqlite")
    try:
        return [entries.read(leaf) for leaf in found.leaves(0, 1_000_000)]
    finally:
        found.close()


async def gathered(rig: MeshRig) -> None:
    """Waits until the ledger has every journal up to its last record as of now."""
    wanted = {path.stem: rows(path)[-1][0] for path in journals(rig.home.journals)}

    async def are() -> bool:
        try:
            found = reading.opened(rig.home.state / "ledger.sqlite")
        except apsw.Error:
            return False
        try:
            reached = found.reached()
        finally:
            found.close()
        return all(name in reached and reached[name].position >= position for name, position in wanted.items())

    await until(are, within=30)


async def test_every_answer_is_in_the_ledger_once_though_the_hub_is_killed(estate: MeshRig) -> None:
    answered, over = set[str](), asyncio.Event()
    channel = estate.channel()

    async def caller() -> None:
        while not over.is_set():
            trace, status = await ask(estate, channel)
            if status in APPLICATION:
                answered.add(trace)

    async def more(number: int) -> None:
        wanted = len(answered) + number

        async def are() -> bool:
            return len(answered) >= wanted

        await until(are, within=60)

    async def is_open_again(kills: int) -> bool:
        found = [ledger.Record.FromString(record) for _, record, _ in rows(estate.home.journals / "hub.sqlite")]
        return [one.outcome for one in found if one.kind == ledger.KIND_OPENED] == ["CLEAN", *["RECOVERED"] * kills]

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
        for kill in range(KILLS):
            await more(ANSWERS)
            await estate.kill("hub")
            await until(lambda kill=kill: is_open_again(kill + 1), within=60)  # type: ignore[misc]
        await more(ANSWERS)
        over.set()
    await gathered(estate)
    found = leaves(estate)
    assert {count for _, count in Counter((one.journal, one.position) for one in found).items()} == {1}
    traces = Counter(ledger.Record.FromString(one.record).trace_id for one in found)
    assert answered - set(traces) == set()
    assert {traces[trace] for trace in answered} == {1}


async def test_the_ledger_of_a_running_hub_verifies(estate: MeshRig) -> None:
    await gathered(estate)
    keys = verifier.keys([str(estate.home.ledger_keys / "signing" / "ledger.vkey")])
    report = await asyncio.to_thread(verifier.verify, estate.home.state / "ledger.sqlite", keys)
    assert report.verified, report.fault
    assert report.records >= ANSWERS


async def typed(rig: MeshRig, *arguments: str, given: str) -> Done:
    """`metip ledger` with something on standard input."""
    import sys

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub.cli", "ledger", *arguments),
        env=environment(rig.home.root),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(given.encode()), 60)
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())


async def test_a_subject_is_found_by_what_was_asked_about_it_and_so_is_who_looked(estate: MeshRig) -> None:
    trace, status = await ask(estate, estate.channel())
    assert status in APPLICATION
    await gathered(estate)
    request = installed().kind(CASE.operation.request).FromString(CASE.case.request.value)
    kind, normal = next(iter(subjects(request)))
    done = await typed(estate, "search", "--by", kind, *WHY, "--json", "--limit", "1000", given=f"{normal}\n")
    assert done.code == 0, done.err
    found = {one.get("trace_id"): one for one in done.json["records"]}
    assert found[trace]["operation"] == CASE.operation.name
    assert normal not in done.out
    await gathered(estate)
    again = await typed(estate, "search", "--by", kind, "--kind", "action", *WHY, "--json", given=f"{normal}\n")
    assert {one["operation"] for one in again.json["records"]} == {"ledger/search"}
    assert all(one["consumer"].endswith(f"/{getpass.getuser()}") for one in again.json["records"])


async def test_an_officer_is_shown_only_to_one_with_the_role(estate: MeshRig) -> None:
    done = await metip(estate.home.root, "ledger", "search", "--kind", "operation", "--limit", "1", *WHY, "--json")
    index = str(done.json["records"][0]["index"])
    token = await metip(estate.home.root, "token", "issue", "--role", "unmask")
    path = estate.home.root / "token.txt"
    path.write_text(token.out)
    masked = await metip(estate.home.root, "ledger", "show", index, *WHY, "--json")
    assert "particulars" not in masked.json
    shown = await metip(estate.home.root, "ledger", "show", index, "--unmask", "--token-file", str(path), *WHY, "--json")
    assert shown.json["particulars"]["officer"]


async def test_status_is_well_and_no_journal_has_a_gap(estate: MeshRig) -> None:
    await gathered(estate)
    done = await metip(estate.home.root, "ledger", "status", "--json")
    assert done.code == 0, done.out
    assert {"hub", *(path.stem for path in journals(estate.home.journals, CASE.system))} <= {one["name"] for one in done.json["journals"]}


async def test_what_envoy_refused_is_recorded_and_what_it_saw_answered_has_its_record(estate: MeshRig) -> None:
    call: Any = estate.channel().unary_unary(CASE.operation.path)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(CASE.case.request.value, timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    await call(CASE.case.request.value, timeout=10, metadata=estate.token())
    found: dict[str, Any] = {}

    async def settled() -> bool:
        found.update((await metip(estate.home.root, "ledger", "status", "--json")).json["reconciliation"])
        return bool(found["refused"] and found["answered"] and not found["waiting"])

    await until(settled, within=60)
    assert found["missing_calls"] == []
    assert found["answered"] == found["recorded"]
    told = await metip(estate.home.root, "ledger", "search", "--outcome", "OFFICER_NEEDED", *WHY, "--json")
    assert told.code == 0, told.err
    assert any(one["operation"] == CASE.operation.name and one["kind"] == "REFUSAL" for one in told.json["records"]), told.json
