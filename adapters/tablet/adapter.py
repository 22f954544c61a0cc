"""Personal-issue tablets on the mesh: the officer's searches, and the reports that officers write.

The law of a report: an answer means that it is safe. The far system knows the submission's id, and so does the exchange; so the same
submission may come any number of times, and may reach the far system on both ways, and still makes one report.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import grpc

from adapters.kit import Call, Fault, Reason, Site, consult
from adapters.kit.federation import Source, consulted, federate
from adapters.kit.rejections import passed_on, reason
from adapters.kit.site import Mesh
from adapters.tablet import sources, submissions
from metip.connect.v1.location_service_pb2_grpc import LocationServiceStub
from metip.connect.v1.person_service_pb2_grpc import PersonServiceStub
from metip.connect.v1.vehicle_service_pb2_grpc import VehicleServiceStub
from metip.cris.v1.crime_report_service_pb2_grpc import CrimeReportServiceStub
from metip.merlin.v1.report_service_pb2_grpc import ReportServiceStub as MerlinReportServiceStub
from metip.pnc.v1.person_enquiry_service_pb2_grpc import PersonEnquiryServiceStub
from metip.pnc.v1.vehicle_enquiry_service_pb2_grpc import VehicleEnquiryServiceStub
from metip.tablet.v1.officer_search_service_pb2 import (
    AddressMatch,
    PersonMatch,
    SearchAddressesRequest,
    SearchAddressesResponse,
    SearchPersonsRequest,
    SearchPersonsResponse,
    SearchVehiclesRequest,
    SearchVehiclesResponse,
    SourceOutcome,
    VehicleMatch,
)
from metip.tablet.v1.report_service_pb2 import SubmitReportRequest, SubmitReportResponse
from metip.tablet.v1.report_service_pb2_grpc import ReportServiceStub
from metip.tablet.v1.settings_pb2 import Settings

T = TypeVar("T")
RESERVE = 0.15
STALE_AFTER = timedelta(hours=36)
RECORDED_WITHIN = 3.0
KEPT_WITHIN = 2.0
"""Seconds of the caller's time that are kept for the exchange."""
TABLES_BEHIND = 1
REFUSALS = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.NOT_FOUND,
    }
)
"""Statuses with which the system judged the report itself: it would do so again, so the officer is told now."""


class OfficerSearch:
    """Searches several systems for one person, vehicle or address. A source that has no such index is named all the same."""

    interface = "metip.tablet.v1.OfficerSearchService"

    def __init__(self, mesh: Mesh, settings: Settings) -> None:
        self._mesh = mesh
        self._reserve = settings.reserve.ToTimedelta().total_seconds() if settings.HasField("reserve") else RESERVE
        self._stale_after = settings.stale_after.ToTimedelta() if settings.HasField("stale_after") else STALE_AFTER

    async def SearchPersons(self, request: SearchPersonsRequest, call: Call) -> AsyncIterator[SearchPersonsResponse]:
        """Matches of each source as they come, and one status for each."""
        channel: Any = self._mesh.channel()
        asked: Sequence[Source[PersonMatch]] = (
            consulted("pnc", PersonEnquiryServiceStub(channel).SearchPersons, sources.pnc_person, sources.pnc_persons, request, call),
            consulted("cris", CrimeReportServiceStub(channel).SearchCrimeReports, sources.cris_person, sources.cris_persons, request, call),
            consulted(
                "merlin", MerlinReportServiceStub(channel).SearchReports, sources.merlin_person, sources.merlin_persons, request, call
            ),
            consulted("connect", PersonServiceStub(channel).SearchPersons, sources.connect_person, sources.connect_persons, request, call),
        )
        async for outcome, matches in self._ends(asked, call):
            for match in matches:
                yield SearchPersonsResponse(match=match)
            yield SearchPersonsResponse(outcome=outcome)

    async def SearchVehicles(self, request: SearchVehiclesRequest, call: Call) -> AsyncIterator[SearchVehiclesResponse]:
        """The same for a vehicle; Merlin keeps none."""
        channel: Any = self._mesh.channel()
        asked: Sequence[Source[VehicleMatch]] = (
            consulted("pnc", VehicleEnquiryServiceStub(channel).GetVehicle, sources.pnc_vehicle, sources.pnc_vehicles, request, call),
            consulted(
                "cris", CrimeReportServiceStub(channel).SearchCrimeReports, sources.cris_vehicle, sources.cris_vehicles, request, call
            ),
            Source("merlin", None),
            consulted(
                "connect", VehicleServiceStub(channel).SearchVehicles, sources.connect_vehicle, sources.connect_vehicles, request, call
            ),
        )
        async for outcome, matches in self._ends(asked, call):
            for match in matches:
                yield SearchVehiclesResponse(match=match)
            yield SearchVehiclesResponse(outcome=outcome)

    async def SearchAddresses(self, request: SearchAddressesRequest, call: Call) -> AsyncIterator[SearchAddressesResponse]:
        """The same for an address; neither the PNC nor Merlin can be searched by one."""
        channel: Any = self._mesh.channel()
        asked: Sequence[Source[AddressMatch]] = (
            Source("pnc", None),
            consulted(
                "cris", CrimeReportServiceStub(channel).SearchCrimeReports, sources.cris_address, sources.cris_addresses, request, call
            ),
            Source("merlin", None),
            consulted(
                "connect", LocationServiceStub(channel).SearchLocations, sources.connect_address, sources.connect_addresses, request, call
            ),
        )
        async for outcome, matches in self._ends(asked, call):
            for match in matches:
                yield SearchAddressesResponse(match=match)
            yield SearchAddressesResponse(outcome=outcome)

    async def _ends(self, asked: Sequence[Source[T]], call: Call) -> AsyncIterator[tuple[SourceOutcome, Sequence[T]]]:
        async for ended, matches in federate(asked, call, reserve=self._reserve, stale_after=self._stale_after):
            yield sources.outcome(ended), matches


