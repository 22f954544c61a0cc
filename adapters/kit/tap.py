"""Offers answered calls to the hub, which asks the other platform the same and compares.

The law: a call is never delayed, altered or failed by it. While nothing is sampled a call pays for one test of an attribute. A sampled one
is put in a queue when its answer is ready to leave, and is sent a moment later; what has no room, or no hub that takes it, is dropped and
counted. Only the hub's own socket on this machine is written to.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import grpc

from metip.call import Call
from metip.contracts import Operation
from metip.hub.v1.registry_service_pb2 import SampledOperation
from metip.logs import Log
from metip.parity.v1.sample_pb2 import Sample
from metip.parity.v1.tap_service_pb2 import Drop, OfferRequest
from metip.parity.v1.tap_service_pb2_grpc import TapServiceStub
from metip.sampling import Dropped, place

if TYPE_CHECKING:  # generated for the type checker only
    from metip.parity.v1.tap_service_pb2_grpc import TapServiceAsyncStub

MOST: Final = 512
"""Samples that wait."""
MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of them."""
LARGEST: Final = 1024 * 1024
"""Bytes of one."""
TOGETHER: Final = 64
TOGETHER_BYTES: Final = 4 * 1024 * 1024
SOON: Final = 0.1
"""Seconds that samples wait for others, by which time their answers have left."""
PATIENCE: Final = 2.0
AGAIN: Final = 1.0
"""Seconds that a hub which took nothing is left alone."""
HUB_PATH: Final = "/hub"
UNIX: Final = "unix:"


class Tap:
    """One worker's tap. It is shut until `follow` opens it."""

    def __init__(self, system: str, hub: str = "", log: Log | None = None) -> None:
        """`hub` is the address of the hub's socket; anything but a unix socket is written nothing."""
        self.rates: dict[str, int] = {}
        """Shares by operation, in millionths; empty while nothing is sampled."""
        self.drops: Counter[tuple[str, Dropped]] = Counter()
        """What was dropped and not told yet, by operation and cause."""
        self._system, self._hub, self._log = system, hub if hub.startswith(UNIX) else "", log
        self._waiting: deque[tuple[Sample, int]] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self._channel: grpc.aio.Channel | None = None

    def follow(self, samples: Iterable[SampledOperation]) -> None:
        """Samples these operations from now on, and no others."""
        self.rates = {one.operation: one.per_million for one in samples if one.per_million} if self._hub else {}

    def wants(self, operation: Operation, call: Call) -> bool:
        """Whether an answered call is to be offered. What the hub asks itself never is: a comparison is not compared."""
        return place(call.id) < self.rates.get(operation.name, 0) and not _of_hub(call)

    def offer(
        self, operation: Operation, call: Call, request: bytes, replies: tuple[bytes, ...], seconds: float, code: int = 0, reason: str = ""
    ) -> None:
        """Puts a call in the queue, or drops it."""
        size = len(request) + sum(map(len, replies))
        self._some.set()
        if size > LARGEST:
            self.drops[operation.name, Dropped.TOO_LARGE] += 1
            return
        if len(self._waiting) >= MOST or self._bytes + size > MOST_BYTES:
            self.drops[operation.name, Dropped.QUEUE_FULL] += 1
            return
        sample = Sample(operation=operation.name, call_id=call.id, request=request, replies=replies, code=code, reason=reason)
        now = time.time()
        sample.at.seconds, sample.at.nanos = int(now), int(now % 1 * 1e9)
        sample.taken.seconds, sample.taken.nanos = int(seconds), int(seconds % 1 * 1e9)
        self._waiting.append((sample, size))
        self._bytes += size

    async def run(self) -> None:
        """Sends what waits, for ever. A hub that is away is told of once, and hears of what was dropped when it is back."""
        lost = False
        try:
            while True:
                await self._some.wait()
                await asyncio.sleep(SOON)
                status = await self._send()
                if self._log is not None and bool(status) != lost:
                    self._log.line("samples_dropped" if status else "samples_taken_again", status=status or "OK")
                lost = bool(status)
                if lost:
                    await asyncio.sleep(AGAIN)
        finally:
            if self._channel is not None:
                await self._channel.close()

    async def _send(self) -> str:
        """Sends one lot, and says how what was not taken ended; nothing where it was."""
        lot, size = list[Sample](), 0
        while self._waiting and len(lot) < TOGETHER and size < TOGETHER_BYTES:
            sample, one = self._waiting.popleft()
            sample.system = self._system
            lot.append(sample)
            size += one
        self._bytes -= size
        if not self._waiting:
            self._some.clear()
        told, self.drops = self.drops, Counter()
        drops = [Drop(operation=operation, cause=cause.value, count=count) for (operation, cause), count in told.items()]
        try:
            stub: TapServiceAsyncStub = TapServiceStub(self._open())
            await stub.Offer(OfferRequest(samples=lot, drops=drops), timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            self.drops += told
            self.drops.update((sample.operation, Dropped.HUB_AWAY) for sample in lot)
            self._some.set()
            return error.code().name
        return ""

    def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            options = [("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.enable_retries", 0)]
            self._channel = grpc.aio.insecure_channel(self._hub, options=options)
        return self._channel


async def ended(running: "asyncio.Task[None]") -> None:
    """Ends a tap's task."""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _of_hub(call: Call) -> bool:
    return call.officer is None and call.consumer.endswith(HUB_PATH) and call.consumer.count("/") == 3
