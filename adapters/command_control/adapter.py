"""Incidents logged, changed and found at Command and Control; handovers taken from it and brought to it; what the legacy system logs."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from adapters.command_control import despatch, records, translate
from adapters.command_control.inbox import Inbox
from adapters.command_control.upstream import Rooms
from adapters.command_control.wire import MESSAGES
from adapters.kit import Call, Site
from adapters.kit.doors import listening
from adapters.kit.errands import meanwhile
from adapters.kit.outcomes import DELIVERED, PROCESSED, Outcomes
from adapters.kit.publishing import publisher
from adapters.kit.tls import Credentials
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest
from metip.command_control.v1 import incident_service_pb2 as service
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_TO_PARTNERS, PublishHandoverRequest
from metip.command_control.v1.handover_service_pb2_grpc import HandoverServiceStub
from metip.command_control.v1.settings_pb2 import Settings
from metip.exchange.v1.receipt_pb2 import Receipt


class _Served:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms


class Incidents(_Served):
    """Incidents and resources of the control rooms."""

    interface = "metip.command_control.v1.IncidentService"

    async def CreateIncident(self, request: service.CreateIncidentRequest, call: Call) -> service.CreateIncidentResponse:
        """Logs an incident at a room."""
        message = translate.command(request, request.incident.origin, incident_create=request.incident)
        return service.CreateIncidentResponse(acknowledgement=await self._told(message, call, write_once=True))

    async def UpdateIncident(self, request: service.UpdateIncidentRequest, call: Call) -> service.UpdateIncidentResponse:
        """Changes, closes or adds words to one."""
        return service.UpdateIncidentResponse(acknowledgement=await self._told(translate.command(request, request.origin), call))

    async def RequestAssistance(self, request: service.RequestAssistanceRequest, call: Call) -> service.RequestAssistanceResponse:
        """Asks a room for help."""
        message = translate.command(request, request.origin, incident_request_assistance=request.assistance)
        return service.RequestAssistanceResponse(acknowledgement=await self._told(message, call, write_once=True))

    async def GetIncident(self, request: service.GetIncidentRequest, call: Call) -> service.GetIncidentResponse:
        """Gives one incident."""
        return await self._rooms.ask(request, call, service.GetIncidentResponse)

    async def SearchIncidents(self, request: service.SearchIncidentsRequest, call: Call) -> service.SearchIncidentsResponse:
        """Finds incidents."""
        return await self._rooms.ask(request, call, service.SearchIncidentsResponse)

    async def ListResources(self, request: service.ListResourcesRequest, call: Call) -> service.ListResourcesResponse:
        """Lists resources."""
        return await self._rooms.ask(request, call, service.ListResourcesResponse)

    async def _told(self, message: records.Message, call: Call, *, write_once: bool = False) -> service.Acknowledgement:
        (answer,) = await self._rooms.tell(message, call, write_once=write_once)
        return translate.acknowledgement(message.header.message_id, answer)


class Handovers(_Served):
    """Handovers of the force's other rooms; those of Command and Control and its partners never go back."""

    interface = "metip.command_control.v1.HandoverService"

    async def PublishHandover(self, request: PublishHandoverRequest, call: Call) -> Receipt:
        """Brings a handover to the rooms that it is for; one that a later one has overtaken is done with."""
        theirs = request.direction != HANDOVER_DIRECTION_TO_PARTNERS
        return PROCESSED if theirs else await _deliver(self._rooms, request, call, {records.SUPERSEDED})


class DespatchLog(_Served):
    """Lines of the legacy system's logs, so that its incidents are seen in Command and Control too."""

    interface = "metip.cad.v1.IncidentEventService"

    async def PublishIncidentEvent(self, request: PublishIncidentEventRequest, call: Call) -> Receipt:
        """Tells Command and Control of a line. One of an incident that it never had came from there, or began before the subscription."""
        handover = despatch.handover(request, self._rooms.agency, self._rooms.command_control)
        return await _deliver(self._rooms, handover, call, {records.SUPERSEDED, records.UNKNOWN_INCIDENT}) if handover else PROCESSED


async def _deliver(rooms: Rooms, request: PublishHandoverRequest, call: Call, passed_over: Collection[str]) -> Receipt:
    """PROCESSED when every room has taken it; DELIVERED when one said nothing in time: its acknowledgement may come late, and finds the
    message by the exchange's id, under which it is sent."""
    message = translate.handed_on(request, call.handover.message_id if call.handover else request.message_id)
    if not message.header.to_agencies:
        return PROCESSED
    return DELIVERED if None in await rooms.tell(message, call, passed_over=passed_over) else PROCESSED


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves all three interfaces, with a door of its own, for the length of the block. Raises `SettingsError`."""
    credentials = Credentials.of(settings.tls, {"upstream.address": settings.upstream.address, "listen": settings.listen})
    hand_over = publisher(site, lambda channel: HandoverServiceStub(channel).PublishHandover)
    async with AsyncExitStack() as stack:
        rooms = await stack.enter_async_context(Rooms.connected(settings, credentials, site.log))
        outcomes = await stack.enter_async_context(Outcomes.connected(site.hub, "command_control", site.log)) if site.hub else None
        inbox = Inbox(rooms, hand_over, outcomes, settings, site.log)
        await stack.enter_async_context(meanwhile(inbox.acknowledge()))
        door = listening(inbox.answer, settings.listen, credentials=credentials, peers=settings.tls.peers)
        url = await stack.enter_async_context(door)
        rooms.reply_to = settings.listen_url or f"{url}{MESSAGES}"
        yield (Incidents(rooms), Handovers(rooms), DespatchLog(rooms))
