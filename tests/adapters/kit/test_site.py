"""The way into the mesh of an adapter that consults others: a new certificate loses no call, and each call says which one made it."""

import asyncio
import time
from pathlib import Path
from typing import Any

import grpc
import pytest

from adapters.kit.site import Identity, Mesh, consult
from hub.identity import Store, issue
from metip.call import Call
from metip.tracing import trace_id_of

pytestmark = pytest.mark.asyncio
ADAPTER = "spiffe://metip.local/adapter/some"


async def test_a_certificate_is_replaced_under_load_and_no_call_fails(tmp_path: Path) -> None:
    store, shown, stop = Store(tmp_path / "identity"), set[bytes](), asyncio.Event()
    store.ensure()
    issue(store, "spiffe://metip.local/edge", name="edge", dns=("localhost",))
    issue(store, ADAPTER, name="some")

    async def answer(_request: bytes, context: Any) -> bytes:
        shown.add(context.auth_context()["x509_pem_cert"][0])
        await asyncio.sleep(0.02)
        return b"well"

    server = grpc.aio.server()
    handlers: Any = {"Ask": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("some.v1.SomeService", handlers),))
    pair = [(store.key("edge").read_bytes(), store.certificate("edge").read_bytes())]
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials(pair, store.ca_certificate.read_bytes(), True))
    await server.start()
    mesh = Mesh(f"localhost:{port}", Identity(store.certificate("some"), store.key("some"), store.ca_certificate))

    async def work() -> None:
        while not stop.is_set():
            call: Any = mesh.channel().unary_unary("/some.v1.SomeService/Ask")
            await call(b"", timeout=30)

    try:
        async with asyncio.timeout(50), asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(work())
            for replaced in range(1, 5):
                while len(shown) < replaced:  # noqa: ASYNC110 - the server sets no event
                    await asyncio.sleep(0.02)
                if replaced < 4:
                    issue(store, ADAPTER, name="some", new_key_too=True)
            stop.set()
    finally:
        await mesh.close()
        await server.stop(None)
    assert len(shown) == 4


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CALL = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
TRACED = {
    "a caller that traces": (CALL, PARENT, {"traceparent": PARENT, "x-metip-parent": CALL}),
    "one that does not": (CALL, "", {"traceparent": f"00-{trace_id_of(CALL)}-{trace_id_of(CALL)[16:]}-00", "x-metip-parent": CALL}),
    "one whose context is none": (
        CALL,
        "00-zz",
        {"traceparent": f"00-{trace_id_of(CALL)}-{trace_id_of(CALL)[16:]}-00", "x-metip-parent": CALL},
    ),
    "one that nobody named": ("", "", {}),
}


@pytest.mark.parametrize("name", TRACED)
async def test_what_is_consulted_is_told_of_which_trace_it_is_and_which_call_made_it(name: str) -> None:
    call_id, traceparent, expected = TRACED[name]
    sent: list[dict[str, str]] = []

    async def ask(_request: str, *, timeout: float, metadata: list[tuple[str, str]]) -> str:  # noqa: ASYNC109 - as a stub's
        assert timeout > 0
        sent.append(dict(metadata))
        return "well"

    call = Call(call_id, "o", ADAPTER, None, time.monotonic() + 5, traceparent=traceparent)
    assert await consult(ask, "", call) == "well"
    assert sent == [expected]