class OfficerReports:
    """Takes reports to the system that each is for."""

    interface = "metip.tablet.v1.OfficerReportService"

    def __init__(self, mesh: Mesh, settings: Settings) -> None:
        self._mesh = mesh
        self._tables = settings.code_tables_version or 1
        self._behind = settings.code_tables_behind if settings.HasField("code_tables_behind") else TABLES_BEHIND
        within = settings.recorded_within
        self._recorded_within = within.ToTimedelta().total_seconds() if settings.HasField("recorded_within") else RECORDED_WITHIN

    async def SubmitReport(self, request: SubmitReportRequest, call: Call) -> SubmitReportResponse:
        """Where the report is, with its reference if it is recorded by now."""
        submissions.check_tables(request.code_tables_version, required=self._tables, behind=self._behind)
        within = min(self._recorded_within, call.remaining - KEPT_WITHIN)
        if within > 0:
            try:
                return await self._recorded(request, call, within)
            except grpc.aio.AioRpcError as error:
                if (error.code() in REFUSALS and reason(error)) or reason(error) == Reason.TOO_LARGE.name:
                    raise passed_on(error, renamed=submissions.field) from None
        return await self._under_way(request, call)

    async def _recorded(self, request: SubmitReportRequest, call: Call, within: float) -> SubmitReportResponse:
        channel: Any = self._mesh.channel()
        if request.HasField("crime"):
            created = await consult(CrimeReportServiceStub(channel).CreateCrimeReport, submissions.crime(request), call, within=within)
            return submissions.recorded_crime(created)
        raised = await consult(MerlinReportServiceStub(channel).RaiseReport, submissions.safeguarding(request), call, within=within)
        return submissions.raised_report(raised)

    async def _under_way(self, request: SubmitReportRequest, call: Call) -> SubmitReportResponse:
        channel: Any = self._mesh.channel()
        try:
            receipt = await consult(ReportServiceStub(channel).ForwardReport, submissions.forwarded(request), call)
        except grpc.aio.AioRpcError as error:
            if error.code() in REFUSALS and reason(error):
                raise passed_on(error) from None
            raise Fault(Reason.NOT_KEPT, "neither the system nor the exchange could take the report") from None
        return submissions.under_way(request, receipt)


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers of this adapter. Raises `Fault` when it was started without a way to the mesh."""
    if site.mesh is None:
        raise Fault(Reason.PRECONDITION, "the adapter consults other interfaces, so it needs --mesh and --identity")
    yield (OfficerSearch(site.mesh, settings), OfficerReports(site.mesh, settings))
