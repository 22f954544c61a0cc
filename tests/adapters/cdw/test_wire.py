"""Rows and statements: what a digest says, what becomes null, and that places and parameters agree."""

import dataclasses
import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cdw import schema, wire
from adapters.cdw.records import Disposal, Issue, Load, Offence, Review, Version

AT = datetime(2026, 11, 20, 21, 15, tzinfo=UTC)
WORDS = st.text(max_size=12)
FIRST, LAST = (datetime.fromisoformat(f"{year}-01-01") for year in (1990, 2090))
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
MAYBE = st.none() | INSTANTS
OFFENCES = st.builds(Offence, number=st.integers(1, 999), cjs_code=WORDS, recordable=st.booleans())
DISPOSALS = st.builds(Disposal, offence_number=st.integers(1, 999), cjs_code=WORDS, kind=WORDS, decided_at=INSTANTS)
REVIEWS = st.builds(Review, due_at=INSTANTS, done_at=MAYBE, officer=WORDS, method=WORDS)
VERSIONS = st.builds(
    Version,
    custody_number=WORDS,
    version=st.integers(1, 2**32 - 1),
    business_date=st.dates(),
    status=WORDS,
    recorded_at=INSTANTS,
    suite=WORDS,
    suite_name=WORDS,
    arrived_at=INSTANTS,
    arrested_at=INSTANTS,
    family_name=WORDS,
    birth_year=st.none() | st.integers(1900, 2026),
    released_at=MAYBE,
    footwear_taken=st.none() | st.booleans(),
    offences=st.lists(OFFENCES, max_size=3).map(tuple),
    disposals=st.lists(DISPOSALS, max_size=3).map(tuple),
    reviews=st.lists(REVIEWS, max_size=3).map(tuple),
)


def version(**more: Any) -> Version:
    """A version with the least that one has."""
    least: dict[str, Any] = {"status": "O", "suite": "01ZD", "business_date": date(2026, 11, 20)}
    instants = {"recorded_at": AT, "arrived_at": AT, "arrested_at": AT}
    return Version(**{"custody_number": "01ZD/1/26", "version": 1, **least, **instants, **more})


@given(VERSIONS, VERSIONS)
def test_equal_versions_and_no_others_have_the_same_digest(one: Version, other: Version) -> None:
    assert wire.digest(one) == wire.digest(dataclasses.replace(one))
    assert (wire.digest(one) == wire.digest(other)) == (one == other)


CHANGES: list[dict[str, Any]] = [
    {"family_name": "A"},
    {"given_names": "A"},
    {"birth_year": 1},
    {"birth_month": 1},
    {"footwear_taken": False},
    {"footwear_taken": True},
    {"risk": 1},
    {"released_at": AT},
    {"offences": (Offence(number=1, cjs_code="A", recordable=True),)},
    {"offences": (Offence(number=1, cjs_code="A", recordable=False),)},
    {"reviews": (Review(due_at=AT),)},
    {"reviews": (Review(due_at=AT, done_at=AT),)},
    {"version": 2},
]


def test_no_two_changes_look_alike() -> None:
    digests = {wire.digest(version(**change)) for change in ({}, *CHANGES)}
    assert len(digests) == len(CHANGES) + 1


def test_what_says_nothing_about_the_record_is_in_no_digest() -> None:
    plain = version()
    for change in ({"message_id": "0" * 32}, {"issues": (Issue("suite", "PLAYED"),)}):
        assert wire.digest(dataclasses.replace(plain, **change)) == wire.digest(plain)


def test_an_instant_is_the_same_in_every_zone() -> None:
    other = AT.astimezone(timezone(timedelta(hours=1)))
    assert wire.digest(version(recorded_at=other)) == wire.digest(version())


def test_the_digest_of_a_row_is_what_it_was_when_rows_were_first_loaded() -> None:
    """Digests are kept for years and compared with those of a source: how they are made never changes."""
    full = version(
        family_name="Testcase",
        birth_year=1990,
        footwear_taken=True,
        offences=(Offence(number=1, cjs_code="TH68023", recordable=True),),
        reviews=(Review(due_at=AT, officer="P1"),),
    )
    assert wire.digest(full).hex() == "7884532ef43e633fd6bf32a3a2e82429a1298e874373e3f7452dae4b1f97988e"


@given(VERSIONS)
def test_absent_values_are_null_and_no_parameter_is_an_empty_text(one: Version) -> None:
    parameters = wire.version_parameters(one)
    assert "" not in parameters
    assert len(parameters) == len(wire.COLUMNS) + 1


STATEMENTS = [
    (wire.KEEP_VERSION, len(wire.COLUMNS) + 1),
    (wire.KEEP_OFFENCE, 5),
    (wire.KEEP_DISPOSAL, 6),
    (wire.KEEP_REVIEW, 6),
    (wire.KEEP_ISSUE, 4),
    (wire.KEPT_DIGESTS, 2),
    (wire.MAKE_CURRENT, 2),
    (wire.COUNT_LOAD, 1),
]


@pytest.mark.parametrize(("statement", "places"), STATEMENTS, ids=range(len(STATEMENTS)))
def test_a_statement_has_a_place_for_each_parameter(statement: str, places: int) -> None:
    assert {int(place) for place in re.findall(r"\$([0-9]+)", statement)} == set(range(1, places + 1))


def test_parts_go_with_the_key_of_their_version() -> None:
    one = version(
        offences=(Offence(number=1, cjs_code="A", recordable=True), Offence(number=2, cjs_code="B", recordable=False)),
        disposals=(Disposal(offence_number=1, cjs_code="A", kind="NFA", decided_at=AT),),
        reviews=(Review(due_at=AT),),
        issues=(Issue("suite", "PLAYED"),),
    )
    other = version(version=2)
    assert wire.offence_parameters([one, other]) == [("01ZD/1/26", 1, 1, "A", True), ("01ZD/1/26", 1, 2, "B", False)]
    assert wire.disposal_parameters([other, one]) == [("01ZD/1/26", 1, 1, "A", "NFA", AT)]
    assert wire.review_parameters([one]) == [("01ZD/1/26", 1, AT, None, None, None)]
    assert wire.issue_parameters([one]) == [("01ZD/1/26", 1, "suite", "PLAYED")]
    assert wire.keys([one, other]) == (["01ZD/1/26", "01ZD/1/26"], [1, 2])


@given(VERSIONS)
def test_a_storable_version_has_no_character_that_cannot_be_stored_and_is_stable(one: Version) -> None:
    stored = wire.storable(one)
    assert not any("\0" in str(value) for value in wire.version_parameters(stored))
    assert wire.storable(stored) == stored


def test_a_load_is_read_from_its_row() -> None:
    assert wire.load_of([2, 3, AT, "ab", 1]) == Load(records=2, versions=3, sha256="ab", issues=1, as_at=AT)


def test_steps_are_numbered_without_a_gap_and_those_taken_are_left_out() -> None:
    assert sorted(schema.STEPS) == list(range(1, schema.LATEST + 1))
    assert schema.missing(schema.LATEST) == ()
    assert [number for number, _ in schema.missing(0)] == sorted(schema.STEPS)


def test_no_record_shows_its_content() -> None:
    one = version(family_name="Quackenbush", offences=(Offence(number=1, cjs_code="TH68023", recordable=True),))
    assert "Quackenbush" not in repr(one)
    assert "TH68023" not in repr(one.offences)
