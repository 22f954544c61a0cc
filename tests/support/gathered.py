"""A ledger with journals of synthetic calls to gather, and the keys that both need."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ledgers

from hub.ledger import engine, searching
from hub.ledger.gathering import Gathering, JournalState
from hub.ledger.postgres.connecting import Server
from hub.ledger.searching import LATEST, Place, Wanted
from metip.journal.blinding import IndexKeys, normal_form
from metip.journal.file import JournalFile
from metip.journal.keys import ensure_keys
from metip.journal.records import Draft
from metip.journal.sealing import Sealer
from metip.ledger.v1 import record_pb2

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
OPERATION = "metip.example.v1.ExampleService/GetExample"
CONSUMER = "spiffe://metip.local/consumer/tablet"


@dataclass
class Gathered:
    """Everything in one folder."""

    folder: Path
    server: Server | None = None
    """Where the ledger is kept; in a file of the folder where there is none."""
    states: list[JournalState] = field(default_factory=list)
    """Each alarm."""
    now: float = START.timestamp() + 3600

    def __post_init__(self) -> None:
        """Makes keys, the store and the gathering."""
        self.keys_folder, self.journals = self.folder / "keys", self.folder / "journals"
        ensure_keys(self.keys_folder)
        self.journals.mkdir(exist_ok=True)
        self.keys = IndexKeys(self.keys_folder / "index")
        self.open()

    @property
    def path(self) -> Path:
        """The ledger's file."""
        return self.folder / "ledger.sqlite"

    def open(self) -> None:
        """Opens the ledger, or opens it again."""
        self.engine = engine.opened(self.path, self.server, ledgers.signer())
        self.store = self.engine.store
        self.gathering = Gathering(
            self.store, self.journals, self.keys_folder / "sealing", clock=lambda: self.now, alarm=self.states.append
        )

    def close(self) -> None:
        """Closes it as a process would."""
        self.gathering.close()
        self.engine.close()

    def rows(self, statement: str) -> list[Any]:
        """What the ledger says, on a connection that only reads."""
        glass = self.engine.glass()
        try:
            return [tuple(row) for row in glass.db.execute(statement).fetchall()]
        finally:
            glass.tree.close()

    def find(self, wanted: Wanted, limit: int, after: Place = LATEST) -> list[Place]:
        """A page of a search."""
        glass = self.engine.glass()
        try:
            return searching.find(glass.db, wanted, limit, after, page=glass.page)
        finally:
            glass.tree.close()

    def journal(self, name: str = "example-0") -> JournalFile:
        """A journal as its process has it open."""
        return JournalFile(self.journals / f"{name}.sqlite", name, Sealer(self.keys_folder / "sealing"))

    def gather(self) -> None:
        """Rounds until nothing waits."""
        while self.gathering.round():
            pass

    def draft(
        self,
        *subjects: tuple[str, str],
        at: float = 0.0,
        operation: str = OPERATION,
        consumer: str = CONSUMER,
        purpose: int = 4,
        outcome: str = "OK",
        officer: str = "100001XX",
        reference: str = "1234/23NOV26",
        call_id: str = "",
        kind: int = record_pb2.KIND_OPERATION,
        disclosed: int = 1,
    ) -> Draft:
        """A record of a call `at` seconds after the beginning; subjects are (kind, value), `name_and_birth` in its normal form."""
        record = record_pb2.Record(operation=operation, consumer=consumer, outcome=outcome, call_id=call_id, disclosed=disclosed)
        record.kind, record.purpose, record.verb = kind, purpose, 4  # type: ignore[assignment]
        record.force, record.unit, record.platform = "01", "CO10", "example"
        record.at.FromDatetime(START + timedelta(seconds=at))
        particulars = record_pb2.Particulars(officer=officer, reference=reference, justification="a synthetic reason")
        for word, value in (*subjects, ("officer", officer), ("reference", reference)):
            if value:
                token = self.keys.token(word, normal_form(word, value))
                particulars.tokens.add(kind=token.kind, value=token.value, key=token.key)
        return Draft(record, particulars)

    def write(self, drafts: Iterable[Draft], name: str = "example-0") -> None:
        """Writes records into a journal as one process that opens and closes it."""
        journal = self.journal(name)
        journal.append(list(drafts))
        journal.close(clean=True)
