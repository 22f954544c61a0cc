"""A run: seeds are recorded, workers try, and a worker that dies or sticks is a finding too, after which another goes on."""

import asyncio
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metip.processes import dying_with_parent
from tests.fuzz.corpora import planted, targets
from tests.fuzz.recording import CASES, record
from tests.fuzz.trying import ROOT
from tests.fuzz.working import PLACE, document, finding

Told = Callable[[str], None]
WORKERS = 2
STUCK = 60.0
"""Seconds of the wall in one execution after which a worker is killed: C code can't be interrupted otherwise."""


@dataclass
class Outcome:
    """What a run came to."""

    seed: int
    seconds: float
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    peak: int = 0
    """Kilobytes, of the largest worker."""

    @property
    def executions(self) -> int:
        """Of all decoders."""
        return sum(int(one["executions"]) for one in self.counts.values())

    def add(self, said: dict[str, Any]) -> None:
        """Adds what a worker wrote."""
        for name, count in said["counts"].items():
            total = self.counts.setdefault(name, {"executions": 0, "read": 0, "seconds": 0.0, "slowest": 0.0, "seeds": count["seeds"]})
            for key in ("executions", "read", "seconds"):
                total[key] += count[key]
            total["slowest"] = max(total["slowest"], count["slowest"])
        places = {(one["decoder"], one["step"], one["kind"]): one for one in self.findings}
        for one in said["findings"]:
            known = places.get((one["decoder"], one["step"], one["kind"]))
            if known is not None:
                known["times"] += one["times"]
            else:
                self.findings.append(one)
        self.peak = max(self.peak, said["peak"])


def run(systems: Sequence[str], seconds: float, seed: int, told: Told, workers: int = WORKERS, cases: int = CASES) -> Outcome:
    """Records so many cases of each system, tries for so many seconds, and gives counts and findings."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        every = planted({one.name: one.seeds for one in targets(asyncio.run(record(systems, told, cases)))})
        (folder / "seeds").write_bytes(pickle.dumps({one.name: one.seeds for one in every}))
        outcome = Outcome(seed, seconds)
        ends = time.monotonic() + seconds
        workers = min(workers, len(every)) or 1
        children = [_Child(folder, worker, workers, seed, ends, outcome, every[worker::workers]) for worker in range(workers)]
        working = children
        while working := [child for child in working if not child.look()]:
            time.sleep(0.1)
        return outcome


class _Child:
    """A worker's process and what becomes of it."""

    def __init__(self, folder: Path, worker: int, workers: int, seed: int, ends: float, outcome: Outcome, chosen: Sequence[Any]) -> None:
        self._folder, self._worker, self._workers, self._seed, self._ends = folder, worker, workers, seed, ends
        self._outcome, self._chosen, self._begun = outcome, chosen, 0
        self._start()

    def _start(self) -> None:
        self._place = self._folder / f"place-{self._worker}"
        self._place.write_bytes(PLACE.pack(0, 0, 0))
        seconds = max(0.0, self._ends - time.monotonic())
        said = [str(self._folder), str(self._worker), str(self._workers), str(self._seed + self._begun * 1_000_003), str(seconds)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("tests/support", ".", "protos"))}
        command = dying_with_parent((sys.executable, "-m", "tests.fuzz.child", *said))
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment)
        self._seen, self._since = (0, 0, 0), time.monotonic()

    def look(self) -> bool:
        """Whether it has done its work."""
        place = PLACE.unpack(self._place.read_bytes())
        if place != self._seen:
            self._seen, self._since = place, time.monotonic()
        code = self._process.poll()
        if code is None and time.monotonic() - self._since > STUCK and self._seen[2]:
            self._process.kill()
            code = self._process.wait()
        if code is None:
            return False
        self._collect()
        if code != 0:
            if not self._seen[2]:
                raise RuntimeError(f"a worker ended with {code} before it began")
            self._found(code)
            if self._ends - time.monotonic() > 1:
                self._begun += 1
                self._start()
                return False
        return True

    def _collect(self) -> None:
        written = self._folder / f"found-{self._worker}"
        if written.exists():
            self._outcome.add(json.loads(written.read_text()))
            written.unlink()

    def _found(self, code: int) -> None:
        target, number = self._chosen[self._seen[0]], self._seen[1]
        seed = self._seed + self._begun * 1_000_003
        kind = "stuck" if code == -9 else f"the process ended with {code}"
        said = finding(target, seed, number, document(seed, target, number), "process", kind)
        self._outcome.add({"counts": {}, "findings": [said], "peak": 0})
