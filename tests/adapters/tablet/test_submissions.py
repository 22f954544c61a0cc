"""A report on its way: code tables judged, channels filled in, fields named as the tablet has them, Merlin's form kept whole."""

import pytest

from adapters.tablet import submissions
from metip.cris.v1.crime_report_pb2 import REPORTING_CHANNEL_OFFICER, REPORTING_CHANNEL_TELEPHONE, CrimeSheet
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.faults import Fault, Reason
from metip.merlin.v1.report_service_pb2 import RaiseReportRequest
from metip.tablet.v1 import report_service_pb2 as api

SUBMISSION = "b1d6e2a4-3c57-4f0b-9a86-5e2f7c8d1a01"
VERSIONS = {
    "the required one": (12, 1, True),
    "one that the hub does not know yet": (13, 1, True),
    "one behind": (11, 1, True),
    "two behind": (10, 1, False),
    "one behind where none is allowed": (11, 0, False),
}


@pytest.mark.parametrize(("version", "behind", "taken"), VERSIONS.values(), ids=VERSIONS)
def test_code_tables_may_be_so_far_behind_and_no_further(version: int, behind: int, taken: bool) -> None:
    if taken:
        submissions.check_tables(version, required=12, behind=behind)
        return
    with pytest.raises(Fault) as raised:
        submissions.check_tables(version, required=12, behind=behind)
    fault = raised.value
    assert (fault.reason, fault.metadata["required_version"]) == (Reason.INVALID_REQUEST, "12")
    assert fault.fields == (("code_tables_version", f"must be 12; {12 - behind} is still taken"),)


def test_an_unset_channel_means_to_an_officer_on_both_ways_and_another_stays() -> None:
    request = api.SubmitReportRequest(submission_id=SUBMISSION, crime=CrimeSheet(borough="ZD"))
    assert submissions.crime(request).sheet.reporting_channel == REPORTING_CHANNEL_OFFICER
    assert submissions.forwarded(request).crime == submissions.crime(request).sheet
    request.crime.reporting_channel = REPORTING_CHANNEL_TELEPHONE
    assert submissions.crime(request).sheet.reporting_channel == REPORTING_CHANNEL_TELEPHONE


def test_a_safeguarding_report_has_merlins_fields_under_merlins_numbers() -> None:
    """What makes one of the other by its bytes; `reports` are the same kinds of messages under the same names."""
    ours = {field.number: field for field in api.SafeguardingReport.DESCRIPTOR.fields}
    theirs = {field.number: field for field in RaiseReportRequest.DESCRIPTOR.fields}
    assert set(theirs) - set(ours) == {theirs_by(name) for name in ("access", "submission_id")}
    for number, field in ours.items():
        assert (field.name, field.type, field.message_type) == (theirs[number].name, theirs[number].type, theirs[number].message_type)


def theirs_by(name: str) -> int:
    return int(RaiseReportRequest.DESCRIPTOR.fields_by_name[name].number)


def test_a_safeguarding_report_reaches_merlin_whole() -> None:
    request = api.SubmitReportRequest(submission_id=SUBMISSION)
    request.access.justification = "Met on patrol"
    said = request.safeguarding
    said.subject.name.family_name = "Yarenquavish"
    said.summary = "Found alone"
    said.child.circumstances = "In a park"
    said.people.add().person.name.family_name = "Yarenquavish"
    raised = submissions.safeguarding(request)
    assert (raised.submission_id, raised.access.justification) == (SUBMISSION, "Met on patrol")
    assert (raised.subject, raised.summary, raised.child, list(raised.people)) == (
        said.subject,
        said.summary,
        said.child,
        list(said.people),
    )


FIELDS = {
    "sheet.classification.code": "crime.classification.code",
    "client_reference": "submission_id",
    "submission_id": "submission_id",
    "subject.name.family_name": "safeguarding.subject.name.family_name",
    "missing_person.last_seen": "safeguarding.missing_person.last_seen",
    "access.justification": "access.justification",
}


@pytest.mark.parametrize(("theirs", "ours"), FIELDS.items(), ids=FIELDS)
def test_fields_are_named_as_the_tablet_has_them(theirs: str, ours: str) -> None:
    assert submissions.field(theirs) == ours


def test_a_repetition_names_the_first_message() -> None:
    request = api.SubmitReportRequest(submission_id=SUBMISSION, crime=CrimeSheet())
    first = submissions.under_way(request, Receipt(message_id="m-1"))
    again = submissions.under_way(request, Receipt(message_id="m-1", duplicate_of="m-1"))
    assert (first.message_id, first.repeated_submission) == ("m-1", False)
    assert (again.message_id, again.repeated_submission) == ("m-1", True)
    assert again.destination == api.REPORT_DESTINATION_CRIS
