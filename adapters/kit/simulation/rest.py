"""What REST systems have in common, for simulators of them: tokens, problem documents, being asked to wait, commands that are done once."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.kit.json_documents import DocumentError, decode, encode
from adapters.kit.simulation.dials import Dials
from adapters.kit.simulation.transport import HttpReply, HttpRequest

Tree = dict[str, Any]
REST_DIALS: Mapping[str, str] = {
    "client_refused": "gives the client no token",
    "token_forgotten": "no longer knows the token that is shown, as after a restart",
    "rate_limited": "asks for so many seconds (429 with Retry-After); 1 when nothing is set",
    "release": "is down for a release of its vendor (503 with Retry-After), for so many seconds; 600 when nothing is set",
    "error": "fails with a problem of its own (500)",
}
"""Dials of every simulator of this kind."""
PROBLEMS = (("release", 503, "600"), ("rate_limited", 429, "1"), ("error", 500, ""))
WORDS = "As PC TEST saw it."
"""Stands in each problem, for tests that look where words of the far system go."""


@dataclass
class Refusal(Exception):
    """A problem that is answered instead; `more` are members of the system's own."""

    status: int
    type: str
    more: Tree = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class RestFace:
    """Answers requests: tokens by itself, all else by `answer`, which is given the request and its document."""

    def __init__(self, dials: Dials, token_path: str, urn: str, answer: Callable[[HttpRequest, Tree], HttpReply], life: int = 300) -> None:
        self._dials, self._token_path, self._urn, self._answer, self._life = dials, token_path, urn, answer, life
        self._tokens: dict[str, float] = {}
        self._done: dict[str, tuple[bytes, Tree]] = {}

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one request."""
        try:
            return self._token(request) if request.path == self._token_path else self._admitted(request)
        except Refusal as refusal:
            said = {"type": f"{self._urn}:{refusal.type}", "status": refusal.status, "detail": WORDS, **refusal.more}
            return HttpReply(encode(said), refusal.status, "application/problem+json", refusal.headers)

    def once(self, key: str, said: bytes, do: Callable[[], Tree]) -> tuple[Tree, bool]:
        """Does it once for each key; whether it had been done before. Raises `Refusal` for another content under a key."""
        if key in self._done:
            if self._done[key][0] != said:
                raise Refusal(422, "key-reused")
            return self._done[key][1], True
        self._done[key] = (said, do())
        return self._done[key][1], False

    def _token(self, request: HttpRequest) -> HttpReply:
        self._dials.exchanges["token"] += 1
        if self._dials.strike("client_refused") is not None or request.body != b"grant_type=client_credentials":
            return reply({"error": "invalid_client"}, 401)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.monotonic() + self._life
        return reply({"access_token": token, "token_type": "Bearer", "expires_in": self._life})

    def _admitted(self, request: HttpRequest) -> HttpReply:
        if self._dials.strike("token_forgotten") is not None:
            self._tokens.clear()
        if self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "), 0.0) < time.monotonic():
            raise Refusal(401, "token")
        for dial, status, wait in PROBLEMS:
            if (setting := self._dials.strike(dial)) is not None:
                raise Refusal(status, dial, {}, {"Retry-After": setting or wait} if wait else {})
        try:
            return self._answer(request, decode(dict, request.body) if request.body else {})
        except DocumentError:
            raise Refusal(400, "malformed") from None


def reply(said: object, status: int = 200, **headers: str) -> HttpReply:
    """A document as a reply; `ETag` and the like are named with underscores for hyphens."""
    return HttpReply(encode(said), status, "application/json", {name.replace("_", "-"): value for name, value in headers.items() if value})
