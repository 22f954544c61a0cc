"""The n-th failure: the engine works on a disk whose n-th operation fails, for every n until nothing fails any more.

Each time, whoever was told that it is safe finds it after opening anew, and everybody else was told that it is not: by `FullError`, after
which it goes on, or by `BrokenError`, after which it does not.
"""

import asyncio
import gc
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import filing
from engines import Time, arrival, settled, subscription

from hub.exchange.life import Event, State
from hub.exchange.records import Accepted, BrokenError, Delivery, Filter, FullError, UnknownError
from hub.exchange.sqlite import SqliteEngine, tables
from tests.faults.checking import Finding
from tests.faults.disk import Disk, How, Vfs
from tests.faults.power import integrity

AGAIN, ONCE = subscription("again"), subscription("once", write_once=True)

filing.soon()

FILE = "exchange.sqlite"
LONGEST_LOG = 12
"""Pages after which the log is copied into the file, few enough that it happens in a short run."""
ROUNDS = 6
WITHIN = 5.0


@dataclass
class Run:
    """What one run was told."""

    kept: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """Messages whose delivery is said to have ended."""
    given: set[str] = field(default_factory=set)
    """Messages that were given to the write-once subscription."""
    told: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


async def _work(folder: Path, disk: Disk, run: Run) -> None:
    """Accepts, gives, ends: some of each; what was told is written down."""
    vfs, broken = Vfs(disk), list[BrokenError]()
    try:
        engine = await SqliteEngine.open(folder / FILE, broken.append, clock=Time().clock(), vfs=vfs.name)
    except apsw.Error:
        run.told["not opened"] += 1
        gc.collect()  # what was half opened is closed while its file system is still there
        vfs.unregister()
        return
    try:
        await _rounds(engine, run)
        run.problems += await _do_not_add_up(engine)
    except BrokenError:
        run.told["BrokenError"] += 1
        if not broken:
            run.problems.append("nobody was told to halt")
        await _must_stay_broken(engine, run)
    finally:
        await engine.close()
        vfs.unregister()


async def _rounds(engine: SqliteEngine, run: Run) -> None:
    for number in range(ROUNDS):
        try:
            if number == 0:
                await engine.subscribe((AGAIN, ONCE), lambda _name: None)
            many = [f"{number}-{one}" for one in range(3)]
            for key, one in zip(many, await engine.accept([arrival(key, key[:1]) for key in many]), strict=True):
                if isinstance(one, Accepted):
                    run.kept[key] = one.message_id
                else:
                    run.told["FullError"] += 1
            for name in (AGAIN.name, ONCE.name):
                await _deliver(engine, name, run)
        except FullError:
            run.told["FullError"] += 1
        except UnknownError:  # not subscribed yet: the first round found no room
            await engine.subscribe((AGAIN, ONCE), lambda _name: None)


async def _deliver(engine: SqliteEngine, name: str, run: Run) -> None:
    given = (await engine.turn(name, [], 2)).attempts
    if name == ONCE.name:
        run.given |= {one.message_id for one in given}
    await engine.turn(name, [settled(one, Event.CONFIRMED) for one in given], 0)
    if name == AGAIN.name:
        run.ended |= {one.message_id for one in given}


async def _must_stay_broken(engine: SqliteEngine, run: Run) -> None:
    try:
        await engine.accept([arrival("after")])
        run.problems.append("it went on after it was broken")
    except BrokenError:
        return


