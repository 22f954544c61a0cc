"""From handovers to commands of the host: what each field becomes, whatever it holds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cad import handover as rules
from adapters.cad import translate
from adapters.cad.records import Block, Control, Kind
from adapters.cad.wire import decode, encode
from adapters.kit.population import incidents as population
from metip.cad.v1 import incident_pb2 as cad
from metip.command_control.v1 import incident_pb2 as contract
from metip.faults import Fault, Reason
from tests.adapters.cad.handed import FIRE, OWN, graded, handover, incident, location


def opening(**more: Any) -> Block:
    (block,) = rules.commands(handover("RULES-1", incident_create=incident("RULES-1", **more)), None)
    return block


PLACES: dict[str, tuple[contract.Location, str, str]] = {
    "words alone": (contract.Location(description="Towpath"), "TOWPATH", ""),
    "three words alone": (contract.Location(what3words="filled.count.soap"), "FILLED.COUNT.SOAP", "FILLED.COUNT.SOAP"),
    "coordinates alone": (contract.Location(latitude=51.5, longitude=-0.25), "51.500000 -0.250000", "51.5, -0.25"),
    "a grid reference alone": (contract.Location(easting=691_363, northing=181_474), "691363 181474", ""),
    "a description that is too long beside an address": (
        location(description="x" * 131),
        "12, TEST ROAD, ZZ2 2AB",
        f"{'X' * 131}, 999000007919, 51.5, 0.0, FILLED.COUNT.SOAP",
    ),
    "a description that grows when it is written": (location(description="\u20ac" * 44), "12, TEST ROAD, ZZ2 2AB", "EUR" * 44),
}


@pytest.mark.parametrize(("place", "text", "rest"), PLACES.values(), ids=PLACES)
def test_a_place_is_what_the_host_holds_and_the_rest_is_words(place: contract.Location, text: str, rest: str) -> None:
    block = opening(location=place)
    assert block.incidents[0].text == text
    assert (f"LOCATION: {rest}" if rest else "") in block.lines[0].text
    assert rest or "LOCATION" not in block.lines[0].text


@pytest.mark.parametrize("kind", contract.IncidentType.values(), ids=contract.IncidentType.Name)
def test_every_type_has_a_code_that_the_host_has_and_is_named_in_words(kind: contract.IncidentType.ValueType) -> None:
    block = opening(type=kind)
    assert population.TYPES.issuperset(block.incidents[0].opening_codes)
    name = contract.IncidentType.Name(kind).removeprefix("INCIDENT_TYPE_").replace("_", " ")
    assert (f"TYPE: {name}\n" in block.lines[0].text) == bool(kind)


@pytest.mark.parametrize("priority", [one for one in contract.Priority.values() if one], ids=contract.Priority.Name)
def test_every_priority_is_a_grade(priority: contract.Priority.ValueType) -> None:
    assert opening(priority=priority).incidents[0].grade == contract.Priority.Name(priority).removeprefix("PRIORITY_")[0]


@given(reference=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9/_.:-]{0,39}\Z"))
def test_a_reference_comes_through_the_switch_as_it_is(reference: str) -> None:
    (block,) = rules.commands(handover(reference), None)
    assert decode(encode(block)).incidents[0].agency_reference == f"{FIRE} {reference}"
    asked = rules.question(handover(reference), OWN)
    assert (asked.kind, decode(encode(asked)).incidents[0].agency_reference) == (Kind.INQUIRE, f"{FIRE} {reference}")


def test_what_is_made_of_one_message_is_always_the_same() -> None:
    message = graded("SAME-1", contract.PRIORITY_IMMEDIATE, 1, narrative="x")
    (opened,) = rules.commands(handover("SAME-1"), None)
    found = Block(Kind.REPLY, 1, Control(), opened.incidents, opened.lines)
    first, again = (list(rules.commands(message, found)) for _ in range(2))
    assert first == again
    assert len({one.control.reference for one in (opened, *first)}) == 3


def test_a_refusal_of_the_rules_names_its_field() -> None:
    with pytest.raises(Fault) as raised:
        opening(priority=0)
    assert (raised.value.reason, [name for name, _ in raised.value.fields]) == (Reason.INVALID_REQUEST, ["incident_create.priority"])


def test_who_said_a_line_is_told_with_it() -> None:
    (block,) = rules.commands(handover("TOLD-1"), None)
    told = translate.event(Block(Kind.EVENT, 1, Control(), block.incidents, block.lines))
    assert (told.line.agency, told.line.opening.origin) == (FIRE, cad.ORIGIN_AGENCY)


def test_it_is_another_name_among_agencies_that_a_handover_must_be_for() -> None:
    for_another = handover("NAME-1", to_agencies=["POL-01OLD"])
    assert (rules.concerns(for_another, "POL-01OLD"), rules.concerns(for_another, OWN)) == (True, False)
