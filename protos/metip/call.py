"""One call as a handler sees it: who asks, on whose token, until when.

Envoy has verified all of it: the consumer's certificate (`x-forwarded-client-cert`, which Envoy sets and never forwards from outside) and
the officer's token (`x-metip-officer`, the token's payload, which Envoy writes after it checked the signature and strips from outside).
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from metip.faults import Fault, Reason

CERTIFICATE_HEADER = "x-forwarded-client-cert"
OFFICER_HEADER = "x-metip-officer"
CALL_ID_HEADER = "x-request-id"
LONGEST = 3600.0


@dataclass(frozen=True, slots=True)
class Officer:
    """The officer or staff member behind a call, as the verified token names them."""

    warrant_number: str
    force: str
    unit: str
    roles: tuple[str, ...]


@dataclass(slots=True)
class Call:
    """What a handler may know about the call that it answers. Nobody changes one; it is not frozen, as each would pay 3 µs for that."""

    id: str
    operation: str
    consumer: str
    """SPIFFE ID of the workload that called."""
    officer: Officer | None
    deadline: float
    """On the clock of `time.monotonic`."""
    authorization: str = field(default="", repr=False)
    """The officer's token as it came, to be forwarded when this operation consults others; never logged."""
    traceparent: str = ""

    @property
    def remaining(self) -> float:
        """Seconds until the caller gives up; never negative."""
        return max(0.0, self.deadline - time.monotonic())


def call_from(metadata: Mapping[str, str], operation: str, *, remaining: float | None) -> Call:
    """Reads the call from the metadata that Envoy sent. `remaining` is the caller's deadline in seconds, None when there is none.

    Raises `Fault` CONSUMER_UNKNOWN when the certificate names no SPIFFE ID or more than one (SPIFFE X.509-SVID section 2 forbids two).
    """
    return Call(
        id=metadata.get(CALL_ID_HEADER, ""),
        operation=operation,
        consumer=_consumer(metadata.get(CERTIFICATE_HEADER, "")),
        officer=_officer(metadata[OFFICER_HEADER]) if OFFICER_HEADER in metadata else None,
        deadline=time.monotonic() + (LONGEST if remaining is None else remaining),
        authorization=metadata.get("authorization", ""),
        traceparent=metadata.get("traceparent", ""),
    )


@lru_cache(maxsize=4096)
def _consumer(certificate: str) -> str:
    identities = [part[4:] for part in certificate.split(";") if part.startswith("URI=")]
    # A comma parts the certificates of several hops, or several headers. Envoy writes `URI=` for a certificate that has none.
    if len(identities) != 1 or "," in certificate or not identities[0].startswith("spiffe://"):
        raise Fault(Reason.CONSUMER_UNKNOWN, "the call does not carry exactly one SPIFFE identity")
    return identities[0]


@lru_cache(maxsize=4096)
def _officer(payload: str) -> Officer:
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        officer = Officer(
            warrant_number=claims["sub"],
            force=claims.get("force", ""),
            unit=claims.get("unit", ""),
            roles=tuple(claims.get("roles", ())),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Fault(Reason.OFFICER_NEEDED, "the officer token names no officer") from error
    if not isinstance(officer.warrant_number, str) or not officer.warrant_number:
        raise Fault(Reason.OFFICER_NEEDED, "the officer token names no officer")
    return officer
