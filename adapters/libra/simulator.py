"""A stand-in for the CJS Exchange with a court's system behind it, on the exchange's own wire: it takes cases, refuses them by its table of
codes, answers for the court some time later, and then delivers what the court decided.

Where it delivers it learns from each request's WS-Addressing header. A case counts once for each correlation id of a system.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from adapters.kit.binding import WireError
from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.dials import seconds
from adapters.kit.soap import Element, SoapError, envelope, fault_envelope, parse_xml
from adapters.libra import codes, court, envelopes
from adapters.libra.cases_sent import Case, NewCase
from adapters.libra.courier import Courier, Delivery
from adapters.libra.results import ResultedCases
from adapters.libra.wire import decode, decode_text, element_of, encode, encode_text

DIALS = {
    "code": "answers a submission with this response code, such as 200 or 308, and takes nothing",
    "business_error": "has the court's system refuse the case later, with this code, such as 309",
    "late": "has the court's system answer only after this time, such as 5s",
    "escaped": "delivers by SOAP, with the result escaped twice and line ends around ids",
    "repeat": "makes each delivery twice",
    "undelivered": "pushes nothing, so that deliveries wait for retrieve",
    "phoned": "sends another result than the court's own, which is put right by telephone and never sent again",
    "no_result": "sends no result for the case",
    "unknown_case": "sends a result for a case that was never submitted, with a dummy number, when a case comes in",
    "many_offences": "sends a result with 101 offences",
}
EXCHANGE, COURT = "Z00CJSE", "B00LIBRA"
PROMPT = 0.05
"""Seconds until the court's system answers, where no dial says otherwise; the result follows right after."""


