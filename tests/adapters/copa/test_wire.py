"""Records and documents: what is written is read again, and what can't be either is refused by place, never by content."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.copa import records, wire
from adapters.copa.wire import NAMESPACE, WireError, action, element_of, record_of
from adapters.kit.binding import Place
from adapters.kit.soap import Element, envelope, open_envelope
from adapters.kit.values import Parts

VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=12),
    int: st.integers(0, 9_999_999_999),
    bool: st.booleans(),
    Parts: st.tuples(st.integers(0, 9999), st.integers(0, 12), st.integers(0, 31)),
    datetime: st.integers(0, 130 * 365 * 24 * 3600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
}
KINDS = {id(wire.KINDS[held]): values for held, values in VALUES.items()}
STANDING_ALONE = [
    records.Caller,
    records.GetCase,
    records.GetCaseReply,
    records.OpenCase,
    records.OpenCaseReply,
    records.AmendCase,
    records.AmendCaseReply,
    records.FileResult,
    records.FileResultReply,
]
SAMPLE = records.FileResult(
    urn="01ZD9000126",
    version=3,
    result=records.Result(
        key="K<1>",
        asn="2601ZD0100000900001A",
        court="2576",
        heard=(2026, 11, 3),
        filed=datetime(2026, 11, 4, 9, 30, tzinfo=UTC),
        decisions=(records.Decision(sequence=1, code="TH68006", verdict="G", disposals=(records.Disposal(code=1015, text="Fined £100"),)),),
    ),
)
WRITTEN = (
    '<FileResult xmlns="urn:x-copa:casefile:2"><Urn>01ZD9000126</Urn><Version>3</Version><Result><Key>K&lt;1&gt;</Key>'
    "<Asn>2601ZD0100000900001A</Asn><Court>2576</Court><Heard>03/11/2026</Heard><Filed>2026-11-04T09:30:00Z</Filed><Decisions><Decision>"
    "<Sequence>1</Sequence><Code>TH68006</Code><Verdict>G</Verdict><Disposals><Disposal><Code>1015</Code><Text>Fined &#163;100</Text>"
    "</Disposal></Disposals></Decision></Decisions></Result></FileResult>"
)
BROKEN = [
    ("another element", WRITTEN.replace("FileResult", "FiledResult"), "FileResult is not what stands there"),
    ("another namespace", WRITTEN.replace("casefile:2", "casefile:1"), "FileResult is not what stands there"),
    ("no reference", WRITTEN.replace("Urn>", "Ur>"), "FileResult.Urn is missing"),
    ("a version of words", WRITTEN.replace(">3<", ">three<"), "FileResult.Version is of another kind"),
    ("a day of another order", WRITTEN.replace("03/11/2026", "2026-11-03"), "Result.Heard is of another kind"),
    ("a day of no month", WRITTEN.replace("03/11/2026", "03/13/2026"), "Result.Heard is of another kind"),
    ("an instant without a zone", WRITTEN.replace("09:30:00Z", "09:30:00"), "Result.Filed is of another kind"),
    ("an instant of no hour", WRITTEN.replace("T09:", "T29:"), "Result.Filed is of another kind"),
    ("a decision about nothing", WRITTEN.replace("<Sequence>1</Sequence>", ""), "Decision.Sequence is missing"),
]


def _records(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{place.field: _value(place) for place in wire.DOCUMENTS.places(kind)})


def _value(place: Place) -> st.SearchStrategy[Any]:
    one = _records(place.record) if place.record else KINDS[id(place.kind)]
    if place.many:
        return st.lists(one, max_size=2).map(tuple)
    return st.none() | one if place.empty is None else one


def _element(text: str) -> Element:
    return etree.fromstring(text)


@pytest.mark.parametrize("kind", STANDING_ALONE)
@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_record_comes_back_from_its_document_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(_records(kind))
    assert record_of(open_envelope(envelope(element_of(record))), kind) == record


def test_fields_are_elements_and_lists_hold_one_for_each_item() -> None:
    assert etree.tostring(element_of(SAMPLE)).decode() == WRITTEN
    assert record_of(_element(WRITTEN), records.FileResult) == SAMPLE


def test_words_in_a_list_are_elements_called_string() -> None:
    defendant = records.Defendant(asn="A", surname="O'Nobody", forenames=("Ann", "Bea"))
    asked = records.AmendCase(urn="U", version=1, defendant=defendant)
    assert b"<Forenames><string>Ann</string><string>Bea</string></Forenames>" in etree.tostring(element_of(asked))


def test_a_question_names_its_action() -> None:
    assert action(records.GetCase(urn="01ZD9000126")) == f"{NAMESPACE}/GetCase"


def test_what_a_newer_system_adds_is_passed_over() -> None:
    newer = WRITTEN.replace("<Version>", "<Mood>calm</Mood><!-- --><Version>").replace("<Decision>", "<Other/><Decision>")
    assert record_of(_element(newer), records.FileResult) == SAMPLE


@pytest.mark.parametrize(("name", "text", "problem"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_document_that_is_no_such_record_is_refused_by_place(name: str, text: str, problem: str) -> None:
    with pytest.raises(WireError) as told:
        record_of(_element(text), records.FileResult)
    assert str(told.value) == problem


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\ud800b", "a\uffffb"])
def test_a_character_that_no_document_can_hold_is_refused_by_place(text: str) -> None:
    with pytest.raises(WireError) as told:
        element_of(records.GetCase(urn=text))
    assert str(told.value) == "GetCase.Urn holds something that can't be sent"
    with pytest.raises(WireError) as told:
        element_of(records.Defendant(asn="A", surname="B", forenames=(text,)))
    assert str(told.value) == "Defendant.Forenames holds something that can't be sent"


def test_no_record_shows_what_it_holds() -> None:
    assert "01ZD9000126" not in repr(SAMPLE)
