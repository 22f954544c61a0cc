"""Vehicle checks from a car: several sources asked at once, what came in time answered in one packet."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

from adapters.ivma import answers, translate
from adapters.ivma.records import Enquiry
from adapters.ivma.translate import Finding
from adapters.ivma.upstream import Register
from adapters.kit import Call, Fault, Reason, Site, consult
from adapters.kit.federation import Answer, Ended, Source, federate
from adapters.kit.site import Mesh
from metip.cad.v1.incident_service_pb2_grpc import IncidentServiceStub
from metip.common.v1.access_pb2 import AccessContext
from metip.ivma.v1 import vehicle_check_service_pb2 as api
from metip.ivma.v1.settings_pb2 import Settings
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest
from metip.pnc.v1.vehicle_enquiry_service_pb2_grpc import VehicleEnquiryServiceStub

Asked = api.CheckVehicleRequest | api.EnrichAnprHitRequest
PATIENCE, STALE_AFTER, LIFETIME = timedelta(seconds=2.5), timedelta(hours=36), timedelta(minutes=5)
RESERVE, LARGEST, WITHIN_M = 0.15, 1200, 500


class VehicleChecks:
    """Checks vehicles and rates sightings."""

    interface = "metip.ivma.v1.VehicleCheckService"

    def __init__(self, register: Register, mesh: Mesh, settings: Settings) -> None:
        self._register = register
        self._mesh = mesh
        reserve = settings.reserve.ToTimedelta().total_seconds() if settings.HasField("reserve") else RESERVE
        patience = _time(settings.patience, PATIENCE).total_seconds()
        self._limits: Any = {"reserve": reserve, "patience": patience, "stale_after": _time(settings.stale_after, STALE_AFTER)}
        self._largest = settings.largest_answer or LARGEST
        self._check_lifetime = _time(settings.check_lifetime, LIFETIME)
        self._hit_lifetime = _time(settings.hit_lifetime, LIFETIME)
        self._within_m = settings.incidents_within_m or WITHIN_M

    async def CheckVehicle(self, request: api.CheckVehicleRequest, call: Call) -> api.CheckVehicleResponse:
        """One vehicle, as far as the sources answered."""
        access = translate.check_access(request, datetime.now(UTC), self._check_lifetime)
        ends, found = await self._ask(request, access, call)
        return answers.check(request.vrm.value, ends, found, overlooked=request.screen_overlooked, largest=self._largest)

    async def EnrichAnprHit(self, request: api.EnrichAnprHitRequest, call: Call) -> api.EnrichAnprHitResponse:
        """One sighting, as far as the sources answered."""
        access = translate.hit_access(request, datetime.now(UTC))
        ends, found = await self._ask(request, access, call)
        until = request.seen_at.ToDatetime(tzinfo=UTC) + self._hit_lifetime
        return answers.hit(request, ends, found, until=until, now=datetime.now(UTC), largest=self._largest)

    async def _ask(self, asked: Asked, access: AccessContext, call: Call) -> tuple[Mapping[str, Ended], Mapping[str, Finding]]:
        """How each source ended, and what it told, by its name."""
        ends: dict[str, Ended] = {}
        found: dict[str, Finding] = {}
        async for ended, findings in federate(self._sources(asked, access, call), call, **self._limits):
            ends[ended.source] = ended
            found.update((ended.source, one) for one in findings)
        return ends, found

    def _sources(self, asked: Asked, access: AccessContext, call: Call) -> Sequence[Source[Finding]]:
        channel: Any = self._mesh.channel()
        now = datetime.now(UTC)

        async def pnc(within: float) -> Answer[Finding]:
            question = GetVehicleRequest(access=access, vrm=asked.vrm)
            reply = await consult(VehicleEnquiryServiceStub(channel).GetVehicle, question, call, within=within)
            return translate.pnc_finding(reply, now.astimezone(translate.LONDON).date())

        async def dvla(within: float) -> Answer[Finding]:
            return translate.register_finding(await self._register.vehicle(Enquiry(registration_number=asked.vrm.value), call))

        async def cad(within: float) -> Answer[Finding]:
            question = translate.cad_question(access, asked.position, now, self._within_m)
            return translate.cad_finding(await consult(IncidentServiceStub(channel).SearchIncidents, question, call, within=within))

        return (
            Source("pnc", pnc),
            Source("dvla", dvla if translate.REGISTERED_FORM.fullmatch(asked.vrm.value) else None),
            Source("cad", cad if asked.HasField("position") else None),
        )


def _time(said: Duration, otherwise: timedelta) -> timedelta:
    return said.ToTimedelta() or otherwise


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves the interface for the length of the block. Raises `Fault` when it was started without a way to the mesh."""
    if site.mesh is None:
        raise Fault(Reason.PRECONDITION, "the adapter consults other interfaces, so it needs --mesh and --identity")
    async with Register.connected(settings, site.log) as register:
        yield (VehicleChecks(register, site.mesh, settings),)
