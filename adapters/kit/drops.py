"""Folders on an SFTP host in which every file has a manifest beside it: put before its manifest, read after it, moved before it.

Files are named without their ending. The far side sees a manifest only when its file is there; so does whoever reads here.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from adapters.kit import Call, Fault, Log, Reason
from adapters.kit.errands import errand
from adapters.kit.sftp import SftpClient
from adapters.kit.tables import Damaged, Incomplete, Manifest, check, decode, encode, manifest_of, read_manifest

R = TypeVar("R")
Deal = Callable[[str, Manifest, bytes], Awaitable[None]]
"""Does what is to be done with a whole file: its name, its manifest, its bytes."""
CSV, MANIFEST = ".csv", ".manifest"
LARGEST = 32 * 1024 * 1024
WITHIN = 15.0
"""Seconds for one operation that nobody asked for: less than an attempt of the exchange has. The settings bound it further."""


@dataclass(frozen=True)
class Drops:
    """The folders of one account. Every operation raises `Fault` as `SftpClient` does."""

    files: SftpClient
    folder: str
    """In which the others are."""
    schema: str
    """The version of the files' columns that is written, and the only one that is read."""

    async def prepare(self, *names: str) -> None:
        """Makes folders, if they are not there."""
        for name in names:
            await self.files.make_folder(f"{self.folder}/{name}", errand("prepare", within=WITHIN))

    async def names(self, folder: str, ending: str = MANIFEST, call: Call | None = None) -> tuple[str, ...]:
        """Names of the files that have this ending, in order."""
        found = await self.files.list(f"{self.folder}/{folder}", call or errand("list", within=WITHIN))
        return tuple(entry.name.removesuffix(ending) for entry in found if entry.name.endswith(ending))

    async def read(self, folder: str, file: str, call: Call | None = None) -> bytes:
        """A file, whole or not; named with its ending."""
        return await self.files.read(f"{self.folder}/{folder}/{file}", call or errand("read", within=WITHIN), largest=LARGEST)

    async def opened(self, folder: str, name: str, call: Call | None = None) -> tuple[Manifest, bytes]:
        """A file that its manifest proves whole. Raises `Incomplete` and `Damaged`, too."""
        manifest = read_manifest(await self.read(folder, name + MANIFEST, call), name + CSV, self.schema)
        try:
            data = await self.read(folder, name + CSV, call)
        except Fault as fault:
            if fault.reason is not Reason.NO_TRACE:
                raise
            raise Incomplete("the file is not there") from None
        check(manifest, data)
        return manifest, data

    async def put(self, folder: str, file: str, data: bytes) -> None:
        """Puts a file without a manifest; named with its ending."""
        await self.files.put(f"{self.folder}/{folder}", file, data, errand("put", within=WITHIN))

    async def seal(self, folder: str, name: str, records: Sequence[Any], kind: type[Any], code_set: str) -> None:
        """Puts a file of records, and then its manifest."""
        data, created = encode(records, kind), datetime.now(UTC).replace(microsecond=0)
        manifest = manifest_of(name + CSV, data, rows=len(records), schema=self.schema, code_set=code_set, created=created)
        await self.put(folder, name + CSV, data)
        await self.put(folder, name + MANIFEST, manifest)

    async def finish(self, folder: str, name: str, target: str) -> None:
        """Moves a file and then its manifest; what is not there, or has moved already, is no hindrance."""
        for ending in (CSV, MANIFEST):
            source = f"{self.folder}/{folder}/{name}{ending}"
            try:
                await self.files.move(source, f"{self.folder}/{target}/{name}{ending}", errand("move", within=WITHIN))
            except Fault as fault:
                if fault.reason is not Reason.NO_TRACE:
                    raise


@dataclass
class Inbox:
    """Deals with the files of a folder: each is done, or refused with a code, or waited for."""

    drops: Drops
    folder: str
    done: str
    refused: str
    refuse: Callable[[str, str], Awaitable[None]]
    """Says to whoever sent a file, by its name, why it is refused as a whole; before it leaves the folder."""
    patience: float
    """Seconds in which the rest of a file may come."""
    log: Log
    now: Callable[[], float] = time.monotonic
    _unfinished: dict[str, float] = field(default_factory=dict)

    async def look(self, deals: Mapping[str, Deal]) -> None:
        """Deals with every file whose name begins with a key: in the order of the keys, then of names. What a deal raises, but for
        `Damaged`, leaves the file where it is."""
        waiting = await self.drops.names(self.folder)
        self._unfinished = {name: since for name, since in self._unfinished.items() if name in waiting}
        for beginning, deal in deals.items():
            for name in waiting:
                if name.startswith(beginning):
                    await self._deal(name, deal)

    async def _deal(self, name: str, deal: Deal) -> None:
        code = await self._problem(name, deal)
        if code:
            await self.refuse(name, code)
            self.log.line("file_refused", file=name, code=code)
        if code or name not in self._unfinished:
            await self.drops.finish(self.folder, name, self.refused if code else self.done)

    async def _problem(self, name: str, deal: Deal) -> str:
        """Why the file is refused; '' when it is done or waited for."""
        try:
            await deal(name, *await self.drops.opened(self.folder, name))
        except Incomplete:
            since = self._unfinished.setdefault(name, self.now())
            return "INCOMPLETE" if self.now() - since >= self.patience else ""
        except Damaged as error:
            return str(error)
        except Fault as fault:
            if fault.reason is not Reason.TOO_LARGE:
                raise
            return fault.reason.name
        self._unfinished.pop(name, None)
        return ""


@dataclass(frozen=True)
class Held(Generic[R]):
    """The rows that could be read of a file, by number."""

    name: str
    manifest: Manifest
    rows: Mapping[int, R]


@dataclass
class Latest(Generic[R]):
    """The latest whole file of a folder whose name begins so; its name tells its age. It is looked for again every so many seconds."""

    drops: Drops
    folder: str
    beginning: str
    kind: type[R]
    log: Log
    every: float
    now: Callable[[], float] = time.monotonic
    _held: Held[R] | None = None
    _looked: float = float("-inf")
    _told: set[str] = field(default_factory=set)

    async def current(self, call: Call | None = None) -> Held[R]:
        """What is held serves while there is no newer whole file, or no host. Raises `Fault` UPSTREAM_UNAVAILABLE when nothing is."""
        if self.now() - self._looked >= self.every:
            try:
                await self._look(call)
            except Fault:
                if self._held is None:
                    raise
            self._looked = self.now()
        if self._held is None:
            self._looked = float("-inf")
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the far side has put no whole file")
        return self._held

    async def _look(self, call: Call | None) -> None:
        names = [name for name in await self.drops.names(self.folder, call=call) if name.startswith(self.beginning)]
        for name in sorted(names, reverse=True):
            if self._held is not None and name <= self._held.name:
                return
            try:
                manifest, data = await self.drops.opened(self.folder, name, call)
                rows, bad = decode(data, self.kind)
            except (Incomplete, Damaged) as error:
                if name not in self._told:
                    self._told.add(name)
                    self.log.line("file_not_usable", file=name, problem=str(error))
                continue
            if bad:
                self.log.line("rows_left_out", file=name, rows=len(bad))
            self._held = Held(name, manifest, rows)
            return
