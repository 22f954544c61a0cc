"""The simulator on its own wire: what it says to documents that are no questions, and what it counts."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from adapters.copa import codes, records
from adapters.copa.simulator import DIALS, Simulator
from adapters.copa.wire import NAMESPACE, element_of
from adapters.kit.population import Population
from adapters.kit.simulation import Dials, HttpRequest
from adapters.kit.soap import SoapFault, envelope, open_envelope

pytestmark = pytest.mark.asyncio(loop_scope="module")
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CALLER = records.Caller(account="HUB")
GET = records.GetCase(urn="01ZT9791926")

MALFORMED = [
    ("no XML", b"nonsense", codes.MALFORMED),
    ("no envelope", b"<a/>", codes.MALFORMED),
    ("an entity", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", codes.MALFORMED),
    ("no question", envelope(element_of(CALLER), element_of(CALLER)), codes.MALFORMED),
    ("a question without its key", envelope(etree.Element(f"{{{NAMESPACE}}}GetCase"), element_of(CALLER)), codes.MALFORMED),
    ("nobody who asks", envelope(element_of(GET)), codes.ACCOUNT_REFUSED),
    ("no change", envelope(element_of(records.AmendCase(urn=GET.urn, version=1)), element_of(CALLER)), codes.MALFORMED),
]


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(2026)


async def said(simulator: Simulator, document: bytes) -> SoapFault:
    reply = await simulator.answer(HttpRequest("POST", "/", {}, document))
    assert reply.status == 500
    with pytest.raises(SoapFault) as told:
        open_envelope(reply.body)
    return told.value


@pytest.mark.parametrize(("name", "document", "code"), MALFORMED, ids=[row[0] for row in MALFORMED])
async def test_a_document_that_is_no_question_is_refused_by_code(population: Population, name: str, document: bytes, code: str) -> None:
    simulator = Simulator(population, Dials(DIALS, seed=1), lambda: AT)
    assert (await said(simulator, document)).detail["ErrorCode"] == code


async def test_it_counts_what_it_is_asked(population: Population) -> None:
    dials = Dials(DIALS, seed=1)
    simulator = Simulator(population, dials, lambda: AT)
    for _ in range(2):
        assert (await simulator.answer(HttpRequest("POST", "/", {}, envelope(element_of(GET), element_of(CALLER))))).status == 200
    assert dials.exchanges == {"GetCase": 2}
