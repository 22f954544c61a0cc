"""A stand-in for NSPIS Custody on its own wire: an SFTP host whose outbox fills with versions of custody records."""

import asyncio
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from adapters.custody.detentions import amended, versions
from adapters.custody.records import CustodyRecord
from adapters.custody.upstream import OUTBOX
from adapters.custody.wire import encode
from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import seconds
from adapters.kit.simulation.sftp import Sftp

DIALS = {
    "partial": "leaves an export without its end, which comes after 2s, or after the time that is set, such as 10s, or never",
    "shuffled": "exports the versions of a record in the wrong order",
    "burst": "exports the records of so many more detentions, such as 50; each second again unless it is set for a number of times",
    "late_edit": "has the last record of a release corrected 47 hours after it",
    "damaged": "changes a byte in the middle of an export",
}
AT_START = 3
"""Detentions whose records wait in the outbox when the simulator starts."""
TICK = 0.25
BURST_TICKS = 4
REST_AFTER = 2.0


@dataclass
class _Rest:
    """The rest of an export that has no end yet."""

    path: Path
    content: bytes
    ticks: float


class Simulator:
    """The custody system's export, over the shared population."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._population = population
        self._dials = dials
        self._detention = count(1)
        self._export = count(1)
        self._rest: list[_Rest] = []
        self._last = versions(population, 1)[-1]
        self.folder = Path()
        """Where the files are, once the simulator listens."""
        self.transport = Sftp(self.begin, self.work)

    def begin(self, folder: Path) -> None:
        """Fills the outbox for the first time."""
        self.folder = folder
        (folder / OUTBOX).mkdir()
        for _ in range(AT_START):
            self.detain()

    async def work(self, folder: Path) -> None:
        """Exports what the dials say, and the rest of what has no end."""
        for tick in count():
            burst = self._dials.strike("burst") if tick % BURST_TICKS == 0 else None
            for _ in range(_number(burst)):
                self.detain()
            if tick % BURST_TICKS == 0 and self._dials.strike("late_edit") is not None:
                self._last = amended(self._last)
                self.export(self._last)
            self._complete()
            await asyncio.sleep(TICK)

    def detain(self) -> tuple[CustodyRecord, ...]:
        """Exports all versions of the next detention's record; after the last one it begins with the first again, as an old system's
        re-export does."""
        number = (next(self._detention) - 1) % self._population.scale.arrests + 1
        told = versions(self._population, number)
        self._last = told[-1]
        for record in reversed(told) if self._dials.strike("shuffled") is not None else told:
            self.export(record)
        return told

    def export(self, record: CustodyRecord) -> str:
        """Drops one version into the outbox the way the dials say, and gives the file's name."""
        self._dials.exchanges["export"] += 1
        name = f"CR{next(self._export):010d}.xml"
        content = encode(record)
        if self._dials.strike("damaged") is not None:
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        partial = self._dials.strike("partial")
        whole = content if partial is None else content[: len(content) * 2 // 3]
        temporary, path = self.folder / OUTBOX / f"{name}.tmp", self.folder / OUTBOX / name
        temporary.write_bytes(whole)
        temporary.rename(path)
        if partial is not None and partial != "never":
            after = seconds(partial)
            self._rest.append(_Rest(path, content[len(whole) :], (REST_AFTER if after is None else after) / TICK))
        return name

    def _complete(self) -> None:
        for rest in self._rest:
            rest.ticks -= 1
        due, self._rest = [one for one in self._rest if one.ticks <= 0], [one for one in self._rest if one.ticks > 0]
        for rest in due:
            if rest.path.exists():
                with rest.path.open("ab") as file:
                    file.write(rest.content)


def _number(setting: str | None) -> int:
    return int(setting) if setting is not None and setting.isdecimal() else 0
