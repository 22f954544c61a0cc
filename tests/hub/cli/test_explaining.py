"""`metip explain` and `metip interfaces` from contracts alone."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.contracts import DeliveryClass, load, matching

OPERATIONS = matching("*", load(date(2026, 11, 23)))


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--home", str(home)], catch_exceptions=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a policy that lets one consumer call everything."""
    (tmp_path / "access.yaml").write_text('grants:\n  - {consumer: "spiffe://metip.local/consumer/desk", operations: ["*"]}\n')
    edge = dict.fromkeys(("certificate", "key", "authority", "token_keys", "token_issuer", "token_audience"), "x")
    settings: Any = {
        "trust_domain": "metip.local",
        "socket": "s",
        "state": "s",
        "access": "access.yaml",
        "edge": {"port": 1, "json_port": 2, **edge},
    }
    (tmp_path / "hub.yaml").write_text(json.dumps(settings))
    return tmp_path


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_every_operation_is_explained_in_words(home: Path, operation: Any) -> None:
    output = run(home, "explain", operation.name, "--offline").output
    assert output.startswith(operation.name)
    joined = " ".join(output.split())
    assert "spiffe://metip.local/consumer/desk" in joined
    assert all(purpose.replace("_", " ").lower() in joined for purpose in operation.purposes)
    assert ("Envoy sends it once" in joined) == (operation.delivery_class is DeliveryClass.WRITE_ONCE)
    assert f"{operation.max_request_bytes:,} bytes" in joined
    assert all(consulted in joined for consulted in operation.consults)


def test_an_explanation_as_json_holds_what_the_words_hold(home: Path) -> None:
    operation = OPERATIONS[0]
    document = json.loads(run(home, "explain", operation.name, "--offline", "--json").stdout)
    assert document["operation"] == operation.name
    assert "spiffe://metip.local/consumer/desk" in document["consumers"]
    assert document["purposes"] == list(operation.purposes)
    assert document["retries"] == (2 if operation.delivery_class.repeatable else 0)


def test_without_a_home_only_what_contracts_allow_is_known(tmp_path: Path) -> None:
    result = run(tmp_path, "explain", "GetMesh", "--offline")
    assert "there is no access policy" in result.stderr
    assert "Nobody: no grant" in result.stdout


def test_the_end_of_a_name_is_enough(home: Path) -> None:
    assert run(home, "explain", "meshservice/getmesh", "--offline").output.startswith("metip.hub.v1.MeshService/GetMesh")
    assert run(home, "explain", "metip.hub.v1.MeshService.GetMesh", "--offline").output.startswith("metip.hub.v1.MeshService/GetMesh")


def test_a_misspelt_name_is_answered_with_what_was_meant(home: Path) -> None:
    result = run(home, "explain", "GetMehs", "--offline")
    assert result.exit_code == 1
    assert "did you mean metip.hub.v1.MeshService/GetMesh" in result.stderr


def test_operations_that_are_not_on_the_mesh_are_not_explained(home: Path) -> None:
    assert run(home, "explain", "SetFaults", "--offline").exit_code == 1


def test_without_a_name_all_operations_are_listed(home: Path) -> None:
    listed = run(home, "explain").output
    assert all(operation.name in listed for operation in OPERATIONS)
    rows = json.loads(run(home, "explain", "--json").output)
    assert {row["operation"] for row in rows} == {operation.name for operation in OPERATIONS}


def test_interfaces_are_listed_with_their_owners(home: Path) -> None:
    document = json.loads(run(home, "interfaces", "--offline", "--json").output)
    assert {one["name"] for one in document["interfaces"]} == {one.interface for one in OPERATIONS}
    assert all(one["owner"] and one["dpia_review_by"] for one in document["interfaces"])
    text = run(home, "interfaces", "--offline").output
    assert all(one["name"] in text and one["owner"] in text for one in document["interfaces"])
