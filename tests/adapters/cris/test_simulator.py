"""The simulator at the level of HTTP and bytes: what it takes for a question, and in which encoding."""

from datetime import datetime

import pytest

from adapters.cris import records, wire
from adapters.cris.codes import ENCODING, PATH, Code, Page
from adapters.cris.simulator import DIALS, Simulator
from adapters.kit.population import Population
from adapters.kit.simulation import STANDARD, Dials, HttpReply, HttpRequest
from adapters.kit.soap import SoapFault, envelope, open_envelope

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 23, 9, 5)  # noqa: DTZ001 - CRIS prints local time without a zone
POPULATION = Population(2026, people=200, addresses=120, vehicles=20, crimes=20, episodes=10, arrests=10)
NUMBER = POPULATION.crime(5).reference
BY = records.Requestor(
    account="METIPHUB",
    warrant_no="P123456",
    force="01",
    unit="ZD",
    reason_code="CI",
    reason_text="",
    reference="",
    on_behalf_of="",
    device_id="",
    need_to_know=False,
)
GET = records.Get(requestor=BY, crime_no=NUMBER)


@pytest.fixture
def dials() -> Dials:
    return Dials(DIALS, seed=1)


@pytest.fixture
def simulator(dials: Dials) -> Simulator:
    return Simulator(POPULATION, dials, lambda: NOW)


def request(asked: records.Question, *, encoding: str = ENCODING, path: str = PATH, **headers: str) -> HttpRequest:
    sent = {"Content-Type": f"text/xml; charset={encoding.lower()}", "SOAPAction": f'"{wire.action(type(asked))}"', **headers}
    return HttpRequest("POST", path, sent, envelope(wire.write(asked), encoding=encoding))


def refused_with(reply: HttpReply) -> str:
    with pytest.raises(SoapFault) as refused:
        open_envelope(reply.body)
    assert reply.status == 500
    return refused.value.detail["CODE"]


async def test_a_question_is_answered_in_latin_1(simulator: Simulator, dials: Dials) -> None:
    text = "Seen by Zo\u00eb at \u00a35 caf\u00e9"
    await simulator.answer(request(records.AddDet(requestor=BY, crime_no=NUMBER, page=Page.FORENSIC, text=text)))
    reply = await simulator.answer(request(GET))
    assert reply.body.startswith(b"<?xml version='1.0' encoding='ISO-8859-1'?>")
    assert reply.content_type == "text/xml; charset=iso-8859-1"
    assert text.encode("latin-1") in reply.body
    assert wire.read(records.Given, open_envelope(reply.body)).report.dets[-1].text == text
    assert dials.exchanges == {"add_det": 1, "get": 1}


UNREAD = [
    pytest.param(request(GET, encoding="UTF-8"), 415, id="utf_8"),
    pytest.param(request(GET, encoding="UTF-8", **{"Content-Type": "text/xml; charset=iso-8859-1"}), 415, id="utf_8_under_a_false_flag"),
    pytest.param(request(GET, path="/CRIS"), 404, id="another_path"),
    pytest.param(request(GET, SOAPAction='"urn:x-cris:crime-report:1#UPDATE_REPORT"'), 400, id="another_action"),
    pytest.param(HttpRequest("GET", PATH, {}, b""), 404, id="no_post"),
]


@pytest.mark.parametrize(("sent", "status"), UNREAD)
async def test_what_is_not_addressed_to_it_is_not_read(simulator: Simulator, dials: Dials, sent: HttpRequest, status: int) -> None:
    reply = await simulator.answer(sent)
    assert (reply.status, reply.body) == (status, b"")
    assert not dials.exchanges


@pytest.mark.parametrize(
    "body", [b"", b"<a/>", b"\xff\xfe", envelope(wire.write(records.Updated(as_at=NOW, version=1)), encoding=ENCODING)]
)
async def test_what_is_no_question_fails_and_counts_as_none(simulator: Simulator, dials: Dials, body: bytes) -> None:
    sent = request(GET)
    reply = await simulator.answer(HttpRequest(sent.method, sent.path, sent.headers, body))
    assert reply.status in (415, 500)
    assert not dials.exchanges


async def test_a_character_that_came_in_by_reference_is_refused(simulator: Simulator) -> None:
    asked = records.AddDet(requestor=BY, crime_no=NUMBER, page=Page.FORENSIC, text="O\u2019Verzandle")
    sent = request(asked)
    assert b"&#8217;" in sent.body
    assert refused_with(await simulator.answer(sent)) == Code.INVALID


async def test_every_dial_of_its_own_can_be_set_beside_the_standard_ones(dials: Dials) -> None:
    assert set(dials.known) == set(STANDARD) | set(DIALS)
    assert not set(STANDARD) & set(DIALS)
