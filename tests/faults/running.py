"""The parts of a fault run, in the order in which they are made."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from exchange_rig import JETSTREAM, ROOT, SQLITE

from tests.faults import failing, hardship, killing, power, tearing, teeth
from tests.faults.checking import Finding, check

Told = Callable[[str], None]
CUTS, QUICK_CUTS = 60, 3
TEARS, QUICK_TEARS = 200, 20
AWAY, QUICK_AWAY = 1_000_000, 100_000
EXAMPLES = 500
QUICK_STEP = 13


@dataclass(frozen=True)
class Wanted:
    """What was asked for; None for as much as usual."""

    seed: int
    quick: bool = False
    kills: int | None = None
    seconds: float | None = None
    cuts: int | None = None


async def kills(wanted: Wanted, told: Told, engine: str = SQLITE) -> list[Finding]:
    """Processes are killed while messages flow."""
    effort = killing.QUICK if wanted.quick else killing.Effort()
    seconds = wanted.seconds or (effort.seconds * (wanted.kills or effort.kills) / effort.kills)
    asked = replace(effort, seed=wanted.seed, kills=wanted.kills or effort.kills, seconds=seconds, engine=engine)
    return check(await killing.run(asked, told))


async def log_kills(wanted: Wanted, told: Told) -> list[Finding]:
    """The same where messages are kept in JetStream, whose server is killed too."""
    return await kills(wanted, told, JETSTREAM)


async def cuts(wanted: Wanted, told: Told) -> list[Finding]:
    """The power is cut."""
    if missing := power.why_not():
        return [_not_run("I1", f"power cuts: {missing}", told)]
    number = wanted.cuts or (QUICK_CUTS if wanted.quick else CUTS)
    return power.findings(await power.cut(number, wanted.seed, told), wanted.seed)


async def disk(wanted: Wanted, _told: Told) -> list[Finding]:
    """The n-th operation of the disk fails."""
    return await failing.findings(step=QUICK_STEP if wanted.quick else 1)


async def torn(wanted: Wanted, _told: Told) -> list[Finding]:
    """The log's tail is torn."""
    return await tearing.findings(QUICK_TEARS if wanted.quick else TEARS, wanted.seed)


async def full(_wanted: Wanted, told: Told) -> list[Finding]:
    """The disk is full for a while."""
    if missing := hardship.why_no_small_disk():
        return [_not_run("I10", f"full disk: {missing}", told)]
    return await hardship.full_disk(told)


async def slow(_wanted: Wanted, _told: Told) -> list[Finding]:
    """The disk takes its time."""
    return await hardship.slow_disk()


async def clock(_wanted: Wanted, told: Told) -> list[Finding]:
    """The clock is put back."""
    return await hardship.clock_back(told)


async def away(wanted: Wanted, _told: Told) -> list[Finding]:
    """A subscriber is away for days."""
    return await hardship.away(QUICK_AWAY if wanted.quick else AWAY)


async def order(wanted: Wanted, _told: Told) -> list[Finding]:
    """Random schedules against a model."""
    environment = dict(os.environ) if wanted.quick else {**os.environ, "METIP_ORDER_EXAMPLES": str(EXAMPLES)}
    seed = () if wanted.quick else (f"--hypothesis-seed={wanted.seed}",)
    command = (sys.executable, "-m", "pytest", "-q", *seed, "tests/hub/exchange/test_order.py")
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = await child.communicate()
    number = "the usual" if wanted.quick else str(EXAMPLES)
    words = f"{number} random schedules for each engine: {said.decode(errors='replace').strip().splitlines()[-1]}"
    return [Finding(name, child.returncode == 0, words) for name in ("I3", "I4")]


async def bites(wanted: Wanted, told: Told) -> list[Finding]:
    """Planted bugs are found."""
    rooted = not power.why_not()
    chosen = [one for one in teeth.TEETH if rooted or one.finder not in teeth.NEED_ROOT]
    if wanted.quick:
        chosen = [one for one in chosen if one.finder is not teeth.KILLS]
    missing = [] if rooted else [_not_run("T", "bugs that only a power cut finds", told)]
    return [*await teeth.findings(told, chosen), *missing]


PARTS: dict[str, Callable[[Wanted, Told], Awaitable[list[Finding]]]] = {
    "kills": kills,
    "jetstream": log_kills,
    "power": cuts,
    "disk": disk,
    "torn": torn,
    "full": full,
    "slow": slow,
    "clock": clock,
    "away": away,
    "order": order,
    "teeth": bites,
}


async def measure(parts: Sequence[str], wanted: Wanted, told: Told) -> dict[str, list[Finding]]:
    """What was found, by part."""
    found = {}
    for name in parts:
        told(f"{name} begins")
        found[name] = await PARTS[name](wanted, told)
    return found


def _not_run(number: str, words: str, told: Told) -> Finding:
    told(f"NOT RUN: {words}")
    return Finding(number, True, words, ran=False)
