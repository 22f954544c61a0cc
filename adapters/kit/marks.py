"""What a platform has executed and what it must not take any more, durably: the last word before the far system.

The law: a mark is on disk before the handler of a message begins, and its outcome before the answer leaves. A message that is done is not
executed again, an attempt that is overtaken by a later one is not executed at all, and neither is one whose token is lower than the highest
that was seen for its key, or for all keys. Workers of one adapter share the file, so that what one of them has seen all of them have.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from metip.faults import Fault, Reason
from metip.tokens import Token

SCHEMA: Final = """
create table if not exists fence (post text not null, digest blob not null, number integer not null, primary key (post, digest))
  strict, without rowid;
create table if not exists mark (
  message text primary key,
  attempt integer not null,
  runner integer,
  reply blob,
  at real not null
) strict, without rowid;
create index if not exists mark_by_age on mark (at);
"""
KEPT_FOR: Final = 40 * 86_400.0
"""Seconds for which it is known what was executed: longer than any message is kept and replayed under its own id."""
FORGOTTEN_AT_ONCE: Final = 1000
ALL: Final = b""


@dataclass(frozen=True, slots=True)
class Bar:
    """What must not be taken any more: anything of a post, or of one key of it, with a token below the number."""

    post: str
    digest: str
    number: int


@dataclass(frozen=True, slots=True)
class Handed:
    """One attempt to have a message executed here."""

    system: str
    """Whoever this is."""
    post: str
    message_id: str
    attempt: int
    token: Token


class Marks:
    """The file; it belongs to one thread. Each method is the body of a transaction that its caller makes."""

    def __init__(self, path: Path, runner: int = 0, *, synchronous: str = "full", vfs: str | None = None) -> None:
        """Opens or makes it. `runner` is the worker's number: what an earlier process of that number ran nobody runs any more.

        Raises `apsw.Error`.
        """
        self._runner = runner
        self.database = apsw.Connection(str(path), vfs=vfs)
        self.database.set_busy_timeout(5000)
        self.database.pragma("journal_mode", "wal")
        self.database.pragma("synchronous", synchronous)
        with self.database:
            self.database.execute(SCHEMA)
            self.database.execute("update mark set runner = null where runner = ?", (runner,))

    def begin(self, handed: Handed, now: float | None = None) -> bytes | None:
        """Marks an attempt as begun; or gives the reply of an earlier one that was done.

        Raises `Fault` FENCED for one that is not this platform's, and IN_DOUBT for one that was begun or overtaken before.
        """
        token = handed.token
        if token.owner != handed.system:
            raise Fault(Reason.FENCED, "the message is another platform's")
        digest = bytes.fromhex(token.digest)
        highest = self._highest(handed.post, digest)
        if token.number < highest:
            raise Fault(Reason.FENCED, f"its token is {token.number}, and {highest} was seen")
        if digest and token.number > highest:
            self._raise(handed.post, digest, token.number)
        row = self._one("select attempt, reply, runner from mark where message = ?", (handed.message_id,))
        if row is not None and row[1] is not None:
            return bytes(row[1])
        if row is not None and (handed.attempt <= row[0] or row[2] is not None):
            raise Fault(Reason.IN_DOUBT, f"attempt {row[0]} of the message was begun before, and nobody knows yet how it ended")
        self.database.execute(
            "insert or replace into mark (message, attempt, runner, reply, at) values (?, ?, ?, null, ?)",
            (handed.message_id, handed.attempt, self._runner, time.time() if now is None else now),
        )
        return None

    def leave(self, message_id: str) -> None:
        """Keeps that an attempt is not being executed any more, and was not done as far as is known here."""
        self.database.execute("update mark set runner = null where message = ? and reply is null", (message_id,))

    def end(self, message_id: str, reply: bytes) -> None:
        """Keeps that a message is done, and what was answered."""
        self.database.execute("update mark set reply = ?, runner = null where message = ?", (reply, message_id))

    def bar(self, bars: Iterable[Bar]) -> None:
        """Keeps what must not be taken any more."""
        for one in bars:
            digest = bytes.fromhex(one.digest)
            if one.number > self._highest(one.post, digest):
                self._raise(one.post, digest, one.number)

    def fence(self, post: str) -> int:
        """The number below which nothing of a post is taken; 0 for none."""
        return self._highest(post, ALL)

    def forget(self, before: float) -> None:
        """Forgets some marks that are older."""
        self.database.execute(
            "delete from mark where message in (select message from mark where at < ? limit ?)", (before, FORGOTTEN_AT_ONCE)
        )

    def close(self) -> None:
        """Closes the file."""
        self.database.close()

    def _highest(self, post: str, digest: bytes) -> int:
        row = self._one("select max(number) from fence where post = ? and digest in (?, ?)", (post, ALL, digest))
        return int(row[0] or 0) if row else 0

    def _raise(self, post: str, digest: bytes, number: int) -> None:
        if digest == ALL:  # what was seen of single keys below it says nothing more
            self.database.execute("delete from fence where post = ? and number <= ?", (post, number))
        self.database.execute("insert or replace into fence (post, digest, number) values (?, ?, ?)", (post, digest, number))

    def _one(self, statement: str, values: tuple[Any, ...]) -> Any:
        return self.database.execute(statement, values).fetchone()
