"""The pipeline on a real gRPC server: what is refused and how, what is journalled, what is logged, and that nothing leaks.

Long because one contract and one servicer, compiled here, carry every case.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from sample_contract import (
    CONSUMER,
    INTERFACE,
    MOST_BYTES,
    STRICT,
    Asked,
    Plain,
    Refused,
    Served,
    Told,
    asking,
    message,
    refused,
    served,
)
from waiting import until

from adapters.kit import Call, Fault, Reason
from metip.common.v1.identifiers_pb2 import Vrm
from metip.options.v1.options_pb2 import PURPOSE_AUDIT, PURPOSE_LICENSING_VETTING, PURPOSE_STREET_STOP, PURPOSE_UNSPECIFIED

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEVER_SAID = "QUACKENBUSH"
GET, RECORD, WATCH, COUNT = (f"{INTERFACE}/{method}" for method in ("GetSample", "RecordSample", "WatchSamples", "Count"))
Seen = message("Seen")
STRICTLY = f"{STRICT}/GetStrictly"


async def told(request: Any, call: Call) -> Any:
    """What a handler does unless a test says otherwise."""
    return Told(words=f"{request.surname} asked by {call.consumer}")


async def counted(request: Any, call: Call) -> AsyncIterator[Any]:
    """What a streaming handler does unless a test says otherwise."""
    for number in range(3):
        yield Told(words=str(number))


class Sample:
    """The servicer; a test sets what it does."""

    interface = INTERFACE

    def __init__(self) -> None:
        self.unary: Callable[[Any, Call], Awaitable[Any]] = told
        self.stream: Callable[[Any, Call], AsyncIterator[Any]] = counted
        self.calls: list[Call] = []

    async def GetSample(self, request: Asked, call: Call) -> Told:
        """Answers as told."""
        self.calls.append(call)
        return await self.unary(request, call)

    async def RecordSample(self, request: Asked, call: Call) -> Told:
        """Answers as told."""
        return await self.GetSample(request, call)

    async def WatchSamples(self, request: Asked, call: Call) -> AsyncIterator[Told]:
        """Answers as told."""
        self.calls.append(call)
        async for reply in self.stream(request, call):
            yield reply

    async def Count(self, request: Plain, call: Call) -> Told:
        """Answers with the number."""
        self.calls.append(call)
        return Told(words=str(request.count))


class Strict:
    """The servicer of the interface that demands a justification."""

    interface = STRICT

    async def GetStrictly(self, request: Asked, call: Call) -> Told:
        """Answers."""
        return Told(words="strictly")


class Rig:
    """The servicer behind the pipeline."""

    def __init__(self, sample: Sample, serving: Served) -> None:
        self.sample = sample
        self.serving = serving
        self.journal = serving.journal
        self.gate = serving.gate
        self._ended = 0

    async def ask(self, operation: str = GET, request: Any = None, metadata: Any = None, within: float = 5.0) -> str:
        """Calls a unary operation and gives the words of its answer."""
        call = self.serving.unary(operation)(
            question() if request is None else request, metadata=from_envoy() if metadata is None else metadata, timeout=within
        )
        try:
            return str((await call).words)
        finally:
            await self._is_logged()

    async def watch(self, within: float = 5.0) -> list[str]:
        """Calls the streaming operation and gives the words of its answers."""
        call = self.serving.stream(WATCH)(question(), metadata=from_envoy(), timeout=within)
        try:
            return [str(reply.words) async for reply in call]
        finally:
            await self._is_logged()

    async def refusal(self, operation: str = GET, request: Any = None, metadata: Any = None, within: float = 5.0) -> Refused:
        """The status that a call ends with; nothing that was asked is in it."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.ask(operation, request, metadata, within)
        assert NEVER_SAID not in repr((caught.value.details(), list(caught.value.trailing_metadata())))
        return refused(caught.value)

    @property
    def outcomes(self) -> list[str]:
        """Outcomes that were journalled."""
        return [entry.outcome for entry in self.journal.entries]

    @property
    def operations(self) -> list[dict[str, Any]]:
        """The canonical lines."""
        return [line for line in self.serving.lines if line["event"] == "operation"]

    async def logged(self) -> None:
        """Waits for the first line: it is written after the caller was answered."""
        await until(lambda: self.operations != [])

    async def _is_logged(self) -> None:
        """Waits for the call's own line: a caller may have its status before the line is written."""
        self._ended += 1
        await until(lambda: len(self.operations) >= self._ended)

    async def left(self) -> None:
        """Waits until no call is inside."""
        await until(lambda: self.gate.inside == 0)


