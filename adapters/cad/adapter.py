"""Computer-aided despatch on the mesh: incidents and units asked and told, and the lines of logs published as the host makes them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from adapters.cad import translate
from adapters.cad.records import Block, Incident, Kind, Unit
from adapters.cad.relay import Relay
from adapters.cad.upstream import EVENTS, Host
from adapters.kit import Call, Site
from adapters.kit.alike import values_of
from adapters.kit.errands import meanwhile
from adapters.kit.latin import Transcript
from adapters.kit.publishing import publish
from adapters.kit.site import Mesh
from metip.cad.v1 import incident_service_pb2 as service
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest
from metip.cad.v1.incident_event_service_pb2_grpc import IncidentEventServiceStub
from metip.cad.v1.settings_pb2 import Settings
from metip.exchange.v1.receipt_pb2 import Receipt

USUAL_HITS, MOST_LINES, MOST_UNITS = 20, 200, 500
SILENCE, GAP_WAIT = 30.0, 2.0


class Incidents:
    """Translates in, asks the host, translates out. A `Transcript` keeps what the host's characters could not hold."""

    interface = "metip.cad.v1.IncidentService"

    def __init__(self, host: Host) -> None:
        self._host = host

    async def CreateIncident(self, request: service.CreateIncidentRequest, call: Call) -> service.CreateIncidentResponse:
        """Opens an incident, once for each client reference."""
        copy, by = Transcript(), translate.control(request.access, call.officer, request.client_reference)
        done = await self._host.ask(translate.create(request, by, copy), call)
        number, again = translate.headline(done.incidents[0]).cad_number, done.control.duplicate
        return service.CreateIncidentResponse(cad_number=number, already_recorded=again, provenance=translate.provenance(done, copy))

    async def UpdateIncident(self, request: service.UpdateIncidentRequest, call: Call) -> service.UpdateIncidentResponse:
        """Adds a line, once for each client reference."""
        copy, by = Transcript(), translate.control(request.access, call.officer, request.client_reference)
        done = await self._host.ask(translate.update(request, by, copy), call)
        number, again = done.lines[0].number, done.control.duplicate
        return service.UpdateIncidentResponse(line_number=number, already_recorded=again, provenance=translate.provenance(done, copy))

    async def GetIncident(self, request: service.GetIncidentRequest, call: Call) -> service.GetIncidentResponse:
        """Gives one incident with its log."""
        by = translate.control(request.access, call.officer, after=request.after_line)
        wanted = Block(Kind.INQUIRE, 0, by, (Incident(request.cad_number.value),))
        told = await self._host.ask_all(wanted, call, "lines", MOST_LINES)
        given = translate.incident(told.incidents[0], told.lines)
        return service.GetIncidentResponse(incident=given, provenance=translate.provenance(told))

    async def SearchIncidents(self, request: service.SearchIncidentsRequest, call: Call) -> service.SearchIncidentsResponse:
        """Finds incidents by day and by place, grade or unit."""
        copy, by = Transcript(), translate.control(request.access, call.officer)
        found = await self._host.ask_all(translate.search(request, by, copy), call, "incidents", request.limit or USUAL_HITS)
        told = map(translate.headline, found.incidents)
        return service.SearchIncidentsResponse(incidents=told, provenance=translate.provenance(found, copy))

    async def GetResource(self, request: service.GetResourceRequest, call: Call) -> service.GetResourceResponse:
        """Says what one unit is doing."""
        wanted = Block(Kind.UNITS, 0, translate.control(request.access, call.officer), units=(Unit(request.call_sign),))
        told = await self._host.ask(wanted, call)
        return service.GetResourceResponse(resource=translate.resource(told.units[0]), provenance=translate.provenance(told))

    async def ListResources(self, request: service.ListResourcesRequest, call: Call) -> service.ListResourcesResponse:
        """Lists a station's units."""
        wanted = Unit(**values_of(Unit, request, translate.CODES))
        asked = Block(Kind.UNITS, 0, translate.control(request.access, call.officer), units=(wanted,))
        told = await self._host.ask_all(asked, call, "units", MOST_UNITS)
        return service.ListResourcesResponse(resources=map(translate.resource, told.units), provenance=translate.provenance(told))

    async def SetResourceState(self, request: service.SetResourceStateRequest, call: Call) -> service.SetResourceStateResponse:
        """Sets a unit's state."""
        by = translate.control(request.access, call.officer, request.client_reference)
        done = await self._host.ask(translate.set_state(request, by), call)
        number, line = translate.resource(done.units[0]).assigned_to, done.lines[0].number if done.lines else 0
        return service.SetResourceStateResponse(
            cad_number=number if number.value else None, line_number=line, provenance=translate.provenance(done)
        )


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves commands and queries; the first worker relays events for as long."""
    async with Host.connected(settings, site.log) as host:
        if not site.first or site.mesh is None:
            if site.first:
                site.log.line("not_publishing", reason="no way to the exchange")
            yield (Incidents(host),)
            return
        silence = settings.silence.ToTimedelta().total_seconds() if settings.HasField("silence") else SILENCE
        gap_wait = settings.gap_wait.ToTimedelta().total_seconds() if settings.HasField("gap_wait") else GAP_WAIT
        relay = Relay(partial(host.session, EVENTS), partial(_publish, site, site.mesh), site.log, silence, gap_wait)
        async with meanwhile(relay.run()):
            yield (Incidents(host),)


async def _publish(site: Site, mesh: Mesh, request: PublishIncidentEventRequest) -> Receipt:
    return await publish(IncidentEventServiceStub(mesh.channel()).PublishIncidentEvent, request, site.log)
