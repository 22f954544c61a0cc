"""Reads records back for people: lines without what is sealed, particulars where they may be opened, and counts of use."""

from collections.abc import Iterable
from dataclasses import dataclass

from hub.ledger import entries
from hub.ledger.index import numbers_under
from hub.ledger.journals import read
from hub.ledger.opening import Look, Unsealing, kept
from hub.ledger.port import Statements
from hub.ledger.wording import sentence
from metip.ledger.v1 import query_pb2, record_pb2


@dataclass(frozen=True)
class Shown:
    """One leaf for people."""

    line: query_pb2.Line
    particulars: record_pb2.Particulars | None = None


class UnknownRecordError(LookupError):
    """There is no such leaf."""


class Reading:
    """Reads leaves of one connection. Of one thread at a time."""

    def __init__(self, db: Statements, unsealing: Unsealing) -> None:
        self._db, self._unsealing = db, unsealing

    def leaf(self, idx: int) -> bytes:
        """The bytes of a leaf. Raises `UnknownRecordError`."""
        row = self._db.execute("SELECT leaf FROM leaves WHERE idx = ?", (idx,)).fetchone()
        if row is None:
            raise UnknownRecordError(f"the ledger has no record {idx}")
        return bytes(row[0])

    def record(self, idx: int) -> record_pb2.Record:
        """One record, whatever became of what is sealed in it. Raises `UnknownRecordError`."""
        return read(entries.read(self.leaf(idx)).record)

    def show(self, idx: int, *, unmask: bool = False) -> Shown:
        """One leaf; its particulars only when unmasked and not erased. Raises `UnknownRecordError`."""
        entry = entries.read(self.leaf(idx))
        record, look = read(entry.record), kept(self._db)
        particulars = self._unsealing.open(record, look) if unmask else None
        sealing = self._sealing(record, look)
        if unmask and particulars is None and sealing == query_pb2.SEALING_SEALED:
            sealing = query_pb2.SEALING_UNREADABLE
        shown = record_pb2.Record()
        shown.CopyFrom(record)
        shown.ClearField("key_id")
        shown.ClearField("sealed")
        line = query_pb2.Line(
            index=idx, journal=entry.journal, position=entry.position, record=shown, sealing=sealing, sentence=sentence(shown)
        )
        return Shown(line, particulars)

    def lines(self, places: Iterable[int]) -> list[query_pb2.Line]:
        """Several leaves, masked."""
        return [self.show(idx).line for idx in places]

    def _sealing(self, record: record_pb2.Record, look: Look) -> query_pb2.Sealing.ValueType:
        if not record.sealed:
            return query_pb2.SEALING_UNSPECIFIED
        if look(record.key_id) is not None:
            return query_pb2.SEALING_SEALED
        known = self._db.execute("SELECT 1 FROM keys WHERE id = ?", (record.key_id,)).fetchone()
        return query_pb2.SEALING_ERASED if known else query_pb2.SEALING_UNREADABLE


@dataclass(frozen=True)
class Use:
    """Records that are alike, counted."""

    operation: str
    verb: int
    purpose: int
    consumer: str
    outcome: str
    records: int
    disclosed: int


def uses(db: Statements, interface: str, since: int | None, before: int | None) -> list[Use]:
    """What was done through an interface, or through all, in a time (milliseconds since 1970), counted by what is alike."""
    conditions, parameters = ["f.kind IN (1, 2)"], []  # type: tuple[list[str], list[int]]
    if interface:
        numbers = numbers_under(db, f"{interface}/")
        if not numbers:
            return []
        conditions.append(f"f.operation IN ({', '.join('?' * len(numbers))})")
        parameters += numbers
    if since is not None:
        conditions.append("f.at >= ?")
        parameters.append(since)
    if before is not None:
        conditions.append("f.at < ?")
        parameters.append(before)
    rows = db.execute(
        "SELECT o.text, g.verb, g.purpose, c.text, r.text, g.records, g.disclosed FROM ("
        "SELECT operation, verb, purpose, consumer, outcome, count(*) AS records, CAST(sum(disclosed) AS BIGINT) AS disclosed FROM facts f "
        f"WHERE {' AND '.join(conditions)} GROUP BY operation, verb, purpose, consumer, outcome) g "
        "JOIN names o ON o.id = g.operation JOIN names c ON c.id = g.consumer JOIN names r ON r.id = g.outcome "
        "ORDER BY o.text, g.purpose, c.text, r.text",
        parameters,
    )
    return [Use(str(row[0]), row[1], row[2], str(row[3]), str(row[4]), row[5], row[6]) for row in rows]
