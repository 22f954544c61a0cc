"""The access policy through real Envoy: purposes and roles of grants, what nobody may say for Envoy, and changes without a restart."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from click.testing import CliRunner
from command_line import metip
from google.protobuf.message import Message
from mesh_rig import MeshRig, load, reason_of, running_mesh, until
from samples import query, sample, send

from hub.cli import main
from hub.cli.messages import installed
from hub.identity import Officer, issue_token
from metip.options.v1.options_pb2 import Purpose

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASE = sample(
    lambda one: one.officer_required and len(one.purposes) > 2 and not one.server_streams and one.name == query().operation.name,
)
OPERATION = CASE.operation
FIRST, SECOND, THIRD = OPERATION.purposes[:3]
POLICY = f"""
grants:
  - {{name: developer, consumer: spiffe://metip.local/consumer/developer, operations: ["*"]}}
  - {{name: clerk, consumer: spiffe://metip.local/consumer/clerk, operations: ["{OPERATION.name}"], purposes: [PURPOSE_{FIRST}]}}
  - {{name: desk, consumer: spiffe://metip.local/consumer/desk, operations: ["{OPERATION.name}"], roles: [sergeant, inspector]}}
  - name: counter
    consumer: spiffe://metip.local/consumer/counter
    operations: ["{OPERATION.interface}/*"]
    purposes: [PURPOSE_{FIRST}]
  - name: counter-sergeant
    consumer: spiffe://metip.local/consumer/counter
    operations: ["{OPERATION.name}"]
    purposes: [PURPOSE_{SECOND}]
    roles: [sergeant]
  - {{name: changes, consumer: spiffe://metip.local/consumer/desk, operations: ["metip.hub.v1.MeshService/*"], roles: [sergeant]}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """An estate of one system, under a policy of its own; each test leaves it as it found it."""
    async with running_mesh(tmp_path_factory.mktemp("a"), systems=(CASE.system,)) as rig:
        await in_force(rig, POLICY)
        yield rig


async def in_force(mesh: MeshRig, policy: str) -> None:
    """Puts a policy in force, and waits until the hub says so."""
    mesh.home.access.write_text(policy)

    async def told() -> bool:
        done = await metip(mesh.home.root, "access", "diff", str(mesh.home.access))
        return done.code == 0

    await until(told, within=30)


def asking(purpose: str) -> bytes:
    """The case's request with another purpose."""
    request: Any = installed().kind(OPERATION.request).FromString(CASE.case.request.value)
    request.access.purpose = Purpose.Value(f"PURPOSE_{purpose}")
    assert isinstance(request, Message)
    return request.SerializeToString()


def token(mesh: MeshRig, name: str, *roles: str) -> list[tuple[str, str]]:
    """Metadata with a token of an officer in those roles."""
    officer = Officer("P123456", "01", "ZD", roles)
    text = issue_token(mesh.store, officer, authorised_party=mesh.spiffe_id(name), lifetime=timedelta(hours=1), now=datetime.now(UTC))
    return [("authorization", f"Bearer {text}")]


async def ask(mesh: MeshRig, name: str, purpose: str, *roles: str, metadata: tuple[tuple[str, str], ...] = ()) -> str:
    """OK, or status and reason of the refusal."""
    call: Any = mesh.channel(name).unary_unary(OPERATION.path)
    try:
        await call(asking(purpose), timeout=10, metadata=[*token(mesh, name, *roles), *metadata])
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name} {reason_of(error)}".strip()
    return "OK"


REFUSED_BY_ENVOY = "PERMISSION_DENIED NOT_GRANTED"
REFUSED_BY_GRANT = "PERMISSION_DENIED PURPOSE_NOT_PERMITTED"
CALLS = {
    "a purpose that the grant names": ("clerk", FIRST, (), "OK"),
    "a purpose that only the contract permits": ("clerk", SECOND, (), REFUSED_BY_GRANT),
    "a role does not widen a grant that asks for none": ("clerk", SECOND, ("sergeant",), REFUSED_BY_GRANT),
    "no role where one is demanded": ("desk", FIRST, (), REFUSED_BY_ENVOY),
    "another role": ("desk", FIRST, ("constable",), REFUSED_BY_ENVOY),
    "part of a role's name": ("desk", FIRST, ("serg", "sergeants"), REFUSED_BY_ENVOY),
    "one of the roles": ("desk", THIRD, ("constable", "inspector"), "OK"),
    "a purpose that a role adds": ("counter", SECOND, ("sergeant",), "OK"),
    "the same without the role": ("counter", SECOND, ("constable",), REFUSED_BY_GRANT),
    "a purpose that needs no role": ("counter", FIRST, (), "OK"),
    "a purpose that neither grant names": ("counter", THIRD, ("sergeant",), REFUSED_BY_GRANT),
}


@pytest.mark.parametrize(("name", "purpose", "roles", "expected"), CALLS.values(), ids=CALLS)
async def test_a_call_is_judged_by_consumer_role_and_purpose(
    mesh: MeshRig, name: str, purpose: str, roles: tuple[str, ...], expected: str
) -> None:
    before = sum((await mesh.exchanges(CASE.system)).values())
    assert await ask(mesh, name, purpose, *roles) == expected
    if expected != "OK":
        assert sum((await mesh.exchanges(CASE.system)).values()) == before, "the far system was touched"


@pytest.mark.parametrize(("name", "purpose", "roles", "expected"), CALLS.values(), ids=CALLS)
async def test_explain_says_what_becomes_of_it(mesh: MeshRig, name: str, purpose: str, roles: tuple[str, ...], expected: str) -> None:
    asked = ["--consumer", f"consumer/{name}", "--operation", OPERATION.name, "--purpose", purpose, "--home", str(mesh.home.root)]
    told = CliRunner().invoke(main, ["access", "explain", *asked, *(word for role in roles for word in ("--role", role))])
    assert told.exit_code == (0 if expected == "OK" else 3), told.output


@pytest.mark.parametrize("forged", ["*", "*||consumer/clerk,consumer/desk,consumer/counter"])
async def test_grants_that_a_consumer_writes_itself_are_not_believed(mesh: MeshRig, forged: str) -> None:
    header = ("x-metip-purposes", forged)
    assert await ask(mesh, "clerk", SECOND, metadata=(header,)) == REFUSED_BY_GRANT
    assert await ask(mesh, "clerk", SECOND, metadata=(header, header)) == REFUSED_BY_GRANT
    assert await ask(mesh, "clerk", FIRST, metadata=(("x-metip-purposes", ""),)) == "OK"


async def test_a_role_is_demanded_of_an_operation_without_personal_data_too(mesh: MeshRig) -> None:
    call: Any = mesh.channel("desk").unary_unary("/metip.hub.v1.MeshService/ListChanges")
    assert await call(b"", timeout=10, metadata=token(mesh, "desk", "sergeant"))
    for metadata in ([], token(mesh, "desk"), token(mesh, "desk", "clerk"), token(mesh, "counter", "sergeant")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"", timeout=10, metadata=metadata)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_status_shows_the_policy_in_force_and_how_long_certificates_last(mesh: MeshRig) -> None:
    text, document = await metip(mesh.home.root, "status"), (await metip(mesh.home.root, "status", "--json")).json
    assert f"{document['mesh']['access']['digest'][:8]}, 6 grants, in force since" in text.out
    assert {one["use"] for one in document["mesh"]["certificates"]} == {"edge", "authority", "hub"}
    assert all(one["not_after"] and not one.get("expires_soon") for one in document["mesh"]["certificates"])


async def test_a_sergeants_token_is_of_no_use_to_another_consumer(mesh: MeshRig) -> None:
    call: Any = mesh.channel("desk").unary_unary(OPERATION.path)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(asking(FIRST), timeout=10, metadata=token(mesh, "counter", "sergeant"))
    assert (refused.value.code(), reason_of(refused.value)) == (grpc.StatusCode.PERMISSION_DENIED, "TOKEN_OF_ANOTHER")


async def test_a_change_is_in_force_without_a_restart_and_without_a_lost_call(mesh: MeshRig) -> None:
    channel = mesh.channel()
    async with load(lambda: send(mesh, CASE, channel), workers=2) as calls:
        assert await ask(mesh, "clerk", SECOND) == REFUSED_BY_GRANT
        await in_force(mesh, POLICY.replace(f"purposes: [PURPOSE_{FIRST}]}}", f"purposes: [PURPOSE_{SECOND}]}}"))
        assert await ask(mesh, "clerk", SECOND) == "OK"
        assert await ask(mesh, "clerk", FIRST) == REFUSED_BY_GRANT
        await in_force(mesh, POLICY)
        assert await ask(mesh, "clerk", SECOND) == REFUSED_BY_GRANT
    assert calls.failed == []
    assert calls.done
