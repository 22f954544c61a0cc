"""Tables and names of the SQLite engine.

A message is one row, whoever is to get it. A subscription has a cursor: what lies beyond it waits, without a row of its own, so that a
subscriber that is away for days costs nothing but its messages. A delivery has a row from the moment the cursor passes its message.

Messages are found by their keys through the table `key`; how it is filled, `keyed` says. Who owns the messages of a post that several
systems hold stands in `post` and `post_key`; `charge` has each of their deliveries that is not done.
"""

import secrets
from typing import Any, Final

import apsw

from hub.exchange.life import DONE, State
from hub.exchange.records import UnknownError

VERSION: Final = 3
_DONE: Final = ", ".join(sorted(f"'{state.value}'" for state in DONE))
WAITING: Final = ", ".join(sorted(f"'{state.value}'" for state in (State.PARKED, State.IN_DOUBT, State.EXPIRED)))
SCHEMA: Final = f"""
create table if not exists meta (name text primary key, value integer not null) strict, without rowid;
create table if not exists operation (id integer primary key, name text not null unique) strict;
create table if not exists message (
  sequence integer primary key autoincrement,
  operation integer not null references operation,
  idempotency_key text not null,
  ordering_key text not null,
  body blob not null,
  producer text not null,
  officer text not null,
  call_id text not null,
  accepted real not null,
  not_before real not null,
  expires real not null,
  audience integer not null,
  replay_of integer not null,
  traceparent text not null default ''
) strict;
create index if not exists message_by_operation on message (operation);
create table if not exists key (entry integer primary key) strict;
create table if not exists subscription (
  id integer primary key,
  name text not null unique,
  system text not null,
  operation integer not null references operation,
  cursor integer not null,
  paused integer not null default 0,
  closed integer not null default 0
) strict;
create table if not exists delivery (
  subscription integer not null references subscription,
  sequence integer not null references message,
  ordering_key text not null,
  state text not null,
  head integer not null,
  attempts integer not null,
  lost integer not null,
  began real not null,
  first_began real not null,
  next_at real not null,
  owner text not null default '',
  released integer not null default 0,
  status text not null default '',
  reason text not null default '',
  primary key (subscription, sequence)
) strict, without rowid;
create index if not exists delivery_next on delivery (subscription, next_at, sequence) where state = 'pending' and head = 1;
create index if not exists delivery_under_way on delivery (subscription) where state = 'attempt';
create index if not exists delivery_of_key on delivery (subscription, ordering_key, head, sequence)
  where ordering_key != '' and state not in ({_DONE});
create index if not exists delivery_waiting on delivery (subscription, state, status, reason) where state in ({WAITING});
create index if not exists delivery_of_message on delivery (sequence, subscription);
create table if not exists step (
  sequence integer not null,
  subscription integer not null,
  at real not null,
  began real not null,
  state text not null,
  attempt integer not null,
  status text not null,
  reason text not null,
  by text not null
) strict;
create index if not exists step_of_message on step (sequence);
create table if not exists act (
  at real not null,
  by text not null,
  what text not null,
  subject text not null,
  reason text not null
) strict;
create table if not exists plan (
  id text primary key,
  made_by text not null,
  made real not null,
  reason text not null,
  expires real not null,
  needs_approval integer not null,
  approved_by text not null default '',
  replayed integer not null default -1,
  left_alone integer not null default 0
) strict, without rowid;
create table if not exists post (name text primary key, owner text not null, number integer not null) strict, without rowid;
create table if not exists post_key (
  post text not null,
  digest blob not null,
  owner text not null,
  number integer not null,
  ejected integer not null,
  primary key (post, digest)
) strict, without rowid;
create table if not exists charge (
  subscription integer not null references subscription,
  sequence integer not null references message,
  number integer not null,
  touched integer not null default 0,
  primary key (subscription, sequence)
) strict, without rowid;
create index if not exists charge_of_message on charge (sequence);
create table if not exists post_move (
  id text primary key,
  post text not null,
  scope text not null,
  key text not null,
  owner text not null,
  state text not null,
  number integer not null,
  began real not null,
  moved integer not null default 0
) strict, without rowid;
create table if not exists fence (
  system text not null,
  post text not null,
  digest blob not null,
  number integer not null,
  primary key (system, post, digest)
) strict, without rowid;
create table if not exists fenced (id text not null, hub text not null, primary key (id, hub)) strict, without rowid;
create table if not exists note (
  at real not null,
  by text not null,
  subscription text not null,
  state text not null,
  status text not null,
  reason text not null,
  words text not null
) strict;
create index if not exists note_of on note (subscription, state, status, reason);
create table if not exists plan_item (plan text not null, subscription integer not null, sequence integer not null) strict;
create index if not exists plan_item_of on plan_item (plan);
"""

_VARIANT: Final = 0b10 << 62
_EIGHT: Final = 8 << 76


class Names:
    """Message ids: UUIDs of version 8 (RFC 9562) made of the store's own number and the message's place, so that neither needs an index."""

    def __init__(self, store: int) -> None:
        self._head = (store >> 12) << 80 | _EIGHT | (store & 0xFFF) << 64 | _VARIANT
        text = f"{self._head:032x}"
        self._text = f"{text[:8]}-{text[8:12]}-{text[12:16]}-"

    def of(self, sequence: int) -> str:
        """The id of the message at that place."""
        return f"{self._text}{_VARIANT >> 48 | sequence >> 48:04x}-{sequence & 0xFFFFFFFFFFFF:012x}"

    def sequence(self, message_id: str) -> int:
        """The place of a message. Raises `UnknownError` when the id is another store's, or nobody's."""
        try:
            value = int(message_id.replace("-", ""), 16)
        except ValueError:
            value = 0
        sequence = value & (_VARIANT - 1) & ((1 << 62) - 1)
        if value == 0 or value != self._head | sequence:
            raise UnknownError("there is no such message")
        return sequence


def opened(path: str, synchronous: str = "full", vfs: str | None = None) -> tuple[apsw.Connection, Names]:
    """The file, made or opened, and its names. Raises `apsw.Error`.

    `synchronous` is `normal` where something else is the truth; `vfs` names SQLite's way to the file system.
    """
    database = apsw.Connection(path, vfs=vfs)
    database.set_busy_timeout(5000)
    database.pragma("journal_mode", "wal")
    database.pragma("synchronous", synchronous)
    database.pragma("cache_size", -65536)
    with database:
        database.execute(SCHEMA)
        if "traceparent" not in {row[1] for row in database.execute("pragma table_info(message)")}:
            database.execute("alter table message add column traceparent text not null default ''")  # a file from before it was kept
        found = _meta(database, "version")
        if found not in (None, VERSION):
            raise apsw.NotADBError(f"the file is of version {found}, and this program writes version {VERSION}")
        database.execute("insert or ignore into meta values ('version', ?), ('store', ?), ('filed', 0)", (VERSION, secrets.randbits(60)))
    number: Any = _meta(database, "store")
    return database, Names(number)


def _meta(database: apsw.Connection, name: str) -> int | None:
    row: Any = database.execute("select value from meta where name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])
