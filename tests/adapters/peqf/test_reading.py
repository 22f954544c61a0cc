"""Files between the learning partner and the exchange, over real SFTP and the exchange's own acceptance: every row once, or sent back."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from adapter_rig import TODAY, from_envoy
from cases import case_files, read_case
from exchange_in_process import accepting_exchange
from waiting import until

from adapters.kit import Call, Fault, Log, Reason, Site, discovery
from adapters.kit.outcomes import DELIVERED
from adapters.kit.population import Population
from adapters.kit.population.learners import NOT_BEGUN
from adapters.kit.serving import installed_contracts
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from adapters.kit.site import Identity, Mesh
from adapters.kit.tables import Rejection, decode_all
from adapters.peqf.adapter import Enrolments, serve
from adapters.peqf.reading import LONDON
from adapters.peqf.records import Enrolled, Finding
from adapters.peqf.simulator import AT_START, DIALS, TAKEN, Simulator, enrolled
from metip.call import Handover
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.exchange.v1.subscriber_service_pb2 import OUTCOME_REFUSED, ReportOutcomeRequest, ReportOutcomeResponse
from metip.exchange.v1.subscriber_service_pb2_grpc import SubscriberServiceServicer, add_SubscriberServiceServicer_to_server
from metip.peqf.v1.enrolment_service_pb2 import PublishEnrolmentRequest
from metip.peqf.v1.progress_service_pb2 import PublishProgressRequest
from metip.peqf.v1.progress_service_pb2_grpc import (
    ProgressServiceServicer,
    ProgressServiceStub,
    add_ProgressServiceServicer_to_server,
)
from metip.settings import read_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

POPULATION = Population()
SYSTEM = "peqf"


@dataclass
class Exchange(ProgressServiceServicer, SubscriberServiceServicer):
    """The exchange's acceptance behind something that remembers what went by, puts on what Envoy would, and hears outcomes."""

    stub: Any
    kept: dict[str, PublishProgressRequest] = field(default_factory=dict)
    """By message id: a repetition has the first one's."""
    outcomes: dict[str, str] = field(default_factory=dict)
    denied: bool = False

    async def PublishProgress(self, request: PublishProgressRequest, context: Any) -> Receipt:
        if self.denied:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not this adapter")
        try:
            receipt: Receipt = await self.stub.PublishProgress(request, metadata=from_envoy(officer=None), timeout=5)
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))
            raise
        self.kept[receipt.duplicate_of or receipt.message_id] = request
        return receipt

    @property
    def taken(self) -> list[PublishProgressRequest]:
        return list(self.kept.values())

    async def ReportOutcome(self, request: ReportOutcomeRequest, context: Any) -> ReportOutcomeResponse:
        assert request.system == SYSTEM
        self.outcomes[request.message_id] = request.code if request.outcome == OUTCOME_REFUSED else "processed"
        return ReportOutcomeResponse()


class Plain(Mesh):
    """A way to the exchange without Envoy."""

    def channel(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self.address)
        return self._channel


@dataclass
class UnderTest:
    """The adapter's surroundings; the adapter runs within `serving`."""

    simulator: Simulator
    dials: Dials
    exchange: Exchange
    settings: Any
    address: str
    lines: io.StringIO = field(default_factory=io.StringIO)
    enrolments: Enrolments | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["UnderTest"]:
        mesh = Plain(self.address, Identity(Path(), Path(), Path()))
        async with serve(self.settings, Site(Log(self.lines), mesh, hub=self.address)) as (_, enrolments):
            assert isinstance(enrolments, Enrolments)
            self.enrolments = enrolments
            yield self
        await mesh.close()

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.lines.getvalue().splitlines()) if line["event"] == name]

    def came_back(self, name: str) -> list[Rejection] | None:
        """The partner's receipt of a file of its own, once it took it."""
        path = self.simulator.folder / TAKEN / f"RCP_{name}.csv"
        return decode_all(path.read_bytes(), Rejection) if path.exists() else None

    def reports(self, day: date) -> list[Finding]:
        path = self.simulator.folder / TAKEN / f"REC_MPS_{day:%Y%m%d}_0001.csv"
        return decode_all(path.read_bytes(), Finding) if path.exists() else []

    def files(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.simulator.folder / folder).glob("*"))

    async def receipt_of(self, name: str) -> list[Rejection]:
        await until(lambda: self.came_back(name) is not None, within=10)
        return self.came_back(name) or []

    async def enrol(self, message_id: str = "", **changed: Any) -> str:
        """Hands over an enrolment as the exchange does, and gives the message's id."""
        message_id = message_id or str(uuid4())
        request = PublishEnrolmentRequest()
        read_case(next(path for path in case_files((SYSTEM,)) if path.stem == "publish_enrolment")).case.request.Unpack(request)
        for path, value in changed.items():
            setattr(request if hasattr(request, path) else request.enrolment, path, value)
        assert self.enrolments is not None
        handover = Handover(message_id, attempt=1, redelivery=False, accepted=time.time())
        call = Call(id="1", operation="test", consumer="", officer=None, deadline=time.monotonic() + 15, handover=handover)
        assert await self.enrolments.PublishEnrolment(request, call) == DELIVERED
        return message_id


