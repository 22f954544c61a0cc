"""Rows and calls of the estate as `metip top` and `metip tap` print them."""

from datetime import UTC, datetime

import click
import pytest

from hub.cli.estate.figures import ORDERS, cells, document, errors, in_order
from hub.cli.estate.tap import Status, line
from hub.cli.estate.tap import document as call_document
from metip.estate.v1 import estate_pb2, seen_call_pb2
from metip.migration.v1 import step_pb2

NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)


def row(name: str, **measures: float) -> estate_pb2.Row:
    return estate_pb2.Row(id=f"row:{name}", name=name, measures=estate_pb2.Measures(**measures))  # type: ignore[arg-type]


def failing() -> estate_pb2.Row:
    found = row("metip.example.v1.ExampleService", per_second=12.5, calls=125, error_share=0.016, p50_ms=4, p95_ms=40, p99_ms=90)
    found.measures.reasons.add(reason="NOT_FOUND", calls=9)
    found.measures.reasons.add(reason="UNAVAILABLE", calls=2, error=True)
    found.health, found.migration = estate_pb2.NODE_HEALTH_PARTLY, step_pb2.STATE_CANARY
    found.counts.in_flight, found.counts.queued = 3, 0
    found.counts.oldest_waiting.FromDatetime(datetime(2026, 11, 26, 3, 58, tzinfo=UTC))
    return found


def test_a_row_tells_rate_errors_by_reason_times_and_states() -> None:
    told = [click.unstyle(cell) for cell in cells(failing(), NOW)]
    assert told == ["! example.v1.ExampleService (canary)", "12/s", "1.6 % UNAVAILABLE 2", "4 ms", "40 ms", "90 ms", "3", "0", "", "2 min"]


def test_what_has_no_calls_has_no_figures() -> None:
    assert [click.unstyle(cell) for cell in cells(row("one"), NOW)] == ["one", *[""] * 9]


@pytest.mark.parametrize(("share", "told"), [(1.0, "100 % "), (0.997, "100 % "), (0.25, "25 % "), (0.0004, "0.04 % "), (0.0, "")])
def test_shares_of_errors_are_told_as_precisely_as_they_mean_something(share: float, told: str) -> None:
    assert errors(estate_pb2.Measures(error_share=share)) == told


@pytest.mark.parametrize("order", ORDERS)
def test_rows_come_in_each_order_and_then_by_name(order: str) -> None:
    rows = [row("c"), failing(), row("a")]
    names = [one.name for one in in_order(rows, order, NOW)]
    expected = sorted(names) if order in ("name", "queued", "parked") else [failing().name, "a", "c"]
    assert names == expected


def test_the_document_tells_errors_apart_from_answers() -> None:
    (found,) = document(estate_pb2.Estate(), [failing()], "interface", NOW)["rows"]
    assert (found["errors"], found["other_reasons"]) == ({"UNAVAILABLE": 2}, {"NOT_FOUND": 9})
    assert (found["in_flight"], found["parked"], found["oldest_waiting_seconds"], found["migration"]) == (3, None, 120.0, "canary")


def call() -> seen_call_pb2.SeenCall:
    found = seen_call_pb2.SeenCall(
        call_id="c1",
        consumer="spiffe://metip.local/consumer/tablet",
        operation="metip.example.v1.ExampleService/GetExample",
        system="example",
        status=14,
        reason="UNAVAILABLE",
        error=True,
        milliseconds=203,
        attempts=3,
        reached=seen_call_pb2.CALL_REACH_ANSWERED,
        kind=seen_call_pb2.CALL_KIND_DELIVERY,
    )
    found.at.FromDatetime(NOW)
    return found


def test_a_call_is_one_line() -> None:
    told = click.unstyle(line(call())).split()
    assert told == ["04:00:00.000", "✗", "UNAVAILABLE", "203", "ms", "consumer/tablet", "example.v1.ExampleService/GetExample", "→",
                    "example", "delivery", "3", "attempts", "c1"]  # fmt: skip


def test_a_call_is_one_document_and_one_without_a_status_says_so() -> None:
    found = call_document(call())
    assert (found["status"], found["kind"], found["reached"], found["milliseconds"]) == ("UNAVAILABLE", "delivery", "answered", 203.0)
    assert call_document(seen_call_pb2.SeenCall())["status"] is None


def test_nothing_that_a_terminal_obeys_is_printed_of_a_consumer() -> None:
    odd = call()
    odd.consumer = "spiffe://metip.local/consumer/\x1b[2J"
    assert "\x1b[2J" not in line(odd)


@pytest.mark.parametrize(("text", "number"), [("OK", 0), ("not_found", 5), ("14", 14), ("deadline-exceeded", 4)])
def test_a_status_is_named_or_numbered(text: str, number: int) -> None:
    assert Status().convert(text, None, None) == number
    with pytest.raises(click.BadParameter):
        Status().convert("FINE", None, None)
