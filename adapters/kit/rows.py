"""Native records as numbered rows of text, as teleprinters and host screens have them; pure.

    001 CAD 1234/25NOV26
    002 TXT CALLER STATES THAT A BLUE VAN HAS STOPPED ACROSS THE CROSSING AND THAT T
    003 +   HE DRIVER HAS LEFT

A row has its number, a tag of three letters and what fits; `+` goes on in the same value, `/` begins a new line of it. A record is a
dataclass whose fields are `Annotated` with their tags and have defaults. It begins with the row of its first field, which is always
written; what else is as its default is left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_args, get_type_hints

from adapters.kit.elements import PLAIN, Value

MOST_ROWS = 999
ROW = re.compile(r"([0-9]{3}) ([A-Z]{3}|\+  |/  ) ?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Rows:
    """Writes and reads records of these kinds."""

    kinds: tuple[type, ...]
    values: Mapping[Any, Value]
    """How the fields' types are written, beside text, numbers and flags, and tuples of texts without blanks."""
    width: int = 72

    def write(self, records: Iterable[Any]) -> list[str]:
        """The rows. Raises ValueError when there are more than 999."""
        rows = [row for record in records for tag, text in self._written(record) for row in self.split(tag, text)]
        if len(rows) > MOST_ROWS:
            raise ValueError(f"there are at most {MOST_ROWS} rows")
        return [f"{number:03d} {row}" for number, row in enumerate(rows, start=1)]

    def split(self, tag: str, text: str) -> list[str]:
        """The rows of one value, without their numbers. A carriage return would end a row, so it becomes a blank."""
        rows: list[str] = []
        for line in text.replace("\r", " ").split("\n"):
            for at in range(0, len(line) or 1, self.width):
                rows.append(f"{'+' if at else '/' if rows else tag:3} {line[at : at + self.width]}")
        return rows

    def read(self, rows: Iterable[str]) -> list[Any]:
        """The records; rows that a record has no field for are passed over. Raises ValueError, whose text repeats no value."""
        first = {_places(kind)[0][1]: kind for kind in self.kinds}
        try:
            return [self._record(first[next(iter(found))], found) for found in _sections(rows, first)]
        except (ValueError, KeyError, OverflowError, StopIteration):
            raise ValueError("a row or a section can't be read") from None

    def _record(self, kind: type, found: Mapping[str, str]) -> Any:
        return kind(**{name: self._value(held).read(found[tag]) for name, tag, held, _ in _places(kind) if found.get(tag)})

    def _written(self, record: Any) -> Iterator[tuple[str, str]]:
        for order, (name, tag, held, default) in enumerate(_places(type(record))):  # type: ignore[arg-type]  # a class can be hashed
            value = getattr(record, name)
            if order == 0 or value != default:
                yield tag, self._value(held).write(value)

    def _value(self, held: Any) -> Value:
        return self.values[held] if held in self.values else PLAIN.get(held) or WORDS


WORDS = Value(" ".join, lambda text: tuple(text.split()))


def _sections(rows: Iterable[str], first: Mapping[str, type]) -> Iterator[dict[str, str]]:
    """The values of each record by tag."""
    values, tag = dict[str, str](), ""
    for number, row in enumerate(rows, start=1):
        found = ROW.fullmatch(row)
        if found is None or int(found[1]) != number:
            raise ValueError
        mark, text = found[2].rstrip(), found[3]
        if mark in ("+", "/"):
            values[tag] += ("\n" if mark == "/" else "") + text
            continue
        if mark in first and values:
            yield values
            values = {}
        if mark in values:
            raise ValueError
        values[mark], tag = text, mark
    yield values


@cache
def _places(kind: Any) -> list[tuple[str, str, Any, Any]]:
    """Name, tag, type and default of each field."""
    hints = get_type_hints(kind, include_extras=True)
    return [(one.name, get_args(hints[one.name])[1], get_args(hints[one.name])[0], one.default) for one in fields(kind)]
