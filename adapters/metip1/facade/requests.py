"""A SOAP request read strictly: which operation it calls, with which record, why somebody asks and on whose token. Pure.

The law: what is not understood is refused, not guessed. One body element, of an operation of the service that the path names; the action is
that operation's. Of headers, the context and the token count. Addresses are read as far as they must agree with what happens anyway, and
the bus's `Requester` is passed over: who asks is the certificate and the token, whatever a header claims. Any other that must be understood
is not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapters.kit.soap import ENVELOPE, Element, SoapError, body_of, parse_xml
from adapters.metip1.facade.refusals import CLIENT, UNDERSTOOD, VERSION, malformed, refused
from adapters.metip1.security import SECURITY, SecurityError, token_of
from adapters.metip1.services import CONTEXT, SoapOperation, SoapService
from adapters.metip1.wire import ADDRESSING, REQUESTER, Record, WireError, record_of
from metip.faults import Fault, Reason

DEEPEST: Final = 64
MOST_ELEMENTS: Final = 20_000
NEXT: Final = "http://schemas.xmlsoap.org/soap/actor/next"
SOAP_1_2: Final = "{http://www.w3.org/2003/05/soap-envelope}Envelope"
ENCODINGS: Final = frozenset({None, "UTF-8", "US-ASCII", "ASCII"})

ANONYMOUS: Final = f"{ADDRESSING}/anonymous"
NUMBER: Final = re.compile("[!-~]{1,200}")

Operations = Mapping[str, SoapOperation]
"""The operations of one service by the tag of what they are asked with."""


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """One call as the consumer made it."""

    operation: SoapOperation
    record: Record
    context: Record | None
    """None where there is no such header."""
    token: str
    """The officer's, unverified: that is Envoy's to do. Empty without one."""
    number: str = ""
    """The consumer's own number of the question (`wsa:MessageID`), to which the answer says that it relates."""


def operations_of(operations: Sequence[SoapOperation], service: SoapService) -> Operations:
    """The operations of a service."""
    return {one.asked.tag: one for one in operations if one.service == service}


def read(data: bytes, action: str | None, known: Operations) -> Asked:
    """The call in a request; `action` is its SOAPAction header as it came. Raises `Refusal`."""
    root = _root(data)
    try:
        body = body_of(root)
    except SoapError as error:
        raise malformed(f"the document is {error}") from None
    if body is None:
        raise malformed("the document is no SOAP 1.1 envelope", soap_code=VERSION if root.tag == SOAP_1_2 else CLIENT)
    operation = known.get(str(body.tag))
    if operation is None:
        raise malformed("the service has no operation that is asked with such an element")
    if action is None or action.strip().strip('"') != operation.action:
        raise malformed("the SOAPAction is not that of the operation in the body")
    headers = _headers(root.find(f"{{{ENVELOPE}}}Header"))
    context, security = headers.get(CONTEXT.tag), headers.get(SECURITY)
    number = _addressed(headers, operation.action)
    try:
        record = record_of(operation.asked, body)
        why = record_of(CONTEXT, context) if context is not None else None
        return Asked(operation, record, why, token_of(security) if security is not None else "", number)
    except WireError as error:
        raise refused(Fault(Reason.INVALID_REQUEST, f"{error}")) from None
    except SecurityError as error:
        raise refused(Fault(Reason.OFFICER_NEEDED, f"{error}")) from None


def _root(data: bytes) -> Element:
    """The document's root, within the limits. Raises `Refusal`."""
    try:
        root = parse_xml(data)
    except SoapError as error:
        raise malformed(f"the document is refused: {error}") from None
    if (root.getroottree().docinfo.encoding or "UTF-8").upper() not in ENCODINGS:
        raise malformed("the document must be in UTF-8")
    level, depth, count = [root], 0, 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > DEEPEST or count > MOST_ELEMENTS:
            raise malformed(f"the document has more than {DEEPEST} levels or {MOST_ELEMENTS} elements")
        level = [child for one in level for child in one.iterchildren("*")]
    return root


def _headers(header: Element | None) -> Mapping[str, Element]:
    """The headers that are for us and understood, by full name. Raises `Refusal`."""
    found: dict[str, Element] = {}
    for one in header.iterchildren("*") if header is not None else ():
        if one.get(f"{{{ENVELOPE}}}actor", NEXT) != NEXT:
            continue
        name = str(one.tag)
        if name not in (CONTEXT.tag, SECURITY, REQUESTER.tag) and not name.startswith(f"{{{ADDRESSING}}}"):
            if one.get(f"{{{ENVELOPE}}}mustUnderstand", "0") in ("1", "true"):
                raise malformed("a header that must be understood is not", soap_code=UNDERSTOOD)
            continue
        if name in found:
            raise malformed("a header is there twice")
        found[name] = one
    return found


def _addressed(headers: Mapping[str, Element], action: str) -> str:
    """The question's number, empty without one that can be repeated. Raises `Refusal` for addresses by which it would go another way."""
    said = headers.get(f"{{{ADDRESSING}}}Action")
    if said is not None and (said.text or "").strip() != action:
        raise malformed("the action of the addresses is not that of the operation in the body")
    for name in ("ReplyTo", "FaultTo"):
        back = headers.get(f"{{{ADDRESSING}}}{name}")
        if back is not None and (back.findtext(f"{{{ADDRESSING}}}Address") or "").strip() != ANONYMOUS:
            raise malformed("an answer goes back on the connection of its question, and nowhere else")
    number = headers.get(f"{{{ADDRESSING}}}MessageID")
    text = ((number.text or "") if number is not None else "").strip()
    return text if NUMBER.fullmatch(text) else ""


def relating(number: str) -> tuple[Element, ...]:
    """The headers of an answer to the question of that number; none where it had none."""
    if not number:
        return ()
    header = etree.Element(f"{{{ADDRESSING}}}RelatesTo", nsmap={"wsa": ADDRESSING})
    header.text = number
    return (header,)
