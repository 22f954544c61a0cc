"""Native records as documents: what their fields say is what stands there, and nothing is lost where nothing may be."""

import sys
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.kit.binding import Aside, At, Documents, Kind, Payload, WireError, record, standing_alone
from adapters.kit.soap import envelope, parse_xml
from adapters.kit.texts import TEXT, one_of, stripped, whole

SHOP = "urn:shop"
NAME = stripped(10)


@record(SHOP)
class Wheel:
    """A part that is there any number of times."""

    size: Annotated[int | None, At("Size", whole(99, 3))] = None


@record(SHOP)
class Trailer:
    """One side of a choice."""

    length: Annotated[int | None, At("Length", whole(99))] = None


@record(SHOP, "Car", Version="1")
class Car:
    """A record with fields of every kind."""

    mark: Annotated[str, At("@mark", TEXT)] = ""
    maker: Annotated[str, At("Origin/Maker/Name", NAME)] = ""
    country: Annotated[str, At("Origin/Country", one_of("A-Z"))] = ""
    owners: Annotated[tuple[str, ...], At("Owner", NAME, numbered=3)] = ()
    wheels: Annotated[tuple[Wheel, ...], At("Wheel")] = ()
    tow_bar: Annotated[str, At("TowBar", TEXT, unless="trailer")] = ""
    trailer: Annotated[Trailer | None, At("Trailer")] = None
    prices: Annotated[tuple[int, ...], At("Price", whole(999))] = ()
    coins: Annotated[tuple[str, ...], At("Coin", TEXT, after="Price")] = ()
    leaflet: Annotated[str, Payload("Leaflet", namespace="urn:paper", inside=True)] = ""
    letter: Annotated[str, Payload("Letter")] = ""
    aside: tuple[Aside, ...] = ()


KEEPING = Documents(Car, prefixes={SHOP: {None: SHOP}}, keeping=True)
FULL = Car(
    mark="AB01",
    maker="Ford",
    country="D",
    owners=("Ann", "", "Bob"),
    wheels=(Wheel(size=17), Wheel()),
    trailer=Trailer(length=4),
    prices=(1, 20),
    coins=("GBP", "EUR"),
    leaflet='<x:a xmlns:x="urn:a"/>',
    letter="<b>&amp;</b>",
)
XML = (
    '<Car xmlns="urn:shop" Version="1" mark="AB01"><Origin><Maker><Name>Ford</Name></Maker><Country>D</Country></Origin>'
    "<Owner1>Ann</Owner1><Owner3>Bob</Owner3><Wheel><Size>017</Size></Wheel><Wheel/><Trailer><Length>4</Length></Trailer>"
    "<Price>1</Price><Coin>GBP</Coin><Price>20</Price><Coin>EUR</Coin>"
    '<ns0:Leaflet xmlns:ns0="urn:paper"><x:a xmlns:x="urn:a"/></ns0:Leaflet><Letter>&lt;b&gt;&amp;amp;&lt;/b&gt;</Letter></Car>'
)


def car(inside: str) -> Car:
    return KEEPING.record_of(parse_xml(f'<Car xmlns="urn:shop">{inside}</Car>'.encode()), Car)


def test_fields_stand_where_their_marks_say() -> None:
    assert etree.tostring(KEEPING.element_of(FULL)).decode() == XML


def test_a_record_comes_back_as_it_was() -> None:
    found = KEEPING.record_of(parse_xml(XML.encode()), Car)
    assert parse_xml(found.leaflet.encode()).tag == "{urn:a}a"
    assert (found.mark, found.maker, found.owners, found.wheels, found.trailer) == ("AB01", "Ford", FULL.owners, FULL.wheels, FULL.trailer)
    assert (found.prices, found.coins, found.letter, found.aside) == ((1, 20), ("GBP", "EUR"), "<b>&amp;</b>", ())


def test_what_is_empty_has_no_element_and_neither_has_its_group() -> None:
    assert etree.tostring(KEEPING.element_of(Car())) == b'<Car xmlns="urn:shop" Version="1"/>'


