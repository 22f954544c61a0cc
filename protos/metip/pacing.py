"""When a group of those who wait for a disk begins: at once while few ask, and gathered while many do.

What a sync and a change of threads cost is then shared by many, the more the more there are. Where as many wait as ever come at once,
waiting for more would only stop them, so that a group begins as soon as it is as large as the largest lately.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil
from typing import Final

RECENTLY: Final = 0.02
PROBED: Final = 16
"""Every so-many-th group gathers for its whole time, which tells how many come."""
FADING: Final = 0.98
"""What is left of the size of the largest group, as it is remembered, after each further one."""


@dataclass
class Pace:
    """The pace of one writer. `ask` by whoever comes; all else by the thread that writes."""

    busy: int
    """Those who asked within `RECENTLY` seconds from which on groups are gathered."""
    shortest: float
    """Seconds between the beginnings of two groups where just so many ask."""
    longest: float
    """The same where very many do."""
    asked: int = 0
    _waited_for: int = 0
    """How many there will have been when the thread that gathers wants to hear of it; 0 while it does not."""
    _taken: int = 0
    """How many there had been when the last group began."""
    _groups: int = 0
    _largest: float = 0.0
    _recent: deque[tuple[float, int]] = field(default_factory=deque)

    def ask(self) -> bool:
        """Counts one more; whether that is the one that was waited for."""
        self.asked += 1
        return self.asked == self._waited_for

    def pause(self, now: float) -> float:
        """Seconds to gather from now on, unless `ask` says before that there are enough; 0 to begin at once."""
        recent = self._recent
        while len(recent) > 1 and recent[0][0] < now - RECENTLY:
            recent.popleft()
        if not recent or (lately := self.asked - recent[0][1]) < self.busy:
            return 0.0
        enough = self._taken + ceil(self._largest)
        if self._groups % PROBED and self.asked >= enough:
            return 0.0
        self._waited_for = enough if self._groups % PROBED else 0
        return max(0.0, recent[-1][0] + min(self.longest, self.shortest * lately / self.busy) - now)

    def begin(self, now: float) -> None:
        """A group begins, with all who asked so far."""
        self._waited_for = 0
        self._groups += 1
        self._largest = max(self.asked - self._taken, self._largest * FADING)
        self._taken = self.asked
        self._recent.append((now, self.asked))
