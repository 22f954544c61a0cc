"""Questions and findings: what far systems are told of a check, and what their words come to."""

from datetime import UTC, date, datetime, timedelta

import pytest

from adapters.ivma import translate
from adapters.ivma.records import Vehicle
from metip.cad.v1 import incident_pb2 as incidents
from metip.cad.v1 import incident_service_pb2 as cad
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CadNumber
from metip.common.v1.time_pb2 import CivilDate
from metip.faults import Fault, Reason
from metip.ivma.v1 import vehicle_check_service_pb2 as api
from metip.pnc.v1 import vehicle_enquiry_service_pb2 as pnc

NOW = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
FIVE = timedelta(minutes=5)
ACCESS = AccessContext(justification="Stopped", reference="1/23NOV26")


def test_what_the_vehicle_does_stands_before_the_crews_own_words() -> None:
    asked = api.CheckVehicleRequest(access=ACCESS, situation=api.VEHICLE_SITUATION_UNATTENDED)
    access = translate.check_access(asked, NOW, FIVE)
    assert (access.justification, access.reference) == ("VEHICLE UNATTENDED: Stopped", "1/23NOV26")
    assert translate.check_access(api.CheckVehicleRequest(access=ACCESS), NOW, FIVE).justification == "Stopped"


def test_a_justification_never_grows_beyond_what_sources_take() -> None:
    asked = api.CheckVehicleRequest(access=AccessContext(justification="S" * 250), situation=api.VEHICLE_SITUATION_MOVING)
    assert len(translate.check_access(asked, NOW, FIVE).justification) == 250


def test_camera_and_time_of_a_sighting_go_with_the_question() -> None:
    asked = api.EnrichAnprHitRequest(access=ACCESS, camera="CAR-0117")
    asked.seen_at.FromDatetime(NOW)
    assert translate.hit_access(asked, NOW).justification == "ANPR CAR-0117 23112026 0030Z: Stopped"


@pytest.mark.parametrize(("waited", "refused"), [(FIVE, False), (FIVE + timedelta(seconds=1), True)], ids=["in time", "too old"])
def test_a_check_that_waited_is_refused(waited: timedelta, refused: bool) -> None:
    asked = api.CheckVehicleRequest(access=ACCESS)
    asked.asked_at.FromDatetime(NOW - waited)
    if not refused:
        assert translate.check_access(asked, NOW, FIVE).justification == "Stopped"
        return
    with pytest.raises(Fault) as raised:
        translate.check_access(asked, NOW, FIVE)
    assert raised.value.reason is Reason.PRECONDITION


def test_a_sighting_from_the_future_is_refused_but_for_clocks_a_little_apart() -> None:
    asked = api.EnrichAnprHitRequest(access=ACCESS, camera="A")
    asked.seen_at.FromDatetime(NOW + timedelta(seconds=59))
    assert translate.hit_access(asked, NOW).justification.startswith("ANPR A ")
    asked.seen_at.FromDatetime(NOW + timedelta(seconds=61))
    with pytest.raises(Fault) as raised:
        translate.hit_access(asked, NOW)
    assert (raised.value.reason, raised.value.fields[0][0]) == (Reason.INVALID_REQUEST, "seen_at")


def finding(reply: pnc.GetVehicleResponse) -> translate.Finding:
    return translate.pnc_finding(reply, date(2026, 11, 23)).matches[0]


@pytest.mark.parametrize("kind", pnc.VehicleReportType.values(), ids=pnc.VehicleReportType.keys())
def test_every_type_of_report_has_a_mark(kind: pnc.VehicleReportType.ValueType) -> None:
    reply = pnc.GetVehicleResponse(insured=True, reports=[pnc.VehicleReport(type=kind, text="words")])
    (marker,) = finding(reply).markers
    assert api.Mark.Name(marker.mark).removeprefix("MARK_") in pnc.VehicleReportType.Name(kind)
    assert (marker.mark == api.MARK_UNSPECIFIED) == (kind == pnc.VEHICLE_REPORT_TYPE_UNSPECIFIED)


