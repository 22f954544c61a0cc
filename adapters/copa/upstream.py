"""The way to COPA: SOAP over HTTP, and the one place where COPA's errors become ours.

The law of filing: COPA knows a result that comes again by its key, so filing may be repeated as often as need be. A file that somebody
changed between the reading and the filing is read again, a few times; after that the exchange comes again later.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Self, TypeVar

from adapters.copa import codes, records
from adapters.copa.wire import DOCUMENTS, PATH, action
from adapters.kit import Call, Fault, Limits, Reason
from adapters.kit.asking import Asking, Refusals
from adapters.kit.soap import SoapClient
from metip.copa.v1.settings_pb2 import Settings
from metip.logs import Log

R = TypeVar("R")

READINGS = 3
"""How often a file is read for one filing before its other users get some time."""
FAULTS: Mapping[str, tuple[Reason, str]] = {
    codes.ACCOUNT_REFUSED: (Reason.UPSTREAM_UNAVAILABLE, "COPA refused the adapter's account"),
    codes.URN_UNKNOWN: (Reason.NO_TRACE, "COPA has no case file of that reference"),
    codes.URN_USED: (Reason.ALREADY_EXISTS, "the reference has a case file"),
    codes.SUBMISSION_USED: (Reason.INVALID_REQUEST, "another case file was opened under this submission id"),
    codes.VERSION_CONFLICT: (Reason.CONFLICT, "somebody changed the case file in the meantime"),
    codes.CASE_LOCKED: (Reason.LOCKED, "somebody has the case file open"),
    codes.DEFENDANT_UNKNOWN: (Reason.PRECONDITION, "the case has no defendant of that arrest or summons"),
    codes.DEFENDANT_KNOWN: (Reason.PRECONDITION, "the case has a defendant of that arrest or summons"),
    codes.CASE_CLOSED: (Reason.PRECONDITION, "the case file is closed"),
    codes.READ_ONLY: (Reason.UPSTREAM_UNAVAILABLE, "COPA can only be read at the moment"),
    codes.MALFORMED: (Reason.UPSTREAM_FAULT, "COPA could not read what the adapter sent"),
}
"""COPA's codes (assumed), each with what the caller learns of it. COPA's own words stay behind: they name people."""
FIELDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    codes.SUBMISSION_USED: (("submission_id", "belongs to another case file"),),
}
PATIENCE: Mapping[str, timedelta] = {codes.CASE_LOCKED: timedelta(seconds=10), codes.READ_ONLY: timedelta(minutes=5)}
"""When to come again, where that helps (assumed)."""


class Copa:
    """Asks COPA; every answer is a record, every refusal a `Fault`."""

    def __init__(self, soap: SoapClient, account: str) -> None:
        refusals = Refusals("COPA", code="ErrorCode", meanings=FAULTS, fields=FIELDS, patience=PATIENCE, also=_other_version)
        self._asking = Asking(soap, DOCUMENTS, PATH, action, refusals)
        self.account = account

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way to COPA for the length of the block."""
        async with SoapClient.connected(Limits.of(settings.upstream), log) as soap:
            yield cls(soap, settings.account)

    async def get(self, urn: str, caller: records.Caller, call: Call) -> records.GetCaseReply:
        """One case file. Raises `Fault` NO_TRACE for a reference that has none."""
        return await self._ask(records.GetCase(urn=urn), records.GetCaseReply, caller, call)

    async def open(self, opening: records.OpenCase, caller: records.Caller, call: Call) -> records.OpenCaseReply:
        """Opens a case file, once for each submission however often it is sent."""
        return await self._ask(opening, records.OpenCaseReply, caller, call)

    async def amend(self, change: records.AmendCase, caller: records.Caller, call: Call) -> records.AmendCaseReply:
        """Changes a case file. A repeated change would meet another version, so a lost answer is IN_DOUBT."""
        return await self._ask(change, records.AmendCaseReply, caller, call, write_once=True)

    async def file(self, urn: str, result: records.Result, caller: records.Caller, call: Call) -> records.FileResultReply:
        """Files a court's result, once for each key. Raises `Fault` CONFLICT when the file changed under every reading."""
        for _ in range(READINGS - 1):
            try:
                return await self._file(urn, result, caller, call)
            except Fault as fault:
                if fault.reason is not Reason.CONFLICT:
                    raise
        return await self._file(urn, result, caller, call)

    async def _file(self, urn: str, result: records.Result, caller: records.Caller, call: Call) -> records.FileResultReply:
        case = (await self.get(urn, caller, call)).case
        return await self._ask(records.FileResult(urn=urn, version=case.version, result=result), records.FileResultReply, caller, call)

    async def _ask(self, question: object, kind: type[R], caller: records.Caller, call: Call, *, write_once: bool = False) -> R:
        return await self._asking.ask(question, kind, call, headers=(caller,), write_once=write_once)


def _other_version(code: str, detail: Mapping[str, str]) -> Mapping[str, str]:
    """The version that the file has by now."""
    version = detail.get("Version", "")
    return {"version": version} if code == codes.VERSION_CONFLICT and version.isdecimal() else {}
