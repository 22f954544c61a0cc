"""Fields of a message beside those of a far system's record, as a table that is read in both directions; pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

Record = dict[str, Any]


class Kind(NamedTuple):
    """How one value is written into a record and read out of it. Reading is done only where the record has the field."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


PLAIN: Final = Kind(lambda value: value, lambda value: value)
LIST: Final = Kind(list, tuple)


class Table:
    """Rows of `field:name` or `field:name:kind`, separated by blanks; a dotted name leads into an object of the record, which is there only
    when something in it is set."""

    def __init__(self, rows: str, **kinds: Kind) -> None:
        """Raises `KeyError` for a kind that is not given."""
        known = {"": PLAIN, "list": LIST, **kinds}
        parts = ([*row.split(":"), ""][:3] for row in rows.split())
        self._rows = tuple((ours, tuple(theirs.split(".")), known[kind]) for ours, theirs, kind in parts)

    def record(self, message: Any) -> Record:
        """The message's values under the record's names."""
        made: Record = {}
        for ours, (*outer, name), kind in self._rows:
            value = kind.write(getattr(message, ours))
            if outer and not value:
                continue
            inside = made
            for step in outer:
                inside = inside.setdefault(step, {})
            inside[name] = value
        return made

    def fields(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record's values under the message's names; what the record does not have is left out."""
        found: dict[str, Any] = {}
        for ours, (*outer, name), kind in self._rows:
            inside: Any = record
            for step in outer:
                inside = inside.get(step, {})
            if name in inside:
                found[ours] = kind.read(inside[name])
        return found


def tables(text: str, **kinds: Kind) -> dict[str, Table]:
    """Tables by name. Each begins a line; its rows follow, on further lines too if those begin with a blank."""
    named = (block.split(maxsplit=1) for block in re.split(r"\n+(?=\S)", text.strip()))
    return {name: Table(rows, **kinds) for name, rows in named}
