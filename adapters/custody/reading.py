"""Empties the outbox: each export is published and then put aside, or waited for, or put aside with a reason.

The law: an export leaves the outbox after the exchange has its message on disk, never before. A stop between the two publishes the same
message again, which the exchange knows by record number and version. So nothing is remembered here but how long a file has had no end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from adapters.custody import translate
from adapters.custody.records import CustodyRecord
from adapters.custody.upstream import Outbox
from adapters.custody.wire import Damaged, Incomplete, decode, number_of
from adapters.kit import Fault, Log, Reason
from adapters.kit.publishing import Publish, broken_rules
from adapters.kit.sftp import Entry

TOGETHER = 100
"""Exports that are looked at before the first of them is published: among these a record's versions are put into order."""
LARGEST = 65_536
"""Bytes of a message; the contract's own limit."""


@dataclass(frozen=True, slots=True)
class Export:
    """An export that was read."""

    name: str
    record: CustodyRecord


@dataclass
class Reader:
    """Reads the outbox of one custody system."""

    outbox: Outbox
    publish: Publish
    log: Log
    patience: float
    """Seconds in which the rest of a file may come."""
    now: Callable[[], float] = time.monotonic
    _prepared: bool = False
    _unfinished: dict[Entry, float] = field(default_factory=dict)
    """Since when each file without an end has been as it is."""
    _refused: bool = False
    _dealt_with: int = 0

    async def look(self) -> bool:
        """Deals with what waits in the outbox. True when there may be more that can be dealt with at once."""
        if not self._prepared:
            await self.outbox.prepare()
            self._prepared = True
        waiting = await self.outbox.waiting()
        self._unfinished = {entry: since for entry, since in self._unfinished.items() if entry in waiting}
        before = self._dealt_with
        fresh = [entry for entry in waiting if entry not in self._unfinished]
        taken = {*self._unfinished, *fresh[:TOGETHER]}
        exports, held_back = [], set[str]()
        for entry in waiting:
            export = await self._read(entry, held_back) if entry in taken else None
            if export is not None:
                exports.append(export)
        for export in in_order(exports):
            if not await self._publish(export):
                return False
        return len(fresh) > TOGETHER and self._dealt_with > before

    async def _read(self, entry: Entry, held_back: set[str]) -> Export | None:
        """The export, if it can be published. Later ones of a record wait for one whose file has no end yet."""
        try:
            data = await self.outbox.content(entry.name)
        except Fault as fault:
            if fault.reason is Reason.TOO_LARGE:
                await self._reject(entry.name, "too_large")
            elif fault.reason is not Reason.NO_TRACE:  # NSPIS took it back
                raise
            return None
        try:
            record = decode(data)
        except Incomplete:
            since = self._unfinished.setdefault(entry, self.now())
            if self.now() - since >= self.patience:
                await self._reject(entry.name, "incomplete")
            else:
                held_back.add(number_of(data))
        except Damaged as error:
            await self._reject(entry.name, "damaged", str(error))
        else:
            return Export(entry.name, record) if record.number not in held_back else None
        return None

    async def _publish(self, export: Export) -> bool:
        """Publishes it and puts it aside. False when the exchange takes nothing from this adapter."""
        request = translate.request(export.record)
        if request.ByteSize() > LARGEST:  # the exchange would ask for it again and again, as it does when it is busy
            await self._reject(export.name, "too_large")
            return True
        try:
            await self.publish(request)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:  # that lies with the adapter, and would with every export
                if not self._refused:
                    self.log.line("publishing_refused", status=error.code().name)
                self._refused = True
                return False
            await self._reject(export.name, "refused", *broken_rules(error))
        else:
            await self.outbox.accept(export.name)
            self._dealt_with += 1
        self._refused = False
        return True

    async def _reject(self, name: str, code: str, *details: str) -> None:
        await self.outbox.reject(name, "\n".join((code, *details)))
        self._dealt_with += 1
        self.log.line("export_rejected", code=code)


def in_order(exports: list[Export]) -> list[Export]:
    """The exports in the order in which they came, but for versions of one record: those take their places by version."""
    by_record: dict[str, list[Export]] = {}
    for export in exports:
        by_record.setdefault(export.record.number, []).append(export)
    ascending = {number: iter(sorted(found, key=lambda one: one.record.version)) for number, found in by_record.items()}
    return [next(ascending[export.record.number]) for export in exports]
