"""Counts what pairs showed, by second, for windows of time that somebody watches; names each difference by a small number.

Counted are a pair's signals, each a (path, kind, hint) in three depths: the field, the kind of difference in it, and the hint. So a defect
is told from noise in the same field by how it looks. And counted are patterns, which are all signals of a pair together, so that it can be
said later how many pairs differed in anything but noise, whatever turns out to be noise.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from hub.parity.differences import Difference
from hub.parity.pairs import Answer

Key = tuple[str, int]
Tally = Counter[Key]
"""Counts by (counter, number); the number is 0 where the counter has none."""
COMPARED, AGAIN, MIXED = "compared", "again", "mixed"
SIGNAL, NOISE, PATTERN = "signal", "noise", "pattern"
ERRORS: Final = {"primary": "primary errors", "shadow": "shadow errors"}
LATENCY: Final = {"primary": "primary latency", "shadow": "shadow latency"}
"""Counters by side; the number of a latency is a step of its scale."""
NOT_FOUND: Final = 5
STEPS: Final = 8
"""Steps of the latency scale in each doubling: a step is 9 %."""
MOST_SIGNALS: Final = 3000
MOST_PATTERNS: Final = 4000
"""Of one operation: what comes beyond is counted together."""
MOST_WINDOWS: Final = 8
LATE: Final = 600
"""Seconds that are kept one by one in memory, so that a guard may look at the last minutes as often as it likes."""
MOST_DETAILS: Final = 20


class Signal(NamedTuple):
    """What a difference looks like; without hint, or without hint and kind, all of these together."""

    path: str
    kind: str = ""
    hint: str = ""


BEYOND: Final = Signal("(others)", "CHANGED", "too many to tell apart")
"""Stands for whatever comes after the last signal that there is room for."""


@dataclass(slots=True)
class Seen:
    """A signal's number, when it was seen, and how it looked closer by."""

    number: int
    signal: Signal
    first: float = math.inf
    last: float = 0.0
    details: Counter[str] = field(default_factory=Counter)


@dataclass
class Book:
    """Signals and patterns of one operation, by number."""

    operation: str
    number: int
    signals: dict[Signal, Seen] = field(default_factory=dict)
    patterns: dict[tuple[int, ...], int] = field(default_factory=dict)
    unsaved: set[Signal] = field(default_factory=set)
    unsaved_patterns: set[tuple[int, ...]] = field(default_factory=set)

    def seen(self, signal: Signal) -> Seen:
        """The signal's entry, made where it is new."""
        found = self.signals.get(signal)
        if found is None:
            found = self.signals[signal] = Seen(len(self.signals) + 1, signal)
            self.unsaved.add(signal)
        return found

    def look(self, difference: Difference) -> Seen:
        """The entry of a difference's look in its full depth."""
        signal = Signal(difference.path, difference.kind.value, difference.hint or difference.kind.value.lower())
        return self.seen(signal if signal in self.signals or len(self.signals) < MOST_SIGNALS else BEYOND)

    def read(self, differences: list[Difference], at: float, *, noise: bool = False) -> list[Seen]:
        """The signals of a comparison in their full depth, each once; notes when and how, unless they are the primary's own."""
        found: dict[int, Seen] = {}
        for one in differences:
            entry = self.look(one)
            found[entry.number] = entry
            if noise:
                continue
            entry.first, entry.last = min(entry.first, at), max(entry.last, at)
            if one.detail and (one.detail in entry.details or len(entry.details) < MOST_DETAILS):
                entry.details[one.detail] += 1
            self.unsaved.add(entry.signal)
        return list(found.values())

    def keys(self, seen: list[Seen], counter: str) -> Iterator[Key]:
        """What is counted of the signals of one comparison: each in its three depths, once."""
        numbers = {one.number for one in seen}
        for one in seen:
            path, kind, _ = one.signal
            numbers.add(self.seen(Signal(path)).number)
            numbers.add(self.seen(Signal(path, kind)).number)
        return ((counter, number) for number in numbers)

    def pattern(self, seen: list[Seen]) -> Key:
        """What is counted of them together; by their fields alone, or as mixed, where there are too many patterns."""
        for numbers in ((one.number for one in seen), (self.seen(Signal(one.signal.path)).number for one in seen)):
            pattern = tuple(sorted(set(numbers)))
            found = self.patterns.get(pattern)
            if found is None and len(self.patterns) < MOST_PATTERNS:
                found = self.patterns[pattern] = len(self.patterns) + 1
                self.unsaved_patterns.add(pattern)
            if found is not None:
                return PATTERN, found
        return MIXED, 0