@pytest_asyncio.fixture(loop_scope="module")
async def worker(tmp_path: Path) -> AsyncIterator[Rig]:
    """One server for each test; in the end its gate is empty and its log holds nothing that was asked."""
    sample = Sample()
    async with served((sample, Strict()), tmp_path) as serving:
        yield Rig(sample, serving)
        await until(lambda: serving.gate.inside == 0)
    assert NEVER_SAID not in serving.written.getvalue()


def question(surname: str = NEVER_SAID, **access: Any) -> Any:
    """A request that is in order."""
    return Asked(access=asking(**access), surname=surname)


CONSUMER_PATH = "consumer/test"


def granting(*texts: str) -> list[tuple[str, str]]:
    """The metadata of a good call with other grants than every purpose: one header for each text."""
    return [entry for entry in from_envoy() if entry[0] != "x-metip-purposes"] + [("x-metip-purposes", text) for text in texts]


# An answer.


async def test_a_good_call_is_answered_journalled_once_and_logged_once(worker: Rig) -> None:
    assert await worker.ask() == f"{NEVER_SAID} asked by {CONSUMER}"
    (entry,) = worker.journal.entries
    assert entry.call is not None
    assert (entry.operation.name, entry.outcome, entry.call.id, entry.call.consumer) == (GET, "OK", "call-1", CONSUMER)
    assert entry.request == question()
    await worker.logged()
    (line,) = worker.operations
    assert {key: line[key] for key in ("operation", "outcome", "call_id", "consumer")} == {
        "operation": GET,
        "outcome": "OK",
        "call_id": "call-1",
        "consumer": CONSUMER,
    }


async def test_the_handler_knows_the_officer_the_token_and_the_deadline(worker: Rig) -> None:
    started = time.monotonic()
    await worker.ask(within=3)
    (call,) = worker.sample.calls
    assert call.officer is not None
    assert (call.officer.warrant_number, call.officer.force, call.officer.unit, call.officer.roles) == ("P123456", "01", "ZD", ("officer",))
    assert call.authorization == "Bearer test"
    assert call.deadline == pytest.approx(started + 3, abs=0.5)
    assert "Bearer" not in repr(call)


async def test_a_call_without_a_deadline_has_an_hour(worker: Rig) -> None:
    await worker.serving.unary(GET)(question(), metadata=from_envoy())
    assert 3000 < worker.sample.calls[0].remaining <= 3600


async def test_a_purpose_that_a_grant_of_the_consumer_or_of_the_officers_role_names_is_answered(worker: Rig) -> None:
    granted = f"{PURPOSE_AUDIT}||{CONSUMER_PATH};{PURPOSE_STREET_STOP}|officer,sergeant|{CONSUMER_PATH}"
    assert await worker.ask(metadata=granting(granted))


async def test_an_operation_without_personal_data_needs_no_purpose_and_is_not_journalled(worker: Rig) -> None:
    assert await worker.ask(COUNT, Plain(count=7), from_envoy(officer=None)) == "7"
    assert worker.journal.attempts == 0


async def test_the_journal_knows_whose_data_and_how_many_records_were_told(worker: Rig) -> None:
    async def unary(request: Any, call: Call) -> Any:
        return Told(many=[Seen(vrm=Vrm(value="A1")), Seen()])

    worker.sample.unary = unary
    await worker.ask(request=Asked(access=asking(), surname=NEVER_SAID, vrm="B2"))
    (facts,) = worker.journal.entries
    assert (facts.disclosed, facts.subjects) == (2, [("vrm", "B2"), ("vrm", "A1")])


# What is refused before the handler: the status, the reason, and that the handler never saw it.

