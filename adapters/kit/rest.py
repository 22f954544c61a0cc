"""REST as its standards have it: a token of one's own (RFC 6749, section 4.4), renewed in time, and time for who asks for it.

The law: nobody asks while the far system has said when it wants to be asked again (RFC 6585, section 4); a short while is waited for, a
long one is the caller's to wait. A token is used until shortly before it expires; one that is refused is replaced once.
"""

import asyncio
import json
import re
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote_plus

from adapters.kit.http import HttpAnswer, HttpClient
from adapters.kit.json_documents import DocumentError, decode, encode, record
from adapters.kit.upstream import Limits, Passage
from metip.call import Call
from metip.faults import Fault, Reason
from metip.logs import Log
from metip.settings import SettingsError

R = TypeVar("R")
PATIENCE = 1.5
"""Seconds that a call waits by itself when the far system asks for time."""
WHEN_IT_DOES_NOT_SAY = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=5)
"""Whatever a far system asks for, it is asked again after this."""
DONE = (200, 201)
MARGIN = 30.0
"""Seconds before its end at which a token is renewed, or half of its life if that is shorter."""
WHEN_ITS_LIFE_IS_NOT_SAID = 60
LONGEST_SECRET = 500
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, section 2.1."""


@record
class Refusal:
    """One thing that is wrong with a request; `pointer` says where (RFC 6901)."""

    pointer: str = ""
    detail: str = ""


@record
class Problem:
    """A problem document (RFC 9457). Its words may repeat what was asked, so they go nowhere; `type` is what counts."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    errors: tuple[Refusal, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the type, by which a system's problems are told apart."""
        return self.type.rpartition(":")[2].rpartition("/")[2]


P = TypeVar("P", bound=Problem)


class RefusedError(Exception, Generic[P]):
    """The far system answered with a problem; what that means is its adapter's to say."""

    def __init__(self, status: int, problem: P) -> None:
        self.status, self.problem = status, problem
        super().__init__(status)


@dataclass(frozen=True, kw_only=True, repr=False)
class Client:
    """Who asks, as the far system's authorisation server knows them. Without a secret file no secret is sent."""

    token_path: str
    client_id: str
    secret_file: str = ""


