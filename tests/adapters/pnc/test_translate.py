"""Enquiries and their answers between contract and wire."""

import datetime
from typing import Any

import protovalidate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit import Fault, Officer, Reason
from adapters.pnc import translate
from adapters.pnc.records import Header, Segment, Transaction
from adapters.pnc.segments import OPERATIONS
from adapters.pnc.translate import enquiries, values
from adapters.pnc.wire import decode, encode
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CourtCaseReference, CroNumber, PncId, Vrm
from metip.common.v1.pole_pb2 import Sex
from metip.common.v1.time_pb2 import CivilDate
from metip.options.v1.options_pb2 import Purpose
from metip.pnc import reasons
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest
from metip.pnc.v1.person_pb2 import CirculationType
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest, Handling

AT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
TODAY = AT.date()
OFFICER = Officer("P123456", "01", "ZD", ("officer",))
ASN = "1401ZD0100000449846U"
PNC_ID = "2002/0073319Z"


def blankless(segment: Segment) -> dict[str, str]:
    return {name: value for name, value in segment.fields().items() if value}


def reply(function: str, *segments: Segment) -> Transaction:
    header = Header.of(function, serial=1, sequence=1, at=AT).reply(at=AT)
    return decode(encode(Transaction.of(OPERATIONS[function].root, header, segments)))


def refusal(of: Any) -> Fault:
    with pytest.raises(Fault) as told:
        of()
    return told.value


# Enquiries

ACCESS = AccessContext(
    purpose=Purpose.PURPOSE_STREET_STOP, reference="1/23NOV26", justification="Stopped", on_behalf_of="PC 1 Example", device_id="MDT7"
)


def test_a_search_says_who_asks_and_why_and_for_whom() -> None:
    request = SearchPersonsRequest(access=ACCESS, family_name="o\u2019quill", given_names="Ana Jo", sex=Sex.SEX_FEMALE)
    getattr(request.born, "from").CopyFrom(CivilDate(year=2000))
    request.born.to.CopyFrom(CivilDate(year=2000, month=2))
    originator, key = translate.search(request, OFFICER, TODAY)
    assert blankless(originator) == {
        "user": "P123456",
        "station": "01ZD",
        "on_behalf_of": "PC 1 Example",
        "reason_code": "1",
        "reason_text": "Stopped",
        "reference": "1/23NOV26",
        "device": "MDT7",
    }
    assert blankless(key) == {
        "surname": "O'QUILL",
        "forenames": "ANA JO",
        "sex": "F",
        "born_from": "01012000",
        "born_to": "29022000",
        "maximum": "20",
    }


def test_a_look_up_by_number_or_mark_carries_nothing_else() -> None:
    by_pnc_id = translate.by_number(GetPersonRequest(access=ACCESS, pnc_id=PncId(value=PNC_ID)), OFFICER, TODAY)[1]
    by_cro = translate.by_number(GetPersonRequest(access=ACCESS, cro_number=CroNumber(value="097501/98T")), OFFICER, TODAY)[1]
    assert blankless(by_pnc_id) == {"pnc_id": PNC_ID, "maximum": "1"}
    assert blankless(by_cro) == {"cro_number": "097501/98T", "maximum": "1"}
    by_mark = translate.vehicle_key(GetVehicleRequest(access=ACCESS, vrm=Vrm(value="AB51ABC")), OFFICER, TODAY)[1]
    assert blankless(by_mark) == {"vrm": "AB51ABC"}


BOUNDS = [
    (CivilDate(), False, ""),
    (CivilDate(year=2001), False, "01012001"),
    (CivilDate(year=2001), True, "31122001"),
    (CivilDate(year=2001, month=2), True, "28022001"),
    (CivilDate(year=2001, month=2, day=3), True, "03022001"),
]


@pytest.mark.parametrize(("date", "last", "text"), BOUNDS, ids=[row[2] or "open" for row in BOUNDS])
def test_a_bound_with_unknown_parts_takes_in_all_that_they_allow(date: CivilDate, last: bool, text: str) -> None:
    assert values.bound_text(date, "born.to", last=last) == text


NO_BOUNDS = [CivilDate(year=2001, month=2, day=29), CivilDate(year=2001, day=3), CivilDate(month=2)]


