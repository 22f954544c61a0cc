"""The way to the CJS Exchange: `submit` and `retrieve` over SOAP, and the one place where its response codes become ours.

Every request names, by WS-Addressing, where answers and results may be delivered; an exchange that was told by other means ignores it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from adapters.kit import Call, Fault, Limits, Reason
from adapters.kit.asking import Asking, Refusals
from adapters.kit.binding import WireError
from adapters.kit.soap import SoapClient
from adapters.libra import codes, envelopes
from adapters.libra.cases_sent import NewCase
from adapters.libra.wire import DOCUMENTS, encode_text
from metip.libra.v1.settings_pb2 import Settings
from metip.logs import Log

PATH: Final = "/CJSEService"
ACTIONS: Final = {
    envelopes.SubmitRequest: "http://schemas.cjse.gov.uk/endpoint/wsdl/submit",
    envelopes.RetrieveRequest: "http://schemas.cjse.gov.uk/endpoint/wsdl/retrieve",
}


@dataclass(frozen=True, slots=True)
class Systems:
    """Names of systems at the CJS Exchange."""

    force: str
    court: str
    exchange: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Reads the settings; the defaults are those that their contract promises."""
        force, court = settings.system_id or "00101PoliceCaseSystem", settings.court_system_id or "B00LIBRA"
        return cls(force, court, settings.exchange_system_id or "Z00CJSE")


class Exchange:
    """Asks the CJS Exchange; every refusal is a `Fault`."""

    def __init__(self, soap: SoapClient, systems: Systems) -> None:
        # A repeated submission is known by its id, so that none is ever in doubt.
        self._asking = Asking(soap, DOCUMENTS, PATH, lambda question: ACTIONS[type(question)], Refusals("the CJS Exchange"))
        self._systems = systems
        self.reply_to = ""
        """URL that requests name for deliveries; empty names none."""

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way to the CJS Exchange for the length of the block."""
        async with SoapClient.connected(Limits.of(settings.upstream), log) as soap:
            yield cls(soap, Systems.of(settings))

    async def submit(self, case: NewCase, message_id: str, call: Call) -> None:
        """Hands a case over under the message's id. Returns when the exchange has it, now or from an earlier try.

        Raises `Fault`: INVALID_REQUEST for a case that XML can't carry; UPSTREAM_UNAVAILABLE when the exchange wants it later,
        UPSTREAM_REFUSED with its code when it does not want it at all.
        """
        try:
            request = submission(case, message_id, self._systems, datetime.now(UTC))
        except WireError as error:
            raise Fault(Reason.INVALID_REQUEST, f"the case can't be written: {error}") from None
        refuse((await self._asking.ask(request, envelopes.SubmitResponse, call, headers=self._headers())).code)

    async def retrieve(self, since: datetime, call: Call) -> envelopes.RetrieveResponse | None:
        """What was waiting since then; None from an exchange that has no retrieval. Raises `Fault` as `submit` does."""
        bounds = envelopes.RetrieveFilter(since=since)
        request = envelopes.RetrieveRequest(request_id=call.id, source_id=self._systems.force, filter=bounds)
        answer = await self._asking.ask(request, envelopes.RetrieveResponse, call, headers=self._headers())
        if answer.code == codes.RETRIEVE_NOT_AVAILABLE:
            return None
        refuse(answer.code)
        return answer

    def _headers(self) -> tuple[envelopes.ReplyTo, ...]:
        return (envelopes.ReplyTo(address=self.reply_to),) if self.reply_to else ()


def submission(case: NewCase, message_id: str, systems: Systems, at: datetime) -> envelopes.SubmitRequest:
    """The request that hands a case over: the case as text in a route, the route as text in the request."""
    route = envelopes.Route(id="1", source=systems.force, destination=systems.court)
    data = envelopes.RouteData(
        sender=envelopes.System(correlation_id=message_id, system_id=systems.force),
        stream=envelopes.DataStream(system=systems.force, type=codes.NEW_CASE, id=message_id, content=encode_text(case)),
        routes=envelopes.Routes(routes=(route,)),
    )
    return envelopes.SubmitRequest(
        request_id=message_id,
        source_id=systems.force,
        destination_ids=(systems.exchange,),
        mode="ASYNCH",
        timestamp=at,
        message=encode_text(data),
    )


def refuse(code: int | None) -> None:
    """Raises the `Fault` that a response code means, with the code in its metadata; none for one that means success."""
    if code is None:
        raise Fault(Reason.UPSTREAM_FAULT, "the CJS Exchange answered without a code")
    if code in codes.RETRY:
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the CJS Exchange wants to be asked later", metadata={"code": str(code)})
    if code not in codes.TAKEN:
        raise Fault(Reason.UPSTREAM_REFUSED, "the CJS Exchange refused", metadata={"code": str(code)})
