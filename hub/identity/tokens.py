"""Officer tokens: signed statements of who is behind a call, issued for development and inspected on the command line.

Claims: `iss`, `aud`, `sub` (warrant number), `iat`, `nbf`, `exp`, `jti`, `azp` (SPIFFE id of the consumer that may
present it), `force`, `unit`, `roles`. At run time Envoy's jwt_authn verifies them; it allows a minute of clock
difference unless told otherwise, `inspect_token` none. No error here holds a token, any part of one, or a warrant
number.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from hub.identity import jwks
from hub.identity.faults import IdentityError, Reason, refusal
from hub.identity.private_files import read_public
from hub.identity.spiffe import parse_workload_id
from hub.identity.store import Store, read_key

AUDIENCE = "metip"
DEFAULT_LIFETIME = timedelta(hours=8)  # one shift (assumed)
MAX_LIFETIME = timedelta(hours=24)
MAX_TOKEN_CHARACTERS = 8192  # half of the header size that the edge accepts
MAX_ROLES = 20

_OFFICER_FORMS = {
    # 15 characters as the criminal-justice exchange's PoliceWorkerReferenceNumber; letters and digits (assumed).
    "warrant_number": (re.compile(r"[A-Za-z0-9]{1,15}"), "1 to 15 letters and digits"),
    # Two digits, as in the force codes of Bichard 7's published standing data: 01 is the Metropolitan Police.
    "force": (re.compile(r"[0-9]{2}"), "a two-digit force code such as 01"),
    # (assumed)
    "unit": (re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}"), "1 to 40 letters, digits, spaces and . _ / -"),
}
_USER = re.compile(r"[A-Za-z0-9._-]{1,64}")
OPERATIONS_FORCE, OPERATIONS_UNIT = "01", "operations"
"""What a token of the laptop's own operators says where an officer's names force and unit (assumed)."""
_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class TokenReason(StrEnum):
    """The closed set of why a token isn't accepted."""

    MALFORMED = "MALFORMED"
    ALGORITHM = "ALGORITHM"
    WRONG_KEY = "WRONG_KEY"
    WRONG_AUDIENCE = "WRONG_AUDIENCE"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"


class TokenError(Exception):
    """Raised when a token isn't accepted; `reason` says why. The text never holds any part of the token."""

    def __init__(self, reason: TokenReason, explanation: str) -> None:
        super().__init__(f"{reason}: {explanation}")
        self.reason = reason


@dataclass(frozen=True)
class Officer:
    """The officer or staff member a token speaks of. `force` is a two-digit code, `roles` are lower-case words."""

    warrant_number: str = field(repr=False)
    force: str
    unit: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claims:
    """What a verified token says. Times are UTC."""

    issuer: str
    audiences: tuple[str, ...]
    warrant_number: str = field(repr=False)
    authorised_party: str
    force: str
    unit: str
    roles: tuple[str, ...]
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    token_id: str


def issuer_of(trust_domain: str) -> str:
    """Return the `iss` claim of a trust domain's development issuer (a name, not an address that is ever called)."""
    return f"https://token-issuer.{trust_domain}"


def issue_token(
    store: Store,
    officer: Officer,
    *,
    audience: str = AUDIENCE,
    authorised_party: str,
    lifetime: timedelta = DEFAULT_LIFETIME,
    now: datetime,
) -> str:
    """Return a signed token for `officer`, to be presented by the consumer `authorised_party` (a SPIFFE id) only.

    The store must have been ensured. Raises IdentityError: INVALID_OFFICER, INVALID_LIFETIME, INVALID_SPIFFE_ID,
    KEY_MISMATCH, MISSING, EXPOSED, UNREADABLE.
    """
    _check_officer(officer)
    return _issued(store, officer, audience, authorised_party, lifetime, now)


def issue_operator_token(
    store: Store, user: str, roles: tuple[str, ...], *, authorised_party: str, lifetime: timedelta, now: datetime
) -> str:
    """Return a signed token for somebody of operations, who is known by the name of their account on this machine: for the console of a
    laptop, whose consumer `authorised_party` is.

    The store must have been ensured. Raises IdentityError as `issue_token` does.
    """
    if not _USER.fullmatch(user):
        raise _bad_officer("the user's name must be 1 to 64 letters, digits and . _ -")
    operator = Officer(user, OPERATIONS_FORCE, OPERATIONS_UNIT, roles)
    _check_roles(operator)
    return _issued(store, operator, AUDIENCE, authorised_party, lifetime, now)


def _issued(store: Store, officer: Officer, audience: str, authorised_party: str, lifetime: timedelta, now: datetime) -> str:
    if not timedelta(seconds=1) <= lifetime <= MAX_LIFETIME:
        raise refusal(
            Reason.INVALID_LIFETIME,
            f"a token can't be valid for {lifetime}",
            f"ask for one second to {MAX_LIFETIME // timedelta(hours=1)} hours",
        )
    key = read_key(store.token_issuer_key)
    key_id = jwks.key_id(key.public_key())
    if key_id not in _published_keys(store):
        raise refusal(
            Reason.KEY_MISMATCH,
            f"{store.jwks} doesn't hold the public key of {store.token_issuer_key}, so nobody would accept the token",
            "delete jwks.json; it is made again at the next issue",
        )
    start = int(now.timestamp())
    claims = {
        "iss": issuer_of(store.trust_domain()),
        "aud": audience,
        "sub": officer.warrant_number,
        "iat": start,
        "nbf": start,
        "exp": start + int(lifetime.total_seconds()),
        "jti": str(uuid.uuid4()),
        "azp": str(parse_workload_id(authorised_party)),
        "force": officer.force,
        "unit": officer.unit,
        "roles": list(officer.roles),
    }
    return jwt.encode(claims, key, algorithm=jwks.ALGORITHM, headers={"kid": key_id})


