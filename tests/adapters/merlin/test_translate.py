"""Messages and records: what is translated one way and back is as it was, and nothing is guessed."""

import importlib.resources
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit import Call, Officer
from adapters.merlin import codes, records, translate, vocabulary
from adapters.merlin.translate import TRANSLATION
from metip.common.v1 import access_pb2, identifiers_pb2, pole_pb2, time_pb2
from metip.contracts import read
from metip.merlin.v1 import report_pb2 as contract
from metip.merlin.v1 import report_service_pb2 as service
from metip.options.v1 import options_pb2

TEXT = st.text(max_size=20)
NAMED = st.text(min_size=1, max_size=20)
INSTANTS = st.integers(0, 2_000_000_000).map(lambda seconds: Timestamp(seconds=seconds // 60 * 60))
VULNERABILITIES = st.lists(st.sampled_from(contract.Vulnerability.values()[1:]), max_size=4)

NAMES = st.builds(pole_pb2.PersonName, title=TEXT, given_names=st.lists(NAMED, max_size=3), family_name=TEXT)
DATES = st.builds(time_pb2.CivilDate, year=st.integers(1, 9999), month=st.integers(0, 12), day=st.integers(0, 31))
ADDRESSES = st.one_of(
    st.builds(pole_pb2.Address, postcode=TEXT),
    st.builds(
        pole_pb2.Address,
        postcode=TEXT,
        bs7666=st.builds(
            pole_pb2.Bs7666Address,
            secondary=TEXT,
            primary=TEXT,
            street=TEXT,
            locality=TEXT,
            town=TEXT,
            uprn=st.integers(0, 999_999_999_999),
        ),
    ),
    st.builds(pole_pb2.Address, postcode=TEXT, lines=st.builds(pole_pb2.AddressLines, line=st.lists(TEXT, max_size=5))),
)
PERSONS = st.builds(
    pole_pb2.Person,
    name=NAMES,
    date_of_birth=st.none() | DATES,
    sex=st.sampled_from(pole_pb2.Sex.values()),
    observed_ethnicity=st.integers(0, 9),
    self_defined_ethnicity=TEXT,
    height_cm=st.integers(0, 300),
    pnc_id=st.none() | st.just(identifiers_pb2.PncId(value="2002/0073319Z")) | st.just(identifiers_pb2.PncId(as_received="unreadable")),
    cro_number=st.none() | st.just(identifiers_pb2.CroNumber(value="265416/21G")),
    aliases=st.lists(NAMES, max_size=2),
    addresses=st.lists(ADDRESSES, max_size=2),
    warning_signals=st.lists(st.builds(pole_pb2.WarningSignal, code=TEXT, text=TEXT), max_size=2),
)
CONTENTS: Mapping[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "missing": (
        records.Missing,
        st.builds(
            contract.MissingPerson,
            last_seen=st.none() | INSTANTS,
            last_seen_place=TEXT,
            clothing=TEXT,
            circumstances=TEXT,
            medication=TEXT,
            vulnerabilities=VULNERABILITIES,
            care_setting=TEXT,
        ),
    ),
    "child": (
        records.Child,
        st.builds(
            contract.ChildNotice,
            circumstances=TEXT,
            concerns=st.lists(st.sampled_from(contract.ConcernDomain.values()[1:]), max_size=3),
            childs_voice=TEXT,
            school=TEXT,
            general_practitioner=TEXT,
        ),
    ),
    "adult": (
        records.Adult,
        st.builds(contract.AdultNotice, circumstances=TEXT, vulnerabilities=VULNERABILITIES, wishes=TEXT),
    ),
    "linked": (
        records.Linked,
        st.builds(contract.LinkedPerson, person=PERSONS, role=st.sampled_from(contract.PersonRole.values())),
    ),
    "assessment": (
        records.Assessment,
        st.builds(
            contract.RiskAssessment,
            level=st.sampled_from(contract.RiskLevel.values()),
            rationale=TEXT,
            supervisor=st.just("") | st.just("P654321"),
        ),
    ),
    "sharing": (
        records.Sharing,
        st.builds(
            contract.Sharing,
            partners=st.lists(st.sampled_from(contract.Partner.values()[1:]), max_size=3),
            basis=st.sampled_from(contract.LegalBasis.values()),
            consent_given=st.booleans(),
        ),
    ),
    "located": (
        records.Located,
        st.builds(contract.Locating, found=st.none() | INSTANTS, place=TEXT, found_by=TEXT),
    ),
    "debriefed": (
        records.Debriefed,
        st.builds(contract.Debriefing, account=TEXT, return_interview_offered=st.booleans()),
    ),
}
ENUMS = [
    (contract.ReportType, "REPORT_TYPE", codes.TYPES),
    (contract.ReportStatus, "REPORT_STATUS", codes.STATUSES),
    (contract.RiskLevel, "RISK_LEVEL", codes.RISKS),
    (contract.PersonRole, "PERSON_ROLE", codes.ROLES),
    (contract.Vulnerability, "VULNERABILITY", codes.VULNERABILITIES),
    (contract.ConcernDomain, "CONCERN_DOMAIN", codes.CONCERNS),
    (contract.Partner, "PARTNER", codes.PARTNERS),
    (contract.LegalBasis, "LEGAL_BASIS", codes.BASES),
    (pole_pb2.Sex, "SEX", codes.SEXES),
]
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NOBODY = records.Person(name=records.Name(surname="Nobody"))
SUBMISSION = "6f1f3c0a-1111-4222-8333-444455556666"


def person(record: records.Person) -> pole_pb2.Person:
    return TRANSLATION.message(record, pole_pb2.Person)


@given(PERSONS)
@settings(max_examples=80, deadline=None)
def test_a_person_comes_back_as_they_were(message: pole_pb2.Person) -> None:
    assert person(TRANSLATION.record(message, records.Person)) == message


@pytest.mark.parametrize("part", CONTENTS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_part_of_a_report_comes_back_as_it_was(part: str, data: st.DataObject) -> None:
    kind, messages = CONTENTS[part]
    message = data.draw(messages)
    assert TRANSLATION.message(TRANSLATION.record(message, kind), type(message)) == message


@pytest.mark.parametrize(("enum", "prefix", "table"), ENUMS, ids=[row[1] for row in ENUMS])
def test_each_value_of_an_enum_has_one_code_of_three_letters(enum: Any, prefix: str, table: Mapping[str, str]) -> None:
    assert sorted(f"{prefix}_{word}" for word in table.values()) == sorted(enum.keys()[1:])
    assert prefix == "SEX" or all(len(code) == 3 and code.isalpha() and code.isupper() for code in table)


def test_each_purpose_that_an_operation_permits_has_a_reason_code() -> None:
    data = importlib.resources.files("metip.contracts").joinpath("descriptors.binpb").read_bytes()
    operations = read(data, today=AT.date()).interface("metip.merlin.v1.ReportService").operations
    permitted = {purpose for operation in operations for purpose in operation.purposes}
    assert permitted == set(codes.REASONS.values())


def test_a_code_that_nobody_knows_is_unspecified_and_a_value_that_the_far_side_lacks_is_no_code() -> None:
    assert vocabulary.RISK.value("XXX") == contract.RISK_LEVEL_UNSPECIFIED
    assert vocabulary.RISK.code(99) == ""
    assert vocabulary.VULNERABILITY.codes([99, contract.VULNERABILITY_DEMENTIA]) == ("DEM",)


def test_an_identifier_that_does_not_parse_is_kept_as_received() -> None:
    read_back = person(records.Person(name=records.Name(), pnc_id="2008/0000000L", cro_number="1/98X"))
    assert (read_back.pnc_id.value, read_back.pnc_id.as_received) == ("", "2008/0000000L")
    assert (read_back.cro_number.value, read_back.cro_number.as_received) == ("", "1/98X")


def test_an_identifier_in_another_spelling_is_given_in_the_one_form_beside_what_was_received() -> None:
    read_back = person(records.Person(name=records.Name(), pnc_id="02/73319Z"))
    assert (read_back.pnc_id.value, read_back.pnc_id.as_received) == ("2002/0073319Z", "02/73319Z")


@pytest.mark.parametrize("nanos", [0, 999_999_999, -7, 2_000_000_000])
def test_an_instant_is_cut_to_its_minute_whatever_is_below(nanos: int) -> None:
    message = contract.MissingPerson(last_seen=Timestamp(seconds=119, nanos=nanos))
    assert TRANSLATION.record(message, records.Missing).seen == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


def test_who_asks_comes_from_the_token_and_why_from_the_request() -> None:
    access = access_pb2.AccessContext(
        purpose=options_pb2.PURPOSE_SAFEGUARDING,
        reference="1234/23NOV26",
        justification="a call from the school",
        on_behalf_of="P222222",
        device_id="T-7",
    )
    call = Call("call-1", "op", "spiffe://x/y", Officer("P123456", "01", "ZD", ("officer",)), time.monotonic() + 5)
    assert translate.asker(access, call) == records.Asker(
        warrant="P123456",
        force="01",
        unit="ZD",
        reason="SAF",
        reference="1234/23NOV26",
        on_behalf_of="P222222",
        device="T-7",
        justification="a call from the school",
    )


def test_a_search_without_a_limit_asks_for_the_most() -> None:
    request = service.SearchReportsRequest(family_name="Nobody", type=contract.REPORT_TYPE_PAC, open_only=True)
    assert TRANSLATION.record(request, records.Find) == records.Find(surname="Nobody", type="PAC", open_only=True, most=50)
    request.limit = 3
    assert TRANSLATION.record(request, records.Find).most == 3


def test_a_submission_says_its_type_by_its_details_and_its_id_in_small_letters() -> None:
    request = service.RaiseReportRequest(
        submission_id=SUBMISSION.upper(),
        summary="Child alone in a park.",
        subject=pole_pb2.Person(name=pole_pb2.PersonName(family_name="Nobody")),
        risk=contract.RiskAssessment(level=contract.RISK_LEVEL_LOW, rationale="with an aunt now"),
        child=contract.ChildNotice(circumstances="alone", concerns=[contract.CONCERN_DOMAIN_FAMILY]),
    )
    raised = translate.submission(request)
    assert (raised.submission, raised.type, raised.sharing) == (SUBMISSION, "PAC", None)
    assert raised.child == records.Child(concerns=("FAM",), circumstances="alone")
    assert raised.missing is None
    assert raised.adult is None


def test_a_change_carries_what_was_set_and_nothing_else() -> None:
    request = service.UpdateReportRequest(
        merlin_reference=identifiers_pb2.MerlinReference(value="26MIS800001"),
        closed=contract.Closing(reason="back at home"),
    )
    change = TRANSLATION.record(request, records.Amend)
    assert change == records.Amend(reference="26MIS800001", closed=records.Closed(reason="back at home"))


def test_an_answer_tells_where_it_comes_from_how_old_it_is_and_whether_there_is_more() -> None:
    summary = records.Summary(reference="26 MIS 800001", type="MIS", status="XXX", person=NOBODY, last_seen=AT)
    reply = TRANSLATION.message(records.Found(as_at=AT, more=True, reports=(summary,)), service.SearchReportsResponse)
    assert (reply.provenance.system, reply.provenance.truncated) == ("Merlin", True)
    assert reply.provenance.as_of.ToDatetime(tzinfo=UTC) == AT
    found = reply.reports[0]
    assert (found.merlin_reference.value, found.merlin_reference.as_received) == ("26MIS800001", "26 MIS 800001")
    assert (found.type, found.status) == (contract.REPORT_TYPE_MISPER, contract.REPORT_STATUS_UNSPECIFIED)
    assert found.last_seen.ToDatetime(tzinfo=UTC) == AT
    assert not found.HasField("created")


def test_a_full_report_has_the_details_of_its_type_and_the_remarks_as_warnings() -> None:
    summary = records.Summary(reference="26ACN800001", person=NOBODY)
    fetched = records.Fetched(
        as_at=AT,
        report=records.Report(summary=summary, adult=records.Adult(wishes="to stay"), closed=records.Closed(reason="done")),
        remarks=(records.Remark(code="RV1", text="late"),),
    )
    reply = TRANSLATION.message(fetched, service.GetReportResponse)
    assert reply.report.WhichOneof("details") == "adult"
    assert reply.report.adult.wishes == "to stay"
    assert reply.report.closed.reason == "done"
    assert not reply.report.HasField("located")
    assert [(warning.code, warning.text) for warning in reply.provenance.warnings] == [("RV1", "late")]
