"""Notices that the exchange hands over: gathered, put as batches; the first worker reports what the Home Office acknowledges."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from adapters.kit import Call, Fault, Reason, Site
from adapters.kit.errands import meanwhile, repeat
from adapters.kit.gathering import Gatherer
from adapters.kit.outcomes import DELIVERED, Outcomes
from adapters.kit.times import seconds
from adapters.traffic_offences import translate, wire
from adapters.traffic_offences.acknowledging import Reporter
from adapters.traffic_offences.records import Offence
from adapters.traffic_offences.upstream import HomeOffice
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.traffic_offences.v1.offence_service_pb2 import SubmitOffenceRequest
from metip.traffic_offences.v1.settings_pb2 import Settings

SYSTEM = "traffic_offences"
GATHER_FOR, LARGEST_BATCH, POLL_EVERY = 0.5, 500, 5.0


class Offences:
    """Notices for the Home Office."""

    interface = "metip.traffic_offences.v1.OffenceService"

    def __init__(self, gatherer: Gatherer[Offence]) -> None:
        self._gatherer = gatherer

    async def SubmitOffence(self, request: SubmitOffenceRequest, call: Call) -> Receipt:
        """Puts the notice into the next batch; what becomes of it is reported later."""
        if call.handover is None:
            raise Fault(Reason.MALFORMED, "notices come from the exchange, under the id that it gives them")
        offence = translate.offence(request, call.handover.message_id)
        try:
            wire.check(offence)
        except ValueError:
            problem = "holds a character that the far side can't be sent"
            raise Fault(Reason.INVALID_REQUEST, f"a text {problem}", fields=(("offence", problem),)) from None
        await self._gatherer.submit(offence)
        return DELIVERED


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves the interface, and reports outcomes, for the length of the block."""
    async with AsyncExitStack() as stack:
        far_side = await stack.enter_async_context(HomeOffice.connected(settings, site.log))
        gather_for = seconds(settings, "gather_for", GATHER_FOR)
        gatherer = Gatherer(far_side.submit, gather_for=gather_for, largest=settings.largest_batch or LARGEST_BATCH)
        stack.push_async_callback(gatherer.close)
        if site.first and site.hub:
            outcomes = await stack.enter_async_context(Outcomes.connected(site.hub, SYSTEM, site.log))
            reporter = Reporter(far_side, outcomes, site.log)
            every = seconds(settings, "poll_every", POLL_EVERY)
            await stack.enter_async_context(meanwhile(repeat(reporter.look, every=every)))
        yield (Offences(gatherer),)