class Tallies:
    """What was counted and is not yet stored, and the windows that are watched. Not safe for threads: its owner holds the lock."""

    def __init__(self, now: float) -> None:
        self.waiting: dict[tuple[int, int], Tally] = {}
        """By number of the operation and second."""
        self._recent: dict[tuple[int, int], Tally] = {}
        self._recent_from = int(now) + 1
        self._windows: OrderedDict[int, dict[int, Tally]] = OrderedDict()

    def count(self, operation: int, at: float, keys: list[Key]) -> None:
        """Counts one pair of an operation."""
        second = int(at)
        tally = self.waiting.get((operation, second))
        if tally is None:
            tally = self.waiting[operation, second] = Counter()
        _add(tally, keys)
        if second >= self._recent_from:
            _add(self._recent.setdefault((operation, second), Counter()), keys)
        for since, window in self._windows.items():
            if second >= since:
                if operation not in window:
                    window[operation] = Counter()
                _add(window[operation], keys)

    def window(self, since: float) -> dict[int, Tally] | None:
        """Tallies by operation since an instant, if it is of late or watched."""
        if since >= self._recent_from:
            return self._since(int(since))
        found = self._windows.get(int(since))
        if found is not None:
            self._windows.move_to_end(int(since))
        return found

    def watch(self, since: float, stored: dict[int, Tally]) -> dict[int, Tally]:
        """Watches from an instant on, beginning with what is stored; the window that nobody asked for longest is given up."""
        for (operation, second), tally in self.waiting.items():
            if second >= int(since):
                stored.setdefault(operation, Counter()).update(tally)
        self._windows[int(since)] = stored
        while len(self._windows) > MOST_WINDOWS:
            self._windows.popitem(last=False)
        return stored

    def forget(self, now: float) -> None:
        """Lets go of seconds that are no longer of late."""
        self._recent_from = max(self._recent_from, int(now) - LATE)
        for key in [key for key in self._recent if key[1] < self._recent_from]:
            del self._recent[key]

    def _since(self, since: int) -> dict[int, Tally]:
        found: dict[int, Tally] = {}
        for (operation, second), tally in self._recent.items():
            if second >= since:
                found.setdefault(operation, Counter()).update(tally)
        return found

    def taken(self) -> dict[tuple[int, int], Tally]:
        """What waits to be stored, which then waits no more."""
        found, self.waiting = self.waiting, {}
        return found


def keys_of_answer(answer: Answer, side: str) -> Iterator[Key]:
    """What is counted of one answer by itself: an error, and how long it took."""
    if answer.code not in (0, NOT_FOUND):
        yield ERRORS[side], 0
    yield LATENCY[side], step_of(answer.seconds)


def step_of(seconds: float) -> int:
    """The step of the latency scale."""
    return int(math.log2(max(seconds, 0.0) * 1e6 + 1) * STEPS) if seconds < 1e6 else 40 * STEPS


def quantile(tally: Tally, side: str, share: float) -> float:
    """Milliseconds within which that share of answers came, to 5 %; 0 without answers."""
    steps = sorted((number, count) for (counter, number), count in tally.items() if counter == LATENCY[side])
    rest = sum(count for _, count in steps) * share
    for number, count in steps:
        rest -= count
        if rest <= 1e-9:
            return float((2 ** ((number + 0.5) / STEPS) - 1) / 1000)
    return 0.0


def _add(tally: Tally, keys: Iterable[Key]) -> None:
    held: Any = tally
    for key in keys:
        held[key] = held.get(key, 0) + 1
