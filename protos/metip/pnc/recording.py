"""Courts' results on their way onto people's records, by the operations of this contract: the record is read, and told what it lacks."""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from metip.call import Call
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED, Receipt
from metip.faults import Fault, Reason
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.pnc import results
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse
from metip.pnc.v1.case_update_service_pb2 import RecordDeferredSentenceRequest, RecordDisposalRequest, RecordVariationRequest


class Enquiries(Protocol):
    """Who answers by arrest/summons number."""

    def GetArrestSummons(self, request: Any, call: Call) -> Awaitable[GetArrestSummonsResponse]:  # noqa: N802 - the rpc's name
        """What is on file."""


class Updates(Protocol):
    """Who records what a court did."""

    def RecordDisposal(self, request: Any, call: Call) -> Awaitable[Any]:  # noqa: N802 - as above, to the end
        """Findings and disposals."""

    def RecordDeferredSentence(self, request: Any, call: Call) -> Awaitable[Any]:  # noqa: N802
        """A sentence after a deferral."""

    def RecordVariation(self, request: Any, call: Call) -> Awaitable[Any]:  # noqa: N802
        """A result that was varied."""


class Results:
    """Records what courts decided. It comes again as often as need be: what is on file by then is not sent again, so that the enquiry
    before each update settles even one that was in doubt."""

    interface = "metip.libra.v1.ResultService"

    def __init__(self, enquiries: Enquiries, updates: Updates, court_codes: Mapping[str, str]) -> None:
        self._enquiries = enquiries
        self._court_codes = court_codes
        self._record: Mapping[type, Any] = {
            RecordDisposalRequest: updates.RecordDisposal,
            RecordDeferredSentenceRequest: updates.RecordDeferredSentence,
            RecordVariationRequest: updates.RecordVariation,
        }

    async def PublishResult(self, request: PublishResultRequest, call: Call) -> Receipt:  # noqa: N802
        """Records a result. A dummy or unknown number, or another result on file, parks it; a lock makes it come again."""
        try:
            record = await self._enquiries.GetArrestSummons(results.enquiry(request), call)
        except Fault as fault:
            if fault.reason not in (Reason.DUMMY_NUMBER, Reason.NO_TRACE) or results.needs_record(request):
                raise
        else:
            for update in results.updates_for(request, record, self._court_codes):
                await self._record[type(update)](update, call)
        return Receipt(progress=PROGRESS_PROCESSED)
