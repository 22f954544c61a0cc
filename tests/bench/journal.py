"""What a durable record of each call costs: an adapter with the journal and without it, in turns at the same load, by itself and at the
end of the full path."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapters.kit.journal import Journal
from metip.journal.records import Facts
from tests.bench.estate import Estate, Target
from tests.bench.load import Load, drive
from tests.bench.sample import Row, Sample, between, row, share

OFF, ON = signal.SIGUSR1, signal.SIGUSR2
"""Signals by which the benched adapter is told to leave out what is measured, the journal or the tap, and to do it again."""
WITHOUT, WITH = "without the journal", "with the journal"
FULL_PATH: Final = 2
"""Place of the full path among the targets."""


class Switched:
    """A journal that is passed by while it is off. Only a benchmark has one: an adapter can't be told to record nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.on = True

    def check(self) -> None:
        """As the journal does."""
        if self.on:
            self._journal.check()

    async def record(self, facts: Facts) -> None:
        """As the journal does, when it is on."""
        if self.on:
            await self._journal.record(facts)

    def note(self, facts: Facts) -> None:
        """As the journal does, when it is on."""
        if self.on:
            self._journal.note(facts)


@dataclass(frozen=True)
class Journalled:
    """One load over one path, with and without."""

    where: str
    load: str
    on: Row
    off: Row

    @property
    def share(self) -> float:
        """Throughput with the journal as a share of that without, round by round."""
        return share(self.on, self.off)

    @property
    def between(self) -> tuple[float, float]:
        """Between which shares the middle half of the rounds lies."""
        return between(self.on, self.off)


async def measure_journal(
    estate: Estate, rounds: int, seconds: float, in_flight: tuple[int, ...], told: Callable[[str], None], *, h2load: bool
) -> tuple[Journalled, ...]:
    """One of these for the adapter by itself and for the full path, at each number of calls in flight. The journal is on afterwards. Raises
    `LoadError`."""
    found = []
    for target in (estate.alone, estate.targets[FULL_PATH]):
        found += [await _journalled(estate, target, Load(in_flight=one), rounds, seconds, told, h2load=h2load) for one in in_flight]
    return tuple(found)


async def _journalled(
    estate: Estate, target: Target, load: Load, rounds: int, seconds: float, told: Callable[[str], None], *, h2load: bool
) -> Journalled:
    samples: dict[signal.Signals, list[Sample]] = {ON: [], OFF: []}
    expected = 1000.0
    try:
        for number in range(rounds):
            for way in (ON, OFF) if number % 2 else (OFF, ON):
                os.kill(target.processes["python"], way)
                one = await drive(estate, target, load, seconds, expected=expected, h2load=h2load)
                samples[way].append(one)
                expected = one.calls / one.seconds
                told(f"journal {'on' if way is ON else 'off'}, {target.name}, round {number + 1} of {rounds}, {load.name}: {one.said}")
    finally:
        os.kill(target.processes["python"], ON)
    return Journalled(target.name, load.name, row(WITH, load.name, samples[ON]), row(WITHOUT, load.name, samples[OFF]))
