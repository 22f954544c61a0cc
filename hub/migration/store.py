"""What outlives the hub of a migration: where each interface stands, every step with its evidence, pins, what waits, and counts of calls.

The law: a step is written down before it is recorded in the ledger, and where interfaces stand changes in the same transaction in which the
step is marked as applied. So a hub that starts again knows every step that it began and did not end.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from hub.migration.figures import Tally, total
from hub.migration.measuring import Key
from hub.migration.states import Platform, Position, State
from metip.migration.v1 import migration_service_pb2 as api
from metip.migration.v1 import step_pb2

SCHEMA: Final = """
create table if not exists standings(
  interface text primary key, state text not null, percent integer not null, since real not null, step integer not null,
  until real, until_state text, until_percent integer
) strict, without rowid;
create table if not exists steps(number integer primary key, phase integer not null, body blob not null) strict;
create index if not exists unfinished on steps(phase) where phase in (1, 2);
create table if not exists moves(interface text not null, number integer not null, primary key(interface, number)) strict, without rowid;
create table if not exists pins(
  interface text not null, consumer text not null, platform text not null, since real not null, author text not null,
  because text not null, primary key(interface, consumer)
) strict, without rowid;
create table if not exists scheduled(
  number integer primary key autoincrement, at real not null, author text not null, request blob not null, problem text not null default ''
) strict;
create table if not exists counts(
  interface text not null, system text not null, since real not null, calls integer not null, errors integer not null,
  times text not null, primary key(interface, system, since)
) strict, without rowid;
"""
UNFINISHED: Final = (step_pb2.STEP_PHASE_INTENDED, step_pb2.STEP_PHASE_RECORDED)
TELLING: Final = 100
"""Calls from which on a count says what is usual."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an interface stands, and how it came there."""

    position: Position
    since: float
    step: int = 0
    """The step that led there; 0 where nobody moved it here yet."""
    until: float | None = None
    """When it steps back by itself."""
    until_position: Position | None = None
    """Where to."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A consumer that is tied to a platform."""

    interface: str
    consumer: str
    platform: Platform
    since: float
    author: str
    because: str


@dataclass(frozen=True)
class Outcome:
    """What an applied step changes here, all at once."""

    standings: Mapping[str, Standing]
    pinned: tuple[Pinned, ...] = ()
    unpinned: tuple[tuple[str, str], ...] = ()
    """Interface and consumer."""


