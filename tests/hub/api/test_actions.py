"""What operators do is recorded before it is done; a message is shown without masks to whom its role allows it, once that is recorded."""

import base64
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import grpc
import pytest
import pytest_asyncio
from mesh_rig import reason_of

from hub.api.actions import ActionApi, Recorder, no_journal
from hub.api.exchange import ExchangeApi
from hub.cli.messages import installed
from hub.cli.options import Problem
from hub.cli.unmasking import author, demand, recorded
from hub.exchange.accepting import Accepting
from hub.exchange.clock import SteadyClock
from hub.exchange.records import Accepted, Arrival, BrokenError
from hub.exchange.sqlite import SqliteEngine
from metip.call import CERTIFICATE_HEADER, OFFICER_HEADER
from metip.common.v1.access_pb2 import AccessContext
from metip.exchange.v1.exchange_service_pb2 import GetMessageRequest
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub, add_ExchangeServiceServicer_to_server
from metip.faults import Fault, Reason
from metip.grants import PURPOSES_HEADER
from metip.ledger.v1.action_service_pb2 import RecordActionRequest
from metip.ledger.v1.action_service_pb2_grpc import ActionServiceStub, add_ActionServiceServicer_to_server
from metip.logs import Log
from metip.options.v1.options_pb2 import PURPOSE_AUDIT

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = {"action": "call/unmask", "author": "os://desk-1/smith", "purpose": "PURPOSE_AUDIT", "detail": "GetExample: complaint 2026/17"}
BAD = [
    ({"action": "un mask"}, "action"),
    ({"action": ""}, "action"),
    ({"author": "smith"}, "author"),
    ({"author": "os://desk-1/"}, "author"),
    ({"purpose": 0}, "purpose"),
    ({"purpose": 999}, "purpose"),
    ({"detail": ""}, "detail"),
    ({"detail": "x" * 1001}, "detail"),
]
OPERATION = next(one for one in installed().contracts.operations.values() if one.delivery is not None and one.verb != "NONE")


@dataclass
class Records:
    """A journal in memory, which can fail."""

    kept: list[tuple[str, str, int, str]] = field(default_factory=list)
    broken: bool = False

    async def __call__(self, action: str, author: str, purpose: int, detail: str) -> None:
        if self.broken:
            raise Fault(Reason.JOURNAL, "the record of access can't be written")
        self.kept.append((action, author, purpose, detail))


def _unexpected(error: BrokenError) -> None:
    raise AssertionError("the store of a test broke") from error


@dataclass
class Served:
    """Actions and the exchange on a socket, with one message in it."""

    channel: grpc.aio.Channel
    socket: Path
    message_id: str

    async def show(self, *roles: str, why: str = "Complaint 2026/17", unmask: bool = True) -> Any:
        """GetMessage, as an officer of those roles comes to it through Envoy."""
        claims = {"sub": "P123456", "force": "01", "unit": "ZD", "roles": roles}
        officer = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
        metadata = [(CERTIFICATE_HEADER, "By=x;URI=spiffe://metip.local/consumer/desk"), (OFFICER_HEADER, officer), (PURPOSES_HEADER, "*")]
        request = GetMessageRequest(
            access=AccessContext(purpose=PURPOSE_AUDIT, justification=why),
            message_id=self.message_id,
            unmask=unmask,
        )
        stub: Any = ExchangeServiceStub(self.channel)
        return await stub.GetMessage(request, metadata=metadata, timeout=5)


@asynccontextmanager
async def serving(folder: Path, record: Recorder) -> AsyncIterator[Served]:
    """Both services, for the length of the block."""
    clock, contracts = SteadyClock(), installed().contracts
    engine = await SqliteEngine.open(folder / "exchange.sqlite", _unexpected, clock=clock)
    accepting = Accepting(contracts, engine, Log(io.StringIO()), clock)
    exchange: Any = SimpleNamespace(engine=engine, contracts=contracts, accepting=accepting, clock=clock, dispatcher=None)
    server, path = grpc.aio.server(), folder / "s"
    add_ActionServiceServicer_to_server(ActionApi(record), server)
    add_ExchangeServiceServicer_to_server(ExchangeApi(exchange, lambda _: "granted", record), server)
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    try:
        body = accepting.acceptors[OPERATION.name].kind(access={"reference": "Quackenbush"}).SerializeToString()
        (accepted,) = await engine.accept([Arrival(OPERATION.name, body, "key")])
        assert isinstance(accepted, Accepted)
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            yield Served(channel, path, accepted.message_id)
    finally:
        await server.stop(None)
        await engine.close()


@pytest.fixture(scope="module")
def records() -> Records:
    """What was recorded."""
    return Records()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, records: Records) -> AsyncIterator[Served]:
    """Both services with a journal."""
    async with serving(tmp_path_factory.mktemp("actions"), records) as found:
        yield found


