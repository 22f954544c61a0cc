"""Asking several sources: each ends with a status of its own, in time, and silence never looks like knowing nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import until

from adapters.kit.federation import STATUS_OF, Answer, Ended, Source, Status, federate
from metip.call import Call
from metip.faults import Fault, Reason, status_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEVER_SAID = "QUACKENBUSH"
STALE_AFTER = timedelta(hours=1)
MAY_KNOW = "the source may know something"


def call(within: float = 5.0) -> Call:
    """A call whose caller gives up after so many seconds."""
    return Call("call-1", "metip.sample.v1.SampleService/Search", "spiffe://metip.local/consumer/test", None, time.monotonic() + within)


async def asked(*sources: Source[str], within: float = 5.0, reserve: float = 0.0) -> dict[str, tuple[Ended, Sequence[str]]]:
    """How each source ended, by name, in the order in which they did."""
    found = federate(sources, call(within), reserve=reserve, stale_after=STALE_AFTER)
    return {ended.source: (ended, matches) async for ended, matches in found}


def saying(*matches: str, name: str = "good", **said: Any) -> Source[str]:
    """A source that answers."""

    async def ask(within: float) -> Answer[str]:
        return Answer(matches, **said)

    return Source(name, ask)


def raising(error: BaseException, name: str = "bad") -> Source[str]:
    """A source that fails."""

    async def ask(within: float) -> Answer[str]:
        raise error

    return Source(name, ask)


def silent(name: str = "silent") -> Source[str]:
    """A source that never answers."""

    async def ask(within: float) -> Answer[str]:
        await asyncio.Event().wait()
        raise AssertionError

    return Source(name, ask)


# Answers.


async def test_an_answer_with_matches_is_answered() -> None:
    ended, matches = (await asked(saying("a", "b", truncated=True)))["good"]
    assert (ended.status, ended.matches, ended.explanation, ended.truncated) == (Status.ANSWERED, 2, "", True)
    assert matches == ("a", "b")


async def test_an_answer_without_matches_is_no_trace() -> None:
    ended, matches = (await asked(saying()))["good"]
    assert (ended.status, ended.matches, matches) == (Status.NO_TRACE, 0, ())


@pytest.mark.parametrize("age", [timedelta(0), STALE_AFTER / 2], ids=["now", "fresh"])
async def test_an_answer_that_is_young_enough_is_answered(age: timedelta) -> None:
    as_of = datetime.now(UTC) - age
    ended, _ = (await asked(saying("a", as_of=as_of)))["good"]
    assert (ended.status, ended.as_of) == (Status.ANSWERED, as_of)


@pytest.mark.parametrize("matches", [("a",), ()], ids=["matches", "none"])
async def test_an_answer_that_is_too_old_is_stale_and_never_no_trace(matches: tuple[str, ...]) -> None:
    ended, found = (await asked(saying(*matches, as_of=datetime.now(UTC) - 2 * STALE_AFTER)))["good"]
    assert (ended.status, ended.matches, found) == (Status.STALE, len(matches), matches)
    assert ended.explanation


# Failures in this process.


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)
async def test_a_fault_on_the_way_is_never_an_answer(reason: Reason) -> None:
    ended, matches = (await asked(raising(Fault(reason, NEVER_SAID))))["bad"]
    assert ended.status is (Status.TIMED_OUT if reason is Reason.TIMED_OUT else Status.UNAVAILABLE)
    assert (ended.explanation, matches) == (f"{reason.name}; {MAY_KNOW}", ())


async def test_a_source_whose_answer_can_not_be_read_does_not_take_the_others_with_it() -> None:
    found = await asked(raising(ValueError(NEVER_SAID)), saying("a"), silent(), within=0.1)
    assert {name: ended.status for name, (ended, _) in found.items()} == {
        "bad": Status.UNAVAILABLE,
        "good": Status.ANSWERED,
        "silent": Status.TIMED_OUT,
    }
    assert found["bad"][0].explanation == f"INTERNAL (ValueError); {MAY_KNOW}"


async def test_an_instant_without_a_time_zone_is_no_answer() -> None:
    ended, _ = (await asked(saying("a", as_of=datetime(2026, 11, 23))))["good"]  # noqa: DTZ001 - wrong on purpose
    assert ended.status is Status.UNAVAILABLE


# Statuses of a real source on a real socket.


class Far:
    """A source that ends each call with what a test sets."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.end: Callable[[grpc.aio.ServicerContext[Any, Any]], Awaitable[bytes]]
        self._method: Any = channel.unary_unary("/far.Source/Ask")

    def source(self, name: str = "far") -> Source[str]:
        """Asks it."""

        async def ask(within: float) -> Answer[str]:
            return Answer((str(await self._method(b"", timeout=within)),))

        return Source(name, ask)


