"""The database's documents: every record comes back, and what is none is refused without its content."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.footwear import wire
from adapters.footwear.records import (
    Answer,
    Asker,
    Done,
    Fetch,
    Found,
    Impression,
    Question,
    Refused,
    Search,
    Shoe,
    Submit,
    Withdraw,
)

AT = datetime(2026, 11, 20, 22, 5, tzinfo=UTC)
# What XML can carry, and what attributes keep as it is: no tabs, no ends of lines.
WORDS = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=15)
NEEDED = WORDS.filter(bool)
FIRST, LAST = datetime(1, 1, 1), datetime(9999, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0))
NUMBERS = st.integers(0, 2**32 - 1)
SHOES = st.builds(Shoe, pattern=WORDS, size=WORDS, make=WORDS, model=WORDS)


@st.composite
def impressions(draw: st.DrawFn) -> Impression:
    """An impression, scanned or not."""
    scanned = draw(st.booleans())
    return Impression(
        reference=draw(NEEDED),
        version=draw(NUMBERS),
        station=draw(WORDS),
        offences=tuple(draw(st.lists(NEEDED, max_size=3))),
        shoe=draw(SHOES),
        scan=draw(NEEDED) if scanned else "",
        scanned_at=draw(st.none() | INSTANTS) if scanned else None,
        status=draw(WORDS),
    )


ASKERS = st.builds(Asker, user=WORDS, force=WORDS, reason=WORDS, reference=WORDS, justification=WORDS)
RECORDS: st.SearchStrategy[Question | Answer] = st.one_of(
    st.builds(Submit, impression=impressions()),
    st.builds(Withdraw, reference=NEEDED, version=NUMBERS),
    st.builds(Search, asker=ASKERS, pattern=WORDS, size=WORDS, make=WORDS, most=NUMBERS),
    st.builds(Fetch, asker=ASKERS, reference=NEEDED),
    st.builds(Done, version=NUMBERS, status=WORDS),
    st.builds(Found, as_at=INSTANTS, more=st.booleans(), impressions=st.lists(impressions(), max_size=3).map(tuple)),
    st.builds(Refused, code=NEEDED, words=WORDS),
)


@given(RECORDS)
def test_every_record_comes_back(record: Question | Answer) -> None:
    assert wire.decode(wire.encode(record)) == record


def test_a_document_is_as_the_database_has_it() -> None:
    shoe = Shoe(pattern="ZBC0173", size="095", make="NIKE", model="AIR FORCE 1")
    one = Impression(
        reference="01ZD00123426", version=3, station="01ZD", offences=("TH68023",), shoe=shoe, scan="R", scanned_at=AT, status="C"
    )
    assert wire.encode(Submit(impression=one)).decode() == (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<Submit xmlns="urn:x-nfd:impressions:2"><Impression ref="01ZD00123426" version="3" station="01ZD" status="C">'
        '<Offence code="TH68023"/><Shoe pattern="ZBC0173" size="095" make="NIKE" model="AIR FORCE 1"/>'
        '<Scan type="R" at="2026-11-20T22:05:00Z"/></Impression></Submit>'
    )
    assert wire.path(Submit(impression=one)) == "/nfd/2/submit"


def test_what_a_newer_database_says_more_is_passed_over() -> None:
    document = b'<Done xmlns="urn:x-nfd:impressions:2" version="3" new="1"><New/></Done>'
    assert wire.decode(document) == Done(version=3)


SECRET = "QUACKENBUSH"
NS = 'xmlns="urn:x-nfd:impressions:2"'
WRONG = {
    "no XML": b"\x00\xff " + SECRET.encode(),
    "an entity": f'<!DOCTYPE a [<!ENTITY e "{SECRET}">]><Done {NS} version="1">&e;</Done>'.encode(),
    "another namespace": f'<Done xmlns="urn:other" version="1">{SECRET}</Done>'.encode(),
    "another question": f"<{SECRET} {NS}/>".encode(),
    "no version": f'<Done {NS} status="{SECRET}"/>'.encode(),
    "a version that is none": f'<Done {NS} version="{SECRET}"/>'.encode(),
    "a version that the contract has no room for": f'<Done {NS} version="4294967296"/>'.encode(),
    "a negative version": f'<Done {NS} version="-1"/>'.encode(),
    "an instant that is none": f'<Found {NS} at="{SECRET}" more="N"/>'.encode(),
    "neither yes nor no": f'<Found {NS} at="2026-11-20T22:05:00Z" more="{SECRET}"/>'.encode(),
    "an impression without a shoe": f'<Submit {NS}><Impression ref="{SECRET}" version="1"/></Submit>'.encode(),
    "no asker": f'<Fetch {NS} ref="{SECRET}"/>'.encode(),
}


@pytest.mark.parametrize("document", WRONG.values(), ids=WRONG)
def test_what_is_no_document_of_the_database_is_refused_without_its_content(document: bytes) -> None:
    with pytest.raises(wire.WireError) as told:
        wire.decode(document)
    assert SECRET not in str(told.value)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_record_or_a_wire_error(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(data)


def test_a_character_that_xml_cannot_carry_is_no_document() -> None:
    with pytest.raises(wire.WireError) as told:
        wire.encode(Withdraw(reference=f"{SECRET}\0", version=1))
    assert SECRET not in str(told.value)


def test_no_record_shows_its_content() -> None:
    assert SECRET not in repr(Submit(impression=Impression(reference=SECRET, version=1, station="", offences=(SECRET,), shoe=Shoe())))
    assert etree.fromstring(wire.encode(Refused(code="NF404", words=SECRET))).text == SECRET
