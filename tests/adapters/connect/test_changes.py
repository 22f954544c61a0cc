"""Changes from CONNECT to the exchange: by its feed and by rings at the door, none lost, none out of order, none that tells of a secret."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import protovalidate
import pytest
from certified import certified
from waiting import until

from adapters.connect import wire
from adapters.connect.adapter import serve
from adapters.connect.records import Changes
from adapters.connect.simulator import DIALS, Simulator
from adapters.kit import Log, Site, discovery
from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.ringing import Ringing
from adapters.kit.simulation.transport import Http
from adapters.kit.site import Identity, Mesh
from metip.connect.v1 import change_service_pb2 as contract
from metip.connect.v1.change_service_pb2_grpc import ChangeServiceServicer, add_ChangeServiceServicer_to_server
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.settings import read_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")
POPULATION = Population()
BEFORE = 2
"""Changes that CONNECT has to tell of when it starts: two people of one name were merged."""
SOON, SELDOM = 50, 600_000
"""Milliseconds between two readings of the feed."""


class Plain(Mesh):
    """A way to the exchange without Envoy."""

    def channel(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self.address)
        return self._channel


@dataclass
class Exchange(ChangeServiceServicer):
    """An exchange that keeps each message once, unless it is away."""

    away: bool = False
    denying: bool = False
    refusing: set[str] = field(default_factory=set)
    kept: list[contract.PublishChangeRequest] = field(default_factory=list)
    handed_over: int = 0
    validator: protovalidate.Validator = field(default_factory=protovalidate.Validator)

    async def PublishChange(self, request: contract.PublishChangeRequest, context: Any) -> Receipt:
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        if request.entity_id.value in self.refusing:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "never")
        if self.denying:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")
        self.validator.validate(request)
        self.handed_over += 1
        if (request.entity_id.value, request.version) not in self.keys:
            self.kept.append(request)
        return Receipt(message_id="1")

    @property
    def keys(self) -> list[tuple[str, int]]:
        """What it keeps, in order."""
        return [(one.entity_id.value, one.version) for one in self.kept]


@dataclass
class Estate:
    """CONNECT, an exchange, and the settings of an adapter between them."""

    far: Simulator
    dials: Dials
    exchange: Exchange
    mesh: Plain
    settings: Any
    lines: io.StringIO = field(default_factory=io.StringIO)

    @asynccontextmanager
    async def adapter(self, *, every: int = SOON, door: bool = True, first: bool = True, failures: int = 1000) -> AsyncIterator[None]:
        """Runs the adapter."""
        self.settings.read_changes_every.FromMilliseconds(every)
        self.settings.upstream.failures_to_open = failures
        self.settings.upstream.open_for.FromMilliseconds(SOON)
        self.settings.listen = "127.0.0.1:0" if door else ""
        async with serve(self.settings, Site(Log(self.lines), self.mesh, first=first)):
            yield

    def turn(self, dial: str, times: int = 0) -> None:
        """Sets a dial."""
        self.dials.set([Dial(dial, times=times)])

    def save(self, *numbers: int) -> None:
        """Somebody saves these people's records."""
        for number in numbers:
            self.far.register.save_elsewhere(f"N{number:010d}")

    async def known(self, count: int) -> None:
        """Waits until the exchange keeps so many."""
        await until(lambda: len(self.exchange.kept) >= count)


@asynccontextmanager
async def estate(folder: Path, *, tls: bool = False) -> AsyncIterator[Estate]:
    """All of it for the length of the block."""
    dials = Dials(DIALS, seed=1)
    far = Simulator(POPULATION, dials)
    settings: Any = read_settings(discovery.FOLDER / "connect" / "settings.yaml", discovery.settings_type("connect"))
    server, exchange = grpc.aio.server(), Exchange()
    add_ChangeServiceServicer_to_server(exchange, server)
    server.add_insecure_port(f"unix:{folder}/x.sock")
    await server.start()
    mesh = Plain(f"unix:{folder}/x.sock", Identity(folder, folder, folder))
    transport = Ringing(Http(far._face.answer, certified(folder, "authority")), far.bells) if tls else far.transport
    try:
        async with transport.listening("127.0.0.1", 0, dials) as settings.upstream.address:
            yield Estate(far, dials, exchange, mesh, settings)
    finally:
        await mesh.close()
        await server.stop(None)


