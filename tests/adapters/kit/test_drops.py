"""Folders of files with manifests, over real SFTP: what is read, waited for, refused, and what is held of the latest."""

import io
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.kit import Fault, Log, Reason
from adapters.kit.drops import CSV, MANIFEST, Drops, Inbox, Latest
from adapters.kit.sftp import SftpClient
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.sftp import Sftp
from adapters.kit.tables import Damaged, Incomplete, Manifest, decode_all
from adapters.kit.upstream import Limits
from metip.adapter.v1.settings_pb2 import Upstream
from metip.adapter.v1.sftp_pb2 import SftpLogon

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row."""

    name: str


@dataclass
class Host:
    """Folders on a host, and the host."""

    drops: Drops
    folder: Path
    dials: Dials
    lines: io.StringIO
    clock: float = 0.0
    dealt: list[tuple[str, list[Row]]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    async def deal(self, name: str, manifest: Manifest, data: bytes) -> None:
        self.dealt.append((name, decode_all(data, Row)))

    async def refuse(self, name: str, code: str) -> None:
        self.told.append((name, code))

    def inbox(self) -> Inbox:
        return Inbox(self.drops, "in", "done", "refused", self.refuse, 60, self.log(), now=lambda: self.clock)

    def latest(self, every: float = 0) -> Latest[Row]:
        return Latest(self.drops, "in", "L_", Row, self.log(), every, now=lambda: self.clock)

    def log(self) -> Log:
        return Log(self.lines)

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines.getvalue().splitlines()]

    def files(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.folder / folder).iterdir())

    async def seal(self, name: str, *names: str) -> None:
        await self.drops.seal("in", name, [Row(name=one) for one in names], Row, "x")

    def change(self, name: str, change: Callable[[bytes], bytes]) -> None:
        path = self.folder / "in" / name
        path.write_bytes(change(path.read_bytes()))


@pytest_asyncio.fixture(loop_scope="module")
async def host() -> AsyncIterator[Host]:
    dials, folders = Dials({}, seed=1), list[Path]()
    lines = io.StringIO()

    def begin(folder: Path) -> None:
        folders.append(folder)
        (folder / "in").mkdir()

    async with Sftp(begin).listening("127.0.0.1", 0, dials) as address:
        limits = Limits.of(Upstream(address=address, failures_to_open=1000))
        async with SftpClient.connected(limits, SftpLogon(), Log(lines)) as files:
            drops = Drops(files, ".", "2")
            await drops.prepare("done", "refused")
            yield Host(drops, folders[0], dials, lines)


async def test_a_whole_file_is_dealt_with_once_and_leaves(host: Host) -> None:
    await host.seal("A_1", "a", "b")
    inbox = host.inbox()
    await inbox.look({"A_": host.deal})
    await inbox.look({"A_": host.deal})
    assert host.dealt == [("A_1", [Row(name="a"), Row(name="b")])]
    assert (host.files("in"), host.files("done")) == ([], ["A_1.csv", "A_1.manifest"])


async def test_files_come_in_the_order_of_what_is_dealt_with_and_then_of_name(host: Host) -> None:
    for name in ("A_2", "A_1", "B_1"):
        await host.seal(name, "a")
    await host.inbox().look({"B_": host.deal, "A_": host.deal})
    assert [name for name, _ in host.dealt] == ["B_1", "A_1", "A_2"]


async def test_a_file_without_manifest_is_not_even_looked_at(host: Host) -> None:
    await host.drops.put("in", "A_1" + CSV, b"name\r\na\r\n")
    reads = host.dials.exchanges["read"]
    await host.inbox().look({"A_": host.deal})
    assert (host.dealt, host.dials.exchanges["read"]) == ([], reads)


async def test_a_file_whose_beginning_nobody_deals_with_stays(host: Host) -> None:
    await host.seal("B_1", "a")
    await host.inbox().look({"A_": host.deal})
    assert host.files("in") == ["B_1.csv", "B_1.manifest"]


async def test_a_partial_file_is_waited_for_and_dealt_with_when_it_is_whole(host: Host) -> None:
    await host.seal("A_1", "a", "b")
    host.change("A_1" + CSV, lambda data: data[:-3])
    inbox = host.inbox()
    await inbox.look({"A_": host.deal})
    host.clock = 59
    await inbox.look({"A_": host.deal})
    assert (host.dealt, host.told) == ([], [])
    host.change("A_1" + CSV, lambda data: data + b"b\r\n")
    host.clock = 61
    await inbox.look({"A_": host.deal})
    assert [name for name, _ in host.dealt] == ["A_1"]


async def test_a_partial_file_is_refused_when_the_rest_does_not_come(host: Host) -> None:
    await host.seal("A_1", "a")
    await host.seal("A_2", "b")
    host.change("A_1" + CSV, lambda data: data[:-3])
    inbox = host.inbox()
    await inbox.look({"A_": host.deal})
    assert [name for name, _ in host.dealt] == ["A_2"]
    host.clock = 60
    await inbox.look({"A_": host.deal})
    assert host.told == [("A_1", "INCOMPLETE")]
    assert host.files("refused") == ["A_1.csv", "A_1.manifest"]
    assert host.events() == ["file_refused"]


async def test_a_damaged_file_is_refused_at_once(host: Host) -> None:
    await host.seal("A_1", "a")
    host.change("A_1" + MANIFEST, lambda data: data.replace(b"csv,1,", b"csv,2,"))
    await host.inbox().look({"A_": host.deal})
    assert host.told == [("A_1", "ROW_COUNT")]
    assert host.files("in") == []


async def test_what_the_deal_itself_finds_damaged_is_refused_with_its_code(host: Host) -> None:
    async def deal(name: str, manifest: Manifest, data: bytes) -> None:
        raise Damaged("NOT_LIKED")

    await host.seal("A_1", "a")
    await host.inbox().look({"A_": deal})
    assert host.told == [("A_1", "NOT_LIKED")]


async def test_a_deal_that_fails_leaves_the_file_where_it_is(host: Host) -> None:
    async def deal(name: str, manifest: Manifest, data: bytes) -> None:
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "gone")

    await host.seal("A_1", "a")
    with pytest.raises(Fault):
        await host.inbox().look({"A_": deal})
    assert host.files("in") == ["A_1.csv", "A_1.manifest"]
    assert host.told == []


async def test_a_move_that_was_half_done_is_done_to_its_end(host: Host) -> None:
    await host.seal("A_1", "a")
    (host.folder / "in" / "A_1.csv").rename(host.folder / "done" / "A_1.csv")
    await host.drops.finish("in", "A_1", "done")
    assert (host.files("in"), host.files("done")) == ([], ["A_1.csv", "A_1.manifest"])


async def test_a_manifest_whose_file_is_not_there_is_waited_for(host: Host) -> None:
    await host.seal("A_1", "a")
    (host.folder / "in" / "A_1.csv").unlink()
    with pytest.raises(Incomplete):
        await host.drops.opened("in", "A_1")


async def test_the_latest_is_held_and_a_newer_one_takes_its_place(host: Host) -> None:
    latest = host.latest(every=60)
    with pytest.raises(Fault) as caught:
        await latest.current()
    assert caught.value.reason is Reason.UPSTREAM_UNAVAILABLE
    await host.seal("L_1", "a")
    assert (await latest.current()).name == "L_1", "nothing was held, so there is no waiting"
    await host.seal("L_2", "b")
    assert (await latest.current()).name == "L_1"
    host.clock += 60
    held = await latest.current()
    assert (held.name, dict(held.rows)) == ("L_2", {1: Row(name="b")})


async def test_a_newer_one_that_is_not_whole_leaves_the_one_before_in_its_place_and_is_told_once(host: Host) -> None:
    await host.seal("L_1", "a")
    await host.seal("L_2", "b")
    host.change("L_2" + CSV, lambda data: data[:-2])
    latest = host.latest()
    for _ in range(3):
        assert (await latest.current()).name == "L_1"
    assert host.events() == ["file_not_usable"]
    host.change("L_2" + CSV, lambda data: data + b"\r\n")
    assert (await latest.current()).name == "L_2"


async def test_rows_that_cant_be_read_are_left_out_and_counted(host: Host) -> None:
    await host.seal("L_1", "a", "", "c")
    assert dict((await host.latest().current()).rows) == {1: Row(name="a"), 3: Row(name="c")}
    (line,) = host.lines.getvalue().splitlines()
    assert json.loads(line)["rows"] == 1


async def test_what_is_held_serves_while_the_host_is_gone(host: Host) -> None:
    await host.seal("L_1", "a")
    latest = host.latest()
    await latest.current()
    host.dials.set([Dial("drop")])
    assert (await latest.current()).name == "L_1"
    started = time.monotonic()
    with pytest.raises(Fault):
        await host.latest().current()
    assert time.monotonic() - started < 5
