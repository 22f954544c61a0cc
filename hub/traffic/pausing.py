"""Which subscriptions rest, and the way to the exchange that lets them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.contracts import Contracts
from hub.traffic.settings import Drain, Paused, State

Pause = Callable[[str, bool, str, str], Awaitable[None]]
"""Stops or resumes a subscription: its name, whether it rests, by whom, and why."""


@dataclass
class Pausing:
    """Keeps the exchange as the settings say."""

    contracts: Contracts
    pause: Pause | None = None
    """None where this hub takes no messages."""
    failed: Callable[[str, str], None] = lambda _name, _problem: None

    def resting(self, state: State) -> frozenset[str]:
        """Subscriptions that get nothing: those that are paused, and those of systems that are drained."""
        drained = {one.system for one in state.of(Drain) if not one.instance}
        of_systems = {one.name for one in self.contracts.subscriptions if one.system in drained}
        return frozenset({one.subscription for one in state.of(Paused)} | of_systems)

    async def settle(self, before: frozenset[str], after: frozenset[str], author: str, because: str) -> None:
        """Makes it so. One that the exchange can't stop is told of, and the rest goes on: Envoy has changed already."""
        if self.pause is None:
            return
        for name in sorted(before ^ after):
            try:
                await self.pause(name, name in after, author, because)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are to be settled too
                self.failed(name, str(error) or type(error).__name__)
