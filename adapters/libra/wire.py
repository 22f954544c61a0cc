"""The codec of the CJS Exchange: bytes to native records and back, with no I/O.

What the law of one field is, its record says (`adapters.libra.layout`); this is the walk over it, the same for every record and in both
directions. A payload loses nothing here: an element that the schema does not have at its place, a second one where one may stand, and a
text that is none of its kind are kept aside with their path, and are written again at that path. Stray text between elements is passed
over, and so is all of this around payloads, in the exchange's own envelopes. What is no document of ours at all is a `WireError`, which
names the place, never what stands there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar
from xml.sax.saxutils import unescape

from lxml import etree

from adapters.kit.soap import ENVELOPE, SoapError, parse_xml
from adapters.libra import cases_sent, envelopes, results
from adapters.libra.layout import SHAPES, Attribute, Document, Leaf, Part, Place, places
from adapters.libra.records import BS7666, SPI, Aside

Element = etree._Element
R = TypeVar("R")

DOCUMENTS: Final[Mapping[str, type[Any]]] = {
    SHAPES[kind].root: kind
    for kind in (
        cases_sent.NewCase,
        results.ResultedCases,
        envelopes.SubmitRequest,
        envelopes.SubmitResponse,
        envelopes.RetrieveRequest,
        envelopes.RetrieveResponse,
        envelopes.RouteData,
        envelopes.RouteDataResp,
        envelopes.DeliverRequest,
        envelopes.DeliverResponse,
    )
}
"""Records that stand alone, by the local name of their element."""
PREFIXES: Final[Mapping[str, Mapping[str | None, str]]] = {
    SPI: {None: SPI, "bsa": BS7666},
    envelopes.ENDPOINT: {"tns1": envelopes.ENDPOINT},
    envelopes.OPERATIONS: {None: envelopes.OPERATIONS, "ent": envelopes.ENTITIES},
    envelopes.DELIVER: {None: envelopes.DELIVER, "msg": envelopes.MESSAGING, "mm": envelopes.METADATA, "mf": envelopes.FORMAT},
}
DEEPEST_ESCAPING = 3


class WireError(ValueError):
    """A document that is no such record, or a record that makes no document."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(f"{where} {problem}")


def decode(data: bytes) -> Any:
    """The record in a document, or in the body of a SOAP envelope around it. Raises `WireError`."""
    return opened(data)[0]


def opened(data: bytes) -> tuple[Any, bool]:
    """The same, and whether there was an envelope around it."""
    try:
        root = parse_xml(data)
    except SoapError as error:
        raise WireError("document", f"is {error}") from None
    if root.tag != f"{{{ENVELOPE}}}Envelope":
        return record_of(root), False
    body = root.find(f"{{{ENVELOPE}}}Body")
    if body is None or len(body) != 1:
        raise WireError("envelope", "has no single element in its body")
    return record_of(body[0]), True


def decode_text(text: str) -> Any:
    """The record in a document that stood as text in another one, escaped once more than needed perhaps. Raises `WireError`."""
    text = text.strip().removeprefix("\ufeff")
    for _ in range(DEEPEST_ESCAPING):
        if not text.startswith("&"):
            break
        text = unescape(text)
    # What its declaration says of an encoding was true of some bytes that are gone.
    return decode(re.sub(r"^\s*<\?xml[^?]*\?>", "", text).encode())


def encode(record: object) -> bytes:
    """The document of a record that stands alone. Raises `WireError` for a character that XML can't carry and for a part kept aside that
    has no place."""
    return etree.tostring(element_of(record), xml_declaration=True, encoding="UTF-8")


def encode_text(record: object) -> str:
    """The same as text that goes into another document."""
    return etree.tostring(element_of(record), encoding="unicode")


def digest(record: object) -> str:
    """SHA-256 of a document's content, in hexadecimal; white space and prefixes of the sender play no part."""
    return sha256(encode(record)).hexdigest()


def record_of(element: Element) -> Any:
    """The record in an element that stands alone. Raises `WireError` for an element of another name."""
    kind = DOCUMENTS.get(etree.QName(element).localname)
    if kind is None:
        raise WireError("document", "is of no kind that is known here")
    aside: list[Aside] = []
    found = _read(element, kind, "", aside)
    return _replaced(found, tuple(aside)) if aside and hasattr(found, "aside") else found


def element_of(record: object) -> Element:
    """The element of a record that stands alone. Raises `WireError` as `encode` does."""
    shape = SHAPES[type(record)]
    aside = _KeptAside(getattr(record, "aside", ()))
    element = etree.Element(f"{{{shape.namespace}}}{shape.root}", nsmap=PREFIXES[shape.namespace])
    _write(element, record, "", aside)
    if aside.by_parent:
        raise WireError(next(iter(aside.by_parent)), "is not there, so nothing can be put back into it")
    return element


