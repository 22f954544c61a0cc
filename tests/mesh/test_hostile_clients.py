"""Every operation of every contract, called in each way that must be refused: with its own reason, by the edge where the edge can tell.

Each refusal has a line in Envoy's log, from which it is journalled; that line says whether anything left for an adapter. Certificates,
tokens, paths and messages one by one are in `test_admission`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
import pytest_asyncio
from hostile_calls import CASES, UNKNOWN_PURPOSE, WAYS, forbidden_purpose, operations, recorded, request_of, words_of
from hostile_certificates import ground_of, hostile_certificate
from hostile_tokens import TokenGround, hostile_token
from mesh_rig import MeshRig, reason_of, until
from samples import publishers

from adapters.kit import discovery
from hub.identity.store import read_key
from hub.ledger import entries, reading
from hub.mesh.edge_log import Line, Reached, read_line
from metip.contracts import Operation
from metip.ledger.v1.record_pb2 import KIND_REFUSAL, Record

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRACES = ("Traceback", 'File "', ".py", "google.protobuf", "Exception")
STRANGER, OTHER = "stranger", "somebody-else"
NO_CONNECTION = "NO_CONNECTION"
STRANGERS = ("without_a_grant", "with_a_forged_identity_header")


class Told(NamedTuple):
    """What a line of Envoy's log says of a refusal."""

    path: str
    grpc_status: int | None
    consumer: str
    reached: Reached


