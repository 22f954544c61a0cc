"""Canonical log lines: JSON whatever the values are, and the same whether or not a line was prepared."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metip.logs import Log, Value

VALUES = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none())


def _written(stream: io.StringIO) -> dict[str, Value]:
    (line,) = stream.getvalue().splitlines()
    said: dict[str, Value] = json.loads(line)
    return said


def test_a_line_has_time_event_and_the_fields_of_its_log_first() -> None:
    stream = io.StringIO()
    Log(stream, system="example", worker=2).line("started", interfaces=3)
    said = _written(stream)
    assert list(said) == ["at", "event", "system", "worker", "interfaces"]
    assert said["worker"] == 2
    at = datetime.fromisoformat(str(said["at"]))
    assert at.tzinfo is UTC
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60


@pytest.mark.parametrize("fixed", ["%s", "100%", "%%", 'a "quoted" word', "é\n"])
def test_what_is_rendered_beforehand_comes_out_as_it_went_in(fixed: str) -> None:
    stream = io.StringIO()
    Log(stream, system=fixed).prepared("operation", "outcome", operation=fixed)("OK")
    said = _written(stream)
    assert (said["system"], said["operation"], said["outcome"]) == (fixed, fixed, "OK")


@given(VALUES, VALUES)
def test_a_prepared_line_is_the_line_that_would_have_been_written(first: Value, second: Value) -> None:
    prepared, plain = io.StringIO(), io.StringIO()
    Log(prepared, system="example").prepared("operation", "first", "second", worker=1)(first, second)
    Log(plain, system="example").line("operation", worker=1, first=first, second=second)
    assert list(_written(prepared).items())[1:] == list(_written(plain).items())[1:]
    assert len(prepared.getvalue()) == len(plain.getvalue())


def test_gathered_lines_are_written_together_and_before_any_other_line() -> None:
    stream = io.StringIO()
    due: list[Callable[[], None]] = []
    log = Log(stream, system="example")
    log.gather(due.append)
    tell = log.prepared("operation", "outcome")
    tell("OK")
    tell("NO_TRACE")
    assert stream.getvalue() == ""
    assert len(due) == 1
    due.pop()()
    assert [json.loads(line)["outcome"] for line in stream.getvalue().splitlines()] == ["OK", "NO_TRACE"]
    tell("BUSY")
    assert len(due) == 1
    log.line("stopped")
    assert [json.loads(line).get("outcome", "") for line in stream.getvalue().splitlines()] == ["OK", "NO_TRACE", "BUSY", ""]
    due.pop()()
    assert len(stream.getvalue().splitlines()) == 4
