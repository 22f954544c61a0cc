"""What a witness remembers, and the rule by which it takes a checkpoint: it begins with the last one, or it is refused.

The law: what is taken is durable before anything is signed, and nothing is ever forgotten or put back. One last checkpoint is kept for each
log, by origin.
"""

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import apsw

from hub.ledger import notes, tree
from hub.ledger.notes import Checkpoint, NoteError, Verifier

SCHEMA: Final = (
    "create table if not exists known (origin text primary key, size integer not null, root blob not null, note text not null) strict"
)


class Reason(StrEnum):
    """Why a checkpoint is refused."""

    MALFORMED = "MALFORMED"
    UNKNOWN_LOG = "UNKNOWN_LOG"
    UNSIGNED = "UNSIGNED"
    STALE = "STALE"
    """The proof leads from another size than the one that is known."""
    ROLLBACK = "ROLLBACK"
    """It is smaller than the one that is known."""
    FORK = "FORK"
    """It does not begin with the one that is known."""


class RefusedCheckpointError(Exception):
    """A checkpoint that is not taken; what was known still is."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason


def judge(known: Checkpoint, old_size: int, proof: Sequence[bytes], offered: Checkpoint) -> None:
    """Whether a checkpoint begins with the one that is known. Raises `RefusedCheckpointError`."""
    if offered.size < known.size:
        raise RefusedCheckpointError(Reason.ROLLBACK, f"it has {offered.size} records, and one of {known.size} is known")
    if offered.size == known.size and offered.root != known.root:
        raise RefusedCheckpointError(Reason.FORK, f"another checkpoint of {known.size} records is known")
    if old_size != known.size:
        raise RefusedCheckpointError(Reason.STALE, f"the proof leads from {old_size}, and one of {known.size} records is known")
    try:
        tree.verify_consistency(known.size, offered.size, known.root, offered.root, proof)
    except tree.ProofError as error:
        raise RefusedCheckpointError(Reason.FORK, str(error)) from None


class Memory:
    """The file of one witness; it belongs to one thread. Raises `apsw.Error` where it can't be opened or written: the process must stop."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._database = apsw.Connection(str(path))
        self._database.pragma("locking_mode", "exclusive")  # a second witness on one file would know less than the first
        self._database.pragma("journal_mode", "wal")
        self._database.pragma("synchronous", "full")
        self._database.execute(SCHEMA)

    def known(self, origin: str) -> tuple[Checkpoint, str]:
        """The last checkpoint of a log, and its note; that of the empty tree before the first."""
        row: Any = self._database.execute("select size, root, note from known where origin = ?", (origin,)).fetchone()
        return (Checkpoint(origin, row[0], row[1]), row[2]) if row else (Checkpoint(origin, 0, tree.EMPTY), "")

    def add(self, content: str, old_size: int, proof: Sequence[bytes], trusted: Sequence[Verifier]) -> Checkpoint:
        """Takes a checkpoint of a log whose keys are trusted; it is on disk when this returns. Raises `RefusedCheckpointError`."""
        offered = _opened(content, trusted)
        known, note = self.known(offered.origin)
        judge(known, old_size, proof, offered)
        if offered != known or not note:
            self._database.execute(
                "insert or replace into known values (?, ?, ?, ?)", (offered.origin, offered.size, offered.root, content)
            )
        return offered

    def close(self) -> None:
        """Closes the file."""
        self._database.close()


def _opened(content: str, trusted: Sequence[Verifier]) -> Checkpoint:
    try:
        said = notes.parsed_checkpoint(notes.parsed(content).text)
    except NoteError as error:
        raise RefusedCheckpointError(Reason.MALFORMED, str(error)) from None
    if all(key.name != said.origin for key in trusted):
        raise RefusedCheckpointError(Reason.UNKNOWN_LOG, "no log of that origin is watched")
    try:
        return notes.opened_checkpoint(content, trusted)[0]
    except NoteError as error:
        raise RefusedCheckpointError(Reason.UNSIGNED, str(error)) from None
