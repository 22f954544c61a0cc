"""Merlin's reports: found, given, raised and updated."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.kit import Call, Site
from adapters.merlin import records, translate
from adapters.merlin.translate import TRANSLATION
from adapters.merlin.upstream import Merlin
from metip.merlin.v1.report_service_pb2 import (
    GetReportRequest,
    GetReportResponse,
    RaiseReportRequest,
    RaiseReportResponse,
    SearchReportsRequest,
    SearchReportsResponse,
    UpdateReportRequest,
    UpdateReportResponse,
)
from metip.merlin.v1.settings_pb2 import Settings


class Reports:
    """Missing persons, and children and adults who come to notice."""

    interface = "metip.merlin.v1.ReportService"

    def __init__(self, merlin: Merlin) -> None:
        self._merlin = merlin

    async def SearchReports(self, request: SearchReportsRequest, call: Call) -> SearchReportsResponse:
        """Finds the reports in which a person has a part."""
        criteria = TRANSLATION.record(request, records.Find)
        found = await self._merlin.find(criteria, translate.asker(request.access, call), call)
        return TRANSLATION.message(found, SearchReportsResponse)

    async def GetReport(self, request: GetReportRequest, call: Call) -> GetReportResponse:
        """Gives one report in full."""
        fetched = await self._merlin.fetch(request.merlin_reference.value, translate.asker(request.access, call), call)
        return TRANSLATION.message(fetched, GetReportResponse)

    async def RaiseReport(self, request: RaiseReportRequest, call: Call) -> RaiseReportResponse:
        """Raises a report, once for each submission id."""
        raised = await self._merlin.submit(translate.submission(request), translate.asker(request.access, call), call)
        return TRANSLATION.message(raised, RaiseReportResponse)

    async def UpdateReport(self, request: UpdateReportRequest, call: Call) -> UpdateReportResponse:
        """Takes a report a step further, or assesses its risk."""
        change = TRANSLATION.record(request, records.Amend)
        amended = await self._merlin.amend(change, translate.asker(request.access, call), call)
        return TRANSLATION.message(amended, UpdateReportResponse)


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves the interface for the length of the block."""
    async with Merlin.connected(settings, site.log) as merlin:
        yield (Reports(merlin),)
