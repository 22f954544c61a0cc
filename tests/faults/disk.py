"""A file system for SQLite that fails when it is told to, the n-th write, sync or truncate, or that takes its time."""

import itertools
import time
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import apsw

_NUMBERS: Final = itertools.count()


class How(Enum):
    """How a disk fails."""

    ONCE = "once"
    """One operation fails, the next ones work: as a write after a failed fsync does."""
    FROM_THEN_ON = "from then on"
    TORN = "torn"
    """Half of a write comes through, then nothing works."""
    FULL = "full"
    """There is no room from then on."""
    UNREADABLE = "unreadable"
    """One read fails; only reads are counted."""


@dataclass
class Disk:
    """What a file system does from now on, and what it was asked."""

    fails_at: int = 0
    """Number of the operation that fails; 0 for none."""
    how: How = How.ONCE
    slow: float = 0.0
    """Seconds that a sync takes."""
    asked: int = 0
    failed: str = ""
    """The first operation that failed."""

    def ask(self, what: str) -> bool:
        """Counts an operation; whether it works."""
        if what.startswith("read") != (self.how is How.UNREADABLE):
            return True
        self.asked += 1
        if not self.fails_at or self.asked < self.fails_at or (self.how in (How.ONCE, How.UNREADABLE) and self.asked > self.fails_at):
            return True
        self.failed = self.failed or what
        return self.how is How.FULL and not what.startswith("write")


class Vfs(apsw.VFS):
    """SQLite's own file system with a disk under it that obeys."""

    def __init__(self, disk: Disk) -> None:
        self.name = f"faults-{next(_NUMBERS)}"
        self.disk = disk
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "File":
        """Opens a file."""
        return File(self.disk, name, flags)

    def excepthook(self, etype: Any, evalue: Any, etraceback: Any) -> bool:
        """Says nothing: what fails here was meant to."""
        return True

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """Deletes a file."""
        if not self.disk.ask(f"delete {filename[-4:]}"):
            raise _error(apsw.SQLITE_IOERR_DELETE)
        super().xDelete(filename, syncdir)


class File(apsw.VFSFile):
    """One open file."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        said = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._name = "wal" if said.endswith("-wal") else "file"
        super().__init__("", name, flags)

    def excepthook(self, etype: Any, evalue: Any, etraceback: Any) -> bool:
        """Says nothing: what fails here was meant to."""
        return True

    def xRead(self, amount: int, offset: int) -> bytes:
        """Reads."""
        if not self._disk.ask(f"read {self._name}"):
            raise _error(apsw.SQLITE_IOERR_READ)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Writes."""
        if not self._disk.ask(f"write {self._name}"):
            if self._disk.how is How.TORN:
                super().xWrite(bytes(data[: len(data) // 2]), offset)
            raise _error(apsw.SQLITE_FULL if self._disk.how is How.FULL else apsw.SQLITE_IOERR_WRITE)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        """Syncs."""
        if not self._disk.ask(f"sync {self._name}"):
            raise _error(apsw.SQLITE_IOERR_FSYNC)
        if self._disk.slow:
            time.sleep(self._disk.slow)  # on the writer's own thread, as a slow disk would
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:
        """Truncates."""
        if not self._disk.ask(f"truncate {self._name}"):
            raise _error(apsw.SQLITE_IOERR_TRUNCATE)
        super().xTruncate(newsize)


def _error(code: int) -> Exception:
    found: Exception = apsw.exception_for(code)
    return found
