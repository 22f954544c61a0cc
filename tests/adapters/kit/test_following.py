"""Following a feed: nothing is lost, nothing overtakes, and the token moves only when everything before it was passed on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest

from adapters.kit import Fault, Log, Reason
from adapters.kit.following import Follower, Resume

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Part:
    """Some of the feed."""

    after: str
    next: str
    items: Sequence[int] = ()
    more: bool = False


@dataclass
class Feed:
    """Numbers from 1, two to a part; a token is how many somebody has."""

    end: int
    oldest: int = 0
    asked: list[str] = field(default_factory=list)
    passed: list[int] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)

    async def read(self, after: str) -> Part:
        """What comes after a token."""
        self.asked.append(after)
        start = int(after or self.oldest)
        if start < self.oldest:
            raise Fault(Reason.PRECONDITION, "too old")
        return self.part(start, min(start + 2, self.end), after)

    def part(self, start: int, end: int, after: str | None = None) -> Part:
        """That part."""
        return Part(str(start) if after is None else after, str(end), range(start + 1, end + 1), end < self.end)

    async def pass_on(self, item: int) -> None:
        """Passes one on."""
        if self.failing:
            raise self.failing.pop(0)
        await asyncio.sleep(0)
        self.passed.append(item)

    def follower(self, path: str = "") -> Follower[int]:
        """Somebody who follows it."""
        return Follower(self.read, self.pass_on, Resume(path), Log(StringIO()))


async def test_a_feed_is_read_from_its_oldest_to_its_end() -> None:
    feed = Feed(5)
    follower = feed.follower()
    assert [await follower.look() for _ in range(4)] == [True, True, False, False]
    assert (feed.passed, feed.asked) == ([1, 2, 3, 4, 5], ["", "2", "4", "5"])


async def test_what_rings_in_its_turn_is_taken_from_the_ring() -> None:
    feed = Feed(2)
    follower = feed.follower()
    await follower.look()
    feed.end = 4
    await follower.take(feed.part(2, 4))
    assert (feed.passed, feed.asked) == ([1, 2, 3, 4], [""])
    assert await follower.look() is False
    assert feed.asked[-1] == "4"


async def test_what_rings_after_a_gap_is_read_from_the_feed_with_all_that_was_missed() -> None:
    feed = Feed(9)
    follower = feed.follower()
    await follower.take(feed.part(7, 9))
    assert feed.passed == [1, 2, 3, 4, 5, 6, 7, 8, 9]


async def test_what_rings_late_is_known() -> None:
    feed = Feed(4)
    follower = feed.follower()
    while await follower.look():
        pass
    await follower.take(feed.part(0, 2))
    assert feed.passed == [1, 2, 3, 4]


async def test_a_part_of_which_one_fails_comes_again_whole() -> None:
    feed = Feed(2, failing=[Fault(Reason.BUSY, "later")])
    follower = feed.follower()
    with pytest.raises(Fault):
        await follower.look()
    await follower.look()
    assert (feed.passed, feed.asked) == ([1, 2], ["", ""])


async def test_rings_and_looks_at_one_time_keep_the_order() -> None:
    feed = Feed(40)
    follower = feed.follower()
    work = [follower.take(feed.part(start, start + 2)) for start in range(20, 40, 2)]
    await asyncio.gather(*(follower.look() for _ in range(10)), *work, *(follower.look() for _ in range(10)))
    assert feed.passed == list(range(1, 41))


async def test_another_process_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    feed, path = Feed(2), str(tmp_path / "token")
    await feed.follower(path).look()
    feed.end = 4
    await feed.follower(path).look()
    assert (feed.passed, feed.asked) == ([1, 2, 3, 4], ["", "2"])
    assert [one.name for one in tmp_path.iterdir()] == ["token"]


async def test_a_token_that_is_too_old_is_told_and_the_feed_read_from_its_oldest() -> None:
    lines, feed = StringIO(), Feed(2)
    follower = Follower(feed.read, feed.pass_on, Resume(""), Log(lines))
    await follower.look()
    feed.end, feed.oldest = 6, 4
    assert await follower.look() is True
    await follower.look()
    assert feed.passed == [1, 2, 5, 6]
    assert lines.getvalue().count('"changes_lost"') == 1


async def test_a_feed_that_is_always_too_old_is_a_fault() -> None:
    async def never(after: str) -> Part:
        raise Fault(Reason.PRECONDITION, "too old")

    with pytest.raises(Fault):
        await Follower(never, Feed(0).pass_on, Resume(""), Log(StringIO())).look()


async def test_a_feed_that_does_not_go_on_is_a_fault() -> None:
    async def same(after: str) -> Part:
        return Part(after, after, (), more=True)

    with pytest.raises(Fault) as told:
        await Follower(same, Feed(0).pass_on, Resume(""), Log(StringIO())).look()
    assert told.value.reason is Reason.UPSTREAM_FAULT
