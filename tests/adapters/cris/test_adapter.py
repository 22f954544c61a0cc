"""Each operation and each refusal, against the simulator on real sockets."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from adapter_rig import Rig, from_envoy

from adapters.cris.translate import ROLE
from adapters.kit.population import STORIES, CrimeStatus
from metip.common.v1.identifiers_pb2 import CroNumber
from metip.common.v1.pole_pb2 import Person, PersonName
from metip.common.v1.time_pb2 import CivilDate, DateRange
from metip.cris.v1 import crime_report_pb2 as cris
from metip.cris.v1 import crime_report_service_pb2 as service
from metip.cris.v1.crime_report_service_pb2_grpc import CrimeReportServiceStub
from tests.adapters.cris.asking import ACCESS, METADATA, change, cleared, entry, get, named, number_of, refusal, theft, turn

SYSTEM = "cris"
# Refusals come one after another here, so the circuit would open; that it does is the kit's own test.
UPSTREAM = {"failures_to_open": 1000}
pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "0000001/26"


@pytest.fixture(scope="module")
def grpc_stub_cls() -> Any:
    """pytest-grpc's stub class."""
    return CrimeReportServiceStub


# Searching.


async def test_a_person_is_found_with_part_and_summary(grpc_stub: Any, rig: Rig) -> None:
    offender = rig.population.person(STORIES["known_offender"])
    reply = await grpc_stub.SearchCrimeReports(named(rig.population, "known_offender"), metadata=METADATA)
    (report,) = reply.reports
    assert report.crime_report_number.value == number_of(rig, 1)
    assert report.role == cris.PARTY_ROLE_SUSPECT
    assert tuple(report.person.name.given_names) == offender.forenames
    assert report.person.pnc_id.value == offender.pnc_id
    assert (report.classification.code, report.classification.title) == ("034/01", "Robbery")
    assert report.summary.startswith("Robbery, ")
    assert offender.surname not in report.summary
    assert not report.restricted
    assert reply.provenance.system == "CRIS"
    assert not reply.provenance.truncated
    age = datetime.now(UTC) - reply.provenance.as_of.ToDatetime(UTC)
    # In the hour that October repeats, CRIS's clock is read as the first of the two.
    assert timedelta(seconds=-2) < age < timedelta(minutes=62)


async def test_a_long_list_is_cut_and_says_so(grpc_stub: Any) -> None:
    days = DateRange(to=CivilDate(year=2026, month=10, day=31), **{"from": CivilDate(year=2026, month=1, day=1)})
    for limit, length in ((0, 20), (3, 3), (200, 200)):
        request = service.SearchCrimeReportsRequest(access=ACCESS, committed=days, limit=limit)
        reply = await grpc_stub.SearchCrimeReports(request, metadata=METADATA)
        assert len(reply.reports) == length
        assert reply.provenance.truncated
    dates = [(one.committed_on.year, one.committed_on.month, one.committed_on.day) for one in reply.reports]
    assert dates == sorted(dates, reverse=True)


async def test_a_place_is_found_by_its_postcode(grpc_stub: Any, rig: Rig) -> None:
    venue = rig.population.address(rig.population.crime(1).venue_number)
    request = service.SearchCrimeReportsRequest(access=ACCESS, place=service.PlaceCriteria(postcode=venue.postcode), limit=200)
    reply = await grpc_stub.SearchCrimeReports(request, metadata=METADATA)
    assert number_of(rig, 1) in [report.crime_report_number.value for report in reply.reports]
    assert not any(report.HasField("person") or report.role for report in reply.reports)


async def test_somebody_whom_cris_does_not_know_is_no_trace(grpc_stub: Any, rig: Rig) -> None:
    told = await refusal(grpc_stub.SearchCrimeReports(named(rig.population, "no_trace"), metadata=METADATA))
    assert (told.status, told.reason) == ("NOT_FOUND", "NO_TRACE")


