"""Questions and answers as native records over SOAP: the same for every interface that is made of them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from adapters.kit.documents import Documents, WireError
from adapters.kit.refusals import Refusals
from adapters.kit.soap import Element, SoapClient
from metip.call import Call
from metip.faults import Fault, Reason

R = TypeVar("R")


class Asking:
    """Asks one SOAP endpoint; every answer is a record, every refusal a `Fault`. `action` gives the SOAP action of a question."""

    def __init__(self, soap: SoapClient, documents: Documents, path: str, action: Callable[[object], str], refusals: Refusals) -> None:
        self._soap, self._documents, self._path, self._action, self._refusals = soap, documents, path, action, refusals

    async def ask(self, question: object, kind: type[R], call: Call, *, headers: Sequence[object] = (), write_once: bool = False) -> R:
        """One question under header records, and the answer of that kind.

        Raises `Fault`: INVALID_REQUEST for a character that no document can hold; what the refusals say; and what `SoapClient` does.
        """
        with self._refusals.mapped(write_once=write_once):
            body, *above = self._written(question, *headers)
            answer = await self._soap.ask(self._path, self._action(question), body, call, headers=above, write_once=write_once)
            return self._documents.record_of(answer, kind)

    def _written(self, *records: object) -> list[Element]:
        try:
            return [self._documents.element_of(record) for record in records]
        except WireError as error:
            raise Fault(Reason.INVALID_REQUEST, f"{self._refusals.system} can't be sent every character: {error}") from None
