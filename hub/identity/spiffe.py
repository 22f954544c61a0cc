"""SPIFFE ids: the syntax of the names that workloads carry in their certificates.

The law is the SPIFFE-ID standard, section 2: scheme `spiffe`, a trust domain of lower-case letters, digits, dots,
hyphens and underscores (at most 255 bytes), a path of segments made of letters, digits, dots, hyphens and
underscores, no empty, `.` or `..` segment, no trailing slash, no user, port, query, fragment or percent-encoding, at
most 2,048 bytes altogether. Names that break it are refused rather than repaired: two spellings of one name are how
an allow-list is walked round.
"""

import re
from dataclasses import dataclass

from hub.identity.faults import IdentityError, Reason, refusal

SCHEME = "spiffe://"
MAX_BYTES = 2048
MAX_TRUST_DOMAIN_BYTES = 255
DEFAULT_TRUST_DOMAIN = "metip.local"

_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]+")
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_SHOWN = 80  # characters of a bad name that an error repeats: enough to find it, not enough to flood a log


@dataclass(frozen=True)
class SpiffeId:
    """A checked SPIFFE id; `segments` is empty for an authority and never empty for a workload."""

    trust_domain: str
    segments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join((SCHEME + self.trust_domain, *self.segments))


def parse_spiffe_id(text: str) -> SpiffeId:
    """Return the parts of `text`; raises IdentityError INVALID_SPIFFE_ID naming the first rule it breaks."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _invalid(text, f"it is longer than {MAX_BYTES} bytes")
    if not text.startswith(SCHEME):
        raise _invalid(text, f"it doesn't start with {SCHEME}")
    trust_domain, *segments = text.removeprefix(SCHEME).split("/")
    check_trust_domain(trust_domain)
    for segment in segments:
        if not segment:
            raise _invalid(text, "a path segment is empty (no trailing or doubled slash)")
        if segment in (".", ".."):
            raise _invalid(text, "a path segment is . or ..")
        if not _SEGMENT.fullmatch(segment):
            raise _invalid(text, "a path segment may hold letters, digits, dot, hyphen and underscore only")
    return SpiffeId(trust_domain, tuple(segments))


def parse_workload_id(text: str) -> SpiffeId:
    """As `parse_spiffe_id`, and the path must not be empty: a bare trust domain names an authority, not a workload."""
    spiffe_id = parse_spiffe_id(text)
    if not spiffe_id.segments:
        raise _invalid(text, "it has no path, so it names the authority and not a workload")
    return spiffe_id


def check_trust_domain(name: str) -> str:
    """Return `name`; raises IdentityError INVALID_SPIFFE_ID where it isn't a trust domain name."""
    if len(name) > MAX_TRUST_DOMAIN_BYTES:
        raise _invalid(name, f"the trust domain is longer than {MAX_TRUST_DOMAIN_BYTES} bytes")
    if not _TRUST_DOMAIN.fullmatch(name):
        raise _invalid(name, "the trust domain may hold lower-case letters, digits, dot, hyphen and underscore only")
    return name


def _invalid(text: str, why: str) -> IdentityError:
    shown = ascii(text[:_SHOWN]) + ("…" if len(text) > _SHOWN else "")
    return refusal(
        Reason.INVALID_SPIFFE_ID,
        f"{shown} isn't a SPIFFE id: {why}",
        f"write it as {SCHEME}{DEFAULT_TRUST_DOMAIN}/<kind>/<name>",
    )