class Simulator:
    """The CJS Exchange over HTTP."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._population = population
        self._dials = dials
        self.cases: dict[tuple[str, str], Case] = {}
        """Cases that were taken, by system and correlation id."""
        self.effects: Counter[str] = Counter()
        """How often each case, by its PTI-URN, was taken."""
        self.courier = Courier()
        self.transport = _Transport(Http(self.answer), self.courier)

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one document with another."""
        try:
            root = parse_xml(request.body)
            question = decode(request.body)
        except (SoapError, WireError):
            return HttpReply(fault_envelope("Client", "That can't be read."), status=500)
        self.courier.moved(_reply_to(root))
        match question:
            case envelopes.SubmitRequest():
                self._dials.exchanges["submit"] += 1
                code = self._submitted(question)
                answer: object = envelopes.SubmitResponse(request_id=question.request_id, code=code, text=codes.TEXTS.get(code, ""))
            case envelopes.RetrieveRequest():
                self._dials.exchanges["retrieve"] += 1
                answer = self._retrieved(question)
            case _:
                return HttpReply(fault_envelope("Client", "There is no such operation."), status=500)
        return HttpReply(envelope(element_of(answer)))

    def _submitted(self, request: envelopes.SubmitRequest) -> int:
        """Takes a case, or says under which code not."""
        setting = self._dials.strike("code")
        if setting is not None:
            return int(setting or 200)
        try:
            data = decode_text(request.message)
            payload = decode_text(data.stream.content) if isinstance(data, envelopes.RouteData) and data.stream else None
        except WireError:
            return codes.UNUSABLE_DATA
        if not isinstance(data, envelopes.RouteData) or data.sender is None or not data.sender.correlation_id:
            return codes.INVALID_REQUEST_ID
        if not isinstance(payload, NewCase) or payload.case is None or data.stream is None or data.stream.type != codes.NEW_CASE:
            return codes.DISALLOWED_TYPE
        code = _routable(data)
        if code != codes.SUCCESS:
            return code
        key = data.sender.system_id, data.sender.correlation_id
        if key in self.cases:
            return codes.PREVIOUSLY_SENT
        self.cases[key] = payload.case
        self.effects[payload.case.pti_urn] += 1
        self._dials.exchanges["case"] += 1
        self._follow(payload.case, data.sender)
        return codes.SUCCESS

    def _follow(self, case: Case, sender: envelopes.System) -> None:
        """Sends the court's answer on its way, and what it decides."""
        late = self._dials.strike("late")
        due = asyncio.get_running_loop().time() + (PROMPT if late is None else seconds(late) or 0.0)
        refused = self._dials.strike("business_error")
        code = court.objection(case) if refused is None else int(refused or codes.INVALID_OFFENCE_CODE)
        self._send_answer(sender, code, due)
        if self._dials.strike("unknown_case") is not None:
            self._send_result(court.result_of_nobody(self._population), f"unknown/{sender.correlation_id}", due)
        if code == codes.SUCCESS and self._dials.strike("no_result") is None:
            many = self._dials.strike("many_offences") is not None
            mistaken = self._dials.strike("phoned") is not None
            self._dials.exchanges["phoned"] += mistaken
            self._send_result(court.result_of(case, many=many, mistaken=mistaken), f"result/{sender.correlation_id}", due)

    def _send_answer(self, sender: envelopes.System, code: int, due: float) -> None:
        """The court's answer, as a document in a `submit` of the exchange's own."""
        status = envelopes.Status(kind="Court", code=code, description=codes.TEXTS.get(code, "Refused"), route="1")
        response = envelopes.RouteDataResp(receiver=sender, statuses=(status,))
        self._send(_submit(sender.system_id, sender.correlation_id, encode_text(response)), encode_text(response), due)

    def _send_result(self, resulted: ResultedCases, name: str, due: float) -> None:
        message_id = str(uuid5(NAMESPACE_URL, name))
        if self._dials.strike("escaped") is not None:
            data = envelopes.RouteData(
                sender=envelopes.System(correlation_id=f"\n      {message_id}\n    ", system_id=COURT),
                stream=envelopes.DataStream(system=COURT, type=codes.RESULTS, id=message_id, content=encode(resulted).decode()),
            )
            self._send(_submit("", f"\n  {message_id}\n", encode_text(data)), encode_text(data), due)
            return
        party = envelopes.Party(name="CJSE", unit="Z000000", environment="Simulation")
        delivery = envelopes.DeliverRequest(
            message_id=message_id,
            sender=party,
            ack_requested="1",
            metadata=envelopes.DeliveryMetadata(
                origin=envelopes.Party(name=COURT, unit="B000000", environment="Simulation"), created=datetime.now(UTC)
            ),
            format=envelopes.DeliveryFormat(type=envelopes.MessageType(type=codes.RESULTS, version="1.200")),
            message=encode_text(resulted),
        )
        self._send(encode(delivery), encode_text(delivery), due)

    def _send(self, body: bytes, text: str, due: float) -> None:
        pushed = self._dials.strike("undelivered") is None
        for _ in range(1 if self._dials.strike("repeat") is None else 2):
            self.courier.send(Delivery(body, text, due, pushed))

    def _retrieved(self, request: envelopes.RetrieveRequest) -> envelopes.RetrieveResponse:
        bounds = request.filter or envelopes.RetrieveFilter()
        now = datetime.now(UTC)
        found = self.courier.waiting(bounds.since or datetime.min.replace(tzinfo=UTC), bounds.until or now)
        held = [one for one in found if one.answers or not one.pushed or not self.courier.address]
        due = [one for one in held if one.due <= asyncio.get_running_loop().time()]
        return envelopes.RetrieveResponse(
            request_id=request.request_id,
            code=codes.SUCCESS,
            text=codes.TEXTS[codes.SUCCESS],
            # What is not due yet must not fall out of the next time range.
            last=min((one.made for one in found if one not in due), default=now),
            messages=tuple(one.text for one in due),
        )


class _Transport:
    """HTTP with a postman beside it."""

    def __init__(self, http: Http, courier: Courier) -> None:
        self._http = http
        self._courier = courier

    @asynccontextmanager
    async def listening(self, host: str, port: int, dials: Dials) -> AsyncIterator[str]:
        """Listens and delivers for the length of the block and gives the base URL."""
        async with self._http.listening(host, port, dials) as address, self._courier.working():
            yield address


def _routable(data: envelopes.RouteData) -> int:
    routes = data.routes.routes if data.routes else ()
    if not routes or any(route.destination not in (COURT, "C00CommonPlatform") for route in routes):
        return codes.UNKNOWN_DESTINATION
    return codes.SAME_SOURCE_AND_DESTINATION if any(route.source == route.destination for route in routes) else codes.SUCCESS


def _submit(receiver: str, request_id: str, message: str) -> bytes:
    request = envelopes.SubmitRequest(
        request_id=request_id,
        source_id=EXCHANGE,
        destination_ids=(receiver or "00101PoliceCaseSystem",),
        mode="ASYNCH",
        timestamp=datetime.now(UTC),
        message=message,
    )
    return envelope(element_of(request))


def _reply_to(root: Element) -> str:
    return (root.findtext(f".//{{{envelopes.ADDRESSING}}}ReplyTo/{{{envelopes.ADDRESSING}}}Address") or "").strip()
