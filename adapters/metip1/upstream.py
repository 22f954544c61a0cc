"""The way to the old bus: SOAP 1.1 over HTTPS with certificates both ways, and the one place where its faults become ours.

Each question names itself by WS-Addressing, under a number of its own, and says in the header which system asks, for whom and why. The
officer's token stays here: the bus is told a warrant number, as it always was, and nothing that it could use elsewhere.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

from google.protobuf.message import Message
from lxml import etree

from adapters.kit import Call, Fault, Limits, Reason
from adapters.kit.soap import Element, SoapClient, SoapFault
from adapters.kit.tls import Credentials
from adapters.metip1.faults import fault_of
from adapters.metip1.services import CONTEXT, SoapOperation, context_native
from adapters.metip1.translate import TranslationError
from adapters.metip1.wire import ADDRESSING, REQUESTER, Record, WireError, element_of, record_of
from metip.logs import Log
from metip.metip1.v1.settings_pb2 import Settings


class Bus:
    """The bus as this hub's own account reaches it. Every answer is a message, every refusal a `Fault`."""

    def __init__(self, soap: SoapClient, credentials: Credentials, settings: Settings) -> None:
        self._soap, self._credentials = soap, credentials
        self._account = settings.account or "METIP2"
        self._page = settings.page_size

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way for the length of the block. Raises `SettingsError` for an address or a file that can't be used."""
        credentials = Credentials.of(settings.tls, {"upstream.address": settings.upstream.address})
        async with SoapClient.connected(Limits.of(settings.upstream), log, tls=credentials.client) as soap:
            yield cls(soap, credentials, settings)

    async def ask(self, operation: SoapOperation, request: Any, call: Call) -> Any:
        """Asks the bus what a contract's operation asks, and gives the contract's response.

        Raises `Fault`: INVALID_REQUEST for what the bus can't be told; what its codes mean (`faults`); UPSTREAM_FAULT for an answer that
        nobody can read, IN_DOUBT where that answers a write that may not be repeated; and what `SoapClient` does.
        """
        headers, body = self._written(operation, request, call)
        self._credentials.refresh()
        path, once = operation.service.path, operation.write_once
        try:
            answer = await self._soap.ask(path, operation.action, body, call, headers=headers, write_once=once)
            return operation.answer_contract(record_of(operation.answered, answer))
        except SoapFault as said:
            raise fault_of(said, write_once=once) from None
        except (WireError, TranslationError) as error:
            raise Fault(Reason.IN_DOUBT if once else Reason.UPSTREAM_FAULT, f"the bus answered something else: {error}") from None

    def _written(self, operation: SoapOperation, request: Any, call: Call) -> tuple[list[Element], Element]:
        try:
            question = element_of(operation.asked, operation.ask_native(self._bounded(request)))
            why = element_of(CONTEXT, context_native(request.access))
            who = element_of(REQUESTER, self._requester(call))
        except (WireError, TranslationError) as error:
            raise Fault(Reason.INVALID_REQUEST, f"the bus can't be told everything: {error}") from None
        return [_addressed("MessageID", f"urn:uuid:{uuid4()}"), _addressed("Action", operation.action), who, why], question

    def _requester(self, call: Call) -> Record:
        said: Record = {"Account": self._account, "Transaction": call.handover.message_id if call.handover else call.id}
        if call.officer is not None:
            said |= {"UserId": call.officer.warrant_number, "Unit": call.officer.unit, "Role": list(call.officer.roles)}
        return said

    def _bounded(self, request: Any) -> Message:
        """The request, for no more records than a page has."""
        limit = getattr(request, "limit", None)
        if not self._page or limit is None or 0 < limit <= self._page:
            return request  # type: ignore[no-any-return]  # a message
        bounded: Message = type(request)()
        bounded.CopyFrom(request)
        bounded.limit = self._page  # type: ignore[attr-defined]  # as the request has one
        return bounded


def _addressed(name: str, text: str) -> Element:
    element = etree.Element(f"{{{ADDRESSING}}}{name}", nsmap={"wsa": ADDRESSING})
    element.text = text
    return element
