"""Bugs planted on purpose, each of which the harness must find: what shows that it has teeth.

Product code knows nothing of them. A child process that this folder starts, and nothing else, calls `grow`, which puts the bug that
`METIP_FAULTS_PLANT` names in place of the method that it spoils.
"""

import os
from collections.abc import Callable

VARIABLE = "METIP_FAULTS_PLANT"
PLANTS: dict[str, Callable[[], None]] = {}
"""Every bug by name."""


def grow(name: str = "") -> None:
    """Puts a bug in place: the one that is named, or the one that the environment names, if any."""
    name = name or os.environ.get(VARIABLE, "")
    if name:
        PLANTS[name]()
