"""CRIS's documents: exact bytes, round trips of every record, and refusal of what is not one."""

from dataclasses import fields
from datetime import datetime, time
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.cris import codes, records, wire
from adapters.cris.records import Day
from adapters.kit.soap import envelope, open_envelope

BY = records.Requestor(
    account="METIPHUB",
    warrant_no="P123456",
    force="01",
    unit="ZD",
    reason_code="CI",
    reason_text="",
    reference="90001/23NOV26",
    on_behalf_of="",
    device_id="",
    need_to_know=False,
)

SEARCH = (
    b"<?xml version='1.0' encoding='ISO-8859-1'?>\n"
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    b'<cris:SEARCH_REPORTS xmlns:cris="urn:x-cris:crime-report:1">'
    b"<REQUESTOR><ACCOUNT>METIPHUB</ACCOUNT><WARRANT_NO>P123456</WARRANT_NO><FORCE>01</FORCE><UNIT>ZD</UNIT>"
    b"<REASON_CODE>CI</REASON_CODE><REFERENCE>90001/23NOV26</REFERENCE><NEED_TO_KNOW>N</NEED_TO_KNOW></REQUESTOR>"
    b"<FAMILY_NAME>M\xfcllzandle</FAMILY_NAME><DATE_OF_BIRTH>00/02/1980</DATE_OF_BIRTH><MAXIMUM>20</MAXIMUM>"
    b"</cris:SEARCH_REPORTS></soap:Body></soap:Envelope>"
)

FOUND = (
    b'<?xml version="1.0" encoding="ISO-8859-1"?>'
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    b'<SEARCH_REPORTS_REPLY xmlns="urn:x-cris:crime-report:1">'
    b'<AS_AT xmlns="">23/11/2026 09:05:00</AS_AT><MORE xmlns="">Y</MORE><ADDED_LATER xmlns="">1</ADDED_LATER>'
    b'<HITS xmlns=""><ITEM><CRIME_NO>9907919/26</CRIME_NO><ROLE>VIC</ROLE>'
    b"<PERSON><GIVEN_NAMES><ITEM>Zo\xeb</ITEM></GIVEN_NAMES><FAMILY_NAME>M\xfcllzandle</FAMILY_NAME>"
    b"<IC_CODE>0</IC_CODE><HEIGHT_CM>0</HEIGHT_CM></PERSON>"
    b"<CLASS_CODE>034/01</CLASS_CODE><COMMITTED_FROM>21/09/2026</COMMITTED_FROM><RESTRICTED>N</RESTRICTED></ITEM></HITS>"
    b"</SEARCH_REPORTS_REPLY></s:Body></s:Envelope>"
)


def test_a_question_is_written_in_latin_1_with_one_byte_for_a_letter_with_an_accent() -> None:
    asked = records.Search(requestor=BY, family_name="Müllzandle", date_of_birth=Day(1980, 2, 0), maximum=20)
    assert envelope(wire.write(asked), encoding=codes.ENCODING) == SEARCH


def test_a_reply_is_read_in_the_encoding_that_its_declaration_names() -> None:
    found = wire.read(records.Found, open_envelope(FOUND))
    assert found.as_at == datetime(2026, 11, 23, 9, 5)  # noqa: DTZ001 - CRIS prints local time without a zone
    assert found.more
    assert found.hits[0].person == records.Person(given_names=("Zoë",), family_name="Müllzandle")


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-15"])
def test_the_declaration_counts_and_not_what_cris_usually_sends(encoding: str) -> None:
    found = wire.read(records.Found, open_envelope(FOUND))
    again = wire.read(records.Found, open_envelope(envelope(wire.write(found), encoding=encoding)))
    assert again == found


