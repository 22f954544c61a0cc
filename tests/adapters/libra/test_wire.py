"""The codec: round trips, what it takes that no schema has, and what it refuses."""

import re
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime

import protovalidate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.kit.binding import Aside, WireError
from adapters.kit.soap import envelope
from adapters.libra import envelopes, results
from adapters.libra.cases_sent import Case, NewCase
from adapters.libra.translate import results as messages_of
from adapters.libra.wire import decode, decode_text, digest, element_of, encode, encode_text
from tests.adapters.libra.strategies import SESSIONS, WIDE

SPI = 'xmlns="http://www.dca.gov.uk/xmlschemas/libra"'
FEW = settings(max_examples=80, deadline=None)
VALIDATOR = protovalidate.Validator()
IDS = st.text("abcdef0123456789-", min_size=1, max_size=36)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis adds the zone
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
MESSAGES = st.text(WIDE, max_size=80)


@FEW
@given(SESSIONS)
def test_results_come_back_as_they_were(session: results.Session) -> None:
    resulted = results.ResultedCases(session=session)
    assert decode(encode(resulted)) == resulted
    assert decode(envelope(element_of(resulted))) == resulted
    assert digest(decode(encode(resulted))) == digest(resulted)
    delivered = envelopes.DeliverRequest(message=encode_text(resulted))
    assert decode_text(decode(encode(delivered)).message) == resulted


@FEW
@given(IDS, INSTANTS, MESSAGES)
def test_the_exchanges_own_messages_come_back_as_they_were(request_id: str, at: datetime, message: str) -> None:
    for record in (
        envelopes.SubmitRequest(
            request_id=request_id, source_id="a", destination_ids=("b", "c"), mode="ASYNCH", timestamp=at, message=message
        ),
        envelopes.RetrieveRequest(request_id=request_id, filter=envelopes.RetrieveFilter(since=at, until=at)),
        envelopes.RetrieveResponse(request_id=request_id, code=1, last=at, messages=(message, "<a/>")),
        envelopes.RouteData(stream=envelopes.DataStream(id=request_id, content=message)),
        envelopes.RouteDataResp(
            receiver=envelopes.System(correlation_id=request_id), statuses=(envelopes.Status(code=1), envelopes.Status(code=205))
        ),
        envelopes.SubmitResponse(request_id=request_id, code=200, text="RetrieveNotAvailable"),
        envelopes.DeliverRequest(
            message_id=request_id,
            sender=envelopes.Party(name="a", unit="b", environment="c"),
            ack_requested="1",
            metadata=envelopes.DeliveryMetadata(created=at, expires=at, destination="d"),
            format=envelopes.DeliveryFormat(type=envelopes.MessageType(type="SPIResults", version="1.0")),
        ),
        envelopes.DeliverResponse(message_id=request_id, code=1),
    ):
        assert decode(encode(record)) == record


@FEW
@given(st.binary(max_size=200))
def test_bytes_that_are_no_document_are_refused_without_repeating_them(data: bytes) -> None:
    with pytest.raises(WireError) as told:
        decode(data)
    assert str(told.value).startswith("document ")


ESCAPES = [0, 1, 2]


@pytest.mark.parametrize("times", ESCAPES)
def test_a_document_in_a_document_is_read_however_often_it_is_escaped(times: int) -> None:
    text = '<?xml version="1.0" encoding="iso-8859-1"?>\n' + encode_text(NewCase(case=Case(informant="Zoë")))
    for _ in range(times):
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert decode_text(f"\n  {text}\n") == NewCase(case=Case(informant="Zoë"))


def test_a_route_whose_content_is_an_element_is_read_like_one_whose_content_is_text() -> None:
    resulted = results.ResultedCases(session=results.Session(cases=(results.CourtCase(pti_urn="01ZD0400126"),)))
    sender = "<RequestFromSystem><CorrelationID>\n  a-1\n </CorrelationID></RequestFromSystem>"
    inside = f"<RouteData>{sender}<DataStream><DataStreamContent>{{}}</DataStreamContent></DataStream></RouteData>"
    escaped = encode_text(resulted).replace("&", "&amp;").replace("<", "&lt;")
    for content in (encode_text(resulted), escaped):
        data = decode(inside.format(content).encode())
        assert data.sender.correlation_id == "a-1"
        assert decode_text(data.stream.content) == resulted


