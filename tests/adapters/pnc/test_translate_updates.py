"""Updates between contract and wire: every field in its column."""

import datetime
from typing import Any

import pytest
from google.protobuf import text_format

from adapters.kit import Fault, Reason
from adapters.pnc import translate, values
from adapters.pnc.records import OPERATIONS, Header, Segment, Transaction
from adapters.pnc.wire import decode, encode
from metip.pnc.v1.case_update_service_pb2 import (
    RecordDeferredSentenceRequest,
    RecordDisposalRequest,
    RecordRemandRequest,
    RecordVariationRequest,
)

AT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
CCR = "21/2732/000017A"


def blankless(segment: Segment) -> dict[str, str]:
    return {name: value for name, value in segment.fields().items() if value}


def reply(function: str, *segments: Segment) -> Transaction:
    header = Header.of(function, serial=1, sequence=1, at=AT).reply(at=AT)
    return decode(encode(Transaction.of(OPERATIONS[function].root, header, segments)))


def refusal(of: Any) -> Fault:
    with pytest.raises(Fault) as told:
        of()
    return told.value


FULL_DISPOSAL = """
owner: "01ZD"
subject { pnc_id { value: "2002/0073319Z" } check_name: "Quillfeathe" cro_number { value: "097501/98T" } }
court_case_reference { value: "21/2732/000017A" }
crime_offence_reference: "01/0000/00/1A"
hearing {
  court { code: "2576" name: "South Example" } date { year: 2026 month: 11 day: 20 } filed_name: "Quillfeather/Ana"
  offences_taken_into_consideration: 12
}
referral { pti_urn { value: "01VK1600008" } text: "See other case" }
carry_forward { court { code: "2732" name: "Croydon" } date { year: 2027 month: 1 day: 4 } }
results {
  number: 3 cjs_offence_code: "TH68023" npcc_offence_code: "5:1:1:1" qualifiers: "AT" qualifiers: "CO"
  adjudication {
    plea: PLEA_NO_PLEA_TAKEN finding: FINDING_NON_CONVICTION sentence_date { year: 2026 month: 11 day: 20 }
    offences_taken_into_consideration: 7 weed_flag: "W"
  }
  disposals {
    code: 1002 duration { unit: DURATION_UNIT_MONTHS value: 18 } date { year: 2028 month: 2 day: 29 } amount_pence: 123456 units_fined: 5
    qualifiers: "S" qualifiers: "BA" qualifier_duration { unit: DURATION_UNIT_YEARS value: 1 } text: "Suspended"
  }
  disposals { code: 1010 duration { unit: DURATION_UNIT_LIFE } }
}
added_charges {
  arrest_summons_number { value: "1401ZD0100000449846U" }
  crime_offence_reference: "01/0000/00/2B"
  offences {
    cjs_offence_code: "TH68006" npcc_offence_code: "5:5:5:1" qualifiers: "AA" number: 4 crime_offence_reference: "01/0000/00/3C"
    committed {
      start_date { year: 2026 month: 10 day: 1 } start_time { hour: 8 minute: 5 } end_date { year: 2026 month: 10 day: 2 } end_time {}
    }
    location: "3 Example Road" location_force_station: "01ZD" description: "Theft of a cycle" committed_on_bail: true method: "Lock cut"
    dress: "Black coat" adjudication { plea: PLEA_GUILTY finding: FINDING_GUILTY } disposals { code: 1015 amount_pence: 5 }
  }
}
"""
DISPOSAL_SEGMENTS: list[tuple[str, dict[str, str]]] = [
    ("FSC", {"update": "K", "force_station": "01ZD"}),
    ("IDS", {"update": "K", "pnc_id": "02/73319Z", "check_name": "QUILLFEATHE", "cro_number": "097501/98T"}),
    ("CCR", {"update": "K", "court_case_ref": "21/2732/17A", "crime_ref": "01/0000/00/1A"}),
    (
        "COU",
        {
            "update": "I",
            "court_code": "2576",
            "court_name": "SOUTH EXAMPLE",
            "file_name": "QUILLFEATHER/ANA",
            "hearing_date": "20112026",
            "tics": "0012",
        },
    ),
    ("RCC", {"update": "I", "pti_urn": "01VK1600008", "text": "See other case"}),
    ("CRT", {"update": "I", "court_code": "2732", "court_name": "CROYDON", "date": "04012027"}),
    ("CCH", {"update": "K", "offence_ref": "003", "qualifiers": "ATCO", "npcc_code": "5:1:1:1", "cjs_code": "TH68023"}),
    (
        "ADJ",
        {
            "update": "I",
            "plea": "NO PLEA TAKEN",
            "adjudication": "NON-CONVICTION",
            "sentence_date": "20112026",
            "tics": "0007",
            "weed_flag": "W",
        },
    ),
    (
        "DIS",
        {
            "update": "I",
            "disposal_code": "1002",
            "duration": "M18",
            "date": "29022028",
            "amount": "0001234.56",
            "units_fined": "05",
            "qualifiers": "S BA",
            "qualifier_duration": "Y1",
            "text": "Suspended",
        },
    ),
    ("DIS", {"update": "I", "disposal_code": "1010", "duration": "Y999", "units_fined": "00"}),
    ("ASR", {"update": "K", "asn": "14/01ZD/01/449846U", "crime_ref": "01/0000/00/2B"}),
    (
        "ACH",
        {
            "update": "I",
            "crime_ref": "01/0000/00/3C",
            "offence_ref": "004",
            "qualifiers": "AA",
            "npcc_code": "5:5:5:1",
            "description": "Theft of a cycle",
            "cjs_code": "TH68006",
            "method": "Lock cut",
            "dress": "Black coat",
            "on_bail": "Y",
            "location": "3 Example Road",
            "location_force_station": "01ZD",
            "start_date": "01102026",
            "start_time": "0805",
            "end_date": "02102026",
            "end_time": "0000",
        },
    ),
    ("ADJ", {"update": "I", "plea": "GUILTY", "adjudication": "GUILTY", "tics": "0000"}),
    ("DIS", {"update": "I", "disposal_code": "1015", "amount": "0000000.05", "units_fined": "00"}),
]
FULL_REMAND = """
subject { pnc_id { value: "2002/0073319Z" } check_name: "Quillfeathe" }
arrest_summons_number { value: "1401ZD0100000449846U" }
crime_offence_reference: "01/0000/00/1A"
remanded_on { year: 2026 month: 11 day: 20 }
result: REMAND_RESULT_CARE
court { code: "2576" name: "South Example" }
next_court { code: "2732" name: "Croydon" }
next_appearance { year: 2027 month: 1 day: 4 }
bail_conditions: "Residence: to live and sleep each night at 3 Example Road, Example"
bail_conditions: "Curfew"
bail_address: "3 Example Road"
care { local_authority_code: "0123" local_authority: "Example Council" secure_unit: "Y" social_worker: "Jo Doe" phone: "020 7946 0000" }
custody { force_station: "01ZD" institution: "EX" prisoner_number: "A12345" text: "On arrival" }
remanded_at_station: "01YE"
next_station: "01ZD"
breach: "Left the address"
"""
REMAND = {
    "update": "I",
    "remand_date": "20112026",
    "result": "O",
    "location_force_station": "01YE",
    "location_court": "2576",
    "location_court_name": "SOUTH EXAMPLE",
    "next_date": "04012027",
    "next_court": "2732",
    "next_court_name": "CROYDON",
    "bail_conditions": (
        "Residence: to live and sleep each night at 3      " + "Example Road, Example".ljust(50) + " " * 100 + "Curfew".ljust(200)
    ).strip(),
    "bail_address": "3 Example Road",
    "breach": "Left the address",
    "custody_force_station": "01ZD",
    "institution": "EX",
    "prisoner_number": "A12345",
    "custody_text": "On arrival",
    "next_force_station": "01ZD",
    "local_authority": "0123",
    "local_authority_name": "EXAMPLE COUNCIL",
    "secure_unit": "Y",
    "social_worker": "JO DOE",
    "phone": "020 7946 0000",
}
LATER = """
subject { pnc_id { value: "2002/0073319Z" } check_name: "Quillfeathe" }
court_case_reference { value: "21/2732/000017A" }
crime_offence_reference: "01/0000/00/1A"
appearance { court { code: "2576" name: "South Example" } date { year: 2026 month: 11 day: 20 } }
results { number: 1 cjs_offence_code: "TH68023" disposals { code: 1015 } }
"""


