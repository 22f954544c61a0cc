"""Finding messages by their keys: fingerprints of the newest messages are in memory, all others in a table that is filled many at a time.

Keys come in no order. Written one by one into an index, each would touch a page of its own. So fingerprints are filed in bulk and in order
of their values, and whoever opens the file reads those of the messages that came after the last filing. Different keys may share a
fingerprint: whoever looks one up compares the key itself too.
"""

from array import array
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import apsw

from hub.exchange.keys import fingerprint
from hub.exchange.sqlite.tables import Recorder, Tables

AT_ONCE: Final = 32_768
"""Messages whose keys are filed together; also how many are read again when the file is opened, at the most."""
PLACES: Final = 36
"""Bits of an entry that are the message's place; those above are its fingerprint."""
PLACE: Final = (1 << PLACES) - 1
FILED: Final = (
    f"select entry & {PLACE} from carray(?) k cross join key where entry between k.value << {PLACES} and k.value << {PLACES} | {PLACE}"
)
UNFILED: Final = (
    "select m.sequence, o.name, m.idempotency_key, m.ordering_key from message m join operation o on o.id = m.operation"
    " where m.sequence > ? order by m.sequence"
)


class Keyed(Tables):
    """Messages by key. `note` each that is inserted; what a transaction that fails had noted is forgotten with it."""

    def __init__(self, path: Path, record: Recorder | None = None, *, synchronous: str = "full", vfs: str | None = None) -> None:
        super().__init__(path, record, synchronous=synchronous, vfs=vfs)
        self._new: dict[int, int] = {}
        """The newest message of each fingerprint, of those that are not filed yet."""
        self._more: dict[int, list[int]] = {}
        """Those before it. Apart, as most have none, and lists cost the garbage collector what numbers do not."""
        self._gone: set[int] = set()
        """Messages that were deleted before they were filed."""
        self._filed = self._newest = self._file_at = 0
        self._read_new()

    def note(self, sequence: int, known_by: int, in_line: int) -> None:
        """A message that was just inserted: fingerprints of its idempotency key and of its ordering key, 0 where it has none."""
        for one in (known_by, in_line) if in_line not in (0, known_by) else (known_by,):
            if one in self._new:
                self._more.setdefault(one, []).append(self._new[one])
            self._new[one] = sequence
        self._newest = sequence

    def note_all(self, first: int, prints: Sequence[int]) -> None:
        """Messages that were just inserted one after the other from `first` on, and that have no ordering key."""
        unlike = len(set(prints)) == len(prints) and self._new.keys().isdisjoint(prints)
        if unlike:
            self._new.update(zip(prints, range(first, first + len(prints)), strict=True))
            self._newest = first + len(prints) - 1
            return
        for sequence, known_by in enumerate(prints, first):
            self.note(sequence, known_by, 0)

    def noted(self, prints: Sequence[int]) -> list[int]:
        """Places of messages with one of these fingerprints, from the earliest."""
        found = [row[0] for row in self._execute(FILED, (numbers(prints),))]
        for one in prints:
            if one in self._new:
                found += (*self._more.get(one, ()), self._new[one])
        return sorted(set(found))

    def unfile(self, sequence: int, operation: str, idempotency_key: str, ordering_key: str) -> None:
        """A message that is about to be deleted. One that was not filed yet leaves nothing behind when the others are."""
        if sequence > self._filed:
            self._gone.add(sequence)
            return
        for key in {key for key in (idempotency_key, ordering_key) if key}:
            self._execute("delete from key where entry = ?", (_entry(fingerprint(operation, key), sequence),))

    def _committed(self) -> None:
        super()._committed()
        if self._newest >= self._file_at:
            self._file()

    def _file(self) -> None:
        """Files what is new, in a transaction of its own. No room for it is no harm: all stays in memory and is tried again later."""
        more = ((one, place) for one, places in self._more.items() for place in places)
        entries = [one << PLACES | place for one, place in chain(self._new.items(), more)]
        if self._gone:
            entries = [entry for entry in entries if entry & PLACE not in self._gone]
        self._file_at = self._newest + AT_ONCE
        try:
            self._execute("begin immediate")
            if entries:
                self._execute("insert into key (entry) select value from carray(?) order by value", (numbers(entries),))
            self._execute("update meta set value = ? where name = 'filed'", (self._newest,))
            self._execute("commit")
        except apsw.FullError:
            if not self.database.get_autocommit():
                self._execute("rollback")
            return
        self._forget_new()
        self._filed = self._newest

    def _take_back(self) -> None:
        super()._take_back()
        if not self._broken:
            self._read_new()

    def _forget_new(self) -> None:
        self._new.clear()
        self._more.clear()
        self._gone.clear()

    def _read_new(self) -> None:
        """What is not filed, as the table of messages has it."""
        self._forget_new()
        ((filed,),) = self.all("select value from meta where name = 'filed'")
        self._filed = self._newest = filed
        self._file_at = filed + AT_ONCE
        for sequence, operation, idempotency_key, ordering_key in self._execute(UNFILED, (filed,)):
            self.note(sequence, fingerprint(operation, idempotency_key), fingerprint(operation, ordering_key))


def _entry(one: int, sequence: int) -> int:
    return one << PLACES | sequence


def numbers(values: Sequence[int]) -> Any:
    """Numbers as a table of a statement; where there are none a 0, which is no place and no fingerprint."""
    return apsw.carray(array("q", values or (0,)))
