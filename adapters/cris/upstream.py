"""The way to CRIS: its five documents over SOAP, and the one place where its errors become faults.

The law: an officer without a need to know is told the same, to the letter, of a restricted report and of a number that no report has.
CRIS itself decides so before it looks; should a release of it tell the two apart, `fault_of` still does not.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import TypeVar

from adapters.cris import records, wire
from adapters.cris.codes import ENCODING, FIELDS, MAINTENANCE_MINUTES, PATH, PROBLEMS, Code
from adapters.kit.soap import SoapClient, SoapFault
from adapters.kit.upstream import Limits
from metip.call import Call
from metip.cris.v1.settings_pb2 import Settings
from metip.faults import Fault, Reason
from metip.logs import Log

T = TypeVar("T")
SESSION_FREE_IN = timedelta(seconds=2)

MEANINGS: Mapping[Code, tuple[Reason, str]] = MappingProxyType(
    {
        Code.UNKNOWN_REF: (Reason.NO_TRACE, "no report has that number"),
        Code.RESTRICTED: (Reason.RESTRICTED, "no report of that number is open to this officer"),
        Code.VERSION_CONFLICT: (Reason.CONFLICT, "the report has another version by now"),
        Code.LOCKED: (Reason.LOCKED, "somebody has the report open for change"),
        Code.CLOSED: (Reason.PRECONDITION, "the report is closed"),
        Code.INVALID: (Reason.INVALID_REQUEST, "the far system refused fields"),
        Code.RETIRED_CLASS: (Reason.INVALID_REQUEST, "that classification is retired"),
        Code.REUSED_REF: (Reason.INVALID_REQUEST, "that client reference was used for another report"),
        Code.MAINTENANCE: (Reason.UPSTREAM_UNAVAILABLE, "the far system is in its nightly maintenance"),
        Code.SESSION_LIMIT: (Reason.BUSY, "the far system has no session free"),
        Code.INTERNAL: (Reason.UPSTREAM_FAULT, "the far system failed"),
    }
)
"""CRIS's code to the reason and the words that callers get."""


class Cris:
    """CRIS as this interface's own account reaches it. Every method raises `Fault` and nothing else."""

    def __init__(self, soap: SoapClient) -> None:
        self._soap = soap

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> "AsyncIterator[Cris]":
        """CRIS for the length of the block."""
        async with SoapClient.connected(Limits.of(settings.upstream), log, encoding=ENCODING) as soap:
            yield cls(soap)

    async def search(self, asked: records.Search, call: Call) -> records.Found:
        """Finds reports; what the officer may not see is neither among them nor counted."""
        return await self._ask(asked, records.Found, call)

    async def get(self, asked: records.Get, call: Call) -> records.Given:
        """Gives one report."""
        return await self._ask(asked, records.Given, call)

    async def create(self, asked: records.Create, call: Call) -> records.Created:
        """Records a crime; CRIS does so once for each client reference, so that this may be repeated."""
        return await self._ask(asked, records.Created, call)

    async def add_det(self, asked: records.AddDet, call: Call) -> records.Added:
        """Adds an entry; CRIS adds it again when asked again."""
        return await self._ask(asked, records.Added, call, write_once=True)

    async def update(self, asked: records.Update, call: Call) -> records.Updated:
        """Changes a report."""
        return await self._ask(asked, records.Updated, call, write_once=True)

    async def _ask(self, asked: records.Question, answer: type[T], call: Call, *, write_once: bool = False) -> T:
        with map_upstream(need_to_know=asked.requestor.need_to_know, write_once=write_once):
            reply = await self._soap.ask(PATH, wire.action(type(asked)), wire.write(asked), call, write_once=write_once)
            return wire.read(answer, reply)


@contextmanager
def map_upstream(*, need_to_know: bool, write_once: bool) -> Iterator[None]:
    """Turns what CRIS says instead of an answer into a fault; nothing that it said in words gets through."""
    try:
        yield
    except SoapFault as said:
        fault = fault_of(said.detail, need_to_know=need_to_know)
    except wire.WireError as error:
        fault = Fault(Reason.UPSTREAM_FAULT, f"the far system answered something else: {error}")
    else:
        return
    if write_once and fault.reason is Reason.UPSTREAM_FAULT:
        fault = Fault(Reason.IN_DOUBT, f"it was sent, and then: {fault.text}", metadata=fault.metadata)
    raise fault


def fault_of(detail: Mapping[str, str], *, need_to_know: bool) -> Fault:
    """The fault for the detail of a SOAP fault: `CODE`, `ERRORS` (lines of field and problem) and `RETRY_MINUTES`."""
    said = detail.get("CODE", "")
    try:
        code = Code(said)
    except ValueError:
        shown = said if re.fullmatch(r"[A-Z0-9-]{1,12}", said) else "none"
        return Fault(Reason.UPSTREAM_REFUSED, "the far system refused with a code of no known meaning", metadata={"code": shown})
    if code is Code.UNKNOWN_REF and not need_to_know:
        code = Code.RESTRICTED
    reason, text = MEANINGS[code]
    return Fault(reason, text, {"code": code.value}, _fields(code, detail), _retry_after(code, detail))


def _fields(code: Code, detail: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Paths in the contract, without the places in lists, and what is wrong there. An unknown field shows by no name."""
    if code not in (Code.INVALID, Code.RETIRED_CLASS, Code.REUSED_REF):
        return ()
    found = []
    for line in detail.get("ERRORS", "").splitlines():
        field, _, problem = line.partition("|")
        path = FIELDS.get(re.sub(r"\[[0-9]+\]", "", field), "")
        found.append((path, next((words for known, words in PROBLEMS.items() if known == problem), MEANINGS[code][1])))
    return tuple(dict.fromkeys(found))


def _retry_after(code: Code, detail: Mapping[str, str]) -> timedelta | None:
    if code is Code.SESSION_LIMIT:
        return SESSION_FREE_IN
    if code is not Code.MAINTENANCE:
        return None
    minutes = detail.get("RETRY_MINUTES", "")
    return timedelta(minutes=int(minutes) if re.fullmatch(r"[0-9]{1,3}", minutes) else MAINTENANCE_MINUTES)
