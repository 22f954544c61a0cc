"""Tests that a document names, as `path::name`, and whether they are there."""

import ast
import re
from functools import cache

from checkout import files, text


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the tests in a file, which need not be there."""
    if path not in files():
        return frozenset()
    found = (one.name for one in ast.walk(ast.parse(text(path))) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def is_there(test: str) -> bool:
    """Whether there is a test of that path and name."""
    path, _, name = test.partition("::")
    return name in names_in(path)


def named_in(words: str) -> list[str]:
    """What looks like the name of a test, or of a file of tests, in a text."""
    return re.findall(r"tests/[\w/]+\.py(?:::\w+)?", words)
