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
from metip.pnc.v1.driver_enquiry_service_pb2 import GetDriverRequest, GetDriverResponse
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, GetPersonResponse, SearchPersonsRequest, SearchPersonsResponse
from metip.pnc.v1.property_enquiry_service_pb2 import SearchPropertyRequest, SearchPropertyResponse
from metip.pnc.v1.settings_pb2 import Settings
from metip.pnc.v1.vehicle_enquiry_service_pb2 import (
    GetVehicleRequest,
    GetVehicleResponse,
    SearchVehiclesRequest,
    SearchVehiclesResponse,
)


class Index:
    """What the servicers share: the host."""

    def __init__(self, pnc: Pnc) -> None:
        self._pnc = pnc


class PersonEnquiries(Index):
    """The names index."""

    interface = "metip.pnc.v1.PersonEnquiryService"

    async def SearchPersons(self, request: SearchPersonsRequest, call: Call) -> SearchPersonsResponse:
        """Searches by name and description."""
        return await self._pnc.enquire("SIMNAM", request, SearchPersonsResponse, call)

    async def GetPerson(self, request: GetPersonRequest, call: Call) -> GetPersonResponse:
        """Gives one person's record by number."""
        return await self._pnc.enquire("SIMNAM", request, GetPersonResponse, call)


class VehicleEnquiries(Index):
    """The vehicles index."""

    interface = "metip.pnc.v1.VehicleEnquiryService"

    async def GetVehicle(self, request: GetVehicleRequest, call: Call) -> GetVehicleResponse:
        """Gives a vehicle by mark or number."""
        return await self._pnc.enquire("SIMVEH", request, GetVehicleResponse, call)

    async def SearchVehicles(self, request: SearchVehiclesRequest, call: Call) -> SearchVehiclesResponse:
        """Searches by what a witness saw."""
        return await self._pnc.enquire("SIMVOD", request, SearchVehiclesResponse, call)


class DriverEnquiries(Index):
    """The drivers index."""

    interface = "metip.pnc.v1.DriverEnquiryService"

    async def GetDriver(self, request: GetDriverRequest, call: Call) -> GetDriverResponse:
        """Gives a driver by number, or those who fit a description."""
        return await self._pnc.enquire("SIMDRV", request, GetDriverResponse, call)


class PropertyEnquiries(Index):
    """The property index."""

    interface = "metip.pnc.v1.PropertyEnquiryService"

    async def SearchProperty(self, request: SearchPropertyRequest, call: Call) -> SearchPropertyResponse:
        """Searches by type and serial number."""
        return await self._pnc.enquire("SIMPRO", request, SearchPropertyResponse, call)


class ArrestSummonses(Index):
    """Cases by arrest/summons number."""

    interface = "metip.pnc.v1.ArrestSummonsService"

    async def GetArrestSummons(self, request: GetArrestSummonsRequest, call: Call) -> GetArrestSummonsResponse:
        """Gives the person, the cases and their offences."""
        return await self._pnc.enquire("ENQASI", request, GetArrestSummonsResponse, call)


class CaseUpdates(Index):
    """What a court did. The host is asked once and never again, whatever comes of it."""

    interface = "metip.pnc.v1.CaseUpdateService"

    async def RecordDisposal(self, request: RecordDisposalRequest, call: Call) -> RecordDisposalResponse:
        """Records findings and disposals of a hearing."""
        return translate.disposal_receipt(await self._pnc.update("DISARR", request, call))

    async def RecordRemand(self, request: RecordRemandRequest, call: Call) -> RecordRemandResponse:
        """Records a remand."""
        return RecordRemandResponse(receipt=translate.receipt(await self._pnc.update("NEWREM", request, call)))

    async def RecordDeferredSentence(self, request: RecordDeferredSentenceRequest, call: Call) -> RecordDeferredSentenceResponse:
        """Records the sentence of a case whose sentence was deferred."""
        return RecordDeferredSentenceResponse(receipt=translate.receipt(await self._pnc.update("SENDEF", request, call)))

    async def RecordVariation(self, request: RecordVariationRequest, call: Call) -> RecordVariationResponse:
        """Records a result that a later appearance varied."""
        return RecordVariationResponse(receipt=translate.receipt(await self._pnc.update("SUBVAR", request, call)))


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers, for the length of the block."""
    async with Pnc.connected(settings, site.log) as pnc:
        enquiries = PersonEnquiries(pnc), VehicleEnquiries(pnc), DriverEnquiries(pnc), PropertyEnquiries(pnc), ArrestSummonses(pnc)
        updates = CaseUpdates(pnc)
        yield *enquiries, updates, Results(enquiries[-1], updates, dict(settings.courts))
