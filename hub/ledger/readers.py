"""Reads the ledger for those who ask, on threads of its own: a long report holds up neither the event loop nor, alone, the next search."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import apsw

from hub.ledger import reading
from hub.ledger.opening import Unsealing
from hub.ledger.port import Reader
from hub.ledger.reporting import Reading

T = TypeVar("T")
THREADS: Final = 2
CACHE_KIB: Final = 65_536
"""Pages that a connection keeps, so that a search of a large index reads little."""


@dataclass(frozen=True)
class View:
    """The ledger as one thread reads it."""

    db: apsw.Connection
    records: Reading
    tree: Reader


class Readers:
    """Threads that read, each over its own connections."""

    def __init__(self, path: Path, sealing: Path) -> None:
        self._path, self._sealing = path, sealing
        self._mine = threading.local()
        self._views: list[View] = []
        self._unsealings: list[Unsealing] = []
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ledger-reading")

    async def ask(self, work: Callable[[View], T]) -> T:
        """What `work` finds, on a thread. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: self._answered(work))

    def forget(self) -> None:
        """Forgets every data key, after an erasure."""
        for one in self._unsealings:
            one.forget()

    def close(self) -> None:
        """Ends the threads and closes what they read."""
        self._pool.shutdown(cancel_futures=True)
        for view in self._views:
            view.db.close()
            view.tree.close()

    def _answered(self, work: Callable[[View], T]) -> T:
        view: View | None = getattr(self._mine, "view", None)
        if view is None:
            view = self._mine.view = self._opened()
        view.db.execute("BEGIN")  # one snapshot
        try:
            return work(view)
        finally:
            view.db.execute("ROLLBACK")

    def _opened(self) -> View:
        db = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        db.set_busy_timeout(5000)
        db.pragma("cache_size", -CACHE_KIB)
        unsealing = Unsealing(self._sealing)
        view = View(db, Reading(db, unsealing), reading.opened(self._path))
        self._views.append(view)
        self._unsealings.append(unsealing)
        return view
