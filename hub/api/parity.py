"""What comparisons of two platforms say, as those who move an interface ask it; decisions are recorded before they are taken."""

from datetime import UTC, datetime
from typing import Any

from grpc_status import rpc_status

from hub.api.actions import Recorder
from hub.api.checking import check
from hub.api.operators import OPERATOR
from hub.api.parity_words import acceptance, day, example, report, verdict
from hub.exchange.accepting import metadata_of
from hub.mesh.inputs import HUB_SYSTEM
from hub.parity import REPLICA, Comparator, Pair
from hub.parity.acceptances import Acceptance
from hub.parity.casework import case_text
from metip.call import CALL_ID_HEADER, OPERATOR_HEADER
from metip.faults import Fault, Reason, status_of
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST
from metip.parity.v1 import parity_service_pb2 as api
from metip.parity.v1.parity_service_pb2_grpc import ParityServiceServicer


class ParityApi(ParityServiceServicer):
    """Answers from the comparator. `record` keeps what operators decide."""

    def __init__(self, comparator: Comparator, record: Recorder) -> None:
        self._comparator, self._record = comparator, record

    async def GetReport(self, request: api.GetReportRequest, context: Any) -> api.GetReportResponse:  # noqa: N802
        """Says how far the platforms agree; see the contract."""
        await check(request, context)
        async with _refusing(context):
            since = _seconds(request, "since")
            judged = self._comparator.judged(request.interface, since)
            if not judged:
                raise Fault(Reason.NO_TRACE, f"nothing of {request.interface} was compared{' since then' if since else ''}")
            made = report(self._comparator.evidence(request.interface, since), [one for one, _ in judged], datetime.now(UTC))
        return api.GetReportResponse(report=made)

    async def GetField(self, request: api.GetFieldRequest, context: Any) -> api.GetFieldResponse:  # noqa: N802
        """Shows one field; see the contract."""
        await check(request, context)
        async with _refusing(context):
            try:
                shown = self._comparator.show(request.operation, request.field, _seconds(request, "since"))
            except KeyError:
                raise self._unknown(request.operation, request.field) from None
        held = set(self._comparator.in_force())
        return api.GetFieldResponse(
            verdict=verdict(shown.verdict),
            examples=[example(signal, one) for signal, one in shown.examples],
            days=[day(start, *counts) for start, counts in sorted(shown.days.items())],
            acceptances=[acceptance(one, in_force=one in held) for one in shown.acceptances],
        )

    async def AcceptDifference(self, request: api.AcceptDifferenceRequest, context: Any) -> api.AcceptDifferenceResponse:  # noqa: N802
        """Accepts how a field differs; see the contract."""
        await check(request, context)
        async with _refusing(context):
            author, now = _operator(context), datetime.now(UTC).timestamp()
            looks = self._comparator.looks(request.operation, request.field)
            if not looks:
                raise self._unknown(request.operation, request.field)
            until = _seconds(request, "until")
            if until and until <= now:
                raise Fault(Reason.INVALID_REQUEST, "until is in the past", fields=(("until", "must be in the future"),))
            what = "whatever differs" if request.however else ", ".join(sorted(f"{kind} {hint}" for kind, hint in looks))
            await self._keep("parity/accept", author, f"{request.operation} {request.field} ({what}): {request.because}")
            covered: frozenset[tuple[str, str]] = frozenset() if request.however else looks
            found = self._comparator.accept(Acceptance(0, request.operation, request.field, covered, request.because, author, now, until))
        return api.AcceptDifferenceResponse(acceptance=acceptance(found, in_force=True))

    async def WithdrawAcceptance(self, request: api.WithdrawAcceptanceRequest, context: Any) -> api.WithdrawAcceptanceResponse:  # noqa: N802
        """Takes an acceptance back; see the contract."""
        await check(request, context)
        async with _refusing(context):
            author = _operator(context)
            held = next((one for one in self._comparator.in_force() if one.number == request.number), None)
            if held is None:
                raise Fault(Reason.NO_TRACE, f"no acceptance {request.number} is in force")
            await self._keep("parity/withdraw", author, f"{request.number}, {held.operation} {held.field}: {request.because}")
            found = self._comparator.withdraw(request.number, author, request.because)
        return api.WithdrawAcceptanceResponse(acceptance=acceptance(found, in_force=False))

    async def ListAcceptances(self, request: api.ListAcceptancesRequest, context: Any) -> api.ListAcceptancesResponse:  # noqa: N802
        """Lists what was compared and accepted; see the contract."""
        held = set(self._comparator.in_force())
        return api.ListAcceptancesResponse(
            operations=self._comparator.operations,
            acceptances=[acceptance(one, in_force=one in held) for one in self._comparator.acceptances],
            failed=sum(self._comparator.failed.values()),
        )

    async def MakeCase(self, request: api.MakeCaseRequest, context: Any) -> api.MakeCaseResponse:  # noqa: N802
        """Makes a case; see the contract."""
        await check(request, context)
        async with _refusing(context):
            author, pair = _operator(context), self._pair(request.operation, request.field)
            await self._keep("parity/case", author, f"{request.operation} {request.field}, call {pair.call_id}")
            answers = self._comparator.answers
            text = case_text(pair, answers.operation(pair.operation), request.field, answers.pool)
        return api.MakeCaseResponse(text=text)

    def _pair(self, operation: str, field: str) -> Pair:
        """The pair to make a case of. Raises `Fault` that says why there is none."""
        found = self._comparator.pair(operation, field)
        if found is not None:
            return found
        origins = self._comparator.origins(operation, field)
        if not self._comparator.looks(operation, field):
            raise self._unknown(operation, field)
        if REPLICA not in origins:
            seen = " and ".join(sorted(origins)) or "unknown"
            raise Fault(Reason.PRECONDITION, f"a case holds made-up people only: the pairs that differed are {seen}, not of a replica")
        raise Fault(Reason.PRECONDITION, "the pair is no longer in memory, and none is kept on disk: let the difference happen again")

    def _unknown(self, operation: str, field: str) -> Fault:
        known = ", ".join(self._comparator.fields(operation)[:20])
        more = f"; these did: {known}" if known else f"; nothing of {operation} did"
        return Fault(Reason.NO_TRACE, f"{field} did not differ{more}")

    async def _keep(self, action: str, author: str, detail: str) -> None:
        """Records a decision. Raises `Fault` JOURNAL, and then nothing is done."""
        await self._record(action, author, PURPOSE_MIGRATION_TEST, detail[:1000])


def _operator(context: Any) -> str:
    """Who decides. Raises `Fault` where the caller does not say it."""
    found = metadata_of(context).get(OPERATOR_HEADER, "")
    if not OPERATOR.fullmatch(found):
        raise Fault(Reason.INVALID_REQUEST, f"who decides is not named in {OPERATOR_HEADER}")
    return found


def _seconds(request: Any, name: str) -> float:
    found: float = getattr(request, name).ToMicroseconds() / 1e6 if request.HasField(name) else 0.0
    return found


class _refusing:  # noqa: N801 - used as a statement
    """What is refused becomes a status."""

    def __init__(self, context: Any) -> None:
        self._context = context

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, Fault):
            call_id = metadata_of(self._context).get(CALL_ID_HEADER, "")
            await self._context.abort_with_status(rpc_status.to_status(status_of(error, system=HUB_SYSTEM, call_id=call_id)))
