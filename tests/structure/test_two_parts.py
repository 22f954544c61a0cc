"""`make test` runs modules side by side and what needs the machine to itself afterwards, whatever is collected."""

import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT
from two_parts import ALONE

CONFTEST = """
import os, pathlib, time
import pytest
from two_parts import TwoParts

def pytest_xdist_make_scheduler(config, log):
    return TwoParts(config, log)

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    begun = time.monotonic()
    yield
    line = f"{item.nodeid} {os.environ['PYTEST_XDIST_WORKER']} {begun} {time.monotonic()}\\n"
    with (pathlib.Path(item.config.rootpath) / "ran").open("a") as file:
        file.write(line)
"""
MODULE = "import time, pytest\n@pytest.mark.parametrize('n', range({count}))\ndef test_it(n):\n    time.sleep(0.02)\n"


def ran(folder: Path, workers: int, modules: dict[str, int]) -> list[tuple[str, str, float, float]]:
    """Runs modules with so many tests each; gives module, worker, begin and end of each test, by begin."""
    for path, count in modules.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(MODULE.format(count=count))
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT / 'tests/support'}\n")
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-n", str(workers), "tests"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sum(modules.values())} passed" in done.stdout
    rows = [line.split() for line in (folder / "ran").read_text().splitlines()]
    return sorted(((row[0].partition("::")[0], row[1], float(row[2]), float(row[3])) for row in rows), key=lambda row: row[2])


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_what_runs_alone_begins_when_all_else_has_ended_and_is_one_workers(tmp_path: Path, workers: int) -> None:
    beside = {f"tests/hub/test_{number}.py": number for number in (1, 2, 3, 7)}
    found = ran(tmp_path, workers, beside | {f"{folder}test_alone.py": 5 for folder in ALONE})
    alone, others = ([row for row in found if row[0].startswith(ALONE) is wanted] for wanted in (True, False))
    assert (len(alone), len(others)) == (5 * len(ALONE), 13)
    assert len({row[1] for row in alone}) == 1
    assert alone[0][2] >= max(row[3] for row in others)


def test_the_tests_of_a_module_are_one_workers_and_all_workers_have_some(tmp_path: Path) -> None:
    found = ran(tmp_path, 2, {f"tests/hub/test_{number}.py": 12 for number in range(4)})
    workers = {module: {row[1] for row in found if row[0] == module} for module in {row[0] for row in found}}
    assert all(len(one) == 1 for one in workers.values())
    assert len(set.union(*workers.values())) == 2
    assert all((ROOT / folder).is_dir() for folder in ALONE)
