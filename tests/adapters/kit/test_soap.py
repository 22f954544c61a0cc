"""SOAP: envelopes that keep what they carry, documents that are refused, and a client that turns every failure into a fault."""

import asyncio
import gzip
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from waiting import until

from adapters.kit import Call, Fault, Limits, Log, Reason
from adapters.kit.http import LARGEST_REPLY
from adapters.kit.soap import (
    ENVELOPE,
    Element,
    SoapClient,
    SoapError,
    SoapFault,
    envelope,
    fault_envelope,
    open_envelope,
    parse_xml,
)
from metip.breaker import State

NEVER_SAID = "QUACKENBUSH"
on_the_loop = pytest.mark.asyncio(loop_scope="module")


def element(text: str = NEVER_SAID, tag: str = "{urn:far}Ask") -> Element:
    """A body element with one text."""
    found = etree.Element(tag)
    etree.SubElement(found, "surname").text = text
    return found


# Documents.

# What lxml can hold: XML 1.0 has no control characters, no surrogates and two code points fewer; a carriage return is read as a line feed.
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=40)


@settings(deadline=None, max_examples=50)
@given(text=TEXT, encoding=st.sampled_from(["UTF-8", "ISO-8859-1", "windows-1252", "UTF-16"]))
def test_what_goes_into_an_envelope_comes_out_in_any_encoding(text: str, encoding: str) -> None:
    assert (open_envelope(envelope(element(text), encoding=encoding)).findtext("surname") or "") == text


def test_headers_go_before_the_body_and_do_not_disturb_it() -> None:
    data = envelope(element(), element("one", "{urn:far}Session"), element("two", "{urn:far}Trace"))
    root = parse_xml(data)
    assert [child.tag for child in root] == [f"{{{ENVELOPE}}}Header", f"{{{ENVELOPE}}}Body"]
    assert [header.tag for header in root[0]] == ["{urn:far}Session", "{urn:far}Trace"]
    assert open_envelope(data).tag == "{urn:far}Ask"


ENTITY = '<!DOCTYPE a [<!ENTITY e "boom">]>'
LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]>"
REFUSED = {
    "empty": b"",
    "not-xml": b"\x00\xff\x13\x37",
    "json": b'{"surname": "x"}',
    "cut-short": envelope(element())[:-10],
    "two-roots": b"<a/><b/>",
    "entity": f"{ENTITY}<a>&e;</a>".encode(),
    "entity-in-an-attribute": f"{ENTITY}<a b='&e;'/>".encode(),
    "laughs": f"{LAUGHS}<a>&j;</a>".encode(),
    "laughs-in-an-attribute": f"{LAUGHS}<a b='&j;'/>".encode(),
    "external-entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
    "parameter-entity": b'<!DOCTYPE a [<!ENTITY % e SYSTEM "http://127.0.0.1:1/x"> %e;]><a/>',
    "dtd": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>',
    "plain-doctype": b"<!DOCTYPE a><a/>",
    "undeclared-entity": b"<a>&nbsp;</a>",
    "too-deep": b"<a>" * 5000 + b"</a>" * 5000,
    "huge-text": b"<a>" + b"x" * 11_000_000 + b"</a>",
    "unknown-encoding": b'<?xml version="1.0" encoding="klingon"?><a/>',
    "wrong-encoding": b'<?xml version="1.0" encoding="UTF-8"?><a>\xe9</a>',
}


REFUSED |= {"a prefix that is not declared, before a namespace of which libxml2 only warns": b'<a><b:c><d xmlns="e"/></b:c></a>'}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_a_document_that_is_not_plain_xml_is_refused_without_repeating_it(data: bytes) -> None:
    with pytest.raises(SoapError) as caught:
        parse_xml(data)
    assert str(caught.value) in ("not well-formed XML", "a document type is not allowed")


SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
NO_ENVELOPE = {
    "another-root": b"<html><body/></html>",
    "soap-1.2": f'<e:Envelope xmlns:e="{SOAP_12}"><e:Body><a/></e:Body></e:Envelope>'.encode(),
    "no-namespace": b"<Envelope><Body><a/></Body></Envelope>",
    "no-body": f'<e:Envelope xmlns:e="{ENVELOPE}"/>'.encode(),
    "empty-body": f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body/></e:Envelope>'.encode(),
    "only-a-comment": f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body><!-- a --></e:Body></e:Envelope>'.encode(),
    "two-in-the-body": f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body><a/><b/></e:Body></e:Envelope>'.encode(),
    "wrong-root-with-a-body": f'<e:Wrap xmlns:e="{ENVELOPE}"><e:Body><a/></e:Body></e:Wrap>'.encode(),
}


@pytest.mark.parametrize("data", NO_ENVELOPE.values(), ids=NO_ENVELOPE)
def test_a_document_that_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(SoapError, match=r"not a SOAP 1\.1 envelope"):
        open_envelope(data)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_either_xml_or_refused(data: bytes) -> None:
    with suppress(SoapError):
        assert parse_xml(data) is not None


def test_comments_and_instructions_cut_no_text_in_half() -> None:
    inside = "<?pi x?><!-- a --><Ask><surname>Quacken<!-- b -->bush</surname></Ask><!-- c -->"
    data = f'<?xml version="1.0"?><!-- a --><e:Envelope xmlns:e="{ENVELOPE}"><e:Body>{inside}</e:Body></e:Envelope>'
    assert open_envelope(data.encode()).findtext("surname") == "Quackenbush"


FAULTS: list[tuple[str, str, Mapping[str, str]]] = [
    ("Client", "a person of that name", {}),
    ("Server", "", {"code": "E42", "record": "1234"}),
    ("", "no code", {"code": ""}),
]


@pytest.mark.parametrize(("code", "words", "detail"), FAULTS, ids=[code or "none" for code, _, _ in FAULTS])
@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1"])
def test_a_fault_is_raised_with_code_words_and_detail(code: str, words: str, detail: Mapping[str, str], encoding: str) -> None:
    with pytest.raises(SoapFault) as caught:
        open_envelope(fault_envelope(code, words, detail, encoding=encoding))
    assert (caught.value.code, caught.value.words, caught.value.detail) == (code, words, detail)


def test_a_fault_by_another_prefix_or_none_and_with_blanks_is_read_all_the_same() -> None:
    for code in ("x:Server", "Server", "\n   x:Server\n"):
        fault = f"<f:Fault><faultcode>{code}</faultcode></f:Fault>"
        with pytest.raises(SoapFault) as caught:
            open_envelope(f'<f:Envelope xmlns:f="{ENVELOPE}"><f:Body>{fault}</f:Body></f:Envelope>'.encode())
        assert (caught.value.code, caught.value.words, caught.value.detail) == ("Server", "", {})


