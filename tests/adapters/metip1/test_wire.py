"""The bus's documents: golden ones, round trips of whatever their layouts allow, and nothing that makes reading crash."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.kit.soap import SoapError, parse_xml
from adapters.metip1.services import BY_CONTRACT, CONTEXT, OPERATIONS, SERVICES
from adapters.metip1.wire import REQUESTER, Layout, Record, WireError, element_of, record_of
from tests.adapters.metip1.strategies import LAYOUTS, any_record

FIND = BY_CONTRACT["metip.pnc.v1.PersonEnquiryService/SearchPersons"]
GOLDEN: dict[str, tuple[Layout, Record, bytes]] = {
    "a question": (
        FIND.asked,
        {"Surname": "Halzerwick", "Born": {"From": "01/01/1990", "To": "31/12/1990"}, "MaxRecords": "0005"},
        (
            b'<FindNames xmlns="urn:metip:bus:1:PNCEnquiry"><Surname>Halzerwick</Surname>'
            b"<Born><From>01/01/1990</From><To>31/12/1990</To></Born>"
            b"<MaxRecords>0005</MaxRecords></FindNames>"
        ),
    ),
    "an answer": (
        FIND.answered,
        {
            "Nominal": [{"Person": {"Name": {"Forename": ["CALQUOL", "O'R"], "Surname": "HALZERWICK"}, "Sex": "M"}}, {}],
            "AnswerInfo": {"AsOf": "26/11/2026 09:05:00", "MoreRecords": "Y"},
        },
        (
            b'<FindNamesResponse xmlns="urn:metip:bus:1:PNCEnquiry"><Nominal><Person><Name>'
            b"<Forename>CALQUOL</Forename><Forename>O'R</Forename>"
            b"<Surname>HALZERWICK</Surname></Name><Sex>M</Sex></Person></Nominal><Nominal/>"
            b"<AnswerInfo><AsOf>26/11/2026 09:05:00</AsOf><MoreRecords>Y</MoreRecords></AnswerInfo></FindNamesResponse>"
        ),
    ),
    "why": (
        CONTEXT,
        {"Purpose": "04", "Reference": "1/2", "Justification": "R&D"},
        (
            b'<RequestContext xmlns="urn:metip:bus:1"><Purpose>04</Purpose><Reference>1/2</Reference><Justification>R&amp;D</Justification>'
            b"</RequestContext>"
        ),
    ),
    "who": (
        REQUESTER,
        {"Account": "METIP2", "UserId": "P123456", "Role": ["officer"], "Transaction": "call-1"},
        (
            b'<Requester xmlns="urn:metip:bus:1"><Account>METIP2</Account><UserId>P123456</UserId><Role>officer</Role>'
            b"<Transaction>call-1</Transaction></Requester>"
        ),
    ),
}


@pytest.mark.parametrize(("layout", "record", "document"), GOLDEN.values(), ids=GOLDEN)
def test_a_golden_document_is_written_and_read(layout: Layout, record: Record, document: bytes) -> None:
    assert etree.tostring(element_of(layout, record)) == document
    assert record_of(layout, parse_xml(document)) == record


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_layout_allows_comes_back(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(LAYOUTS)))
    layout, record = LAYOUTS[name], data.draw(any_record(name))
    assert record_of(layout, parse_xml(etree.tostring(element_of(layout, record)))) == record


@given(
    st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: f"<FindNames xmlns='{FIND.asked.namespace}'>{text}</FindNames>".encode())
)
def test_nothing_makes_reading_crash(data: bytes) -> None:
    try:
        record_of(FIND.asked, parse_xml(data))
    except (SoapError, WireError):
        return


NS = FIND.asked.namespace
REFUSED: dict[str, tuple[str, str]] = {
    "another document": (f"<GetName xmlns='{NS}'/>", "the document is no FindNames"),
    "another namespace": ("<FindNames/>", "the document is no FindNames"),
    "one that stands twice": (
        f"<FindNames xmlns='{NS}'><Surname>A</Surname><Surname>B</Surname></FindNames>",
        "FindNames/Surname is there twice",
    ),
    "elements for text": (
        f"<FindNames xmlns='{NS}'><Surname><A/></Surname></FindNames>",
        "FindNames/Surname holds elements where text should be",
    ),
}


@pytest.mark.parametrize(("document", "told"), REFUSED.values(), ids=REFUSED)
def test_another_document_is_refused_by_its_place(document: str, told: str) -> None:
    with pytest.raises(WireError) as refused:
        record_of(FIND.asked, parse_xml(document.encode()))
    assert str(refused.value) == told


def test_an_element_that_no_layout_names_is_passed_over() -> None:
    document = f"<FindNames xmlns='{NS}'><Later>x</Later><Surname xmlns='urn:other'>B</Surname><Surname>A</Surname></FindNames>"
    assert record_of(FIND.asked, parse_xml(document.encode())) == {"Surname": "A"}


@pytest.mark.parametrize(
    ("record", "told"), [({"Surname": "a\x00"}, "FindNames/Surname"), ({"Nickname": "x"}, "FindNames has no Nickname")]
)
def test_a_record_that_makes_no_document_is_refused_by_its_place(record: Record, told: str) -> None:
    with pytest.raises(WireError, match=told):
        element_of(FIND.asked, record)


def names(layout: Layout) -> Any:
    """Names in a layout and in those inside it, by layout."""
    yield layout.namespace, layout.name, [item.name for item in layout.items]
    for item in layout.items:
        if item.layout is not None:
            yield from names(item.layout)


def test_no_name_stands_for_two_things_of_one_service() -> None:
    known: dict[tuple[str, str], list[str]] = {}
    for layout in [one for operation in OPERATIONS for one in (operation.asked, operation.answered)]:
        for namespace, name, items in names(layout):
            assert len(set(items)) == len(items)
            assert known.setdefault((namespace, name), items) == items
    assert len({one.action for one in OPERATIONS}) == len(OPERATIONS)
    assert len({one.path for one in SERVICES}) == len(SERVICES)
