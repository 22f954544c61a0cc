"""Bugs planted on purpose, each of which the harness must find: what shows that it has teeth.

Product code knows nothing of them. A child process that this folder starts, and nothing else, calls `grow`, which puts the bug that
`METIP_FAULTS_PLANT` names in place of the method that it spoils.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hub.exchange import verdicts
from hub.exchange.clock import SteadyClock
from hub.exchange.life import State
from hub.exchange.records import BrokenError, ExchangeError, FullError
from hub.exchange.sqlite import SqliteEngine, tables
from hub.exchange.sqlite.store import Store

VARIABLE = "METIP_FAULTS_PLANT"
PLANTS: dict[str, Callable[[], None]] = {}
"""Every bug by name."""


def grow(name: str = "") -> None:
    """Puts a bug in place: the one that is named, or the one that the environment names, if any."""
    name = name or os.environ.get(VARIABLE, "")
    if name:
        PLANTS[name]()


def _plant(bug: Callable[[], None]) -> Callable[[], None]:
    PLANTS[bug.__name__.replace("_", "-")] = bug
    return bug


def _put(place: Any, name: str, spoilt: Callable[..., Any]) -> None:
    """Replaces a method; the new one is given the old one first."""
    before = getattr(place, name)

    def instead(*arguments: Any, **more: Any) -> Any:
        return spoilt(before, *arguments, **more)

    setattr(place, name, instead)


@_plant
def acknowledged_before_commit() -> None:
    """Results are told while their transaction is open; the next group commits it."""

    def run(_before: Any, self: Any, jobs: Sequence[Callable[[], Any]]) -> list[Any]:
        if not self.database.get_autocommit():
            self._execute("commit")
        self._execute("begin immediate")
        self._moves.clear()
        return [_result(job) for job in jobs]

    _put(Store, "run", run)


def _result(job: Callable[[], Any]) -> Any:
    try:
        return job()
    except ExchangeError as error:
        return error


def _synchronous(how: str) -> Callable[[], None]:
    def opened(before: Any, *arguments: Any, **more: Any) -> Any:
        found = before(*arguments, **more)
        found[0].pragma("synchronous", how)
        return found

    return lambda: _put(tables, "opened", opened)


PLANTS["synchronous-normal"] = _synchronous("normal")
PLANTS["synchronous-off"] = _synchronous("off")


@_plant
def cursor_before_rows() -> None:
    """The cursor moves in a transaction of its own, before the deliveries that it passes have rows."""

    def pull(before: Any, self: Any, place: Any, limit: int, *more: Any) -> Any:
        last = self.one(
            "select max(sequence) from (select sequence from message where operation = ? and sequence > ? order by sequence limit ?)",
            (place.operation, place.cursor, limit),
        )
        if last is not None and last[0] is not None:
            self._execute("update subscription set cursor = ? where id = ?", (last[0], place.id))
            self._execute("commit")
            self._execute("begin immediate")
        return before(self, place, limit, *more)

    _put(Store, "_pull", pull)


@_plant
def filed_keys_forgotten() -> None:
    """Keys that are filed are written nowhere, so that their messages are accepted again."""

    def file(before: Any, self: Any) -> None:
        self._new.clear()
        before(self)

    _put(Store, "_file", file)


@_plant
def given_before_recorded() -> None:
    """An attempt is given while its row still says that it is pending."""

    def turn(before: Any, self: Any, *arguments: Any, **more: Any) -> Any:
        found = before(self, *arguments, **more)
        for one in found.attempts:
            place = self.place(one.subscription)
            self.all(
                "update delivery set state = 'pending', head = 1, next_at = 1e12 where subscription = ? and sequence = ?",
                (place.id, one.sequence),
            )
            self._recount(place.id, State.ATTEMPT, State.PENDING)
        return found

    def settle(before: Any, self: Any, place: Any, one: Any, now: float) -> Any:
        row = self.one("select state from delivery where subscription = ? and sequence = ?", (place.id, one.sequence))
        if row == ("pending",):
            self.all("update delivery set state = 'attempt' where subscription = ? and sequence = ?", (place.id, one.sequence))
            self._recount(place.id, State.PENDING, State.ATTEMPT)
        return before(self, place, one, now)

    _put(Store, "turn", turn)
    _put(Store, "_settle", settle)


@_plant
def write_once_repeated_after_a_crash() -> None:
    """What was under way is sent again, whatever it is."""

    def recover(before: Any, self: Any, now: float, *more: Any) -> Any:
        for place in self.places.values():
            place.said = replace(place.said, write_once=False)
        return before(self, now, *more)

    _put(Store, "recover", recover)


@_plant
def write_once_repeated_without_an_answer() -> None:
    """No answer counts as nothing done."""
    _put(verdicts, "_certainly_undone", lambda _before, _ended: True)


@_plant
def window_ignored() -> None:
    """The same key again is another message."""

    def accept(before: Any, self: Any, arrival: Any, now: float) -> Any:
        return before(self, replace(arrival, window=-1.0), now)

    _put(Store, "accept", accept)


@_plant
def wake_up_lost() -> None:
    """Nobody is told of a new message."""

    async def accept(before: Any, self: Any, arrivals: Any) -> Any:
        ready, self._ready = self._ready, lambda _name: None
        try:
            return await before(self, arrivals)
        finally:
            self._ready = ready

    _put(SqliteEngine, "accept", accept)


@_plant
def old_attempt_settled() -> None:
    """A settlement counts whichever attempt it is of."""

    def settle(before: Any, self: Any, place: Any, one: Any, now: float) -> Any:
        row = self.one("select attempts from delivery where subscription = ? and sequence = ?", (place.id, one.sequence))
        return before(self, place, replace(one, number=row[0]) if row else one, now)

    _put(Store, "_settle", settle)


@_plant
def recorded_after_the_reply() -> None:
    """The end of an attempt is recorded after the dispatcher was told that it is."""
    late: set[Any] = set()

    async def turn(before: Any, self: Any, name: str, settlements: Any, limit: int) -> Any:
        async def record() -> None:
            await asyncio.sleep(0.05)
            await before(self, name, settlements, 0)

        found = await before(self, name, [], limit)
        if settlements:
            task = asyncio.ensure_future(record())
            late.add(task)
            task.add_done_callback(late.discard)
        return found

    _put(SqliteEngine, "turn", turn)


@_plant
def backlog_unbounded() -> None:
    """No backlog is ever full."""
    _put(Store, "backlog", lambda _before, _self, _place: 0)


@_plant
def held_back_taken() -> None:
    """Nothing holds back the later ones of its key."""
    _put(Store, "_first_of", lambda _before, _self, _place, _key: None)


@_plant
def next_of_key_forgotten() -> None:
    """When one of a key is done, the next is not let go."""
    _put(Store, "_choose_head", lambda _before, _self, _place, _key: None)


@_plant
def failed_sync_tried_again() -> None:
    """A disk that fails is taken for a full one: it goes on."""

    def run(before: Any, self: Any, jobs: Any) -> Any:
        try:
            return before(self, jobs)
        except BrokenError:
            self._broken = False
            raise FullError("never mind") from None

    _put(Store, "run", run)


@_plant
def accounts_not_taken_back() -> None:
    """A transaction that fails leaves its accounts behind."""

    def take_back(before: Any, self: Any) -> Any:
        self._moves.clear()
        return before(self)

    _put(Store, "_take_back", take_back)


@_plant
def clock_goes_back() -> None:
    """The clock says whatever the machine's says."""
    _put(SteadyClock, "__call__", lambda _before, self: self._wall())


@_plant
def repetition_not_said() -> None:
    """A redelivery looks like the first one."""

    def attempt(before: Any, self: Any, *arguments: Any) -> Any:
        return replace(before(self, *arguments), redelivery=False)

    _put(Store, "_attempt", attempt)
