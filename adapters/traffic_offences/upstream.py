"""The way to the Home Office's system: folders on an SFTP host. What waits in `out` is not reported yet; nothing else needs remembering."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self
from uuid import uuid4

from adapters.kit import Fault, Limits, Reason
from adapters.kit.errands import errand
from adapters.kit.gathering import nobodys
from adapters.kit.sftp import Entry, SftpClient
from adapters.traffic_offences.records import Batch, Header, Offence
from adapters.traffic_offences.wire import encode_batch
from metip.logs import Log
from metip.traffic_offences.v1.settings_pb2 import Settings

IN, OUT, REFUSED = "in", "out", "refused"
"""The far side's folders: for batches, for acknowledgements, and for batches that it refused as a whole (assumed)."""
DONE, UNREADABLE = "done", "unreadable"
"""Where acknowledgements go: those that were reported, and those that can't be."""
ACKNOWLEDGEMENT = re.compile(r"ACK_[A-Za-z0-9_]{1,60}\.xml")
BATCH = re.compile(r"[A-Za-z0-9_]{1,60}\.xml")
LARGEST = 32 * 1024 * 1024
WITHIN = 15.0
"""Seconds for one operation: less than an attempt of the exchange has. The settings bound it further."""


class HomeOffice:
    """Puts batches, and fetches what became of them."""

    def __init__(self, files: SftpClient, folder: str, sender: str) -> None:
        self._files = files
        self._folder = folder
        self._sender = sender

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way for the length of the block. Raises `SettingsError`."""
        async with SftpClient.connected(Limits.of(settings.upstream), settings.logon, log) as files:
            yield cls(files, settings.folder or ".", settings.sender or "MPS")

    async def submit(self, offences: Sequence[Offence]) -> None:
        """Puts the offences as one batch.

        Raises `Fault` UPSTREAM_UNAVAILABLE or BUSY whatever went wrong: it is no offence's fault, and the same again has one effect.
        """
        now, batch = datetime.now(UTC), uuid4().hex
        header = Header(sender=self._sender, batch=batch, created=f"{now:%Y-%m-%dT%H:%M:%SZ}")
        data = encode_batch(Batch(header=header, offences=tuple(offences)))
        name = f"{self._sender}_{now:%Y%m%d%H%M%S}_{batch[:12]}.xml"
        try:
            await self._files.put(f"{self._folder}/{IN}", name, data, errand("put", within=WITHIN))
        except Fault as fault:
            raise nobodys(fault) from None

    async def prepare(self) -> None:
        """Makes the folders that the adapter puts acknowledgements into."""
        for name in (DONE, UNREADABLE):
            await self._files.make_folder(f"{self._folder}/{name}", errand("prepare", within=WITHIN))

    async def acknowledgements(self) -> tuple[Entry, ...]:
        """Acknowledgements that wait, in order of name."""
        found = await self._files.list(f"{self._folder}/{OUT}", errand("list", within=WITHIN))
        return tuple(entry for entry in found if ACKNOWLEDGEMENT.fullmatch(entry.name))

    async def acknowledgement(self, name: str) -> bytes:
        """What is in an acknowledgement so far."""
        return await self._files.read(f"{self._folder}/{OUT}/{name}", errand("read", within=WITHIN), largest=LARGEST)

    async def refused_batch(self, name: str) -> bytes:
        """A batch that the far side refused as a whole; nothing when it is not there."""
        if BATCH.fullmatch(name) is None:
            return b""
        try:
            return await self._files.read(f"{self._folder}/{REFUSED}/{name}", errand("read", within=WITHIN), largest=LARGEST)
        except Fault as fault:
            if fault.reason is Reason.NO_TRACE:
                return b""
            raise

    async def put_aside(self, name: str, folder: str) -> None:
        """Takes an acknowledgement out of those that wait."""
        await self._files.move(f"{self._folder}/{OUT}/{name}", f"{self._folder}/{folder}/{name}", errand("move", within=WITHIN))
