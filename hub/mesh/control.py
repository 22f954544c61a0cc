"""Turns what changes around the mesh into changes of the mesh: one at a time, each with its cause, each undone when Envoy refuses it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hub.contracts import Contracts
from hub.mesh.compile import compile_mesh
from hub.mesh.history import Cause, Change, Outcome
from hub.mesh.inputs import AS_OWNED, Edge, Instance, Policy, Traffic
from hub.mesh.publisher import Publisher
from hub.mesh.resources import Difference, Snapshot

STANDS = frozenset({Outcome.ACCEPTED, Outcome.UNCHANGED, Outcome.TIMED_OUT_WAITING})


@dataclass(frozen=True)
class Inputs:
    """Everything the mesh follows from."""

    contracts: Contracts
    policy: Policy
    edge: Edge
    instances: tuple[Instance, ...] = ()
    traffic: Traffic = AS_OWNED


@dataclass
class Control:
    """Owns the inputs that are in force."""

    publisher: Publisher
    inputs: Inputs
    on_change: Callable[[Inputs], None] = lambda _: None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _latest: tuple[Inputs, Snapshot] | None = field(default=None, repr=False)

    def preview(self, **changes: object) -> Difference:
        """What Envoy would be told anew with these changes; nothing happens. What is compiled here need not be compiled again."""
        return self.publisher.current().difference(self._compiled(replace(self.inputs, **changes)))  # type: ignore[arg-type]

    async def propose(self, what: str, author: str, **changes: object) -> Change:
        """Compiles the inputs with these changes (fields of `Inputs`) and publishes the result.

        When Envoy or the hub itself refuses it, the inputs stay what they were, so that no later change brings the fault back.
        """
        async with self._turn:
            candidate = replace(self.inputs, **changes)  # type: ignore[arg-type]
            change = await self.publisher.publish(self._compiled(candidate), Cause(what, author))
            if change.outcome in STANDS:
                self.inputs = candidate
                self.on_change(candidate)
            else:
                self._latest = None
            return change

    def _compiled(self, inputs: Inputs) -> Snapshot:
        """What follows from them. What was previewed is published a moment later, so the latest is kept."""
        known = self._latest
        if known is None or known[0] != inputs:
            snapshot = compile_mesh(inputs.contracts, inputs.instances, inputs.policy, inputs.edge, inputs.traffic)
            known = self._latest = inputs, snapshot
        return known[1]
