"""Exports: what is written is read, and nothing else is ever read as a record."""

import hashlib
import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.custody import records
from adapters.custody.detentions import versions
from adapters.custody.wire import Damaged, Incomplete, decode, encode, number_of
from adapters.kit.population import Population

POPULATION = Population()
WHOLE = encode(versions(POPULATION, 1)[3])

texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=35)
codes = st.sampled_from(["", "A", "CHG", "?"])
instants = st.integers(5_000_000, 68_000_000).map(lambda minutes: datetime.fromtimestamp(60 * minutes, UTC))
numbers = st.integers(0, 999_999_999)
offences = st.builds(records.Offence, number=numbers, code=texts, recordable=st.booleans())
arrests = st.builds(records.Arrest, at=instants, place=texts, officer=texts, offences=st.lists(offences, max_size=3).map(tuple))
detainees = st.builds(
    records.Detainee,
    surname=texts,
    forenames=texts,
    sex=codes,
    born=st.none() | st.dates(),
    observed=numbers,
    self_defined=codes,
    height=numbers,
    pnc_id=texts,
)
maybe = st.none() | instants
known = st.builds(
    records.CustodyRecord,
    number=texts,
    version=numbers,
    status=codes,
    recorded=instants,
    suite=texts,
    suite_name=texts,
    arrived=instants,
    asn=texts,
    risk=codes,
    arrest=arrests,
    detainee=detainees,
    clock=st.none() | st.builds(records.Clock, relevant=maybe, authorised=maybe, expires=maybe, authority=codes),
    reviews=st.lists(st.builds(records.Review, due=instants, done=maybe, officer=texts, method=codes), max_size=3).map(tuple),
    disposals=st.lists(st.builds(records.Disposal, offence=numbers, code=texts, kind=codes, at=instants), max_size=3).map(tuple),
    release=st.none() | st.builds(records.Release, at=instants, kind=codes),
    footwear=st.none()
    | st.builds(records.Footwear, taken=st.booleans(), size=codes, make=texts, model=texts, pattern=texts, scan=codes, scanned=maybe),
)


@given(known)
@settings(max_examples=200, deadline=None)
def test_every_record_comes_back_as_it_was(record: records.CustodyRecord) -> None:
    assert decode(encode(record)) == record


@pytest.mark.parametrize("number", range(1, 25))
def test_the_records_of_the_population_come_back_as_they_were(number: int) -> None:
    for record in versions(POPULATION, number):
        assert decode(encode(record)) == record


def test_no_beginning_of_an_export_is_ever_a_record() -> None:
    whole = WHOLE.rstrip()
    for length in range(len(whole)):
        with pytest.raises(Incomplete):
            decode(whole[:length])


@given(st.integers(0, len(WHOLE) - 2), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_no_changed_byte_goes_unnoticed(place: int, change: int) -> None:
    changed = WHOLE[:place] + bytes([WHOLE[place] ^ change]) + WHOLE[place + 1 :]
    with pytest.raises((Damaged, Incomplete)):
        decode(changed)


def test_an_export_without_its_middle_is_damaged() -> None:
    with pytest.raises(Damaged, match="digest"):
        decode(WHOLE[:300] + WHOLE[400:])


def test_an_export_with_a_wrong_count_is_damaged() -> None:
    with pytest.raises(Damaged, match="count"):
        decode(re.sub(rb'Elements="[0-9]+"', b'Elements="1"', WHOLE))


def signed(body: bytes) -> bytes:
    """An export of these bytes with a trailer that fits."""
    head = b"<?xml version='1.0' encoding='ISO-8859-1'?>\n" + body
    count = len(re.findall(rb"<[A-Z]", body)) - 1
    return head + f'\n<Trailer Elements="{count}" Sha256="{hashlib.sha256(head).hexdigest()}"/></CustodyExport>'.encode()


PERSON = b'<Arrest At="01/11/2026 10:00 GMT"/><Detainee Surname="SMITH"/>'
START = (
    b'<CustodyRecord Number="SECRET" Version="1" Status="OPN" Recorded="01/11/2026 10:00 GMT" Suite="01ZD" Arrived="01/11/2026 10:00 GMT"'
)
UNREADABLE = {
    "format": (b'<CustodyExport Format="2">' + START + b">" + PERSON + b"</CustodyRecord>", "no export of format 1"),
    "missing": (b'<CustodyExport Format="1">' + START + b'><Detainee Surname="SMITH"/></CustodyRecord>', "CustodyRecord/Arrest is missing"),
    "twice": (b'<CustodyExport Format="1">' + START + b">" + PERSON + b"<Detainee/></CustodyRecord>", "Detainee is there more than once"),
    "number": (
        b'<CustodyExport Format="1">' + START.replace(b'Version="1"', b'Version="SMITH"') + b">" + PERSON + b"</CustodyRecord>",
        "CustodyRecord/Version can't be read",
    ),
    "time": (
        b'<CustodyExport Format="1">' + START.replace(b"GMT", b"SMITH") + b">" + PERSON + b"</CustodyRecord>",
        "CustodyRecord/Recorded can't be read",
    ),
    "no XML": (b'<CustodyExport Format="1">' + START + b">" + PERSON, "not well-formed"),
    "entity": (b'<!DOCTYPE a [<!ENTITY b "c">]><CustodyExport Format="1">' + START + b">" + PERSON + b"</CustodyRecord>", "document type"),
}


@pytest.mark.parametrize(("body", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_whole_and_unreadable_is_damaged_and_the_words_repeat_none_of_it(body: bytes, words: str) -> None:
    with pytest.raises(Damaged, match=words) as raised:
        decode(signed(body))
    assert "SMITH" not in str(raised.value)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "25/10/2026 01:30 BST"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "25/10/2026 01:30 GMT"),
        (datetime(2026, 7, 1, 23, 30, tzinfo=UTC), "02/07/2026 00:30 BST"),
        (datetime(1600, 2, 11, 3, 21, tzinfo=UTC), "11/02/1600 03:21 GMT"),
        (datetime(1943, 7, 1, 12, tzinfo=UTC), "01/07/1943 12:00 GMT"),
        (datetime(26, 7, 1, 12, tzinfo=UTC), "01/07/0026 12:00 GMT"),
    ],
    ids=["first of two", "second of two", "summer midnight", "before there was a clock", "double summer time", "three figures"],
)
def test_no_hour_is_ambiguous_when_the_clocks_go_back(at: datetime, written: str) -> None:
    record = versions(POPULATION, 1)[0]
    record = records.CustodyRecord(**{**record.__dict__, "arrived": at})
    assert f'Arrived="{written}"'.encode() in encode(record)
    assert decode(encode(record)).arrived == at


def test_a_birthday_on_a_leap_day_and_a_name_in_latin_1_and_beyond_come_back() -> None:
    record = versions(POPULATION, 1)[0]
    detainee = records.Detainee(surname="Ó'ŁUKASZ-PEÑA", born=date(2000, 2, 29))
    record = records.CustodyRecord(**{**record.__dict__, "detainee": detainee})
    assert "Ó'&#321;UKASZ-PEÑA".encode("latin-1") in encode(record)
    assert decode(encode(record)).detainee == detainee


def test_the_number_is_read_from_a_beginning() -> None:
    assert number_of(WHOLE[:200]) == decode(WHOLE).number
    assert number_of(WHOLE[:60]) == ""
