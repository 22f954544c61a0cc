"""The stand-in for the CJS Exchange, asked by a SOAP client of its own description, and what its court decides."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.population import Population
from adapters.kit.simulation import Dials, HttpRequest
from adapters.kit.simulation.dials import STANDARD, Dial
from adapters.kit.soap import SoapFault, envelope, open_envelope
from adapters.libra import codes, court, envelopes
from adapters.libra.cases_sent import Case, Defendant, NewCase
from adapters.libra.records import Hearing
from adapters.libra.simulator import DIALS, Simulator
from adapters.libra.translate import case_record, results
from adapters.libra.upstream import PATH, Systems, submission
from adapters.libra.wire import decode_text, element_of, encode_text, opened
from tests.adapters.libra.samples import sample_case

POPULATION = Population(2026, 300, addresses=150, arrests=60)
SYSTEMS = Systems("00101PoliceCaseSystem", "B00LIBRA", "Z00CJSE")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
CASE = case_record(sample_case())


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(POPULATION, Dials(DIALS, seed=1))


async def ask(simulator: Simulator, document: bytes) -> Any:
    reply = await simulator.answer(HttpRequest("POST", PATH, {}, document))
    element = open_envelope(reply.body)
    assert reply.status == 200
    return opened(envelope(element))[0]


async def submit(simulator: Simulator, request: envelopes.SubmitRequest) -> int:
    answer = await ask(simulator, envelope(element_of(request)))
    assert answer.request_id == request.request_id
    return int(answer.code)


def request(message: str = "", message_id: str = "m-1", case: NewCase = CASE, systems: Systems = SYSTEMS) -> envelopes.SubmitRequest:
    made = submission(case, message_id, systems, NOW)
    if not message:
        return made
    return envelopes.SubmitRequest(
        request_id=message_id, source_id="a", destination_ids=("b",), mode="ASYNCH", timestamp=NOW, message=message
    )


def typed(kind: str, content: str) -> str:
    stream = envelopes.DataStream(system="a", type=kind, id="1", content=content)
    return encode_text(envelopes.RouteData(sender=envelopes.System(correlation_id="m-1", system_id="a"), stream=stream))


ANSWERS = [
    ("a case", request(), codes.SUCCESS),
    ("no document", request("hello"), codes.UNUSABLE_DATA),
    ("a document of another kind", request("<Invoice/>"), codes.UNUSABLE_DATA),
    ("a case without a route around it", request(encode_text(CASE)), codes.INVALID_REQUEST_ID),
    ("a type that is no case", request(typed("SPIResults", encode_text(CASE))), codes.DISALLOWED_TYPE),
    ("a case without routes", request(typed("SPINewCase", encode_text(CASE))), codes.UNKNOWN_DESTINATION),
    ("an unknown destination", request(systems=Systems("a", "nobody", "Z00CJSE")), codes.UNKNOWN_DESTINATION),
    ("a route in a circle", request(systems=Systems("B00LIBRA", "B00LIBRA", "Z00CJSE")), codes.SAME_SOURCE_AND_DESTINATION),
]


@pytest.mark.parametrize(("name", "asked", "code"), ANSWERS, ids=[row[0] for row in ANSWERS])
@pytest.mark.asyncio
async def test_a_submission_is_answered_by_its_code(simulator: Simulator, name: str, asked: envelopes.SubmitRequest, code: int) -> None:
    assert await submit(simulator, asked) == code
    assert len(simulator.cases) == (code == codes.SUCCESS)


@pytest.mark.asyncio
async def test_the_same_id_of_the_same_system_was_sent_before(simulator: Simulator) -> None:
    assert await submit(simulator, request()) == codes.SUCCESS
    assert await submit(simulator, request()) == codes.PREVIOUSLY_SENT
    assert await submit(simulator, request(systems=Systems("00201PoliceCaseSystem", "B00LIBRA", "Z00CJSE"))) == codes.SUCCESS
    assert await submit(simulator, request(message_id="m-2")) == codes.SUCCESS


@pytest.mark.parametrize("document", [b"hello", b"<a/>", envelope(element_of(envelopes.SubmitResponse(request_id="a")))])
@pytest.mark.asyncio
async def test_what_is_no_question_is_answered_by_a_fault(simulator: Simulator, document: bytes) -> None:
    with pytest.raises(SoapFault):
        await ask(simulator, document)


@pytest.mark.asyncio
async def test_what_is_not_pushed_waits_for_a_retrieval_of_its_time(simulator: Simulator) -> None:
    simulator._dials.set([Dial("undelivered"), Dial("late", "0s")])
    before = datetime.now(UTC) - timedelta(seconds=1)
    await submit(simulator, request())
    await asyncio.sleep(0)

    async def retrieve(since: datetime, until: datetime | None = None) -> envelopes.RetrieveResponse:
        bounds = envelopes.RetrieveFilter(since=since, until=until)
        found = await ask(simulator, envelope(element_of(envelopes.RetrieveRequest(request_id="r", source_id="a", filter=bounds))))
        assert isinstance(found, envelopes.RetrieveResponse)
        return found

    found = await retrieve(before)
    assert [type(decode_text(one)) for one in found.messages] == [envelopes.RouteDataResp, envelopes.DeliverRequest]
    assert found.last is not None
    assert (await retrieve(found.last + timedelta(milliseconds=1))).messages == ()
    assert (await retrieve(before, before)).messages == ()


@pytest.mark.asyncio
async def test_a_client_that_names_no_address_retrieves_what_follows_from_its_case(simulator: Simulator) -> None:
    simulator._dials.set([Dial("late", "0s")])
    await submit(simulator, request())
    found = await ask(simulator, envelope(element_of(envelopes.RetrieveRequest(request_id="r", source_id="a"))))
    answer, delivered = map(decode_text, found.messages)
    assert (answer.receiver.correlation_id, answer.statuses[0].code) == ("m-1", codes.SUCCESS)
    assert CASE.case is not None
    assert decode_text(delivered.message).session.cases[0].pti_urn == CASE.case.pti_urn


OBJECTIONS = [
    ("a good case", CASE.case, codes.SUCCESS),
    ("no defendant", Case(pti_urn="01ZD0400126"), codes.UNUSABLE_DATA),
    ("no case number", Case(pti_urn="-", defendants=(Defendant(),)), codes.UNUSABLE_DATA),
    ("no court", Case(pti_urn="01ZD0400126", defendants=(Defendant(),)), codes.INVALID_UNIT),
    (
        "a court of another form",
        Case(pti_urn="01ZD0400126", defendants=(Defendant(),), hearing=Hearing(court="Croydon")),
        codes.INVALID_UNIT,
    ),
]


@pytest.mark.parametrize(("name", "case", "code"), OBJECTIONS, ids=[row[0] for row in OBJECTIONS])
def test_the_court_objects_to_what_it_can_not_list(name: str, case: Case, code: int) -> None:
    assert court.objection(case) == code


def test_the_same_case_has_the_same_result() -> None:
    assert CASE.case is not None
    assert court.result_of(CASE.case) == court.result_of(CASE.case)


def test_a_result_of_nobody_is_about_somebody_of_the_population() -> None:
    (message,) = results(court.result_of_nobody(POPULATION))
    urns = {one.pti_urn for one in map(POPULATION.arrest, range(1, 61))}
    assert message.pti_urn.value in urns


def test_every_dial_of_the_exchange_is_turned_in_a_test() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [dial for dial in (*STANDARD, *DIALS) if f'"{dial}"' not in text] == []
