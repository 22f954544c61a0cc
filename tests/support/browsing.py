"""Plays scenarios of `tests/browser/*.mjs` in Debian's Chromium against the console of a running estate.

A scenario is a function of a script: Node reads its facts from standard input as JSON, drives the browser, and answers in JSON. One that
watches for something to happen says `ready` in a line first.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
from mesh_rig import MeshRig

from hub.cli.client import place
from hub.cli.console import signed_in_address

SCRIPTS: Final = Path(__file__).parents[1] / "browser"
CHROMIUM: Final = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
NEEDED: Final = {"node": shutil.which("node"), "npm": shutil.which("npm"), "chromium": CHROMIUM}
PATIENCE: Final = 120.0
"""Seconds for one scenario on a busy machine."""
READY: Final = b"ready\n"


def signed_in(rig: MeshRig, *roles: str) -> tuple[str, str]:
    """The console's address and a token with those roles."""
    address, _, token = signed_in_address(place(rig.home.root), roles or ("operations",)).partition("/#token=")
    return address, token


async def drive(
    script: str, scenario: str, facts: dict[str, Any], when_ready: Callable[[], Awaitable[object]] | None = None
) -> dict[str, Any]:
    """Plays a scenario; its answer. `when_ready` is awaited once the scenario says that it watches. Skips, loudly, without a browser."""
    process = await asyncio.create_subprocess_exec(
        _node(),
        script,
        scenario,
        cwd=SCRIPTS,
        env={**os.environ, "CHROMIUM": CHROMIUM},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            process.stdin.write(json.dumps(facts).encode())
            process.stdin.write_eof()
            if when_ready is not None and await process.stdout.readline() == READY:
                await when_ready()
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    found: dict[str, Any] = json.loads(out)
    return found


def _node() -> str:
    """Node, once what the scripts need is installed as their lock file says."""
    if gone := [name for name, path in NEEDED.items() if not path]:
        pytest.skip(f"THE CONSOLE IS TRIED IN NO BROWSER HERE: {', '.join(gone)} not found")
    installed = SCRIPTS / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (SCRIPTS / "package-lock.json").stat().st_mtime:
        subprocess.run(["npm", "ci", "--silent"], cwd=SCRIPTS, check=True)
    return str(NEEDED["node"])