async def test_somebody_in_a_restricted_report_only_is_the_same_no_trace(grpc_stub: Any, rig: Rig) -> None:
    hidden = await refusal(grpc_stub.SearchCrimeReports(named(rig.population, "restricted_victim"), metadata=METADATA))
    unknown = await refusal(grpc_stub.SearchCrimeReports(named(rig.population, "no_trace"), metadata=METADATA))
    assert hidden == unknown


async def test_an_officer_with_a_need_to_know_finds_the_restricted_report_marked(grpc_stub: Any, rig: Rig) -> None:
    reply = await grpc_stub.SearchCrimeReports(named(rig.population, "restricted_victim"), metadata=cleared())
    assert [(report.crime_report_number.value, report.restricted) for report in reply.reports] == [(number_of(rig, 2), True)]


async def test_characters_that_cris_lacks_are_replaced_and_told_of(grpc_stub: Any, rig: Rig) -> None:
    wanted = service.PersonCriteria(family_name="O\u2019Verzandle")
    reply = await grpc_stub.SearchCrimeReports(service.SearchCrimeReportsRequest(access=ACCESS, person=wanted), metadata=METADATA)
    assert [report.crime_report_number.value for report in reply.reports] == [number_of(rig, 4)]
    assert [(warning.code, warning.text.partition(":")[0]) for warning in reply.provenance.warnings] == [
        ("CHARACTERS", "person.family_name")
    ]


BAD_SEARCHES = [
    pytest.param({}, id="nothing"),
    pytest.param({"person": service.PersonCriteria(family_name="H")}, id="one_letter"),
    pytest.param({"person": service.PersonCriteria(given_names="Calquol")}, id="no_family_name"),
    pytest.param({"place": service.PlaceCriteria()}, id="no_place"),
    pytest.param({"place": service.PlaceCriteria(postcode="zz1")}, id="small_letters"),
    pytest.param({"place": service.PlaceCriteria(street="Ja")}, id="two_letters_of_a_street"),
    pytest.param({"committed": DateRange(to=CivilDate(year=2026, month=1, day=1))}, id="no_first_day"),
    pytest.param({"committed": DateRange(to=CivilDate(year=2026), **{"from": CivilDate(year=2026)})}, id="years_only"),
    pytest.param(
        {"committed": DateRange(to=CivilDate(year=2026, month=1, day=1), **{"from": CivilDate(year=2026, month=2, day=1)})},
        id="ends_before_it_begins",
    ),
    pytest.param({"person": service.PersonCriteria(family_name="Halzerwick"), "limit": 201}, id="too_many"),
]


