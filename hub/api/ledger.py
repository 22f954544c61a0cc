"""The ledger, as those who answer for access ask it: each question is answered only after it was itself recorded."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

from grpc_status import rpc_status

from hub.api.ledger_asking import SYSTEM, Asked, Asking
from hub.api.ledger_words import erasure, journal, reconciliation, seal, use, witness
from hub.contracts import Contracts
from hub.ledger import edge, questions, searching, signing
from hub.ledger.actions import KEEPER, UNMASK, Identify, Recorder
from hub.ledger.exporting import ProvedLeaf, bundle
from hub.ledger.faults import UnreadyLedgerError
from hub.ledger.questions import QuestionError
from hub.ledger.readers import View
from hub.ledger.reporting import Shown, UnknownRecordError, uses
from hub.ledger.running import Ledger
from hub.ledger.searching import Place, Wanted
from hub.ledger.watching import Watching
from metip.faults import Fault, Reason, status_of
from metip.journal.keys import INDEX, SEALING
from metip.ledger.v1 import ledger_service_pb2 as api
from metip.ledger.v1 import query_pb2
from metip.ledger.v1.ledger_service_pb2_grpc import LedgerServiceServicer

T = TypeVar("T")
PAGE: Final = 100
MOST_MISSING: Final = 100
MOST_REPORTED: Final = 10_000
KEYS: Final = {api.LEDGER_KEY_INDEX: INDEX, api.LEDGER_KEY_SEALING: SEALING, api.LEDGER_KEY_SIGNING: signing.FOLDER}


class LedgerApi(LedgerServiceServicer):
    """Answers from the ledger. `record` keeps what operators do; `identify` reads officer tokens."""

    def __init__(
        self, ledger: Ledger, contracts: Contracts, record: Recorder, identify: Identify, watching: Watching | None = None
    ) -> None:
        self._ledger, self._watching = ledger, watching
        self._asking = Asking(contracts, record, identify)

    async def SearchRecords(self, request: api.SearchRecordsRequest, context: Any) -> api.SearchRecordsResponse:  # noqa: N802
        """Lists what a query finds; see the contract."""
        async with self._asking.asked("ledger/search", request, context) as asked:
            wanted = self._wanted(asked, request.query)
            size, after = request.page_size or PAGE, _after(request.page_token)

            def work(view: View) -> tuple[list[Place], list[query_pb2.Line]]:
                found = view.find(wanted, size + 1, after)
                return found, view.records.lines(idx for _, idx in found[:size])

            found, lines = await self._read(work)
            token = searching.written(found[size - 1]) if len(found) > size else ""
            await asked.record(disclosed=len(lines))
        return api.SearchRecordsResponse(lines=lines, next_page_token=token)

    async def GetRecord(self, request: api.GetRecordRequest, context: Any) -> api.GetRecordResponse:  # noqa: N802
        """Gives one record; see the contract."""
        async with self._asking.asked("ledger/show", request, context, *_unmasking(request)) as asked:
            asked.says(f"record {request.index}{', unmasked' if request.unmask else ''}")
            shown = await self._shown((request.index,), unmask=request.unmask)
            await asked.record(disclosed=1)
        return api.GetRecordResponse(line=shown[0].line, particulars=shown[0].particulars)

    async def GetStatus(self, request: api.GetStatusRequest, context: Any) -> api.GetStatusResponse:  # noqa: N802
        """Says how the ledger is; see the contract."""

        def work(view: View) -> api.GetStatusResponse:
            head, cosigned = view.tree.head(), view.tree.cosigned()
            row = view.db.execute(
                "SELECT (SELECT count(*) FROM facts WHERE opened = 0),"
                " (SELECT count(*) FROM facts WHERE key IN (SELECT number FROM keys WHERE wrapped IS NULL))"
            ).fetchone()
            assert row is not None, "counts have a row"
            return api.GetStatusResponse(
                size=head.size, checkpoint=head.note, cosigned=cosigned.cosigned if cosigned else "", unopened=row[0], erased=row[1]
            )

        try:
            found = await self._read(work)
            without = [] if self._watching is None else await self._read(lambda view: edge.missing(view.db, limit=MOST_MISSING))
        except Fault as fault:
            await context.abort_with_status(rpc_status.to_status(status_of(fault, system=SYSTEM, call_id="")))
            raise
        found.journals.extend(journal(one) for _, one in sorted(self._ledger.gathering.states.items()))
        if self._watching is not None:
            found.reconciliation.CopyFrom(reconciliation(self._watching.counts, without))
        if self._ledger.cosigning is not None:
            found.witness.CopyFrom(witness(self._ledger.cosigning.state))
        found.index_keys.extend(sorted({one.key for one in self._ledger.keys.tokens("officer", "")}))
        return found

    async def ReportAccess(self, request: api.ReportAccessRequest, context: Any) -> api.ReportAccessResponse:  # noqa: N802
        """Tells who consulted what on a subject; see the contract."""
        async with self._asking.asked("ledger/report-access", request, context, *_unmasking(request)) as asked:
            if not request.query.subjects:
                raise Fault(Reason.INVALID_REQUEST, "a report on access is on somebody", fields=(("query.subjects", "must name one"),))
            wanted = self._wanted(asked, request.query)
            asked.says(", with the persons behind it" if request.unmask else "")

            def work(view: View) -> tuple[bool, list[Shown]]:
                found = view.find(wanted, MOST_REPORTED + 1)
                shown = [view.records.show(idx, unmask=request.unmask) for _, idx in found[:MOST_REPORTED]]
                return len(found) > MOST_REPORTED, shown[::-1]

            more, shown = await self._read(work)
            await asked.record(disclosed=len(shown))
        accesses = [api.Access(line=one.line, particulars=one.particulars) for one in shown]
        return api.ReportAccessResponse(accesses=accesses, more=more)

    async def SummariseUse(self, request: api.SummariseUseRequest, context: Any) -> api.SummariseUseResponse:  # noqa: N802
        """Counts use; see the contract."""
        async with self._asking.asked("ledger/summarise", request, context) as asked:
            asked.says(f"interface {request.interface or 'all'}")
            since = getattr(request, "from").ToMilliseconds() if request.HasField("from") else None
            before = request.before.ToMilliseconds() if request.HasField("before") else None
            found = await self._read(lambda view: uses(view.db, request.interface, since, before))
            await asked.record()
        return api.SummariseUseResponse(uses=map(use, found))

    async def ExportRecords(self, request: api.ExportRecordsRequest, context: Any) -> AsyncIterator[api.ExportRecordsResponse]:  # noqa: N802
        """Hands leaves out with their proofs; see the contract."""
        async with self._asking.asked("ledger/export", request, context, KEEPER, *_unmasking(request)) as asked:
            wanted = self._wanted(asked, request.query) if request.HasField("query") else None
            if wanted in (None, Wanted()) and not request.indexes:
                raise Fault(Reason.INVALID_REQUEST, "an export of everything is a backup, not a bundle for a case")
            asked.says(f", {len(request.indexes)} by place{', unmasked' if request.unmask else ''}")

            def work(view: View) -> Any:
                indexes = set(request.indexes)
                if wanted not in (None, Wanted()):
                    found = view.find(wanted, MOST_REPORTED + 1)
                    indexes |= {idx for _, idx in found}
                if len(indexes) > MOST_REPORTED:
                    raise Fault(Reason.INVALID_REQUEST, f"a bundle has at most {MOST_REPORTED} records; ask for a shorter time")
                return bundle(view.tree, view.records, indexes, self._ledger.signer, unmask=request.unmask)

            made = await self._read(work)
            await asked.record(disclosed=len(made.leaves))
        yield api.ExportRecordsResponse(seal=seal(made, self._ledger.verifier_keys(), datetime.now(UTC)))
        for leaf in made.leaves:
            yield api.ExportRecordsResponse(leaf=_leaf(leaf))
        yield api.ExportRecordsResponse(signature=made.signature)

    async def EraseRecords(self, request: api.EraseRecordsRequest, context: Any) -> api.EraseRecordsResponse:  # noqa: N802
        """Erases what may be erased; see the contract."""
        async with self._asking.asked("ledger/erase", request, context, *(() if request.dry_run else (KEEPER,))) as asked:
            before, today = request.before.ToDatetime(tzinfo=UTC).date(), _today()
            retention = self._ledger.retention()
            due = await self._read(lambda view: self._ledger.due(view.db, retention, before, today))
            asked.says(f"before {before}, {len(due)} months of interfaces, {sum(one.records for one in due)} records")
            if request.dry_run:
                asked.says(", dry run")
                await asked.record()
                return api.EraseRecordsResponse(erasures=map(erasure, due))
            await asked.record()  # before it is done: what is erased without a record could not be accounted for
            try:
                done, left = await self._ledger.erase(due)
            except UnreadyLedgerError as error:
                raise Fault(Reason.UPSTREAM_UNAVAILABLE, str(error)) from None
        return api.EraseRecordsResponse(erasures=map(erasure, done), left_in_journals=left)

    async def RotateKey(self, request: api.RotateKeyRequest, context: Any) -> api.RotateKeyResponse:  # noqa: N802
        """Puts a new key in use; see the contract."""
        async with self._asking.asked("ledger/rotate-key", request, context, KEEPER) as asked:
            asked.says(KEYS[request.key])
            await asked.record()
            number, verifier_key = await self._ledger.rotate(KEYS[request.key])
        return api.RotateKeyResponse(number=number, verifier_key=verifier_key)

    async def _read(self, work: Callable[[View], T]) -> T:
        """What is read on a thread. Raises `Fault` where the ledger's server does not answer."""
        try:
            return await self._ledger.readers.ask(work)
        except UnreadyLedgerError as error:
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, str(error)) from None

    def _wanted(self, asked: Asked, query: query_pb2.Query) -> Wanted:
        try:
            found = questions.wanted(query, self._ledger.keys)
            asked.about(questions.described(query), questions.asked_tokens(query, self._ledger.keys))
        except QuestionError as error:
            raise Fault(Reason.INVALID_REQUEST, str(error)) from None
        return found

    async def _shown(self, indexes: Sequence[int], *, unmask: bool) -> list[Shown]:
        try:
            return await self._read(lambda view: [view.records.show(one, unmask=unmask) for one in indexes])
        except UnknownRecordError as error:
            raise Fault(Reason.NO_TRACE, str(error)) from None


def _unmasking(request: Any) -> tuple[str, ...]:
    return (UNMASK,) if request.unmask else ()


def _after(token: str) -> Place:
    try:
        return searching.read(token)
    except ValueError as error:
        raise Fault(Reason.INVALID_REQUEST, str(error), fields=(("page_token", "is not of this ledger"),)) from None


def _leaf(one: ProvedLeaf) -> api.ProvedLeaf:
    return api.ProvedLeaf(index=one.index, leaf=one.leaf, proof=one.proof, particulars=one.particulars)


def _today() -> date:
    return datetime.now(UTC).date()
