"""The port behind which the sources are, and the ledger and the exchange behind it."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final, Protocol

from hub.exchange.port import Engine
from hub.exchange.records import BrokenError, Filter, Step, UnknownError
from hub.journey.evidence import Kept, Noted, Passed, Reach, Recorded, Source, Standing, Stepped
from hub.journey.reading import NOT_KEPT_HERE, AdapterLogs, EnvoyLog
from hub.ledger.faults import UnreadyLedgerError
from hub.ledger.index import link_of
from hub.ledger.readers import View
from hub.ledger.reporting import UnknownRecordError
from hub.ledger.running import Ledger
from hub.ledger.searching import Wanted
from metip.ledger.v1 import query_pb2, record_pb2
from metip.tracing import trace_id

MOST: Final = 500
"""Records, and messages, of one journey."""
EXCHANGE, PERSON = "exchange", "person"
OF_A_JOURNAL: Final = frozenset({record_pb2.KIND_OPENED, record_pb2.KIND_HEARTBEAT})
"""Records of a journal's own life, which are no part of any story."""
Window = tuple[float, float]
"""From one instant to another; (0, 0) where no time is known."""


class Sources(Protocol):
    """Where evidence comes from. A source that can't be asked now tells nothing, and `reach` says so."""

    async def records(self, calls: Collection[str], links: Collection[str]) -> list[Recorded]:
        """Records of calls, and of messages and traces (`links`)."""

    async def record(self, index: int) -> Recorded | None:
        """One record, by its place."""

    async def messages(self, ids: Collection[str]) -> list[Kept]:
        """Messages that the exchange keeps."""

    async def handed_over(self, calls: Collection[str], traces: Collection[str], window: Window) -> list[str]:
        """Ids of messages that calls, or calls of traces, handed over, and of their replays."""

    async def passed(self, words: Sequence[str], window: Window) -> list[Passed]:
        """What Envoy wrote."""

    async def noted(self, calls: Sequence[str], window: Window) -> list[Noted]:
        """What adapters wrote."""

    async def reach(self) -> dict[Source, Reach]:
        """How far each source reaches."""


class LedgerSource:
    """Records of the ledger; None where the hub keeps none."""

    def __init__(self, ledger: Ledger | None, hub: str) -> None:
        self._ledger, self._hub = ledger, hub

    async def records(self, calls: Collection[str], links: Collection[str]) -> list[Recorded]:
        """See the port. Raises `UnreadyLedgerError`."""
        values = tuple(value for one in links if (value := link_of(one)))
        wanted = [Wanted(call_id=one) for one in calls] + ([Wanted(linked=values)] if values else [])
        if self._ledger is None or not wanted:
            return []

        def work(view: View) -> list[query_pb2.Line]:
            places = {place for one in wanted for _, place in view.find(one, MOST)}
            return view.records.lines(sorted(places)[:MOST])

        return [self._read(one) for one in await self._ledger.readers.ask(work)]

    async def record(self, index: int) -> Recorded | None:
        """See the port. Raises `UnreadyLedgerError`."""
        if self._ledger is None:
            return None
        try:
            line = await self._ledger.readers.ask(lambda view: view.records.show(index).line)
        except (UnknownRecordError, OverflowError):
            return None
        return None if line.record.kind in OF_A_JOURNAL else self._read(line)

    async def about(self, subjects: Sequence[bytes], since: float | None, before: float | None, limit: int) -> list[Recorded]:
        """Records on a data subject, newest first. Raises `UnreadyLedgerError`."""
        if self._ledger is None or not subjects:
            return []
        bounds = [None if one is None else int(one * 1000) for one in (since, before)]
        wanted = Wanted(subjects=tuple(subjects), since=bounds[0], before=bounds[1])
        found = await self._ledger.readers.ask(lambda view: view.records.lines([place for _, place in view.find(wanted, limit)]))
        return [self._read(one) for one in found]

    async def reach(self) -> Reach:
        """See the port."""
        if self._ledger is None:
            return Reach(NOT_KEPT_HERE)
        try:
            await self._ledger.readers.ask(lambda view: view.tree.head())
        except UnreadyLedgerError:
            return Reach("can't be read now")
        return Reach()

    def _read(self, line: query_pb2.Line) -> Recorded:
        record = line.record
        handed = bool(record.recipient)
        return Recorded(
            index=line.index,
            at=record.at.ToNanoseconds() / 1e9,
            operation=record.operation,
            consumer=record.consumer if record.kind != record_pb2.KIND_ACTION else "",
            outcome=record.outcome,
            call_id=record.call_id,
            trace=record.trace_id or trace_id("", record.call_id),
            parent=record.parent_call_id,
            took=record.took.ToNanoseconds() / 1e9 if record.HasField("took") else None,
            platform=record.platform,
            message_id=record.message_id,
            recipient=record.recipient,
            refused=record.kind == record_pb2.KIND_REFUSAL,
            action=record.kind == record_pb2.KIND_ACTION,
            comparing=not handed and bool(self._hub) and record.consumer == self._hub and not record.message_id,
        )


