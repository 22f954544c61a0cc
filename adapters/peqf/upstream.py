"""The way to the learning partner: folders on an SFTP host. What lies in `from_partner` waits; nothing else is remembered."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from adapters.kit import Fault, Limits
from adapters.kit.drops import Drops
from adapters.kit.gathering import nobodys
from adapters.kit.sftp import SftpClient
from adapters.peqf import wire
from adapters.peqf.codes import OURS
from adapters.peqf.records import Enrolment, Finding
from metip.logs import Log
from metip.peqf.v1.settings_pb2 import Settings

IN, OUT, SENT, DONE, REFUSED = "from_partner", "to_partner", "sent", "done", "refused"
"""What the partner puts; what it takes; our copies of enrolments; what was dealt with, with its tally; what was refused (assumed)."""
TALLY = ".tally"


@dataclass(frozen=True)
class Partner(Drops):
    """Files that come from the learning partner and go to it."""

    sender: str

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> "AsyncIterator[Partner]":
        """The way for the length of the block. Raises `SettingsError`."""
        async with SftpClient.connected(Limits.of(settings.upstream), settings.logon, log) as files:
            yield cls(files, settings.folder or ".", wire.SCHEMA, settings.sender or "MPS")

    async def tell(self, name: str, records: Sequence[Any], kind: type[Any]) -> None:
        """Puts a file where the partner takes it."""
        await self.seal(OUT, name, records, kind, OURS)

    async def enrol(self, enrolments: Sequence[Enrolment]) -> None:
        """Puts enrolments as one file, of which a copy is kept first: their receipt names rows only."""
        name = f"{wire.ENROLMENTS}{self.sender}_{datetime.now(UTC):%Y%m%d}_{uuid4().int % 10**20:020d}"
        try:
            await self.prepare(SENT)
            await self.put(SENT, name + wire.CSV, wire.encode(enrolments, Enrolment))
            await self.tell(name, enrolments, Enrolment)
        except Fault as fault:
            raise nobodys(fault) from None

    async def tally(self, finding: Finding) -> None:
        """Keeps what became of a file, for the report of its day."""
        await self.put(DONE, finding.file.removesuffix(wire.CSV) + TALLY, wire.encode([finding], Finding))

    async def tallies(self, day: str) -> dict[str, Finding]:
        """What became of the files of a day, `yyyymmdd`, by name; enrolments that nobody has acknowledged are among them."""
        known = [name for name in await self.names(DONE, TALLY) if wire.day_of(name) == day]
        sent = [name for name in await self.names(SENT, wire.CSV) if wire.day_of(name) == day and name not in known]
        found = [one for name in known for one in wire.decode_all(await self.read(DONE, name + TALLY), Finding)]
        found += [Finding(file=name + wire.CSV, difference="NOT_ACKNOWLEDGED") for name in sent]
        return {one.file: one for one in found}

    def report_of(self, day: str) -> str:
        """The name of our report of a day."""
        return f"{wire.REPORT}{self.sender}_{day}_0001"
