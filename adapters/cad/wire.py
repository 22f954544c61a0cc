"""The message switch's blocks: numbered rows of at most 80 columns in ISO-8859-1, the last one with their count and a check. All assumed.

    ZCZC EVT 0000000104
    001 REF
    002 CAD 1234/25NOV26
    003 LIN 2
    004 TXT CALLER STATES THAT A BLUE VAN HAS STOPPED ACROSS THE CROSSING AND THAT T
    005 +   HE DRIVER HAS LEFT
    NNNN 005 A1F4

A row has its number, a tag and 72 characters; `+` goes on in the same value, `/` begins a new line of it. The check is the sum of all bytes
before the last row, modulo 65,536. An instant has the zone's letter, `251026 0130A` for British summer time, so that no hour is ambiguous
when the clocks go back. The law: a block whose count or check does not fit is never read, and ends the session.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any, Final, get_args, get_type_hints
from zoneinfo import ZoneInfo

from adapters.cad.records import Block, Control, Incident, Kind, Line, Unit
from adapters.kit.elements import PLAIN, Value

START, LAST, TAIL = b"ZCZC ", b"\r\nNNNN ", 10
"""How a block begins, what stands before its count, and how many bytes follow that."""
WIDTH, MOST_ROWS = 72, 999
LARGEST: Final = (MOST_ROWS + 2) * 82
HEAD = re.compile(r"ZCZC ([A-Z]{3}) ([0-9]{10})")
ROW = re.compile(r"([0-9]{3}) ([A-Z]{3}|\+  |/  ) ?(.{0,72})", re.DOTALL)
END = re.compile(rb"\r\nNNNN ([0-9]{3}) ([0-9A-F]{4})\r\n")
LONDON: Final = ZoneInfo("Europe/London")
ZONES: Final[Mapping[str, timezone]] = {"Z": UTC, "A": timezone(timedelta(hours=1))}
SECTIONS: Final[Mapping[str, Any]] = {"REF": Control, "CAD": Incident, "LIN": Line, "UNT": Unit}


class WireError(ValueError):
    """Bytes that are no block: nobody knows where the next one begins. The text repeats none of them."""


class Unreadable(ValueError):
    """A whole block, of that number, whose rows make no sense; the text repeats none of them."""

    def __init__(self, number: int) -> None:
        super().__init__("a row or a section can't be read")
        self.number = number


def encode(block: Block) -> bytes:
    """The block's bytes. Raises `WireError` for one of too many rows or with a character that ISO-8859-1 lacks."""
    written = (pair for record in (block.control, *block.incidents, *block.lines, *block.units) for pair in _written(record))
    rows = [row for tag, text in written for row in split(tag, text)]
    if len(rows) > MOST_ROWS:
        raise WireError(f"a block has at most {MOST_ROWS} rows")
    try:
        numbered = (f"{place:03d} {row}" for place, row in enumerate(rows, start=1))
        body = "\r\n".join((f"ZCZC {block.kind} {block.number:010d}", *numbered)).encode("latin-1")
    except UnicodeEncodeError:
        raise WireError("a character is not in ISO-8859-1") from None
    return body + b"\r\nNNNN %03d %04X\r\n" % (len(rows), sum(body) % 65_536)


def split(tag: str, text: str) -> list[str]:
    """The rows of a value, without their numbers. A carriage return would end a row, so it becomes a blank."""
    rows: list[str] = []
    for line in text.replace("\r", " ").split("\n"):
        for at in range(0, len(line) or 1, WIDTH):
            rows.append(f"{'+' if at else '/' if rows else tag:3} {line[at : at + WIDTH]}")
    return rows


def decode(data: bytes) -> Block:
    """The block. Raises `WireError` or `Unreadable`."""
    end = END.search(data)
    if end is None or end.end() != len(data) or sum(data[: end.start()]) % 65_536 != int(end[2], 16):
        raise WireError("the check does not fit")
    head, *rows = data[: end.start()].decode("latin-1").split("\r\n")
    begun = HEAD.fullmatch(head)
    if begun is None or len(rows) != int(end[1]):
        raise WireError("the first row or the count does not fit")
    try:
        found: dict[Any, list[Any]] = {kind: [] for kind in SECTIONS.values()}
        for values in _sections(rows):
            kind = SECTIONS[next(iter(values))]
            found[kind].append(_read(kind, values))
        (control,), *others = found.values()
        return Block(Kind(begun[1]), int(begun[2]), control, *map(tuple, others))
    except (ValueError, KeyError, OverflowError):  # theirs may repeat what they can't read
        raise Unreadable(int(begun[2])) from None


def _sections(rows: list[str]) -> Iterator[dict[str, str]]:
    """The values of each section by tag; the first tag says what it is."""
    values, tag = dict[str, str](), ""
    for place, row in enumerate(rows, start=1):
        found = ROW.fullmatch(row)
        if found is None or int(found[1]) != place:
            raise ValueError
        mark, text = found[2].rstrip(), found[3]
        if mark in ("+", "/"):
            values[tag] += ("\n" if mark == "/" else "") + text
            continue
        if mark in SECTIONS and values:
            yield values
            values = {}
        if mark in values:
            raise ValueError
        values[mark], tag = text, mark
    yield values


def _read(kind: Any, values: Mapping[str, str]) -> Any:
    """The record; rows that it has no field for are passed over."""
    return kind(**{name: value.read(values[tag]) for name, tag, value, _ in _places(kind) if values.get(tag)})


def _written(record: Any) -> Iterator[tuple[str, str]]:
    for order, (name, tag, value, default) in enumerate(_places(type(record))):  # type: ignore[arg-type]  # a class can be hashed
        if order == 0 or getattr(record, name) != default:
            yield tag, value.write(getattr(record, name))


@cache
def _places(kind: Any) -> list[tuple[str, str, Value, Any]]:
    """Name, tag, way of writing and default of each field."""
    hints = get_type_hints(kind, include_extras=True)
    told = ((one, *get_args(hints[one.name])) for one in fields(kind))
    return [(one.name, tag, VALUES[held], one.default) for one, held, tag in told]


def _write_instant(at: datetime) -> str:
    local = at.astimezone(LONDON)
    return f"{local:%d%m%y %H%M}{'A' if local.dst() else 'Z'}"


def _read_instant(text: str) -> datetime:
    return datetime.strptime(text[:-1], "%d%m%y %H%M").replace(tzinfo=ZONES[text[-1]]).astimezone(UTC)


VALUES: Final[Mapping[Any, Value]] = {
    **PLAIN,
    datetime | None: Value(_write_instant, _read_instant),
    date | None: Value(lambda day: f"{day:%d%m%y}", lambda text: datetime.strptime(text, "%d%m%y").replace(tzinfo=UTC).date()),
    tuple[str, ...]: Value(" ".join, lambda text: tuple(text.split())),
}
