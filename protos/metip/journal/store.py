"""The durable journal of one process: one file, one thread that writes it, many records to a transaction.

The law: whoever is told that a record is kept finds it after any crash; what could not be kept is told as `Fault` JOURNAL, and nothing is
to be disclosed. After a failure of the disk other than that it is full nobody knows what is so: the journal is broken for good, whoever
opened it is told and must end the process, and the file says at the next opening what was kept.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from metip.faults import Fault, Reason
from metip.journal.file import BrokenError, FullError, JournalFile
from metip.journal.keys import SecretError
from metip.journal.records import Draft, of_journal
from metip.journal.sealing import Sealer
from metip.ledger.v1 import record_pb2 as ledger
from metip.pacing import Pace

HALTED: Final = 70
"""Exit code of a process whose journal is broken or can't be opened."""
HEARTBEAT: Final = 60.0
"""Seconds of silence after which a record says that nothing happened."""
PRUNINGS: Final = 60
"""Looks for what can be pruned in that time, while there is something to record."""
LARGEST_GROUP: Final = 512
MOST_WAITING: Final = 10_000
BUSY: Final = 8
SHORTEST_PACE, LONGEST_PACE = 0.003, 0.008
FULL_FOR: Final = 1.0
"""Seconds after a full disk for which `check` refuses, so that no far system is asked what could not be answered."""
FULL_SHOWN: Final = 60.0
"""Seconds after a full disk for which `health` says so, long enough for whoever looks now and then."""
_Told = tuple["asyncio.Future[None]", asyncio.AbstractEventLoop]
Made = Callable[[], Sequence[Draft]]
"""Makes the drafts of one call."""
_Waiting = tuple[Made, _Told | None]


@dataclass(frozen=True, slots=True)
class Health:
    """How a journal does."""

    writable: bool
    waiting: int
    """Calls that wait for their record."""
    records: int
    """Records that were written since it was opened."""
    failed: int
    """Groups of records that could not be written since then."""