KEPT = [
    ("an unknown element", "<Colour>red</Colour>", "Colour"),
    ("an unknown one in a group", "<Origin><Town>X</Town></Origin>", "Origin/Town"),
    ("an unknown one in a part that says nothing", "<Trailer><Hitch/></Trailer>", "Trailer/Hitch"),
    ("an unknown one in one of several", "<Wheel/><Wheel><Tyre/></Wheel>", "Wheel[2]/Tyre"),
    ("a second one", "<Owner1>a</Owner1><Owner1>b</Owner1>", "Owner1"),
    ("a second group", "<Origin><Country>D</Country></Origin><Origin><Country>F</Country></Origin>", "Origin"),
    ("a text that is none of its kind", "<Origin><Country>dd</Country></Origin>", "Origin/Country"),
    ("a text that is too long", "<Owner1>abcdefghijk</Owner1>", "Owner1"),
    ("text where elements should be", "<Origin>D</Origin>", "Origin"),
    ("elements where text should be", "<TowBar><b/></TowBar>", "TowBar"),
    ("the other side of a choice", "<TowBar>y</TowBar><Trailer><Length>4</Length></Trailer>", "TowBar"),
]


@pytest.mark.parametrize(("name", "inside", "path"), KEPT, ids=[row[0] for row in KEPT])
def test_what_has_no_place_is_kept_aside_with_its_path_and_put_back(name: str, inside: str, path: str) -> None:
    found = car(inside)
    assert [one.path for one in found.aside] == [path]
    assert KEEPING.record_of(KEEPING.element_of(found), Car) == found


def test_a_namespace_that_canonical_xml_can_not_have_is_refused() -> None:
    with pytest.raises(WireError, match="has a namespace that no canonical XML can have"):
        KEEPING.decode(b'<Car xmlns="urn:shop"><Other xmlns="../here">x</Other></Car>')


def test_one_of_several_that_is_empty_keeps_the_places_of_the_others() -> None:
    found = car("<Price/><Coin>GBP</Coin><Price>2</Price><Coin>EUR</Coin>")
    assert (found.coins, len(found.prices), found.aside) == (("GBP", "EUR"), 2, ())
    assert car(etree.tostring(KEEPING.element_of(found)).decode().partition(">")[2].rpartition("<")[0]) == found


UNWRITABLE = [
    ("a character that XML lacks", Car(maker="a\x00"), "Origin/Maker/Name holds something that can't be sent"),
    ("a part for a place that is not there", Car(aside=(Aside("Wheel[2]/X", "<X/>"),)), "Wheel[2] is not there"),
    ("a part that is no XML", Car(aside=(Aside("X", "<X"),)), "X kept aside, is not well-formed XML"),
]


@pytest.mark.parametrize(("name", "made", "words"), UNWRITABLE, ids=[row[0] for row in UNWRITABLE])
def test_what_makes_no_document_is_refused_by_its_place(name: str, made: Car, words: str) -> None:
    with pytest.raises(WireError) as told:
        KEEPING.element_of(made)
    assert str(told.value).startswith(words)


def test_a_document_of_no_known_root_is_refused() -> None:
    with pytest.raises(WireError, match=r"^document is not what stands there$"):
        KEEPING.record_of(parse_xml(b"<Bus/>"))


def test_a_document_may_come_in_an_envelope() -> None:
    document = KEEPING.encode(Car(maker="Ford"))
    assert KEEPING.decode(document) == (Car(maker="Ford"), False)
    assert KEEPING.decode(envelope(KEEPING.element_of(Car(maker="Ford")))) == (Car(maker="Ford"), True)
    for broken in (b"", b"<a", b"<!DOCTYPE a []><a/>", envelope(KEEPING.element_of(Car())).replace(b"Car", b"Bus")):
        with pytest.raises(WireError, match=r"^document is "):
            KEEPING.decode(broken)


def test_a_record_shows_nothing_of_itself() -> None:
    assert "Ford" not in repr(FULL)


def test_the_records_of_a_module_that_stand_alone_are_those_with_roots() -> None:
    assert list(standing_alone(sys.modules[__name__])) == [Car]


# A strict interface, whose fields have no marks


@record("urn:strict")
class Seat:
    """A part of a strict record."""

    row: int
    note: str = ""


@record("urn:strict")
class Bus:
    """A record whose fields stand by a rule."""

    line: str
    stops: tuple[str, ...] = ()
    seats: tuple[Seat, ...] = ()
    first: Seat | None = None


NUMBER = Kind(int, str, name="number")


