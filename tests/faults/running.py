"""The parts of a fault run, in the order in which they are made."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from tests.faults import killing
from tests.faults.checking import Finding, check

Told = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What was asked for; None for as much as usual."""

    seed: int
    quick: bool = False
    kills: int | None = None
    seconds: float | None = None
    cuts: int | None = None


async def kills(wanted: Wanted, told: Told) -> list[Finding]:
    """Processes are killed while messages flow."""
    effort = killing.QUICK if wanted.quick else killing.Effort()
    seconds = wanted.seconds or (effort.seconds * (wanted.kills or effort.kills) / effort.kills)
    return check(await killing.run(replace(effort, seed=wanted.seed, kills=wanted.kills or effort.kills, seconds=seconds), told))


PARTS: dict[str, Callable[[Wanted, Told], Awaitable[list[Finding]]]] = {"kills": kills}


async def measure(parts: Sequence[str], wanted: Wanted, told: Told) -> dict[str, list[Finding]]:
    """What was found, by part."""
    found = {}
    for name in parts:
        told(f"{name} begins")
        found[name] = await PARTS[name](wanted, told)
    return found