@pytest_asyncio.fixture(loop_scope="module")
async def around(tmp_path: Path) -> AsyncIterator[UnderTest]:
    dials = Dials(DIALS, seed=1)
    simulator = Simulator(POPULATION, dials)
    settings: Any = read_settings(discovery.FOLDER / SYSTEM / "settings.yaml", discovery.settings_type(SYSTEM))
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(accepting_exchange(tmp_path, installed_contracts(TODAY)))
        server, exchange = grpc.aio.server(), Exchange(ProgressServiceStub(channel))
        add_ProgressServiceServicer_to_server(exchange, server)
        add_SubscriberServiceServicer_to_server(exchange, server)
        server.add_insecure_port(f"unix:{tmp_path}/hub.sock")
        await server.start()
        stack.push_async_callback(server.stop, None)
        settings.upstream.address = await stack.enter_async_context(simulator.transport.listening("127.0.0.1", 0, dials))
        settings.upstream.timeout.FromMilliseconds(2000)
        settings.upstream.failures_to_open = 1000
        settings.gather_for.FromMilliseconds(20)
        settings.poll_every.FromMilliseconds(30)
        settings.roster_every.FromMilliseconds(0)
        yield UnderTest(simulator, dials, exchange, settings, f"unix:{tmp_path}/hub.sock")


@pytest_asyncio.fixture(loop_scope="module")
async def system(around: UnderTest) -> AsyncIterator[UnderTest]:
    async with around.serving():
        yield around


def first(around: UnderTest) -> str:
    """The file of progress that waited at the start."""
    return next(iter(around.simulator._files))


SOME = slice(NOT_BEGUN + AT_START, NOT_BEGUN + AT_START + 2)


async def test_what_waits_is_published_in_order_and_a_receipt_without_rejections_goes_back(system: UnderTest) -> None:
    name = first(system)
    assert await system.receipt_of(name) == []
    people = system.simulator.learners[NOT_BEGUN : NOT_BEGUN + AT_START]
    by_learner = {one.learner_id: [told.sequence for told in system.exchange.taken if told.learner_id == one.learner_id] for one in people}
    assert all(sequences == sorted(sequences) and len(sequences) >= 3 for sequences in by_learner.values())
    assert len(system.exchange.taken) == sum(map(len, by_learner.values()))
    await until(lambda: f"{name}.csv" in system.files("done") and system.events("file_read") != [])
    (line,) = system.events("file_read")
    assert (line["rejected"], line["repeated"]) == (0, 0)


@pytest.mark.parametrize(
    ("dial", "column", "code"),
    [
        ("unknown_learner", "learner_id", "LEARNER_UNKNOWN"),
        ("after_withdrawal", "recorded", "AFTER_WITHDRAWAL"),
        ("cohort_moved", "cohort", "COHORT_MOVED"),
    ],
)
async def test_a_row_that_cant_be_taken_goes_back_with_its_number_and_the_others_are_published(
    system: UnderTest, dial: str, column: str, code: str
) -> None:
    await system.receipt_of(first(system))
    before = len(system.exchange.taken)
    system.dials.set([Dial(dial)])
    name = system.simulator.put_progress(system.simulator.learners[SOME])
    rows = system.simulator._files[name]
    assert await system.receipt_of(name) == [Rejection(row=rows, column=column, code=code)]
    assert len(system.exchange.taken) - before == rows - 1