def case_with(inside: str) -> NewCase:
    found = decode(f"<NewCaseMessage {SPI}><Case><PTIURN>01ZD0400126</PTIURN>{inside}</Case></NewCaseMessage>".encode())
    assert isinstance(found, NewCase)
    return found


def hearing(inside: str) -> str:
    return f"<InitialHearing>{inside}</InitialHearing>"


def defendant(inside: str) -> str:
    return f"<Defendant>{inside}</Defendant>"


CORPORATE = "<PoliceCorporateDefendant><CROnumber>1</CROnumber></PoliceCorporateDefendant>"
INDIVIDUAL = "<PoliceIndividualDefendant><Occupation>clerk</Occupation></PoliceIndividualDefendant>"
NUMBERED = "<Offence><BaseOffenceDetails><OffenceSequenceNumber>1000</OffenceSequenceNumber></BaseOffenceDetails></Offence>"
ODD = [
    ("an element that nobody knows", "<Colour>red</Colour>", ["Case/Colour"]),
    ("a second one where one may stand", "<PTIURN>02ZD0400126</PTIURN>", ["Case/PTIURN"]),
    ("a code that nobody knows", "<CaseInitiation>Q</CaseInitiation>", ["Case/CaseInitiation"]),
    (
        "a day of no calendar",
        "<InitialHearing><DateOfHearing>2026-02-30</DateOfHearing></InitialHearing>",
        ["Case/InitialHearing/DateOfHearing"],
    ),
    (
        "a day of no year",
        "<InitialHearing><DateOfHearing>0001-01-01</DateOfHearing></InitialHearing>",
        ["Case/InitialHearing/DateOfHearing"],
    ),
    ("a time of no day", hearing("<TimeOfHearing>25:00:00</TimeOfHearing>"), ["Case/InitialHearing/TimeOfHearing"]),
    ("elements where text should be", "<Informant><b>x</b></Informant>", ["Case/Informant"]),
    ("a reference without end", f"<CaseMarker>{'x' * 41}</CaseMarker>", ["Case/CaseMarker"]),
    (
        "both sides of a choice",
        defendant(CORPORATE + INDIVIDUAL),
        ["Case/Defendant[1]/PoliceCorporateDefendant"],
    ),
    ("an unknown part of an empty element", "<InitialHearing><Room>4</Room></InitialHearing>", ["Case/InitialHearing/Room"]),
    ("an unknown part of the second of several", "<Defendant/><Defendant><X>1</X></Defendant>", ["Case/Defendant[2]/X"]),
    (
        "an unknown number",
        defendant(NUMBERED),
        ["Case/Defendant[1]/Offence[1]/BaseOffenceDetails/OffenceSequenceNumber"],
    ),
]


@pytest.mark.parametrize(("name", "inside", "paths"), ODD, ids=[row[0] for row in ODD])
def test_what_has_no_place_is_kept_aside_and_put_back(name: str, inside: str, paths: list[str]) -> None:
    found = case_with(inside)
    assert [one.path for one in found.aside] == paths
    assert decode(encode(found)) == found


TAKEN = [
    ("no namespace at all", "<NewCaseMessage><Case><PTIURN> 01ZD0400126\n</PTIURN></Case></NewCaseMessage>"),
    (
        "another prefix",
        '<x:NewCaseMessage xmlns:x="urn:x"><x:Case><x:PTIURN>01ZD0400126</x:PTIURN></x:Case></x:NewCaseMessage>',
    ),
    ("a comment in a value", f"<NewCaseMessage {SPI}><Case><PTIURN>01ZD<!-- -->0400126</PTIURN></Case></NewCaseMessage>"),
    (
        "attributes that nobody knows",
        f'<NewCaseMessage {SPI} a="b"><Case c="d"><PTIURN e="f">01ZD0400126</PTIURN></Case></NewCaseMessage>',
    ),
]


