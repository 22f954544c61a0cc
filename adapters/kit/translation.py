"""Native records to the contract's messages and back, by tables that say which field is which. Pure.

The law: every field of a pair has its counterpart or is named as having none, which is checked when the tables are read; so no field is
forgotten in silence. Fields of one name are counterparts without a word. A part that a record lacks is a field that is unset, and the other
way round, so that nothing is invented on either side.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass
from functools import cache, partial
from typing import Any, Final, TypeVar, get_args, get_type_hints

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from adapters.kit.values import UNKNOWN, USUAL, Value
from adapters.kit.vocabulary import Vocabulary
from metip.faults import Fault, Reason

M = TypeVar("M", bound=Message)
R = TypeVar("R")
NOTHING: Final = (None, "", (), UNKNOWN)


@dataclass(frozen=True, slots=True)
class By:
    """A counterpart whose value goes over in a way of its own."""

    path: str
    value: Value


class Parts:
    """Counterpart of a message that is no record of its own: its fields are those of the record around it, or of the one at `path`, under
    these names where theirs differ. There is such a message where one of them says something."""

    def __init__(self, path: str = "", **names: "str | By") -> None:
        self.path, self.names = path, names


Counterpart = str | tuple[str, ...] | By | Parts | Callable[[Any], Any]
"""Path to a field of the record; several, of which the first that says something counts; or how its value is worked out, for a message that
is only ever made of a record."""


class Pair:
    """A record and a message that say the same. `names` has the record's path for each field of the message whose name differs; `without`
    has fields of either that have no counterpart."""

    def __init__(self, record: type[Any], message: type[Message], /, *without: str, **names: Counterpart) -> None:
        self.record, self.message, self.without, self.names = record, message, without, names


@dataclass(frozen=True, slots=True)
class _Step:
    """One field of a message, and its counterpart."""

    name: str
    repeated: bool
    presence: bool
    coded: bool
    """Whether it is an enum."""
    message: Any
    """The class of the messages that stand there; None for other values."""
    paths: tuple[tuple[str, ...], ...] = ()
    """Where it stands in the record."""
    value: Value | None = None
    """How it goes over, where its type does not say it all."""
    empty: Any = None
    """The record's default; `dataclasses.MISSING` where it has none."""
    many: bool = False
    """Whether the record has any number of them."""
    inner: Any = None
    """The record that stands there, if one does."""
    parts: "tuple[_Step, ...]" = ()
    worked_out: Callable[[Any], Any] | None = None


