"""CRIS's own names and codes, all of them in this one place, since no public source has any: every value here is (assumed).

Public are only its purpose, that it has been a web application since 2003, and that each transaction is recorded against an officer's
name (Metropolitan Police Authority report on crime recording, 9 November 2006; Techmonitor, September 1987).
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

PATH = "/CRIS/services/CrimeReport"
ENCODING = "ISO-8859-1"
ZONE = "Europe/London"
"""CRIS prints local times without a zone."""

NAME, MARK, LINE, METHOD, DETS, REASON = 35, 40, 100, 2500, 4000, 250
"""Widths in characters: a name's part, a property's mark, one line of text, the modus operandi, a details entry, a reason."""

MOST_HITS = 200
MOST_DETS = 200
MAINTENANCE_MINUTES = 30
"""Length of the nightly window, which begins at 03:00 local time."""


class Code(StrEnum):
    """What CRIS refuses with, as `CODE` in the detail of a SOAP fault."""

    UNKNOWN_REF = "CRIS-0101"
    RESTRICTED = "CRIS-0102"
    VERSION_CONFLICT = "CRIS-0201"
    LOCKED = "CRIS-0202"
    CLOSED = "CRIS-0203"
    INVALID = "CRIS-0301"
    RETIRED_CLASS = "CRIS-0302"
    REUSED_REF = "CRIS-0303"
    MAINTENANCE = "CRIS-0901"
    SESSION_LIMIT = "CRIS-0902"
    INTERNAL = "CRIS-0999"


class Problem(StrEnum):
    """What is wrong with one field, in the list of a CRIS-0301."""

    REQUIRED = "REQUIRED"
    FORMAT = "FORMAT"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    FUTURE = "FUTURE"
    ORDER = "ORDER"
    TOO_LONG = "TOO_LONG"
    CHARACTERS = "CHARACTERS"


PROBLEMS: Mapping[Problem, str] = MappingProxyType(
    {
        Problem.REQUIRED: "is needed",
        Problem.FORMAT: "does not exist or is not complete",
        Problem.UNKNOWN_CODE: "is not in the far system's list",
        Problem.FUTURE: "lies in the future",
        Problem.ORDER: "ends before it begins",
        Problem.TOO_LONG: "is longer than the far system holds",
        Problem.CHARACTERS: "holds characters that the far system can't hold",
    }
)
"""The words for a caller."""

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "SHEET.CHANNEL": "sheet.reporting_channel",
        "SHEET.BOROUGH": "sheet.borough",
        "SHEET.BEAT": "sheet.beat",
        "SHEET.CLASS_CODE": "sheet.classification.code",
        "SHEET.COMMITTED": "sheet.committed",
        "SHEET.VENUE.POSTCODE": "sheet.venue.address.postcode",
        "SHEET.MO_TEXT": "sheet.modus_operandi",
        "SHEET.FLAGS": "sheet.flags",
        "SHEET.PARTIES.PERSON.DATE_OF_BIRTH": "sheet.parties.person.date_of_birth",
        "SHEET.PARTIES.PERSON.FAMILY_NAME": "sheet.parties.person.name.family_name",
        "SHEET.PARTIES.NUMBER": "sheet.parties.number",
        "SHEET.PROPERTY.NUMBER": "sheet.property.number",
        "CHANGES.CLASS_CODE": "changes.reclassification.code",
        "CHANGES.COMMITTED": "changes.committed",
        "CHANGES.MO_TEXT": "changes.modus_operandi",
        "CHANGES.PARTIES.PERSON.DATE_OF_BIRTH": "changes.parties.person.date_of_birth",
        "CHANGES.PARTIES.PERSON.FAMILY_NAME": "changes.parties.person.name.family_name",
        "CHANGES.PARTIES.NUMBER": "changes.parties.number",
        "CHANGES.PROPERTY.NUMBER": "changes.property.number",
        "CLIENT_REF": "client_reference",
        "DATE_OF_BIRTH": "person.date_of_birth",
        "MARK": "property.identifying_mark",
        "COMMITTED_FROM": "committed.from",
        "COMMITTED_TO": "committed.to",
        "PAGE": "page",
        "TEXT": "text",
    }
)
"""CRIS's name of a field, to the contract's. A number in brackets after a part of CRIS's name counts from 1; here it is left out."""


class Role(StrEnum):
    """Somebody's part in a report."""

    VICTIM = "VIC"
    SUSPECT = "SUS"
    INFORMANT = "INF"
    WITNESS = "WIT"


class Status(StrEnum):
    """Where an investigation stands; a report that is screened out is closed."""

    OPEN = "OP"
    DETECTED = "DT"
    SCREENED_OUT = "SO"


class Channel(StrEnum):
    """How a report came in."""

    TELEPHONE = "TEL"
    COUNTER = "CTR"
    OFFICER = "OFF"
    ONLINE = "ONL"


class Involvement(StrEnum):
    """What happened to property."""

    STOLEN = "STO"
    DAMAGED = "DAM"
    RECOVERED = "REC"
    USED = "USE"


class Page(StrEnum):
    """A page of the details."""

    INVESTIGATION = "INV"
    VICTIM_CONTACT = "VCT"
    FORENSIC = "FOR"
    SUPERVISION = "SUP"


class Sex(StrEnum):
    """A recorded sex."""

    MALE = "M"
    FEMALE = "F"
    NOT_SPECIFIED = "U"


class Why(StrEnum):
    """The reason that CRIS keeps with each transaction."""

    STREET_STOP = "SS"
    ROAD_TRAFFIC = "RT"
    ARREST_DETENTION = "AD"
    CRIME_INVESTIGATION = "CI"
    INCIDENT_RESPONSE = "IR"
    SAFEGUARDING = "SG"
    PROSECUTION = "PR"
    AUDIT = "AU"
