"""Lines of a log that hold a word, of a time: a log is in order of time, so that only a part of it is read, however large it is.

What was rotated away lies beside it as `<name>.1`, `<name>.2` and so on, and is read too; what was compressed is not.
"""

import json
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

TAIL: Final = 256 * 1024 * 1024
"""Bytes, from the end, that are looked through where the time is not known."""
LONGEST_LINE: Final = 64 * 1024
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
        if not needles:
            return
        for path in self._paths():
            with ExitStack() as stack:
                file = stack.enter_context(path.open("rb"))
                try:
                    data = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
                except ValueError:  # it is empty
                    continue
                first = self._place(data, since) if since else max(0, len(data) - room)
                last = self._place(data, before) if before else len(data)
                room = max(0, room - (last - first))
                for start, end in _lines(data, needles, first, last):
                    if not left:
                        return
                    left -= 1
                    yield data[start:end].decode("utf-8", "replace")
            if not since and not room:
                return

    def _paths(self) -> list[Path]:
        """The log, then what it was rotated to, the newest first."""
        older = [(int(one.suffix[1:]), one) for one in self._path.parent.glob(f"{self._path.name}.*") if one.suffix[1:].isdecimal()]
        return [one for one in (self._path, *(path for _, path in sorted(older))) if one.is_file()]

    def _place(self, data: mmap.mmap, at: float) -> int:
        """Where the first line begins that was written at that time or later, by halving."""
        low, high = 0, len(data)
        while low < high:
            middle = (low + high) // 2
            start = data.rfind(b"\n", low, middle) + 1 or low
            end = data.find(b"\n", start, high)
            end = high if end < 0 else end + 1
            found = self._read(data[start : min(end, start + LONGEST_LINE)])
            if found is None or found < at:  # what can't be read is passed over
                low = end
            else:
                high = start
        return low

    def _read(self, line: bytes) -> float | None:
        try:
            return self._instant(json.loads(line))
        except (ValueError, KeyError, TypeError):
            return None


def _lines(data: mmap.mmap, needles: Sequence[bytes], first: int, last: int) -> list[tuple[int, int]]:
    """Beginning and end of each whole line that holds one of the needles."""
    found: set[tuple[int, int]] = set()
    for needle in needles:
        place = data.find(needle, first, last)
        while place >= 0:
            start, end = data.rfind(b"\n", 0, place) + 1, data.find(b"\n", place)
            if end < 0:
                break  # it is still being written
            found.add((start, end))
            place = data.find(needle, end, last)
    return sorted(found)
