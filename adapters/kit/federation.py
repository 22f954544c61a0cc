"""Asks several sources at once on one person's behalf and says of each how it ended.

The law: a source that gave no answer is never reported as one that knows nothing. Only an answer that says "no trace" is NO_TRACE; a
refusal, a silence and a failure each have a status of their own. And no source outlives the caller's deadline: a reserve is kept to say so.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Generic, TypeVar

import grpc

from adapters.kit.rejections import reason
from adapters.kit.site import consult
from metip.call import Call
from metip.faults import Fault, Reason

T = TypeVar("T")
Asked = TypeVar("Asked")
Asking = TypeVar("Asking")
Reply = TypeVar("Reply")


class Status(Enum):
    """How a source ended."""

    ANSWERED = "answered"
    NO_TRACE = "no trace"
    TIMED_OUT = "timed out"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    STALE = "stale"
    NOT_SEARCHABLE = "not searchable"
    """It can't be searched in this way, and was not asked."""


STATUS_OF: dict[grpc.StatusCode, Status] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: Status.TIMED_OUT,
    grpc.StatusCode.PERMISSION_DENIED: Status.REFUSED,
    grpc.StatusCode.UNAUTHENTICATED: Status.REFUSED,
    grpc.StatusCode.INVALID_ARGUMENT: Status.REFUSED,
    grpc.StatusCode.FAILED_PRECONDITION: Status.REFUSED,
}
"""Every other status means that the source gave no answer; NOT_FOUND counts as an answer only with the reason NO_TRACE."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a source said."""

    matches: Sequence[T]
    as_of: datetime | None = None
    """The instant for which it holds, where the source tells."""
    truncated: bool = False


@dataclass(frozen=True)
class Source(Generic[T]):
    """One source: its name, and how it is asked within a time in seconds; None when it can't be searched in this way."""

    name: str
    ask: Callable[[float], Awaitable[Answer[T]]] | None


@dataclass(frozen=True)
class Ended:
    """How one source ended. `explanation` holds codes and reasons, never a far system's words."""

    source: str
    status: Status
    matches: int
    explanation: str
    elapsed: float
    as_of: datetime | None = None
    truncated: bool = False


def consulted(
    name: str,
    ask: Callable[..., Awaitable[Reply]],
    question: Callable[[Asked], Asking],
    answer: Callable[[Reply], Answer[T]],
    request: Asked,
    call: Call,
) -> Source[T]:
    """A source behind Envoy: the question translated, asked on the asker's behalf, the answer translated."""

    async def asked(within: float) -> Answer[T]:
        return answer(await consult(ask, question(request), call, within=within))

    return Source(name, asked)


async def federate(
    sources: Sequence[Source[T]], call: Call, *, reserve: float, stale_after: timedelta, patience: float = math.inf
) -> AsyncGenerator[tuple[Ended, Sequence[T]], None]:
    """Each source's end with its matches, in the order in which they end; all within the caller's deadline less `reserve` seconds, and
    within `patience` seconds however much time the caller has."""
    budget = max(0.0, min(patience, call.remaining - reserve))
    waiting = {asyncio.create_task(_ask(source, budget, stale_after)) for source in sources}
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in waiting:
            task.cancel()


async def _ask(source: Source[T], budget: float, stale_after: timedelta) -> tuple[Ended, Sequence[T]]:
    started = time.monotonic()

    def ended(status: Status, explanation: str = "", answer: Answer[T] | None = None) -> tuple[Ended, Sequence[T]]:
        matches = answer.matches if answer else ()
        elapsed = time.monotonic() - started
        as_of, truncated = (answer.as_of, answer.truncated) if answer else (None, False)
        return Ended(source.name, status, len(matches), explanation, elapsed, as_of, truncated), matches

    if source.ask is None:
        return ended(Status.NOT_SEARCHABLE, "the source can't be searched in this way; it may know something")
    try:
        async with asyncio.timeout(budget):
            answer = await source.ask(budget)
        stale = answer.as_of is not None and datetime.now(UTC) - answer.as_of > stale_after
    except TimeoutError:
        return ended(Status.TIMED_OUT, "no answer in time; the source may know something")
    except grpc.aio.AioRpcError as error:
        return ended(*_refusal(error))
    except Fault as fault:
        timed_out = fault.reason is Reason.TIMED_OUT
        return ended(Status.TIMED_OUT if timed_out else Status.UNAVAILABLE, f"{fault.reason.name}; the source may know something")
    except Exception as error:  # noqa: BLE001 - one source that can't be read must not take the others' answers with it
        return ended(Status.UNAVAILABLE, f"{Reason.INTERNAL.name} ({type(error).__name__}); the source may know something")
    if stale:
        return ended(Status.STALE, f"the source's answer is older than {stale_after}", answer)
    return ended(Status.ANSWERED if answer.matches else Status.NO_TRACE, "", answer)


def _refusal(error: grpc.aio.AioRpcError) -> tuple[Status, str]:
    said = reason(error)
    if error.code() is grpc.StatusCode.NOT_FOUND and said == Reason.NO_TRACE.name:
        return Status.NO_TRACE, ""
    status = STATUS_OF.get(error.code(), Status.UNAVAILABLE)
    return status, f"{error.code().name}{f' ({said})' if said else ''}; the source may know something"
