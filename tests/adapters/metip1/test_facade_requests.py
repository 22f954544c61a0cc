"""SOAP requests read strictly: what a good one says, and that every hostile or half-understood one is refused without repeating it."""

from typing import Final

import pytest
from lxml import etree

from adapters.kit.soap import ENVELOPE, envelope
from adapters.metip1.facade.refusals import Refusal
from adapters.metip1.facade.requests import DEEPEST, MOST_ELEMENTS, Asked, operations_of, read, relating
from adapters.metip1.security import WSSE, WSU, SecurityError, token_header, token_of
from adapters.metip1.services import OPERATIONS, PNC
from adapters.metip1.wire import ADDRESSING, REQUESTER, element_of
from tests.adapters.metip1.facade_rig import BY_NAME, CONTEXT_RECORD, TOKEN, document

GET = BY_NAME["GetName"]
KNOWN = operations_of(OPERATIONS, PNC)
SECRET = "TESTCASE"
GOOD = document(GET, {"PNCID": SECRET})
DOCTYPE = b'<!DOCTYPE a [<!ENTITY b "c">]>'
LAUGHS = (
    b"<!DOCTYPE a [<!ENTITY a0 'ha'>" + b"".join(b"<!ENTITY a%d '%s'>" % (one, b"&a%d;" % (one - 1) * 10) for one in range(1, 10)) + b"]>"
)
BEGIN = GOOD.index(b"<soap:Envelope")


def headed(*headers: bytes, body: bytes = b"") -> bytes:
    """An envelope around these headers and that body."""
    asked = body or etree.tostring(element_of(GET.asked, {"PNCID": SECRET}))
    inside = b"".join(headers)
    return b'<s:Envelope xmlns:s="%s"><s:Header>%s</s:Header><s:Body>%s</s:Body></s:Envelope>' % (ENVELOPE.encode(), inside, asked)