@pytest.mark.parametrize("date", NO_BOUNDS, ids=["no such day", "no month", "no year"])
def test_a_bound_that_is_no_day_is_refused_by_its_path(date: CivilDate) -> None:
    fault = refusal(lambda: values.bound_text(date, "born.from", last=False))
    assert (fault.reason, fault.fields[0][0]) == (Reason.INVALID_REQUEST, "born.from")


REFUSED_VALUES: list[tuple[str, Any, str]] = [
    ("another script", SearchPersonsRequest(access=ACCESS, family_name="\u0425\u043e\u0440\u0441"), "family_name"),
    ("a line break", SearchPersonsRequest(access=AccessContext(justification="a\nb"), family_name="QUILL"), "access.justification"),
    ("too wide in capitals", SearchPersonsRequest(access=ACCESS, family_name="ß" * 35), "family_name"),
]


@pytest.mark.parametrize(("name", "request_", "path"), REFUSED_VALUES, ids=[row[0] for row in REFUSED_VALUES])
def test_a_value_that_the_host_cannot_hold_is_refused_by_its_path_and_not_shown(name: str, request_: Any, path: str) -> None:
    fault = refusal(lambda: translate.search(request_, OFFICER, TODAY))
    assert (fault.reason, fault.fields[0][0]) == (Reason.INVALID_REQUEST, path)
    assert request_.family_name not in str(fault)


def test_a_dummy_number_and_a_wrong_check_letter_are_told_apart() -> None:
    made_up = GetArrestSummonsRequest(arrest_summons_number=ArrestSummonsNumber(value="0800NP0100000000001H"))
    assert refusal(lambda: translate.number_key(made_up)).reason is Reason.DUMMY_NUMBER
    mistyped = GetArrestSummonsRequest(arrest_summons_number=ArrestSummonsNumber(value=ASN[:-1] + "A"))
    fault = refusal(lambda: translate.number_key(mistyped))
    assert (fault.reason, fault.fields[0][0]) == (Reason.INVALID_REQUEST, "arrest_summons_number.value")
    (key,) = translate.number_key(GetArrestSummonsRequest(arrest_summons_number=ArrestSummonsNumber(value=ASN)))
    assert blankless(key) == {"asn": "14/01ZD/01/449846U"}


CODES = [
    (Purpose.PURPOSE_LICENSING_VETTING, datetime.date(1990, 1, 1), "8 - Admin, general/licensing/firearms"),
    (Purpose.PURPOSE_LICENSING_VETTING, TODAY, "0 - Other"),
    (Purpose.PURPOSE_OTHER_AGENCY, TODAY, "8 - On behalf of another authorised agency"),
    (Purpose.PURPOSE_OTHER_AGENCY, datetime.date(1990, 1, 1), "0 - Other"),
    (Purpose.PURPOSE_AUDIT, TODAY, "9 - Update/Confirm/Broadcast"),
    (Purpose.PURPOSE_STREET_STOP, datetime.date(1980, 1, 1), "1 - Stop in the street"),
]


@pytest.mark.parametrize(("purpose", "on", "words"), CODES, ids=[f"{Purpose.Name(row[0])} {row[1].year}" for row in CODES])
def test_a_reason_code_means_what_it_meant_on_the_day(purpose: Any, on: datetime.date, words: str) -> None:
    assert str(reasons.reason_code(purpose, on)) == words


# Answers


