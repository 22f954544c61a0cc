"""Cases to the courts, as a subscriber of its own interface; results and answers from them, as a producer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import NAMESPACE_URL, uuid5

from adapters.kit import Call, Fault, Reason, Site
from adapters.kit.doors import listening
from adapters.kit.errands import meanwhile
from adapters.kit.outcomes import DELIVERED, Outcomes
from adapters.kit.publishing import publisher
from adapters.kit.tls import Credentials
from adapters.libra import translate
from adapters.libra.collecting import collect
from adapters.libra.inbox import Door, Inbox
from adapters.libra.upstream import PATH, Exchange
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from metip.libra.v1.result_service_pb2_grpc import ResultServiceStub
from metip.libra.v1.settings_pb2 import Settings

SYSTEM = "libra"


class Cases:
    """Cases that the exchange hands over for the courts."""

    interface = "metip.libra.v1.CaseService"

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def SubmitCase(self, request: SubmitCaseRequest, call: Call) -> Receipt:
        """Submits a case under the message's id; the court's own answer comes later."""
        try:
            case = translate.case_record(request)
        except ValueError:
            raise Fault(Reason.INVALID_REQUEST, "a date of the case is in no calendar") from None
        await self._exchange.submit(case, _correlation_id(request, call), call)
        return DELIVERED


def _correlation_id(request: SubmitCaseRequest, call: Call) -> str:
    """The message's id, by which the court's answer finds the message again; outside the exchange, one that the idempotency key makes."""
    if call.handover:
        return call.handover.message_id
    return str(uuid5(NAMESPACE_URL, f"{call.operation}/{request.pti_urn.value}/{request.submission}"))


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Serves the interface for the length of the block; the first worker also takes deliveries."""
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(Exchange.connected(settings, site.log))
        if site.first:
            await _take_deliveries(stack, settings, site, exchange)
        yield (Cases(exchange),)


async def _take_deliveries(stack: AsyncExitStack, settings: Settings, site: Site, exchange: Exchange) -> None:
    outcomes = await stack.enter_async_context(Outcomes.connected(site.hub, SYSTEM, site.log)) if site.hub else None
    publish = publisher(site, lambda channel: ResultServiceStub(channel).PublishResult)
    inbox = Inbox(site.log, publish, outcomes)
    if settings.listen:
        shown = Credentials.of(settings.tls, {"listen": settings.listen}) if settings.HasField("tls") else None
        door = listening(Door(inbox, site.log).answer, settings.listen, credentials=shown, peers=settings.tls.peers)
        address = await stack.enter_async_context(door)
        exchange.reply_to = settings.listen_url or f"{address}{PATH}"
    if publish is not None:
        await stack.enter_async_context(meanwhile(collect(settings, exchange, inbox, site.log)))
