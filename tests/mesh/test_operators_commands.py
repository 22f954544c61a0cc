"""What operators use from a shell, on a mesh at work: the bundle for support, the bench, contexts by address, looking again and again."""

import asyncio
import hashlib
import json
import os
import signal
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from command_line import Done, environment, metip
from leaks import kinds_in, leaks_of
from mesh_rig import MeshRig

from hub.cli.contexts.model import LIVE, TEST, Context
from hub.cli.messages import installed
from hub.contracts.samples import samples
from hub.laptop.layout import DEVELOPER
from hub.laptop.preparing import has_simulator, systems

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAMPLES = [one for one in samples(installed()) if one.status == "OK" and not one.dials]
QUERY = next(
    one for one in SAMPLES if one.operation.delivery_class.name == "READ" and one.operation.personal and not one.operation.consults
)
MESSAGE = next(one for one in SAMPLES if one.operation.delivery is not None)
STAND_IN = next(system for system in systems() if has_simulator(system))
PARTS = {
    "checks.json", "envoy/config_dump.json", "envoy/stats.json", "exchange.json", "history.json", "interfaces.json", "ledger.json",
    "logs/access.log", "logs/envoy.log", "logs/hub.log", "machine.json", "migration.json", "processes.json", "registry.json",
    "settings/access.json", "settings/hub.json", "traffic.json", "versions.json",
}  # fmt: skip
SECRETS = (b"-----BEGIN", b"PRIVATE KEY", b"eyJ", b'inline_string": "{')


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of settings of an operator's own."""
    return tmp_path_factory.mktemp("config")


async def run(mesh: MeshRig, *arguments: str) -> Done:
    return await metip(mesh.home.root, *arguments)


async def within(config: Path, name: str, *arguments: str) -> Done:
    """Runs a command in a context, from a machine that knows no home of a mesh."""
    return await metip(config / "nowhere", *arguments, "--context", name, config=config)


def kept(config: Path, one: Context) -> None:
    folder = config / "metip" / "contexts"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{one.name}.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(one.document()))


async def test_the_bundle_of_a_mesh_that_was_used_has_everything_and_nobody(mesh: MeshRig, tmp_path: Path) -> None:
    assert kinds_in(str(QUERY.request).encode()) or QUERY.operation.personal
    assert (await run(mesh, "call", QUERY.operation.name, "--sample")).code == 0
    await run(mesh, "messages", "publish", MESSAGE.operation.name, "--sample")
    refused = await run(mesh, "call", QUERY.operation.name, "--sample", "--no-token")
    assert refused.code == 1
    done = await run(mesh, "doctor", "--to", str(tmp_path / "case.tar.gz"), "--json")
    assert done.code == 0, done.err
    assert done.json["left_out"] == {}
    content = (tmp_path / "case.tar.gz").read_bytes()
    assert (tmp_path / "case.tar.gz").stat().st_mode & 0o777 == 0o600
    assert done.json["sha256"] == hashlib.sha256(content).hexdigest()
    parts = _parts(tmp_path / "case.tar.gz")
    manifest = json.loads(parts.pop("manifest.json"))
    assert set(parts) >= PARTS
    assert {one["name"]: one["sha256"] for one in manifest["files"]} == {
        name: hashlib.sha256(part).hexdigest() for name, part in parts.items()
    }
    leaks = [str(leak) for name, part in parts.items() for leak in (*leaks_of(name, part), *leaks_of("its name", name.encode()))]
    assert leaks == []
    assert [name for name, part in parts.items() for secret in SECRETS if secret in part] == []
    assert str(mesh.home.root).encode() not in b"".join(parts.values())
    assert QUERY.operation.name.encode() in parts["logs/access.log"]  # it is of use as well: what was called, and when
    checks = json.loads(parts["checks.json"])
    assert len({one["section"] for one in checks}) > 5
    assert all(one["fix"] for one in checks if one["state"] == "failed"), "what tests before this one left behind is told with what to do"


