"""CONNECT's documents, headers and tags: golden ones, and what any bytes become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.connect import wire
from adapters.connect.records import Changes, Page, Refused

SECRET = "QUACKENBUSH"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TREE = st.dictionaries(TEXT, TEXT | st.integers(), max_size=3)
CHANGES = st.builds(Changes, after=TEXT, next=TEXT, more=st.booleans(), items=st.lists(TREE, max_size=3).map(tuple))
PAGES = st.builds(Page, items=st.lists(TREE, max_size=3).map(tuple), next=TEXT, as_at=TEXT)
PROBLEMS = st.builds(Refused, type=TEXT, detail=TEXT, moved_to=TEXT, merged_at=TEXT, step=TEXT)


@given(CHANGES | PAGES | PROBLEMS)
def test_a_record_comes_back_as_it_went(one: Changes | Page | Refused) -> None:
    assert wire.decode(type(one), wire.encode(one)) == one


def test_a_problem_as_connect_says_it() -> None:
    document = (
        b'{"type":"urn:x-connect:problem:merged","status":301,"title":"Merged","movedTo":"N0000000010",'
        b'"mergedAt":"2026-11-20T22:05:00Z","instance":"/pole/v2/nominals/N0000000135"}'
    )
    found = wire.decode(Refused, document)
    assert (found.name, found.moved_to, found.merged_at, found.step) == ("merged", "N0000000010", "2026-11-20T22:05:00Z", "")


def test_a_part_of_the_feed_as_connect_sends_it() -> None:
    document = b'{"after":"t1","next":"t2","more":true,"items":[{"id":"N0000000001","version":2,"change":"UPDATED"}]}'
    assert wire.decode(Changes, document).items == ({"id": "N0000000001", "version": 2, "change": "UPDATED"},)
    assert wire.encode(wire.decode(Changes, document)) == document


def test_paths_name_records_by_their_ids() -> None:
    assert wire.path_of("N0000000001") == "/pole/v2/nominals/N0000000001"
    assert [wire.collection(letter) for letter in "VLICR"] == [
        "/pole/v2/vehicles",
        "/pole/v2/locations",
        "/pole/v2/investigations",
        "/pole/v2/custody-records",
        "/pole/v2/intelligence-reports",
    ]


@given(st.integers(1, 999_999_999))
def test_a_version_comes_back_from_its_tag(version: int) -> None:
    assert wire.version_of(wire.tag_of(version)) == version


@pytest.mark.parametrize("tag", ["", '"v0"', 'W/"v7"', "v7", '"7"', '"v7', f'"{SECRET}"', '"v99999999999999"', '"v7"\n'])
def test_a_tag_that_is_not_connects_is_refused_without_its_content(tag: str) -> None:
    with pytest.raises(wire.WireError) as told:
        wire.version_of(tag)
    assert SECRET not in str(told.value)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_whatever_somebody_writes_is_one_line_of_ascii_in_a_header(text: str) -> None:
    (value,) = wire.headers({"Justification": text}).values()
    assert value.isascii()
    assert value.isprintable()


def test_what_is_empty_is_not_sent() -> None:
    assert wire.headers({"User": "P1", "Need-To-Know": ""}) == {"X-Connect-User": "P1"}


WRONG = {
    "no JSON": SECRET.encode(),
    "a list": f'["{SECRET}"]'.encode(),
    "items that are none": f'{{"items":"{SECRET}"}}'.encode(),
    "an item that is none": f'{{"items":["{SECRET}"]}}'.encode(),
    "a token that is a number": b'{"next":7}',
}


@pytest.mark.parametrize("document", WRONG.values(), ids=WRONG)
def test_what_is_no_document_is_refused_without_its_content(document: bytes) -> None:
    for kind in (Changes, Page):
        with pytest.raises(wire.WireError) as told:
            wire.decode(kind, document)
        assert SECRET not in str(told.value)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_record_or_a_wire_error(data: bytes) -> None:
    for kind in (Changes, Page, Refused, dict):
        try:
            wire.decode(kind, data)
        except wire.WireError:
            continue
