"""Finds systems by their folders: a folder of `adapters` with an `adapter.py` is an adapter, and its name is its identity."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf.message import Message

FOLDER = Path(__file__).parent.parent


def systems(folder: Path = FOLDER) -> tuple[str, ...]:
    """Names of all adapters."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/adapter.py")))


def has_simulator(system: str) -> bool:
    """Whether the system has a simulator; a system that only calls others has no far side to stand in for."""
    return (FOLDER / system / "simulator.py").exists()


def adapter(system: str) -> ModuleType:
    """The system's `adapter` module, which has `serve(settings, site)`. Raises `LookupError` for a name that has no folder."""
    return _module(system, "adapter")


def simulator(system: str) -> ModuleType:
    """The system's `simulator` module, which has `Simulator`. Raises `LookupError` for a system without one."""
    return _module(system, "simulator")


def settings_type(system: str) -> type[Message]:
    """The system's own `Settings` message, `metip.<system>.v1.Settings`."""
    settings: Any = importlib.import_module(f"metip.{system}.v1.settings_pb2")
    kind: type[Message] = settings.Settings
    return kind


def _module(system: str, name: str) -> ModuleType:
    if not (FOLDER / system / f"{name}.py").exists():
        raise LookupError(f"there is no adapters/{system}/{name}.py; the systems are {', '.join(systems())}")
    return importlib.import_module(f"adapters.{system}.{name}")
