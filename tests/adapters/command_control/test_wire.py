"""The documents: every record comes back, the golden ones are as they were, and what is none is refused without its content."""

import dataclasses
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.command_control import wire
from adapters.command_control.records import ANSWERS, QUESTIONS, Ack, Header, Message, Reference, Refused
from adapters.command_control.translate import MIRROR
from adapters.kit.mirror import Decimal
from tests.adapters.command_control.asking import AT, FIRE, OWN, ROOM, incident

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=12)
FIRST, LAST = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001 - hypothesis adds the zone
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    bool: st.booleans(),
    int: st.integers(0, 10**12 - 1),
    Decimal: st.just(Decimal("")) | st.decimals(-180, 180, places=6).map(lambda one: Decimal(f"{one:.6f}")),
    datetime: st.datetimes(FIRST, LAST, timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
}


def of(kind: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Records of a kind, whatever is in it."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{one.name: value(hints[one.name], depth) for one in dataclasses.fields(kind) if one.name != "extension"})


def value(hint: Any, depth: int) -> st.SearchStrategy[Any]:
    """Values of a field."""
    inside = [one for one in get_args(hint) if one not in (type(None), Ellipsis)]
    kind = inside[0] if inside else hint
    one = PLAIN[kind] if kind in PLAIN else of(kind, depth + 1)
    if getattr(hint, "__origin__", None) is tuple:
        return st.lists(one, max_size=2 if depth < 3 else 1).map(tuple)
    return st.none() | one if inside else one


@pytest.mark.parametrize("kind", [Message, Refused, *QUESTIONS, *ANSWERS], ids=lambda kind: kind.__name__)
def test_every_record_comes_back(kind: Any) -> None:
    @given(of(kind))
    def comes_back(record: Any) -> None:
        assert wire.decode(wire.encode(record)) == record

    comes_back()


GOLDEN = """<?xml version='1.0' encoding='UTF-8'?>
<Message xmlns="urn:x-mait:incident-transfer:1.0"><Header MessageId="7f0f6b3e-5f5f-4a83-9d0c-6f5c1f2f9a01" ToAgencies="POL-01CC FRS-LFB"\
 FromAgency="POL-01CAD" SentAt="2026-11-23T08:14:00Z" Version="1.0" ReplyTo="https://127.0.0.1:1/mait/1.0/messages"/>\
<IncidentCreate OpenedAt="2026-11-23T08:14:00Z" CadNumber="90001/23NOV26" Type="FIRE" AgencyTypeCode="214" Priority="I" MajorIncident="Y"\
 AccessRoute="From the north" Narrative="Smoke from the roof." Status="OPEN"><Origin Agency="POL-01CAD" Reference="1"/>\
<Location Description="Behind the station&#10;north side" Postcode="ZZ2 2AB" Easting="691363" Northing="181474" Latitude="51.500000"\
 Longitude="0.000000" What3words="filled.count.soap"><Address Primary="12" Street="Test Road" Uprn="999000007919"/></Location>\
<Hazard Kind="FIRE" Detail="Gas bottles"/><CasualtyCount Severity="P2" Count="2"/><Involvement Agency="FRS-LFB" Kind="REQUIRED"/>\
<Caller Name="Quackenbush" Telephone="07700 900123" AtScene="Y"/></IncidentCreate></Message>"""
GOLDEN_ACK = """<?xml version='1.0' encoding='UTF-8'?>
<Message xmlns="urn:x-mait:incident-transfer:1.0"><Header MessageId="2" ToAgencies="POL-01CAD" FromAgency="POL-01CC"/>\
<Ack MessageId="1" Accepted="N" Code="NOT_OURS" Reason="Outside our area."><TheirIncident Agency="POL-01CC" Reference="CC26-900021"/></Ack>\
</Message>"""


def header(**more: Any) -> Header:
    """A header with everything."""
    return Header(
        message_id="7f0f6b3e-5f5f-4a83-9d0c-6f5c1f2f9a01",
        to_agencies=f"{ROOM} {FIRE}",
        from_agency=OWN,
        sent_at=AT,
        version="1.0",
        reply_to="https://127.0.0.1:1/mait/1.0/messages",
        **more,
    )


def test_a_created_incident_is_written_as_ever() -> None:
    message = Message(header=header(), incident_create=MIRROR.alike(incident("1")))
    assert wire.encode(message).decode() == GOLDEN
    assert wire.decode(GOLDEN.encode()) == message


def test_an_acknowledgement_is_written_as_ever() -> None:
    ack = Ack(
        message_id="1",
        accepted=False,
        their_incident=Reference(agency=ROOM, reference="CC26-900021"),
        code="NOT_OURS",
        reason="Outside our area.",
    )
    message = Message(header=Header(message_id="2", to_agencies=OWN, from_agency=ROOM), ack=ack)
    assert wire.encode(message).decode() == GOLDEN_ACK
    assert wire.decode(GOLDEN_ACK.encode()) == message


def test_what_a_newer_room_says_more_is_passed_over() -> None:
    document = GOLDEN_ACK.replace("<Ack ", '<New Thing="1"/><Ack Newer="1" ').encode()
    assert wire.decode(document) == wire.decode(GOLDEN_ACK.encode())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-07-01T09:14:00+01:00", datetime(2026, 7, 1, 8, 14, tzinfo=UTC)),
        ("2026-10-25T01:30:00.75Z", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-10-25T01:30:00+01:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
    ids=["summer", "fraction", "the hour that comes twice"],
)
def test_an_instant_of_any_zone_is_read(written: str, read: datetime) -> None:
    document = GOLDEN.replace('SentAt="2026-11-23T08:14:00Z"', f'SentAt="{written}"').encode()
    assert wire.decode(document).header.sent_at == read


NS = 'xmlns="urn:x-mait:incident-transfer:1.0"'


@pytest.mark.parametrize(
    "inside", ["", "words", f'<a {NS} b="1"/>', '<x:a xmlns:x="urn:x"><x:b>1 &amp; 2</x:b></x:a>', "<a>é</a> tail"], ids=str
)
def test_an_extension_comes_back_as_it_was(inside: str) -> None:
    document = f'<Message {NS}><Header MessageId="1"/><Extension>{inside}</Extension></Message>'.encode()
    message = wire.decode(document)
    again = wire.decode(wire.encode(message))
    assert etree.canonicalize(again.extension) == etree.canonicalize(message.extension)
    assert etree.canonicalize(message.extension) == etree.canonicalize(f"<Extension {NS}>{inside}</Extension>")
    assert wire.decode(wire.encode(again)) == again


def test_an_extension_that_is_too_long_is_refused() -> None:
    with pytest.raises(wire.WireError, match="longer"):
        wire.decode(f"<Message {NS}><Header MessageId='1'/><Extension>{'x' * 16_000}</Extension></Message>".encode())


SECRET = "QUACKENBUSH"
WRONG = {
    "no XML": b"\x00\xff " + SECRET.encode(),
    "an entity": f'<!DOCTYPE a [<!ENTITY e "{SECRET}">]><Message {NS}><Header MessageId="&e;"/></Message>'.encode(),
    "an external entity": f'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///{SECRET}">]><Message {NS}>&e;</Message>'.encode(),
    "a document type": f'<!DOCTYPE a SYSTEM "http://127.0.0.1/{SECRET}"><Message {NS}><Header MessageId="1"/></Message>'.encode(),
    "another namespace": f'<Message xmlns="urn:{SECRET}"><Header MessageId="1"/></Message>'.encode(),
    "another document": f"<{SECRET} {NS}/>".encode(),
    "no header": f'<Message {NS} Origin="{SECRET}"/>'.encode(),
    "no id": f'<Message {NS}><Header FromAgency="{SECRET}"/></Message>'.encode(),
    "two headers": f'<Message {NS}><Header MessageId="{SECRET}"/><Header MessageId="2"/></Message>'.encode(),
    "no instant": f'<Message {NS}><Header MessageId="1" SentAt="{SECRET}"/></Message>'.encode(),
    "an instant of no zone": f'<Message {NS}><Header MessageId="{SECRET}" SentAt="2026-11-23T08:14:00"/></Message>'.encode(),
    "neither yes nor no": f'<Message {NS}><Header MessageId="1" Test="{SECRET}"/></Message>'.encode(),
    "no number": f'<Message {NS} UpdateNumber="{SECRET}"><Header MessageId="1"/></Message>'.encode(),
    "no degrees": f'<Message {NS}><Header MessageId="1"/><ResourceStatus Easting="{SECRET}"/></Message>'.encode(),
}


@pytest.mark.parametrize("document", WRONG.values(), ids=WRONG)
def test_what_is_no_document_is_refused_without_its_content(document: bytes) -> None:
    with pytest.raises(wire.WireError) as told:
        wire.decode(document)
    assert SECRET not in str(told.value)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_record_or_a_wire_error(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(data)


@given(st.lists(st.sampled_from(GOLDEN.split('"')), min_size=20, max_size=40))
def test_any_document_of_its_words_is_a_record_or_a_wire_error(parts: list[str]) -> None:
    with suppress(wire.WireError):
        assert isinstance(wire.decode('"'.join(parts).encode()), Message)


def test_a_character_that_xml_can_not_carry_is_no_document() -> None:
    with pytest.raises(wire.WireError) as told:
        wire.encode(Message(header=Header(message_id=f"{SECRET}\0")))
    assert SECRET not in str(told.value)
