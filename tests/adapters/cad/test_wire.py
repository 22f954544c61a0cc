"""Blocks: what is written is read, and nothing damaged is ever read as a block."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cad.records import Block, Control, Incident, Kind, Line, Unit
from adapters.cad.wire import LARGEST, Unreadable, WireError, decode, encode

EVENT = Block(
    Kind.EVENT,
    104,
    Control(),
    (
        Incident(
            cad_number="1234/25OCT26",
            opened_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            grade="I",
            state="ASG",
            opening_codes=("004", "209"),
            text="2 JASJORHAM STREET",
            easting=694_068,
            northing=182_923,
            borough="LX",
            call_signs=("LX21",),
        ),
    ),
    (
        Line(
            number=7,
            kind="RMK",
            happened_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            entered_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            operator="P123456",
            terminal="LAM017",
            back_entered=True,
            text="CALLER STATES THAT A BLUE VAN HAS STOPPED ACROSS THE CROSSING, £5 OF DAMAGE.\nDRIVER GONE.",
        ),
    ),
)
GOLDEN = b"""ZCZC EVT 0000000104
001 REF 
002 CAD 1234/25OCT26
003 OPN 251026 0130A
004 GRD I
005 STA ASG
006 TYP 004 209
007 LOC 2 JASJORHAM STREET
008 EAS 694068
009 NOR 182923
010 BOR LX
011 UNI LX21
012 LIN 7
013 KND RMK
014 HAP 251026 0130A
015 ENT 251026 0130Z
016 OPR P123456
017 TRM LAM017
018 BCK Y
019 TXT CALLER STATES THAT A BLUE VAN HAS STOPPED ACROSS THE CROSSING, \xa35 OF DAM
020 +   AGE.
021 /   DRIVER GONE.
NNNN 021 %s
""".replace(b"\n", b"\r\n")  # noqa: W291 - a row with a tag and nothing else ends with a blank

texts = st.text(st.characters(codec="latin-1", exclude_characters="\r"), max_size=90)
words = st.text("ABCXYZ0123456789/", min_size=1, max_size=12)
lists = st.lists(words, max_size=4).map(tuple)
numbers = st.integers(0, 999_999_999)
instants = st.none() | st.integers(16_000_000, 51_000_000).map(lambda minutes: datetime.fromtimestamp(60 * minutes, UTC))
days = st.none() | st.dates(date(2000, 1, 1), date(2060, 12, 31))
controls = st.builds(Control, texts, texts, texts, texts, numbers, numbers, days, days, texts, numbers, st.booleans(), instants)
incidents = st.builds(
    Incident, words, instants, words, words, lists, texts, numbers, numbers, words, lists, words, texts, words, st.booleans(), lists
)
lines = st.builds(Line, numbers, words, instants, instants, words, words, st.booleans(), texts, texts, words, words, words, words, lists)
units = st.builds(Unit, words, words, words, instants, words, numbers, numbers)
blocks = st.builds(
    Block,
    st.sampled_from(Kind),
    st.integers(0, 10**10 - 1),
    controls,
    st.lists(incidents, max_size=2).map(tuple),
    st.lists(lines, max_size=3).map(tuple),
    st.lists(units, max_size=2).map(tuple),
)


def test_an_event_is_written_as_the_switch_writes_it() -> None:
    written = encode(EVENT)
    assert written == GOLDEN % written[-6:-2]
    assert decode(written) == EVENT


@given(blocks)
@settings(max_examples=200, deadline=None)
def test_blocks_come_back_as_they_were(block: Block) -> None:
    data = encode(block)
    assert decode(data) == block
    assert len(data) <= LARGEST
    assert all(len(row) <= 80 for row in data.split(b"\r\n"))


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_no_block(data: bytes) -> None:
    with pytest.raises((WireError, Unreadable)):
        decode(data)


@given(st.lists(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=80), max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_whole_block_of_arbitrary_rows_is_read_or_unreadable(rows: list[str]) -> None:
    body = "\r\n".join(("ZCZC EVT 0000000007", *rows)).encode("latin-1")
    try:
        decode(body + b"\r\nNNNN %03d %04X\r\n" % (len(rows), sum(body) % 65_536))
    except Unreadable as error:
        number = error.number
        assert number == 7


@pytest.mark.parametrize("place", range(0, len(encode(EVENT)), 7))
def test_a_byte_that_was_changed_on_the_way_is_found(place: int) -> None:
    data = bytearray(encode(EVENT))
    data[place] ^= 0x10
    with pytest.raises(WireError):
        decode(bytes(data))


@pytest.mark.parametrize("cut", [1, 2, 12, 200])
def test_a_block_without_its_end_is_none(cut: int) -> None:
    with pytest.raises(WireError):
        decode(encode(EVENT)[:-cut])


def test_a_row_that_is_missing_is_found_by_the_count() -> None:
    data = encode(EVENT)
    body = data[: data.rindex(b"\r\nNNNN")].replace(b"004 GRD I\r\n", b"")
    with pytest.raises(WireError, match="count"):
        decode(body + b"\r\nNNNN 021 %04X\r\n" % (sum(body) % 65_536))


@pytest.mark.parametrize("row", [b"003 OPN 310226 0130A", b"003 OPN 251026 0130B", b"003 OPN", b"004 GRD I\r\n005 GRD S", b"003 EAS MANY"])
def test_a_whole_block_that_makes_no_sense_is_unreadable_and_says_nothing_of_it(row: bytes) -> None:
    body = b"ZCZC EVT 0000000009\r\n001 REF \r\n002 CAD SECRET\r\n" + row
    data = body + b"\r\nNNNN %03d %04X\r\n" % (body.count(b"\r\n"), sum(body) % 65_536)
    if row == b"003 OPN":
        assert decode(data).incidents[0].opened_at is None
        return
    with pytest.raises(Unreadable) as raised:
        decode(data)
    assert "SECRET" not in str(raised.value)
    assert raised.value.number == 9


def test_the_hour_that_october_repeats_is_told_by_its_letter() -> None:
    summer, winter = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    written = [encode(replace(EVENT, incidents=(), lines=(Line(happened_at=at),))) for at in (summer, winter)]
    assert [b"HAP 251026 0130A" in written[0], b"HAP 251026 0130Z" in written[1]] == [True, True]
    assert [decode(data).lines[0].happened_at for data in written] == [summer, winter]


@pytest.mark.parametrize(
    "line", [Line(text="\n" * 1_000), Line(text="\u20ac5")], ids=["more than 999 rows", "a character that ISO-8859-1 lacks"]
)
def test_what_the_switch_can_not_carry_is_refused_without_a_word_of_it(line: Line) -> None:
    with pytest.raises(WireError) as raised:
        encode(Block(Kind.UPDATE, 1, lines=(line,)))
    assert "\u20ac" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_block_needs_exactly_one_control() -> None:
    body = b"ZCZC REP 0000000001\r\n001 CAD 1/25NOV26"
    with pytest.raises(Unreadable):
        decode(body + b"\r\nNNNN 001 %04X\r\n" % (sum(body) % 65_536))
