"""The writer of a power cut: the SQLite engine at work on a file, telling its parent through a pipe what it was told is safe.

`python -m tests.faults.writing FILE SEED`. A line is written only after the engine returned, so whatever the parent has read was promised:
`kept <key> <message id>`, `given <message id> <subscription>` for an attempt that may go out now, and `ended <message id> <subscription>`
for one whose end is recorded. Ends when its file can't be written any more, as a hub does.
"""

import asyncio
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import filing
from engines import arrival, settled, subscription

from hub.exchange.life import Event
from hub.exchange.records import Accepted, Attempt, BrokenError
from hub.exchange.sqlite import SqliteEngine
from tests.faults import plants

AGAIN, ONCE = subscription("again"), subscription("once", write_once=True, parked_blocks=False)

filing.soon()

BOTH = (AGAIN, ONCE)
PRODUCERS = 8
BODY = 2000
HALTED = 70


async def work(file: Path, seed: int) -> None:
    """Accepts, gives and settles until it is killed."""
    chance = random.Random(seed)
    engine = await SqliteEngine.open(file, lambda _error: os._exit(HALTED))
    await engine.subscribe(BOTH, lambda _name: None)
    producing = [_produce(engine, f"{seed}-{os.getpid()}-{number}", chance) for number in range(PRODUCERS)]
    try:
        await asyncio.gather(*producing, *(_deliver(engine, one.name, chance) for one in BOTH))
    except BrokenError:
        os._exit(HALTED)


async def _produce(engine: SqliteEngine, name: str, chance: random.Random) -> None:
    number = 0
    while True:
        many = [f"{name}-{number + more}" for more in range(chance.choice((1, 1, 1, 4, 16)))]
        number += len(many)
        arrivals = [arrival(key, f"{name}-{chance.randrange(4)}") for key in many]
        found = await engine.accept([replace(one, body=one.body.ljust(BODY, b".")) for one in arrivals])
        for key, one in zip(many, found, strict=True):
            if isinstance(one, Accepted):
                _tell("kept", key, one.message_id)
        await asyncio.sleep(0.002)


async def _deliver(engine: SqliteEngine, name: str, chance: random.Random) -> None:
    under_way: Sequence[Attempt] = ()
    while True:
        turn = await engine.turn(name, [settled(one, Event.CONFIRMED) for one in under_way], 64)
        for attempt in under_way:
            _tell("ended", attempt.message_id, name)
        for attempt in turn.attempts:
            _tell("given", attempt.message_id, name)
        under_way = turn.attempts
        await asyncio.sleep(chance.uniform(0, 0.01))


def _tell(*words: str) -> None:
    os.write(1, f"{' '.join(words)}\n".encode("ascii"))


if __name__ == "__main__":
    plants.grow()
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))
