"""How long certificates last, and from when on somebody is warned that one ends.

The rule: 30 days ahead; of a certificate that lasts less than 90 days, in the last third of its life, since a short one is made to be
replaced often and would be warned of from its first day.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from hub.identity.certificates import facts_of

WARN_WITHIN: Final = timedelta(days=30)


@dataclass(frozen=True)
class Lasting:
    """One certificate and its end."""

    use: str
    spiffe_id: str
    """Empty where it names none."""
    not_after: datetime
    expires_soon: bool
    """Whether it is time to replace it; so of one that has expired."""


def warn_within(not_before: datetime, not_after: datetime) -> timedelta:
    """How long before its end a certificate is warned of."""
    return min(WARN_WITHIN, (not_after - not_before) / 3)


def lasting(use: str, pem: str, now: datetime) -> tuple[Lasting, ...]:
    """The certificates of a PEM text; none where it holds none that can be read."""
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return ()
    found = []
    for facts in (facts_of(one, now) for one in certificates):
        soon = facts.not_after - now < warn_within(facts.not_before, facts.not_after)
        found.append(Lasting(use, next(iter(facts.spiffe_ids), ""), facts.not_after, soon))
    return tuple(found)
