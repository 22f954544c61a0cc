"""The ledger on a server that is killed, set back, wanted by two, or slow: nothing is lost, nothing is doubled, nobody's loop waits."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gathered import Gathered
from ledger_service import WHY, served
from ledgers import Journal, signer
from postgres import Postgres

from hub.ledger import entries, gathering
from hub.ledger.faults import AwayLedgerError, BrokenLedgerError, UnreadyLedgerError
from hub.ledger.gathering import GatheringThread
from hub.ledger.postgres.connecting import Server
from hub.ledger.postgres.session import Session
from hub.ledger.postgres.store import PostgresLedger
from metip.ledger.v1 import ledger_service_pb2 as api
from metip.ledger.v1 import query_pb2
from metip.settings import SettingsError

SIGNER = signer()
JOURNALS = ("example-0", "example-1", "other-0")
EACH = 700


@pytest.fixture
def account(postgres: Postgres) -> Server:
    """An account without a ledger."""
    return postgres.account()


@pytest.fixture
def ledger(account: Server) -> Iterator[PostgresLedger]:
    """An empty ledger."""
    found = PostgresLedger(account, SIGNER, lock_within=0.3)
    yield found
    found.close()


def eventually(true: Callable[[], bool], within: float = 60.0) -> None:
    """Waits for another thread."""
    until = time.monotonic() + within
    while not true():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.005)


def refusal(ledger: PostgresLedger) -> str:
    """Why nothing can be appended."""
    with pytest.raises((AwayLedgerError, BrokenLedgerError)) as error:
        ledger.append(Journal("refused-0").entries(1))
    return str(error.value)


def held(ledger: Any) -> list[tuple[str, int]]:
    """Journals and positions in the ledger's order."""
    reader = ledger.reader()
    try:
        return [(one.journal, one.position) for one in map(entries.read, reader.leaves(0, 1_000_000))]
    finally:
        reader.close()


def test_a_server_that_is_killed_while_journals_are_gathered_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "AT_ONCE", 15)
    monkeypatch.setattr(gathering, "WHILE_UNREADY", 0.05)
    server = Postgres()
    estate, broken = Gathered(tmp_path, server.account()), list[BaseException]()
    unready: list[UnreadyLedgerError | None] = []
    thread = GatheringThread(estate.gathering, on_broken=broken.append, on_unready=unready.append, every=0.01)
    try:
        for name in JOURNALS:
            estate.write([estate.draft(("vrm", "AB12CDE"), at=n) for n in range(EACH)], name)
        thread.start()
        for size in (1, 400, 900, 1400):
            eventually(lambda size=size: estate.store.head.size >= size or bool(broken))  # type: ignore[misc]
            server.kill()
            server.start()
        eventually(lambda: estate.store.head.size >= len(JOURNALS) * EACH or bool(broken))
        thread.stop()
        assert not broken
        assert any(isinstance(one, AwayLedgerError) for one in unready), "it was noticed"
        found = held(estate.store)
        assert Counter(found) == Counter((name, place) for name in JOURNALS for place in range(1, EACH + 1))
        assert estate.rows("SELECT count(*), count(DISTINCT idx) FROM facts") == [(2100, 2100)]
        assert estate.rows("SELECT count(DISTINCT idx) FROM tokens") == [(2100,)]
        assert estate.states == [], "no journal was named as one that does not follow"
    finally:
        estate.close()
        server.stop()


def test_a_group_whose_commit_was_never_heard_of_is_not_appended_again(ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, script = Journal(), Session.script
    ledger.append(journal.entries(2))

    def unheard(self: Session, text: str, **more: Any) -> str:
        said = script(self, text, **more)
        if text == "commit" and threading.current_thread() is threading.main_thread():
            self.close()
            raise AwayLedgerError("as if the network broke")
        return said

    group = journal.entries(3)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "script", unheard)
        with pytest.raises(AwayLedgerError, match="as if the network broke"):
            ledger.append(group)
    assert ledger.head.size == 2, "nobody knows yet"
    with pytest.raises(AwayLedgerError, match="what was under way had been kept"):
        ledger.append(group)
    assert (ledger.head.size, ledger.reached["example-0"].position) == (5, 5)
    assert ledger.append(journal.entries(1)).size == 6
    assert held(ledger) == [("example-0", place) for place in range(1, 7)]