def _parts(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        entries = [(one, archive.extractfile(one)) for one in archive.getmembers()]
        assert all(one.uid == one.gid == 0 and not one.uname for one, _ in entries)
        return {one.name.partition("/")[2]: content.read() for one, content in entries if content is not None}


async def test_the_bench_calls_as_often_as_was_said(mesh: MeshRig) -> None:
    before = await mesh.stat(f"cluster.{QUERY.operation.interface}.upstream_rq_completed")
    done = await run(mesh, "bench", QUERY.operation.name, "--rate", "30", "--duration", "1s", "--json")
    assert done.code == 0, done.out + done.err
    found = done.json
    assert (found["due"], found["answered"], found["failed"], found["not_made"], found["errors"]) == (30, 30, 0, 0, [])
    assert 0 < found["milliseconds"]["p50"] <= found["milliseconds"]["p99"] <= found["milliseconds"]["max"]
    assert (
        await mesh.stat(f"cluster.{QUERY.operation.interface}.upstream_rq_completed") - before >= 31
    )  # and the first, which is not counted


async def test_the_bench_calls_queries_only(mesh: MeshRig) -> None:
    done = await run(mesh, "bench", MESSAGE.operation.name)
    assert done.code == 1
    assert "is no query" in done.err


async def test_a_context_of_addresses_reaches_hub_and_edge(mesh: MeshRig, config: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(dict(mesh.token())["authorization"].removeprefix("Bearer "))
    store = mesh.store
    kept(
        config,
        Context(
            "here",
            TEST,
            hub=str(mesh.home.hub_socket),
            edge=f"127.0.0.1:{mesh.ports.grpc}",
            certificate=str(store.certificate(DEVELOPER)),
            key=str(store.key(DEVELOPER)),
            authority=str(store.ca_certificate),
            token=str(token),
        ),
    )
    called = await within(config, "here", "call", QUERY.operation.name, "--sample")
    assert called.code == 0, called.err
    listed = await within(config, "here", "interfaces", "--json")
    assert QUERY.operation.interface in {one["name"] for one in listed.json["interfaces"]}


async def test_a_context_of_the_console_reaches_everything_that_an_operator_needs(mesh: MeshRig, config: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    await _signed_in(mesh, token, "operations-read")
    kept(
        config,
        Context("far", TEST, console=f"127.0.0.1:{mesh.ports.console}", authority=str(mesh.store.ca_certificate), token=str(token)),
    )
    for arguments in (["interfaces"], ["traffic", "show"], ["ledger", "status"], ["messages", "subscriptions"]):
        done = await within(config, "far", *arguments, "--json")
        assert done.out, done.err
        assert done.json
    checked = await within(config, "far", "check")
    assert checked.code == 0, checked.out
    assert (await within(config, "far", "status")).code == 0
    refused = await within(config, "far", "traffic", "limit", QUERY.operation.interface, "1000", "--because", "A test of roles")
    assert refused.code == 1
    assert "ROLE_NEEDED" in refused.err


async def _signed_in(mesh: MeshRig, file: Path, role: str) -> None:
    done = await run(mesh, "console", "--role", role, "--json")
    file.write_text(done.json["address"].partition("#token=")[2])


async def test_a_change_of_a_live_context_is_asked_about_and_recorded(mesh: MeshRig, config: Path) -> None:
    kept(config, Context("force", LIVE, home=str(mesh.home.root)))
    unasked = await within(config, "force", "sim", STAND_IN, "delay=1ms")
    assert unasked.code == 1
    assert "standard input is no terminal; nothing was done" in unasked.err
    try:
        done = await within(config, "force", "sim", STAND_IN, "delay=1ms", "--yes", "--because", "Change CHG-17", "--json")
        assert done.code == 0, done.err
        assert [one["dial"] for one in done.json["set"]] == ["delay"]
    finally:
        back = await within(config, "force", "sim", STAND_IN, "--clear", "--yes", "--because", "CHG-17 is over")
    assert back.code == 0, back.err
    search = ("ledger", "search", "--kind", "action", "--operation", f"cli/sim_{STAND_IN}", "--reason", "A test", "--json")
    records: Any = (await within(config, "force", *search)).json
    assert len(records["records"]) == 2, records


async def test_what_is_live_is_benched_only_on_purpose(mesh: MeshRig, config: Path) -> None:
    kept(config, Context("force", LIVE, home=str(mesh.home.root)))
    done = await within(config, "force", "bench", QUERY.operation.name, "--because", "Change CHG-17")
    assert done.code == 1
    assert "force is a live context; nothing is called" in done.err


async def test_a_look_is_repeated_until_it_is_interrupted(mesh: MeshRig) -> None:
    command = [sys.executable, "-m", "hub.cli", "ledger", "status", "--watch", "0.1", "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(mesh.home.root), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    looks = 0
    while looks < 3:
        looks += (await asyncio.wait_for(process.stdout.readline(), 30)).startswith(b"}")
    os.kill(process.pid, signal.SIGINT)
    await process.stdout.read()
    assert await asyncio.wait_for(process.wait(), 30) == 0
