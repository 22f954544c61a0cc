"""Keeps processes running: starts them, starts them again when they die, stops them all, in order, and leaves none behind."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from metip.processes import dying_with_parent

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
PATIENCE = 15.0


@dataclass
class Process:
    """One process to be kept running."""

    name: str
    command: tuple[str, ...]
    log: Path
    state: str = "waiting"
    """waiting, running, restarting, stopped or failed."""
    restarts: int = 0
    _child: asyncio.subprocess.Process | None = field(default=None, repr=False)
    _keeping: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None


class Supervisor:
    """The processes of one home. `told` hears of each change of state."""

    def __init__(self, record: Path, told: Callable[[Process, str], None] = lambda _process, _words: None) -> None:
        self.processes: list[Process] = []
        self._record = record
        self._told = told

    def start(self, process: Process) -> None:
        """Starts a process and keeps it running until it is stopped."""
        self.processes.append(process)
        process._keeping = asyncio.create_task(self._keep(process))

    async def stop(self, *names: str) -> None:
        """Stops processes, all at once, and returns when they are gone; one that lingers is killed."""
        found = [process for process in self.processes if process.name in names]
        await asyncio.gather(*(self._stop(process) for process in found))
        self._write()

    async def stop_all(self, *order: Callable[[str], bool]) -> None:
        """Stops everything: first those whose name the first predicate accepts, and so on, then the rest."""
        rest: Callable[[str], bool] = lambda _name: True  # noqa: E731 - the type is what the name is for
        for accepts in (*order, rest):
            await self.stop(*(process.name for process in self.processes if process.state != "stopped" and accepts(process.name)))
        self._record.unlink(missing_ok=True)

    async def _keep(self, process: Process) -> None:
        delay = FIRST_DELAY
        while True:
            started = asyncio.get_running_loop().time()
            try:
                with process.log.open("ab") as log:
                    process._child = await asyncio.create_subprocess_exec(
                        *dying_with_parent(process.command),
                        stdin=asyncio.subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,  # Ctrl-C is for the supervisor, which stops the others in order
                    )
            except OSError as error:
                process.state = "failed"
                self._write()
                self._told(process, f"can't be started: {error.strerror}")
                return
            process.state = "running"
            self._write()
            code = await process._child.wait()
            _sweep(process._child.pid)
            process.state, process.restarts = "restarting", process.restarts + 1
            self._write()
            self._told(process, f"ended with {_words(code)}; see {process.log}")
            if asyncio.get_running_loop().time() - started > LONGEST_DELAY:
                delay = FIRST_DELAY
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    async def _stop(self, process: Process) -> None:
        if process._keeping is not None:
            process._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await process._keeping
        child = process._child
        if child is not None and process.state == "running":
            with suppress(ProcessLookupError):
                child.terminate()
            try:
                await asyncio.wait_for(child.wait(), PATIENCE)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
            _sweep(child.pid)
        process.state = "stopped"

    def _write(self) -> None:
        """What runs now, for `metip status` and for tests; replaced in one step, so that nobody reads half of it.

        A disk that is full keeps nothing from being started again, or from being stopped.
        """
        rows = [
            {"name": one.name, "state": one.state, "pid": one.pid, "restarts": one.restarts, "log": str(one.log)} for one in self.processes
        ]
        fresh = self._record.with_suffix(".new")
        with suppress(OSError):
            fresh.write_text(json.dumps({"supervisor": os.getpid(), "processes": rows}, indent=1), encoding="utf-8")
            fresh.replace(self._record)


def _words(code: int) -> str:
    if code >= 0:
        return f"code {code}"
    named = {number.value: number.name for number in signal.Signals}
    return f"signal {named.get(-code, -code)}"


def _sweep(group: int) -> None:
    """Ends whatever is left of a process's group: workers that outlived it would keep their sockets from the next ones."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