class Journal:
    """A journal that is open. `record` may be called on any loop, `close` and `note` on any thread."""

    def __init__(
        self,
        path: Path,
        name: str,
        system: str,
        sealer: Sealer,
        *,
        on_broken: Callable[[BrokenError], None],
        clock_ns: Callable[[], int] = time.time_ns,
        heartbeat: float = HEARTBEAT,
        vfs: str | None = None,
    ) -> None:
        """Opens or makes the file on the journal's own thread, waits for it, and records that.

        `name` is the journal's, `<system>-<worker>` or `hub`; `system` is the platform in its records. `on_broken` is told, once, on that
        thread. Raises `BrokenError` with a code when the file is another journal's, is written by another process, does not chain or can't
        be opened; `FullError` when there is no room to say that it was opened.
        """
        self._system, self._sealer = system, sealer
        self._on_broken, self._clock_ns, self._heartbeat = on_broken, clock_ns, heartbeat
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._idle = self._stopping = self._broken = False
        self._full_at = float("-inf")
        self._pace = Pace(BUSY, SHORTEST_PACE, LONGEST_PACE)
        self.transactions = 0
        self._records = self._failures = 0
        self.marks: Mapping[str, int] = {}
        """How far each source was read when the journal was opened; see `Draft.mark`."""
        opened = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work, args=(path, name, vfs, opened), name=f"journal-{name}", daemon=True)
        self._thread.start()
        opened.wait()
        if self._failed is not None:
            raise self._failed

    def check(self) -> None:
        """Raises `Fault` JOURNAL while nothing can be recorded, so that a far system is not even asked."""
        if self._broken or self._stopping:
            raise _unkept("the journal is closed")
        if time.monotonic() - self._full_at < FULL_FOR:
            raise _unkept("the journal's disk is full")

    @property
    def health(self) -> Health:
        """How it does now; any thread may ask."""
        full = time.monotonic() - self._full_at < FULL_SHOWN
        writable = not (self._broken or self._stopping or full)
        return Health(writable, len(self._waiting), self._records, self._failures)

    async def record(self, *drafts: Draft) -> None:
        """Keeps drafts, all in one transaction; returns when they are on disk. Raises `Fault` JOURNAL when they can't be kept."""
        await self.record_made(lambda: drafts)

    async def record_made(self, make: Made) -> None:
        """As `record`, of drafts that are made on the journal's thread, next to those of the other calls of their group: made one by one
        between other work on a loop, each pays for code and data that have left the processor's caches meanwhile.

        What `make` raises is raised here, and nothing of this call is kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._add(make, (future, loop))
        await future

    def note(self, *drafts: Draft) -> None:
        """Keeps drafts for which nobody waits: what nothing that leaves depends on. Raises `Fault` JOURNAL when the journal is closed."""
        self._add(lambda: drafts, None)

    def close(self) -> None:
        """Keeps what waits, closes the file and ends the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _add(self, make: Made, told: _Told | None) -> None:
        with self._wake:
            if self._broken or self._stopping:
                raise _unkept("the journal is closed")
            if len(self._waiting) >= MOST_WAITING:
                raise _unkept(f"{MOST_WAITING} calls wait for the journal")
            self._waiting.append((make, told))
            if self._pace.ask() or self._idle:
                self._idle = False
                self._wake.notify()

    def _work(self, path: Path, name: str, vfs: str | None, opened: threading.Event) -> None:
        try:
            file = JournalFile(path, name, self._sealer, vfs=vfs)
            try:
                self.marks = dict(file.marks)
                file.append([of_journal(ledger.KIND_OPENED, file.opened_as, self._system, self._clock_ns())])
            except BaseException:
                file.close(clean=False)
                raise
        except BaseException as error:  # noqa: BLE001 - it is raised where the journal was made
            self._failed = error
            return
        finally:
            opened.set()
        pruned = time.monotonic()
        while (group := self._gather()) is not None:
            drafts, made = _made(group)
            if drafts or not group:
                _tell(made, self._append(file, drafts))
            if not self._broken and time.monotonic() - pruned >= self._heartbeat / PRUNINGS:
                pruned = time.monotonic()
                self._guarded(lambda: file.prune(self._clock_ns() / 1e9))
        file.close(clean=not self._broken)

    def _append(self, file: JournalFile, drafts: list[Draft]) -> Fault | None:
        """Why a group could not be kept; a group of nothing is a heartbeat."""
        failure = self._guarded(lambda: self._appended(file, drafts))
        self._failures += failure is not None
        if isinstance(failure, FullError):
            self._full_at = time.monotonic()
            return _unkept("the journal's disk is full")
        return _unkept("the journal can't be written") if failure else None

    def _appended(self, file: JournalFile, drafts: list[Draft]) -> None:
        self._sealer.look()
        file.append(drafts or [of_journal(ledger.KIND_HEARTBEAT, "", self._system, self._clock_ns())])
        self.transactions += 1
        self._records += len(drafts) or 1

    def _guarded(self, work: Callable[[], object]) -> Exception | None:
        """What went wrong. Only a full disk and a key that can't be read are survived."""
        if self._broken:
            return BrokenError("DISK", "the journal failed before")
        try:
            work()
        except (FullError, SecretError) as error:
            return error
        except Exception as error:  # noqa: BLE001 - whatever it is, the process must hear of it and nobody may wait for ever
            self._broken = True
            broken = error if isinstance(error, BrokenError) else BrokenError("FAILED", f"the journal failed ({type(error).__name__})")
            self._on_broken(broken)
            return broken
        return None

    def _gather(self) -> list[_Waiting] | None:
        """The next group, empty when it is time for a heartbeat; None once the journal is closed and nobody waits."""
        with self._wake:
            while not self._waiting:
                if self._stopping:
                    return None
                self._idle = True
                if not self._wake.wait(self._heartbeat) and not self._waiting and not self._stopping:
                    return []
            self._idle = False
            if not self._stopping and (pause := self._pace.pause(time.monotonic())) > 0:
                self._wake.wait(pause)
            self._pace.begin(time.monotonic())
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_GROUP))]


def _made(group: Iterable[_Waiting]) -> tuple[list[Draft], list[_Told]]:
    """The drafts of a group, and who waits for them. Whoever's can't be made is told at once, and holds up nobody else's."""
    drafts: list[Draft] = []
    waiting: list[_Told] = []
    for make, told in group:
        try:
            drafts += make()
        except Exception as error:  # noqa: BLE001 - it is the caller's, and raised there
            if told is not None:
                _tell([told], error)
        else:
            if told is not None:
                waiting.append(told)
    return drafts, waiting


def _tell(waiting: Iterable[_Told], failure: Exception | None) -> None:
    """Wakes each loop once for all of a group: to wake a loop costs more than most records."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for future, loop in waiting:
        loops.setdefault(loop, []).append(future)
    for loop, futures in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, futures, failure)


def _resolve(futures: "list[asyncio.Future[None]]", failure: Exception | None) -> None:
    for future in futures:
        if future.done():  # its call was cancelled
            continue
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(Fault(failure.reason, failure.text) if isinstance(failure, Fault) else failure)


def _unkept(text: str) -> Fault:
    return Fault(Reason.JOURNAL, f"{text}, so nothing is disclosed")
