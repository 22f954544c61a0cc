"""Custody records as messages: every field has its place, and codes that nobody knows become no other code."""

from dataclasses import replace
from datetime import UTC, date, datetime

import protovalidate
import pytest

from adapters.custody import translate
from adapters.custody.detentions import versions
from adapters.custody.records import Clock, Detainee, Disposal, Footwear, Release, Review
from adapters.kit.population import Population
from metip.custody.v1 import custody_record_pb2 as message
from metip.options.v1.options_pb2 import PURPOSE_ARREST_DETENTION

POPULATION = Population()
RECORD = versions(POPULATION, 1)[3]


@pytest.mark.parametrize("number", [1, 2, 3, *range(10, 60)])
def test_every_version_of_the_population_keeps_the_contract(number: int) -> None:
    for record in versions(POPULATION, number):
        protovalidate.validate(translate.request(record))


def test_a_closed_record_is_told_in_full() -> None:
    at = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
    request = translate.request(
        replace(
            RECORD,
            number="01ZD/0017/26",
            version=7,
            asn="14/01ZD/01/449846U",
            detainee=Detainee(surname="O'VERZANDLE", forenames="A B C D", sex="F", born=date(2000, 2, 29), pnc_id="21/23U", height=170),
            clock=Clock(relevant=at, expires=at, authority="SU"),
            reviews=(Review(due=at, done=at, officer="P1", method="T"),),
            disposals=(Disposal(offence=1, code="TH68006", kind="RUI", at=at),),
            release=Release(at=at, kind="TRF"),
            footwear=Footwear(taken=True, size="9.5", make="NIKE", model="AIR", pattern="Z-B-C-0173", scan="R", scanned=at),
        )
    )
    protovalidate.validate(request)
    record = request.record
    assert (request.custody_record_number.value, request.custody_record_number.as_received, request.version) == (
        "01ZD/17/26",
        "01ZD/0017/26",
        7,
    )
    assert request.access.purpose == PURPOSE_ARREST_DETENTION
    assert record.status == message.RECORD_STATUS_CLOSED
    assert record.arrest_summons_number.value == "1401ZD0100000449846U"
    person = record.detained_person
    assert (person.name.family_name, list(person.name.given_names)) == ("O'VERZANDLE", ["A", "B", "C"])
    assert (person.pnc_id.value, person.pnc_id.as_received) == ("2021/0000023U", "21/23U")
    assert (person.date_of_birth.year, person.date_of_birth.month, person.date_of_birth.day) == (2000, 2, 29)
    assert record.clock.authority == message.DETENTION_AUTHORITY_SUPERINTENDENT
    assert not record.clock.HasField("authorised_at")
    assert record.reviews[0].method == message.REVIEW_METHOD_TELEPHONE
    assert record.disposals[0].kind == message.DISPOSAL_KIND_RELEASED_UNDER_INVESTIGATION
    assert record.release.kind == message.RELEASE_KIND_TRANSFERRED
    assert record.footwear.scan_type == message.SCAN_TYPE_ROLLED
    assert record.footwear.scanned_at.ToDatetime(UTC) == at


def test_a_number_that_does_not_parse_is_no_number() -> None:
    request = translate.request(replace(RECORD, asn="14/01ZD/01/449846A", detainee=replace(RECORD.detainee, pnc_id="21/23A")))
    assert (request.record.arrest_summons_number.value, request.record.arrest_summons_number.as_received) == ("", "14/01ZD/01/449846A")
    assert (request.record.detained_person.pnc_id.value, request.record.detained_person.pnc_id.as_received) == ("", "21/23A")
    protovalidate.validate(request)


def test_an_opened_record_has_no_parts_that_nobody_recorded() -> None:
    record = translate.request(versions(POPULATION, 1)[0]).record
    told = {field.name for field, _ in record.ListFields()}
    assert told == {"status", "recorded_at", "suite", "suite_name", "arrived_at", "arrest", "detained_person", "clock"}


def test_a_custody_number_that_does_not_parse_breaks_the_contract() -> None:
    with pytest.raises(protovalidate.ValidationError, match="custody_record_number"):
        protovalidate.validate(translate.request(replace(RECORD, number="17")))


@pytest.mark.parametrize(
    "changed", [{"status": "?"}, {"release": Release(at=RECORD.recorded, kind="?")}, {"version": 0}], ids=["status", "release", "version"]
)
def test_what_the_contract_must_know_and_does_not_breaks_it(changed: dict[str, object]) -> None:
    with pytest.raises(protovalidate.ValidationError):
        protovalidate.validate(translate.request(replace(RECORD, **changed)))  # type: ignore[arg-type]


def test_what_the_contract_need_not_know_becomes_unspecified() -> None:
    request = translate.request(replace(RECORD, risk="9", clock=Clock(authority="?"), footwear=Footwear(taken=True, scan="?")))
    protovalidate.validate(request)
    assert request.record.risk == message.RISK_LEVEL_UNSPECIFIED
    assert request.record.clock.authority == message.DETENTION_AUTHORITY_UNSPECIFIED
    assert request.record.footwear.scan_type == message.SCAN_TYPE_UNSPECIFIED
