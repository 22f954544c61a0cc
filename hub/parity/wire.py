"""One call of the comparison: the operation's own path, on the hub's way to Envoy, to the system that is named."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc

from hub.contracts import Contracts, Operation
from hub.exchange.sending import flags_of, reason_of
from hub.exchange.verdicts import NEVER_SENT
from hub.parity.pairs import Answer
from metip.call import CALL_ID_HEADER, SUBSCRIBER_HEADER
from metip.sampling import Dropped

OLD: Final = "METIP"
NEW: Final = "METIP2"
MARGIN: Final = 1.0
"""Seconds that Envoy has to say that the time is up before we stop listening."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a stream's replies that are kept."""
BUSY: Final = frozenset({"BUSY", "STOPPING"})
UNADMITTED: Final = frozenset(
    {
        "PURPOSE_NOT_PERMITTED",
        "OFFICER_NEEDED",
        "JUSTIFICATION_NEEDED",
        "CONSUMER_UNKNOWN",
        "INVALID_REQUEST",
        "MALFORMED",
        "JOURNAL",
    }
)
"""Reasons for which an adapter turns a call away before its system is asked: what the platform would have said is not known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: an answer, or why there is none."""

    answer: Answer | None = None
    dropped: Dropped | None = None


def platform_of(contracts: Contracts, operation: Operation, system: str) -> str:
    """The platform that a system stands for: an interface's owner is the new one, whoever serves beside it the old one."""
    return NEW if contracts.interface(operation.interface).system == system else OLD


class Wire:
    """The way to the systems behind operations."""

    def __init__(self, contracts: Contracts, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._contracts, self._channel = contracts, channel

    async def ask(self, operation: Operation, system: str, request: bytes, call_id: str) -> Asked:
        """Asks once. An error of the system's is its answer; only what never reached it, or what its adapter did not admit, is none."""
        replies: list[bytes] = []
        began = time.perf_counter()
        code, reason = 0, ""
        metadata = [(SUBSCRIBER_HEADER, system), (CALL_ID_HEADER, call_id)]
        try:
            await self._call(operation, request, metadata, replies)
        except grpc.aio.AioRpcError as error:
            reason, flags = reason_of(error), flags_of(error)
            if not reason and NEVER_SENT & set(flags.split(",")):
                return Asked(dropped=Dropped.NO_SHADOW)
            if reason in BUSY:
                return Asked(dropped=Dropped.SHADOW_BUSY)
            if reason in UNADMITTED or error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return Asked(dropped=Dropped.REFUSED)
            code = error.code().value[0]
        if sum(map(len, replies)) > LARGEST:
            return Asked(dropped=Dropped.TOO_LARGE)
        return Asked(answer_of(self._contracts, operation, system, tuple(replies), time.perf_counter() - began, code, reason))

    async def _call(self, operation: Operation, request: bytes, metadata: list[tuple[str, str]], replies: list[bytes]) -> None:
        """Replies to the list, as far as they come. Raises `grpc.aio.AioRpcError`."""
        within, channel = operation.timeout + MARGIN, self._channel()
        if not operation.server_streams:
            ask: Any = channel.unary_unary(operation.path)
            replies.append(await ask(request, metadata=metadata, timeout=within))
            return
        follow: Any = channel.unary_stream(operation.path)
        size = 0
        call = follow(request, metadata=metadata, timeout=within)
        async for reply in call:
            replies.append(reply)
            size += len(reply)
            if size > LARGEST:
                call.cancel()
                return


def answer_of(
    contracts: Contracts, operation: Operation, system: str, replies: tuple[bytes, ...], seconds: float, code: int, reason: str
) -> Answer:
    """An answer as the comparator takes it."""
    single = b"" if operation.server_streams or not replies else replies[0]
    several = replies if operation.server_streams else ()
    return Answer(system, platform_of(contracts, operation, system), code, reason, single, several, seconds)
