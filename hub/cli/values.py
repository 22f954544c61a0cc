"""One plain value as it is typed, by the type of its field: numbers in their range, yes and no, base64, enum values. Pure."""

from difflib import get_close_matches
from typing import Any, Final

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from hub.cli.rendering import prefix_of

INTEGERS: Final = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    }
)
FLOATS: Final = frozenset({FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE})
YES, NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


class FieldError(ValueError):
    """One assignment that makes no sense; the text says why and what would."""


def scalar(field: FieldDescriptor, value: str) -> Any:
    """The value of one plain field, or of one item of a list of them. Raises `FieldError`."""
    if field.enum_type is not None:
        return enum_number(field.enum_type, value)
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        word = value.casefold()
        if word not in YES | NO:
            raise FieldError(f"is true or false, not {value!r}")
        return word in YES
    if kind in INTEGERS:
        return _integer(value, bits=64 if kind in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64) else 32, field=field)
    if kind in FLOATS:
        try:
            return float(value)
        except ValueError:
            raise FieldError(f"is a number, not {value!r}") from None
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes(value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise FieldError("is no UTF-8 text") from None
    return value


def _integer(value: str, *, bits: int, field: FieldDescriptor) -> int:
    try:
        number = int(value)
    except ValueError:
        raise FieldError(f"is a whole number, not {value!r}") from None
    unsigned = field.cpp_type in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not low <= number <= high:
        raise FieldError(f"is from {low} to {high}, not {number}")
    return number


def _bytes(value: str) -> bytes:
    import base64
    import binascii

    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise FieldError("holds bytes: write them in base64") from None


def enum_number(enum: EnumDescriptor, text: str) -> int:
    """The number of an enum value written with or without its prefix, in any case. Raises `FieldError` listing the values."""
    word = text.strip().upper().replace("-", "_").replace(" ", "_")
    for name in (word, prefix_of(enum) + word):
        if name in enum.values_by_name:
            return int(enum.values_by_name[name].number)
    if text.isdecimal() and int(text) in enum.values_by_number:
        return int(text)
    names = [value.name.removeprefix(prefix_of(enum)) for value in enum.values if value.number]
    close = get_close_matches(word, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
    raise FieldError(f"{text!r} is no {enum.name}; {hint}")
