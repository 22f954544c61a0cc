"""CONNECT's records, found, given and added to; custody records of NSPIS taken in; changes published by the first worker."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adapters.connect import codes, layout, translate, wire
from adapters.connect.records import Changes, Tree
from adapters.connect.upstream import SUPERSEDED, Connect
from adapters.kit import Call, Fault, Site
from adapters.kit.following import Follower, Resume, following
from adapters.kit.mapping import Table, document
from adapters.kit.outcomes import PROCESSED
from adapters.kit.publishing import publish_or_pass_over
from adapters.kit.site import Mesh
from adapters.kit.tabled import served
from adapters.kit.webhooks import Bell
from metip.connect.v1.change_service_pb2_grpc import ChangeServiceStub
from metip.connect.v1.settings_pb2 import Settings

OURS, READ_EVERY = "metip.connect.v1", 30.0


class Operations:
    """What the services of CONNECT do: each method gives a handler for records of one kind."""

    def __init__(self, connect: Connect, role: str) -> None:
        self._connect, self._role = connect, role

    async def find(self, kind: str, criteria: Table, table: Table, request: Any, response: Any, call: Call) -> Any:
        """Searches."""
        asked, asker = document(request, criteria), translate.asker(request.access, call, self._role)
        page = await self._connect.search(kind, asked, request.page_size, request.page_token, asker, call)
        return translate.listed(response, page, table)

    async def give(self, table: Table, request: Any, response: Any, call: Call) -> Any:
        """Gives a record by its id, or a custody record by its number; or says where it went."""
        asker = translate.asker(request.access, call, self._role)
        name = request.entity_id.value or request.custody_record_number.value
        return translate.told(response, await self._connect.get(name, asker, call), table)

    async def make(self, kind: str, table: Table, request: Any, response: Any, call: Call) -> Any:
        """Makes a record, once for each command."""
        record, asker = translate.new_record(request, table), translate.asker(request.access, call, self._role)
        key = _key(request, request.source_version) if kind == "C" else request.command_id
        return translate.told(response, await self._connect.create(kind, record, key, asker, call), layout.DONE)

    async def link(self, request: Any, response: Any, call: Call) -> Any:
        """Ties two records."""
        link, asker = document(request, layout.NEW_LINK), translate.asker(request.access, call, self._role)
        done = await self._connect.link(request.entity_id.value, request.version, link, request.command_id, asker, call)
        return translate.told(response, done, layout.LINKED)

    async def take_custody(self, request: Any, response: Any, call: Call) -> Any:
        """Records a version of a custody record of NSPIS; one that a later version has overtaken is done with."""
        record = translate.new_record(request, layout.NEW_NSPIS_CUSTODY, codes.NSPIS)
        try:
            await self._connect.create("C", record, _key(request, request.version), translate.asker(request.access, call), call)
        except Fault as fault:
            if fault.metadata.get("code") != SUPERSEDED:
                raise
        return PROCESSED


def services(do: Operations) -> Sequence[object]:
    """All that is served."""
    offered: tuple[tuple[Any, ...], ...] = (
        (f"{OURS}.PersonService", "SearchPersons", do.find, "N", layout.PERSON_CRITERIA, layout.PERSON_SUMMARY),
        (f"{OURS}.PersonService", "GetPerson", do.give, layout.PERSON_RECORD),
        (f"{OURS}.VehicleService", "SearchVehicles", do.find, "V", layout.VEHICLE_CRITERIA, layout.VEHICLE_SUMMARY),
        (f"{OURS}.VehicleService", "GetVehicle", do.give, layout.VEHICLE_RECORD),
        (f"{OURS}.LocationService", "SearchLocations", do.find, "L", layout.LOCATION_CRITERIA, layout.LOCATION_SUMMARY),
        (f"{OURS}.LocationService", "GetLocation", do.give, layout.LOCATION_RECORD),
        (f"{OURS}.InvestigationService", "CreateInvestigation", do.make, "I", layout.NEW_INVESTIGATION),
        (f"{OURS}.InvestigationService", "GetInvestigation", do.give, layout.INVESTIGATION),
        (f"{OURS}.InvestigationService", "LinkEntities", do.link),
        (f"{OURS}.CustodyService", "GetCustodyRecord", do.give, layout.CUSTODY_RECORD),
        (f"{OURS}.CustodyService", "CreateCustodyRecord", do.make, "C", layout.NEW_CUSTODY),
        (f"{OURS}.IntelligenceService", "SubmitIntelligenceReport", do.make, "R", layout.NEW_REPORT),
        (f"{OURS}.IntelligenceService", "GetIntelligenceReport", do.give, layout.INTELLIGENCE),
        ("metip.custody.v1.CustodyRecordService", "PublishCustodyRecord", do.take_custody),
    )
    return served((interface, operation, partial(handler, *more)) for interface, operation, handler, *more in offered)


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves all interfaces for the length of the block; the first worker also follows what changes."""
    async with AsyncExitStack() as stack:
        connect = await stack.enter_async_context(Connect.connected(settings, site.log))
        if site.first and site.mesh is not None:
            await stack.enter_async_context(_following(settings, site, site.mesh, connect))
        elif site.first:
            site.log.line("not_publishing", reason="no way to the exchange")
        yield services(Operations(connect, settings.need_to_know_role))


@asynccontextmanager
async def _following(settings: Settings, site: Site, mesh: Mesh, connect: Connect) -> AsyncIterator[None]:
    """Publishes what CONNECT's feed and its webhooks tell, for the length of the block."""

    async def pass_on(told: Tree) -> None:
        try:
            request = translate.change(told)
        except Fault:  # it is no change that the contract knows, and never will be
            site.log.line("change_refused")
            return
        if request is not None:
            await publish_or_pass_over(ChangeServiceStub(mesh.channel()).PublishChange, request, site.log)

    follower = Follower(connect.changes, pass_on, Resume(settings.resume_file), site.log)
    every = settings.read_changes_every.ToTimedelta().total_seconds() if settings.HasField("read_changes_every") else READ_EVERY
    bell = Bell(settings.listen, settings.listen_url, wire.SEALED)
    async with following(follower, Changes, bell, connect.subscribe, every, site.log):
        yield


def _key(request: Any, version: int) -> str:
    """The idempotency key of a version of a custody record: the same whoever hands it over, and however often."""
    return str(uuid5(NAMESPACE_URL, f"custody:{request.custody_record_number.value}/{version}"))