def test_a_group_that_was_under_way_when_the_connection_broke_is_appended_once(
    ledger: PostgresLedger, postgres: Postgres, account: Server
) -> None:
    journal = Journal()
    group = journal.entries(3)
    with pytest.raises(AwayLedgerError):
        ledger.append(group, lambda *_: postgres.end_connections(account))
    assert ledger.append(group).size == 3
    assert held(ledger) == [("example-0", place) for place in range(1, 4)]


def test_a_second_hub_is_refused_and_told_who_has_the_ledger(ledger: PostgresLedger, account: Server) -> None:
    with pytest.raises(BrokenLedgerError, match=r"SECOND_WRITER: ledger_\d+@.* open in another hub: metip ledger .*, server process \d+"):
        PostgresLedger(account, SIGNER, lock_within=0.3)
    assert ledger.append(Journal().entries(1)).size == 1
    ledger.close()
    PostgresLedger(account, SIGNER, lock_within=0.3).close()


def test_a_connection_of_its_own_that_the_server_still_believes_in_does_not_keep_a_hub_out(ledger: PostgresLedger) -> None:
    journal = Journal()
    ledger.append(journal.entries(2))
    forgotten, ledger._session = ledger._session, None
    assert forgotten is not None
    assert ledger.append(journal.entries(1)).size == 3
    with pytest.raises(AwayLedgerError):
        forgotten.execute("select 1")


def test_a_server_does_not_begin_another_ledger_where_there_is_one_in_a_file(tmp_path: Path, account: Server) -> None:
    Gathered(tmp_path).close()
    with pytest.raises(SettingsError, match=r"there is a ledger in .*ledger\.sqlite"):
        Gathered(tmp_path, account)


def test_a_commit_that_took_too_long_to_be_believed_is_looked_for(ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, script = Journal(), Session.script

    def late(self: Session, text: str, **more: Any) -> str:
        said = script(self, text, **more)
        if text == "commit" and threading.current_thread() is threading.main_thread():
            raise AwayLedgerError("as if the time for an answer was over, on a connection that still lives")
        return said

    group = journal.entries(3)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "script", late)
        with pytest.raises(AwayLedgerError, match="as if the time"):
            ledger.append(group)
    with pytest.raises(AwayLedgerError, match="what was under way had been kept"):
        ledger.append(group)
    assert ledger.append(journal.entries(1)).size == 4


def test_a_hub_without_the_driver_says_which_extra_it_needs_and_runs_on_a_file(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['asyncpg'] = None\n"
        "from pathlib import Path; from ledgers import signer; import hub.server\n"
        "from hub.ledger import engine; from hub.ledger.postgres.connecting import Server\n"
        "engine.opened(Path(sys.argv[1]), None, signer()).close()\n"
        "engine.opened(Path('/nowhere'), Server(('/tmp',), (1,), 'd', 'u'), signer())\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "ledger.sqlite")],
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
        check=False,
    )
    assert "SettingsError: ledger.postgres: needs the extra `postgres`" in found.stderr, found.stderr
    assert (tmp_path / "ledger.sqlite").exists()


def test_another_hub_that_took_the_ledger_meanwhile_halts_the_first(ledger: PostgresLedger, postgres: Postgres, account: Server) -> None:
    postgres.end_connections(account)
    other = PostgresLedger(account, SIGNER, lock_within=5)
    refused = [refusal(ledger) for _ in range(3)]
    assert any("SECOND_WRITER" in one and "open in another hub" in one for one in refused)
    assert refused[-1] == "STORE_FAILED: the ledger failed before"
    other.close()


def test_a_server_that_lost_what_it_said_was_durable_halts_the_hub(ledger: PostgresLedger, postgres: Postgres, account: Server) -> None:
    journal, tables = Journal(), ("leaves", "tiles", "checkpoints", "journals")
    ledger.append(journal.entries(2))
    for table in tables:
        postgres.run(f"create table {account.user}.{table}_old as select * from {account.user}.{table}")
    ledger.append(journal.entries(1))
    for table in tables:
        postgres.run(f"delete from {account.user}.{table}")
        postgres.run(f"insert into {account.user}.{table} select * from {account.user}.{table}_old")
    postgres.end_connections(account)
    refused = [refusal(ledger) for _ in range(3)]
    assert any("SET_BACK: the server has 2 leaves, and this process left it at 3" in one for one in refused)
    assert refused[-1] == "STORE_FAILED: the ledger failed before"


