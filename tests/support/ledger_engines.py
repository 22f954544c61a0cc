"""Ledgers of one engine or the other, for tests that must hold for both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
from ledgers import signer
from postgres import Postgres

from hub.ledger.notes import Signer, Verifier
from hub.ledger.postgres.connecting import Server
from hub.ledger.postgres.session import Loop, Session
from hub.ledger.postgres.store import PostgresLedger
from hub.ledger.store import LedgerStore

SIGNER = signer()


@dataclass
class Where:
    """Where one ledger is kept."""

    path: Path
    server: Server | None

    def open(self, by: Signer = SIGNER, trusted: Sequence[Verifier] = ()) -> Any:
        """Opens it, as a process does."""
        if self.server is None:
            return LedgerStore(self.path, by, trusted)
        return PostgresLedger(self.server, by, trusted, lock_within=1.0)

    def run(self, statement: str) -> list[Any]:
        """Does something to it behind the ledger's back; what that finds."""
        if self.server is None:
            db = apsw.Connection(str(self.path))
            try:
                return db.execute(statement).fetchall()
            finally:
                db.close()
        loop = Loop()
        session = Session(loop, self.server)
        try:
            return session.execute(statement).fetchall()
        finally:
            session.close()
            loop.close()


@dataclass
class Engines:
    """Makes places for ledgers of one engine."""

    folder: Path
    postgres: Postgres | None
    made: int = field(default=0)

    @property
    def embedded(self) -> bool:
        """Whether it is the engine of one file."""
        return self.postgres is None

    def server(self) -> Server | None:
        """An account without a ledger, or None."""
        return None if self.postgres is None else self.postgres.account()

    def where(self) -> Where:
        """A place where there is no ledger yet."""
        self.made += 1
        return Where(self.folder / "state" / f"ledger-{self.made}.sqlite", self.server())
