"""One call as a handler sees it: who asks, on whose token, until when.

Envoy has verified all of it: the consumer's certificate (`x-forwarded-client-cert`, which Envoy sets and never forwards from outside) and
the officer's token (`x-metip-officer`, the token's payload, which Envoy writes after it checked the signature and strips from outside). A
message that the exchange hands over says the same of its producer, as it was when the message was accepted.
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from metip.faults import Fault, Reason
from metip.grants import PURPOSES_HEADER
from metip.tokens import HEADER as TOKEN_HEADER
from metip.tokens import WRITER_HEADER
from metip.tracing import HEADER as TRACE_HEADER
from metip.tracing import PARENT_HEADER, context_of, parent_in

CERTIFICATE_HEADER = "x-forwarded-client-cert"
OFFICER_HEADER = "x-metip-officer"
CALL_ID_HEADER = "x-request-id"
OPERATOR_HEADER = "x-metip-operator"
"""Names who asks the hub itself: `os://<host>/<user>` on its own socket, or as Envoy wrote it down, `sso://<issuer>/<subject>`."""
MESSAGE_ID_HEADER = "x-metip-message-id"
ATTEMPT_HEADER = "x-metip-attempt"
REDELIVERY_HEADER = "x-metip-redelivery"
PRODUCER_HEADER = "x-metip-producer"
ACCEPTED_HEADER = "x-metip-accepted"
SUBSCRIBER_HEADER = "x-metip-subscriber"
"""Names the system that a message is for, on the hub's way to Envoy; no adapter sees it."""
FLAGS_HEADER = "x-metip-envoy"
"""On what Envoy itself answers to the hub: its response flags, by which the exchange knows that a message was never sent."""
LONGEST = 3600.0


@dataclass(frozen=True, slots=True)
class Officer:
    """The officer or staff member behind a call, as the verified token names them."""

    warrant_number: str
    force: str
    unit: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handover:
    """A message that the exchange hands over, as its subscriber sees it."""

    message_id: str
    attempt: int
    """1 for the first."""
    redelivery: bool
    """Whether an earlier attempt may have reached this subscriber."""
    accepted: float
    """Unix time at which the exchange accepted it."""
    token: str = ""
    """Whose it is, where several platforms might execute it (`metip.tokens`); empty otherwise."""


@dataclass(slots=True)
class Call:
    """What a handler may know about the call that it answers. Nobody changes one, but for the time that far systems take (`far`); it is not
    frozen, as each would pay 3 µs for that."""

    id: str
    operation: str
    consumer: str
    """SPIFFE ID of the workload that called; of a message, of its producer."""
    officer: Officer | None
    deadline: float
    """On the clock of `time.monotonic`."""
    authorization: str = field(default="", repr=False)
    """The officer's token as it came, to be forwarded when this operation consults others; never logged."""
    traceparent: str = ""
    """The W3C trace context that it came with; empty when the caller traced nothing."""
    grants: str = ""
    """Which purposes whom the operation was granted to may state, as Envoy says it (`metip.grants`); empty when it said nothing."""
    writer: str = ""
    """Whose the write is, where two systems could answer it (`metip.tokens`); empty otherwise."""
    handover: Handover | None = None
    """Set when the exchange hands over a message; None for a call."""
    parent: str = ""
    """The call that made this one, by its id; empty where a consumer made it."""
    far: float = 0.0
    """Seconds that far systems have taken for it so far, as whoever asks them counts it (`adapters.kit.upstream`)."""

    @property
    def remaining(self) -> float:
        """Seconds until the caller gives up; never negative."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def trace(self) -> str:
        """The `traceparent` to hand on to whatever this call asks."""
        return context_of(self.traceparent, self.id)


def call_from(metadata: Mapping[str, str], operation: str, *, remaining: float | None) -> Call:
    """Reads the call from the metadata that Envoy sent. `remaining` is the caller's deadline in seconds, None when there is none.

    Raises `Fault` CONSUMER_UNKNOWN when the certificate names no SPIFFE ID or more than one (SPIFFE X.509-SVID section 2 forbids two).
    """
    consumer = _consumer(metadata.get(CERTIFICATE_HEADER, ""))
    handover = _handover(metadata) if MESSAGE_ID_HEADER in metadata else None
    return Call(
        id=metadata.get(CALL_ID_HEADER, ""),
        operation=operation,
        consumer=metadata.get(PRODUCER_HEADER, consumer) if handover else consumer,
        officer=officer_of(metadata[OFFICER_HEADER]) if OFFICER_HEADER in metadata else None,
        deadline=time.monotonic() + (LONGEST if remaining is None else remaining),
        authorization=metadata.get("authorization", ""),
        traceparent=metadata.get(TRACE_HEADER, ""),
        grants=metadata.get(PURPOSES_HEADER, ""),
        writer=metadata.get(WRITER_HEADER, ""),
        handover=handover,
        parent=parent_in(metadata[PARENT_HEADER]) if PARENT_HEADER in metadata else "",
    )


def _handover(metadata: Mapping[str, str]) -> Handover:
    """What the exchange says of the message. Only it reaches the listener on which Envoy lets these headers pass."""
    return Handover(
        message_id=metadata[MESSAGE_ID_HEADER],
        attempt=int(metadata.get(ATTEMPT_HEADER, "1")),
        redelivery=metadata.get(REDELIVERY_HEADER, "") == "true",
        accepted=float(metadata.get(ACCEPTED_HEADER, "0")),
        token=metadata.get(TOKEN_HEADER, ""),
    )


@lru_cache(maxsize=4096)
def _consumer(certificate: str) -> str:
    identities = [part[4:] for part in certificate.split(";") if part.startswith("URI=")]
    # A comma parts the certificates of several hops, or several headers. Envoy writes `URI=` for a certificate that has none.
    if len(identities) != 1 or "," in certificate or not identities[0].startswith("spiffe://"):
        raise Fault(Reason.CONSUMER_UNKNOWN, "the call does not carry exactly one SPIFFE identity")
    return identities[0]


@lru_cache(maxsize=4096)
def officer_of(payload: str) -> Officer:
    """Reads a verified token's payload as Envoy writes it. Raises `Fault` OFFICER_NEEDED when it names no officer."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        warrant_number, roles = claims["sub"], claims.get("roles", ())
        if isinstance(roles, str) or not all(isinstance(role, str) for role in roles):
            raise TypeError("a list of words was expected")
        officer = Officer(
            warrant_number=warrant_number,
            force=claims.get("force", ""),
            unit=claims.get("unit", ""),
            roles=tuple(roles),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Fault(Reason.OFFICER_NEEDED, "the officer token names no officer") from error
    if not isinstance(officer.warrant_number, str) or not officer.warrant_number:
        raise Fault(Reason.OFFICER_NEEDED, "the officer token names no officer")
    return officer