def test_a_statement_that_failed_and_was_passed_over_takes_the_group_back_and_halts(ledger: PostgresLedger) -> None:
    def fill(db: Session, _first: int, _entries: Any) -> None:
        with pytest.raises(BrokenLedgerError, match="42P01"):
            db.execute("select * from nothing_of_that_name")

    with pytest.raises(BrokenLedgerError, match="STORE_FAILED: the transaction had failed in what it was lent to"):
        ledger.append(Journal().entries(1), fill)
    assert held(ledger) == []


def test_a_reader_connects_anew_but_never_within_a_snapshot(tmp_path: Path, postgres: Postgres, account: Server) -> None:
    estate = Gathered(tmp_path, account)
    estate.write([estate.draft(at=1)])
    estate.gather()
    glass = estate.engine.glass()
    with glass.snapshot():
        assert glass.tree.head().size == 1
        postgres.end_connections(account)
        with pytest.raises(AwayLedgerError):
            glass.tree.head()
        with pytest.raises(AwayLedgerError, match="broke"):
            glass.tree.head()
    with glass.snapshot():
        assert glass.tree.head().size == 1
    estate.close()


def test_a_server_whose_word_is_not_durable_is_refused() -> None:
    server = Postgres({"fsync": "off"})
    try:
        with pytest.raises(BrokenLedgerError, match="NOT_A_LEDGER: the server runs with fsync off"):
            PostgresLedger(server.account(), SIGNER)
    finally:
        server.stop()


@pytest.mark.parametrize(("default", "used"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")])
def test_a_commit_waits_for_the_disk_whatever_the_account_is_set_to(postgres: Postgres, default: str, used: str) -> None:
    account = postgres.account()
    postgres.run(f"alter role {account.user} set synchronous_commit = {default}")
    ledger = PostgresLedger(account, SIGNER)
    assert ledger.change(lambda db: db.execute("show synchronous_commit").fetchone()) == (used,)
    ledger.close()


def test_an_erasure_that_was_cut_short_is_finished_at_the_next_opening(tmp_path: Path, account: Server, postgres: Postgres) -> None:
    estate = Gathered(tmp_path, account)
    estate.write([estate.draft(at=1)])
    estate.gather()
    before = estate.rows("SELECT pg_relation_filenode('keys')")
    estate.store.change(lambda db: db.execute("INSERT INTO meta VALUES('erasure', '1')"))
    estate.close()
    estate.open()
    assert estate.rows("SELECT pg_relation_filenode('keys')") != before, "the table was written anew"
    assert estate.rows("SELECT count(*) FROM meta WHERE name = 'erasure'") == [(0,)]
    estate.close()


@pytest.mark.asyncio
async def test_the_event_loop_goes_on_while_a_search_waits_for_the_server(tmp_path: Path, account: Server, postgres: Postgres) -> None:
    async with served(tmp_path, account) as found:
        estate = found.estate()
        estate.write([estate.draft(("vrm", "AB12CDE"), at=1)])
        await found.gathered(2)
        other = Session(postgres._loop, postgres.server("postgres"))
        await asyncio.to_thread(other.script, f"begin; lock table {account.user}.tokens in access exclusive mode")
        query = query_pb2.Query(subjects=[query_pb2.Identifier(kind="vrm", value="AB12CDE")])
        search = asyncio.ensure_future(found.ask("SearchRecords", api.SearchRecordsRequest(access=WHY, query=query)))
        slowest = 0.0
        for _ in range(60):
            began = time.monotonic()
            await asyncio.sleep(0.01)
            slowest = max(slowest, time.monotonic() - began)
        assert not search.done()
        assert slowest < 0.4
        await asyncio.to_thread(other.script, "rollback")
        assert len((await search).lines) == 1
        other.close()


@pytest.mark.asyncio
async def test_who_asks_while_the_server_is_away_is_told_so_and_answered_when_it_is_back(tmp_path: Path) -> None:
    import grpc

    server = Postgres()
    try:
        async with served(tmp_path, server.account()) as found:
            await found.ask("GetStatus", api.GetStatusRequest())
            await asyncio.to_thread(server.kill)
            request = api.SearchRecordsRequest(access=WHY, query=query_pb2.Query())
            for rpc, question in (("GetStatus", api.GetStatusRequest()), ("SearchRecords", request)):
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await found.ask(rpc, question)
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
            await asyncio.to_thread(server.start)
            assert (await found.ask("GetStatus", api.GetStatusRequest())).checkpoint
            await found.ask("SearchRecords", request)
            estate = found.estate()
            estate.write([estate.draft(at=1)], "example-0")
            await found.gathered(found.ledger.store.head.size + 1)
    finally:
        server.stop()
