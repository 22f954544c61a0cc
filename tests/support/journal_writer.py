"""A process that writes a journal until it is killed, and says on standard output what it was told is kept: a line for each record."""

import asyncio
import sys
from pathlib import Path

from journals import Ledger

from metip.journal.store import Journal

AT_ONCE = 20


async def write(journal: Journal, ledger: Ledger) -> None:
    """Keeps records for ever."""
    recording = ledger.recording()

    async def one(number: int) -> None:
        while True:
            await journal.record(*ledger.drafts(1, first=number, recording=recording))
            sys.stdout.write(f"call-{number}\n")
            sys.stdout.flush()
            number += AT_ONCE

    async with asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(one(number))


if __name__ == "__main__":
    where = Ledger(Path(sys.argv[1]))
    with where.journal() as opened:
        asyncio.run(write(opened, where))