@pytest.mark.parametrize(("name", "document"), TAKEN, ids=[row[0] for row in TAKEN])
def test_a_document_is_read_by_its_local_names(name: str, document: str) -> None:
    found = decode(document.encode())
    assert (found.case.pti_urn, found.aside) == ("01ZD0400126", ())


SPOILT = st.sampled_from(["", "x", "-1", "99999", "2026-02-30", "\u00e9" * 60, "     ", "1.005", "24:00:00", "x" * 300, "<&>", "Y", "0"])
TAGS = st.sampled_from(["Foo", "Offence", "Result", "PTIURN", "Duration", "Session", "Case", "Plea"])


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A result in which elements are renamed, doubled, dropped, emptied or filled with something else."""
    root = element_of(results.ResultedCases(session=draw(SESSIONS)))
    for _ in range(draw(st.integers(1, 6))):
        inside = list(root.iter("*"))[1:]
        if not inside:
            break
        element = draw(st.sampled_from(inside))
        parent = element.getparent()
        what = draw(st.sampled_from(["rename", "double", "drop", "fill"]))
        if parent is None or what == "fill":
            element[:] = []
            element.text = draw(SPOILT)
        elif what == "rename":
            element.tag = draw(TAGS)
        elif what == "double":
            parent.append(deepcopy(element))
        else:
            parent.remove(element)
    return etree.tostring(root)


def said(root: etree._Element) -> Counter[str]:
    """The texts of a document, numbers without leading zeros and whole pounds without pence."""
    return Counter(re.sub(r"\.0+$", "", text.strip()).lstrip("0") for text in root.itertext() if text.strip())


@FEW
@given(spoilt())
def test_nothing_of_a_spoilt_result_is_lost_and_its_messages_are_good(document: bytes) -> None:
    found = decode(document)
    again = decode(encode(found))
    assert (again.session, Counter(again.aside)) == (found.session, Counter(found.aside))
    assert said(element_of(found)) == said(etree.fromstring(document))
    for message in messages_of(found, "delivery-1"):
        assert [str(one) for one in VALIDATOR.collect_violations(message)] == []


REFUSED = [
    ("a document type", b"<!DOCTYPE a [<!ENTITY b 'c'>]><NewCaseMessage>&b;</NewCaseMessage>"),
    ("another document", b"<Invoice/>"),
    ("an envelope of nothing", b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>'),
    ("an envelope of something else", envelope(element_of(NewCase())).replace(b"NewCaseMessage", b"Invoice")),
    ("a document too deep", b"<NewCaseMessage>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</NewCaseMessage>"),
]


@pytest.mark.parametrize(("name", "document"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_no_document_of_ours_is_refused(name: str, document: bytes) -> None:
    with pytest.raises(WireError):
        decode(document)


UNWRITABLE = [
    ("a character that XML has not", NewCase(case=Case(informant="a\x00b"))),
    ("a part for a place that is not there", NewCase(case=Case(), aside=(Aside("Case/Defendant[3]/X", "<X/>"),))),
    ("a part that is no XML", NewCase(case=Case(informant="a"), aside=(Aside("Case/X", "<X"),))),
]


@pytest.mark.parametrize(("name", "record"), UNWRITABLE, ids=[row[0] for row in UNWRITABLE])
def test_what_makes_no_document_is_refused_by_its_place(name: str, record: NewCase) -> None:
    with pytest.raises(WireError, match=r"^Case"):
        encode(record)


def test_records_show_nothing_of_themselves() -> None:
    assert "Marchbank" not in repr(NewCase(case=Case(informant="Marchbank"), aside=(Aside("a", "Marchbank"),)))


def test_secondary_durations_stand_in_pairs() -> None:
    duration = results.Duration(value=3, unit="M", secondary_values=(12, 1), secondary_units=("M", "Y"))
    resulted = results.ResultedCases(
        session=results.Session(
            cases=(
                results.CourtCase(
                    defendant=results.CourtDefendant(
                        offences=(results.CourtOffence(results=(results.Result(outcome=results.Outcome(duration=duration)),)),)
                    )
                ),
            )
        )
    )
    text = encode_text(resulted)
    order = [text.index(f">{value}</SecondaryDuration") for value in ("12", "M", "1", "Y")]
    assert order == sorted(order)
    assert decode_text(text) == resulted
