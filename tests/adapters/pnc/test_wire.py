"""The codec: what it reads, what it writes, and what it refuses, on people and messages that were never real."""

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pnc.records import SEGMENTS
from adapters.pnc.wire import (
    MAX_MESSAGE,
    Direction,
    Header,
    Reason,
    Segment,
    Trailer,
    Transaction,
    WireError,
    decode,
    encode,
    runs,
)

AT = datetime.datetime(2031, 5, 6, 7, 8, tzinfo=datetime.UTC)
DECLARATION = '<?xml version="1.0" standalone="yes"?>'


def gmh(group: str = "ENQR", function: str = "ENQASI", direction: str = "S", kind: str = "05") -> str:
    blanks = " " * 45
    return f"073{group}000042{direction}{function}PNCA05A73000017300000120310506070873000001{blanks}{kind}0000099"


def message(*inside: str, root: str = "CXE01", header: str = gmh(), count: int = 3) -> bytes:
    trailer = f"{count:06d}{header[:14]}"
    return f"{DECLARATION}<{root}><GMH>{header}</GMH>{''.join(inside)}<GMT>{trailer}</GMT></{root}>".encode()


def refused(data: bytes) -> WireError:
    with pytest.raises(WireError) as told:
        decode(data)
    return told.value


# A golden message each way. Every value is invented.

ENQUIRY = message("<E07>31/99ZZ/01/1A              </E07>")
REPLY = message(
    "<ASI>"
    "<FSC>K99ZZ</FSC>"
    "<IDS>K31/1A      QUILLFEATHER1/31A       </IDS>"
    "<CCR>K31/9999/1A                    </CCR>"
    "<COF>K001    1:2:3:4      XX31001 010220310304            </COF>"
    "<ADJ>INOT GUILTY   GUILTY        040520310000 </ADJ>"
    f"<DIS>I1002M12         0000250.00              for reasons{' ' * 53}</DIS>"
    "<COF>K002    1:2:3:5      XX31002 010220310304            </COF>"
    "</ASI>",
    header=gmh(direction="R"),
    count=11,
)


def test_an_enquiry_is_read_and_written() -> None:
    transaction = decode(ENQUIRY)
    assert (transaction.root, transaction.update) == ("CXE01", False)
    assert transaction.header == Header.of("ENQASI", serial=42, sequence=99, at=AT)
    assert [(segment.tag, segment.fields()) for segment in transaction.segments] == [("E07", {"asn": "31/99ZZ/01/1A", "filler": ""})]
    assert transaction.trailer == Trailer(3, "073ENQR000042S")
    assert encode(transaction) == ENQUIRY


def test_a_reply_is_read_into_named_fields() -> None:
    transaction = decode(REPLY)
    assert transaction.problems() == ()
    assert transaction.header == Header.of("ENQASI", serial=42, sequence=99, at=AT).reply(at=AT)
    (wrapper,) = transaction.segments
    cases = runs(wrapper.children, "CCR", "PCR")
    assert [[segment.tag for segment in offence] for offence in runs(cases[0], "COF")] == [["COF", "ADJ", "DIS"], ["COF"]]
    identity, offences = transaction.find("IDS"), transaction.all("COF")
    assert identity is not None
    assert identity.fields() == {
        "update": "K",
        "pnc_id": "31/1A",
        "check_name": "QUILLFEATHER",
        "cro_number": "1/31A",
    }
    assert [offence["offence_ref"] for offence in offences] == ["001", "002"]
    assert (offences[0]["npcc_code"], offences[0]["start_time"], offences[0]["end_date"]) == ("1:2:3:4", "0304", "")
    disposal = transaction.find("DIS")
    assert disposal is not None
    assert (disposal["duration"], disposal["amount"], disposal["text"]) == ("M12", "0000250.00", "for reasons")
    assert encode(transaction) == REPLY


