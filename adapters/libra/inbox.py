"""What the CJS Exchange delivers: results, which are published, and the courts' answers to cases, which are reported as outcomes.

The law: a delivery is acknowledged only when nothing can be lost any more, that is when the message exchange gave a receipt for every case
in it, or has the outcome on disk. Whatever stands against that is answered with a code after which the sender keeps it: 200 to send it
again, any other for a document that nobody here can take.
"""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import grpc

from adapters.kit.binding import WireError
from adapters.kit.http import HttpAnswer
from adapters.kit.outcomes import Outcomes
from adapters.kit.publishing import Publish
from adapters.kit.soap import envelope, fault_envelope
from adapters.libra import codes, envelopes, translate
from adapters.libra.results import ResultedCases
from adapters.libra.wire import decode_text, element_of, encode, opened
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.logs import Log

PATIENCE = 20.0
"""Seconds that a sender waits for its answer; a message that the exchange does not take in this time comes again."""
AT_ONCE = 16
"""Deliveries in progress; one more is told to come again."""


class Inbox:
    """Takes documents of the CJS Exchange, however they come."""

    def __init__(self, log: Log, publish: Publish | None, outcomes: Outcomes | None) -> None:
        self._log = log
        self._publish = publish
        self._outcomes = outcomes
        self._taking = 0

    async def take(self, document: object) -> int:
        """Takes a document, and gives the response code for its sender."""
        if self._taking >= AT_ONCE:
            return 200
        self._taking += 1
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._taken(document)
        except TimeoutError:
            return 200
        except WireError as error:
            self._log.line("delivery_refused", problem=str(error))
            return codes.UNUSABLE_DATA
        except grpc.aio.AioRpcError as error:
            self._log.line("delivery_refused", status=error.code().name)
            return codes.UNUSABLE_DATA
        finally:
            self._taking -= 1

    async def _taken(self, document: object) -> int:
        match document:
            case envelopes.SubmitRequest():
                return await self._taken(decode_text(document.message))
            case envelopes.RouteDataResp():
                return await self._report(document)
            case envelopes.DeliverRequest():
                payload = decode_text(document.message)
                if isinstance(payload, ResultedCases):
                    return await self._publish_all(translate.delivered(document, payload))
                return await self._taken(payload)
            case envelopes.RouteData():
                payload = decode_text(document.stream.content if document.stream else "")
                if isinstance(payload, ResultedCases):
                    return await self._publish_all(translate.routed(document, payload))
            case ResultedCases():
                return await self._publish_all(translate.results(document))
        return codes.DISALLOWED_TYPE

    async def _publish_all(self, results: list[PublishResultRequest]) -> int:
        if not results:
            raise WireError("Session", "holds no case")
        if self._publish is None:
            return 200
        for result in results:
            await self._publish(result)
        return codes.SUCCESS

    async def _report(self, answer: envelopes.RouteDataResp) -> int:
        """Tells the exchange what became of a case. Refused is a case that one of its routes refused; one that is only late has no outcome
        yet."""
        if self._outcomes is None:
            return 200
        found = [status.code for status in answer.statuses if status.code is not None]
        message_id = _uuid(answer.receiver.correlation_id if answer.receiver else "")
        if not message_id or not found:
            raise WireError("RouteDataResp", "names no case of ours, or says nothing of it")
        refused = [code for code in found if code not in codes.TAKEN | codes.RETRY]
        if refused:
            known = await self._outcomes.refused(message_id, str(refused[0]))
        elif any(code in codes.RETRY for code in found):
            return codes.SUCCESS
        else:
            known = await self._outcomes.processed(message_id)
        if not known:
            self._log.line("outcome_of_no_message", message_id=message_id)
        return codes.SUCCESS


class Door:
    """What an inbox answers to documents; it speaks SOAP to who speaks SOAP, and plain documents to others."""

    def __init__(self, inbox: Inbox, log: Log) -> None:
        self._inbox = inbox
        self._log = log

    async def answer(self, document: bytes) -> HttpAnswer:
        """Takes one document and gives the one that answers it."""
        try:
            found, enveloped = opened(document)
        except WireError as error:
            self._log.line("delivery_refused", problem=str(error))
            return HttpAnswer(500, fault_envelope("Client", str(error)))
        reply = await self._reply(found)
        return HttpAnswer(200, envelope(element_of(reply)) if enveloped else encode(reply))

    async def _reply(self, document: object) -> object:
        if isinstance(document, envelopes.RetrieveRequest):
            code = codes.RETRIEVE_NOT_AVAILABLE
            text, now = "RetrieveNotAvailable", datetime.now(UTC)
            return envelopes.RetrieveResponse(request_id=document.request_id, code=code, text=text, last=now)
        code = await self._inbox.take(document)
        if isinstance(document, envelopes.DeliverRequest):
            return envelopes.DeliverResponse(message_id=document.message_id, code=code)
        request_id = document.request_id if isinstance(document, envelopes.SubmitRequest) else "none"
        return envelopes.SubmitResponse(request_id=request_id, code=code, text=codes.TEXTS.get(code, ""))


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
