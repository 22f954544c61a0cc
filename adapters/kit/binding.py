"""Native records as XML documents: each field says in its annotation where it stands, and both directions follow from that. Pure.

A record is a frozen dataclass, made so by `record`; its fields stand in the order of the schema. An element counts by its local name. Two
ways of reading: a strict interface passes unknown elements over and refuses what breaks its rules; one that loses nothing takes whatever
comes, and keeps aside, with its path, every element that it has no place for, a second one where one may stand, and a text that is none
of its kind. Writing such a record puts them back at their paths.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from types import ModuleType, NoneType
from typing import Any, TypeVar, dataclass_transform, get_args, get_type_hints

from lxml import etree

from adapters.kit.soap import Element, SoapError, body_of, parse_xml

R = TypeVar("R")


class WireError(ValueError):
    """A document that is no such record, or a record that makes no document; the text names the place and never what stands there."""

    def __init__(self, where: str, problem: str = "") -> None:
        self.where = where
        super().__init__(f"{where} {problem}".strip())


@dataclass(frozen=True, slots=True)
class Kind:
    """How one type of value stands as text. `read` raises `ValueError` for a text that is no such value, `write` for the other way."""

    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    name: str = ""
    """What such a value is called where a text is none."""

    def of(self, text: str, where: str) -> Any:
        """The value in a text. Raises `WireError`."""
        try:
            return self.read(text)
        except (ValueError, KeyError, OverflowError):
            raise WireError(where, f"holds no {self.name}" if self.name else "is of another kind") from None


@dataclass(frozen=True, slots=True)
class At:
    """Marks a field with its place: a path of elements, the last of them the field's own; `@name` is an attribute.

    A field that is a tuple stands in any number of elements of that name.
    """

    path: str
    kind: Kind | None = None
    """How its text is read and written; unset means what the interface has for the type. A field that holds a record has none."""
    namespace: str = ""
    """Of its own element, where it is not the record's."""
    unless: str = ""
    """The field that takes precedence where a document has both sides of a choice."""
    after: str = ""
    """The element that each of several stands right behind."""
    numbered: int = 0
    """The elements are `path1` to this number, each at most once; the place of one that is absent stays empty."""


@dataclass(frozen=True, slots=True)
class Payload(At):
    """Marks a field of text that holds another document, as escaped text; where a sender put the document itself there, it is read too."""

    inside: bool = False
    """Whether it is written as an element, not as text."""


@dataclass(frozen=True, slots=True, repr=False)
class Aside:
    """A part of a document that no record has a place for: where it stood, and the element as XML."""

    path: str
    xml: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What a record as a whole is on the wire."""

    namespace: str
    root: str
    """Name of the element where the record is a document."""
    fixed: Mapping[str, str]
    """Attributes that are always the same."""


SHAPES: dict[type[Any], Shape] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(namespace: str = "", root: str = "", **fixed: str) -> Callable[[type[R]], type[R]]:
    """Makes a class a native record: a frozen dataclass that shows nothing of itself, its elements in this namespace."""

    def made(cls: type[R]) -> type[R]:
        whole = dataclass(frozen=True, slots=True, kw_only=True, repr=False)(cls)
        SHAPES[whole] = Shape(namespace, root, fixed)
        return whole

    return made


def standing_alone(*modules: ModuleType) -> Iterator[type[Any]]:
    """The records of these modules that are documents, by their roots."""
    names = {module.__name__ for module in modules}
    yield from (kind for kind, shape in SHAPES.items() if shape.root and kind.__module__ in names)


@dataclass(frozen=True, slots=True)
class Place:
    """A field on the wire."""

    name: str
    label: str
    """What an error calls it: its outermost element."""
    field: str
    mark: At
    empty: Any
    """The field's default; `dataclasses.MISSING` where a document without it is refused."""
    many: bool
    kind: Kind | None
    record: Any
    """The record that it holds; None for text."""
    number: int = 0
    """Which of the numbered elements."""


@dataclass(frozen=True, slots=True)
class Group:
    """An element that is no record of its own: what stands in it belongs to the record around it."""

    name: str
    label: str
    inside: dict[str, "Place | Group"] = field(default_factory=dict)


