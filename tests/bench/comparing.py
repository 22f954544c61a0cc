"""What the comparator of two platforms spends: microseconds of CPU a pair, by how much the answers differ."""

import copy
import itertools
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from people_defects import NOISE, TWELVE
from people_pairs import OPERATION, START, People, Population

from hub.parity import Answer, Comparator, Pair

PAIRS = 10_000
BUDGET = 500.0
"""Microseconds of CPU a pair."""
DIFFERENT = 1000
"""Pairs that are made; they are taken one after the other, as often as it needs."""
CANDIDATES = 20
MIXED = "noise in five fields, one pair in 35 with a defect, one in ten asked again"


@dataclass(frozen=True)
class Speed:
    """What pairs of one sort cost."""

    name: str
    reply_bytes: int
    microseconds: float


@dataclass(frozen=True)
class Comparison:
    """Everything that was found. `report` is what the figures of an interface cost each time, in microseconds."""

    pairs: int
    speeds: tuple[Speed, ...]
    report: float

    @property
    def kept(self) -> bool:
        """Whether pairs as they come in life cost less than the budget."""
        return self.usual < BUDGET

    @property
    def usual(self) -> float:
        """What pairs as they come in life cost, with noise, defects and second answers."""
        return next((one.microseconds for one in self.speeds if one.name == MIXED), 0.0)


def measure_comparing(pairs: int, told: Callable[[str], None]) -> Comparison:
    """Measures the comparator alone, in this thread."""
    told("comparing pairs of answers")
    with tempfile.TemporaryDirectory(prefix="metip-bench-") as folder:
        people = People(Path(folder))
    contracts = people.contracts
    noise = {name: (share, change) for name, (share, change, _) in NOISE.items()}
    defects = {name: (0.0024, change) for name, (change, *_) in TWELVE.items()}
    number = min(pairs, DIFFERENT)
    mixed = Comparator(contracts)
    speeds = (
        _speed("alike but for a clock", Comparator(contracts), _of_a_clock(people, number), pairs),
        _speed(MIXED, mixed, list(Population(people, noise, defects).pairs(number)), pairs),
        _speed(
            f"{CANDIDATES} candidates, shuffled, each changed in a name", Comparator(contracts), _shuffled(people, 50), min(pairs, 1000)
        ),
    )
    return Comparison(pairs, speeds, _spent(lambda: mixed.evidence(OPERATION), 20))


def _speed(name: str, comparator: Comparator, pairs: Sequence[Pair], number: int) -> Speed:
    turns = itertools.cycle(pairs)
    found = Speed(name, len(pairs[0].primary.reply), _spent(lambda: comparator.take(next(turns)), number))
    assert not comparator.failed, comparator.failed
    return found


def _spent(work: Callable[[], object], number: int) -> float:
    """Microseconds of CPU each time, the least of three rounds, since whatever else the machine does only adds."""
    found = []
    for _ in range(3):
        begun = time.thread_time()
        for _ in range(number):
            work()
        found.append((time.thread_time() - begun) / number * 1e6)
    return min(found)


def _of_a_clock(people: People, number: int) -> list[Pair]:
    found = []
    for pair in Population(people, {}, {}, again=0.0).pairs(number):
        later = people.kind.FromString(pair.primary.reply)
        later.provenance.as_of.seconds += 3
        found.append(_pair(pair.primary.reply, later.SerializeToString()))
    return found


def _shuffled(people: People, number: int) -> list[Pair]:
    dice, found = random.Random(1), []
    for start in range(number):
        one = people.reply(start)
        for place in range(1, CANDIDATES):
            one.nominals.extend(people.reply(start + place).nominals[:1])
        del one.nominals[CANDIDATES:]
        other = copy.deepcopy(one)
        entries = list(other.nominals)
        dice.shuffle(entries)
        mixed = [copy.deepcopy(entry) for entry in entries]
        for entry in mixed:
            entry.person.name.family_name = entry.person.name.family_name[:4]
        del other.nominals[:]
        other.nominals.extend(mixed)
        found.append(_pair(one.SerializeToString(), other.SerializeToString()))
    return found


def _pair(one: bytes, other: bytes) -> Pair:
    return Pair(OPERATION, "call", START, b"", Answer("old", "METIP", reply=one), Answer("new", "METIP2", reply=other))
