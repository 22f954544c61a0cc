"""The codec of Merlin's interface: native records to elements in Merlin's namespace and back, with no I/O.

What the law of one field is, its record says (`adapters.merlin.layout`); this is the walk over it, the same for every record and in both
directions. Attributes and elements that no record has are passed over, so that a newer Merlin can say more. Everything that can go wrong is
a `WireError`, which names the place and never what stands there.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from lxml import etree

from adapters.merlin import records
from adapters.merlin.layout import Attribute, Place, Words, places

Element = etree._Element
R = TypeVar("R")

NAMESPACE: Final = "urn:x-merlin:reports:3"
PATH: Final = "/merlin/reports"

ROOTS: Final[Mapping[type[Any], str]] = {
    records.Logon: "Logon",
    records.Ticket: "Ticket",
    records.Session: "Session",
    records.Asker: "Asker",
    records.Find: "Find",
    records.Found: "Found",
    records.Fetch: "Fetch",
    records.Fetched: "Fetched",
    records.Raise: "Raise",
    records.Raised: "Raised",
    records.Amend: "Amend",
    records.Amended: "Amended",
}
"""Tags of the records that stand alone in a header or a body; the tag of a question is the name of its action too."""


class WireError(ValueError):
    """An element that is no such record, or a record that makes no element."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(f"{where} {problem}")


def action(record: object) -> str:
    """The SOAP action of a question."""
    return f"{NAMESPACE}#{ROOTS[type(record)]}"


def element_of(record: object) -> Element:
    """The element of a record that stands alone. Raises `WireError` for a character or an instant that the wire can't carry."""
    return _written(ROOTS[type(record)], record)


def record_of(element: Element, kind: type[R]) -> R:
    """The record of that kind in an element that stands alone.

    Raises `WireError` for an element of another name, a missing part that is required, or a value that is none of its kind.
    """
    if element.tag != _qualified(ROOTS[kind]):
        raise WireError(ROOTS[kind], "is not what stands there")
    return _read(element, kind)


def _qualified(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _written(tag: str, record: Any) -> Element:
    element = etree.Element(_qualified(tag), nsmap={"m": NAMESPACE})
    for place in places(type(record)):
        value = getattr(record, place.field)
        if value == place.empty:
            continue
        try:
            if isinstance(place.mark, Attribute):
                element.set(place.mark.name, place.kind.write(value))
                continue
            for one in value if place.many else (value,):
                if isinstance(place.mark, Words):
                    etree.SubElement(element, _qualified(place.mark.name)).text = one
                else:
                    element.append(_written(place.mark.name, one))
        except WireError:
            raise
        except (ValueError, OverflowError):
            raise WireError(f"{tag}.{place.mark.name}", "holds something that can't be sent") from None
    return element


def _read(element: Element, kind: type[R]) -> R:
    inner: dict[str, list[Element]] = {}
    for child in element.iterchildren("*"):
        inner.setdefault(str(child.tag), []).append(child)
    values: dict[str, Any] = {}
    for place in places(kind):
        try:
            found = _found(element, inner, place)
        except WireError:
            raise
        except (ValueError, OverflowError):
            raise WireError(_where(element, place), "is of another kind") from None
        if found:
            values[place.field] = tuple(found) if place.many else found[0]
        elif place.required:
            raise WireError(_where(element, place), "is missing")
    return kind(**values)


def _found(element: Element, inner: Mapping[str, list[Element]], place: Place) -> list[Any]:
    """What stands at a place, as values."""
    if isinstance(place.mark, Attribute):
        text = element.get(place.mark.name)
        return [] if text is None else [place.kind.read(text)]
    here = inner.get(_qualified(place.mark.name), ())
    if isinstance(place.mark, Words):
        return [child.text or "" for child in here]
    return [_read(child, place.record) for child in here]


def _where(element: Element, place: Place) -> str:
    return f"{etree.QName(element).localname}.{place.mark.name}"
