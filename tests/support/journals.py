"""Journals in a temporary folder: keys, a journal that is open, and what a reader finds in its file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from metip.call import Call, Officer
from metip.contracts import DeliveryClass, Operation
from metip.journal import chain
from metip.journal.blinding import IndexKeys
from metip.journal.file import BrokenError
from metip.journal.keys import INDEX, SEALING, ensure_keys
from metip.journal.records import Draft, Facts, Recording
from metip.journal.sealing import Opener, Sealer, Wrapped, opened
from metip.journal.store import Journal
from metip.ledger.v1 import record_pb2 as ledger

NAME, SYSTEM = "sample-0", "sample"
OPERATION = Operation(
    name="metip.sample.v1.SampleService/GetSample",
    description="",
    delivery_class=DeliveryClass.READ,
    timeout=5.0,
    verb="CONSULTATION",
    purposes=("STREET_STOP",),
    purpose_numbers=frozenset({1}),
    mirror="NEVER",
    consults=(),
    officer_required=True,
    justification_required=False,
    max_request_bytes=2000,
    request="metip.sample.v1.Asked",
    reply="metip.sample.v1.Told",
    client_streams=False,
    server_streams=False,
)
CALL = Call(
    id="call-1",
    operation=OPERATION.name,
    consumer="spiffe://metip.local/consumer/test",
    officer=Officer("P123456", "01", "ZD", ("officer",)),
    deadline=0.0,
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


@dataclass
class Ledger:
    """A folder with keys and one journal's file."""

    folder: Path
    broken: list[BrokenError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        ensure_keys(self.keys)

    @property
    def keys(self) -> Path:
        """Folder of the ledger's keys."""
        return self.folder / "keys"

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self.folder / f"{NAME}.sqlite"

    @contextmanager
    def journal(self, **settings: Any) -> Iterator[Journal]:
        """The journal, open for the length of the block."""
        journal = Journal(self.path, NAME, SYSTEM, Sealer(self.keys / SEALING), on_broken=self.broken.append, **settings)
        try:
            yield journal
        finally:
            journal.close()

    def recording(self, **settings: Any) -> Recording:
        """What makes records."""
        return Recording(SYSTEM, IndexKeys(self.keys / INDEX), **settings)

    def drafts(self, number: int, *, first: int = 0, recording: Recording | None = None) -> list[Draft]:
        """Records of so many calls, each with an id of its own."""
        made = recording or self.recording()
        return [made.of_call(Facts(OPERATION, None, None, "OK", 0.001, call_id=f"call-{first + one}"))[0] for one in range(number)]

    def rows(self) -> list[tuple[int, bytes, bytes]]:
        """What a reader finds."""
        return [(position, record, link) for position, record, link in self.read("select * from records order by position")]

    def read(self, statement: str) -> list[Any]:
        """What a reader finds by a statement."""
        with self._connection(apsw.SQLITE_OPEN_READONLY) as database:
            return list(database.execute(statement))

    def change(self, statement: str, *values: Any) -> None:
        """Does what nobody may."""
        with self._connection(apsw.SQLITE_OPEN_READWRITE) as database:
            database.execute(statement, values)

    def records(self) -> list[ledger.Record]:
        """The records."""
        return [ledger.Record.FromString(record) for _, record, _ in self.rows()]

    def particulars(self, record: ledger.Record) -> ledger.Particulars:
        """What is sealed in a record."""
        ((interface, month, wrapped),) = self.read(f"select interface, month, wrapped from keys where id = x'{record.key_id.hex()}'")
        data = Opener(self.keys / SEALING).unwrap(Wrapped(record.key_id, interface, month, wrapped))
        return ledger.Particulars.FromString(opened(data, record.key_id, record.sealed))

    def first_break(self) -> int | None:
        """Where the whole chain breaks."""
        return chain.first_break(0, chain.start(NAME), self.rows())

    @contextmanager
    def _connection(self, flags: int) -> Iterator[apsw.Connection]:
        database = apsw.Connection(str(self.path), flags=flags)
        try:
            yield database
        finally:
            database.close()


def kinds(records: list[ledger.Record]) -> list[str]:
    """Kinds by their short names."""
    return [ledger.Kind.Name(record.kind).removeprefix("KIND_") for record in records]


def stepping(start: float, *, by: float = 0.0) -> Callable[[], int]:
    """A clock in nanoseconds that goes on by so many seconds with each look."""
    now = [start - by]

    def look() -> int:
        now[0] += by
        return int(now[0] * 1e9)

    return look