def test_a_built_reply_is_the_golden_one() -> None:
    inside = (
        Segment.of("FSC", force_station="99zz"),
        Segment.of("IDS", pnc_id="31/1a", check_name="Quillfeather", cro_number="1/31A"),
        Segment.of("CCR", court_case_ref="31/9999/1A"),
        Segment.of("COF", offence_ref="001", npcc_code="1:2:3:4", cjs_code="XX31001", start_date="01022031", start_time="0304"),
        Segment.of("ADJ", plea="NOT GUILTY", adjudication="GUILTY", sentence_date="04052031", tics="0000"),
        Segment.of("DIS", disposal_code="1002", duration="M12", amount="0000250.00", text="for reasons"),
        Segment.of("COF", offence_ref="002", npcc_code="1:2:3:5", cjs_code="XX31002", start_date="01022031", start_time="0304"),
    )
    header = Header.of("ENQASI", serial=42, sequence=99, at=AT).reply(at=AT)
    built = Transaction.of("CXE01", header, [Segment("ASI", children=inside)])
    assert encode(built) == REPLY
    assert built == decode(REPLY)


def test_a_refusal_is_marked_in_header_and_trailer() -> None:
    header = Header.of("DISARR", serial=1, sequence=2, at=AT).reply(at=AT, error=True)
    transaction = decode(encode(Transaction.of("CXU02", header, [Segment.of("TXT", message="I0001 - BAD")])))
    assert (transaction.header.direction, transaction.header.function) == (Direction.ERROR, "ERRARR")
    assert transaction.trailer == Trailer(3, "073RDIS000001E")
    assert transaction.update


# What came from loggers, editors and other hands: inside of a message, and the fields it must still give.

COURT = f"I9999{'CROWN COURT'.ljust(71)}{'QUILLFEATHER/ANA BEE'.ljust(54)}040520310000"
SPLIT = COURT.index("/ANA")
ODD_SPELLINGS = [
    ("a break and an indent", f"<COU>{COURT[:SPLIT]}\n    {COURT[SPLIT:]}</COU>"),
    ("a break alone", f"<COU>{COURT[:SPLIT]}\n{COURT[SPLIT:]}</COU>"),
    ("a break of two bytes", f"<COU>{COURT[:SPLIT]}\r\n{COURT[SPLIT:]}</COU>"),
    ("a break among the padding", f"<COU>{COURT[:30]}\n{COURT[30:]}</COU>"),
    ("two breaks", f"<COU>{COURT[:30]}\n   {COURT[30:SPLIT]}\r  {COURT[SPLIT:]}</COU>"),
    ("a break in the place of a blank", f"<COU>{COURT.replace('ANA BEE', 'ANA' + chr(10) + 'BEE')}</COU>"),
    ("a break at both ends", f"<COU>\n      {COURT}\n    </COU>"),
    ("entities", f"<COU>{COURT.replace('/', '&#47;').replace('A', '&#x41;')}</COU>"),
    ("attributes and blanks in tags", f"<COU a='/'  b=\"/c\">{COURT}</COU\n >"),
    ("white space around", f"\n\t <COU>{COURT}</COU>\r\n"),
]


@pytest.mark.parametrize(("name", "inside"), ODD_SPELLINGS, ids=[name for name, _ in ODD_SPELLINGS])
def test_an_odd_spelling_is_kept_and_still_understood(name: str, inside: str) -> None:
    data = message(inside, root="CXU02", header=gmh("RDIS", "DISARR", kind="09"))
    transaction = decode(data)
    assert encode(transaction) == data
    court = transaction.find("COU")
    assert court == Segment.of(
        "COU",
        court_code="9999",
        court_name="CROWN COURT",
        file_name="QUILLFEATHER/ANA BEE",
        hearing_date="04052031",
        tics="0000",
    )
    assert transaction.problems() == ()


@pytest.mark.parametrize("width", [0, 1, 3, 5, 76, 88, 93, 130, 141])
def test_a_body_cut_short_at_its_right_end_gives_the_fields_it_has(width: int) -> None:
    data = message(f"<COU>{COURT[:width]}</COU>", root="CXU02")
    court = decode(data).find("COU")
    assert court is not None
    assert encode(decode(data)) == data
    whole = Segment.of("COU", update="I", court_code="9999", court_name="CROWN COURT", hearing_date="04052031")
    assert court["court_code"] == whole["court_code"][: max(0, width - 1)]
    assert court["court_name"] == ("CROWN COURT" if width >= 76 else "")
    assert court["hearing_date"] == ("04052031" if width >= 138 else "")


