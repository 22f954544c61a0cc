"""COPA's codes, (assumed) where nothing else is said, since its own lists are not public; the words beside them are enum values."""

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
PLEAS: Mapping[str, str] = {
    "G": "GUILTY",
    "NG": "NOT_GUILTY",
    "NONE": "NONE",
    "CON": "CONSENTS",
    "OPP": "OPPOSED",
    "ADM": "ADMITS",
    "DEN": "DENIES",
}
"""Pleas by the code of the criminal justice system (Bichard 7's standing data)."""
VERDICTS: Mapping[str, str] = {
    "G": "GUILTY",
    "N": "NOT_GUILTY",
    "A": "GUILTY_OF_ALTERNATIVE",
    "O": "NO_CONVICTION",
    "C": "CAUTION",
}
"""Verdicts by the code of the Standard Prosecutor Interface (Bichard 7's standing data)."""
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
