"""The way to a far side that is scripted: what each of its answers becomes, and what it hears."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.copa import codes, records
from adapters.copa.upstream import FAULTS, PATIENCE, Copa
from adapters.copa.wire import NAMESPACE, PATH, element_of, record_of
from adapters.kit import Call, Fault, Reason
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.soap import envelope, fault_envelope, parse_xml
from metip.adapter.v1.settings_pb2 import Upstream
from metip.copa.v1.settings_pb2 import Settings
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="module")
CALLER = records.Caller(account="HUB", officer="P123456")
CHANGE = records.AmendCase(urn="01ZD9000126", version=1, officer="P1")
UNREADABLE = envelope(element_of(CALLER))

ANSWERS = [
    ("another record", UNREADABLE, Reason.UPSTREAM_FAULT, Reason.IN_DOUBT),
    ("a failure that nobody knows", fault_envelope("Server", "Nobody", {"ErrorCode": "CPA-999"}), Reason.UPSTREAM_FAULT, Reason.IN_DOUBT),
    ("a failure without a code", fault_envelope("Server", "Nobody"), Reason.UPSTREAM_FAULT, Reason.IN_DOUBT),
    (
        "a refusal that nobody knows",
        fault_envelope("Client", "Nobody", {"ErrorCode": "CPA-998"}),
        Reason.UPSTREAM_REFUSED,
        Reason.UPSTREAM_REFUSED,
    ),
    *(
        (code, fault_envelope("Client", "Nobody", {"ErrorCode": code, "Version": "7"}), reason, reason)
        for code, (reason, _) in FAULTS.items()
    ),
]


class Scripted:
    """A far side that answers everything with one document."""

    def __init__(self, answer: bytes = UNREADABLE) -> None:
        self.asked: list[HttpRequest] = []
        self._answer = answer
        self.transport = Http(self.answer)

    async def answer(self, request: HttpRequest) -> HttpReply:
        self.asked.append(request)
        return HttpReply(self._answer, status=500 if b"Fault" in self._answer else 200)


@asynccontextmanager
async def connected(far: Scripted) -> AsyncIterator[Copa]:
    """The way to that far side."""
    async with (
        far.transport.listening("127.0.0.1", 0, Dials({}, seed=1)) as address,
        Copa.connected(Settings(upstream=Upstream(address=address), account="HUB"), Log()) as copa,
    ):
        yield copa


def call() -> Call:
    return Call("call-1", "op", "spiffe://x/y", None, time.monotonic() + 5)


@pytest.mark.parametrize(("name", "answer", "of_a_question", "of_a_change"), ANSWERS, ids=[row[0] for row in ANSWERS])
async def test_each_answer_becomes_a_reason_and_leaves_its_words_behind(
    name: str, answer: bytes, of_a_question: Reason, of_a_change: Reason
) -> None:
    far = Scripted(answer)
    async with connected(far) as copa:
        with pytest.raises(Fault) as asked:
            await copa.get("01ZD9000126", CALLER, call())
        with pytest.raises(Fault) as changed:
            await copa.amend(CHANGE, CALLER, call())
    assert (asked.value.reason, changed.value.reason) == (of_a_question, of_a_change)
    for fault in (asked.value, changed.value):
        assert "Nobody" not in f"{fault} {fault.fields} {fault.metadata}"
        assert fault.retry_after == PATIENCE.get(name)
        assert ("version" in fault.metadata) is (name == codes.VERSION_CONFLICT)


async def test_a_question_carries_account_officer_and_action() -> None:
    far = Scripted()
    async with connected(far) as copa:
        with pytest.raises(Fault):
            await copa.get("01ZD9000126", CALLER, call())
    (question,) = far.asked
    assert (question.method, question.path) == ("POST", PATH)
    assert question.headers["SOAPAction"] == f'"{NAMESPACE}/GetCase"'
    assert record_of(parse_xml(question.body)[0][0], records.Caller) == CALLER


async def test_a_character_that_no_document_can_hold_is_refused_before_anything_is_sent() -> None:
    far = Scripted()
    async with connected(far) as copa:
        with pytest.raises(Fault) as told:
            await copa.get("\x00", CALLER, call())
    assert told.value.reason is Reason.INVALID_REQUEST
    assert not far.asked