class RestClient(Generic[P]):
    """Asks one system, whose problems are of the kind `problem`."""

    def __init__(self, http: HttpClient, client: Client, problem: type[P], clock: Callable[[], float] = time.monotonic) -> None:
        self.guard = http.guard
        self._http, self._client, self._problem, self._clock = http, client, problem, clock
        self._token, self._renew_at = "", 0.0
        self._renewing = asyncio.Lock()
        self._not_before = 0.0

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, limits: Limits, log: Log, client: Client, problem: type[P], *, authority_file: str = ""
    ) -> AsyncIterator[Self]:
        """A client for the length of the block. Raises `SettingsError` for a secret or an authority that can't be read."""
        try:
            read_secret(client.secret_file)
        except (OSError, ValueError):
            raise SettingsError("client_secret_file", (f"must hold a secret of at most {LONGEST_SECRET} characters",)) from None
        async with HttpClient.connected(limits, log, authority_file=authority_file) as http:
            yield cls(http, client, problem)

    async def document(
        self,
        kind: type[R],
        method: str,
        path: str,
        call: Call,
        *,
        headers: Mapping[str, str],
        body: object = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[R, Mapping[str, str]]:
        """The document that answers one, of that kind, and the headers with it.

        Raises `RefusedError` with the problem that is answered instead, and `Fault`: UPSTREAM_FAULT for what is neither,
        UPSTREAM_UNAVAILABLE when no token is to be had, BUSY when the far system asks for more time than the call has, and what
        `HttpClient.exchange` raises.
        """
        sent = {"Accept": "application/json, application/problem+json", "Content-Type": "application/json", **headers}
        try:
            data = b"" if body is None else encode(body)
        except DocumentError as error:
            raise Fault(Reason.INVALID_REQUEST, f"it can't be sent: {error}") from None
        for _ in range(2):
            await self._turn(call)
            async with self.guard.admit(call) as passage:
                answer = await self._exchange(method, path, passage, sent, data, query)
                found = self._read(kind, answer) if answer.status != 429 else None
            # A refusal is an answer, a sign of life to the guard, so it is raised outside.
            if found is not None and answer.status in DONE:
                return found, answer.headers
            if found is not None:
                raise RefusedError(answer.status, found)
            wait = min(answer.retry_after or WHEN_IT_DOES_NOT_SAY, LONGEST_WAIT)
            self._not_before = max(self._not_before, self._clock() + wait.total_seconds())
        raise Fault(Reason.BUSY, "the far system asks for more time", retry_after=wait)

    def _read(self, kind: type[Any], answer: HttpAnswer) -> Any:
        try:
            return decode(kind if answer.status in DONE else self._problem, answer.body)
        except DocumentError as error:
            raise Fault(Reason.UPSTREAM_FAULT, f"the far system answered HTTP {answer.status} and something else: {error}") from None

    async def _turn(self, call: Call) -> None:
        """Waits while the far system wants to be left alone, if that is not long."""
        left = self._not_before - self._clock()
        if left > min(PATIENCE, call.remaining / 2):
            raise Fault(Reason.BUSY, "the far system asks for more time", retry_after=timedelta(seconds=left))
        if left > 0:
            await asyncio.sleep(left)

    async def _exchange(
        self, method: str, path: str, passage: Passage, headers: Mapping[str, str], data: bytes, query: Mapping[str, str] | None
    ) -> HttpAnswer:
        for _ in range(2):
            token = await self._current(passage)
            sent = {**headers, "Authorization": f"Bearer {token}"}
            answer = await self._http.exchange(method, path, passage, headers=sent, data=data, query=query)
            if answer.status != 401:
                return answer
            if token == self._token:
                self._token = ""
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the far system refused a token that it had just given", metadata={"code": "401"})

    async def _current(self, passage: Passage) -> str:
        """A token that has not expired; whoever comes while one is fetched waits for that one."""
        async with self._renewing:
            if not self._token or self._clock() >= self._renew_at:
                self._token, life = await self._fetched(passage)
                self._renew_at = self._clock() + max(life - MARGIN, life / 2)
            return self._token

    async def _fetched(self, passage: Passage) -> tuple[str, int]:
        try:
            secret = read_secret(self._client.secret_file)
        except (OSError, ValueError):
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the client's secret can't be read") from None
        # RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
        basic = b64encode(f"{quote_plus(self._client.client_id)}:{quote_plus(secret)}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        path, form = self._client.token_path, b"grant_type=client_credentials"
        answer = await self._http.exchange("POST", path, passage, headers=headers, data=form)
        if answer.status in (400, 401, 403):
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the far system gives this client no token", metadata={"code": str(answer.status)})
        token = _token(answer.body) if answer.status == 200 else None
        if token is None:
            raise Fault(Reason.UPSTREAM_FAULT, f"the far system answered HTTP {answer.status} and no token")
        return token


def _token(body: bytes) -> tuple[str, int] | None:
    """A bearer token and its life in seconds (RFC 6749, section 5.1); None for anything else."""
    with suppress(ValueError, RecursionError):
        match json.loads(body):
            case {"access_token": str(token), "token_type": str(kind), **rest} if kind.lower() == "bearer" and _TOKEN.fullmatch(token):
                life = rest.get("expires_in")
                return token, life if isinstance(life, int) and 0 < life < 10**6 else WHEN_ITS_LIFE_IS_NOT_SAID
    return None


def read_secret(path: str) -> str:
    """The secret in a file; empty without one. Raises `OSError`, and `ValueError` for what can't be a secret."""
    if not path:
        return ""
    with Path(path).open(encoding="ascii") as file:
        found = file.read(LONGEST_SECRET + 2).strip()
    if not found or len(found) > LONGEST_SECRET or not found.isprintable():
        raise ValueError("no secret")
    return found