@dataclass
class Ground:
    """What the ways are made with; one connection for each identity."""

    mesh: MeshRig
    known: grpc.aio.Channel
    stranger: grpc.aio.Channel
    tokens: TokenGround
    wrong: tuple[Path, Path]
    expected: dict[str, "Told"] = field(default_factory=dict)
    """What the log must say, by call id."""
    reasons: dict[str, str] = field(default_factory=dict)
    """What callers were told, by call id."""

    def hostile(self, name: str) -> list[tuple[str, str]]:
        """Metadata with a token that must be refused."""
        return [("authorization", f"Bearer {hostile_token(name, self.tokens).text}")]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ground(mesh: MeshRig, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """Made once for all cases."""
    now, victim = datetime.now(UTC), mesh.spiffe_id("developer")
    wrong = hostile_certificate("other_authority", ground_of(mesh.store.authority(), victim, now)).write(tmp_path_factory.mktemp("wrong"))
    tokens = TokenGround(read_key(mesh.store.token_issuer_key), mesh.store.trust_domain(), victim, now)
    yield Ground(mesh, mesh.channel(), mesh.channel(STRANGER), tokens, wrong)


@pytest.mark.parametrize(("way", "name"), CASES, ids=[f"{way}-{name}" for way, name in CASES])
async def test_every_operation_refuses(way: str, name: str, ground: Ground) -> None:
    operation, expected = operations()[name], WAYS[way]
    if expected.status == NO_CONNECTION:
        assert await _unconnected(ground, operation, way)
        return
    quiet = expected.reaches_adapter and _quiet(operation, ground.mesh)
    before = await ground.mesh.exchanges(_system(operation)) if quiet else {}
    error = await _refused(ground, operation, way)
    told = f"{error.details()} {error.trailing_metadata()} {error.initial_metadata()}"
    assert (error.code().name, reason_of(error)) in {(expected.status, reason) for reason in expected.reasons}, told
    assert not [trace for trace in TRACES if trace in told]
    if name in recorded():
        assert not [word for word in words_of(recorded()[name]) if word in (error.details() or "")]
    if quiet:
        assert await ground.mesh.exchanges(_system(operation)) == before
    ground.reasons[_call_id(error)] = reason_of(error)
    ground.expected[_call_id(error)] = Told(
        operation.path,
        error.code().value[0],
        ground.mesh.spiffe_id(STRANGER if way in STRANGERS else "developer"),
        Reached.ANSWERED if expected.reaches_adapter else Reached.EDGE,
    )


async def test_each_refusal_has_its_line(ground: Ground) -> None:
    """Of those that ran before, in one look, since Envoy writes its lines down together."""
    found: dict[str, Line] = {}

    async def all_written() -> bool:
        await ground.mesh.admin.post("/reopen_logs")
        lines = map(read_line, ground.mesh.home.access_log.read_text(encoding="utf-8").splitlines())
        found.update({one.call_id: one for one in lines if one.call_id in ground.expected})
        return found.keys() == ground.expected.keys()

    await until(all_written)
    told = {call: Told(one.path, one.grpc_status, one.consumer, one.reached) for call, one in found.items()}
    assert told == ground.expected
    assert [call for call, one in found.items() if not one.cause] == []


async def test_each_refusal_on_personal_data_is_in_the_ledger(ground: Ground) -> None:
    """Whoever refused it: Envoy, an adapter, or the exchange; for the reason of which the caller was told."""
    personal = {call for call, told in ground.expected.items() if operations()[told.path.removeprefix("/")].personal}
    recorded: dict[str, tuple[str, str]] = {}

    async def all_gathered() -> bool:
        found = reading.opened(ground.mesh.home.state / "ledger.sqlite")
        try:
            for leaf in found.leaves(0, 1_000_000):
                record = Record.FromString(entries.read(leaf).record)
                if record.kind == KIND_REFUSAL:
                    recorded[record.call_id] = record.operation, record.outcome
        finally:
            found.close()
        return personal <= recorded.keys()

    with suppress(TimeoutError):
        await until(all_gathered, within=60)
    assert {call: ground.expected[call] for call in personal - recorded.keys()} == {}
    told = {call: (ground.expected[call].path.removeprefix("/"), ground.reasons[call]) for call in personal}
    assert {call: recorded[call] for call in personal} == told


async def test_a_connection_that_fails_tls_has_its_line(ground: Ground) -> None:
    operation = next(iter(operations().values()))
    for way, words in (("without_a_certificate", "CERTIFICATE"), ("with_a_certificate_of_another_authority", "VERIFY_FAILED")):
        assert await _unconnected(ground, operation, way)
        await until(partial(_told_of, ground.mesh, words))


async def _told_of(mesh: MeshRig, words: str) -> bool:
    await mesh.admin.post("/reopen_logs")
    lines = map(read_line, mesh.home.access_log.read_text(encoding="utf-8").splitlines())
    return any(one.reached is Reached.NO_CALL and words in one.cause for one in lines)


async def test_the_matrix_is_as_large_as_it_should_be() -> None:
    assert len(CASES) >= 600
    assert {operation for _, operation in CASES} == set(operations())
    unasked = [name for name, operation in operations().items() if operation.personal and name not in recorded()]
    assert unasked == [], "no case answers them, so that their purposes were not tried"


async def _refused(ground: Ground, operation: Operation, way: str) -> grpc.aio.AioRpcError:
    channel, metadata, purpose = _made(ground, operation, way)
    call: Any = (channel.unary_stream if operation.server_streams else channel.unary_unary)(operation.path)
    answer = call(request_of(operation, purpose), timeout=10, metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await (anext(aiter(answer)) if operation.server_streams else answer)
    return refused.value


def _made(ground: Ground, operation: Operation, way: str) -> tuple[grpc.aio.Channel, list[tuple[str, str]], int | None]:
    mesh, victim = ground.mesh, ground.mesh.spiffe_id("developer")
    forged = [("x-forwarded-client-cert", f"Hash=0;URI={victim}"), ("x-metip-officer", "eyJzdWIiOiJQMSJ9"), ("x-metip-producer", victim)]
    match way:
        case "without_a_grant":
            return ground.stranger, mesh.token(STRANGER), None
        case "with_a_forged_identity_header":
            return ground.stranger, [*mesh.token(STRANGER), *forged], None
        case "without_a_token":
            return ground.known, [], None
        case "with_a_forged_officer_header":
            return ground.known, forged, None
        case "with_an_expired_token":
            return ground.known, ground.hostile("expired"), None
        case "with_a_forged_token":
            return ground.known, ground.hostile("wrong_key"), None
        case "with_a_token_for_another_platform":
            return ground.known, ground.hostile("wrong_audience"), None
        case "with_a_token_of_another_consumer":
            return ground.known, mesh.token(OTHER), None
        case "with_an_unknown_purpose":
            return ground.known, mesh.token(), UNKNOWN_PURPOSE
        case "without_a_purpose":
            return ground.known, mesh.token(), 0
        case "with_a_forbidden_purpose":
            return ground.known, mesh.token(), forbidden_purpose(operation)
    raise LookupError(way)


async def _unconnected(ground: Ground, operation: Operation, way: str) -> bool:
    """Whether the edge closes the connection, whatever operation is asked for on it, without a word of HTTP."""
    context = ssl.create_default_context(cafile=str(ground.mesh.store.ca_certificate))
    context.set_alpn_protocols(["http/1.1"])
    if way != "without_a_certificate":
        context.load_cert_chain(*ground.wrong)
    got = b""
    with suppress(OSError):
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", ground.mesh.ports.json, ssl=context, server_hostname="localhost")
            with suppress(OSError):
                writer.write(f"POST {operation.path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n".encode())
                got = await reader.read(-1)
            writer.close()
    return got == b""


def _system(operation: Operation) -> str:
    return operation.name.split(".")[1]


def _quiet(operation: Operation, mesh: MeshRig) -> bool:
    """Whether nothing but calls makes the system's simulator work, so that its count is the call's own."""
    system = _system(operation)
    return operation.delivery is None and system in discovery.systems() and discovery.has_simulator(system) and system not in publishers()


def _call_id(error: grpc.aio.AioRpcError) -> str:
    metadata = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
    return next(str(value) for key, value in metadata if key == "x-request-id")
