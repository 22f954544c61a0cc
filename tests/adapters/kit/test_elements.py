"""Native records as plain XML elements."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.kit.elements import ISO, Elements, Unreadable
from adapters.kit.soap import parse_xml


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A part that is there any number of times."""

    size: int


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A part that is there at most once."""

    maker_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Car:
    """A record with fields of every kind."""

    mark: str
    built: date | None = None
    sold: datetime | None = None
    seats: int = 0
    insured: bool = False
    engine: Engine | None = None
    wheels: tuple[Wheel, ...] = ()


ELEMENTS = Elements(ISO)
FULL = Car(
    mark="AB01ABC",
    built=date(2024, 2, 29),
    sold=datetime(2026, 11, 1, 10, 0, tzinfo=UTC),
    seats=5,
    insured=True,
    engine=Engine(maker_name="FORD & SONS"),
    wheels=(Wheel(size=17), Wheel(size=0)),
)
XML = (
    b'<Car Mark="AB01ABC" Built="2024-02-29" Sold="2026-11-01T10:00:00+00:00" Seats="5" Insured="Y">'
    b'<Engine MakerName="FORD &amp; SONS"/><Wheel Size="17"/><Wheel Size="0"/></Car>'
)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=12)
SIZES = st.integers(0, 999_999_999)
CARS = st.builds(
    Car,
    mark=TEXT,
    built=st.none() | st.dates(),
    sold=st.none() | st.datetimes(timezones=st.just(UTC)),
    seats=SIZES,
    insured=st.booleans(),
    engine=st.none() | st.builds(Engine, maker_name=TEXT),
    wheels=st.lists(st.builds(Wheel, size=SIZES), max_size=3).map(tuple),
)


@given(CARS)
def test_any_record_comes_back_from_its_document_as_it_was(car: Car) -> None:
    assert ELEMENTS.read(parse_xml(etree.tostring(ELEMENTS.write("Car", car))), Car, "Car") == car


@pytest.mark.parametrize("car", [FULL, Car(mark=""), Car(mark="A", engine=Engine())], ids=["full", "empty", "an empty part"])
def test_a_record_comes_back_as_it_was(car: Car) -> None:
    assert ELEMENTS.read(ELEMENTS.write("Car", car), Car, "Car") == car


def test_a_record_is_written_by_its_fields_and_what_is_empty_is_left_out() -> None:
    assert etree.tostring(ELEMENTS.write("Car", FULL)) == XML
    assert etree.tostring(ELEMENTS.write("Car", Car(mark=""))) == b'<Car Mark=""/>'


def test_what_the_record_has_no_field_for_is_passed_over() -> None:
    assert ELEMENTS.read(parse_xml(XML.replace(b"<Wheel", b'<Roof/><Wheel Colour="RED"', 1)), Car, "Car") == FULL


BROKEN = {
    "missing": (b'<Car Seats="5"/>', "Car/Mark is missing"),
    "number": (b'<Car Mark="A" Seats="SECRET"/>', "Car/Seats can't be read"),
    "date": (b'<Car Mark="A" Built="SECRET"/>', "Car/Built can't be read"),
    "truth": (b'<Car Mark="A" Insured="SECRET"/>', "Car/Insured can't be read"),
    "twice": (b'<Car Mark="A"><Engine/><Engine MakerName="SECRET"/></Car>', "Car/Engine is there more than once"),
    "inside": (b'<Car Mark="A"><Wheel Size="SECRET"/></Car>', "Car/Wheel/Size can't be read"),
}


@pytest.mark.parametrize(("xml", "words"), BROKEN.values(), ids=BROKEN)
def test_what_can_not_be_read_is_named_by_its_place_and_not_repeated(xml: bytes, words: str) -> None:
    with pytest.raises(Unreadable) as raised:
        ELEMENTS.read(parse_xml(xml), Car, "Car")
    assert str(raised.value) == words
