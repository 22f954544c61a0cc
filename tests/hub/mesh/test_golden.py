"""What the compiler makes of known inputs, byte for byte readable, and Envoy's own verdict on it. `make golden` rewrites the files."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mesh_golden import PLACEHOLDERS, as_dict, compile_protos, edge_of, read_inputs, readable, static_bootstrap

from hub.contracts import Contracts
from hub.identity import Store, issue
from hub.laptop.estate import envoy_binary
from hub.mesh.compile import compile_mesh
from hub.mesh.inputs import Edge, Tokens, Traffic
from hub.mesh.resources import ResourceType, Snapshot

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/in.yaml"))


Reading = Callable[[str], Contracts]


@pytest.fixture(scope="module")
def contracts_of(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    """Gives the contracts of a case: those of all cases, and any that lie with it."""

    @cache
    def read(*folders: Path) -> Contracts:
        found = compile_protos(tmp_path_factory.mktemp("contracts") / "set.binpb", *folders)
        assert found.faults == ()
        return found

    return lambda case: read(GOLDEN / "protos", *(one for one in (GOLDEN / case / "protos",) if one.exists()))


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
def test_the_compiler_makes_what_the_golden_file_says(case: str, contracts_of: Reading, request: pytest.FixtureRequest) -> None:
    instances, policy, traffic = read_inputs(GOLDEN / case / "in.yaml")
    edge = edge_of(GOLDEN / case / "in.yaml", PLACEHOLDERS)
    made = readable(compile_mesh(contracts_of(case), instances, policy, edge, traffic))
    golden = GOLDEN / case / "out.yaml"
    if request.config.getoption("--golden"):
        golden.write_text(made)
    assert made == golden.read_text(), "read the difference; if it is meant, `make golden` rewrites the file"


@pytest.mark.parametrize("case", CASES)
def test_envoy_accepts_what_the_compiler_makes(case: str, contracts_of: Reading, real_edge: Edge, tmp_path: Path) -> None:
    instances, policy, traffic = read_inputs(GOLDEN / case / "in.yaml")
    snapshot = compile_mesh(contracts_of(case), instances, policy, edge_of(GOLDEN / case / "in.yaml", real_edge), traffic)
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


def test_equal_inputs_give_the_same_snapshot_whatever_their_order(contracts_of: Reading) -> None:
    case = "two_workers_and_a_second_consumer"
    contracts, (instances, policy, _) = contracts_of(case), read_inputs(GOLDEN / case / "in.yaml")
    turned = replace(policy, grants=tuple(reversed(policy.grants)))
    assert compile_mesh(contracts, instances, policy, PLACEHOLDERS) == compile_mesh(contracts, instances[::-1], turned, PLACEHOLDERS)


def test_a_back_end_that_nobody_gave_weight_gets_no_calls_and_leaves_every_other_route_as_it_was(contracts_of: Reading) -> None:
    case = "two_systems_behind_one_interface"
    instances, policy, _ = read_inputs(GOLDEN / case / "in.yaml")
    alone = _routes(compile_mesh(contracts_of("one_instance_of_each"), instances, policy, PLACEHOLDERS))
    behind = _routes(compile_mesh(contracts_of(case), instances, policy, PLACEHOLDERS))
    shared = {name for name, one in behind.items() if "weighted_clusters" in one["route"]}
    assert shared == {"metip.example.v1.RecordService/GetRecord", "metip.example.v1.RecordService/CloseRecord"}
    assert {name: one for name, one in behind.items() if name not in shared} == {name: alone[name] for name in behind if name not in shared}
    for name in shared:
        weights = [(one["name"], one.get("weight", 0)) for one in behind[name]["route"].pop("weighted_clusters")["clusters"]]
        assert weights == [(alone[name]["route"].pop("cluster"), 100), ("successor/metip.example.v1.RecordService", 0)]
        assert behind[name] == alone[name]


def test_an_operation_that_the_weighted_system_does_not_serve_stays_with_its_owner(contracts_of: Reading) -> None:
    case = "two_systems_behind_one_interface"
    instances, policy, _ = read_inputs(GOLDEN / case / "in.yaml")
    everything = Traffic((("metip.example.v1.RecordService", (("successor", 1),)),))
    routes = _routes(compile_mesh(contracts_of(case), instances, policy, PLACEHOLDERS, everything))
    assert routes["metip.example.v1.RecordService/PutRecord"]["route"]["cluster"] == "metip.example.v1.RecordService"
    shared = routes["metip.example.v1.RecordService/GetRecord"]["route"]["weighted_clusters"]["clusters"]
    assert [one.get("weight", 0) for one in shared] == [0, 1]


def _routes(snapshot: Snapshot) -> dict[str, Any]:
    body = as_dict(ResourceType.ROUTE, snapshot.of_type(ResourceType.ROUTE)["operations"].body)
    return {one["name"]: one for one in body["virtual_hosts"][0]["routes"]}
