"""A file of requests: read line by line, what is no request refused by its line, nothing of what it holds repeated."""

import json
from pathlib import Path
from typing import Any

import click
import pytest

from hub.cli.exchange.bulk import AT_ONCE, PART_MESSAGES, Lines, RefusedLine, Summary, _parts, hand_over
from hub.cli.messages import Messages, operation_named
from hub.cli.options import Problem
from metip.exchange.v1 import exchange_service_pb2 as api


def lines(messages: Messages, path: Path, text: str, **typed: str) -> Lines:
    path.write_text(text, encoding="utf-8")
    return Lines(path, operation_named("GetExample", messages.contracts), messages, **typed)


def read(found: Lines) -> tuple[list[tuple[int, Any]], list[RefusedLine]]:
    refused: list[RefusedLine] = []
    kind = found.messages.kind(found.operation.request)
    return [(number, kind.FromString(body)) for number, body in found.read(refused)], refused


def test_each_line_is_a_request_and_blank_ones_are_passed_over(messages: Messages, tmp_path: Path) -> None:
    found, refused = read(lines(messages, tmp_path / "f", '{"text": "one"}\n\n{"text": "two", "kinds": ["KIND_FIRST"]}\n'))
    assert [(number, request.text) for number, request in found] == [(1, "one"), (3, "two")]
    assert refused == []


BAD = [
    pytest.param("nonsense Halzerwick", "is not JSON: Expecting value, column 1", id="no-json"),
    pytest.param('{"text": "Halzerwick', "is not JSON: Unterminated string starting at, column 10", id="cut-off"),
    pytest.param('["Halzerwick"]', "is JSON, but no object", id="list"),
    pytest.param('{"texd": "Halzerwick"}', "has no field texd", id="unknown-field"),
    pytest.param('{"number": "Halzerwick"}', "has a field whose value is not of its type", id="wrong-type"),
    pytest.param('{"kind": "HALZERWICK"}', "has a field whose value is not of its type", id="unknown-value"),
]


@pytest.mark.parametrize(("line", "text"), BAD)
def test_a_line_that_is_no_request_is_refused_by_number_without_what_it_holds(
    line: str, text: str, messages: Messages, tmp_path: Path
) -> None:
    found, refused = read(lines(messages, tmp_path / "f", f'{{"text": "one"}}\n{line}\n{{"text": "two"}}\n'))
    assert [number for number, _ in found] == [1, 3]
    assert refused == [RefusedLine(2, "INVALID_ARGUMENT", "MALFORMED", text)]


def test_a_line_without_access_gets_the_purpose_and_the_words_that_were_typed_and_one_with_keeps_its_own(
    messages: Messages, tmp_path: Path
) -> None:
    text = '{"text": "one"}\n{"text": "two", "access": {"purpose": "PURPOSE_STREET_STOP", "justification": "own"}}\n'
    found, _ = read(lines(messages, tmp_path / "f", text, purpose="crime-investigation", why="typed"))
    numbers = {value.name: value.number for value in messages.purposes.values}
    assert [(request.access.purpose, request.access.justification) for _, request in found] == [
        (numbers["PURPOSE_CRIME_INVESTIGATION"], "typed"),
        (numbers["PURPOSE_STREET_STOP"], "own"),
    ]


def test_a_purpose_that_there_is_not_is_a_usage_error(messages: Messages, tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="--purpose: 'curiosity' is no Purpose"):
        read(lines(messages, tmp_path / "f", "{}", purpose="curiosity"))


def test_a_file_that_is_not_there_or_not_text_is_named(messages: Messages, tmp_path: Path) -> None:
    gone = lines(messages, tmp_path / "f", "")
    gone.path.unlink()
    with pytest.raises(Problem, match="can't be read: No such file"):
        read(gone)
    gone.path.write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match="is not UTF-8 text"):
        read(gone)


@pytest.mark.parametrize(("bodies", "sizes"), [([b"x"] * 2500, [1000, 1000, 500]), ([b"x" * 200_000] * 3, [2, 1]), ([b"x"], [1])])
def test_a_hand_over_goes_in_parts_of_bounded_number_and_size_of_which_the_first_names_the_operation(
    bodies: list[bytes], sizes: list[int]
) -> None:
    parts = list(_parts("metip.example.v1.ExampleService/PublishExample", bodies))
    assert [len(part.messages) for part in parts] == sizes
    assert [bool(part.operation) for part in parts] == [True] + [False] * (len(parts) - 1)
    assert [body for part in parts for body in part.messages] == bodies
    assert max(sizes) <= PART_MESSAGES


class Exchange:
    """Keeps count; refuses each 7,000th message of a hand-over by its place, as the exchange would."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def ask(self, rpc: str, request: Any) -> api.PublishBatchResponse:
        """A hand-over."""
        assert rpc == "PublishBatch"
        number = sum(len(part.messages) for part in request)
        self.sizes.append(number)
        places = [place for place in range(number) if place % 7000 == 6999]
        return api.PublishBatchResponse(
            message_ids=["" if place in places else "id" for place in range(number)],
            refused=[api.RefusedMessage(place=place, status="RESOURCE_EXHAUSTED", reason="BUSY") for place in places],
        )


@pytest.mark.asyncio
async def test_a_long_file_goes_in_several_hand_overs_and_places_become_lines_of_the_file(messages: Messages, tmp_path: Path) -> None:
    text = "nonsense\n" + "".join(f"{json.dumps({'number': number})}\n" for number in range(2 * AT_ONCE + 5))
    exchange: Any = Exchange()
    summary: Summary = await hand_over(exchange, "operation", lines(messages, tmp_path / "f", text), quiet=True)
    assert exchange.sizes == [AT_ONCE, AT_ONCE, 5]
    assert summary.accepted == 2 * AT_ONCE + 3
    assert [one.line for one in summary.refused] == [1, 7001, AT_ONCE + 7001]
    assert summary.document()["refused"][0] == {
        "line": 1, "status": "INVALID_ARGUMENT", "reason": "MALFORMED", "text": "is not JSON: Expecting value, column 1"
    }  # fmt: skip
