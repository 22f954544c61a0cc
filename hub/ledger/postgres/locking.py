"""Who may append: the connection that holds the database's advisory lock, on a server whose word that something is durable holds."""

import os
import secrets
import socket
from typing import Any, Final

from hub.ledger.faults import BrokenLedgerError, Code
from hub.ledger.postgres.session import Session

CLASS: Final = 0x4D455449
"""The first half of the lock's key, `METI`; the second is of the schema, so that each has a ledger of its own."""
LOCKED: Final = "select pg_try_advisory_lock(?, hashtext(current_schema()))"
HOLDER: Final = """
select a.pid, a.application_name, coalesce(host(a.client_addr), 'this machine'), a.backend_start
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid::bigint = ?
and l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295)
and l.database = (select oid from pg_database where datname = current_database())
"""


def name() -> str:
    """What a process is called on the server; another one of the same machine has another name."""
    return f"metip ledger {socket.gethostname()[:20]}/{os.getpid()}/{secrets.token_hex(4)}"


def check_durable(session: Session) -> None:
    """What the server says is durable is. Raises `BrokenLedgerError` NOT_A_LEDGER for a server that is set otherwise."""
    for setting in ("fsync", "full_page_writes"):
        row: Any = session.execute(f"select current_setting('{setting}')").fetchone()
        if row[0] != "on":
            raise BrokenLedgerError(Code.NOT_A_LEDGER, f"the server runs with {setting} off: what it says is durable may be lost")
    row = session.execute("select current_setting('synchronous_commit')").fetchone()
    if row[0] not in ("on", "remote_apply"):
        session.script("set synchronous_commit = on")


def locked(session: Session, own: str) -> str | None:
    """Takes the lock; None once it is held, else who holds it, for people.

    A connection of this very process that broke, and that the server has not noticed yet, is ended.
    """
    row: Any = session.execute(LOCKED, (CLASS,)).fetchone()
    if row[0]:
        return None
    holder: Any = session.execute(HOLDER, (CLASS,)).fetchone()
    if holder is None:
        return "it let go this moment"
    process, said, place, since = holder
    if said == own[:63]:
        session.execute("select pg_terminate_backend(?)", (process,))
    return f"{said or 'somebody'}, server process {process}, from {place}, since {since:%Y-%m-%d %H:%M:%S} UTC"
