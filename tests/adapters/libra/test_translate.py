"""Translation: what the contract lets through becomes a document of the schema, and nothing gets lost on either way."""

import os
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import protovalidate
import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from lxml import etree

from adapters.kit.binding import Aside
from adapters.kit.values import USUAL
from adapters.libra import cases_sent, records, results
from adapters.libra.translate import TRANSLATION, VALUES, case_message, case_record
from adapters.libra.translate import results as result_messages
from adapters.libra.wire import decode, encode
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CroNumber, PncId, PtiUrn
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from metip.libra.v1.court_pb2 import AddressableObject, Hearing, StructuredAddress
from tests.adapters.libra.samples import sample_case
from tests.adapters.libra.strategies import SESSIONS, submissions

FOLDER = Path(os.environ.get("METIP_REFERENCE_DIR") or Path(__file__).parents[4] / "shared" / "reference") / "cjse" / "xsd"
VALIDATOR = protovalidate.Validator()
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@FEW
@given(submissions())
def test_a_submission_comes_back_from_its_document(request_: SubmitCaseRequest) -> None:
    assert [str(one) for one in VALIDATOR.collect_violations(request_)] == []
    assert case_message(decode(encode(case_record(request_)))) == request_


@pytest.mark.skipif(not FOLDER.exists(), reason="METIP_REFERENCE_DIR names no folder that holds cjse/xsd")
@FEW
@given(submissions())
def test_what_the_contract_lets_through_is_a_document_of_the_schema(request_: SubmitCaseRequest) -> None:
    schema = etree.XMLSchema(etree.parse(FOLDER / "CPP-StdProsPoliceCase-v1-2.xsd"))
    schema.assertValid(etree.fromstring(encode(case_record(request_))))


def changed(**fields: Any) -> SubmitCaseRequest:
    return sample_case(**fields)


def cleared(path: str) -> SubmitCaseRequest:
    """The sample without one field."""
    request = sample_case()
    *into, last = path.split(".")
    message: Any = request
    for step in into:
        message = getattr(message, step)
        if hasattr(message, "add"):
            message = message[0]
    message.ClearField(last)
    return request


BROKEN = [
    ("no family name", "defendants.individual.details.name"),
    ("no sex", "defendants.individual.details.sex"),
    ("no address", "defendants.individual.address"),
    ("no street", "defendants.individual.address.street"),
    ("no house", "defendants.individual.address.primary"),
    ("no language", "defendants.individual.hearing_language"),
    ("no offence", "defendants.offences"),
    ("no offence code", "defendants.offences.details.offence_code"),
    ("no wording", "defendants.offences.details.wording"),
    ("no date code", "defendants.offences.details.date_code"),
    ("no first day", "defendants.offences.details.start_date"),
    ("half a first day", "defendants.offences.details.start_date.day"),
    ("half a date of birth", "defendants.individual.details.date_of_birth.month"),
    ("no rank", "officer_in_case.rank"),
    ("no court", "initial_hearing.court"),
    ("no time", "initial_hearing.time"),
    ("no initiation", "initiation"),
    ("no number of the submission", "submission"),
    ("no reference", "defendants.arrest_summons_number"),
]
TOO_MUCH: list[tuple[str, dict[str, Any]]] = [
    ("a number of 21 characters", {"defendants": [{"arrest_summons_number": {"value": "26A01ZD0100000412345U"}}]}),
    ("a summons type without a summons", {"summons_type": 1}),
    ("a part kept aside", {"kept_aside": [{"path": "Case/X", "xml": "<X/>"}]}),
    ("a letter that the courts lack", {"officer_in_case": {"name": {"family_name": "Dvořák"}}}),
    ("a home number of the officer", {"officer_in_case": {"contact": {"home_telephone": "020 7946 0001"}}}),
]


@pytest.mark.parametrize(("name", "path"), BROKEN, ids=[row[0] for row in BROKEN])
def test_what_the_schema_needs_the_contract_needs(name: str, path: str) -> None:
    assert VALIDATOR.collect_violations(cleared(path))


@pytest.mark.parametrize(("name", "fields"), TOO_MUCH, ids=[row[0] for row in TOO_MUCH])
def test_what_the_schema_has_no_place_for_the_contract_refuses(name: str, fields: dict[str, Any]) -> None:
    assert VALIDATOR.collect_violations(changed(**fields))
    assert not VALIDATOR.collect_violations(sample_case())


OBJECTS = [
    ("a number", "  12 ", AddressableObject(start_number="12")),
    ("a number with a letter", "  12A", AddressableObject(start_number="12", start_suffix="A")),
    (
        "a range with a name",
        "9999A9999AAAA",
        AddressableObject(start_number="9999", start_suffix="A", end_number="9999", end_suffix="A", name="AAA"),
    ),
    ("a name", "          89", AddressableObject(name="89")),
    ("a padded number", "0012 ", AddressableObject(start_number="0012")),
]


@pytest.mark.parametrize(("name", "packed", "parts"), OBJECTS, ids=[row[0] for row in OBJECTS])
def test_an_addressable_object_is_unpacked_and_packed(name: str, packed: str, parts: AddressableObject) -> None:
    message = TRANSLATION.message(records.Address(primary=packed), StructuredAddress)
    assert message.primary == parts
    assert TRANSLATION.record(message, records.Address).primary == packed


LOOSE = [("12 The Mews", "12 The Mews"), ("1 2 A", "1 2 A"), ("é", "é")]


