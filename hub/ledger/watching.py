"""Watches what Envoy saw: each second its log is read on, refusals are recorded, and answered calls are looked for in the ledger."""

import asyncio
from typing import Final

from hub.ledger.edge import Counts, Reconciling
from hub.ledger.faults import UnreadyLedgerError
from hub.ledger.running import Ledger
from metip.faults import Fault
from metip.journal.records import Draft
from metip.journal.store import Journal
from metip.logs import Log

EVERY: Final = 1.0
AT_ONCE: Final = 500
"""Refusals that are recorded together."""


class Watching:
    """One hub's watch over one log."""

    def __init__(self, ledger: Ledger, journal: Journal, reconciling: Reconciling, log: Log) -> None:
        self._ledger, self._journal, self._reconciling, self._log = ledger, journal, reconciling, log
        self._unrecorded: list[Draft] = []
        self._reported = 0
        self._unready = False
        self.counts = Counts()
        """The books as of the last look."""

    async def run(self) -> None:
        """Watches until it is cancelled. While refusals can't be recorded, as on a full disk, they are tried again."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(EVERY)
        finally:
            self._reconciling.close()

    async def look(self) -> None:
        """Reads what is new, and brings the books up to date; what the ledger can't do now is done at the next look."""
        try:
            await self._look()
        except UnreadyLedgerError as error:
            if not self._unready:
                self._log.line("books_not_settled", problem=str(error))
            self._unready = True
        else:
            self._unready = False

    async def _look(self) -> None:
        if not self._unrecorded:
            self._unrecorded = await self._ledger.readers.ask(lambda view: self._reconciling.look(view.db))
        try:
            while self._unrecorded:
                await self._journal.record(*self._unrecorded[:AT_ONCE])
                del self._unrecorded[:AT_ONCE]
        except Fault as fault:
            self._log.line("refusals_not_recorded", problem=fault.text, waiting=len(self._unrecorded))
        (await asyncio.to_thread(self._ledger.store.change, self._reconciling.settle))()
        self.counts = await self._ledger.readers.ask(lambda view: self._reconciling.counts(view.db))
        if self.counts.missing > self._reported:
            self._log.line("records_missing", missing=self.counts.missing)
        self._reported = self.counts.missing
