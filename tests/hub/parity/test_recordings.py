"""Recordings: what is kept and how, that it can be replayed to copies only, gone on with, and erased for good."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pairs_rig import ALL, CONTRACTS, FIRST, RECORDED, REPLICA, SECOND, PairsRig, instances, running_pairs, sample
from waiting import until

from hub.parity import replaying
from hub.parity.keeping import Recording
from hub.parity.recordings import Recordings, UnknownError
from hub.parity.replaying import Progress, Replayer, StoppedError
from hub.parity.running import Pairs
from hub.parity.sampling import ForbiddenError
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST

pytestmark = pytest.mark.asyncio(loop_scope="function")
OPERATION = CONTRACTS.operations[RECORDED.operation.name]
OLD = SECOND
"""The old platform serves the operation beside its owner."""
DAY = 86_400.0


@pytest_asyncio.fixture(loop_scope="function")
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PairsRig]:
    """Pairs, where nothing is sampled."""
    monkeypatch.setattr("hub.parity.recordings.SOON", 0.01)
    monkeypatch.setattr(replaying, "PAUSE", 0.01)
    async with running_pairs(tmp_path) as found:
        yield found


def recordings_of(rig: PairsRig) -> Recordings:
    assert rig.pairs.recordings is not None
    return rig.pairs.recordings


def replayer_of(rig: PairsRig) -> Replayer:
    assert rig.pairs.replayer is not None
    return rig.pairs.replayer


async def recorded(rig: PairsRig, calls: int, share: int = ALL, lasting: float = 60.0, retention: float = DAY) -> Recording:
    """A recording of so many calls."""
    found = recordings_of(rig)
    one = await found.begin((OPERATION.name,), OLD, share, lasting, retention)
    for number in range(calls):
        rig.offer(RECORDED, number, OLD)
    await found.flush()
    return await found.found(one.id)


async def replayed(rig: PairsRig, one: Recording, system: str = FIRST, **more: Any) -> Progress:
    """How a replay ended."""
    return [progress async for progress in replayer_of(rig).replay(one, system, **more)][-1]


async def test_calls_are_kept_as_they_were_answered_and_nobody_is_asked(rig: PairsRig) -> None:
    one = await recorded(rig, 5)
    assert (one.calls, one.dropped) == (5, 0)
    assert rig.systems.asked == []
    kept, total = recordings_of(rig).keeping.read(one.id, 0, 10)
    assert total == 5
    assert [position for position, _ in kept] == [1, 2, 3, 4, 5]
    first: Any = kept[0][1]
    assert (first.operation, first.call_id, first.system, list(first.replies)) == (OPERATION.name, "call-0", OLD, [b"\x0a\x03old"])
    assert rig.pairs.counts.of(OPERATION.name).recorded == 5


async def test_only_the_calls_that_were_asked_for_are_kept(rig: PairsRig) -> None:
    one = await recorded(rig, 0, share=ALL // 2)
    for number in range(100):
        rig.offer(RECORDED, number, OLD)
    rig.offer(RECORDED, 1000, FIRST)
    rig.offer(REPLICA, 1001, OLD)
    await recordings_of(rig).flush()
    assert 30 < (await recordings_of(rig).found(one.id)).calls < 70
    assert rig.pairs.rates(OLD) == {OPERATION.name: ALL // 2}
    assert rig.pairs.rates(FIRST) == {}


async def test_nothing_is_in_the_file_in_clear_and_only_its_owner_reads_it(rig: PairsRig, tmp_path: Path) -> None:
    secret = b"HALZERWICK"
    one = await recordings_of(rig).begin((OPERATION.name,), OLD, ALL, 60.0, DAY)
    offered = sample(RECORDED, 1, OLD)
    offered.replies[0] = secret
    rig.pairs.offer([offered])
    await recordings_of(rig).flush()
    assert (await recordings_of(rig).found(one.id)).calls == 1
    for path in tmp_path.glob("recordings.sqlite*"):
        assert secret not in path.read_bytes()
        assert b"call-1" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


async def test_a_replay_asks_the_other_system_and_makes_a_pair_of_each_call(rig: PairsRig) -> None:
    one = await recorded(rig, 150)
    assert replayer_of(rig).against(one) == FIRST
    found = await replayed(rig, one)
    assert (found.total, found.position, found.asked, found.compared, dict(found.failed), found.done) == (150, 150, 150, 150, {}, True)
    assert rig.systems.counted() == {FIRST: 150}
    pair = rig.taken[0]
    assert (pair.origin, pair.primary.system, pair.primary.platform, pair.shadow.system, pair.shadow.platform) == (
        "RECORDED",
        OLD,
        "METIP",
        FIRST,
        "METIP2",
    )
    assert (pair.primary.reply, pair.shadow.reply) == (b"\x0a\x03old", b"\x0a\x03old")
    assert len({one.call_id for one in rig.taken}) == 150


async def test_a_replay_goes_on_where_it_stopped(rig: PairsRig) -> None:
    one = await recorded(rig, 150)
    cut = replayer_of(rig).replay(one, FIRST)
    assert (await anext(cut)).position == replaying.LOT
    await cut.aclose()
    assert (await replayed(rig, one)).compared == 150 - replaying.LOT
    assert len(rig.taken) == 150
    assert (await replayed(rig, one)).compared == 0
    assert (await replayed(rig, one, anew=True)).compared == 150


async def test_a_replay_follows_a_recording(rig: PairsRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "LOOK", 0.01)
    one = await recorded(rig, 3)
    following = asyncio.ensure_future(replayed(rig, one, follow=True))
    await until(lambda: len(rig.taken) == 3)
    rig.offer(RECORDED, 100, OLD)
    await until(lambda: len(rig.taken) == 4)
    assert not following.done()
    await recordings_of(rig).stop(one.id)
    assert (await following).done


@pytest.mark.parametrize("live", [FIRST, f"{FIRST} beside a copy"])
async def test_a_live_system_is_not_asked_again(rig: PairsRig, live: str) -> None:
    one = await recorded(rig, 1)
    rig.instances[:] = [*instances(replica=False)[:1], *(instances() if "beside" in live else instances()[1:])]
    with pytest.raises(ForbiddenError, match="copy or a simulator only"):
        replayer_of(rig).against(one)
    with pytest.raises(ForbiddenError):
        await replayed(rig, one)
    assert rig.systems.asked == []


async def test_a_system_that_turns_live_during_a_replay_is_asked_no_more(rig: PairsRig) -> None:
    one = await recorded(rig, 200)
    cut = replayer_of(rig).replay(one, FIRST)
    await anext(cut)
    rig.instances[:] = instances(replica=False)
    with pytest.raises(ForbiddenError):
        await anext(cut)
    assert len(rig.systems.asked) == replaying.LOT


async def test_a_system_that_is_away_stops_a_replay_which_loses_nothing(rig: PairsRig) -> None:
    async def away(_system: str, context: Any) -> None:
        context.set_trailing_metadata((("x-metip-envoy", "UH"),))
        await context.abort(grpc.StatusCode.UNAVAILABLE, "no healthy upstream")

    one = await recorded(rig, 10)
    rig.systems.before = away
    with pytest.raises(StoppedError):
        await replayed(rig, one)
    assert rig.taken == []
    rig.systems.before = None
    await until(lambda: _closed(rig))
    assert (await replayed(rig, one)).compared == 10


def _closed(rig: PairsRig) -> bool:
    """Lets the breaker try again at once."""
    replayer_of(rig)._breakers._of.clear()
    return True


@pytest.mark.parametrize(
    ("against", "words"), [(OLD, "has the answers of"), ("somebody", "serves no operation of")], ids=["itself", "a stranger"]
)
async def test_a_recording_is_not_replayed_to_whom_makes_no_sense(rig: PairsRig, against: str, words: str) -> None:
    with pytest.raises(ForbiddenError, match=words):
        replayer_of(rig).against(await recorded(rig, 1), against)


async def test_what_was_erased_is_gone_from_the_file_and_can_not_be_opened(rig: PairsRig, tmp_path: Path) -> None:
    one, other = await recorded(rig, 20), await recorded(rig, 3)
    path = tmp_path / "recordings.sqlite"
    sealed = [
        bytes(row[0]) for row in recordings_of(rig).keeping._database.execute("select sealed from calls where recording = ?", (one.id,))
    ]
    erased = await recordings_of(rig).erase(one.id)
    assert (erased.calls, erased.erased is not None) == (0, True)
    content = b"".join(found.read_bytes() for found in tmp_path.glob("recordings.sqlite*"))
    assert not any(found in content for found in sealed)
    assert path.exists()
    with pytest.raises(UnknownError):
        await recordings_of(rig).found(one.id)
    assert (await replayed(rig, await recordings_of(rig).found(other.id))).compared == 3, "others are whole"


async def test_what_lost_its_key_is_counted_and_not_guessed(rig: PairsRig) -> None:
    one = await recorded(rig, 3)
    recordings_of(rig).keeping._database.execute("delete from keys")
    found = await replayed(rig, one)
    assert (found.compared, dict(found.failed), found.position) == (0, {"UNOPENED": 3}, 3)


async def test_retention_erases_by_itself_and_says_so(rig: PairsRig) -> None:
    one = await recorded(rig, 3, lasting=0.001, retention=0.001)
    other = await recorded(rig, 3)
    await rig.pairs.erase_due(recordings_of(rig))
    assert [(action, words.split(" ")[1]) for action, words in rig.actions] == [("parity/record_erase", f"{one.id}:")]
    left = {found.id: found.erased for found in await recordings_of(rig).all()}
    assert left[one.id] is not None
    assert left[other.id] is None


async def test_a_recording_goes_on_after_a_restart_and_ends_at_its_time(rig: PairsRig, tmp_path: Path) -> None:
    one = await recorded(rig, 3)
    second = Pairs(
        tmp_path,
        CONTRACTS,
        lambda: tuple(rig.instances),
        lambda: grpc.aio.insecure_channel("unix:/nowhere"),
        _record,
        ledger_keys=tmp_path / "keys",
    )
    assert second.recordings is not None
    assert second.recordings.running(one)
    assert second.offer([sample(RECORDED, 9, OLD)]) == 1
    await second.recordings.flush()
    assert (await second.recordings.found(one.id)).calls == 4
    kept, _ = second.recordings.keeping.read(one.id, 0, 10)
    assert all(found is not None for _, found in kept), "each opens, with keys of both processes"
    assert not second.recordings.running(replace(one, until=0.0))
    await second.close()


async def test_without_the_ledgers_keys_there_are_no_recordings(tmp_path: Path) -> None:
    for keys in (None, tmp_path / "nowhere"):
        found = Pairs(tmp_path, CONTRACTS, tuple, lambda: grpc.aio.insecure_channel("unix:/nowhere"), _record, ledger_keys=keys)
        assert (found.recordings, found.replayer) == (None, None)
        assert found.rates(OLD) == {}
        await found.close()


async def _record(_action: str, _author: str, purpose: int, _detail: str) -> None:
    assert purpose == PURPOSE_MIGRATION_TEST
