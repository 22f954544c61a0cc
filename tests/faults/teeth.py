"""Teeth: every planted bug must be found by a check of the harness or of the suites, within a budget of seconds."""

import asyncio
import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from exchange_rig import ROOT

from tests.faults.checking import Finding
from tests.faults.plants import VARIABLE

Told = Callable[[str], None]
SUITE = ("pytest", "-x", "-q", "tests/hub/exchange/test_engines.py")
KEYS = ("pytest", "-x", "-q", "tests/hub/exchange/test_keyed.py", "-k", "room")
ORDER = ("pytest", "-x", "-q", "tests/hub/exchange/test_order.py")
POWER = ("faults", "--quick", "--only", "power")
DISK = ("faults", "--quick", "--only", "disk")
KILLS = ("faults", "--quick", "--only", "kills")
BUDGET, LONG_BUDGET = 60.0, 120.0
BROKEN = re.compile(r"^\s+(I\d+)\s+BROKEN\s+(.{0,100})", re.MULTILINE)
FAILED = re.compile(r"^FAILED \S+?::(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Tooth:
    """A bug and who must find it."""

    plant: str
    finder: tuple[str, ...]
    budget: float = BUDGET
    seed: int = 1


TEETH = (
    Tooth("acknowledged-before-commit", DISK),
    Tooth("acknowledged-before-commit", SUITE),
    Tooth("synchronous-off", POWER),
    Tooth("synchronous-normal", POWER),
    Tooth("cursor-before-rows", POWER),
    Tooth("given-before-recorded", POWER),
    Tooth("recorded-after-the-reply", POWER),
    Tooth("write-once-repeated-after-a-crash", POWER),
    Tooth("write-once-repeated-after-a-crash", KILLS, LONG_BUDGET),
    Tooth("write-once-repeated-without-an-answer", KILLS, LONG_BUDGET),
    Tooth("failed-sync-tried-again", DISK),
    Tooth("accounts-not-taken-back", DISK),
    Tooth("repetition-not-said", ORDER),
    Tooth("held-back-taken", ORDER),
    Tooth("next-of-key-forgotten", ORDER),
    Tooth("old-attempt-settled", SUITE),
    Tooth("window-ignored", SUITE),
    Tooth("filed-keys-forgotten", KEYS),
    Tooth("wake-up-lost", SUITE),
    Tooth("backlog-unbounded", SUITE),
    Tooth("clock-goes-back", SUITE),
)
NEED_ROOT = (POWER,)


async def bite(tooth: Tooth) -> tuple[bool, str]:
    """Whether the bug was found, and by what. What comes by chance is tried with seed after seed while the budget lasts."""
    began, seeds, bitten, words = time.monotonic(), itertools.count(tooth.seed), False, f"not within {tooth.budget:.0f} s"
    with suppress(TimeoutError):
        async with asyncio.timeout(tooth.budget):
            while not bitten:
                bitten, words = await _try(tooth, next(seeds))
                if tooth.finder != POWER:
                    break
    return bitten, f"{words} ({time.monotonic() - began:.0f} s)"


async def _try(tooth: Tooth, seed: int) -> tuple[bool, str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "tests" / "support"), str(ROOT))), VARIABLE: tooth.plant}
    seeded = ("--seed", str(seed)) if tooth.finder[0] == "faults" else ()
    command = (sys.executable, "-m", "tests.faults.planted", *tooth.finder, *seeded)
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    text = said.decode(errors="replace")
    found = BROKEN.search(text) or FAILED.search(text)
    if child.returncode != 1 or found is None:
        return False, f"exit code {child.returncode}: {text.strip().splitlines()[-1] if text.strip() else 'nothing said'}"
    return True, " ".join(found.groups())


async def findings(told: Told, teeth: Sequence[Tooth] = TEETH) -> list[Finding]:
    """Each bug, and who found it."""
    found = []
    for tooth in teeth:
        bitten, words = await bite(tooth)
        name = tooth.finder[-1].rpartition("/")[2]
        told(f"{tooth.plant}: {'found' if bitten else 'NOT FOUND'} by {name}: {words}")
        found.append(Finding("T", bitten, f"{tooth.plant}: {'found' if bitten else 'NOT FOUND'} by {name}: {words}"))
    return found
