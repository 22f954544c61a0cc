"""Cases are found by folder and read by the contracts; a request starts from a sample and says what it took from it."""

from pathlib import Path
from typing import Any

import click
import pytest
from google.protobuf import text_format

import hub.contracts.samples as samples_module
from hub.cli.messages import Messages, installed
from hub.cli.options import Problem
from hub.cli.requests import Wanted, request_of
from hub.contracts import Operation
from hub.contracts.samples import CaseError, agrees, case_files, cases, read_case, sample_of, samples

OPERATION = "metip.example.v1.ExampleService/GetExample"
REQUEST = "metip.example.v1.GetExampleRequest"
SAMPLE = f"""
title: "An example"
operation: "{OPERATION}"
sample: true
request {{
  [type.googleapis.com/{REQUEST}] {{
    access {{ purpose: PURPOSE_CRIME_INVESTIGATION justification: "An enquiry" reference: "12/23NOV26" }}
    text: "sample" words: "one"
  }}
}}
faults {{ dial: "delay" setting: "2s" }}
faults {{ dial: "other/hang" share: 0.5 }}
answered {{ replies {{ [type.googleapis.com/metip.example.v1.GetExampleResponse] {{ line {{ text: "a" }} }} }} }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of adapters with one system that has a sample, a refused case and a broken one."""
    found = tmp_path / "example" / "cases"
    found.mkdir(parents=True)
    (found / "a_sample.txtpb").write_text(SAMPLE)
    refused = SAMPLE.partition("answered")[0].replace("sample: true", "") + 'refused { status: "NOT_FOUND" reason: "NO_TRACE" }'
    (found / "b_refused.txtpb").write_text(refused)
    return tmp_path


@pytest.fixture
def operation(messages: Messages) -> Operation:
    return messages.contracts.operations[OPERATION]


@pytest.fixture
def _found_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_module, "adapters_folder", lambda: folder)


def test_a_case_is_read_with_its_messages_dials_and_outcome(messages: Messages, folder: Path) -> None:
    sample, refused = cases(messages, folder)
    request: Any = sample.request
    assert (sample.system, sample.title, sample.operation.name, sample.marked) == ("example", "An example", OPERATION, True)
    assert (request.text, sample.deadline, sample.status) == ("sample", 10.0, "OK")
    assert [(dial.system, dial.name, dial.setting, dial.share) for dial in sample.dials] == [
        ("example", "delay", "2s", 0.0),
        ("other", "hang", "", 0.5),
    ]
    assert len(sample.answers) == 1
    assert (refused.status, refused.reason, refused.marked) == ("NOT_FOUND", "NO_TRACE", False)


BROKEN = [
    pytest.param("title: ", "1:8", id="no-text-format"),
    pytest.param('title: "x"', "names no operation", id="no-operation"),
    pytest.param(
        'operation: "metip.none.v1.NoService/Get"', "names metip.none.v1.NoService/Get, which is not loaded", id="unknown-operation"
    ),
    pytest.param(f'operation: "{OPERATION}"', f"sends nothing, and GetExample takes {REQUEST}", id="no-request"),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_a_broken_case_is_named_with_its_fault(messages: Messages, folder: Path, text: str, words: str) -> None:
    path = folder / "example" / "cases" / "c_broken.txtpb"
    path.write_text(text)
    with pytest.raises(CaseError) as caught:
        read_case(path, messages)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert [one.operation.name for one in samples(messages, folder)] == [OPERATION]


def test_every_recorded_case_of_the_installation_can_be_read() -> None:
    known = installed()
    assert len(list(cases(known))) == len(case_files())


AGREEMENT = [
    pytest.param('text: "a"', 'text: "a" number: 1', True, id="more-came"),
    pytest.param('text: "a"', 'text: "b"', False, id="another-value"),
    pytest.param('text: "a"', "", False, id="nothing-came"),
    pytest.param('words: "a"', 'words: "a" words: "b"', False, id="longer-list"),
    pytest.param('lines {text: "a"}', 'lines {text: "a" place: 1}', True, id="more-in-an-item"),
    pytest.param('scores {key: "a" value: 1}', 'scores {key: "a" value: 1} scores {key: "b"}', True, id="more-keys"),
    pytest.param('scores {key: "a" value: 1}', 'scores {key: "a" value: 2}', False, id="another-value-at-a-key"),
    pytest.param("name {}", "", True, id="empty-message-expects-nothing"),
]


@pytest.mark.parametrize(("expected", "came", "agreed"), AGREEMENT)
def test_what_is_expected_must_be_there_and_more_may(messages: Messages, expected: str, came: str, agreed: bool) -> None:
    kind = messages.kind(REQUEST)
    read = [text_format.Parse(text, kind(), descriptor_pool=messages.pool) for text in (expected, came)]
    assert agrees(*read) is agreed


@pytest.mark.usefixtures("_found_here")
def test_why_it_is_asked_comes_from_the_sample_and_is_said(messages: Messages, operation: Operation) -> None:
    request, remarks = request_of(operation, Wanted(("text=mine",)), messages)
    assert (request.text, list(request.words)) == ("mine", [])
    assert (request.access.justification, request.access.reference) == ("An enquiry", "12/23NOV26")
    assert messages.purposes.values_by_number[request.access.purpose].name == "PURPOSE_CRIME_INVESTIGATION"
    assert len(remarks) == 3


@pytest.mark.usefixtures("_found_here")
def test_a_purpose_and_words_that_are_given_are_sent_and_not_remarked_on(messages: Messages, operation: Operation) -> None:
    request, remarks = request_of(operation, Wanted(sample=True, purpose="street-stop", why="A stop"), messages)
    assert (request.text, list(request.words), request.access.justification) == ("sample", ["one"], "A stop")
    assert messages.purposes.values_by_number[request.access.purpose].name == "PURPOSE_STREET_STOP"
    assert remarks == ()


def test_without_a_sample_the_first_purpose_that_is_permitted_is_stated(
    messages: Messages, operation: Operation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples_module, "adapters_folder", lambda: tmp_path)
    request, remarks = request_of(operation, Wanted(), messages)
    assert messages.purposes.values_by_number[request.access.purpose].name == "PURPOSE_STREET_STOP"
    assert remarks == ("purpose STREET_STOP (the first that the contract permits; --purpose states another)",)
    assert sample_of(operation, messages) is None
    with pytest.raises(Problem, match="no case is marked as the sample"):
        request_of(operation, Wanted(sample=True), messages)


@pytest.mark.usefixtures("_found_here")
def test_mistakes_in_fields_and_purposes_are_usage_errors(messages: Messages, operation: Operation) -> None:
    with pytest.raises(click.UsageError, match="whole number"):
        request_of(operation, Wanted(("number=x",)), messages)
    with pytest.raises(click.UsageError, match="--purpose: 'fun' is no Purpose"):
        request_of(operation, Wanted(purpose="fun"), messages)
