"""The door at which the CJS Exchange delivers: what it takes, in which form it answers, and that nothing is acknowledged too early."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from adapters.kit.soap import SoapFault, envelope, open_envelope
from adapters.libra import codes, envelopes, results
from adapters.libra.wire import decode, element_of, encode, encode_text, opened
from tests.adapters.libra.court_rig import CourtRig, court_rig
from tests.adapters.libra.samples import sample_case

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CourtRig]:
    async with court_rig(tmp_path_factory.mktemp("door")) as rig:
        await rig.submit(sample_case())  # tells the simulator where the door is
        yield rig


@pytest.fixture
def courts(running: CourtRig) -> Any:
    """The rig, with nothing refused."""
    yield running
    running.exchange.refusing, running.exchange.knows_deliveries = None, True


def resulted(*urns: str) -> results.ResultedCases:
    offence = results.CourtOffence(plea="1", final_disposal="Y", results=(results.Result(code=1015, text="Fined 1.", qualifiers=("F",)),))
    tried = tuple(
        results.CourtCase(pti_urn=one, defendant=results.CourtDefendant(reference="2601ZD0100000412345U", offences=(offence,)))
        for one in urns
    )
    return results.ResultedCases(session=results.Session(cases=tried))


def delivery(message_id: str, *urns: str) -> envelopes.DeliverRequest:
    return envelopes.DeliverRequest(message_id=message_id, ack_requested="1", message=encode_text(resulted(*urns)))


def answer_about(message_id: str, *found: int) -> envelopes.RouteDataResp:
    statuses = tuple(envelopes.Status(kind="Court", code=code, route=str(index)) for index, code in enumerate(found))
    return envelopes.RouteDataResp(receiver=envelopes.System(correlation_id=message_id, system_id="a"), statuses=statuses)


def submit(document: object) -> envelopes.SubmitRequest:
    return envelopes.SubmitRequest(request_id="r-1", source_id="Z00CJSE", mode="ASYNCH", message=encode_text(document))


def routed(*urns: str) -> envelopes.RouteData:
    stream = envelopes.DataStream(system="B00LIBRA", type="SPIResults", id="1", content=encode_text(resulted(*urns)))
    return envelopes.RouteData(sender=envelopes.System(correlation_id="routed-1", system_id="B00LIBRA"), stream=stream)


def urns(courts: CourtRig) -> list[str]:
    return sorted(one.pti_urn.value for one in courts.exchange.results.values())


FORMS = [
    ("a delivery", lambda urn: encode(delivery("d-1", urn))),
    ("a delivery in an envelope", lambda urn: envelope(element_of(delivery("d-2", urn)))),
    ("a route in a submission", lambda urn: envelope(element_of(submit(routed(urn))))),
    ("a route alone", lambda urn: encode(routed(urn))),
    ("a result in a submission", lambda urn: envelope(element_of(submit(resulted(urn))))),
    ("a result alone", lambda urn: encode(resulted(urn))),
    ("a route in a delivery", lambda urn: encode(envelopes.DeliverRequest(message_id="d-3", message=encode_text(routed(urn))))),
]


@pytest.mark.parametrize(("name", "made"), FORMS, ids=[row[0] for row in FORMS])
async def test_a_result_is_published_in_whatever_form_it_comes(courts: CourtRig, name: str, made: Any) -> None:
    urn = f"02ZD{[row[0] for row in FORMS].index(name):05d}26"
    status, body = await courts.push(made(urn))
    assert (status, opened(body)[0].code) == (200, codes.SUCCESS)
    assert urns(courts).count(urn) == 1
    assert opened(body)[1] == opened(made(urn))[1], "the answer comes in an envelope exactly where the delivery did"


async def test_a_delivery_of_several_cases_is_a_message_for_each(courts: CourtRig) -> None:
    await courts.push(encode(delivery("several", "03ZD0000126", "03ZD0000226", "03ZD0000126")))
    found = [key for key in courts.exchange.results if key[0] == "several"]
    assert [key[1] for key in found] == [1, 2, 3]


async def test_a_delivery_that_comes_again_is_the_same_message(courts: CourtRig) -> None:
    for _ in range(3):
        _, body = await courts.push(encode(delivery("again", "04ZD0000126")))
        assert decode(body) == envelopes.DeliverResponse(message_id="again", code=codes.SUCCESS)
    assert len([key for key in courts.exchange.results if key[0] == "again"]) == 1


async def test_a_result_that_the_exchange_refuses_is_not_acknowledged(courts: CourtRig) -> None:
    courts.exchange.refusing = grpc.StatusCode.INVALID_ARGUMENT
    _, body = await courts.push(encode(delivery("refused", "05ZD0000126")))
    assert decode(body).code == codes.UNUSABLE_DATA
    assert '"status":"INVALID_ARGUMENT"' in courts.log.read_text().replace(" ", "")


async def test_a_result_that_the_exchange_can_not_take_now_is_to_come_again(courts: CourtRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.libra.inbox.PATIENCE", 0.3)
    courts.exchange.refusing = grpc.StatusCode.UNAVAILABLE
    _, body = await courts.push(encode(delivery("later", "06ZD0000126")))
    assert decode(body).code in codes.RETRY
    assert "06ZD0000126" not in urns(courts)


OUTCOMES = [
    ("success", (1,), (True, "")),
    ("success on every route", (1, 1), (True, "")),
    ("there already", (302,), (True, "")),
    ("refused", (309,), (False, "309")),
    ("refused on one route", (1, 1310), (False, "1310")),
    ("refused on one route and late on another", (200, 1310), (False, "1310")),
    ("late", (201,), None),
]


@pytest.mark.parametrize(("name", "found", "expected"), OUTCOMES, ids=[row[0] for row in OUTCOMES])
async def test_what_the_court_says_is_reported(courts: CourtRig, name: str, found: tuple[int, ...], expected: Any) -> None:
    message_id = str(uuid.uuid4())
    _, body = await courts.push(envelope(element_of(submit(answer_about(message_id, *found)))))
    assert opened(body)[0] == envelopes.SubmitResponse(request_id="r-1", code=codes.SUCCESS, text="Success")
    assert courts.exchange.outcomes.get(message_id) == expected


async def test_an_answer_about_a_message_that_the_exchange_does_not_know_is_acknowledged_and_logged(courts: CourtRig) -> None:
    courts.exchange.knows_deliveries = False
    message_id = str(uuid.uuid4())
    _, body = await courts.push(encode(answer_about(message_id, 1)))
    assert decode(body).code == codes.SUCCESS
    assert "outcome_of_no_message" in courts.log.read_text()


REFUSED = [
    ("an answer about no message of ours", encode(answer_about("not-a-uuid", 1)), codes.UNUSABLE_DATA),
    ("an answer that says nothing", encode(answer_about(str(uuid.uuid4()))), codes.UNUSABLE_DATA),
    ("a delivery of no case", encode(delivery("empty")), codes.UNUSABLE_DATA),
    ("a delivery of something else", encode(envelopes.DeliverRequest(message_id="x", message="<Invoice/>")), codes.UNUSABLE_DATA),
    ("a submission of nothing", envelope(element_of(envelopes.SubmitRequest(request_id="r"))), codes.UNUSABLE_DATA),
    ("an answer to nothing", encode(envelopes.SubmitResponse(request_id="r", code=1)), codes.DISALLOWED_TYPE),
]


@pytest.mark.parametrize(("name", "document", "code"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_a_document_that_nobody_here_can_take_is_refused_by_code(courts: CourtRig, name: str, document: bytes, code: int) -> None:
    status, body = await courts.push(document)
    assert (status, opened(body)[0].code) == (200, code)


async def test_a_case_is_nothing_that_an_exchange_delivers(courts: CourtRig) -> None:
    case = next(iter(courts.simulator.cases.values()))
    assert case is not None
    stream = envelopes.DataStream(type="SPINewCase", content="<NewCaseMessage/>")
    _, body = await courts.push(encode(envelopes.RouteData(stream=stream)))
    assert decode(body).code == codes.DISALLOWED_TYPE


async def test_bytes_are_answered_by_a_fault(courts: CourtRig) -> None:
    status, body = await courts.push(b"hello")
    with pytest.raises(SoapFault) as told:
        open_envelope(body)
    assert (status, told.value.code) == (500, "Client")


async def test_nothing_can_be_retrieved_here(courts: CourtRig) -> None:
    _, body = await courts.push(envelope(element_of(envelopes.RetrieveRequest(request_id="r-2", source_id="Z00CJSE"))))
    answer = opened(body)[0]
    assert (answer.request_id, answer.code, answer.messages) == ("r-2", codes.RETRIEVE_NOT_AVAILABLE, ())


async def test_too_many_at_once_are_to_come_again(courts: CourtRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.libra.inbox.AT_ONCE", 0)
    _, body = await courts.push(encode(delivery("crowd", "07ZD0000126")))
    assert decode(body).code in codes.RETRY
