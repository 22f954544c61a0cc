"""The outbox emptied, against the simulator over SFTP: nothing lost, nothing doubled, nothing half read, whatever happens in between."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc
import protovalidate
import pytest
import pytest_asyncio
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2
from waiting import until

from adapters.custody.detentions import versions
from adapters.custody.reading import Export, Reader, in_order
from adapters.custody.simulator import AT_START, DIALS, Simulator
from adapters.custody.upstream import Outbox
from adapters.custody.wire import encode
from adapters.kit import Fault, Log
from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.custody.v1.settings_pb2 import Settings
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.rules import where

pytestmark = pytest.mark.asyncio(loop_scope="module")

POPULATION = Population()
VERSIONS = 4
"""Versions of each record of the simulator's."""


def refusal(code: grpc.StatusCode, *fields: str) -> grpc.aio.AioRpcError:
    """What the exchange's refusal is to a caller."""
    violations = [error_details_pb2.BadRequest.FieldViolation(field=path, description="is not SMITH") for path in fields]
    detail = Packed()
    detail.Pack(error_details_pb2.BadRequest(field_violations=violations))
    status = status_pb2.Status(code=code.value[0], message="refused", details=[detail])
    metadata = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), metadata, details="refused")


@dataclass
class Exchange:
    """Takes messages as the exchange does: by the contract's rules, each key once."""

    kept: list[PublishCustodyRecordRequest] = field(default_factory=list)
    handed_over: int = 0
    refusing: grpc.aio.AioRpcError | None = None

    async def publish(self, request: PublishCustodyRecordRequest) -> Receipt:
        self.handed_over += 1
        if self.refusing is not None:
            raise self.refusing
        try:
            protovalidate.validate(request)
        except protovalidate.ValidationError as error:
            paths = (where(violation) for violation in error.violations)
            raise refusal(grpc.StatusCode.INVALID_ARGUMENT, *paths) from None
        if self.key(request) not in self.keys:
            self.kept.append(request)
        return Receipt(message_id="1")

    @staticmethod
    def key(request: PublishCustodyRecordRequest) -> tuple[str, int]:
        return request.custody_record_number.value, request.version

    @property
    def keys(self) -> list[tuple[str, int]]:
        return [self.key(request) for request in self.kept]


@dataclass
class Site:
    """A custody system, the reader of its outbox, and the exchange."""

    simulator: Simulator
    dials: Dials
    exchange: Exchange
    reader: Reader
    lines: io.StringIO
    clock: list[float]

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.simulator.folder / folder).iterdir())

    def reason(self, name: str) -> list[str]:
        return (self.simulator.folder / "rejected" / f"{name}.reason").read_text().splitlines()

    async def empty(self) -> None:
        while await self.reader.look():
            pass


@asynccontextmanager
async def running() -> AsyncIterator[Site]:
    dials = Dials(DIALS, seed=1)
    simulator, exchange, lines, clock = Simulator(POPULATION, dials), Exchange(), io.StringIO(), [0.0]
    async with simulator.transport.listening("127.0.0.1", 0, dials) as address:
        settings = Settings()
        settings.upstream.address = address
        settings.upstream.timeout.FromMilliseconds(2000)
        settings.upstream.failures_to_open = 1000
        log = Log(lines)
        async with Outbox.connected(settings, log) as outbox:
            yield Site(simulator, dials, exchange, Reader(outbox, exchange.publish, log, 60, lambda: clock[0]), lines, clock)


@pytest_asyncio.fixture(loop_scope="module")
async def site() -> AsyncIterator[Site]:
    async with running() as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def quiet(site: Site) -> Site:
    """The same with an empty outbox."""
    await site.empty()
    site.exchange.kept.clear()
    return site


async def test_everything_in_the_outbox_is_published_in_order_and_put_aside(site: Site) -> None:
    waiting = site.names("outbox")
    await site.empty()
    assert site.exchange.keys == [
        (record.number, record.version) for number in range(1, AT_START + 1) for record in versions(POPULATION, number)
    ]
    assert site.names("outbox") == []
    assert site.names("accepted") == waiting
    assert site.names("rejected") == []