async def test_what_changed_before_is_read_from_the_feed(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(door=False):
        await all_of_it.known(BEFORE)
        merged, survivor = all_of_it.exchange.kept
        assert (merged.entity_id.value, merged.change, merged.kind) == ("N0000000135", contract.CHANGE_KIND_MERGED, 1)
        assert merged.counterpart.value == "N0000000010"
        assert (survivor.entity_id.value, survivor.change, list(survivor.sections)) == (
            "N0000000010",
            contract.CHANGE_KIND_UPDATED,
            [1, 14],
        )


async def test_a_ring_brings_a_change_at_once_and_is_answered_when_the_exchange_has_it(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(every=SELDOM):
        await all_of_it.known(BEFORE)
        asked = all_of_it.dials.exchanges["changes"]
        all_of_it.exchange.away = True
        all_of_it.save(7)
        await until(lambda: '"exchange_lost"' in all_of_it.lines.getvalue())
        assert all_of_it.far.bells.answers == []
        all_of_it.exchange.away = False
        await until(lambda: all_of_it.far.bells.answers == [204])
        assert all_of_it.exchange.keys[BEFORE:] == [("N0000000007", 2)]
        assert all_of_it.dials.exchanges["changes"] == asked


async def test_rings_that_are_lost_are_made_good_by_the_feed(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter():
        await all_of_it.known(BEFORE)
        all_of_it.turn("ring_lost")
        all_of_it.save(7, 8, 7)
        await all_of_it.known(BEFORE + 3)
        assert all_of_it.exchange.keys[BEFORE:] == [("N0000000007", 2), ("N0000000008", 2), ("N0000000007", 3)]
        assert all_of_it.far.bells.answers == []


async def test_a_ring_after_a_gap_brings_what_was_missed_first(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(every=SELDOM):
        await all_of_it.known(BEFORE)
        all_of_it.turn("ring_lost", times=1)
        all_of_it.save(7)
        await until(lambda: not all_of_it.dials.current)
        all_of_it.save(7)
        await all_of_it.known(BEFORE + 2)
        assert all_of_it.exchange.keys[BEFORE:] == [("N0000000007", 2), ("N0000000007", 3)]


@pytest.mark.parametrize("dial", ["ring_forged", "ring_late"])
async def test_a_ring_that_is_not_connects_own_or_out_of_time_brings_nothing(tmp_path: Path, dial: str) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(every=SELDOM):
        await all_of_it.known(BEFORE)
        all_of_it.turn(dial)
        all_of_it.save(7)
        await until(lambda: all_of_it.far.bells.answers.count(401) >= 2)
        assert all_of_it.exchange.handed_over == BEFORE
        all_of_it.dials.clear()
        await all_of_it.known(BEFORE + 1)
        await until(lambda: all_of_it.far.bells.answers[-1] == 204)


async def test_a_ring_that_was_taken_is_refused_the_second_time(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(every=SELDOM):
        await all_of_it.known(BEFORE)
        all_of_it.turn("ring_repeated", times=1)
        all_of_it.save(7)
        await until(lambda: all_of_it.far.bells.answers == [204, 409])
        assert all_of_it.exchange.handed_over == BEFORE + 1


async def test_a_ring_of_nonsense_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(every=SELDOM):
        await all_of_it.known(BEFORE)
        monkeypatch.setattr("adapters.kit.simulation.ringing.encode", lambda part: b"\x00 no document")
        all_of_it.save(7)
        await until(lambda: 400 in all_of_it.far.bells.answers)
        assert all_of_it.exchange.handed_over == BEFORE


async def test_after_an_outage_of_connect_nothing_is_lost(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(failures=2):
        await all_of_it.known(BEFORE)
        all_of_it.turn("release")
        all_of_it.turn("ring_lost")
        all_of_it.save(*range(20, 30))
        await until(lambda: '"system_lost"' in all_of_it.lines.getvalue())
        assert len(all_of_it.exchange.kept) == BEFORE
        all_of_it.dials.clear()
        await until(lambda: len(all_of_it.exchange.kept) == BEFORE + 10, within=15)
        assert all_of_it.exchange.keys[BEFORE:] == [(f"N{number:010d}", 2) for number in range(20, 30)]


async def test_after_an_outage_of_the_adapter_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it:
        all_of_it.settings.resume_file = str(tmp_path / "token")
        async with all_of_it.adapter():
            await all_of_it.known(BEFORE)
            all_of_it.save(7)
            await all_of_it.known(BEFORE + 1)
            await until(lambda: (tmp_path / "token").read_text() == f"t{BEFORE + 1}")
        all_of_it.save(8, 7)
        async with all_of_it.adapter():
            await all_of_it.known(BEFORE + 3)
        assert all_of_it.exchange.keys[BEFORE:] == [("N0000000007", 2), ("N0000000008", 2), ("N0000000007", 3)]
        assert all_of_it.exchange.handed_over == BEFORE + 3


async def test_without_a_file_the_feed_is_read_again_and_the_exchange_knows_what_it_had(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it:
        for times in (1, 2):
            async with all_of_it.adapter(door=False):
                await until(lambda: all_of_it.exchange.handed_over == times * BEFORE)  # noqa: B023 - awaited in this round
        assert len(all_of_it.exchange.kept) == BEFORE


async def test_changes_that_connect_no_longer_has_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it:
        all_of_it.settings.resume_file = str(tmp_path / "token")
        async with all_of_it.adapter():
            await until(lambda: (tmp_path / "token").exists())
        all_of_it.save(7, 8)
        all_of_it.far.register.feed.oldest = BEFORE + 1
        async with all_of_it.adapter():
            await all_of_it.known(BEFORE + 1)
        assert all_of_it.exchange.keys[BEFORE:] == [("N0000000008", 2)]
        assert '"changes_lost"' in all_of_it.lines.getvalue()


async def test_of_restricted_records_it_is_only_ever_said_that_they_are_gone(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter():
        register = all_of_it.far.register
        await all_of_it.known(BEFORE)
        all_of_it.save(3)
        register.restrict("N0000000007")
        all_of_it.save(7)
        register.merge("N0000000020", "N0000000003")
        register.unmerge("N0000000020")
        register.merge("N0000000021", "N0000000022")
        register.unmerge("N0000000021")
        all_of_it.save(8)
        await until(lambda: ("N0000000008", 2) in all_of_it.exchange.keys)
        told = [(one.entity_id.value, one.change, one.counterpart.value) for one in all_of_it.exchange.kept[BEFORE:]]
        assert told == [
            ("N0000000007", contract.CHANGE_KIND_WITHDRAWN, ""),
            ("N0000000020", contract.CHANGE_KIND_WITHDRAWN, ""),
            ("N0000000020", contract.CHANGE_KIND_CREATED, ""),
            ("N0000000021", contract.CHANGE_KIND_MERGED, "N0000000022"),
            ("N0000000022", contract.CHANGE_KIND_UPDATED, ""),
            ("N0000000021", contract.CHANGE_KIND_UNMERGED, "N0000000022"),
            ("N0000000008", contract.CHANGE_KIND_UPDATED, ""),
        ]
        assert "N0000000003" not in str(all_of_it.exchange.kept)


async def test_a_change_that_the_exchange_refuses_for_good_holds_nothing_back(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter():
        await all_of_it.known(BEFORE)
        all_of_it.exchange.refusing.add("N0000000007")
        all_of_it.far.register.feed.add({"id": 7, "version": "x"})
        all_of_it.save(7, 8)
        await all_of_it.known(BEFORE + 1)
        assert all_of_it.exchange.keys[BEFORE:] == [("N0000000008", 2)]
        assert all_of_it.lines.getvalue().count('"change_refused"') == 1
        assert all_of_it.lines.getvalue().count('"publishing_refused"') == 1
        assert "N0000000007" not in all_of_it.lines.getvalue()


async def test_an_exchange_that_lets_nobody_publish_loses_no_change(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter():
        await all_of_it.known(BEFORE)
        all_of_it.exchange.denying = True
        all_of_it.save(7)
        await until(lambda: 503 in all_of_it.far.bells.answers)
        all_of_it.exchange.denying = False
        await all_of_it.known(BEFORE + 1)
        assert all_of_it.exchange.keys[BEFORE:] == [("N0000000007", 2)]
        assert '"status":"PERMISSION_DENIED"' in all_of_it.lines.getvalue()


async def test_a_burst_of_the_simulator_comes_through_in_order(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(every=SELDOM):
        await all_of_it.known(BEFORE)
        all_of_it.dials.set([Dial("burst", "250", times=1)])
        await until(lambda: len(all_of_it.far.register.feed.items) == BEFORE + 250)
        feed = [(one["id"], one["version"]) for one in all_of_it.far.register.feed.items if not one["restricted"]]
        await all_of_it.known(len(feed))
        assert all_of_it.exchange.keys == feed


async def test_another_worker_follows_nothing(tmp_path: Path) -> None:
    async with estate(tmp_path) as all_of_it, all_of_it.adapter(first=False):
        assert (all_of_it.exchange.handed_over, all_of_it.dials.exchanges) == (0, {})


async def test_all_of_it_goes_over_https_with_the_authority_that_is_named(tmp_path: Path) -> None:
    async with estate(tmp_path, tls=True) as all_of_it:
        all_of_it.settings.authority_file = str(tmp_path / "authority.pem")
        assert all_of_it.settings.upstream.address.startswith("https://")
        async with all_of_it.adapter():
            await all_of_it.known(BEFORE)


async def test_a_ring_says_no_more_than_the_feed() -> None:
    part = wire.decode(Changes, b'{"after":"t1","next":"t2","items":[{"id":"N0000000001"}],"more":false}')
    assert (part.after, part.next, part.more, part.items) == ("t1", "t2", False, ({"id": "N0000000001"},))
