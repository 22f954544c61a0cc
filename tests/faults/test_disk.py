"""Disks that fail, are full, are slow or leave a torn log; a clock that is put back; a subscriber that was away: short forms."""

from pathlib import Path

import pytest
from engines import arrival

from hub.exchange.records import Accepted, BrokenError
from hub.exchange.sqlite import SqliteEngine, tables
from tests.faults import failing, hardship, tearing
from tests.faults.checking import Finding
from tests.faults.disk import Disk, How, Vfs

pytestmark = pytest.mark.asyncio(loop_scope="function")
SEED = 20_263
STEP = 17
"""Every so-many-th operation fails here; each one in `make faults`."""
TEARS = 15
AWAY = 100_000


def broken(found: list[Finding]) -> list[Finding]:
    """Findings that do not hold."""
    return [one for one in found if not one.holds]


@pytest.mark.parametrize("how", How, ids=[how.value.replace(" ", "-") for how in How])
async def test_a_disk_that_fails_loses_nothing_silently_and_halts_the_store_unless_it_is_full(how: How) -> None:
    found = await failing.fail_every(how, step=STEP)
    assert found.runs > 0
    assert found.told["FullError" if how is How.FULL else "BrokenError"] > 0
    assert found.problems == []


async def test_a_torn_or_garbled_tail_of_the_log_costs_nothing_that_was_committed_before_it() -> None:
    assert broken(await tearing.findings(TEARS, SEED)) == []


async def test_a_full_disk_refuses_producers_with_a_hint_and_goes_on_when_there_is_room() -> None:
    if missing := hardship.why_no_small_disk():
        pytest.skip(f"NO DISK CAN BE FILLED HERE: {missing}")
    assert broken(await hardship.full_disk(lambda _words: None)) == []


async def test_a_slow_disk_slows_acceptance_refuses_past_its_line_and_loses_nothing() -> None:
    assert broken(await hardship.slow_disk()) == []


async def test_a_clock_that_is_put_back_an_hour_delays_and_loses_nothing() -> None:
    assert broken(await hardship.clock_back(lambda _words: None)) == []


async def test_a_subscriber_that_was_away_for_72_hours_finds_its_messages_at_once() -> None:
    assert broken(await hardship.away(AWAY)) == []


class Stubborn(Disk):
    """A disk on which one kind of operation never works."""

    never = ""

    def ask(self, what: str) -> bool:
        """Whether it works."""
        return what != self.never


@pytest.mark.parametrize(("never", "how", "halts"), [("sync file", How.ONCE, True), ("write file", How.FULL, False)], ids=["sync", "room"])
async def test_a_log_that_cannot_be_copied_halts_unless_there_was_only_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, never: str, how: How, halts: bool
) -> None:
    monkeypatch.setattr(tables, "LONGEST_LOG", 1)
    disk, broken = Stubborn(how=how), list[BrokenError]()
    vfs = Vfs(disk)
    engine = await SqliteEngine.open(tmp_path / "exchange.sqlite", broken.append, vfs=vfs.name)
    disk.never = never
    try:
        if halts:
            with pytest.raises(BrokenError):
                await engine.accept([arrival("a")])
        else:
            assert all(isinstance(one, Accepted) for one in await engine.accept([arrival("a"), arrival("b")]))
        assert bool(broken) is halts
    finally:
        await engine.close()
        vfs.unregister()
