"""`metip new`: names it takes, what it never does, and that what it writes passes every check untouched, in a copy of this checkout."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from checkout import ROOT, files
from click.testing import CliRunner, Result

from hub.cli import scaffolding
from hub.cli.scaffolding import faults, new, plan, write

SYSTEM = "_".join(("sample", "register"))
"""Put together here, since a name that any file spells out is refused."""
TODAY = date(2026, 11, 23)
BIN = Path(sys.executable).parent
PIECES = ("adapters", "protos/metip")

REFUSED = {
    "capitals": "Custody",
    "a hyphen": "custody-record",
    "a digit first": "2custody",
    "one letter": "c",
    "too long": "c" * 32,
    "an underscore last": "custody_",
    "two underscores together": "custody__record",
    "a path": "../custody",
    "nothing": "",
    "a word of Python's": "import",
    "the kit": "kit",
    "the hub": "hub",
    "a platform package": "common",
    "the options": "options",
    "a platform module": "logs",
    "a package of Google's": "google",
    "the rules' package": "buf",
    "our own package": "metip",
    "what documentation calls a system": "example",
    "a folder of adapter tests": "taken_by_tests",
    "an adapter": "taken_by_adapter",
    "a contract": "taken_by_contract",
}
STYLED = ("ab" + "q", "kis" + "q", "kiu" + "q", "z9" + "_9", "adapter" + "q", "import" + "1", "a" * 30 + "q", "z" * 31)
"""Short, long, with digits, and on either side of the kit and of our other packages in the alphabet."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As much of a checkout as the command looks at."""
    for folder in (*PIECES, "protos/metip/common", "protos/metip/options", "adapters/kit", "hub"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for folder in ("tests/adapters/taken_by_tests", "adapters/taken_by_adapter", "protos/metip/taken_by_contract"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "protos/metip/logs.py").touch()
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(new, arguments, catch_exceptions=False)


def written(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_a_name_that_can_be_no_system_is_refused(root: Path, name: str) -> None:
    before = written(root)
    result = run("--root", str(root), "--", name)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: nothing was written\n")
    assert written(root) == before


def test_a_name_that_another_file_spells_is_refused_with_the_place(root: Path) -> None:
    (root / "hub" / "demo.py").write_text(f'"""Demo."""\n\nSYSTEMS = ("{SYSTEM}",)\n', encoding="utf-8")
    assert faults(SYSTEM, root) == ["hub/demo.py:3 already uses the word: choose another name"]


def test_a_name_in_use_in_many_places_is_refused_in_few_words(root: Path) -> None:
    (root / "hub" / "demo.py").write_text(f'"{SYSTEM}"\n' * 30, encoding="utf-8")
    assert faults(SYSTEM, root)[5:] == ["and 25 places more"]


def test_the_files_and_the_next_steps_are_told(root: Path) -> None:
    result = run(SYSTEM, "--root", str(root))
    assert result.exit_code == 0
    contract = f"protos/metip/{SYSTEM}/v1/{SYSTEM}_service.proto"
    assert result.stdout.splitlines()[:2] == ["wrote", f"  {contract}"]
    told = result.stdout.partition("Next:")[2]
    assert all(word in told for word in ("make check test", "make gen", contract, f"adapters/{SYSTEM}/", "metip up"))


def test_a_dry_run_tells_the_same_files_and_writes_none(root: Path) -> None:
    before = written(root)
    told = run(SYSTEM, "--root", str(root), "--dry-run").stdout.splitlines()
    assert written(root) == before
    assert told[0] == "would write"
    assert run(SYSTEM, "--root", str(root)).stdout.splitlines()[1:] == told[1:]
    assert {line.strip() for line in told if line.startswith(("  protos", "  adapters", "  tests"))} == written(root) - before


def test_a_second_run_is_refused_and_changes_nothing(root: Path) -> None:
    run(SYSTEM, "--root", str(root))
    (root / "adapters" / SYSTEM / "wire.py").write_text("mine", encoding="utf-8")
    result = run(SYSTEM, "--root", str(root))
    assert result.exit_code == 1
    assert f"adapters/{SYSTEM} exists" in result.stderr
    assert (root / "adapters" / SYSTEM / "wire.py").read_text(encoding="utf-8") == "mine"


def test_nothing_is_written_when_one_target_exists(root: Path) -> None:
    planned = plan(SYSTEM, owner="Lost property", today=TODAY)
    *_, last = planned.files
    (root / last).parent.mkdir(parents=True)
    (root / last).write_text("mine", encoding="utf-8")
    before = written(root)
    with pytest.raises(FileExistsError, match=str(last)):
        write(planned, root)
    assert written(root) == before


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    result = run(SYSTEM, "--root", str(tmp_path))
    assert result.exit_code == 1
    assert "is no checkout" in result.stderr


def test_the_owner_answers_for_the_interface(root: Path) -> None:
    run(SYSTEM, "--root", str(root), "--owner", "Lost property")
    assert 'owner: "Lost property"' in (root / f"protos/metip/{SYSTEM}/v1/{SYSTEM}_service.proto").read_text(encoding="utf-8")


@pytest.mark.parametrize("owner", ["", "  ", 'the "unit"', "back\\slash", "two\nlines", "x" * 101], ids=repr)
def test_an_owner_that_no_contract_could_hold_is_refused(root: Path, owner: str) -> None:
    before = written(root)
    result = run(SYSTEM, "--root", str(root), "--owner", owner)
    assert result.exit_code == 1
    assert "a role or a unit" in result.stderr
    assert written(root) == before


def test_the_draft_assessment_lapses_in_a_year() -> None:
    contract = next(iter(plan(SYSTEM, owner="Lost property", today=TODAY).files.values()))
    assert 'review_by: "2027-11-23"' in contract
    assert 'reference: "DRAFT-SAMPLE-REGISTER"' in contract


def test_every_template_is_filled_in_and_nothing_else_lies_among_them() -> None:
    templates = [path for path in scaffolding.TEMPLATES.rglob("*") if path.is_file()]
    assert [path.name for path in templates if path.suffix != ".tmpl"] == []
    planned = plan(SYSTEM, owner="Lost property", today=TODAY)
    assert len(planned.files) == len(templates)
    assert [path for path, text in planned.files.items() if "$" in text.replace('$"', "")] == []


def test_what_is_written_is_formatted_and_sorted_whatever_the_name(root: Path) -> None:
    for name in STYLED:
        write(plan(name, owner="Lost property", today=TODAY), root)
    shutil.copy(ROOT / "pyproject.toml", root)
    ours = (
        "lint.isort.known-first-party = ['adapters', 'metip', 'tests']"  # elsewhere ruff sees it by the files, of which most are not here
    )
    assert tool(root, BIN / "ruff", "check", "--no-cache", "--config", ours, "adapters", "tests") == "All checks passed!\n"
    assert "already formatted" in tool(root, BIN / "ruff", "format", "--no-cache", "--check", "adapters", "tests")


def tool(folder: Path, *command: object) -> str:
    """Runs a command in a copy, on the copy's own code; fails with all it said."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{folder / 'protos'}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of this checkout, as git has it."""
    folder = tmp_path_factory.mktemp("copy")
    for path in files():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def before(untouched: Path) -> dict[str, bytes]:
    """What was in it before the command ran."""
    return {path: (untouched / path).read_bytes() for path in written(untouched)}


@pytest.fixture(scope="module")
def copy(untouched: Path, before: dict[str, bytes]) -> Path:
    """The copy after the command ran in it, and with stubs generated as `make gen` does."""
    assert before
    tool(untouched, sys.executable, "-c", "from hub.cli.scaffolding import new; new()", SYSTEM)
    tool(untouched, sys.executable, "hatch_build.py")
    return untouched


def test_nothing_but_the_system_s_folders_is_written_or_changed(copy: Path, before: dict[str, bytes]) -> None:
    assert [path for path, content in before.items() if (copy / path).read_bytes() != content] == []
    planned = {str(path) for path in plan(SYSTEM, owner="Lost property", today=TODAY).files}
    added = {path for path in written(copy) - set(before) if "_pb2" not in path and not path.startswith("protos/buf/")}
    assert added == planned | {"protos/metip/contracts/descriptors.binpb"}


def test_the_new_contract_passes_lint(copy: Path) -> None:
    assert tool(copy, BIN / "buf", "lint", "protos/metip/contracts/descriptors.binpb", "--config", "protos/buf.yaml") == ""


def test_the_new_adapter_passes_lint_and_format(copy: Path) -> None:
    tool(copy, BIN / "ruff", "check", "--no-cache", f"adapters/{SYSTEM}", f"tests/adapters/{SYSTEM}")
    tool(copy, BIN / "ruff", "format", "--no-cache", "--check", f"adapters/{SYSTEM}", f"tests/adapters/{SYSTEM}")


def test_the_new_adapter_passes_the_type_checker(copy: Path) -> None:
    cache = copy.parent / "mypy"
    if (ROOT / ".mypy_cache").exists():  # left by `make check`; what is out of date in it is read again
        shutil.copytree(ROOT / ".mypy_cache", cache)
    tool(copy, BIN / "mypy", "--cache-dir", cache, "-p", f"adapters.{SYSTEM}")


def test_the_new_adapter_keeps_the_law_of_imports_without_being_listed(copy: Path) -> None:
    said = tool(copy, BIN / "lint-imports", "--no-cache")
    assert "0 broken" in said


def test_what_the_new_system_reads_can_be_fuzzed(copy: Path) -> None:
    said = tool(copy, sys.executable, "-m", "tests.fuzz", "--system", SYSTEM, "--seconds", "3", "--seed", "1")
    assert "of 2 decoders" in said


def test_every_case_of_the_new_system_comes_back_and_the_structure_tests_know_it(copy: Path) -> None:
    tests = ("tests/adapters/test_conformance.py", "tests/structure/test_systems.py")
    said = tool(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:hypothesispytest", "-k", SYSTEM, *tests)
    cases = len(list((copy / "adapters" / SYSTEM / "cases").glob("*.txtpb")))
    assert f"{cases + 7} passed" in said
