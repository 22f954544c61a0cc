"""CSV with manifests: what is written is read, nothing is read before it is whole, and no bytes do any harm."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.tables import Damaged, Incomplete, Manifest, Rejection, check, decode, decode_all, encode, manifest_of, read_manifest


@dataclass(frozen=True, kw_only=True)
class Row:
    """One of each type."""

    name: str
    count: int
    day: date | None = None
    note: str = ""
    much: int | None = None
    said: bool = False


GOLDEN = Row(name="O'Hara, 29", count=3, day=date(2024, 2, 29), note='said "no"\nand left', said=True)
GOLDEN_BYTES = b'name,count,day,note,much,said\r\n"O\'Hara, 29",3,2024-02-29,"said ""no""\nand left",,Y\r\n'
AT = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
rows = st.builds(
    Row,
    name=texts.filter(bool),
    count=st.integers(0, 999_999_999),
    day=st.none() | st.dates(),
    note=texts,
    much=st.none() | st.integers(0, 999_999_999),
    said=st.booleans(),
)


def test_the_golden_row_is_these_bytes() -> None:
    assert encode([GOLDEN], Row) == GOLDEN_BYTES
    assert decode_all(GOLDEN_BYTES, Row) == [GOLDEN]


@given(st.lists(rows, max_size=5))
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_read(written: list[Row]) -> None:
    data = encode(written, Row)
    assert decode_all(data, Row) == written
    check(read_manifest(manifest_of("a.csv", data, rows=len(written), schema="2", code_set="x", created=AT), "a.csv", "2"), data)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: GOLDEN_BYTES + tail))
@settings(max_examples=300, deadline=None)
def test_no_bytes_do_any_harm(data: bytes) -> None:
    try:
        good, bad = decode(data, Row)
    except Damaged:
        return
    assert sorted([*good, *(one.row for one in bad)]) == list(range(1, len(good) + len(bad) + 1))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_bytes_are_a_manifest_by_accident(data: bytes) -> None:
    with pytest.raises((Damaged, Incomplete)):
        read_manifest(data, "a.csv", "2")


@pytest.mark.parametrize(
    ("line", "rejection"),
    [
        (b",3,,,,", Rejection(row=1, column="name", code="MISSING")),
        (b"a,three,,,,", Rejection(row=1, column="count", code="FORMAT")),
        (b"a,-3,,,,", Rejection(row=1, column="count", code="FORMAT")),
        (b"a,3,2026-02-29,,,", Rejection(row=1, column="day", code="FORMAT")),
        (b"a,3,01/11/2026,,,", Rejection(row=1, column="day", code="FORMAT")),
        (b"a,3,,,,maybe", Rejection(row=1, column="said", code="FORMAT")),
        (b"a,3,,,", Rejection(row=1, code="COLUMNS")),
        (b"", Rejection(row=1, code="COLUMNS")),
    ],
    ids=["missing", "no number", "negative", "no such day", "another form of date", "neither", "too few", "blank line"],
)
def test_a_row_that_cant_be_read_takes_no_other_with_it(line: bytes, rejection: Rejection) -> None:
    data = b"name,count,day,note,much,said\r\n" + line + b"\r\nb,4,,,,\r\n"
    assert decode(data, Row) == ({2: Row(name="b", count=4)}, [rejection])
    with pytest.raises(Damaged, match="ROWS_UNREADABLE"):
        decode_all(data, Row)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "HEADER"), (b"name,count\r\n", "HEADER"), (b"\xff\xfe", "UNREADABLE"), (b'name,"count', "UNREADABLE")],
    ids=["nothing", "other columns", "no UTF-8", "a quotation without its end"],
)
def test_a_file_of_something_else_is_damaged(data: bytes, code: str) -> None:
    with pytest.raises(Damaged, match=code):
        decode(data, Row)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert decode_all(b"\xef\xbb\xbf" + GOLDEN_BYTES, Row) == [GOLDEN]


@pytest.mark.parametrize("end", range(len(GOLDEN_BYTES)))
def test_a_file_without_its_end_is_never_taken_for_whole(end: int) -> None:
    told = read_manifest(manifest_of("a.csv", GOLDEN_BYTES, rows=1, schema="2", code_set="x", created=AT), "a.csv", "2")
    with pytest.raises(Incomplete):
        check(told, GOLDEN_BYTES[:end])


WHOLE = Manifest(file="a.csv", rows=1, sha256="0" * 64, schema="2", code_set="x", created=AT)


@pytest.mark.parametrize(
    ("told", "code"),
    [(replace(WHOLE, file="b.csv"), "FILE_NAME"), (replace(WHOLE, schema="3"), "SCHEMA_UNKNOWN")],
    ids=["of another file", "of another schema"],
)
def test_a_manifest_that_will_never_do_is_damaged(told: Manifest, code: str) -> None:
    with pytest.raises(Damaged, match=code):
        read_manifest(encode([told], Manifest), "a.csv", "2")


def test_a_manifest_with_two_rows_is_none() -> None:
    with pytest.raises(Damaged, match="MANIFEST"):
        read_manifest(encode([WHOLE, WHOLE], Manifest), "a.csv", "2")


def test_a_manifest_without_its_end_may_still_come() -> None:
    with pytest.raises(Incomplete):
        read_manifest(encode([WHOLE], Manifest)[:-1], "a.csv", "2")


def test_a_count_that_does_not_fit_is_damaged_for_good() -> None:
    told = read_manifest(manifest_of("a.csv", GOLDEN_BYTES, rows=2, schema="2", code_set="x", created=AT), "a.csv", "2")
    with pytest.raises(Damaged, match="ROW_COUNT"):
        check(told, GOLDEN_BYTES)
