"""The way to the vehicle register's enquiry service: JSON over HTTP under a key, and the one place where its errors become ours."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Self

from adapters.ivma import wire
from adapters.ivma.records import Enquiry, Refused, Vehicle
from adapters.kit import Call, Fault, Limits, Reason
from adapters.kit.http import HttpAnswer, HttpClient
from adapters.kit.rest import read_secret
from metip.ivma.v1.settings_pb2 import Settings
from metip.logs import Log
from metip.settings import SettingsError

PAUSE = timedelta(seconds=1)  # how long the service is left alone that has had too many requests and does not say (assumed)
FAULTS: Mapping[int, tuple[Reason, str]] = {
    400: (Reason.UPSTREAM_REFUSED, "the register refused the form of the mark"),
    403: (Reason.UPSTREAM_UNAVAILABLE, "the register refused the key"),
    429: (Reason.BUSY, "the register has had too many requests under this key"),
}
"""Its HTTP status to the reason and the words that callers get. Its own words stay behind: they may repeat the mark."""


class Register:
    """Asks the enquiry service; every answer is a record, every refusal a `Fault`."""

    def __init__(self, http: HttpClient, key_file: str) -> None:
        self._http = http
        self._key_file = key_file
        self._not_before = 0.0

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way to the service for the length of the block. Raises `SettingsError` when the key can't be read."""
        try:
            read_secret(settings.key_file)
        except (OSError, ValueError):
            raise SettingsError("key_file", ("can't be used: it must hold a key, and nothing else",)) from None
        async with HttpClient.connected(Limits.of(settings.upstream), log) as http:
            yield cls(http, settings.key_file)

    async def vehicle(self, enquiry: Enquiry, call: Call) -> Vehicle | None:
        """The vehicle that bears the mark; None when the register knows none. Raises `Fault`."""
        if time.monotonic() < self._not_before:
            raise Fault(Reason.BUSY, "the register has had too many requests under this key", retry_after=PAUSE)
        try:
            headers = {"Content-Type": wire.CONTENT_TYPE, "Accept": wire.CONTENT_TYPE, "x-api-key": read_secret(self._key_file)}
        except (OSError, ValueError):
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the key to the register can't be read") from None
        async with self._http.guard.admit(call) as passage:
            answer = await self._http.exchange("POST", wire.PATH, passage, headers=headers, data=wire.encode(enquiry))
            found = _read(answer, enquiry)
        # A refusal is an answer, a sign of life to the guard, so it is raised outside.
        if isinstance(found, Fault):
            if found.retry_after is not None:
                self._not_before = time.monotonic() + found.retry_after.total_seconds()
            raise found
        return found


def _read(answer: HttpAnswer, enquiry: Enquiry) -> Vehicle | Fault | None:
    """The vehicle, None for no trace, or the refusal. Raises `Fault` UPSTREAM_FAULT for what makes no sense.

    Only the service itself can say that there is no such vehicle: a bare 404 comes from something that stands where it should be.
    """
    try:
        said = wire.decode(answer.body)
    except wire.WireError:
        said = Refused(message="unreadable")
    if answer.status == 200 and isinstance(said, Vehicle) and said.registration_number == enquiry.registration_number:
        return said
    code = said.errors[0].code or said.errors[0].status if isinstance(said, Refused) and said.errors else ""
    if answer.status == 404 and isinstance(said, Refused) and any(one.status == "404" for one in said.errors):
        return None
    if answer.status in FAULTS:
        reason, text = FAULTS[answer.status]
        wait = (answer.retry_after or PAUSE) if reason is Reason.BUSY else None
        return Fault(reason, text, metadata={"code": code or str(answer.status)}, retry_after=wait)
    raise Fault(Reason.UPSTREAM_FAULT, f"the register answered HTTP {answer.status}, which makes no sense here", metadata={"code": code})