BEFORE_THE_HANDLER = {
    "bytes-of-no-message": (GET, b"\xff\xff\xff", from_envoy(), Reason.MALFORMED),
    "text-that-is-not-utf8": (GET, b"\x12\x02\xff\xfe", from_envoy(), Reason.MALFORMED),
    "nested-too-deep": (COUNT, b"", from_envoy(), Reason.MALFORMED),
    "too-large": (GET, question("A" * (MOST_BYTES + 1)), from_envoy(), Reason.TOO_LARGE),
    "no-officer": (GET, question(), from_envoy(officer=None), Reason.OFFICER_NEEDED),
    "no-purpose": (GET, Asked(access=asking(PURPOSE_UNSPECIFIED), surname=NEVER_SAID), from_envoy(), Reason.INVALID_REQUEST),
    "no-access": (GET, Asked(surname=NEVER_SAID), from_envoy(), Reason.INVALID_REQUEST),
    "other-purpose": (GET, question(purpose=PURPOSE_LICENSING_VETTING), from_envoy(), Reason.PURPOSE_NOT_PERMITTED),
    "no-grants": (GET, question(), granting(), Reason.PURPOSE_NOT_PERMITTED),
    "no-grant-of-that-purpose": (GET, question(), granting(f"{PURPOSE_AUDIT}||{CONSUMER_PATH}"), Reason.PURPOSE_NOT_PERMITTED),
    "no-grant-in-that-role": (GET, question(), granting(f"*|sergeant|{CONSUMER_PATH}"), Reason.PURPOSE_NOT_PERMITTED),
    "grants-of-somebody-else": (GET, question(), granting("*||consumer/other"), Reason.PURPOSE_NOT_PERMITTED),
    "two-headers-of-grants": (GET, question(), granting("*", "*"), Reason.PURPOSE_NOT_PERMITTED),
    "purpose-of-a-sister": (RECORD, question(purpose=PURPOSE_AUDIT), from_envoy(), Reason.PURPOSE_NOT_PERMITTED),
    "no-justification": (STRICTLY, question(), from_envoy(), Reason.JUSTIFICATION_NEEDED),
    "blank-justification": (STRICTLY, question(justification="    "), from_envoy(), Reason.JUSTIFICATION_NEEDED),
    "broken-rule": (GET, question("Q"), from_envoy(), Reason.INVALID_REQUEST),
    "no-certificate": (GET, question(), [], Reason.CONSUMER_UNKNOWN),
}


def _nested(depth: int) -> bytes:
    request = b""
    for _ in range(depth):
        length, size = len(request), b""
        while length > 127:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        request = b"\x12" + size + bytes([length]) + request
    return request


@pytest.mark.parametrize("case", BEFORE_THE_HANDLER)
async def test_a_call_is_refused_before_the_handler(worker: Rig, case: str) -> None:
    operation, request, metadata, reason = BEFORE_THE_HANDLER[case]
    refusal = await worker.refusal(operation, _nested(5000) if case == "nested-too-deep" else request, metadata)
    assert (refusal.code, refusal.reason, refusal.domain) == (reason.status, reason.name, "sample.metip")
    assert worker.sample.calls == []
    (facts,) = worker.journal.refusals
    assert (facts.operation.name, facts.outcome, facts.refused, facts.disclosed) == (operation, reason.name, True, 0)
    assert worker.outcomes == []
    await worker.logged()
    assert [line["outcome"] for line in worker.operations] == [reason.name]


async def test_a_refusal_is_journalled_with_who_asked_what_as_far_as_it_is_known(worker: Rig) -> None:
    await worker.refusal(request=question(purpose=PURPOSE_LICENSING_VETTING, reference="90001/23NOV26"))
    await worker.refusal(request=Asked(access=asking(), vrm="AB12CDE"), metadata=from_envoy(officer=None))
    await worker.refusal(metadata=[*from_envoy(officer=None), ("x-metip-officer", "%%%%")])
    await worker.refusal(request=b"\xff\xff\xff", metadata=from_envoy(call_id="call-9"))
    await worker.refusal(metadata=[("x-request-id", "call-10")])
    purpose, officer, token, malformed, consumer = worker.journal.refusals
    assert purpose.call is not None
    assert purpose.call.officer is not None
    assert (purpose.call.consumer, purpose.call.officer.warrant_number) == (CONSUMER, "P123456")
    assert purpose.request == question(purpose=PURPOSE_LICENSING_VETTING, reference="90001/23NOV26")
    assert officer.call is not None
    assert (officer.call.consumer, officer.call.officer, officer.subjects) == (CONSUMER, None, [("vrm", "AB12CDE")])
    assert token.call is not None
    assert (token.call.consumer, token.call.officer, token.request) == (CONSUMER, None, question())
    assert malformed.call is not None
    assert (malformed.call.id, malformed.request) == ("call-9", None)
    assert (consumer.call, consumer.call_id, consumer.request) == (None, "call-10", question())


