"""Which simulators share a process: as many processes as there are cores for, each with about as much of a day's traffic as the next."""

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from hub.contracts import Contracts
from hub.contracts.folders import adapters_folder
from hub.laptop.preparing import systems
from metip.settings import read_settings
from metip.simulator.v1.day_pb2 import Day

FILE: Final = "day.yaml"
FEWEST: Final = 4
"""Simulators for which one more process is worth its memory, some 100 MiB for the population and the modules."""
MOST: Final = 4


def processes_for(simulators: int, cores: int | None = None) -> int:
    """How many processes so many simulators get on this machine, or on one of so many cores."""
    return max(1, min(cores or len(os.sched_getaffinity(0)), math.ceil(simulators / FEWEST), MOST))


def shared_out(simulated: Sequence[str], processes: int, load: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """The systems of each process, by name: the busiest first, each to the process that has least to do."""
    shares: list[list[str]] = [[] for _ in range(min(processes, len(simulated)))]
    for system in sorted(simulated, key=lambda one: (-load.get(one, 0), one)):
        min(shares, key=lambda share: (sum(load.get(one, 0) for one in share), len(share))).append(system)
    return tuple(tuple(sorted(share)) for share in shares)


def loads(contracts: Contracts) -> Counter[str]:
    """What reaches each system on a day of the force: its own calls and messages, what others consult it for, and what it subscribes to.

    Raises `SettingsError` for a day that can't be read.
    """
    found: Counter[str] = Counter()
    for system in systems():
        path = adapters_folder() / system / FILE
        for one in read_settings(path, Day).traffic if path.exists() else ():
            found.update(dict.fromkeys({system, *_others(one.operation, contracts)}, one.a_day))
    return found


def _others(name: str, contracts: Contracts) -> set[str]:
    operation = contracts.operations.get(name)
    consulted = (contracts.operations.get(one) for one in (operation.consults if operation else ()))
    return {
        *(contracts.interface(one.interface).system for one in consulted if one),
        *(one.system for one in contracts.subscriptions if one.operation == name),
    }