async def test_a_mark_after_a_withdrawal_in_the_same_file_goes_back(system: UnderTest) -> None:
    one = next(one for one in system.simulator.learners[NOT_BEGUN:] if one.withdrawn_on is None)
    mark = system.simulator._mark(one)
    withdrawal = type(mark)(
        learner_id=one.learner_id, sequence=900, recorded=mark.recorded - timedelta(days=9), cohort=one.cohort, kind="W", reason="44"
    )
    name = system.simulator.put("PRG_", [withdrawal, mark], type(mark), "2026-09")
    assert await system.receipt_of(name) == [Rejection(row=2, column="recorded", code="AFTER_WITHDRAWAL")]


async def test_what_the_contract_refuses_goes_back_with_its_column(system: UnderTest) -> None:
    one = system.simulator.learners[NOT_BEGUN + 6]
    mark = system.simulator._mark(one)
    rows = [type(mark)(**{**vars(mark), "mark": 101}), mark]
    name = system.simulator.put("PRG_", rows, type(mark), "2026-09")
    assert await system.receipt_of(name) == [Rejection(row=1, column="mark", code="RULE")]


async def test_codes_of_the_next_term_pass_as_they_are_and_are_told(system: UnderTest) -> None:
    await system.receipt_of(first(system))
    before = len(system.exchange.taken)
    system.dials.set([Dial("new_codes")])
    name = system.simulator.put_progress(system.simulator.learners[SOME])
    assert await system.receipt_of(name) == []
    fresh = system.exchange.taken[before:]
    results = [one for one in fresh if one.HasField("module_result")]
    assert {one.module_result.outcome_code.code for one in results} == {"C"}
    assert {issue.problem for one in fresh for issue in one.issues} == {"CODE_SET_UNKNOWN"}
    await until(lambda: system.events("codes_unknown") != [])  # it is told once the receipt is there
    (line,) = system.events("codes_unknown")
    assert (line["code_set"], line["count"]) == ("2027-01", sum(len(one.issues) for one in fresh))


async def test_a_partial_file_is_read_when_it_is_whole_and_not_before(system: UnderTest) -> None:
    await system.receipt_of(first(system))
    before = len(system.exchange.taken)
    system.dials.set([Dial("partial", "1500ms", times=1)])
    name = system.simulator.put_progress(system.simulator.learners[SOME])
    looks = system.dials.exchanges["list"]
    await until(lambda: system.dials.exchanges["list"] > looks + 3)
    assert len(system.exchange.taken) == before
    assert await system.receipt_of(name) == []
    assert len(system.exchange.taken) - before == system.simulator._files[name]


async def test_a_file_that_never_becomes_whole_is_refused_and_none_of_it_read(around: UnderTest) -> None:
    around.settings.incomplete_for.FromMilliseconds(200)
    around.dials.set([Dial("partial", "never", times=1)])
    name = around.simulator.put_progress(around.simulator.learners[SOME])
    async with around.serving():
        assert await around.receipt_of(name) == [Rejection(row=0, code="INCOMPLETE")]
        await until(lambda: f"{name}.csv" in around.files("refused"))
    told = {one.learner_id for one in around.exchange.taken}
    assert told.isdisjoint(one.learner_id for one in around.simulator.learners[SOME])


async def test_a_manifest_that_counts_one_too_many_refuses_the_file(system: UnderTest) -> None:
    system.dials.set([Dial("wrong_count", times=1)])
    name = system.simulator.put_progress(system.simulator.learners[SOME])
    assert await system.receipt_of(name) == [Rejection(row=0, code="ROW_COUNT")]


async def test_an_adapter_that_starts_again_publishes_nothing_twice(around: UnderTest) -> None:
    name = first(around)
    rows = around.simulator._files[name]
    async with around.serving():
        await until(lambda: len(around.exchange.taken) >= 2)
    async with around.serving():
        await around.receipt_of(name)
    assert len(around.exchange.taken) == rows
    assert len({(one.learner_id, one.sequence) for one in around.exchange.taken}) == rows