async def test_a_refusal_that_can_not_be_journalled_is_told_as_that(worker: Rig) -> None:
    worker.journal.error = OSError(28, NEVER_SAID)
    assert (await worker.refusal(metadata=from_envoy(officer=None))).reason == "JOURNAL"


async def test_while_nothing_can_be_journalled_no_handler_is_asked(worker: Rig) -> None:
    worker.journal.closed = Fault(Reason.JOURNAL, "the disk is full")
    refusal = await worker.refusal()
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")
    assert worker.sample.calls == []
    assert await worker.ask(COUNT, Plain(count=7), from_envoy(officer=None)) == "7", "what is not personal needs no journal"


async def test_a_refusal_names_the_call_and_what_to_do(worker: Rig) -> None:
    refusal = await worker.refusal(metadata=from_envoy(call_id="call-42", officer=None))
    assert refusal.metadata == {"call_id": "call-42", "advice": Reason.OFFICER_NEEDED.advice}


async def test_an_unknown_consumer_is_logged_under_its_call_id(worker: Rig) -> None:
    refusal = await worker.refusal(metadata=[("x-request-id", "call-42")])
    await worker.logged()
    assert refusal.metadata["call_id"] == worker.operations[0]["call_id"] == "call-42"


async def test_an_unattended_operation_needs_no_officer(worker: Rig) -> None:
    assert await worker.ask(RECORD, metadata=from_envoy(officer=None))
    assert worker.sample.calls[0].officer is None


async def test_a_written_justification_opens_the_strict_interface(worker: Rig) -> None:
    assert await worker.ask(STRICTLY, question(justification="a good reason")) == "strictly"


async def test_broken_rules_are_named_by_path_and_never_by_value(worker: Rig) -> None:
    request = Asked(access=asking(reference=NEVER_SAID * 9), surname="Q", places=[{"postcode": "N1"}, {"postcode": NEVER_SAID.lower()}])
    refusal = await worker.refusal(request=request)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {"access.reference", "surname", "places[1].postcode"}
    assert all(refusal.fields.values())
    assert NEVER_SAID.lower() not in repr(refusal)
    for path in refusal.fields:
        assert path in refusal.message


@pytest.mark.parametrize(
    "certificate",
    [
        "Hash=00;URI=spiffe://metip.local/consumer/a;URI=spiffe://metip.local/consumer/b",
        "Hash=00;URI=spiffe://metip.local/consumer/a,Hash=01;URI=spiffe://metip.local/consumer/b",
        "Hash=00;URI=spiffe://metip.local/consumer/a,Hash=01",
        "By=spiffe://metip.local/edge;Hash=00",
        "Hash=00;URI=",
        "Hash=00;URI=https://metip.local/consumer/a",
        "URI",
        "",
    ],
    ids=["two-uris", "two-certificates", "a-second-certificate", "no-uri", "empty-uri", "not-spiffe", "no-value", "nothing"],
)
async def test_a_call_without_exactly_one_spiffe_identity_is_refused(worker: Rig, certificate: str) -> None:
    metadata = [(key, certificate if key == "x-forwarded-client-cert" else value) for key, value in from_envoy()]
    assert (await worker.refusal(metadata=metadata)).reason == "CONSUMER_UNKNOWN"
    assert worker.sample.calls == []


async def test_a_second_certificate_header_does_not_hide_behind_the_first(worker: Rig) -> None:
    second = ("x-forwarded-client-cert", "Hash=01;URI=spiffe://metip.local/consumer/other")
    assert (await worker.refusal(metadata=[*from_envoy(), second])).reason == "CONSUMER_UNKNOWN"
    assert (await worker.refusal(metadata=[second, *from_envoy()])).reason == "CONSUMER_UNKNOWN"


# Base64 of a token payload, and what is wrong with it.
OFFICERS = {
    "not-base64": "%%%%",
    "not-json": "bm90IGpzb24",
    "not-an-object": "WyJQMTIzIl0",
    "nobody": "e30",
    "empty-name": "eyJzdWIiOiAiIn0",
    "a-number": "eyJzdWIiOiA3fQ",
    "no-text": "//4",
    "empty": "",
}


