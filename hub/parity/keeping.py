"""The file of recordings: calls as one platform answered them, each sealed; one thread writes and reads it.

The law: nothing of a call is in the file in clear but its place. Data keys are those of `metip.journal.sealing`, bound to their recording
and wrapped to the ledger's sealing key, so that only the hub opens them, and erasing a recording destroys them.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from metip.journal.keys import SecretError
from metip.journal.sealing import Opener, Wrapped, opened
from metip.parity.v1.sample_pb2 import Sample

SCHEMA: Final = """
create table if not exists recordings(
  id text primary key, operations text not null, system text not null, per_million integer not null, started real not null,
  until real not null, erased_by real not null, dropped integer not null default 0, erased real
) strict, without rowid;
create table if not exists keys(id blob primary key, recording text not null, month text not null, wrapped blob not null)
  strict, without rowid;
create table if not exists calls(
  recording text not null, position integer not null, key blob not null, sealed blob not null, primary key(recording, position)
) strict, without rowid;
create table if not exists replays(recording text not null, system text not null, position integer not null, primary key(recording, system))
  strict, without rowid;
"""


def bound_to(recording: str) -> str:
    """What data keys of a recording are bound to."""
    return f"recording/{recording}"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording, without its content. Instants are in seconds since 1970."""

    id: str
    operations: tuple[str, ...]
    system: str
    """Whose answers it keeps."""
    per_million: int
    started: float
    until: float
    erased_by: float
    calls: int = 0
    dropped: int = 0
    erased: float | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """One call that is to be kept."""

    recording: str
    key: bytes
    sealed: bytes


class Keeping:
    """The file, open. Its methods may be called on any thread, and run on its own one by `on_thread`."""

    def __init__(self, path: Path, sealing: Path) -> None:
        """`sealing` is the folder with the ledger's sealing keys."""
        path.touch(mode=0o600)
        self.path = path
        self._opener = Opener(sealing)
        self._database = apsw.Connection(str(path))
        for name, value in (("journal_mode", "wal"), ("synchronous", "normal"), ("secure_delete", "on")):
            self._database.pragma(name, value)
        self._database.execute(SCHEMA)
        self.on_thread = ThreadPoolExecutor(1, thread_name_prefix="recordings")

    def all(self) -> tuple[Recording, ...]:
        """Every recording, the latest first."""
        rows: list[Any] = self._database.execute(
            "select r.id, r.operations, r.system, r.per_million, r.started, r.until, r.erased_by,"
            " (select coalesce(max(position), 0) from calls c where c.recording = r.id), r.dropped, r.erased"
            " from recordings r order by r.started desc, r.id"
        ).fetchall()
        return tuple(Recording(row[0], tuple(row[1].split(" ")), *row[2:]) for row in rows)

    def begin(self, one: Recording) -> None:
        """Keeps a new recording."""
        values = (one.id, " ".join(one.operations), one.system, one.per_million, one.started, one.until, one.erased_by)
        self._database.execute("insert into recordings values (?, ?, ?, ?, ?, ?, ?, 0, null)", values)

    def stop(self, recording: str, now: float) -> None:
        """Ends a recording now, if it has not ended."""
        self._database.execute("update recordings set until = min(until, ?) where id = ?", (now, recording))

    def add(self, calls: Sequence[Sealed], keys: Sequence[tuple[str, Wrapped]], dropped: Sequence[tuple[str, int]]) -> None:
        """Keeps calls of recordings that were not erased, with the keys they need, and counts of those that were dropped."""
        with self._database:
            there: set[Any] = {row[0] for row in self._database.execute("select id from recordings where erased is null")}
            for recording, key in keys:
                if recording in there:
                    self._database.execute("insert into keys values (?, ?, ?, ?)", (key.id, recording, key.month, key.wrapped))
            for one in calls:
                if one.recording in there:
                    self._database.execute(
                        "insert into calls select ?, coalesce(max(position), 0) + 1, ?, ? from calls where recording = ?",
                        (one.recording, one.key, one.sealed, one.recording),
                    )
            for recording, count in dropped:
                self._database.execute("update recordings set dropped = dropped + ? where id = ?", (count, recording))

    def read(self, recording: str, after: int, most: int) -> tuple[list[tuple[int, Sample | None]], int]:
        """Calls after a position, opened, and how many there are by now; None for one that does not open."""
        keys: dict[bytes, bytes | None] = {}
        found: list[tuple[int, Sample | None]] = []
        rows: list[Any] = self._database.execute(
            "select c.position, c.sealed, k.id, k.month, k.wrapped from calls c left join keys k on k.id = c.key"
            " where c.recording = ? and c.position > ? order by c.position limit ?",
            (recording, after, most),
        ).fetchall()
        for position, sealed, key_id, month, wrapped in rows:
            if key_id is not None and key_id not in keys:
                keys[key_id] = self._unwrapped(Wrapped(key_id, bound_to(recording), month, wrapped))
            data_key = keys.get(key_id)
            found.append((position, _sample(data_key, key_id, sealed) if data_key is not None else None))
        total: Any = self._database.execute("select coalesce(max(position), 0) from calls where recording = ?", (recording,)).fetchone()
        return found, int(total[0])

    def replayed(self, recording: str, system: str) -> int:
        """How far a recording was replayed to a system."""
        row: Any = self._database.execute("select position from replays where recording = ? and system = ?", (recording, system)).fetchone()
        return int(row[0]) if row else 0

    def replay(self, recording: str, system: str, position: int) -> None:
        """Keeps how far a recording was replayed to a system."""
        self._database.execute("insert or replace into replays values (?, ?, ?)", (recording, system, position))

    def erase(self, recording: str) -> None:
        """Destroys keys and content of a recording; what was there is overwritten, in the log of the file too."""
        with self._database:
            now = time.time()
            self._database.execute("update recordings set erased = ?, until = min(until, ?) where id = ?", (now, now, recording))
            self._database.execute("delete from keys where recording = ?", (recording,))
            self._database.execute("delete from calls where recording = ?", (recording,))
            self._database.execute("delete from replays where recording = ?", (recording,))
        self._database.execute("pragma wal_checkpoint(truncate)").fetchall()

    def close(self) -> None:
        """Ends the thread, then the file."""
        self.on_thread.shutdown()
        self._database.close()

    def _unwrapped(self, key: Wrapped) -> bytes | None:
        try:
            return self._opener.unwrap(key)
        except SecretError:
            return None


def _sample(data_key: bytes, key_id: bytes, sealed: bytes) -> Sample | None:
    try:
        return Sample.FromString(opened(data_key, key_id, sealed))
    except SecretError:
        return None
