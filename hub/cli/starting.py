"""What `up` and `demo` share: their options, starting an estate with every obstacle named, and stopping it cleanly when told to."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from hub.cli.options import Problem
from hub.cli.printing import span
from hub.laptop.claiming import TakenError
from hub.laptop.estate import NotReadyError
from hub.laptop.layout import Home
from hub.laptop.preparing import systems

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopper:
    """Runs an estate until it ends or the process is told to stop; the first signal asks, the second kills what lingers."""

    def __init__(self, home: Home, say: Callable[[str], None]) -> None:
        self._home, self._say = home, say
        self._groups: set[int] = set()
        self._since: float | None = None
        self.told = False
        """Whether a signal came."""

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """What the work gave, or None when it was told to stop. Either way it says that everything has stopped.

        Raises `Problem` for what kept the estate from starting, and for what is left of it.
        """
        result = None
        try:
            result = asyncio.run(self._run(work))
        except asyncio.CancelledError:
            if not self.told:
                raise
        except TakenError as error:
            raise Problem(error.problem, error.fix) from None
        except NotReadyError as error:
            raise Problem(str(error), "read the log named, then try again; `metip check` looks at the rest") from None
        self._check_stopped()
        return result

    def stopping(self) -> None:
        """Says that the estate is about to stop, and notes what runs, so that nothing can be overlooked at the end."""
        from hub.cli.gathering import processes

        self._groups |= {one.pid for one in processes(self._home) if one.pid is not None}
        self._since = time.monotonic()
        self._say("stopping …")

    async def _run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.ensure_future(work())
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal, task)
        return await task

    def _on_signal(self, task: "asyncio.Future[Any]") -> None:
        if not self.told:
            self.told = True
            task.cancel()
            self.stopping()
            return
        self._say("killing what is left …")
        for group in self._groups:
            _signal_group(group, signal.SIGKILL)

    def _check_stopped(self) -> None:
        left = sorted(group for group in self._groups if _signal_group(group, 0))
        took = span(time.monotonic() - (self._since or time.monotonic()))
        if left:
            raise Problem(f"stopped in {took}, but these process groups are still there: {', '.join(map(str, left))}", "kill them")
        self._say(f"stopped in {took}, nothing left running")


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


def check_systems(names: tuple[str, ...]) -> None:
    """Raises `click.UsageError` for a system that has no adapter."""
    unknown = [name for name in names if name not in systems()]
    if unknown:
        raise click.UsageError(f"there is no adapter for {', '.join(unknown)}; there are {', '.join(systems()) or 'none'}")


def shown(path: Path) -> str:
    """A path as it is best read: from here where it lies below here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
