"""The SFTP client against a real SFTP server on this machine: files whole or not at all, and every failure a fault."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import pytest
import pytest_asyncio

from adapters.kit import Call, Fault, Limits, Log, Reason
from adapters.kit.sftp import SftpClient
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.sftp import Sftp
from metip.adapter.v1.settings_pb2 import Upstream
from metip.adapter.v1.sftp_pb2 import SftpLogon
from metip.settings import SettingsError

pytestmark = pytest.mark.asyncio(loop_scope="module")

LARGEST = 1024 * 1024


@dataclass
class Host:
    """A host under test and the client of it."""

    files: SftpClient
    dials: Dials
    folder: Path
    address: str


def call(seconds: float = 5) -> Call:
    return Call(id="1", operation="test", consumer="", officer=None, deadline=time.monotonic() + seconds)


@asynccontextmanager
async def client_of(address: str, logon: SftpLogon | None = None, **upstream: object) -> AsyncIterator[SftpClient]:
    limits = replace(Limits.of(Upstream(address=address, sessions=1)), **upstream)  # type: ignore[arg-type]
    async with SftpClient.connected(limits, logon or SftpLogon(), Log(None)) as client:
        yield client


@asynccontextmanager
async def running(tmp_path: Path, server: Sftp | None = None, logon: SftpLogon | None = None) -> AsyncIterator[Host]:
    dials = Dials({}, seed=1)
    folders: list[Path] = []

    def begin(folder: Path) -> None:
        (folder / "in").mkdir()
        folders.append(folder)

    server = replace(server, begin=begin) if server else Sftp(begin)
    async with server.listening("127.0.0.1", 0, dials) as address, client_of(address, logon) as client:
        yield Host(client, dials, folders[0], address)


@pytest_asyncio.fixture(loop_scope="module")
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    async with running(tmp_path) as one:
        yield one


async def reason_of(awaitable: object) -> Reason:
    with pytest.raises(Fault) as raised:
        await awaitable  # type: ignore[misc]
    return raised.value.reason


async def test_a_file_is_put_listed_read_moved_and_removed(host: Host) -> None:
    data = bytes(range(256)) * 300
    await host.files.put("in", "b.xml", data, call())
    await host.files.put("in", "a.xml", b"", call())
    assert [(one.name, one.size) for one in await host.files.list("in", call())] == [("a.xml", 0), ("b.xml", len(data))]
    assert await host.files.read("in/b.xml", call(), largest=LARGEST) == data
    assert await host.files.read("in/a.xml", call(), largest=LARGEST) == b""
    await host.files.make_folder("done", call())
    await host.files.move("in/b.xml", "done/b.xml", call())
    await host.files.remove("in/a.xml", call())
    assert await host.files.list("in", call()) == ()
    assert [one.name for one in await host.files.list("done", call())] == ["b.xml"]


async def test_one_session_serves_one_call_after_another(host: Host) -> None:
    for _ in range(3):
        await host.files.list("in", call())
    assert len(host.files._pool._idle) == 1


async def test_everything_may_be_done_twice(host: Host) -> None:
    for text in (b"first", b"second"):
        await host.files.put("in", "a", text, call())
    assert [path.read_bytes() for path in (host.folder / "in").iterdir()] == [b"second"]
    for _ in range(2):
        await host.files.make_folder("done/today", call())
        await host.files.move("in/a", "done/today/a", call())
    for _ in range(2):
        await host.files.remove("done/today/a", call())


async def test_a_file_that_is_still_being_put_and_a_folder_are_in_no_list(host: Host) -> None:
    (host.folder / "in" / ".a.part").write_bytes(b"half")
    (host.folder / "in" / "folder").mkdir()
    assert await host.files.list("in", call()) == ()


async def test_a_file_larger_than_allowed_is_not_read(host: Host) -> None:
    (host.folder / "in" / "a").write_bytes(b"x" * 11)
    assert await host.files.read("in/a", call(), largest=11) == b"x" * 11
    assert await reason_of(host.files.read("in/a", call(), largest=10)) is Reason.TOO_LARGE


@pytest.mark.parametrize("path", ["in/missing", "../../../../etc/passwd", "nowhere/a"])
async def test_what_is_not_there_or_outside_the_folder_is_no_trace(host: Host, path: str) -> None:
    assert await reason_of(host.files.read(path, call(), largest=LARGEST)) is Reason.NO_TRACE
    assert await reason_of(host.files.move(path, "in/b", call())) is Reason.NO_TRACE


async def test_a_fault_names_no_file(host: Host) -> None:
    with pytest.raises(Fault) as raised:
        await host.files.read("in/SMITH_JOHN.xml", call(), largest=LARGEST)
    assert "SMITH" not in str(raised.value) + str(raised.value.metadata)


STRUCK = {
    "hang": Reason.TIMED_OUT,
    "half_open": Reason.TIMED_OUT,
    "drop": Reason.UPSTREAM_UNAVAILABLE,
    "truncate": Reason.UPSTREAM_UNAVAILABLE,
    "garbage": Reason.UPSTREAM_FAULT,
}


@pytest.mark.parametrize(("dial", "reason"), STRUCK.items(), ids=STRUCK)
async def test_each_dial_strikes_every_kind_of_operation_and_the_next_one_is_served(host: Host, dial: str, reason: Reason) -> None:
    (host.folder / "in" / "a").write_bytes(b"some content")
    for ask in (
        lambda: host.files.list("in", call(0.4)),
        lambda: host.files.read("in/a", call(0.4), largest=LARGEST),
        lambda: host.files.put("in", "b", b"other content", call(0.4)),
        lambda: host.files.move("in/a", "in/c", call(0.4)),
        lambda: host.files.remove("in/c", call(0.4)),
    ):
        host.dials.set([Dial(dial, times=1)])
        assert await reason_of(ask()) is reason
        assert host.dials.current == ()
        host.files.guard.breaker.succeeded(host.files.guard.breaker.spell)
        await host.files.list("in", call())


@pytest.mark.parametrize("dial", ["hang", "drop", "truncate"])
async def test_a_put_that_breaks_leaves_nothing_under_the_name(host: Host, dial: str) -> None:
    host.dials.set([Dial(dial, times=1)])
    with pytest.raises(Fault):
        await host.files.put("in", "a", b"x" * 100_000, call(0.4))
    assert await host.files.list("in", call()) == ()
    await host.files.put("in", "a", b"y" * 100_000, call())
    assert [path.name for path in (host.folder / "in").iterdir()] == ["a"]


async def test_delay_delays(host: Host) -> None:
    host.dials.set([Dial("delay", "200ms", times=1)])
    before = time.monotonic()
    await host.files.list("in", call())
    assert time.monotonic() - before >= 0.2


async def test_the_host_counts_what_it_was_asked(host: Host) -> None:
    await host.files.put("in", "a", b"1", call())
    await host.files.read("in/a", call(), largest=LARGEST)
    await host.files.list("in", call())
    await host.files.remove("in/a", call())
    assert host.dials.exchanges == {"put": 1, "rename": 1, "read": 1, "list": 1, "remove": 1}


async def test_a_host_that_is_not_there_is_unavailable(host: Host, unused_tcp_port: int) -> None:
    async with client_of(f"127.0.0.1:{unused_tcp_port}") as client:
        assert await reason_of(client.list("in", call())) is Reason.UPSTREAM_UNAVAILABLE


async def test_the_host_gives_files_and_nothing_else(host: Host) -> None:
    name, _, port = host.address.rpartition(":")
    async with asyncssh.connect(name, int(port), known_hosts=None, client_keys=None, agent_path=None, config=None) as connection:
        with pytest.raises((asyncssh.ChannelOpenError, asyncssh.ProcessError)):
            await connection.run("id", check=True)
        with pytest.raises((asyncssh.Error, OSError)):
            await asyncssh.scp((connection, "in"), "/nowhere")


# Keys


@dataclass(frozen=True)
class Keys:
    """Files of keys, made for one test."""

    server: Sftp
    key_file: Path
    other_key_file: Path
    known_hosts_file: Path
    other_known_hosts_file: Path

    def logon(self, **changed: Path) -> SftpLogon:
        files = {"key_file": self.key_file, "known_hosts_file": self.known_hosts_file, **changed}
        return SftpLogon(user="met", **{name: str(path) for name, path in files.items()})


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    made = {name: asyncssh.generate_private_key("ssh-ed25519") for name in ("key", "other_key", "host", "other_host")}
    for name in ("key", "other_key"):
        made[name].write_private_key(tmp_path / name)
    made["key"].write_public_key(tmp_path / "authorized_keys")
    for name in ("host", "other_host"):
        (tmp_path / f"{name}.known").write_bytes(b"* " + made[name].export_public_key("openssh"))
    server = Sftp(lambda _: None, authorized_keys=tmp_path / "authorized_keys", host_key=made["host"].export_private_key("openssh"))
    return Keys(server, tmp_path / "key", tmp_path / "other_key", tmp_path / "host.known", tmp_path / "other_host.known")


async def test_a_key_opens_a_host_that_is_known(keys: Keys, tmp_path: Path) -> None:
    async with running(tmp_path, keys.server, keys.logon()) as host:
        assert await host.files.list("in", call()) == ()


@pytest.mark.parametrize("wrong", ["key_file", "known_hosts_file"])
async def test_another_key_and_another_host_are_unavailable(keys: Keys, tmp_path: Path, wrong: str) -> None:
    logon = keys.logon(**{wrong: getattr(keys, f"other_{wrong}")})
    async with running(tmp_path, keys.server, logon) as host:
        assert await reason_of(host.files.list("in", call())) is Reason.UPSTREAM_UNAVAILABLE


async def test_nobody_is_let_in_without_a_key_where_keys_are_asked_for(keys: Keys, tmp_path: Path) -> None:
    async with running(tmp_path, keys.server) as host:
        assert await reason_of(host.files.list("in", call())) is Reason.UPSTREAM_UNAVAILABLE


async def test_a_key_is_not_shown_to_a_host_that_lets_everybody_in(keys: Keys, tmp_path: Path) -> None:
    async with running(tmp_path, replace(keys.server, authorized_keys=None), keys.logon()) as host:
        assert await reason_of(host.files.list("in", call())) is Reason.UPSTREAM_UNAVAILABLE


async def test_a_new_key_needs_no_restart(keys: Keys, tmp_path: Path) -> None:
    async with running(tmp_path, keys.server, keys.logon(key_file=keys.other_key_file)) as host:
        with pytest.raises(Fault):
            await host.files.list("in", call())
        keys.other_key_file.write_bytes(keys.key_file.read_bytes())
        assert await host.files.list("in", call()) == ()


UNUSABLE = {
    "no port": ("127.0.0.1", SftpLogon(), "upstream.address"),
    "no key towards another machine": ("192.0.2.1:22", SftpLogon(), "logon.key_file"),
    "no key towards a name": ("sftp.example:22", SftpLogon(), "logon.key_file"),
    "no such key": ("127.0.0.1:22", SftpLogon(key_file="/nowhere/key", known_hosts_file="/nowhere/hosts"), "logon.key_file"),
    "no such known hosts": ("127.0.0.1:22", SftpLogon(known_hosts_file="/nowhere/hosts"), "logon.known_hosts_file"),
}


@pytest.mark.parametrize(("address", "logon", "setting"), UNUSABLE.values(), ids=UNUSABLE)
async def test_settings_that_can_not_be_used_are_named_at_the_start(address: str, logon: SftpLogon, setting: str) -> None:
    with pytest.raises(SettingsError) as raised:
        async with client_of(address, logon):
            pass
    assert raised.value.source == setting