async def _look(folder: Path, run: Run) -> None:
    """What is there, on a disk that works, against what was told."""
    if problem := integrity(folder / FILE):
        run.problems.append(problem)
    broken = list[BrokenError]()
    engine = await SqliteEngine.open(folder / FILE, broken.append, clock=Time().clock())
    try:
        await engine.subscribe((AGAIN, ONCE), lambda _name: None)
        for key, message_id in run.kept.items():
            try:
                if (await engine.message(message_id)).body.decode() != key:
                    run.problems.append(f"{key} has another's content")
            except UnknownError:
                run.problems.append(f"{key} was acknowledged and is lost")
        states = {(one.message_id, one.subscription): one.state for one in await _all(engine)}
        for message_id in run.ended:
            if states.get((message_id, AGAIN.name)) is not State.PROCESSED:
                run.problems.append(f"{message_id} had ended and is {states.get((message_id, AGAIN.name))}")
        for message_id in run.given:
            if states.get((message_id, ONCE.name)) not in (State.PROCESSED, State.IN_DOUBT):
                run.problems.append(f"{message_id} may have had its effect and is {states.get((message_id, ONCE.name))}")
        run.problems += await _do_not_add_up(engine)
    finally:
        await engine.close()


async def _do_not_add_up(engine: SqliteEngine) -> list[str]:
    """Subscriptions whose accounts are not what a look at each delivery says."""
    found = Counter((one.subscription, one.state) for one in await _all(engine))
    return [
        f"{account.subscription} counts {account.counts} and has others"
        for account in await engine.accounts()
        if Counter({(account.subscription, state): number for state, number in account.counts.items()})
        != Counter({key: number for key, number in found.items() if key[0] == account.subscription})
    ]


async def _all(engine: SqliteEngine) -> list[Delivery]:
    return await engine.deliveries(Filter(), limit=1000)


@dataclass
class Failures:
    """What all runs of one way to fail have shown."""

    how: How
    runs: int = 0
    told: Counter[str] = field(default_factory=Counter)
    unnoticed: Counter[str] = field(default_factory=Counter)
    """Operations that failed without anybody being told: allowed only where nothing depends on them."""
    problems: list[str] = field(default_factory=list)


async def fail_every(how: How, *, step: int = 1) -> Failures:
    """Every n, or every `step`-th, for one way to fail, until something is wrong."""
    before, tables.LONGEST_LOG = tables.LONGEST_LOG, LONGEST_LOG  # type: ignore[misc]  # so that a short run copies its log, too
    try:
        return await _fail_every(how, step)
    finally:
        tables.LONGEST_LOG = before  # type: ignore[misc]


async def _fail_every(how: How, step: int) -> Failures:
    found, number = Failures(how), 1 - step
    while not found.problems:
        number += step
        disk, run = Disk(fails_at=number, how=how), Run()
        with tempfile.TemporaryDirectory(prefix="metip-disk-") as folder:
            try:
                async with asyncio.timeout(WITHIN):
                    await _work(Path(folder), disk, run)
                    if disk.failed:
                        await _look(Path(folder), run)
            except TimeoutError:
                run.problems.append("somebody waits for an answer that never comes")
            except Exception as error:  # noqa: BLE001 - whatever comes out is a finding
                run.problems.append(f"{type(error).__name__}: {error}")
        if not disk.failed:
            break
        found.runs += 1
        if run.told["FullError"] and how is not How.FULL:
            run.problems.append("a failure was taken for a full disk, and it went on")
        found.told.update(run.told.keys())
        if not run.told:
            found.unnoticed[disk.failed] += 1
        found.problems += [f"operation {number} ({disk.failed}): {problem}" for problem in run.problems]
    return found


async def findings(*, step: int = 1) -> list[Finding]:
    """All ways to fail, by number."""
    found = []
    for how in How:
        one = await fail_every(how, step=step)
        told = ", ".join(f"{name} {number}" for name, number in sorted(one.told.items()))
        unnoticed = ", ".join(f"{name} {number}" for name, number in sorted(one.unnoticed.items()))
        words = (
            f"disk fails at its n-th operation, {how.value}: {one.runs} runs, told {told or 'nobody'}; needed by nobody {unnoticed or 0}"
        )
        found.append(Finding("I1", not one.problems, words + "".join(f"; {problem}" for problem in one.problems[:5])))
    return found
