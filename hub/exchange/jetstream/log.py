"""The ordered log on NATS JetStream: the only module that speaks NATS.

A stream holds the entries, one subject for each hub; a bucket of the object store holds snapshots. Reading is a pull consumer that is made
again whenever it may have missed something. What NATS says in errors becomes `Told`, `BrokenError` or another try.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, Error, OutboundBufferLimitError
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError
from nats.js.object_store import ObjectStore

from hub.exchange.jetstream.replica import Entry, Standing
from hub.exchange.jetstream.sequencer import RETRY, Told
from hub.exchange.jetstream.settings import Settings
from hub.exchange.records import BrokenError, FullError
from metip.exchange.v1 import log_pb2 as log

_log = logging.getLogger(__name__)
_ANSWER: Final = 2.0
"""Seconds within which a server answers."""
_PULL: Final = {"batch": 512, "max_bytes": 16 << 20, "expires": 30_000_000_000, "idle_heartbeat": 1_000_000_000}
_SILENCE: Final = 2.5
"""Seconds without a heartbeat after which the consumer is made again."""
_HEARTBEAT: Final = "100"
_ASK_AGAIN: Final = frozenset({"408", "409"})
"""What a pull ends with when its time or its measure is full."""
_TRIES: Final = 40
"""Looks at a log that is not as it should be, before it is believed."""
_ENVELOPE: Final = 4096
"""Bytes of an entry that are not its commands, at the most."""
_FULL: Final = frozenset({10023, 10047})
_FULL_TEXTS: Final = frozenset({"maximum bytes exceeded", "maximum messages exceeded"})
_MADE_BY_ANOTHER: Final = 10058
DURABLE_REPLICAS: Final = 3


class BehindError(BrokenError):
    """The log no longer has what this hub needs next; a new start takes a snapshot."""


class _AgainError(Exception):
    """Something is not as it should be, which may pass: a consumer that missed something, a new leader that has not read all it has."""


class Log:
    """One connection, one stream, one bucket."""

    def __init__(self, settings: Settings, client: Client, context: JetStreamContext, snapshots: ObjectStore) -> None:
        self._settings, self._client, self._context, self._snapshots = settings, client, context, snapshots
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Connects and makes what is not there. Raises `FullError` when it can't be reached, `BrokenError` when it can't be relied on."""
        found: list[Self] = []

        async def reconnected() -> None:
            for one in found:
                one._arrived.put_nowait(None)

        client = Client()
        try:
            async with asyncio.timeout(settings.patience):
                await client.connect(
                    list(settings.servers),
                    name=settings.hub,
                    user_credentials=str(settings.credentials) if settings.credentials else None,
                    tls=settings.tls,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.2,  # type: ignore[arg-type]  # it is only ever slept for
                    connect_timeout=2,
                    ping_interval=5,
                    reconnected_cb=reconnected,
                    error_cb=_said,
                )
        except (Error, OSError, TimeoutError) as error:
            await client.close()
            raise FullError(f"no log at {', '.join(settings.servers)}: {type(error).__name__}") from error
        context = client.jetstream(timeout=_ANSWER)
        why = "it does not answer"
        try:
            async with asyncio.timeout(settings.patience):
                while True:
                    try:
                        snapshots = await _made(context, settings)
                        break
                    except Error as error:  # a cluster that has just started has no leader yet
                        why = (error.description if isinstance(error, APIError) else "") or type(error).__name__
                        await asyncio.sleep(RETRY)
        except TimeoutError as error:
            await client.close()
            raise FullError(f"the log {settings.stream} can't be opened: {why}") from error
        except (BrokenError, FullError):
            await client.close()
            raise
        found.append(cls(settings, client, context, snapshots))
        return found[0]

    @property
    def connected(self) -> bool:
        """Whether a server is there."""
        return self._client.is_connected

    @property
    def largest(self) -> int:
        """Bytes of the largest command."""
        return self._client.max_payload - _ENVELOPE

    async def close(self) -> None:
        """Lets go."""
        await self._client.close()

    # Writing.

    async def append(self, entry_id: str, data: bytes) -> Told:
        """One try to write an entry; a repeated one is kept once."""
        subject = f"{self._settings.stream}.{self._settings.hub}"
        try:
            await self._context.publish(subject, data, timeout=_ANSWER, stream=self._settings.stream, headers={"Nats-Msg-Id": entry_id})
        except (NoStreamResponseError, OutboundBufferLimitError, ConnectionClosedError):
            return Told.NOT_STORED
        except APIError as error:
            full = error.err_code in _FULL or error.description in _FULL_TEXTS
            _log.warning("log_refused_entry code=%s", error.err_code)
            return Told.NOT_STORED if full else Told.UNKNOWN
        except (Error, OSError, TimeoutError):
            return Told.UNKNOWN
        return Told.STORED

    # Reading.

    async def read(self, standing: Standing) -> AsyncIterator[list[Entry]]:
        """All entries after those, in order, for ever. Raises `BrokenError` when the log is not the one that was read before."""
        applied, entry_id, missing = standing.applied, standing.entry_id, 0
        while True:
            try:
                await self._check(applied, entry_id)
                async with aclosing(self._pulled(await self._consumer(applied + 1))) as pulled:
                    async for entries in pulled:
                        fresh = [one for one in entries if one.sequence > applied]
                        if [one.sequence for one in fresh] != list(range(applied + 1, applied + 1 + len(fresh))):
                            raise _AgainError(f"entry {applied + 1} is missing from the log")
                        if fresh:
                            yield fresh
                            applied, entry_id, missing = fresh[-1].sequence, fresh[-1].entry_id, 0
            except _AgainError as error:
                missing += 1
                if missing > _TRIES:
                    raise BrokenError(str(error)) from None
                await asyncio.sleep(RETRY)
            except (Error, OSError, TimeoutError):
                await asyncio.sleep(RETRY)

    async def _check(self, applied: int, entry_id: str) -> None:
        """Whether the log still is the one of which this hub has carried out so much."""
        state = (await self._context.stream_info(self._settings.stream)).state
        if state.last_seq < applied:
            raise _AgainError(f"the log ends at entry {state.last_seq}, and this hub has carried out {applied}: the log lost entries")
        if state.first_seq > applied + 1:
            raise BehindError(f"the log begins at entry {state.first_seq}, and this hub has carried out only {applied}")
        if applied >= max(state.first_seq, 1):
            try:
                found = await self._context.get_msg(self._settings.stream, seq=applied)
            except NotFoundError:
                raise _AgainError(f"entry {applied} is missing from the log") from None
            if (found.headers or {}).get(api.Header.MSG_ID) != entry_id:
                raise BrokenError(f"entry {applied} of the log is not the one that this hub has carried out")

    async def _consumer(self, start: int) -> str:
        config = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=api.AckPolicy.NONE,
            inactive_threshold=60.0,
            mem_storage=True,
            num_replicas=1,
        )
        return (await self._context.add_consumer(self._settings.stream, config)).name

    async def _pulled(self, consumer: str) -> AsyncGenerator[list[Entry], None]:
        """What the consumer gives, as much at a time as is there; ends when it has to be made again."""
        arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._arrived = arrived  # of this consumer only: an older one may still be sending

        async def arrive(message: Msg) -> None:
            arrived.put_nowait(message)

        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=arrive)
        try:
            asked = f"$JS.API.CONSUMER.MSG.NEXT.{self._settings.stream}.{consumer}"
            while True:
                await self._client.publish(asked, json.dumps(_PULL).encode(), reply=inbox)
                got, said = 0, set[str]()
                while got < _PULL["batch"] and not said:
                    messages = await _next(arrived)
                    entries = [_entry(one) for one in messages if one is not None and not _status(one)]
                    got += len(entries)
                    if entries:
                        yield entries
                    if None in messages:
                        return
                    said = {_status(one) for one in messages if one is not None} - {"", _HEARTBEAT}
                if said - _ASK_AGAIN:
                    await asyncio.sleep(RETRY)
                    return
        finally:
            with suppress(Error):
                await subscription.unsubscribe()

    # Snapshots.

    async def span(self) -> tuple[int, int]:
        """Places of the log's first entry and of its last. Raises `FullError` when it does not say."""
        try:
            state = (await self._context.stream_info(self._settings.stream)).state
            return state.first_seq, state.last_seq
        except (Error, TimeoutError) as error:
            raise FullError(f"the log does not answer: {type(error).__name__}") from error

    async def snapshot(self) -> int:
        """Place of the last entry of the newest snapshot; 0 when there is none. Raises `FullError` when it can't be known."""
        try:
            return max(await self._kept(), default=0)
        except (Error, TimeoutError) as error:
            raise FullError(f"the log does not answer: {type(error).__name__}") from error

    async def fetch(self, applied: int, path: Path) -> None:
        """The snapshot of that place, as a file. Raises `FullError` when it can't be had."""
        try:
            with path.open("wb") as file:
                async with asyncio.timeout(600):
                    await self._snapshots.get(str(applied), writeinto=file)
        except (Error, OSError, TimeoutError) as error:
            raise FullError(f"snapshot {applied} can't be read: {type(error).__name__}") from error

    async def keep(self, applied: int, path: Path, purge: int) -> None:
        """Keeps a snapshot, lets older ones go, and of the log what lies before `purge`. Raises `FullError` when it can't."""
        try:
            with path.open("rb") as file:
                kept = await self._snapshots.put(str(applied), file)
                size = file.tell()
            if kept.size != size:
                raise FullError(f"snapshot {applied} was not kept whole")
            if purge > 1:
                await self._context.purge_stream(self._settings.stream, seq=purge)
            for older in await self._kept():
                if older < applied:
                    await self._snapshots.delete(str(older))
        except (Error, OSError, TimeoutError) as error:
            raise FullError(f"snapshot {applied} can't be kept: {type(error).__name__}") from error

    async def _kept(self) -> list[int]:
        try:
            return [int(one.name) for one in await self._snapshots.list(ignore_deletes=True) if one.name and not one.deleted]
        except NotFoundError:
            return []


