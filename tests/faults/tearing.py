"""A torn tail: the end of the log is cut off or garbled at any byte; what was committed before the tear is found, in order, and no more."""

import random
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import filing
from engines import Time, arrival, subscription

from hub.exchange.records import Accepted, Filter
from hub.exchange.sqlite import SqliteEngine
from tests.faults.checking import Finding
from tests.faults.power import integrity

filing.soon()

FILE = "exchange.sqlite"
MESSAGES = 120
SAID = subscription()


async def findings(tears: int, seed: int) -> list[Finding]:
    """So many tears of the same log."""
    chance, problems = random.Random(seed), list[str]()
    with tempfile.TemporaryDirectory(prefix="metip-tearing-") as folder:
        original = Path(folder)
        engine = await _opened(original / FILE)
        kept = []
        for number in range(MESSAGES):
            body = chance.randbytes(chance.randrange(10_000))
            (one,) = await engine.accept([replace(arrival(f"k{number}", "line"), body=body)])
            assert isinstance(one, Accepted)
            kept.append((one.message_id, (original / f"{FILE}-wal").stat().st_size))
        for number in range(tears):
            copy = original / f"copy-{number}"
            copy.mkdir()
            for name in (FILE, f"{FILE}-wal"):
                shutil.copyfile(original / name, copy / name)
            tear = chance.randrange(kept[0][1], kept[-1][1])
            how = _tear(copy / f"{FILE}-wal", tear, chance)
            problems += [f"{how} at {tear}: {problem}" for problem in await _look(copy / FILE, tear, kept)]
            shutil.rmtree(copy)
        await engine.close()
    words = f"the log's tail torn or garbled {tears} times: commits before the tear lost, or others found, {len(problems)}"
    return [Finding("I1", not problems, words + "".join(f"; {one}" for one in problems[:5])), Finding("I13", True, f"seed {seed}")]


async def _opened(file: Path) -> SqliteEngine:
    engine = await SqliteEngine.open(file, lambda _error: None, clock=Time().clock())
    await engine.subscribe((SAID,), lambda _name: None)
    return engine


def _tear(log: Path, at: int, chance: random.Random) -> str:
    data = bytearray(log.read_bytes())
    how = chance.choice(("cut off", "garbled", "zeroed"))
    if how == "cut off":
        del data[at:]
    else:
        data[at:] = bytes(len(data) - at) if how == "zeroed" else chance.randbytes(len(data) - at)
    log.write_bytes(data)
    return how


async def _look(file: Path, tear: int, kept: list[tuple[str, int]]) -> list[str]:
    problems = []
    engine = await _opened(file)
    try:
        found = [one.message_id for one in await engine.deliveries(Filter(), limit=MESSAGES + 1)]
    finally:
        await engine.close()
    safe = [message_id for message_id, end in kept if end <= tear]
    names = [message_id for message_id, _ in kept]
    if found != names[: len(found)]:
        problems.append("what is found is not the beginning")
    if len(found) < len(safe):
        problems.append(f"{len(safe) - len(found)} commits before the tear are lost")
    if problem := integrity(file):
        problems.append(problem)
    return problems
