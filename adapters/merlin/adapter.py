"""Merlin's reports: found, given, raised and updated."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.kit import Call, Site
from adapters.kit.outcomes import PROCESSED
from adapters.merlin import records, translate
from adapters.merlin.translate import TRANSLATION
from adapters.merlin.upstream import Merlin
from metip.exchange.v1.receipt_pb2 import Receipt
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
from metip.tablet.v1.report_service_pb2 import ForwardReportRequest


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


class TabletReports:
    """Takes those among the reports that officers wrote on tablets which are for Merlin, and came while it could not be reached."""

    interface = "metip.tablet.v1.ReportService"

    def __init__(self, reports: Reports) -> None:
        self._reports = reports

    async def ForwardReport(self, request: ForwardReportRequest, call: Call) -> Receipt:
        """Raises a report under the submission's id; what is for another system is PROCESSED without effect."""
        if request.HasField("safeguarding"):
            raised = RaiseReportRequest.FromString(request.safeguarding.SerializeToString())  # the same fields under the same numbers
            raised.access.CopyFrom(request.access)
            raised.submission_id = request.submission_id
            await self._reports.RaiseReport(raised, call)
        return PROCESSED


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves both interfaces for the length of the block."""
    async with Merlin.connected(settings, site.log) as merlin:
        reports = Reports(merlin)
        yield (reports, TabletReports(reports))