async def refusal(asking: Any) -> tuple[grpc.StatusCode, str]:
    """The status and reason that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asking
    return caught.value.code(), reason_of(caught.value)


def record(served: Served, **changed: Any) -> Any:
    stub: Any = ActionServiceStub(served.channel)
    return stub.RecordAction(RecordActionRequest(**{**GOOD, **changed}), timeout=5)


async def test_an_action_is_recorded_as_it_was_told(served: Served, records: Records) -> None:
    await record(served)
    assert records.kept[-1] == ("call/unmask", "os://desk-1/smith", PURPOSE_AUDIT, "GetExample: complaint 2026/17")


@pytest.mark.parametrize(("changed", "name"), BAD, ids=[str(changed)[:30] for changed, _ in BAD])
async def test_an_action_that_says_too_little_is_refused_by_field(
    served: Served, records: Records, changed: dict[str, Any], name: str
) -> None:
    before = len(records.kept)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await record(served, **changed)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"{name}: " in str(caught.value.details())
    assert len(records.kept) == before


async def test_a_message_is_shown_without_masks_once_that_is_recorded(served: Served, records: Records) -> None:
    shown = await served.show("response", "unmask")
    assert json.loads(shown.content)["access"] == {"reference": "Quackenbush"}
    assert "Quackenbush" not in shown.masked_content
    action, who, purpose, detail = records.kept[-1]
    assert (action, who, purpose) == ("messages/unmask", "P123456", PURPOSE_AUDIT)
    assert detail == f"message {served.message_id}: Complaint 2026/17"


async def test_without_being_asked_for_nothing_is_unmasked_and_nothing_recorded(served: Served, records: Records) -> None:
    before = len(records.kept)
    shown = await served.show("unmask", unmask=False)
    assert (shown.content, len(records.kept)) == ("", before)
    assert "Quackenbush" not in str(shown)


async def test_without_the_role_or_a_reason_nothing_is_unmasked(served: Served, records: Records) -> None:
    before = len(records.kept)
    assert await refusal(served.show("response")) == (grpc.StatusCode.PERMISSION_DENIED, "RESTRICTED")
    assert await refusal(served.show("unmask", why="")) == (grpc.StatusCode.FAILED_PRECONDITION, "JUSTIFICATION_NEEDED")
    assert len(records.kept) == before


async def test_without_a_record_nothing_is_unmasked(served: Served, records: Records) -> None:
    records.broken = True
    try:
        assert await refusal(served.show("unmask")) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")
        assert await refusal(record(served)) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")
    finally:
        records.broken = False


async def test_a_hub_without_a_journal_records_nothing_and_unmasks_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, no_journal) as found:
        assert await refusal(record(found)) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")
        assert await refusal(found.show("unmask")) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")
        with pytest.raises(Problem, match="can't be recorded, so nothing is un-masked: JOURNAL"):
            await recorded(_place(found), "call/unmask", PURPOSE_AUDIT, "GetExample: complaint 2026/17")


async def test_the_command_line_has_the_hub_record_who_sees_what_for_what(served: Served, records: Records) -> None:
    await recorded(_place(served), "call/unmask", PURPOSE_AUDIT, "GetExample: complaint 2026/17" + "x" * 2000)
    action, who, purpose, detail = records.kept[-1]
    assert (action, who, purpose, len(detail)) == ("call/unmask", author(), PURPOSE_AUDIT, 1000)
    assert who.startswith("os://")


async def test_a_hub_that_is_away_records_nothing(tmp_path: Path) -> None:
    nobody: Any = SimpleNamespace(context=None, settings=SimpleNamespace(socket=tmp_path / "nobody"))
    with pytest.raises(Problem, match="so nothing is un-masked"):
        await recorded(nobody, "call/unmask", PURPOSE_AUDIT, "GetExample: complaint 2026/17")


def _place(served: Served) -> Any:
    return SimpleNamespace(context=None, settings=SimpleNamespace(socket=served.socket))


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ({"unmask": True, "purpose": "audit", "reason": "Complaint"}, True),
        ({"unmask": False, "purpose": "", "reason": None}, True),
        ({"unmask": False, "purpose": "audit", "reason": None}, True),
        ({"unmask": True, "purpose": "", "reason": "Complaint"}, False),
        ({"unmask": True, "purpose": "audit", "reason": None}, False),
        ({"unmask": False, "purpose": "audit", "reason": "Complaint"}, False),
    ],
)
async def test_unmasking_takes_a_purpose_and_a_reason(said: dict[str, Any], right: bool) -> None:
    if right:
        demand(**said)
        return
    with pytest.raises(click.UsageError):
        demand(**said)
