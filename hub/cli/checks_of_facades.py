"""Checks of façades: each that was started answers, and says for how many consumers."""

import json
from collections.abc import AsyncIterator

from hub.cli.client import Place
from hub.cli.findings import EDGE, Finding, Section
from hub.cli.gathering import State
from hub.cli.printing import count
from hub.laptop.facades import PREFIX, health_socket
from hub.mesh.admin import Admin, EnvoyGoneError


async def of_facades(where: Place, state: State) -> AsyncIterator[Finding]:
    """Every façade among the processes; nothing where none was asked for, or where its process is named as a fault already."""
    section = Section(EDGE)
    for one in state.processes:
        if not one.name.startswith(PREFIX) or not one.alive:
            continue
        try:
            told = json.loads(await Admin(health_socket(where.home, one.name)).get("/health"))
            yield section.judged(
                told["state"] == "SERVING",
                f"{one.name} answers at {told['address']} for {count(told['consumers'], 'consumer')}",
                f"{one.name} is {told['state'].lower()}",
                f"read {one.log}",
            )
        except (EnvoyGoneError, ValueError, KeyError):
            yield section.wrong(f"{one.name} runs and does not say how it is", f"read {one.log}")