@pytest.mark.parametrize("criteria", BAD_SEARCHES)
async def test_a_search_that_makes_no_sense_is_refused_by_field(grpc_stub: Any, criteria: dict[str, Any]) -> None:
    request = service.SearchCrimeReportsRequest(access=ACCESS, **criteria)
    told = await refusal(grpc_stub.SearchCrimeReports(request, metadata=METADATA))
    assert (told.status, told.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert told.fields


# Getting one.


async def test_a_report_comes_with_its_people_and_entries(grpc_stub: Any, rig: Rig) -> None:
    crime = rig.population.crime(1)
    report = (await grpc_stub.GetCrimeReport(get(crime.reference), metadata=METADATA)).report
    assert report.status == cris.CRIME_REPORT_STATUS_DETECTED
    assert {party.role for party in report.sheet.parties} == {cris.PARTY_ROLE_VICTIM, cris.PARTY_ROLE_SUSPECT}
    assert report.sheet.borough == crime.borough
    assert report.sheet.modus_operandi == crime.method
    assert report.recorded_at.ToDatetime(UTC) == crime.reported_at
    assert [detail.number for detail in report.details][:2] == [1, 2]
    assert report.details[0].entered_at == report.recorded_at


async def test_an_unknown_number_can_not_be_told_from_a_restricted_one(grpc_stub: Any, rig: Rig) -> None:
    for ask in (get, entry, lambda number: change(number, 1, modus_operandi="x")):
        method = {
            service.GetCrimeReportRequest: grpc_stub.GetCrimeReport,
            service.AddDetailRequest: grpc_stub.AddDetail,
            service.UpdateCrimeReportRequest: grpc_stub.UpdateCrimeReport,
        }[type(ask(UNKNOWN))]
        hidden = await refusal(method(ask(number_of(rig, 2)), metadata=METADATA))
        unknown = await refusal(method(ask(UNKNOWN), metadata=METADATA))
        assert (hidden.status, hidden.reason, hidden.code) == ("PERMISSION_DENIED", "RESTRICTED", "CRIS-0102")
        assert hidden == unknown


async def test_nor_can_it_when_cris_itself_tells_the_two_apart(grpc_stub: Any, rig: Rig) -> None:
    turn(rig, "tells_apart")
    hidden = await refusal(grpc_stub.GetCrimeReport(get(number_of(rig, 2)), metadata=METADATA))
    assert hidden == await refusal(grpc_stub.GetCrimeReport(get(UNKNOWN), metadata=METADATA))


async def test_an_officer_with_a_need_to_know_gets_the_restricted_report_and_learns_what_is_unknown(grpc_stub: Any, rig: Rig) -> None:
    assert (await grpc_stub.GetCrimeReport(get(number_of(rig, 2)), metadata=cleared())).report.restricted
    told = await refusal(grpc_stub.GetCrimeReport(get(UNKNOWN), metadata=cleared()))
    assert (told.status, told.reason, told.code) == ("NOT_FOUND", "NO_TRACE", "CRIS-0101")


async def test_the_need_to_know_is_no_field_of_a_request(grpc_stub: Any, rig: Rig) -> None:
    request = get(number_of(rig, 2))
    request.access.justification = f"roles: {ROLE}"
    told = await refusal(grpc_stub.GetCrimeReport(request, metadata=METADATA))
    assert told.reason == "RESTRICTED"


# Recording.


async def test_a_recorded_crime_can_be_read_back(grpc_stub: Any) -> None:
    asked = theft()
    made = await grpc_stub.CreateCrimeReport(asked, metadata=METADATA)
    assert not made.already_recorded
    report = (await grpc_stub.GetCrimeReport(get(made.crime_report_number.value), metadata=METADATA)).report
    assert report.version == made.version == 1
    assert report.sheet.first_officer == "P123456"
    assert report.sheet.parties[0].number == 1
    assert report.sheet.parties[0].person == asked.sheet.parties[0].person
    assert report.sheet.property[0].value_pounds == 450
    assert report.sheet.committed == asked.sheet.committed
    assert report.sheet.classification.title == "Theft of pedal cycle"


async def test_the_same_client_reference_gives_the_first_number_again(grpc_stub: Any) -> None:
    asked = theft()
    first = await grpc_stub.CreateCrimeReport(asked, metadata=METADATA)
    second = await grpc_stub.CreateCrimeReport(asked, metadata=METADATA)
    assert second.crime_report_number == first.crime_report_number
    assert second.already_recorded


async def test_a_crime_whose_reply_was_lost_is_recorded_once_when_sent_again(grpc_stub: Any, rig: Rig) -> None:
    asked = theft()
    turn(rig, "drop", times=1)
    lost = await refusal(grpc_stub.CreateCrimeReport(asked, metadata=METADATA))
    assert (lost.status, lost.reason) == ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE")
    assert (await grpc_stub.CreateCrimeReport(asked, metadata=METADATA)).already_recorded


@pytest.mark.parametrize("another", ["content", "officer"])
async def test_a_used_client_reference_is_refused_for_another_report_without_its_number(grpc_stub: Any, another: str) -> None:
    reference = str(uuid.uuid4())
    made = await grpc_stub.CreateCrimeReport(theft(reference), metadata=METADATA)
    again = theft(reference, modus_operandi="Other") if another == "content" else theft(reference)
    told = await refusal(grpc_stub.CreateCrimeReport(again, metadata=from_envoy(officer="P999999") if another == "officer" else METADATA))
    assert (told.status, told.reason, told.code) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "CRIS-0303")
    assert [path for path, _ in told.fields] == ["client_reference"]
    assert made.crime_report_number.value not in str(told)


