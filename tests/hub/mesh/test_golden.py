"""What the compiler makes of known inputs, byte for byte readable, and Envoy's own verdict on it. `make golden` rewrites the files."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mesh_golden import PLACEHOLDERS, compile_protos, read_inputs, readable, static_bootstrap

from hub.contracts import Contracts
from hub.identity import Store, issue
from hub.laptop.estate import envoy_binary
from hub.mesh.compile import compile_mesh
from hub.mesh.inputs import Edge, Tokens

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/in.yaml"))


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Contracts:
    found = compile_protos(GOLDEN / "protos", tmp_path_factory.mktemp("contracts") / "set.binpb")
    assert found.faults == ()
    return found


@pytest.fixture(scope="module")
def real_edge(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    """The edge with certificates that exist: Envoy loads them even when it only validates."""
    store = Store(tmp_path_factory.mktemp("identity") / "identity")
    store.ensure()
    issue(store, "spiffe://metip.local/edge", name="edge", dns=("localhost",), now=datetime.now(UTC))
    return replace(
        PLACEHOLDERS,
        certificate=store.certificate("edge").read_text(),
        key=store.key("edge").read_text(),
        authority=store.ca_certificate.read_text(),
        tokens=Tokens("https://token-issuer.metip.local", "metip", store.jwks.read_text()),
        access_log="/dev/null",
    )


@pytest.mark.parametrize("case", CASES)
def test_the_compiler_makes_what_the_golden_file_says(case: str, contracts: Contracts, request: pytest.FixtureRequest) -> None:
    instances, policy = read_inputs(GOLDEN / case / "in.yaml")
    made = readable(compile_mesh(contracts, instances, policy, PLACEHOLDERS))
    golden = GOLDEN / case / "out.yaml"
    if request.config.getoption("--golden"):
        golden.write_text(made)
    assert made == golden.read_text(), "read the difference; if it is meant, `make golden` rewrites the file"


@pytest.mark.parametrize("case", CASES)
def test_envoy_accepts_what_the_compiler_makes(case: str, contracts: Contracts, real_edge: Edge, tmp_path: Path) -> None:
    instances, policy = read_inputs(GOLDEN / case / "in.yaml")
    snapshot = compile_mesh(contracts, instances, policy, real_edge)
    assert snapshot.consistent() == ()
    bootstrap = tmp_path / "bootstrap.json"
    bootstrap.write_text(json.dumps(static_bootstrap(snapshot)))
    verdict = subprocess.run([envoy_binary(), "--mode", "validate", "-c", str(bootstrap)], capture_output=True, text=True, check=False)
    assert verdict.returncode == 0, verdict.stderr[-2000:]


def test_a_golden_folder_without_input_is_an_orphan(request: pytest.FixtureRequest) -> None:
    orphans = [path for path in GOLDEN.glob("*/out.yaml") if not (path.parent / "in.yaml").exists()]
    if request.config.getoption("--golden"):
        for path in orphans:
            path.unlink()
    assert [path for path in orphans if path.exists()] == []


def test_equal_inputs_give_the_same_snapshot_whatever_their_order(contracts: Contracts) -> None:
    instances, policy = read_inputs(GOLDEN / "two_workers_and_a_second_consumer" / "in.yaml")
    turned = replace(policy, grants=tuple(reversed(policy.grants)))
    assert compile_mesh(contracts, instances, policy, PLACEHOLDERS) == compile_mesh(contracts, instances[::-1], turned, PLACEHOLDERS)
