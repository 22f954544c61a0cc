"""CRIS on the mesh: crime reports searched, given, recorded and changed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.cris import translate
from adapters.cris.upstream import Cris
from adapters.kit.latin import Transcript
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


class CrimeReports:
    """Translates in, asks CRIS, translates out. A `Transcript` keeps what CRIS's character set could not hold, for the reply's warnings."""

    interface = "metip.cris.v1.CrimeReportService"

    def __init__(self, cris: Cris, house: translate.House) -> None:
        self._cris = cris
        self._house = house

    async def SearchCrimeReports(self, request: SearchCrimeReportsRequest, call: Call) -> SearchCrimeReportsResponse:
        """Searches by person, place or time."""
        copy = Transcript()
        by = self._house.requestor(request.access, call.officer, copy)
        found = await self._cris.search(translate.search(request, by, copy), call)
        return translate.summaries(found, copy.warnings)

    async def GetCrimeReport(self, request: GetCrimeReportRequest, call: Call) -> GetCrimeReportResponse:
        """Gives one report."""
        copy = Transcript()
        by = self._house.requestor(request.access, call.officer, copy)
        given = await self._cris.get(translate.get(request, by, copy), call)
        return translate.report(given, copy.warnings)

    async def CreateCrimeReport(self, request: CreateCrimeReportRequest, call: Call) -> CreateCrimeReportResponse:
        """Records a crime, once for each client reference."""
        copy = Transcript()
        by = self._house.requestor(request.access, call.officer, copy)
        done = await self._cris.create(translate.create(request, by, copy), call)
        return translate.created(done, copy.warnings)

    async def AddDetail(self, request: AddDetailRequest, call: Call) -> AddDetailResponse:
        """Adds an entry to the details pages."""
        copy = Transcript()
        by = self._house.requestor(request.access, call.officer, copy)
        done = await self._cris.add_det(translate.add_detail(request, by, copy), call)
        return translate.added(done, copy.warnings)

    async def UpdateCrimeReport(self, request: UpdateCrimeReportRequest, call: Call) -> UpdateCrimeReportResponse:
        """Changes a report that still has the version named."""
        copy = Transcript()
        by = self._house.requestor(request.access, call.officer, copy)
        done = await self._cris.update(translate.update(request, by, copy), call)
        return translate.updated(done, copy.warnings)


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The interface's servicer for the length of the block."""
    house = translate.House(settings.account or translate.ACCOUNT, settings.need_to_know_role or translate.ROLE)
    async with Cris.connected(settings, site.log) as cris:
        yield (CrimeReports(cris, house),)
