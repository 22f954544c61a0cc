"""The `Engine` of a ledger on PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from hub.ledger.engine import Glass
from hub.ledger.notes import Signer, Verifier
from hub.ledger.postgres import erasing
from hub.ledger.postgres.connecting import Server
from hub.ledger.postgres.paging import page
from hub.ledger.postgres.session import Session
from hub.ledger.postgres.store import PostgresLedger, reading
from hub.ledger.retention import Erasure

ANSWER_WITHIN: Final = "30s"
"""A statement of somebody who asks ends after that."""


class PostgresEngine:
    """Keeps the ledger in one database."""

    def __init__(self, server: Server, signer: Signer, trusted: Sequence[Verifier] = ()) -> None:
        """Opens the ledger, or makes it; see `hub.ledger.postgres.store`."""
        self._server = server
        self.store = PostgresLedger(server, signer, trusted)
        try:
            self._settle()
        except BaseException:
            self.store.close()
            raise

    def glass(self) -> Glass:
        """See `hub.ledger.engine`."""
        db, tree = reading(self.store.loop, self._server, statement_timeout=ANSWER_WITHIN)
        return Glass(db, tree, page, db.snapshot)

    def erase(self, groups: Sequence[Erasure], now: int) -> tuple[tuple[Erasure, ...], frozenset[bytes]]:
        """See `hub.ledger.engine`."""
        done = self.store.change(lambda db: erasing.erase(db, groups, now))
        self._settle()
        return done

    def close(self) -> None:
        """See `hub.ledger.engine`; last, as readers work on the same thread."""
        self.store.close()

    def _settle(self) -> None:
        session = Session(self.store.loop, self._server, application_name="metip ledger erasing")
        try:
            erasing.settle(session)
        finally:
            session.close()
