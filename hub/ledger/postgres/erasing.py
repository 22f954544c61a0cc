"""Erasure on PostgreSQL: keys are overwritten and rows of the index deleted in one transaction, and then both tables are written anew.

PostgreSQL keeps what a row was before until the space is used again. So what is only marked as erased must also leave the files: `VACUUM
FULL` writes the tables without it and drops the old files. That it is still to be done is kept, so that a crash does not leave it out.
"""

from collections.abc import Iterable
from typing import Any, Final

from hub.ledger.port import Statements
from hub.ledger.postgres.session import Session
from hub.ledger.retention import LIVE, Erasure

OWED: Final = "erasure"
"""The row of `meta` that is there while tables are still to be written anew."""
WITHIN: Final = 4 * 3600.0
"""Seconds for writing them."""


def erase(db: Statements, groups: Iterable[Erasure], now: int) -> tuple[tuple[Erasure, ...], frozenset[bytes]]:
    """Erases within the caller's transaction; what, and the ids of the keys. `now` is in milliseconds since 1970."""
    done, ids = [], set[bytes]()
    for one in groups:
        keys: Any = db.execute(f"SELECT number, id {LIVE}", (one.interface, one.month)).fetchall()
        ids |= {key_id for _, key_id in keys}
        numbers = [number for number, _ in keys]
        db.execute("UPDATE keys SET wrapped = NULL, erased_at = ? WHERE number = ANY(?)", (now, numbers))
        statement = (
            "WITH gone AS (DELETE FROM tokens t USING facts f WHERE f.key = ANY(?) AND t.idx = f.idx RETURNING 1) SELECT count(*) FROM gone"
        )
        tokens: Any = db.execute(statement, (numbers,)).fetchone()
        done.append(Erasure(one.interface, one.month, one.keys, one.records, int(tokens[0])))
    if ids:
        db.execute("INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value", (OWED, str(now)))
    return tuple(done), frozenset(ids)


def settle(session: Session) -> None:
    """Writes the tables anew if that is owed; gathering and searches wait meanwhile. Raises `UnreadyLedgerError`: it is then still owed."""
    if session.execute("SELECT 1 FROM meta WHERE name = ?", (OWED,)).fetchone() is None:
        return
    for table in ("keys", "tokens"):
        session.script(f"VACUUM (FULL, ANALYZE) {table}", within=WITHIN)
    session.execute("DELETE FROM meta WHERE name = ?", (OWED,))