def test_every_field_of_a_disposal_is_in_its_column() -> None:
    request = text_format.Parse(FULL_DISPOSAL, RecordDisposalRequest())
    assert_complete(request)
    assert [(segment.tag, blankless(segment)) for segment in translate.update(request, "01HB")] == DISPOSAL_SEGMENTS


def test_every_field_of_a_remand_is_in_its_column() -> None:
    request = text_format.Parse(FULL_REMAND, RecordRemandRequest())
    assert_complete(request, leaving_out={"owner"})
    opening, person, arrest, remand = translate.update(request, "01HB")
    assert blankless(opening) == {"update": "K", "force_station": "01HB"}
    assert blankless(person) == {"update": "K", "pnc_id": "02/73319Z", "check_name": "QUILLFEATHE"}
    assert blankless(arrest) == {"update": "K", "asn": "14/01ZD/01/449846U", "crime_ref": "01/0000/00/1A"}
    assert blankless(remand) == REMAND
    assert remand.fields().keys() == REMAND.keys()


@pytest.mark.parametrize(
    ("kind", "letter"),
    [(RecordDeferredSentenceRequest, "D"), (RecordVariationRequest, "V")],
    ids=["deferred", "varied"],
)
def test_every_field_of_a_later_appearance_is_in_its_column(kind: Any, letter: str) -> None:
    request = text_format.Parse(LATER, kind())
    assert_complete(request, leaving_out={"owner"})
    segments = translate.update(request, "01HB")
    assert [segment.tag for segment in segments] == ["FSC", "IDS", "SUB", "CCR", "CCH", "DIS"]
    assert segments[2].body[1:76].rstrip() == "2576SOUTH EXAMPLE"
    court = {"court_code": "2576", "court_name": "SOUTH EXAMPLE"}
    assert blankless(segments[2]) == {"update": "I", **court, "hearing_date": "20112026", "hearing_type": letter}
    assert blankless(segments[3])["crime_ref"] == "01/0000/00/1A"


