"""Enums of the contracts paired with a far system's codes. Pure.

Both lists may grow apart: a code that the contract lacks reads as unspecified, never as a guess; a value that the far system lacks is
written as no code.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from metip.tables import read_table


class Vocabulary:
    """One enum and its codes; `table` has the enum's value without prefix by code, `more` further values that go by a code."""

    def __init__(self, enum: Any, table: Mapping[str, str], *more: tuple[str, str]) -> None:
        self.enum = str(enum.DESCRIPTOR.full_name)
        prefix = re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", enum.DESCRIPTOR.name).upper()
        self._values = {code: enum.Value(f"{prefix}_{word}") for code, word in table.items()}
        self._codes = {value: code for code, value in self._values.items()} | {enum.Value(f"{prefix}_{word}"): code for word, code in more}

    def value(self, code: str) -> Any:
        """The enum's value for a code; 0, unspecified, for one that the table lacks."""
        return self._values.get(code, 0)

    def code(self, value: int) -> str:
        """The code for a value; '' for one that the table lacks."""
        return self._codes.get(value, "")

    def values(self, found: Iterable[str]) -> list[Any]:
        """The value of each code."""
        return [self.value(code) for code in found]

    def codes(self, values: Iterable[int]) -> tuple[str, ...]:
        """The code of each value that has one."""
        return tuple(self._codes[value] for value in values if value in self._codes)


def read_vocabularies(beside: str, name: str) -> tuple[Vocabulary, ...]:
    """Codes from a table beside a module (`__file__`): by the enum's full name, the enum's value without prefix by code. The enums' own
    modules must have been imported.

    Raises `KeyError` for an enum and `ValueError` for a value that no contract has.
    """
    pool = descriptor_pool.Default()
    return tuple(
        Vocabulary(EnumTypeWrapper(pool.FindEnumTypeByName(enum)), {str(code): word for code, word in table.items()})
        for enum, table in read_table(beside, name).items()
    )
