"""Questions and answers as records over SOAP, against a real server: what is sent, and what each refusal becomes."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import StringIO
from typing import Annotated

import pytest

from adapters.kit import Call, Fault, Limits, Log, Reason
from adapters.kit.asking import Asking, Refusals
from adapters.kit.binding import At, Documents, record
from adapters.kit.doors import listening
from adapters.kit.http import HttpAnswer
from adapters.kit.soap import SoapClient, envelope, fault_envelope, header_and_body, open_envelope
from adapters.kit.texts import TEXT

pytestmark = pytest.mark.asyncio(loop_scope="module")
FAR = "urn:far"


@record(FAR, "Who")
class Who:
    """Header of a question."""

    name: Annotated[str, At("@name", TEXT)] = ""


@record(FAR, "Question")
class Question:
    """A question."""

    words: Annotated[str, At("Words", TEXT)] = ""


@record(FAR, "Answer")
class Answer:
    """An answer."""

    words: Annotated[str, At("Words", TEXT)] = ""


DOCUMENTS = Documents(Who, Question, Answer)
REFUSALS = Refusals(
    "Far",
    code="code",
    meanings={"F1": (Reason.LOCKED, "it is locked"), "F2": (Reason.INVALID_REQUEST, "it is wrong")},
    fields={"F2": (("words", "are wrong"),)},
    patience={"F1": timedelta(seconds=7)},
    also=lambda code, detail: {"by": detail["by"]} if "by" in detail else {},
)


@asynccontextmanager
async def far_side(status: int, body: bytes) -> AsyncIterator[tuple[Asking, list[bytes]]]:
    """A far side that answers everything alike, and what it heard."""
    heard: list[bytes] = []

    async def answer(document: bytes) -> HttpAnswer:
        heard.append(document)
        return HttpAnswer(status, body)

    async with listening(answer, "127.0.0.1:0") as address:
        limits = Limits(address=address, sessions=2, timeout=5, failures_to_open=100, open_for=timedelta(seconds=1), max_waiting=10)
        async with SoapClient.connected(limits, Log(StringIO())) as soap:
            yield Asking(soap, DOCUMENTS, "/far", lambda question: f"ask/{type(question).__name__}", REFUSALS), heard


def call() -> Call:
    return Call(id="c", operation="o", consumer="s", officer=None, deadline=time.monotonic() + 10)


async def test_a_question_goes_under_its_headers_and_the_answer_comes_back_as_a_record() -> None:
    async with far_side(200, envelope(DOCUMENTS.element_of(Answer(words="yes")))) as (asking, heard):
        assert await asking.ask(Question(words="well?"), Answer, call(), headers=(Who(name="me"),)) == Answer(words="yes")
    (header,), body = header_and_body(heard[0])
    assert (DOCUMENTS.record_of(header, Who), DOCUMENTS.record_of(body, Question)) == (Who(name="me"), Question(words="well?"))


REFUSED = [
    ("a code with a meaning", fault_envelope("Client", "Ann did", {"code": "F1", "by": "P1"}), Reason.LOCKED, Reason.LOCKED),
    ("a code about a field", fault_envelope("Server", "Ann", {"code": "F2"}), Reason.INVALID_REQUEST, Reason.INVALID_REQUEST),
    ("a refusal of no known code", fault_envelope("Client", "Ann", {"code": "F9"}), Reason.UPSTREAM_REFUSED, Reason.UPSTREAM_REFUSED),
    ("an error of its own", fault_envelope("Server", "Ann"), Reason.UPSTREAM_FAULT, Reason.IN_DOUBT),
    ("another record", envelope(DOCUMENTS.element_of(Who(name="Ann"))), Reason.UPSTREAM_FAULT, Reason.IN_DOUBT),
]


@pytest.mark.parametrize(("name", "body", "of_a_question", "of_a_change"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_what_is_said_instead_of_an_answer_is_a_fault_without_its_words(
    name: str, body: bytes, of_a_question: Reason, of_a_change: Reason
) -> None:
    async with far_side(500 if b"Fault" in body else 200, body) as (asking, _):
        for write_once, reason in ((False, of_a_question), (True, of_a_change)):
            with pytest.raises(Fault) as told:
                await asking.ask(Question(), Answer, call(), write_once=write_once)
            fault = told.value
            assert fault.reason is reason
            assert "Ann" not in f"{fault} {fault.metadata} {fault.fields}"
            assert fault.retry_after == (timedelta(seconds=7) if name == "a code with a meaning" else None)
            assert fault.fields == ((("words", "are wrong"),) if name == "a code about a field" else ())
            assert ("by" in fault.metadata) is (name == "a code with a meaning")


async def test_the_code_is_the_faults_own_where_the_detail_has_none() -> None:
    with pytest.raises(Fault) as told, Refusals("Far").mapped():
        open_envelope(fault_envelope("Client", "Ann"))
    assert (told.value.reason, told.value.metadata) == (Reason.UPSTREAM_REFUSED, {"code": "Client"})


async def test_a_character_that_no_document_holds_is_refused_before_anything_is_sent() -> None:
    async with far_side(200, b"") as (asking, heard):
        with pytest.raises(Fault) as told:
            await asking.ask(Question(words="a\x00"), Answer, call())
    assert told.value.reason is Reason.INVALID_REQUEST
    assert not heard