HOSTILE: Final[dict[str, bytes]] = {
    "nothing": b"",
    "no XML": b"\x00\xff nothing",
    "a document type": GOOD[:BEGIN] + DOCTYPE + GOOD[BEGIN:],
    "an entity of a file": GOOD[:BEGIN]
    + b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>'
    + GOOD[BEGIN:].replace(SECRET.encode(), b"&b;"),
    "an entity of the network": GOOD[:BEGIN] + b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://localhost:1/x"> %b;]>' + GOOD[BEGIN:],
    "a billion laughs": GOOD[:BEGIN] + LAUGHS + GOOD[BEGIN:].replace(SECRET.encode(), b"&a9;"),
    "nested without end": headed(body=b"<a>" * 100_000 + b"</a>" * 100_000),
    "nested too deep": headed(body=b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1)),
    "too many elements": headed(body=b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>"),
    "another encoding": etree.tostring(etree.fromstring(GOOD), xml_declaration=True, encoding="UTF-16"),
    "Latin-1": etree.tostring(etree.fromstring(GOOD), xml_declaration=True, encoding="ISO-8859-1"),
    "no envelope": etree.tostring(element_of(GET.asked, {"PNCID": SECRET})),
    "two elements in the body": headed(body=b"<a/><b/>"),
    "an empty body": headed(body=b" "),
    "an element that no operation has": headed(body=b'<GetName xmlns="urn:other"/>'),
    "an operation of another service": document(BY_NAME["GetCrime"], {}),
    "the context twice": headed(*[etree.tostring(element_of(GET.asked.__class__("RequestContext", "urn:metip:bus:1", ()), {}))] * 2),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_refused_and_nothing_of_it_repeated(data: bytes) -> None:
    refusal = refused(data)
    assert (refusal.reason, refusal.soap_code, refusal.status) == ("MALFORMED", "Client", 500)
    assert SECRET.encode() not in refusal.document()
    assert len(refusal.document()) < 1200


def test_a_good_request_is_read_whole() -> None:
    asked = read(GOOD, f'"{GET.action}"', KNOWN)
    assert (asked.operation, asked.record, asked.context, asked.token) == (GET, {"PNCID": SECRET}, CONTEXT_RECORD, TOKEN)
    assert read(GOOD, GET.action, KNOWN).operation is GET


def test_a_request_without_headers_is_read_and_left_to_the_mesh_to_refuse() -> None:
    asked = read(envelope(element_of(GET.asked, {})), GET.action, KNOWN)
    assert (asked.record, asked.context, asked.token) == ({}, None, "")


@pytest.mark.parametrize("action", [None, "", '""', "urn:metip:bus:1:PNCEnquiry/FindNames", "GetName"])
def test_an_action_that_is_not_the_bodys_is_refused(action: str | None) -> None:
    assert refused(GOOD, action).reason == "MALFORMED"


def test_soap_1_2_is_another_version() -> None:
    data = GOOD.replace(ENVELOPE.encode(), b"http://www.w3.org/2003/05/soap-envelope")
    assert refused(data).soap_code == "VersionMismatch"


HEADERS: Final = {
    "must be understood": (b'<x xmlns="urn:x" s:mustUnderstand="1"/>', "MustUnderstand"),
    "must be understood by the next": (
        b'<x xmlns="urn:x" s:mustUnderstand="1" s:actor="http://schemas.xmlsoap.org/soap/actor/next"/>',
        "MustUnderstand",
    ),
    "for another": (b'<x xmlns="urn:x" s:mustUnderstand="1" s:actor="urn:another"/>', ""),
    "need not be understood": (b'<x xmlns="urn:x"/>', ""),
}


@pytest.mark.parametrize(("header", "code"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_must_be_understood_is_or_the_call_is_refused(header: bytes, code: str) -> None:
    if code:
        assert refused(headed(header)).soap_code == code
    else:
        assert read(headed(header), GET.action, KNOWN).operation is GET


def test_an_element_that_stands_twice_or_holds_others_is_named_and_not_shown() -> None:
    twice = etree.tostring(element_of(GET.asked, {"PNCID": SECRET})).replace(b"<PNCID>", b"<PNCID>X</PNCID><PNCID>")
    for body in (twice, twice.replace(b"X</PNCID><PNCID>", b"<a/>")):
        refusal = refused(headed(body=body))
        assert (refusal.reason, refusal.soap_code) == ("INVALID_REQUEST", "Client")
        assert "GetName/PNCID" in refusal.text
        assert SECRET not in refusal.text


# Addresses and claims


def addressed(name: str, text: str) -> bytes:
    """A header of WS-Addressing; a reply's address stands in an element of its own."""
    inside = f"<a:Address>{text}</a:Address>" if name.endswith("To") else text
    return f'<a:{name} xmlns:a="{ADDRESSING}" s:mustUnderstand="1">{inside}</a:{name}>'.encode()


def test_what_the_old_bus_was_told_by_headers_is_read_as_far_as_it_changes_nothing() -> None:
    requester = etree.tostring(element_of(REQUESTER, {"Account": "SOMEBODY", "UserId": "P1"})).replace(
        b"<Requester", b'<Requester s:mustUnderstand="1"'
    )
    headers = (
        addressed("MessageID", "urn:uuid:7"),
        addressed("Action", GET.action),
        addressed("ReplyTo", f"{ADDRESSING}/anonymous"),
        requester,
    )
    asked = read(headed(*headers), GET.action, KNOWN)
    assert (asked.operation, asked.number, asked.token) == (GET, "urn:uuid:7", "")
    (header,) = relating(asked.number)
    assert (header.tag, header.text) == (f"{{{ADDRESSING}}}RelatesTo", "urn:uuid:7")


@pytest.mark.parametrize("header", [("Action", "urn:other"), ("ReplyTo", "https://elsewhere.example"), ("FaultTo", "")])
def test_addresses_by_which_a_call_would_go_another_way_are_refused(header: tuple[str, str]) -> None:
    assert refused(headed(addressed(*header))).reason == "MALFORMED"


@pytest.mark.parametrize("number", ["", "x" * 201, "a b", "é"])
def test_a_number_that_is_none_is_not_repeated(number: str) -> None:
    assert relating(read(headed(addressed("MessageID", number)), GET.action, KNOWN).number) == ()


# The token


def security(inside: bytes) -> bytes:
    """A Security header around that."""
    return b'<w:Security xmlns:w="%s" xmlns:u="%s">%s</w:Security>' % (WSSE.encode(), WSU.encode(), inside)


TOKENS: Final = {
    "nothing": b"",
    "a password": b"<w:UsernameToken/>",
    "a token beside a signature": b'<w:BinarySecurityToken>a.b.c</w:BinarySecurityToken><d:Signature xmlns:d="urn:d"/>',
    "two tokens": b"<w:BinarySecurityToken>a.b.c</w:BinarySecurityToken>" * 2,
    "a token of another type": b'<w:BinarySecurityToken ValueType="urn:x509">a.b.c</w:BinarySecurityToken>',
    "another encoding": b'<w:BinarySecurityToken EncodingType="urn:hex">a.b.c</w:BinarySecurityToken>',
    "no JWT": b"<w:BinarySecurityToken>TESTCASE</w:BinarySecurityToken>",
    "an empty token": b"<w:BinarySecurityToken/>",
    "two parts": b"<w:BinarySecurityToken>a.b</w:BinarySecurityToken>",
    "a line in it": b"<w:BinarySecurityToken>a.b.c&#10;x: y</w:BinarySecurityToken>",
    "too long": b"<w:BinarySecurityToken>a.b." + b"c" * 9000 + b"</w:BinarySecurityToken>",
    "elements in it": b"<w:BinarySecurityToken><a/>a.b.c</w:BinarySecurityToken>",
}


@pytest.mark.parametrize("inside", TOKENS.values(), ids=TOKENS)
def test_a_security_header_that_can_not_be_taken_at_its_word_is_refused(inside: bytes) -> None:
    refusal = refused(headed(security(inside)))
    assert (refusal.reason, refusal.soap_code) == ("OFFICER_NEEDED", "Client")
    assert SECRET not in refusal.text


@pytest.mark.parametrize(
    "inside",
    [b"<w:BinarySecurityToken> a.b.c </w:BinarySecurityToken>", b"<u:Timestamp/><w:BinarySecurityToken>YS5iLmM=</w:BinarySecurityToken>"],
)
def test_a_token_is_read_as_it_is_or_encoded(inside: bytes) -> None:
    assert read(headed(security(inside)), GET.action, KNOWN).token == "a.b.c"


def test_what_the_bridge_writes_the_facade_reads() -> None:
    assert token_of(token_header(TOKEN)) == TOKEN
    with pytest.raises(SecurityError):
        token_of(token_header("no token"))


def test_nothing_that_was_asked_shows_itself() -> None:
    assert SECRET not in repr(read(GOOD, GET.action, KNOWN))
    assert isinstance(read(GOOD, GET.action, KNOWN), Asked)


def refused(data: bytes, action: str | None = GET.action) -> Refusal:
    """The refusal of a request."""
    with pytest.raises(Refusal) as told:
        read(data, action, KNOWN)
    return told.value
