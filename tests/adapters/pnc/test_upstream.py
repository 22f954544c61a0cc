"""The host as the adapter asks it: a scripted host on a real socket, which says what no simulator would."""

import asyncio
import dataclasses
import datetime
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from adapters.kit import Call, Fault, Log, Reason
from adapters.kit.framing import Deframer, frame
from adapters.pnc.records import Segment, Trailer, Transaction
from adapters.pnc.upstream import Pnc, Serials
from adapters.pnc.wire import decode, encode
from metip.pnc.v1.settings_pb2 import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
E07 = Segment.of("E07", asn="14/01ZD/01/449846U")
FSC = Segment.of("FSC", force_station="01ZD")
IDS = Segment.of("IDS", pnc_id="02/73319Z", check_name="QUILLFEATHER")
DONE = Segment.of("TXT", message="A0031 - REMAND RECORDED")

Reply = Callable[[Transaction], bytes]


def said(request: Transaction, *segments: Segment, error: bool = False) -> Transaction:
    return Transaction.of(request.root, request.header.reply(at=AT, error=error), segments)


def answered(request: Transaction) -> bytes:
    return frame(encode(said(request, DONE) if request.update else said(request, Segment("ASI", "", (FSC, IDS)))))


class Host:
    """Answers as it is told and remembers what it was asked."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[Transaction] = []
        self.sessions = 0
        self.open: list[asyncio.StreamWriter] = []

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        self.open.append(writer)
        deframer = Deframer()
        while data := await reader.read(65_536):
            deframer.feed(data)
            while (message := deframer.take()) is not None:
                request = decode(message)
                self.asked.append(request)
                writer.write(self.reply(request))
        writer.close()


@asynccontextmanager
async def host_and_pnc(reply: Reply = answered, **upstream: int) -> AsyncIterator[tuple[Host, Pnc]]:
    host = Host(reply)
    server = await asyncio.start_server(host.converse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(sender="042")
    settings.upstream.address = f"127.0.0.1:{port}"
    settings.upstream.sessions = upstream.get("sessions", 8)
    settings.upstream.failures_to_open = upstream.get("failures_to_open", 1000)
    settings.upstream.timeout.FromMilliseconds(upstream.get("timeout_ms", 2_000))
    async with Pnc.connected(settings, Log(io.StringIO())) as pnc:
        yield host, pnc
    server.close()
    for writer in host.open:
        writer.transport.abort()


def call(seconds: float = 10.0) -> Call:
    return Call(id="1", operation="test", consumer="spiffe://test/one", officer=None, deadline=time.monotonic() + seconds)


async def refusal(asking: Awaitable[object]) -> Fault:
    with pytest.raises(Fault) as told:
        await asking
    return told.value


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for happens in the event loop itself and tells nobody
            await asyncio.sleep(0)


async def test_a_transaction_goes_out_as_the_host_wants_it() -> None:
    async with host_and_pnc() as (host, pnc):
        reply = await pnc.ask("ENQASI", (E07,), call())
    assert reply.find("IDS") == IDS
    (request,) = host.asked
    assert (request.root, request.segments, request.problems()) == ("CXE01", (E07,), ())
    assert (request.header.sender, request.header.function, request.header.direction) == ("042", "ENQASI", "S")


async def test_sessions_are_kept_and_one_exchange_at_a_time_is_in_each() -> None:
    async with host_and_pnc(sessions=2) as (host, pnc):
        for _ in range(3):
            await pnc.ask("ENQASI", (E07,), call())
        assert host.sessions == 1
        await asyncio.gather(*(pnc.ask("ENQASI", (E07,), call()) for _ in range(6)))
        assert host.sessions == 2
    assert len({request.header.serial for request in host.asked}) == 9


async def test_a_session_that_the_host_closed_is_replaced() -> None:
    async with host_and_pnc() as (host, pnc):
        await pnc.ask("NEWREM", (FSC,), call())
        session = pnc._pool._idle[0]
        host.open[0].transport.abort()
        await until(lambda: not session.alive)
        await pnc.ask("NEWREM", (FSC,), call())
        assert host.sessions == 2


async def test_a_session_that_speaks_unasked_is_never_lent_again() -> None:
    async with host_and_pnc() as (host, pnc):
        await pnc.ask("ENQASI", (E07,), call())
        session = pnc._pool._idle[0]
        host.open[0].write(answered(host.asked[0]))
        await until(lambda: not session.alive)
        await pnc.ask("ENQASI", (E07,), call())
        assert host.sessions == 2


def echo_of_another_group(request: Transaction) -> Transaction:
    return dataclasses.replace(said(request, DONE), header=dataclasses.replace(request.header.reply(at=AT), group="XXXX"))


UNTRUSTED: list[tuple[str, Reply]] = [
    ("no message", lambda _: frame(b"NO MESSAGE")),
    ("an empty frame", lambda _: b"\0\0\0\0"),
    ("a frame beyond all limits", lambda _: b"\xff\xff\xff\xff"),
    ("two messages for one", lambda request: answered(request) * 2),
    ("our own message", lambda request: frame(encode(request))),
    (
        "another serial",
        lambda request: frame(
            encode(Transaction.of(request.root, dataclasses.replace(request.header.reply(at=AT), serial="000000"), (FSC,)))
        ),
    ),
    ("another group", lambda request: frame(encode(echo_of_another_group(request)))),
    (
        "another function",
        lambda request: frame(
            encode(Transaction.of(request.root, dataclasses.replace(request.header.reply(at=AT), function="OTHERS"), (DONE,)))
        ),
    ),
    ("half of a message", lambda request: frame(encode(dataclasses.replace(said(request, DONE), trailer=Trailer(9, "042GENL000001R"))))),
    ("a segment too long", lambda request: frame(encode(said(request, Segment("TXT", "A0031 - " + "X" * 700))))),
    ("nothing inside", lambda request: frame(encode(said(request)))),
]


@pytest.mark.parametrize("function", ["ENQASI", "NEWREM"])
@pytest.mark.parametrize(("name", "reply"), UNTRUSTED, ids=[row[0] for row in UNTRUSTED])
async def test_a_reply_that_can_not_be_trusted_is_a_fault_and_leaves_an_update_in_doubt(name: str, reply: Reply, function: str) -> None:
    async with host_and_pnc(reply) as (host, pnc):
        fault = await refusal(pnc.ask(function, (E07,), call()))
        assert fault.reason is (Reason.UPSTREAM_FAULT if function == "ENQASI" else Reason.IN_DOUBT)
        assert len(host.asked) == 1
        host.reply = answered
        await pnc.ask(function, (E07,), call())


async def test_a_session_that_said_what_can_not_be_trusted_is_dropped() -> None:
    async with host_and_pnc(lambda request: answered(request) * 2) as (host, pnc):
        await refusal(pnc.ask("ENQASI", (E07,), call()))
        host.reply = answered
        await pnc.ask("ENQASI", (E07,), call())
        assert host.sessions == 2


async def test_a_refusal_of_the_host_keeps_the_session() -> None:
    refused = Segment.of("TXT", message="I1008 - ARREST/SUMMONS REF (14/01ZD/01/449846U) NOT FOUND")
    async with host_and_pnc(lambda request: frame(encode(said(request, refused, error=True)))) as (host, pnc):
        fault = await refusal(pnc.ask("ENQASI", (E07,), call()))
        assert (fault.reason, fault.metadata) == (Reason.NO_TRACE, {"code": "I1008", "exception": "HO100301"})
        assert "449846" not in str(fault)
        await refusal(pnc.ask("ENQASI", (E07,), call()))
        assert host.sessions == 1


@pytest.mark.parametrize(("code", "after"), [("PNCUE", Reason.UPSTREAM_UNAVAILABLE), ("PNCAM", Reason.CIRCUIT_OPEN)])
async def test_a_locked_record_does_not_open_the_circuit_and_a_host_that_is_gone_does(code: str, after: Reason) -> None:
    refused = Segment.of("TXT", message=f"{code} - NOT NOW")
    async with host_and_pnc(lambda request: frame(encode(said(request, refused, error=True))), failures_to_open=2) as (_, pnc):
        for _ in range(2):
            assert (await refusal(pnc.ask("ENQASI", (E07,), call()))).reason is Reason.UPSTREAM_UNAVAILABLE
        assert (await refusal(pnc.ask("ENQASI", (E07,), call()))).reason is after


async def test_done_and_refused_at_once_is_in_doubt_by_the_code_that_refused() -> None:
    texts = (DONE, Segment.of("TXT", message="I0001 - INVALID ELEMENT"))
    async with host_and_pnc(lambda request: frame(encode(said(request, *texts)))) as (_, pnc):
        fault = await refusal(pnc.ask("NEWREM", (FSC,), call()))
    assert (fault.reason, fault.metadata["code"]) == (Reason.IN_DOUBT, "I0001")


async def test_a_warning_without_data_is_no_answer_to_an_enquiry() -> None:
    warning = Segment.of("TXT", message="I5116 - DECEASED")
    async with host_and_pnc(lambda request: frame(encode(said(request, warning)))) as (_, pnc):
        assert (await refusal(pnc.ask("ENQASI", (E07,), call()))).reason is Reason.UPSTREAM_FAULT


async def test_a_reply_in_many_pieces_is_one_reply() -> None:
    async with host_and_pnc(lambda _: b"") as (host, pnc):
        asking = asyncio.create_task(pnc.ask("ENQASI", (E07,), call()))
        await until(lambda: bool(host.asked))
        for byte in answered(host.asked[0]):
            host.open[0].write(bytes([byte]))
            await host.open[0].drain()
        assert (await asking).find("IDS") == IDS


async def test_an_update_that_is_given_up_is_in_doubt_and_its_session_is_dropped() -> None:
    async with host_and_pnc(lambda _: b"", timeout_ms=100) as (host, pnc):
        assert (await refusal(pnc.ask("NEWREM", (FSC,), call()))).reason is Reason.IN_DOUBT
        host.reply = answered
        await pnc.ask("NEWREM", (FSC,), call())
        assert host.sessions == 2
    assert [request.header.function for request in host.asked] == ["NEWREM", "NEWREM"]


async def test_an_update_that_never_left_is_not_in_doubt() -> None:
    async with host_and_pnc() as (_, pnc):
        pass
    assert (await refusal(pnc.ask("NEWREM", (FSC,), call()))).reason is Reason.UPSTREAM_UNAVAILABLE


async def test_a_message_beyond_the_hosts_limit_is_refused_before_it_is_sent() -> None:
    async with host_and_pnc() as (host, pnc):
        fault = await refusal(pnc.ask("DISARR", [Segment.of("TXT", message="X")] * 2_000, call()))
        assert fault.reason is Reason.TOO_LARGE
        assert host.asked == []


async def test_serials_go_round_without_a_zero() -> None:
    serials = Serials(999_998)
    assert [serials.next()[0] for _ in range(3)] == [999_999, 1, 2]
    sequences = Serials(9_999_998)
    assert [sequences.next()[1] for _ in range(2)] == [9_999_999, 1]
