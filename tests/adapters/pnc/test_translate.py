"""Enquiries and their answers between contract and wire."""

import datetime
from typing import Any

import protovalidate
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit import Fault, Officer, Reason
from adapters.pnc import translate, values
from adapters.pnc.records import OPERATIONS, SEGMENTS, Header, Segment, Transaction
from adapters.pnc.wire import decode, encode
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CourtCaseReference, CroNumber, PncId, Vrm
from metip.common.v1.pole_pb2 import Sex
from metip.common.v1.time_pb2 import CivilDate
from metip.options.v1.options_pb2 import Purpose
from metip.pnc import reasons
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest, GetArrestSummonsResponse
from metip.pnc.v1.driver_enquiry_service_pb2 import DriverDescription, GetDriverRequest, GetDriverResponse
from metip.pnc.v1.driver_pb2 import Driver
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, GetPersonResponse, SearchPersonsRequest, SearchPersonsResponse
from metip.pnc.v1.person_pb2 import CirculationType
from metip.pnc.v1.property_enquiry_service_pb2 import PropertyReportType, PropertyType, SearchPropertyRequest, SearchPropertyResponse
from metip.pnc.v1.vehicle_enquiry_service_pb2 import (
    GetVehicleRequest,
    GetVehicleResponse,
    Handling,
    SearchVehiclesRequest,
    SearchVehiclesResponse,
)
from metip.pnc.values import address_lines, read_arrest_summons_number, read_court_case

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
    originator, key = translate.question(request, OFFICER, TODAY)
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
    by_pnc_id = translate.question(GetPersonRequest(access=ACCESS, pnc_id=PncId(value=PNC_ID)), OFFICER, TODAY)[1]
    by_cro = translate.question(GetPersonRequest(access=ACCESS, cro_number=CroNumber(value="097501/98T")), OFFICER, TODAY)[1]
    assert blankless(by_pnc_id) == {"pnc_id": PNC_ID}
    assert blankless(by_cro) == {"cro_number": "097501/98T"}
    by_mark = translate.question(GetVehicleRequest(access=ACCESS, vrm=Vrm(value="AB51ABC")), OFFICER, TODAY)[1]
    assert blankless(by_mark) == {"vrm": "AB51ABC"}


def test_a_vehicle_search_a_driver_and_a_thing_are_asked_for_in_the_hosts_letters() -> None:
    search = SearchVehiclesRequest(access=ACCESS, vrm_pattern="A?1*", postcode_area="SW", colour="Blue", make="Ford", model="Fiesta")
    assert blankless(translate.question(search, OFFICER, TODAY)[1]) == {
        "vrm": "A?1*", "postcode_area": "SW", "colour": "BLUE", "make": "FORD", "model": "FIESTA", "maximum": "20",
    }  # fmt: skip
    born = CivilDate(year=1990, month=2, day=3)
    described = DriverDescription(family_name="O\u2019Quill", given_names="Ana", date_of_birth=born, sex=Sex.SEX_FEMALE)
    assert blankless(translate.question(GetDriverRequest(access=ACCESS, description=described), OFFICER, TODAY)[1]) == {
        "surname": "O'QUILL", "forenames": "ANA", "sex": "F", "born": "03021990",
    }  # fmt: skip
    thing = SearchPropertyRequest(access=ACCESS, type=PropertyType.PROPERTY_TYPE_PLANT, serial_number="AB-12/3.4 5", limit=5)
    assert blankless(translate.question(thing, OFFICER, TODAY)[1]) == {"type": "PLANT", "serial_number": "AB12345", "maximum": "5"}


BOUNDS = [
    (CivilDate(), False, ""),
    (CivilDate(year=2001), False, "01012001"),
    (CivilDate(year=2001), True, "31122001"),
    (CivilDate(year=2001, month=2), True, "28022001"),
    (CivilDate(year=2001, month=2, day=3), True, "03022001"),
]


@pytest.mark.parametrize(("date", "last", "text"), BOUNDS, ids=[row[2] or "open" for row in BOUNDS])
def test_a_bound_with_unknown_parts_takes_in_all_that_they_allow(date: CivilDate, last: bool, text: str) -> None:
    assert values.bound_text(date, last=last) == text


NO_BOUNDS = [CivilDate(year=2001, month=2, day=29), CivilDate(year=2001, day=3), CivilDate(month=2)]


