"""The façade's door: HTTPS with certificates on both sides, a path for each service, its description at `?wsdl`, faults for the rest.

The law: who has no mapped certificate learns nothing but that; each request ends in one log line, which holds codes and no word of it.
"""

import asyncio
import json
import os
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web

from adapters.kit.listening import http_listener
from adapters.kit.pipeline import Gate
from adapters.kit.soap import envelope
from adapters.kit.tls import Credentials
from adapters.metip1.facade.calling import CALL_ID, Calls
from adapters.metip1.facade.consumers import Consumer, Consumers
from adapters.metip1.facade.description import description_of
from adapters.metip1.facade.refusals import Refusal, malformed, refused, unforeseen
from adapters.metip1.facade.requests import Operations, operations_of, read, relating
from adapters.metip1.services import SoapOperation, SoapService
from adapters.metip1.wire import element_of
from metip.faults import Fault, Reason
from metip.logs import Log

XML: Final = "text/xml"
PATIENCE: Final = 10.0
"""Seconds in which a request's body must be there."""
TIME_LIMIT: Final = "Request-Timeout"
"""Header in which a consumer says, in seconds, how long it waits (assumed); the contract's own time limit bounds it."""
TRACEPARENT: Final = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
OK, GONE = "OK", "CANCELLED"


@dataclass
class Facade:
    """Answers requests. `address` is the base URL that descriptions name."""

    consumers: Consumers
    calls: Calls
    gate: Gate
    log: Log
    services: Sequence[SoapService]
    operations: Sequence[SoapOperation]
    largest: int
    address: str = ""
    credentials: Credentials | None = None
    """Looked at again with each request, so that a new certificate needs no restart."""
    _at: Mapping[str, tuple[SoapService, Operations]] = field(init=False)
    _tell: Callable[..., None] = field(init=False)

    def __post_init__(self) -> None:
        self._at = {one.path: (one, operations_of(self.operations, one)) for one in self.services}
        self._tell = self.log.prepared("soap_call", "service", "operation", "outcome", "ms", "call_id", "consumer")

    async def handle(self, request: web.Request) -> web.Response:
        """One request."""
        if self.credentials is not None:
            self.credentials.refresh()
        line = _Line(time.monotonic())
        try:
            response = await self._answer(request, line)
            line.outcome = OK
        except Refusal as refusal:
            response = self._refuse(refusal, line)
        except Fault as fault:
            response = self._refuse(refused(fault), line)
        except Exception as error:  # noqa: BLE001 - the one place where anything becomes a fault
            self.log.line("unexpected_error", operation=line.operation, call_id=line.call_id, kind=type(error).__name__)
            response = self._refuse(unforeseen(), line)
        finally:
            milliseconds = round((time.monotonic() - line.started) * 1000, 2)
            self._tell(line.service, line.operation, line.outcome, milliseconds, line.call_id, line.consumer)
        response.headers.update({CALL_ID: line.call_id, "Server": "metip"})
        return response

    def _refuse(self, refusal: Refusal, line: "_Line") -> web.Response:
        refusal.call_id = refusal.call_id or line.call_id
        line.outcome, line.call_id = refusal.reason, refusal.call_id
        return _document(refusal.document(), refusal.status)

    async def _answer(self, request: web.Request, line: "_Line") -> web.Response:
        consumer = self.consumers.of(_certificate(request))
        line.consumer = consumer.spiffe_id
        if request.path not in self._at:
            raise malformed("there is no service at this path", status=404)
        service, known = self._at[request.path]
        line.service = service.name
        if request.method == "GET" and request.query_string.lower() == "wsdl":
            return _document(description_of(service, tuple(known.values()), f"{self.address}{service.path}"))
        if request.method != "POST":
            raise malformed("a service is asked with POST, and described with GET at ?wsdl", status=405)
        self.gate.enter()
        taken: str | None = None
        try:
            self.gate.take(consumer.spiffe_id)
            taken = consumer.spiffe_id
            return await self._call(request, consumer, known, line)
        finally:
            self.gate.leave(taken)

    async def _call(self, request: web.Request, consumer: Consumer, known: Operations, line: "_Line") -> web.Response:
        body = await self._body(request)
        asked = read(body, request.headers.get("SOAPAction"), known)
        line.operation = asked.operation.contract
        seconds = _seconds(request.headers.get(TIME_LIMIT), self.calls.bound(line.operation)) - (time.monotonic() - line.started)
        if seconds <= 0:
            raise refused(Fault(Reason.TIMED_OUT, "time ran out"))
        trace = request.headers.get("traceparent", "")
        answer = await self.calls.ask(asked, consumer, seconds, trace if TRACEPARENT.fullmatch(trace) else "")
        line.call_id = answer.call_id or line.call_id
        return _document(envelope(element_of(asked.operation.answered, answer.record), *relating(asked.number)))

    async def _body(self, request: web.Request) -> bytes:
        """The body of a SOAP request. Raises `Refusal`."""
        if request.content_type != XML or (request.charset or "utf-8").lower() not in ("utf-8", "us-ascii"):
            raise malformed(f"a request is {XML} in UTF-8", status=415)
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise malformed("nothing compressed is read", status=415)
        try:
            async with asyncio.timeout(PATIENCE):
                return await request.read()
        except TimeoutError:
            raise malformed(f"the body was not there within {PATIENCE:g} s", status=408) from None
        except web.HTTPRequestEntityTooLarge:
            text = f"a request may have {self.largest} bytes"
            raise refused(Fault(Reason.TOO_LARGE, text), status=413) from None

    @asynccontextmanager
    async def listening(self, host: str, port: int, drain: float) -> AsyncIterator[str]:
        """Listens for the length of the block and gives the base URL. At its end those in progress have `drain` seconds."""
        tls = self.credentials.server if self.credentials else None
        async with http_listener(host, port, self.handle, largest=self.largest, tls=tls, patience=drain) as address:
            self.address = self.address or address
            try:
                yield address
            finally:
                self.gate.stopping = True

    @asynccontextmanager
    async def healthy(self, socket: Path) -> AsyncIterator[None]:
        """Answers `GET /health` on a unix socket of this user, for the length of the block."""

        async def health(_: web.Request) -> web.Response:
            state = "STOPPING" if self.gate.stopping else "SERVING"
            told = {"state": state, "address": self.address, "consumers": len(self.consumers), "in_flight": self.gate.inside}
            return web.Response(text=json.dumps(told), status=503 if self.gate.stopping else 200, content_type="application/json")

        application = web.Application()
        application.router.add_get("/health", health)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            socket.unlink(missing_ok=True)  # noqa: ASYNC240 - one system call, before anybody is served
            old = os.umask(0o177)
            try:
                await web.UnixSite(runner, socket).start()
            finally:
                os.umask(old)
            yield


@dataclass
class _Line:
    """What a request's log line says."""

    started: float
    service: str = ""
    operation: str = ""
    outcome: str = GONE
    consumer: str = ""
    call_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def _certificate(request: web.Request) -> bytes | None:
    """The client's certificate, as DER; None on a connection that has gone."""
    tls = request.transport.get_extra_info("ssl_object") if request.transport else None
    found: bytes | None = tls.getpeercert(binary_form=True) if tls is not None else None
    return found


def _seconds(said: str | None, most: float) -> float:
    """How long the consumer waits. Raises `Refusal` for what is no number of seconds."""
    if said is None:
        return most
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", said):
        raise malformed(f"{TIME_LIMIT} holds no number of seconds")
    return min(float(said), most)


def _document(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type=XML, charset="utf-8")
