"""The codec of the database's web service: native records to XML documents and back, with no I/O.

Everything that can go wrong is a `WireError`, which names the place and never what stands there. Attributes and elements that no record
has are passed over, so that a newer database can say more.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from lxml import etree

from adapters.footwear.records import Answer, Asker, Done, Fetch, Found, Impression, Question, Refused, Search, Shoe, Submit, Withdraw
from adapters.kit.soap import Element, SoapError, parse_xml

R = TypeVar("R")
NAMESPACE: Final = "urn:x-nfd:impressions:2"
PATH: Final = "/nfd/2/"
"""Before the name of a question, in small letters."""
CONTENT_TYPE: Final = "application/xml; charset=utf-8"
MOST: Final = 1 << 32
"""No number is as large; the contract has room for those below."""
_WHEN = "%Y-%m-%dT%H:%M:%SZ"


class WireError(ValueError):
    """A document that is no such record, or a record that makes no document."""


def path(question: Question) -> str:
    """Where a question is sent."""
    return PATH + type(question).__name__.lower()


def encode(record: Question | Answer) -> bytes:
    """The document of a question or an answer. Raises `WireError` for a character that XML can't carry."""
    try:
        return etree.tostring(_WRITERS[type(record)](record), xml_declaration=True, encoding="UTF-8")
    except ValueError:
        raise WireError(f"{type(record).__name__} holds a character that can't be sent") from None


def decode(data: bytes) -> Question | Answer:
    """The question or answer in a document. Raises `WireError`."""
    try:
        root = parse_xml(data)
    except SoapError as error:
        raise WireError(f"the document is {error}") from None
    name = etree.QName(root)
    reader = _READERS.get(name.localname)
    if reader is None or name.namespace != NAMESPACE:
        raise WireError("the document is none of this service")
    return reader(root)


def _element(tag: str, **attributes: str) -> Element:
    element = etree.Element(f"{{{NAMESPACE}}}{tag}", nsmap={None: NAMESPACE})
    for name, value in attributes.items():
        if value:
            element.set(name, value)
    return element


def _impression(record: Impression) -> Element:
    element = _element("Impression", ref=record.reference, version=str(record.version), station=record.station, status=record.status)
    for code in record.offences:
        element.append(_element("Offence", code=code))
    shoe = record.shoe
    element.append(_element("Shoe", pattern=shoe.pattern, size=shoe.size, make=shoe.make, model=shoe.model))
    if record.scan:
        when = _written(record.scanned_at) if record.scanned_at else ""
        element.append(_element("Scan", type=record.scan, at=when))
    return element


def _written(at: datetime) -> str:
    """An instant; strftime would cut a year of three figures."""
    return f"{at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _asking(tag: str, asker: Asker, **attributes: str) -> Element:
    element = _element(tag, **attributes)
    who = _element("Asker", user=asker.user, force=asker.force, reason=asker.reason, ref=asker.reference)
    who.text = asker.justification or None
    element.append(who)
    return element


def _submit(record: Submit) -> Element:
    element = _element("Submit")
    element.append(_impression(record.impression))
    return element


def _found(record: Found) -> Element:
    element = _element("Found", at=_written(record.as_at), more="Y" if record.more else "N")
    element.extend([_impression(one) for one in record.impressions])
    return element


def _refused(record: Refused) -> Element:
    element = _element("Refused", code=record.code)
    element.text = record.words or None
    return element


_WRITERS: Mapping[type[Any], Callable[[Any], Element]] = {
    Submit: _submit,
    Withdraw: lambda record: _element("Withdraw", ref=record.reference, version=str(record.version)),
    Search: lambda record: _asking(
        "Search", record.asker, pattern=record.pattern, size=record.size, make=record.make, most=str(record.most)
    ),
    Fetch: lambda record: _asking("Fetch", record.asker, ref=record.reference),
    Done: lambda record: _element("Done", version=str(record.version), status=record.status),
    Found: _found,
    Refused: _refused,
}


def _read_impression(element: Element) -> Impression:
    shoe, scan = _child(element, "Shoe"), element.find(f"{{{NAMESPACE}}}Scan")
    when = scan.get("at", "") if scan is not None else ""
    return Impression(
        reference=_needed(element, "ref"),
        version=_number(element, "version"),
        station=element.get("station", ""),
        status=element.get("status", ""),
        offences=tuple(_needed(one, "code") for one in element.iterfind(f"{{{NAMESPACE}}}Offence")),
        shoe=Shoe(pattern=shoe.get("pattern", ""), size=shoe.get("size", ""), make=shoe.get("make", ""), model=shoe.get("model", "")),
        scan=_needed(scan, "type") if scan is not None else "",
        scanned_at=_when(when, "Scan.at") if when else None,
    )


def _read_asker(element: Element) -> Asker:
    who = _child(element, "Asker")
    return Asker(
        user=who.get("user", ""),
        force=who.get("force", ""),
        reason=who.get("reason", ""),
        reference=who.get("ref", ""),
        justification=who.text or "",
    )


def _read_search(element: Element) -> Search:
    return Search(
        asker=_read_asker(element),
        pattern=element.get("pattern", ""),
        size=element.get("size", ""),
        make=element.get("make", ""),
        most=_number(element, "most"),
    )


def _read_found(element: Element) -> Found:
    more = _needed(element, "more")
    if more not in ("Y", "N"):
        raise WireError("Found.more is neither Y nor N")
    impressions = tuple(_read_impression(one) for one in element.iterfind(f"{{{NAMESPACE}}}Impression"))
    return Found(as_at=_when(_needed(element, "at"), "Found.at"), more=more == "Y", impressions=impressions)


_READERS: Mapping[str, Callable[[Element], Question | Answer]] = {
    "Submit": lambda element: Submit(impression=_read_impression(_child(element, "Impression"))),
    "Withdraw": lambda element: Withdraw(reference=_needed(element, "ref"), version=_number(element, "version")),
    "Search": _read_search,
    "Fetch": lambda element: Fetch(asker=_read_asker(element), reference=_needed(element, "ref")),
    "Done": lambda element: Done(version=_number(element, "version"), status=element.get("status", "")),
    "Found": _read_found,
    "Refused": lambda element: Refused(code=_needed(element, "code"), words=element.text or ""),
}


def _child(element: Element, tag: str) -> Element:
    found = element.find(f"{{{NAMESPACE}}}{tag}")
    if found is None:
        raise WireError(f"{etree.QName(element).localname}.{tag} is missing")
    return found


def _needed(element: Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise WireError(f"{etree.QName(element).localname}.{name} is missing")
    return value


def _number(element: Element, name: str) -> int:
    text = _needed(element, name)
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) >= MOST:
        raise WireError(f"{etree.QName(element).localname}.{name} is no number")
    return int(text)


def _when(text: str, where: str) -> datetime:
    try:
        return datetime.strptime(text, _WHEN).replace(tzinfo=UTC)
    except ValueError:
        raise WireError(f"{where} is no instant") from None
