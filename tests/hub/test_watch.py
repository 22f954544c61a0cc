"""Noticing that files changed: each change once, a missing file only when it is back, and nothing missed before the first look."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.watch import changes

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON = 0.01
QUIET = 0.08
"""Seconds in which several looks are taken."""


def write(path: Path, text: str) -> None:
    """Writes a file in place."""
    path.write_text(text)


def move(path: Path, to: Path) -> None:
    """Puts a file in the place of another."""
    path.replace(to)


def remove(path: Path) -> None:
    """Deletes a file."""
    path.unlink()


def stamp(path: Path) -> tuple[int, int]:
    """Times of a file, in nanoseconds."""
    status = path.stat()
    return status.st_atime_ns, status.st_mtime_ns


class Watched:
    """What a watcher saw."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()

    async def next(self) -> tuple[str, ...]:
        """Names of the files that changed."""
        return await asyncio.wait_for(self.seen.get(), 5)

    async def is_quiet(self) -> bool:
        """Whether nothing is noticed for a while."""
        try:
            await asyncio.wait_for(self.seen.get(), QUIET)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def watching(*paths: Path) -> AsyncIterator[Watched]:
    """Watches for the length of the block."""
    found, changed = Watched(), changes(paths, interval=SOON)

    async def watch() -> None:
        async for names in changed:
            found.seen.put_nowait(tuple(path.name for path in names))

    task = asyncio.create_task(watch())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.wait((task,))


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A file."""
    write(tmp_path / "one", "1")
    return tmp_path / "one"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another file."""
    write(tmp_path / "other", "1")
    return tmp_path / "other"


async def test_a_change_is_noticed_once(one: Path, other: Path) -> None:
    async with watching(one, other) as watched:
        write(one, "12")
        assert await watched.next() == ("one",)
        assert await watched.is_quiet()
        write(other, "12")
        assert await watched.next() == ("other",)


async def test_files_that_change_together_are_told_together(one: Path, other: Path) -> None:
    changed = changes((one, other), interval=SOON)
    write(one, "12")
    write(other, "12")
    assert await asyncio.wait_for(anext(changed), 5) == (one, other)


async def test_a_change_between_the_call_and_the_first_look_is_noticed(one: Path) -> None:
    changed = changes((one,), interval=SOON)
    write(one, "12")
    assert await asyncio.wait_for(anext(changed), 5) == (one,)


async def test_a_file_replaced_by_another_of_the_same_size_and_time_is_noticed(one: Path, tmp_path: Path) -> None:
    before = stamp(one)
    async with watching(one) as watched:
        fresh = tmp_path / "fresh"
        write(fresh, "2")
        os.utime(fresh, ns=before)
        move(fresh, one)
        assert await watched.next() == ("one",)


async def test_a_file_of_the_same_size_written_later_is_noticed(one: Path) -> None:
    before = stamp(one)
    async with watching(one) as watched:
        write(one, "2")
        os.utime(one, ns=(before[0], before[1] + 1))
        assert await watched.next() == ("one",)


async def test_a_file_that_goes_is_told_of_only_when_it_is_back(one: Path) -> None:
    async with watching(one) as watched:
        remove(one)
        assert await watched.is_quiet()
        write(one, "back")
        assert await watched.next() == ("one",)
        assert await watched.is_quiet()


async def test_a_file_that_was_away_and_is_back_as_it_was_has_not_changed(one: Path, tmp_path: Path) -> None:
    async with watching(one) as watched:
        move(one, tmp_path / "away")
        assert await watched.is_quiet()
        move(tmp_path / "away", one)
        assert await watched.is_quiet()


async def test_a_file_that_comes_late_is_noticed(tmp_path: Path) -> None:
    async with watching(tmp_path / "late") as watched:
        assert await watched.is_quiet()
        write(tmp_path / "late", "1")
        assert await watched.next() == ("late",)


async def test_a_link_that_is_turned_to_another_file_is_noticed(one: Path, other: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(one)
    async with watching(link) as watched:
        turned = tmp_path / "turned"
        turned.symlink_to(other)
        move(turned, link)
        assert await watched.next() == ("link",)
