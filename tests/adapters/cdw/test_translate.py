"""From custody records to rows: each code has one of the warehouse's, and each thing that can't be taken as it came is told."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.cdw import translate
from adapters.cdw.records import Issue, Load
from adapters.kit import Fault, Reason
from metip.cdw.v1.warehouse_service_pb2 import GetLoadRequest
from metip.common.v1 import pole_pb2 as pole
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CroNumber, PncId
from metip.common.v1.time_pb2 import CivilDate
from metip.custody.v1 import custody_record_pb2 as custody
from tests.adapters.cdw.asking import ARRIVED, record

TABLES = [
    (custody.RecordStatus, translate.STATUS),
    (custody.DetentionAuthority, translate.AUTHORITY),
    (custody.ReviewMethod, translate.METHOD),
    (custody.DisposalKind, translate.DISPOSAL),
    (custody.ReleaseKind, translate.RELEASE),
    (pole.Sex, translate.SEX),
]


def stamp(text: str) -> Timestamp:
    """An instant."""
    found = Timestamp()
    found.FromJsonString(text)
    return found


@pytest.mark.parametrize(("enum", "table"), TABLES, ids=[enum.DESCRIPTOR.name for enum, _ in TABLES])
def test_every_code_of_the_contract_has_one_of_the_warehouse(enum: Any, table: dict[int, str]) -> None:
    assert set(table) == {number for number in enum.values() if number}
    assert len(set(table.values())) == len(table)


def test_a_version_is_a_row() -> None:
    row = translate.version(record(7, 2), "00000000-0000-0000-0000-000000000001")
    assert row.key == ("01ZD/7/26", 2)
    assert (row.status, row.business_date, row.family_name, row.given_names) == ("U", date(2026, 11, 20), "Testcase", "Nobody Atall")
    assert (row.arrived_at, row.arrest_summons_number, row.pnc_id) == (ARRIVED, "1401ZD0100000449846U", "2002/0073319Z")
    assert [(one.number, one.cjs_code, one.recordable) for one in row.offences] == [(1, "TH68023", True)]
    assert [(one.kind, one.offence_number) for one in row.disposals] == [("CHG", 1)]
    assert [(one.method, one.done_at) for one in row.reviews] == [("V", None)]
    assert row.issues == ()


def test_a_record_with_the_least_that_the_contract_demands_has_nulls() -> None:
    request = record(7)
    least = custody.CustodyRecord(status=custody.RECORD_STATUS_OPENED, suite="01ZD", recorded_at=stamp("2026-11-20T10:00:00Z"))
    least.arrived_at.CopyFrom(least.recorded_at)
    least.arrest.arrested_at.CopyFrom(least.recorded_at)
    least.arrest.offences.add(number=1, cjs_offence_code="COML025")
    least.detained_person.SetInParent()
    request.record.CopyFrom(least)
    row = translate.version(request)
    assert (row.sex, row.observed_ethnicity, row.authority, row.risk, row.footwear_taken) == ("", None, "", None, None)
    assert (row.relevant_time, row.expires_at, row.released_at, row.birth_year, row.issues) == (None, None, None, None, ())


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-06-30T22:59:00Z", date(2026, 6, 30)),
        ("2026-06-30T23:00:00Z", date(2026, 7, 1)),
        ("2026-12-31T23:59:00Z", date(2026, 12, 31)),
        ("2026-10-25T00:30:00Z", date(2026, 10, 25)),
        ("2026-10-25T01:30:00Z", date(2026, 10, 25)),
    ],
)
def test_a_business_date_is_london_s(instant: str, day: date) -> None:
    assert translate.version(record(7, recorded_at=stamp(instant))).business_date == day


def issue(column: str, problem: str, **more: Any) -> Any:
    """A record with one thing wrong, and the issue that it becomes."""
    return pytest.param(more, Issue(column, problem), id=f"{column}-{problem}")


ISSUES = [
    issue("pnc_id", "IDENTIFIER_UNREADABLE", person={"pnc_id": PncId(as_received="99/XX")}),
    issue("cro_number", "IDENTIFIER_UNREADABLE", person={"cro_number": CroNumber(as_received="SF9")}),
    issue("arrest_summons_number", "IDENTIFIER_UNREADABLE", arrest_summons_number=ArrestSummonsNumber(as_received="14/01ZD")),
    issue("arrest_summons_number", "CHECK_LETTER_WRONG", arrest_summons_number=ArrestSummonsNumber(value="1401ZD0100000449846A")),
    issue("observed_ethnicity", "CODE_UNKNOWN", person={"observed_ethnicity": 17}),
    issue("arrived_at", "BEFORE_ARREST", arrived_at=stamp("2026-11-20T01:00:00Z")),
    issue(
        "released_at",
        "BEFORE_ARRIVAL",
        release=custody.Release(released_at=stamp("2026-11-20T01:00:00Z"), kind=custody.RELEASE_KIND_ON_BAIL),
    ),
]


@pytest.mark.parametrize(("wrong", "told"), ISSUES)
def test_what_cannot_be_taken_as_it_came_is_told_without_its_value(wrong: dict[str, Any], told: Issue) -> None:
    request = record(7)
    for name, value in wrong.pop("person", {}).items():
        person = request.record.detained_person
        setattr(person, name, value) if isinstance(value, int) else getattr(person, name).CopyFrom(value)
    for name, value in wrong.items():
        getattr(request.record, name).CopyFrom(value)
    assert translate.version(request).issues == (told,)


def test_an_instant_outside_the_calendar_is_a_fault() -> None:
    with pytest.raises(Fault) as raised:
        translate.version(record(7, arrived_at=Timestamp(seconds=10**14)))
    assert raised.value.reason is Reason.INVALID_REQUEST


def test_a_load_is_answered_with_its_counts() -> None:
    reply = translate.load(Load(records=1, versions=2, sha256="ab", issues=3, as_at=datetime(2026, 11, 20, tzinfo=UTC)))
    assert (reply.records, reply.versions, reply.sha256, reply.issues) == (1, 2, "ab", 3)
    assert (reply.provenance.system, reply.provenance.as_of.seconds) == ("CDW", 1_795_132_800)
    assert translate.day(GetLoadRequest(business_date=CivilDate(year=2026, month=2, day=28))) == date(2026, 2, 28)