def test_a_person_comes_with_everything_that_the_segments_hold() -> None:
    run = [
        Segment.of("NOM", pnc_id=PNC_ID, cro_number="SF39/1234A", surname="Quill", forenames="A B C D", sex="U", born="00001971"),
        Segment.of("ALI", surname="Feather", forenames="Jo", born="01021970"),
        Segment.of("NAD", address="1 Old Road, Example", postcode="ZZ1 1AA", from_date="01012001"),
        Segment.of("NAD", address="2 New Road, Example", postcode="ZZ1 1AB", from_date="01012020"),
        Segment.of("WRN", code="VI", text="Violent"),
        Segment.of("RPT", type="RECALL", force_station="01ZD", reference="1", text="Arrest"),
        Segment.of("RPT", type="NOVELTY", text="Something new"),
    ]
    nominal = enquiries.nominal(run)
    assert list(nominal.person.name.given_names) == ["A", "B", "C D"]
    assert nominal.person.sex == Sex.SEX_NOT_SPECIFIED
    assert nominal.person.date_of_birth == CivilDate(year=1971)
    assert nominal.person.pnc_id.value == PNC_ID
    assert nominal.person.cro_number == CroNumber(as_received="SF39/1234A")
    assert list(nominal.other_dates_of_birth) == [CivilDate(year=1970, month=2, day=1)]
    assert [home.postcode for home in nominal.person.addresses] == ["ZZ1 1AB", "ZZ1 1AA"]
    assert [(report.type, report.text) for report in nominal.circulations] == [
        (CirculationType.CIRCULATION_TYPE_RECALL, "Arrest"),
        (CirculationType.CIRCULATION_TYPE_UNSPECIFIED, "NOVELTY: Something new"),
    ]
    protovalidate.validate(nominal)


def test_a_handling_that_nobody_knows_is_read_as_the_strictest() -> None:
    vehicle = Segment.of("VEH", vrm="AB51ABC")
    reports = [Segment.of("VRP", type="SEEN", handling=handling) for handling in ("", "NORMAL", "NOT_OVER_OPEN_AIR", "WHISPER")]
    response = translate.vehicle(reply("SIMVEH", Segment("ASI", "", (vehicle, *reports))), AT)
    assert [report.handling for report in response.reports] == [
        Handling.HANDLING_UNSPECIFIED,
        Handling.HANDLING_NORMAL,
        Handling.HANDLING_NOT_OVER_OPEN_AIR,
        Handling.HANDLING_NOT_OVER_OPEN_AIR,
    ]
    assert not response.HasField("keeper")


def test_two_vehicles_of_one_mark_are_told_as_one_and_more() -> None:
    vehicles = (Segment.of("VEH", vrm="AB51ABC", make="FIRST"), Segment.of("VEH", vrm="AB51ABC", make="SECOND"))
    response = translate.vehicle(reply("SIMVEH", Segment("ASI", "", vehicles)), AT)
    assert (response.vehicle.make, response.provenance.truncated) == ("FIRST", True)


REFRESHES = [
    ("2026-11-23T03:59+00:00", "2026-11-22T04:00+00:00"),
    ("2026-11-23T04:00+00:00", "2026-11-23T04:00+00:00"),
    ("2026-07-01T03:30+00:00", "2026-07-01T03:00+00:00"),
    ("2026-03-29T02:59+00:00", "2026-03-28T04:00+00:00"),
    ("2026-03-29T03:00+00:00", "2026-03-29T03:00+00:00"),
    ("2026-10-25T03:30+00:00", "2026-10-24T03:00+00:00"),
]


@pytest.mark.parametrize(("at", "refreshed"), REFRESHES, ids=[row[0] for row in REFRESHES])
def test_keepers_are_as_old_as_four_in_the_morning_in_london(at: str, refreshed: str) -> None:
    assert translate.last_refresh(datetime.datetime.fromisoformat(at)) == datetime.datetime.fromisoformat(refreshed)


@given(st.text("ABC, ", max_size=120))
def test_no_part_of_an_address_is_lost(text: str) -> None:
    lines = list(values.address(text, "").lines.line)
    assert len(lines) <= 5
    assert "".join(lines).replace(" ", "") == text.replace(",", "").replace(" ", "")


UNREADABLE = ["", "ABCD", "99999999", "20262026", "1234", "٠١٠١٢٠٢٦"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_date_or_time_that_is_none_stays_unset(text: str) -> None:
    assert values.read_date(text) is None
    assert text == "1234" or values.read_time(text) is None


def test_identifiers_that_do_not_parse_are_kept_as_they_came() -> None:
    assert values.read_pnc_id("97/1A", TODAY).as_received == "97/1A"
    assert values.read_court_case("nonsense") == CourtCaseReference(as_received="nonsense")
    assert values.read_arrest_summons_number("X").value == ""
    assert values.pnc_id_text(PncId(as_received="97/1A")) == "97/1A"
