"""What records are found by: facts that are in clear, and the blind index of tokens; written in the transaction that appends their leaves.

| table   | one row for                                | found by                                                |
|---------|--------------------------------------------|---------------------------------------------------------|
| facts   | each leaf                                  | its place; time; operation, consumer or outcome by time |
| tokens  | each identifier that a record is found by  | the identifier's HMAC, newest first                     |
| links   | each message that a record is of, and each trace that its call id does not give | their 16 bytes, newest first |
| keys    | each data key that seals particulars       | its id                                                  |
| names   | each word of the facts, so that it is kept once |                                                    |

The law: nothing here holds an identifier in clear, and whatever is here can be made anew from the leaves and the keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import apsw

from hub.ledger.port import Statements
from metip.ledger.v1 import record_pb2
from metip.tracing import trace_id_of

LINK: Final = 16
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS names(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS facts(
  idx INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  operation INTEGER NOT NULL,
  verb INTEGER NOT NULL,
  consumer INTEGER NOT NULL,
  force INTEGER NOT NULL,
  unit INTEGER NOT NULL,
  purpose INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  disclosed INTEGER NOT NULL,
  call_id TEXT,
  key INTEGER,
  opened INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS facts_at ON facts(at);
CREATE INDEX IF NOT EXISTS facts_operation ON facts(operation, at);
CREATE INDEX IF NOT EXISTS facts_consumer ON facts(consumer, at);
CREATE INDEX IF NOT EXISTS facts_outcome ON facts(outcome, at);
CREATE INDEX IF NOT EXISTS facts_call ON facts(call_id, at) WHERE call_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS facts_key ON facts(key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS facts_unopened ON facts(idx) WHERE opened = 0;
CREATE TABLE IF NOT EXISTS tokens(
  value BLOB NOT NULL,
  at INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  PRIMARY KEY(value, at, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links(value BLOB NOT NULL, at INTEGER NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY(value, at, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys(
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  journal TEXT NOT NULL,
  interface TEXT NOT NULL,
  month TEXT NOT NULL,
  wrapped BLOB,
  erased_at INTEGER
);
"""
"""Times are milliseconds since 1970. A key whose `wrapped` is null was erased, and stays erased whatever a journal brings."""
FACT_ROW: Final = "INSERT INTO facts VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
LINKED: Final = "INSERT INTO links VALUES(?, ?, ?) ON CONFLICT(value, at, idx) DO NOTHING"
INDEXED: Final = "INSERT INTO tokens VALUES(?, ?, ?, ?) ON CONFLICT(value, at, idx) DO NOTHING"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as a journal holds it."""

    id: bytes
    journal: str
    interface: str
    month: str
    """`2026-11`."""
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A record that was gathered, and what was sealed in it."""

    record: record_pb2.Record
    particulars: record_pb2.Particulars | None
    """None where there is nothing sealed, or it can't be opened."""


def prepare(db: apsw.Connection) -> None:
    """Makes the tables where there are none."""
    db.execute(SCHEMA)


def millis(at: record_pb2.Record) -> int:
    """The time of a record, in milliseconds since 1970."""
    return int(at.at.seconds) * 1000 + int(at.at.nanos) // 1_000_000


class Names:
    """Words of the facts by number, remembered. One instance for the one writer: numbers of a transaction that fails must be forgotten."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def number(self, db: Statements, text: str) -> int:
        """The number of a word, given now where it is new."""
        found = self._known.get(text)
        if found is None:
            found = number_of(db, text)
            if found is None:
                found = int(db.execute("INSERT INTO names(text) VALUES(?) RETURNING id", (text,)).fetchall()[0][0])
            self._known[text] = found
        return found

    def forget(self) -> None:
        """Forgets all, after a transaction that failed."""
        self._known.clear()


def number_of(db: Statements, text: str) -> int | None:
    """The number of a word; None for one that no record has."""
    row = db.execute("SELECT id FROM names WHERE text = ?", (text,)).fetchone()
    return None if row is None else int(row[0])


def numbers_under(db: Statements, prefix: str) -> tuple[int, ...]:
    """Numbers of the words that begin so."""
    return tuple(int(row[0]) for row in db.execute("SELECT id FROM names WHERE text >= ? AND text < ?", (prefix, prefix + "\U0010ffff")))


def add_keys(db: Statements, keys: Iterable[WrappedKey]) -> None:
    """Keeps data keys; one that is known, erased or not, stays as it is."""
    rows = [(one.id, one.journal, one.interface, one.month, one.wrapped) for one in keys]
    statement = "INSERT INTO keys(id, journal, interface, month, wrapped) VALUES(?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING"
    db.executemany(statement, rows)


def add(db: Statements, names: Names, first: int, found: Iterable[Read]) -> None:
    """Writes facts and tokens of the records whose leaves begin at `first`."""
    facts, tokens, links = [], [], []
    number = cache(partial(_key, db))
    for idx, one in enumerate(found, first):
        record, at = one.record, millis(one.record)
        words = (record.operation, record.consumer, record.force, record.unit, record.outcome)
        operation, consumer, force, unit, outcome = (names.number(db, word) for word in words)
        opened = int(not record.sealed or one.particulars is not None)
        facts.append(
            (idx, at, record.kind, operation, record.verb, consumer, force, unit, record.purpose, outcome, record.disclosed,
             record.call_id or None, number(record.key_id), opened)
        )  # fmt: skip
        if one.particulars is not None:
            tokens += [(token.value, at, idx, names.number(db, token.kind)) for token in one.particulars.tokens]
        links += [(value, at, idx) for value in linked(record)]
    db.executemany(FACT_ROW, facts)
    db.executemany(INDEXED, tokens)
    if links:
        db.executemany(LINKED, links)


def linked(record: record_pb2.Record) -> list[bytes]:
    """What a record is found by beside its call id: its message, and its trace where that is not the call id's own."""
    trace = record.trace_id if record.trace_id != trace_id_of(record.call_id) else ""
    return [value for text in (record.message_id, trace) if (value := link_of(text))]


def link_of(text: str) -> bytes:
    """The 16 bytes of a message id or a trace id; nothing where it is neither."""
    try:
        value = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return b""
    return value if len(value) == LINK else b""


def _key(db: Statements, key_id: bytes) -> int | None:
    if not key_id:
        return None
    row = db.execute("SELECT number FROM keys WHERE id = ?", (key_id,)).fetchone()
    return None if row is None else int(row[0])
