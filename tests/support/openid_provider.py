"""A small issuer of OpenID Connect for tests: the authorization code flow with PKCE, as RFC 6749, RFC 7636 and OpenID Connect Core have it.

It signs with a key of its own and believes nothing: a code is good once, for its client, its redirect address and its verifier.
"""

import base64
import hashlib
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from hub.identity.jwks import key_id, key_set

CLIENT, AUDIENCE = "metip-console", "metip-console-api"


@dataclass
class Provider:
    """One issuer, and who is signed in to it."""

    port: int
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    subject: str = "f81d4fae"
    roles: tuple[str, ...] = ("operations",)
    azp: str = CLIENT
    lifetime: int = 300
    odd: dict[str, Any] = field(default_factory=dict)
    """Claims of access tokens that are not what they should be."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """What came to the token's address: the kinds of grant."""

    @property
    def issuer(self) -> str:
        """Its name, which is where it is."""
        return f"https://localhost:{self.port}"

    def token(self, **claims: Any) -> str:
        """An access token for whoever is signed in."""
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": self.subject,
            "azp": self.azp,
            "roles": list(self.roles),
            "force": "01",
            "unit": "operations",
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode({**said, **claims}, self.key, algorithm="ES256", headers={"kid": key_id(self.key.public_key())})

    async def authorize(self, request: web.Request) -> web.Response:
        """Where people sign in; whoever comes is taken for signed in already."""
        said = request.query
        if said["client_id"] != CLIENT or said["response_type"] != "code" or "openid" not in said["scope"].split():
            return web.Response(status=400, text="not a client of ours")
        if said.get("code_challenge_method") != "S256":
            return web.Response(status=400, text="without PKCE a code can be caught")
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"redirect_uri": said["redirect_uri"], "challenge": said["code_challenge"]}
        return web.Response(status=302, headers={"location": f"{said['redirect_uri']}?{urlencode({'code': code, 'state': said['state']})}"})

    async def exchange(self, request: web.Request) -> web.Response:
        """Where a client gets tokens for a code."""
        said = await request.post()
        self.asked.append(str(said.get("grant_type")))
        if said.get("client_id") != CLIENT or said.get("client_secret") != self.client_secret:
            return web.json_response({"error": "invalid_client"}, status=401)
        known = self.codes.pop(str(said.get("code")), None)
        verifier = hashlib.sha256(str(said.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if known is None or known["challenge"] != challenge or known["redirect_uri"] != said.get("redirect_uri"):
            return web.json_response({"error": "invalid_grant"}, status=400)
        tokens = {"access_token": self.token(**self.odd), "id_token": self.token(aud=CLIENT)}
        return web.json_response({**tokens, "token_type": "Bearer", "expires_in": self.lifetime})

    async def keys(self, _: web.Request) -> web.Response:
        """Its public keys."""
        return web.Response(body=key_set(self.key.public_key()), content_type="application/json")


@asynccontextmanager
async def running_provider(provider: Provider, certificate: Path, key: Path) -> AsyncIterator[Provider]:
    """The issuer over TLS, for the length of the block."""
    app = web.Application()
    app.router.add_get("/authorize", provider.authorize)
    app.router.add_post("/token", provider.exchange)
    app.router.add_get("/keys", provider.keys)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    await web.TCPSite(runner, "127.0.0.1", provider.port, ssl_context=context).start()
    try:
        yield provider
    finally:
        await runner.cleanup()
