"""The ledger of one hub: opened with what its settings name, gathering on a thread of its own, read on others, erased in its own file."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hub.ledger import index, notes, retention
from hub.ledger.gathering import Gathering, GatheringThread, JournalState
from hub.ledger.journals import Journals
from hub.ledger.notes import NoteError, Signer, Verifier
from hub.ledger.readers import Readers
from hub.ledger.retention import Erasure, Retention
from hub.ledger.store import LedgerStore
from metip.journal.blinding import IndexKeys
from metip.journal.keys import INDEX, SEALING, SecretError
from metip.logs import Log
from metip.settings import SettingsError

SIGNING: Final = "signing"


@dataclass(frozen=True)
class Files:
    """Where the ledger finds what it needs."""

    ledger: Path
    """The SQLite file."""
    journals: Path
    """The folder of journals."""
    keys: Path
    """The folder with `index`, `sealing` and `signing`."""
    retention: Path | None
    witness: Path | None = None
    """The witness's verifier key; None where there is no witness."""

    @property
    def signing_key(self) -> Path:
        """The private key that signs."""
        return self.keys / SIGNING / "ledger.key"

    @property
    def verifier_keys(self) -> Path:
        """Public keys, one a line: every one that ever signed, the one in use last."""
        return self.keys / SIGNING / "ledger.vkey"


class Ledger:
    """One open ledger."""

    def __init__(self, files: Files, origin: str, log: Log, *, on_broken: Callable[[BaseException], None]) -> None:
        """Opens everything; nothing is gathered before `start`. Raises `SettingsError`, `BrokenLedgerError`."""
        self._files, self._log = files, log
        self.retention()  # a file that can't be read is told now, not when somebody erases
        try:
            self.keys = IndexKeys(files.keys / INDEX)
            self.signer, trusted = signer(files, origin)
        except (SecretError, NoteError, OSError, ValueError) as error:
            raise SettingsError(str(files.keys), (str(error),)) from None
        self.store = LedgerStore(files.ledger, self.signer, trusted)
        self.store.change(index.prepare)
        sealing = files.keys / SEALING
        self.gathering = Gathering(self.store, files.journals, sealing, alarm=self._alarm)
        self._thread = GatheringThread(self.gathering, on_broken=on_broken, on_full=self._tell_full)
        self.readers = Readers(files.ledger, sealing)

    def start(self) -> None:
        """Begins to gather."""
        self._thread.start()

    def close(self) -> None:
        """Gathers what there is a last time, and ends."""
        self._thread.stop()
        self.readers.close()
        self.store.close()

    def retention(self) -> Retention:
        """How long particulars are kept, as the file says now. Raises `SettingsError`."""
        return retention.read(self._files.retention)

    def due(self, db: apsw.Connection, kept: Retention, before: date, today: date) -> tuple[Erasure, ...]:
        """What may be erased; see `hub.ledger.retention`."""
        return retention.due(db, kept, before, today)

    async def erase(self, groups: Sequence[Erasure]) -> tuple[tuple[Erasure, ...], list[str]]:
        """Erases; what, and the journals that still hold a copy of a key."""
        return await asyncio.get_running_loop().run_in_executor(None, self._erased, tuple(groups))

    def verifier_keys(self) -> list[str]:
        """Public keys by which others check: the ledger's, then the witness's."""
        keys = [str(one) for one in notes.parsed_keys(self._files.verifier_keys.read_text(encoding="utf-8"))]
        if self._files.witness is not None and self._files.witness.exists():
            keys += [str(one) for one in notes.parsed_keys(self._files.witness.read_text(encoding="utf-8"))]
        return keys

    def _erased(self, groups: Sequence[Erasure]) -> tuple[tuple[Erasure, ...], list[str]]:
        now = int(time.time() * 1000)

        def work(db: apsw.Connection) -> tuple[tuple[Erasure, ...], frozenset[bytes]]:
            with _overwriting(db):
                return retention.erase(db, groups, now)

        done, ids = self.store.change(work)
        retention.truncate_log(self._files.ledger)
        self.readers.forget()
        journals = Journals(self._files.journals)
        try:
            return done, [name for name in journals.names() if ids and journals.holds(name, ids)]
        finally:
            journals.close()

    def _alarm(self, state: JournalState) -> None:
        gap = state.gap
        if gap is None:
            self._log.line("journal_follows_again", journal=state.name, position=state.position)
        else:
            self._log.line("journal_gap", journal=state.name, trouble=gap.trouble.value, position=gap.position, gathered=state.position)

    def _tell_full(self, full: bool) -> None:
        self._log.line("ledger_disk_full" if full else "ledger_disk_has_room")


def signer(files: Files, origin: str) -> tuple[Signer, tuple[Verifier, ...]]:
    """Who signs now, and all public keys that ever signed. Raises `OSError`, `ValueError`, `NoteError`."""
    private = load_pem_private_key(files.signing_key.read_bytes(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(f"{files.signing_key} is no Ed25519 key")
    return Signer(origin, private), notes.parsed_keys(files.verifier_keys.read_text(encoding="utf-8"))


@contextmanager
def _overwriting(db: apsw.Connection) -> Iterator[None]:
    """What is deleted in the block is overwritten with zeros."""
    before = db.pragma("secure_delete")
    db.pragma("secure_delete", "on")
    try:
        yield
    finally:
        db.pragma("secure_delete", before)
