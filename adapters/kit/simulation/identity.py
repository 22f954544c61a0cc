"""A stand-in for an identity service that gives bearer tokens for client assertions (RFC 7523), beside a far system on one simulator."""

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha1
from typing import Any, Final
from urllib.parse import parse_qs
from uuid import uuid4

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.kit.oauth import ASSERTION_TYPE
from adapters.kit.simulation.transport import HttpReply, HttpRequest

PATH: Final = "/oauth2/token"
LIFE: Final = 3600
NEEDED: Final = ["iss", "sub", "aud", "exp", "jti"]


class Identity:
    """The service. `known` is the one certificate that it knows; without it, it takes any that comes with an assertion."""

    def __init__(self, known: x509.Certificate | None = None) -> None:
        self._known = known
        self._given: set[str] = set()
        self._used: set[str] = set()

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes with a token that was given and not taken back."""
        return headers.get("Authorization", "").removeprefix("Bearer ") in self._given

    def take_back(self) -> None:
        """Every token given so far is worth nothing any more."""
        self._given.clear()

    def answer(self, request: HttpRequest) -> HttpReply:
        """A token for an assertion that holds: signed by the certificate's key, for us, by the client, not long ago, never seen before."""
        form = {name: given[0] for name, given in parse_qs(request.body.decode("utf-8", "replace")).items()}
        try:
            self._check(form, f"https://{request.headers.get('Host', '')}{request.path}")
        except (ValueError, KeyError, IndexError, jwt.PyJWTError):
            return HttpReply(b'{"error":"invalid_client"}', status=400, content_type="application/json")
        token = str(uuid4())
        self._given.add(token)
        said = {"access_token": token, "token_type": "Bearer", "expires_in": LIFE}
        return HttpReply(json.dumps(said).encode(), content_type="application/json")

    def _check(self, form: Mapping[str, str], audience: str) -> None:
        assertion = form["client_assertion"]
        head = jwt.get_unverified_header(assertion)
        certificate = self._known or x509.load_der_x509_certificate(b64decode(head["x5c"][0]))
        digest = sha1(certificate.public_bytes(Encoding.DER), usedforsecurity=False).digest()
        key: Any = certificate.public_key()
        claims = jwt.decode(assertion, key, algorithms=["RS256"], audience=audience, options={"require": NEEDED})
        if form["grant_type"] != "client_credentials" or form["client_assertion_type"] != ASSERTION_TYPE or claims["jti"] in self._used:
            raise ValueError("assertion")
        if head["x5t"] != urlsafe_b64encode(digest).decode().rstrip("=") or not claims["iss"] == claims["sub"] == form["client_id"]:
            raise ValueError("client")
        self._used.add(claims["jti"])
