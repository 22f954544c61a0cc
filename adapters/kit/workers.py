"""One worker in this process, or several in processes of their own that are started again when they end."""

import asyncio
import os
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.kit.journal import Journal, NoJournal, Place
from adapters.kit.owned import FOLDER
from adapters.kit.serving import Worker, serve_worker
from adapters.kit.site import Identity, Mesh
from metip.journal.file import BrokenError
from metip.journal.store import HALTED
from metip.logs import Log
from metip.options.v1.options_pb2 import PLATFORM_METIP2, back_end
from metip.processes import dying_with_parent

FIRST_DELAY, LONGEST_DELAY = 0.2, 10.0


@dataclass(frozen=True)
class Launch:
    """How the process was started."""

    system: str
    run_directory: Path
    registry: str
    mesh: str
    identity: Path | None
    journal: Place | None = None
    """Where calls are recorded; None only for adapters without any operation on personal data."""
    listen: str = ""
    """IPv4 `address:port` of the first worker, instead of a socket; the others take the ports that follow."""

    def socket(self, number: int) -> Path:
        """Path of the socket of one worker; a unix socket's path may have 107 bytes."""
        return self.run_directory / f"{self.system}-{number}.sock"

    def address(self, number: int) -> str:
        """`address:port` of one worker; empty where it has a socket."""
        host, _, port = self.listen.rpartition(":")
        return f"{host}:{int(port) + number}" if self.listen else ""

    @property
    def executions(self) -> Path | None:
        """Where it is marked what was executed, for all workers together; None where there is no place for it."""
        return self.journal.journals.parent / FOLDER / f"{self.system}.sqlite" if self.journal is not None else None

    @property
    def files(self) -> Identity | None:
        """The files of its identity; None where it was started without one."""
        folder = self.identity
        return Identity(folder / "cert.pem", folder / "key.pem", folder.parent / "ca.pem") if folder is not None else None


async def run_workers(launch: Launch, settings: Any, workers: int, number: int, arguments: list[str], stop: asyncio.Event) -> int:
    """Runs until `stop`. With `number` ≥ 0 this process is that worker; otherwise it is the parent of `workers` of them."""
    if number >= 0 or workers == 1:
        place = max(number, 0)
        worker = Worker(launch.system, place, launch.socket(place), launch.registry, launch.address(place), launch.files)
        with _journal(launch, place, settings) as journal:
            await serve_worker(
                worker,
                settings,
                settings.serving,
                mesh=_mesh(launch),
                stop=stop,
                journal=journal,
                executions=launch.executions,
                journals=launch.journal.journals if launch.journal is not None else None,
            )
        return 0
    log = Log(system=launch.system)
    async with asyncio.TaskGroup() as group:
        for place in range(workers):
            group.create_task(_keep(place, arguments, log, stop))
    return 0


async def _keep(place: int, arguments: list[str], log: Log, stop: asyncio.Event) -> None:
    delay = FIRST_DELAY
    while not stop.is_set():
        started = asyncio.get_running_loop().time()
        command = (sys.executable, "-m", "adapters.kit", *arguments, f"--worker={place}")
        child = await asyncio.create_subprocess_exec(*dying_with_parent(command))
        ended, told = asyncio.create_task(child.wait()), asyncio.create_task(stop.wait())
        await asyncio.wait((ended, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not ended.done():
            with suppress(ProcessLookupError):
                child.terminate()
            await ended
            return
        if asyncio.get_running_loop().time() - started > LONGEST_DELAY:
            delay = FIRST_DELAY
        log.line("worker_ended", worker=place, code=ended.result(), again_in=delay)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), delay)
        delay = min(delay * 2, LONGEST_DELAY)


def _journal(launch: Launch, number: int, settings: Any) -> AbstractContextManager[Journal]:
    def halt(error: BrokenError) -> None:
        """On the journal's own thread: whatever the rest of the process still believes, it must not go on."""
        Log(system=launch.system, worker=number).line("halted", problem=str(error))
        os._exit(HALTED)

    if launch.journal is None:
        return nullcontext(NoJournal())
    declared = settings.DESCRIPTOR.file.GetOptions().Extensions[back_end].platform  # empty for a system that is no back end
    return launch.journal.journal(launch.system, number, halt, platform=declared or PLATFORM_METIP2)


def _mesh(launch: Launch) -> Mesh | None:
    if not launch.mesh or launch.files is None:
        return None
    return Mesh(launch.mesh, launch.files)
