"""Settings of every process: a proto message read from YAML, with every problem reported at once.

Secrets are files named in the settings, never values. Unknown keys are refused, so that a misspelt one can't go unnoticed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

M = TypeVar("M", bound=Message)
# What protobuf's parser puts around the problem: the field's own name, which the path has already.
AROUND = re.compile(r"^Failed to parse \w+ field: |\.? at [\w.]+\.$|\.$")


@dataclass
class SettingsError(Exception):
    """Settings that can't be used; `problems` has a line for each."""

    source: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" for problem in self.problems)


def read_settings(path: Path, kind: type[M], *, judged: bool = True) -> M:
    """Reads a YAML file as a message of that kind. Raises `SettingsError` naming every unknown key, wrong type and, where it is `judged`,
    broken rule."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(str(path), (f"can't be read: {error.strerror}",)) from None
    except UnicodeDecodeError:
        raise SettingsError(str(path), ("is not UTF-8 text",)) from None
    return parse_settings(text, kind, source=str(path), judged=judged)


def parse_settings(text: str, kind: type[M], *, source: str, judged: bool = True) -> M:
    """Reads YAML text as a message of that kind; see `read_settings`."""
    tree = _tree(text, source)
    message = kind()
    problems = list(_filling(message, tree, ""))
    if judged:
        # What could not be read is missing from the message, which then breaks rules for no other reason.
        problems += [(path, words) for path, words in _broken(message) if not any(_within(path, wrong) for wrong, _ in problems)]
    if problems:
        raise SettingsError(source, tuple(f"{path or 'the settings'}: {words}" for path, words in problems))
    return message


def _broken(message: Message) -> list[tuple[str, str]]:
    """Path and words of each rule that a message breaks."""
    import protovalidate  # here, since whoever only reads what was judged before would wait for it

    from metip.rules import where

    try:
        protovalidate.validate(message)
    except protovalidate.ValidationError as error:
        return [(where(violation), str(violation.proto.message)) for violation in error.violations]
    return []


def _tree(text: str, source: str) -> dict[Any, Any]:
    try:
        tree = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SettingsError(source, (f"line {line}: {error.problem}",)) from None
    except (YAMLError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        # A character that is not allowed, a date that does not exist, brackets without end: the parser lets its parts' errors through.
        raise SettingsError(source, (f"is not YAML: {str(error).partition(chr(10))[0]}",)) from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise SettingsError(source, ("must be a mapping of settings",))
    return tree


def _filling(message: Message, tree: dict[Any, Any], path: str) -> Iterator[tuple[str, str]]:
    """Sets what can be set, and gives path and problem of everything that can't."""
    known = {name: field for field in message.DESCRIPTOR.fields for name in (field.name, field.json_name)}
    taken: set[str] = set()
    for key, value in tree.items():
        here = f"{path}{key}"
        field = known.get(key) if isinstance(key, str) else None
        if field is None:
            yield here, f"no such setting; there are {', '.join(one.name for one in message.DESCRIPTOR.fields)}"
        elif field.name in taken:
            yield here, "is set twice, by both of its names"
        elif value is not None:
            taken.add(field.name)
            beside = message.WhichOneof(field.containing_oneof.name) if field.containing_oneof else None
            if beside:
                yield here, f"can't be set beside {beside}"
            yield from _setting(message, field, value, here)


def _setting(message: Message, field: Any, value: Any, here: str) -> Iterator[tuple[str, str]]:
    kind = field.message_type
    if kind is None or kind.full_name.startswith("google.protobuf.") or kind.GetOptions().map_entry:
        try:
            json_format.ParseDict({field.name: value}, message)
        except json_format.ParseError as error:
            yield here, AROUND.sub("", str(error))
    elif field.is_repeated:
        if not isinstance(value, list):
            yield here, "must be a list"
            return
        for place, inner in enumerate(value):
            yield from _mapping(getattr(message, field.name).add(), inner, f"{here}[{place}]")
    else:
        inside = getattr(message, field.name)
        inside.SetInParent()
        yield from _mapping(inside, value, here)


def _mapping(message: Message, value: Any, here: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield from _filling(message, value, f"{here}.")
    else:
        yield here, "must be a mapping"


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}["))