# raw body of a text, what it says
TEXTS = [
    (b"A&amp;B &lt;C&gt; &apos;D&apos; 'E' &quot;F&quot; \"G\"", "A&B <C> 'D' 'E' \"F\" \"G\""),
    ("&#163; &#xA3; &#Xa3; £".encode(), "£ £ £ £"),
    (b"LATIN-1 \xa3 AND \xc9", "LATIN-1 £ AND É"),
    ("DAMAGED \ufffd".encode(), "DAMAGED \ufffd"),
    (b"&nbsp; & &; &#; &#x110000; &#xD800; &#9999999;", "&nbsp; & &; &#; &#x110000; &#xD800; &#9999999;"),
    (b"&amp;amp;", "&amp;"),
    (b"A > B", "A > B"),
]


@pytest.mark.parametrize(("raw", "said"), TEXTS, ids=range(len(TEXTS)))
def test_characters_in_any_spelling_are_kept_and_understood(raw: bytes, said: str) -> None:
    data = message("<TXT>@</TXT>").replace(b"@", raw)
    transaction = decode(data)
    assert encode(transaction) == data
    text = transaction.find("TXT")
    assert text is not None
    assert text["message"] == said
    assert decode(encode(rewritten(transaction))) == transaction


SHAPES = [
    ("no declaration", REPLY.removeprefix(DECLARATION.encode())),
    ("another declaration", REPLY.replace(b"standalone", b'encoding="UTF-8" standalone')),
    ("a declaration in capitals", REPLY.replace(DECLARATION.encode(), DECLARATION.upper().encode() + b"\n  ")),
    ("a byte order mark", b"\xef\xbb\xbf" + REPLY),
    ("white space around", b" \r\n" + REPLY + b"\n\n\t"),
    ("white space between", REPLY.replace(b"><", b">\n    <")),
    ("attributes on the root", REPLY.replace(b"<CXE01>", b'<CXE01 xmlns="urn:x" a="1">')),
    ("an unknown root", REPLY.replace(b"CXE01>", b"CXU05>")),
    ("an unknown function", REPLY.replace(b"ENQASI", b"PENHRG")),
    ("unknown segments", message("<ZZZ>KABC</ZZZ><QQQ>\nA\n B</QQQ><PCR>K99ZZ/1/31</PCR>")),
    ("empty segments", message("<TXT/><TXT /><TXT a='1'/><TXT></TXT><ASI/><ASI></ASI><ASI> </ASI>")),
    ("an unknown wrapper", message("<ZZZ> <FSC>K99ZZ</FSC>\n</ZZZ >")),
    ("a broken header", REPLY.replace(gmh(direction="R").encode(), b"\n " + gmh(direction="R").replace("ENQR", "EN\nQR").encode())),
    ("nothing inside", message()),
]


@pytest.mark.parametrize(("name", "data"), SHAPES, ids=[name for name, _ in SHAPES])
def test_a_message_of_another_shape_is_kept(name: str, data: bytes) -> None:
    transaction = decode(data)
    assert encode(transaction) == data
    assert transaction.header.serial == "000042"
    assert decode(encode(rewritten(transaction))) == transaction


def rewritten(transaction: Transaction) -> Transaction:
    """The same values without memory of their spelling."""
    return dataclasses.replace(transaction, segments=tuple(map(respelt, transaction.segments)))


def respelt(segment: Segment) -> Segment:
    return dataclasses.replace(segment, children=tuple(map(respelt, segment.children)))


def test_a_changed_copy_is_written_with_its_new_value() -> None:
    transaction = decode(REPLY.replace(b"><", b">\n<"))
    (wrapper,) = transaction.segments
    changed = dataclasses.replace(wrapper, children=(dataclasses.replace(wrapper.children[0], body="K88YY"),))
    written = encode(Transaction.of("CXE01", transaction.header, [changed]))
    assert b"<ASI><FSC>K88YY</FSC></ASI>" in written
    assert written.endswith(b"<GMT>000005073ENQR000042R</GMT></CXE01>")


