"""`field=value` on a command line becomes the message that was meant, and every mistake is named."""

from typing import Any

import pytest
from google.protobuf import text_format

from hub.cli.fields import assign
from hub.cli.messages import Messages

REQUEST = "metip.example.v1.GetExampleRequest"

MEANT = [
    pytest.param(["text=a = b"], 'text: "a = b"', id="text-with-equals"),
    pytest.param(["text="], "", id="empty-text"),
    pytest.param(
        ["number=-5", "count=5", "large=9000000000", "share=0.5"], "number: -5 count: 5 large: 9000000000 share: 0.5", id="numbers"
    ),
    pytest.param(["yes=TRUE"], "yes: true", id="yes"),
    pytest.param(["yes=no"], "", id="no"),
    pytest.param(["raw=AAE="], r'raw: "\000\001"', id="bytes-in-base64"),
    pytest.param(["kind=first"], "kind: KIND_FIRST", id="enum-without-prefix"),
    pytest.param(["kind=KIND_FIRST"], "kind: KIND_FIRST", id="enum-in-full"),
    pytest.param(["kind=second-best"], "kind: KIND_SECOND_BEST", id="enum-with-hyphen"),
    pytest.param(["kind=2"], "kind: KIND_SECOND_BEST", id="enum-by-number"),
    pytest.param(["kinds=first", "kinds=second_best"], "kinds: KIND_FIRST kinds: KIND_SECOND_BEST", id="list-by-repetition"),
    pytest.param(['words=["a", "b"]'], 'words: "a" words: "b"', id="list-as-json"),
    pytest.param(["words[0]=a", "words[1]=b"], 'words: "a" words: "b"', id="list-by-place"),
    pytest.param(
        ["lines[0].text=a", "lines[0].place=3", "lines[1].text=b"], 'lines {text: "a" place: 3} lines {text: "b"}', id="nested-list"
    ),
    pytest.param(['lines={"text": "a"}', "lines[1].place=2"], 'lines {text: "a"} lines {place: 2}', id="list-of-json"),
    pytest.param(["scores[red]=3", "scores[blue]=-1"], 'scores {key: "red" value: 3} scores {key: "blue" value: -1}', id="map"),
    pytest.param(["marked[a].text=x", "marked[a].place=1"], 'marked {key: "a" value {text: "x" place: 1}}', id="map-of-messages"),
    pytest.param(
        ["name.family_name=X", "name.given_names=A", "name.given_names=B"], 'name {family_name: "X" given_names: ["A", "B"]}', id="nested"
    ),
    pytest.param(["name.familyName=X"], 'name {family_name: "X"}', id="json-name"),
    pytest.param(['name={"family_name": "X"}'], 'name {family_name: "X"}', id="message-as-json"),
    pytest.param(["born=1980-05-17"], "born {year: 1980 month: 5 day: 17}", id="date"),
    pytest.param(["born=1980-05"], "born {year: 1980 month: 5}", id="partial-date"),
    pytest.param(["born=????-05-17"], "born {month: 5 day: 17}", id="date-without-year"),
    pytest.param(["at=09:30"], "at {hour: 9 minute: 30}", id="time-of-day"),
    pytest.param(["between=2026-01-01.."], "between {from {year: 2026 month: 1 day: 1}}", id="open-range"),
    pytest.param(["cad=12/23NOV26"], 'cad {value: "12/23NOV26"}', id="identifier-as-text"),
    pytest.param(["cads=1/23NOV26", "cads=2/23NOV26"], 'cads {value: "1/23NOV26"} cads {value: "2/23NOV26"}', id="identifiers"),
    pytest.param(["since=2026-11-23T10:15:00+01:00"], "since {seconds: 1795425300}", id="instant"),
    pytest.param(["within=250ms"], "within {nanos: 250000000}", id="span"),
    pytest.param(["right.inner.inner.place=7"], "right {inner {inner {place: 7}}}", id="deep"),
    pytest.param(["access.purpose=street-stop"], "access {purpose: PURPOSE_STREET_STOP}", id="purpose"),
]

