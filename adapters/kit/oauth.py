"""Access tokens by client assertion: a signed statement of who the client is, in exchange for a bearer token (RFC 7523 section 2.2).

The law: a token is fetched when it is needed, by one caller for all, and renewed before it ends; what a service that gives no token says is
told to nobody, since nothing has been asked of the far system yet.
"""

import asyncio
import hashlib
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.kit.http import HttpClient
from adapters.kit.keys import KeyPair
from adapters.kit.shapes import Shape, ShapeError, decode
from metip.call import Call
from metip.faults import Fault, Reason

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE: Final = 60
SPARE: Final = 300.0
"""Seconds before its end at which a token is renewed, or half of its life where that is shorter."""
TOKEN: Final = Shape({"access_token": str}, {"expires_in": int, "token_type": str})


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, and for what."""

    id: str
    audience: str
    scope: str = ""
    shows_certificate: bool = False
    """Whether the certificate itself goes with the assertion, beside its thumbprint; for a service that has never seen it."""


def assertion(client: Client, pair: KeyPair, *, now: float) -> str:
    """The signed statement: RS256, with the certificate's thumbprint in `x5t` (RFC 7515 section 4.1.7)."""
    der = pair.certificate.public_bytes(Encoding.DER)
    thumbprint = hashlib.sha1(der, usedforsecurity=False).digest()
    headers: dict[str, object] = {"x5t": urlsafe_b64encode(thumbprint).decode().rstrip("=")}
    if client.shows_certificate:
        headers["x5c"] = [b64encode(der).decode()]
    claims = {"iss": client.id, "sub": client.id, "aud": client.audience, "jti": str(uuid4()), "iat": int(now), "nbf": int(now)}
    return jwt.encode({**claims, "exp": int(now) + ASSERTION_LIFE}, pair.key, algorithm="RS256", headers=headers)


class Tokens:
    """Bearer tokens from one token URL, which is the base URL of `http`."""

    def __init__(self, http: HttpClient, client: Client, pair: Callable[[], KeyPair]) -> None:
        """`pair` gives the key, which may be read from files anew; what it raises (`OSError`, `ValueError`) is UPSTREAM_UNAVAILABLE."""
        self._http, self._client, self._pair = http, client, pair
        self._turn = asyncio.Lock()
        self._token, self._renew_at = "", 0.0

    async def bearer(self, call: Call) -> str:
        """A token that is good now. Raises `Fault`: UPSTREAM_UNAVAILABLE, BUSY, CIRCUIT_OPEN, TIMED_OUT."""
        async with self._turn:
            if time.monotonic() >= self._renew_at:
                self._token, life = await self._fetched(call)
                self._renew_at = time.monotonic() + max(life - SPARE, life / 2)
            return self._token

    def refused(self, token: str) -> None:
        """Tells that a token is no longer taken: the next caller fetches another."""
        if token == self._token:
            self._renew_at = 0.0

    async def _fetched(self, call: Call) -> tuple[str, float]:
        try:
            said = assertion(self._client, self._pair(), now=time.time())
        except (OSError, ValueError):
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the key for the identity service can't be read") from None
        form = {"grant_type": "client_credentials", "client_id": self._client.id, "scope": self._client.scope}
        form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": said}
        data = urlencode({name: value for name, value in form.items() if value}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        async with self._http.guard.admit(call) as passage:
            answer = await self._http.exchange("POST", "", passage, headers=headers, data=data)
        try:
            if answer.status == 200:
                token = decode(TOKEN, answer.body)
                return token["access_token"], float(token.get("expires_in", SPARE))
        except ShapeError:
            pass
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, f"the identity service gave no token (HTTP {answer.status})")
