"""How a day is planned and played, with calls that are values."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from hub.cli.day.plan import HOURS, MEAN, Traffic, filled, merged, traffic
from hub.cli.day.player import MOST_AT_ONCE, Player
from hub.cli.messages import installed
from hub.cli.options import Problem

MESSAGES = installed()
LINES = traffic(MESSAGES)
CALL = next(one for one in LINES if one.template is not None and one.wants)
EVENT = next(one for one in LINES if one.template is None)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
FACTS = dict.fromkeys(set().union(*(one.wants for one in LINES)), "1")


def line(one: Traffic, a_day: int) -> Traffic:
    return Traffic(one.system, one.operation, a_day, one.because, one.template, one.wants, one.dial)


class Far:
    """Counts what is asked, and answers as it is told."""

    def __init__(self, status: grpc.StatusCode = grpc.StatusCode.OK, takes: float = 0.0) -> None:
        self.asked: list[Any] = []
        self.happened: Counter[str] = Counter()
        self._status, self._takes = status, takes

    async def ask(self, _: Traffic, request: Any) -> None:
        self.asked.append(request)
        await asyncio.sleep(self._takes)
        if self._status is not grpc.StatusCode.OK:
            raise grpc.aio.AioRpcError(self._status, grpc.aio.Metadata(), grpc.aio.Metadata())

    async def happen(self, one: Traffic, number: int) -> None:
        self.happened[one.dial] += number


def player(far: Far, speed: float = 3600.0, subjects: list[dict[str, str]] | None = None) -> Player:
    return Player(MESSAGES, subjects if subjects is not None else [FACTS], speed, NOON, far.ask, far.happen)


def test_the_hours_of_a_day_add_up_to_the_days_volume() -> None:
    assert sum(line(CALL, 86_400).rate(hour) for hour in range(24)) == pytest.approx(24)
    assert max(HOURS) / MEAN == pytest.approx(1.47, abs=0.02)


def test_a_request_has_the_facts_of_its_subject_in_their_places() -> None:
    template = {"name": "$surname", "born": {"year": "$birth_year"}, "lines": ["$house $street"], "limit": 3}
    facts = {"surname": "Example", "birth_year": "1980", "house": "1", "street": "Road"}
    assert filled(template, facts) == {"name": "Example", "born": {"year": "1980"}, "lines": ["1 Road"], "limit": 3}
    with pytest.raises(KeyError):
        filled(template, {})


def test_what_a_line_says_otherwise_goes_into_the_cases_request() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"c": 3}, "d": [2]}) == {"a": {"b": 1, "c": 3}, "d": [2]}


@pytest.mark.asyncio
async def test_calls_come_at_their_rate_and_every_end_is_counted() -> None:
    far = Far()
    (tally,) = await player(far).play([line(CALL, 86_400)], 1800)
    assert tally.due == len(far.asked) == tally.ends["OK"] == tally.answered
    assert 1500 < tally.due < 2400
    assert tally.percentile(0.99) > 0


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "failed"), [(grpc.StatusCode.NOT_FOUND, False), (grpc.StatusCode.UNAVAILABLE, True)])
async def test_no_trace_is_an_answer_and_an_outage_is_none(status: grpc.StatusCode, failed: bool) -> None:
    (tally,) = await player(Far(status)).play([line(CALL, 86_400)], 60)
    assert tally.failed == (tally.due if failed else 0)


@pytest.mark.asyncio
async def test_calls_that_nobody_answers_do_not_pile_up_without_end() -> None:
    far = Far(takes=0.5)
    (tally,) = await player(far, speed=36_000).play([line(CALL, 86_400 * 4)], 1800)
    assert tally.given_up > 0
    assert len(far.asked) <= tally.due - tally.given_up
    assert max(1, len(far.asked)) <= MOST_AT_ONCE * 2


@pytest.mark.asyncio
async def test_subjects_in_turn_each_come_once_before_any_comes_again() -> None:
    template, once = (
        {"pncId": {"value": "$pnc_id"}},
        next(one for one in LINES if one.operation.name.endswith("PersonEnquiryService/GetPerson")),
    )
    taken = Traffic(once.system, once.operation, 86_400, once.because, template, frozenset({"pnc_id"}), in_turn=True)
    everybody = [f"2001/915{number:04d}" for number in range(200)]
    far = Far()
    await player(far, subjects=[{"pnc_id": one} for one in everybody]).play([taken], 600)
    asked = [request.pnc_id.value for request in far.asked]
    assert len(asked) > 2 * len(everybody)
    assert sorted(asked[:200]) == sorted(asked[200:400]) == everybody
    assert asked[:200] != asked[200:400]


@pytest.mark.asyncio
async def test_simulators_are_told_as_many_as_are_due() -> None:
    far = Far()
    (tally,) = await player(far, speed=1800).play([line(EVENT, 86_400)], 3600)
    assert far.happened[EVENT.dial] == tally.due
    assert tally.due == pytest.approx(3600 * HOURS[12] / MEAN, rel=0.02)


@pytest.mark.asyncio
async def test_a_simulator_that_can_not_be_told_is_counted_and_the_day_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_self: Far, _line: Traffic, _number: int) -> None:
        raise Problem("the simulator does not answer")

    monkeypatch.setattr(Far, "happen", busy)
    event, call = await player(Far(), speed=3600).play([line(EVENT, 86_400), line(CALL, 86_400)], 600)
    assert event.given_up == event.due > 0
    assert call.ends["OK"] == call.due > 0


@pytest.mark.asyncio
async def test_a_line_that_can_not_be_played_is_told_before_anything_is() -> None:
    far = Far()
    with pytest.raises(Problem, match="nobody who was drawn has"):
        await player(far, subjects=[{}]).play([CALL], 60)
    assert not far.asked


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("traffic: [{operation: metip.no.v1.NoService/No, a_day: 1, because: none}]", "which is not loaded"),
        ("traffic: [{operation: metip.no.v1.NoService/No, a_day: 0, because: none}]", "a_day"),
        ("traffic: [{", "line"),
    ],
)
def test_a_part_that_makes_no_sense_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "example").mkdir()
    (tmp_path / "example" / "day.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Problem, match=words):
        traffic(MESSAGES, tmp_path)
