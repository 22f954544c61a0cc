"""Courts' results on their way onto people's records: PNC is asked what it has, and told what it lacks."""

from collections.abc import Mapping
from typing import Final

from adapters.kit import Call, Fault, Reason
from adapters.kit.outcomes import PROCESSED
from adapters.pnc import translate
from adapters.pnc.upstream import Pnc
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.pnc.results import enquiry, needs_record, updates_for
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse

FUNCTIONS: Final = {kind: function for function, kind in translate.UPDATES.items()}
"""What an update is, to the function of the host."""


class Results:
    """Records what courts decided. It comes again as often as need be: what is on file by then is not sent again, so that the enquiry
    before each update settles even one that was in doubt."""

    interface = "metip.libra.v1.ResultService"

    def __init__(self, pnc: Pnc, court_codes: Mapping[str, str]) -> None:
        self._pnc = pnc
        self._court_codes = court_codes

    async def PublishResult(self, request: PublishResultRequest, call: Call) -> Receipt:  # noqa: N802 - the rpc's name
        """Records a result. A dummy or unknown number, or another result on file, parks it; a lock makes it come again."""
        try:
            record = await self._pnc.enquire("ENQASI", enquiry(request), GetArrestSummonsResponse, call)
        except Fault as fault:
            if fault.reason in (Reason.DUMMY_NUMBER, Reason.NO_TRACE) and not needs_record(request):
                return PROCESSED
            raise
        for update in updates_for(request, record, self._court_codes):
            await self._pnc.update(FUNCTIONS[type(update)], update, call)
        return PROCESSED