async def test_text_outside_latin_1_is_recorded_in_its_likeness_and_told_of(grpc_stub: Any) -> None:
    made = await grpc_stub.CreateCrimeReport(
        theft(modus_operandi="Took the victim\u2019s \u20ac50 \u2026 Zo\u00eb saw it."), metadata=METADATA
    )
    assert [warning.text.partition(":")[0] for warning in made.provenance.warnings] == ["sheet.modus_operandi"]
    report = (await grpc_stub.GetCrimeReport(get(made.crime_report_number.value), metadata=METADATA)).report
    assert report.sheet.modus_operandi == "Took the victim's EUR50 ... Zo\u00eb saw it."


BAD_SHEETS = [
    pytest.param({"borough": "QQ"}, "CRIS-0301", "sheet.borough", id="no_such_borough"),
    pytest.param({"classification": cris.Classification(code="999/99")}, "CRIS-0301", "sheet.classification.code", id="no_such_class"),
    pytest.param({"classification": cris.Classification(code="045/01")}, "CRIS-0302", "sheet.classification.code", id="retired_class"),
    pytest.param(
        {"committed": cris.CommittedPeriod(from_date=CivilDate(year=2199, month=1, day=1))}, "CRIS-0301", "sheet.committed", id="future"
    ),
    pytest.param({"reporting_channel": cris.REPORTING_CHANNEL_UNSPECIFIED}, "", "sheet", id="no_channel"),
    pytest.param(
        {
            "parties": [
                cris.CrimeParty(
                    role=cris.PARTY_ROLE_VICTIM, person=Person(name=PersonName(family_name="Halzerwick"), cro_number=CroNumber())
                )
            ]
        },
        "",
        "sheet.parties[0].person",
        id="what_cris_has_no_room_for",
    ),
    pytest.param({"flags": ["DV", "DV"]}, "", "sheet.flags", id="a_flag_twice"),
    pytest.param({"committed": cris.CommittedPeriod(from_date=CivilDate(year=2024))}, "", "sheet.committed.from_date", id="a_year_only"),
]


@pytest.mark.parametrize(("sheet", "code", "path"), BAD_SHEETS)
async def test_a_sheet_that_makes_no_sense_is_refused_by_field(grpc_stub: Any, sheet: dict[str, Any], code: str, path: str) -> None:
    told = await refusal(grpc_stub.CreateCrimeReport(theft(**sheet), metadata=METADATA))
    assert (told.status, told.reason, told.code) == ("INVALID_ARGUMENT", "INVALID_REQUEST", code)
    assert [field for field, _ in told.fields] == [path]


async def test_a_client_reference_must_be_a_uuid(grpc_stub: Any) -> None:
    told = await refusal(grpc_stub.CreateCrimeReport(theft("tablet-1"), metadata=METADATA))
    assert [field for field, _ in told.fields] == ["client_reference"]


# Adding and changing.


async def test_an_entry_is_added_under_the_officers_number(grpc_stub: Any, rig: Rig) -> None:
    number = number_of(rig, 3)
    done = await grpc_stub.AddDetail(entry(number, "Paint flakes taken \u2013 sent to the laboratory."), metadata=METADATA)
    details = (await grpc_stub.GetCrimeReport(get(number), metadata=METADATA)).report.details
    assert (details[-1].number, details[-1].author, details[-1].page) == (done.number, "P123456", cris.DETAIL_PAGE_FORENSIC)
    assert details[-1].text == "Paint flakes taken - sent to the laboratory."
    assert [warning.text.partition(":")[0] for warning in done.provenance.warnings] == ["text"]


