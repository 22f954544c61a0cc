"""Footwear impressions: found, given, and taken from custody records."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.footwear import translate
from adapters.footwear.records import Submit, Withdraw
from adapters.footwear.upstream import Database
from adapters.kit import Call, Site
from adapters.kit.outcomes import PROCESSED
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.footwear.v1.footwear_service_pb2 import (
    GetImpressionRequest,
    GetImpressionResponse,
    SearchImpressionsRequest,
    SearchImpressionsResponse,
)
from metip.footwear.v1.settings_pb2 import Settings


class Impressions:
    """Impressions that the database holds."""

    interface = "metip.footwear.v1.FootwearService"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def SearchImpressions(self, request: SearchImpressionsRequest, call: Call) -> SearchImpressionsResponse:
        """Finds impressions by pattern, size or maker."""
        return translate.impressions(await self._database.search(translate.search(request, call), call))

    async def GetImpression(self, request: GetImpressionRequest, call: Call) -> GetImpressionResponse:
        """Gives the impression of one custody record."""
        return translate.impression(await self._database.fetch(translate.fetch(request, call), call))


class CustodyRecords:
    """Takes footwear from custody records to the database, and back when it may not be kept."""

    interface = "metip.custody.v1.CustodyRecordService"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def PublishCustodyRecord(self, request: PublishCustodyRecordRequest, call: Call) -> Receipt:
        """Submits or withdraws an impression, or does nothing where there is none; PROCESSED when the database has said so."""
        match translate.step(request):
            case Submit() as submit:
                await self._database.submit(submit, call)
            case Withdraw() as withdraw:
                await self._database.withdraw(withdraw, call)
        return PROCESSED


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves both interfaces for the length of the block."""
    async with Database.connected(settings, site.log) as database:
        yield (Impressions(database), CustodyRecords(database))
