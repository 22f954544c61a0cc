"""`metip` as it is typed: a process of its own, with the home of a mesh under test."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leak_watch import printed

PATIENCE = 60.0
"""Seconds that a command may take on a busy machine; `up` and `demo` have their own."""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed with `--json`."""
        assert self.out, self.err
        return json.loads(self.out)

    @property
    def documents(self) -> list[Any]:
        """What it printed with `--json` for a stream: a document to a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(home: Path, config: Path | None = None) -> dict[str, str]:
    """The environment of a shell in which `metip` and what is installed with it are on PATH; `config` holds contexts, none
    without it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    settings = str(config or home / "config")
    return {**os.environ, "METIP_HOME": str(home), "XDG_CONFIG_HOME": settings, "PATH": path, "COLUMNS": "200"}


async def metip(home: Path, *arguments: str, within: float = PATIENCE, config: Path | None = None) -> Done:
    """Runs one command to its end."""
    return await _run(home, [sys.executable, "-m", "hub.cli", *arguments], within, config)


async def shell(home: Path, line: str, within: float = PATIENCE) -> Done:
    """Runs one line in a shell, as somebody who pasted it."""
    return await _run(home, ["sh", "-c", line], within)


async def _run(home: Path, command: list[str], within: float, config: Path | None = None) -> Done:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment(home, config),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), within)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    printed(command, out.decode(), err.decode())
    return Done(process.returncode or 0, out.decode(), err.decode())
