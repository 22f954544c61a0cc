"""Calls that the exchange answers itself, as they are recorded: those of operators, those that it refuses, and those that hand over again
what it has.

What is accepted is recorded from where it is kept; see `recording`.
"""

from typing import Final

from metip.journal.blinding import IndexKeys
from metip.journal.records import Facts, Recording
from metip.journal.store import Journal

SYSTEM: Final = "exchange"


class Calls:
    """Records calls on personal data, in the hub's journal."""

    def __init__(self, journal: Journal, keys: IndexKeys) -> None:
        self._journal, self._recording = journal, Recording(SYSTEM, keys)

    def check(self) -> None:
        """Raises `Fault` JOURNAL while nothing can be recorded."""
        self._journal.check()

    async def record(self, *known: Facts) -> None:
        """Keeps what is known of calls; those on no personal data are passed over. Raises `Fault` JOURNAL."""
        drafts = [draft for facts in known if facts.operation.personal for draft in self._recording.of_call(facts)]
        if drafts:
            await self._journal.record(*drafts)

    async def record_repeated(self, facts: Facts, message_id: str) -> None:
        """Keeps what is known of a call that handed over a message once more. Raises `Fault` JOURNAL."""
        drafts = self._recording.of_call(facts)
        for draft in drafts:
            draft.record.message_id = message_id
        await self._journal.record(*drafts)