class Store:
    """The file. Of one thread."""

    def __init__(self, path: Path) -> None:
        self._db = apsw.Connection(str(path))
        self._db.execute("pragma journal_mode = wal; pragma synchronous = full")
        self._db.execute(SCHEMA)

    def close(self) -> None:
        """Closes it."""
        self._db.close()

    def standings(self) -> dict[str, Standing]:
        """Where interfaces stand, by name."""
        return {row[0]: _standing(row) for row in self._db.execute("select * from standings order by interface")}

    def adopt(self, interface: str, standing: Standing) -> None:
        """Takes over an interface as it stands; one that is known stays where it is."""
        self._put(interface, standing, "insert or ignore")

    def intend(self, step: step_pb2.Step) -> int:
        """Writes a step down before anything of it happens, and gives its number."""
        with self._db:
            row: Any = self._db.execute("select coalesce(max(number), 0) + 1 from steps").fetchone()
            step.number, step.phase = row[0], step_pb2.STEP_PHASE_INTENDED
            self._db.execute("insert into steps values (?, ?, ?)", (step.number, step.phase, step.SerializeToString()))
            names = [(move.interface, step.number) for move in step.moves]
            self._db.executemany("insert or ignore into moves values (?, ?)", names)
        return step.number

    def recorded(self, step: step_pb2.Step) -> None:
        """The ledger has it."""
        step.phase = step_pb2.STEP_PHASE_RECORDED
        self._update(step)

    def applied(self, step: step_pb2.Step, now: float, outcome: Outcome) -> None:
        """It is in force, and interfaces stand where it led."""
        step.phase = step_pb2.STEP_PHASE_APPLIED
        step.applied.FromMicroseconds(int(now * 1e6))
        with self._db:
            self._update(step)
            for interface, standing in outcome.standings.items():
                self._put(interface, standing, "insert or replace")
            self._db.executemany("delete from pins where interface = ? and consumer = ?", outcome.unpinned)
            pins = [(one.interface, one.consumer, one.platform.name, one.since, one.author, one.because) for one in outcome.pinned]
            self._db.executemany("insert or replace into pins values (?, ?, ?, ?, ?, ?)", pins)

    def ended(self, step: step_pb2.Step, phase: "step_pb2.StepPhase.ValueType", problem: str) -> None:
        """It was not made, or taken back."""
        step.phase, step.problem = phase, problem
        self._update(step)

    def unfinished(self) -> list[step_pb2.Step]:
        """Steps that were begun and not ended, oldest first."""
        return self._steps("select body from steps where phase in (1, 2) order by number")

    def steps(self, interfaces: Iterable[str] = (), limit: int = 50) -> list[step_pb2.Step]:
        """Steps of interfaces, or of all, the latest first."""
        names = list(interfaces)
        if not names:
            return self._steps("select body from steps order by number desc limit ?", limit)
        query = (
            "select body from steps where number in (select number from moves where interface in (select value from json_each(?)))"
            " order by number desc limit ?"
        )
        return self._steps(query, json.dumps(names), limit)

    def count(self, interface: str) -> int:
        """How many steps of an interface were ever begun."""
        row: Any = self._db.execute("select count(*) from moves where interface = ?", (interface,)).fetchone()
        return int(row[0])

    def pins(self) -> tuple[Pinned, ...]:
        """Every consumer that is tied."""
        return tuple(Pinned(row[0], row[1], Platform[row[2]], *row[3:]) for row in self._db.execute("select * from pins"))

    def schedule(self, at: float, author: str, request: api.TakeStepRequest) -> int:
        """Lets a step wait for its time, and gives its number among those that wait."""
        row: Any = self._db.execute(
            "insert into scheduled(at, author, request) values (?, ?, ?) returning number", (at, author, request.SerializeToString())
        ).fetchone()
        return int(row[0])

    def scheduled(self) -> list[tuple[int, float, str, api.TakeStepRequest, str]]:
        """Number, time, author, step and problem of those that wait, or were not taken when their time came."""
        rows: Any = self._db.execute("select number, at, author, request, problem from scheduled order by at, number")
        return [(row[0], row[1], row[2], api.TakeStepRequest.FromString(row[3]), row[4]) for row in rows]

    def missed(self, number: int, problem: str) -> None:
        """A step that was not taken when its time came."""
        self._db.execute("update scheduled set problem = ? where number = ?", (problem, number))

    def unschedule(self, number: int) -> bool:
        """Lets go of a step that waited; whether there was one."""
        self._db.execute("delete from scheduled where number = ?", (number,))
        return self._db.changes() > 0

    def count_calls(self, tallies: Mapping[Key, Tally]) -> None:
        """Adds counts of calls to those of the time since interfaces stand where they stand."""
        with self._db:
            standings = self.standings()
            for (interface, system), tally in tallies.items():
                if interface in standings:
                    since = standings[interface].since
                    both = total((self.tally(interface, system, since), tally))
                    row = (interface, system, since, both.calls, both.errors, json.dumps(both.times))
                    self._db.execute("insert or replace into counts values (?, ?, ?, ?, ?, ?)", row)

    def tally(self, interface: str, system: str, since: float) -> Tally:
        """What a system answered callers in the time that began then."""
        query = "select calls, errors, times from counts where interface = ? and system = ? and since = ?"
        return _tally(self._db.execute(query, (interface, system, since)).fetchone())

    def usual_p99_ms(self, interface: str, system: str) -> float:
        """The 99th percentile of a system's times when it last answered many calls; 0 where it never did."""
        query = "select calls, errors, times from counts where interface = ? and system = ? and calls >= ? order by since desc limit 1"
        return _tally(self._db.execute(query, (interface, system, TELLING)).fetchone()).p99_ms

    def _steps(self, query: str, *values: Any) -> list[step_pb2.Step]:
        return [step_pb2.Step.FromString(row[0]) for row in self._db.execute(query, values)]

    def _update(self, step: step_pb2.Step) -> None:
        self._db.execute("update steps set phase = ?, body = ? where number = ?", (step.phase, step.SerializeToString(), step.number))

    def _put(self, interface: str, standing: Standing, verb: str) -> None:
        here, back = standing.position, standing.until_position
        end = (back.state.value, back.percent) if back else (None, None)
        row = (interface, here.state.value, here.percent, standing.since, standing.step, standing.until, *end)
        self._db.execute(f"{verb} into standings values (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _tally(row: Any) -> Tally:
    return Tally() if row is None else Tally(row[0], row[1], Counter({int(key): count for key, count in json.loads(row[2]).items()}))


def _standing(row: Any) -> Standing:
    back = Position(State(row[6]), row[7]) if row[6] is not None else None
    return Standing(Position(State(row[1]), row[2]), row[3], row[4], row[5], back)
