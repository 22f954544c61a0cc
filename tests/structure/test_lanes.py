"""`make test` runs one estate at a time beside what needs none, and what needs the machine to itself afterwards, whatever is collected."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from checkout import ROOT
from lanes import ALONE, ESTATES, SESSION

CONFTEST = """
import os, pathlib, time
import pytest
from lanes import Lanes

def pytest_xdist_make_scheduler(config, log):
    return Lanes(config, log)

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    begun = time.monotonic()
    yield
    line = f"{item.nodeid} {os.environ['PYTEST_XDIST_WORKER']} {begun} {time.monotonic()}\\n"
    with (pathlib.Path(item.config.rootpath) / "ran").open("a") as file:
        file.write(line)
"""
MODULE = "import time, pytest\n@pytest.mark.parametrize('n', range({count}))\ndef test_it(n):\n    time.sleep(0.02)\n# {said}\n"
DIES = "    if n == 1:\n        import os\n        os._exit(1)\n"
BESIDE = {f"tests/hub/test_{number}.py": number for number in (1, 2, 3, 7, 11)}
SHARED = {f"tests/mesh/test_shared_{number}.py": 5 for number in (1, 2)}
OWN = {f"{ESTATES[number % len(ESTATES)]}test_{number}.py": number for number in range(3, 11)}
LAST = {f"{folder}test_alone_{number}.py": 4 for folder in ALONE for number in (1, 2)}
MODULES = BESIDE | SHARED | OWN | LAST


class Ran(NamedTuple):
    """One test that ran."""

    module: str
    worker: str
    begin: float
    end: float


def workers_of(rows: list[Ran]) -> set[str]:
    """Who ran them."""
    return {row.worker for row in rows}


@pytest.fixture(scope="module", params=[1, 2, 3])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Ran]:
    """All tests of the modules, run by so many workers, by begin."""
    folder, workers = tmp_path_factory.mktemp("tests"), request.param
    done = run(folder, workers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sum(MODULES.values())} passed" in done.stdout
    found = rows_of(folder)
    assert len(workers_of(found)) == workers
    return found


def run(folder: Path, workers: int, dying: str = "", modules: Mapping[str, int] = MODULES) -> "subprocess.CompletedProcess[str]":
    """Runs the modules; the worker that begins the second test of the `dying` one dies of it."""
    for path, count in modules.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        text = MODULE.format(count=count, said=SESSION if path in SHARED else "")
        (folder / path).write_text(text.replace("    time.sleep", DIES + "    time.sleep") if path == dying else text)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT / 'tests/support'}\n")
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-n", str(workers), "tests"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def rows_of(folder: Path) -> list[Ran]:
    """What ran to its end, by begin."""
    rows = [line.split() for line in (folder / "ran").read_text().splitlines()]
    found = (Ran(row[0].partition("::")[0], row[1], float(row[2]), float(row[3])) for row in rows)
    return sorted(found, key=lambda row: row.begin)


def test_the_folders_are_there() -> None:
    assert all((ROOT / folder).is_dir() for folder in (*ALONE, *ESTATES))
    assert any(SESSION in path.read_text() for path in (ROOT / ESTATES[0]).glob("test_*.py"))


def test_the_tests_of_a_module_are_one_workers(ran: list[Ran]) -> None:
    assert {len(workers_of([row for row in ran if row.module == module])) for module in MODULES} == {1}


def test_what_runs_alone_begins_when_all_else_has_ended_and_is_one_workers(ran: list[Ran]) -> None:
    alone = [row for row in ran if row.module in LAST]
    assert len(workers_of(alone)) == 1
    assert alone[0].begin >= max(row.end for row in ran if row.module not in LAST)


def test_one_worker_has_the_estates_until_all_else_is_given_out(ran: list[Ran]) -> None:
    begins = sorted(min(row.begin for row in ran if row.module == module) for module in BESIDE)
    given_out = begins[-len(workers_of(ran))]  # a worker is given its next module a little before it begins it
    assert len(workers_of([row for row in ran if row.module in SHARED | OWN and row.begin < given_out])) == 1
    assert len(workers_of([row for row in ran if row.module in SHARED | OWN])) == len(workers_of(ran)), "then the others help"


def test_modules_on_the_shared_estate_are_one_workers_and_come_first_of_the_estates(ran: list[Ran]) -> None:
    shared = [row for row in ran if row.module in SHARED]
    assert len(workers_of(shared)) == 1
    assert max(row.begin for row in shared) < min(row.begin for row in ran if row.module in OWN)


@pytest.mark.parametrize(("module", "workers"), [(next(iter(SHARED)), 3), ([*BESIDE][-1], 1), ([*OWN][-1], 3), (next(iter(LAST)), 3)])
def test_of_a_worker_that_dies_one_test_has_failed_and_all_others_are_run(tmp_path: Path, module: str, workers: int) -> None:
    done = run(tmp_path, workers, module)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"1 failed, {sum(MODULES.values()) - 1} passed" in done.stdout
    assert Counter(row.module for row in rows_of(tmp_path)) == Counter(MODULES) - Counter([module])


def test_whoever_comes_in_a_dead_workers_place_runs_the_one_test_that_was_left(tmp_path: Path) -> None:
    (module,) = modules = {"tests/hub/test_3.py": 3}
    done = run(tmp_path, 1, module, modules)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed" in done.stdout
