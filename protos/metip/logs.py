"""Canonical log lines: one JSON object per operation, at its end, on standard error.

The law: values are codes, names of operations and numbers. No text of a request, a reply or a far system is ever a value, so no line can
hold personal data.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, TextIO

Value = str | int | float | bool | None

# `json.dumps` would make an encoder for each line, which costs more than the line.
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode
_ENCODERS: dict[type, Callable[[Any], str]] = {str: encode_basestring_ascii, int: int.__repr__, float: float.__repr__}


class Log:
    """Writes lines as JSON. `fields` are on every line of this log (system, worker)."""

    def __init__(self, stream: TextIO | None = None, **fields: Value) -> None:
        self._stream = stream
        self._fields = fields
        self._gathered: list[str] = []
        self._later: Callable[[Callable[[], None]], object] | None = None

    def gather(self, later: Callable[[Callable[[], None]], object]) -> None:
        """From now on prepared lines are written together: `later` runs what it is given, once, within a moment.

        A write for each line costs a busy process more than anything else about the line. What a killed process loses is the moment's lines
        of a log that nobody proves anything by; every other line, and the end of the process, writes what was gathered first.
        """
        self._later = later

    def flush(self) -> None:
        """Writes what was gathered."""
        if self._gathered:
            (self._stream or sys.stderr).write("".join(self._gathered))
            self._gathered.clear()

    def line(self, event: str, **values: Value) -> None:
        """Writes one line, in one write; `event` is a fixed snake_case word."""
        second, thousandth = _now()
        text = _members({"at": f"{second}.{thousandth:03d}Z", "event": event, **self._fields, **values})
        self.flush()
        (self._stream or sys.stderr).write(f"{{{text}}}\n")

    def prepared(self, event: str, *names: str, **fixed: Value) -> Callable[..., None]:
        """A line that is written with each call: all but the values of `names`, taken in that order, is rendered once, here."""
        rendered = _members({"event": event, **self._fields, **fixed}).replace("%", "%%")
        places = "".join(f",{encode_basestring_ascii(name)}:%s" for name in names)
        template = '{"at":"%s.%03dZ",' + rendered + places + "}\n"

        def write(*values: Value) -> None:
            texts = [_ENCODERS.get(value.__class__, _encode)(value) for value in values]
            self._put(template % (*_now(), *texts))

        return write

    def _put(self, text: str) -> None:
        if self._later is None:
            (self._stream or sys.stderr).write(text)
            return
        if not self._gathered:
            self._later(self.flush)
        self._gathered.append(text)


def _members(values: Mapping[str, Value]) -> str:
    return _encode(values)[1:-1]


def _now() -> tuple[str, int]:
    """The second, and the thousandth of it."""
    second, thousandth = divmod(int(time.time() * 1000), 1000)
    return _second(second), thousandth


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