Layout = dict[str, Place | Group]


class Documents:
    """The documents of one interface: records that stand alone, and all that stands in them."""

    def __init__(
        self,
        *kinds: type[Any],
        texts: Mapping[Any, Kind] | None = None,
        named: Callable[[str, type[Any] | None], str] | None = None,
        prefixes: Mapping[str, Mapping[str | None, str]] | None = None,
        keeping: bool = False,
        unqualified: bool = False,
        place: Callable[[str, str], str] = "{}.{}".format,
    ) -> None:
        """`kinds` are the records that stand alone. `texts` has how values of a type are written, where no mark says it; `named` gives the
        path of a field without a mark, from its name and the type of each of several. With `keeping`, nothing is lost; with
        `unqualified`, only roots have a namespace. `place` is what errors of a strict interface name, from an element and one in it.
        """
        self.kinds = {SHAPES[kind].root or kind.__name__: kind for kind in kinds}
        self._texts, self._named, self._prefixes, self._keeping = texts or {}, named, prefixes or {}, keeping
        self._unqualified, self._place = unqualified, place
        self._layouts: dict[type[Any], Layout] = {}
        self._places_of: dict[type[Any], list[Place]] = {}

    def element_of(self, record: object) -> Element:
        """The element of a record that stands alone. Raises `WireError` for what XML can't carry, or a part kept aside without place."""
        kind = type(record)
        root, aside = SHAPES[kind].root or kind.__name__, _KeptAside(getattr(record, "aside", ()))
        top = etree.Element(_qualified(SHAPES[kind].namespace, root), nsmap=self._prefixes.get(SHAPES[kind].namespace))
        element = self._written(top, record, "" if self._keeping else root, aside)
        if aside.by_parent:
            raise WireError(next(iter(aside.by_parent)), "is not there, so nothing can be put back into it")
        return element

    def record_of(self, element: Element, kind: type[R] | None = None) -> R:
        """The record in an element that stands alone, of that kind or of any. Raises `WireError`."""
        root = etree.QName(element).localname
        found: Any = self.kinds.get(root)
        if found is None or (kind is not None and found is not kind) or not (self._keeping or _in_namespace(element, SHAPES[found])):
            raise WireError(SHAPES[kind].root or kind.__name__ if kind else "document", "is not what stands there")
        aside: list[Aside] = []
        record: R = self._read(element, found, "" if self._keeping else root, aside)
        return dataclasses.replace(record, aside=tuple(aside)) if aside and hasattr(record, "aside") else record  # type: ignore[type-var]

    def decode(self, data: bytes) -> tuple[Any, bool]:
        """The record in a document of any kind, or in the body of a SOAP envelope; and whether there was one. Raises `WireError`."""
        try:
            root = parse_xml(data)
            body = body_of(root)
        except SoapError as error:
            raise WireError("document", f"is {error}") from None
        return self.record_of(root if body is None else body), body is not None

    def encode(self, record: object) -> bytes:
        """The document of a record that stands alone; raises as `element_of` does."""
        return etree.tostring(self.element_of(record), xml_declaration=True, encoding="UTF-8")

    # Reading

    def _read(self, element: Element, kind: Any, path: str, aside: list[Aside]) -> Any:
        values: dict[str, Any] = {}
        self._gather(element, self._layout(kind), path, values, aside)
        for place in self.places(kind):
            text = element.get(place.name[1:]) if place.name[0] == "@" else None
            if text is not None and place.kind is not None:
                values[place.field] = place.kind.of(text, self._where(path, place.name, place.label))
            if place.empty is MISSING and place.field not in values:
                raise WireError(self._where(path, place.name, place.label), "is missing")
        return kind(**{name: _several(value) for name, value in values.items()})

    def _gather(self, element: Element, layout: Layout, path: str, values: dict[str, Any], aside: list[Aside]) -> None:
        children = [(etree.QName(child).localname, child) for child in element.iterchildren("*")]
        there = {node.field for name, _ in children if isinstance(node := layout.get(name), Place)}
        filled: set[str] = set()
        for name, child in children:
            node = layout.get(name)
            where = self._where(path, name, node.label if node else name)
            if node is None or name in filled or getattr(getattr(node, "mark", None), "unless", "") in there:
                self._left(aside, where, child)
            elif self._taken(child, node, path, where, values, aside) and not getattr(node, "many", False):
                filled.add(name)  # an empty element says nothing, and a second one may

    def _taken(self, child: Element, node: Place | Group, path: str, where: str, values: dict[str, Any], aside: list[Aside]) -> bool:
        """Whether an element said something, or was kept aside whole."""
        try:
            if self._keeping and not len(child) and (child.text or "").strip() and getattr(node, "record", node) is not None:
                raise ValueError("text where elements should be")
            if isinstance(node, Group):
                before = len(values)
                self._gather(child, node.inside, where if self._keeping else path, values, aside)
                return len(values) > before
            place = f"{where}[{len(values.get(node.field, ())) + 1}]" if node.many and self._keeping else where
            value = self._value(child, node, place, aside)
        except ValueError:
            if not self._keeping:
                raise
            self._left(aside, where, child)
            return False
        if value is None:
            return False
        if node.number:
            values.setdefault(node.field, {})[node.number] = value
        elif node.many:
            values.setdefault(node.field, []).append(value)
        else:
            values[node.field] = value
        return True

    def _value(self, child: Element, place: Place, where: str, aside: list[Aside]) -> Any:
        """What an element holds; None when it is empty. Raises `ValueError` when it is none of its kind."""
        if isinstance(place.mark, Payload):
            inside = [etree.tostring(one, encoding="unicode", with_tail=False) for one in child.iterchildren("*")]
            return inside[0] if inside else child.text or ""
        if place.record is not None:
            found = self._read(child, place.record, where if self._keeping else place.name, aside)
            return None if self._keeping and not place.many and found == place.record() else found
        text = child.text or ""
        if self._keeping and len(child):
            raise ValueError("elements where text should be")
        if self._keeping and not text.strip():
            return "" if place.many else None
        assert place.kind is not None
        return place.kind.of(text, where)

    def _left(self, aside: list[Aside], where: str, element: Element) -> None:
        """Keeps an element as text of its own: canonical XML under our own prefixes, so that those of the sender play no part."""
        if self._keeping:
            alone = etree.Element(element.tag, nsmap=next(iter(self._prefixes.values()), None))
            _copy(element, alone)
            try:
                aside.append(Aside(where, etree.tostring(alone, method="c14n", exclusive=True).decode()))
            except etree.C14NError:
                raise WireError(where, "has a namespace that no canonical XML can have") from None

    # Writing

    def _written(self, element: Element, record: Any, path: str, aside: "_KeptAside") -> Element:
        shape = SHAPES[type(record)]
        for fixed, value in shape.fixed.items():
            element.set(fixed, value)
        self._fill(element, record, self._layout(type(record)), "" if self._unqualified else shape.namespace, path, aside)
        return element

    def _fill(self, element: Element, record: Any, layout: Layout, namespace: str, path: str, aside: "_KeptAside") -> None:
        for node in layout.values():
            where = self._where(path, node.name, node.label)
            if isinstance(node, Group):
                child = etree.Element(_qualified(namespace, node.name))
                self._fill(child, record, node.inside, namespace, where if self._keeping else path, aside)
                if len(child):
                    element.append(child)
            else:
                for index, one in enumerate(self._said(record, node, where, aside), 1):
                    self._put(element, one, node, namespace, f"{where}[{index}]" if node.many and self._keeping else where, aside, index)
            element.extend(aside.pop(path, node.name))
        element.extend(aside.pop(path))

    def _said(self, record: Any, place: Place, where: str, aside: "_KeptAside") -> Iterable[Any]:
        """What a record has for a place: each of several, one, or none."""
        value = getattr(record, place.field)
        if place.number:
            return value[place.number - 1 : place.number] if "".join(value[place.number - 1 : place.number]) else ()
        if value is None and place.record is not None and aside.within(where):
            value = place.record()
        return value if place.many else () if value == place.empty else (value,)

    def _put(self, element: Element, value: Any, place: Place, namespace: str, where: str, aside: "_KeptAside", index: int) -> None:
        mark, namespace = place.mark, place.mark.namespace or namespace
        try:
            if place.name[0] == "@":
                element.set(place.name[1:], place.kind.write(value) if place.kind else value)
                return
            child = etree.Element(_qualified(namespace, place.name))
            if place.record is not None:
                self._written(child, value, where if self._keeping else place.name, aside)
            elif isinstance(mark, Payload) and mark.inside:
                child.append(parse_xml(value.encode()))
            else:
                # One of several that was empty stays so: the next ones keep their places.
                child.text = place.kind.write(value) if place.kind and value != "" else value
        except WireError:
            raise
        except (ValueError, OverflowError):
            raise WireError(where, "holds something that can't be sent") from None
        before = element.findall(f"{{*}}{mark.after}") if mark.after else []
        if index <= len(before):
            before[index - 1].addnext(child)
        else:
            element.append(child)

    # What both follow

    def places(self, kind: type[Any]) -> list[Place]:
        """The places of a record's fields, in schema order."""
        if kind not in self._places_of:
            self._places_of[kind] = list(_every(self._layout(kind)))
        return self._places_of[kind]

    def _where(self, path: str, name: str, label: str) -> str:
        if self._keeping:
            return f"{path}/{name}" if path else name
        return self._place(path, label)

    def _layout(self, kind: type[Any]) -> Layout:
        """The places of a record's fields by name, in schema order, worked out once."""
        if kind not in self._layouts:
            layout: Layout = {}
            hints = get_type_hints(kind, include_extras=True)
            for one in dataclasses.fields(kind):
                for place, (*groups, _) in self._places(one, hints[one.name]):
                    inside = layout
                    for name in groups:
                        group = inside.setdefault(name, Group(name, place.label))
                        assert isinstance(group, Group)
                        inside = group.inside
                    inside[place.name] = place
            self._layouts[kind] = layout
        return self._layouts[kind]

    def _places(self, one: "dataclasses.Field[Any]", hint: Any) -> Iterator[tuple[Place, list[str]]]:
        mark = next(iter(getattr(hint, "__metadata__", ())), None)
        held = hint.__origin__ if mark else hint
        alone = held in self._texts and (Ellipsis not in get_args(held) or (mark is not None and mark.path[0] == "@"))
        inner = held if alone else next((part for part in get_args(held) if part not in (NoneType, Ellipsis)), held)
        several = not alone and Ellipsis in get_args(held)
        if mark is None:
            if self._named is None:
                return
            mark = At(self._named(one.name, inner if several else None))
        path = mark.path.split("/")
        record = inner if dataclasses.is_dataclass(inner) and inner not in self._texts else None
        kind = mark.kind or self._texts.get(inner)
        for number in range(1, mark.numbered + 1) if mark.numbered else (0,):
            name = f"{path[-1]}{number or ''}"
            yield Place(name, path[0].lstrip("@"), one.name, mark, one.default, several and not mark.numbered, kind, record, number), path


class _KeptAside:
    """What waits to be put back, by the path of the element that it belongs into."""

    def __init__(self, kept: Iterable[Aside]) -> None:
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


def _every(layout: Layout) -> Iterator[Place]:
    """The places in an element and in its groups."""
    for node in layout.values():
        if isinstance(node, Place):
            yield node
        else:
            yield from _every(node.inside)


def _in_namespace(element: Element, shape: Shape) -> bool:
    return (etree.QName(element).namespace or "") == shape.namespace


def _qualified(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _copy(source: Element, target: Element) -> None:
    target.text = source.text
    for name, value in source.attrib.items():
        target.set(name, value)
    for child in source.iterchildren("*"):
        copied = etree.SubElement(target, child.tag)
        copied.tail = child.tail
        _copy(child, copied)


def _several(found: Any) -> Any:
    """Several values as a tuple, numbered ones in their places, empty where there was none; any other value as it is."""
    if isinstance(found, dict):
        return tuple(found.get(number, "") for number in range(1, max(found) + 1))
    return tuple(found) if isinstance(found, list) else found
