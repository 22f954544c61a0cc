"""Messages as records of fixed width and back, by one table for both ways; pure.

The table of a segment (`fixed_width`) says where in a message each field belongs. A tree says which segments make up a message:

    RecordDisposalRequest:
      IDS: subject                          # one segment, held by a field of the message
      CCR: .                                # held by the message itself
      CCH: {results: {DIS: disposals}}      # as many as there are, each followed by its own

How a value is written follows from the contract: the type of the place chooses the codec unless the table names one. What a code table
does not have is kept: in the field's sibling `..._as_received`, or else before the sibling `text`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from adapters.kit.fixed_width import Layout, Misfit
from metip.faults import Fault, Reason

M = TypeVar("M", bound=Message)
SELF: Final = "."


class Segment(Protocol):
    """A record as a wire has it."""

    @property
    def tag(self) -> str:
        """Which of the layouts it has."""

    @property
    def body(self) -> str:
        """Its text."""


class Codec(NamedTuple):
    """How one kind of value is written into a field of some width, and read; a text that is no such value is read as `None`."""

    write: Callable[[Any, int], str]
    """Raises `Fault` INVALID_REQUEST, with the path from the value on, for one that the far side can't have."""
    read: Callable[[str], Any]
    padded: bool = False
    """Whether the blanks around it mean something."""
    coded: bool = False
    """Whether it is a word of a code table, so that one which the table lacks is kept."""


def _read_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


STANDARD: Final[Mapping[str, Codec]] = {
    "text": Codec(lambda text, width: text, str),
    "number": Codec(lambda number, width: f"{number:0{width}d}", _read_number),
    "number_or_blank": Codec(lambda number, width: f"{number:0{width}d}" if number else "", _read_number),
    "flag": Codec(lambda said, width: "Y" if said else "N", lambda text: text == "Y"),
}
"""Codecs of simple types; numbers have zeros before them."""


def codes(kind: EnumDescriptor, words: Mapping[str, str] | None = None) -> Codec:
    """The words for the values of an enum: word to name, where `*` is what any other word means. A blank is no value.

    Without such a table values are called as in the contract, without the enum's own name before them. Raises `ValueError` for a name that
    the enum does not have.
    """
    if unknown := set((words or {}).values()).difference(kind.values_by_name):
        raise ValueError(f"{kind.full_name} has no {', '.join(sorted(unknown))}")
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    table = words or {one.name.removeprefix(prefix): one.name for one in kind.values if one.number}
    numbers = {word: kind.values_by_name[name].number for word, name in table.items()} | {"": 0}
    others = numbers.pop("*", None)
    names = {number: word for word, number in numbers.items()}
    return Codec(lambda number, width: names.get(number, ""), lambda word: numbers.get(word, others), coded=True)


class _Step(NamedTuple):
    """One field of a layout in one kind of message."""

    name: str
    at: slice
    width: int
    path: str
    above: tuple[str, ...]
    """The path without its last name."""
    last: str
    codec: str
    typed: bool
    """Whether it is a message."""
    many: bool


@dataclass(frozen=True)
class Node:
    """A segment in a tree: the field of the message that it belongs to, and what follows it."""

    tag: str
    at: str
    many: bool
    children: tuple["Node", ...]
    steps: tuple[_Step, ...]
    below: frozenset[str]
    """Tags of everything that may follow it."""


