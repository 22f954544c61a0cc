"""Who is let in at the edge, and who is not: every refusal before the far system is touched."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from hostile_calls import operations
from hostile_certificates import CERTIFICATES, ground_of, hostile_certificate
from hostile_tokens import TOKENS, TokenGround, hostile_token
from json_client import post_text
from mesh_rig import MeshRig, reason_of
from samples import query, send, write_once

from hub.identity.store import read_key

pytestmark = pytest.mark.asyncio(loop_scope="session")
CASE = query()
MESSAGE = next(one for one in operations().values() if one.delivery is not None)
REFUSED_BY_CERTIFICATE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}


async def _exchanges(mesh: MeshRig) -> int:
    return sum((await mesh.exchanges(CASE.system)).values())


async def test_a_known_consumer_with_an_officer_is_let_in(mesh: MeshRig) -> None:
    assert await send(mesh, CASE, mesh.channel())


async def test_without_a_certificate_there_is_no_connection(mesh: MeshRig) -> None:
    credentials = grpc.ssl_channel_credentials(mesh.store.ca_certificate.read_bytes())
    before = await _exchanges(mesh)
    async with grpc.aio.secure_channel(mesh.edge, credentials) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await send(mesh, CASE, channel)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert await _exchanges(mesh) == before


async def test_in_clear_there_is_no_connection(mesh: MeshRig) -> None:
    async with grpc.aio.insecure_channel(mesh.edge) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await send(mesh, CASE, channel)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("name", sorted(CERTIFICATES))
async def test_a_hostile_certificate_is_refused(name: str, mesh: MeshRig, tmp_path: Path) -> None:
    ground = ground_of(mesh.store.authority(), mesh.spiffe_id("developer"), datetime.now(UTC))
    files = hostile_certificate(name, ground).write(tmp_path)
    before = await _exchanges(mesh)
    with pytest.raises((grpc.aio.AioRpcError, ValueError)) as refused:
        await send(mesh, CASE, mesh.channel(files=files), within=3)
    if isinstance(refused.value, grpc.aio.AioRpcError):
        assert refused.value.code() in REFUSED_BY_CERTIFICATE
    assert await _exchanges(mesh) == before


async def test_a_consumer_without_a_grant_is_refused(mesh: MeshRig) -> None:
    before = await _exchanges(mesh)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(mesh, CASE, mesh.channel("stranger"), metadata=mesh.token("stranger"))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert await _exchanges(mesh) == before


async def test_without_a_token_an_operation_that_needs_an_officer_is_refused(mesh: MeshRig) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(mesh, CASE, mesh.channel(), metadata=[])
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_an_expired_token_is_refused(mesh: MeshRig) -> None:
    old = mesh.token(lifetime=timedelta(minutes=5), now=datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(mesh, CASE, mesh.channel(), metadata=old)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("name", sorted(TOKENS))
async def test_a_hostile_token_is_refused(name: str, mesh: MeshRig) -> None:
    ground = TokenGround(read_key(mesh.store.token_issuer_key), mesh.store.trust_domain(), mesh.spiffe_id("developer"), datetime.now(UTC))
    token = hostile_token(name, ground)
    before = await _exchanges(mesh)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(mesh, CASE, mesh.channel(), metadata=[("authorization", f"Bearer {token.text}")])
    assert refused.value.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
    assert await _exchanges(mesh) == before


async def test_a_token_of_another_consumer_is_refused(mesh: MeshRig) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(mesh, CASE, mesh.channel(), metadata=mesh.token("somebody-else"))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("header", ["x-metip-officer", "x-forwarded-client-cert"])
async def test_what_only_envoy_may_say_is_not_believed_from_outside(header: str, mesh: MeshRig) -> None:
    forged = [(header, "Hash=0;URI=spiffe://metip.local/consumer/developer")]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(mesh, CASE, mesh.channel("stranger"), metadata=[*mesh.token("stranger"), *forged])
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(mesh, CASE, mesh.channel(), metadata=forged)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "path",
    ["{0}/", "//{0}", "/.{0}", "/x/..{0}", "{0}?a=b", "/{0}", "{0}%2f", "{0};a=b", "/metip.simulator.v1.SimulatorService/SetFaults"],
)
async def test_a_path_that_is_not_exactly_an_operation_is_refused(path: str, mesh: MeshRig) -> None:
    before = await _exchanges(mesh)
    call: Any = mesh.channel().unary_unary(path.format(CASE.operation.path))
    if path == "{0}?a=b":
        # A query string is no part of a path, so the route matches; the adapter's server knows no such method.
        expected = {grpc.StatusCode.UNIMPLEMENTED}
    else:
        expected = {grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL, grpc.StatusCode.PERMISSION_DENIED}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(CASE.case.request.value, timeout=3, metadata=mesh.token())
    assert refused.value.code() in expected
    assert await _exchanges(mesh) == before


MALFORMED: list[tuple[str, Callable[[bytes], bytes], grpc.StatusCode, str]] = [
    ("not_protobuf", lambda _: b"\xff\xff\xff\xff", grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED"),
    ("cut_short", lambda good: good[: len(good) // 2], grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED"),
    ("empty", lambda _: b"", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    ("oversized", lambda good: good + b"\x7a\x80\x80\x08" + b"x" * 131_072, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_LARGE"),
    ("nested_ten_thousand_deep", lambda _: _nested(10_000), grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED"),
]


def _nested(depth: int) -> bytes:
    """Groups within groups, as deep as asked: a start tag of field 1 for each."""
    return b"\x0b" * depth + b"\x0c" * depth


@pytest.mark.parametrize(("name", "spoil", "status", "reason"), MALFORMED, ids=[row[0] for row in MALFORMED])
async def test_a_spoilt_message_is_refused(
    name: str, spoil: Callable[[bytes], bytes], status: grpc.StatusCode, reason: str, mesh: MeshRig
) -> None:
    before = await _exchanges(mesh)
    call: Any = mesh.channel().unary_unary(CASE.operation.path)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(spoil(CASE.case.request.value), timeout=5, metadata=mesh.token())
    assert (refused.value.code(), reason_of(refused.value)) == (status, reason)
    assert await _exchanges(mesh) == before


async def test_a_message_beyond_every_limit_is_refused_and_the_adapter_lives_on(mesh: MeshRig) -> None:
    call: Any = mesh.channel().unary_unary(CASE.operation.path)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(b"x" * (20 * 1024 * 1024), timeout=20, metadata=mesh.token())
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await send(mesh, CASE, mesh.channel())


@pytest.mark.parametrize("megabytes", [1, 64])
async def test_a_message_that_swells_when_it_is_unpacked_is_refused_and_the_adapter_lives_on(megabytes: int, mesh: MeshRig) -> None:
    before = await _exchanges(mesh)
    call: Any = mesh.channel().unary_unary(CASE.operation.path)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(bytes(megabytes * 1024 * 1024), timeout=20, metadata=mesh.token(), compression=grpc.Compression.Gzip)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await _exchanges(mesh) == before
    assert await send(mesh, CASE, mesh.channel())


@pytest.mark.parametrize(
    "document", ['{"a":' * 10_000, "[" * 10_000, '{"access":' * 5_000 + "1" + "}" * 5_000], ids=["objects", "lists", "known"]
)
async def test_json_that_is_nested_without_end_is_refused(document: str, mesh: MeshRig) -> None:
    before = await _exchanges(mesh)
    answer = await post_text(mesh, CASE.operation.name, document)
    assert (answer.status, answer.document["details"][0]["reason"]) == (400, "MALFORMED")
    assert await _exchanges(mesh) == before


async def test_a_message_nested_without_end_is_refused_by_the_hub_too(mesh: MeshRig) -> None:
    call: Any = mesh.channel().unary_unary(MESSAGE.path)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(_nested(10_000), timeout=5, metadata=mesh.token())
    assert (refused.value.code(), reason_of(refused.value)) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED")


@pytest.mark.parametrize(("within", "code"), [(0.0, grpc.StatusCode.DEADLINE_EXCEEDED), (315_360_000.0, None)], ids=["none", "ten years"])
async def test_a_deadline_is_kept_and_bounded(within: float, code: grpc.StatusCode | None, mesh: MeshRig) -> None:
    before = await _exchanges(mesh)
    if code is None:
        assert await send(mesh, CASE, mesh.channel(), within=within)
        return
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(mesh, CASE, mesh.channel(), within=within)
    assert refused.value.code() is code
    assert await _exchanges(mesh) == before


@pytest.mark.parametrize("path", ["Register", "Deregister"])
async def test_nobody_registers_an_instance_through_the_edge(path: str, mesh: MeshRig) -> None:
    call: Any = mesh.channel().unary_unary(f"/metip.hub.v1.RegistryService/{path}")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(b"", timeout=5, metadata=mesh.token())
    assert (refused.value.code(), reason_of(refused.value)) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_GRANTED")


async def test_a_write_without_an_officer_is_let_in_where_the_contract_says_unattended(mesh: MeshRig) -> None:
    case = write_once()
    if case.operation.officer_required:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await send(mesh, case, mesh.channel(), metadata=[])
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    else:
        assert await send(mesh, case, mesh.channel(), metadata=[])


async def test_the_frame_of_the_oversized_case_is_a_field_nobody_knows() -> None:
    """Guards the table above: the padding must parse, so that it is the size that is refused."""
    assert struct.unpack("B", b"\x7a")[0] >> 3 == 15
