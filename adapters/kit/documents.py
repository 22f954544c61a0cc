"""Whole XML documents of native records, in one namespace, for the wires that write them as `adapters.kit.elements` does; pure.

A document is named after its record. One element below the root may be kept as it is: nobody here knows what others put into it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, dataclass_transform

from lxml import etree

from adapters.kit.elements import Elements, Unreadable, Value
from adapters.kit.soap import Element, SoapError, parse_xml


class WireError(ValueError):
    """A document that is no such record, or a record that makes no document; the text names the place and repeats no value."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """A native record: a frozen dataclass by being a subclass, whose fields are given by name. Its `repr` shows nothing of it."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True, repr=False)(cls)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


@dataclass(frozen=True)
class Documents:
    """Writes and reads documents of these kinds."""

    namespace: str
    kinds: tuple[type[Any], ...]
    values: Mapping[type, Value]
    kept: str = ""
    """Name of the element that is kept; the record has it as text, in the field of that name in small letters."""
    longest: int = 16_000
    """Characters of what is kept."""

    def encode(self, record: Any) -> bytes:
        """The document of a record. Raises `WireError` for a character that XML can't carry, and when what was kept is no such element."""
        kept = self._text(record)
        try:
            written = Elements(self.values).write(
                type(record).__name__, dataclasses.replace(record, **{self.kept.lower(): ""}) if kept else record
            )
        except ValueError:
            raise WireError(f"{type(record).__name__} holds a character that can't be sent") from None
        root = etree.Element(self._full(written.tag), dict(written.attrib), nsmap={None: self.namespace})
        root.extend(list(written))
        for one in root.iterdescendants():
            one.tag = self._full(one.tag)
        if kept:
            root.append(self._opened(kept))
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def decode(self, data: bytes) -> Any:
        """The record of a document. Raises `WireError`."""
        try:
            root = parse_xml(data)
        except SoapError as error:
            raise WireError(f"the document is {error}") from None
        name = etree.QName(root)
        kind = next((one for one in self.kinds if one.__name__ == name.localname and name.namespace == self.namespace), None)
        if kind is None:
            raise WireError("the document is none of this service")
        kept = self._taken_out(root, kind)
        for one in root.iter():  # of no namespace becomes of another one, since none is what is read
            one.tag = str(one.tag).removeprefix(self._full("")) if etree.QName(one).namespace else f"{{none}}{one.tag!s}"
        try:
            found: Any = Elements(self.values).read(root, kind, kind.__name__)
        except Unreadable as error:
            raise WireError(str(error)) from None
        return dataclasses.replace(found, **{self.kept.lower(): kept}) if kept else found

    def _taken_out(self, root: Element, kind: type[Any]) -> str:
        found = root.find(self._full(self.kept)) if self._keeps(kind) else None
        if found is None:
            return ""
        text = etree.tostring(found, encoding="unicode", with_tail=False)
        if len(text) > self.longest:
            raise WireError(f"{self.kept} is longer than {self.longest} characters")
        root.remove(found)
        return text

    def _opened(self, text: str) -> Element:
        try:
            element = parse_xml(text.encode())
        except SoapError as error:
            raise WireError(f"{self.kept} is {error}") from None
        if element.tag != self._full(self.kept):
            raise WireError(f"{self.kept} is another element")
        return element

    def _text(self, record: Any) -> str:
        return str(getattr(record, self.kept.lower())) if self._keeps(type(record)) else ""

    def _keeps(self, kind: type[Any]) -> bool:
        return bool(self.kept) and any(one.name == self.kept.lower() for one in dataclasses.fields(kind))

    def _full(self, name: Any) -> str:
        return f"{{{self.namespace}}}{name}"