async def test_a_burst_is_emptied_to_the_last(quiet: Site) -> None:
    quiet.dials.set([Dial("burst", "60", times=1)])
    await until(lambda: quiet.dials.exchanges["export"] == VERSIONS * (AT_START + 60))
    await quiet.empty()
    assert len(set(quiet.exchange.keys)) == len(quiet.exchange.kept) == VERSIONS * 60
    assert quiet.names("outbox") == []


async def test_versions_that_came_in_the_wrong_order_are_published_in_order(quiet: Site) -> None:
    quiet.dials.set([Dial("shuffled", times=1)])
    told = quiet.simulator.detain()
    await quiet.empty()
    assert quiet.exchange.keys == [(told[0].number, version) for version in range(1, VERSIONS + 1)]


async def test_a_correction_47_hours_after_the_release_is_published_as_a_further_version(quiet: Site) -> None:
    told = quiet.simulator.detain()
    await quiet.empty()
    quiet.dials.set([Dial("late_edit", times=1)])
    await until(lambda: quiet.names("outbox") != [])
    await quiet.empty()
    assert quiet.exchange.keys[-1] == (told[0].number, VERSIONS + 1)


async def test_only_versions_of_one_record_change_places() -> None:
    one, other = versions(POPULATION, 1), versions(POPULATION, 2)
    came = [one[2], other[1], one[0], other[0], one[1]]
    ordered = in_order([Export(str(place), record) for place, record in enumerate(came)])
    assert [export.record for export in ordered] == [one[0], other[0], one[1], other[1], one[2]]


async def test_a_file_without_its_end_is_waited_for_and_then_published(quiet: Site) -> None:
    quiet.dials.set([Dial("partial", "600ms", times=1)])
    told = quiet.simulator.detain()
    await quiet.empty()
    assert quiet.exchange.kept == []
    assert len(quiet.names("outbox")) == VERSIONS, "later versions of the record wait as well"

    await until(lambda: not quiet.simulator._rest)
    await quiet.empty()
    assert quiet.exchange.keys == [(record.number, record.version) for record in told]
    assert quiet.names("rejected") == []


async def test_a_file_without_its_end_holds_back_no_other_record(quiet: Site) -> None:
    quiet.dials.set([Dial("partial", "never", times=1)])
    quiet.simulator.detain()
    other = quiet.simulator.detain()
    await quiet.empty()
    assert {number for number, _ in quiet.exchange.keys} == {other[0].number}


async def test_a_file_without_its_end_is_put_aside_after_a_time_and_its_record_goes_on(quiet: Site) -> None:
    quiet.dials.set([Dial("partial", "never", times=1)])
    told = quiet.simulator.detain()
    name = quiet.names("outbox")[0]
    await quiet.empty()
    quiet.clock[0] += 59
    await quiet.empty()
    assert quiet.exchange.kept == []
    quiet.clock[0] += 1
    await quiet.empty()
    await quiet.empty()
    assert quiet.names("rejected") == [name, f"{name}.reason"]
    assert quiet.reason(name) == ["incomplete"]
    assert quiet.exchange.keys == [(record.number, record.version) for record in told[1:]]


async def test_a_file_that_still_grows_is_not_put_aside(quiet: Site) -> None:
    content = encode(versions(POPULATION, 50)[0])
    path = quiet.simulator.folder / "outbox" / "CR9000000000.xml"
    for length in (100, 200, 300):
        path.write_bytes(content[:length])
        quiet.clock[0] += 50
        await quiet.empty()
    assert quiet.names("rejected") == []
    path.write_bytes(content)
    await quiet.empty()
    assert len(quiet.exchange.kept) == 1


async def test_a_damaged_file_is_put_aside_at_once(quiet: Site) -> None:
    quiet.dials.set([Dial("damaged", times=1)])
    name = quiet.simulator.export(versions(POPULATION, 20)[0])
    await quiet.empty()
    assert quiet.reason(name) == ["damaged", "the digest does not fit"]
    assert quiet.exchange.kept == []


