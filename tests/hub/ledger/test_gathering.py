"""Gathering: every record once, by position; a journal that does not follow is named, and the others go on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from gathered import Gathered
from postgres import Postgres

from hub.ledger import entries
from hub.ledger.journals import Trouble
from hub.ledger.postgres.connecting import Server
from metip.ledger.v1 import record_pb2


@pytest.fixture
def estate(tmp_path: Path, server: Server | None) -> Iterator[Gathered]:
    """A ledger without records."""
    found = Gathered(tmp_path, server)
    yield found
    found.close()


def held(estate: Gathered) -> list[tuple[str, int]]:
    """What the ledger has, in its order."""
    reader = estate.store.reader()
    try:
        return [(one.journal, one.position) for one in map(entries.read, reader.leaves(0, 100_000))]
    finally:
        reader.close()


def changed(estate: Gathered, name: str, statement: str) -> None:
    """Tampers with a journal."""
    db = apsw.Connection(str(estate.journals / f"{name}.sqlite"))
    db.execute(statement)
    db.close()


def test_every_record_of_every_journal_is_gathered_once_in_its_order(estate: Gathered) -> None:
    estate.write([estate.draft(at=n) for n in range(1200)], "example-0")
    estate.write([estate.draft(at=n) for n in range(7)], "other-0")
    estate.gather()
    estate.gather()
    found = held(estate)
    assert sorted(found) == [("example-0", n) for n in range(1, 1201)] + [("other-0", n) for n in range(1, 8)]
    assert [place for name, place in found if name == "example-0"] == list(range(1, 1201))
    assert estate.rows("SELECT count(*) FROM facts") == [(1207,)]


def test_gathering_goes_on_where_it_was_after_a_restart(estate: Gathered) -> None:
    estate.write([estate.draft(at=n) for n in range(3)])
    estate.gather()
    estate.close()
    estate.write([estate.draft(at=n) for n in range(3, 5)])
    estate.open()
    estate.gather()
    assert held(estate) == [("example-0", n) for n in range(1, 6)]


def test_records_are_gathered_while_their_journal_is_being_written(estate: Gathered) -> None:
    journal = estate.journal()
    journal.append([estate.draft(at=1)])
    estate.gather()
    journal.append([estate.draft(at=2)])
    estate.gather()
    journal.close(clean=True)
    assert held(estate) == [("example-0", 1), ("example-0", 2)]


def test_a_failed_append_leaves_nothing_and_the_next_round_gathers_all(estate: Gathered, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.write([estate.draft(("vrm", "AB12CDE"), at=n) for n in range(3)])
    from hub.ledger import index

    def fails(*_: object) -> None:
        raise apsw.ConstraintError("as if the index could not be written")

    with monkeypatch.context() as patch:
        patch.setattr(index, "add", fails)
        with pytest.raises(apsw.ConstraintError):
            estate.gathering.round()
    assert held(estate) == []
    estate.gather()
    assert held(estate) == [("example-0", n) for n in range(1, 4)]
    assert estate.rows("SELECT count(DISTINCT idx) FROM tokens") == [(3,)]


def test_the_journal_is_told_how_far_it_was_gathered(estate: Gathered) -> None:
    estate.write([estate.draft(at=n) for n in range(4)])
    estate.gather()
    assert (estate.journals / "example-0.gathered").read_text() == "4\n"


def test_a_journal_that_was_pruned_up_to_what_was_gathered_goes_on(estate: Gathered) -> None:
    estate.write([estate.draft(at=n) for n in range(4)])
    estate.gather()
    changed(estate, "example-0", "DELETE FROM records WHERE position < 4")
    estate.write([estate.draft(at=5)])
    estate.gather()
    assert held(estate)[-1] == ("example-0", 5)
    assert estate.states == []


TAMPERED = {
    "a changed record": ("UPDATE records SET record = zeroblob(40) WHERE position = 5", Trouble.CHAIN, 5),
    "a changed link": ("UPDATE records SET chain = zeroblob(32) WHERE position = 5", Trouble.CHAIN, 5),
    "a missing record": ("DELETE FROM records WHERE position = 5", Trouble.MISSING, 5),
    "a journal that was cut": ("DELETE FROM records WHERE position >= 3", Trouble.SHORTER, 3),
    "a journal that was replaced": ("UPDATE records SET chain = zeroblob(32) WHERE position = 4", Trouble.DIFFERS, 4),
    "a journal of another name": ("UPDATE meta SET value = 'other-0' WHERE name = 'journal'", Trouble.UNREADABLE, 5),
}


@pytest.mark.parametrize(("statement", "trouble", "position"), TAMPERED.values(), ids=TAMPERED)
def test_what_does_not_follow_is_named_once_and_other_journals_go_on(
    estate: Gathered, statement: str, trouble: Trouble, position: int
) -> None:
    estate.write([estate.draft(at=n) for n in range(4)])
    estate.gather()
    estate.write([estate.draft(at=n) for n in range(4, 8)])
    changed(estate, "example-0", statement)
    estate.write([estate.draft(at=9)], "other-0")
    estate.gather()
    estate.gather()
    assert [(one.name, one.gap and (one.gap.trouble, one.gap.position)) for one in estate.states] == [("example-0", (trouble, position))]
    assert ("other-0", 1) in held(estate)
    assert max(place for name, place in held(estate) if name == "example-0") == 4
    assert estate.gathering.states["example-0"].gap_since == estate.now


def test_a_journal_that_is_gone_is_named_and_one_that_is_back_goes_on(estate: Gathered) -> None:
    estate.write([estate.draft(at=n) for n in range(2)])
    estate.gather()
    path = estate.journals / "example-0.sqlite"
    path.rename(path.with_suffix(".away"))
    estate.gather()
    path.with_suffix(".away").rename(path)
    estate.write([estate.draft(at=3)])
    estate.gather()
    assert [one.gap and one.gap.trouble for one in estate.states] == [Trouble.GONE, None]
    assert held(estate)[-1] == ("example-0", 3)


def test_a_file_that_is_no_database_is_named(estate: Gathered) -> None:
    (estate.journals / "broken-0.sqlite").write_bytes(b"no database" * 100)
    estate.write([estate.draft(at=1)])
    estate.gather()
    assert [(one.name, one.gap and one.gap.trouble) for one in estate.states] == [("broken-0", Trouble.UNREADABLE)]
    assert held(estate) == [("example-0", 1)]


def test_lag_is_the_age_of_the_oldest_record_that_waits(estate: Gathered) -> None:
    estate.write([estate.draft(at=n) for n in range(600)])
    estate.gathering.round()
    assert estate.gathering.states["example-0"].lag == pytest.approx(3600 - 500)
    estate.gather()
    assert estate.gathering.states["example-0"].lag == 0.0


def test_a_record_whose_particulars_do_not_open_is_kept_and_counted(estate: Gathered) -> None:
    journal = estate.journal()
    journal.append([estate.draft(("vrm", "AB12CDE"), at=1)])
    journal.close(clean=True)
    changed(estate, "example-0", "UPDATE keys SET wrapped = zeroblob(80)")
    estate.gather()
    assert held(estate) == [("example-0", 1)]
    assert estate.rows("SELECT opened FROM facts") == [(0,)]
    assert estate.rows("SELECT count(*) FROM tokens") == [(0,)]


def test_neither_leaf_nor_index_holds_an_identifier_in_clear(estate: Gathered, postgres: Postgres) -> None:
    estate.write([estate.draft(("vrm", "AB12CDE"), ("pnc_id", "2026/0123456M"), at=1, officer="987654QZ", reference="7777/23NOV26")])
    estate.gather()
    estate.close()
    content = b"".join(path.read_bytes() for path in estate.folder.rglob("*") if path.is_file())
    if estate.server is not None:
        content += postgres.content()
    estate.open()
    for clear in (b"AB12CDE", b"987654QZ", b"7777/23NOV26", b"0123456M"):
        assert clear not in content


def test_bytes_that_are_no_record_are_kept_as_a_leaf_all_the_same(estate: Gathered) -> None:
    from metip.journal import chain

    estate.write([estate.draft(at=1)])
    path = estate.journals / "example-0.sqlite"
    db = apsw.Connection(str(path))
    link: Any = db.execute("SELECT chain FROM records").fetchone()
    content = b"\xff\xff"
    db.execute("INSERT INTO records VALUES(2, ?, ?)", (content, chain.after(link[0], content)))
    db.close()
    estate.gather()
    assert held(estate) == [("example-0", 1), ("example-0", 2)]
    assert record_pb2.KIND_UNSPECIFIED in {row[0] for row in estate.rows("SELECT kind FROM facts")}


def test_a_journal_that_is_locked_keeps_its_state_for_a_while_and_is_named_when_it_stays_so(
    estate: Gathered, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.ledger import journals

    monkeypatch.setattr(journals, "PATIENCE", 1)
    estate.write([estate.draft(at=n) for n in range(2)])
    estate.gather()
    estate.gathering.close()
    db = apsw.Connection(str(estate.journals / "example-0.sqlite"))
    db.pragma("locking_mode", "exclusive")
    db.execute("BEGIN EXCLUSIVE; INSERT INTO meta VALUES('x', 1)")
    for _ in range(journals.MOST_MISSED):
        estate.gathering.round()
    assert estate.states == []
    assert estate.gathering.states["example-0"].position == 2
    estate.gathering.round()
    db.execute("ROLLBACK")
    db.close()
    estate.write([estate.draft(at=3)])
    estate.gather()
    assert [one.gap and one.gap.trouble for one in estate.states] == [Trouble.UNREADABLE, None]
    assert held(estate)[-1] == ("example-0", 3)
