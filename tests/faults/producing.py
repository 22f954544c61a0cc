"""Producers of a fault run: each sends at its own pace, and a probe again under the same key until it is acknowledged.

What was sent and what was acknowledged is kept here, in the client's process, which nobody kills.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from exchange_rig import ONCE, PROBE, ExchangeRig, kind, probe

from metip.exchange.v1.exchange_service_pb2 import PublishBatchRequest, PublishBatchResponse
from tests.faults.checking import POISON, Sent

BATCH = "/metip.exchange.v1.ExchangeService/PublishBatch"
PATIENCE = 3.0
FIRST_DELAY, LONGEST_DELAY = 0.05, 0.5
METHOD = {PROBE: PROBE.rpartition("/")[2], ONCE: ONCE.rpartition("/")[2]}


@dataclass(frozen=True)
class Producer:
    """One producer's habits."""

    name: str
    operation: str = PROBE
    ordered: bool = False
    at_once: int = 0
    """Messages of a bulk hand-over; 0 for one by one."""
    period: float = 0.1
    """Seconds between two hand-overs."""


PRODUCERS = (
    *(Producer(f"single{number}") for number in range(3)),
    *(Producer(f"line{number}", ordered=True) for number in range(4)),
    Producer("bulk", at_once=20, period=1.0),
    Producer("bulkline", at_once=20, ordered=True, period=2.0),
    *(Producer(f"once{number}", ONCE) for number in range(4)),
    Producer("onceline", ONCE, ordered=True, period=0.2),
    Producer(POISON, period=1.0),
)


@dataclass
class Books:
    """What was sent, and what was acknowledged."""

    sent: dict[str, Sent] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    """When each acknowledgement came, on the loop's clock."""
    contradictions: list[str] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    sent_of: Counter[str] = field(default_factory=Counter)
    acknowledged_of: Counter[str] = field(default_factory=Counter)

    def send(self, probe_id: str, sent: Sent) -> None:
        """About to be sent for the first time."""
        self.sent[probe_id] = sent
        self.sent_of[sent.operation] += 1

    def acknowledge(self, probe_id: str, message_id: str) -> None:
        """The exchange said that it has it."""
        before = self.acknowledged.get(probe_id)
        if before is not None:
            if before != message_id:
                self.contradictions.append(probe_id)
            return
        self.acknowledged[probe_id] = message_id
        self.acknowledged_of[self.sent[probe_id].operation] += 1
        self.times.append(asyncio.get_running_loop().time())


async def produce(rig: ExchangeRig, books: Books, stop: asyncio.Event, producers: Sequence[Producer] = PRODUCERS) -> None:
    """Runs producers until `stop`; returns when each has been acknowledged what it sent last."""
    channel = rig.channel()
    await asyncio.gather(*(_keep_sending(channel, books, stop, one) for one in producers))


async def _keep_sending(channel: grpc.aio.Channel, books: Books, stop: asyncio.Event, said: Producer) -> None:
    place, due = 0, asyncio.get_running_loop().time()
    while not stop.is_set():
        many = []
        for _ in range(said.at_once or 1):
            probe_id, line = f"{said.name}-{place}", said.name if said.ordered else ""
            books.send(probe_id, Sent(METHOD[said.operation], line, place))
            many.append((probe_id, probe(probe_id, line, place, operation=said.operation)))
            place += 1
        await _until_acknowledged(channel, books, said, many)
        due = max(due + said.period, asyncio.get_running_loop().time())
        await _pause(stop, due)


async def _pause(stop: asyncio.Event, due: float) -> None:
    try:
        async with asyncio.timeout_at(due):
            await stop.wait()
    except TimeoutError:
        return


async def _until_acknowledged(channel: grpc.aio.Channel, books: Books, said: Producer, many: Sequence[tuple[str, bytes]]) -> None:
    delay = FIRST_DELAY
    while True:
        try:
            if said.at_once:
                await _hand_over(channel, books, said.operation, many)
            else:
                await _send(channel, books, said.operation, *many[0])
        except grpc.aio.AioRpcError as error:
            books.codes[error.code().name] += 1
        if all(probe_id in books.acknowledged for probe_id, _ in many):
            return
        await asyncio.sleep(delay)
        delay = min(2 * delay, LONGEST_DELAY)


async def _send(channel: grpc.aio.Channel, books: Books, operation: str, probe_id: str, body: bytes) -> None:
    call: Any = channel.unary_unary(f"/{operation}")
    receipt: Any = kind("metip.exchange.v1.Receipt").FromString(await call(body, timeout=PATIENCE))
    books.acknowledge(probe_id, receipt.message_id)


async def _hand_over(channel: grpc.aio.Channel, books: Books, operation: str, many: Sequence[tuple[str, bytes]]) -> None:
    async def parts() -> AsyncIterator[bytes]:
        half = len(many) // 2
        for part in (many[:half], many[half:]):
            yield PublishBatchRequest(operation=operation, messages=[body for _, body in part]).SerializeToString()

    call: Any = channel.stream_unary(BATCH)
    response = PublishBatchResponse.FromString(await call(parts(), timeout=PATIENCE))
    for (probe_id, _), message_id in zip(many, response.message_ids, strict=True):
        if message_id:
            books.acknowledge(probe_id, message_id)