@pytest.mark.parametrize("date", NO_BOUNDS, ids=["no such day", "no month", "no year"])
def test_a_bound_that_is_no_day_is_refused_by_its_path(date: CivilDate) -> None:
    request = SearchPersonsRequest(access=ACCESS, family_name="QUILL")
    getattr(request.born, "from").CopyFrom(date)
    fault = refusal(lambda: translate.question(request, OFFICER, TODAY))
    assert (fault.reason, fault.fields[0][0]) == (Reason.INVALID_REQUEST, "born.from")


REFUSED_VALUES: list[tuple[str, Any, str]] = [
    ("another script", SearchPersonsRequest(access=ACCESS, family_name="\u0425\u043e\u0440\u0441"), "family_name"),
    ("a line break", SearchPersonsRequest(access=AccessContext(justification="a\nb"), family_name="QUILL"), "access.justification"),
    ("too wide in capitals", SearchPersonsRequest(access=ACCESS, family_name="ß" * 35), "family_name"),
]


@pytest.mark.parametrize(("name", "request_", "path"), REFUSED_VALUES, ids=[row[0] for row in REFUSED_VALUES])
def test_a_value_that_the_host_cannot_hold_is_refused_by_its_path_and_not_shown(name: str, request_: Any, path: str) -> None:
    fault = refusal(lambda: translate.question(request_, OFFICER, TODAY))
    assert (fault.reason, fault.fields[0][0]) == (Reason.INVALID_REQUEST, path)
    assert request_.family_name not in str(fault)


def test_a_number_of_an_officer_in_another_script_is_refused_by_the_hosts_own_field() -> None:
    officer = Officer("\u0416123", "01", "ZD", ("officer",))
    fault = refusal(lambda: translate.question(SearchPersonsRequest(access=ACCESS, family_name="QUILL"), officer, TODAY))
    assert (fault.reason, fault.fields[0][0]) == (Reason.INVALID_REQUEST, "user")


def test_a_dummy_number_and_a_wrong_check_letter_are_told_apart() -> None:
    made_up = GetArrestSummonsRequest(arrest_summons_number=ArrestSummonsNumber(value="0800NP0100000000001H"))
    assert refusal(lambda: translate.question(made_up, None, TODAY)).reason is Reason.DUMMY_NUMBER
    mistyped = GetArrestSummonsRequest(arrest_summons_number=ArrestSummonsNumber(value=ASN[:-1] + "A"))
    fault = refusal(lambda: translate.question(mistyped, None, TODAY))
    assert (fault.reason, fault.fields[0][0]) == (Reason.INVALID_REQUEST, "arrest_summons_number.value")
    (key,) = translate.question(GetArrestSummonsRequest(arrest_summons_number=ArrestSummonsNumber(value=ASN)), None, TODAY)
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
    nominal = translate.answer(GetPersonResponse, reply("SIMNAM", Segment("ASI", "", tuple(run))), AT).nominal
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
    response = translate.answer(GetVehicleResponse, reply("SIMVEH", Segment("ASI", "", (vehicle, *reports))), AT)
    assert [report.handling for report in response.reports] == [
        Handling.HANDLING_UNSPECIFIED,
        Handling.HANDLING_NORMAL,
        Handling.HANDLING_NOT_OVER_OPEN_AIR,
        Handling.HANDLING_NOT_OVER_OPEN_AIR,
    ]
    assert not response.HasField("keeper")


def test_two_vehicles_of_one_mark_are_told_as_one_and_more() -> None:
    vehicles = (Segment.of("VEH", vrm="AB51ABC", make="FIRST"), Segment.of("VEH", vrm="AB51ABC", make="SECOND"))
    response = translate.answer(GetVehicleResponse, reply("SIMVEH", Segment("ASI", "", vehicles)), AT)
    assert (response.vehicle.make, response.provenance.truncated) == ("FIRST", True)


