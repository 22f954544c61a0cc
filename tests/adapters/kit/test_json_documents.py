"""JSON documents as records: what is written, what is passed over, and what is refused by its place and never by its content."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.json_documents import DocumentError, decode, encode, record

SECRET = "QUACKENBUSH"


@record
class Inner:
    """A record in another one."""

    two_words: str
    number: int = 0


@record
class Outer:
    """One field of each type."""

    name: str = ""
    flag: bool = False
    at: datetime | None = None
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    tree: dict[str, Any] | None = None


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INNER = st.builds(Inner, two_words=TEXT, number=st.integers(-(2**31), 2**31 - 1))
MOMENT = st.datetimes(timezones=st.just(UTC)).map(lambda one: one.replace(microsecond=0))
OUTER = st.builds(
    Outer,
    name=TEXT,
    flag=st.booleans(),
    at=st.none() | MOMENT,
    inner=st.none() | INNER,
    many=st.lists(INNER, max_size=3).map(tuple),
    tree=st.none() | st.dictionaries(TEXT, st.integers() | TEXT, max_size=3),
)


def test_names_are_in_camel_case_and_defaults_are_left_out() -> None:
    said = encode(Outer(name="£", many=(Inner(two_words="x"),), at=datetime(2026, 11, 20, 21, 15, tzinfo=UTC)))
    assert said == '{"name":"£","at":"2026-11-20T21:15:00Z","many":[{"twoWords":"x"}]}'.encode()


@given(OUTER)
def test_a_record_comes_back_as_it_went(one: Outer) -> None:
    assert decode(Outer, encode(one)) == one


def test_what_is_unknown_is_passed_over_and_nothing_is_a_default() -> None:
    assert decode(Outer, b'{"new":1,"name":null,"at":"2026-11-20T22:15:00+01:00"}') == Outer(at=datetime(2026, 11, 20, 21, 15, tzinfo=UTC))


WRONG = {
    "no JSON": f"{SECRET}".encode(),
    "no UTF-8": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "another type of document": f'["{SECRET}"]'.encode(),
    "another type": f'{{"flag":"{SECRET}"}}'.encode(),
    "a number for a truth": b'{"flag":1}',
    "a truth for a number": b'{"inner":{"twoWords":"","number":true}}',
    "a large number": b'{"inner":{"twoWords":"","number":99999999999999999999}}',
    "a fraction": b'{"inner":{"twoWords":"","number":1.5}}',
    "half a pair": rb'{"name":"\ud800"}',
    "no instant": f'{{"at":"{SECRET}"}}'.encode(),
    "an instant of nowhere": b'{"at":"2026-11-20T21:15:00"}',
    "no list": f'{{"many":"{SECRET}"}}'.encode(),
    "missing": f'{{"many":[{{"number":1}}],"name":"{SECRET}"}}'.encode(),
    "no object": f'{{"tree":["{SECRET}"]}}'.encode(),
}


@pytest.mark.parametrize("document", WRONG.values(), ids=WRONG)
def test_what_is_no_such_document_is_refused_without_its_content(document: bytes) -> None:
    with pytest.raises(DocumentError) as told:
        decode(Outer, document)
    assert SECRET not in str(told.value)


def test_a_problem_names_its_place() -> None:
    with pytest.raises(DocumentError, match=r"many\[1\]\.twoWords is missing"):
        decode(Outer, b'{"many":[{"twoWords":""},{}]}')


@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_a_problem(data: bytes) -> None:
    for kind in (Outer, dict):
        try:
            decode(kind, data)
        except DocumentError:
            continue


def test_half_a_surrogate_pair_is_not_sent() -> None:
    with pytest.raises(DocumentError):
        encode(Outer(name="\ud800"))


@pytest.mark.parametrize("number", [b"NaN", b"1e999", b"-Infinity"])
def test_what_json_has_no_number_for_is_not_sent(number: bytes) -> None:
    with pytest.raises(DocumentError) as told:
        encode(decode(dict, b'{"a": [' + number + b"]}"))
    assert str(told.value) == "a number is none that JSON has"


def test_a_record_shows_nothing_of_itself() -> None:
    assert SECRET not in repr(Outer(name=SECRET))
