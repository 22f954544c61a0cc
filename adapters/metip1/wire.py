"""The codec of the old bus's documents: a record by its layout to an XML element, and back, with no I/O and without any contract.

A record is a `dict` of element names: to the text that stands there, to a record, or to a list of either where an element may stand more
than once. The law: elements stand in the layout's order and in its namespace, nothing is an attribute, what is not said has no element, and
an element that the layout does not name is passed over. Texts are kept as the bus printed them, padding and all; `translate` reads them.
Errors name elements, never what they hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from lxml import etree

from adapters.kit.soap import Element

Record = dict[str, Any]
NAMESPACE: Final = "urn:metip:bus:1"
"""Of the bus's own elements, header and fault detail (assumed, as every name of the bus is); services have their own below it."""


class WireError(ValueError):
    """An element that is no such record, or a record that makes no element; the text names the place and never what stands there."""


@dataclass(frozen=True, slots=True)
class Item:
    """One element of a record."""

    name: str
    simple: str = ""
    """What its text is: `text`, `name`, `identifier`, `day`, `time`, `instant`, `number`, `flag` or `code`; empty for a record."""
    layout: "Layout | None" = None
    """Of the record that stands there."""
    many: bool = False
    length: int = 0
    """Characters that fit, 0 where there is no bound."""
    codes: tuple[str, ...] = ()
    """Of a `code`: those that the bus knows, as it prints them."""


@dataclass(frozen=True)
class Layout:
    """A kind of record: its name, which is that of the element where it stands alone, and its elements in order; each may be absent."""

    name: str
    namespace: str
    items: tuple[Item, ...]

    @cached_property
    def by_tag(self) -> Mapping[str, Item]:
        """Its elements by full name."""
        return {f"{{{self.namespace}}}{item.name}": item for item in self.items}

    @cached_property
    def tag(self) -> str:
        """Full name of the element where such a record stands alone."""
        return f"{{{self.namespace}}}{self.name}"


ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"
REQUESTER: Final = Layout(
    "Requester",
    NAMESPACE,
    (Item("Account", "text"), Item("UserId", "text"), Item("Unit", "text"), Item("Role", "text", many=True), Item("Transaction", "text")),
)
"""The header that says which system asks, for whom, and under which number the bus finds the exchange again."""


def element_of(layout: Layout, record: Record) -> Element:
    """The element of a record that stands alone. Raises `WireError` for a character that XML can't carry and a name that has no place."""
    root = etree.Element(layout.tag, nsmap={None: layout.namespace})
    _fill(root, layout, record, layout.name)
    return root


def record_of(layout: Layout, element: Element) -> Record:
    """The record in an element that stands alone. Raises `WireError` for another one, and where one stands twice or holds nonsense."""
    if element.tag != layout.tag:
        raise WireError(f"the document is no {layout.name}")
    return _read(layout, element, layout.name)


def _fill(element: Element, layout: Layout, record: Mapping[str, Any], where: str) -> None:
    if unknown := sorted(record.keys() - {item.name for item in layout.items}):
        raise WireError(f"{where} has no {unknown[0]}")
    for item in layout.items:
        said = record.get(item.name)
        for one in () if said is None else said if item.many else (said,):
            child = etree.SubElement(element, f"{{{layout.namespace}}}{item.name}")
            if item.layout is not None:
                _fill(child, item.layout, one, f"{where}/{item.name}")
            else:
                try:
                    child.text = one
                except ValueError:
                    raise WireError(f"{where}/{item.name} holds something that can't be sent") from None


def _read(layout: Layout, element: Element, where: str) -> Record:
    record: Record = {}
    for child in element.iterchildren("*"):
        item = layout.by_tag.get(str(child.tag))
        if item is None:
            continue
        place = f"{where}/{item.name}"
        if item.layout is None and len(child):
            raise WireError(f"{place} holds elements where text should be")
        value = _read(item.layout, child, place) if item.layout is not None else child.text or ""
        if item.many:
            record.setdefault(item.name, []).append(value)
        elif item.name in record:
            raise WireError(f"{place} is there twice")
        else:
            record[item.name] = value
    return record
