"""When a group of those who wait for a disk begins: at once while few ask, and gathered while many do.

What a sync and a change of threads cost is then shared by many, the more the more there are. Where as many wait as ever come at once,
waiting for more would only stop them, so that a group begins as soon as it is as large as the largest of the last ones.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

RECENTLY: Final = 0.02
PROBED: Final = 32
"""Every so-many-th group that is gathered is so for its whole time, which tells how many come now."""


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
    _gathered: int = 0
    """Groups since the last one that was gathered for its whole time."""
    _probing: bool = False
    _largest: int = 0
    """The size of that one, or of a larger one since."""
    _recent: deque[tuple[float, int]] = field(default_factory=deque)

    def ask(self) -> bool:
        """Counts one more; whether that is the one that was waited for."""
        self.asked += 1
        return self.asked == self._waited_for

    def pause(self, now: float) -> float:
        """Seconds to gather from now on, unless `ask` says before that there are enough; 0 to begin at once."""
        lately = self._lately(now)
        if lately < self.busy:
            return 0.0
        self._probing = self._gathered >= PROBED or not self._largest
        enough = self._taken + self._largest
        if not self._probing and self.asked >= enough:
            return 0.0
        self._waited_for = 0 if self._probing else enough
        return max(0.0, self._recent[-1][0] + min(self.longest, self.shortest * lately / self.busy) - now)

    def _lately(self, now: float) -> float:
        """How many asked within the last `RECENTLY` seconds, by the groups of at least so long: a large one that has just begun took all
        who came before it, and to count from there would say that nobody comes."""
        recent = self._recent
        while len(recent) > 1 and recent[1][0] <= now - RECENTLY:
            recent.popleft()
        if not recent:
            return 0.0
        since, before = recent[0]
        return (self.asked - before) * RECENTLY / max(RECENTLY, now - since)

    def begin(self, now: float) -> None:
        """A group begins, with all who asked so far."""
        size, self._waited_for = self.asked - self._taken, 0
        self._largest = size if self._probing else max(size, self._largest)
        self._gathered = 0 if self._probing else self._gathered + 1
        self._probing = False
        self._taken = self.asked
        self._recent.append((now, self.asked))
