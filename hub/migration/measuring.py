"""Counts from the edge's log what each platform answered callers, by the second for the watch, and in all for the evidence.

Only lines of interfaces under watch are read; what the hub itself asked, to compare or to deliver, is told apart by its identity.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from hub.ledger.following import EdgeReader
from hub.mesh.edge_log import Reached, read_line
from hub.migration.figures import Tally, total

LONGEST_WINDOW: Final = 600
BLAMED: Final = frozenset({"UH", "UF", "UC", "UO", "URX", "UT", "LR", "UR", "NC", "DT"})
"""Envoy's flags of calls that failed because nobody of the chosen platform answered."""
Key = tuple[str, str]
"""Interface and system."""


class Counts(Protocol):
    """Where counts are kept."""

    def count_calls(self, tallies: Mapping[Key, Tally]) -> None:
        """Adds calls to those of the time since interfaces stand where they stand."""


class Measures:
    """What was counted lately. Of one task."""

    def __init__(self, systems: Callable[[str], str], hub: str) -> None:
        """`systems` names the owner of an interface, or nothing for one that is not counted; `hub` is the hub's own identity."""
        self._system_of, self._hub = systems, hub
        self._seconds: dict[Key, deque[tuple[int, Tally]]] = defaultdict(deque)
        self._uncounted: dict[Key, Tally] = defaultdict(Tally)
        self._from: dict[str, float] = {}

    def take(self, text: str) -> bool:
        """Counts a line of the log, and says whether it was one that counts."""
        try:
            line = read_line(text)
        except ValueError:
            return False
        if line.reached is Reached.NO_CALL or not line.cluster or line.consumer == self._hub or line.grpc_status is None:
            return False
        if line.reached is Reached.EDGE and not BLAMED & set(line.flags.split(",")):
            return False  # refused by the edge for a reason of its own
        system, slash, interface = line.cluster.partition("/")
        if not slash:
            interface, system = line.cluster, self._system_of(line.cluster)
        if not system or not self._system_of(interface):
            return False
        ended, key = line.at + line.ms / 1000, (interface, system)
        if ended < self._from.get(interface, 0.0):
            return False
        second = int(ended)
        pieces = self._seconds[key]
        # Lines come as calls end, so a second is never long past; one that is counts with the latest.
        if not pieces or pieces[-1][0] < second:
            pieces.append((second, Tally()))
            while pieces[0][0] < second - LONGEST_WINDOW:
                pieces.popleft()
        pieces[-1][1].take(line.grpc_status, line.ms)
        self._uncounted[key].take(line.grpc_status, line.ms)
        return True

    def window(self, interface: str, system: str, since: float) -> Tally:
        """What a system answered since a unix time, to the second."""
        pieces = self._seconds.get((interface, system), ())
        return total(tally for second, tally in pieces if second >= int(since))

    def forget(self, interface: str, now: float) -> None:
        """Forgets calls of an interface, which stands elsewhere from now on; lines of calls that ended before may still come."""
        self._from[interface] = now
        for kept in (self._seconds, self._uncounted):
            for key in [key for key in kept if key[0] == interface]:
                del kept[key]

    def uncounted(self) -> dict[Key, Tally]:
        """What was taken since this was asked last."""
        found, self._uncounted = dict(self._uncounted), defaultdict(Tally)
        return found


class Counting:
    """Counts what callers get of watched interfaces, and keeps it."""

    def __init__(self, store: Counts, log: Path | None, owner: Callable[[str], str], hub: str) -> None:
        """`owner` names the system that owns an interface under way; `hub` is the hub's own identity."""
        self._store = store
        self._measures = Measures(owner, hub)
        self._reader = EdgeReader(log) if log is not None else None
        self._idle = True

    def read(self, interfaces: Sequence[str]) -> None:
        """Reads on. While nothing is watched the log is left alone, and what was written meanwhile is past."""
        if self._reader is None or not interfaces:
            self._idle = True
            return
        if self._idle:
            self._reader.begin()
            self._idle = False
        for line in self._reader.lines(interfaces):
            self._measures.take(line)

    def window(self, interface: str, system: str, since: float) -> Tally:
        """What a system answered since a unix time, to the second."""
        return self._measures.window(interface, system, since)

    def keep(self) -> None:
        """Keeps what was counted."""
        if counted := self._measures.uncounted():
            self._store.count_calls(counted)

    def forget(self, interface: str, now: float) -> None:
        """An interface stands elsewhere: its calls so far say nothing of what comes."""
        self._measures.forget(interface, now)

    def close(self) -> None:
        """Lets go of the log."""
        if self._reader is not None:
            self._reader.close()
