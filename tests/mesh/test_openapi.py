"""The OpenAPI document is what the JSON edge does: each operation's sample goes through Envoy, and question and answer fit the document."""

from typing import Any

import openapi
import pytest
from cases import RecordedCase, case_files, case_id, read_case, request_message
from google.protobuf import json_format
from json_client import JsonAnswer, post, post_text
from mesh_rig import MeshRig

pytestmark = pytest.mark.asyncio(loop_scope="session")
OPERATIONS = dict(openapi.operations(openapi.installed()))
ID = "018f7e64-3a2b-7c1d-8e9f-0a1b2c3d4e5f"
OPERATOR = {"operator": "os://tester", "reason": "a test of the document"}
HUBS: dict[str, Any] = {
    "metip.hub.v1.CatalogueService/ListInterfaces": {},
    "metip.hub.v1.CatalogueService/ExplainOperation": {"operation": "metip.hub.v1.CatalogueService/ListInterfaces"},
    "metip.hub.v1.MeshService/GetMesh": {},
    "metip.hub.v1.MeshService/ListChanges": {},
}
"""Questions to the hub's own interfaces, which no system's cases hold. Of a message or a plan that there is not, the refusal is looked at."""


def misfits(name: str, answer: JsonAnswer) -> list[str]:
    """How an answer differs from what the document says of its status; nothing that the contracts lack is let pass."""
    whole = openapi.closed()
    place = openapi.answer_schema(name, answer.status, whole)
    return [one for document in answer.documents for one in openapi.faults(whole, place, document)]


def shown(name: str) -> Any:
    """The request that the document shows of an operation; None when it shows none."""
    return OPERATIONS[name]["requestBody"]["content"]["application/json"].get("example")


@pytest.mark.parametrize("name", [name for name in OPERATIONS if shown(name)])
async def test_a_sample_and_its_answer_fit_the_document(name: str, mesh: MeshRig) -> None:
    request = shown(name)
    assert openapi.faults(openapi.installed(), openapi.request_schema(name), request) == []
    answer = await post(mesh, name, request)
    assert answer.status == 200, answer.body
    assert misfits(name, answer) == []


@pytest.mark.parametrize("name", [name for name in OPERATIONS if not shown(name)])
async def test_an_interface_of_the_hub_answers_or_refuses_as_the_document_says(name: str, mesh: MeshRig) -> None:
    answer = await post(mesh, name, HUBS.get(name, {}))
    print(name, answer.status, answer.body[:300])
    assert misfits(name, answer) == []
