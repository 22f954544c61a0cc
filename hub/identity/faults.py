"""What can be wrong with an identity: one value for a problem and its cure, and the exception that carries it."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The closed set of problems. The words are stable: `metip check --json` prints them."""

    # A file
    MISSING = "MISSING"
    UNREADABLE = "UNREADABLE"
    UNWRITABLE = "UNWRITABLE"
    EXPOSED = "EXPOSED"
    # What was asked for
    INVALID_SPIFFE_ID = "INVALID_SPIFFE_ID"
    INVALID_NAME = "INVALID_NAME"
    INVALID_HOST = "INVALID_HOST"
    INVALID_LIFETIME = "INVALID_LIFETIME"
    INVALID_OFFICER = "INVALID_OFFICER"
    NAME_TAKEN = "NAME_TAKEN"
    WRONG_TRUST_DOMAIN = "WRONG_TRUST_DOMAIN"
    # A certificate, its key and its authority
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    EXPIRES_SOON = "EXPIRES_SOON"
    WRONG_AUTHORITY = "WRONG_AUTHORITY"
    AUTHORITY_UNUSABLE = "AUTHORITY_UNUSABLE"
    KEY_MISMATCH = "KEY_MISMATCH"
    NO_SPIFFE_ID = "NO_SPIFFE_ID"
    SEVERAL_SPIFFE_IDS = "SEVERAL_SPIFFE_IDS"
    IS_AUTHORITY = "IS_AUTHORITY"
    WRONG_USAGE = "WRONG_USAGE"
    EXTRA_CERTIFICATES = "EXTRA_CERTIFICATES"


class Severity(StrEnum):
    """An ERROR stops calls now; a WARNING will, if nobody acts."""

    ERROR = "ERROR"
    WARNING = "WARNING"


@dataclass(frozen=True)
class Fault:
    """One problem. `problem` says what is wrong, `fix` what to do, as a command where there is one.

    Neither holds key material, a token or a warrant number, so both may be shown and logged.
    """

    reason: Reason
    problem: str
    fix: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.problem}; {self.fix}"


class IdentityError(Exception):
    """Raised when an identity can't be read, made or used; `fault` tells why and what to do."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def refusal(reason: Reason, problem: str, fix: str) -> IdentityError:
    """Return the exception for one error; the caller raises it, so that a reader sees the `raise`."""
    return IdentityError(Fault(reason, problem, fix))
