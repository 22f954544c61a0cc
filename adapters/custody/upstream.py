"""The way to NSPIS Custody: three folders on an SFTP host. What is in the outbox is not published yet; nothing else needs remembering."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from adapters.kit import Limits
from adapters.kit.errands import errand
from adapters.kit.sftp import Entry, SftpClient
from metip.custody.v1.settings_pb2 import Settings
from metip.logs import Log

OUTBOX, ACCEPTED, REJECTED = "outbox", "accepted", "rejected"
EXPORT = re.compile(r"CR[0-9]{10}\.xml")
"""Names of whole exports, in the order in which they were made; NSPIS writes under another name and renames (assumed)."""
LARGEST = 1024 * 1024
WITHIN = 30.0
"""Seconds for one operation of the adapter's own; the settings bound it further."""


class Outbox:
    """The files that NSPIS Custody hands over."""

    def __init__(self, files: SftpClient, folder: str) -> None:
        self._files = files
        self._folder = folder

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way for the length of the block. Raises `SettingsError`."""
        async with SftpClient.connected(Limits.of(settings.upstream), settings.logon, log) as files:
            yield cls(files, settings.folder or ".")

    async def prepare(self) -> None:
        """Makes the folders that the adapter puts files into."""
        for name in (ACCEPTED, REJECTED):
            await self._files.make_folder(f"{self._folder}/{name}", errand("prepare", within=WITHIN))

    async def waiting(self) -> tuple[Entry, ...]:
        """Exports that wait, oldest first."""
        found = await self._files.list(f"{self._folder}/{OUTBOX}", errand("list", within=WITHIN))
        return tuple(entry for entry in found if EXPORT.fullmatch(entry.name))

    async def content(self, name: str) -> bytes:
        """What is in an export so far. Raises `Fault` TOO_LARGE."""
        return await self._files.read(f"{self._folder}/{OUTBOX}/{name}", errand("read", within=WITHIN), largest=LARGEST)

    async def accept(self, name: str) -> None:
        """Puts an export aside that was published."""
        await self._move(name, ACCEPTED)

    async def reject(self, name: str, reason: str) -> None:
        """Puts an export aside that can't be published, beside a file that says why; that one first, so that none is ever without it."""
        folder = f"{self._folder}/{REJECTED}"
        await self._files.put(folder, f"{name}.reason", f"{reason}\n".encode(), errand("reject", within=WITHIN))
        await self._move(name, REJECTED)

    async def _move(self, name: str, folder: str) -> None:
        await self._files.move(f"{self._folder}/{OUTBOX}/{name}", f"{self._folder}/{folder}/{name}", errand("move", within=WITHIN))
