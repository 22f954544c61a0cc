"""Composes views: asks every source of one at once, and gives each a section that says how it ended.

The law: a record that the officer may not see reads as one that does not exist, in status, number, order and time stamps alike; and a
source that is down takes nothing from the others.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from adapters.iportal import sources
from adapters.iportal.sources import Row
from adapters.kit import Call, Fault, Reason, Site
from adapters.kit.federation import Answer, Ended, Source, Status, consulted, federate
from adapters.kit.rejections import reason
from adapters.kit.site import Mesh
from adapters.kit.times import seconds
from adapters.kit.values import timestamp
from metip.iportal.v1 import view_pb2 as view
from metip.iportal.v1.portal_service_pb2 import (
    ComposeAddressViewRequest,
    ComposeAddressViewResponse,
    ComposeIncidentViewRequest,
    ComposeIncidentViewResponse,
    ComposePersonViewRequest,
    ComposePersonViewResponse,
    GetStatusRequest,
    GetStatusResponse,
    PersonDescription,
    SourceState,
)
from metip.iportal.v1.settings_pb2 import Settings
from metip.iportal.v1.view_pb2 import Entry, Section

RESERVE, STALE_AFTER, PATIENCE = 0.15, 36 * 3600.0, 8.0
STATUS = {
    Status.ANSWERED: view.SECTION_STATUS_ANSWERED,
    Status.NO_TRACE: view.SECTION_STATUS_NOTHING_TO_SHOW,
    Status.TIMED_OUT: view.SECTION_STATUS_TIMED_OUT,
    Status.REFUSED: view.SECTION_STATUS_REFUSED,
    Status.UNAVAILABLE: view.SECTION_STATUS_UNAVAILABLE,
    Status.STALE: view.SECTION_STATUS_STALE,
    Status.NOT_SEARCHABLE: view.SECTION_STATUS_NOT_ASKED,
}
SPOKE = frozenset({Status.ANSWERED, Status.NO_TRACE, Status.REFUSED, Status.STALE})
"""Statuses of a source that is there."""
GIVEN_NAMES = 53


class Portal:
    """Composes views, and remembers how each source was."""

    interface = "metip.iportal.v1.PortalService"

    def __init__(self, mesh: Mesh, settings: Settings) -> None:
        self._mesh = mesh
        self._reserve = seconds(settings, "reserve", RESERVE)
        self._stale_after = timedelta(seconds=seconds(settings, "stale_after", STALE_AFTER))
        self._patience = seconds(settings, "patience", PATIENCE)
        self._states = {name: SourceState(source=name) for name in sources.SOURCES}

    async def ComposePersonView(self, request: ComposePersonViewRequest, call: Call) -> ComposePersonViewResponse:
        """By number, those that have it are asked first, for at most half of the time: the others know the name only."""
        if not request.HasField("pnc_id"):
            sections = await self._ask((sources.PNC_NAMES, sources.CONNECT, *sources.PERSON), request, call)
        else:
            half = min(self._patience, max(0.0, call.remaining - self._reserve) / 2)
            sections = await self._ask((sources.PNC_RECORD, sources.CONNECT), request, call, patience=half)
            described = ComposePersonViewRequest(access=request.access)
            known = next((entry for section in sections for entry in section.entries), None)
            if known is not None:
                described.description.CopyFrom(_description(known))
            sections += await self._ask(sources.PERSON, described, call)
        return ComposePersonViewResponse(sections=sections, composed_at=timestamp(datetime.now(UTC)))

    async def ComposeAddressView(self, request: ComposeAddressViewRequest, call: Call) -> ComposeAddressViewResponse:
        """All sources at once."""
        sections = await self._ask(sources.ADDRESS, request, call)
        return ComposeAddressViewResponse(sections=sections, composed_at=timestamp(datetime.now(UTC)))

    async def ComposeIncidentView(self, request: ComposeIncidentViewRequest, call: Call) -> ComposeIncidentViewResponse:
        """All sources of which the request has a reference at once."""
        sections = await self._ask(sources.INCIDENT, request, call)
        return ComposeIncidentViewResponse(sections=sections, composed_at=timestamp(datetime.now(UTC)))

    async def GetStatus(self, request: GetStatusRequest, call: Call) -> GetStatusResponse:
        """What was seen; nobody is asked."""
        if not self._states.keys() >= set(request.sources):
            problem = "must each be a source of a view"
            raise Fault(Reason.INVALID_REQUEST, f"the sources {problem}", fields=(("sources", problem),))
        return GetStatusResponse(sources=[state for name, state in self._states.items() if name in (request.sources or self._states)])

    async def _ask(self, rows: Sequence[Row], request: Any, call: Call, *, patience: float = 0.0) -> list[Section]:
        """A section for each row, in their order."""
        channel: Any = self._mesh.channel()
        asked = [_source(row, channel, request, call) for row in rows]
        ends = federate(asked, call, reserve=self._reserve, stale_after=self._stale_after, patience=patience or self._patience)
        found = {}
        async for ended, entries in ends:
            self._remember(ended)
            found[ended.source] = _section(ended, entries)
        return [found[row.source] for row in rows]

    def _remember(self, ended: Ended) -> None:
        if ended.status is Status.NOT_SEARCHABLE:
            return
        state = self._states[ended.source]
        state.answers = ended.status in SPOKE
        state.last_asked.GetCurrentTime()
        if state.answers:
            state.last_answered.CopyFrom(state.last_asked)


def _source(row: Row, channel: Any, request: Any, call: Call) -> Source[Entry]:
    question = row.question(request)
    if question is None:
        return Source(row.source, None)
    ask = consulted(row.source, getattr(row.stub(channel), row.method), lambda asked: asked, row.answer, question, call).ask
    assert ask is not None, "it was given a question"

    async def discreetly(within: float) -> Answer[Entry]:
        try:
            return await ask(within)
        except grpc.aio.AioRpcError as error:
            if reason(error) != Reason.RESTRICTED.name:
                raise
            return Answer(())

    return Source(row.source, discreetly)


def _section(ended: Ended, entries: Sequence[Entry]) -> Section:
    age = None if ended.as_of is None else Duration(seconds=max(0, int(time.time() - ended.as_of.timestamp())))
    return Section(
        source=ended.source,
        status=STATUS[ended.status],
        entries=entries,
        as_of=timestamp(ended.as_of),
        freshness=age,
        truncated=ended.truncated,
        error=ended.explanation.partition(";")[0],
    )


def _description(entry: Entry) -> PersonDescription:
    """What a record says of a person, as the others are asked."""
    name = entry.person.name
    given = " ".join(name.given_names)[:GIVEN_NAMES]
    return PersonDescription(family_name=name.family_name, given_names=given, date_of_birth=entry.person.date_of_birth)


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers of this adapter. Raises `Fault` when it was started without a way to the mesh."""
    if site.mesh is None:
        raise Fault(Reason.PRECONDITION, "the adapter consults other interfaces, so it needs --mesh and --identity")
    yield (Portal(site.mesh, settings),)
