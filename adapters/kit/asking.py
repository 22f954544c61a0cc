"""Questions and answers as native records over SOAP, the same for every interface that is made of them; and what a far system says instead
of an answer, as faults: one table for its codes, and one law for everything that no table has.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from adapters.kit.binding import Documents, WireError
from adapters.kit.soap import Element, SoapClient, SoapFault
from metip.call import Call
from metip.faults import Fault, Reason

R = TypeVar("R")


@dataclass(frozen=True)
class Refusals:
    """The refusals of one far system. Its own words stay behind: they may name people."""

    system: str
    """What texts call it."""
    code: str = ""
    """Entry of a SOAP fault's detail that has the system's code; empty where only the fault itself has one."""
    meanings: Mapping[str, tuple[Reason, str]] = field(default_factory=dict)
    """What the caller learns of each code."""
    fields: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Fields of the request that a code is about, each with what is wrong."""
    patience: Mapping[str, timedelta] = field(default_factory=dict)
    """When to come again, where that helps."""
    also: Callable[[str, Mapping[str, str]], Mapping[str, str]] = lambda code, detail: {}
    """More that a code's detail has for the caller, as metadata."""

    @contextmanager
    def mapped(self, *, write_once: bool = False) -> Iterator[None]:
        """Turns what the system says into `Fault`, with its code in the metadata.

        An answer that nobody can read, or an error on its side that no table has, leaves open whether a `write_once` change was made; so
        that is IN_DOUBT.
        """
        try:
            yield
        except SoapFault as said:
            raise self.fault(said, write_once=write_once) from None
        except WireError as error:
            reason = Reason.IN_DOUBT if write_once else Reason.UPSTREAM_FAULT
            raise Fault(reason, f"{self.system} answered something unreadable: {error}") from None

    def fault(self, said: SoapFault, *, write_once: bool = False) -> Fault:
        """The fault for one SOAP fault."""
        code = said.detail.get(self.code, "") if self.code else said.code
        if code in self.meanings:
            reason, text = self.meanings[code]
        elif said.code == "Client":
            reason, text = Reason.UPSTREAM_REFUSED, f"{self.system} refused"
        else:
            reason, text = Reason.IN_DOUBT if write_once else Reason.UPSTREAM_FAULT, f"{self.system} failed"
        metadata = {"code": code, **self.also(code, said.detail)}
        return Fault(reason, text, metadata=metadata, fields=self.fields.get(code, ()), retry_after=self.patience.get(code))


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
