"""Notices that files changed, by asking for their times now and then: it works on every file system, and a second is soon enough."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

INTERVAL = 1.0


async def changes(paths: Iterable[Path], *, interval: float = INTERVAL) -> AsyncIterator[tuple[Path, ...]]:
    """Each time any of the files changed, those that did. A file that is missing for a moment counts as changed when it is back."""
    known = {path: _stamp(path) for path in paths}
    while True:
        await asyncio.sleep(interval)
        now = {path: _stamp(path) for path in known}
        changed = tuple(path for path, stamp in now.items() if stamp != known[path] and stamp is not None)
        known = {path: stamp if stamp is not None else known[path] for path, stamp in now.items()}
        if changed:
            yield changed


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
