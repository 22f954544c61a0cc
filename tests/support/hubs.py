"""Several hubs on one log, for tests: each opened by name, killed or closed, and looked into."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from engines import Bench, Time, hub
from nats_server import NatsServer
from waiting import until

from hub.exchange.jetstream import JetStreamEngine
from hub.exchange.life import State
from hub.exchange.records import BrokenError

LEASE = 0.6
WITHIN = 15.0


@dataclass
class Hubs:
    """Hubs on one log, each opened by name."""

    server: NatsServer
    folder: Path
    time: Time
    stack: AsyncExitStack

    async def open(self, name: str, **changes: Any) -> Bench:
        """One hub; it is closed with the rest unless it was killed."""
        append = changes.pop("append", None)
        settings = hub(self.server, self.folder, name, **{"stream": stream_of(self.folder), "lease": LEASE, **changes})
        broken: list[BrokenError] = []
        engine = await JetStreamEngine.open(settings, broken.append, clock=self.time.clock(), append=append)
        self.stack.push_async_callback(engine.halt)
        return Bench(engine, self.time, broken=broken)


def stream_of(folder: Path) -> str:
    return f"log-{abs(hash(str(folder)))}"


def engine_of(bench: Bench) -> JetStreamEngine:
    assert isinstance(bench.engine, JetStreamEngine)
    return bench.engine


@asynccontextmanager
async def hubs_on(server: NatsServer, folder: Path) -> AsyncIterator[Hubs]:
    async with AsyncExitStack() as stack:
        yield Hubs(server, folder, Time(), stack)


async def caught_up(*benches: Bench) -> None:
    """Waits until every hub has carried out what any has."""

    async def same() -> bool:
        return len({(await standing_of(one)) for one in benches}) == 1

    await until(same, WITHIN)


async def standing_of(bench: Bench) -> int:
    return (await engine_of(bench)._writer.do(lambda store: store.standing())).applied


def content_of(folder: Path, name: str) -> dict[str, list[Any]]:
    """Everything in a hub's file."""
    database = apsw.Connection(str(folder / name / "exchange.sqlite"))
    try:
        tables = [str(row[0]) for row in database.execute("select name from sqlite_master where type = 'table' order by 1")]
        return {table: list(database.execute("select * from " + table)) for table in tables}
    finally:
        database.close()


async def has(bench: Bench, name: str, state: State) -> bool:
    return bool((await bench.counts(name)).get(state))
