"""Power cuts: an ext4 image on a loop device is copied, or its file system stopped dead, while the engine writes into it.

What the file system had not written through to its device is not in the image, as after a cut. Each copy is mounted, which replays the
journal of the file system, and the store is opened on it, which replays its own. Then everything that the writer had been told before the
cut began must be there. Needs root, `mkfs.ext4` and a loop device; `why_not` says what is missing.
"""

import asyncio
import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import apsw
from exchange_rig import ROOT

from hub.exchange.life import State
from hub.exchange.records import BrokenError, Filter, UnknownError
from hub.exchange.sqlite import SqliteEngine
from tests.faults.checking import Finding
from tests.faults.writing import BOTH, ONCE

SIZE = 96 * 1024 * 1024
FILE = "exchange.sqlite"
COPIES = 2
"""Cuts by copying for each writer; one more by stopping its file system dead."""
SHORTEST, LONGEST = 0.1, 0.6
WITHIN = 30.0
SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
"""EXT4_IOC_SHUTDOWN and its flag for one that writes nothing more (linux/fs/ext4/ext4.h)."""
Told = Callable[[str], None]


def why_not() -> str:
    """Why no power can be cut here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root, for a loop device"
    if shutil.which("mkfs.ext4") is None:
        return "needs mkfs.ext4 (apt-get install e2fsprogs)"
    try:
        with tempfile.TemporaryDirectory(prefix="metip-power-") as folder, _mounted(_image(Path(folder), 8 * 1024 * 1024), Path(folder)):
            return ""
    except subprocess.CalledProcessError as error:
        return f"can't mount a loop device: {error.stderr.decode(errors='replace').strip()}"


@dataclass
class Promises:
    """What the writer said that it was told."""

    kept: dict[str, str] = field(default_factory=dict)
    """Message id by key."""
    given: set[tuple[str, str]] = field(default_factory=set)
    ended: set[tuple[str, str]] = field(default_factory=set)

    def hear(self, line: str) -> None:
        """One line of the writer."""
        what, first, second = line.split()
        if what == "kept":
            self.kept[first] = second
        else:
            (self.given if what == "given" else self.ended).add((first, second))

    def copy(self) -> "Promises":
        """As of now."""
        return Promises(dict(self.kept), set(self.given), set(self.ended))


@dataclass
class Cuts:
    """What was found in all images."""

    copied: int = 0
    stopped: int = 0
    promised: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What is there and can't be."""
    damaged: list[str] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether anything was found that must not be."""
        return bool(self.lost or self.wrong or self.damaged)


async def cut(cuts: int, seed: int, told: Told) -> Cuts:
    """So many cuts, no more once something was found."""
    found, chance = Cuts(), random.Random(seed)
    while found.copied + found.stopped < cuts and not found.broken:
        with tempfile.TemporaryDirectory(prefix="metip-power-") as folder:
            left = cuts - found.copied - found.stopped
            await _one_writer(Path(folder), min(COPIES, left - 1), chance, found)
        told(f"{found.copied + found.stopped} cuts, {found.promised} promises kept in the images, lost {len(found.lost)}")
    return found


def findings(found: Cuts, seed: int) -> list[Finding]:
    """What the cuts say, by number."""
    cuts = f"{found.copied + found.stopped} power cuts ({found.copied} images copied, {found.stopped} file systems stopped dead)"
    return [
        Finding("I1", not found.lost, f"{cuts}: acknowledged before them {found.promised}, lost {len(found.lost)}{_first(found.lost)}"),
        Finding("I2", not found.wrong, f"attempts given or ended and not known to be {len(found.wrong)}{_first(found.wrong)}"),
        Finding("I14", not found.damaged, f"stores that fail their integrity check {len(found.damaged)}{_first(found.damaged)}"),
        Finding("I13", True, f"seed {seed}"),
    ]


async def _one_writer(folder: Path, copies: int, chance: random.Random, found: Cuts) -> None:
    image = _image(folder)
    images: list[tuple[Path, Promises]] = []
    with _mounted(image, folder) as mounted:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "tests" / "support"), str(ROOT)))}
        command = (sys.executable, "-m", "tests.faults.writing", str(mounted / FILE), str(chance.randrange(1 << 30)))
        with _Hearing() as hearing:
            writer = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=hearing.mouth)
            try:
                async with asyncio.timeout(WITHIN):
                    while not hearing.promises.kept and writer.returncode is None:  # noqa: ASYNC110 - the writer can set no event here
                        await asyncio.sleep(0.01)
                for number in range(copies):
                    await asyncio.sleep(chance.uniform(SHORTEST, LONGEST))
                    target = folder / f"copy-{number}"
                    writer.send_signal(signal.SIGSTOP)
                    hearing.hear()
                    shutil.copyfile(image, target)
                    images.append((target, hearing.promises.copy()))
                    writer.send_signal(signal.SIGCONT)
                await asyncio.sleep(chance.uniform(SHORTEST, LONGEST))
                hearing.hear()
                _stop_dead(mounted)
                images.append((image, hearing.promises.copy()))
            finally:
                with suppress(ProcessLookupError):
                    writer.kill()
                await writer.wait()
    found.copied, found.stopped = found.copied + copies, found.stopped + 1
    for target, before in images:
        with _mounted(target, folder) as again:
            await _look(again / FILE, before, found)
        target.unlink()


class _Hearing:
    """The pipe from a writer, read as it fills and, at the instant of a cut, to the last word that is in it."""

    def __init__(self) -> None:
        self._ear, self.mouth = os.pipe()
        os.set_blocking(self._ear, False)
        self.promises = Promises()
        """What was promised up to the last look."""
        self._rest = b""

    def __enter__(self) -> "_Hearing":
        asyncio.get_running_loop().add_reader(self._ear, self.hear)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        asyncio.get_running_loop().remove_reader(self._ear)
        os.close(self._ear)
        os.close(self.mouth)

    def hear(self) -> None:
        """Reads to the last word that was said."""
        with suppress(BlockingIOError):
            while data := os.read(self._ear, 1 << 20):
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    self.promises.hear(line.decode("ascii"))


async def _look(file: Path, before: Promises, found: Cuts) -> None:
    """Opens what a cut has left and compares it with what was promised before."""
    try:
        if problem := integrity(file):
            found.damaged.append(problem)
        broken: list[BrokenError] = []
        engine = await SqliteEngine.open(file, broken.append)
    except apsw.Error as error:
        found.damaged.append(f"{type(error).__name__}: {error}")
        return
    try:
        await engine.subscribe(BOTH, lambda _name: None)
        found.promised += len(before.kept)
        for key, message_id in before.kept.items():
            try:
                message = await engine.message(message_id)
            except UnknownError:
                found.lost.append(key)
                continue
            if message.body.rstrip(b".").decode() != key:
                found.wrong.append(f"{key} has another's content")
        await _look_at_deliveries(engine, before, found)
    finally:
        await engine.close()


async def _look_at_deliveries(engine: SqliteEngine, before: Promises, found: Cuts) -> None:
    states = await _states(engine)
    kept = ((key, message_id, one.name) for key, message_id in before.kept.items() for one in BOTH)
    found.lost += [f"{key} for {name}" for key, message_id, name in kept if (message_id, name) not in states]
    for message_id, name in before.given:
        state = states.get((message_id, name))
        if (message_id, name) in before.ended and state is not State.PROCESSED:
            found.wrong.append(f"{message_id} to {name} had ended and is {state}")
        elif name == ONCE.name and state not in (State.PROCESSED, State.IN_DOUBT):
            found.wrong.append(f"{message_id} to {name} may have had its effect and is {state}")
    for account in await engine.accounts():
        listed = sum(name == account.subscription for _, name in states)
        if sum(account.counts.values()) != listed:
            found.wrong.append(f"{account.subscription} counts {sum(account.counts.values())} and has {listed}")


async def _states(engine: SqliteEngine) -> Mapping[tuple[str, str], State]:
    found: dict[tuple[str, str], State] = {}
    after = (0, "")
    while page := await engine.deliveries(Filter(), after=after, limit=5000):
        found.update({(one.message_id, one.subscription): one.state for one in page})
        after = (page[-1].sequence, page[-1].subscription)
    return found


def integrity(file: Path) -> str:
    """What `pragma integrity_check` says of a file; empty when it is sound. Raises `apsw.Error`."""
    database = apsw.Connection(str(file))
    try:
        said = str(database.pragma("integrity_check"))
    finally:
        database.close()
    return "" if said == "ok" else said


def _image(folder: Path, size: int = SIZE) -> Path:
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(size)
    _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    return image


@contextmanager
def _mounted(image: Path, folder: Path) -> Iterator[Path]:
    """An image of a file system, mounted. Raises `CalledProcessError`."""
    where = folder / f"{image.name}.mounted"
    where.mkdir()
    _run("mount", "-o", "loop", str(image), str(where))
    try:
        yield where
    finally:
        _run("umount", str(where))
        where.rmdir()


def _stop_dead(where: Path) -> None:
    """Ends a file system at once: whatever it has not written yet, it never will."""
    folder = os.open(where, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    finally:
        os.close(folder)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=WITHIN)


def _first(found: list[str]) -> str:
    return f": {', '.join(found[:5])}" if found else ""
