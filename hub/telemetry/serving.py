"""The hub's metrics and traces, put together: which parts there are, and which words their labels may have."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from hub.bookkeeping import Books
from hub.configuring import Configuring
from hub.contracts import Contracts
from hub.exchange.life import Event
from hub.exchange.life import State as Delivering
from hub.exchange.running import Exchange
from hub.ledger.journals import Trouble
from hub.mesh.admin import Admin
from hub.mesh.control import Control
from hub.mesh.inputs import HUB_SYSTEM
from hub.mesh.resources import SEND_ORDER
from hub.migration.running import Migration
from hub.migration.states import State as Standing
from hub.parity import Comparator
from hub.parity.running import Pairs
from hub.settings import Settings
from hub.telemetry import exchange as of_exchange
from hub.telemetry import ledger as of_ledger
from hub.telemetry import mesh as of_mesh
from hub.telemetry import parallel as of_parallel
from metip.breaker import State as Circuit
from metip.logs import Log
from metip.telemetry.endpoint import Endpoint, Source, Where, shown
from metip.telemetry.process import Process
from metip.telemetry.samples import Words
from metip.telemetry.words import FATES, OUTCOMES, words_of

INSTANCE: Final = "hub"


@dataclass(frozen=True)
class Parts:
    """What the metrics are read from."""

    control: Control
    envoys: Callable[[], int]
    configuring: Configuring
    today: Callable[[], date]
    books: Books
    exchange: Exchange | None
    migration: Callable[[], Migration | None]
    comparator: Comparator
    pairs: Pairs | None


@asynccontextmanager
async def telemetry(settings: Settings, parts: Parts, log: Log) -> AsyncIterator[None]:
    """Shows metrics and sends traces for the length of the block, as far as the settings say. What can't be shown is logged."""
    said, process = settings.telemetry, Process(INSTANCE, HUB_SYSTEM, {"state": settings.state})
    found = {"process": process.put, **sources(settings, parts)}
    async with AsyncExitStack() as stack:
        if said.HasField("traces"):
            from metip.telemetry.otlp import traced  # its packages are an extra

            found["spans"] = stack.enter_context(traced(said.traces, INSTANCE, INSTANCE, settings.folder)).put
        if said.metrics:
            endpoint = Endpoint(words(parts.control.inputs.contracts), found)
            where = Where(said.metrics, INSTANCE, settings.folder / said.targets if said.targets else None)
            try:
                address = await stack.enter_async_context(shown(endpoint, where))
            except OSError as error:
                log.line("metrics_not_shown", address=said.metrics, problem=error.strerror)
            else:
                log.line("metrics_shown", address=address)
                watching = asyncio.create_task(process.watch())
                stack.callback(watching.cancel)
        yield


def sources(settings: Settings, parts: Parts) -> Mapping[str, Source]:
    """The parts by name; those of what this hub does not have are left out."""
    control = parts.control
    found: dict[str, Source] = {
        "changes": partial(of_mesh.of_changes, control, parts.envoys),
        "instances": partial(of_mesh.of_instances, control),
        "reviews": partial(of_mesh.of_reviews, control, parts.today),
        "certificates": partial(of_mesh.of_certificates, lambda: parts.configuring.certificates(control.inputs.edge)),
        "migration": partial(of_parallel.of_migration, parts.migration, parts.comparator),
    }
    if settings.envoy_admin is not None:
        found["edge"] = partial(of_mesh.of_edge, Admin(settings.envoy_admin))
    if parts.exchange is not None:
        found["backlogs"] = partial(of_exchange.of_backlogs, parts.exchange)
        found["deliveries"] = partial(of_exchange.of_deliveries, parts.exchange)
        found["acceptance"] = partial(of_exchange.of_acceptance, parts.exchange)
    if parts.books.standing is not None:
        ledger, journal, watching = parts.books.standing
        found["gathering"] = partial(of_ledger.of_gathering, ledger)
        found["witness"] = partial(of_ledger.of_witness, ledger)
        found["journal"] = partial(of_ledger.of_own_journal, journal)
        if watching is not None:
            found["reconciliation"] = partial(of_ledger.of_reconciliation, watching)
    if parts.pairs is not None:
        found["samples"] = partial(of_parallel.of_samples, parts.pairs.counts)
    return found


def words(contracts: Contracts) -> Words:
    """The words of the hub's labels."""
    states = {one.value for enum in (Circuit, Delivering, Standing) for one in enum}
    reviewed = [one.name for one in contracts.interfaces] + [f"metip.{one.system}.v1 back_end" for one in contracts.back_ends]
    return words_of(contracts).with_more(
        state=states,
        reason=[*OUTCOMES, "UNREACHABLE", "NO_ANSWER"],
        event=[one.value for one in Event],
        type=[one.word for one in SEND_ORDER],
        trouble=["", *(one.value for one in Trouble)],
        record=("recorded", "missing", "waiting"),
        outcome=[*OUTCOMES, *(one.value for one in of_mesh.MADE)],
        fate=[*FATES, *of_parallel.FATES],
        interface=reviewed,
    )
