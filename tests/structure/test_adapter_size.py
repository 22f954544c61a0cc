"""An adapter is small: what people wrote by hand for one system, without its simulator, is under 900 lines of code.

What counts is a line of Python that is neither blank nor comment nor docstring. Tables of facts beside the code (YAML), recorded cases and
words do not: they are read, not executed. The simulator is counted apart, since it stands in for somebody else's system and is not part of
what is deployed. Which modules are its own is not a matter of names: those that `simulator.py` reaches by imports within the folder and
`adapter.py` does not. A module that neither reaches is the adapter's. A façade, the package `facade` of an adapter, is a process of its
own and has the same limit for itself.

Nor does an adapter become small by being copied: what two of them do alike is done by the kit.
"""

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePath

import pytest
from checkout import files, systems, text

LIMIT = 900
SYSTEMS = [system for system in systems(files()) if f"adapters/{system}/adapter.py" in files()]


def lines_of_code(source: str) -> int:
    """Lines with code on them: no blanks, comments, docstrings."""
    words: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for one in node.body:
                if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
                    words.update(range(one.lineno, (one.end_lineno or one.lineno) + 1))
    ignored = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in ignored]
    return len({number for token in tokens for number in range(token.start[0], token.end[0] + 1)} - words)


def modules_of(system: str) -> dict[str, str]:
    """The adapter's modules, as `adapters.system.name`, and their source."""
    paths = [path for path in files() if path.startswith(f"adapters/{system}/") and path.endswith(".py")]
    return {".".join(PurePath(path).with_suffix("").parts).removesuffix(".__init__"): text(path) for path in paths}


def imported(name: str, modules: Mapping[str, str]) -> set[str]:
    """Modules among these that a module imports, or whose package holds it."""
    found = {name.rpartition(".")[0]}
    for node in ast.walk(ast.parse(modules[name])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & modules.keys()


def reached(start: str, modules: Mapping[str, str]) -> set[str]:
    """A module and all that it leads to."""
    known: set[str] = set()
    fresh = {start} & modules.keys()
    while fresh:
        known |= fresh
        fresh = {name for one in fresh for name in imported(one, modules)} - known
    return known


def parts(modules: Mapping[str, str], package: str) -> tuple[set[str], set[str], set[str]]:
    """The adapter's own modules, the simulator's and the façade's."""
    simulator = reached(f"{package}.simulator", modules) - reached(f"{package}.adapter", modules)
    facade = {name for name in modules if f"{name}.".startswith(f"{package}.facade.")}
    return modules.keys() - simulator - facade, simulator, facade


def sizes(system: str) -> tuple[int, int]:
    """Lines of the adapter without its simulator, and of its façade."""
    modules = modules_of(system)
    own, _, facade = parts(modules, f"adapters.{system}")
    return sum(lines_of_code(modules[name]) for name in own), sum(lines_of_code(modules[name]) for name in facade)


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_adapter_is_under_900_lines_and_so_is_a_facade(system: str) -> None:
    assert max(sizes(system)) < LIMIT


def test_a_facade_that_the_adapter_uses_is_still_counted_apart_and_once() -> None:
    modules = _package(adapter="from adapters.a.facade import door", facade="", **{"facade.door": "", "facades": ""})
    own, _, facade = parts(modules, "adapters.a")
    assert facade == {"adapters.a.facade", "adapters.a.facade.door"}
    assert own == {"adapters.a", "adapters.a.adapter", "adapters.a.facades"}


WORTH_SHARING = 3
"""Statements of a function from which on it is not written twice."""


def copied(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Functions, by name, that more than one system has word for word, docstrings aside; sources are by module."""
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                if sum(isinstance(inner, ast.stmt) for one in body for inner in ast.walk(one)) >= WORTH_SHARING:
                    places["".join(map(ast.dump, body))].add((module.split(".")[1], node.name))
    alike = [sorted(found) for found in places.values() if len({system for system, _ in found}) > 1]
    return {found[0][1]: [system for system, _ in found] for found in alike}


def test_no_adapter_copies_anothers_code() -> None:
    found = copied({name: source for system in [*SYSTEMS, "kit"] for name, source in modules_of(system).items()})
    assert found == {}, f"let the kit do it: {found}"


def test_a_copy_is_found_whatever_it_is_called_and_says_of_itself() -> None:
    one = "def f(a):\n    b = a + 1\n    if b:\n        return b\n    return a\n"
    other = one.replace("def f(a):", 'def g(a):\n    """Adds."""')
    assert copied({"adapters.a.x": one, "adapters.b.y": other}) == {"f": ["a", "b"]}
    assert copied({"adapters.a.x": one, "adapters.a.y": other}) == {}
    assert copied({"adapters.a.x": one, "adapters.b.y": other.replace("+ 1", "+ 2")}) == {}


COUNTED: Mapping[str, tuple[str, int]] = {
    "a blank": ("a = 1\n\n\nb = 2\n", 2),
    "a comment": ("# why\na = 1  # this\n", 1),
    "docstrings": ('"""What."""\n\n\ndef f():\n    """Does.\n\n    More.\n    """\n    return 1\n\n\nA = 2\n"""Two."""\n', 3),
    "a text of several lines": ('A = """\n\n# no comment\n"""\n', 4),
    "a call of several lines": ("f(\n    1,\n    # why\n    2,\n)\n", 4),
    "nothing": ('"""What."""\n', 0),
}


@pytest.mark.parametrize(("source", "count"), COUNTED.values(), ids=COUNTED)
def test_code_is_counted_and_nothing_else(source: str, count: int) -> None:
    assert lines_of_code(source) == count


def test_the_simulators_modules_are_those_that_only_it_reaches() -> None:
    modules = _package(
        adapter="from adapters.a import wire\nfrom adapters.a.upstream import Far",
        upstream="import adapters.a.records",
        wire="",
        records="",
        simulator="from adapters.a.store import Store\nfrom adapters.a import wire",
        store="from adapters.a.records import Record\nfrom adapters.a.faces import face",
        faces="",
        forgotten="",
    )
    own, simulator, _ = parts(modules, "adapters.a")
    assert simulator == {"adapters.a.simulator", "adapters.a.store", "adapters.a.faces"}
    assert own == modules.keys() - simulator


def test_a_module_that_the_adapter_uses_too_is_the_adapters() -> None:
    modules = _package(adapter="from adapters.a import store", store="", simulator="from adapters.a import store")
    assert parts(modules, "adapters.a")[1] == {"adapters.a.simulator"}


def _package(**sources: str) -> dict[str, str]:
    return {"adapters.a": "", **{f"adapters.a.{name}": source for name, source in sources.items()}}
