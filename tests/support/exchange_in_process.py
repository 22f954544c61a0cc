"""The exchange's acceptance by itself, on a real socket and a real file: what a producer sees of it, with nobody subscribed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc

from hub.contracts import Contracts
from hub.exchange.accepting import Accepting
from hub.exchange.calls import Calls
from hub.exchange.clock import SteadyClock
from hub.exchange.records import BrokenError
from hub.exchange.sqlite import SqliteEngine
from metip.logs import Log


def _unexpected(error: BrokenError) -> None:
    raise AssertionError("the store of a test broke") from error


@asynccontextmanager
async def accepting_exchange(folder: Path, contracts: Contracts, calls: Calls | None = None) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to an exchange that accepts every message operation of the contracts; `calls` records what it answers by itself."""
    clock = SteadyClock()
    engine = await SqliteEngine.open(folder / "exchange.sqlite", _unexpected, clock=clock)
    with (folder / "log").open("a") as log:
        server = grpc.aio.server()
        accepting = Accepting(contracts, engine, Log(log, system="exchange"), clock, calls)
        server.add_generic_rpc_handlers(tuple(accepting.handlers()))
        server.add_insecure_port(f"unix:{folder}/exchange.sock")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"unix:{folder}/exchange.sock") as channel:
                yield channel
        finally:
            await server.stop(None)
            await engine.close()
