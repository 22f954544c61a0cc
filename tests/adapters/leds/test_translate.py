"""Between the contract's messages and LEDS's records: what goes out comes back, and what can't go out is refused by field."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit import Fault, Reason
from adapters.leds import translate
from adapters.leds.translate import _disposal, _result  # the two halves of one table
from adapters.leds.wire import SHAPES, decode, encode
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CourtCaseReference, PncId
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.pnc.v1 import case_update_service_pb2 as updates
from metip.pnc.v1 import court_case_pb2 as cases
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest

DAY = CivilDate(year=2026, month=11, day=20)
SUBJECT = cases.Subject(pnc_id=PncId(value="2005/0007919R"), check_name="HALZERWICK")
CASE: dict[str, Any] = {
    "courtCaseId": "c-1",
    "courtCaseReference": "26/2576/907919V",
    "caseStatusMarker": "court-case",
    "offences": [{"offenceId": "o-1", "courtOffenceSequenceNumber": 1, "cjsOffenceCode": "TH68023", "offenceStartDate": "2026-09-21"}],
}
RESULT = updates.OffenceResult(number=1, cjs_offence_code="TH68023")
NUMBER = ArrestSummonsNumber(value="1401ZD0100000449846U")
DURATIONS = st.builds(cases.SentenceDuration, unit=st.sampled_from([1, 2, 3, 4, 5, 7]), value=st.integers(1, 999)) | st.just(
    cases.SentenceDuration(unit=cases.DURATION_UNIT_LIFE)
)


def request(**more: Any) -> updates.RecordDisposalRequest:
    hearing = updates.Hearing(court=cases.Court(code="2576"), date=DAY, filed_name=more.pop("filed_name", "HALZERWICK/CALQUOL"))
    reference = CourtCaseReference(value="26/2576/907919V")
    defaults: dict[str, Any] = {"subject": SUBJECT, "court_case_reference": reference, "hearing": hearing, "results": [RESULT]}
    return updates.RecordDisposalRequest(**{**defaults, **more})


def told(shape: str, record: dict[str, Any]) -> dict[str, Any]:
    """A record as LEDS would read it."""
    return decode(SHAPES[shape], encode(SHAPES[shape], record))


@given(
    st.builds(
        cases.Disposal,
        code=st.integers(1000, 9999),
        duration=st.none() | DURATIONS,
        date=st.none() | st.builds(CivilDate, year=st.integers(1900, 2100), month=st.integers(1, 12), day=st.integers(1, 31)),
        amount_pence=st.integers(0, 999_999_999),
        units_fined=st.integers(0, 99),
        qualifiers=st.lists(st.sampled_from(["S", "A", "BA"]), max_size=4),
        qualifier_duration=st.none() | DURATIONS.filter(lambda one: one.unit != cases.DURATION_UNIT_SESSIONS),
        text=st.sampled_from(["", "from 20/11/26", "Excluded from a place"]),
    )
)
def test_a_disposal_comes_back_as_it_went(disposal: cases.Disposal) -> None:
    if disposal.duration.unit == cases.DURATION_UNIT_SESSIONS:
        disposal.ClearField("text")
    assert _disposal(told("Result", _result(disposal, "x"))) == disposal


def test_sessions_are_told_as_text() -> None:
    duration = cases.SentenceDuration(unit=cases.DURATION_UNIT_SESSIONS, value=10)
    assert told("Result", _result(cases.Disposal(code=3102, duration=duration), "x")) == {
        "disposalCode": 3102,
        "disposalQualifiers": [],
        "disposalText": "10 SESSIONS",
    }


def test_a_unit_that_nobody_knows_is_left_unset() -> None:
    record = {"disposalCode": 1002, "disposalDuration": {"units": "fortnights", "count": 2}}
    assert not _disposal(record).HasField("duration")


DEFENDANTS = {
    "a person": (
        "HALZERWICK/CALQUOL",
        {"defendantType": "individual", "defendantFirstNames": ["CALQUOL"], "defendantLastName": "HALZERWICK"},
    ),
    "an organisation": ("EXAMPLE LIMITED", {"defendantType": "organisation", "defendantOrganisationName": "EXAMPLE LIMITED"}),
    "nobody filed": ("", {"defendantType": "individual", "defendantFirstNames": [""], "defendantLastName": "HALZERWICK"}),
}


@pytest.mark.parametrize(("filed", "defendant"), DEFENDANTS.values(), ids=DEFENDANTS)
def test_a_defendant_is_the_name_that_the_court_filed(filed: str, defendant: dict[str, Any]) -> None:
    assert told("Disposal", translate.disposal(request(filed_name=filed), "01HB", CASE))["defendant"] == defendant


def test_an_added_charge_goes_out_with_londons_offset() -> None:
    summer = CivilDate(year=2026, month=7, day=1)
    committed = cases.OffencePeriod(start_date=summer, start_time=LocalTime(hour=9, minute=5))
    added = updates.AddedOffence(cjs_offence_code="TH68151", committed=committed, location="High Street", location_force_station="01ZD")
    charges = updates.AddedCharges(arrest_summons_number=NUMBER, offences=[added])
    record = told("Disposal", translate.disposal(request(added_charges=charges), "01HB", CASE))
    assert record["additionalArrestOffences"] == [
        {
            "asn": "14/01ZD/01/449846U",
            "additionalOffences": [
                {
                    "courtOffenceSequenceNumber": 0,
                    "offenceCode": {"offenceCodeType": "cjs", "cjsOffenceCode": "TH68151"},
                    "committedOnBail": False,
                    "locationFsCode": "01ZD",
                    "locationText": {"locationText": "High Street"},
                    "offenceStartDate": "2026-07-01",
                    "offenceStartTime": "09:05+01:00",
                    "offenceTic": 0,
                    "roleQualifiers": [],
                    "legislationQualifiers": [],
                    "disposalResults": [],
                }
            ],
        }
    ]


def test_a_remand_in_care_names_the_authority_and_its_worker() -> None:
    care = updates.Care(local_authority_code="0123", local_authority="Croydon", secure_unit="Y", social_worker="A Worker", phone="020")
    asked = updates.RecordRemandRequest(
        subject=SUBJECT,
        arrest_summons_number=NUMBER,
        remanded_on=DAY,
        result=updates.REMAND_RESULT_CARE,
        care=care,
        bail_conditions=[" ", "x"],
    )
    record = told("Remand", translate.remand(asked, "01HB"))
    assert (record["appearanceResult"], record["bailConditions"]) == ("remanded-in-care", ["x"])
    assert record["localAuthority"] == {
        "localAuthorityIdentityType": "code",
        "localAuthorityCode": "0123",
        "localAuthorityName": "Croydon",
        "localAuthoritySecureUnit": True,
        "socialWorker": {"name": "A Worker", "telephoneNumber": {"telephoneNumber": "020"}},
    }
    assert record.keys() & {"nextAppearance", "currentAppearance"} == set()
    assert record.keys() <= SHAPES["Remand"].needs.keys() | {"localAuthority"}


FINDING = cases.Adjudication(weed_flag="W")
SESSIONS = cases.Disposal(code=3102, text="and more", duration=cases.SentenceDuration(unit=cases.DURATION_UNIT_SESSIONS, value=2))
REFUSED: dict[str, tuple[Any, Reason, str]] = {
    "no owner": (lambda: translate.disposal(request(), "", CASE), Reason.INVALID_REQUEST, "owner"),
    "a weed flag": (
        lambda: translate.disposal(
            request(results=[updates.OffenceResult(number=1, cjs_offence_code="TH68023", adjudication=FINDING)]), "01HB", CASE
        ),
        Reason.INVALID_REQUEST,
        "results[0].adjudication.weed_flag",
    ),
    "text beside sessions": (
        lambda: translate.disposal(
            request(results=[updates.OffenceResult(number=1, cjs_offence_code="TH68023", disposals=[SESSIONS])]), "01HB", CASE
        ),
        Reason.INVALID_REQUEST,
        "results[0].disposals[0].text",
    ),
    "an offence that is not in the case": (
        lambda: translate.disposal(request(results=[updates.OffenceResult(number=2, cjs_offence_code="TH68023")]), "01HB", CASE),
        Reason.PRECONDITION,
        "",
    ),
    "a foreign character": (lambda: translate.search(SearchPersonsRequest(family_name="\u0416")), Reason.INVALID_REQUEST, "family_name"),
}


@pytest.mark.parametrize(("of", "reason", "field"), REFUSED.values(), ids=REFUSED)
def test_what_leds_cannot_hold_is_refused_by_field(of: Any, reason: Reason, field: str) -> None:
    with pytest.raises(Fault) as refused:
        of()
    assert refused.value.reason is reason
    assert [path for path, _ in refused.value.fields] == ([field] if field else [])


@pytest.mark.parametrize(
    ("canonical", "printed"), [("2005/0007919R", "2005/7919R"), ("2021/0000017M", "2021/17M"), ("2005/9007919R", "2005/9007919R")]
)
def test_a_pnc_id_is_printed_as_leds_does(canonical: str, printed: str) -> None:
    assert translate.by_number(GetPersonRequest(pnc_id=PncId(value=canonical)))["personUrn"] == printed


def test_a_typographic_apostrophe_is_taken_for_the_plain_one() -> None:
    assert translate.search(SearchPersonsRequest(family_name="O\u2019Hara", given_names="Ann Lee")) == {
        "lastName": "O'Hara",
        "firstNames": ["Ann", "Lee"],
        "sex": "",
        "bornFrom": "",
        "bornTo": "",
        "limit": 20,
    }


PERSON = {"personId": "p", "personUrn": "2021/17M", "lastName": "Marchbank", "firstNames": ["Ellis", "Jude", "May", "Ann"]}


def test_a_person_is_printed_in_capitals_with_at_most_three_given_names() -> None:
    found = translate.nominal({**PERSON, "dateOfBirth": "1991-02-17", "aliases": [{**PERSON, "dateOfBirth": "1991-00-00"}]})
    assert (found.person.name.family_name, list(found.person.name.given_names)) == ("MARCHBANK", ["ELLIS", "JUDE", "MAY ANN"])
    assert found.person.date_of_birth == CivilDate(year=1991, month=2, day=17)
    assert list(found.other_dates_of_birth) == [CivilDate(year=1991)]


def test_the_latest_appearance_gives_the_finding_and_times_come_from_utc() -> None:
    findings = [
        {"appearanceNumber": 2, "disposalDate": "2026-12-18", "adjudication": "Guilty"},
        {"appearanceNumber": 1, "disposalDate": "2026-11-20", "adjudication": "Not Guilty"},
    ]
    offence = {
        **CASE["offences"][0],
        "offenceStartDate": "2026-07-01",
        "offenceStartTime": "23:30",
        "plea": "Nolo Contendere",
        "adjudications": findings,
    }
    record = {"personId": "p", "personUrn": "2021/17M", "reportId": "r", "asn": "x", "ownerCode": "01ZD"}
    reply = translate.arrest_summons({**record, "disposals": [{**CASE, "offences": [offence]}]}, PERSON, datetime(2026, 11, 23, tzinfo=UTC))
    (found,) = reply.court_cases[0].offences
    assert (found.adjudication.finding, found.adjudication.sentence_date.month) == (cases.FINDING_GUILTY, 12)
    assert (found.adjudication.plea, found.adjudication.plea_as_received) == (cases.PLEA_UNSPECIFIED, "NOLO CONTENDERE")
    assert found.committed.start_time == LocalTime(minute=30)
    assert reply.subject.check_name == "MARCHBANK"
