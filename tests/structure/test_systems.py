"""A system is two folders, complete in themselves, and no other file names it.

Systems are found by their folders: every package under `protos/metip` that is not the platform's, every package under `adapters` but the
kit. What it means to name one is the rule of `hub.cli.naming`, which `metip new` applies too, before it takes a name: its package or
folder (`metip.x`, `adapters/x`, `adapter-x`), or the bare name as a whole string, or in configuration as a bare word. Words in prose and
parts of longer words are no names.

Who may name a system: its own two folders and its adapter's tests; the folders of a system whose contract says that it `consults` it,
`serves` its operations as another back end, `subscribes` to its messages or takes some `instead_of` it; documentation and the change log;
the examples of consumers in `protos/examples`;
deployment values; the faults and stories that are played across systems.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache

import pytest
from cases import case_files, faults_of_writing, read_case
from checkout import ROOT, files, systems, text

from adapters.kit import discovery
from adapters.kit.serving import installed_contracts
from hub.cli.naming import lines_naming, own
from metip.contracts import Operation

SYSTEMS = systems(files())
ADAPTER_FILES = ("__init__.py", "adapter.py", "README.md", "settings.yaml")
FAR_SIDE_FILES = ("translate", "wire", "upstream", "simulator")
"""Modules or packages that a system with a far side has; one that only consults others has none of them."""
EVERY_DAY = date.min
"""A day on which no assessment is overdue; whether they are is not a question of structure."""


@cache
def operations(system: str) -> tuple[Operation, ...]:
    """What the system's contract offers."""
    known = installed_contracts(EVERY_DAY)
    return tuple(operation for interface in known.interfaces if interface.system == system for operation in interface.operations)


@cache
def lent(system: str) -> tuple[Operation, ...]:
    """What the system serves of others' interfaces."""
    known = installed_contracts(EVERY_DAY)
    return tuple(known.operations[name] for one in known.back_ends if one.system == system for name in one.serves)


def consulted(system: str) -> set[str]:
    """Systems that the contract of this one says it consults, serves operations of, subscribes to, or stands in for."""
    known = installed_contracts(EVERY_DAY)
    stood_in_for: set[str] = set()
    own = [interface for interface in known.interfaces if interface.system == system]
    named = [name for interface in own for operation in interface.operations for name in operation.consults]
    named += [one.operation for interface in own for one in interface.subscribes]
    for back_end in known.back_ends:
        if back_end.system == system:
            named += [*back_end.serves, *(one.operation for one in back_end.subscribes)]
            stood_in_for |= {one.instead_of for one in back_end.subscribes if one.instead_of}
    return ({name.split(".")[1] for name in named} | stood_in_for) - {system}


def naming_files(system: str, texts: Iterable[tuple[str, str]], consulting: Iterable[str]) -> list[str]:
    """Where files that may not name a system do, as `path:line`."""
    may = (system, *consulting)
    return [
        f"{path}:{number}"
        for path, content in texts
        if not any(own(path, one) for one in may)
        for number in lines_naming(system, path, content)
    ]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_has_both_folders_and_all_its_files(system: str) -> None:
    contract, adapter = f"protos/metip/{system}/v1", f"adapters/{system}"
    needed = [f"{adapter}/{name}" for name in ADAPTER_FILES] + [f"{contract}/settings.proto"]
    assert [path for path in needed if path not in files()] == []
    assert lent(system) or any(path.startswith(f"{contract}/") and path.endswith("_service.proto") for path in files())


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_keeps_its_parts_apart_unless_it_only_consults_others(system: str) -> None:
    found = {part for part in FAR_SIDE_FILES if _has_part(system, part)}
    assert found == set(FAR_SIDE_FILES) or (not discovery.has_simulator(system) and consulted(system))


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_with_a_wire_says_what_is_fuzzed_of_it(system: str) -> None:
    assert f"tests/adapters/{system}/corpus.py" in files() or not _has_part(system, "wire")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_has_settings_of_its_own(system: str) -> None:
    assert "\nmessage Settings {" in text(f"protos/metip/{system}/v1/settings.proto")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_readme_says_what_the_system_is(system: str) -> None:
    assert len(text(f"adapters/{system}/README.md").split()) > 50


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_operation_has_a_good_case_a_refused_one_and_one_sample(system: str) -> None:
    recorded = [read_case(path) for path in case_files((system,))]
    assert {one.path.name: faults_of_writing(one) for one in recorded if faults_of_writing(one)} == {}
    found = {
        operation.name: (
            any(one.case.operation == operation.name and one.case.WhichOneof("outcome") == "answered" for one in recorded),
            any(one.case.operation == operation.name and one.case.WhichOneof("outcome") == "refused" for one in recorded),
            sum(one.case.operation == operation.name and one.case.sample for one in recorded),
        )
        for operation in (*operations(system), *lent(system))
    }
    samples = {operation.name: int(operation in operations(system)) for operation in (*operations(system), *lent(system))}
    assert found == {name: (True, True, count) for name, count in samples.items()}, "(a good case, a refused one, samples)"


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_other_file_names_a_system(system: str) -> None:
    consulting = [other for other in SYSTEMS if system in consulted(other)]
    found = naming_files(system, ((path, text(path)) for path in files() if not path.endswith(".png")), consulting)
    assert found == [], f"{system} is named in {', '.join(found)}"