class ExchangeSource:
    """What the exchange keeps; None where the hub has none."""

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine

    async def messages(self, ids: Collection[str]) -> list[Kept]:
        """See the port. Raises `BrokenError`."""
        found = [await self._message(one) for one in ids]
        return [one for one in found if one is not None]

    async def handed_over(self, calls: Collection[str], traces: Collection[str], window: Window) -> list[str]:
        """See the port. Raises `BrokenError`."""
        if self._engine is None:
            return []
        found = await self._engine.handed_over(calls, traces, since=window[0], before=window[1], limit=MOST)
        return found + [again for one in found for again in await self._engine.replays(one)]

    async def with_key(self, key: str, since: float, before: float, limit: int) -> list[Kept]:
        """Messages with an idempotency or ordering key, the latest first. Raises `BrokenError`."""
        if self._engine is None or not key:
            return []
        return await self.messages(await self._engine.with_key(key, since=since, before=before, limit=limit))

    async def reach(self) -> Reach:
        """See the port."""
        if self._engine is None:
            return Reach(NOT_KEPT_HERE)
        try:
            await self._engine.moves()
        except BrokenError:
            return Reach("can't be read now")
        return Reach()

    async def _message(self, message_id: str) -> Kept | None:
        if self._engine is None:
            return None
        try:
            one, steps = await self._engine.message(message_id), await self._engine.steps(message_id)
        except UnknownError:
            return None
        found = await self._engine.deliveries(Filter(message_ids=(message_id,)), limit=1000)
        return Kept(
            message_id=one.message_id,
            operation=one.operation,
            producer=one.producer,
            call_id=one.call_id or one.message_id,
            trace=trace_id(one.traceparent, one.call_id or one.message_id),
            accepted=one.accepted,
            replay_of=one.replay_of,
            deliveries=tuple(
                Standing(each.subscription, each.state.value, each.attempts, each.next_at, each.status, each.reason, each.held_back)
                for each in found
            ),
            steps=tuple(map(_step, steps)),
        )


def _step(one: Step) -> Stepped:
    """A step without a person's name and words."""
    by = one.by if one.by in (EXCHANGE, one.subscription.partition(":")[0]) else PERSON
    reason = one.reason if by != PERSON else ""
    return Stepped(one.subscription, one.at, one.began, one.state.value, one.attempt, one.status, reason, by)


class HubSources:
    """The sources of one hub."""

    def __init__(self, ledger: LedgerSource, exchange: ExchangeSource, envoy: EnvoyLog, adapters: AdapterLogs) -> None:
        self.ledger, self.exchange = ledger, exchange
        self._envoy, self._adapters = envoy, adapters

    async def records(self, calls: Collection[str], links: Collection[str]) -> list[Recorded]:
        """See the port."""
        try:
            return await self.ledger.records(calls, links)
        except UnreadyLedgerError:
            return []

    async def record(self, index: int) -> Recorded | None:
        """See the port."""
        try:
            return await self.ledger.record(index)
        except UnreadyLedgerError:
            return None

    async def messages(self, ids: Collection[str]) -> list[Kept]:
        """See the port."""
        try:
            return await self.exchange.messages(ids)
        except BrokenError:
            return []

    async def handed_over(self, calls: Collection[str], traces: Collection[str], window: Window) -> list[str]:
        """See the port."""
        try:
            return await self.exchange.handed_over(calls, traces, window)
        except BrokenError:
            return []

    async def passed(self, words: Sequence[str], window: Window) -> list[Passed]:
        """See the port."""
        return await asyncio.to_thread(self._envoy.passed, words, *window)

    async def noted(self, calls: Sequence[str], window: Window) -> list[Noted]:
        """See the port."""
        return await asyncio.to_thread(self._adapters.noted, calls, *window)

    async def reach(self) -> dict[Source, Reach]:
        """See the port."""
        envoy, adapters = await asyncio.to_thread(self._envoy.reach), await asyncio.to_thread(self._adapters.reach)
        exchange = await self.exchange.reach()
        return {Source.LEDGER: await self.ledger.reach(), Source.EXCHANGE: exchange, Source.ENVOY: envoy, Source.ADAPTER_LOG: adapters}
