"""Reads the journals that the adapters of a running estate write, as the hub does: over connections that can't change them."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw

from metip.journal import chain
from metip.ledger.v1.record_pb2 import Record

Rows = list[tuple[int, bytes, bytes]]


def traced() -> tuple[str, tuple[str, str]]:
    """A trace id of its own, and the metadata with which a call carries it."""
    trace = secrets.token_hex(16)
    return trace, ("traceparent", f"00-{trace}-{secrets.token_hex(8)}-01")


def journals(folder: Path, system: str = "") -> list[Path]:
    """The journals of a system's workers, or of everybody."""
    return sorted(folder.glob(f"{system or '*'}-*.sqlite"))


def rows(path: Path) -> Rows:
    """Everything in one journal."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as database:
        return [(position, record, link) for position, record, link in database.execute("select * from records order by position")]


def records(folder: Path, system: str = "") -> Iterator[Record]:
    """The records of a system's workers, or of everybody."""
    for path in journals(folder, system):
        for _, record, _ in rows(path):
            yield Record.FromString(record)


def first_break(path: Path) -> int | None:
    """Where the whole chain of a journal breaks."""
    return chain.first_break(0, chain.start(path.stem), rows(path))
