"""A hub's migration, put together: the plan's file, what outlives the hub, the ways of calls, the watch, and the service."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import grpc

from hub import settings as settings_files
from hub.access import approving
from hub.api.migration import MigrationApi
from hub.contracts import Contracts
from hub.exchange.owning import Owners
from hub.mesh.admin import WEIGHT_KEY
from hub.mesh.control import Control
from hub.mesh.inputs import hub_identity
from hub.mesh.registry import Registry
from hub.migration import plan as plans
from hub.migration.approvals import Approvals
from hub.migration.owned import Fenced
from hub.migration.plan import Plan
from hub.migration.ports import RefusedError
from hub.migration.roads import NoSamplers, Samplers, Ways
from hub.migration.running import Migration
from hub.migration.states import Position
from hub.migration.store import Store
from hub.migration.surroundings import FILE, Surroundings
from hub.migration.watching import Watching
from hub.parity import Comparator
from hub.parity.sampling import ForbiddenError, Sampler, Sampling
from hub.recording import Recorder
from hub.traffic.running import TrafficControl
from metip.faults import Fault
from metip.logs import Log
from metip.migration.v1.migration_service_pb2_grpc import add_MigrationServiceServicer_to_server
from metip.settings import SettingsError

AGAIN: Final = 1.0
"""Seconds between attempts to end what an earlier hub began."""
LOOKED_AT: Final = 1.0
"""Seconds between two looks at the plan's file."""


class Sampled:
    """What is compared, as the hub's sampler has it."""

    def __init__(self, sampler: Sampler, old: Callable[[], str]) -> None:
        self._sampler, self._old = sampler, old

    def sample(self, operation: str, per_million: int, again_per_million: int, cap_per_hour: int) -> None:
        """Compares so many calls of an operation with the old platform's answers, or asks it what the new one answered."""
        try:
            self._sampler.put(Sampling(operation, per_million, again_per_million, cap_per_hour, self._old()))
        except ForbiddenError as error:
            raise ValueError(str(error)) from None


class Migrating:
    """One hub's migration."""

    def __init__(self, settings: settings_files.Settings, contracts: Contracts, log: Log, record: Recorder) -> None:
        """Raises `SettingsError` for a plan, or keys of approvers, that can't be used."""
        self._settings, self._contracts, self._log, self._record = settings, contracts, log, record
        self._plan = plans.read(settings.migration, contracts)
        required = settings.approvals.required
        self._approvals = Approvals(required, approving.public_keys(settings.approvals, settings.folder) if required else {})
        self._migration: Migration | None = None

    def open(
        self,
        traffic: TrafficControl,
        control: Control,
        comparator: Comparator,
        sampler: Sampler | None,
        owners: Callable[[], Owners | None],
        registry: Registry,
        server: grpc.aio.Server,
        stack: ExitStack,
    ) -> None:
        """Opens it for the life of the stack, and serves questions."""
        edge_log = control.inputs.edge.access_log
        samplers: Samplers = Sampled(sampler, lambda: self.plan.old) if sampler is not None else NoSamplers()

        def by_hand() -> dict[str, str]:
            return {one.key.removeprefix(WEIGHT_KEY): one.value for one in traffic.director.overrides.current if one.differs}

        def unfenced(interface: str) -> tuple[str, ...]:
            writer, number = traffic.layers.writer(interface)
            late = writer and time.time() - number > registry.lease
            return registry.writing(writer, interface, number) if late else ()

        def expired(interface: str, now: float) -> tuple[str, ...]:
            over = [one for one in comparator.acceptances if one.until and one.until <= now and not one.withdrawn_at]
            held = {(one.operation, one.field) for one in comparator.in_force()}
            own = [one for one in over if one.operation.startswith(f"{interface}/") and (one.operation, one.field) not in held]
            return tuple(sorted({f"{one.operation.partition('/')[2]} {one.field}" for one in own}))

        around = Surroundings(
            Ways(traffic.director, control, samplers, by_hand, unfenced),
            self._record,
            time.time,
            writers=Fenced(owners, lambda: self.plan.old),
            comparisons=comparator,
            expired=expired,
            approvals=self._approvals,
            edge_log=Path(edge_log) if edge_log else None,
            hub=hub_identity(self._settings.trust_domain),
            log=self._log,
        )
        store = Store(self._settings.state / FILE)
        stack.callback(store.close)
        self._migration = Migration(store, self._plan, around)
        stack.callback(self._migration.counting.close)
        add_MigrationServiceServicer_to_server(MigrationApi(self._migration), server)

    @property
    def plan(self) -> Plan:
        """The plan that holds."""
        return self._plan if self._migration is None else self._migration.plan

    def standings(self) -> dict[str, Position]:
        """Where interfaces that are moved stand, by name."""
        if self._migration is None:
            return {}
        return {name: one.position for name, one in self._migration.store.standings().items() if name in self._migration.plan.rules}

    @property
    def migration(self) -> Migration | None:
        """Where interfaces stand; None before it is open."""
        return self._migration

    async def run(self) -> None:
        """Ends what an earlier hub began, then watches, for ever."""
        assert self._migration is not None, "it is open"
        while True:
            try:
                await self._migration.begin()
                break
            except (Fault, RefusedError) as error:
                self._log.line("migration_waits", about="the steps of an earlier hub", problem=str(error))
                await asyncio.sleep(AGAIN)
        async with asyncio.TaskGroup() as group:
            group.create_task(Watching(self._migration).run())
            group.create_task(self._follow_the_plan(self._migration))

    async def _follow_the_plan(self, migration: Migration) -> None:
        path, known = self._settings.migration, self._stamp()
        while path is not None:
            await asyncio.sleep(LOOKED_AT)
            if self._stamp() == known:
                continue
            known = self._stamp()
            try:
                plan = plans.read(path, self._contracts)
            except SettingsError as error:
                migration.plan_problem = str(error)
                self._log.line("file_refused", file=path.name, problem=str(error))
            else:
                await migration.replan(plan)
                self._log.line("migration_plan", interfaces=len(plan.rules), old_platform=plan.old)

    def _stamp(self) -> tuple[int, int]:
        path = self._settings.migration
        try:
            status = path.stat() if path is not None else None
        except OSError:
            status = None
        return (status.st_mtime_ns, status.st_size) if status is not None else (0, 0)
