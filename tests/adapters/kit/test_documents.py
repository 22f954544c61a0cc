"""Documents in a namespace: named after their records, with one element kept as it is."""

from typing import Any

import pytest

from adapters.kit.documents import Documents, Record, WireError
from adapters.kit.elements import PLAIN


class Line(Record):
    """Something inside."""

    text: str


class Page(Record):
    """A document that keeps an element."""

    number: int
    lines: tuple[Line, ...] = ()
    aside: str = ""


class Slip(Record):
    """One that does not."""

    text: str


DOCUMENTS = Documents("urn:x:pages", (Page, Slip), PLAIN, kept="Aside", longest=80)
NS = 'xmlns="urn:x:pages"'


def decoded(text: str) -> Any:
    """The record of a document."""
    return DOCUMENTS.decode(text.encode())


@pytest.mark.parametrize("record", [Page(number=1, lines=(Line(text="a"), Line(text="b\n<"))), Slip(text="é")], ids=repr)
def test_a_record_comes_back(record: Record) -> None:
    data = DOCUMENTS.encode(record)
    assert f"<{type(record).__name__} {NS}".encode() in data
    assert DOCUMENTS.decode(data) == record


def test_any_prefix_will_do_and_other_namespaces_are_passed_over() -> None:
    text = '<p:Page xmlns:p="urn:x:pages" Number="1"><p:Line Text="a"/><Line Text="b"/><o:Line xmlns:o="urn:o" Text="c"/></p:Page>'
    assert decoded(text) == Page(number=1, lines=(Line(text="a"),))


def test_what_is_kept_comes_back_and_is_read_by_nobody() -> None:
    page = decoded(f'<Page {NS} Number="1"><Aside><Line Text="no"/></Aside></Page>')
    assert page.lines == ()
    assert DOCUMENTS.decode(DOCUMENTS.encode(page)) == page


def test_what_is_kept_is_bounded() -> None:
    with pytest.raises(WireError, match="Aside is longer than 80"):
        decoded(f'<Page {NS} Number="1"><Aside>{"x" * 80}</Aside></Page>')


def test_a_kind_that_keeps_nothing_passes_it_over() -> None:
    assert decoded(f'<Slip {NS} Text="a"><Aside/></Slip>') == Slip(text="a")


@pytest.mark.parametrize(
    "aside", ["<Other/>", f"<Other {NS}/>", "x", f"<!DOCTYPE a><Aside {NS}/>"], ids=["no namespace", "other", "no XML", "a type"]
)
def test_what_was_kept_and_is_no_such_element_is_no_document(aside: str) -> None:
    with pytest.raises(WireError):
        DOCUMENTS.encode(Page(number=1, aside=aside))


@pytest.mark.parametrize(
    "text",
    ["", f"<Book {NS}/>", '<Page Number="1"/>', f"<Page {NS}/>", f'<Page {NS} Number="x"/>'],
    ids=["none", "kind", "namespace", "less", "no number"],
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        decoded(text)


def test_a_character_that_xml_lacks_is_no_document() -> None:
    with pytest.raises(WireError) as told:
        DOCUMENTS.encode(Slip(text="secret\0"))
    assert "secret" not in str(told.value)
