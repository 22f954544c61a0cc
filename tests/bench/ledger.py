"""`python -m tests.bench.ledger`: searches of a synthetic ledger, built in bulk: by subject, by officer, by what is in clear.

The store has the ledger's own tables with leaves, facts and tokens as gathering writes them; tiles, which no search reads, are left out.
Vehicles are asked about unevenly, most of them once or twice; the one asked about most has one record in 36, which is more than any has in
life, and is the worst case.
"""

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apsw

from hub.ledger import index, reading, searching
from hub.ledger.entries import Entry
from hub.ledger.opening import Unsealing
from hub.ledger.reporting import Reading
from hub.ledger.searching import Wanted
from metip.journal.keys import ensure_keys
from metip.ledger.v1 import record_pb2
from metip.options.v1 import options_pb2

RECORDS = 100_000
SEED = 2026
OFFICERS, CONSUMERS, OPERATIONS = 30_000, 40, 120
START = 1_700_000_000_000
"""Milliseconds since 1970 of the first record."""
EVERY = 200
"""Milliseconds between two records."""
PART = 100_000
SEARCHES = 200
PAGE = 100
TEMPLATES = 64
BUDGET = 0.1
"""Seconds that a search by subject may take."""


@dataclass(frozen=True)
class Speed:
    """How long one kind of search took; seconds."""

    name: str
    searches: int
    found: int
    """Records on the largest first page."""
    median: float
    p99: float
    worst: float
    first: float
    """The first search on a connection that has read nothing yet."""


@dataclass(frozen=True)
class Ledger:
    """What was measured."""

    records: int
    tokens: int
    bytes: int
    built: float
    """Seconds that the building took."""
    speeds: tuple[Speed, ...]


def value(kind: str, number: int) -> bytes:
    """A token as even over its space as an HMAC."""
    return hashlib.blake2b(f"{kind}/{number}".encode(), digest_size=16).digest()


def build(path: Path, records: int, told: Callable[[str], None]) -> int:
    """Writes the store; how many tokens it has."""
    chance, db = random.Random(SEED), apsw.Connection(str(path))
    for name, setting in (("journal_mode", "off"), ("synchronous", "off"), ("cache_size", -500_000), ("temp_store", "file")):
        db.pragma(name, setting)
    later = [line for line in index.SCHEMA.split(";") if "CREATE INDEX" in line]
    with db:
        db.execute(reading.SCHEMA)
        db.execute("INSERT INTO meta VALUES('version', ?), ('origin', 'metip.local/ledger')", (reading.VERSION,))
        db.execute(";".join(line for line in index.SCHEMA.split(";") if line not in later))
        words = _words()
        db.executemany("INSERT INTO names VALUES(?, ?)", ((number, word) for word, number in words.items()))
        db.execute("CREATE TEMP TABLE loose(value BLOB, at INTEGER, idx INTEGER, kind INTEGER)")
    leaves = _leaves(chance)
    for first in range(0, records, PART):
        places = range(first, min(first + PART, records))
        with db:
            db.executemany("INSERT INTO leaves VALUES(?, ?)", ((idx, leaves[idx % TEMPLATES]) for idx in places))
            db.executemany(index.FACT_ROW, _facts(chance, places))
            db.executemany("INSERT INTO loose VALUES(?, ?, ?, ?)", _tokens(chance, places, records))
        told(f"{places[-1] + 1:,} of {records:,} records")
    told("sorting tokens")
    with db:
        db.execute("INSERT OR IGNORE INTO tokens SELECT * FROM loose ORDER BY value, at, idx")
    for statement in later:
        told(f"indexing: {statement.split(' ON ')[0].split()[-1]}")
        with db:
            db.execute(statement)
    row: Any = db.execute("SELECT count(*) FROM tokens").fetchone()
    db.pragma("journal_mode", "wal")
    db.close()
    return int(row[0])


def _words() -> dict[str, int]:
    names = [f"metip.example{one}.v1.ExampleService/GetExample" for one in range(OPERATIONS)]
    names += [f"spiffe://metip.local/consumer/c{one}" for one in range(CONSUMERS)]
    names += ["01", "CO10", "OK", "NO_TRACE", "RESTRICTED", "vrm", "officer", "reference"]
    return {name: number for number, name in enumerate(names, 1)}


def _leaves(chance: random.Random) -> list[bytes]:
    """Leaves of the usual size; searches show them and read nothing else in them."""
    found = []
    for number in range(TEMPLATES):
        record = record_pb2.Record(operation="metip.example1.v1.ExampleService/GetExample", consumer="spiffe://metip.local/consumer/c1")
        record.kind, record.verb, record.outcome = record_pb2.KIND_OPERATION, options_pb2.VERB_CONSULTATION, "OK"
        record.at.seconds, record.key_id, record.sealed = START // 1000, chance.randbytes(16), chance.randbytes(260)
        record.call_id, record.trace_id, record.platform = "0197c5a0-0000-8000-8000-00000000002a", "0" * 32, "example"
        found.append(Entry("example-0", number + 1, record.SerializeToString(), bytes(32)).leaf())
    return found