async def _said(error: Exception) -> None:
    _log.info("log_connection error=%s", type(error).__name__)


async def _made(context: JetStreamContext, settings: Settings) -> ObjectStore:
    name, bucket = settings.stream, f"{settings.stream}-snapshots"
    try:
        found = await context.stream_info(name)
    except NotFoundError:
        wanted = api.StreamConfig(
            name=name,
            subjects=[f"{name}.*"],
            storage=api.StorageType.FILE,
            retention=api.RetentionPolicy.LIMITS,
            discard=api.DiscardPolicy.NEW,
            num_replicas=settings.replicas,
        )
        try:
            await context.add_stream(wanted)
        except APIError as error:
            if error.err_code != _MADE_BY_ANOTHER:
                raise
        found = await context.stream_info(name)
    _check_stream(found.config, name)
    await _check_sync(found.config, settings)
    try:
        return await context.object_store(bucket)
    except NotFoundError:
        return await context.create_object_store(bucket, storage=api.StorageType.FILE, replicas=found.config.num_replicas)


def _check_stream(config: api.StreamConfig, name: str) -> None:
    """Raises `BrokenError` for a stream that may forget."""
    if config.storage != api.StorageType.FILE:
        raise BrokenError(f"stream {name} is kept in memory: make it with file storage")
    if config.retention not in (None, api.RetentionPolicy.LIMITS):
        raise BrokenError(f"stream {name} forgets what was read: its retention must be limits")
    if config.max_age or config.max_msgs_per_subject not in (-1, 0, None):
        raise BrokenError(f"stream {name} forgets by age or subject: take max_age and max_msgs_per_subject out")
    if config.discard != api.DiscardPolicy.NEW:
        raise BrokenError(f"stream {name} discards old entries when it is full: set discard to new")
    if getattr(config, "no_ack", False):
        raise BrokenError(f"stream {name} acknowledges nothing: set no_ack to false")
    if config.persist_mode not in (None, api.PersistMode.DEFAULT):
        raise BrokenError(f"stream {name} acknowledges before it writes: set persist_mode to default")


