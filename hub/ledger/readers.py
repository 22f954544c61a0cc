"""Reads the ledger for those who ask, on threads of its own: a long report holds up neither the event loop nor, alone, the next search."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from hub.ledger import searching
from hub.ledger.engine import Glass
from hub.ledger.opening import Unsealing
from hub.ledger.port import Reader, Statements
from hub.ledger.reporting import Reading
from hub.ledger.searching import LATEST, Place, Wanted

T = TypeVar("T")
THREADS: Final = 2


@dataclass(frozen=True)
class View:
    """The ledger as one thread reads it."""

    glass: Glass
    records: Reading

    @property
    def db(self) -> Statements:
        """The index."""
        return self.glass.db

    @property
    def tree(self) -> Reader:
        """Leaves and checkpoints."""
        return self.glass.tree

    def find(self, wanted: Wanted, limit: int, after: Place = LATEST) -> list[Place]:
        """See `hub.ledger.searching.find`."""
        return searching.find(self.db, wanted, limit, after, page=self.glass.page)


class Readers:
    """Threads that read, each over its own connection."""

    def __init__(self, glass: Callable[[], Glass], sealing: Path) -> None:
        """`glass` makes connections; `sealing` holds the private sealing keys."""
        self._glass, self._sealing = glass, sealing
        self._mine = threading.local()
        self._views: list[View] = []
        self._unsealings: list[Unsealing] = []
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ledger-reading")

    async def ask(self, work: Callable[[View], T]) -> T:
        """What `work` finds, on a thread. Raises what it raises, and `AwayLedgerError`."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: self._answered(work))

    def forget(self) -> None:
        """Forgets every data key, after an erasure."""
        for one in self._unsealings:
            one.forget()

    def close(self) -> None:
        """Ends the threads and closes what they read."""
        self._pool.shutdown(cancel_futures=True)
        for view in self._views:
            view.tree.close()

    def _answered(self, work: Callable[[View], T]) -> T:
        view: View | None = getattr(self._mine, "view", None)
        if view is None:
            view = self._mine.view = self._opened()
        with view.glass.snapshot():
            return work(view)

    def _opened(self) -> View:
        glass, unsealing = self._glass(), Unsealing(self._sealing)
        view = View(glass, Reading(glass.db, unsealing))
        self._views.append(view)
        self._unsealings.append(unsealing)
        return view
