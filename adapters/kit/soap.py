"""SOAP 1.1 for adapters and simulators: envelopes as pure functions, and a client that maps every failure to a fault.

XML is parsed with entities, DTDs and network off; a document with any of them is refused. Comments and processing instructions are
dropped, so that `Smi<!-- -->th` reads as one word and not as its first half.
"""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lxml import etree

from adapters.kit.http import HttpClient
from adapters.kit.upstream import Limits, Passage
from metip.call import Call
from metip.faults import Fault, Reason
from metip.logs import Log

Element = etree._Element
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class SoapError(ValueError):
    """A document that is no SOAP envelope; the text says why and repeats none of it."""


@dataclass
class SoapFault(Exception):
    """What the far system said instead of an answer: its code (the local part), and its words, which may name people."""

    code: str
    words: str
    detail: Mapping[str, str]


def parse_xml(data: bytes) -> Element:
    """Parses a document without entities, DTD or network. Raises `SoapError`."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SoapError("not well-formed XML") from error
    if len(parser.error_log.filter_from_errors()):  # lxml 6.1 lets an undeclared prefix pass when only a warning follows it
        raise SoapError("not well-formed XML")
    if root.getroottree().docinfo.doctype:
        raise SoapError("a document type is not allowed")
    return root


def envelope(body: Element, *headers: Element, encoding: str = "UTF-8") -> bytes:
    """A SOAP 1.1 document around one body element. A character that `encoding` lacks goes out as a character reference."""
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE})
    if headers:
        etree.SubElement(root, f"{{{ENVELOPE}}}Header").extend(headers)
    etree.SubElement(root, f"{{{ENVELOPE}}}Body").append(body)
    return etree.tostring(root, xml_declaration=True, encoding=encoding)


def fault_envelope(code: str, words: str, detail: Mapping[str, str] | None = None, *, encoding: str = "UTF-8") -> bytes:
    """A SOAP fault as a far system sends it; `detail` becomes one element for each entry."""
    fault = etree.Element(f"{{{ENVELOPE}}}Fault")
    etree.SubElement(fault, "faultcode").text = f"soap:{code}"
    etree.SubElement(fault, "faultstring").text = words
    if detail:
        inside = etree.SubElement(fault, "detail")
        for name, value in detail.items():
            etree.SubElement(inside, name).text = value
    return envelope(fault, encoding=encoding)


def body_of(root: Element) -> Element | None:
    """The element in an envelope's body; None for a document that is no envelope. Raises `SoapError` for one with another body."""
    if root.tag != f"{{{ENVELOPE}}}Envelope":
        return None
    body = root.find(f"{{{ENVELOPE}}}Body")
    if body is None or len(body) != 1:
        raise SoapError("not a SOAP 1.1 envelope with one element in its body")
    return body[0]


def header_and_body(data: bytes) -> tuple[Sequence[Element], Element]:
    """The elements of the header, none where there is no header, and the one in the body. Raises `SoapError` for what is no envelope."""
    root = parse_xml(data)
    inside, header = body_of(root), root.find(f"{{{ENVELOPE}}}Header")
    if inside is None:
        raise SoapError("not a SOAP 1.1 envelope")
    return () if header is None else tuple(header.iterchildren("*")), inside


def open_envelope(data: bytes) -> Element:
    """The element in the body. Raises `SoapFault` when it is a fault and `SoapError` when the document is no envelope."""
    _, inside = header_and_body(data)
    if inside.tag != f"{{{ENVELOPE}}}Fault":
        return inside
    detail = {etree.QName(entry).localname: entry.text or "" for entry in inside.iterfind("detail/*")}
    raise SoapFault((inside.findtext("faultcode") or "").strip().rpartition(":")[2], inside.findtext("faultstring") or "", detail)


class SoapClient:
    """Asks one SOAP endpoint. Connections are pooled; bulkhead, breaker and time limit are the guard's.

    Requests are written in `encoding`; a reply is read in the one that its XML declaration names, UTF-8 where it names none.
    """

    def __init__(self, http: HttpClient, *, encoding: str = "UTF-8") -> None:
        self.guard = http.guard
        self._http = http
        self._encoding = encoding

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, limits: Limits, log: Log, *, encoding: str = "UTF-8", tls: ssl.SSLContext | None = None
    ) -> "AsyncIterator[SoapClient]":
        """A client for the length of the block. `tls` is what it shows and accepts over HTTPS."""
        async with HttpClient.connected(limits, log, tls=tls) as http:
            yield cls(http, encoding=encoding)

    async def ask(
        self, path: str, action: str, body: Element, call: Call, *, headers: Sequence[Element] = (), write_once: bool = False
    ) -> Element:
        """Sends one body element, under header elements where the far system wants them, and gives the one that comes back.

        Raises `SoapFault` when the far system answered with one (the caller knows what its codes mean), and `Fault` for everything else:
        UPSTREAM_UNAVAILABLE, UPSTREAM_FAULT, TIMED_OUT, BUSY, CIRCUIT_OPEN; with `write_once`, IN_DOUBT once the request has left.
        """
        data = envelope(body, *headers, encoding=self._encoding)
        async with self.guard.admit(call, write_once=write_once) as passage:
            answer = await self._exchange(path, action, data, passage)
        # A SOAP fault is an answer, a sign of life to the guard, so it is raised outside.
        if isinstance(answer, SoapFault):
            raise answer
        return answer

    async def _exchange(self, path: str, action: str, data: bytes, passage: Passage) -> Element | SoapFault:
        headers = {"Content-Type": f"text/xml; charset={self._encoding.lower()}", "SOAPAction": f'"{action}"'}
        answer = await self._http.exchange("POST", path, passage, headers=headers, data=data)
        if answer.status not in (200, 500):
            raise Fault(Reason.UPSTREAM_FAULT, f"the far system answered HTTP {answer.status}")
        try:
            return open_envelope(answer.body)
        except SoapFault as fault:
            return fault
        except SoapError as error:
            raise Fault(Reason.UPSTREAM_FAULT, f"the far system answered something that is {error}") from None
