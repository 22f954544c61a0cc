"""The officer's search: asks every source at once, streams what each says, and ends with how each ended."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from adapters.kit import Call, Fault, Reason, Site, consult
from adapters.kit.federation import Answer, Ended, Source, Status, federate
from adapters.kit.site import Mesh
from adapters.tablet import sources
from metip.cris.v1.crime_report_service_pb2_grpc import CrimeReportServiceStub
from metip.merlin.v1.report_service_pb2_grpc import ReportServiceStub
from metip.pnc.v1.person_enquiry_service_pb2_grpc import PersonEnquiryServiceStub
from metip.tablet.v1 import officer_search_service_pb2 as api
from metip.tablet.v1.officer_search_service_pb2 import PersonMatch, SearchPersonsRequest, SearchPersonsResponse
from metip.tablet.v1.settings_pb2 import Settings

if TYPE_CHECKING:  # the generated modules have these for the type checker only
    from metip.cris.v1.crime_report_service_pb2_grpc import CrimeReportServiceAsyncStub
    from metip.merlin.v1.report_service_pb2_grpc import ReportServiceAsyncStub
    from metip.pnc.v1.person_enquiry_service_pb2_grpc import PersonEnquiryServiceAsyncStub

RESERVE = 0.15
STALE_AFTER = timedelta(hours=36)
STATUS = {
    Status.ANSWERED: api.SOURCE_STATUS_ANSWERED,
    Status.NO_TRACE: api.SOURCE_STATUS_NO_TRACE,
    Status.TIMED_OUT: api.SOURCE_STATUS_TIMED_OUT,
    Status.REFUSED: api.SOURCE_STATUS_REFUSED,
    Status.UNAVAILABLE: api.SOURCE_STATUS_UNAVAILABLE,
    Status.STALE: api.SOURCE_STATUS_STALE,
}


class OfficerSearch:
    """Searches several systems for one person."""

    interface = "metip.tablet.v1.OfficerSearchService"

    def __init__(self, mesh: Mesh, settings: Settings) -> None:
        self._mesh = mesh
        self._reserve = settings.reserve.ToTimedelta().total_seconds() if settings.HasField("reserve") else RESERVE
        self._stale_after = settings.stale_after.ToTimedelta() if settings.HasField("stale_after") else STALE_AFTER

    async def SearchPersons(self, request: SearchPersonsRequest, call: Call) -> AsyncIterator[SearchPersonsResponse]:
        """Matches of each source as they come, and one status for each."""
        async for ended, matches in federate(self._sources(request, call), call, reserve=self._reserve, stale_after=self._stale_after):
            for match in matches:
                yield SearchPersonsResponse(match=match)
            yield SearchPersonsResponse(outcome=_outcome(ended))

    def _sources(self, asked: SearchPersonsRequest, call: Call) -> Sequence[Source[PersonMatch]]:
        channel = self._mesh.channel()
        names: PersonEnquiryServiceAsyncStub = PersonEnquiryServiceStub(channel)
        crimes: CrimeReportServiceAsyncStub = CrimeReportServiceStub(channel)
        reports: ReportServiceAsyncStub = ReportServiceStub(channel)

        async def pnc(within: float) -> Answer[PersonMatch]:
            return sources.pnc_answer(await consult(names.SearchPersons, sources.pnc_request(asked), call, within=within))

        async def cris(within: float) -> Answer[PersonMatch]:
            return sources.cris_answer(await consult(crimes.SearchCrimeReports, sources.cris_request(asked), call, within=within))

        async def merlin(within: float) -> Answer[PersonMatch]:
            return sources.merlin_answer(await consult(reports.SearchReports, sources.merlin_request(asked), call, within=within))

        return (Source("pnc", pnc), Source("cris", cris), Source("merlin", merlin))


def _outcome(ended: Ended) -> api.SourceOutcome:
    outcome = api.SourceOutcome(
        source=ended.source,
        status=STATUS[ended.status],
        matches=ended.matches,
        explanation=ended.explanation,
        elapsed=Duration(seconds=int(ended.elapsed), nanos=int(ended.elapsed % 1 * 1e9)),
        truncated=ended.truncated,
    )
    if ended.as_of is not None:
        outcome.as_of.FromDatetime(ended.as_of)
    return outcome


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers of this adapter. Raises `Fault` when it was started without a way to the mesh."""
    if site.mesh is None:
        raise Fault(Reason.PRECONDITION, "the adapter consults other interfaces, so it needs --mesh and --identity")
    yield (OfficerSearch(site.mesh, settings),)
