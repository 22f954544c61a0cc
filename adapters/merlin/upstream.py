"""The way to Merlin: SOAP over HTTP under a session's ticket, and the one place where Merlin's errors become ours."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Self, TypeVar

from adapters.kit import Call, Fault, Limits, Reason
from adapters.kit.asking import Asking, Refusals
from adapters.kit.soap import SoapClient
from adapters.merlin import codes, records
from adapters.merlin.tickets import Tickets, credentials
from adapters.merlin.wire import DOCUMENTS, PATH, action
from metip.logs import Log
from metip.merlin.v1.settings_pb2 import Settings
from metip.settings import SettingsError

R = TypeVar("R")

FAULTS: Mapping[str, tuple[Reason, str]] = {
    codes.SESSION_EXPIRED: (Reason.UPSTREAM_UNAVAILABLE, "Merlin ended the session again right after a logon"),
    codes.LOGON_REFUSED: (Reason.UPSTREAM_UNAVAILABLE, "Merlin refused the adapter's logon"),
    codes.REFERENCE_UNKNOWN: (Reason.NO_TRACE, "Merlin knows no such report"),
    codes.EPISODE_OPEN: (Reason.ALREADY_EXISTS, "the person is already reported missing"),
    codes.SUBMISSION_USED: (Reason.INVALID_REQUEST, "another report was raised under this submission id"),
    codes.STEP_NOT_ALLOWED: (Reason.PRECONDITION, "the step does not follow from the report's status"),
    codes.RISK_DOWNGRADE: (Reason.UPSTREAM_REFUSED, "the risk is lowered by a supervisor only"),
    codes.NO_LEGAL_BASIS: (Reason.UPSTREAM_REFUSED, "nothing is shared with partners without a legal basis"),
    codes.OUTBOX_FULL: (Reason.BUSY, "the outbox for partners is full"),
    codes.MALFORMED: (Reason.UPSTREAM_FAULT, "Merlin could not read what the adapter sent"),
}
"""Merlin's codes (assumed), each with what the caller learns of it. Merlin's own words stay behind: they may name people."""
FIELDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    codes.SUBMISSION_USED: (("submission_id", "belongs to another report"),),
}
PATIENCE: Mapping[str, timedelta] = {codes.OUTBOX_FULL: timedelta(seconds=30)}
"""When to come again, where that helps (assumed)."""


class Merlin:
    """Asks Merlin; every answer is a record, every refusal a `Fault`."""

    def __init__(self, soap: SoapClient, credentials_file: str) -> None:
        refusals = Refusals("Merlin", code="code", meanings=FAULTS, fields=FIELDS, patience=PATIENCE, also=_open_episode)
        self._asking = Asking(soap, DOCUMENTS, PATH, action, refusals)
        self._credentials_file = credentials_file
        self._tickets = Tickets(self._log_on)

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way to Merlin for the length of the block. Raises `SettingsError` when the credentials can't be read."""
        try:
            credentials(settings.credentials_file)
        except (OSError, ValueError) as error:
            raise SettingsError("credentials_file", (f"can't be used: {_plain(error)}",)) from None
        async with SoapClient.connected(Limits.of(settings.upstream), log) as soap:
            yield cls(soap, settings.credentials_file)

    async def find(self, criteria: records.Find, asker: records.Asker, call: Call) -> records.Found:
        """Reports that fit. Raises `Fault` NO_TRACE when there is none."""
        found = await self._ask(criteria, records.Found, asker, call)
        if not found.reports:
            raise Fault(Reason.NO_TRACE, "Merlin has no report of anybody by that description")
        return found

    async def fetch(self, reference: str, asker: records.Asker, call: Call) -> records.Fetched:
        """One report. Raises `Fault` NO_TRACE when the asker can know of none by that reference."""
        return await self._ask(records.Fetch(reference=reference), records.Fetched, asker, call)

    async def submit(self, submission: records.Raise, asker: records.Asker, call: Call) -> records.Raised:
        """Raises a report, once for each submission id however often it is sent."""
        return await self._ask(submission, records.Raised, asker, call)

    async def amend(self, change: records.Amend, asker: records.Asker, call: Call) -> records.Amended:
        """Changes a report. Merlin does not know a repeated change for one, so a lost answer is IN_DOUBT."""
        return await self._ask(change, records.Amended, asker, call, write_once=True)

    async def _ask(self, question: object, kind: type[R], asker: records.Asker, call: Call, *, write_once: bool = False) -> R:
        """One question under a session. Merlin ends sessions when it likes, and does nothing for one that has ended, so the question is put
        once more under a new one: even a change, which that answer proves was not made."""
        ticket = await self._tickets.current(call)
        try:
            return await self._asking.ask(question, kind, call, headers=(records.Session(ticket=ticket), asker), write_once=write_once)
        except Fault as fault:
            if fault.metadata.get("code") != codes.SESSION_EXPIRED:
                raise
        ticket = await self._tickets.instead_of(ticket, call)
        return await self._asking.ask(question, kind, call, headers=(records.Session(ticket=ticket), asker), write_once=write_once)

    async def _log_on(self, call: Call) -> records.Ticket:
        try:
            logon = credentials(self._credentials_file)
        except (OSError, ValueError):
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the credentials for Merlin can't be read") from None
        return await self._asking.ask(logon, records.Ticket, call)


def _open_episode(code: str, detail: Mapping[str, str]) -> Mapping[str, str]:
    """The report under which somebody is missing already."""
    return {"merlin_reference": detail["reference"]} if code == codes.EPISODE_OPEN and detail.get("reference") else {}


def _plain(error: Exception) -> str:
    """What went wrong with a file, without its name."""
    return error.strerror or "unreadable" if isinstance(error, OSError) else str(error)
