"""COPA's codes, all of them (assumed), since its own lists are not public; the words beside them are the contract's enum values."""

from collections.abc import Mapping

STATUSES: Mapping[str, str] = {"OP": "OPEN", "RS": "RESULTED", "CL": "CLOSED"}
SEXES: Mapping[str, str] = {"M": "MALE", "F": "FEMALE", "N": "NOT_SPECIFIED"}
REASONS: Mapping[str, str] = {
    "ARR": "ARREST_DETENTION",
    "CRI": "CRIME_INVESTIGATION",
    "PRO": "PROSECUTION",
    "AUD": "AUDIT",
}
"""Why somebody asks, by the platform's purposes; only purposes that an operation permits come this far."""
OPEN, RESULTED, CLOSED = STATUSES

ACCOUNT_REFUSED = "CPA-101"
URN_UNKNOWN = "CPA-201"
URN_USED = "CPA-202"
SUBMISSION_USED = "CPA-203"
VERSION_CONFLICT = "CPA-301"
CASE_LOCKED = "CPA-302"
DEFENDANT_UNKNOWN = "CPA-303"
DEFENDANT_KNOWN = "CPA-304"
CASE_CLOSED = "CPA-305"
READ_ONLY = "CPA-401"
MALFORMED = "CPA-901"