def test_white_space_is_no_part_of_equality() -> None:
    assert decode(REPLY) == decode(b"\n" + REPLY.replace(b"><", b">\n    <"))
    assert decode(REPLY) != decode(REPLY.replace(b"QUILL", b"SPILL"))


# What is refused: the bytes, the reason, where.

WHOLE = message("<ASI><FSC>K99ZZ</FSC></ASI>", count=5)
INSIDE = WHOLE.index(b"<ASI>")
REFUSED = [
    ("nothing", b"", Reason.TRUNCATED, 0),
    ("white space", b" \n", Reason.TRUNCATED, 2),
    ("half a declaration", WHOLE[:20], Reason.TRUNCATED, 20),
    ("a declaration alone", WHOLE[:38], Reason.TRUNCATED, 38),
    ("half a root", WHOLE[:42], Reason.TRUNCATED, 42),
    ("a root alone", WHOLE[:45], Reason.TRUNCATED, 45),
    ("half a tag", WHOLE[: INSIDE + 7], Reason.TRUNCATED, INSIDE + 7),
    ("half a body", WHOLE[: INSIDE + 12], Reason.TRUNCATED, INSIDE + 12),
    ("half a closing tag", WHOLE[: INSIDE + 18], Reason.TRUNCATED, INSIDE + 18),
    ("no closing tag of the root", WHOLE[:-8], Reason.TRUNCATED, len(WHOLE) - 8),
    ("half a closing tag of the root", WHOLE[:-1], Reason.TRUNCATED, len(WHOLE) - 1),
    ("plain text", b"  HELLO", Reason.NOT_A_DOCUMENT, 2),
    ("another encoding", WHOLE.decode().encode("utf-16"), Reason.NOT_A_DOCUMENT, 0),
    ("a document type", b"<!DOCTYPE CXE01>" + WHOLE, Reason.MALFORMED, 0),
    ("an empty root", b"<CXE01/>", Reason.MALFORMED, 0),
    ("a comment", WHOLE.replace(b"<ASI>", b"<!-- -->"), Reason.MALFORMED, INSIDE),
    ("marked data", WHOLE.replace(b"<ASI>", b"<![CDATA[]]>"), Reason.MALFORMED, INSIDE),
    ("an unclosed segment", WHOLE.replace(b"</FSC>", b""), Reason.MISMATCHED, INSIDE + 15),
    ("segments closed crosswise", WHOLE.replace(b"</FSC></ASI>", b"</ASI></FSC>"), Reason.MISMATCHED, INSIDE + 15),
    ("an unclosed wrapper", WHOLE.replace(b"</ASI>", b""), Reason.MISMATCHED, len(WHOLE) - 14),
    ("another root closed", WHOLE.replace(b"</CXE01>", b"</CXE02>"), Reason.MISMATCHED, len(WHOLE) - 8),
    ("a fourth level", WHOLE.replace(b"K99ZZ", b"<IDS><A>B</A></IDS>"), Reason.TOO_DEEP, INSIDE + 5),
    ("text between segments", WHOLE.replace(b"<ASI>", b"X<ASI>"), Reason.STRAY_TEXT, INSIDE),
    ("text in a wrapper", WHOLE.replace(b"<ASI>", b"<ASI>X"), Reason.STRAY_TEXT, INSIDE + 6),
    ("text after", WHOLE + b"\nX", Reason.TRAILING_DATA, len(WHOLE) + 1),
    ("two messages", WHOLE + WHOLE, Reason.TRAILING_DATA, len(WHOLE)),
    ("no header", WHOLE.replace(b"GMH>", b"GMX>"), Reason.NO_HEADER, 45),
    ("nothing at all in the root", b"<CXE01>\n</CXE01>", Reason.NO_HEADER, 8),
    ("a wrapper for a header", b"<A><GMH><B>C</B></GMH></A>", Reason.NO_HEADER, 3),
    ("a short header", WHOLE.replace(b"PNCA05A", b"PNCA05"), Reason.HEADER_WIDTH, 45),
    ("a long header", WHOLE.replace(b"PNCA05A", b"PNCA05AA"), Reason.HEADER_WIDTH, 45),
    ("no trailer", WHOLE.replace(b"GMT>", b"GMX>"), Reason.NO_TRAILER, len(WHOLE) - 8),
    ("a header alone", f"<A><GMH>{gmh()}</GMH></A>".encode(), Reason.NO_TRAILER, 3 + 116 + 11),
    ("a short trailer", WHOLE.replace(b"<GMT>0", b"<GMT>"), Reason.TRAILER_WIDTH, len(WHOLE) - 9),
    ("a trailer that does not count", WHOLE.replace(b"<GMT>0", b"<GMT>X"), Reason.TRAILER_WIDTH, len(WHOLE) - 8),
    ("too much", WHOLE + b" " * MAX_MESSAGE, Reason.TOO_LARGE, MAX_MESSAGE),
]


