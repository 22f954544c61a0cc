"""`metip check`: how findings are shown and counted, and what it finds in files alone."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from example_contract import descriptor_set

from hub.cli import main
from hub.cli.checking import lines, summary
from hub.cli.checks_at_rest import of_contracts
from hub.cli.checks_of_ledger import judged
from hub.cli.findings import Finding, Section
from hub.cli.messages import contracts
from hub.cli.printing import FAILED, OK, SKIPPED, WARNED
from hub.identity import Store, issue
from hub.laptop.layout import Home
from hub.laptop.preparing import Ports, prepare
from metip.ledger.v1 import ledger_service_pb2 as api


def check(*arguments: str, home: Path) -> Result:
    return CliRunner().invoke(main, ["check", "--home", str(home), *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that `metip up` would find in order."""
    home = Home.at(tmp_path_factory.mktemp("home"))
    prepare(home, Ports(1, 2))
    return home.root


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(prepared, tmp_path / "home"))


def test_a_finding_stands_under_its_section_with_its_fix() -> None:
    section = Section("hub")
    right, wrong = section.right("answers"), section.wrong("is dead", "start it")
    assert [click.unstyle(line) for line in lines(right, None)] == ["hub", "  ✓ answers"]
    assert [click.unstyle(line) for line in lines(wrong, right)] == ["  ✗ is dead", "      fix: start it"]


COUNTED = [
    pytest.param([OK, OK, SKIPPED], "all 2 checks passed.", id="well"),
    pytest.param([OK, WARNED], "all 2 checks passed, 1 with a doubt.", id="doubt"),
    pytest.param([OK, FAILED, WARNED, FAILED], "2 of 4 checks failed; each says its fix.", id="failed"),
]


@pytest.mark.parametrize(("states", "words"), COUNTED)
def test_the_last_line_counts(states: list[str], words: str) -> None:
    assert words in summary([Finding("hub", "x", state) for state in states])


def test_a_prepared_home_is_all_ticks(home: Path) -> None:
    result = check("--only", "identity", "--only", "contracts", "--only", "settings", home=home)
    assert result.exit_code == 0, result.output
    assert "✗" not in result.output
    assert "checks passed" in result.output


def test_a_certificate_of_a_foreign_authority_is_named_with_its_fix(home: Path, tmp_path: Path) -> None:
    foreign = Store(tmp_path / "foreign")
    foreign.ensure(trust_domain="metip.local")
    issue(foreign, "spiffe://metip.local/consumer/developer", name="developer")
    shutil.copytree(foreign.folder("developer"), home / "identity" / "developer", dirs_exist_ok=True)
    document = json.loads(check("--only", "identity", "--json", home=home).stdout)
    (wrong,) = [one for one in document["findings"] if one["state"] == FAILED]
    assert not document["well"]
    assert "wasn't signed by any authority" in wrong["what"]
    assert "metip identity issue" in wrong["fix"]


