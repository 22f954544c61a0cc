"""What docs/exchange.md says of attempts, states and commands is what the code does."""

import re
from pathlib import Path

import grpc
import pytest

from hub.cli.exchange import SECTIONS
from hub.exchange.life import DONE, Event, State
from hub.exchange.verdicts import WHILE, Ended, verdict

TEXT = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("| `")]
WORDS = {Event.CONFIRMED: "done", Event.GAVE_UP: "parked", Event.DOUBTED: "in doubt", Event.FAILED: "again"}


def told(status: grpc.StatusCode) -> list[str]:
    """The row of a status: what follows of an idempotent and of a write-once operation."""
    (row,) = [row[1:] for row in ROWS if len(row) == 3 and f"`{status.name}`" in row[0]]
    return row


def happens(status: grpc.StatusCode, *, write_once: bool) -> str:
    first, late = (verdict(Ended(status), write_once=write_once, attempt=number, exhausted=False).event for number in (1, WHILE))
    bounded = f", at most {WHILE} attempts" if (first, late) == (Event.FAILED, Event.GAVE_UP) else ""
    return WORDS[first] + bounded


@pytest.mark.parametrize("status", grpc.StatusCode, ids=lambda one: one.name)
def test_what_follows_from_each_status_is_told(status: grpc.StatusCode) -> None:
    assert told(status) == [happens(status, write_once=False), happens(status, write_once=True)]


@pytest.mark.parametrize("state", State, ids=lambda one: one.name)
def test_each_state_is_told_and_whether_it_is_final(state: State) -> None:
    (row,) = [row for row in ROWS if row[0] == f"`{state.value}`"]
    assert ("final" in row[2]) == (state in DONE - {State.DELIVERED})


@pytest.mark.parametrize("name", [name for commands in SECTIONS.values() for name in commands])
def test_each_command_is_told(name: str) -> None:
    assert re.search(rf"^\| `(?:metip messages|…) .*\b{name}\b", TEXT, re.MULTILINE)