def named(field: str, several: type | None) -> str:
    if several is None:
        return field.capitalize()
    return f"{field.capitalize()}/{'string' if several is str else several.__name__}"


STRICT = Documents(Bus, texts={str: TEXT, int: NUMBER}, named=named, prefixes={"urn:strict": {None: "urn:strict"}})
BUS = Bus(line="N9", stops=("A", ""), seats=(Seat(row=1, note="n"), Seat(row=2)), first=Seat(row=0))
STRICT_XML = (
    '<Bus xmlns="urn:strict"><Line>N9</Line><Stops><string>A</string><string></string></Stops><Seats><Seat><Row>1</Row>'
    "<Note>n</Note></Seat><Seat><Row>2</Row></Seat></Seats><First><Row>0</Row></First></Bus>"
)


ANY_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=12)
SEATS = st.builds(Seat, row=st.integers(), note=ANY_TEXT)
BUSES = st.builds(
    Bus,
    line=ANY_TEXT,
    stops=st.lists(ANY_TEXT, max_size=3).map(tuple),
    seats=st.lists(SEATS, max_size=3).map(tuple),
    first=st.none() | SEATS,
)
SAID = st.text("ABCXYZ&<'", min_size=1, max_size=10)
SIZES = st.none() | st.integers(0, 99)
CARS = st.builds(
    Car,
    mark=ANY_TEXT,
    maker=SAID,
    country=st.sampled_from(["", "D", "F"]),
    owners=st.lists(SAID, min_size=3, max_size=3).map(tuple),
    wheels=st.lists(st.builds(Wheel, size=SIZES), max_size=3).map(tuple),
    trailer=st.none() | st.builds(Trailer, length=st.integers(0, 99)),
    prices=st.lists(st.integers(0, 999), max_size=3).map(tuple),
    letter=ANY_TEXT,
)


@given(BUSES)
def test_any_record_of_a_strict_interface_comes_back_from_its_document(bus: Bus) -> None:
    assert STRICT.decode(STRICT.encode(bus)) == (bus, False)


@given(CARS)
def test_any_record_of_an_interface_that_loses_nothing_comes_back_from_its_document(car: Car) -> None:
    assert KEEPING.decode(KEEPING.encode(car)) == (car, False)


def test_fields_without_marks_stand_as_the_rule_says() -> None:
    assert etree.tostring(STRICT.element_of(BUS)).decode() == STRICT_XML
    assert STRICT.record_of(parse_xml(STRICT_XML.encode()), Bus) == BUS


def test_what_a_newer_system_adds_is_passed_over() -> None:
    newer = STRICT_XML.replace("<Line>", "<Colour>red</Colour><Line>")
    assert STRICT.record_of(parse_xml(newer.encode()), Bus) == BUS


BROKEN = [
    ("another root", STRICT_XML.replace("Bus", "Tram"), "Bus is not what stands there"),
    ("another namespace", STRICT_XML.replace("urn:strict", "urn:other"), "Bus is not what stands there"),
    ("nothing where something has to be", STRICT_XML.replace("Line", "Lime"), "Bus.Line is missing"),
    ("nothing in a part", STRICT_XML.replace("Row>0</Row", "Raw>0</Raw"), "First.Row is missing"),
    ("another kind", STRICT_XML.replace(">2<", ">two<"), "Seat.Row holds no number"),
]


@pytest.mark.parametrize(("name", "text", "words"), BROKEN, ids=[row[0] for row in BROKEN])
def test_what_breaks_the_rules_of_a_strict_interface_is_refused_by_place(name: str, text: str, words: str) -> None:
    with pytest.raises(WireError) as told:
        STRICT.record_of(parse_xml(text.encode()), Bus)
    assert str(told.value) == words


def test_only_roots_have_a_namespace_where_the_interface_has_it_so() -> None:
    documents = Documents(Bus, texts={str: TEXT, int: NUMBER}, named=named, unqualified=True, place=lambda _, field: field)
    element = documents.element_of(Bus(line="1", first=Seat(row=1)))
    assert [child.tag for child in element] == ["Line", "First"]
    assert documents.record_of(element, Bus).first == Seat(row=1)
    with pytest.raises(WireError, match=r"^Line is missing$"):
        documents.record_of(parse_xml(b'<Bus xmlns="urn:strict"/>'))
