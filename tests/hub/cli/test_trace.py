"""`metip trace`: how a journey is drawn, and what is asked for before the hub is."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from journeys import SYSTEMS, call_id, message, search

from hub.api.journey_words import journey
from hub.cli.journey import showing
from hub.cli.journey.trace import trace
from hub.journey.evidence import Evidence
from hub.journey.telling import told
from metip.journey.v1 import journey_service_pb2 as api


def drawn(evidence: Evidence) -> list[str]:
    response = api.GetJourneyResponse(journey=journey(told(evidence), evidence), kind=api.ID_KIND_CALL)
    return [click.unstyle(line) for line in showing.lines(response)]


def test_the_tree_of_a_search_is_drawn_with_each_step_under_the_one_that_it_belongs_to() -> None:
    lines = drawn(search())
    tree = lines[3 : lines.index("", 3)]
    assert tree[0].endswith(f"consumer/tablet called SearchService/Search and was answered in 120 ms.  [{call_id(1)}]")
    assert tree[1].strip().startswith("+0 ms  └─ ✓ Envoy sent it to one")
    rails = [line[12 : line.index(next(sign for sign in "✓✗" if sign in line))] for line in tree]
    assert rails[3:7] == ["      ├─ ", "      │  └─ ", "      │     └─ ", "      │        └─ "]
    assert rails[-4:] == ["      └─ ", "         └─ ", "            └─ ", "               └─ "]
    assert sum("✗" in line for line in tree) == 4, "what timed out, at each step of it"
    assert lines[-1] == "read: ledger: 4 records; exchange: 0 messages; Envoy's log: 4 lines; adapters' logs: 4 lines"


def test_times_are_told_from_the_beginning_on_and_records_and_messages_are_named() -> None:
    lines = drawn(message())
    assert any("+59.9 s" in line and "a replay" in line for line in lines)
    (accepted, *_) = [line for line in lines if "The exchange accepted" in line]
    assert "record 100]" in accepted


def test_as_json_each_step_has_all_that_it_says() -> None:
    evidence = search()
    response = api.GetJourneyResponse(journey=journey(told(evidence), evidence), kind=api.ID_KIND_RECORD)
    document = showing.document(response)
    assert (document["asked_by"], document["open"]) == ("record", False)
    assert {one["kind"] for one in document["steps"]} == {"call", "envoy", "adapter", "far_system"}
    assert [one["who"] for one in document["steps"] if one["kind"] == "far_system"] == list(SYSTEMS)
    assert all(set(one["told_by"]) <= {"ledger", "exchange", "envoy", "adapter_log"} and one["told_by"] for one in document["steps"])


UNASKED = {
    "nothing": ([], "give an ID"),
    "both": (["1", "--by", "vrm"], "give an ID"),
    "a business key without a reason": (["AB12CDE", "--reference", "7"], "takes --reference and --reason"),
    "a business key without a reference": (["--by", "vrm", "--reason", "a test"], "takes --reference and --reason"),
    "a kind that there is not": (["--by", "shoe_size", "--reason", "a test", "--reference", "7"], "there is no kind shoe_size"),
    "a time for an id that has one journey": (["1", "--since", "2h"], "are for business keys"),
    "a time that ends before it begins": (
        ["AB12CDE", "--reference", "7", "--reason", "abc", "--since", "1h", "--until", "2h"],
        "not before",
    ),
    "no key at the prompt": (["--by", "vrm", "--reference", "7", "--reason", "a test"], "no vrm was given"),
}


@pytest.mark.parametrize("name", UNASKED)
def test_what_can_not_be_asked_is_said_at_once_and_no_key_is_repeated(tmp_path: Path, name: str) -> None:
    arguments, words = UNASKED[name]
    done = CliRunner().invoke(trace, [*arguments, "--home", str(tmp_path)])
    assert done.exit_code == 2
    assert words in done.output
    assert "AB12CDE" not in done.output
