"""Native records as JSON documents: frozen dataclasses, whose fields stand there under their names in camel case. Pure.

The law: what is unknown is passed over, what is missing has its default or is refused, what is of another type is refused. Fields that have
their default are not written. Numbers are whole and of 32 bits. A problem names the place and never what stands there.
"""

import dataclasses
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

R = TypeVar("R")


class DocumentError(ValueError):
    """Bytes that are no such document, or a record that makes none."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[R]) -> type[R]:
    """Makes a class a native record: a frozen dataclass that shows nothing of itself."""
    return dataclass(frozen=True, slots=True, kw_only=True, repr=False)(cls)


@dataclass(frozen=True, slots=True)
class _Member:
    """One field of a record, as it is read."""

    field: str
    read: Callable[[Any, str], Any]
    needed: bool


def encode(record: object) -> bytes:
    """The document of a record, in UTF-8. Raises `DocumentError` for text that is no Unicode, and for what is no number."""
    try:
        return json.dumps(_written(record), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        raise DocumentError("a text holds half a surrogate pair") from None
    except ValueError:
        raise DocumentError("a number is none that JSON has") from None


def decode(kind: type[R], data: bytes) -> R:
    """The record of that kind in a document; `dict` gives any object as it is. Raises `DocumentError`."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        raise DocumentError("it is no JSON") from None
    found: R = _reader(kind)(tree, "")
    return found


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    if isinstance(value, tuple):
        return [_written(one) for one in value]
    if isinstance(value, dict):
        return {name: _written(one) for name, one in value.items()}
    if not dataclasses.is_dataclass(value):
        return value
    said = {camel(one.name): getattr(value, one.name) for one in dataclasses.fields(value) if getattr(value, one.name) != one.default}
    return {name: _written(one) for name, one in said.items()}


def _record(kind: type[Any], tree: Any, where: str) -> Any:
    if not isinstance(tree, dict):
        raise DocumentError(f"{where or 'the document'} is no object")
    values = {}
    for name, member in _members(kind).items():  # type: ignore[arg-type]  # a class is hashable
        said, path = tree.get(name), f"{where}.{name}" if where else name
        if said is not None:
            values[member.field] = member.read(said, path)
        elif member.needed:
            raise DocumentError(f"{path} is missing")
    return kind(**values)


@cache
def _members(kind: type[Any]) -> Mapping[str, _Member]:
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    return {camel(one.name): _Member(one.name, _reader(hints[one.name]), one.default is dataclasses.MISSING) for one in fields}


def _reader(hint: Any) -> Callable[[Any, str], Any]:
    """Reads a value of a type: text, number, truth, instant, record, or an object as it is; one of them or nothing; any number of one."""
    if dict in (hint, get_origin(hint)):
        return lambda said, where: _of(dict, said, where or "the document")
    if get_origin(hint) is tuple:
        inner = _reader(get_args(hint)[0])
        return lambda said, where: tuple(inner(one, f"{where}[{place}]") for place, one in enumerate(_of(list, said, where)))
    if get_origin(hint) is types.UnionType:
        return _reader(next(one for one in get_args(hint) if one is not types.NoneType))
    if hint is datetime:
        return _instant
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return lambda said, where: _record(hint, said, where)
    return lambda said, where: _of(hint, said, where)


def _of(kind: type[Any], said: Any, where: str) -> Any:
    if type(said) is not kind:
        raise DocumentError(f"{where} is of another type")
    if kind is int and not -(2**31) <= said < 2**31:
        raise DocumentError(f"{where} is too large a number")
    if kind is str and any("\ud800" <= one <= "\udfff" for one in said if one > "\xff"):
        raise DocumentError(f"{where} holds half a surrogate pair")
    return said


def _instant(said: Any, where: str) -> datetime:
    try:
        found = datetime.fromisoformat(_of(str, said, where))
        if found.tzinfo is None:
            raise ValueError("local to nowhere")
        return found.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise DocumentError(f"{where} is no instant") from None


def camel(name: str) -> str:
    """A name in camel case."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