@pytest_asyncio.fixture(loop_scope="module")
async def far(tmp_path: Path) -> AsyncIterator[Far]:
    """One source."""
    async with grpc.aio.insecure_channel(f"unix:{tmp_path / 's'}") as channel:
        found = Far(channel)

        async def answer(request: bytes, context: Any) -> bytes:
            return await found.end(context)

        server = grpc.aio.server()
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("far.Source", {"Ask": grpc.unary_unary_rpc_method_handler(answer)}),)
        )
        server.add_insecure_port(f"unix:{tmp_path / 's'}")
        await server.start()
        yield found
        await server.stop(None)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK], ids=lambda code: code.name)
async def test_a_status_without_a_reason_is_never_an_answer(far: Far, code: grpc.StatusCode) -> None:
    async def end(context: Any) -> bytes:
        await context.abort(code, NEVER_SAID)
        raise AssertionError

    far.end = end
    ended, matches = (await asked(far.source()))["far"]
    assert ended.status is STATUS_OF.get(code, Status.UNAVAILABLE)
    assert ended.status not in (Status.ANSWERED, Status.NO_TRACE, Status.STALE)
    assert (ended.explanation, matches) == (f"{code.name}; {MAY_KNOW}", ())


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)
async def test_only_the_reason_no_trace_means_no_trace(far: Far, reason: Reason) -> None:
    async def end(context: Any) -> bytes:
        await context.abort_with_status(rpc_status.to_status(status_of(Fault(reason, NEVER_SAID), system="far", call_id="1")))
        raise AssertionError

    far.end = end
    ended, _ = (await asked(far.source()))["far"]
    assert (ended.status is Status.NO_TRACE) == (reason is Reason.NO_TRACE)
    assert NEVER_SAID not in ended.explanation
    assert reason is Reason.NO_TRACE or reason.name in ended.explanation


@pytest.mark.parametrize(
    "metadata",
    [
        b"\xff\xff\xff",
        status_pb2.Status(code=5, message="another message").SerializeToString(),
        status_pb2.Status(code=13, message=NEVER_SAID).SerializeToString(),
        status_pb2.Status(code=5, message=NEVER_SAID).SerializeToString(),
    ],
    ids=["no-details", "another-message", "another-code", "empty-details"],
)
async def test_details_that_can_not_be_read_are_no_answer_and_break_nothing(far: Far, metadata: bytes) -> None:
    async def end(context: Any) -> bytes:
        context.set_trailing_metadata((("grpc-status-details-bin", metadata),))
        await context.abort(grpc.StatusCode.NOT_FOUND, NEVER_SAID)
        raise AssertionError

    far.end = end
    found = await asked(far.source(), saying("a"))
    assert found["far"][0].status is Status.UNAVAILABLE
    assert found["good"][0].status is Status.ANSWERED


async def test_a_refusal_of_another_domain_is_read_by_its_reason(far: Far) -> None:
    info = error_details_pb2.ErrorInfo(reason="RESTRICTED", domain="far.metip", metadata={"code": NEVER_SAID})
    status = status_pb2.Status(code=7, message=NEVER_SAID)
    status.details.add().Pack(info)

    async def end(context: Any) -> bytes:
        await context.abort_with_status(rpc_status.to_status(status))
        raise AssertionError

    far.end = end
    ended, _ = (await asked(far.source()))["far"]
    assert (ended.status, ended.explanation) == (Status.REFUSED, f"PERMISSION_DENIED (RESTRICTED); {MAY_KNOW}")


# Time.


async def test_a_slow_source_does_not_hold_up_the_others() -> None:
    found = federate((silent(), saying("a")), call(), reserve=0.0, stale_after=STALE_AFTER)
    async with asyncio.timeout(2):
        ended, matches = await anext(found)
    assert (ended.source, ended.status, matches) == ("good", Status.ANSWERED, ("a",))
    await found.aclose()