def _facts(chance: random.Random, places: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    force, unit, fine = OPERATIONS + CONSUMERS + 1, OPERATIONS + CONSUMERS + 2, OPERATIONS + CONSUMERS + 3
    draw = chance.random
    for idx in places:
        outcome = fine if draw() < 0.8 else fine + 1 if draw() < 0.98 else fine + 2
        operation, consumer = 1 + int(draw() * OPERATIONS), OPERATIONS + 1 + int(draw() * CONSUMERS)
        yield (idx, START + idx * EVERY, 1, operation, 4, consumer, force, unit, 1 + int(draw() * 8), outcome, 1, f"call-{idx}", None, 1)


def _tokens(chance: random.Random, places: Sequence[int], records: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Two subjects, an officer and a reference for each record."""
    vehicle, officer, reference = OPERATIONS + CONSUMERS + 6, OPERATIONS + CONSUMERS + 7, OPERATIONS + CONSUMERS + 8
    draw, vehicles = chance.random, max(1000, records // 3)
    for idx in places:
        at = START + idx * EVERY
        yield (value("vrm", int(vehicles * draw() ** 4)), at, idx, vehicle)
        yield (value("person", int(vehicles * draw() ** 2)), at, idx, vehicle)
        yield (value("officer", int(OFFICERS * draw())), at, idx, officer)
        yield (value("reference", idx // 3), at, idx, reference)


def measure(path: Path, records: int) -> tuple[Speed, ...]:
    """Searches as the hub does: a page of 100 and its leaves, over a connection of its own."""
    chance, vehicles = random.Random(SEED + 1), max(1000, records // 3)
    asked: dict[str, Callable[[], Wanted]] = {
        "subject, any": lambda: Wanted(subjects=(value("vrm", int(vehicles * chance.random())),)),
        "subject, as often as asked about": lambda: Wanted(subjects=(value("vrm", int(vehicles * chance.random() ** 4)),)),
        "subject, the one asked about most": lambda: Wanted(subjects=(value("vrm", 0),)),
        "subject under three index keys": lambda: Wanted(
            subjects=tuple(value("vrm", int(vehicles * chance.random() ** 4)) for _ in range(3))
        ),
        "subject and operation": lambda: Wanted(
            subjects=(value("vrm", 0),), operation=f"metip.example{chance.randrange(OPERATIONS)}.v1.ExampleService/GetExample"
        ),
        "officer": lambda: Wanted(officer=(value("officer", chance.randrange(OFFICERS)),)),
        "reference": lambda: Wanted(reference=(value("reference", chance.randrange(records // 3)),)),
        "operation": lambda: Wanted(operation=f"metip.example{chance.randrange(OPERATIONS)}.v1.ExampleService/GetExample"),
        "outcome in a time": lambda: Wanted(outcome="RESTRICTED", before=START + chance.randrange(records) * EVERY),
        "call": lambda: Wanted(call_id=f"call-{chance.randrange(records)}"),
    }
    with tempfile.TemporaryDirectory() as keys:
        ensure_keys(Path(keys))
        return tuple(_speed(path, name, ask, Unsealing(Path(keys) / "sealing")) for name, ask in asked.items())


def _speed(path: Path, name: str, ask: Callable[[], Wanted], unsealing: Unsealing) -> Speed:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    took, most = [], 0
    try:
        shown = Reading(db, unsealing)
        for _ in range(SEARCHES):
            wanted, began = ask(), time.perf_counter()
            lines = shown.lines(idx for _, idx in searching.find(db, wanted, PAGE))
            took.append(time.perf_counter() - began)
            most = max(most, len(lines))
    finally:
        db.close()
    ordered = sorted(took)
    return Speed(name, len(took), most, ordered[len(took) // 2], ordered[int(len(took) * 0.99)], ordered[-1], took[0])


def measure_ledger(records: int, told: Callable[[str], None], path: Path | None = None) -> Ledger:
    """Builds a store, or takes one that an earlier run left at `path`, and searches it."""
    with tempfile.TemporaryDirectory() as folder:
        where = path or Path(folder) / "ledger.sqlite"
        began, built = time.monotonic(), 0.0
        if where.exists():
            db = apsw.Connection(str(where), flags=apsw.SQLITE_OPEN_READONLY)
            row: Any = db.execute("SELECT count(*) FROM tokens").fetchone()
            tokens = int(row[0])
            db.close()
        else:
            told(f"building a ledger of {records:,} records")
            tokens = build(where, records, told)
            built = time.monotonic() - began
        told("searching it")
        return Ledger(records, tokens, where.stat().st_size, built, measure(where, records))


def rows(found: Ledger) -> list[tuple[str, ...]]:
    """The speeds as rows of a table; milliseconds."""
    return [
        (one.name, str(one.found), *(f"{seconds * 1000:.1f}" for seconds in (one.median, one.p99, one.worst, one.first)))
        for one in found.speeds
    ]


COLUMNS = ("search, first page of 100", "most found", "p50 ms", "p99 ms", "worst ms", "first ms")


def main() -> int:
    """Reads the arguments, measures, prints; 1 when a search by subject took longer than its budget."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS, help=f"how many, {RECORDS} unless told")
    parser.add_argument("--store", type=Path, help="build it there and keep it, or search the one that is there")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()

    def told(words: str) -> None:
        print(words, file=sys.stderr, flush=True)  # noqa: T201 - a command's output

    found = measure_ledger(arguments.records, told, arguments.store)
    if arguments.json:
        print(json.dumps(asdict(found), indent=1))  # noqa: T201
    else:
        print(f"{found.records:,} records, {found.tokens:,} tokens, {found.bytes / 1e9:.2f} GB, built in {found.built:.0f} s")  # noqa: T201
        for row in (COLUMNS, *rows(found)):
            print(f"{row[0]:36}" + "".join(f"{cell:>12}" for cell in row[1:]))  # noqa: T201
    return 0 if all(one.p99 < BUDGET for one in found.speeds if one.name.startswith("subject")) else 1


if __name__ == "__main__":
    sys.exit(main())