class Translation:
    """Records and messages of one system. `values` has how messages go over that are no pairs, where it is not in the usual way;
    `vocabularies` has the codes of enums. What `ready` has for a type of record is done to each before it is looked at."""

    def __init__(
        self,
        pairs: Iterable[Pair],
        values: Mapping[type[Message], Value],
        vocabularies: Iterable[Vocabulary],
        ready: Mapping[type[Any], Callable[[Any], Any]] | None = None,
    ) -> None:
        """Reads the tables. Raises `ValueError` for one that names what is not there, or forgets what is."""
        self._values = {_name(kind): value for kind, value in {**USUAL, **values}.items()}
        self._values |= {one.enum: Value(one.value, one.code) for one in vocabularies}
        self._ready = ready or {}
        self._steps: dict[tuple[Any, str], tuple[_Step, ...]] = {}
        for pair in pairs:
            self._steps[pair.record, _name(pair.message)] = self._read(pair)
        for step in (step for steps in self._steps.values() for step in _flat(steps) if step.inner):
            if (step.inner, _name(step.message)) not in self._steps:
                raise ValueError(f"{step.inner.__name__} and {_name(step.message)} are no pair")

    def message(self, record: Any, kind: type[M]) -> M:
        """The message that a record says. Raises `Fault` UPSTREAM_FAULT for a value that it has no room for, such as a large number."""
        steps = self._steps[type(record), _name(kind)]
        try:
            return kind(**self._said(self._ready.get(type(record), _as_it_is)(record), steps))
        except (ValueError, OverflowError):
            raise Fault(Reason.UPSTREAM_FAULT, f"the far system says what {_name(kind)} has no room for") from None

    def record(self, message: Message, kind: type[R], **more: Any) -> R:
        """The record that a message says, with `more` that the message does not say. Raises `ValueError` for what no record can hold."""
        made: R = self._made(kind, {**self._told(message, self._steps[kind, _name(message)]), **more})
        return made

    # Out

    def _said(self, record: Any, steps: tuple[_Step, ...]) -> dict[str, Any]:
        said: dict[str, Any] = {}
        value: Any
        for step in steps:
            if step.worked_out:
                value = step.worked_out(record)
            elif step.parts:
                there = any(self._at(record, one.paths) not in (*NOTHING, one.empty) for one in step.parts)
                value = step.message(**self._said(record, step.parts)) if there else None
            elif step.repeated:
                found = self._at(record, step.paths)
                value = [self._out(step, one) for one in (found if step.many else (found,)) if found is not None]
            else:
                value = self._out(step, self._at(record, step.paths))
            if value is not None:
                said[step.name] = value
        return said

    def _out(self, step: _Step, native: Any) -> Any:
        if step.value is not None:
            return None if step.coded and step.presence and native in NOTHING else step.value.out(native)
        return native if native is None or step.inner is None else self.message(native, step.message)

    def _at(self, record: Any, paths: tuple[tuple[str, ...], ...]) -> Any:
        """What stands at the first path that leads to something."""
        found: Any = None
        for path in paths:
            found = record
            for name in path:
                found = getattr(found, name) if found is not None else None
            if len(paths) == 1 or found not in NOTHING:
                break
        return found

    # Back

    def _told(self, message: Any, steps: tuple[_Step, ...]) -> dict[str, Any]:
        """What a message says, as values of a record; those of a record in it, as values of that one."""
        told: dict[str, Any] = {}
        for step in steps:
            if step.worked_out or (step.presence and not message.HasField(step.name) and step.empty is not MISSING):
                continue
            value = getattr(message, step.name)
            if step.parts:
                _merge(told, self._told(value, step.parts))
                continue
            if step.repeated:
                # A value of an enum that the far system has no code for is left out.
                each = [one for one in (self._back(step, one) for one in value) if one != "" or not step.coded]
                native = tuple(each) if step.many else next(iter(each), None)
            else:
                native = self._back(step, value)
            # A zero of a field without presence says nothing, unless a table or the record itself has a use for it.
            said = step.presence and step.message is None
            if step.empty is MISSING or said or (native not in NOTHING and (native or step.value is not None or step.inner)):
                inside = told
                for name in step.paths[0][:-1]:
                    inside = inside.setdefault(name, {})
                inside[step.paths[0][-1]] = native
        return told

    def _back(self, step: _Step, value: Any) -> Any:
        if step.value is not None:
            return step.value.back(value)
        return value if step.inner is None else self.record(value, step.inner)

    def _made(self, kind: Any, values: Mapping[str, Any]) -> Any:
        return kind(**{name: self._made(_field(kind, name)[0], one) if isinstance(one, dict) else one for name, one in values.items()})

    # Reading tables

    def _read(self, pair: Pair) -> tuple[_Step, ...]:
        descriptor: Any = pair.message.DESCRIPTOR
        fields = {field.name: field for field in descriptor.fields}
        if wrong := pair.names.keys() - fields:
            raise ValueError(f"{_name(pair.message)} has no {', '.join(sorted(wrong))}")
        steps = tuple(
            self._step(pair.record, field, pair.names.get(name, name)) for name, field in fields.items() if name not in pair.without
        )
        used = {path for step in _flat(steps) for path in step.paths} | {tuple(name.split(".")) for name in pair.without}
        if forgotten := list(_forgotten(pair.record, used)):
            raise ValueError(f"{_name(pair.message)} has nothing for {', '.join(forgotten)} of {pair.record.__name__}")
        return steps

    def _step(self, record: Any, field: Any, counterpart: Counterpart) -> _Step:
        typed = field.message_type or field.enum_type
        made = GetMessageClass(field.message_type) if field.message_type else None
        step = partial(_Step, field.name, field.is_repeated, field.has_presence, field.enum_type is not None, made)
        if isinstance(counterpart, Parts):
            return step(parts=self._parts(record, field, counterpart))
        if not isinstance(counterpart, (str, tuple, By)):
            return step(worked_out=counterpart)
        path = counterpart.path if isinstance(counterpart, By) else counterpart
        paths = tuple(tuple(one.split(".")) for one in ((path,) if isinstance(path, str) else path))
        found = [_field(record, *one) for one in paths]
        held, empty, many = found[0]
        value = counterpart.value if isinstance(counterpart, By) else self._values.get(typed.full_name) if typed else None
        inner = held if made and value is None else None
        if typed and value is None and not dataclasses.is_dataclass(inner):
            raise ValueError(f"nobody says how {typed.full_name} goes over")
        return step(paths, value, empty, many, inner)

    def _parts(self, record: Any, field: Any, parts: Parts) -> tuple[_Step, ...]:
        before, steps = f"{parts.path}." if parts.path else "", []
        has = get_type_hints(_field(record, *before.split(".")[:-1])[0])
        for one in field.message_type.fields:
            name = parts.names.get(one.name, one.name if one.name in has else "")
            if isinstance(name, By):
                steps.append(self._step(record, one, By(before + name.path, name.value)))
            elif name:
                steps.append(self._step(record, one, before + name))
        return tuple(steps)


def _name(message: Any) -> str:
    return str(message.DESCRIPTOR.full_name)


def _as_it_is(record: Any) -> Any:
    return record


@cache
def _field(record: Any, *path: str) -> tuple[Any, Any, bool]:
    """The type at the end of a path through records, of each where there are several; its default; and whether there may be several."""
    held, empty, many = record, None, False
    for name in path:
        hints = get_type_hints(held)
        if name not in hints:
            raise ValueError(f"{held.__name__} has no {name}")
        empty = next(one.default for one in dataclasses.fields(held) if one.name == name)
        inside = get_args(hints[name])
        held, many = next((one for one in (hints[name], *inside) if dataclasses.is_dataclass(one)), hints[name]), Ellipsis in inside
    return held, empty, many


def _flat(steps: Iterable[_Step]) -> Iterable[_Step]:
    for step in steps:
        yield from (step, *_flat(step.parts))


def _forgotten(record: Any, used: Collection[tuple[str, ...]]) -> Iterable[str]:
    """Fields of a record, and of those that stand in it without a message of their own, to which no path leads."""
    for field in dataclasses.fields(record):
        if (field.name,) not in used:
            inside = {path[1:] for path in used if path[0] == field.name}
            yield from _forgotten(_field(record, field.name)[0], inside) if inside else (field.name,)


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict):
            _merge(into.setdefault(name, {}), value)
        else:
            into[name] = value