async def test_no_source_outlives_the_callers_deadline_less_the_reserve() -> None:
    started = time.monotonic()
    ended, _ = (await asked(silent(), within=2.0, reserve=1.9))["silent"]
    took = time.monotonic() - started
    assert ended.status is Status.TIMED_OUT
    assert took < 2.0
    assert 0 < ended.elapsed <= took


@pytest.mark.parametrize("within", [0.0, -1.0, 0.1], ids=["none", "past", "only-the-reserve"])
async def test_without_time_every_source_is_told_of_and_none_waited_for(within: float) -> None:
    async with asyncio.timeout(1):
        found = await asked(silent("one"), silent("two"), within=within, reserve=0.15)
    assert [ended.status for ended, _ in found.values()] == [Status.TIMED_OUT] * 2


async def test_each_source_is_told_how_long_it_has() -> None:
    told: list[float] = []

    async def ask(within: float) -> Answer[str]:
        told.append(within)
        return Answer(())

    await asked(Source("one", ask), within=2.0, reserve=0.5)
    assert 0 < told[0] <= 1.5


async def test_a_source_that_times_out_by_itself_is_timed_out() -> None:
    assert (await asked(raising(TimeoutError(NEVER_SAID))))["bad"][0].status is Status.TIMED_OUT


async def test_a_federation_that_is_closed_early_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    found = federate((silent("one"), silent("two"), saying("a")), call(), reserve=0.0, stale_after=STALE_AFTER)
    await anext(found)
    await found.aclose()
    await until(lambda: asyncio.all_tasks() == before)


async def test_a_federation_that_is_cancelled_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    began = asyncio.Event()

    async def ask(within: float) -> Answer[str]:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    asking = asyncio.create_task(asked(Source("one", ask), silent("two")))
    await began.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: asyncio.all_tasks() == before)


async def test_no_source_is_waited_for_longer_than_the_patience_however_much_time_the_caller_has() -> None:
    started = time.monotonic()
    found = [ended async for ended, _ in federate((silent(), saying("a")), call(30.0), reserve=0.0, stale_after=STALE_AFTER, patience=0.1)]
    assert time.monotonic() - started < 5.0
    assert {ended.source: ended.status for ended in found} == {"silent": Status.TIMED_OUT, "good": Status.ANSWERED}


async def test_a_source_that_can_not_be_searched_in_this_way_says_so_and_never_that_it_knows_nothing() -> None:
    ended, matches = (await asked(Source[str]("closed", None), saying("a")))["closed"]
    assert (ended.status, ended.matches, matches) == (Status.NOT_SEARCHABLE, 0, ())
    assert "may know something" in ended.explanation


async def test_nobody_to_ask_is_no_answer_at_all() -> None:
    assert await asked() == {}


ENDS: dict[str, Callable[[str], Source[str]]] = {
    "answers": lambda name: saying("a", name=name),
    "no trace": lambda name: saying(name=name),
    "old": lambda name: saying("a", name=name, as_of=datetime(2001, 1, 1, tzinfo=UTC)),
    "refuses": lambda name: raising(Fault(Reason.RESTRICTED, NEVER_SAID), name),
    "breaks": lambda name: raising(KeyError(NEVER_SAID), name),
    "is silent": silent,
}


@settings(max_examples=25, deadline=None, database=None)
@given(st.lists(st.sampled_from(sorted(ENDS)), max_size=6))
async def test_each_source_ends_exactly_once_and_only_an_empty_answer_is_no_trace(ends: list[str]) -> None:
    sources = [ENDS[end](f"{number} {end}") for number, end in enumerate(ends)]
    found = [ended async for ended, _ in federate(sources, call(0.03), reserve=0.0, stale_after=STALE_AFTER)]
    assert sorted(ended.source for ended in found) == sorted(source.name for source in sources)
    for ended in found:
        assert (ended.status is Status.NO_TRACE) == ended.source.endswith("no trace")
        assert ended.status in (Status.ANSWERED, Status.NO_TRACE) or MAY_KNOW in ended.explanation or ended.status is Status.STALE
        assert NEVER_SAID not in ended.explanation
