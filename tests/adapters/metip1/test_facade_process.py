"""The façade as a process: it starts, answers, says how it is, lets calls in progress end on SIGTERM, and its output repeats nothing."""

import asyncio
import json
import signal
import ssl
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from grpc_status import rpc_status
from waiting import until

from metip.faults import Fault, Reason, status_of
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonResponse
from tests.adapters.metip1.facade_rig import BY_NAME, Rig, running_facade

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = BY_NAME["GetName"]
ASKED = {"PNCID": "87/8G"}
SECRET = "TESTCASE"


@dataclass
class Running:
    """A process, the way to it, and the socket on which it says how it is."""

    process: asyncio.subprocess.Process
    rig: Rig
    health: Path

    async def told(self) -> tuple[int, str]:
        """HTTP status and state."""
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.health))) as session,
            session.get("http://facade/health") as response,
        ):
            return response.status, str((await response.json())["state"])

    async def ended(self) -> list[str]:
        """Its lines once it has ended, as events."""
        _, errors = await asyncio.wait_for(self.process.communicate(), 15)
        assert SECRET not in errors.decode()
        return [json.loads(line)["event"] for line in errors.decode().splitlines()]


@pytest_asyncio.fixture(loop_scope="module")
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A process of its own for each test."""
    async with running_facade(tmp_path) as rig:
        path = tmp_path / "facade.yaml"
        path.write_text(f"{rig.settings}\nhealth_socket: facade.sock\ndrain: 5s\n")
        arguments = ("-m", "adapters.metip1.facade", "--settings", str(path))
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
        try:
            assert process.stderr is not None
            first = json.loads(await asyncio.wait_for(process.stderr.readline(), 30))
            assert (first["event"], first["services"], first["consumers"]) == ("started", 6, 1)
            yield Running(process, replace(rig, address=first["address"]), tmp_path / "facade.sock")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_it_answers_says_that_it_serves_and_ends_when_told(running: Running) -> None:
    running.rig.edge.answer = GetPersonResponse()
    assert (await running.rig.call(GET, ASKED)).status == 200
    assert await running.told() == (200, "SERVING")
    running.process.send_signal(signal.SIGTERM)
    assert await running.ended() == ["soap_call", "stopped"]
    assert running.process.returncode == 0


async def test_a_call_in_progress_ends_before_the_process_does(running: Running) -> None:
    later = asyncio.Event()

    async def answer(context: object) -> None:
        await later.wait()
        fault = Fault(Reason.NO_TRACE, "nothing is known")
        await context.abort_with_status(rpc_status.to_status(status_of(fault, system="pnc", call_id="c")))  # type: ignore[attr-defined]

    running.rig.edge.answer = answer
    call = asyncio.create_task(running.rig.call(GET, ASKED))
    await asyncio.wait_for(running.rig.edge.asked.wait(), 10)
    running.process.send_signal(signal.SIGTERM)

    async def stopping() -> bool:
        return await running.told() == (503, "STOPPING")

    await until(stopping)
    later.set()
    assert (await call).fault.detail["Reason"] == "NO_TRACE"
    assert await running.ended() == ["soap_call", "stopped"]


async def test_what_is_no_http_is_not_repeated(running: Running) -> None:
    host, _, port = running.rig.address.removeprefix("https://").rpartition(":")
    for line in (f"{SECRET}\r\n\r\n", f"GET /{SECRET} HTTP/9.9\r\n\r\n", f"POST / HTTP/1.1\r\n{SECRET}\r\n\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port), ssl=running.rig.client())
        writer.write(line.encode())
        said = await asyncio.wait_for(reader.read(), 10)
        assert said.startswith(b"HTTP/1.")
        assert b" 400 " in said.splitlines()[0]
        writer.close()
    running.process.send_signal(signal.SIGTERM)
    assert await running.ended() == ["stopped"]


async def test_tls_before_1_2_is_not_spoken(running: Running) -> None:
    host, _, port = running.rig.address.removeprefix("https://").rpartition(":")
    old = running.rig.client()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    _, writer = await asyncio.open_connection(host, int(port), ssl=old)
    assert writer.get_extra_info("ssl_object").version() == "TLSv1.2"
    writer.close()
    server = running.rig.facade.credentials
    assert server is not None
    assert server.server.minimum_version == ssl.TLSVersion.TLSv1_2