# The client, against a real server.

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Far:
    """A far system whose answer a test sets, and a client of it."""

    def __init__(self) -> None:
        self.answer: Answer = self.say(envelope(element("told", "{urn:far}Told")))
        self.asked: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.client: SoapClient
        self.written = io.StringIO()

    def say(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """An answer that is always the same."""

        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers=headers)

        return answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Remembers and answers."""
        self.asked.append((request.method, request.path, request.headers.copy(), await request.read()))
        return await self.answer(request)

    async def ask(self, *, within: float = 5.0, write_once: bool = False) -> Element:
        """Asks."""
        return await self.client.ask("/service", "urn:far/Ask", element(), call(within), write_once=write_once)

    async def fault(self, *, within: float = 5.0, write_once: bool = False) -> Fault:
        """Asks and gives the fault, in which nothing is repeated that was asked or answered."""
        with pytest.raises(Fault) as caught:
            await self.ask(within=within, write_once=write_once)
        assert NEVER_SAID not in repr(caught.value)
        return caught.value


def call(within: float = 5.0) -> Call:
    """A call whose caller gives up after so many seconds."""
    return Call("call-1", "metip.sample.v1.SampleService/Ask", "spiffe://metip.local/consumer/test", None, time.monotonic() + within)


def limits(address: str) -> Limits:
    """Limits under which no circuit opens by accident."""
    return Limits(address, sessions=4, timeout=5.0, failures_to_open=100, open_for=timedelta(seconds=60), max_waiting=4)


@asynccontextmanager
async def http(handle: Answer) -> AsyncIterator[str]:
    """A real server for the length of the block."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw(reply: bytes) -> AsyncIterator[str]:
    """A server that reads a request's beginning, says these bytes and closes the connection."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"</soap:Envelope>")
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()


@pytest_asyncio.fixture(loop_scope="module")
async def far() -> AsyncIterator[Far]:
    """A far system and its client; its log never holds what was asked."""
    found = Far()
    async with http(found.handle) as address, SoapClient.connected(limits(address), Log(found.written)) as found.client:
        yield found
    assert NEVER_SAID not in found.written.getvalue()


@on_the_loop
async def test_a_question_is_posted_as_soap_1_1_and_its_answer_given(far: Far) -> None:
    answer = await far.ask()
    assert (answer.tag, answer.findtext("surname")) == ("{urn:far}Told", "told")
    ((method, path, headers, body),) = far.asked
    assert (method, path) == ("POST", "/service")
    assert headers["SOAPAction"] == '"urn:far/Ask"'
    assert headers["Content-Type"] == "text/xml; charset=utf-8"
    assert open_envelope(body).findtext("surname") == NEVER_SAID


@on_the_loop
async def test_a_far_system_that_speaks_latin_1_is_written_to_and_read_in_it() -> None:
    found = Far()
    found.answer = found.say(envelope(element("Müller", "{urn:far}Told"), encoding="ISO-8859-1"))
    async with http(found.handle) as address, SoapClient.connected(limits(address), Log(found.written), encoding="ISO-8859-1") as client:
        answer = await client.ask("/service", "urn:far/Ask", element("Zoë Łuk"), call())
    assert answer.findtext("surname") == "Müller"
    _, _, headers, body = found.asked[0]
    assert headers["Content-Type"] == "text/xml; charset=iso-8859-1"
    assert "Zoë &#321;uk".encode("latin-1") in body


@on_the_loop
async def test_header_elements_go_out(far: Far) -> None:
    await far.client.ask("/", "a", element(), call(), headers=(element("ticket", "{urn:far}Session"),))
    assert parse_xml(far.asked[0][3])[0][0].findtext("surname") == "ticket"


@on_the_loop
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("write_once", [False, True], ids=["query", "write"])
async def test_a_soap_fault_is_an_answer_whatever_its_status(far: Far, status: int, write_once: bool) -> None:
    far.answer = far.say(fault_envelope("Client", NEVER_SAID, {"code": "E42"}), status)
    with pytest.raises(SoapFault) as caught:
        await far.ask(write_once=write_once)
    assert (caught.value.code, caught.value.detail) == ("Client", {"code": "E42"})
    assert far.client.guard.breaker.state is State.CLOSED


# What the far system answers, and what the caller is told.
ANSWERS: dict[str, tuple[int, bytes, Reason]] = {
    "html": (200, b"<html>" + NEVER_SAID.encode(), Reason.UPSTREAM_FAULT),
    "garbage": (200, b"\x00\xff" + NEVER_SAID.encode(), Reason.UPSTREAM_FAULT),
    "nothing": (200, b"", Reason.UPSTREAM_FAULT),
    "doctype": (200, f"<!DOCTYPE a><a>{NEVER_SAID}</a>".encode(), Reason.UPSTREAM_FAULT),
    "error-page": (500, b"<html>" + NEVER_SAID.encode(), Reason.UPSTREAM_FAULT),
    "too-large": (200, b"x" * (LARGEST_REPLY + 1), Reason.UPSTREAM_FAULT),
    "not-found": (404, NEVER_SAID.encode(), Reason.UPSTREAM_FAULT),
    "forbidden": (403, envelope(element()), Reason.UPSTREAM_FAULT),
    "accepted": (202, b"", Reason.UPSTREAM_FAULT),
    "bad-gateway": (502, NEVER_SAID.encode(), Reason.UPSTREAM_UNAVAILABLE),
    "unavailable": (503, NEVER_SAID.encode(), Reason.UPSTREAM_UNAVAILABLE),
    "gateway-timeout": (504, NEVER_SAID.encode(), Reason.UPSTREAM_UNAVAILABLE),
}


@on_the_loop
@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("write_once", [False, True], ids=["query", "write"])
async def test_an_answer_that_is_none_becomes_a_fault_and_a_write_is_in_doubt(far: Far, case: str, write_once: bool) -> None:
    status, body, reason = ANSWERS[case]
    far.answer = far.say(body, status)
    assert (await far.fault(write_once=write_once)).reason is (Reason.IN_DOUBT if write_once else reason)


@on_the_loop
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_is_not_followed(far: Far, status: int) -> None:
    far.answer = far.say(b"", status, {"Location": "/elsewhere"})
    assert (await far.fault()).reason is Reason.UPSTREAM_FAULT
    assert [path for _, path, _, _ in far.asked] == ["/service"]


@on_the_loop
async def test_a_far_system_that_likes_to_compress_is_asked_not_to(far: Far) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        body = envelope(element("told", "{urn:far}Told"))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
        return web.Response(body=body)

    far.answer = answer
    assert (await far.ask()).findtext("surname") == "told"


@on_the_loop
@pytest.mark.parametrize("write_once", [False, True], ids=["query", "write"])
async def test_a_far_system_that_does_not_answer_in_time(far: Far, write_once: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    far.answer = answer
    fault = await far.fault(within=0.1, write_once=write_once)
    assert fault.reason is (Reason.IN_DOUBT if write_once else Reason.TIMED_OUT)


@on_the_loop
async def test_a_write_whose_caller_goes_away_is_logged_as_in_doubt(far: Far) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    far.answer = answer
    asking = asyncio.create_task(far.ask(write_once=True))
    await until(lambda: far.asked)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert '"in_doubt"' in far.written.getvalue()


async def _fault_at(address: str, *, write_once: bool) -> Reason:
    async with SoapClient.connected(limits(address), Log(io.StringIO())) as client:
        with pytest.raises(Fault) as caught:
            await client.ask("/", "a", element(), call(), write_once=write_once)
    assert NEVER_SAID not in str(caught.value)
    return caught.value.reason


@on_the_loop
@pytest.mark.parametrize("write_once", [False, True], ids=["query", "write"])
async def test_a_far_system_that_refuses_the_connection_is_unavailable_and_no_write_in_doubt(write_once: bool) -> None:
    async with raw(b"") as address:
        pass
    assert await _fault_at(address, write_once=write_once) is Reason.UPSTREAM_UNAVAILABLE


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
BROKEN = {
    "closed-at-once": b"",
    "half-a-status": b"HTTP/1.1 20",
    "half-a-head": HEAD,
    "half-a-body": HEAD + b"Content-Length: 500\r\n\r\n" + envelope(element())[:100],
    "half-a-chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1f4\r\n<a>",
    "not-http": b"\x00\xff\x13\x37 nothing that any protocol would say\r\n\r\n",
    "two-lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n<a/>",
}


@on_the_loop
@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("write_once", [False, True], ids=["query", "write"])
async def test_a_connection_that_breaks_is_unavailable_and_a_write_in_doubt(reply: bytes, write_once: bool) -> None:
    async with raw(reply) as address:
        reason = await _fault_at(address, write_once=write_once)
    assert reason is (Reason.IN_DOUBT if write_once else Reason.UPSTREAM_UNAVAILABLE)


@on_the_loop
async def test_no_answer_opens_the_circuit_and_a_soap_fault_does_not() -> None:
    far = Far()
    async with http(far.handle) as address:
        said = replace(limits(address), failures_to_open=2)
        async with SoapClient.connected(said, Log(far.written)) as far.client:
            far.answer = far.say(fault_envelope("Client", "no"))
            for _ in range(3):
                with pytest.raises(SoapFault):
                    await far.ask()
            far.answer = far.say(b"", 503)
            for _ in range(2):
                assert (await far.fault()).reason is Reason.UPSTREAM_UNAVAILABLE
            assert (await far.fault()).reason is Reason.CIRCUIT_OPEN
