"""The embedded ledger: what is told is on disk and signed, entries come once, and a file that somebody altered is not opened."""

import gc
import os
import random
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_engines import Engines, Where
from ledgers import ORIGIN, Journal, Leaves, signer

from hub.ledger import notes, tree
from hub.ledger.entries import Entry, read
from hub.ledger.faults import BrokenLedgerError, FullLedgerError, Refusal, RefusedEntryError
from hub.ledger.notes import Kind
from hub.ledger.port import Head, Ledger, Reader, Statements
from hub.ledger.store import LedgerStore
from tests.faults.disk import Disk, How, Vfs

SIGNER = signer()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger of a test lies."""
    return tmp_path / "state" / "ledger.sqlite"


@pytest.fixture
def where(engines: Engines) -> Where:
    """Where the ledger of a test is kept, by each engine."""
    return engines.where()


@pytest.fixture
def store(where: Where) -> Iterator[Any]:
    """An empty ledger."""
    opened = where.open()
    yield opened
    opened.close()


def check_head(head: Head, leaves: Sequence[bytes]) -> None:
    """A head is signed and is of those leaves."""
    checkpoint, _ = notes.opened_checkpoint(head.note, [SIGNER.verifier])
    assert checkpoint == head.checkpoint
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, len(leaves))
    assert checkpoint.root == tree.root(len(leaves), Leaves(list(leaves)))


def all_leaves(reader: Reader) -> list[bytes]:
    """Every leaf."""
    return reader.leaves(0, 10_000_000)


def test_the_store_and_its_reader_are_what_the_port_says(store: Any) -> None:
    ledger: Ledger[Any] = store
    reader: Reader = ledger.reader()
    assert reader.head() == ledger.head
    reader.close()


def test_only_its_owner_reads_the_file(path: Path) -> None:
    LedgerStore(path, SIGNER).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_ledger_is_signed_too(store: Any) -> None:
    check_head(store.head, [])
    assert store.append([]) == store.head
    assert dict(store.reached) == {}


def test_entries_are_found_as_they_were_given_and_the_head_is_over_them(store: Any, where: Where) -> None:
    one, other = Journal("example-0"), Journal("hub")
    given = [one.entry(), other.entry(), one.entry()]
    head = store.append(given[:2])
    check_head(head, [entry.leaf() for entry in given[:2]])
    check_head(store.append(given[2:]), [entry.leaf() for entry in given])
    reader = store.reader()
    assert [read(leaf) for leaf in all_leaves(reader)] == given
    assert reader.leaves(1, 1) == [given[1].leaf()]
    assert reader.leaves(3, 1) == []
    assert reader.head() == store.head
    assert reader.checkpoint(2) == head
    assert reader.checkpoint(7) is None
    assert {name: (at.position, at.index) for name, at in store.reached.items()} == {"example-0": (2, 2), "hub": (1, 1)}
    assert reader.reached() == dict(store.reached)
    reader.close()
    store.close()
    again = where.open()
    assert (again.head, again.reached) == (again.reader().head(), store.reached)
    again.append([one.entry()])
    assert again.head.size == 4
    again.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 700), min_size=1, max_size=5), st.data())
def test_any_groups_give_the_tree_of_the_rfc_and_its_proofs(engines: Engines, groups: list[int], draw: st.DataObject) -> None:
    where = engines.where()
    journal, leaves = Journal(), list[bytes]()
    with ExitStack() as stack:
        store = where.open()
        stack.callback(lambda: store.close())
        for count in groups:
            entries = journal.entries(count)
            leaves += [entry.leaf() for entry in entries]
            check_head(store.append(entries), leaves)
            if draw.draw(st.booleans()):
                store.close()
                store = where.open()
        reader, size = store.reader(), len(leaves)
        root = store.head.checkpoint.root
        index, old = draw.draw(st.integers(0, size - 1)), draw.draw(st.integers(0, size))
        tree.verify_inclusion(tree.leaf_hash(leaves[index]), index, size, tree.inclusion(index, size, reader.subtree), root)
        before = tree.root(old, Leaves(leaves))
        tree.verify_consistency(old, size, before, root, tree.consistency(old, size, reader.subtree))
        reader.close()


def test_a_tree_of_three_levels_of_tiles_opens_again_and_proves(store: Any, where: Where) -> None:
    size = 65536 + 256 + 1
    entries = Journal().entries(size)
    head = store.append(entries)
    store.close()
    again = where.open()
    assert again.head == head
    reader = again.reader()
    assert [len(reader.tile(level, index) or b"") // 32 for level, index in ((0, 256), (0, 257), (1, 0), (1, 1), (2, 0))] == [
        256,
        1,
        256,
        1,
        1,
    ]
    assert reader.tile(0, 258) is None
    grown = tree.Frontier()
    for entry in entries:
        grown.append(tree.leaf_hash(entry.leaf()))
    assert grown.root() == head.checkpoint.root
    for index in (0, 255, 256, 65535, 65536, size - 1):
        path_up = tree.inclusion(index, size, reader.subtree)
        tree.verify_inclusion(tree.leaf_hash(entries[index].leaf()), index, size, path_up, head.checkpoint.root)
    reader.close()
    again.close()


def test_a_large_group_is_signed_after_each_thousand_leaves(store: Any) -> None:
    journal = Journal()
    store.append(journal.entries(10))
    store.append(journal.entries(2500))
    reader = store.reader()
    assert [size for size in range(2511) if reader.checkpoint(size)] == [0, 10, 1010, 2010, 2510]
    leaves = all_leaves(reader)
    for size in (1010, 2010):
        head = reader.checkpoint(size)
        assert head is not None
        check_head(head, leaves[:size])
    reader.close()


def with_(entry: Entry, **changes: Any) -> Entry:
    """An entry that is otherwise."""
    said: dict[str, Any] = {"journal": entry.journal, "position": entry.position, "record": entry.record, "chain": entry.chain} | changes
    return Entry(**said)


REFUSED: list[tuple[str, Callable[[Journal], list[Entry]], Refusal, str]] = [
    ("again", lambda journal: [with_(journal.entry(), position=2)], Refusal.KNOWN, "position 2: the ledger has this journal up to 2"),
    ("position 0", lambda journal: [with_(journal.entry(), position=0)], Refusal.KNOWN, "up to 2"),
    ("a gap", lambda journal: journal.entries(2)[1:], Refusal.GAP, "position 4: the ledger has this journal up to 2, and 3 must come next"),
    (
        "a gap at the start",
        lambda _: Journal("other").entries(2)[1:],
        Refusal.GAP,
        "journal other, position 2: the ledger has this journal up to 0",
    ),
    (
        "another record",
        lambda journal: [with_(journal.entry(), record=b"another")],
        Refusal.CHAIN,
        "position 3: its chain does not follow from position 2",
    ),
    ("another chain", lambda journal: [with_(journal.entry(), chain=bytes(32))], Refusal.CHAIN, "does not follow"),
    ("another journal's chain", lambda _: [with_(Journal("a").entry(), journal="b")], Refusal.CHAIN, "journal b, position 1"),
    ("twice in one group", lambda journal: [journal.entry()] * 2, Refusal.KNOWN, "position 3: the ledger has this journal up to 3"),
    ("no record", lambda journal: [with_(journal.entry(), record=b"")], Refusal.MALFORMED, "a record has 1 to"),
    ("an endless record", lambda journal: [with_(journal.entry(), record=bytes(1 << 21))], Refusal.MALFORMED, "a record has 1 to"),
    ("a short chain", lambda journal: [with_(journal.entry(), chain=b"x")], Refusal.MALFORMED, "a chain has 32 bytes, and this one has 1"),
    ("no name", lambda journal: [with_(journal.entry(), journal="../up")], Refusal.MALFORMED, "no journal has such a name"),
]


@pytest.mark.parametrize(("name", "wrong", "reason", "words"), REFUSED, ids=[case[0] for case in REFUSED])
def test_an_entry_that_does_not_continue_its_journal_is_refused_and_its_group_with_it(
    store: Any, name: str, wrong: Callable[[Journal], list[Entry]], reason: Refusal, words: str
) -> None:
    journal, beside = Journal(), Journal("beside")
    head = store.append(journal.entries(2))
    with pytest.raises(RefusedEntryError, match=words) as refused:
        store.append([beside.entry(), *wrong(journal)])
    assert refused.value.reason is reason
    assert (store.head, set(store.reached)) == (head, {"example-0"})
    assert len(all_leaves(store.reader())) == 2


def test_what_is_filled_in_is_written_with_the_leaves_or_not_at_all(store: Any, where: Where) -> None:
    journal, seen = Journal(), list[tuple[int, list[Entry]]]()

    def fill(database: Statements, first: int, entries: Sequence[Entry]) -> None:
        seen.append((first, list(entries)))
        database.execute("create table if not exists facts_of_test (idx integer primary key, journal text)")
        database.executemany("insert into facts_of_test values (?, ?)", [(index, one.journal) for index, one in enumerate(entries, first)])

    def fail(database: Statements, first: int, entries: Sequence[Entry]) -> None:
        fill(database, first, entries)
        raise LookupError("no such key")

    groups = journal.entries(2), journal.entries(3)
    store.append(groups[0], fill)
    with pytest.raises(LookupError, match="no such key"):
        store.append(groups[1], fail)
    assert store.head.size == 2
    assert facts(where) == [0, 1]
    check_head(store.append(groups[1], fill), [one.leaf() for group in groups for one in group])
    assert facts(where) == [0, 1, 2, 3, 4]
    assert [(first, entries) for first, entries in seen] == [(0, groups[0]), (2, groups[1]), (2, groups[1])]


def facts(where: Where) -> list[int]:
    """Indices of the facts that are on disk."""
    return [row[0] for row in where.run("select idx from facts_of_test order by idx")]


def test_whoever_ends_the_transaction_halts_the_ledger(store: Any) -> None:
    journal = Journal()

    def fill(database: Statements, _first: int, _entries: Sequence[Entry]) -> None:
        database.execute("commit")

    with pytest.raises(BrokenLedgerError, match="STORE_FAILED: the transaction was ended by what it was lent to"):
        store.append(journal.entries(1), fill)
    with pytest.raises(BrokenLedgerError, match="STORE_FAILED: the ledger failed before"):
        store.append(journal.entries(1))


def test_a_full_disk_takes_the_group_back_and_the_ledger_goes_on_when_there_is_room(path: Path) -> None:
    disk = Disk()
    vfs = Vfs(disk)
    store, journal = LedgerStore(path, SIGNER, vfs=vfs.name), Journal()
    store.append(journal.entries(1))
    group = journal.entries(2)
    disk.how, disk.fails_at = How.FULL, 1
    with pytest.raises(FullLedgerError, match="the disk is full"):
        store.append(group)
    assert (store.head.size, len(all_leaves(store.reader()))) == (1, 1)
    disk.fails_at = 0
    assert store.append(group).size == 3
    store.close()
    vfs.unregister()


@pytest.mark.parametrize("how", How, ids=[how.value.replace(" ", "-") for how in How])
def test_on_a_disk_that_fails_whatever_was_told_is_there_and_the_ledger_halts_unless_it_is_full(
    tmp_path: Path, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.ledger.store.LONGEST_LOG", 12)
    told, halts = Counter[str](), False
    for number in range(1, 400, 5):
        path = tmp_path / f"{number}.sqlite"
        size, words, failed = worked(path, Disk(number, how))
        if not failed:
            break
        told[words] += 1
        again = LedgerStore(path, SIGNER)
        assert again.head.size >= size
        check_head(again.head, all_leaves(again.reader()))
        again.close()
    else:
        halts = True
    assert not halts, "it never came to a run without a failure"
    assert set(told) <= {"FullLedgerError", "it went on"} if how is How.FULL else set(told) <= {"BrokenLedgerError", "it went on"}
    assert told.total() > told["it went on"]


def worked(path: Path, disk: Disk) -> tuple[int, str, bool]:
    """Appends until the disk fails: the size that was told last, how it ended, and whether anything failed."""
    vfs, size, words = Vfs(disk), 0, "it went on"
    try:
        store = LedgerStore(path, SIGNER, vfs=vfs.name)
    except (BrokenLedgerError, FullLedgerError) as error:
        gc.collect()
        vfs.unregister()
        return 0, type(error).__name__, True
    journal = Journal()
    try:
        for _ in range(5):
            size = store.append(journal.entries(40)).size
    except (BrokenLedgerError, FullLedgerError) as error:
        words = type(error).__name__
        if isinstance(error, BrokenLedgerError):
            with pytest.raises(BrokenLedgerError, match="failed before"):
                store.append(journal.entries(1))
    finally:
        store.close()
        vfs.unregister()
    return size, words, bool(disk.failed)


def test_a_second_writer_is_noticed_before_anything_is_written(path: Path) -> None:
    store = LedgerStore(path, SIGNER)
    other = LedgerStore(path, SIGNER)
    store.append(Journal("one").entries(1))
    with pytest.raises(BrokenLedgerError, match="SECOND_WRITER: the ledger has 1 leaves, and this process left it at 0"):
        other.append(Journal("other").entries(1))
    other.close()
    assert len(all_leaves(store.reader())) == 1
    store.close()


def test_appending_from_many_threads_gives_one_order(store: Any) -> None:
    journals = [Journal(f"example-{number}") for number in range(6)]
    threads = [threading.Thread(target=lambda one=one: [store.append(one.entries(3)) for _ in range(10)]) for one in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    leaves = all_leaves(store.reader())
    check_head(store.head, leaves)
    assert {name: at.position for name, at in store.reached.items()} == dict.fromkeys((one.name for one in journals), 30)


def test_a_cosigned_checkpoint_is_kept_beside_the_signed_one(store: Any) -> None:
    witness = signer("metip.local/witness", seed=2, kind=Kind.COSIGNATURE)
    journal = Journal()
    head = store.append(journal.entries(3))
    reader = store.reader()
    assert reader.cosigned() is None
    note = head.note + witness.sign(str(head.checkpoint), time=1)
    store.cosign(3, note)
    store.append(journal.entries(1))
    found = reader.cosigned()
    assert found is not None
    assert (found.size, found.cosigned, found.note) == (3, note, head.note)
    assert reader.head().cosigned == ""
    with pytest.raises(ValueError, match="there is no checkpoint of 4 with such a text"):
        store.cosign(4, note)
    with pytest.raises(ValueError, match="there is no checkpoint of 9 with such a text"):
        store.cosign(9, note)


def test_a_new_signing_key_signs_on_and_the_old_one_is_still_trusted(store: Any, where: Where) -> None:
    journal = Journal()
    store.append(journal.entries(1))
    store.close()
    newer = signer(seed=7)
    with pytest.raises(BrokenLedgerError, match="CHECKPOINT_UNREADABLE: the checkpoint of 1: no trusted key"):
        where.open(newer)
    opened = where.open(newer, (SIGNER.verifier, newer.verifier))
    head = opened.append(journal.entries(1))
    assert notes.opened_checkpoint(head.note, [newer.verifier])[0].size == 2
    opened.close()


def test_a_process_that_is_killed_at_any_instant_leaves_all_that_it_told(tmp_path: Path) -> None:
    chance = random.Random(5)
    path, journal = tmp_path / "ledger.sqlite", Journal()
    for _ in range(8):
        told, length = _killed(path, journal, after=chance.randrange(1, 30))
        store = LedgerStore(path, SIGNER)
        assert told <= store.head.size <= told + length
        leaves = all_leaves(store.reader())
        check_head(store.head, leaves)
        journal = Journal()
        journal.position = store.reached["example-0"].position
        journal.chain = store.reached["example-0"].chain
        store.close()


def _killed(path: Path, journal: Journal, *, after: int) -> tuple[int, int]:
    """Leaves that a child told of before it was killed, and the length of its groups."""
    import signal
    import subprocess
    import sys

    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(journal.position), journal.chain.hex()],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    told = 0
    for _ in range(after):
        told = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split(b"\n")[:-1]
    child.stdout.close()
    child.wait()
    return (int(rest[-1]) if rest else told), 7


CHILD = """
import sys
from pathlib import Path
from ledgers import Journal, signer
from hub.ledger.store import LedgerStore
journal = Journal()
journal.position, journal.chain = int(sys.argv[2]), bytes.fromhex(sys.argv[3])
store = LedgerStore(Path(sys.argv[1]), signer())
while True:
    sys.stdout.write(f"{store.append(journal.entries(7)).size}\\n")
    sys.stdout.flush()
"""
