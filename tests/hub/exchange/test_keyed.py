"""Messages are found by their keys however they came in, whether their keys are filed or not, and after the file is opened again."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import filing
import pytest
from engines import NOW, OPERATION, arrival, subscription
from hypothesis import given, settings
from hypothesis import strategies as st
from lots import lot_of

from hub.exchange.records import Accepted, Arrival, BrokenError, Filter
from hub.exchange.sqlite import looking, messages, replaying
from hub.exchange.sqlite.store import Store

KEYS = st.integers(0, 30).map(lambda number: f"key-{number}")
LINES = st.sampled_from(["", "line-1", "line-2"])
MESSAGES = st.one_of(st.tuples(KEYS, LINES), KEYS.map(lambda key: (key, key)))
"""Some have one key for both."""
BATCH = st.lists(MESSAGES, min_size=1, max_size=12)
STEPS = st.lists(st.one_of(BATCH, st.sampled_from(["open", "undo", "retain"])), min_size=1, max_size=25)


class Books:
    """What the store must know: the first message of each key, and every message of each line."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.lines: dict[str, set[str]] = {}

    def check(self, told: list[Accepted], batch: list[tuple[str, str]]) -> None:
        """The answers to a batch are those that the books expect, and go into them."""
        for one, (key, line) in zip(told, batch, strict=True):
            if key in self.first:
                assert (one.message_id, one.duplicate_of) == (self.first[key], self.first[key])
            else:
                assert one.duplicate_of == ""
                self.first[key] = one.message_id
                self.lines.setdefault(line, set()).add(one.message_id)


def accepted(store: Store, batch: list[tuple[str, str]]) -> list[Accepted]:
    found = store.run([lambda: store.accept_all([arrival(key, line) for key, line in batch], NOW)])[0]
    assert all(isinstance(one, Accepted) for one in found)
    return list(found)


def undone(store: Store) -> None:
    """A transaction that a full disk takes back."""

    def fails() -> None:
        store.accept_all([arrival(f"undone-{number}", "line-1") for number in range(messages.MANY + 1)], NOW)
        raise apsw.FullError("the disk is full")

    with pytest.raises(Exception, match="disk is full"):
        store.run([fails])


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_keys_are_known_whatever_happens_in_between(steps: list[Any]) -> None:
    filing.soon(9)
    with TemporaryDirectory() as folder:
        path, books = Path(folder) / "exchange.sqlite", Books()
        store = Store(path)
        store.run([lambda: store.subscribe([subscription()], NOW)])
        for step in steps:
            if step == "open":
                store.close()
                store = Store(path)
                store.run([partial(store.subscribe, [subscription()], NOW)])
            elif step == "undo":
                undone(store)
            elif step == "retain":
                store.run([partial(replaying.retain, store, {OPERATION: 3600.0}, NOW + 1, 100)])
            else:
                books.check(accepted(store, step), step)
        for key, message_id in books.first.items():
            assert message_id in found(store, key)
        for line, expected in books.lines.items():
            own = {books.first[line]} if line in books.first else set()
            assert not line or found(store, line) == expected | own
        assert found(store, "undone-1") == set()
        store.close()


def found(store: Store, key: str) -> set[str]:
    """Ids of the messages that an operator finds under a key."""
    return {one.message_id for one in store.run([lambda: looking.deliveries(store, Filter(key=key), (0, ""), 1000)])[0]}


def test_what_is_forgotten_leaves_no_key_behind_filed_or_not(tmp_path: Path) -> None:
    filing.soon(5)
    store = Store(tmp_path / "exchange.sqlite")
    accepted(store, [(f"old-{number}", "line-1") for number in range(7)])
    accepted(store, [(f"new-{number}", "line-1") for number in range(2)])
    assert store.run([lambda: replaying.retain(store, {OPERATION: 1.0}, NOW + 10, 100)]) == [9]
    accepted(store, [(f"later-{number}", "") for number in range(6)])
    ((entries,),) = store.all("select count(*) from key")
    ((kept,),) = store.all("select count(*) from message")
    assert entries <= kept == 6
    store.close()


def test_bodies_and_keys_of_a_bulk_hand_over_come_back_as_they_were(tmp_path: Path) -> None:
    store = Store(tmp_path / "exchange.sqlite")
    store.run([lambda: store.subscribe([subscription()], NOW)])
    many = [
        Arrival(OPERATION, bytes([number % 256]) * (number % 3), f"ключ-{number}", f"linë-{number % 4}" if number % 2 else "", "producer")
        for number in range(70)
    ]
    (told,) = store.run([lambda: store.accept_lot(lot_of(many), NOW)])
    rows = store.all("select idempotency_key, ordering_key, body, producer from message order by sequence")
    assert rows == [(one.idempotency_key, one.ordering_key, one.body, one.producer) for one in many]
    assert [store.names.sequence(one) for one in told.ids] == list(range(1, len(many) + 1))
    assert all(isinstance(row[2], bytes) for row in rows)
    store.close()


def test_no_room_for_filing_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filing.soon(3)
    store = Store(tmp_path / "exchange.sqlite")
    execute = store._execute

    def full(statement: str, *values: Any) -> Any:
        if statement.startswith("insert into key"):
            raise apsw.FullError("the disk is full")
        return execute(statement, *values)

    monkeypatch.setattr(store, "_execute", full)
    accepted(store, [(f"key-{number}", "") for number in range(4)])
    assert [one.duplicate_of != "" for one in accepted(store, [("key-1", ""), ("key-9", "")])] == [True, False]
    monkeypatch.setattr(store, "_execute", execute)
    accepted(store, [(f"more-{number}", "") for number in range(4)])
    ((entries,),) = store.all("select count(*) from key")
    assert entries > 0
    assert accepted(store, [("key-2", "")])[0].duplicate_of
    store.close()


def test_a_failing_disk_halts_the_filing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filing.soon(3)
    store = Store(tmp_path / "exchange.sqlite")
    execute = store._execute

    def failing(statement: str, *values: Any) -> Any:
        if statement.startswith("insert into key"):
            raise apsw.IOError("the disk failed")
        return execute(statement, *values)

    monkeypatch.setattr(store, "_execute", failing)
    with pytest.raises(BrokenError):
        accepted(store, [(f"key-{number}", "") for number in range(4)])
    with pytest.raises(BrokenError):
        accepted(store, [("any", "")])
    store.close()
