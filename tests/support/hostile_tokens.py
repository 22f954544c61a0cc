"""Officer tokens that must be refused, each wrong in exactly one way, made against a mesh's own issuer.

`TOKENS` is the matrix; parametrise a test with its keys and build each case with `hostile_token`. `reason` is what the
command line says; it is None for the one token that is good in itself and only presented by the wrong consumer.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from hub.identity.authority import new_key
from hub.identity.jwks import key_id
from hub.identity.tokens import TokenReason, issuer_of

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class TokenGround:
    """What hostile tokens are made from. `victim` is the SPIFFE id of the consumer the officer works with, `roles` what the officer has."""

    issuer_key: ec.EllipticCurvePrivateKey = field(repr=False)
    trust_domain: str
    victim: str
    now: datetime
    roles: tuple[str, ...] = ("response",)


@dataclass(frozen=True)
class HostileToken:
    """A token and why it must be refused."""

    case: str
    text: str = field(repr=False)
    reason: TokenReason | None


@dataclass(frozen=True)
class TokenForgery:
    """How one token departs from a good one; the defaults are a good one."""

    reason: TokenReason | None
    claims: Mapping[str, Any] = field(default_factory=dict)
    without: str | None = None
    starts: timedelta = -HOUR
    ends: timedelta = HOUR
    compact: Callable[[TokenGround, dict[str, Any]], str] | None = None


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unsigned(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return ".".join(_encode(json.dumps(dict(part)).encode()) for part in (header, claims))


def _good(ground: TokenGround, claims: dict[str, Any]) -> str:
    kid = key_id(ground.issuer_key.public_key())
    return jwt.encode(claims, ground.issuer_key, algorithm="ES256", headers={"kid": kid})


def _strangers_key_under_our_id(ground: TokenGround, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, new_key(), algorithm="ES256", headers={"kid": key_id(ground.issuer_key.public_key())})


def _strangers_key(_: TokenGround, claims: dict[str, Any]) -> str:
    stranger = new_key()
    return jwt.encode(claims, stranger, algorithm="ES256", headers={"kid": key_id(stranger.public_key())})


def _strangers_key_in_the_header(_: TokenGround, claims: dict[str, Any]) -> str:
    stranger = new_key()
    public = stranger.public_key()
    header = {"kid": key_id(public), "jwk": ECAlgorithm.to_jwk(public, as_dict=True)}
    return jwt.encode(claims, stranger, algorithm="ES256", headers=header)


def _no_algorithm(spelling: str) -> Callable[[TokenGround, dict[str, Any]], str]:
    def compact(ground: TokenGround, claims: dict[str, Any]) -> str:
        header = {"alg": spelling, "typ": "JWT", "kid": key_id(ground.issuer_key.public_key())}
        return f"{_unsigned(header, claims)}."

    return compact


def _public_key_as_secret(ground: TokenGround, claims: dict[str, Any]) -> str:
    # Algorithm confusion: whoever verifies by the header's word would use the public key as the shared secret.
    public = ground.issuer_key.public_key()
    secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = _unsigned({"alg": "HS256", "typ": "JWT", "kid": key_id(public)}, claims)
    return f"{signed}.{_encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def _signature_cut_off(ground: TokenGround, claims: dict[str, Any]) -> str:
    return _good(ground, claims).rpartition(".")[0] + "."


def _signature_of_zeros(ground: TokenGround, claims: dict[str, Any]) -> str:
    # CVE-2022-21449: verifiers that forgot to refuse r = s = 0 accepted it for every content.
    return f"{_good(ground, claims).rpartition('.')[0]}.{_encode(bytes(64))}"


def _roles_changed_after_signing(ground: TokenGround, claims: dict[str, Any]) -> str:
    header, _, signature = _good(ground, claims).split(".")
    return f"{header}.{_encode(json.dumps({**claims, 'roles': ['administrator']}).encode())}.{signature}"


def _cut_in_half(ground: TokenGround, claims: dict[str, Any]) -> str:
    text = _good(ground, claims)
    return text[: len(text) // 2]


def _deeply_nested_header(_: TokenGround, claims: dict[str, Any]) -> str:
    return f"{_encode(b'[' * 5000)}.{_encode(json.dumps(claims).encode())}."


TOKENS: Mapping[str, TokenForgery] = {
    "expired": TokenForgery(TokenReason.EXPIRED, starts=-2 * HOUR, ends=-HOUR),
    "not_yet_valid": TokenForgery(TokenReason.NOT_YET_VALID, starts=HOUR, ends=2 * HOUR),
    "wrong_audience": TokenForgery(TokenReason.WRONG_AUDIENCE, {"aud": "another-platform"}),
    "wrong_issuer": TokenForgery(TokenReason.MALFORMED, {"iss": "https://token-issuer.metip.example"}),
    "without_expiry": TokenForgery(TokenReason.MALFORMED, without="exp"),
    "without_audience": TokenForgery(TokenReason.MALFORMED, without="aud"),
    "without_consumer": TokenForgery(TokenReason.MALFORMED, without="azp"),
    "wrong_key": TokenForgery(TokenReason.WRONG_KEY, compact=_strangers_key_under_our_id),
    "unknown_key": TokenForgery(TokenReason.WRONG_KEY, compact=_strangers_key),
    "key_in_its_own_header": TokenForgery(TokenReason.WRONG_KEY, compact=_strangers_key_in_the_header),
    "changed_after_signing": TokenForgery(TokenReason.WRONG_KEY, compact=_roles_changed_after_signing),
    "signature_of_zeros": TokenForgery(TokenReason.WRONG_KEY, compact=_signature_of_zeros),
    "signature_cut_off": TokenForgery(TokenReason.WRONG_KEY, compact=_signature_cut_off),
    "algorithm_none": TokenForgery(TokenReason.ALGORITHM, compact=_no_algorithm("none")),
    "algorithm_none_in_capitals": TokenForgery(TokenReason.ALGORITHM, compact=_no_algorithm("NONE")),
    "public_key_as_secret": TokenForgery(TokenReason.ALGORITHM, compact=_public_key_as_secret),
    "cut_in_half": TokenForgery(TokenReason.MALFORMED, compact=_cut_in_half),
    "deeply_nested_header": TokenForgery(TokenReason.MALFORMED, compact=_deeply_nested_header),
    "empty": TokenForgery(TokenReason.MALFORMED, compact=lambda _ground, _claims: ""),
    "another_consumers": TokenForgery(None, {"azp": "spiffe://metip.local/consumer/nobody"}),
}


def hostile_token(case: str, ground: TokenGround) -> HostileToken:
    """Build one case of `TOKENS`."""
    forgery = TOKENS[case]
    start, end = (int((ground.now + offset).timestamp()) for offset in (forgery.starts, forgery.ends))
    claims = {
        "iss": issuer_of(ground.trust_domain),
        "aud": "metip",
        "sub": "100001XX",
        "iat": start,
        "nbf": start,
        "exp": end,
        "jti": f"hostile-{case}",
        "azp": ground.victim,
        "force": "01",
        "unit": "CO10",
        "roles": list(ground.roles),
        **forgery.claims,
    }
    if forgery.without:
        del claims[forgery.without]
    return HostileToken(case, (forgery.compact or _good)(ground, claims), forgery.reason)