def test_a_driver_comes_with_everything_that_the_segments_hold() -> None:
    segments = (
        Segment.of("DRV", driver_number="QUILL902031A9XBC", surname="Quill", forenames="A B", sex="F", born="03021990", licence="FULL",
                   address="1 Old Road, Example", postcode="ZZ1 1AA", status="CURRENT", valid_from="01012010", valid_to="02022060"),
        Segment.of("ENT", category="C1", provisional="Y", valid_from="01012010", valid_to="02022060"),
        Segment.of("END", code="SP30", committed_on="01012025", convicted_on="02022025", court_code="2576", points="03", fine="0000100.00"),
        Segment.of("END", code="CU80", committed_on="01012024", points="06"),
        Segment.of("DSQ", **{"from": "02022025"}, to="01022026", until_test="Y"),
        Segment.of("DRV", driver_number="QUILL902031A9XBD", status="LAPSED"),
    )  # fmt: skip
    first, second = translate.answer(GetDriverResponse, reply("SIMDRV", Segment("ASI", "", segments)), AT).drivers
    assert first == text_format.Parse(
        """driver_number: "QUILL902031A9XBC" name { given_names: "A" given_names: "B" family_name: "QUILL" } sex: SEX_FEMALE
        date_of_birth { year: 1990 month: 2 day: 3 } address { lines { line: "1 OLD ROAD" line: "EXAMPLE" } postcode: "ZZ1 1AA" }
        licence: LICENCE_TYPE_FULL status: LICENCE_STATUS_CURRENT
        valid_from { year: 2010 month: 1 day: 1 } valid_to { year: 2060 month: 2 day: 2 }
        entitlements { category: "C1" provisional: true
          valid_from { year: 2010 month: 1 day: 1 } valid_to { year: 2060 month: 2 day: 2 } }
        endorsements { code: "SP30" committed_on { year: 2025 month: 1 day: 1 } convicted_on { year: 2025 month: 2 day: 2 }
          court { code: "2576" } points: 3 fine_pence: 10000 }
        endorsements { code: "CU80" committed_on { year: 2024 month: 1 day: 1 } points: 6 }
        disqualifications { from { year: 2025 month: 2 day: 2 } to { year: 2026 month: 2 day: 1 } until_test_passed: true }""",
        Driver(),
    )
    assert second == Driver(driver_number="QUILL902031A9XBD")
    protovalidate.validate(first)


def test_a_kind_of_thing_or_report_that_nobody_knows_is_said_by_the_text() -> None:
    report = Segment.of("PRP", type="DRONE", serial_number="1234", report="STOLEN", handling="WHISPER", text="Keep it")
    (found,) = translate.answer(SearchPropertyResponse, reply("SIMPRO", Segment("ASI", "", (report,))), AT).reports
    assert (found.type, found.report, found.text) == (0, PropertyReportType.PROPERTY_REPORT_TYPE_STOLEN, "DRONE: Keep it")
    assert found.handling == Handling.HANDLING_NOT_OVER_OPEN_AIR


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
    lines = list(address_lines(text).line)
    assert len(lines) <= 5
    assert "".join(lines).replace(" ", "") == text.replace(",", "").replace(" ", "")


ANSWERS: list[tuple[Any, str]] = [
    (SearchPersonsResponse, "SIMNAM"), (GetPersonResponse, "SIMNAM"), (GetVehicleResponse, "SIMVEH"), (SearchVehiclesResponse, "SIMVOD"),
    (GetDriverResponse, "SIMDRV"), (SearchPropertyResponse, "SIMPRO"), (GetArrestSummonsResponse, "ENQASI"),
]  # fmt: skip
nonsense = st.text(st.characters(codec="latin-1") | st.sampled_from("0123456789/ "), max_size=60)


@pytest.mark.parametrize(("kind", "function"), ANSWERS, ids=[row[0].DESCRIPTOR.name for row in ANSWERS])
@given(inside=st.lists(st.builds(Segment, st.sampled_from(sorted(SEGMENTS)), nonsense), max_size=8))
def test_whatever_the_segments_say_is_an_answer(kind: Any, function: str, inside: list[Segment]) -> None:
    answer = translate.answer(kind, reply(function, Segment("ASI", "", tuple(inside))), AT)
    assert answer.provenance.system == "PNC"


UNREADABLE = ["", "ABCD", "99999999", "20262026", "1234", "٠١٠١٢٠٢٦"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_date_or_time_that_is_none_stays_unset(text: str) -> None:
    assert values.read_date(text) is None
    assert text == "1234" or values.read_time(text) is None


def test_identifiers_that_do_not_parse_are_kept_as_they_came() -> None:
    assert values.pnc_id(TODAY).read("97/1A") == PncId(as_received="97/1A")
    assert read_court_case("nonsense") == CourtCaseReference(as_received="nonsense")
    assert read_arrest_summons_number("X") == ArrestSummonsNumber(as_received="X")
    assert values.pnc_id(TODAY).write(PncId(as_received="97/1A"), 11) == "97/1A"
