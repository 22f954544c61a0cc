"""What each transaction and segment of the PNC host interface holds: names and widths, as data.

A segment is text of fixed width between two tags, so a table of names and widths is its whole schema. The tags, their
order and widths are facts read off Bichard 7's published exchanges with the PNC, unless a line says (assumed): the
PNC's names and vehicle enquiries are not public at this level, so `SIMN1` and `SIMV1` are our own invention in the same
envelope, spoken by our simulator only.

Widths are in characters, after XML entities are decoded. Dates are DDMMYYYY (the header's alone is YYYYMMDD), times
HHMM; values stand left in their field, padded with blanks, and are upper case but for `MIXED_CASE`.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KEY: Final = "K"
INSERT: Final = "I"


@dataclass(frozen=True, slots=True)
class Operation:
    """What goes with a function code of the header; `update` says whether it changes the record."""

    root: str
    group: str
    kind: str
    update: bool


# Function code of the header -> what goes with it. The penalty hearing (PENHRG) is known by name only: neither its root
# tag nor its group is public, so it can be read but not built.
OPERATIONS: Final[Mapping[str, Operation]] = {
    "ENQASI": Operation("CXE01", "ENQR", "05", update=False),  # enquiry by arrest/summons number
    "NEWREM": Operation("CXU01", "GENL", "09", update=True),  # new remand
    "DISARR": Operation("CXU02", "RDIS", "09", update=True),  # disposal of an arrest
    "SUBVAR": Operation("CXU03", "SAPP", "09", update=True),  # subsequently varied
    "SENDEF": Operation("CXU04", "SAPP", "09", update=True),  # sentence deferred
    "SIMNAM": Operation("SIMN1", "ENQR", "05", update=False),  # names enquiry (assumed)
    "SIMVEH": Operation("SIMV1", "ENQR", "05", update=False),  # vehicle enquiry (assumed)
}

ENQUIRY_ROOTS: Final = frozenset({"CXE01", "SIMN1", "SIMV1"})

# Fields for prose, recorded in the case in which somebody typed them; whoever writes them in capitals changes the record.
MIXED_CASE: Final = frozenset(
    {
        "text",
        "message",
        "description",
        "method",
        "dress",
        "location",
        "bail_conditions",
        "bail_address",
        "breach",
        "custody_text",
        "reason_text",
        "on_behalf_of",
    }
)

# Tags that hold segments instead of text. The trailer counts each of them twice, once for either tag.
WRAPPERS: Final = frozenset({"ASI"})

# The header GMH. What `application`, `route`, `terminal` and `kind` mean is not public. They never vary in what has been
# recorded, but for `kind`: 05 on enquiries and their replies, 09 on updates and theirs.
HEADER: Final[Mapping[str, int]] = {
    "sender": 3,
    "group": 4,
    "serial": 6,
    "direction": 1,
    "function": 6,
    "application": 7,
    "route": 15,
    "date": 8,
    "time": 4,
    "terminal": 8,
    "filler": 45,
    "kind": 2,
    "sequence": 7,
}
HEADER_WIDTH: Final = 116

TRAILER: Final[Mapping[str, int]] = {"count": 6, "sender": 3, "group": 4, "serial": 6, "direction": 1}
TRAILER_WIDTH: Final = 20

# tag -> (update type: KEY, INSERT, or "" where the body has no such first character; then name -> width, in order)
SEGMENTS: Final[Mapping[str, tuple[str, Mapping[str, int]]]] = {
    # Enquiry by arrest/summons number, and its reply: ASI{FSC, IDS, ((CCR | PCR), (COF, ADJ?, DIS*)*)*}
    "E07": ("", {"asn": 24, "filler": 3}),
    "FSC": (KEY, {"force_station": 4}),
    "IDS": (KEY, {"pnc_id": 11, "check_name": 12, "cro_number": 12}),
    "CCR": (KEY, {"court_case_ref": 15, "crime_ref": 15}),
    "PCR": (KEY, {"penalty_case_ref": 19, "crime_ref": 15}),
    "COF": (
        KEY,
        {
            "offence_ref": 3,
            "qualifier_1": 2,
            "qualifier_2": 2,
            "npcc_code": 13,
            "cjs_code": 8,
            "start_date": 8,
            "start_time": 4,
            "end_date": 8,
            "end_time": 4,
        },
    ),
    "ADJ": (INSERT, {"plea": 13, "adjudication": 14, "sentence_date": 8, "tics": 4, "weed_flag": 1}),
    "DIS": (
        INSERT,
        {
            "disposal_code": 4,
            "duration": 4,  # a unit letter (D, H, M, W, Y) and digits; Y999 is life
            "date": 8,
            "amount": 10,  # pounds, 0000100.00
            "units_fined": 2,
            "qualifiers": 12,
            "text": 64,
        },
    ),
    # Updates
    "ASR": (KEY, {"asn": 23, "crime_ref": 15}),
    "CCH": (KEY, {"offence_ref": 3, "qualifier": 4, "npcc_code": 10, "cjs_code": 8}),
    "COU": (INSERT, {"court_code": 4, "court_name": 71, "file_name": 54, "hearing_date": 8, "tics": 4}),
    "CRT": (INSERT, {"court_code": 4, "court_name": 71, "date": 8}),
    "RCC": (INSERT, {"pti_urn": 19, "text": 64}),
    "SUB": (INSERT, {"court": 75, "hearing_date": 8, "hearing_type": 1}),  # type: V varied, D deferred
    "ACH": (
        INSERT,
        {
            "crime_ref": 15,
            "offence_ref": 3,
            "qualifier": 4,
            "npcc_code": 10,
            "description": 108,
            "cjs_code": 8,
            "method": 768,
            "dress": 100,
            "on_bail": 1,
            "location": 231,
            "location_force_station": 4,
            "start_date": 8,
            "start_time": 4,
            "end_date": 8,
            "end_time": 4,
        },
    ),
    "REM": (
        INSERT,
        {
            "remand_date": 8,
            "result": 1,  # B bail, C custody, O care, A adjourned
            "location_force_station": 4,
            "location_court": 4,
            "location_court_name": 71,
            "next_date": 8,
            "next_court": 4,
            "next_court_name": 71,
            "bail_conditions": 4000,  # twenty of 200, each four lines of 50
            "bail_address": 167,
            "breach": 166,
            "custody_force_station": 4,
            "institution": 4,
            "prisoner_number": 6,
            "custody_text": 256,
            "next_force_station": 4,
            "local_authority": 4,
            "local_authority_name": 70,
            "secure_unit": 1,
            "social_worker": 54,
            "phone": 49,
        },
    ),
    # Every reply to an update, and every refusal
    "TXT": ("", {"message": 700}),
    # Who asks and why, before the key of a names or vehicle enquiry (assumed: that PNC records both is public, in Hansard
    # of 9 July 1986, but how they travel is not, and the enquiry by arrest/summons number has no place for them).
    "ORG": (
        "",
        {
            "user": 15,
            "station": 4,
            "on_behalf_of": 50,
            "reason_code": 2,
            "reason_text": 250,
            "reference": 50,
            "device": 40,
        },
    ),
    # Names enquiry and its reply, all (assumed): ASI{(NOM, ALI*, WRN*, NAD*, RPT*)*, MOR?}
    "N01": (
        "",
        {
            "surname": 35,
            "forenames": 53,
            "sex": 1,
            "born_from": 8,
            "born_to": 8,
            "pnc_id": 13,
            "cro_number": 12,
            "maximum": 3,
        },
    ),
    "NOM": (
        KEY,
        {
            "pnc_id": 13,
            "cro_number": 12,
            "surname": 35,
            "forenames": 53,
            "sex": 1,
            "born": 8,
            "ethnic_appearance": 1,
            "height_cm": 3,
            "birth_place": 35,
        },
    ),
    "ALI": (KEY, {"surname": 35, "forenames": 53, "born": 8}),
    "WRN": (KEY, {"code": 2, "text": 64}),
    "NAD": (KEY, {"address": 120, "postcode": 8, "from_date": 8}),
    "RPT": (KEY, {"type": 24, "force_station": 4, "reference": 20, "text": 200}),
    "MOR": (KEY, {"more": 1}),
    # Vehicle enquiry and its reply, all (assumed): ASI{(VEH, KPR?, VRP*)*, MOR?}
    "V01": ("", {"vrm": 11, "vin": 17}),
    "VEH": (
        KEY,
        {
            "vrm": 11,
            "vin": 17,
            "make": 20,
            "model": 30,
            "colour": 20,
            "first_registered": 8,
            "keeper_changes": 2,
            "taxed": 1,
            "mot_expiry": 8,
            "insured": 1,
        },
    ),
    "KPR": (KEY, {"name": 70, "address": 120, "postcode": 8, "since": 8}),
    "VRP": (KEY, {"type": 24, "handling": 20, "force_station": 4, "reference": 20, "text": 200}),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field of one tag stands in its body; `width` is the whole body, update type included."""

    tag: str
    update_type: str
    fields: Mapping[str, slice]
    width: int


def layout_of(tag: str) -> Layout | None:
    """The layout of a tag; `None` for one that the table does not know."""
    return _layout(tag) if tag in SEGMENTS else None  # the cache must not grow with every tag a host may invent


def positions(widths: Mapping[str, int]) -> dict[str, slice]:
    """Turns widths in order into the slice of each."""
    fields: dict[str, slice] = {}
    start = 0
    for name, width in widths.items():
        fields[name] = slice(start, start + width)
        start += width
    return fields


@functools.cache
def _layout(tag: str) -> Layout:
    update_type, widths = SEGMENTS[tag]
    fields = positions({"update": 1, **widths} if update_type else widths)
    return Layout(tag, update_type, fields, sum(widths.values()) + (1 if update_type else 0))
