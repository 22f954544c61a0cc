"""Computer-aided despatch on the mesh: incidents and units, what is handed over to it, and the lines of logs published as they are made."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial

from adapters.cad import handover, translate
from adapters.cad.records import Block
from adapters.cad.upstream import EVENTS, Host
from adapters.kit import Call, Fault, Reason, Site
from adapters.kit.alike import message_of
from adapters.kit.errands import meanwhile
from adapters.kit.latin import Transcript
from adapters.kit.outcomes import PROCESSED
from adapters.kit.publishing import publish
from adapters.kit.relaying import Relay
from adapters.kit.site import Mesh
from metip.cad.v1 import incident_service_pb2 as service
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest
from metip.cad.v1.incident_event_service_pb2_grpc import IncidentEventServiceStub
from metip.cad.v1.settings_pb2 import Settings
from metip.command_control.v1.handover_service_pb2 import PublishHandoverRequest
from metip.exchange.v1.receipt_pb2 import Receipt

USUAL_HITS, MOST_LINES, WHOLE_LOG, MOST_UNITS, GAP_WAIT = 20, 200, 9_999, 500, 2.0


class Incidents:
    """Translates in, asks the host, translates out. A `Transcript` keeps what the host's characters could not hold."""

    interface = "metip.cad.v1.IncidentService"

    def __init__(self, host: Host) -> None:
        self._host = host

    async def CreateIncident(self, request: service.CreateIncidentRequest, call: Call) -> service.CreateIncidentResponse:
        """Opens an incident, once for each client reference."""
        copy = Transcript()
        done = await self._host.ask(translate.create(request, call.officer, copy), call, "incidents")
        return message_of(service.CreateIncidentResponse, done.incidents[0], {}, **translate.confirmed(done, copy))

    async def UpdateIncident(self, request: service.UpdateIncidentRequest, call: Call) -> service.UpdateIncidentResponse:
        """Adds a line, once for each client reference."""
        copy = Transcript()
        done = await self._host.ask(translate.update(request, call.officer, copy), call, "lines")
        return service.UpdateIncidentResponse(line_number=done.lines[0].number, **translate.confirmed(done, copy))

    async def GetIncident(self, request: service.GetIncidentRequest, call: Call) -> service.GetIncidentResponse:
        """Gives one incident with its log."""
        told = await self._host.ask(translate.inquire(request, call.officer), call, "lines", MOST_LINES)
        return service.GetIncidentResponse(incident=translate.incident(told), provenance=translate.provenance(told))

    async def SearchIncidents(self, request: service.SearchIncidentsRequest, call: Call) -> service.SearchIncidentsResponse:
        """Finds incidents by day and by place, grade or unit."""
        copy = Transcript()
        told = await self._host.ask(translate.search(request, call.officer, copy), call, "incidents", request.limit or USUAL_HITS)
        found = map(translate.headline, told.incidents)
        return service.SearchIncidentsResponse(incidents=found, provenance=translate.provenance(told, copy))

    async def GetResource(self, request: service.GetResourceRequest, call: Call) -> service.GetResourceResponse:
        """Says what one unit is doing."""
        told = await self._host.ask(translate.resources(request, call.officer), call, "units")
        return service.GetResourceResponse(resource=translate.resource(told.units[0]), provenance=translate.provenance(told))

    async def ListResources(self, request: service.ListResourcesRequest, call: Call) -> service.ListResourcesResponse:
        """Lists a station's units."""
        told = await self._host.ask(translate.resources(request, call.officer), call, "units", MOST_UNITS)
        return service.ListResourcesResponse(resources=map(translate.resource, told.units), provenance=translate.provenance(told))

    async def SetResourceState(self, request: service.SetResourceStateRequest, call: Call) -> service.SetResourceStateResponse:
        """Sets a unit's state."""
        done = await self._host.ask(translate.set_state(request, call.officer), call, "units")
        line, given = done.lines[0].number if done.lines else 0, translate.resource(done.units[0])
        number = given.assigned_to if given.HasField("assigned_to") else None
        return service.SetResourceStateResponse(cad_number=number, line_number=line, provenance=translate.provenance(done))


class Handovers:
    """What Command and Control and its partners hand to the force's rooms; the adapter keeps nothing, the host knows what it has."""

    interface = "metip.command_control.v1.HandoverService"

    def __init__(self, host: Host, agency: str) -> None:
        self._host, self._agency = host, agency

    async def PublishHandover(self, request: PublishHandoverRequest, call: Call) -> Receipt:
        """Opens an incident, or adds lines to the one that is there; what is not for CAD is PROCESSED without effect."""
        if handover.concerns(request, self._agency):
            found = await self._found(request, call)
            for command in handover.commands(request, found):
                await self._host.ask(command, call, "lines" if found else "incidents")
        return PROCESSED

    async def _found(self, request: PublishHandoverRequest, call: Call) -> Block | None:
        """The incident with as much of its log as matters; None when it is still to be opened. Raises `Fault`."""
        most = WHOLE_LOG if handover.graded(request) else 1
        try:
            return await self._host.ask(handover.question(request, self._agency), call, "lines", most)
        except Fault as fault:
            if fault.reason is Reason.NO_TRACE and request.HasField("incident_create"):
                return None
            raise


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves commands, queries and handovers; the first worker relays events for as long."""
    async with aclosing(Host(settings, site.log)) as host:
        servicers = (Incidents(host), Handovers(host, settings.agency or "POL-01CAD"))
        if not site.first or site.mesh is None:
            if site.first:
                site.log.line("not_publishing", reason="no way to the exchange")
            yield servicers
            return
        gap_wait = settings.gap_wait.ToTimedelta().total_seconds() if settings.HasField("gap_wait") else GAP_WAIT
        relay = Relay(partial(host.session, EVENTS), partial(_publish, site, site.mesh), site.log, gap_wait)
        async with meanwhile(relay.run()):
            yield servicers


async def _publish(site: Site, mesh: Mesh, request: PublishIncidentEventRequest) -> Receipt:
    return await publish(IncidentEventServiceStub(mesh.channel()).PublishIncidentEvent, request, site.log)