async def test_files_under_temporary_and_foreign_names_are_left_alone(quiet: Site) -> None:
    content = encode(versions(POPULATION, 20)[0])
    for name in ("CR0000000099.xml.tmp", ".CR0000000099.xml", "notes.txt", "CR99.xml"):
        (quiet.simulator.folder / "outbox" / name).write_bytes(content)
    await quiet.empty()
    assert quiet.exchange.kept == []
    assert len(quiet.names("outbox")) == 4


async def test_a_record_that_breaks_the_contract_is_put_aside_with_the_field_and_no_value(quiet: Site) -> None:
    record = versions(POPULATION, 20)[0]
    name = quiet.simulator.export(replace(record, suite="SMITH"))
    await quiet.empty()
    assert quiet.reason(name) == ["refused", "record.suite"]
    quiet.exchange.refusing = refusal(grpc.StatusCode.INVALID_ARGUMENT, "record.suite")
    name = quiet.simulator.export(record)
    await quiet.empty()
    assert quiet.reason(name) == ["refused", "record.suite"], "the exchange's words are left out"


@pytest.mark.parametrize("length", [70_000, 1024 * 1024], ids=["for a message", "for a file"])
async def test_what_is_too_large_is_put_aside(quiet: Site, length: int) -> None:
    record = versions(POPULATION, 20)[0]
    name = quiet.simulator.export(replace(record, suite_name="X" * length))
    await quiet.empty()
    assert quiet.reason(name) == ["too_large"]
    assert quiet.exchange.kept == []


async def test_when_the_exchange_refuses_the_adapter_exports_stay_and_it_is_told_once(quiet: Site) -> None:
    quiet.exchange.refusing = refusal(grpc.StatusCode.PERMISSION_DENIED)
    told = quiet.simulator.detain()
    for _ in range(3):
        assert not await quiet.reader.look()
    assert len(quiet.names("outbox")) == VERSIONS
    assert [json.loads(line)["event"] for line in quiet.lines.getvalue().splitlines()].count("publishing_refused") == 1
    quiet.exchange.refusing = None
    await quiet.empty()
    assert quiet.exchange.keys == [(record.number, record.version) for record in told]


async def test_a_stop_between_receipt_and_putting_aside_doubles_nothing(quiet: Site) -> None:
    told = quiet.simulator.detain()
    before = quiet.exchange.handed_over
    accept = quiet.reader.outbox.accept

    async def killed(name: str) -> None:
        raise RuntimeError

    quiet.reader.outbox.accept = killed  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await quiet.reader.look()
    quiet.reader.outbox.accept = accept  # type: ignore[method-assign]
    again = Reader(quiet.reader.outbox, quiet.exchange.publish, quiet.reader.log, 60)
    while await again.look():
        pass
    assert quiet.exchange.keys == [(record.number, record.version) for record in told]
    assert quiet.exchange.handed_over == before + VERSIONS + 1
    assert quiet.names("outbox") == []


@pytest.mark.parametrize("dial", ["hang", "half_open", "drop", "truncate", "garbage"])
@pytest.mark.parametrize("passes", [1, 2, 3], ids=lambda passes: f"after {passes}")
async def test_whatever_the_network_does_each_version_is_kept_once(quiet: Site, dial: str, passes: int) -> None:
    """The dial strikes each answer with a share, by a chance that differs with `passes`; then it is put back and the rest goes through."""
    quiet.dials._chance.seed(passes)
    told = quiet.simulator.detain()
    quiet.dials.set([Dial(dial, share=0.3, times=2)])
    for _ in range(40):
        try:
            await quiet.empty()
        except Fault:
            continue
        if not quiet.names("outbox"):
            break
    assert quiet.exchange.keys == [(record.number, record.version) for record in told]
    assert quiet.names("outbox") == []
    assert not [name for name in quiet.names("rejected") if name.endswith(".reason")]


async def test_no_line_of_the_log_and_no_name_of_a_file_tells_of_anybody(site: Site) -> None:
    site.dials.set([Dial("damaged", times=1)])
    site.simulator.detain()
    await site.empty()
    told = site.lines.getvalue() + " ".join(str(path) for path in Path(site.simulator.folder).rglob("*"))
    for number in range(1, AT_START + 2):
        record = versions(POPULATION, number)[3]
        for secret in (record.number, record.detainee.surname, record.asn or "?", record.detainee.pnc_id):
            assert secret not in told
