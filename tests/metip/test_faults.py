"""The closed set of reasons, and how a fault looks on the wire."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from metip.faults import Fault, Reason, status_of

# Envoy retries UNAVAILABLE and nothing else, so each reason that has it must be one after which repeating makes sense:
# of a query, or of a message, which is known by its key.
UNAVAILABLE = {Reason.UPSTREAM_UNAVAILABLE, Reason.CIRCUIT_OPEN, Reason.STOPPING, Reason.JOURNAL, Reason.NOT_KEPT}


def details(status: Any) -> dict[str, Any]:
    """The details of a status by type."""
    found = {}
    for packed in status.details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
            message = kind()
            if packed.Unpack(message):
                found[kind.__name__] = message
    return found


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)
def test_each_reason_has_a_status_and_says_what_to_do(reason: Reason) -> None:
    assert isinstance(reason.status, grpc.StatusCode)
    assert reason.status is not grpc.StatusCode.OK
    assert reason.advice.endswith(".")
    assert len(reason.advice) > 10


def test_no_two_reasons_are_one() -> None:
    assert len(Reason.__members__) == len(set(Reason))


def test_only_what_a_repeated_query_may_cure_is_unavailable() -> None:
    assert {reason for reason in Reason if reason.status is grpc.StatusCode.UNAVAILABLE} == UNAVAILABLE


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)
def test_a_fault_becomes_a_status_with_reason_domain_call_and_advice(reason: Reason) -> None:
    status = status_of(Fault(reason, "what happened"), system="sample", call_id="call-1")
    assert code_pb2.Code.Name(status.code) == reason.status.name
    assert status.message == f"{reason.name}: what happened"
    found = details(status)
    assert set(found) == {"ErrorInfo"}
    info = found["ErrorInfo"]
    assert (info.reason, info.domain) == (reason.name, "sample.metip")
    assert dict(info.metadata) == {"call_id": "call-1", "advice": reason.advice}


def test_codes_of_the_far_system_travel_in_the_metadata() -> None:
    fault = Fault(Reason.UPSTREAM_REFUSED, "refused", metadata={"code": "PE0042"})
    assert details(status_of(fault, system="sample", call_id=""))["ErrorInfo"].metadata["code"] == "PE0042"


def test_a_far_system_can_not_overwrite_the_call_id_or_the_advice() -> None:
    fault = Fault(Reason.UPSTREAM_REFUSED, "refused", metadata={"call_id": "theirs", "advice": "theirs"})
    metadata = details(status_of(fault, system="sample", call_id="ours"))["ErrorInfo"].metadata
    assert (metadata["call_id"], metadata["advice"]) == ("ours", Reason.UPSTREAM_REFUSED.advice)


def test_fields_become_bad_request_in_their_order() -> None:
    fault = Fault(Reason.INVALID_REQUEST, "broken", fields=(("access.purpose", "is missing"), ("surname", "is too short")))
    violations = details(status_of(fault, system="sample", call_id=""))["BadRequest"].field_violations
    assert [(violation.field, violation.description) for violation in violations] == list(fault.fields)


@settings(deadline=None)
@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1)))
def test_a_delay_becomes_retry_info(delay: timedelta) -> None:
    status = status_of(Fault(Reason.BUSY, "busy", retry_after=delay), system="sample", call_id="")
    assert details(status)["RetryInfo"].retry_delay.ToTimedelta() == delay


def test_a_fault_reads_as_its_reason_and_text() -> None:
    assert str(Fault(Reason.LOCKED, "somebody holds it")) == "LOCKED: somebody holds it"
