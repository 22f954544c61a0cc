"""The client's side of SFTP: folders listed, whole files read and put, each in one bounded exchange behind the guard.

A file is put under a temporary name, made durable, and renamed: whoever looks into the folder sees all of it or nothing. Every operation
may be repeated: a file put twice is there once, a file moved twice has moved. Names of files and what a far system says of them may tell
of people, so neither is in any fault.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self, TypeVar

try:
    import asyncssh
except ModuleNotFoundError as missing:  # it is an extra, since most adapters need none of it
    raise LookupError("files over SFTP need asyncssh: install metip[sftp]") from missing

from adapters.kit.sessions import Pool
from adapters.kit.upstream import Guard, Limits
from metip.adapter.v1.sftp_pb2 import SftpLogon
from metip.call import Call
from metip.faults import Fault, Reason
from metip.logs import Log
from metip.settings import SettingsError

R = TypeVar("R")

KEEPALIVE = 15
"""Seconds of silence after which the host is asked whether it is still there; after three without an answer the connection is given up."""
ROOM_AGAIN = timedelta(seconds=60)
PART = ".part"
"""Ends the temporary name of a file that is being put; it begins with a full stop."""
NOT_THERE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
NO_ROOM = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
NOT_ALLOWED = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect, asyncssh.SFTPOpUnsupported)
CUT_OFF = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a folder."""

    name: str
    size: int
    modified: float
    """Unix time by the far system's clock."""


@dataclass(frozen=True, slots=True)
class Logon:
    """A `SftpLogon` setting with its defaults filled in."""

    host: str
    port: int
    user: str
    key_file: str
    known_hosts_file: str

    @classmethod
    def of(cls, settings: SftpLogon, address: str) -> Self:
        """Reads the setting and the address. Raises `SettingsError` for an address or files that can't be used."""
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        if not host or not port.isdecimal():
            raise SettingsError("upstream.address", (f"{address!r} is no host:port",))
        if not settings.key_file and not _is_this_machine(host):
            raise SettingsError("logon.key_file", ("is needed: without a key files go to this machine's own addresses only",))
        _check(settings)
        return cls(host, int(port), settings.user or "metip", settings.key_file, settings.known_hosts_file)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check(settings: SftpLogon) -> None:
    try:
        if settings.key_file:
            asyncssh.read_private_key(settings.key_file)
    except (OSError, ValueError) as error:  # asyncssh's own errors of keys are ValueErrors
        raise SettingsError("logon.key_file", (_plain(error),)) from None
    try:
        if settings.known_hosts_file:
            asyncssh.read_known_hosts(settings.known_hosts_file)
    except (OSError, ValueError) as error:
        raise SettingsError("logon.known_hosts_file", (_plain(error),)) from None


def _plain(error: Exception) -> str:
    return f"can't be read: {error.strerror}" if isinstance(error, OSError) else "holds nothing that can be used"


@dataclass(slots=True)
class _Session:
    """One SFTP session in a connection of its own."""

    connection: asyncssh.SSHClientConnection
    sftp: asyncssh.SFTPClient

    @property
    def alive(self) -> bool:
        return not self.connection.is_closed()

    async def close(self) -> None:
        """Ends it at once: what was asked and not answered is no use to anybody."""
        self.connection.abort()
        await self.connection.wait_closed()


class SftpClient:
    """The way to one host's files.

    Every operation raises `Fault`: NO_TRACE when the file or folder is not there, UPSTREAM_REFUSED, BUSY when the host has no room,
    UPSTREAM_UNAVAILABLE, UPSTREAM_FAULT for what nobody can read, TIMED_OUT, CIRCUIT_OPEN.
    """

    def __init__(self, limits: Limits, logon: Logon, log: Log) -> None:
        self.guard = Guard(limits, log)
        self._logon = logon
        self._pool: Pool[_Session] = Pool(self._connect)

    @classmethod
    @asynccontextmanager
    async def connected(cls, limits: Limits, logon: SftpLogon, log: Log) -> AsyncIterator[Self]:
        """A client for the length of the block; it connects when first asked. Raises `SettingsError` as `Logon.of` does."""
        client = cls(limits, Logon.of(logon, limits.address), log)
        try:
            yield client
        finally:
            await client._pool.close()

    async def list(self, folder: str, call: Call) -> tuple[Entry, ...]:
        """The folder's files in order of name, without those that are still being put."""
        found = await self._ask(call, lambda sftp: sftp.readdir(folder))
        entries = (_entry(one) for one in found)
        return tuple(sorted((entry for entry in entries if entry is not None), key=lambda entry: entry.name))

    async def read(self, path: str, call: Call, *, largest: int) -> bytes:
        """The whole file. Raises `Fault` TOO_LARGE for one of more than `largest` bytes, of which no more is read."""
        data = await self._ask(call, lambda sftp: _read(sftp, path, largest + 1))
        if len(data) > largest:
            raise Fault(Reason.TOO_LARGE, f"the file has more than {largest} bytes")
        return data

    async def put(self, folder: str, name: str, data: bytes, call: Call) -> None:
        """Puts a whole file into the folder in one step, in place of one that has the name."""
        await self._ask(call, lambda sftp: _put(sftp, f"{folder}/.{name}{PART}", f"{folder}/{name}", data))

    async def move(self, source: str, target: str, call: Call) -> None:
        """Gives the file another place, where it replaces what has its name. One that is there already and no longer here has moved."""
        await self._ask(call, lambda sftp: _move(sftp, source, target))

    async def remove(self, path: str, call: Call) -> None:
        """Deletes the file, if it is still there."""
        await self._ask(call, lambda sftp: _remove(sftp, path))

    async def make_folder(self, path: str, call: Call) -> None:
        """Makes the folder and those above it, if they are not there."""
        await self._ask(call, lambda sftp: sftp.makedirs(path, exist_ok=True))

    async def _ask(self, call: Call, work: Callable[[asyncssh.SFTPClient], Awaitable[R]]) -> R:
        async with self.guard.admit(call) as passage:
            with map_upstream():
                async with self._pool.session() as session:
                    passage.sent = True
                    return await _bounded(session, work(session.sftp))

    async def _connect(self) -> _Session:
        logon = self._logon
        connection = await asyncssh.connect(
            logon.host,
            logon.port,
            username=logon.user,
            client_keys=[logon.key_file] if logon.key_file else None,
            known_hosts=logon.known_hosts_file or None,
            # A host that lets everybody in is not the one that the key is for.
            disable_trivial_auth=bool(logon.key_file),
            password_auth=False,
            kbdint_auth=False,
            gss_auth=False,
            gss_kex=False,
            # Nothing comes from the home directory or the agent of whoever starts the process.
            config=None,
            agent_path=None,
            keepalive_interval=KEEPALIVE,
        )
        try:
            return _Session(connection, await connection.start_sftp_client())
        except BaseException:
            connection.abort()
            raise


