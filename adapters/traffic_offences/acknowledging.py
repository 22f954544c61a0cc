"""Reads acknowledgements and reports what became of each notice; the sender's reference in them is the exchange's message id.

The law: an acknowledgement leaves `out` after everything in it was heard by the exchange, never before. Reporting twice changes nothing.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from adapters.kit import Fault, Log, Reason
from adapters.kit.outcomes import code_of
from adapters.traffic_offences.records import Acknowledgement
from adapters.traffic_offences.upstream import DONE, UNREADABLE, HomeOffice
from adapters.traffic_offences.wire import Damaged, Incomplete, decode_acknowledgement, references

ACCEPTED, REFUSED = "A", "R"
BATCH_REFUSED = "BATCH_"
"""Precedes the code of a batch that was refused as a whole."""


class Outcomes(Protocol):
    """Reports to the exchange, each until it is heard; False when the exchange knows no such delivery."""

    def processed(self, message_id: str) -> Awaitable[bool]: ...
    def refused(self, message_id: str, code: str) -> Awaitable[bool]: ...


@dataclass
class Reporter:
    """Reports what the far side acknowledges."""

    far_side: HomeOffice
    outcomes: Outcomes
    log: Log
    _prepared: bool = False
    _unfinished: set[str] = field(default_factory=set)

    async def look(self) -> bool:
        """Reports every acknowledgement that waits. False: what comes later can wait."""
        if not self._prepared:
            await self.far_side.prepare()
            self._prepared = True
        for entry in await self.far_side.acknowledgements():
            await self._report(entry.name)
        return False

    async def _report(self, name: str) -> None:
        try:
            acknowledgement = decode_acknowledgement(await self.far_side.acknowledgement(name))
        except Incomplete:
            if name not in self._unfinished:  # told once; the rest may come at any time, and nothing is lost while it does not
                self._unfinished.add(name)
                self.log.line("acknowledgement_incomplete", file=name)
            return
        except Damaged as error:
            self.log.line("acknowledgement_unreadable", file=name, problem=str(error))
            await self.far_side.put_aside(name, UNREADABLE)
            return
        except Fault as fault:
            if fault.reason is Reason.TOO_LARGE:
                self.log.line("acknowledgement_unreadable", file=name, problem="it is too large")
                await self.far_side.put_aside(name, UNREADABLE)
                return
            raise
        self._unfinished.discard(name)
        unknown = await self._tell(acknowledgement)
        if unknown:
            self.log.line("outcomes_unknown", file=name, count=unknown)
        await self.far_side.put_aside(name, DONE)

    async def _tell(self, acknowledgement: Acknowledgement) -> int:
        """Reports each result, and gives the number of those that belong to no message."""
        verdict = acknowledgement.verdict
        told = [(one.reference, one.outcome, code_of(one.code)) for one in acknowledgement.results]
        if verdict.outcome == REFUSED:
            refused = references(await self.far_side.refused_batch(verdict.batch))
            self.log.line("batch_refused", code=code_of(verdict.code), count=len(refused))
            told += [(reference, REFUSED, BATCH_REFUSED + code_of(verdict.code)) for reference in refused]
        unknown = 0
        for reference, outcome, code in told:
            message_id = _message_id(reference)
            if message_id is None:
                unknown += 1
            elif outcome == ACCEPTED:
                unknown += not await self.outcomes.processed(message_id)
            else:
                unknown += not await self.outcomes.refused(message_id, code)
        return unknown


def _message_id(reference: str) -> str | None:
    try:
        return str(UUID(reference))
    except ValueError:
        return None
