"""Merlin's codes: all of them three letters, all of them (assumed), since Merlin's own lists are not public.

Each table has Merlin's code and the word by which the contract knows it (the enum value without its prefix). Codes that no table has are
passed on as unspecified, never guessed at.
"""

from collections.abc import Mapping

TYPES: Mapping[str, str] = {"MIS": "MISPER", "PAC": "PAC", "ACN": "ACN"}
STATUSES: Mapping[str, str] = {"OPN": "OPEN", "LOC": "LOCATED", "DEB": "DEBRIEFED", "CLO": "CLOSED"}
RISKS: Mapping[str, str] = {"NON": "NONE_APPARENT", "LOW": "LOW", "MED": "MEDIUM", "HGH": "HIGH"}
"""Lowest first. Low, medium and high are the grades that a Metropolitan Police Authority report of 13 October 2011 names."""
ROLES: Mapping[str, str] = {
    "SUB": "SUBJECT",
    "GRD": "GUARDIAN",
    "HOU": "HOUSEHOLD_MEMBER",
    "INF": "INFORMANT",
    "CON": "CONTACT",
    "HRM": "SUSPECTED_OF_HARM",
}
VULNERABILITIES: Mapping[str, str] = {
    "CSE": "SEXUAL_EXPLOITATION",
    "CLN": "COUNTY_LINES",
    "MEN": "MENTAL_HEALTH",
    "SHM": "SELF_HARM",
    "DOM": "DOMESTIC_ABUSE",
    "DEM": "DEMENTIA",
    "DIS": "DISABILITY",
    "MDC": "MEDICATION",
}
CONCERNS: Mapping[str, str] = {
    "HEA": "HEALTH",
    "EDU": "EDUCATION",
    "BEH": "BEHAVIOUR",
    "FAM": "FAMILY",
    "ENV": "ENVIRONMENT",
}
PARTNERS: Mapping[str, str] = {
    "CSC": "CHILDRENS_SOCIAL_CARE",
    "ASC": "ADULT_SOCIAL_CARE",
    "NHS": "HEALTH",
    "EDU": "EDUCATION",
    "PRO": "PROBATION",
}
BASES: Mapping[str, str] = {
    "CNS": "CONSENT",
    "CHA": "CHILD_SAFEGUARDING",
    "CAR": "ADULT_SAFEGUARDING",
    "VIT": "VITAL_INTERESTS",
}
REASONS: Mapping[str, str] = {
    "STP": "STREET_STOP",
    "ARR": "ARREST_DETENTION",
    "CRI": "CRIME_INVESTIGATION",
    "INC": "INCIDENT_RESPONSE",
    "SAF": "SAFEGUARDING",
    "AUD": "AUDIT",
}
"""Why somebody asks, by the platform's purposes; only purposes that an operation permits come this far."""
SEXES: Mapping[str, str] = {"M": "MALE", "F": "FEMALE", "U": "NOT_SPECIFIED"}

SESSION_EXPIRED = "MR101"
LOGON_REFUSED = "MR102"
REFERENCE_UNKNOWN = "MR201"
EPISODE_OPEN = "MR202"
SUBMISSION_USED = "MR203"
STEP_NOT_ALLOWED = "MR301"
RISK_DOWNGRADE = "MR302"
NO_LEGAL_BASIS = "MR303"
OUTBOX_FULL = "MR401"
MALFORMED = "MR901"

REVIEW_OVERDUE = "RV1"
"""Code of the remark that a risk should have been looked at again."""

IN_PARTS, IN_LINES = "BSA", "LIN"
"""Forms of an address."""
