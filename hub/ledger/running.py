"""The ledger of one hub: opened with what its settings name, gathering on a thread of its own, read on others, erased in its own file."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from hub.ledger import cosigning, engine, notes, retention, signing
from hub.ledger.cosigning import Cosigning
from hub.ledger.faults import BrokenLedgerError, FullLedgerError, UnreadyLedgerError
from hub.ledger.gathering import Gathering, GatheringThread, JournalState
from hub.ledger.journals import Journals
from hub.ledger.port import Statements
from hub.ledger.postgres import connecting
from hub.ledger.postgres.connecting import Server
from hub.ledger.readers import Readers
from hub.ledger.recording import HubJournal
from hub.ledger.retention import Erasure, Retention
from hub.ledger.signing import SigningKeyError
from metip.hub.v1 import settings_pb2
from metip.journal.blinding import IndexKeys
from metip.journal.file import BrokenError
from metip.journal.keys import INDEX, SEALING, SecretError, add_index_key, add_sealing_key
from metip.logs import Log, Value
from metip.settings import SettingsError

HALTED: Final = 70
"""The exit code of a hub whose ledger or journal is broken: it does not guess."""
Later = Callable[[Callable[[], None]], object]
"""Runs something soon on the thread of the event loop; any thread may call it."""
Tell = Callable[..., None]
"""Writes a line of the log, as `Log.line` does; any thread may call it."""


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
    witness_socket: Path | None = None
    witness_grace: float = cosigning.GRACE
    """Seconds for which the witness may lag."""
    server: Server | None = None
    """The PostgreSQL server that keeps the ledger instead of the file."""


class Ledger:
    """One open ledger."""

    def __init__(self, files: Files, origin: str, tell: Tell, *, on_broken: Callable[[BaseException], None]) -> None:
        """Opens everything; nothing is gathered before `start`. Raises `SettingsError`, `BrokenLedgerError`."""
        self._files, self._tell = files, tell
        self.retention()  # a file that can't be read is told now, not when somebody erases
        try:
            self.keys = IndexKeys(files.keys / INDEX)
            signing_keys = signing.load(files.keys / signing.FOLDER, origin)
        except (SecretError, SigningKeyError) as error:
            raise SettingsError(str(files.keys), (str(error),)) from None
        self.signer = signing_keys.signer
        self._engine = engine.opened(files.ledger, files.server, self.signer, signing_keys.trusted)
        self.store = self._engine.store
        sealing = files.keys / SEALING
        self.gathering = Gathering(self.store, files.journals, sealing, alarm=self._alarm)
        self._thread = GatheringThread(self.gathering, on_broken=on_broken, on_unready=self._judged)
        self.readers = Readers(self._engine.glass, sealing)
        self.ready = True
        """Whether it takes records, as of the last round."""
        self.cosigning: Cosigning | None = None
        if files.witness is not None and files.witness_socket is not None:
            self.cosigning = Cosigning(self.store, files.witness_socket, files.witness, tell, grace=files.witness_grace)

    def start(self) -> None:
        """Begins to gather."""
        self._thread.start()

    def stop(self) -> None:
        """Gathers what there is a last time, and gathers no more."""
        self._thread.stop()

    def close(self) -> None:
        """Closes the files."""
        self.readers.close()
        self._engine.close()

    def retention(self) -> Retention:
        """How long particulars are kept, as the file says now. Raises `SettingsError`."""
        return retention.read(self._files.retention)

    def due(self, db: Statements, kept: Retention, before: date, today: date) -> tuple[Erasure, ...]:
        """What may be erased; see `hub.ledger.retention`."""
        return retention.due(db, kept, before, today)

    async def erase(self, groups: Sequence[Erasure]) -> tuple[tuple[Erasure, ...], list[str]]:
        """Erases; what, and the journals that still hold a copy of a key. Raises `UnreadyLedgerError`: ask again what is due."""
        return await asyncio.get_running_loop().run_in_executor(None, self._erased, tuple(groups))

    def verifier_keys(self) -> list[str]:
        """Public keys by which others check: the ledger's, then the witness's."""
        keys = [str(one) for one in signing.load(self._files.keys / signing.FOLDER, self.signer.name).trusted]
        if self._files.witness is not None and self._files.witness.exists():
            keys += [str(one) for one in notes.parsed_keys(self._files.witness.read_text(encoding="utf-8"))]
        return keys

    async def rotate(self, which: str) -> tuple[int, str]:
        """Puts a new key in use, `index`, `sealing` or `signing`; its number, and of signing its public half. Raises `OSError`."""
        return await asyncio.get_running_loop().run_in_executor(None, self._rotated, which)

    def _rotated(self, which: str) -> tuple[int, str]:
        folder = self._files.keys / which
        if which == signing.FOLDER:
            keys = signing.add(folder, self.signer.name)
            self.store.sign_with(keys.signer)
            self.signer = keys.signer
            return len(keys.trusted), str(keys.signer.verifier)
        return (add_index_key if which == INDEX else add_sealing_key)(folder), ""

    def _erased(self, groups: Sequence[Erasure]) -> tuple[tuple[Erasure, ...], list[str]]:
        try:
            done, ids = self._engine.erase(groups, int(time.time() * 1000))
        finally:  # the keys may be gone although not all that belongs to it was done
            self.readers.forget()
            self.gathering.forget()
        journals = Journals(self._files.journals)
        try:
            return done, [name for name in journals.names() if ids and journals.holds(name, ids)]
        finally:
            journals.close()

    def _alarm(self, state: JournalState) -> None:
        gap = state.gap
        if gap is None:
            self._tell("journal_follows_again", journal=state.name, position=state.position)
        else:
            self._tell("journal_gap", journal=state.name, trouble=gap.trouble.value, position=gap.position, gathered=state.position)

    def _judged(self, error: UnreadyLedgerError | None) -> None:
        self.ready = error is None
        if error is None:
            self._tell("ledger_takes_records_again")
        elif isinstance(error, FullLedgerError):
            self._tell("ledger_disk_full")
        else:
            self._tell("ledger_away", problem=str(error))


def files(said: settings_pb2.Ledger, folder: Path, state: Path) -> Files:
    """Where things are that the settings name; `folder` is that of the settings file. Raises `SettingsError`."""
    return Files(
        server=connecting.read(said.postgres, folder) if said.HasField("postgres") else None,
        ledger=state / (said.file or "ledger.sqlite"),
        journals=folder / said.journals if said.journals else state / "journals",
        keys=folder / said.keys,
        retention=folder / said.retention if said.retention else None,
        witness=folder / said.witness_key if said.witness_key else None,
        witness_socket=folder / said.witness_socket if said.witness_socket else None,
        witness_grace=said.witness_grace.ToTimedelta().total_seconds() if said.HasField("witness_grace") else cosigning.GRACE,
    )


@contextmanager
def opened(found: Files, name: str, log: Log, later: Later) -> Iterator[tuple[Ledger, HubJournal]]:
    """The ledger and the hub's own journal for the length of the block, gathering. What breaks either ends the process.

    Lines of threads are written `later`, on the log's own thread. Raises `SettingsError` for keys and files that can't be used.
    """

    def tell(event: str, **values: Value) -> None:
        later(partial(log.line, event, **values))

    def halt(error: BaseException) -> None:
        """On a thread: whatever the rest of the process still believes, it must not go on."""
        log.line("halted", problem=str(error) if isinstance(error, BrokenLedgerError | BrokenError) else type(error).__name__)
        os._exit(HALTED)

    try:
        ledger = Ledger(found, name, tell, on_broken=halt)
    except (BrokenLedgerError, UnreadyLedgerError) as error:
        raise SettingsError("ledger.postgres" if found.server else str(found.ledger), (str(error),)) from None
    try:
        try:
            journal = HubJournal(found.journals, found.keys, ledger.keys, on_broken=halt)
        except (BrokenError, SecretError) as error:
            raise SettingsError(str(found.journals), (str(error),)) from None
        ledger.start()
        try:
            yield ledger, journal
        finally:
            journal.close()
            ledger.stop()
    finally:
        ledger.close()
