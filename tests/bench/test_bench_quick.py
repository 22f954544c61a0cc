"""The benchmark itself works; how fast anything is, is not for a test to say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.estate import running
from tests.bench.load import Load, drive
from tests.bench.measuring import QUICK, measure_paths

ROOT = Path(__file__).parents[2]
ALONE = ["## Budgets", "## The comparator", "## How to run it"]
PATHS = ["bare server", "Envoy + bare server", "full path"]


def test_a_quick_run_measures_every_path_and_each_call_is_ok(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", "--quiet", f"--output={page}"]
    path = {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "support")}
    done = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for load in dict.fromkeys(row["load"] for row in found["rows"]):
        rows = [row for row in found["rows"] if row["load"] == load]
        assert [row["target"] for row in rows] == PATHS
        assert all(row["calls"] > 0 and row["not_ok"] == 0 for row in rows)
    assert [one["name"] for one in found["steps"]][-1] == "HTTP/2 on both sides, router"
    assert [(one["on"]["not_ok"], one["off"]["not_ok"]) for one in found["journal"]] == [(0, 0), (0, 0)]
    assert all(share > 0 for share in found["journal_shares"].values())
    assert all(one["rate"] > 0 for one in found["messages"]["speeds"])
    assert [one["lost"] for one in found["messages"]["journeys"]] == [0]
    assert all(one["median"] > 0 and one["found"] > 0 for one in found["ledger"]["speeds"])
    assert (found["changes"]["made"], found["changes"]["failed"], found["changes"]["astray"]) == (4, 0, 0)
    assert all(one["microseconds"] > 0 for one in found["comparison"]["speeds"])
    assert (found["mirrored"]["off"]["not_ok"], found["mirrored"]["on"]["not_ok"]) == (0, 0)
    assert found["mirrored"]["compared"] > 0
    assert all(
        words in page.read_text(encoding="utf-8")
        for words in ("| full path", "## The journal", "## The ledger", "## Changes of traffic", "## The comparator")
    )


def test_a_part_alone_is_measured_and_told_and_replaces_no_page() -> None:
    page = ROOT / "docs" / "benchmarks.md"
    before = page.read_bytes()
    command = [sys.executable, "-m", "tests.bench", "--quick", "--quiet", "--only", "comparator"]
    path = {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "support")}
    done = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("## ")] == ALONE
    assert page.read_bytes() == before


@pytest.mark.asyncio(loop_scope="function")
async def test_our_own_generator_drives_every_path_too() -> None:
    async with running(lambda _words: None, ablation=False) as estate:
        rows = await measure_paths(estate, QUICK, lambda _words: None, h2load=False)
        alone = await drive(estate, estate.alone, Load(in_flight=8), QUICK.seconds, expected=1, h2load=False)
    assert [row.target for row in rows] == PATHS * len({row.load for row in rows})
    assert all(row.calls > 0 and row.not_ok == 0 for row in rows)
    assert (alone.calls > 0, alone.not_ok) == (True, 0)
