"""The stand-in on its wire: it speaks SOAP, insists on a session, and says what is wrong with a document."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.kit.population import STORIES, Population
from adapters.kit.simulation import Dials, HttpRequest
from adapters.kit.simulation.dials import Dial
from adapters.kit.soap import Element, SoapFault, envelope, open_envelope
from adapters.merlin import codes, records
from adapters.merlin.simulator import DIALS, Simulator
from adapters.merlin.wire import PATH, element_of, record_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOW = datetime(2026, 11, 23, 9, 30, 59, tzinfo=UTC)
ASKER = records.Asker(warrant="P123456", unit="ZD")
POPULATION = Population(2026, 300, addresses=150, episodes=60)
SUBJECT = records.Person(name=records.Name(surname="Nobody"))
LOW = records.Assessment(level="LOW")
NOTHING = records.Closed(reason="x")

MALFORMED = [
    ("no XML", b"hello"),
    ("no envelope", b"<a/>"),
    ("two bodies", envelope(element_of(records.Logon())).replace(b"</soap:Body>", b"<a/></soap:Body>")),
    ("no question of ours", envelope(element_of(ASKER))),
    ("a document type", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
]
CONTRADICTIONS: list[tuple[str, object]] = [
    ("no details", records.Raise(submission="s", type="MIS", subject=SUBJECT, assessment=LOW)),
    ("details of another type", records.Raise(submission="s", type="MIS", subject=SUBJECT, assessment=LOW, child=records.Child())),
    ("a type that nobody knows", records.Raise(submission="s", type="XXX", subject=SUBJECT, assessment=LOW, child=records.Child())),
    (
        "a risk that nobody knows",
        records.Raise(submission="s", type="PAC", subject=SUBJECT, assessment=records.Assessment(level="X"), child=records.Child()),
    ),
    ("no change", records.Amend(reference="26MIS800001")),
    ("two changes", records.Amend(reference="26MIS800001", closed=NOTHING, debriefed=records.Debriefed())),
    ("a change to an unknown risk", records.Amend(reference="26MIS800001", assessment=records.Assessment(level="X"))),
]


class Wire:
    """A simulator, and the session under which it is asked."""

    def __init__(self) -> None:
        self.dials = Dials(DIALS, seed=1)
        self.simulator = Simulator(POPULATION, self.dials, clock=lambda: NOW)
        self.ticket = ""

    async def send(self, document: bytes) -> Element:
        reply = await self.simulator.answer(HttpRequest("POST", PATH, {}, document))
        try:
            element = open_envelope(reply.body)
        except SoapFault:
            assert reply.status == 500
            raise
        assert reply.status == 200
        return element

    async def log_on(self, logon: records.Logon | None = None) -> records.Ticket:
        ticket = record_of(await self.send(envelope(element_of(logon or records.Logon()))), records.Ticket)
        self.ticket = ticket.value
        return ticket

    async def ask(self, question: object) -> Element:
        return await self.send(envelope(element_of(question), element_of(records.Session(ticket=self.ticket)), element_of(ASKER)))


async def refused(wire: Wire, question: object) -> str:
    with pytest.raises(SoapFault) as told:
        await wire.ask(question)
    return told.value.detail["code"]


@pytest.mark.parametrize(("name", "document"), MALFORMED, ids=[row[0] for row in MALFORMED])
async def test_a_document_that_is_no_question_is_refused(name: str, document: bytes) -> None:
    with pytest.raises(SoapFault) as told:
        await Wire().send(document)
    assert (told.value.code, told.value.detail) == ("Client", {"code": codes.MALFORMED})


@pytest.mark.parametrize(("name", "question"), CONTRADICTIONS, ids=[row[0] for row in CONTRADICTIONS])
async def test_a_question_that_contradicts_itself_is_refused(name: str, question: object) -> None:
    wire = Wire()
    await wire.log_on()
    assert await refused(wire, question) == codes.MALFORMED


async def test_nothing_is_answered_without_a_session_in_the_header() -> None:
    wire = Wire()
    question = element_of(records.Find(surname="Nobody", most=1))
    with pytest.raises(SoapFault) as told:
        await wire.send(envelope(question))
    assert told.value.detail == {"code": codes.SESSION_EXPIRED}
    wire.ticket = "made up"
    assert await refused(wire, records.Find(surname="Nobody", most=1)) == codes.SESSION_EXPIRED


async def test_a_logon_gives_a_ticket_that_is_good_until_the_dial_ends_it() -> None:
    wire = Wire()
    assert (await wire.log_on()).seconds == 1800
    find = records.Find(surname="Nobody", most=1)
    assert not record_of(await wire.ask(find), records.Found).reports
    wire.dials.set([Dial("ticket_expired", times=1)])
    assert await refused(wire, find) == codes.SESSION_EXPIRED
    assert await refused(wire, find) == codes.SESSION_EXPIRED
    await wire.log_on()
    assert record_of(await wire.ask(find), records.Found)


LOGONS = [
    ("an account", records.Logon(user="hub", secret="x"), True),
    ("an account without a secret", records.Logon(user="hub"), False),
    ("a secret without an account", records.Logon(secret="x"), False),
]


@pytest.mark.parametrize(("name", "logon", "accepted"), LOGONS, ids=[row[0] for row in LOGONS])
async def test_a_logon_has_both_parts_or_neither(name: str, logon: records.Logon, accepted: bool) -> None:
    wire = Wire()
    if accepted:
        assert await wire.log_on(logon)
    else:
        with pytest.raises(SoapFault) as told:
            await wire.log_on(logon)
        assert told.value.detail == {"code": codes.LOGON_REFUSED}


async def test_the_life_of_a_ticket_is_set_by_a_dial() -> None:
    wire = Wire()
    wire.dials.set([Dial("ticket_life", setting="5s")])
    assert (await wire.log_on()).seconds == 5


async def test_an_error_of_its_own_comes_under_the_code_asked_for() -> None:
    wire = Wire()
    await wire.log_on()
    wire.dials.set([Dial("error", setting="MR777")])
    with pytest.raises(SoapFault) as told:
        await wire.ask(records.Fetch(reference="26MIS800001"))
    assert (told.value.code, told.value.detail) == ("Server", {"code": "MR777"})


async def test_answers_stand_at_the_minute_in_which_they_are_given_and_later_by_the_dial() -> None:
    wire = Wire()
    await wire.log_on()
    reference = POPULATION.episodes_of(POPULATION.person(STORIES["missing_child"]))[0].reference
    now = record_of(await wire.ask(records.Fetch(reference=reference)), records.Fetched)
    assert now.as_at == NOW.replace(second=0)
    assert not now.remarks
    wire.dials.set([Dial("later", setting="13h")])
    later = record_of(await wire.ask(records.Fetch(reference=reference)), records.Fetched)
    assert later.as_at == now.as_at + timedelta(hours=13)
    assert [remark.code for remark in later.remarks] == [codes.REVIEW_OVERDUE]


async def test_questions_are_counted_by_name() -> None:
    wire = Wire()
    await wire.log_on()
    await wire.ask(records.Find(surname="Nobody", most=1))
    await wire.ask(records.Find(surname="Nobody", most=1))
    assert wire.dials.exchanges == {"Logon": 1, "Find": 2}


async def test_the_same_seed_holds_the_same_reports() -> None:
    answers = []
    for _ in range(2):
        wire = Wire()
        await wire.log_on()
        answers.append(record_of(await wire.ask(records.Find(surname="Hal", most=50)), records.Found))
    assert answers[0] == answers[1]
    assert answers[0].reports
