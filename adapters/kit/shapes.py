"""JSON objects of known shape: what a message may hold as data, and the way between bytes and checked records; pure.

A record is the JSON object itself, of a shape that was checked: no lone surrogates, numbers from 0 to 2³¹. What a shape does not name
is dropped on reading, since a newer far system may say more, and refused on writing. No error names a value.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Record = dict[str, Any]
MOST: Final = 2**31
KINDS: Final[Mapping[str, Any]] = {"str": str, "int": int, "float": float, "bool": bool}


class ShapeError(ValueError):
    """Something that is no message of its shape; says where, never what."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Fields that an object must and may have. A field's kind is `str`, `int`, `float`, `bool`, another shape, or a list of one of them."""

    needs: Mapping[str, Any] = field(default_factory=dict)
    may: Mapping[str, Any] = field(default_factory=dict)


def shapes(text: str) -> dict[str, Shape]:
    """Shapes by name. Each begins a line; its fields follow, on further lines too if those begin with a blank: `name`, `name!` where it is
    needed, `name:kind` and `name:[kind]`, where a kind is `int`, `float`, `bool` or an earlier shape; `+Shape` takes over another's fields.

    Raises `KeyError` for a kind or a shape that is not there.
    """
    found: dict[str, Shape] = {}
    for block in re.split(r"\n+(?=\S)", text.strip()):
        name, *fields = block.split()
        needs: dict[str, Any] = {}
        may: dict[str, Any] = {}
        for spelt, _, said in (one.partition(":") for one in fields):
            if spelt.startswith("+"):
                needs, may = {**needs, **found[spelt[1:]].needs}, {**may, **found[spelt[1:]].may}
                continue
            kind = said.strip("[]") or "str"
            value = found[kind] if kind in found else KINDS[kind]
            (needs if spelt.endswith("!") else may)[spelt.rstrip("!")] = [value] if said.startswith("[") else value
        found[name] = Shape(needs, may)
    return found


def decode(shape: Shape, data: bytes) -> Record:
    """The record in a body. Raises `ShapeError`."""
    try:
        said = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ShapeError("the body is no JSON") from None
    return _object(shape, said, "", strict=False)


def encode(shape: Shape, record: Mapping[str, Any]) -> bytes:
    """The body of a record; what is None or empty text is left out. Raises `ShapeError` for what the shape does not have."""
    return json.dumps(_object(shape, record, "", strict=True), ensure_ascii=False, separators=(",", ":")).encode()


def _no_number(text: str) -> float:
    raise ValueError(text)


def _checked(kind: Any, value: Any, where: str, *, strict: bool) -> Any:
    if isinstance(kind, Shape):
        return _object(kind, value, where, strict=strict)
    if isinstance(kind, list):
        if not isinstance(value, (list, tuple)):
            raise ShapeError(f"{where} is no list")
        return [_checked(kind[0], one, f"{where}[{place}]", strict=strict) for place, one in enumerate(value)]
    if not _is(kind, value):
        raise ShapeError(f"{where} is no {kind.__name__}")
    return value


def _is(kind: Any, value: Any) -> bool:
    if kind is str:
        return isinstance(value, str) and (value.isascii() or not any(0xD800 <= ord(one) < 0xE000 for one in value))
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, (int, kind)) and 0 <= value < MOST


def _object(shape: Shape, value: Any, where: str, *, strict: bool) -> Record:
    if not isinstance(value, Mapping):
        raise ShapeError(f"{where or 'the body'} is no object")
    lead = f"{where}." if where else ""
    said = {name: one for name, one in value.items() if one is not None and (one != "" or not strict)}
    for name in shape.needs:
        if name not in said:
            raise ShapeError(f"{lead}{name} is missing")
    known = {**shape.needs, **shape.may}
    for name in said if strict else ():
        if name not in known:
            raise ShapeError(f"{lead}{name} has no place there")
    return {name: _checked(kind, said[name], lead + name, strict=strict) for name, kind in known.items() if name in said}
