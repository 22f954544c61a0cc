"""The journal's file: what was told is kept, after a kill too; what is not kept is never told; nothing is written after a failure."""

import asyncio
import os
import signal
import stat
import sys
import threading
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from journals import NAME, Ledger, kinds, stepping

from metip.faults import Fault, Reason
from metip.journal import file, store
from metip.journal.file import KEPT_FOR, BrokenError, gathered_file
from metip.journal.keys import add_index_key, add_sealing_key
from metip.journal.records import Draft
from metip.ledger.v1 import record_pb2 as record_messages
from metip.options.v1 import options_pb2 as options
from tests.faults.disk import Disk, How, Vfs

pytestmark = pytest.mark.asyncio(loop_scope="function")
WRITER = Path(__file__).parents[2] / "support" / "journal_writer.py"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A folder for one journal."""
    return Ledger(tmp_path / "ledger")


async def kept(ledger: Ledger, number: int, **settings: Any) -> None:
    """Keeps so many records, one after the other."""
    with ledger.journal(**settings) as journal:
        for draft in ledger.drafts(number):
            await journal.record(draft)


# What is there.


async def test_what_was_recorded_is_there_in_order_and_chains(ledger: Ledger) -> None:
    await kept(ledger, 3)
    records = ledger.records()
    assert kinds(records) == ["OPENED", "OPERATION", "OPERATION", "OPERATION"]
    assert [record.call_id for record in records] == ["", "call-0", "call-1", "call-2"]
    assert [position for position, _, _ in ledger.rows()] == [1, 2, 3, 4]
    assert ledger.first_break() is None


async def test_a_record_is_on_disk_when_its_caller_hears_of_it(ledger: Ledger) -> None:
    with ledger.journal() as journal:
        for number, draft in enumerate(ledger.drafts(5)):
            await journal.record(draft)
            assert ledger.records()[-1].call_id == f"call-{number}"


async def test_what_is_personal_opens_with_the_hubs_key_alone(ledger: Ledger) -> None:
    with ledger.journal() as journal:
        action = ledger.recording().of_action("exchange/replay", by="os://host/somebody", detail="plan QUACKENBUSH")
        await journal.record(action)
    record = ledger.records()[-1]
    assert ledger.particulars(record).detail == "plan QUACKENBUSH"
    everything = b"".join(path.read_bytes() for path in ledger.folder.glob(f"{NAME}.*"))
    assert b"QUACKENBUSH" not in everything
    assert ledger.read("select interface, month from keys") == [("exchange", time.strftime("%Y-%m", time.gmtime()))]


async def test_each_interface_and_month_has_a_key_of_its_own_and_a_restart_makes_new_ones(ledger: Ledger) -> None:
    for day in ("2026-11-29", "2026-12-01"):
        for actions in (("exchange/replay", "exchange/pause"), ("traffic/shift",)):
            recording = ledger.recording(clock_ns=stepping(datetime.fromisoformat(f"{day}T12:00Z").timestamp()))
            with ledger.journal() as journal:
                for action in actions * 2:
                    await journal.record(recording.of_action(action, by="os://host/somebody", detail=action))
    expected = [(interface, month) for month in ("2026-11", "2026-12") for interface in ("exchange", "traffic")]
    assert ledger.read("select interface, month from keys order by month, interface") == expected
    with ledger.journal() as journal:
        await journal.record(recording.of_action("traffic/shift", by="os://host/somebody", detail="traffic/shift"))
    assert len(ledger.read("select id from keys where interface = 'traffic' and month = '2026-12'")) == 2
    for record in ledger.records():
        if record.sealed:
            assert ledger.particulars(record).detail == record.operation


async def test_many_at_once_share_transactions(ledger: Ledger) -> None:
    number = 400
    with ledger.journal() as journal:
        before = journal.transactions
        await asyncio.gather(*(journal.record(draft) for draft in ledger.drafts(number)))
        assert journal.transactions - before <= number / 10
    assert len(ledger.rows()) == number + 1
    assert ledger.first_break() is None


async def test_a_lone_record_does_not_wait_for_others(ledger: Ledger) -> None:
    with ledger.journal() as journal:
        before = journal.transactions
        for draft in ledger.drafts(4):
            await journal.record(draft)
        assert journal.transactions - before == 4


async def test_records_of_one_call_are_kept_together(ledger: Ledger) -> None:
    with ledger.journal() as journal:
        before = journal.transactions
        await journal.record(*ledger.drafts(3))
        assert journal.transactions - before == 1
    assert [record.call_id for record in ledger.records()[1:]] == ["call-0", "call-1", "call-2"]


async def test_drafts_are_made_on_the_journals_thread_in_the_order_in_which_calls_came(ledger: Ledger) -> None:
    threads = set[str]()

    def made(number: int) -> list[Draft]:
        threads.add(threading.current_thread().name)
        return ledger.drafts(1, first=number)

    with ledger.journal() as journal:
        await asyncio.gather(*(journal.record_made(partial(made, number)) for number in range(20)))
    assert threads == {f"journal-{NAME}"}
    assert [record.call_id for record in ledger.records()[1:]] == [f"call-{number}" for number in range(20)]


async def test_drafts_that_can_not_be_made_fail_their_own_call_alone(ledger: Ledger) -> None:
    def unmade() -> list[Draft]:
        raise LookupError("no key")

    with ledger.journal() as journal:
        with pytest.raises(LookupError, match="no key"):
            await journal.record_made(unmade)
        assert kinds(ledger.records()) == ["OPENED"], "nothing, and no heartbeat either"
        makers = [unmade if number % 2 else partial(ledger.drafts, 1, first=number) for number in range(10)]
        ended = await asyncio.gather(*map(journal.record_made, makers), return_exceptions=True)
        assert [type(one) for one in ended] == [type(None), LookupError] * 5
        assert journal.health.writable
    assert [record.call_id for record in ledger.records()[1:]] == [f"call-{number}" for number in range(0, 10, 2)]


async def test_a_call_that_was_cancelled_meanwhile_is_kept_all_the_same(ledger: Ledger) -> None:
    with ledger.journal() as journal:
        task = asyncio.create_task(journal.record(*ledger.drafts(1)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        journal.note(*ledger.drafts(1, first=1))
    assert [record.call_id for record in ledger.records()[1:]] == ["call-0", "call-1"]


async def test_silence_is_recorded_and_talk_is_not_interrupted(ledger: Ledger) -> None:
    with ledger.journal(heartbeat=0.05) as journal:
        async with asyncio.timeout(10):
            while len(ledger.rows()) < 4:  # noqa: ASYNC110 - the journal's thread sets no event of ours
                await asyncio.sleep(0.02)
        await journal.record(*ledger.drafts(1))
    found = kinds(ledger.records())
    assert found[:4] == ["OPENED", "HEARTBEAT", "HEARTBEAT", "HEARTBEAT"]
    assert "OPERATION" in found


async def test_new_keys_are_used_without_a_restart(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metip.journal.sealing.LOOK_EVERY", 0.0)
    monkeypatch.setattr("metip.journal.blinding.LOOK_EVERY", 0.0)
    recording = ledger.recording()
    with ledger.journal() as journal:
        for _ in range(2):
            await journal.record(recording.of_action("exchange/replay", by="os://host/somebody", detail="plan", reference="1/2"))
            add_index_key(ledger.keys / "index")
            add_sealing_key(ledger.keys / "sealing")
    said = [ledger.particulars(record) for record in ledger.records()[1:]]
    assert [one.tokens[0].key for one in said] == [1, 2]
    assert [wrapped[3] for (wrapped,) in ledger.read("select wrapped from keys order by rowid")] == [1, 2]


# Opening.


async def test_a_journal_says_how_the_last_process_ended(ledger: Ledger) -> None:
    await kept(ledger, 1)
    await kept(ledger, 1)
    opened = [record.outcome for record in ledger.records() if record.kind == record_messages.KIND_OPENED]
    assert opened == ["CLEAN", "CLEAN"]
    ledger.change("insert into meta values ('open', 1)")
    await kept(ledger, 0)
    assert ledger.records()[-1].outcome == "RECOVERED"
    assert ledger.first_break() is None


async def test_its_files_are_for_its_own_user_only(ledger: Ledger) -> None:
    with ledger.journal():
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in ledger.folder.glob(f"{NAME}.*")}
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


async def test_two_processes_do_not_write_one_journal(ledger: Ledger) -> None:
    with ledger.journal(), pytest.raises(BrokenError, match="IN_USE"), ledger.journal():
        pytest.fail("it opened")
    await kept(ledger, 1)


async def test_a_journal_under_another_name_is_refused(ledger: Ledger) -> None:
    await kept(ledger, 1)
    ledger.change("update meta set value = 'other-0' where name = 'journal'")
    with pytest.raises(BrokenError, match="OTHER_JOURNAL"), ledger.journal():
        pytest.fail("it opened")


async def test_a_file_that_is_no_journal_is_refused(ledger: Ledger) -> None:
    ledger.path.write_bytes(b"no journal at all" * 1000)
    with pytest.raises(BrokenError, match="UNREADABLE"), ledger.journal():
        pytest.fail("it opened")


# Kills and torn tails.


async def test_a_kill_in_the_middle_of_writing_loses_nothing_that_was_told(ledger: Ledger) -> None:
    for round_ in range(3):
        told = await killed(ledger, after=40 * (round_ + 1))
        with ledger.journal():
            pass
        records = ledger.records()
        assert told <= {record.call_id for record in records}
        assert [record.outcome for record in records if record.kind == record_messages.KIND_OPENED][-1] == "RECOVERED"
        assert ledger.first_break() is None


async def killed(ledger: Ledger, *, after: int) -> set[str]:
    """Calls of which a writer was told, that was killed after so many."""
    environment = {**os.environ, "PYTHONPATH": str(WRITER.parent)}
    process = await asyncio.create_subprocess_exec(sys.executable, str(WRITER), str(ledger.folder), stdout=-1, env=environment)
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    told = {line.decode().strip() for line in lines if line.endswith(b"\n")}
    assert len(told) >= after
    return told


@pytest.mark.parametrize("cut", [1, 30, 4096, 9000])
async def test_a_torn_tail_of_the_log_is_closed_and_what_lies_before_it_stays(ledger: Ledger, cut: int) -> None:
    told = await killed(ledger, after=60)
    log = ledger.path.with_name(f"{NAME}.sqlite-wal")
    size = log.stat().st_size
    assert size > cut
    os.truncate(log, size - cut)
    with ledger.journal():
        pass
    records = ledger.records()
    assert ledger.first_break() is None
    assert records[-1].outcome == "RECOVERED"
    found = [record.call_id for record in records if record.call_id]
    assert len(found) == len(set(found)) > 0
    assert len(told - set(found)) < len(told), "only the last transactions are gone, as the disk lost them"


# Disks that fail.


@pytest.mark.parametrize("how", [How.ONCE, How.FROM_THEN_ON, How.TORN], ids=lambda how: how.value.replace(" ", "-"))
async def test_a_disk_that_fails_is_never_taken_for_one_that_kept(ledger: Ledger, how: How, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LONGEST_LOG", 6)
    failures = 0
    for number in range(1, 60, 3):
        where = Ledger(ledger.folder / str(number))
        told, halted = await written_on(where, Disk(fails_at=number, how=how))
        failures += bool(halted)
        assert len(where.broken) <= 1
        with where.journal():
            pass
        assert told <= {record.call_id for record in where.records()}
        assert where.first_break() is None
    assert failures > 5


async def written_on(ledger: Ledger, disk: Disk) -> tuple[set[str], bool]:
    """Calls that were told as kept on that disk, and whether the journal halted. After that it kept nothing more."""
    vfs, told, halted = Vfs(disk), set[str](), False
    try:
        with ledger.journal(vfs=vfs.name) as journal:
            for draft in ledger.drafts(12):
                try:
                    await journal.record(draft)
                    assert not halted
                    told.add(draft.record.call_id)
                except Fault as fault:
                    halted = fault.reason is Reason.JOURNAL
            assert halted == bool(ledger.broken)
    except BrokenError:
        halted = True
    finally:
        vfs.unregister()
    return told, halted


async def test_a_full_disk_refuses_and_the_journal_goes_on_when_there_is_room(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(how=How.FULL)
    vfs = Vfs(disk)
    try:
        with ledger.journal(vfs=vfs.name) as journal:
            action = ledger.recording().of_action("exchange/replay", by="os://host/somebody", detail="plan")
            disk.fails_at = disk.asked + 1
            for draft in (*ledger.drafts(2), action):
                with pytest.raises(Fault, match="disk is full"):
                    await journal.record(draft)
            with pytest.raises(Fault, match="disk is full"):
                journal.check()
            disk.fails_at = 0
            monkeypatch.setattr(store, "FULL_FOR", 0.0)
            journal.check()
            again = ledger.recording().of_action("exchange/replay", by="os://host/somebody", detail="plan again")
            await journal.record(again)
    finally:
        vfs.unregister()
    assert ledger.broken == []
    assert kinds(ledger.records()) == ["OPENED", "ACTION"]
    assert ledger.particulars(ledger.records()[-1]).detail == "plan again"
    assert ledger.first_break() is None


async def test_a_sync_that_fails_halts_the_journal_for_good(ledger: Ledger) -> None:
    disk = Disk()
    vfs = Vfs(disk)
    try:
        with ledger.journal(vfs=vfs.name) as journal:
            disk.fails_at, disk.how = disk.asked + 1, How.FROM_THEN_ON
            for draft in ledger.drafts(3):
                with pytest.raises(Fault, match="JOURNAL"):
                    await journal.record(draft)
            with pytest.raises(Fault, match="JOURNAL"):
                journal.check()
    finally:
        vfs.unregister()
    assert [broken.code for broken in ledger.broken] == ["DISK"]


# Pruning.


async def test_what_the_hub_has_is_pruned_after_a_week_and_the_rest_stays(ledger: Ledger) -> None:
    now = time.time()
    old, young = (ledger.recording(clock_ns=stepping(now - age)) for age in (KEPT_FOR + 60, KEPT_FOR - 60))
    with ledger.journal(clock_ns=stepping(now - KEPT_FOR - 90)) as journal:
        for recording in (old, old, old, young, young):
            await journal.record(recording.of_action("exchange/replay", by="os://host/somebody", detail="plan"))
    gathered_file(ledger.path).write_text("3\n")
    positions = await pruned(ledger, 4)
    assert positions[0] == 4
    gathered_file(ledger.path).write_text("6\n")
    positions = await pruned(ledger)
    assert positions[0] == 5, "what is younger than a week stays"
    assert ledger.first_break() == 1
    await kept(ledger, 1)
    for record in ledger.records():
        if record.sealed:
            ledger.particulars(record)


async def test_many_old_records_are_pruned_in_turns(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "PRUNED_AT_ONCE", 7)
    clock = stepping(time.time() - 2 * KEPT_FOR)
    with ledger.journal(clock_ns=clock) as journal:
        await asyncio.gather(*(journal.record(draft) for draft in ledger.drafts(50, recording=ledger.recording(clock_ns=clock))))
    gathered_file(ledger.path).write_text("40")
    assert (await pruned(ledger, 41))[0] == 41


async def test_nothing_is_pruned_that_the_hub_does_not_say_it_has(ledger: Ledger) -> None:
    recording = ledger.recording(clock_ns=stepping(time.time() - 2 * KEPT_FOR))
    for said in ("", "nonsense", "-1", "0"):
        gathered_file(ledger.path).write_text(said)
        with ledger.journal() as journal:
            await journal.record(recording.of_action("exchange/replay", by="os://host/somebody", detail="plan"))
        assert (await pruned(ledger))[0] == 1


async def test_the_last_record_always_stays(ledger: Ledger) -> None:
    clock = stepping(time.time() - 2 * KEPT_FOR)
    with ledger.journal(clock_ns=clock) as journal:
        await journal.record(ledger.recording(clock_ns=clock).of_action("exchange/replay", by="os://host/somebody", detail="plan"))
    gathered_file(ledger.path).write_text("999999")
    assert (await pruned(ledger, 2))[0] >= 2
    await kept(ledger, 2)
    assert options.VERB_NONE in {record.verb for record in ledger.records()}


async def pruned(ledger: Ledger, first: int = 0) -> list[int]:
    """Positions after the journal had the time to prune, or once it begins with `first`."""
    with ledger.journal(heartbeat=0.03):
        await asyncio.sleep(0 if first else 0.2)
        async with asyncio.timeout(10):
            while ledger.read("select min(position) from records")[0][0] < first:  # noqa: ASYNC110 - the journal's thread sets no event of ours
                await asyncio.sleep(0.03)
    return [position for position, _, _ in ledger.rows()]