@pytest.mark.parametrize(("name", "data", "reason", "offset"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_no_message_is_refused_with_reason_and_place(name: str, data: bytes, reason: Reason, offset: int) -> None:
    error = refused(data)
    assert (error.reason, error.offset) == (reason, offset)


def test_offsets_count_bytes_not_characters() -> None:
    data = WHOLE.replace(b"<ASI>", "<TXT>£</TXT>X<ASI>".encode())
    assert refused(data).offset == INSIDE + len("<TXT>£</TXT>".encode())


def test_a_reply_cut_short_anywhere_is_refused() -> None:
    for end in range(len(REPLY)):
        assert refused(REPLY[:end]).reason in (Reason.TRUNCATED, Reason.MALFORMED)


def test_a_trailer_that_disagrees_is_a_problem_but_readable() -> None:
    data = REPLY.replace(b"<GMT>000011073ENQR000042R", b"<GMT>000012073ENQR000043R")
    transaction = decode(data)
    assert encode(transaction) == data
    assert [problem.reason for problem in transaction.problems()] == [Reason.TRAILER_COUNT, Reason.TRAILER_IDENTITY]


def test_a_body_longer_than_its_table_is_a_problem_but_readable() -> None:
    transaction = decode(message("<FSC>K99ZZZ</FSC>"))
    (problem,) = transaction.problems()
    assert str(problem) == "FSC (5): segment is longer than its table says"


# Hostile input on which a careless pattern would take quadratic time: a second of it would be hours.
HOSTILE = [b"<A " * 300_000, b"<A>" * 300_000, b"<A><B" + b" " * 900_000, b"<A><B>" + b"x" * 900_000]
HOSTILE += [b"<A>" + b"<B>x</B>" * 100_000, b"<A><B>" + b"&#" * 400_000 + b"</B></A>", b"\n" * 1_000_000, b"<?" * 400_000]
HOSTILE += [b"<A><COU>" + b"\n " * 400_000 + b"</COU></A>", b"<A><B " + b"/" * 900_000 + b"></A>"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_a_large_hostile_message_is_refused_in_good_time(data: bytes) -> None:
    assert refused(data).reason in Reason


# What cannot be written

UNWRITABLE = [
    ("a header part of another width", {"header": dataclasses.replace(decode(ENQUIRY).header, route="1")}, Reason.WRONG_WIDTH),
    ("a trailer of another width", {"trailer": Trailer(1, "073")}, Reason.WRONG_WIDTH),
    ("too many segments to count", {"trailer": Trailer(1_000_000, "073ENQR000042S")}, Reason.TOO_WIDE),
    ("a root that is no tag", {"root": "CX<E01"}, Reason.UNKNOWN_SEGMENT),
    ("a segment that is no tag", {"segments": (Segment("A B", "C"),)}, Reason.UNKNOWN_SEGMENT),
    ("a character without bytes", {"segments": (Segment("TXT", "\ud800"),)}, Reason.UNCARRIABLE),
    ("too much", {"segments": (Segment("TXT", "X" * MAX_MESSAGE),)}, Reason.TOO_LARGE),
]


@pytest.mark.parametrize(("name", "change", "reason"), UNWRITABLE, ids=[row[0] for row in UNWRITABLE])
def test_what_cannot_be_written_is_refused(name: str, change: dict[str, object], reason: Reason) -> None:
    with pytest.raises(WireError) as told:
        encode(dataclasses.replace(decode(ENQUIRY), **change))  # type: ignore[arg-type]  # one table for any field
    assert told.value.reason is reason


def test_neither_errors_nor_values_show_what_a_message_says() -> None:
    assert "QUILL" not in repr(decode(REPLY))
    for cut in (b"</IDS>", b"<IDS>", b"</ASI>", b"</IDS><CCR>"):
        error = refused(REPLY.replace(cut, b""))
        assert "QUILL" not in f"{error!r}{error}{error.__cause__}{error.__context__}"


# Properties

tags = st.sampled_from([*SEGMENTS, "ZZZ", "a-b", "X1"])
blanks = st.text(" \t\r\n", max_size=4).map(str.encode)
bodies = st.lists(
    st.one_of(
        st.binary(max_size=6).map(lambda piece: piece.replace(b"<", b"")),
        st.sampled_from([b"&amp;", b"&#163;", b"&", b"\n    ", b"\r\n", b" ", "£".encode(), b"\xa3", b">", b"/"]),
    ),
    max_size=6,
).map(b"".join)


@st.composite
def spelt(draw: st.DrawFn, body: bytes | None = None, tag: str = "") -> bytes:
    name = (tag or draw(tags)).encode()
    attributes = draw(st.sampled_from([b"", b"", b" ", b' a="1"', b"\nb='/x'"]))
    if body is None and draw(st.booleans()) and draw(st.booleans()):
        return b"<" + name + attributes + b"/>" + draw(blanks)
    inside = draw(bodies) if body is None else body
    return b"<" + name + attributes + b">" + inside + b"</" + name + draw(blanks) + b">" + draw(blanks)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    header = draw(st.text(st.characters(exclude_characters="<&\r\n", exclude_categories=["Cs"]), min_size=116, max_size=116))
    trailer = f"{draw(st.integers(0, 999_999)):06d}{draw(st.text('0AZ', min_size=14, max_size=14))}"
    wrapped = st.lists(spelt(), min_size=1, max_size=3).map(b"".join).flatmap(lambda held: spelt(held))
    parts = [
        draw(st.sampled_from([b"", b"\xef\xbb\xbf"])),
        draw(blanks),
        draw(st.sampled_from([b"", DECLARATION.encode(), b'<?XML VERSION="1.0"?>'])),
        draw(blanks),
        b"<CXE01>",
        draw(blanks),
        draw(spelt(header.encode(), "GMH")),
        *draw(st.lists(st.one_of(spelt(), wrapped), max_size=4)),
        draw(spelt(trailer.encode(), "GMT")),
        b"</CXE01>",
        draw(blanks),
    ]
    return b"".join(parts)


@given(documents())
def test_any_message_comes_back_byte_for_byte(data: bytes) -> None:
    transaction = decode(data)
    assert encode(transaction) == data
    transaction.problems()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    never_fails_otherwise(data)


@given(
    st.one_of(st.just(REPLY), st.just(WHOLE), documents()),
    st.lists(
        st.tuples(
            st.integers(0, 2_000),
            st.integers(0, 8),
            st.one_of(st.binary(max_size=3), st.sampled_from([b"<", b">", b"</", b"/>", b"<ASI>", b"</ASI>", b"&#"])),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_a_damaged_message_is_a_message_or_refused(data: bytes, damages: list[tuple[int, int, bytes]]) -> None:
    for start, gone, put in damages:
        at = start % len(data) if data else 0
        data = data[:at] + put + data[at + gone :]
    never_fails_otherwise(data)


def never_fails_otherwise(data: bytes) -> None:
    try:
        transaction = decode(data)
    except WireError:
        return
    assert encode(transaction) == data
