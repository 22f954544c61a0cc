"""How pairs come about in one hub, put together: what adapters offer is sampled, recorded, asked of the other platform, and compared."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import grpc

from hub.contracts import Contracts
from hub.exchange.accepting import kinds
from hub.mesh.inputs import Instance
from hub.parity.asking import Asker, Breakers, Take
from hub.parity.counts import Counts
from hub.parity.pairs import Pair
from hub.parity.recordings import Recordings
from hub.parity.replaying import Replayer
from hub.parity.sampling import Sampler
from hub.parity.wire import Wire
from metip.faults import Fault
from metip.journal.keys import SEALING, SecretError
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST
from metip.parity.v1.sample_pb2 import Sample
from metip.parity.v1.tap_service_pb2 import Drop
from metip.sampling import Dropped

SWEEP: Final = 60.0
"""Seconds between looks for recordings whose retention is over."""
BY: Final = "os://hub/retention"
Record = Callable[[str, str, int, str], Awaitable[None]]
"""Writes the ledger's record of an action: name, author, purpose, detail. Raises `Fault` JOURNAL when it can't."""


def uncompared(_pair: Pair) -> None:
    """Takes pairs where there is no comparator: each is counted by whoever made it, and forgotten."""


class Pairs:
    """The making of pairs. Nothing is asked before `run`."""

    def __init__(
        self,
        state: Path,
        contracts: Contracts,
        instances: Callable[[], tuple[Instance, ...]],
        channel: Callable[[], grpc.aio.Channel],
        record: Record,
        *,
        ledger_keys: Path | None = None,
        take: Take = uncompared,
    ) -> None:
        """`channel` leads to Envoy under the hub's identity. `ledger_keys` is the ledger's folder of keys: without it there are no
        recordings."""
        self.contracts, self.record = contracts, record
        self.counts = Counts()
        self.sampler = Sampler(state / "sampling.sqlite", contracts, instances)
        wire, breakers = Wire(contracts, channel), Breakers()
        self.asker = Asker(contracts, kinds(contracts), self.sampler, wire, take, self.counts, breakers)
        self.recordings = self._recordings(state, ledger_keys)
        self.replayer = (
            Replayer(contracts, self.recordings, self.sampler, wire, take, self.counts, breakers) if self.recordings is not None else None
        )

    def rates(self, system: str) -> Mapping[str, int]:
        """Which share of its calls the instances of a system offer, by operation, in millionths."""
        found = dict(self.sampler.rates(system))
        for operation, share in (self.recordings.rates(system) if self.recordings is not None else {}).items():
            found[operation] = max(share, found.get(operation, 0))
        return found

    def offer(self, samples: Iterable[Sample], drops: Iterable[Drop] = ()) -> int:
        """Takes what is wanted of an adapter's offer, and counts it all; how many it took."""
        taken = 0
        for drop in drops:
            if drop.operation in self.contracts.operations and drop.cause in Dropped.__members__:
                self.counts.of(drop.operation).drops[drop.cause] += drop.count
        for sample in samples:
            operation = self.contracts.operations.get(sample.operation)
            if operation is None or not operation.comparable:
                continue
            self.counts.of(operation.name).offered += 1
            # Before anything is kept: whose name and reason stood there is nobody's business here.
            if not self.asker.own(sample, operation):
                continue
            kept = self.recordings is not None and self.recordings.take(sample, operation)
            asked = self.asker.offer(sample, operation)
            taken += kept or asked
            if not kept and not self.asker.wants(sample):
                self.counts.dropped(operation.name, Dropped.NOT_WANTED)
        return taken

    async def run(self) -> None:
        """Asks, writes recordings and erases those whose time is over, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.asker.run())
            if self.recordings is not None:
                group.create_task(self.recordings.run())
                group.create_task(self._sweep(self.recordings))

    async def close(self) -> None:
        """Writes what waits and closes the files."""
        self.sampler.close()
        if self.recordings is not None:
            await self.recordings.flush()
            self.recordings.close()

    async def _sweep(self, recordings: Recordings) -> None:
        while True:
            await self.erase_due(recordings)
            await asyncio.sleep(SWEEP)

    async def erase_due(self, recordings: Recordings) -> None:
        """Erases recordings whose retention is over; what can't be recorded waits for the next look."""
        for one in await recordings.due():
            try:
                await self.record("parity/record_erase", BY, PURPOSE_MIGRATION_TEST, f"{one.id}: its retention is over")
            except Fault:
                return
            await recordings.erase(one.id)

    def _recordings(self, state: Path, ledger_keys: Path | None) -> Recordings | None:
        if ledger_keys is None:
            return None
        try:
            return Recordings(state / "recordings.sqlite", ledger_keys / SEALING, self.contracts, self.counts)
        except SecretError:
            return None