def test_handling_belongs_to_each_report_and_long_words_are_cut() -> None:
    reports = [
        pnc.VehicleReport(type=pnc.VEHICLE_REPORT_TYPE_SEEN, handling=pnc.HANDLING_NOT_OVER_OPEN_AIR, text="LONG \n WORDS " * 20),
        pnc.VehicleReport(type=pnc.VEHICLE_REPORT_TYPE_MOVED, handling=pnc.HANDLING_NORMAL, text="short"),
    ]
    first, second, third = finding(pnc.GetVehicleResponse(reports=reports)).markers
    assert (first.not_over_open_air, second.not_over_open_air) == (True, False)
    assert (len(first.text), first.text[-1], "\n" in first.text, second.text) == (80, "…", False, "short")
    assert third.mark == api.MARK_NO_INSURANCE


@pytest.mark.parametrize(
    ("expiry", "mot"),
    [
        (CivilDate(), api.MOT_STATUS_UNSPECIFIED),
        (CivilDate(year=2026, month=11, day=22), api.MOT_STATUS_NOT_VALID),
        (CivilDate(year=2026, month=11, day=23), api.MOT_STATUS_VALID),
    ],
    ids=["none", "yesterday", "today"],
)
def test_the_pncs_certificate_counts_to_its_last_day(expiry: CivilDate, mot: api.MotStatus.ValueType) -> None:
    facts = finding(pnc.GetVehicleResponse(mot_expiry=expiry)).facts
    assert facts is not None
    assert facts.mot == mot


def test_words_that_the_register_does_not_have_yet_are_no_guess() -> None:
    found = Vehicle(registration_number="AB51ABC", tax_status="Taxed in part", mot_status="Valid, more or less", engine_capacity=-1)
    facts = translate.register_finding(found).matches[0].facts
    assert facts is not None
    assert (facts.tax, facts.mot, facts.engine_cc) == (api.TAX_STATUS_UNSPECIFIED, api.MOT_STATUS_UNSPECIFIED, 0)


SHORTCOMINGS = {
    "Untaxed": [api.MARK_UNTAXED],
    "SORN": [api.MARK_SORN],
    "Taxed": [],
    "Not Taxed for on Road Use": [],
}


@pytest.mark.parametrize(("status", "marks"), SHORTCOMINGS.items(), ids=SHORTCOMINGS)
def test_what_the_register_says_of_tax_is_a_marker_where_it_matters(status: str, marks: list[api.Mark.ValueType]) -> None:
    found = translate.register_finding(Vehicle(registration_number="AB51ABC", tax_status=status)).matches[0]
    assert [one.mark for one in found.markers] == marks


def test_no_such_vehicle_is_no_finding() -> None:
    assert translate.register_finding(None).matches == ()


def test_incidents_are_looked_for_around_the_vehicle_by_londons_day() -> None:
    asked = translate.cad_question(ACCESS, api.Position(easting=690_100, northing=180_200), datetime(2026, 6, 30, 23, 30, tzinfo=UTC), 300)
    assert (asked.surroundings.centre.easting, asked.surroundings.radius_m) == (690_100, 300)
    first, last = getattr(asked.opened, "from"), asked.opened.to
    assert ((first.month, first.day), (last.month, last.day)) == ((6, 30), (7, 1))


def test_only_urgent_incidents_that_are_live_are_told_and_nothing_of_where_they_are() -> None:
    def headline(number: str, state: incidents.IncidentState.ValueType, grade: incidents.Grade.ValueType) -> incidents.IncidentHeadline:
        one = incidents.IncidentHeadline(cad_number=CadNumber(value=number), state=state, grade=grade)
        one.location.text = "12 JASJORHAM STREET"
        one.opened_at.FromDatetime(datetime(2026, 11, 23, 11, 5, tzinfo=UTC))
        return one

    reply = cad.SearchIncidentsResponse(
        incidents=[
            headline("90001/23NOV26", incidents.INCIDENT_STATE_ASSIGNED, incidents.GRADE_IMMEDIATE),
            headline("90002/23NOV26", incidents.INCIDENT_STATE_CLOSED, incidents.GRADE_IMMEDIATE),
            headline("90003/23NOV26", incidents.INCIDENT_STATE_OPEN, incidents.GRADE_REFERRED),
        ]
    )
    (found,) = translate.cad_finding(reply).matches
    (marker,) = found.markers
    assert (marker.mark, marker.text, marker.reference) == (api.MARK_OPEN_INCIDENT, "I 11:05", "90001/23NOV26")
    assert translate.cad_finding(cad.SearchIncidentsResponse()).matches == ()
