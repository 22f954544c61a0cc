"""Where the folders of systems lie, of which nothing is imported here."""

from importlib.util import find_spec
from pathlib import Path


def adapters_folder() -> Path:
    """The folder of all adapters. Raises `FileNotFoundError` when they are not installed."""
    spec = find_spec("adapters")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package `adapters` is not installed")
    return Path(next(iter(spec.submodule_search_locations)))