@pytest.mark.parametrize(("packed", "name"), LOOSE)
def test_an_object_that_is_packed_in_no_known_way_is_a_name(packed: str, name: str) -> None:
    message = TRANSLATION.message(records.Address(primary=packed), StructuredAddress)
    assert message.primary == AddressableObject(name=name)


CLOCKS = [
    ("no zone", date(2026, 7, 31), time(10), (2026, 7, 31, 10)),
    ("summer time said", date(2026, 7, 31), time.fromisoformat("10:00+01:00"), (2026, 7, 31, 10)),
    ("universal time in summer", date(2026, 7, 31), time.fromisoformat("10:00Z"), (2026, 7, 31, 11)),
    ("universal time in winter", date(2026, 12, 9), time.fromisoformat("09:00+00:00"), (2026, 12, 9, 9)),
    ("over midnight", date(2026, 7, 31), time.fromisoformat("23:30Z"), (2026, 8, 1, 0)),
]


@pytest.mark.parametrize(("name", "day", "at", "expected"), CLOCKS, ids=[row[0] for row in CLOCKS])
def test_times_stand_on_the_clock_of_london(name: str, day: date, at: time, expected: tuple[int, int, int, int]) -> None:
    message = TRANSLATION.message(records.Hearing(court="B01EF01", day=day, at=at), Hearing)
    assert (message.date.year, message.date.month, message.date.day, message.time.hour) == expected


def told(kind: type[Message], received: str) -> Any:
    return ({**USUAL, **VALUES})[kind].out(received)


IDENTIFIERS = [
    ("a number in small letters", told(ArrestSummonsNumber, "2601zd0100000412345u"), ("2601ZD0100000412345U", "2601zd0100000412345u")),
    ("a number with a wrong letter", told(ArrestSummonsNumber, "2601ZD0100000412345A"), ("", "2601ZD0100000412345A")),
    ("a case in small letters", told(PtiUrn, "01zd0300108"), ("01ZD0300108", "01zd0300108")),
    ("a PNC id without its slash", told(PncId, "20020073319Z"), ("2002/0073319Z", "")),
    ("a PNC id of another kind", told(PncId, "Test PNC"), ("", "Test PNC")),
    ("a CRO number", told(CroNumber, "97501/98T"), ("097501/98T", "97501/98T")),
    ("a small-file CRO number", told(CroNumber, "SF39/12345A"), ("", "SF39/12345A")),
]


@pytest.mark.parametrize(("name", "found", "expected"), IDENTIFIERS, ids=[row[0] for row in IDENTIFIERS])
def test_identifiers_are_canonical_or_as_received(name: str, found: Any, expected: tuple[str, str]) -> None:
    assert (found.value, found.as_received) == expected


@FEW
@given(SESSIONS)
def test_every_case_of_a_delivery_is_a_good_message_of_its_own(session: results.Session) -> None:
    messages = result_messages(results.ResultedCases(session=session), "delivery-1", datetime(2026, 12, 14, tzinfo=UTC), "B00LIBRA")
    assert [one.case_number for one in messages] == list(range(1, len(session.cases) + 1))
    for message, case in zip(messages, session.cases, strict=True):
        assert [str(one) for one in VALIDATOR.collect_violations(message)] == []
        ordered = [result for offence in case.defendant.offences for result in offence.results] if case.defendant else []
        found = [result for offence in message.offences for result in offence.results]
        assert [one.text for one in found] == [one.text for one in ordered]
        pence = [one.outcome.pence if one.outcome else None for one in ordered]
        assert [one.amount_pence if one.HasField("amount_pence") else None for one in found] == pence


def delivery_of(*plea: str, aside: tuple[Aside, ...] = ()) -> results.ResultedCases:
    cases = tuple(
        results.CourtCase(pti_urn="01ZD0400126", defendant=results.CourtDefendant(offences=(results.CourtOffence(plea=one),)))
        for one in plea
    )
    return results.ResultedCases(session=results.Session(cases=cases), aside=aside)


def test_the_digest_is_that_of_one_case_wherever_it_stands() -> None:
    both = result_messages(delivery_of("1", "2"), "a")
    alone = result_messages(delivery_of("2"), "a")
    assert both[1].content_digest == alone[0].content_digest != both[0].content_digest


def test_a_delivery_without_a_name_is_known_by_its_content() -> None:
    (message,) = result_messages(delivery_of("1"))
    assert message.delivery_id == message.content_digest
    (long,) = result_messages(delivery_of("1"), "x" * 201)
    assert long.delivery_id == long.content_digest


def test_what_was_kept_aside_goes_with_its_case() -> None:
    aside = (
        Aside("Session/Case[1]/Note", "<Note>a</Note>"),
        Aside("Session/Case[2]/Note", "<Note>b</Note>"),
        Aside("Session/Register", "<Register>c</Register>"),
    )
    first, second = result_messages(delivery_of("1", "2", aside=aside), "a")
    assert [one.xml for one in first.kept_aside] == ["<Note>a</Note>", "<Register>c</Register>"]
    assert [one.xml for one in second.kept_aside] == ["<Note>b</Note>", "<Register>c</Register>"]


def test_a_delivery_of_nothing_has_no_messages() -> None:
    assert result_messages(results.ResultedCases()) == []


def test_an_empty_document_is_an_empty_message() -> None:
    message = case_message(cases_sent.NewCase())
    assert message.pti_urn.value == ""
    assert case_record(message).case is not None
