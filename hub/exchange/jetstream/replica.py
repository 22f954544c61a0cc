"""The state machine: entries of the log carried out in order on this hub's own SQLite file, so that every hub's file says the same.

The law: what an entry does depends on the entry and on what the entries before it did, on nothing else: time, ids and names travel in it.
Its place in the log is kept in the transaction that carries it out, so that each is carried out once on every file. A process has a life in
the log: it begins with a join; entries of one that has none are void, and it hears so. Attempts belong to a life and end with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from hub.exchange.jetstream import commands
from hub.exchange.life import Event
from hub.exchange.records import BrokenError, ExchangeError, Move, Note, Scope
from hub.exchange.sqlite import noting, replaying
from hub.exchange.sqlite.schema import Names
from hub.exchange.sqlite.store import Recorder, Store
from metip.exchange.v1 import log_pb2 as log

_SCHEMA: Final = """
create table if not exists replica (
  one integer primary key check (one = 1),
  applied integer not null,
  entry text not null,
  at real not null,
  named integer not null,
  subscriptions blob not null
) strict;
insert or ignore into replica values (1, 0, '', 0, 0, x'');
create table if not exists life (owner text primary key, hub text not null, number integer not null, sequence integer not null)
  strict, without rowid;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry at its place in the log."""

    sequence: int
    entry_id: str
    said: log.LogEntry


class Fate(Enum):
    """What became of an entry as a whole."""

    DONE = "done"
    REPEATED = "repeated"
    """It was carried out before, and changed nothing now."""
    VOID = "void"
    """Its process has no life in the log; it changed nothing."""


@dataclass(slots=True)
class Outcome:
    """What became of an entry."""

    entry: Entry
    fate: Fate
    results: list[Any] = field(default_factory=list)
    """What each command gave, an `ExchangeError` where it was refused."""
    stirred: set[str] = field(default_factory=set)
    """Subscriptions that may have something to deliver now."""
    turned: set[str] = field(default_factory=set)
    """Subscriptions of which some attempts ended; the process that ended them knows what follows, others do not."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a file is."""

    applied: int
    """Place of the last entry that was carried out."""
    entry_id: str
    """That entry's id; empty when there is none."""
    at: float
    """Its time."""