TEXT = st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"]) | st.sampled_from("\n\t\r<&]"), max_size=12)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(0, 999_999_999_999),
    bool: st.booleans(),
    Day: st.builds(Day, st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99)),
    time: st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    datetime: st.datetimes().map(lambda at: at.replace(microsecond=0)),
}


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a record's field of that annotation may have."""
    if get_origin(hint) is tuple:
        return st.lists(anything(get_args(hint)[0]), max_size=2).map(tuple)
    if isinstance(hint, UnionType):
        return st.none() | anything(get_args(hint)[0])
    if hint in SCALARS:
        return SCALARS[hint]
    hints = get_type_hints(hint)
    return st.builds(hint, **{field.name: anything(hints[field.name]) for field in fields(hint)})


DOCUMENTS = [*get_args(records.Question), *get_args(records.Answer)]


@pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_every_document_comes_back_as_it_was_written(kind: type, data: st.DataObject) -> None:
    record = data.draw(anything(kind))
    sent = envelope(wire.write(record), encoding=codes.ENCODING)
    assert wire.read(kind, open_envelope(sent)) == record


def test_every_document_has_a_root_of_its_own() -> None:
    assert set(wire.ROOTS) == set(DOCUMENTS)
    assert len(set(wire.ROOTS.values())) == len(DOCUMENTS)


BROKEN = [
    pytest.param("<DAY/>", "AS_AT is missing", id="something_is_missing"),
    pytest.param("<AS_AT>2026-11-23</AS_AT><VERSION>1</VERSION>", "AS_AT holds no datetime", id="another_kind_of_date"),
    pytest.param("<AS_AT>31/02/2026 00:00:00</AS_AT><VERSION>1</VERSION>", "AS_AT holds no datetime", id="a_day_that_does_not_exist"),
    pytest.param("<AS_AT>23/11/2026 09:05:00</AS_AT><VERSION>-1</VERSION>", "VERSION holds no int", id="a_negative_number"),
    pytest.param("<AS_AT>23/11/2026 09:05:00</AS_AT><VERSION>Halzerwick</VERSION>", "VERSION holds no int", id="a_name_for_a_number"),
]


@pytest.mark.parametrize(("inside", "words"), BROKEN)
def test_a_reply_with_nonsense_in_it_is_refused_without_repeating_it(inside: str, words: str) -> None:
    element = etree.fromstring(f'<c:UPDATE_REPORT_REPLY xmlns:c="{records.NAMESPACE}">{inside}</c:UPDATE_REPORT_REPLY>')
    with pytest.raises(wire.WireError) as refused:
        wire.read(records.Updated, element)
    assert str(refused.value) == words


@pytest.mark.parametrize("root", ["GET_REPORT_REPLY", "UPDATE_REPORT", "NONSENSE"])
def test_another_document_than_the_one_expected_is_refused(root: str) -> None:
    with pytest.raises(wire.WireError, match="no UPDATE_REPORT_REPLY"):
        wire.read(records.Updated, etree.fromstring(f'<c:{root} xmlns:c="{records.NAMESPACE}"/>'))


def test_a_document_of_another_namespace_is_refused() -> None:
    with pytest.raises(wire.WireError):
        wire.read(records.Updated, etree.fromstring("<UPDATE_REPORT_REPLY/>"))


def test_a_flag_that_is_neither_yes_nor_no_is_refused() -> None:
    inside = "<AS_AT>23/11/2026 09:05:00</AS_AT><MORE>1</MORE>"
    element = etree.fromstring(f'<c:SEARCH_REPORTS_REPLY xmlns:c="{records.NAMESPACE}">{inside}</c:SEARCH_REPORTS_REPLY>')
    with pytest.raises(wire.WireError, match="MORE holds no bool"):
        wire.read(records.Found, element)


def test_an_empty_text_is_told_from_none_where_both_mean_something() -> None:
    emptied = wire.write(records.Update(requestor=BY, crime_no="9907919/26", version=1, changes=records.Changes(mo_text="")))
    untouched = wire.write(records.Update(requestor=BY, crime_no="9907919/26", version=1, changes=records.Changes()))
    assert wire.read(records.Update, emptied).changes.mo_text == ""
    assert wire.read(records.Update, untouched).changes.mo_text is None