MISTAKEN = [
    pytest.param(["text"], "text: write field=value", id="no-equals"),
    pytest.param(["txet=a"], "did you mean text?", id="misspelt"),
    pytest.param(["zzz=a"], "there are access, text, number", id="unknown"),
    pytest.param(["name.surname=X"], "PersonName has no field surname", id="unknown-below"),
    pytest.param(["number=ten"], "whole number", id="not-a-number"),
    pytest.param(["count=-1"], "from 0 to 4294967295", id="negative"),
    pytest.param(["number=2147483648"], "from -2147483648 to 2147483647", id="too-large"),
    pytest.param(["share=half"], "is a number", id="not-a-share"),
    pytest.param(["yes=maybe"], "true or false", id="not-a-bool"),
    pytest.param(["raw=%%"], "base64", id="not-base64"),
    pytest.param(["kind=third"], "'third' is no Kind; there are FIRST, SECOND_BEST", id="not-a-kind"),
    pytest.param(["kind=fisrt"], "did you mean FIRST?", id="misspelt-kind"),
    pytest.param(["born=17/05/1980"], "YYYY-MM-DD", id="other-date"),
    pytest.param(["born=2026-02-30"], "there is no 2026-02-30", id="no-such-day"),
    pytest.param(["at=25:00"], "HH:MM", id="no-such-hour"),
    pytest.param(["between=2026-01-01"], "no range", id="no-range"),
    pytest.param(["since=2026-11-23T10:15:00"], "names no zone", id="no-zone"),
    pytest.param(["within=soon"], "250ms, 2s or 1.5m", id="no-span"),
    pytest.param(["name=Smith"], "is a PersonName: give its fields (title, given_names, family_name)", id="message-as-text"),
    pytest.param(["name={"], "Failed to load JSON", id="broken-json"),
    pytest.param(["name[0]=X"], "is no list", id="place-in-no-list"),
    pytest.param(["lines.text=a"], "say which, such as lines[0].text", id="list-without-place"),
    pytest.param(["lines[2].text=a"], "the next is lines[0]", id="gap"),
    pytest.param(["lines[x].text=a"], "numbers from 0", id="place-in-words"),
    pytest.param(["scores=3"], "scores[key]=value", id="map-without-key"),
    pytest.param(["text.a=b"], "plain value, without fields", id="below-text"),
    pytest.param(["text=a", "text=b"], "given twice", id="twice"),
    pytest.param(["left=a", "right.text=b"], "excludes left", id="both-sides"),
    pytest.param([".a=b"], "write a path", id="no-path"),
    pytest.param(["a..b=c"], "write a path", id="empty-step"),
]


@pytest.fixture
def request_message(messages: Messages) -> Any:
    return messages.kind(REQUEST)()


@pytest.mark.parametrize(("typed", "meant"), MEANT)
def test_what_is_typed_becomes_what_was_meant(messages: Messages, request_message: Any, typed: list[str], meant: str) -> None:
    assert assign(request_message, typed) == ()
    assert request_message == text_format.Parse(meant, messages.kind(REQUEST)(), descriptor_pool=messages.pool)


@pytest.mark.parametrize(("typed", "words"), MISTAKEN)
def test_a_mistake_is_named_with_what_would_be_right(request_message: Any, typed: list[str], words: str) -> None:
    (problem,) = assign(request_message, typed)
    assert words in problem


def test_every_mistake_is_reported_at_once(request_message: Any) -> None:
    problems = assign(request_message, ["number=x", "text=right", "kind=y", "nothing"])
    assert [problem.partition(":")[0] for problem in problems] == ["number", "kind", "nothing"]
    assert request_message.text == "right"


def test_what_is_typed_takes_the_place_of_a_samples_values(messages: Messages) -> None:
    sample = 'text: "old" words: "old" words: "older" left: "old" lines {text: "old"} name {family_name: "Kept" title: "Old"}'
    request: Any = text_format.Parse(sample, messages.kind(REQUEST)(), descriptor_pool=messages.pool)
    assert assign(request, ["text=new", "words=new", "right.text=new", "lines[0].place=1", "name.title=New"]) == ()
    wanted = 'text: "new" words: "new" right {text: "new"} lines {place: 1} name {family_name: "Kept" title: "New"}'
    assert request == text_format.Parse(wanted, messages.kind(REQUEST)(), descriptor_pool=messages.pool)