async def _check_sync(config: api.StreamConfig, settings: Settings) -> None:
    """Raises `BrokenError` for a server that acknowledges before it syncs, unless there are replicas enough."""
    if (config.num_replicas or 1) >= DURABLE_REPLICAS:
        return
    cure = "set jetstream { sync_interval: always }, or give the stream three replicas"
    if not settings.monitor:
        raise BrokenError(
            f"stream {settings.stream} has no replicas, and whether its server syncs is not known: give its monitoring address"
        )
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER)) as session,
            session.get(f"{settings.monitor}/varz") as reply,
        ):
            said: Any = await reply.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise FullError(f"the log's monitoring address does not answer: {type(error).__name__}") from error
    if said.get("jetstream", {}).get("config", {}).get("sync_always") is not True:
        raise BrokenError(f"the server of stream {settings.stream} acknowledges before it syncs: {cure}")


async def _next(arrived: "asyncio.Queue[Msg | None]") -> list[Msg | None]:
    """All that is there, once something is; None at the end where nothing comes, or after a new connection."""
    try:
        async with asyncio.timeout(_SILENCE):
            messages = [await arrived.get()]
    except TimeoutError:
        return [None]
    while not arrived.empty():
        messages.append(arrived.get_nowait())
    return messages


def _status(message: Msg) -> str:
    return (message.headers or {}).get("Status", "") if not message.data else ""


def _entry(message: Msg) -> Entry:
    place = message.metadata.sequence
    assert place is not None
    return Entry(place.stream, (message.headers or {}).get(api.Header.MSG_ID, ""), log.LogEntry.FromString(message.data))
