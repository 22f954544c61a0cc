"""Searching: by identifier through the blind index, by what is in clear, newest first, page by page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from gathered import CONSUMER, OPERATION, START, Gathered
from google.protobuf.timestamp_pb2 import Timestamp

from hub.ledger import questions, searching
from hub.ledger.index import link_of
from hub.ledger.postgres.connecting import Server
from hub.ledger.questions import QuestionError
from metip.journal.blinding import name_and_birth
from metip.journal.keys import add_index_key
from metip.ledger.v1 import query_pb2, record_pb2

OTHER = "metip.example.v1.OtherService/FindExample"


@pytest.fixture
def estate(tmp_path: Path, server: Server | None) -> Iterator[Gathered]:
    """A ledger of ten calls, a second apart, from two journals."""
    found = Gathered(tmp_path, server)
    born = name_and_birth("O'Neill", "Zoë", __import__("datetime").date(1990, 1, 31))
    found.write(
        [
            found.draft(("vrm", "AB12CDE"), at=0, call_id="call-0"),
            found.draft(("vrm", "AB12CDE"), ("custody_number", "01ZD/1234/21"), at=2, purpose=1),
            found.draft(("vrm", "XY34ZZZ"), at=4, officer="200002YY", outcome="NO_TRACE"),
            found.draft(("name_and_birth", born), at=6, consumer="spiffe://metip.local/consumer/portal"),
            found.draft(at=8, reference="0123456/26", kind=record_pb2.KIND_REFUSAL, outcome="RESTRICTED"),
        ],
        "example-0",
    )
    found.write([found.draft(("vrm", "AB12CDE"), at=one, operation=OTHER) for one in (1, 3, 5, 7, 9)], "other-0")
    found.gather()
    yield found
    found.close()


def seconds(estate: Gathered, query: query_pb2.Query, limit: int = 100) -> list[int]:
    """When the records that a query finds were written, in the order of the answer."""
    wanted, after, found = questions.wanted(query, estate.keys), searching.LATEST, []
    while page := estate.find(wanted, limit, after):
        found += page
        after = searching.read(searching.written(page[-1]))
    return [round(at / 1000 - START.timestamp()) for at, _ in found]


def subject(kind: str, value: str, **more: Any) -> query_pb2.Query:
    """A question about somebody."""
    return query_pb2.Query(subjects=[query_pb2.Identifier(kind=kind, value=value)], **more)


def at(second: float) -> Timestamp:
    """So many seconds after the beginning."""
    found = Timestamp()
    found.FromMilliseconds(round((START.timestamp() + second) * 1000))
    return found


def during(first: float, end: float) -> query_pb2.Query:
    """A question about a time."""
    found = query_pb2.Query(before=at(end))
    getattr(found, "from").CopyFrom(at(first))
    return found


FOUND: dict[str, tuple[query_pb2.Query, list[int]]] = {
    "everything, newest first over all journals": (query_pb2.Query(), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
    "a vehicle": (subject("vrm", "AB12CDE"), [9, 7, 5, 3, 2, 1, 0]),
    "a vehicle as people write it": (subject("vrm", " ab12 cde"), [9, 7, 5, 3, 2, 1, 0]),
    "a custody number with its zeros": (subject("custody_number", "01zd/001234/21"), [2]),
    "a name and a date of birth, accents aside": (subject("name_and_birth", "ONEILL|zoe|1990-01-31"), [6]),
    "a name and another date of birth": (subject("name_and_birth", "ONEILL|zoe|1990-02-01"), []),
    "any of two vehicles": (
        query_pb2.Query(subjects=[query_pb2.Identifier(kind="vrm", value="AB12CDE"), query_pb2.Identifier(kind="vrm", value="XY34ZZZ")]),
        [9, 7, 5, 4, 3, 2, 1, 0],
    ),
    "an identifier under another kind": (subject("vin", "WVWZZZ1JZXW000001"), []),
    "a subject and an operation": (subject("vrm", "AB12CDE", operation=OPERATION), [2, 0]),
    "a subject and a purpose": (subject("vrm", "AB12CDE", purpose=1), [2]),
    "a subject and an officer": (subject("vrm", "XY34ZZZ", officer="200002yy"), [4]),
    "a subject and another officer": (subject("vrm", "XY34ZZZ", officer="100001XX"), []),
    "a subject in a time": (subject("vrm", "AB12CDE", **{"from": at(2)}, before=at(7)), [5, 3, 2]),
    "an officer": (query_pb2.Query(officer="200002YY"), [4]),
    "a reference": (query_pb2.Query(reference="0123456/26"), [8]),
    "an operation": (query_pb2.Query(operation=OTHER), [9, 7, 5, 3, 1]),
    "all of an interface": (query_pb2.Query(operation="metip.example.v1.ExampleService/*"), [8, 6, 4, 2, 0]),
    "an operation that there is not": (query_pb2.Query(operation="metip.example.v1.ExampleService/Get"), []),
    "a consumer": (query_pb2.Query(consumer="spiffe://metip.local/consumer/portal"), [6]),
    "a consumer and an outcome": (query_pb2.Query(consumer=CONSUMER, outcome="NO_TRACE"), [4]),
    "an outcome": (query_pb2.Query(outcome="RESTRICTED"), [8]),
    "refusals": (query_pb2.Query(kind=record_pb2.KIND_REFUSAL), [8]),
    "a call": (query_pb2.Query(call_id="call-0"), [0]),
    "a time": (during(3, 5), [4, 3]),
    "a unit": (query_pb2.Query(force="01", unit="CO10", outcome="NO_TRACE"), [4]),
    "a unit that there is not": (query_pb2.Query(unit="XX99"), []),
}


@pytest.mark.parametrize(("query", "expected"), FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("limit", [100, 2, 1])
def test_a_query_finds_what_it_says_however_small_the_page(
    estate: Gathered, query: query_pb2.Query, expected: list[int], limit: int
) -> None:
    assert seconds(estate, query, limit) == expected


def test_records_of_one_instant_are_each_found_once(estate: Gathered) -> None:
    estate.write([estate.draft(("vrm", "GV10PPP"), at=50) for _ in range(7)], "example-0")
    estate.gather()
    assert seconds(estate, subject("vrm", "GV10PPP"), 3) == [50] * 7


def test_records_under_older_index_keys_are_still_found(estate: Gathered) -> None:
    add_index_key(estate.keys_folder / "index")
    estate.keys = type(estate.keys)(estate.keys_folder / "index")
    estate.write([estate.draft(("vrm", "AB12CDE"), at=20)], "example-0")
    estate.gather()
    assert seconds(estate, subject("vrm", "AB12CDE")) == [20, 9, 7, 5, 3, 2, 1, 0]


REFUSED = {
    "no such kind": ("shoe_size", "10", "no identifier of the kind shoe_size"),
    "no vehicle": ("vrm", "not a plate!", "the vrm"),
    "no three parts": ("name_and_birth", "SMITH 1990-01-31", "SURNAME|FORENAME|YYYY-MM-DD"),
    "no date": ("name_and_birth", "SMITH|JOHN|31/01/1990", "no date"),
}


@pytest.mark.parametrize(("kind", "value", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_identifier_is_refused_without_repeating_it(estate: Gathered, kind: str, value: str, words: str) -> None:
    with pytest.raises(QuestionError, match=re.escape(words)) as refusal:
        questions.wanted(subject(kind, value), estate.keys)
    assert value not in str(refusal.value)


def test_what_is_said_of_a_question_holds_nothing_personal() -> None:
    said = questions.described(subject("vrm", "AB12CDE", officer="100001XX", reference="1234/23NOV26", operation=OTHER, purpose=4))
    assert said == f"subject by vrm, by officer, by reference, operation {OTHER}, purpose 4"


@pytest.mark.parametrize("engines", ["sqlite"], indirect=True)
def test_no_query_holds_an_identifier_in_clear(estate: Gathered) -> None:
    db = apsw.Connection(str(estate.path), flags=apsw.SQLITE_OPEN_READONLY)
    said: list[str] = []
    db.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: said.append(repr(event)))
    query = subject("vrm", "AB12CDE", officer="100001XX", reference="1234/23NOV26")
    assert searching.find(db, questions.wanted(query, estate.keys), 10)
    db.close()
    assert said
    assert not [one for one in said if "AB12CDE" in one or "100001XX" in one or "1234/23NOV26" in one]


@pytest.mark.parametrize("token", ["x", "1-", "-1", "1-2-3", "1.5-2"])
def test_a_page_token_of_nobody_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="page token"):
        searching.read(token)


PLANNED = {
    "subject": subject("vrm", "AB12CDE", outcome="OK"),
    "operation": query_pb2.Query(operation=OTHER),
    "consumer": query_pb2.Query(consumer=CONSUMER),
    "outcome": query_pb2.Query(outcome="OK"),
    "call": query_pb2.Query(call_id="call-0"),
    "time": during(3, 5),
}


@pytest.mark.parametrize("engines", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", PLANNED.values(), ids=PLANNED)
def test_no_page_scans_a_table_or_sorts_it(estate: Gathered, query: query_pb2.Query) -> None:
    db = apsw.Connection(str(estate.path), flags=apsw.SQLITE_OPEN_READONLY)
    statements: list[str] = []
    db.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: statements.append(event["sql"]))
    searching.find(db, questions.wanted(query, estate.keys), 2)
    db.trace_v2(0, None)
    paged = [one for one in statements if "ORDER BY" in one]
    assert paged
    for one in paged:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {one}", (b"",) * one.count("?"))]
        assert not [step for step in plan if "TEMP B-TREE" in step or step.startswith("SCAN")], plan
    db.close()


def test_records_are_found_by_the_trace_and_the_message_that_they_belong_to(estate: Gathered) -> None:
    trace, message = "4bf92f3577b34da6a3ce929d0e0e4736", "645d2bfb-4054-82dc-8000-000000000004"
    call = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
    drafts = [estate.draft(at=one, call_id=call) for one in (20, 21, 22, 23)]
    drafts[0].record.trace_id = trace
    drafts[1].record.trace_id, drafts[1].record.message_id = trace, message
    drafts[2].record.message_id = message
    drafts[3].record.trace_id = call.replace("-", "")  # its own: found by the call id, and kept once
    estate.write(drafts, "traced-0")
    estate.gather()

    def found(**wanted: Any) -> list[int]:
        return [round(at / 1000 - START.timestamp()) for at, _ in estate.find(searching.Wanted(**wanted), 10)]

    assert found(linked=(link_of(trace),)) == [21, 20]
    assert found(linked=(link_of(message),)) == [22, 21]
    assert found(linked=(link_of(trace), link_of(message))) == [22, 21, 20]
    assert found(linked=(link_of(trace),), since=int((START.timestamp() + 21) * 1000)) == [21]
    assert found(call_id=call) == [23, 22, 21, 20]
    assert found(linked=(link_of(call),)) == found(linked=(b"x" * 16,)) == []
    assert [link_of(one) for one in ("", "abc", "zz" * 16)] == [b""] * 3
    assert found(linked=(link_of(trace),), outcome="OK") == [21, 20]


def test_a_ledger_from_before_traces_were_indexed_is_opened_and_finds_what_comes_after(estate: Gathered) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    estate.store.change(lambda db: db.execute("DROP TABLE links"))
    estate.close()
    estate.open()
    draft = estate.draft(at=30, call_id="6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
    draft.record.trace_id = trace
    estate.write([draft], "later-0")
    estate.gather()
    assert len(estate.find(searching.Wanted(linked=(link_of(trace),)), 10)) == 1
    assert len(estate.find(searching.Wanted(), 100)) > 10
