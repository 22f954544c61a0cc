"""How values stand as text in documents."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from adapters.kit.binding import Kind
from adapters.kit.texts import DATE, INSTANT, TIME, bounded, flag, matching, one_of, stripped, whole

READ: list[tuple[str, Kind, str, Any]] = [
    ("a text as it stands", bounded(3), " a ", " a "),
    ("a text without blanks around it", stripped(3), "  abc\n", "abc"),
    ("a form", matching("[A-Z]{2}"), " AB ", "AB"),
    ("one of some letters", one_of("A-C"), "B", "B"),
    ("a number with a sign and zeros", whole(99, 3), "+007", 7),
    ("a flag", flag(), "Y", True),
    ("a flag of words", flag("true", "false"), "false", False),
    ("a day", DATE, "2026-11-23", date(2026, 11, 23)),
    ("a day with a zone", DATE, " 2026-11-23+01:00 ", date(2026, 11, 23)),
    ("a time", TIME, "09:30:59.5", time(9, 30)),
    ("a time with a zone", TIME, "09:30-01:30", time.fromisoformat("09:30-01:30")),
    ("an instant", INSTANT, "2026-11-23T09:30:00.1234567Z", datetime(2026, 11, 23, 9, 30, 0, 123456, UTC)),
    ("an instant without a zone", INSTANT, "2026-11-23T09:30:00", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
]
REFUSED: list[tuple[str, Kind, str]] = [
    ("a text that is too long", bounded(3), "abcd"),
    ("a longer one between blanks", stripped(3), " abcd "),
    ("another form", matching("[A-Z]{2}"), "ABC"),
    ("another letter", one_of("A-C"), "D"),
    ("a number that is too large", whole(99), "100"),
    ("a number below none", whole(99), "-1"),
    ("a number in other digits", whole(99), "\u0664"),
    ("a flag of another word", flag(), "yes"),
    ("a day of no calendar", DATE, "2026-02-30"),
    ("a day of another age", DATE, "1799-12-31"),
    ("a day of another order", DATE, "23/11/2026"),
    ("a time of no day", TIME, "24:00"),
    ("an instant of words", INSTANT, "yesterday"),
]
WRITTEN: list[tuple[str, Kind, Any, str]] = [
    ("a number with zeros", whole(999, 3), 7, "007"),
    ("a flag", flag("true", "false"), True, "true"),
    ("a day", DATE, date(2026, 1, 2), "2026-01-02"),
    ("a time", TIME, time(9, 5), "09:05:00"),
    ("an instant", INSTANT, datetime(2026, 11, 23, 9, 30, tzinfo=UTC), "2026-11-23T09:30:00.000+00:00"),
]


@pytest.mark.parametrize(("name", "kind", "text", "value"), READ, ids=[row[0] for row in READ])
def test_a_text_is_read(name: str, kind: Kind, text: str, value: Any) -> None:
    assert kind.read(text) == value


@pytest.mark.parametrize(("name", "kind", "text"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_text_that_is_none_of_its_kind_is_refused(name: str, kind: Kind, text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        kind.read(text)


@pytest.mark.parametrize(("name", "kind", "value", "text"), WRITTEN, ids=[row[0] for row in WRITTEN])
def test_a_value_is_written(name: str, kind: Kind, value: Any, text: str) -> None:
    assert kind.write(value) == text
