"""Canonical log lines: one JSON object per operation, at its end, on standard error.

The law: values are codes, names of operations and numbers. No text of a request, a reply or a far system is ever a value, so no line can
hold personal data.
"""

import json
import sys
import time
from functools import lru_cache
from typing import TextIO

Value = str | int | float | bool | None

# `json.dumps` would make an encoder for each line, which costs more than the line.
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


class Log:
    """Writes lines as JSON. `fields` are on every line of this log (system, worker)."""

    def __init__(self, stream: TextIO | None = None, **fields: Value) -> None:
        self._stream = stream
        self._fields = fields

    def line(self, event: str, **values: Value) -> None:
        """Writes one line, in one write; `event` is a fixed snake_case word."""
        milliseconds = int(time.time() * 1000)
        at = f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"
        (self._stream or sys.stderr).write(_encode({"at": at, "event": event, **self._fields, **values}) + "\n")


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
