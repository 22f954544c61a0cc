"""What a failed call says about itself, in words and as JSON; and dials as they are typed."""

import click
import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import AioRpcError, Metadata

from hub.cli.refusals import AT_THE_EDGE, refusal_of
from hub.cli.simulating import fault_words, parse_dials
from hub.mesh.refusals import REFUSALS, Refusal, status_of

PLATFORMS = error_details_pb2.ErrorInfo(
    reason="NO_TRACE", domain="example.metip", metadata={"call_id": "call-7", "advice": "Ask otherwise.", "code": "E42"}
)


def failed(code: grpc.StatusCode, text: str, *details: object, call_id: str = "") -> AioRpcError:
    """An error as grpc.aio raises it, with error details in its trailing metadata."""
    status = status_pb2.Status(code=code.value[0], message=text)
    for detail in details:
        packed = Packed()
        packed.Pack(detail)  # type: ignore[arg-type]  # any message of google.rpc
        status.details.append(packed)
    trailing = Metadata(("grpc-status-details-bin", status.SerializeToString())) if details else Metadata()
    return AioRpcError(code, Metadata(("x-request-id", call_id)) if call_id else Metadata(), trailing, details=text)


def test_the_platforms_own_error_is_told_with_reason_advice_code_and_call_id() -> None:
    refusal = refusal_of(failed(grpc.StatusCode.NOT_FOUND, "NO_TRACE: nothing is known", PLATFORMS))
    assert refusal.lines() == (
        "refused: NOT_FOUND NO_TRACE",
        "  what happened  nothing is known",
        "  code           E42",
        "  what to do     Ask otherwise.",
        "  said by        example.metip",
        "  call id        call-7",
    )


def test_broken_fields_and_the_delay_before_a_repetition_are_told() -> None:
    bad = error_details_pb2.BadRequest(
        field_violations=[error_details_pb2.BadRequest.FieldViolation(field="name", description="is too short")]
    )
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    refusal = refusal_of(failed(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST: see fields", PLATFORMS, bad, retry))
    assert "  field          name: is too short" in refusal.lines()
    assert "  repeat after   1.5 s" in refusal.lines()
    document = refusal.document()
    assert document["field_violations"] == [{"field": "name", "description": "is too short"}]
    assert (document["retry_after_seconds"], document["call_id"]) == (1.5, "call-7")


def test_what_a_far_side_says_can_not_move_the_cursor() -> None:
    refusal = refusal_of(failed(grpc.StatusCode.UNKNOWN, "\x1b[2Jgone"))
    assert refusal.lines()[1] == "  what happened  ?[2Jgone"


ENVOYS = [
    pytest.param(grpc.StatusCode.UNAVAILABLE, "no healthy upstream", "NOBODY_SERVES", "metip check", id="nobody"),
    pytest.param(grpc.StatusCode.UNAVAILABLE, "… Connection refused", "NO_EDGE", "metip up", id="no-edge"),
    pytest.param(grpc.StatusCode.UNAVAILABLE, "Ssl handshake failed: …", "CERTIFICATE_REFUSED", "metip identity check", id="certificate"),
    pytest.param(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", "TIMED_OUT", "--deadline", id="deadline"),
    pytest.param(grpc.StatusCode.UNIMPLEMENTED, "", "NO_SUCH_OPERATION", "metip interfaces", id="no-route"),
]


@pytest.mark.parametrize(("code", "text", "reason", "advice"), ENVOYS)
def test_what_envoy_says_itself_is_told_with_advice(code: grpc.StatusCode, text: str, reason: str, advice: str) -> None:
    refusal = refusal_of(failed(code, text, call_id="call-8"))
    assert (refusal.status, refusal.reason, refusal.call_id, refusal.domain) == (code.name, reason, "call-8", "")
    assert advice in refusal.advice


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda one: one.reason)
def test_what_the_edge_refuses_is_told_with_its_reason_and_what_to_do_here(refused: Refusal) -> None:
    status = status_of(refused)
    failure = AioRpcError(
        getattr(grpc.StatusCode, refused.status),
        Metadata(("x-request-id", "call-9")),
        Metadata(("grpc-status-details-bin", status.SerializeToString())),
        details=status.message,
    )
    told = refusal_of(failure)
    assert (told.status, told.reason, told.text, told.call_id) == (refused.status, refused.reason, refused.words, "call-9")
    assert told.domain == "edge.metip"
    assert told.advice in (AT_THE_EDGE.get(refused.reason), refused.advice)


def test_advice_for_the_command_line_is_for_reasons_that_there_are() -> None:
    assert set(AT_THE_EDGE) <= {one.reason for one in REFUSALS}


DIALS = [
    pytest.param("hang", "hang", "", 0.0, 0, id="on"),
    pytest.param("delay=2s", "delay", "2s", 0.0, 0, id="setting"),
    pytest.param("hang:share=0.1", "hang", "", 0.1, 0, id="share"),
    pytest.param("code=A:B:times=3:share=0.5", "code", "A:B", 0.5, 3, id="setting-with-colon"),
    pytest.param("code=", "code", "", 0.0, 0, id="empty-setting"),
]


@pytest.mark.parametrize(("typed", "dial", "setting", "share", "times"), DIALS)
def test_a_dial_is_read_as_it_was_meant(typed: str, dial: str, setting: str, share: float, times: int) -> None:
    (fault,) = parse_dials([typed])
    assert (fault.dial, fault.setting, fault.share, fault.times) == (dial, setting, share, times)
    assert fault_words(fault).startswith(dial)


NO_DIALS = ["", "=2s", "Hang", "hang:share=2", "hang:share=x", "drop:times=0", "drop:often=3"]


def test_every_dial_that_makes_no_sense_is_named() -> None:
    with pytest.raises(click.UsageError) as caught:
        parse_dials(NO_DIALS)
    assert [line.partition(":")[0] for line in caught.value.message.splitlines()] == [repr(text).partition(":")[0] for text in NO_DIALS]
