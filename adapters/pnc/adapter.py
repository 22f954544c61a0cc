"""The Police National Computer on the mesh: people, vehicles, arrests and summonses, and the updates that courts' results make."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.kit import Call, Site
from adapters.pnc import translate
from adapters.pnc.upstream import Pnc
from metip.pnc.recording import Results
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest, GetArrestSummonsResponse
from metip.pnc.v1.case_update_service_pb2 import (
    RecordDeferredSentenceRequest,
    RecordDeferredSentenceResponse,
    RecordDisposalRequest,
    RecordDisposalResponse,
    RecordRemandRequest,
    RecordRemandResponse,
    RecordVariationRequest,
    RecordVariationResponse,
)
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, GetPersonResponse, SearchPersonsRequest, SearchPersonsResponse
from metip.pnc.v1.settings_pb2 import Settings
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest, GetVehicleResponse


class PersonEnquiries:
    """The names index."""

    interface = "metip.pnc.v1.PersonEnquiryService"

    def __init__(self, pnc: Pnc) -> None:
        self._pnc = pnc

    async def SearchPersons(self, request: SearchPersonsRequest, call: Call) -> SearchPersonsResponse:
        """Searches by name and description."""
        key = translate.search(request, call.officer, self._pnc.now().date())
        return translate.candidates(await self._pnc.ask("SIMNAM", key, call), self._pnc.now())

    async def GetPerson(self, request: GetPersonRequest, call: Call) -> GetPersonResponse:
        """Gives one person's record by number."""
        key = translate.by_number(request, call.officer, self._pnc.now().date())
        return translate.person(await self._pnc.ask("SIMNAM", key, call), self._pnc.now())


class VehicleEnquiries:
    """The vehicles index."""

    interface = "metip.pnc.v1.VehicleEnquiryService"

    def __init__(self, pnc: Pnc) -> None:
        self._pnc = pnc

    async def GetVehicle(self, request: GetVehicleRequest, call: Call) -> GetVehicleResponse:
        """Gives a vehicle by mark or number."""
        key = translate.vehicle_key(request, call.officer, self._pnc.now().date())
        return translate.vehicle(await self._pnc.ask("SIMVEH", key, call), self._pnc.now())


class ArrestSummonses:
    """Cases by arrest/summons number."""

    interface = "metip.pnc.v1.ArrestSummonsService"

    def __init__(self, pnc: Pnc) -> None:
        self._pnc = pnc

    async def GetArrestSummons(self, request: GetArrestSummonsRequest, call: Call) -> GetArrestSummonsResponse:
        """Gives the person, the cases and their offences."""
        key = translate.number_key(request)
        return translate.arrest_summons(await self._pnc.ask("ENQASI", key, call), self._pnc.now())


class CaseUpdates:
    """What a court did. The host is asked once and never again, whatever comes of it."""

    interface = "metip.pnc.v1.CaseUpdateService"

    def __init__(self, pnc: Pnc) -> None:
        self._pnc = pnc

    async def RecordDisposal(self, request: RecordDisposalRequest, call: Call) -> RecordDisposalResponse:
        """Records findings and disposals of a hearing."""
        update = translate.disposal(request, self._pnc.update_owner)
        return translate.disposal_receipt(await self._pnc.ask("DISARR", update, call))

    async def RecordRemand(self, request: RecordRemandRequest, call: Call) -> RecordRemandResponse:
        """Records a remand."""
        update = translate.remand(request, self._pnc.update_owner)
        return RecordRemandResponse(receipt=translate.receipt(await self._pnc.ask("NEWREM", update, call)))

    async def RecordDeferredSentence(self, request: RecordDeferredSentenceRequest, call: Call) -> RecordDeferredSentenceResponse:
        """Records the sentence of a case whose sentence was deferred."""
        update = translate.deferred_sentence(request, self._pnc.update_owner)
        return RecordDeferredSentenceResponse(receipt=translate.receipt(await self._pnc.ask("SENDEF", update, call)))

    async def RecordVariation(self, request: RecordVariationRequest, call: Call) -> RecordVariationResponse:
        """Records a result that a later appearance varied."""
        update = translate.variation(request, self._pnc.update_owner)
        return RecordVariationResponse(receipt=translate.receipt(await self._pnc.ask("SUBVAR", update, call)))


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers, for the length of the block."""
    async with Pnc.connected(settings, site.log) as pnc:
        arrests, updates = ArrestSummonses(pnc), CaseUpdates(pnc)
        yield PersonEnquiries(pnc), VehicleEnquiries(pnc), arrests, updates, Results(arrests, updates, dict(settings.courts))
