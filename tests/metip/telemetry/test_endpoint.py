"""The endpoint: shown on a socket of its own user or a port of this machine, whole though a part fails, and closed to anything else."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from metric_pages import page, samples

from metip.telemetry import families
from metip.telemetry.endpoint import Endpoint, Where, shown
from metip.telemetry.process import Process
from metip.telemetry.samples import Samples, Words

pytestmark = pytest.mark.asyncio
WORDS = Words(process=("hub",), system=("hub",), folder=("state",), subscription=("s",))


async def late(samples: Samples) -> None:
    await asyncio.sleep(0.01)
    samples.put(families.PAUSED, 1, "s")


def broken(_: Samples) -> None:
    raise RuntimeError("no store today")


def endpoint(folder: Path) -> Endpoint:
    return Endpoint(WORDS, {"process": Process("hub", "hub", {"state": folder}).put, "late": late, "broken": broken})


async def test_it_is_shown_on_a_socket_that_only_its_user_can_open(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"
    async with shown(endpoint(tmp_path), Where(f"unix:{path}", "hub")) as address:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        found = {one.name: one for one in samples(await page(address))}
    assert found["metip_process_info"].labels == {"process": "hub", "system": "hub"}
    assert found["metip_subscription_paused"].value == 1, "a source may wait for a store"
    assert found["metip_disk_free_bytes"].value > 0
    assert found["process_resident_memory_bytes"].value > 0


async def test_a_part_that_can_not_be_read_is_counted_and_the_rest_is_shown(tmp_path: Path) -> None:
    async with shown(endpoint(tmp_path), Where("127.0.0.1:0", "hub")) as address:
        for count in (1, 2):
            found = list(samples(await page(address)))
            assert any(one.name == "metip_clock_seconds" for one in found)
            failed = {one.labels["source"]: one.value for one in found if one.name == "metip_telemetry_source_failed_total"}
            assert failed == {"process": 0, "late": 0, "broken": count}


async def test_prometheus_finds_it_by_a_file_that_goes_with_it(tmp_path: Path) -> None:
    async with shown(endpoint(tmp_path), Where("127.0.0.1:0", "adapter-x-0", tmp_path / "targets")) as address:
        (file,) = (tmp_path / "targets").iterdir()
        assert json.loads(file.read_text()) == [{"targets": [address], "labels": {"process": "adapter-x-0"}}]
        assert await page(json.loads(file.read_text())[0]["targets"][0])
    assert list((tmp_path / "targets").iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"nonsense\r\n\r\n", b"405"),
        (b"GET /metrics HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", b""),
        (b"GET /met", b""),
    ],
    ids=["another path", "another method", "no request", "too long", "cut off"],
)
async def test_nothing_else_is_answered(tmp_path: Path, sent: bytes, said: bytes) -> None:
    async with shown(endpoint(tmp_path), Where("127.0.0.1:0", "hub")) as address:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        writer.write_eof()
        try:
            answer = await reader.read()
        except ConnectionResetError:
            answer = b""
        writer.close()
        assert answer.startswith(b"HTTP/1.1 " + said if said else b"")
        assert b"metip_" not in answer
        assert "metip_clock_seconds" in await page(address), "and the next one is served"
