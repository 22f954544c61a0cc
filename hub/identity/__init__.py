"""Identity for development: a laptop's certificate authority, SPIFFE certificates and the officer-token issuer.

Production supplies its own files in the same layout (see `hub.identity.store`) and uses only the reading half:
`describe`, `faults_of`, `store_faults`, `parse_spiffe_id`.
"""

from hub.identity.certificates import (
    CertificateFacts,
    IssuedCertificate,
    describe,
    issue,
    needs_renewal,
    renew,
)
from hub.identity.faults import Fault, IdentityError, Reason, Severity
from hub.identity.inspection import faults_of, store_faults
from hub.identity.lasting import Lasting, lasting
from hub.identity.spiffe import DEFAULT_TRUST_DOMAIN, SpiffeId, parse_spiffe_id, parse_workload_id
from hub.identity.store import Ensured, Store
from hub.identity.tokens import Claims, Officer, TokenError, TokenReason, inspect_token, issue_operator_token, issue_token

__all__ = [
    "DEFAULT_TRUST_DOMAIN",
    "CertificateFacts",
    "Claims",
    "Ensured",
    "Fault",
    "IdentityError",
    "IssuedCertificate",
    "Lasting",
    "Officer",
    "Reason",
    "Severity",
    "SpiffeId",
    "Store",
    "TokenError",
    "TokenReason",
    "describe",
    "faults_of",
    "inspect_token",
    "issue",
    "issue_operator_token",
    "issue_token",
    "lasting",
    "needs_renewal",
    "parse_spiffe_id",
    "parse_workload_id",
    "renew",
    "store_faults",
]
