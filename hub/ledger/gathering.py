"""Gathers journals into the ledger: every record once, by its position, with what it is found by, in the transaction that appends its leaf.

The law: the ledger's own transaction says how far a journal is gathered, so a crash at any point repeats nothing and leaves nothing out. A
journal that does not follow is named and left where it is, and the others go on.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from hub.ledger import index
from hub.ledger.entries import Entry
from hub.ledger.faults import RefusedEntryError, UnreadyLedgerError
from hub.ledger.index import Names, Read
from hub.ledger.journals import Gap, Journals, Look, Trouble
from hub.ledger.opening import Unsealing, kept
from hub.ledger.port import Ledger, Statements
from metip.ledger.v1 import record_pb2

EVERY: Final = 0.2
"""Seconds between two rounds while nothing waits."""
BETWEEN: Final = 0.001
"""Seconds that others have the interpreter between two rounds of a backlog."""
WHILE_UNREADY: Final = 1.0
AT_ONCE: Final = 500
"""Records of one journal in a round, so that a round is short and no journal waits for another's backlog."""


@dataclass(frozen=True)
class JournalState:
    """How far a journal is gathered, as of the last round."""

    name: str
    position: int
    lag: float = 0.0
    """Seconds since the oldest record that waits was written; 0 where nothing does."""
    gap: Gap | None = None
    gap_since: float = 0.0
    """Unix time."""
    last_record: float = 0.0
    """Unix time of the last record that was gathered since this process began; 0 for none."""


class Gathering:
    """Rounds over the journals. Of one thread, except for `states`, which anybody may read."""

    def __init__(
        self,
        ledger: Ledger[Any],
        journals: Path,
        sealing: Path,
        *,
        clock: Callable[[], float] = time.time,
        alarm: Callable[[JournalState], None] = lambda _: None,
    ) -> None:
        """`sealing` holds the private sealing keys. `alarm` is told, once, of each gap that comes and of each that goes."""
        self._ledger, self._journals = ledger, Journals(journals)
        self._unsealing, self._names = Unsealing(sealing), Names()
        self._clock, self._alarm = clock, alarm
        self._told: dict[str, int] = {}
        self.states: Mapping[str, JournalState] = {}

    def round(self) -> bool:
        """Gathers what there is, up to a bound for each journal; whether more waits. Raises `BrokenLedgerError`, `UnreadyLedgerError`."""
        reached = dict(self._ledger.reached)
        names = self._journals.names()
        looks = {name: self._journals.look(name, reached.get(name), AT_ONCE) for name in dict.fromkeys((*names, *reached))}
        while any(one.entries for one in looks.values()):
            try:
                self._append(list(looks.values()))
                break
            except RefusedEntryError as error:  # it chains, yet the ledger does not take it: the others go on without that journal
                looks[error.journal] = Look(gap=Gap(Trouble.REFUSED, error.position))
        self._tell()
        self._judge(looks)
        return any(one.waiting is not None and one.gap is None for one in looks.values())

    def forget(self) -> None:
        """Forgets every data key, after an erasure; any thread may call it."""
        self._unsealing.forget()

    def close(self) -> None:
        """Closes the journals."""
        self._journals.close()

    def _append(self, looks: Sequence[Look]) -> None:
        entries = [entry for look in looks for entry in look.entries]
        records = [record for look in looks for record in look.records]

        def fill(db: Statements, first: int, _entries: Sequence[Entry]) -> None:
            index.add_keys(db, (key for look in looks for key in look.keys))
            look = cache(kept(db))
            index.add(db, self._names, first, [Read(one, self._unsealing.open(one, look)) for one in records])

        try:
            self._ledger.append(entries, fill)
        except BaseException:
            self._names.forget()
            raise

    def _tell(self) -> None:
        """Tells each journal's process how far it may prune; what can't be told now is told at the next round."""
        for name, one in self._ledger.reached.items():
            if self._told.get(name) != one.position:
                try:
                    self._journals.tell(name, one.position)
                except OSError:
                    continue
                self._told[name] = one.position

    def _judge(self, looks: Mapping[str, Look]) -> None:
        now, states = self._clock(), {}
        for name, look in looks.items():
            before = self.states.get(name) or JournalState(name, 0)
            if look.missed:
                states[name] = before
                continue
            reached = self._ledger.reached.get(name)
            state = replace(
                before,
                position=reached.position if reached else 0,
                lag=max(0.0, now - _seconds(look.waiting)) if look.waiting is not None else 0.0,
                gap=look.gap,
                gap_since=(before.gap_since or now) if look.gap else 0.0,
                last_record=_seconds(look.records[-1]) if look.records else before.last_record,
            )
            states[name] = state
            if state.gap != before.gap:
                self._alarm(state)
        self.states = states


class GatheringThread:
    """The thread that gathers, so that the process's event loop never waits for it. A fault ends it and is told to `on_broken`."""

    def __init__(
        self,
        gathering: Gathering,
        *,
        on_broken: Callable[[BaseException], None],
        on_unready: Callable[[UnreadyLedgerError | None], None] = lambda _: None,
        every: float = EVERY,
    ) -> None:
        """`on_unready` is told when the disk is full or the server away, and, with None, when it no longer is; records wait meanwhile."""
        self._gathering, self._every = gathering, every
        self._on_broken, self._on_unready = on_broken, on_unready
        self._unready: type[UnreadyLedgerError] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ledger-gathering", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the round that is under way and a last one; what comes later waits in the journals."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                self._stop.wait(self._round())
            self._round()
        except BaseException as error:  # noqa: BLE001 - told to whoever stops the process
            self._on_broken(error)
        finally:
            self._gathering.close()

    def _round(self) -> float:
        """One round; the seconds until the next one."""
        try:
            more = self._gathering.round()
        except UnreadyLedgerError as error:
            self._judge(error)
            return WHILE_UNREADY
        self._judge(None)
        return BETWEEN if more else self._every

    def _judge(self, error: UnreadyLedgerError | None) -> None:
        unready = None if error is None else type(error)
        if unready is not self._unready:
            self._unready = unready
            self._on_unready(error)


def _seconds(record: record_pb2.Record) -> float:
    return float(record.at.seconds) + float(record.at.nanos) / 1e9
