"""Tables of facts beside the code that uses them: YAML, so that they can be read and corrected by whoever knows the facts."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


def read_table(beside: str, name: str) -> dict[str, Any]:
    """The table of that name that lies beside a module (`__file__`). Raises ruamel's `YAMLError` for a key that is there twice."""
    table: dict[str, Any] = YAML(typ="safe", pure=True).load(Path(beside).with_name(name).read_text(encoding="utf-8"))
    return table
