"""A worker: a child process with bounded memory, which tries decoder after decoder for equal times and writes down what it finds."""

import base64
import json
import mmap
import pickle
import random
import resource
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fuzz.corpora import Target, planted
from tests.fuzz.mutating import mutated
from tests.fuzz.trying import Problem, attempt, be_interrupted

MEMORY = 1536 * 1024 * 1024
"""Bytes of address space beside what the process has when it begins."""
SLICE = 0.4
"""Seconds after which the next decoder has its turn."""
PLACE = struct.Struct("<QQQ")
"""Where a worker is, for whoever finds it dead or stuck: decoder, number of the execution, how often it has moved."""


def document(seed: int, target: Target, number: int) -> bytes:
    """The document of an execution: it follows from the run's seed, the decoder, the number, and the decoder's seeds."""
    return mutated(random.Random(f"{seed}:{target.name}:{number}"), target.seeds)


def work(folder: Path, worker: int, workers: int, seed: int, seconds: float) -> None:
    """Tries for so many seconds; counts and findings go to the folder."""
    seeds: dict[str, tuple[bytes, ...]] = pickle.loads((folder / "seeds").read_bytes())  # noqa: S301 - our own
    chosen = planted(seeds)[worker::workers]
    bound_memory()
    be_interrupted()
    with (folder / f"place-{worker}").open("r+b") as file, mmap.mmap(file.fileno(), PLACE.size) as place:
        _run(folder, worker, chosen, seed, seconds, place)


def bound_memory() -> None:
    """No more than `MEMORY` from here on; more is a `MemoryError`, which no decoder may raise."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run(folder: Path, worker: int, chosen: Sequence[Target], seed: int, seconds: float, place: mmap.mmap) -> None:
    counts = {one.name: {"executions": 0, "read": 0, "seconds": 0.0, "slowest": 0.0, "seeds": len(one.seeds)} for one in chosen}
    known: dict[tuple[str, str, str], dict[str, Any]] = {}
    steps, ends, told = 0, time.monotonic() + seconds, time.monotonic()
    while chosen and time.monotonic() < ends:
        target = min(chosen, key=lambda one: counts[one.name]["seconds"])
        count, began = counts[target.name], time.monotonic()
        until = min(began + min(SLICE, seconds / len(chosen) / 2), ends)
        while time.monotonic() < until:
            number = int(count["executions"])
            steps += 1
            place[:] = PLACE.pack(_index(chosen, target), number, steps)
            data = document(seed, target, number)
            before = time.process_time()
            read, problem = attempt(target.decoder, data)
            count["slowest"] = max(count["slowest"], time.process_time() - before)
            count["executions"] += 1
            count["read"] += read
            if problem is not None:
                _find(known, target, seed, number, data, problem)
        count["seconds"] += time.monotonic() - began
        if time.monotonic() - told > 5:
            _write(folder, worker, counts, known)
            told = time.monotonic()
    _write(folder, worker, counts, known)


def _index(chosen: Sequence[Target], target: Target) -> int:
    return next(place for place, one in enumerate(chosen) if one is target)


def _find(known: dict[tuple[str, str, str], dict[str, Any]], target: Target, seed: int, number: int, data: bytes, problem: Problem) -> None:
    key = (target.name, problem.step, problem.kind)
    if key in known:
        known[key]["times"] += 1
        return
    known[key] = finding(target, seed, number, data, problem.step, problem.kind, problem.trace)


def finding(target: Target, seed: int, number: int, data: bytes, step: str, kind: str, trace: str = "") -> dict[str, Any]:
    """What is kept of a finding: enough to try it again."""
    said = {"decoder": target.name, "seed": seed, "number": number, "step": step, "kind": kind, "times": 1}
    return {**said, "trace": trace, "document": base64.b64encode(data).decode()}


def _write(folder: Path, worker: int, counts: dict[str, Any], known: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    text = json.dumps({"counts": counts, "findings": list(known.values()), "peak": peak})
    (folder / f"found-{worker}.part").write_text(text)
    (folder / f"found-{worker}.part").replace(folder / f"found-{worker}")
