"""Batches and acknowledgements: what is written is read, and nothing that is cut or changed is."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.traffic_offences import records
from adapters.traffic_offences.wire import (
    Damaged,
    Incomplete,
    check,
    decode_acknowledgement,
    decode_batch,
    encode_acknowledgement,
    encode_batch,
    references,
)

texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=20)
numbers = st.integers(0, 999_999_999)
addresses = st.builds(
    records.Address,
    postcode=texts,
    premises=st.none() | st.builds(records.Premises, secondary=texts, primary=texts, street=texts, locality=texts, town=texts, uprn=texts),
    lines=st.lists(st.builds(records.Line, text=texts), max_size=5).map(tuple),
)
offences = st.builds(
    records.Offence,
    reference=texts,
    notice=texts,
    kind=texts,
    code=texts,
    at=texts,
    place=texts,
    street=numbers,
    mark=texts,
    make=texts,
    officer=texts,
    points=numbers,
    penalty=texts,
    speed=st.none() | st.builds(records.Speed, measured=numbers, limit=numbers, device=texts, calibrated=texts),
    driver=st.none() | st.builds(records.Driver, surname=texts, forenames=texts, born=texts, number=texts, address=st.none() | addresses),
    evidence=st.lists(st.builds(records.Evidence, reference=texts), max_size=3).map(tuple),
)
batches = st.builds(
    records.Batch,
    header=st.builds(records.Header, sender=texts, batch=texts, created=texts),
    offences=st.lists(offences, max_size=4).map(tuple),
)
acknowledgements = st.builds(
    records.Acknowledgement,
    verdict=st.builds(records.Verdict, batch=texts, outcome=texts, code=texts),
    results=st.lists(st.builds(records.Result, reference=texts, outcome=texts, code=texts), max_size=4).map(tuple),
)


def offence(number: int) -> records.Offence:
    return records.Offence(
        reference=f"0197c1d2-0000-7000-8000-{number:012d}",
        notice=f"{number:016d}",
        kind="COF",
        code="RT84001",
        at="2026-11-01T10:00:00Z",
        place="Purley Way — northbound",
        mark="AB01ABC",
        driver=records.Driver(surname="O'VERZANDLE"),
    )


HEADER = records.Header(sender="MPS", batch="1", created="2026-11-01T10:00:00Z")
WHOLE = encode_batch(records.Batch(header=HEADER, offences=(offence(1), offence(2))))
ACKNOWLEDGED = encode_acknowledgement(
    records.Acknowledgement(verdict=records.Verdict(batch="a.xml", outcome="A"), results=(records.Result(reference="1", outcome="R"),))
)


@given(batches)
@settings(max_examples=150, deadline=None)
def test_every_batch_comes_back_as_it_was(batch: records.Batch) -> None:
    assert decode_batch(encode_batch(batch)) == batch


@given(acknowledgements)
@settings(max_examples=150, deadline=None)
def test_every_acknowledgement_comes_back_as_it_was(acknowledgement: records.Acknowledgement) -> None:
    assert decode_acknowledgement(encode_acknowledgement(acknowledgement)) == acknowledgement


def test_no_beginning_of_a_file_is_ever_read() -> None:
    for whole, decode in ((WHOLE.rstrip(), decode_batch), (ACKNOWLEDGED.rstrip(), decode_acknowledgement)):
        for length in range(len(whole)):
            with pytest.raises(Incomplete):
                decode(whole[:length])


@given(st.integers(0, len(WHOLE) - 2), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_no_changed_byte_goes_unnoticed(place: int, change: int) -> None:
    changed = WHOLE[:place] + bytes([WHOLE[place] ^ change]) + WHOLE[place + 1 :]
    with pytest.raises((Damaged, Incomplete)):
        decode_batch(changed)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_count_is_noticed(count: int) -> None:
    with pytest.raises(Damaged, match="count"):
        decode_batch(re.sub(rb'Records="2"', f'Records="{count}"'.encode(), WHOLE))


def test_a_batch_is_no_acknowledgement() -> None:
    with pytest.raises(Damaged, match="no Acknowledgement"):
        decode_acknowledgement(WHOLE)


def test_references_are_found_in_what_is_left_of_a_batch() -> None:
    assert references(WHOLE) == (offence(1).reference, offence(2).reference)
    assert references(WHOLE[: len(WHOLE) * 2 // 3]) == (offence(1).reference, offence(2).reference)
    assert references(WHOLE[:300]) == (offence(1).reference,)
    assert references(b"nothing") == ()


def test_a_character_that_xml_lacks_is_found_before_it_is_in_a_batch() -> None:
    check(offence(1))
    with pytest.raises(ValueError, match="XML"):
        check(records.Offence(**{**offence(1).__dict__, "place": "Purley\x00Way"}))
