"""The tables on PostgreSQL: those of the embedded engine (`hub.ledger.reading`, `hub.ledger.index`, `hub.ledger.edge`), in its own types.

Words are compared by their bytes (`C`), as the embedded engine does. Each index of the facts and that of the tokens ends with time and
place, so that a page of an answer is a range of one index.
"""

from typing import Final

VERSION: Final = "1"
LINKS: Final = (
    "create table if not exists links (value bytea not null, at bigint not null, idx bigint not null, primary key (value, at, idx))"
)
"""Beside the others, since a ledger from before it has none."""
TABLES: Final = """
create table if not exists meta (name text primary key, value text not null);
create table if not exists leaves (idx bigint primary key, leaf bytea not null);
create table if not exists tiles (level integer not null, idx bigint not null, hashes bytea not null, primary key (level, idx));
alter table tiles alter column hashes set storage external;
create table if not exists checkpoints (size bigint primary key, note text not null, cosigned text);
create index if not exists checkpoints_cosigned on checkpoints (size) where cosigned is not null;
create table if not exists journals (name text primary key, position bigint not null, chain bytea not null, idx bigint not null);
create table if not exists names (id bigint generated always as identity primary key, text text collate "C" not null unique);
create table if not exists facts (
  idx bigint primary key,
  at bigint not null,
  kind bigint not null,
  operation bigint not null,
  verb bigint not null,
  consumer bigint not null,
  force bigint not null,
  unit bigint not null,
  purpose bigint not null,
  outcome bigint not null,
  disclosed bigint not null,
  call_id text collate "C",
  key bigint,
  opened bigint not null
);
create index if not exists facts_at on facts (at, idx);
create index if not exists facts_operation on facts (operation, at, idx);
create index if not exists facts_consumer on facts (consumer, at, idx);
create index if not exists facts_outcome on facts (outcome, at, idx);
create index if not exists facts_call on facts (call_id, at, idx) where call_id is not null;
create index if not exists facts_key on facts (key) where key is not null;
create index if not exists facts_unopened on facts (idx) where opened = 0;
create table if not exists tokens (
  value bytea not null, at bigint not null, idx bigint not null, kind bigint not null, primary key (value, at, idx)
);
create table if not exists keys (
  number bigint generated always as identity primary key,
  id bytea not null unique,
  journal text not null,
  interface text collate "C" not null,
  month text collate "C" not null,
  wrapped bytea,
  erased_at bigint
);
create table if not exists edge (name text primary key, value bigint not null);
create table if not exists missing (
  call_id text not null, operation text not null, at bigint not null, lines bigint not null, needed bigint not null,
  found bigint not null, primary key (call_id, operation)
);
"""
