"""Which processes seem to have died: those from which nothing came for a lease while the log itself was at work.

No two clocks are compared: each hub measures on its own steady clock since when a process's last entry is the last, and the log decides:
whoever wrote again in the meantime lives.
"""

from collections.abc import Mapping


class Watch:
    """What one hub has seen of the others."""

    def __init__(self, lease: float) -> None:
        self._lease = lease
        self._seen: dict[str, tuple[int, float]] = {}

    def silent(self, lives: Mapping[str, int], now: float) -> list[tuple[str, int]]:
        """Of processes and the places of their last entries, those that have been silent for a lease."""
        seen = {owner: self._seen.get(owner, (sequence, now)) for owner, sequence in lives.items()}
        self._seen = {owner: one if one[0] == lives[owner] else (lives[owner], now) for owner, one in seen.items()}
        return [(owner, sequence) for owner, (sequence, since) in self._seen.items() if now - since > self._lease]

    def forget(self) -> None:
        """Begins anew, as after a time in which nobody could write."""
        self._seen.clear()
