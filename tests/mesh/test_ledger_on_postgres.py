"""A running estate whose ledger is on PostgreSQL: one line of the hub's settings, and the server is killed under load."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from command_line import metip
from journals_of_mesh import journals, rows, traced
from mesh_rig import MeshRig, running_mesh, until
from postgres import Postgres
from samples import query, write_once

from hub.laptop import preparing
from hub.ledger import copying, entries
from hub.ledger.running import Files
from metip.ledger.v1 import record_pb2 as ledger

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]
CASE = query(write_once().system)
CALLERS, ANSWERS, KILLS = 4, 60, 2
CHANGED = "update ledger_1.leaves set leaf = set_byte(leaf, 40, get_byte(leaf, 40) # 1) where idx = 7"
"""Turns a bit of a record over, and back."""
APPLICATION = frozenset({grpc.StatusCode.OK, grpc.StatusCode.NOT_FOUND})


class Estate:
    """The estate, and the server that keeps its ledger."""

    def __init__(self, rig: MeshRig, server: Postgres, files: Files) -> None:
        self.rig, self.server, self._files = rig, server, files

    def leaves(self) -> list[entries.Entry]:
        """What the ledger holds."""
        with copying.reader(self._files) as found:
            return [entries.read(leaf) for leaf in found.leaves(0, 1_000_000)]

    async def gathered(self) -> None:
        """Waits until the ledger has every journal up to its last record as of now."""
        wanted = {path.stem: rows(path)[-1][0] for path in journals(self.rig.home.journals)}

        def reached() -> bool:
            with copying.reader(self._files) as found:
                there = found.reached()
            return all(name in there and there[name].position >= position for name, position in wanted.items())

        async def are() -> bool:
            return await asyncio.to_thread(reached)

        await until(are, within=60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Estate]:
    """One system with two workers."""
    server, folder = await asyncio.to_thread(Postgres), tmp_path_factory.mktemp("ledger")
    account, original = server.account(), preparing._hub_settings
    (folder / "home").mkdir()
    service = f"[ledger]\nhost={account.hosts[0]}\nport={account.ports[0]}\ndbname={account.database}\nuser={account.user}\n"
    (folder / "home" / "ledger.conf").write_text(service)
    with pytest.MonkeyPatch.context() as patch:
        line = "  postgres: {service_file: ledger.conf}\n"
        patch.setattr(preparing, "_hub_settings", lambda home, ports: original(home, ports) + line)
        try:
            async with running_mesh(folder, workers=2, systems=(CASE.system,)) as rig:
                await until(lambda: rig.healthy(CASE.operation.interface, 2))
                home = rig.home
                files = Files(home.state / "ledger.sqlite", home.journals, home.ledger_keys, None, server=account)
                yield Estate(rig, server, files)
        finally:
            server.stop()


async def test_every_answer_is_in_the_ledger_once_though_its_server_is_killed(estate: Estate) -> None:
    answered, over, channel = set[str](), asyncio.Event(), estate.rig.channel()

    async def caller() -> None:
        while not over.is_set():
            trace, header = traced()
            call: Any = channel.unary_unary(CASE.operation.path)
            try:
                await call(CASE.case.request.value, timeout=10, metadata=[*estate.rig.token(), header])
            except grpc.aio.AioRpcError as error:
                if error.code() not in APPLICATION:
                    continue
            answered.add(trace)

    async def more() -> None:
        wanted = len(answered) + ANSWERS

        async def are() -> bool:
            return len(answered) >= wanted

        await until(are, within=60)

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
        for _ in range(KILLS):
            await more()
            await asyncio.to_thread(estate.server.kill)
            await more()  # nobody is refused an answer for that
            await asyncio.to_thread(estate.server.start)
        await more()
        over.set()
    await estate.gathered()
    found = await asyncio.to_thread(estate.leaves)
    assert {count for _, count in Counter((one.journal, one.position) for one in found).items()} == {1}
    traces = Counter(ledger.Record.FromString(one.record).trace_id for one in found)
    assert answered - set(traces) == set()
    assert {traces[trace] for trace in answered} == {1}
    assert not (estate.rig.home.state / "ledger.sqlite").exists()
    opened = [ledger.Record.FromString(record) for _, record, _ in rows(estate.rig.home.journals / "hub.sqlite")]
    assert [one.outcome for one in opened if one.kind == ledger.KIND_OPENED] == ["CLEAN"], "the hub never ended"


async def test_the_commands_find_verify_and_prove_what_the_server_keeps(estate: Estate) -> None:
    root, reason = estate.rig.home.root, ("--reason", "a test of the ledger")
    await estate.gathered()
    verified = (await metip(root, "ledger", "verify", "--json")).json
    assert (verified["verified"], verified["fault"]) == (True, None)
    assert verified["records"] >= ANSWERS
    assert list(estate.rig.home.state.glob("metip-ledger-*")) == [], "the copy is gone"
    found = (await metip(root, "ledger", "search", "--operation", CASE.operation.name, "--json", *reason)).json
    index = found["records"][0]["index"]
    proof = root / "proof.json"
    assert (await metip(root, "ledger", "prove", str(index), "--to", str(proof))).code == 0
    assert (await metip(root, "ledger", "verify", str(proof))).code == 0
    assert (await metip(root, "ledger", "status", "--json")).json["size"]


async def test_a_record_that_somebody_changed_on_the_server_is_named(estate: Estate) -> None:
    estate.server.run(CHANGED)
    done = await metip(estate.rig.home.root, "ledger", "verify")
    estate.server.run(CHANGED)
    assert done.code == 1
    assert "NOT VERIFIED: record 7" in done.out