NAME = "planted_" + "system"
"""What `@` stands for in these tables; spelt so that this file names no system either."""
PLANTED: Mapping[str, tuple[str, str]] = {
    "an import": ("hub/server.py", "from adapters.@ import adapter"),
    "an import from the parent": ("hub/server.py", "from metip import common, @"),
    "a contract's package": ("protos/metip/hub/v1/settings.proto", 'import "metip/@/v1/@_service.proto";'),
    "an operation": ("hub/demo.py", 'CALL = "metip.@.v1.PlantedService/GetRecord"'),
    "a list of systems": ("hub/laptop/estate.py", 'SYSTEMS = ("pnx", "@")'),
    "single quotation marks": ("tests/mesh/test_calls.py", "SYSTEM = '@'"),
    "a path in parts": ("hatch_build.py", 'ROOT / "adapters" / "@"'),
    "an identity": ("tests/mesh/test_calls.py", 'PEER = "spiffe://metip.local/adapter/@"'),
    "a process": ("tests/mesh/test_outages.py", 'kill("adapter-@")'),
    "a simulator": ("hub/demo.py", 'socket = "sim-@.sock"'),
    "a bare word in YAML": ("envoy/bootstrap.yaml", "  - @"),
    "a key in TOML": ("pyproject.toml", "@ = 1"),
    "a word in the Makefile": ("Makefile", "SYSTEMS := pnx @"),
    "another system's case": ("adapters/other/cases/x.txtpb", 'provenance { system: "@" }'),
    "another system's test": ("tests/adapters/other/test_wire.py", "from adapters.@ import wire"),
}
INNOCENT: Mapping[str, tuple[str, str]] = {
    "prose": ("hub/server.py", "# a @ is no system"),
    "a longer word": ("hub/server.py", '@_at = re@("@_at")'),
    "a name with a hyphen": ("hub/demo.py", 'NAME = "@-7"'),
    "a consumer of that name": ("hub/demo.py", 'PEER = "spiffe://metip.local/consumer/@"'),
    "a longer word before it": ("hub/demo.py", 'LABEL = "re@"'),
    "a comment in YAML": ("envoy/bootstrap.yaml", "  port: 1  # where @ listens"),
    "documentation": ("docs/adding-a-system.md", "see adapters/@"),
    "a consumer's example": ("protos/examples/python/ask.py", "from metip.@.v1 import planted_service_pb2"),
    "the change log": ("CHANGELOG.md", "metip.@.v1 is new"),
    "deployment values": ("deploy/values.yaml", "@: {replicas: 2}"),
    "what is played across systems": ("adapters/stories.yaml", "processed_by: [@]"),
    "its own contract": ("protos/metip/@/v1/@_service.proto", "package metip.@.v1;"),
    "its own adapter": ("adapters/@/adapter.py", "from adapters.@ import wire"),
    "its own tests": ("tests/adapters/@/test_wire.py", "from adapters.@ import wire"),
    "who consults it": ("adapters/asker/adapter.py", "from metip.@.v1 import @_service_pb2"),
}


@pytest.mark.parametrize(("path", "line"), PLANTED.values(), ids=PLANTED)
def test_a_planted_name_is_found(path: str, line: str) -> None:
    kept = {path: text(path) for path in files() if (ROOT / path).suffix in {".py", ".proto", ".toml"}}
    planted = {**kept, path: f"{kept.get(path, '')}\n{line.replace('@', NAME)}\n"}
    number = planted[path].count("\n")
    assert naming_files(NAME, planted.items(), ["asker"]) == [f"{path}:{number}"]


@pytest.mark.parametrize(("path", "line"), INNOCENT.values(), ids=INNOCENT)
def test_a_word_that_is_no_name_is_let_be(path: str, line: str) -> None:
    assert naming_files(NAME, [(path.replace("@", NAME), line.replace("@", NAME))], ["asker"]) == []


def test_systems_are_found_by_either_folder() -> None:
    found = systems(("protos/metip/a/v1/a.proto", "adapters/b/adapter.py", "adapters/kit/call.py", "protos/metip/logs.py", "adapters/x.py"))
    assert found == ("a", "b")


def _has_part(system: str, part: str) -> bool:
    return any(path in files() for path in (f"adapters/{system}/{part}.py", f"adapters/{system}/{part}/__init__.py"))