async def test_a_file_that_is_sent_again_is_known_and_counted_as_repeated(system: UnderTest) -> None:
    await system.receipt_of(first(system))
    rows = system.simulator._files[first(system)]
    await until(lambda: f"{first(system)}.csv" in system.files("done"))
    data = (system.simulator.folder / "done" / f"{first(system)}.csv").read_bytes()
    progress = decode_all(data, type(system.simulator._mark(system.simulator.learners[0])))
    again = system.simulator.put("PRG_", progress, type(progress[0]), "2026-09")
    assert await system.receipt_of(again) == []
    assert len(system.exchange.taken) == rows
    await until(lambda: len(system.events("file_read")) == 2)
    assert system.events("file_read")[-1]["repeated"] == rows


async def test_files_wait_while_the_exchange_takes_nothing_from_the_adapter(around: UnderTest) -> None:
    around.exchange.denied = True
    name = first(around)
    async with around.serving():
        await until(lambda: around.events("publishing_refused"))
        assert f"{name}.csv" in around.files("from_partner")
    around.exchange.denied = False
    async with around.serving():
        assert await around.receipt_of(name) == []


async def test_enrolments_that_come_together_are_one_file_and_are_told_to_be_done(system: UnderTest) -> None:
    ids = await asyncio.gather(*(system.enrol(learner_id=f"LX26001{number:02d}", version=1) for number in range(50, 60)))
    await until(lambda: set(ids) <= set(system.exchange.outcomes))
    assert {system.exchange.outcomes[one] for one in ids} == {"processed"}
    assert system.dials.exchanges["enrolments"] == 1
    held = system.simulator.enrolments["LX2600150"]
    assert (held.surname, held.route, held.born, held.starts) == ("Dalquimsby", "PCDA", "2001-05-17", "2027-03-07")
    assert held.reasonable_adjustments


@pytest.mark.parametrize(
    ("dial", "setting", "code"), [("reject", "PROGRAMME_CLOSED", "PROGRAMME_CLOSED"), ("refuse_file", "SCHEMA_UNKNOWN", "SCHEMA_UNKNOWN")]
)
async def test_an_enrolment_that_the_partner_rejects_ends_as_refused_with_its_code(
    system: UnderTest, dial: str, setting: str, code: str
) -> None:
    system.dials.set([Dial(dial, setting)])
    message_id = await system.enrol()
    await until(lambda: message_id in system.exchange.outcomes)
    assert system.exchange.outcomes[message_id] == code
    assert system.simulator.enrolments == {}


async def test_a_move_to_the_cohort_where_the_learner_is_already_is_refused_with_the_column(system: UnderTest) -> None:
    first_id = await system.enrol()
    await until(lambda: first_id in system.exchange.outcomes)
    moved = await system.enrol(version=2, change=3)
    await until(lambda: moved in system.exchange.outcomes)
    assert system.exchange.outcomes[moved] == "cohort_COHORT_NOT_MOVED"


async def test_an_enrolment_put_twice_is_held_once_and_told_twice(system: UnderTest) -> None:
    for message_id in (str(uuid4()), str(uuid4())):
        await system.enrol(message_id)
        await until(lambda: message_id in system.exchange.outcomes)  # noqa: B023 - it is awaited in this round
    assert set(system.exchange.outcomes.values()) == {"processed"}
    assert len(system.simulator.enrolments) == 1


async def test_an_enrolment_that_cant_be_put_is_to_be_handed_over_again(system: UnderTest) -> None:
    system.dials.set([Dial("drop")])
    with pytest.raises(Fault) as caught:
        await system.enrol()
    assert caught.value.reason is Reason.UPSTREAM_UNAVAILABLE
    system.dials.clear()
    await system.enrol()


async def test_an_enrolment_that_nobody_handed_over_is_refused(system: UnderTest) -> None:
    call = Call(id="1", operation="test", consumer="", officer=None, deadline=time.monotonic() + 5)
    assert system.enrolments is not None
    with pytest.raises(Fault) as caught:
        await system.enrolments.PublishEnrolment(PublishEnrolmentRequest(), call)
    assert caught.value.reason is Reason.MALFORMED


