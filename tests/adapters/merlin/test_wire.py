"""Records and documents: what is written is read again, and what can't be either is refused by place, never by content."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.kit.binding import Place
from adapters.kit.soap import Element, envelope, open_envelope
from adapters.merlin import layout, records
from adapters.merlin.wire import DOCUMENTS, NAMESPACE, ROOTS, WireError, action, element_of, record_of

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=12)
MINUTES = st.integers(0, 130 * 365 * 24 * 60).map(lambda minutes: datetime.fromtimestamp(minutes * 60, UTC))
VALUES: dict[int, st.SearchStrategy[Any]] = {
    id(layout.KINDS[str]): TEXT,
    id(layout.FLAG): st.booleans(),
    id(layout.NUMBER): st.integers(-1, 999_999_999_999),
    id(layout.CODES): st.lists(st.text("ABCXYZ", min_size=1, max_size=3), max_size=3).map(tuple),
    id(layout.WHEN): MINUTES.filter(lambda at: not _repeated(at)),
    id(layout.DAY): st.tuples(st.integers(0, 9999), st.integers(0, 12), st.integers(0, 31)),
}

SAMPLE = records.Found(
    as_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    more=True,
    reports=(
        records.Summary(
            reference="26MIS800001",
            type="MIS",
            status="OPN",
            risk="HGH",
            role="SUB",
            created=datetime(2026, 6, 1, 9, 30, tzinfo=UTC),
            person=records.Person(born=(2012, 1, 0), name=records.Name(first="Ann", surname="O'Nobody")),
            line="Left <home> & did not return.",
        ),
    ),
)
WRITTEN = (
    '<m:Found xmlns:m="urn:x-merlin:reports:3" asat="202611230930" more="Y">'
    '<m:Summary ref="26MIS800001" typ="MIS" sta="OPN" rsk="HGH" rol="SUB" cre="202606011030">'
    '<m:Person dob="20120100"><m:Name fore1="Ann" sur="O\'Nobody"/></m:Person>'
    "<m:Line>Left &lt;home&gt; &amp; did not return.</m:Line></m:Summary></m:Found>"
)

BROKEN = [
    ("another element", "<m:Fetched {ns} asat='202611230930'/>", "Found is not what stands there"),
    ("another namespace", "<Found asat='202611230930'/>", "Found is not what stands there"),
    ("no instant", "<m:Found {ns}/>", "Found.asat is missing"),
    ("an instant of words", "<m:Found {ns} asat='yesterday'/>", "Found.asat is of another kind"),
    ("an instant too short", "<m:Found {ns} asat='20261123093'/>", "Found.asat is of another kind"),
    ("an instant of no day", "<m:Found {ns} asat='202602300930'/>", "Found.asat is of another kind"),
    ("a flag of words", "<m:Found {ns} asat='202611230930' more='perhaps'/>", "Found.more is of another kind"),
    ("no reference", "<m:Found {ns} asat='202611230930'><m:Summary/></m:Found>", "Summary.ref is missing"),
    ("nobody", "<m:Found {ns} asat='202611230930'><m:Summary ref='X'/></m:Found>", "Summary.Person is missing"),
    (
        "a day of no month",
        "<m:Found {ns} asat='202611230930'><m:Summary ref='X'><m:Person dob='20121301'><m:Name/></m:Person></m:Summary></m:Found>",
        "Person.dob is of another kind",
    ),
    (
        "a number of words",
        "<m:Found {ns} asat='202611230930'><m:Summary ref='X'><m:Person height='1_8'><m:Name/></m:Person></m:Summary></m:Found>",
        "Person.height is of another kind",
    ),
]

LOCAL = [
    ("winter", datetime(2026, 1, 15, 12, 0, tzinfo=UTC), "202601151200"),
    ("summer", datetime(2026, 7, 15, 12, 0, tzinfo=UTC), "202607151300"),
    ("a day earlier in Greenwich", datetime(2026, 7, 14, 23, 30, tzinfo=UTC), "202607150030"),
    ("the first of the repeated hours", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "202610250130"),
]


def _repeated(at: datetime) -> bool:
    """Whether the instant lies in the second of the two hours that the end of summer time makes alike."""
    return at.astimezone(layout.LONDON).fold == 1


def _records(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{place.field: _value(place) for place in DOCUMENTS.places(kind)})


def _value(place: Place) -> st.SearchStrategy[Any]:
    if place.name.startswith("@"):
        value = VALUES[id(place.kind)]
        return st.none() | value if place.empty is None else value
    one = TEXT if place.record is None else _records(place.record)
    if place.many:
        return st.lists(one, max_size=2).map(tuple)
    return st.none() | one if place.empty is None else one


def _element(text: str) -> Element:
    return etree.fromstring(text.replace("{ns}", f'xmlns:m="{NAMESPACE}"'))


@pytest.mark.parametrize("kind", ROOTS, ids=ROOTS.values())
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_record_comes_back_from_its_document_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(_records(kind))
    assert record_of(open_envelope(envelope(element_of(record))), kind) == record


def test_codes_and_times_are_attributes_and_words_are_elements() -> None:
    assert etree.tostring(element_of(SAMPLE)).decode() == WRITTEN
    assert record_of(_element(WRITTEN), records.Found) == SAMPLE


def test_a_question_names_its_action() -> None:
    assert action(records.Fetch(reference="26MIS800001")) == "urn:x-merlin:reports:3#Fetch"


def test_what_a_newer_system_adds_is_passed_over() -> None:
    newer = WRITTEN.replace(' more="Y"', ' more="Y" mood="calm"').replace(
        "<m:Line>", "<m:Extra><m:Line>x</m:Line></m:Extra><!-- --><m:Line>"
    )
    assert record_of(_element(newer), records.Found) == SAMPLE


@pytest.mark.parametrize(("name", "text", "problem"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_document_that_is_no_such_record_is_refused_by_place(name: str, text: str, problem: str) -> None:
    with pytest.raises(WireError) as told:
        record_of(_element(text), records.Found)
    assert str(told.value) == problem


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\ud800b", "a\uffffb"])
def test_a_character_that_no_document_can_hold_is_refused_by_place(text: str) -> None:
    with pytest.raises(WireError) as told:
        element_of(records.Find(surname=text))
    assert str(told.value) == "Find.sur holds something that can't be sent"
    with pytest.raises(WireError) as told:
        element_of(records.Asker(justification=text))
    assert str(told.value) == "Asker.Why holds something that can't be sent"


@pytest.mark.parametrize(("name", "at", "written"), LOCAL, ids=[row[0] for row in LOCAL])
def test_instants_stand_on_the_london_clock(name: str, at: datetime, written: str) -> None:
    element = element_of(records.Found(as_at=at))
    assert element.get("asat") == written
    assert record_of(element, records.Found).as_at == at


def test_the_second_of_the_repeated_hours_reads_as_the_first() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    read = record_of(element_of(records.Found(as_at=second)), records.Found).as_at
    assert read == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_no_record_shows_what_it_holds() -> None:
    assert "Nobody" not in repr(SAMPLE)
    assert "hush" not in repr(records.Logon(user="adapter", secret="hush"))
