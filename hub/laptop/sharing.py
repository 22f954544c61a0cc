"""Which simulators share a process: as many processes as there are cores for, each with about as much of a day's traffic as the next."""

import math
import os
from collections.abc import Sequence
from typing import Final

from hub.laptop.preparing import adapters_folder
from metip.settings import read_settings
from metip.simulator.v1.day_pb2 import Day

FILE: Final = "day.yaml"
FEWEST: Final = 4
"""Simulators for which one more process is worth its memory, some 100 MiB for the population and the modules."""
MOST: Final = 4


def processes_for(simulators: int, cores: int | None = None) -> int:
    """How many processes so many simulators get on this machine, or on one of so many cores."""
    return max(1, min(cores or len(os.sched_getaffinity(0)), math.ceil(simulators / FEWEST), MOST))


def shared_out(systems: Sequence[str], processes: int) -> tuple[tuple[str, ...], ...]:
    """The systems of each process, by name; the same for the same days. Raises `SettingsError` for a day that can't be read."""
    volumes = {system: volume(system) for system in systems}
    shares: list[list[str]] = [[] for _ in range(min(processes, len(systems)))]
    for system in sorted(systems, key=lambda one: (-volumes[one], one)):
        min(shares, key=lambda share: (sum(volumes[one] for one in share), len(share))).append(system)
    return tuple(tuple(sorted(share)) for share in shares)


def volume(system: str) -> int:
    """Calls and messages on a day of the force, by the system's part in it; 0 where it has none."""
    path = adapters_folder() / system / FILE
    return sum(one.a_day for one in read_settings(path, Day).traffic) if path.exists() else 0
