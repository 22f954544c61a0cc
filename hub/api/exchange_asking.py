"""One request to the exchange by somebody who looks into messages or steers them, through the edge or from the console.

The law: it is recorded before it is answered. Of a call from the console the record names the operator, as Envoy does: it drops that name
from whatever comes through the edge.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self

from hub.api.checking import judge
from hub.api.operators import OPERATOR
from hub.contracts import Contracts
from hub.exchange.accepting import COME_AGAIN, metadata_of, refuse
from hub.exchange.calls import Calls
from hub.exchange.records import ExchangeError, ForbiddenError, FullError, NotAllowedError, UnknownError
from metip.admission import check_purpose
from metip.call import CALL_ID_HEADER, OPERATOR_HEADER, Call, call_from
from metip.faults import Fault, Reason
from metip.journal.records import OK, Facts
from metip.journal.subjects import Subject

SERVICE: Final = "metip.exchange.v1.ExchangeService"


def by_operator(metadata: Mapping[str, str]) -> bool:
    """Whether it comes from the console, which lets in nobody but operators."""
    return OPERATOR.fullmatch(metadata.get(OPERATOR_HEADER, "")) is not None


class Asked:
    """An operator's request: its rules, its purpose, the person behind it; what the engine refuses becomes a status. It is recorded before
    it is answered."""

    def __init__(self, contracts: Contracts, calls: Calls | None, request: Any, context: Any, reason: bool) -> None:
        self._calls, self._request, self._context, self._reason = calls, request, context, reason
        self._metadata, self._began = metadata_of(context), time.perf_counter()
        self._operation = contracts.operations[f"{SERVICE}/{type(request).__name__.removesuffix('Request')}"]
        self._call: Call | None = None
        self.disclosed = 0
        """Records that the answer tells of."""
        self.subjects: Sequence[Subject] = ()
        """Whom or what is asked about, by kind and normal form."""

    @property
    def who(self) -> str:
        """The person behind it, by warrant number."""
        assert self._call is not None, "admitted"
        assert self._call.officer is not None, "admitted"
        return self._call.officer.warrant_number

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of that person."""
        return self._call.officer.roles if self._call is not None and self._call.officer is not None else ()

    async def __aenter__(self) -> Self:
        try:
            self._call = self._admitted()
        except Fault as fault:
            await self._end(fault, refused=True)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            await self._end(None)
        elif isinstance(error, ExchangeError):
            await self._end(fault_of(error))
        elif isinstance(error, Fault):
            await self._end(error)

    def _admitted(self) -> Call:
        operation, access = self._operation, self._request.access
        call = call_from(self._metadata, operation.name, remaining=self._context.time_remaining())
        self._call = replace(call, consumer=self._metadata[OPERATOR_HEADER]) if by_operator(self._metadata) else call
        if call.officer is None:
            raise Fault(Reason.OFFICER_NEEDED, "the operation needs a person behind it")
        judge(self._request)
        check_purpose(access.purpose, operation.purpose_numbers, call)
        if self._reason and not access.justification.strip():
            raise Fault(Reason.JUSTIFICATION_NEEDED, "what a person decides is kept with a reason")
        if self._calls is not None:
            self._calls.check()
        return self._call

    async def _end(self, fault: Fault | None, *, refused: bool = False) -> None:
        """Records how it ended, and refuses it where it did not end well."""
        if self._calls is not None:
            seconds, outcome = time.perf_counter() - self._began, fault.reason.name if fault else OK
            call_id = self._metadata.get(CALL_ID_HEADER, "")
            facts = Facts(
                self._operation,
                self._call,
                self._request,
                outcome,
                seconds,
                0 if fault else self.disclosed,
                self.subjects,
                refused=refused,
                call_id=call_id,
            )
            try:
                await self._calls.record(facts)
            except Fault as unrecorded:
                fault = unrecorded
        if fault is not None:
            await refuse(fault, self._metadata, self._context)


class refusing:  # noqa: N801 - used as a statement
    """What the engine refuses becomes a status."""

    def __init__(self, context: Any) -> None:
        self._context = context

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, ExchangeError):
            await abort(error, self._context)


async def abort(error: ExchangeError, context: Any) -> None:
    await refuse(fault_of(error), metadata_of(context), context)


def fault_of(error: ExchangeError) -> Fault:
    """What an operator is told of what the engine refused."""
    reasons = {
        UnknownError: Reason.NO_TRACE,
        NotAllowedError: Reason.PRECONDITION,
        ForbiddenError: Reason.RESTRICTED,
        FullError: Reason.BUSY,
    }
    reason = reasons.get(type(error), Reason.NOT_KEPT)
    return Fault(reason, str(error), retry_after=COME_AGAIN if reason is Reason.BUSY else None)
