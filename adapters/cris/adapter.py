"""CRIS on the mesh: crime reports searched, given, recorded and changed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from adapters.cris import records, translate
from adapters.cris.upstream import Cris
from adapters.kit.latin import Transcript
from adapters.kit.outcomes import PROCESSED
from adapters.kit.site import Site
from metip.call import Call
from metip.cris.v1.crime_report_service_pb2 import (
    AddDetailRequest,
    AddDetailResponse,
    CreateCrimeReportRequest,
    CreateCrimeReportResponse,
    GetCrimeReportRequest,
    GetCrimeReportResponse,
    SearchCrimeReportsRequest,
    SearchCrimeReportsResponse,
    UpdateCrimeReportRequest,
    UpdateCrimeReportResponse,
)
from metip.cris.v1.settings_pb2 import Settings
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.tablet.v1.report_service_pb2 import ForwardReportRequest

R = TypeVar("R")


class CrimeReports:
    """Translates in, asks CRIS, translates out. A `Transcript` keeps what CRIS's character set could not hold, for the reply's warnings."""

    interface = "metip.cris.v1.CrimeReportService"

    def __init__(self, cris: Cris, house: translate.House) -> None:
        self._cris = cris
        self._house = house

    async def SearchCrimeReports(self, request: SearchCrimeReportsRequest, call: Call) -> SearchCrimeReportsResponse:
        """Searches by person, place or time."""
        asked, copy = self._asked(request, records.Search, call)
        return translate.answer(await self._cris.search(asked, call), SearchCrimeReportsResponse, copy.warnings)

    async def GetCrimeReport(self, request: GetCrimeReportRequest, call: Call) -> GetCrimeReportResponse:
        """Gives one report."""
        asked, copy = self._asked(request, records.Get, call)
        return translate.answer(await self._cris.get(asked, call), GetCrimeReportResponse, copy.warnings)

    async def CreateCrimeReport(self, request: CreateCrimeReportRequest, call: Call) -> CreateCrimeReportResponse:
        """Records a crime, once for each client reference."""
        asked, copy = self._asked(request, records.Create, call)
        return translate.answer(await self._cris.create(asked, call), CreateCrimeReportResponse, copy.warnings)

    async def AddDetail(self, request: AddDetailRequest, call: Call) -> AddDetailResponse:
        """Adds an entry to the details pages."""
        asked, copy = self._asked(request, records.AddDet, call)
        return translate.answer(await self._cris.add_det(asked, call), AddDetailResponse, copy.warnings)

    async def UpdateCrimeReport(self, request: UpdateCrimeReportRequest, call: Call) -> UpdateCrimeReportResponse:
        """Changes a report that still has the version named."""
        asked, copy = self._asked(request, records.Update, call)
        return translate.answer(await self._cris.update(asked, call), UpdateCrimeReportResponse, copy.warnings)

    def _asked(self, request: Any, kind: type[R], call: Call) -> tuple[R, Transcript]:
        copy = Transcript()
        return translate.question(request, kind, self._house.requestor(request.access, call.officer, copy), copy), copy


class TabletReports:
    """Takes the crimes among the reports that officers wrote on tablets while CRIS could not be reached."""

    interface = "metip.tablet.v1.ReportService"

    def __init__(self, reports: CrimeReports) -> None:
        self._reports = reports

    async def ForwardReport(self, request: ForwardReportRequest, call: Call) -> Receipt:
        """Records a crime under the submission's id; what is for another system is PROCESSED without effect."""
        if request.HasField("crime"):
            create = CreateCrimeReportRequest(access=request.access, client_reference=request.submission_id, sheet=request.crime)
            await self._reports.CreateCrimeReport(create, call)
        return PROCESSED


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers for the length of the block."""
    house = translate.House(settings.account or translate.ACCOUNT, settings.need_to_know_role or translate.ROLE)
    async with Cris.connected(settings, site.log) as cris:
        reports = CrimeReports(cris, house)
        yield (reports, TabletReports(reports))