class Replica(Store):
    """The state machine; like its parent it belongs to one thread, and every method but `run` and `close` is a job's body."""

    def __init__(self, path: Path, record: Recorder | None = None) -> None:
        super().__init__(path, record, synchronous="normal")
        with self.database:
            self.database.execute(_SCHEMA)
        ((subscriptions,),) = self.all("select subscriptions from replica")
        kept = log.LogSubscribe.FromString(subscriptions)
        with self.database:
            self.know([commands.subscription(one) for one in kept.subscriptions])
        self._moves.clear()

    def standing(self) -> Standing:
        """How far this file is."""
        row = self.one("select applied, entry, at from replica", ())
        assert row is not None
        return Standing(*row)

    def lives(self) -> dict[str, tuple[str, int]]:
        """Processes that live: the hub of each, and the place of its last entry."""
        return {owner: (hub, sequence) for owner, hub, sequence in self.all("select owner, hub, sequence from life")}

    def apply(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Carries out entries that follow the last one. Raises `BrokenError` before one that can't be carried out here changes anything."""
        return [self._apply(entry) for entry in entries]

    def _apply(self, entry: Entry) -> Outcome:
        said, before = entry.said, self.standing()
        if entry.sequence != before.applied + 1:
            raise BrokenError(f"entry {entry.sequence} of the log does not follow entry {before.applied}")
        if said.version > commands.VERSION:
            raise BrokenError(f"the log is written by rules of version {said.version}, and this program knows version {commands.VERSION}")
        if any(one.WhichOneof("command") is None for one in said.commands):
            raise BrokenError("the log has a command that this program does not know")
        at = max(said.at, before.at)
        self.all("update replica set applied = ?, entry = ?, at = ?", (entry.sequence, entry.entry_id, at))
        life = self.one("select number from life where owner = ?", (said.owner,))
        joins = bool(said.commands) and said.commands[0].WhichOneof("command") == "join"
        if life is None and not joins:
            return Outcome(entry, Fate.VOID)
        if life is not None and said.number <= life[0]:
            return Outcome(entry, Fate.REPEATED)
        if joins:
            self._join(said.owner, said.commands[0].join)
        self.all("update life set number = ?, sequence = ? where owner = ?", (said.number, entry.sequence, said.owner))
        outcome = Outcome(entry, Fate.DONE)
        outcome.results = [self._carried_out(one, said.owner, at, outcome) for one in said.commands]
        return outcome

    def _carried_out(self, command: log.LogCommand, owner: str, at: float, outcome: Outcome) -> Any:
        kind = command.WhichOneof("command")
        assert kind is not None, "it was looked at before anything was changed"
        stirred = outcome.turned if kind == "turn" else outcome.stirred
        try:
            return getattr(self, f"_do_{kind}")(getattr(command, kind), owner, at, stirred)
        except ExchangeError as error:
            return error
        finally:
            outcome.stirred |= self.stirred()

    # Lives.

    def _join(self, owner: str, said: log.LogJoin) -> None:
        if self.one("select 1 from replica where named = 0", ()) is not None:
            self.all("update meta set value = ? where name = 'store'", (said.store,))
            self.all("update replica set named = 1")
            self.names = Names(said.store)
        self.all("delete from life where hub = ?", (said.hub,))
        self.all("insert into life (owner, hub, number, sequence) values (?, ?, 0, 0)", (owner, said.hub))

    def _do_join(self, said: log.LogJoin, owner: str, at: float, stirred: set[str]) -> tuple[int, int]:
        return self._recover_others(at, stirred)

    def _do_beat(self, said: log.LogBeat, owner: str, at: float, stirred: set[str]) -> None:
        return None

    def _do_leave(self, said: log.LogLeave, owner: str, at: float, stirred: set[str]) -> tuple[int, int]:
        self.all("delete from life where owner = ?", (owner,))
        return self._recover_others(at, stirred)

    def _do_expire(self, said: log.LogExpire, owner: str, at: float, stirred: set[str]) -> tuple[int, int]:
        self.all("delete from life where owner = ? and sequence = ?", (said.owner, said.sequence))
        return self._recover_others(at, stirred)

    def _recover_others(self, at: float, stirred: set[str]) -> tuple[int, int]:
        stirred.update(self.places)
        return self.recover(at, frozenset(self.lives()))

    # The port.

    def _do_subscribe(self, said: log.LogSubscribe, owner: str, at: float, stirred: set[str]) -> tuple[int, int]:
        self.know([commands.subscription(one) for one in said.subscriptions])
        self.all("update replica set subscriptions = ?", (said.SerializeToString(deterministic=True),))
        return self._recover_others(at, stirred)

    def _do_accept(self, said: log.LogAccept, owner: str, at: float, stirred: set[str]) -> Any:
        stirred.update(
            place.said.name for place in self.places.values() if place.said.operation in {one.operation for one in said.arrivals}
        )
        return self.accept_all([commands.arrival(one) for one in said.arrivals], at)

    def _do_turn(self, said: log.LogTurn, owner: str, at: float, stirred: set[str]) -> Any:
        if said.settlements:
            stirred.add(said.subscription)
        lives = self.one("select 1 from life where owner = ?", (owner,)) is not None
        limit = said.limit if lives else 0  # who has left in this same entry would never send what it begins
        return self.turn(said.subscription, [commands.settlement(one) for one in said.settlements], limit, at, owner)

    def _do_confirm(self, said: log.LogConfirm, owner: str, at: float, stirred: set[str]) -> None:
        self.confirm(said.message_id, said.system, Event(said.event), said.reason, at)
        stirred.update(name for name, place in self.places.items() if place.said.system == said.system)

    def _do_decide(self, said: log.LogDecide, owner: str, at: float, stirred: set[str]) -> int:
        stirred.update(one.subscription for one in said.deliveries)
        wanted = [(one.message_id, one.subscription) for one in said.deliveries]
        return self.decide(wanted, Event(said.event), at, by=said.by, reason=said.reason)

    def _do_pause(self, said: log.LogPause, owner: str, at: float, stirred: set[str]) -> None:
        stirred.add(said.subscription)
        self.pause(said.subscription, at, paused=said.paused, by=said.by, reason=said.reason)

    def _do_note(self, said: log.LogNote, owner: str, at: float, stirred: set[str]) -> Note:
        return noting.note(self, commands.cause(said), said.words, at, by=said.by)

    def _do_plan(self, said: log.LogPlan, owner: str, at: float, stirred: set[str]) -> Any:
        return replaying.plan(
            self,
            commands.filtered(said.wanted),
            at,
            plan_id=said.plan_id,
            by=said.by,
            reason=said.reason,
            write_once=frozenset(said.write_once),
            expires=said.expires,
        )

    def _do_approve(self, said: log.LogApprove, owner: str, at: float, stirred: set[str]) -> None:
        replaying.approve(self, said.plan_id, at, by=said.by, reason=said.reason)

    def _do_replay(self, said: log.LogReplay, owner: str, at: float, stirred: set[str]) -> Any:
        stirred.update(self.places)
        return replaying.replay(self, said.plan_id, at, by=said.by, reason=said.reason)

    def hubs(self) -> set[str]:
        """Processes that live: each has to say of its own instances that they are fenced."""
        return set(self.lives())

    def _do_own(self, said: log.LogOwn, owner: str, at: float, stirred: set[str]) -> Move:
        if said.step == "advance":
            return self.advance(said.move_id, at)
        if said.step == "fenced":
            return self.fenced(said.move_id, owner, at)
        if said.step == "take_back":
            return self.take_back(said.move_id, at, by=said.by, reason=said.reason)
        return self.begin_move(said.post, said.to, Scope(said.scope), said.key, said.move_id, at, by=said.by, reason=said.reason)

    def _do_retain(self, said: log.LogRetain, owner: str, at: float, stirred: set[str]) -> int:
        return replaying.retain(self, dict(commands.retention(said)), at, said.limit)