def inspect_token(store: Store, token: str, now: datetime, *, audience: str = AUDIENCE) -> Claims:
    """Return the claims of `token` if this store's issuer signed it for `audience` and it is valid at `now`.

    Raises TokenError, and IdentityError where the store's key set can't be read. It does not compare `azp` with
    anybody: that is for the edge, which knows the caller's certificate.
    """
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise TokenError(TokenReason.MALFORMED, f"it isn't up to {MAX_TOKEN_CHARACTERS} ASCII characters")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, RecursionError):  # the second from JSON nested thousands deep
        raise TokenError(TokenReason.MALFORMED, "it isn't a signed token in three parts") from None
    if header.get("alg") != jwks.ALGORITHM:
        raise TokenError(TokenReason.ALGORITHM, f"only {jwks.ALGORITHM} is accepted")
    key = _published_keys(store).get(header.get("kid", ""))
    if key is None:
        raise TokenError(TokenReason.WRONG_KEY, "its key isn't in the issuer's key set")
    try:
        # Only the signature is PyJWT's to judge: it would read the machine's clock for the times.
        payload = jwt.decode(token, key, algorithms=[jwks.ALGORITHM], options=_SIGNATURE_ONLY)
    except jwt.InvalidSignatureError:
        raise TokenError(TokenReason.WRONG_KEY, "its signature doesn't fit the issuer's key") from None
    except (jwt.InvalidTokenError, RecursionError):
        raise TokenError(TokenReason.MALFORMED, "its content can't be read") from None
    claims = _claims(payload)
    if claims.issuer != issuer_of(store.trust_domain()):
        raise TokenError(TokenReason.MALFORMED, "the claim iss names another issuer")
    if audience not in claims.audiences:
        raise TokenError(TokenReason.WRONG_AUDIENCE, f"it isn't for the audience {audience}")
    if now < claims.not_before:
        raise TokenError(TokenReason.NOT_YET_VALID, f"it is valid from {claims.not_before:%Y-%m-%d %H:%M:%S} UTC")
    if now >= claims.expires_at:
        raise TokenError(TokenReason.EXPIRED, f"it expired at {claims.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    return claims


_SIGNATURE_ONLY: Any = {
    "verify_signature": True,
    **{f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}


def _published_keys(store: Store) -> Mapping[str, ec.EllipticCurvePublicKey]:
    try:
        return jwks.public_keys(read_public(store.jwks))
    except ValueError as error:
        raise refusal(Reason.UNREADABLE, f"{store.jwks} isn't a key set", "put the issuer's key set there") from error


def _check_officer(officer: Officer) -> None:
    for name, (form, described) in _OFFICER_FORMS.items():
        if not form.fullmatch(getattr(officer, name)):
            raise _bad_officer(f"the {name.replace('_', ' ')} must be {described}")
    _check_roles(officer)


def _check_roles(officer: Officer) -> None:
    if len(officer.roles) > MAX_ROLES or not all(_ROLE.fullmatch(role) for role in officer.roles):
        raise _bad_officer(f"roles must be at most {MAX_ROLES} lower-case words of up to 40 letters, digits, - and _")


def _bad_officer(problem: str) -> IdentityError:
    # The value itself stays out: a warrant number is personal data.
    return refusal(Reason.INVALID_OFFICER, problem, "correct it and ask again")


def _claims(payload: dict[str, Any]) -> Claims:
    audiences = payload.get("aud")
    return Claims(
        issuer=_text(payload, "iss"),
        audiences=(audiences,) if isinstance(audiences, str) else _texts(payload, "aud"),
        warrant_number=_text(payload, "sub"),
        authorised_party=_text(payload, "azp"),
        force=_text(payload, "force"),
        unit=_text(payload, "unit"),
        roles=_texts(payload, "roles"),
        issued_at=_time(payload, "iat"),
        not_before=_time(payload, "nbf"),
        expires_at=_time(payload, "exp"),
        token_id=_text(payload, "jti"),
    )


def _text(payload: dict[str, Any], claim: str) -> str:
    value = payload.get(claim)
    if not isinstance(value, str) or not value:
        raise TokenError(TokenReason.MALFORMED, f"the claim {claim} is missing or isn't text")
    return value


def _texts(payload: dict[str, Any], claim: str) -> tuple[str, ...]:
    values = payload.get(claim)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TokenError(TokenReason.MALFORMED, f"the claim {claim} is missing or isn't a list of texts")
    return tuple(values)


def _time(payload: dict[str, Any], claim: str) -> datetime:
    value = payload.get(claim)
    try:
        if type(value) is int:
            return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        pass
    raise TokenError(TokenReason.MALFORMED, f"the claim {claim} is missing or isn't a time in seconds")