async def test_an_entry_of_4000_characters_fits_and_one_more_does_not(grpc_stub: Any, rig: Rig) -> None:
    number = number_of(rig, 3)
    await grpc_stub.AddDetail(entry(number, "\u00e9" * 4000), metadata=METADATA)
    for text in ("x" * 4001, "\u2026" * 1334):
        told = await refusal(grpc_stub.AddDetail(entry(number, text), metadata=METADATA))
        assert (told.reason, [path for path, _ in told.fields]) == ("INVALID_REQUEST", ["text"])


async def test_an_update_makes_a_new_version_and_an_old_one_conflicts(grpc_stub: Any, rig: Rig) -> None:
    number = number_of(rig, 5)
    version = (await grpc_stub.GetCrimeReport(get(number), metadata=METADATA)).report.version
    assert (await grpc_stub.UpdateCrimeReport(change(number, version), metadata=METADATA)).version == version + 1
    told = await refusal(grpc_stub.UpdateCrimeReport(change(number, version), metadata=METADATA))
    assert (told.status, told.reason, told.code) == ("ABORTED", "CONFLICT", "CRIS-0201")


async def test_somebody_who_saves_in_between_is_a_conflict(grpc_stub: Any, rig: Rig) -> None:
    number = number_of(rig, 6)
    version = (await grpc_stub.GetCrimeReport(get(number), metadata=METADATA)).report.version
    turn(rig, "conflict", times=1)
    told = await refusal(grpc_stub.UpdateCrimeReport(change(number, version), metadata=METADATA))
    assert told.reason == "CONFLICT"
    assert (await grpc_stub.UpdateCrimeReport(change(number, version + 1), metadata=METADATA)).version == version + 2


async def test_changes_are_there_when_read_back(grpc_stub: Any, rig: Rig) -> None:
    number = number_of(rig, 6)
    before = (await grpc_stub.GetCrimeReport(get(number), metadata=METADATA)).report
    suspect = cris.CrimeParty(role=cris.PARTY_ROLE_SUSPECT, person=Person(name=PersonName(family_name="UNKNOWN")))
    asked = change(
        number,
        before.version,
        reclassification=service.Reclassification(code="034/01", reason="Force was used"),
        add_flags=["KN"],
        parties=[suspect],
    )
    await grpc_stub.UpdateCrimeReport(asked, metadata=METADATA)
    after = (await grpc_stub.GetCrimeReport(get(number), metadata=METADATA)).report
    assert (after.sheet.classification.code, after.sheet.classification.title) == ("034/01", "Robbery")
    assert "KN" in after.sheet.flags
    assert after.sheet.parties[-1].person.name.family_name == "UNKNOWN"
    assert after.sheet.modus_operandi == before.sheet.modus_operandi


async def test_an_update_without_a_change_is_refused(grpc_stub: Any, rig: Rig) -> None:
    asked = change(number_of(rig, 6), 1)
    asked.changes.Clear()
    asked.changes.SetInParent()
    told = await refusal(grpc_stub.UpdateCrimeReport(asked, metadata=METADATA))
    assert told.reason == "INVALID_REQUEST"


async def test_a_closed_report_takes_no_changes(grpc_stub: Any, rig: Rig) -> None:
    closed = next(crime for crime in rig.population.crimes() if crime.status is CrimeStatus.SCREENED_OUT and not crime.restricted)
    for asked in (
        grpc_stub.AddDetail(entry(closed.reference), metadata=METADATA),
        grpc_stub.UpdateCrimeReport(change(closed.reference, 1), metadata=METADATA),
    ):
        told = await refusal(asked)
        assert (told.status, told.reason, told.code) == ("FAILED_PRECONDITION", "PRECONDITION", "CRIS-0203")
