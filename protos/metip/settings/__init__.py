"""Settings of every process: a proto message read from YAML, with every problem reported at once.

Secrets are files named in the settings, never values. Unknown keys are refused, so that a misspelt one can't go unnoticed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import protovalidate
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

M = TypeVar("M", bound=Message)


@dataclass
class SettingsError(Exception):
    """Settings that can't be used; `problems` has a line for each."""

    source: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" for problem in self.problems)


def read_settings(path: Path, kind: type[M]) -> M:
    """Reads a YAML file as a message of that kind. Raises `SettingsError` naming every unknown key, wrong type and broken rule."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(str(path), (f"can't be read: {error.strerror}",)) from None
    return parse_settings(text, kind, source=str(path))


def parse_settings(text: str, kind: type[M], *, source: str) -> M:
    """Reads YAML text as a message of that kind; see `read_settings`."""
    try:
        tree = YAML(typ="safe", pure=True).load(text) or {}
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SettingsError(source, (f"line {line}: {error.problem}",)) from None
    if not isinstance(tree, dict):
        raise SettingsError(source, ("must be a mapping of settings",))
    problems = tuple(_unknown(tree, kind.DESCRIPTOR, ""))
    if problems:
        raise SettingsError(source, problems)
    message = kind()
    try:
        json_format.ParseDict(tree, message)
    except json_format.ParseError as error:
        raise SettingsError(source, (str(error),)) from None
    try:
        protovalidate.validate(message)
    except protovalidate.ValidationError as error:
        raise SettingsError(source, tuple(_broken(violation) for violation in error.violations)) from None
    return message


def _unknown(tree: dict[Any, Any], descriptor: Any, path: str) -> list[str]:
    known = {name: field for field in descriptor.fields for name in (field.name, field.json_name)}
    found: list[str] = []
    for key, value in tree.items():
        here = f"{path}{key}"
        field = known.get(key)
        if field is None:
            names = ", ".join(one.name for one in descriptor.fields)
            found.append(f"{here}: no such setting; there are {names}")
        elif field.type == FieldDescriptor.TYPE_MESSAGE and not field.message_type.full_name.startswith("google.protobuf."):
            for place, inner in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(inner, dict) and not field.message_type.GetOptions().map_entry:
                    found += _unknown(inner, field.message_type, f"{here}[{place}]." if isinstance(value, list) else f"{here}.")
    return found


def _broken(violation: protovalidate.Violation) -> str:
    field = violation.proto.field
    path = ".".join(element.field_name for element in field.elements) if field else ""
    return f"{path}: {violation.proto.message}"
