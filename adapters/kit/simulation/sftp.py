"""The wire of simulators that take and give files: a real SFTP server over a folder of its own, striking the standard dials at its answers.

The folder is temporary and all that a client can reach. Files only: no shell, no command, no SCP, no forwarding.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh

from adapters.kit.simulation.dials import Dials, seconds
from adapters.kit.simulation.transport import NONSENSE

if TYPE_CHECKING:  # generic in the type checker's eyes only
    Channel = asyncssh.SSHServerChannel[bytes]

WRITING = 0x02
"""The flag of SFTP's OPEN that asks to write (draft-ietf-secsh-filexfer-02, section 6.3)."""


async def nothing(folder: Path) -> None:
    """What a host does with its files that only keeps them."""


@dataclass(frozen=True)
class Sftp:
    """SFTP over one folder. `begin` fills the folder before anybody can connect; `work` is what the far system does with it meanwhile."""

    begin: Callable[[Path], None]
    work: Callable[[Path], Awaitable[None]] = nothing
    authorized_keys: Path | None = None
    """File of the keys that may log on; None lets anybody in without one."""
    host_key: bytes = b""
    """Private key in OpenSSH's form; empty makes a new one at each start."""

    @asynccontextmanager
    async def listening(self, host: str, port: int, dials: Dials) -> AsyncIterator[str]:
        """Listens for the length of the block and gives the address, `host:port`."""
        connections: set[asyncssh.SSHServerConnection] = set()
        with tempfile.TemporaryDirectory(prefix="metip-sftp-") as name:
            folder = Path(name)
            self.begin(folder)
            acceptor = await asyncssh.listen(
                host,
                port,
                server_host_keys=[self._key()],
                authorized_client_keys=str(self.authorized_keys) if self.authorized_keys else None,
                server_factory=partial(_Host, connections, open_to_all=self.authorized_keys is None),
                sftp_factory=partial(_Folder, folder=folder, dials=dials),
                allow_scp=False,
                agent_forwarding=False,
                x11_forwarding=False,
                config=None,
            )
            working = asyncio.ensure_future(self.work(folder))
            try:
                at = acceptor.get_addresses()[0]
                yield f"{at[0]}:{at[1]}"
            finally:
                working.cancel()
                acceptor.close()
                for connection in tuple(connections):
                    connection.abort()
                    await connection.wait_closed()
                await acceptor.wait_closed()
                with suppress(asyncio.CancelledError):
                    await working

    def _key(self) -> asyncssh.SSHKey:
        return asyncssh.import_private_key(self.host_key) if self.host_key else asyncssh.generate_private_key("ssh-ed25519")


class _Host(asyncssh.SSHServer):
    """Lets clients in, and remembers who is connected."""

    def __init__(self, connections: "set[asyncssh.SSHServerConnection]", *, open_to_all: bool) -> None:
        self._connections = connections
        self._open_to_all = open_to_all
        self._connection: asyncssh.SSHServerConnection | None = None
        self.gone = asyncio.Event()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        if self._connection is not None:
            self._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return not self._open_to_all


class _Folder(asyncssh.SFTPServer):
    """One session over the folder. SFTP's requests come one after another, so one that is not answered holds back all that follow."""

    def __init__(self, channel: "Channel", *, folder: Path, dials: Dials) -> None:
        super().__init__(channel, chroot=os.fsencode(folder))
        host = self.connection.get_owner()
        assert isinstance(host, _Host)
        self._gone = host.gone
        self._dials = dials
        self._ended = False

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        self._dials.exchanges["put" if pflags & WRITING else "read"] += 1
        return super().open(path, pflags, attrs)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        found = super().read(file_obj, offset, size)
        assert isinstance(found, bytes)
        return found[: await self._share(len(found))]

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        share = await self._share(len(data))
        written = super().write(file_obj, offset, data[:share])
        assert isinstance(written, int)
        if share < len(data):
            await self._end()
        return written

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        self._dials.exchanges["list"] += 1
        await self._whole()
        async for entry in super().scandir(path):
            yield entry

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self._renamed(super().rename, oldpath, newpath)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self._renamed(super().posix_rename, oldpath, newpath)

    async def _renamed(self, rename: Callable[[bytes, bytes], object], oldpath: bytes, newpath: bytes) -> None:
        self._dials.exchanges["rename"] += 1
        rename(oldpath, newpath)  # before the dials strike: an answer that is lost says nothing about what was done
        await self._whole()

    async def remove(self, path: bytes) -> None:
        self._dials.exchanges["remove"] += 1
        super().remove(path)
        await self._whole()

    async def _whole(self) -> None:
        """Strikes an answer of which there is no half."""
        if await self._share(2) < 2:
            await self._end()

    async def _share(self, size: int) -> int:
        """Strikes one answer: how much of it goes out. After half of it, the connection ends with the next request."""
        if self._ended:
            await self._end()
        delay = self._dials.strike("delay")
        if delay is not None:
            await asyncio.sleep(seconds(delay) or 0)
        if self._dials.strike("half_open") is not None:
            _deaf(self.connection)
            await self._end(by_us=False)
        if self._dials.strike("hang") is not None:
            await self._end(by_us=False)
        if self._dials.strike("drop") is not None:
            await self._end()
        if self._dials.strike("garbage") is not None:
            self.channel.write(len(NONSENSE).to_bytes(4, "big") + NONSENSE)
            await self._end(by_us=False)
        if self._dials.strike("truncate") is not None:
            self._ended = True
            return size // 2
        return size

    async def _end(self, *, by_us: bool = True) -> None:
        """Answers nothing more until the connection is gone."""
        if by_us:
            self.connection.abort()
        await self._gone.wait()
        raise asyncssh.SFTPConnectionLost("there is nobody to answer")


def _deaf(connection: asyncssh.SSHServerConnection) -> None:
    """Reads nothing more; the operating system still keeps the connection, as it does when a network is lost."""
    transport = connection._transport
    if transport is not None:
        transport.pause_reading()