@pytest.mark.parametrize("payload", OFFICERS.values(), ids=OFFICERS)
async def test_a_token_that_names_no_officer_is_refused(worker: Rig, payload: str) -> None:
    assert (await worker.refusal(metadata=[*from_envoy(officer=None), ("x-metip-officer", payload)])).reason == "OFFICER_NEEDED"
    assert worker.sample.calls == []


async def test_two_officers_are_none(worker: Rig) -> None:
    second = [entry for entry in from_envoy(officer="P654321") if entry[0] == "x-metip-officer"]
    assert (await worker.refusal(metadata=[*from_envoy(), *second])).reason == "OFFICER_NEEDED"


# How a handler's errors come out.


async def test_a_fault_comes_out_with_all_that_it_carries_and_is_journalled_once(worker: Rig) -> None:
    async def unary(request: Any, call: Call) -> Any:
        raise Fault(Reason.UPSTREAM_REFUSED, "the far system refused", metadata={"code": "PE0042"})

    worker.sample.unary = unary
    refusal = await worker.refusal()
    assert (refusal.code, refusal.message) == (grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED: the far system refused")
    assert refusal.metadata["code"] == "PE0042"
    assert worker.outcomes == ["UPSTREAM_REFUSED"]
    await worker.logged()
    assert worker.operations[0]["outcome"] == "UPSTREAM_REFUSED"


@pytest.mark.parametrize(
    "error", [ValueError(NEVER_SAID), KeyError(NEVER_SAID), RecursionError(NEVER_SAID)], ids=lambda one: type(one).__name__
)
async def test_an_error_nobody_foresaw_is_internal_without_its_words(worker: Rig, error: Exception) -> None:
    async def unary(request: Any, call: Call) -> Any:
        raise error

    worker.sample.unary = unary
    refusal = await worker.refusal(metadata=from_envoy(call_id="call-77"))
    assert (refusal.code, refusal.reason, refusal.metadata["call_id"]) == (grpc.StatusCode.INTERNAL, "INTERNAL", "call-77")
    unexpected, operation = worker.serving.lines
    assert (unexpected["event"], unexpected["kind"], unexpected["call_id"]) == ("unexpected_error", type(error).__name__, "call-77")
    assert unexpected["place"].startswith("test_pipeline.py:")
    assert operation["outcome"] == "INTERNAL"
    assert worker.outcomes == ["INTERNAL"]


async def test_a_time_out_is_deadline_exceeded(worker: Rig) -> None:
    async def unary(request: Any, call: Call) -> Any:
        raise TimeoutError(NEVER_SAID)

    worker.sample.unary = unary
    refusal = await worker.refusal()
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "TIMED_OUT")
    assert worker.outcomes == ["TIMED_OUT"]


async def test_a_handler_that_answers_nothing_is_internal_and_never_journalled_as_done(worker: Rig) -> None:
    async def unary(request: Any, call: Call) -> Any:
        return None

    worker.sample.unary = unary
    assert (await worker.refusal()).reason == "INTERNAL"
    assert worker.outcomes == ["INTERNAL"]


# The journal.

FAILURES_OF_THE_JOURNAL = [
    Fault(Reason.JOURNAL, "the disk is full"),
    OSError(28, NEVER_SAID),
    TimeoutError(NEVER_SAID),
    ValueError(NEVER_SAID),
]


@pytest.mark.parametrize("error", FAILURES_OF_THE_JOURNAL, ids=lambda error: type(error).__name__)
async def test_what_can_not_be_journalled_is_not_disclosed(worker: Rig, error: Exception) -> None:
    worker.journal.error = error
    refusal = await worker.refusal()
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")
    assert worker.journal.attempts == 1
    await worker.logged()
    assert worker.operations[0]["outcome"] == "JOURNAL"


@pytest.mark.parametrize("error", FAILURES_OF_THE_JOURNAL, ids=lambda error: type(error).__name__)
async def test_nothing_of_a_stream_leaves_that_can_not_be_journalled(worker: Rig, error: Exception) -> None:
    worker.journal.error = error
    call = worker.serving.stream(WATCH)(question(), metadata=from_envoy(), timeout=5)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        assert [reply async for reply in call] == ["nothing comes"]
    assert refused(caught.value).reason == "JOURNAL"
    assert worker.journal.attempts == 1


