"""Dashboards and alerts as files: valid, of nothing but metrics that there are; promtool runs the rules where it is installed."""

import json
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from ruamel.yaml import YAML

from metip.telemetry.families import FAMILIES, Kind

FOLDER = ROOT / "docs" / "operations"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))
ALERTS = FOLDER / "alerts" / "metip.yaml"
UNIT_TESTS = Path(__file__).with_name("alerts.test.yaml")
OF_OTHERS = frozenset({"process_cpu_seconds_total", "process_resident_memory_bytes", "up"})
"""Metrics of the client library and of Prometheus itself."""
LABELS_OF_PROMETHEUS = frozenset({"instance", "job", "process", "le"})
NAME = re.compile(r"(?<![a-z_\"'=~$])((?:metip|process)_[a-z0-9_]+|metip:[a-z0-9_:]+|up(?=\{))")
SELECTED = re.compile(r"((?:metip)_[a-z0-9_]+)\{([^}]*)\}")


@cache
def groups() -> list[dict[str, Any]]:
    """Groups of rules."""
    read: Any = YAML(typ="safe", pure=True).load(ALERTS)
    return list(read["groups"])


def rules() -> list[dict[str, Any]]:
    """Every rule."""
    return [rule for group in groups() for rule in group["rules"]]


def recorded() -> set[str]:
    """Names that rules record."""
    return {rule["record"] for rule in rules() if "record" in rule}


def names(expression: str) -> set[str]:
    """Metrics in an expression."""
    return set(NAME.findall(expression))


def known() -> set[str]:
    """Names of series that there are."""
    found = recorded() | OF_OTHERS
    for family in FAMILIES.values():
        ends = ("_bucket", "_sum", "_count") if family.kind is Kind.HISTOGRAM else ("",)
        found |= {family.name + end for end in ends}
    return found


def expressions(board: Any) -> Iterator[str]:
    """Whatever a dashboard asks."""
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["expr"] for one in board["annotations"]["list"])
    yield from (one["definition"] for one in board["templating"]["list"] if "definition" in one)


ASKED = [(path.stem, expression) for path in DASHBOARDS for expression in expressions(json.loads(path.read_text()))]
ASKED += [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda one: one.stem)
def test_a_dashboard_is_whole(path: Path) -> None:
    board = json.loads(path.read_text())
    assert board["uid"] == path.stem
    assert board["panels"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["datasource"]["uid"] == "${source}", "no dashboard names somebody's Prometheus"
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
    taken = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken), "no panel lies on another"


@pytest.mark.parametrize(("where", "expression"), ASKED, ids=[f"{where}: {number}" for number, (where, _) in enumerate(ASKED)])
def test_only_metrics_and_labels_that_there_are_are_asked_for(where: str, expression: str) -> None:
    assert names(expression) <= known(), where
    for name, selection in SELECTED.findall(expression):
        family = FAMILIES.get(name) or FAMILIES[re.sub("_(bucket|sum|count)$", "", name)]
        assert set(re.findall(r"(\w+)[=!]", selection)) <= {*family.labels, *LABELS_OF_PROMETHEUS}, where


def test_every_metric_is_on_a_dashboard_or_in_an_alert() -> None:
    asked = {name for _, expression in ASKED for name in names(expression)}
    bare = {re.sub("_(bucket|sum|count)$", "", name) for name in asked}
    assert FAMILIES.keys() - bare <= {"metip_ledger_gathered"}, "what nobody looks at need not be measured"


def promtool(*arguments: str) -> str:
    """What promtool says; the test is skipped, loudly, where it is not installed."""
    program = shutil.which("promtool")
    if program is None:
        words = "NOT CHECKED: promtool is not installed (Debian: apt install prometheus), so nobody has tried the alert rules"
        warnings.warn(pytest.PytestWarning(words), stacklevel=2)
        pytest.skip(words)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.filterwarnings("default::pytest.PytestWarning")
def test_prometheus_takes_the_rules_and_the_sample_configuration() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", str(ALERTS))
    assert "SUCCESS" in promtool("check", "config", str(FOLDER / "prometheus.yaml"))


@pytest.mark.filterwarnings("default::pytest.PytestWarning")
def test_prometheus_understands_what_dashboards_ask(tmp_path: Path) -> None:
    asked = sorted({expression.replace("$interface", ".*") for _, expression in ASKED if not expression.startswith("label_values")})
    rules = [{"record": f"asked:{number}", "expr": expression} for number, expression in enumerate(asked)]
    file = tmp_path / "asked.yaml"
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": rules}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", str(file))


@pytest.mark.filterwarnings("default::pytest.PytestWarning")
def test_alerts_fire_when_they_should_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(UNIT_TESTS))


def test_every_alert_has_a_unit_test() -> None:
    read: Any = YAML(typ="safe", pure=True).load(UNIT_TESTS)
    tried = {one["alertname"]: True for test in read["tests"] for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert {rule["alert"] for rule in rules() if "alert" in rule} == tried.keys()
