"""Lines of a log that hold a word, of a time: a log is in order of time, so that only a part of it is read, however large it is.

What was rotated away lies beside it as `<name>.1`, `<name>.2` and so on, and is read too; what was compressed is not.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

TAIL: Final = 256 * 1024 * 1024
"""Bytes, from the end, that are looked through where the time is not known."""
LONGEST_LINE: Final = 64 * 1024
AT_ONCE: Final = 4 * 1024 * 1024
Instant = Callable[[Any], float]
"""When a line was written, from its JSON. Raises `KeyError`, `TypeError` and `ValueError` where it does not say."""


def written_at(said: Any) -> float:
    """The time of a line that is written at its end."""
    return datetime.fromisoformat(str(said["at"])).timestamp()


class LogFiles:
    """One log with what it was rotated to."""

    def __init__(self, path: Path, instant: Instant = written_at) -> None:
        self._path, self._instant = path, instant

    def since(self) -> float:
        """The first instant of which there is a line; 0 where there is none at all."""
        for path in reversed(self._paths()):
            with suppress(OSError), path.open("rb") as file:
                found = self._read(file.readline(LONGEST_LINE))
                if found is not None:
                    return found
        return 0.0

    def holding(self, words: Sequence[str], *, since: float = 0.0, before: float = 0.0, most: int = 2000) -> Iterator[str]:
        """Lines that hold one of the words, in the order of each file, the newest file first; at most so many.

        Those written from `since` until `before`; without them what the last `TAIL` bytes hold. Raises `OSError`.
        """
        needles, left, room = [word.encode() for word in words if word], most, TAIL
        for path in self._paths() if needles else ():
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                first = self._place(file, size, since) if since else _line_around(file, max(0, size - room))[0]
                last = self._place(file, size, before) if before else size
                for line in _lines(file, needles, first, last):
                    if not left:
                        return
                    left -= 1
                    yield line.decode("utf-8", "replace")
            room -= last - first
            if not since and room <= 0:
                return

    def _paths(self) -> list[Path]:
        """The log, then what it was rotated to, the newest first."""
        older = [(int(one.suffix[1:]), one) for one in self._path.parent.glob(f"{self._path.name}.*") if one.suffix[1:].isdecimal()]
        return [one for one in (self._path, *(path for _, path in sorted(older))) if one.is_file()]

    def _place(self, file: BinaryIO, size: int, at: float) -> int:
        """Where the first line begins that was written at that time or later, by halving."""
        low, high = 0, size
        while low < high:
            start, line = _line_around(file, (low + high) // 2, low)
            found = self._read(line)
            if found is None or found < at:  # what can't be read is passed over
                low = start + max(1, len(line))
            else:
                high = start
        return low

    def _read(self, line: bytes) -> float | None:
        try:
            return self._instant(json.loads(line))
        except (ValueError, KeyError, TypeError):
            return None


def _line_around(file: BinaryIO, place: int, low: int = 0) -> tuple[int, bytes]:
    """Where the line begins that a place lies in, and the line; no further back than `low`, where one begins."""
    begin = max(low, place - LONGEST_LINE)
    file.seek(begin)
    start = begin + file.read(place - begin).rfind(b"\n") + 1
    file.seek(start)
    return start, file.readline(2 * LONGEST_LINE)


def _lines(file: BinaryIO, needles: Sequence[bytes], first: int, last: int) -> Iterator[bytes]:
    """Whole lines that hold one of the needles. Read part by part: a file that is cut short meanwhile, as some rotate it, ends early."""
    file.seek(first)
    left, rest = last - first, b""
    while left > 0 and (block := file.read(min(AT_ONCE, left))):
        left -= len(block)
        data = rest + block
        whole = data.rfind(b"\n") + 1
        rest = data[whole:][-LONGEST_LINE:]
        found: set[tuple[int, int]] = set()
        for needle in needles:
            place = data.find(needle, 0, whole)
            while place >= 0:
                end = data.index(b"\n", place)
                found.add((data.rfind(b"\n", 0, place) + 1, end))
                place = data.find(needle, end, whole)
        yield from (data[start:end] for start, end in sorted(found))