def _read(element: Element, kind: type[R], path: str, aside: list[Aside]) -> R:
    children = list(element.iterchildren("*"))
    names = {etree.QName(child).localname for child in children}
    known = {place.mark.name: place for place in places(kind) if not isinstance(place.mark, Attribute)}
    taken = {place.field for place in known.values() if place.mark.name in names}
    values: dict[str, Any] = {
        place.field: element.get(place.mark.name, place.empty) for place in places(kind) if isinstance(place.mark, Attribute)
    }
    for child in children:
        name = etree.QName(child).localname
        where = f"{path}/{name}" if path else name
        place = known.get(name)
        if place is None or (not place.many and place.field in values) or getattr(place.mark, "unless", "") in taken:
            aside.append(_aside(where, child))
            continue
        before = values.get(place.field, ()) if place.many else ()
        try:
            value = _value(child, place, f"{where}[{len(before) + 1}]" if place.many else where, aside)
        except ValueError:
            aside.append(_aside(where, child))
            continue
        if value is not None:  # an empty element says nothing, and a second one may
            values[place.field] = (*before, value) if place.many else value
    return kind(**values)


def _value(child: Element, place: Place, where: str, aside: list[Aside]) -> Any:
    """What an element holds; None when it is empty. Raises `ValueError` when it is none of its kind."""
    if isinstance(place.mark, Document):
        inside = [etree.tostring(one, encoding="unicode", with_tail=False) for one in child.iterchildren("*")]
        return inside[0] if inside else child.text or ""
    if place.record is not None:
        if not len(child) and (child.text or "").strip():
            raise ValueError("text where elements should be")
        found = _read(child, place.record, where, aside)
        return found if place.many or found != place.record() else None
    if len(child):
        raise ValueError("elements where text should be")
    text = child.text or ""
    if not text.strip():
        return "" if place.many else None
    return place.mark.kind.read(text)


def _aside(path: str, element: Element) -> Aside:
    """An element as text that stands on its own: canonical XML under our own prefixes, so that those of the sender play no part."""
    alone = etree.Element(element.tag, nsmap=PREFIXES[SPI])
    _copy(element, alone)
    return Aside(path, etree.tostring(alone, method="c14n", exclusive=True).decode())


def _copy(source: Element, target: Element) -> None:
    target.text = source.text
    for name, value in source.attrib.items():
        target.set(name, value)
    for child in source.iterchildren("*"):
        copied = etree.SubElement(target, child.tag)
        copied.tail = child.tail
        _copy(child, copied)


def _replaced(record: Any, aside: Sequence[Aside]) -> Any:
    return type(record)(**{place.field: getattr(record, place.field) for place in places(type(record))}, aside=tuple(aside))


class _KeptAside:
    """What waits to be put back, by the path of the element that it belongs into."""

    def __init__(self, kept: Sequence[Aside]) -> None:
        self.by_parent: dict[str, list[tuple[str, Aside]]] = {}
        for one in kept:
            parent, _, name = one.path.rpartition("/")
            self.by_parent.setdefault(parent, []).append((name, one))

    def pop(self, parent: str, name: str = "") -> Iterator[Element]:
        """What belongs into that element, of one name or of any, as elements."""
        waiting = self.by_parent.pop(parent, [])
        left = [(found, one) for found, one in waiting if name and found != name]
        if left:
            self.by_parent[parent] = left
        for found, one in waiting:
            if not name or found == name:
                try:
                    yield parse_xml(one.xml.encode())
                except SoapError as error:
                    raise WireError(one.path, f"kept aside, is {error}") from None

    def within(self, path: str) -> bool:
        """Whether something belongs into that element or into one inside it."""
        return any(parent == path or parent.startswith(f"{path}/") for parent in self.by_parent)


def _write(element: Element, record: Any, path: str, aside: _KeptAside) -> None:
    shape = SHAPES[type(record)]
    for name, value in shape.fixed.items():
        element.set(name, value)
    for place in places(type(record)):
        mark, value = place.mark, getattr(record, place.field)
        where = f"{path}/{mark.name}" if path else mark.name
        if isinstance(mark, Attribute):
            element.set(mark.name, value)
            continue
        if value is None and place.record is not None and aside.by_parent and aside.within(where):
            value = place.record()
        if value not in (None, "", ()):
            for index, one in enumerate(value if place.many else (value,), 1):
                child = etree.Element(f"{{{mark.namespace or shape.namespace}}}{mark.name}")
                _place(element, child, mark, index)
                _fill(child, one, place, f"{where}[{index}]" if place.many else where, aside)
        element.extend(aside.pop(path, mark.name))
    element.extend(aside.pop(path))


def _place(element: Element, child: Element, mark: Any, index: int) -> None:
    before = element.findall(f"{{*}}{mark.after}") if isinstance(mark, Leaf) and mark.after else []
    if index <= len(before):
        before[index - 1].addnext(child)
    else:
        element.append(child)


def _fill(child: Element, value: Any, place: Place, where: str, aside: _KeptAside) -> None:
    try:
        if isinstance(place.mark, Part):
            _write(child, value, where, aside)
        elif isinstance(place.mark, Document) and place.mark.inside:
            child.append(parse_xml(value.encode()))
        else:
            child.text = value if isinstance(place.mark, Document) else place.mark.kind.write(value)
    except WireError:
        raise
    except ValueError:
        raise WireError(where, "holds something that can't be sent") from None
