"""The way to the database: XML documents over HTTP, and the one place where its errors become ours."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self, TypeVar

from adapters.footwear import codes, wire
from adapters.footwear.records import Answer, Done, Fetch, Found, Question, Refused, Search, Submit, Withdraw
from adapters.kit import Call, Fault, Limits, Passage, Reason
from adapters.kit.http import HttpClient
from metip.footwear.v1.settings_pb2 import Settings
from metip.logs import Log
from metip.settings import SettingsError

R = TypeVar("R", Done, Found)
FORCE = "01"
LONGEST_KEY = 200

FAULTS: Mapping[str, tuple[Reason, str]] = {
    codes.KEY_REFUSED: (Reason.UPSTREAM_UNAVAILABLE, "the database refused the force's key"),
    codes.UNKNOWN: (Reason.NO_TRACE, "the database holds no such impression"),
    codes.ANOTHER_CONTENT: (Reason.UPSTREAM_REFUSED, "another impression is held under this record number and version"),
    codes.UNREADABLE: (Reason.UPSTREAM_REFUSED, "the database could not read the scan"),
    codes.NOT_RECORDABLE: (Reason.UPSTREAM_REFUSED, "the database holds no impression without a recordable offence"),
    codes.BUSY: (Reason.BUSY, "the database takes no more at the moment"),
    codes.CLOSED: (Reason.UPSTREAM_UNAVAILABLE, "the database is closed for maintenance"),
    codes.MALFORMED: (Reason.UPSTREAM_FAULT, "the database could not read what the adapter sent"),
}
"""The database's codes (assumed), each with what the caller learns of it. Its own words stay behind: they may repeat what was sent."""
PATIENCE: Mapping[str, timedelta] = {codes.BUSY: timedelta(seconds=5), codes.CLOSED: timedelta(seconds=60)}
LATER_VERSION = frozenset({codes.SUPERSEDED, codes.WITHDRAWN})
"""A submitted version that a later one has overtaken is done with, and so is one that was withdrawn since."""


class Database:
    """Asks the database; every answer is a record, every refusal a `Fault`."""

    def __init__(self, http: HttpClient, settings: Settings) -> None:
        self._http = http
        self._force = settings.force or FORCE
        self._key_file = settings.key_file

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way to the database for the length of the block. Raises `SettingsError` when the key can't be read."""
        try:
            key(settings.key_file)
        except (OSError, ValueError) as error:
            plain = error.strerror or "unreadable" if isinstance(error, OSError) else str(error)
            raise SettingsError("key_file", (f"can't be used: {plain}",)) from None
        async with HttpClient.connected(Limits.of(settings.upstream), log) as http:
            yield cls(http, settings)

    async def submit(self, question: Submit, call: Call) -> None:
        """Holds an impression. Submitting a version again, or one that a later one has overtaken, changes nothing and is no error."""
        await self._ask(question, Done, call, passed_over=LATER_VERSION)

    async def withdraw(self, question: Withdraw, call: Call) -> None:
        """Deletes what is held under a reference, if anything is; it stays deleted for this version and those below."""
        await self._ask(question, Done, call, passed_over=frozenset({codes.UNKNOWN, *LATER_VERSION}))

    async def search(self, question: Search, call: Call) -> Found:
        """Impressions that fit. Raises `Fault` NO_TRACE when there is none."""
        return await self._find(question, call)

    async def fetch(self, question: Fetch, call: Call) -> Found:
        """One impression. Raises `Fault` NO_TRACE when there is none under that reference."""
        return await self._find(question, call)

    async def _find(self, question: Search | Fetch, call: Call) -> Found:
        found = await self._ask(question, Found, call)
        if found is None or not found.impressions:
            raise Fault(Reason.NO_TRACE, "the database holds no impression by that description")
        return found

    async def _ask(self, question: Question, kind: type[R], call: Call, passed_over: frozenset[str] = frozenset()) -> R | None:
        """The answer of that kind; None for a refusal that changes nothing for the asker."""
        try:
            data = wire.encode(question)
        except wire.WireError as error:
            raise Fault(Reason.INVALID_REQUEST, f"the database can't be sent every character: {error}") from None
        try:
            headers = {"Content-Type": wire.CONTENT_TYPE, "X-NFD-Force": self._force, "X-NFD-Key": key(self._key_file)}
        except (OSError, ValueError):
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the key to the database can't be read") from None
        async with self._http.guard.admit(call) as passage:
            answer = await self._exchange(question, data, headers, passage)
            if not isinstance(answer, (kind, Refused)):
                raise Fault(Reason.UPSTREAM_FAULT, "the database answered another question")
        # A refusal is an answer, a sign of life to the guard, so it is raised outside.
        if isinstance(answer, Refused):
            if answer.code in passed_over:
                return None
            raise _fault(answer)
        return answer

    async def _exchange(self, question: Question, data: bytes, headers: Mapping[str, str], passage: Passage) -> Question | Answer:
        answer = await self._http.exchange("POST", wire.path(question), passage, headers=headers, data=data)
        try:
            return wire.decode(answer.body)
        except wire.WireError as error:
            raise Fault(Reason.UPSTREAM_FAULT, f"the database answered HTTP {answer.status} and something unreadable: {error}") from None


def _fault(refused: Refused) -> Fault:
    reason, text = FAULTS.get(refused.code, (Reason.UPSTREAM_FAULT, "the database failed"))
    return Fault(reason, text, metadata={"code": refused.code[:20]}, retry_after=PATIENCE.get(refused.code))


def key(path: str) -> str:
    """The key in a file; empty without one. Raises `OSError`, and `ValueError` for what can't be a key."""
    if not path:
        return ""
    with Path(path).open(encoding="ascii") as file:
        found = file.read(LONGEST_KEY + 1).strip()
    if not found or len(found) > LONGEST_KEY or not found.isprintable():
        raise ValueError(f"must hold a key of at most {LONGEST_KEY} characters, and nothing else")
    return found
