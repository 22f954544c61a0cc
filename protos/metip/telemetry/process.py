"""What every process says of itself: who it is, the machine's clock, its event loop, the room on its disks."""

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from metip.telemetry import families
from metip.telemetry.samples import Samples

EVERY: Final = 0.5
"""Seconds between two looks at the event loop."""


@dataclass
class Process:
    """One process."""

    name: str
    """Its kind: `hub` or `adapter`."""
    system: str
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Folders whose disk must not run full, by what they are called in metrics."""
    _worst: float = 0.0
    _before: float = 0.0

    async def watch(self) -> None:
        """Measures how late the event loop is, until it is cancelled."""
        while True:
            due = time.monotonic() + EVERY
            await asyncio.sleep(EVERY)
            self._worst = max(self._worst, time.monotonic() - due)

    def put(self, samples: Samples) -> None:
        """The source."""
        samples.put(families.PROCESS_INFO, 1, self.name, self.system)
        samples.put(families.CLOCK, time.time())
        samples.put(families.LOOP_LAG, max(self._worst, self._before))
        self._before, self._worst = self._worst, 0.0
        for name, folder in self.folders.items():
            with suppress(OSError):
                disk = os.statvfs(folder)
                samples.put(families.DISK_FREE, float(disk.f_bavail * disk.f_frsize), name)
                samples.put(families.DISK_SIZE, float(disk.f_blocks * disk.f_frsize), name)
