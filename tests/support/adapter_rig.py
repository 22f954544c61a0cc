"""An adapter and its simulator in this process, on real sockets: the adapter on a unix socket, the simulator on the system's own wire."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import protovalidate
from google.protobuf.message import Message

from adapters.kit import discovery
from adapters.kit.pipeline import Gate, Pipeline
from adapters.kit.population import Population
from adapters.kit.serving import add_to_server, handlers, installed_contracts
from adapters.kit.simulation import Dials
from adapters.kit.site import Mesh, Site
from metip.call import Call
from metip.contracts import Operation
from metip.journal.records import Facts
from metip.journal.subjects import Subject
from metip.logs import Log
from metip.settings import read_settings

SEED = 2026
CONSUMER = "spiffe://metip.local/consumer/test"
TODAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Entry:
    """What the journal was given of a call that a handler saw."""

    operation: Operation
    call: Call
    request: Message
    outcome: str
    disclosed: int
    subjects: tuple[Subject, ...]


@dataclass
class Rig:
    """One adapter under test."""

    channel: grpc.aio.Channel
    dials: Dials | None
    population: Population
    entries: list[Entry]
    """What the journal was given."""
    simulator: Any

    def stub(self, kind: Any) -> Any:
        """A stub of the adapter's interface."""
        return kind(self.channel)


def from_envoy(*, consumer: str = CONSUMER, officer: str | None = "P123456", call_id: str = "call-1") -> list[tuple[str, str]]:
    """The metadata that Envoy would send: consumer, officer token payload, call id."""
    metadata = [("x-forwarded-client-cert", f"Hash=00;URI={consumer}"), ("x-request-id", call_id)]
    if officer:
        claims = json.dumps({"sub": officer, "force": "01", "unit": "ZD", "roles": ["officer"]}).encode()
        metadata.append(("x-metip-officer", base64.urlsafe_b64encode(claims).decode().rstrip("=")))
        metadata.append(("authorization", "Bearer test"))
    return metadata


class Remembering:
    """A journal that keeps what it is given of calls that a handler saw."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def check(self) -> None:
        """Takes every call."""

    async def record(self, facts: Facts) -> None:
        """Keeps it."""
        self.note(facts)

    def note(self, facts: Facts) -> None:
        """Keeps it, unless it is of a refusal."""
        if facts.call is not None and facts.request is not None and not facts.refused:
            told = (facts.outcome, facts.disclosed, tuple(facts.subjects))
            self._entries.append(Entry(facts.operation, facts.call, facts.request, *told))


@asynccontextmanager
async def running_adapter(system: str, directory: Path, *, mesh: Mesh | None = None, **upstream: Any) -> AsyncIterator[Rig]:
    """Runs the adapter of that system with its own settings and simulator. `upstream` overrides fields of the upstream setting."""
    settings: Any = read_settings(discovery.FOLDER / system / "settings.yaml", discovery.settings_type(system))
    population = Population(SEED)
    entries: list[Entry] = []
    async with AsyncExitStack() as stack:
        log = Log(stack.enter_context((directory / "log").open("a")), system=system)
        dials = simulator = None
        if discovery.has_simulator(system):
            module: Any = discovery.simulator(system)
            dials = Dials(module.DIALS, seed=SEED)
            simulator = module.Simulator(population, dials)
            settings.upstream.address = await stack.enter_async_context(simulator.transport.listening("127.0.0.1", 0, dials))
        if upstream:
            settings.upstream.MergeFrom(type(settings.upstream)(**upstream))
        servicers = await stack.enter_async_context(discovery.adapter(system).serve(settings, Site(log, mesh)))
        server = grpc.aio.server()
        pipeline = Pipeline(system, Remembering(entries), log, Gate(200), protovalidate.Validator())
        add_to_server(server, handlers(pipeline, servicers, installed_contracts(TODAY)))
        server.add_insecure_port(f"unix:{directory}/{system}.sock")
        await server.start()
        stack.push_async_callback(server.stop, None)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"unix:{directory}/{system}.sock"))
        yield Rig(channel, dials, population, entries, simulator)