async def test_a_refusal_that_can_not_be_journalled_is_not_told_either(worker: Rig) -> None:
    async def unary(request: Any, call: Call) -> Any:
        raise Fault(Reason.NO_TRACE, "nothing known")

    worker.sample.unary, worker.journal.error = unary, OSError(28, NEVER_SAID)
    refusal = await worker.refusal()
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")


# Streams.


async def test_a_stream_is_answered_journalled_once_and_logged_once(worker: Rig) -> None:
    assert await worker.watch() == ["0", "1", "2"]
    assert worker.outcomes == ["OK"]
    await worker.left()
    await worker.logged()
    assert [line["outcome"] for line in worker.operations] == ["OK"]


async def test_an_empty_stream_is_an_answer_and_journalled(worker: Rig) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        for _ in ():
            yield

    worker.sample.stream = stream
    assert await worker.watch() == []
    assert worker.outcomes == ["OK"]


async def test_a_stream_is_journalled_before_its_first_message_leaves(worker: Rig) -> None:
    go = asyncio.Event()

    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        yield Told(words="first")
        await go.wait()
        yield Told(words="second")

    worker.sample.stream = stream
    call = worker.serving.stream(WATCH)(question(), metadata=from_envoy(), timeout=5)
    assert (await call.read()).words == "first"
    assert worker.outcomes == ["OK"]
    go.set()
    assert (await call.read()).words == "second"


async def test_a_stream_that_disclosed_more_is_recorded_again_at_its_end(worker: Rig) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        for mark in ("A1", "B2", "C3"):
            yield Told(one=Seen(vrm=Vrm(value=mark)))

    worker.sample.stream = stream
    await worker.watch()
    first, last = worker.journal.entries
    assert (first.disclosed, first.subjects, first.outcome) == (1, [("vrm", "A1")], "OK")
    assert (last.disclosed, last.subjects, last.outcome) == (2, [("vrm", "B2"), ("vrm", "C3")], "OK")


async def test_a_stream_that_disclosed_more_before_it_failed_is_recorded_with_how_it_ended(worker: Rig) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        yield Told()
        yield Told(one=Seen(vrm=Vrm(value="A1")))
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "no connection")

    worker.sample.stream = stream
    with pytest.raises(grpc.aio.AioRpcError):
        await worker.watch()
    assert [(one.outcome, one.disclosed) for one in worker.journal.entries] == [("OK", 0), ("UPSTREAM_UNAVAILABLE", 1)]


async def test_a_stream_that_discloses_much_is_recorded_as_it_goes_on(worker: Rig) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        for number in range(3):
            yield Told(many=[Seen(vrm=Vrm(value=f"{number}X{one}")) for one in range(150)])

    worker.sample.stream = stream
    await worker.watch()
    assert [one.disclosed for one in worker.journal.entries] == [150, 300]
    assert [len(one.subjects) for one in worker.journal.entries] == [150, 300]


async def test_the_end_of_a_stream_that_can_not_be_journalled_is_told_as_that(worker: Rig) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        yield Told()
        worker.journal.error = OSError(28, NEVER_SAID)
        yield Told(one=Seen())

    worker.sample.stream = stream
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await worker.watch()
    assert refused(caught.value).reason == "JOURNAL"


async def test_a_stream_that_fails_before_its_first_message_is_journalled_as_it_ended(worker: Rig) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "no connection")
        yield

    worker.sample.stream = stream
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await worker.watch()
    assert refused(caught.value).reason == "UPSTREAM_UNAVAILABLE"
    assert worker.outcomes == ["UPSTREAM_UNAVAILABLE"]


async def test_a_stream_that_fails_midway_tells_the_caller_and_is_journalled_once(worker: Rig) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        yield Told(words="first")
        raise ValueError(NEVER_SAID)

    worker.sample.stream = stream
    call = worker.serving.stream(WATCH)(question(), metadata=from_envoy(), timeout=5)
    assert (await call.read()).words == "first"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert refused(caught.value).reason == "INTERNAL"
    assert NEVER_SAID not in repr(caught.value)
    await worker.left()
    assert worker.outcomes == ["OK"]
    await worker.logged()
    assert worker.operations[0]["outcome"] == "INTERNAL"


