"""The way to a far side that is scripted: what each of its answers becomes, and which account it hears."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.kit import Call, Fault, Reason
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.soap import envelope, fault_envelope, open_envelope, parse_xml
from adapters.merlin import codes, records
from adapters.merlin.upstream import FAULTS, Merlin
from adapters.merlin.wire import PATH, element_of, record_of
from metip.adapter.v1.settings_pb2 import Upstream
from metip.logs import Log
from metip.merlin.v1.settings_pb2 import Settings
from metip.settings import SettingsError

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASKER = records.Asker(warrant="P123456")
CHANGE = records.Amend(reference="26MIS800001", closed=records.Closed(reason="done"))
UNREADABLE = envelope(element_of(records.Logon()))

ANSWERS = [
    ("another record", UNREADABLE, Reason.UPSTREAM_FAULT, Reason.IN_DOUBT),
    ("a failure that nobody knows", fault_envelope("Server", "Nobody, Ann", {"code": "MR999"}), Reason.UPSTREAM_FAULT, Reason.IN_DOUBT),
    ("a failure without a code", fault_envelope("Server", "Nobody, Ann"), Reason.UPSTREAM_FAULT, Reason.IN_DOUBT),
    (
        "a refusal that nobody knows",
        fault_envelope("Client", "Nobody, Ann", {"code": "MR998"}),
        Reason.UPSTREAM_REFUSED,
        Reason.UPSTREAM_REFUSED,
    ),
    *(
        (f"{code}", fault_envelope("Client", "Nobody, Ann", {"code": code, "reference": "26MIS800001"}), reason, reason)
        for code, (reason, _) in FAULTS.items()
    ),
]


class Scripted:
    """A far side that gives tickets and answers everything else with one document."""

    def __init__(self, answer: bytes = UNREADABLE) -> None:
        self.asked: list[HttpRequest] = []
        self._answer = answer
        self.transport = Http(self.answer)

    async def answer(self, request: HttpRequest) -> HttpReply:
        self.asked.append(request)
        if request.headers["SOAPAction"].endswith('#Logon"'):
            return HttpReply(envelope(element_of(records.Ticket(value="T1", seconds=1800))))
        return HttpReply(self._answer, status=500 if b"Fault" in self._answer else 200)


@asynccontextmanager
async def connected(far: Scripted, credentials_file: str = "") -> AsyncIterator[Merlin]:
    """The way to that far side."""
    async with far.transport.listening("127.0.0.1", 0, Dials({}, seed=1)) as address:
        settings = Settings(upstream=Upstream(address=address), credentials_file=credentials_file)
        async with Merlin.connected(settings, Log()) as merlin:
            yield merlin


def call() -> Call:
    return Call("call-1", "op", "spiffe://x/y", None, time.monotonic() + 5)


@pytest.mark.parametrize(("name", "answer", "of_a_question", "of_a_change"), ANSWERS, ids=[row[0] for row in ANSWERS])
async def test_each_answer_becomes_a_reason_and_leaves_its_words_behind(
    name: str, answer: bytes, of_a_question: Reason, of_a_change: Reason
) -> None:
    far = Scripted(answer)
    async with connected(far) as merlin:
        with pytest.raises(Fault) as asked:
            await merlin.fetch("26MIS800001", ASKER, call())
        with pytest.raises(Fault) as changed:
            await merlin.amend(CHANGE, ASKER, call())
    assert (asked.value.reason, changed.value.reason) == (of_a_question, of_a_change)
    for fault in (asked.value, changed.value):
        assert "Nobody" not in f"{fault} {fault.fields} {fault.metadata}"
        assert "26MIS800001" not in str(fault)
        assert ("merlin_reference" in fault.metadata) is (name == codes.EPISODE_OPEN)


async def test_a_question_carries_ticket_asker_and_action(tmp_path: Path) -> None:
    far = Scripted()
    async with connected(far) as merlin:
        with pytest.raises(Fault):
            await merlin.fetch("26MIS800001", ASKER, call())
    logon, question = far.asked
    assert record_of(open_envelope(logon.body), records.Logon) == records.Logon()
    assert (question.method, question.path) == ("POST", PATH)
    assert question.headers["SOAPAction"] == '"urn:x-merlin:reports:3#Fetch"'
    header = parse_xml(question.body)[0]
    assert record_of(header[0], records.Session) == records.Session(ticket="T1")
    assert record_of(header[1], records.Asker) == ASKER


async def test_an_account_is_read_at_each_logon(tmp_path: Path) -> None:
    path = tmp_path / "account"
    path.write_text("hub-adapter\nfirst\n")
    far = Scripted(fault_envelope("Client", "over", {"code": codes.SESSION_EXPIRED}))
    async with connected(far, str(path)) as merlin:
        for secret in ("second", "third"):
            path.write_text(f"hub-adapter\n{secret}\n")
            with pytest.raises(Fault):
                await merlin.fetch("26MIS800001", ASKER, call())
    heard = [record_of(open_envelope(one.body), records.Logon) for one in far.asked if one.headers["SOAPAction"].endswith('#Logon"')]
    assert [(logon.user, logon.secret) for logon in heard] == [
        ("hub-adapter", "second"),
        ("hub-adapter", "second"),
        ("hub-adapter", "third"),
    ]


async def test_an_account_that_is_gone_by_the_next_logon_leaves_the_far_side_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "account"
    path.write_text("hub-adapter\nfirst\n")
    far = Scripted()
    async with connected(far, str(path)) as merlin:
        path.unlink()
        with pytest.raises(Fault) as told:
            await merlin.amend(CHANGE, ASKER, call())
    assert told.value.reason is Reason.UPSTREAM_UNAVAILABLE
    assert not far.asked


@pytest.mark.parametrize("text", [None, "hub-adapter\n"], ids=["no file", "no secret"])
async def test_an_account_that_can_t_be_read_is_told_at_the_start(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "account"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError) as told:
        async with connected(Scripted(), str(path)):
            pytest.fail("it started")
    assert str(told.value).startswith("credentials_file: can't be used: ")
    assert "hub-adapter" not in str(told.value)
