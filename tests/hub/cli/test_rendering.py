"""Messages as people read them, and refusals, sources and counts beside them."""

from typing import Any

import pytest
from google.protobuf import text_format

from hub.cli.envoy_status import counts_of
from hub.cli.messages import Messages
from hub.cli.printing import aligned, clean, span
from hub.cli.rendering import lines, one_line, prefix_of
from hub.cli.sources import SPOKE, ends_of, reply_line
from metip.common.v1 import answer_pb2
from metip.common.v1.identifiers_pb2 import PncId, Vrm
from metip.common.v1.pole_pb2 import Person, PersonName, Vehicle
from metip.common.v1.time_pb2 import CivilDate
from metip.masking import MASK

REQUEST, REPLY = "metip.example.v1.GetExampleRequest", "metip.example.v1.GetExampleResponse"

SHOWN = [
    pytest.param('text: "a"', ["text: a"], id="text"),
    pytest.param('text: "a\\nb"', ["text: a", "      b"], id="lines"),
    pytest.param('text: "\\033[2J"', ["text: ?[2J"], id="nothing-a-terminal-obeys"),
    pytest.param("yes: true number: -1 share: 0.5", ["number: -1", "share: 0.5", "yes: yes"], id="scalars"),
    pytest.param("kind: KIND_SECOND_BEST kinds: KIND_FIRST", ["kind: SECOND_BEST", "kinds: FIRST"], id="enums"),
    pytest.param("kind: 9", ["kind: 9"], id="enum-value-of-a-later-contract"),
    pytest.param('words: "a" words: "b"', ["words: a, b"], id="list"),
    pytest.param(r'raw: "\000\377"', ["raw: 2 bytes: 00 ff"], id="bytes"),
    pytest.param("born {year: 1980 month: 5}", ["born: 1980-05-??"], id="partial-date"),
    pytest.param("at {hour: 9}", ["at: 09:00"], id="time-of-day"),
    pytest.param("between {to {year: 2026 month: 1 day: 2}}", ["between: ..2026-01-02"], id="open-range"),
    pytest.param('cad {value: "12/23NOV26"}', ["cad: 12/23NOV26"], id="identifier"),
    pytest.param('cad {as_received: "?12"}', ["cad: ?12 (as received)"], id="identifier-that-does-not-parse"),
    pytest.param("since {seconds: 1795425300}", ["since: 2026-11-23 09:15:00 UTC"], id="instant"),
    pytest.param("within {seconds: 90}", ["within: 1 min 30 s"], id="span"),
    pytest.param('name {family_name: "X"}', ["name:", "  family_name: X"], id="nested"),
    pytest.param("right {}", ["right: (nothing more)"], id="empty-message"),
    pytest.param(
        'lines {text: "a"} lines {place: 2}', ["lines 1 of 2:", "  text: a", "lines 2 of 2:", "  place: 2"], id="list-of-messages"
    ),
    pytest.param('scores {key: "b" value: 2} scores {key: "a" value: 1}', ["scores:", "  a: 1", "  b: 2"], id="map"),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_a_field_reads_as_people_write_it(messages: Messages, text: str, shown: list[str]) -> None:
    assert list(lines(text_format.Parse(text, messages.kind(REQUEST)(), descriptor_pool=messages.pool))) == shown


def test_one_line_tells_messages_apart_without_lists_and_codes_and_without_what_is_personal() -> None:
    assert one_line(Vehicle(vrm=Vrm(value="AA00AAA"), vin="1", make="Make", model="GL", colour="Blue")) == f"{MASK}  Make  Blue"
    assert (
        one_line(answer_pb2.Provenance(system="far", truncated=True, warnings=[answer_pb2.Warning(code="12", text="words")]))
        == "far  truncated"
    )


def test_what_is_personal_is_masked_where_that_is_asked_for() -> None:
    name = PersonName(family_name="Example", given_names=["One", "Two"])
    person = Person(name=name, date_of_birth=CivilDate(year=1980), pnc_id=PncId(value="1"))
    shown = ["name:", f"  given_names: {MASK}, 2 times", f"  family_name: {MASK}", f"date_of_birth: {MASK}", f"pnc_id: {MASK}"]
    assert list(lines(person, masked=True)) == shown
    assert "family_name: Example" in "\n".join(lines(person))


def test_the_prefix_of_an_enum_is_its_name_in_capitals(messages: Messages) -> None:
    assert prefix_of(messages.purposes) == "PURPOSE_"
    assert prefix_of(messages.pool.FindEnumTypeByName("metip.options.v1.PersonalData")) == "PERSONAL_DATA_"


def test_sources_are_recognised_by_their_shape_wherever_they_are(messages: Messages) -> None:
    text = """outcomes {source: "one" status: STATUS_ANSWERED matches: 2 elapsed {nanos: 12000000}}
              outcomes {source: "two" status: STATUS_TIMED_OUT explanation: "silent"}"""
    reply: Any = text_format.Parse(text, messages.kind(REPLY)(), descriptor_pool=messages.pool)
    one, two = ends_of(reply)
    assert (one.source, one.status, one.found, one.elapsed) == ("one", "ANSWERED", "2 matches", 0.012)
    assert (two.status in SPOKE, two.explanation) == (False, "silent")
    assert reply_line(reply) == ("ok", "one      ANSWERED, 2 matches, took 12 ms; two      TIMED_OUT, silent")
    assert list(ends_of(messages.kind("metip.example.v1.Line")())) == []


SPANS = [(0.0121, "12 ms"), (2, "2 s"), (2.13, "2.1 s"), (60, "1 min"), (200, "3 min 20 s"), (18_120, "5 h 2 min"), (200_000, "2 days")]


@pytest.mark.parametrize(("seconds", "words"), SPANS)
def test_a_length_of_time_reads_as_people_say_it(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_columns_stand_under_one_another_whatever_their_colour() -> None:
    assert aligned([("a", "bb"), ("\033[31mccc\033[0m", "d")]) == ["a    bb", "\033[31mccc\033[0m  d"]
    assert clean("a\x1b]0;b\x07") == "a?]0;b?"


STATS = """\
cluster.metip.example.v1.ExampleService.grpc.metip.example.v1.ExampleService.GetExample.0: 5
cluster.metip.example.v1.ExampleService.grpc.metip.example.v1.ExampleService.GetExample.14: 2
cluster.metip.example.v1.ExampleService.grpc.metip.example.v1.ExampleService.GetExample.total: 7
cluster.metip.example.v1.ExampleService.grpc.grpc.health.v1.Health.Check.total: 1
cluster.metip.example.v1.ExampleService.upstream_rq_retry: 3
cluster.metip.example.v1.ExampleService.upstream_rq_pending_overflow: 4
cluster.metip.example.v1.ExampleService.external.upstream_rq_time: P50(nan,99) P99(nan,99)
cluster.metip.example.v1.ExampleService.upstream_rq_time: P50(1.05,2.05) P99(nan,30.5)
cluster.quiet.upstream_rq_time: No recorded values
"""


def test_envoys_counters_become_counts_by_interface() -> None:
    found = counts_of(STATS)
    counts = found["metip.example.v1.ExampleService"]
    assert (counts.calls, counts.refused, counts.retries, counts.overflowed) == (8, 2, 3, 4)
    assert counts.operations == {"metip.example.v1.ExampleService/GetExample": 7, "grpc.health.v1.Health/Check": 1}
    assert counts.milliseconds == {"50": 2.05, "99": 30.5}
    assert found["quiet"].milliseconds == {}
