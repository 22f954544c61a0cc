"""What counts as agreement between a recorded case and what came back: a matcher that accepts everything would prove nothing."""

from pathlib import Path

import grpc
import pytest
from cases import Played, RecordedCase, disagreements, error_info, faults_of_writing, missing_from_stream, problems, read_case
from google.protobuf import text_format
from grpc_status import rpc_status

from metip.faults import Fault, Reason, status_of
from metip.simulator.v1.simulator_service_pb2 import GetSimulatorResponse

REPLY = """
system: "example" address: "127.0.0.1:9" dials { key: "hang" value: "never answers" } dials { key: "drop" value: "hangs up" }
faults { dial: "hang" share: 0.5 } faults { dial: "drop" times: 2 } exchanges { key: "ENQ" value: 3 }
"""
AGREEING = {
    "nothing is expected": "",
    "one field": 'system: "example"',
    "a map by the keys that are named": 'dials { key: "hang" value: "never answers" }',
    "a list whose items say less": 'faults { dial: "hang" } faults { times: 2 }',
    "everything": REPLY,
}
DISAGREEING = {
    "another value": ('system: "other"', "system is 'example', expected 'other'"),
    "a shorter list": ('faults { dial: "hang" }', "faults has 2 items, expected 1"),
    "a longer list": ("faults {} faults {} faults {}", "faults has 2 items, expected 3"),
    "another order": ('faults { dial: "drop" } faults {}', "faults[0].dial is 'hang', expected 'drop'"),
    "another value of a key": ('exchanges { key: "ENQ" value: 4 }', "exchanges['ENQ'] is 3, expected 4"),
    "a key that is not there": ('exchanges { key: "UPD" value: 0 }', "exchanges['UPD'] is missing"),
}
CASE = """
title: "A simulator tells about itself" operation: "metip.simulator.v1.SimulatorService/GetSimulator"
request { [type.googleapis.com/metip.simulator.v1.GetSimulatorRequest] {} }
"""
ANSWERED = CASE + 'answered { replies { [type.googleapis.com/metip.simulator.v1.GetSimulatorResponse] { system: "example" } } }'
REFUSED = CASE + 'refused { status: "ABORTED" reason: "LOCKED" metadata { key: "code" value: "E9" } }'
BADLY_WRITTEN = {
    "no title": (ANSWERED.replace("A simulator tells about itself", ""), "has no title"),
    "no outcome": (CASE, "expects nothing"),
    "an operation that is not declared": (ANSWERED.replace('GetSimulator"', 'GetNothing"'), "which no contract declares"),
    "another operation's request": (ANSWERED.replace("GetSimulatorRequest", "ClearFaultsRequest"), "the operation takes"),
    "no request": (CASE.partition("request")[0] + "answered {}", "sends nothing"),
}


@pytest.mark.parametrize("expected", AGREEING.values(), ids=AGREEING)
def test_a_reply_agrees_when_all_that_is_expected_is_there(expected: str) -> None:
    assert disagreements(_reply(expected), _reply(REPLY)) == []


@pytest.mark.parametrize(("expected", "words"), DISAGREEING.values(), ids=DISAGREEING)
def test_a_reply_that_lacks_something_disagrees_and_the_place_is_named(expected: str, words: str) -> None:
    assert disagreements(_reply(expected), _reply(REPLY)) == [words]


def test_replies_of_a_stream_may_come_in_any_order() -> None:
    came = [_reply('system: "b" address: "x"'), _reply('system: "a"')]
    assert missing_from_stream([_reply('system: "a"'), _reply('system: "b"')], came) == []


def test_a_reply_missing_from_a_stream_is_named_with_those_that_came() -> None:
    (line,) = missing_from_stream([_reply('system: "a"'), _reply('system: "c"')], [_reply('system: "a"')])
    assert line.startswith('no reply agrees with system: "c"; the replies were:')


def test_an_answer_where_a_refusal_is_expected_is_a_problem(tmp_path: Path) -> None:
    assert problems(_case(tmp_path, REFUSED), _played('system: "example"')) == ["was answered, expected ABORTED LOCKED"]


def test_a_refusal_where_an_answer_is_expected_is_a_problem(tmp_path: Path) -> None:
    assert problems(_case(tmp_path, ANSWERED), _refused(Reason.LOCKED)) == ["answered with ABORTED: LOCKED: words"]


def test_the_expected_answer_is_no_problem(tmp_path: Path) -> None:
    assert problems(_case(tmp_path, ANSWERED), _played('system: "example" address: "anywhere"')) == []


def test_the_expected_refusal_is_no_problem(tmp_path: Path) -> None:
    assert problems(_case(tmp_path, REFUSED), _refused(Reason.LOCKED, code="E9")) == []


def test_status_reason_and_metadata_of_a_refusal_are_compared(tmp_path: Path) -> None:
    found = problems(_case(tmp_path, REFUSED), _refused(Reason.BUSY, code="E1"))
    assert found == [
        "status is RESOURCE_EXHAUSTED (BUSY: words), expected ABORTED",
        "reason is BUSY, expected LOCKED",
        "metadata code is 'E1', expected 'E9'",
    ]


def test_a_status_without_details_has_no_reason() -> None:
    bare = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "gone")
    assert error_info(bare).reason == ""


def test_an_expected_reply_of_another_type_is_a_problem(tmp_path: Path) -> None:
    other = ANSWERED.replace('GetSimulatorResponse] { system: "example" }', "SetFaultsResponse] {}")
    (line,) = problems(_case(tmp_path, other), _played(""))
    assert line.startswith("expects metip.simulator.v1.SetFaultsResponse")


@pytest.mark.parametrize(("text", "words"), BADLY_WRITTEN.values(), ids=BADLY_WRITTEN)
def test_a_badly_written_case_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    assert any(words in line for line in faults_of_writing(_case(tmp_path, text)))


def test_a_case_of_another_systems_operation_is_badly_written(tmp_path: Path) -> None:
    assert faults_of_writing(_case(tmp_path, ANSWERED, system="example")) == [
        "belongs to the system of metip.simulator.v1.SimulatorService"
    ]


def test_a_dial_is_the_systems_own_unless_another_is_named(tmp_path: Path) -> None:
    recorded = _case(tmp_path, CASE + 'faults { dial: "hang" } faults { dial: "other/delay" setting: "2s" times: 1 }')
    assert {system: [fault.dial for fault in faults] for system, faults in recorded.faults.items()} == {
        "simulator": ["hang"],
        "other": ["delay"],
    }
    assert recorded.faults["other"][0].setting == "2s"


def test_a_case_has_ten_seconds_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert _case(tmp_path, CASE).deadline == 10.0
    assert _case(tmp_path, CASE + "deadline { nanos: 300000000 }").deadline == 0.3


def _reply(text: str) -> GetSimulatorResponse:
    return text_format.Parse(text, GetSimulatorResponse())


def _case(folder: Path, text: str, *, system: str = "simulator") -> RecordedCase:
    path = folder / system / "cases" / "case.txtpb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_case(path)


def _played(text: str) -> Played:
    return Played((_reply(text).SerializeToString(),))


def _refused(reason: Reason, **metadata: str) -> Played:
    status = rpc_status.to_status(status_of(Fault(reason, "words", metadata=metadata), system="example", call_id="1"))
    trailers = grpc.aio.Metadata(*status.trailing_metadata)
    return Played((), grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), trailers, status.details))
