"""What somebody set by hand in Envoy's runtime, which goes before what the hub says: noticed within a second, and shown.

The law: the last word holds. A change of traffic takes back what was set by hand for what it changes; by hand one can set it again.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from time import time
from typing import Final

from hub.contracts import Contracts
from hub.mesh.admin import WEIGHT_KEY, Admin, EnvoyGoneError
from hub.mesh.going import weights_of
from hub.mesh.injecting import fault_keys
from hub.mesh.inputs import Traffic
from hub.traffic.settings import FaultInjection, Key, Shares, State

INTERVAL: Final = 0.5
"""Seconds between two looks."""


@dataclass(frozen=True)
class Override:
    """One runtime key that was set by hand."""

    key: str
    value: str
    said: str
    """What the hub says; empty where it says nothing."""
    since: float
    """When it was noticed, in unix seconds."""

    @property
    def differs(self) -> bool:
        """Whether it makes a difference now."""
        return self.value != self.said


def said_by_key(traffic: Traffic, contracts: Contracts) -> dict[str, str]:
    """What the hub says of each runtime key that it has a word on."""
    found = {
        f"{WEIGHT_KEY}{cluster}": str(weight)
        for interface in contracts.interfaces
        if not interface.private and contracts.back_ends_of(interface.name)
        for _, cluster, weight in weights_of(contracts, interface, traffic)
    }
    for one in traffic.faults:
        keys = fault_keys(one)
        found[keys["delay"]], found[keys["abort"]] = f"{one.delay_percent:g}", f"{one.abort_percent:g}"
    return found


def keys_of(changed: Iterable[Key], state: State, contracts: Contracts) -> set[str]:
    """Runtime keys that stand before settings of these keys."""
    found: set[str] = set()
    for key in changed:
        if key[0] == Shares.kind:
            interface = contracts.interface(key[1])
            found |= {f"{WEIGHT_KEY}{cluster}" for _, cluster, _ in weights_of(contracts, interface, Traffic())}
        elif key[0] == FaultInjection.kind:
            found |= set(fault_keys(FaultInjection(key[1], key[2])).values())
    return found


@dataclass
class Overrides:
    """Watches one Envoy; without an admin interface nothing is ever seen."""

    admin: Admin | None
    said: Callable[[], Mapping[str, str]]
    noticed: Callable[[Override], None] = lambda _: None
    """Is told of each override that is new, or has another value; an empty value says that it is gone."""
    clock: Callable[[], float] = time
    seen: dict[str, Override] = field(default_factory=dict)
    answers: bool = False
    """Whether Envoy answered the last time."""

    @property
    def current(self) -> tuple[Override, ...]:
        """Those seen last, by key, beside what the hub says now."""
        said = self.said()
        return tuple(replace(one, said=said.get(key, "")) for key, one in sorted(self.seen.items()))

    async def run(self) -> None:
        """Looks for as long as it is not cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(INTERVAL)

    async def look(self) -> None:
        """Looks once."""
        if self.admin is None:
            return
        try:
            found = await self.admin.shaping()
        except EnvoyGoneError:
            self.answers = False
            return
        self.answers = True
        said, before = self.said(), self.seen
        self.seen = {}
        for key, value in sorted(found.items()):
            known = before.get(key)
            same = known is not None and known.value == value
            self.seen[key] = known if known is not None and same else Override(key, value, said.get(key, ""), self.clock())
            if not same:
                self.noticed(self.seen[key])
        for key in sorted(before.keys() - found.keys()):
            self.noticed(Override(key, "", said.get(key, ""), self.clock()))

    async def take_back(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Takes back those of these keys that are set by hand, and says which were; none where Envoy does not answer."""
        wanted = set(keys)
        if self.admin is None or not wanted:
            return ()
        await self.look()
        mine = sorted(self.seen.keys() & wanted)
        if not mine:
            return ()
        try:
            await self.admin.set_runtime(dict.fromkeys(mine, ""))
        except EnvoyGoneError:
            return ()
        await self.look()
        return tuple(mine)
