"""Events from the switch to the exchange: each line of a log is published, and then acknowledged.

The law: the switch hears of no event before the exchange has it on disk. What was not acknowledged comes again with the next session, and the
exchange knows it by incident and line; so nothing is remembered here that would have to survive. Of what has arrived together, lines of one
incident are put in order; for one that is missing among them the rest is held back for a moment. An event that the exchange refuses for what
it says is given back (NAK), and the host's operators see to it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from adapters.cad import translate
from adapters.cad.records import Block, Control, Kind
from adapters.cad.upstream import receive
from adapters.cad.wire import Unreadable, WireError, encode
from adapters.kit import Log
from adapters.kit.streams import Stream
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest

TOGETHER: Final = 100
"""Events that are looked at together."""
REMEMBERED: Final = 20_000
"""Incidents whose last line is known; two days have about so many."""
PAUSES: Final = (0.2, 1.0, 5.0, 15.0)
REFUSED: Final = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED})
Event = tuple[int, PublishIncidentEventRequest]
"""Its sequence number and its message."""


@dataclass
class Relay:
    """Relays the events of one switch."""

    open: Callable[[], Awaitable[Stream]]
    publish: Callable[[PublishIncidentEventRequest], Awaitable[Any]]
    """Hands a message over until there is a receipt; raises `grpc.aio.AioRpcError` when it is refused."""
    log: Log
    silence: float
    gap_wait: float
    _last: dict[str, int] = field(default_factory=dict)
    _lost: int = 0

    async def run(self) -> None:
        """For ever; a session that is lost is opened again."""
        while True:
            try:
                stream = await self.open()
                try:
                    arrived: asyncio.Queue[Event] = asyncio.Queue()
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._listen(stream, arrived))
                        group.create_task(self._pass_on(stream, arrived))
                finally:
                    await stream.close()
            except* (OSError, WireError, grpc.aio.AioRpcError) as errors:
                if not self._lost:
                    self.log.line("events_lost", error=" ".join(sorted(_kinds(errors))))
            await asyncio.sleep(PAUSES[min(self._lost, len(PAUSES) - 1)])
            self._lost += 1

    async def _listen(self, stream: Stream, arrived: "asyncio.Queue[Event]") -> None:
        """Takes in what comes, and answers heartbeats however long the exchange takes."""
        expected = 0
        while True:
            try:
                async with asyncio.timeout(self.silence):
                    block = await receive(stream.reader)
                number = block.number
                if block.kind is Kind.HEARTBEAT:
                    await stream.write(encode(Block(Kind.HEARTBEAT, number)))
                    self._back()
                    continue
                arrived.put_nowait((number, translate.event(block)))
            except Unreadable as error:
                number = error.number
                await self._give_back(stream, number, "UNREADABLE")
            if expected and number != expected:
                raise WireError("an event is missing")
            expected = number + 1

    async def _pass_on(self, stream: Stream, arrived: "asyncio.Queue[Event]") -> None:
        while True:
            batch = await self._gather(arrived)
            logs: dict[str, list[Event]] = {}
            for event in batch:
                logs.setdefault(event[1].cad_number.value, []).append(event)
            async with asyncio.TaskGroup() as group:
                for log in logs.values():
                    group.create_task(self._publish(stream, sorted(log, key=lambda event: event[1].line_number)))
            await stream.write(encode(Block(Kind.ACCEPTED, batch[-1][0])))
            self._back()

    async def _publish(self, stream: Stream, log: list[Event]) -> None:
        """Publishes what has come of one log."""
        for number, request in log:
            try:
                await self.publish(request)
            except grpc.aio.AioRpcError as error:
                if error.code() not in REFUSED:  # that lies with the adapter, and would with every event
                    raise
                await self._give_back(stream, number, error.code().name)
            self._last[request.cad_number.value] = max(request.line_number, self._last.pop(request.cad_number.value, 0))
        while len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]

    def _back(self) -> None:
        if self._lost:
            self.log.line("events_back")
        self._lost = 0

    async def _give_back(self, stream: Stream, number: int, code: str) -> None:
        self.log.line("event_refused", sequence=number, code=code)
        await stream.write(encode(Block(Kind.REFUSED, number, Control(code=code))))

    async def _gather(self, arrived: "asyncio.Queue[Event]") -> list[Event]:
        """What has arrived; while a line is missing in it, what arrives for a moment more."""
        batch = [await arrived.get()]
        try:
            async with asyncio.timeout(self.gap_wait):
                while len(batch) < TOGETHER and (not arrived.empty() or self._gap(batch)):
                    batch.append(await arrived.get())
        except TimeoutError:
            pass
        return batch

    def _gap(self, batch: list[Event]) -> bool:
        """Whether a line of an incident is missing between those that are known. Of an incident's first known line nobody can tell."""
        lines: dict[str, set[int]] = {}
        for _, request in batch:
            lines.setdefault(request.cad_number.value, set()).add(request.line_number)
        known = {cad: found | ({self._last[cad]} if cad in self._last else set()) for cad, found in lines.items()}
        return any(max(found) - min(found) >= len(found) for found in known.values())


def _kinds(error: BaseException) -> set[str]:
    """Names of the errors in a group."""
    return {kind for one in error.exceptions for kind in _kinds(one)} if isinstance(error, BaseExceptionGroup) else {type(error).__name__}
