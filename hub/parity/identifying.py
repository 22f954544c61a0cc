"""What says which entry of a list is which: the fields that its contract declares for that, or marks as identifiers."""

from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from typing import Any, Final

from google.protobuf.descriptor import Descriptor

from metip.masking import field_options

Name = Callable[[Any], Hashable]
"""Gives an entry's identifier; None where it has none."""
OF_MANY: Final = frozenset(("surname", "forename", "birth"))
"""Kinds of identifiers that many records share."""
DEEPEST: Final = 3


@lru_cache(maxsize=4096)
def names_of(kind: Descriptor, declared: tuple[str, ...]) -> tuple[Name, ...]:
    """Identifiers of entries of a type: the declared ones as one key, or each that is marked, nearest first."""
    if declared:
        return (_together([_reader(path.split(".")) for path in declared]),)
    found = sorted(_marked(kind, ()), key=len)
    return tuple(map(_reader, found))


def _marked(kind: Descriptor, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for field in kind.fields:
        said = field_options(field)
        if field.is_repeated or said.parity.ignore:
            continue
        if field.message_type is not None:
            if len(path) < DEEPEST:
                yield from _marked(field.message_type, (*path, field.name))
        elif said.subject_identifier and said.subject_identifier not in OF_MANY:
            yield (*path, field.name)


def _reader(path: tuple[str, ...] | list[str]) -> Name:
    *way, last = path

    def read(message: Any) -> Hashable:
        for name in way:
            if not message.HasField(name):
                return None
            message = getattr(message, name)
        value: Hashable = getattr(message, last)
        if isinstance(value, int | float) or value:
            return value or None
        return None

    return read


def _together(readers: list[Name]) -> Name:
    def read(message: Any) -> Hashable:
        found = tuple(one(message) for one in readers)
        return found if any(part is not None for part in found) else None

    return read
