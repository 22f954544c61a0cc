"""Deals with what the partner puts: progress is published, receipts are reported, statements are compared with what became of each file.

The law: a file leaves `from_partner` after its receipt is put, and that after the exchange has every message of it or the row was rejected.
A stop in between does it again, which the exchange knows by learner and sequence; so nothing needs remembering.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import grpc

from adapters.kit import Fault, Log, Reason
from adapters.kit.drops import Inbox, Latest
from adapters.kit.outcomes import Outcomes, code_of
from adapters.kit.publishing import broken_rules
from adapters.peqf import translate, wire
from adapters.peqf.records import Enrolled, Enrolment, Finding, Progress
from adapters.peqf.upstream import DONE, IN, OUT, REFUSED, SENT, Partner
from adapters.peqf.wire import CSV, Manifest, Rejection
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.peqf.v1.progress_service_pb2 import PublishProgressRequest

LONDON = ZoneInfo("Europe/London")


@dataclass
class Reader:
    """Reads what one learning partner puts; `publish` hands a message over until there is a receipt, `patience` is in seconds."""

    partner: Partner
    roster: Latest[Enrolled]
    publish: Callable[[PublishProgressRequest], Awaitable[Receipt]]
    outcomes: Outcomes
    log: Log
    patience: float
    today: Callable[[], date] = lambda: datetime.now(LONDON).date()
    _reported: date | None = None

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.partner, IN, DONE, REFUSED, self._refuse, self.patience, self.log)

    async def look(self) -> bool:
        """Deals with all that waits: receipts, which need no roster, first. Rosters stay. False: what comes later can wait."""
        if self._reported is None:
            await self.partner.prepare(SENT, DONE, REFUSED)
        await self.inbox.look({wire.RECEIPT: self._receipt, wire.PROGRESS: self._progress, wire.STATEMENT: self._statement})
        yesterday = self.today() - timedelta(days=1)
        if self._reported != yesterday and self.partner.report_of(f"{yesterday:%Y%m%d}") not in await self.partner.names(OUT):
            await self._report(f"{yesterday:%Y%m%d}", [])
        self._reported = yesterday
        return False

    async def _progress(self, name: str, manifest: Manifest, data: bytes) -> None:
        held = await self.roster.current()
        learners, left = {one.learner_id: one for one in held.rows.values()}, dict[str, date]()
        rows, rejected = wire.decode(data, Progress)
        counts: Any = Counter()
        for number, row in rows.items():
            problem = next(translate.problems(row, learners, left), None)
            problem = problem or await self._publish(translate.progress(row, manifest.code_set), counts)
            if problem:
                rejected.append(Rejection(row=number, column=problem[0], code=problem[1]))
            elif row.kind == translate.WITHDRAWAL:
                left[row.learner_id] = row.recorded
        await self.partner.tell(wire.RECEIPT + name, sorted(rejected, key=lambda one: one.row), Rejection)
        counts["rejected"] = len(rejected)
        await self.partner.tally(Finding(file=name + CSV, rows=manifest.rows, **counts))
        self.log.line("file_read", file=name, rows=manifest.rows, rejected=len(rejected), repeated=counts["repeated"])
        if counts["unknown_codes"]:
            self.log.line("codes_unknown", file=name, code_set=manifest.code_set, count=counts["unknown_codes"])

    async def _publish(self, request: PublishProgressRequest, counts: Counter[str]) -> tuple[str, str] | None:
        """Column and code of what the exchange refuses by the contract."""
        try:
            receipt = await self.publish(request)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                return translate.column(next(iter(broken_rules(error)), "")), "RULE"
            self.log.line("publishing_refused", status=error.code().name)  # that lies with the adapter, and would with every row
            raise Fault(Reason.UPSTREAM_REFUSED, "the exchange takes nothing from this adapter") from None
        counts["repeated" if receipt.duplicate_of else "accepted"] += 1
        counts["unknown_codes"] += len(request.issues)
        return None

    async def _receipt(self, name: str, manifest: Manifest, data: bytes) -> None:
        """Reports what became of each enrolment in a file of ours."""
        sent = name.removeprefix(wire.RECEIPT) + CSV
        rejected = {one.row: code_of(f"{one.column}_{one.code}".strip("_")) for one in wire.decode_all(data, Rejection)}
        try:
            enrolments = wire.decode_all(await self.partner.read(SENT, sent), Enrolment)
        except Fault as fault:
            if fault.reason is not Reason.NO_TRACE:
                raise
            raise wire.Damaged("FILE_UNKNOWN") from None
        counts: Any = Counter()
        unknown = 0
        for number, row in enumerate(enrolments, start=1):
            code = rejected.get(number) or rejected.get(0)
            counts["rejected" if code else "accepted"] += 1
            unknown += not await (self.outcomes.refused(row.reference, code) if code else self.outcomes.processed(row.reference))
        await self.partner.tally(Finding(file=sent, rows=len(enrolments), **counts))
        self.log.line("receipt_read", file=name, rows=manifest.rows, rejected=counts["rejected"], unknown=unknown)

    async def _statement(self, name: str, manifest: Manifest, data: bytes) -> None:
        await self._report(wire.day_of(name), wire.decode_all(data, Finding))

    async def _report(self, day: str, stated: list[Finding]) -> None:
        """Puts the report of a day: each file that either side knows, and where the two differ."""
        ours, theirs = await self.partner.tallies(day), {one.file: one.rows for one in stated}
        report = [_compared(file, ours.get(file), theirs.get(file)) for file in sorted({*ours, *theirs})]
        await self.partner.tell(self.partner.report_of(day), report, Finding)
        self.log.line("reconciled", day=day, files=len(report), differences=sum(bool(one.difference) for one in report))

    async def _refuse(self, name: str, code: str) -> None:
        """Says so in a receipt; nobody answers a receipt."""
        if not name.startswith(wire.RECEIPT):
            await self.partner.tell(wire.RECEIPT + name, [Rejection(row=0, code=code)], Rejection)
            await self.partner.tally(Finding(file=name + CSV, difference=code))


def _compared(file: str, ours: Finding | None, stated: int | None) -> Finding:
    if ours is None:
        return Finding(file=file, stated=stated, difference="NOT_RECEIVED")
    differs = "NOT_STATED" if stated is None else "ROWS_DIFFER" if ours.rows not in (None, stated) else ""
    return replace(ours, stated=stated, difference=ours.difference or differs)