async def test_a_stream_refused_at_the_door_is_refused_like_any_call(worker: Rig) -> None:
    call = worker.serving.stream(WATCH)(question(purpose=PURPOSE_AUDIT), metadata=from_envoy(), timeout=5)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert refused(caught.value).reason == "PURPOSE_NOT_PERMITTED"
    assert worker.sample.calls == []


# The gate.


class Held:
    """A handler that holds its calls until it is told to answer, and knows how they ended."""

    def __init__(self, worker: Rig) -> None:
        self.go, self.inside, self.ended = asyncio.Event(), 0, 0
        worker.sample.unary, worker.sample.stream = self.unary, self.stream

    async def unary(self, request: Any, call: Call) -> Any:
        """Waits."""
        self.inside += 1
        try:
            await self.go.wait()
        finally:
            self.ended += 1
        return Told(words="at last")

    async def stream(self, request: Any, call: Call) -> AsyncIterator[Any]:
        """Answers once, then waits."""
        yield Told(words="first")
        yield await self.unary(request, call)


async def test_a_consumer_that_holds_its_share_is_busy_and_no_other_is(worker: Rig) -> None:
    held, worker.gate.each = Held(worker), 2
    calls = [asyncio.create_task(worker.ask()) for _ in range(2)]
    await until(lambda: held.inside == 2)
    refusal = await worker.refusal(metadata=from_envoy())
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY")
    other = asyncio.create_task(worker.ask(metadata=from_envoy(consumer="spiffe://metip.local/consumer/other")))
    await until(lambda: held.inside == 3)
    held.go.set()
    assert await asyncio.gather(*calls, other) == ["at last"] * 3
    assert await worker.ask() == "at last"


async def test_one_call_past_the_gate_is_busy(worker: Rig) -> None:
    held, worker.gate.limit = Held(worker), 2
    calls = [asyncio.create_task(worker.ask()) for _ in range(2)]
    await until(lambda: held.inside == 2)
    refusal = await worker.refusal(metadata=from_envoy(call_id="one-too-many"))
    assert (refusal.code, refusal.reason, refusal.metadata["call_id"]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY", "one-too-many")
    assert refusal.retry_after == pytest.approx(0.2)
    held.go.set()
    assert await asyncio.gather(*calls) == ["at last"] * 2
    assert worker.outcomes == ["OK", "OK"]
    assert await worker.ask() == "at last"


async def test_a_worker_that_stops_refuses_new_calls_and_ends_the_old(worker: Rig) -> None:
    held = Held(worker)
    call = asyncio.create_task(worker.ask())
    await until(lambda: held.inside == 1)
    worker.gate.stopping = True
    refusal = await worker.refusal()
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STOPPING")
    held.go.set()
    assert await call == "at last"


@pytest.mark.parametrize("operation", [GET, WATCH], ids=["unary", "stream"])
async def test_a_cancelled_call_leaves_the_gate_and_is_logged_as_cancelled(worker: Rig, operation: str) -> None:
    held = Held(worker)
    method = worker.serving.stream(WATCH) if operation == WATCH else worker.serving.unary(GET)
    call = method(question(), metadata=from_envoy(), timeout=5)
    if operation == WATCH:
        assert (await call.read()).words == "first"
    await until(lambda: held.inside == 1)
    call.cancel()
    with suppress(asyncio.CancelledError):
        await (call.read() if operation == WATCH else call)
    await worker.left()
    assert held.ended == 1
    assert worker.outcomes == ["OK" if operation == WATCH else "CANCELLED"], "the far system may have been asked"
    await worker.logged()
    assert [line["outcome"] for line in worker.operations] == ["CANCELLED"]


async def test_a_stream_that_nobody_reads_any_more_ends_what_it_started(worker: Rig) -> None:
    ended = asyncio.Event()

    async def stream(request: Any, call: Call) -> AsyncIterator[Any]:
        try:
            while True:
                yield Told(words="more " * 2000)
        finally:
            ended.set()

    worker.sample.stream = stream
    call = worker.serving.stream(WATCH)(question(), metadata=from_envoy(), timeout=5)
    await call.read()
    call.cancel()
    async with asyncio.timeout(5):
        await ended.wait()
    await worker.left()
    await worker.logged()
    assert worker.operations[0]["outcome"] == "CANCELLED"


async def test_a_call_that_outlives_its_deadline_leaves_the_gate(worker: Rig) -> None:
    held = Held(worker)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await worker.ask(within=0.05)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: held.ended == 1)
    await worker.left()
