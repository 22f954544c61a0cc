"""How long to wait before the next attempt: twice as long each time, up to a bound, and never in step with others."""

from collections.abc import Callable


def delay(attempt: int, first: float, longest: float, chance: Callable[[], float]) -> float:
    """Seconds after attempt number `attempt` (from 1); `chance` gives numbers from 0 up to 1. Between half of the step and all of it."""
    step = min(longest, first * 2.0 ** min(attempt - 1, 32))
    return step * (0.5 + chance() / 2)