async def test_a_receipt_of_a_file_that_was_never_sent_is_put_aside(system: UnderTest) -> None:
    name = "RCP_ENR_MPS_20261101_0001"
    system.simulator.put("RCP_", [], Rejection, "2026-09", name)
    await until(lambda: f"{name}.csv" in system.files("refused") and system.events("file_refused") != [])
    assert [line["code"] for line in system.events("file_refused")] == ["FILE_UNKNOWN"]
    assert system.came_back(name) is None, "nobody answers a receipt"


async def test_the_report_of_a_day_finds_both_sides_to_agree(system: UnderTest) -> None:
    today = datetime.now(UTC).date()
    message_id = await system.enrol()
    await until(lambda: message_id in system.exchange.outcomes)
    await system.receipt_of(first(system))
    await until(lambda: len(system.reports(today)) == 2, within=8)
    assert [one.difference for one in system.reports(today)] == ["", ""]
    assert [one.rows == one.stated == one.accepted for one in system.reports(today)] == [True, True]


async def test_the_report_of_a_day_tells_where_the_sides_differ(around: UnderTest) -> None:
    today = datetime.now(UTC).date()
    around.dials.set([Dial("forgetful"), Dial("no_receipt")])
    known, unheard_of = first(around), f"PRG_LP01_{today:%Y%m%d}_9999"
    around.simulator._files[unheard_of] = 3
    async with around.serving():
        await around.enrol()
        await until(lambda: len(around.reports(today)) == 3, within=8)
    differences = {one.file.split("_")[0] + one.file[-9:]: one.difference for one in around.reports(today)}
    assert differences[f"PRG{known[-5:]}.csv"] == "NOT_STATED"
    assert differences["PRG_9999.csv"] == "NOT_RECEIVED"
    assert sorted(differences.values()) == ["NOT_ACKNOWLEDGED", "NOT_RECEIVED", "NOT_STATED"]
    assert around.events("reconciled")[-1]["differences"] == 3


async def test_a_day_of_which_the_partner_says_nothing_is_reported_all_the_same(system: UnderTest) -> None:
    yesterday = datetime.now(LONDON).date() - timedelta(days=1)
    await until(lambda: f"REC_MPS_{yesterday:%Y%m%d}_0001.csv" in system.files(TAKEN))
    assert system.reports(yesterday) == []


async def test_without_a_roster_progress_waits_and_receipts_do_not(around: UnderTest) -> None:
    for path in (around.simulator.folder / "from_partner").glob("LRN_*"):
        path.unlink()
    async with around.serving():
        message_id = await around.enrol()
        await until(lambda: message_id in around.exchange.outcomes)
        assert around.exchange.taken == []
        around.simulator.put_roster()
        assert await around.receipt_of(first(around)) == []


async def test_a_burst_is_a_file_of_so_many_learners(system: UnderTest) -> None:
    await system.receipt_of(first(system))
    before = len(system.exchange.taken)
    system.dials.set([Dial("burst", "5", times=1)])
    await until(lambda: len(system.simulator._files) == 2)
    name = list(system.simulator._files)[-1]
    assert await system.receipt_of(name) == []
    assert len({one.learner_id for one in system.exchange.taken[before:]}) == 5


async def test_a_newer_roster_counts_at_once(system: UnderTest) -> None:
    await system.receipt_of(first(system))
    one = system.simulator.learners[NOT_BEGUN + 6]
    moved = Enrolled(**{**vars(enrolled(one)), "cohort": "PCDA-2027-03-A"})
    system.simulator.put_roster([moved])
    mark = system.simulator._mark(one)
    name = system.simulator.put("PRG_", [mark], type(mark), "2026-09")
    assert await system.receipt_of(name) == [Rejection(row=1, column="cohort", code="COHORT_MOVED")]


async def test_no_line_of_the_log_names_anybody(system: UnderTest) -> None:
    system.dials.set([Dial("unknown_learner"), Dial("new_codes")])
    await system.receipt_of(system.simulator.put_progress(system.simulator.learners[SOME]))
    said = system.lines.getvalue()
    assert "file_read" in said
    for one in system.simulator.learners:
        assert one.learner_id not in said
        assert one.uln not in said
        assert one.person.surname not in said
