"""The warehouse: takes custody records, and says what it holds."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.cdw import translate
from adapters.cdw.batches import Batches
from adapters.cdw.records import Version
from adapters.cdw.upstream import Warehouse
from adapters.kit import Call, Limits, Site
from adapters.kit.outcomes import PROCESSED
from metip.cdw.v1.settings_pb2 import Settings
from metip.cdw.v1.warehouse_service_pb2 import GetLoadRequest, GetLoadResponse
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.exchange.v1.receipt_pb2 import Receipt

GATHER_FOR = 0.005
MOST_TOGETHER = 200


class Loads:
    """What the warehouse holds."""

    interface = "metip.cdw.v1.WarehouseService"

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    async def GetLoad(self, request: GetLoadRequest, call: Call) -> GetLoadResponse:
        """Counts what was loaded of one dataset for one business date."""
        return translate.load(await self._warehouse.count(translate.day(request), call))


class CustodyRecords:
    """Takes custody records into the warehouse."""

    interface = "metip.custody.v1.CustodyRecordService"

    def __init__(self, batches: Batches[Version]) -> None:
        self._batches = batches

    async def PublishCustodyRecord(self, request: PublishCustodyRecordRequest, call: Call) -> Receipt:
        """Loads one version, once however often it is handed over; PROCESSED once it is committed."""
        message_id = call.handover.message_id if call.handover else ""
        await self._batches.add(translate.version(request, message_id), call)
        return PROCESSED


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves both interfaces for the length of the block."""
    gather_for = settings.gather_for.ToTimedelta().total_seconds() if settings.HasField("gather_for") else GATHER_FOR
    async with Warehouse.connected(settings, site.log) as warehouse:
        most, at_once = settings.most_together or MOST_TOGETHER, max(1, Limits.of(settings.upstream).sessions - 1)  # one is for counting
        batches = Batches(warehouse.load, gather_for=gather_for, most=most, at_once=at_once)
        try:
            yield (Loads(warehouse), CustodyRecords(batches))
        finally:
            await batches.close()
