"""Days and times as ISO 8601 has them, in London and in UTC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.isodates import day_text, read_day, read_instant, read_time, time_text
from metip.common.v1.time_pb2 import CivilDate, LocalTime

DAYS = {
    "whole": (CivilDate(year=2026, month=11, day=3), "2026-11-03"),
    "a month": (CivilDate(year=2026, month=11), "2026-11-00"),
    "a year": (CivilDate(year=2026), "2026-00-00"),
}


@pytest.mark.parametrize(("day", "text"), DAYS.values(), ids=DAYS)
def test_a_day_goes_there_and_back(day: CivilDate, text: str) -> None:
    assert (day_text(day), read_day(text)) == (text, day)


def test_no_day_is_no_text() -> None:
    assert day_text(CivilDate()) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "2026-13-01",
        "2026-01-32",
        "0000-00-00",
        "2026-1-1",
        "20260101",
        "2026-01-01T00:00",
        "\uff12\uff10\uff12\uff16-\uff10\uff11-\uff10\uff11",
    ],
)
def test_what_is_no_day_is_none(text: str | None) -> None:
    assert read_day(text) is None


SEASONS = {"winter": ("2026-01-15", "14:30+00:00", "14:30"), "summer": ("2026-07-15", "14:30+01:00", "13:30")}


@pytest.mark.parametrize(("day", "written", "utc"), SEASONS.values(), ids=SEASONS)
def test_a_time_bears_londons_offset_and_comes_back_from_utc(day: str, written: str, utc: str) -> None:
    at, on = LocalTime(hour=14, minute=30), read_day(day)
    assert on is not None
    assert time_text(at, on) == written
    assert read_time(utc, day) == read_time(f"{utc}Z", day) == at


@given(st.datetimes().filter(lambda at: at.year > 1970))
def test_a_time_kept_in_utc_is_the_same_time_again(at: object) -> None:
    hour, minute, text = at.hour, at.minute, f"{at:%Y-%m-%d}"  # type: ignore[attr-defined]
    day = read_day(text)
    assert day is not None
    written = time_text(LocalTime(hour=hour, minute=minute), day)
    utc = (hour * 60 + minute - int(written[6:8]) * 60) % 1440
    assert read_time(f"{utc // 60:02d}:{utc % 60:02d}", text) == LocalTime(hour=hour, minute=minute)


@pytest.mark.parametrize("text", ["", None, "24:00", "12:60", "1200", "12:00+01:00", "noon"])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert read_time(text, "2026-01-01") is None


def test_a_moment_without_an_offset_is_in_utc() -> None:
    assert read_instant("2026-07-01T04:00:00") == read_instant("2026-07-01T05:00:00+01:00")
    assert read_instant("yesterday") is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_moment_that_lies_outside_the_calendar_in_utc_is_none(text: str) -> None:
    assert read_instant(text) is None