def assert_complete(message: Any, leaving_out: frozenset[str] | set[str] = frozenset()) -> None:
    """A golden that leaves a field of the contract out would prove nothing about it."""
    missing = {field.name for field in message.DESCRIPTOR.fields} - {field.name for field, _ in message.ListFields()}
    assert missing == {"access"} | leaving_out


def test_an_update_without_an_owner_takes_the_adapters_own_or_is_refused() -> None:
    request = text_format.Parse(LATER, RecordVariationRequest())
    assert translate.update(request, "01HB")[0]["force_station"] == "01HB"
    fault = refusal(lambda: translate.update(request, ""))
    assert (fault.reason, fault.fields[0][0]) == (Reason.INVALID_REQUEST, "owner")


def test_a_bail_condition_is_broken_between_words_and_only_for_want_of_room_inside_one() -> None:
    assert values.bail_condition("Curfew") == "Curfew".ljust(200)
    broken = values.bail_condition(f"{'a' * 30} {'b' * 30} c")
    assert broken == ("a" * 30).ljust(50) + ("b" * 30 + " c").ljust(150)
    tight = " ".join(["x" * 26] * 7)
    assert values.bail_condition(tight) == tight.ljust(200)


# Receipts


def test_a_receipt_leads_with_the_acceptance_and_keeps_the_rest() -> None:
    texts = [Segment.of("TXT", message=message) for message in ("I5069 - LOOK AGAIN", "A0003 - DONE", "A0027 - CASE 21/2732/18B")]
    opened = Segment.of("CCR", court_case_ref="21/2732/17A")
    confirmed = translate.disposal_receipt(reply("DISARR", opened, *texts))
    assert confirmed.additional_case.value == CCR
    assert confirmed.receipt.code == "A0003"
    assert [(remark.code, remark.text) for remark in confirmed.receipt.remarks] == [("I5069", "LOOK AGAIN"), ("A0027", "CASE 21/2732/18B")]
    assert translate.receipt(reply("NEWREM", texts[0])).code == "I5069"
