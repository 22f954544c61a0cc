"""Every refusal that a case records, as a JSON client gets it: the same status, with the reason and the codes in the body.

Cases that need a fault are left out: one failure after another would open a system's circuit, and how it fails is shown elsewhere.
"""

from pathlib import Path

import pytest
from cases import RecordedCase, case_files, case_id, read_case, request_message
from google.protobuf import json_format
from json_client import post
from mesh_rig import MeshRig

pytestmark = pytest.mark.asyncio(loop_scope="session")
HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""What Envoy makes of each status (google.rpc.Code)."""
CASES = [(path, read_case(path)) for path in case_files()]
REFUSED = [
    path
    for path, one in CASES
    if one.case.WhichOneof("outcome") == "refused" and not one.case.faults and one.operation.name.split(".")[1] == one.system
]
"""Those of the system that owns the operation: a second back end gets no call until it is given weight."""


def document(recorded: RecordedCase) -> object:
    """The case's request as JSON."""
    return json_format.MessageToDict(request_message(recorded), preserving_proto_field_name=True)


@pytest.mark.parametrize("path", REFUSED, ids=case_id)
async def test_a_refusal_reaches_a_json_client_whole(path: Path, mesh: MeshRig) -> None:
    recorded = read_case(path)
    expected = recorded.case.refused
    answer = await post(mesh, recorded.operation.name, document(recorded), within=recorded.deadline)
    assert answer.status == HTTP_STATUS[expected.status]
    (info,) = [one for one in answer.document["details"] if one["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"]
    assert info["reason"] == expected.reason
    assert {key: info["metadata"].get(key) for key in expected.metadata} == dict(expected.metadata)
