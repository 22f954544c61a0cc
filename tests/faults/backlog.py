"""A subscriber that was away for 72 hours: a million messages wait, and opening, turning and counting stay fast and small.

`python -m tests.faults.backlog FOLDER MESSAGES` prints what it measured as JSON; a process of its own, so that its memory is its own.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from engines import Time, arrival, settled, subscription

from hub.exchange.life import Event, State
from hub.exchange.records import Accepted, Settlement
from hub.exchange.sqlite import SqliteEngine

AWAY = 72 * 3600.0
AT_ONCE = 5000
KEYS = 1000
TURNS = 200
ROOM = 64
SAID = subscription(backlog=10_000_000)


@dataclass
class Measured:
    """Seconds and MiB."""

    messages: int
    accepted_a_second: float
    pending: int
    open_seconds: float
    first_turn_seconds: float
    slowest_turn_seconds: float
    accounts_seconds: float
    given: int
    out_of_order: int
    peak_mib_while_accepting: float
    peak_mib: float
    file_mib: float


def _peak() -> float:
    """Of this program; what `getrusage` says counts the process that began it, too."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM:")) / 1024


async def measure(folder: Path, messages: int) -> Measured:
    """Fills the backlog, opens it anew and has the subscriber come back."""
    moment = Time()
    file = folder / "exchange.sqlite"
    engine = await SqliteEngine.open(file, print, clock=moment.clock())
    await engine.subscribe((SAID,), lambda _name: None)
    began = time.perf_counter()
    for start in range(0, messages, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, messages))
        found = await engine.accept([arrival(f"k{number}", f"line-{number % KEYS}") for number in numbers])
        assert all(isinstance(one, Accepted) and not one.duplicate_of for one in found)
        moment.now += AWAY * len(numbers) / messages
    took, while_accepting = time.perf_counter() - began, _peak()
    await engine.close()
    began = time.perf_counter()
    engine = await SqliteEngine.open(file, print, clock=moment.clock())
    await engine.subscribe((SAID,), lambda _name: None)
    opened = time.perf_counter() - began
    began = time.perf_counter()
    (account,) = await engine.accounts()
    counted = time.perf_counter() - began
    turns, places, wrong = [], dict[str, int](), 0
    ended: list[Settlement] = []
    for _ in range(TURNS):
        began = time.perf_counter()
        attempts = (await engine.turn(SAID.name, ended, ROOM)).attempts
        turns.append(time.perf_counter() - began)
        for one in attempts:
            number = int(one.body[1:])
            wrong += places.get(str(number % KEYS), -1) >= number
            places[str(number % KEYS)] = number
        ended = [settled(one, Event.CONFIRMED) for one in attempts]
    await engine.turn(SAID.name, ended, 0)
    (after,) = await engine.accounts()
    await engine.close()
    return Measured(
        messages,
        messages / took,
        account.counts.get(State.PENDING, 0),
        opened,
        turns[0],
        max(turns),
        counted,
        after.counts.get(State.PROCESSED, 0),
        wrong,
        while_accepting,
        _peak(),
        file.stat().st_size / (1 << 20),
    )


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(measure(Path(sys.argv[1]), int(sys.argv[2]))))))  # noqa: T201 - what the parent reads
