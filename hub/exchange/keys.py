"""Reads the keys of a message from the fields that its contract marks, and makes the fingerprints by which they are looked up."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final
from zlib import crc32

from google.protobuf.message import Message

SEPARATOR: Final = "|"
FINGERPRINT: Final = (1 << 27) - 1


def key_reader(fields: tuple[str, ...]) -> Callable[[Message], str]:
    """A function that gives the values of these fields as one text; empty when every one of them is.

    The values are escaped, so that no two different sets of values read alike.
    """

    def read(message: Any) -> str:
        values = [_text(getattr(message, name)) for name in fields]
        return SEPARATOR.join(values) if any(values) else ""

    def read_one(message: Any) -> str:
        return _text(getattr(message, fields[0]))

    return read_one if len(fields) == 1 else read


def _text(value: Any) -> str:
    if value.__class__ is not str:
        value = _text_of(value)
    if "\\" in value or SEPARATOR in value:
        return str(value).replace("\\", "\\\\").replace(SEPARATOR, "\\" + SEPARATOR)
    return str(value)


def _text_of(value: Any) -> str:
    if isinstance(value, Message):
        identifier: Any = value
        value = identifier.value
    return str(value) if value != 0 else ""


def fingerprint(operation: str, key: str) -> int:
    """A number of 27 bits that stands for a key of an operation; 0 stands for no key, and for nothing else."""
    return (crc32(key.encode(), _seed(operation)) & FINGERPRINT or 1) if key else 0


def fingerprints(operation: str, keys: Sequence[str]) -> list[int]:
    """Those of many keys."""
    seed = _seed(operation)
    return [(crc32(key.encode(), seed) & FINGERPRINT or 1) if key else 0 for key in keys]


@cache
def _seed(operation: str) -> int:
    return crc32(operation.encode())