def test_a_contract_without_annotation_is_named_with_what_to_write(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "changed.binpb"
    path.write_bytes(descriptor_set(tmp_path / "protos", options=""))
    result = check("--only", "contracts", "--contracts", str(path), home=home)
    assert result.exit_code == 1
    assert "✗ metip.example.v1.ExampleService/GetExample does not load: it has no operation option" in result.output
    assert "fix: Add option (metip.options.v1.operation)" in result.output


def test_a_contract_in_order_is_ticked(home: Path, tmp_path: Path, example_set: bytes) -> None:
    path = tmp_path / "example.binpb"
    path.write_bytes(example_set)
    result = check("--only", "contracts", "--contracts", str(path), home=home)
    assert (result.exit_code, "1 interface with 1 operation load" in result.output) == (0, True)


def test_an_assessment_that_is_to_be_reviewed_soon_is_a_doubt() -> None:
    known = contracts()
    first = min(known.interfaces, key=lambda one: one.dpia.review_by)
    found = {one.what: one for one in of_contracts(known, today=first.dpia.review_by - timedelta(days=3))}
    (doubt,) = [one for what, one in found.items() if what.startswith(f"{first.name}: its DPIA")]
    assert (doubt.state, "in 3 days" in doubt.what, "move dpia.review_by" in doubt.fix) == (WARNED, True, True)
    assert not [one for one in of_contracts(known, today=first.dpia.review_by - timedelta(days=61)) if one.state == WARNED]


NO_SET = [pytest.param("missing.binpb", None, id="missing"), pytest.param("text.binpb", b"no descriptors", id="something-else")]


@pytest.mark.parametrize(("name", "content"), NO_SET)
def test_a_file_that_is_no_descriptor_set_is_refused_in_words(home: Path, tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = check("--contracts", str(tmp_path / name), home=home)
    assert result.exit_code == 1
    assert "fix: make it with `protoc --include_imports --descriptor_set_out`" in result.stderr


SPOILT = [
    pytest.param("hub.yaml", "prot: 1", "prot: no such setting", id="unknown-setting"),
    pytest.param("hub.yaml", None, "there is no", id="no-settings"),
    pytest.param("access.yaml", "grants: [{consumer: someone, operations: ['*']}]", "consumer", id="no-spiffe-id"),
    pytest.param("access.yaml", "grants: [", "line ", id="no-yaml"),
    pytest.param("identity/edge/cert.pem", None, "edge.certificate", id="no-certificate"),
]


@pytest.mark.parametrize(("name", "content", "words"), SPOILT)
def test_a_fault_in_the_settings_is_named(home: Path, name: str, content: str | None, words: str) -> None:
    (home / name).write_text(content) if content is not None else (home / name).unlink()
    result = check("--only", "settings", home=home)
    assert result.exit_code == 1
    assert words in result.output
    assert "fix: " in result.output


def test_a_grant_of_nothing_is_a_doubt_and_no_failure(home: Path) -> None:
    (home / "access.yaml").write_text('grants: [{consumer: "spiffe://metip.local/consumer/x", operations: ["metip.none.v1.No/Get"]}]')
    result = check("--only", "settings", home=home)
    assert result.exit_code == 0
    assert "! access.yaml: grants[0].operations[0]: metip.none.v1.No/Get is nothing that is loaded" in result.output


def test_where_nothing_runs_the_faults_are_named_once(home: Path) -> None:
    document = json.loads(check("--json", home=home).stdout)
    failed = [one["what"] for one in document["findings"] if one["state"] == FAILED]
    assert [what.partition(" at ")[0] for what in failed[:2]] == ["the hub", "Envoy's admin interface"]
    assert all("nobody listens on 127.0.0.1" in what for what in failed[2:])
    assert len(failed) == 4


def test_a_home_that_is_none_is_named(tmp_path: Path) -> None:
    result = check(home=tmp_path / "none")
    assert result.exit_code == 1
    assert "there are no identities in" in result.output
    assert "there is no" in result.output


def ledger_status(**changes: Any) -> api.GetStatusResponse:
    """A ledger of one journal in which all is as it must be, but for the changes."""
    found = api.GetStatusResponse(
        size=7, journals=[api.JournalStatus(name="pnc-0", position=7)], reconciliation=api.Reconciliation(answered=5)
    )
    found.MergeFrom(api.GetStatusResponse(**changes))
    return found


LEDGERS = [
    pytest.param({}, OK, "holds 7 records; 1 journal followed, and every answered call has its record", id="well"),
    pytest.param(
        {"journals": [api.JournalStatus(name="cris-0", gap="SHORTER", gap_position=3)]}, FAILED, "cris-0 has a gap (SHORTER) at 3", id="gap"
    ),
    pytest.param({"journals": [api.JournalStatus(name="cris-0", lag_seconds=60)]}, WARNED, "cris-0 is", id="late"),
    pytest.param({"reconciliation": api.Reconciliation(missing=2)}, FAILED, "2 answered calls without a record", id="missing"),
    pytest.param({"unopened": 1}, FAILED, "1 record whose particulars can't be opened", id="unopened"),
    pytest.param({"witness": api.WitnessStatus(lag_seconds=7200)}, FAILED, "the witness has lagged", id="witness"),
]


@pytest.mark.parametrize(("changes", "state", "words"), LEDGERS)
def test_what_is_wrong_with_the_ledger_is_found(changes: dict[str, Any], state: str, words: str) -> None:
    (finding,) = judged(ledger_status(**changes), datetime.now(UTC))
    assert (finding.section, finding.state) == ("ledger", state)
    assert words in finding.what
    assert bool(finding.fix) is (state != OK)
