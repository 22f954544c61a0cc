"""Fault dials: what is set, how often it strikes, when it goes back by itself."""

import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

STANDARD: Mapping[str, str] = {
    "delay": "answers after this long, such as 250ms or 2s",
    "hang": "takes the question and never answers it",
    "half_open": "stops reading and writing but keeps the connection, as after a lost network",
    "drop": "closes the connection instead of answering",
    "truncate": "sends the first half of the answer, then closes the connection",
    "garbage": "answers bytes that mean nothing",
}
"""Dials that every simulator has, whatever its protocol."""


@dataclass(frozen=True, slots=True)
class Dial:
    """One dial as it is set."""

    name: str
    setting: str = ""
    share: float = 1.0
    times: int = 0
    """Strikes after which it goes back by itself; 0 means never."""
    lasts: float = 0.0
    """Seconds after which it goes back by itself; 0 means never."""


class Dials:
    """The dials of one simulator. Chance is seeded, so that a run can be repeated."""

    def __init__(self, own: Mapping[str, str], *, seed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.known: Mapping[str, str] = {**STANDARD, **own}
        self.exchanges: Counter[str] = Counter()
        self._set: dict[str, Dial] = {}
        self._struck: Counter[str] = Counter()
        self._until: dict[str, float] = {}
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311 - faults are played, not secrets made

    def set(self, dials: Iterable[Dial]) -> None:
        """Sets dials, all or none. Raises `ValueError` naming those that the simulator lacks and settings that make no sense."""
        wanted = list(dials)
        problems = [f"there is no dial {dial.name!r}; there are {', '.join(self.known)}" for dial in wanted if dial.name not in self.known]
        problems += [
            f"delay needs a time such as 2s, not {dial.setting!r}"
            for dial in wanted
            if dial.name == "delay" and seconds(dial.setting) is None
        ]
        problems += [f"{dial.name}: the share must be above 0 and at most 1" for dial in wanted if not 0 < dial.share <= 1]
        if problems:
            raise ValueError("; ".join(problems))
        for dial in wanted:
            self._set[dial.name] = dial
            self._struck[dial.name] = 0
            self._until[dial.name] = self._clock() + dial.lasts if dial.lasts else math.inf

    def clear(self) -> None:
        """Puts every dial back."""
        self._set.clear()

    @property
    def current(self) -> tuple[Dial, ...]:
        """Dials that are set."""
        return tuple(dial for dial in self._set.values() if self._clock() < self._until[dial.name])

    def strike(self, name: str) -> str | None:
        """Whether the dial strikes this exchange: its setting (`""` for on) or None. A dial with `times` counts down here."""
        dial = self._set.get(name)
        if dial is None or self._clock() >= self._until[name] or self._chance.random() >= dial.share:
            return None
        self._struck[name] += 1
        if dial.times and self._struck[name] >= dial.times:
            del self._set[name]
        return dial.setting


def seconds(text: str) -> float | None:
    """`250ms`, `2s` or `1.5s` as seconds; None for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text)
    if not found:
        return None
    return float(found[1]) / (1000 if found[2] == "ms" else 1)
