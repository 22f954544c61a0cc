"""Canonical log lines: one JSON object per operation, at its end, on standard error.

The law: values are codes, names of operations and numbers. No text of a request, a reply or a far system is ever a value, so no line can
hold personal data.
"""

import json
import sys
import time
from typing import TextIO

Value = str | int | float | bool | None


class Log:
    """Writes lines as JSON. `fields` are on every line of this log (system, worker)."""

    def __init__(self, stream: TextIO | None = None, **fields: Value) -> None:
        self._stream = stream
        self._fields = fields

    def line(self, event: str, **values: Value) -> None:
        """Writes one line; `event` is a fixed snake_case word."""
        at = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"
        text = json.dumps({"at": stamp, "event": event, **self._fields, **values}, separators=(",", ":"), default=str)
        (self._stream or sys.stderr).write(text + "\n")
