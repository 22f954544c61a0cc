"""Plays scenarios of `tests/browser/*.mjs` in Debian's Chromium against the console of a running estate.

A scenario is a function of a script: Node reads its facts from standard input as JSON, drives the browser, and answers in JSON.
"""

import asyncio
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mesh_rig import MeshRig

from hub.cli.client import place
from hub.cli.console import signed_in_address

SCRIPTS: Final = Path(__file__).parents[1] / "browser"
CHROMIUM: Final = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
PATIENCE: Final = 120.0
"""Seconds for one scenario on a busy machine."""


def scripts_ready() -> str:
    """Node, once what the scripts need is installed as their lock file says; empty where the machine lacks something for it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm and CHROMIUM):
        return ""
    installed = SCRIPTS / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (SCRIPTS / "package-lock.json").stat().st_mtime:
        subprocess.run([npm, "ci", "--silent"], cwd=SCRIPTS, check=True)
    return node


@dataclass(frozen=True)
class Browser:
    """A browser for one estate."""

    rig: MeshRig
    node: str

    async def play(self, script: str, scenario: str, *, roles: tuple[str, ...] = ("operations",), **facts: Any) -> dict[str, Any]:
        """Plays a scenario, signed in with those roles; its answer, once axe, the page and the network have nothing against it."""
        address, _, token = signed_in_address(place(self.rig.home.root), roles).partition("/#token=")
        process = await asyncio.create_subprocess_exec(
            self.node,
            script,
            scenario,
            cwd=SCRIPTS,
            env={**os.environ, "CHROMIUM": CHROMIUM},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said = json.dumps({"address": address, "token": token, **facts}).encode()
        out, err = await asyncio.wait_for(process.communicate(said), PATIENCE)
        assert process.returncode == 0, err.decode()
        found: dict[str, Any] = json.loads(out)
        assert found["violations"] == [], "axe: WCAG 2.2 AA, light and dark"
        assert found["problems"] == [], "what the page itself complained of"
        assert found["origins"] == [address], "no request leaves the origin"
        return found
