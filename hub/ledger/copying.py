"""A ledger as one file, wherever it is kept: a server's is copied into the embedded engine's form, which the stand-alone verifier reads.

The copy is of one instant and holds leaves, tiles, checkpoints and journals; no index and no keys, so nothing sealed opens by it.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from hub.ledger import reading
from hub.ledger.port import Reader, Statements
from hub.ledger.postgres.connecting import Server
from hub.ledger.reading import LedgerReader
from hub.ledger.running import Files

AT_ONCE: Final = 5000
"""Rows that are fetched together."""
KEYS: Final = {"leaves": ("idx",), "tiles": ("level", "idx"), "checkpoints": ("size",), "journals": ("name",)}
"""Tables, and by which columns they are read on."""
COLUMNS: Final = {
    "leaves": ("idx", "leaf"),
    "tiles": ("level", "idx", "hashes"),
    "checkpoints": ("size", "note", "cosigned"),
    "journals": ("name", "position", "chain", "idx"),
}
FIRST: Final[dict[str, tuple[Any, ...]]] = {"leaves": (-1,), "tiles": (-1, -1), "checkpoints": (-1,), "journals": ("",)}


@contextmanager
def as_file(files: Files) -> Iterator[Path]:
    """The ledger's file, or a copy of the server's for the length of the block. Raises `UnreadyLedgerError`, `BrokenLedgerError`."""
    if files.server is None:
        yield files.ledger
        return
    with tempfile.TemporaryDirectory(prefix="metip-ledger-", dir=files.ledger.parent) as folder:
        copy(files.server, Path(folder) / "ledger.sqlite")
        yield Path(folder) / "ledger.sqlite"


@contextmanager
def reader(files: Files) -> Iterator[Reader]:
    """A reader of the ledger, for whoever is not the hub. Raises what `as_file` does, and `apsw.Error`."""
    if files.server is None:
        with closing(reading.opened(files.ledger)) as found:
            yield found
        return
    with _snapshot(files.server) as db:
        yield LedgerReader(db)


def copy(server: Server, path: Path) -> None:
    """Writes a server's ledger into a new file that only its owner reads. Raises `FileExistsError`, and what `as_file` does."""
    path.touch(mode=0o600, exist_ok=False)
    with _snapshot(server) as db, closing(apsw.Connection(str(path))) as file, file:
        file.execute(reading.SCHEMA)
        said = dict(db.execute("select name, value from meta where name = 'origin'").fetchall())
        file.execute("insert into meta values ('version', ?), ('origin', ?)", (reading.VERSION, said.get("origin")))
        for table in COLUMNS:
            for rows in _parts(db, table):
                file.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)


def _parts(db: Statements, table: str) -> Iterator[list[tuple[Any, ...]]]:
    columns, keys, after = COLUMNS[table], KEYS[table], FIRST[table]
    marks, order = ", ".join("?" * len(keys)), ", ".join(keys)
    statement = f"select {', '.join(columns)} from {table} where ({order}) > ({marks}) order by {order} limit {AT_ONCE}"
    while rows := db.execute(statement, after).fetchall():
        yield rows
        after = tuple(rows[-1][: len(keys)])


@contextmanager
def _snapshot(server: Server) -> Iterator[Statements]:
    from hub.ledger.postgres.session import Loop
    from hub.ledger.postgres.store import reading as connection

    with closing(Loop()) as loop:
        db, tree = connection(loop, server)
        with closing(tree), db.snapshot():
            yield db
