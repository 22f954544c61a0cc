"""What findings come to: merged by table, most urgent first, never more than its bytes, and nothing left out without being counted."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.ivma import answers
from adapters.ivma.translate import Finding
from adapters.kit.federation import Ended, Status
from metip.common.v1.identifiers_pb2 import Vrm
from metip.common.v1.time_pb2 import CivilDate
from metip.ivma.v1 import vehicle_check_service_pb2 as api

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LARGEST = 1200
DAY = CivilDate(year=2026, month=11, day=23)
FULL = api.VehicleFacts(
    make="M" * 20,
    model="M" * 30,
    colour="C" * 20,
    year=2026,
    fuel="F" * 20,
    engine_cc=99999,
    co2=9999,
    tax=api.TAX_STATUS_NOT_FOR_ROAD,
    tax_due=DAY,
    mot=api.MOT_STATUS_NO_DETAILS,
    mot_expiry=DAY,
    insurance=api.INSURANCE_STATUS_NOT_RECORDED,
    exported=True,
    type_approval="T" * 10,
    euro_status="E" * 20,
    v5c_issued=DAY,
)
KEEPER = api.Keeper(name="K" * 40, postcode="ZZ12 3AQ", since=DAY)
SAID = "UNAVAILABLE (UPSTREAM_UNAVAILABLE); the source may know something"


def ends(**statuses: Status) -> Mapping[str, Ended]:
    """How sources ended, with as many words as one can have."""
    return {name: Ended(name, status, 0, SAID if status is Status.UNAVAILABLE else "", 0.1) for name, status in statuses.items()}


def marker(mark: api.Mark.ValueType, *, closed: bool = False, text: str = "", source: str = "pnc") -> api.Marker:
    return api.Marker(mark=mark, source=source, text=text, reference="01ZD/910002", not_over_open_air=closed)


def hit(markers: tuple[api.Marker, ...], said: Mapping[str, Ended], *, age: timedelta = timedelta(0)) -> api.EnrichAnprHitResponse:
    asked = api.EnrichAnprHitRequest(vrm=Vrm(value="AB51ABC"))
    found = {"pnc": Finding(facts=FULL, markers=markers)} if markers else {}
    return answers.hit(asked, said, found, until=NOW - age + timedelta(minutes=5), now=NOW, largest=LARGEST)


ALL_WELL = ends(pnc=Status.ANSWERED, dvla=Status.ANSWERED, cad=Status.NOT_SEARCHABLE)
MARKERS = st.lists(
    st.builds(
        marker,
        st.sampled_from(api.Mark.values()),
        closed=st.booleans(),
        text=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=80),
    ),
    max_size=30,
).map(tuple)


@given(MARKERS, st.booleans(), st.sampled_from(Status))
def test_no_answer_is_larger_than_its_bytes_and_each_marker_is_shown_or_counted(
    markers: tuple[api.Marker, ...], overlooked: bool, status: Status
) -> None:
    said = ends(pnc=Status.ANSWERED, dvla=status, cad=Status.UNAVAILABLE)
    found = {"pnc": Finding(facts=FULL, keeper=KEEPER, markers=markers)}
    response = answers.check("AB51ABC1234", said, found, overlooked=overlooked, largest=LARGEST)
    assert answers.size(response) <= LARGEST
    of_pnc = sum(one.source == "pnc" for one in response.markers) + response.withheld + response.left_out
    assert of_pnc >= len(markers)
    assert len(response.sources) == 3
    if overlooked:
        assert not response.HasField("keeper")
        assert not any(one.not_over_open_air for one in response.markers)


@given(MARKERS)
def test_no_sighting_is_larger_than_its_bytes_and_none_shows_what_is_not_for_open_air(markers: tuple[api.Marker, ...]) -> None:
    response = hit(markers, ALL_WELL)
    assert answers.size(response) <= LARGEST
    assert not any(one.not_over_open_air for one in response.reasons)
    assert len(response.reasons) + response.withheld + response.left_out >= len(markers)


def test_what_is_left_out_is_the_least_urgent() -> None:
    markers = (*(marker(api.MARK_SEEN, text="S" * 80) for _ in range(20)), marker(api.MARK_STOLEN, text="T" * 80))
    response = answers.check("AB51ABC", ALL_WELL, {"pnc": Finding(markers=markers)}, overlooked=False, largest=LARGEST)
    assert response.markers[0].mark == api.MARK_STOLEN
    assert response.left_out > 0
    assert len(response.markers) + response.left_out == len(markers)


def test_every_mark_of_the_contract_has_a_place_and_a_worth() -> None:
    assert set(answers.URGENCY) == set(api.Mark.values())


RANKED = {
    api.MARK_STOLEN: api.HIT_PRIORITY_IMMEDIATE,
    api.MARK_OF_INTEREST: api.HIT_PRIORITY_ACTION,
    api.MARK_NO_INSURANCE: api.HIT_PRIORITY_ACTION,
    api.MARK_SEEN: api.HIT_PRIORITY_INFORMATION,
}


@pytest.mark.parametrize(("mark", "priority"), RANKED.items(), ids=lambda one: str(one))
def test_a_sighting_is_worth_its_highest_mark(mark: api.Mark.ValueType, priority: api.HitPriority.ValueType) -> None:
    assert hit((marker(api.MARK_MOVED), marker(mark)), ALL_WELL).priority == priority


def test_what_is_withheld_counts_for_the_priority() -> None:
    response = hit((marker(api.MARK_STOLEN, closed=True),), ALL_WELL)
    assert (response.priority, response.withheld, len(response.reasons)) == (api.HIT_PRIORITY_IMMEDIATE, 1, 0)


@pytest.mark.parametrize(("age", "stale"), [(timedelta(minutes=4), False), (timedelta(minutes=6), True)], ids=["fresh", "old"])
def test_a_sighting_is_stale_within_minutes_and_then_never_urgent(age: timedelta, stale: bool) -> None:
    response = hit((marker(api.MARK_STOLEN),), ALL_WELL, age=age)
    assert response.stale == stale
    assert response.priority == (api.HIT_PRIORITY_INFORMATION if stale else api.HIT_PRIORITY_IMMEDIATE)
    assert response.valid_until.ToDatetime(tzinfo=UTC) == NOW - age + timedelta(minutes=5)


NOTHING = {
    "all answered": (ends(pnc=Status.NO_TRACE, dvla=Status.ANSWERED, cad=Status.NO_TRACE), api.HIT_PRIORITY_NONE),
    "one was not asked": (ends(pnc=Status.NO_TRACE, dvla=Status.ANSWERED, cad=Status.NOT_SEARCHABLE), api.HIT_PRIORITY_NONE),
    "one was silent": (ends(pnc=Status.TIMED_OUT, dvla=Status.ANSWERED, cad=Status.NO_TRACE), api.HIT_PRIORITY_UNSPECIFIED),
    "one is old": (ends(pnc=Status.STALE, dvla=Status.ANSWERED, cad=Status.NO_TRACE), api.HIT_PRIORITY_UNSPECIFIED),
}


@pytest.mark.parametrize(("said", "priority"), NOTHING.values(), ids=NOTHING)
def test_nothing_found_is_nothing_only_where_everybody_answered(said: Mapping[str, Ended], priority: api.HitPriority.ValueType) -> None:
    assert hit((), said).priority == priority


def check(pnc: api.VehicleFacts | None, dvla: api.VehicleFacts | None) -> api.CheckVehicleResponse:
    found = {name: Finding(facts=facts) for name, facts in (("pnc", pnc), ("dvla", dvla)) if facts is not None}
    said = ends(pnc=Status.ANSWERED if pnc else Status.TIMED_OUT, dvla=Status.ANSWERED if dvla else Status.TIMED_OUT)
    return answers.check("AB51ABC", said, found, overlooked=False, largest=LARGEST)


PNC_FACTS = api.VehicleFacts(
    make="FORD", model="FOCUS", colour="WHITE", tax=api.TAX_STATUS_UNTAXED, mot=api.MOT_STATUS_NOT_VALID, mot_expiry=DAY
)


def test_the_register_has_the_last_word_and_the_pnc_fills_its_gaps() -> None:
    theirs = api.VehicleFacts(make="FORD", colour="WHITE", tax=api.TAX_STATUS_TAXED, mot=api.MOT_STATUS_NO_DETAILS, fuel="PETROL")
    response = check(PNC_FACTS, theirs)
    assert (response.facts.model, response.facts.fuel, response.facts.tax) == ("FOCUS", "PETROL", api.TAX_STATUS_TAXED)
    assert not response.facts.HasField("mot_expiry"), "a day of the PNC's beside the register's word"
    assert not response.markers


def test_where_the_register_is_silent_the_pnc_says_what_is_missing() -> None:
    assert [one.mark for one in check(PNC_FACTS, None).markers] == [api.MARK_UNTAXED, api.MARK_NO_MOT]


def test_two_descriptions_that_differ_are_told() -> None:
    (told,) = check(api.VehicleFacts(make="FORD", colour="WHITE"), api.VehicleFacts(make="Ford", colour="PINK")).markers
    assert (told.mark, told.text) == (api.MARK_DESCRIPTION_DIFFERS, "pnc WHITE, dvla PINK")


def test_a_plate_in_no_register_is_told_only_when_both_say_so() -> None:
    both = answers.check("AB51ABC", ends(pnc=Status.NO_TRACE, dvla=Status.NO_TRACE), {}, overlooked=False, largest=LARGEST)
    assert [one.mark for one in both.markers] == [api.MARK_NOT_REGISTERED]
    one = answers.check("AB51ABC", ends(pnc=Status.NO_TRACE, dvla=Status.TIMED_OUT), {}, overlooked=False, largest=LARGEST)
    assert not one.markers


def test_a_source_that_did_not_answer_names_its_reason() -> None:
    response = answers.check("AB51ABC", ends(pnc=Status.UNAVAILABLE, dvla=Status.ANSWERED), {}, overlooked=False, largest=LARGEST)
    assert {one.source: one.reason for one in response.sources} == {"pnc": "UPSTREAM_UNAVAILABLE", "dvla": ""}
