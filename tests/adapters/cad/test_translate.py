"""What the contract says and what the host says mean the same, both ways."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import protovalidate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cad import translate
from adapters.cad.records import Block, Control, Incident, Kind, Line, Unit
from adapters.cad.translate import CODES, ENTRIES
from adapters.cad.wire import Unreadable, decode, encode
from adapters.kit.latin import Transcript
from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1 import incident_service_pb2 as service
from metip.call import Officer
from metip.common.v1.identifiers_pb2 import CadNumber, CrimeReportNumber
from metip.faults import Fault, Reason
from tests.adapters.cad.asking import ACCESS, create, days, update

AT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
OFFICER = Officer("P123456", "01", "ZD", ())
HELD = Incident(
    cad_number="1234/25OCT26",
    opened_at=AT,
    grade="S",
    state="ASG",
    opening_codes=("004",),
    text="2 JASJORHAM STREET",
    easting=694_068,
    northing=182_923,
    borough="LX",
    call_signs=("LX21", "LX22"),
    origin="101",
    name="A CALLER",
    telephone="07700 900123",
    do_not_contact=True,
    class_codes=("001", "004"),
    crime_report_numbers=("0123456/26",),
    linked_incidents=("7/24OCT26",),
)
LINE = Line(number=3, kind="RMK", happened_at=AT, entered_at=AT, operator="P1", terminal="T1", text="TEXT")
# Name of the entry -> what a request has, and what the line holds of it.
CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "remark": (cad.Remark(text="First\nSecond \u00a35"), {"text": "FIRST\nSECOND \u00a35"}),
    "grading": (cad.Grading(grade=cad.GRADE_EXTENDED, reason="Calm now."), {"grade": "E", "reason": "CALM NOW."}),
    "assignment": (cad.Assignment(call_sign="LX21"), {"call_sign": "LX21"}),
    "link": (cad.Link(cad_number=CadNumber(value="7/24OCT26")), {"cad_number": "7/24OCT26"}),
    "result": (
        cad.Result(class_codes=["001", "004"], crime_report_number=CrimeReportNumber(value="0123456/26"), text="Done."),
        {"class_codes": ("001", "004"), "crime_report_number": "0123456/26", "text": "DONE."},
    ),
    "closure": (cad.Closure(), {}),
    "reopening": (cad.Reopening(reason="Again."), {"reason": "AGAIN."}),
    "retraction": (cad.Retraction(line_number=2, reason="Wrong log."), {"line_number": 2, "reason": "WRONG LOG."}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_becomes_a_line_and_a_line_of_its_kind_reads_the_same(name: str) -> None:
    change, held = CHANGES[name]
    block = translate.update(update("1234/25OCT26", **{name: change}), OFFICER, Transcript())
    kind = next(code for code, entry in ENTRIES.items() if entry == name)
    assert (block.kind, block.incidents, block.lines) == (Kind.UPDATE, (Incident("1234/25OCT26"),), (Line(kind=kind, **held),))
    told = translate.log_line(replace(LINE, **{"text": "", "kind": kind, **held}), HELD)
    assert told.WhichOneof("entry") == name
    entry, capitals = getattr(told, name), type(change).FromString(change.SerializeToString())
    for field in ("text", "reason"):
        if hasattr(capitals, field):
            setattr(capitals, field, getattr(capitals, field).upper())
    assert entry == capitals


def test_every_change_and_every_entry_of_the_contract_has_a_kind_of_line() -> None:
    changes = {field.name for field in service.UpdateIncidentRequest.DESCRIPTOR.oneofs_by_name["change"].fields}
    entries = {field.name for field in cad.LogLine.DESCRIPTOR.oneofs_by_name["entry"].fields}
    assert changes == set(CHANGES)
    assert entries == set(ENTRIES.values()) == changes | {"opening", "unit_progress"}


@pytest.mark.parametrize(
    ("name", "enum"), [("Grade", cad.Grade), ("IncidentState", cad.IncidentState), ("Origin", cad.Origin), ("UnitState", cad.UnitState)]
)
def test_every_value_of_an_enum_has_one_code(name: str, enum: Any) -> None:
    assert sorted(CODES[name].values()) == sorted(set(enum.values()) - {0})


def test_an_opening_has_origin_and_caller_of_its_incident() -> None:
    told = translate.log_line(replace(LINE, kind="OPN"), HELD)
    caller = cad.Caller(name="A CALLER", telephone="07700 900123", do_not_contact=True)
    assert told.opening == cad.Opening(origin=cad.ORIGIN_NON_EMERGENCY_CALL, caller=caller, text="TEXT")


def test_no_other_line_names_the_caller() -> None:
    told = translate.event(Block(Kind.EVENT, 1, Control(), (HELD,), (LINE,)))
    assert "CALLER" not in str(told)
    assert "07700" not in str(told)


def test_a_units_state_that_no_table_has_keeps_the_hosts_code() -> None:
    told = translate.log_line(replace(LINE, kind="UST", call_sign="LX21", state="17"), HELD)
    assert told.unit_progress == cad.UnitProgress(call_sign="LX21", state=cad.UNIT_STATE_UNSPECIFIED, state_code="17")


def test_a_kind_of_line_that_no_table_has_leaves_the_entry_unset() -> None:
    told = translate.log_line(replace(LINE, kind="XYZ"), HELD)
    assert told.WhichOneof("entry") is None
    protovalidate.validate(told)


def test_an_event_keeps_the_contract_and_says_what_the_line_and_the_incident_say() -> None:
    told = translate.event(Block(Kind.EVENT, 9, Control(), (HELD,), (replace(LINE, back_entered=True),)))
    protovalidate.validate(told)
    assert (told.cad_number.value, told.line_number, told.line.number, told.line.back_entered) == ("1234/25OCT26", 3, 3, True)
    assert told.line.happened_at.ToDatetime(UTC) == AT
    assert told.headline == translate.headline(HELD)
    assert (told.headline.location.grid.easting, told.headline.grade, list(told.headline.call_signs)) == (
        694_068,
        cad.GRADE_SIGNIFICANT,
        ["LX21", "LX22"],
    )
    assert told.access.reference == "1234/25OCT26"


@pytest.mark.parametrize("held", ["1234", "0/25OCT26", "1234/31FEB26", "RUBBISH"])
def test_an_event_whose_number_is_none_is_left_for_the_exchange_to_refuse(held: str) -> None:
    told = translate.event(Block(Kind.EVENT, 9, Control(), (replace(HELD, cad_number=held),), (LINE,)))
    assert (told.cad_number.value, told.cad_number.as_received) == ("", held)
    with pytest.raises(protovalidate.ValidationError):
        protovalidate.validate(told)


@pytest.mark.parametrize(
    "block", [Block(Kind.EVENT, 9), Block(Kind.EVENT, 9, Control(), (HELD,)), Block(Kind.EVENT, 9, Control(), (HELD,), (LINE,) * 2)]
)
def test_a_block_that_is_no_event_is_unreadable(block: Block) -> None:
    with pytest.raises(Unreadable) as raised:
        translate.event(block)
    assert raised.value.number == 9


def test_an_incident_is_told_in_full() -> None:
    told = translate.incident(Block(Kind.REPLY, 1, Control(), (HELD,), (replace(LINE, kind="OPN"), LINE)))
    assert told.origin == cad.ORIGIN_NON_EMERGENCY_CALL
    assert (told.caller.name, list(told.class_codes)) == ("A CALLER", ["001", "004"])
    assert [one.value for one in told.crime_report_numbers] == ["0123456/26"]
    assert [one.value for one in told.linked_incidents] == ["7/24OCT26"]
    assert [line.WhichOneof("entry") for line in told.lines] == ["opening", "remark"]


def test_a_place_without_a_grid_reference_has_none() -> None:
    assert not translate.headline(replace(HELD, easting=0, northing=0)).location.HasField("grid")


def test_a_unit_is_told_with_its_incident_if_it_has_one() -> None:
    unit = Unit("LX21", "01LX", "6", AT, "1234/25OCT26", 1, 2)
    told = translate.resource(unit)
    assert (told.state, told.state_code, told.assigned_to.value, told.position.northing) == (
        cad.UNIT_STATE_ON_SCENE,
        "6",
        "1234/25OCT26",
        2,
    )
    assert not translate.resource(replace(unit, assigned_to="")).HasField("assigned_to")


def test_a_call_is_opened_with_all_that_was_said() -> None:
    caller = cad.Caller(name="\u0141. Zo\u00eb", telephone="07700 900123", do_not_contact=True)
    place = cad.IncidentLocation(text="by the \u201cMill\u201d", grid=cad.GridReference(easting=5, northing=6), borough="LX")
    request, copy = create("One\r\ntwo \u20ac5", location=place, caller=caller), Transcript()
    request.happened_at.FromDatetime(AT)
    block = translate.create(request, OFFICER, copy)
    assert block.incidents == (
        Incident(
            grade="I",
            opening_codes=("100",),
            text='BY THE "MILL"',
            easting=5,
            northing=6,
            borough="LX",
            origin="999",
            name="L. ZO\u00cb",
            telephone="07700 900123",
            do_not_contact=True,
        ),
    )
    assert block.lines == (Line(kind="OPN", text="ONE\nTWO EUR5", happened_at=AT),)
    assert block.control == Control(request.client_reference, "P123456", "INCIDENT_RESPONSE OP EUR")
    assert {one.text.partition(":")[0] for one in copy.warnings} == {"text", "location.text", "caller.name"}
    assert decode(encode(block)) == block


def test_a_text_that_grows_past_its_field_is_refused_by_its_path() -> None:
    with pytest.raises(Fault) as raised:
        translate.create(create(location=cad.IncidentLocation(text="\u20ac" * 60)), OFFICER, Transcript())
    assert raised.value.reason is Reason.INVALID_REQUEST
    assert [path for path, _ in raised.value.fields] == ["location.text"]


@given(st.text(max_size=200))
def test_any_reference_and_any_text_can_be_sent(text: str) -> None:
    request = update("1/25NOV26", remark=cad.Remark(text=text))
    request.access.reference = text
    block = translate.update(request, OFFICER, Transcript())
    assert decode(encode(block)).lines[0].kind == "RMK"


def test_a_search_asks_by_example() -> None:
    around = service.Surroundings(centre=cad.GridReference(easting=5, northing=6), radius_m=50)
    request = service.SearchIncidentsRequest(
        access=ACCESS, opened=days((2026, 10, 1), (2026, 10, 31)), surroundings=around, grade=cad.GRADE_REFERRED, call_sign="LX21"
    )
    block = translate.search(request, OFFICER, Transcript())
    assert block.incidents == (Incident(grade="R", easting=5, northing=6, call_signs=("LX21",)),)
    by = block.control
    assert (by.first_day, by.last_day, by.radius, by.street) == (date(2026, 10, 1), date(2026, 10, 31), 50, "")
    street = service.SearchIncidentsRequest(access=ACCESS, opened=request.opened, street="Mill Lane")
    assert translate.search(street, OFFICER, Transcript()).control.street == "MILL LANE"


def test_a_day_that_does_not_exist_is_refused_by_its_path() -> None:
    request = service.SearchIncidentsRequest(access=ACCESS, opened=days((2026, 2, 1), (2026, 2, 29)))
    with pytest.raises(Fault) as raised:
        translate.search(request, OFFICER, Transcript())
    assert [path for path, _ in raised.value.fields] == ["opened.to"]


def test_who_asks_is_told_and_nobody_is_not() -> None:
    request = service.GetIncidentRequest(access=ACCESS, cad_number=CadNumber(value="1/25NOV26"), after_line=7)
    assert translate.inquire(request, OFFICER).control == Control("", "P123456", "INCIDENT_RESPONSE OP EUR", after=7)
    assert translate.inquire(request, None).control.operator == ""
