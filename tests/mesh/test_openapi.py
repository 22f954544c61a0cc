"""The OpenAPI document is what the JSON edge does: each operation's sample goes through Envoy, and question and answer fit the document."""

from datetime import date
from typing import Any

import openapi
import pytest
from json_client import JsonAnswer, post
from mesh_rig import MeshRig

from adapters.kit.serving import installed_contracts
from metip.contracts import DeliveryClass

pytestmark = pytest.mark.asyncio(loop_scope="session")
OPERATIONS = dict(openapi.operations(openapi.installed()))
HUBS: dict[str, Any] = {
    "metip.hub.v1.CatalogueService/ListInterfaces": {},
    "metip.hub.v1.CatalogueService/ExplainOperation": {"operation": "metip.hub.v1.CatalogueService/ListInterfaces"},
    "metip.hub.v1.MeshService/GetMesh": {},
    "metip.hub.v1.MeshService/ListChanges": {},
}
"""Questions to the hub's own interfaces, which no system's cases hold. Of the others the refusal of an empty question is looked at."""

WRITTEN_ONCE = {one.name for one in installed_contracts(date.min).operations.values() if one.delivery_class is DeliveryClass.WRITE_ONCE}


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
    # On an estate that is shared somebody may have written before what is written once; its refusal fits the document as well.
    assert answer.status == 200 or (name in WRITTEN_ONCE and answer.status in (400, 409)), answer.body
    assert misfits(name, answer) == []


@pytest.mark.parametrize("name", [name for name in OPERATIONS if not shown(name)])
async def test_an_interface_of_the_hub_answers_or_refuses_as_the_document_says(name: str, mesh: MeshRig) -> None:
    answer = await post(mesh, name, HUBS.get(name, {}))
    assert misfits(name, answer) == []


async def test_what_the_document_demands_the_edge_demands_too(mesh: MeshRig) -> None:
    """A question with nothing in it, to every operation of which the document says that something must be."""
    whole = openapi.installed()
    demanding = [name for name in OPERATIONS if openapi.faults(whole, openapi.request_schema(name), {})]
    assert len(demanding) > 50
    statuses = {name: (await post(mesh, name, {})).status for name in demanding}
    assert {name: status for name, status in statuses.items() if status != 400} == {}


async def test_a_token_that_is_missing_is_refused_where_the_document_demands_one(mesh: MeshRig) -> None:
    for name, said in OPERATIONS.items():
        if said["security"] == [{"certificate": [], "officer": []}]:
            answer = await post(mesh, name, shown(name) or {}, token=False)
            assert (answer.status, misfits(name, answer)) == (401, []), name
