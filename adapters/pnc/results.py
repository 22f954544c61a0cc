"""Courts' results on their way onto people's records: PNC is asked what it has, and told what it lacks."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.kit import Call, Fault, Reason
from adapters.kit.outcomes import PROCESSED
from adapters.pnc import translate
from adapters.pnc.upstream import Pnc
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.pnc.v1.case_update_service_pb2 import RecordDeferredSentenceRequest, RecordDisposalRequest, RecordVariationRequest

# What an update is -> function of the host, and what writes its segments.
FUNCTIONS: Final[Mapping[type, tuple[str, Any]]] = {
    RecordDisposalRequest: ("DISARR", translate.disposal),
    RecordDeferredSentenceRequest: ("SENDEF", translate.deferred_sentence),
    RecordVariationRequest: ("SUBVAR", translate.variation),
}


class Results:
    """Records what courts decided. It comes again as often as need be: what is on file by then is not sent again, so that the enquiry
    before each update settles even one that was in doubt."""

    interface = "metip.libra.v1.ResultService"

    def __init__(self, pnc: Pnc, court_codes: Mapping[str, str]) -> None:
        self._pnc = pnc
        self._court_codes = court_codes

    async def PublishResult(self, request: PublishResultRequest, call: Call) -> Receipt:  # noqa: N802 - the rpc's name
        """Records a result. A dummy or unknown number, or another result on file, parks it; a lock makes it come again."""
        needed = translate.needs_record(request)
        try:
            key = translate.number_key(translate.enquiry(request))
            record = translate.arrest_summons(await self._pnc.ask("ENQASI", key, call), self._pnc.now())
        except Fault as fault:
            if fault.reason in (Reason.DUMMY_NUMBER, Reason.NO_TRACE) and not needed:
                return PROCESSED
            raise
        for update in translate.updates_for(request, record, self._court_codes):
            function, segments = FUNCTIONS[type(update)]
            await self._pnc.ask(function, segments(update, self._pnc.update_owner), call)
        return PROCESSED
