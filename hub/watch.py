"""Notices that files changed, by asking for their times now and then: it works on every file system, and a second is soon enough."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TypeAlias

INTERVAL = 1.0
Stamp: TypeAlias = tuple[int, int, int]


def changes(paths: Iterable[Path], *, interval: float = INTERVAL) -> AsyncIterator[tuple[Path, ...]]:
    """Each time any of the files changed since this was called, those that did.

    Call it before the files are read, so that no change falls in between. A file that is missing for a moment counts as changed when it is
    back.
    """
    return _changes({path: _stamp(path) for path in paths}, interval)


async def _changes(known: dict[Path, Stamp | None], interval: float) -> AsyncIterator[tuple[Path, ...]]:
    while True:
        await asyncio.sleep(interval)
        now = {path: _stamp(path) for path in known}
        changed = tuple(path for path, stamp in now.items() if stamp != known[path] and stamp is not None)
        known = {path: stamp if stamp is not None else known[path] for path, stamp in now.items()}
        if changed:
            yield changed


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
