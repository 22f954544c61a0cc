"""The exchange of one hub, put together: engine, acceptance, deliveries, and the housekeeping between them."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.contracts import Contracts
from hub.exchange.accepting import Accepting
from hub.exchange.calls import Calls
from hub.exchange.clock import SteadyClock
from hub.exchange.dispatcher import Dispatcher
from hub.exchange.judging import Judges
from hub.exchange.owning import Owners
from hub.exchange.port import Engine
from hub.exchange.recording import ExchangeRecorder
from hub.exchange.records import BrokenError, ExchangeError
from hub.exchange.sending import Sender
from hub.exchange.sqlite import SqliteEngine
from metip.hub.v1.settings_pb2 import Exchange as Settings
from metip.hub.v1.settings_pb2 import JetStream
from metip.journal.blinding import IndexKeys
from metip.journal.store import Journal
from metip.logs import Log
from metip.settings import SettingsError

HALTED: Final = 70
"""The exit code of a hub that could not make something durable, or met a contradiction: it does not guess."""
HOUSEKEEPING: Final = 60.0
DRAIN: Final = 10.0


@dataclass(frozen=True)
class Files:
    """Where things are that the settings name."""

    folder: Path
    """Where the settings file lies; relative paths start there."""
    state: Path
    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True)
class Kept:
    """Where records go: the hub's journal, and the keys of what they are found by."""

    journal: Journal
    keys: IndexKeys


@dataclass
class Exchange:
    """One running exchange."""

    contracts: Contracts
    engine: Engine
    accepting: Accepting
    dispatcher: Dispatcher
    clock: SteadyClock
    log: Log
    judges: Judges
    owners: Owners | None = None
    """None where nobody asks for them, as in tests of the exchange alone."""
    recorder: ExchangeRecorder | None = None
    """None where nothing is recorded, as in tests of the exchange alone."""

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop`; then begins nothing new and waits a while for what is under way."""
        async with asyncio.TaskGroup() as group:
            delivering = group.create_task(self.dispatcher.run())
            keeping = [group.create_task(self._keep_house())]
            if self.owners is not None:
                keeping.append(group.create_task(self.owners.run()))
            if self.recorder is not None:
                keeping.append(group.create_task(self.recorder.run()))
            await stop.wait()
            self.dispatcher.stop()
            await asyncio.wait((delivering,), timeout=DRAIN)
            for task in (delivering, *keeping):
                task.cancel()

    async def _keep_house(self) -> None:
        """Forgets, a little at a time, what is done and old."""
        retention = {one.name: one.delivery.retention for one in self.contracts.operations.values() if one.delivery is not None}
        while True:
            await asyncio.sleep(HOUSEKEEPING)
            try:
                while await self.engine.retain(retention):  # noqa: ASYNC110 - it waits for nothing: others have their turn
                    await asyncio.sleep(0.1)
            except BrokenError:
                raise
            except ExchangeError as error:
                self.log.line("housekeeping_failed", problem=str(error))


async def pause_in(engine: Engine, subscription: str, paused: bool, by: str, reason: str) -> None:
    """Stops or resumes a subscription; one that stands so already stays as it is. Raises what the engine raises."""
    standing = {one.subscription: one.paused for one in await engine.accounts()}
    if standing.get(subscription) is not paused:
        await engine.pause(subscription, paused=paused, by=by, reason=reason)


@asynccontextmanager
async def opened(said: Settings, files: Files, contracts: Contracts, log: Log, record: Kept | None = None) -> AsyncIterator[Exchange]:
    """The exchange for the length of the block; its deliveries begin with `run`. Raises what the engine raises when it can't be opened."""
    clock = SteadyClock()
    engine = await _engine(said, files, clock, log)
    async with _running(engine, said, files, contracts, clock, log, record) as exchange:
        yield exchange


@contextmanager
def claimed(state: Path) -> Iterator[None]:
    """The state folder for the length of the block: two hubs on its files would each deliver all messages.

    The kernel lets go of the claim when the process ends, however it ends. Raises `SettingsError`.
    """
    with (state / "exchange.lock").open("a") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = f"another hub has the messages in {state}: stop it, or give this one a state folder of its own"
            raise SettingsError("state", (problem,)) from None
        yield


@asynccontextmanager
async def _running(
    engine: Engine, said: Settings, files: Files, contracts: Contracts, clock: SteadyClock, log: Log, kept: Kept | None
) -> AsyncIterator[Exchange]:
    sender = Sender(f"127.0.0.1:{said.deliveries_port}", files.certificate, files.key, files.authority)
    dispatcher = Dispatcher(engine, sender.send, clock, log)
    judges = Judges(contracts.descriptor_set, log)
    try:
        dispatcher.prepare(contracts.subscriptions)
        await engine.subscribe(contracts.subscriptions, dispatcher.ready)
        accepting = Accepting(contracts, engine, log, clock, Calls(kept.journal, kept.keys) if kept else None)
        recorder = ExchangeRecorder(engine, accepting.acceptors, kept.journal, kept.keys, log) if kept else None
        yield Exchange(contracts, engine, accepting, dispatcher, clock, log, judges, recorder=recorder)
    finally:
        judges.close()
        await sender.close()
        await engine.close()


async def _engine(said: Settings, files: Files, clock: SteadyClock, log: Log) -> Engine:
    def halt(error: BrokenError) -> None:
        """On the engine's own thread: whatever the rest of the process still believes, it must not go on."""
        log.line("halted", problem=str(error))
        os._exit(HALTED)

    if said.WhichOneof("engine") == "jetstream":
        return await _jetstream(said.jetstream, files, clock, halt)
    path = files.state / (said.sqlite.file or "exchange.sqlite")
    path.touch(mode=0o600)
    return await SqliteEngine.open(path, halt, clock=clock)


async def _jetstream(said: JetStream, files: Files, clock: SteadyClock, halt: Callable[[BrokenError], None]) -> Engine:
    from hub.exchange.jetstream import JetStreamEngine  # its extra need not be installed where the engine is another
    from hub.exchange.jetstream import Settings as LogSettings

    folder = files.state / "exchange"
    folder.mkdir(mode=0o700, exist_ok=True)
    settings = LogSettings(
        servers=tuple(said.servers),
        stream=said.stream,
        folder=folder,
        hub=said.hub,
        credentials=files.folder / said.credentials if said.credentials else None,
        replicas=said.replicas or 1,
        monitor=said.monitor,
    )
    return await JetStreamEngine.open(settings, halt, clock=clock)
