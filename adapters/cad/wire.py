"""The message switch's blocks: rows of at most 80 columns in ISO-8859-1, the last one with their count and a check. All assumed.

    ZCZC EVT 0000000104
    001 REF
    002 CAD 1234/25NOV26
    003 LIN 2
    NNNN 003 A1F4

The rows are those of `adapters.kit.rows`. The check is the sum of all bytes before the last row, modulo 65,536. An instant has the zone's
letter, `251026 0130A` for British summer time, so that no hour is ambiguous when the clocks go back. The law: a block whose count or check
does not fit is never read, and ends the session.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.cad.records import Block, Control, Incident, Kind, Line, Unit
from adapters.kit.elements import Value
from adapters.kit.rows import MOST_ROWS, Rows

START, LAST, TAIL = b"ZCZC ", b"\r\nNNNN ", 10
"""How a block begins, what stands before its count, and how many bytes follow that."""
LARGEST: Final = (MOST_ROWS + 2) * 82
HEAD = re.compile(r"ZCZC ([A-Z]{3}) ([0-9]{10})")
END = re.compile(rb"\r\nNNNN ([0-9]{3}) ([0-9A-F]{4})\r\n")
LONDON: Final = ZoneInfo("Europe/London")
ZONES: Final = {"Z": UTC, "A": timezone(timedelta(hours=1))}


class WireError(ValueError):
    """Bytes that are no block, or a block that can't be written. The text repeats none of it."""


class Unreadable(ValueError):
    """A whole block, of that number, whose rows make no sense; the text repeats none of them."""

    def __init__(self, number: int) -> None:
        super().__init__("a row or a section can't be read")
        self.number = number


def encode(block: Block) -> bytes:
    """The block's bytes. Raises `WireError` for one of too many rows or with a character that ISO-8859-1 lacks."""
    try:
        rows = ROWS.write((block.control, *block.incidents, *block.lines, *block.units))
        body = "\r\n".join((f"ZCZC {block.kind} {block.number:010d}", *rows)).encode("latin-1")
    except ValueError:  # UnicodeEncodeError, which holds the text, among them
        raise WireError(f"it has more than {MOST_ROWS} rows, or a character that is not in ISO-8859-1") from None
    return body + b"\r\nNNNN %03d %04X\r\n" % (len(rows), sum(body) % 65_536)


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
        found = ROWS.read(rows)
        parts: list[list[Any]] = [[one for one in found if isinstance(one, kind)] for kind in ROWS.kinds]
        (control,), *others = parts
        return Block(Kind(begun[1]), int(begun[2]), control, *map(tuple, others))
    except ValueError:
        raise Unreadable(int(begun[2])) from None


def _write_instant(at: datetime) -> str:
    local = at.astimezone(LONDON)
    return f"{local:%d%m%y %H%M}{'A' if local.dst() else 'Z'}"


def _read_instant(text: str) -> datetime:
    return datetime.strptime(text[:-1], "%d%m%y %H%M").replace(tzinfo=ZONES[text[-1]]).astimezone(UTC)


DAYS = Value(lambda day: f"{day:%d%m%y}", lambda text: datetime.strptime(text, "%d%m%y").replace(tzinfo=UTC).date())
VALUES: Any = {datetime | None: Value(_write_instant, _read_instant), date | None: DAYS}
ROWS: Final = Rows((Control, Incident, Line, Unit), VALUES)
