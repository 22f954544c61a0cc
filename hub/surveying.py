"""A hub's estate, put together: Envoy's log and statistics, registry, exchange, traffic, migration, what is compared, and the service."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import grpc

from hub import settings as settings_files
from hub.api.estate import EstateApi
from hub.contracts import Contracts
from hub.estate.calls import Reading
from hub.estate.feed import Feed
from hub.estate.running import Live, Sources
from hub.exchange.records import Account
from hub.exchange.running import Exchange
from hub.mesh.admin import Admin
from hub.mesh.control import Control
from hub.mesh.inputs import hub_identity
from hub.migration.states import Position
from hub.parity.sampling import Sampler, shadow_of
from hub.traffic.director import Director
from metip.estate.v1.estate_service_pb2_grpc import add_EstateServiceServicer_to_server


def open_estate(
    settings: settings_files.Settings,
    control: Control,
    director: Director,
    exchange: Exchange | None,
    sampler: Sampler | None,
    standings: Callable[[], Mapping[str, Position]],
    server: grpc.aio.Server,
    stack: AsyncExitStack,
) -> Live:
    """The estate for the life of the stack, served; nothing of it is asked before somebody watches."""

    async def accounts() -> Sequence[Account]:
        return await exchange.engine.accounts() if exchange is not None else ()

    def unreachable() -> Mapping[str, float]:
        lines = exchange.dispatcher.lines if exchange is not None else {}
        return {name: line.unreachable_since for name, line in lines.items() if line.unreachable_since}

    def compared() -> Mapping[tuple[str, str], int]:
        return pairs(control.inputs.contracts, sampler) if sampler is not None else {}

    contracts, log = control.inputs.contracts, control.inputs.edge.access_log
    feed = Feed(Path(log) if log else None, Reading(contracts, hub_identity(settings.trust_domain)), time.time)
    sources = Sources(
        lambda: control.inputs,
        Admin(settings.envoy_admin) if settings.envoy_admin else None,
        accounts,
        unreachable,
        lambda: {one.key: one.value for one in director.overrides.current if one.differs},
        standings,
        compared,
    )
    live = Live(feed, sources)
    stack.push_async_callback(live.close)
    add_EstateServiceServicer_to_server(EstateApi(live), server)
    return live


def pairs(contracts: Contracts, sampler: Sampler) -> dict[tuple[str, str], int]:
    """How many of a million calls are compared, by interface and the system that is asked beside the one that answered; of several
    operations the highest number."""
    found: dict[tuple[str, str], int] = {}
    for one in sampler.settings:
        operation = contracts.operations[one.operation]
        owner = contracts.interface(operation.interface).system
        other = shadow_of(contracts, operation, owner, one.shadow)
        for system in (owner, other):
            if system and not sampler.not_now(operation, system):
                key = operation.interface, system
                found[key] = max(found.get(key, 0), one.per_million)
    return found
