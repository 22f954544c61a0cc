"""A clock for the exchange that never goes back, whatever is done to the machine's: due times and windows are told by it."""

import time
from collections.abc import Callable


class SteadyClock:
    """Wall time, or later: at least `since`, and never less than it said before."""

    def __init__(self, since: float = 0.0, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._ahead = max(since, wall()) - steady()

    def __call__(self) -> float:
        """Unix time in seconds. When the machine's clock was put back it runs on from where it was; put forward, it follows."""
        elapsed = self._steady()
        self._ahead = max(self._ahead, self._wall() - elapsed)
        return self._ahead + elapsed

    def at_least(self, moment: float) -> None:
        """Makes it say no less than that from now on."""
        self._ahead = max(self._ahead, moment - self._steady())