class Mapper:
    """Reads and writes messages by layouts, trees and codecs. Codecs are found by name: that of the table, or of the place's type.

    Enums need none: `words` has the code tables (see `codes`) of those whose words are not the contract's own, by the enum's name.
    `carried` makes any text one that the far side can have, or raises `Fault` INVALID_REQUEST.
    """

    def __init__(
        self,
        layouts: Mapping[str, Layout],
        trees: Mapping[str, Mapping[str, Any]],
        kinds: Iterable[Descriptor],
        codecs: Mapping[str, Codec],
        words: Mapping[str, Mapping[str, str]] | None = None,
        carried: Callable[[str], str] = str,
    ) -> None:
        """Raises `ValueError` for a place that no message of a segment has, and for a codec that is missing."""
        self._layouts = layouts
        self._codecs = dict(codecs)
        self._words = words or {}
        self._carried = carried
        self._placed: set[tuple[str, str]] = set()
        known = {kind.name: kind for kind in kinds}
        self._trees = {name: self._nodes(known[name], tree) for name, tree in trees.items()}
        used = {tag for tree in self._trees.values() for node in tree for tag in (node.tag, *node.below)}
        lost = {f"{tag}.{one.name}" for tag in used for one in layouts[tag].fields if one.place} - {".".join(at) for at in self._placed}
        if lost:
            raise ValueError(f"no message has a place for {', '.join(sorted(lost))}")

    def read(self, kind: type[M], segments: Iterable[Segment], codecs: Mapping[str, Codec] | None = None) -> M:
        """The message that segments make up. What its tree does not have is passed over; `codecs` go before the mapper's own."""
        message = kind()
        self._read(message, self._trees[kind.DESCRIPTOR.name], segments, {**self._codecs, **(codecs or {})})
        return message

    def write(self, message: Message, given: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[tuple[str, str]]:
        """Tag and body of each segment, in the tree's order; `given` has fields by tag that the message does not say.

        Raises `Fault` INVALID_REQUEST, by the field's path in the message and never with its value, for what does not fit.
        """
        return self._write(message, self._trees[message.DESCRIPTOR.name], "", given or {})

    def _read(self, message: Message, nodes: Sequence[Node], segments: Iterable[Segment], codecs: Mapping[str, Codec]) -> None:
        by_tag = {node.tag: node for node in nodes}
        runs: list[tuple[Node, list[Segment]]] = []
        for segment in segments:
            if segment.tag in by_tag:
                runs.append((by_tag[segment.tag], [segment]))
            elif runs and segment.tag in runs[-1][0].below:
                runs[-1][1].append(segment)
        seen = set()
        for node, (first, *rest) in runs:
            if not node.many and node.tag in seen:
                continue
            seen.add(node.tag)
            holder = _reached(message, node.at)
            target = holder.add() if node.many else holder
            target.SetInParent()
            unknown = [(step, word) for step in node.steps if (word := _put(target, step, first.body[step.at], codecs[step.codec]))]
            for step, word in unknown:
                _keep(target, step, word)
            self._read(target, node.children, rest, codecs)

    def _write(
        self, message: Message, nodes: Sequence[Node], path: str, given: Mapping[str, Mapping[str, str]]
    ) -> Iterator[tuple[str, str]]:
        for node in nodes:
            for here, one in _held(message, node, path):
                yield node.tag, self._body(one, node, here, given.get(node.tag, {}))
                yield from self._write(one, node.children, here, given)

    def _body(self, message: Message, node: Node, path: str, given: Mapping[str, str]) -> str:
        paths = {step.name: path + step.path for step in node.steps}
        values: dict[str, str] = {}
        name = ""
        try:
            for step in node.steps:
                name = step.name
                values[name] = self._carried(_text(message, step, self._codecs[step.codec]))
            for name, value in given.items():
                values[name] = self._carried(value)
            return self._layouts[node.tag].fill(values)
        except Misfit as misfit:
            raise invalid(paths.get(misfit.field, misfit.field), str(misfit.problem)) from None
        except Fault as fault:
            for below, problem in fault.fields:
                raise invalid(paths.get(name, name) + below, problem) from None
            raise

    def _nodes(self, kind: Descriptor, tree: Mapping[str, Any]) -> tuple[Node, ...]:
        nodes = []
        for tag, held in tree.items():
            ((at, below),) = held.items() if isinstance(held, Mapping) else ((held, {}),)
            places = _places(kind, at)
            if at != SELF and not places:
                raise ValueError(f"{kind.name} has no {at}")
            inside: Any = places[-1].message_type if places else kind
            children = self._nodes(inside, below)
            tags = frozenset(tag for child in children for tag in (child.tag, *child.below))
            nodes.append(Node(tag, at, bool(places) and places[-1].is_repeated, children, self._steps(tag, inside), tags))
        return tuple(nodes)

    def _steps(self, tag: str, kind: Descriptor) -> tuple[_Step, ...]:
        """Fields that the message has a place for; `a|b` is the first of several places that it has."""
        steps, layout = [], self._layouts[tag]
        for one in layout.fields:
            found = next((places for at in one.place.split("|") if (places := _places(kind, at))), ())
            if not found:
                continue
            self._placed.add((tag, one.name))
            codec = one.codec or _codec_of(found[-1])
            if found[-1].enum_type is not None and codec not in self._codecs:
                self._codecs[codec] = codes(found[-1].enum_type, self._words.get(codec))
            if codec not in self._codecs:
                raise ValueError(f"there is no codec {codec} for {tag}.{one.name}")
            *above, last = (part.name for part in found)
            typed, many = found[-1].message_type is not None, found[-1].is_repeated
            steps.append(_Step(one.name, layout.at[one.name], one.width, ".".join((*above, last)), tuple(above), last, codec, typed, many))
        return tuple(steps)


def invalid(path: str, problem: str) -> Fault:
    """A refusal of one field of a request, before the far side is asked."""
    return Fault(Reason.INVALID_REQUEST, f"{path} {problem}", fields=((path, problem),))


def _places(kind: Descriptor, path: str) -> tuple[FieldDescriptor, ...]:
    """The fields on a path; none where the message does not have it."""
    found: list[FieldDescriptor] = []
    inside: Descriptor | None = kind
    for name in path.split("."):
        here = inside.fields_by_name.get(name) if inside is not None else None
        if here is None:
            return ()
        found.append(here)
        inside = here.message_type
    return tuple(found)


def _codec_of(place: FieldDescriptor) -> str:
    typed = place.message_type or place.enum_type
    if typed is not None:
        return str(typed.name)
    return {FieldDescriptor.CPPTYPE_STRING: "text", FieldDescriptor.CPPTYPE_BOOL: "flag"}.get(place.cpp_type, "number")


def _reached(message: Any, path: str) -> Any:
    for name in () if path == SELF else path.split("."):
        message = getattr(message, name)
    return message


def _held(message: Message, node: Node, path: str) -> Iterator[tuple[str, Any]]:
    """The messages that a node's segments hold, each with its path."""
    if node.at == SELF:
        yield path, message
        return
    *above, last = node.at.split(".")
    holder = _reached(message, ".".join(above) or SELF)
    if node.many:
        for number, one in enumerate(getattr(holder, last)):
            yield f"{path}{node.at}[{number}].", one
    elif holder.HasField(last):
        yield f"{path}{node.at}.", getattr(holder, last)


def _text(message: Any, step: _Step, codec: Codec) -> str:
    for name in step.above:
        message = getattr(message, name)
    if step.typed and not step.many and not message.HasField(step.last):
        return ""
    written = codec.write(getattr(message, step.last), step.width)
    return written or getattr(message, f"{step.last}_as_received", "") if codec.coded else written


def _put(message: Any, step: _Step, body: str, codec: Codec) -> str:
    """Sets a field of what a segment holds, and gives a word that no code table has, or ""."""
    text = body if codec.padded else body.strip()
    value = codec.read(text)
    if value is None or not (value or step.typed):
        return text if value is None and codec.coded else ""
    for name in step.above:
        message = getattr(message, name)
    if step.many:
        getattr(message, step.last).extend(value)
    elif step.typed:
        getattr(message, step.last).CopyFrom(value)
        getattr(message, step.last).SetInParent()
    else:
        setattr(message, step.last, value)
    return ""


def _keep(message: Any, step: _Step, word: str) -> None:
    """Keeps a word that no code table has, once all the rest has been read."""
    for name in step.above:
        message = getattr(message, name)
    if f"{step.last}_as_received" in message.DESCRIPTOR.fields_by_name:
        setattr(message, f"{step.last}_as_received", word)
    elif "text" in message.DESCRIPTOR.fields_by_name:
        message.text = f"{word}: {message.text}"