async def _bounded(session: _Session, work: Awaitable[R]) -> R:
    """Does the work until it is cancelled. asyncssh then waits for the host to close its files, which a host that is lost never does;
    only the end of the connection ends that."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        session.connection.abort()
        await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()
        raise


async def _read(sftp: asyncssh.SFTPClient, path: str, most: int) -> bytes:
    async with sftp.open(path, "rb") as file:
        data: Any = await file.read(most)  # bytes, since it was opened as such
    return bytes(data)


async def _put(sftp: asyncssh.SFTPClient, temporary: str, path: str, data: bytes) -> None:
    async with sftp.open(temporary, "wb") as file:
        await file.write(data)
        with suppress(asyncssh.SFTPOpUnsupported):  # a host without it says nothing about what a power cut leaves
            await file.fsync()
    await _rename(sftp, temporary, path)


async def _move(sftp: asyncssh.SFTPClient, source: str, target: str) -> None:
    try:
        await _rename(sftp, source, target)
    except NOT_THERE:
        if not await sftp.exists(target):
            raise


async def _remove(sftp: asyncssh.SFTPClient, path: str) -> None:
    with suppress(*NOT_THERE):
        await sftp.remove(path)


async def _rename(sftp: asyncssh.SFTPClient, source: str, target: str) -> None:
    try:
        await sftp.posix_rename(source, target)
    except asyncssh.SFTPOpUnsupported:  # SFTP's own renaming, which leaves what has the name; such a host is told the name once only
        await sftp.rename(source, target)


def _entry(found: asyncssh.SFTPName) -> Entry | None:
    """The file, or None for what is no file or is not yet to be read."""
    name = found.filename if isinstance(found.filename, str) else found.filename.decode("utf-8", "replace")
    if name.startswith(".") or found.attrs.type not in (asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN):
        return None
    return Entry(name, found.attrs.size or 0, float(found.attrs.mtime or 0))


@contextmanager
def map_upstream() -> Iterator[None]:
    """Turns what asyncssh raises into `Fault`. What the host says in words stays behind: it names files."""
    try:
        yield
    except asyncssh.SFTPError as error:
        raise _fault(error) from None
    except asyncssh.PermissionDenied:
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the host refused the adapter's logon") from None
    except asyncssh.HostKeyNotVerifiable:
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the host has another key than the one that is known") from None
    except asyncssh.ProtocolError:
        raise Fault(Reason.UPSTREAM_FAULT, "the host answered something that is no SSH") from None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the key for the host can't be read") from None
    except (asyncssh.Error, OSError):
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the connection to the host broke, or there is none") from None


def _fault(error: asyncssh.SFTPError) -> Fault:
    code = {"code": str(error.code)}
    if isinstance(error, NOT_THERE):
        return Fault(Reason.NO_TRACE, "the host has no such file or folder", metadata=code)
    if isinstance(error, NO_ROOM):
        return Fault(Reason.BUSY, "the host has no room left", metadata=code, retry_after=ROOM_AGAIN)
    if isinstance(error, NOT_ALLOWED):
        return Fault(Reason.UPSTREAM_REFUSED, "the host does not allow it", metadata=code)
    if isinstance(error, CUT_OFF):
        return Fault(Reason.UPSTREAM_UNAVAILABLE, "the connection to the host broke")
    return Fault(Reason.UPSTREAM_FAULT, "the host answered with a failure, or something that nobody can read", metadata=code)
