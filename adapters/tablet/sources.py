"""What each source is asked, and how its answer reads on a tablet. Pure: messages in, messages out."""

from datetime import UTC

from adapters.kit.federation import Answer
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.time_pb2 import DateRange
from metip.cris.v1 import crime_report_pb2 as cris
from metip.cris.v1.crime_report_service_pb2 import PersonCriteria, SearchCrimeReportsRequest, SearchCrimeReportsResponse
from metip.merlin.v1 import report_pb2 as merlin
from metip.merlin.v1.report_service_pb2 import SearchReportsRequest, SearchReportsResponse
from metip.pnc.v1 import person_enquiry_service_pb2 as pnc
from metip.pnc.v1.person_pb2 import CirculationType, Nominal
from metip.tablet.v1.officer_search_service_pb2 import PersonMatch, SearchPersonsRequest

OPEN_AIR_WARNING = "NOT FOR OPEN AIR"


def pnc_request(asked: SearchPersonsRequest) -> pnc.SearchPersonsRequest:
    """The names enquiry; a date of birth bounds it on both sides."""
    born = DateRange(**{"from": asked.date_of_birth, "to": asked.date_of_birth}) if _complete(asked) else None
    return pnc.SearchPersonsRequest(access=asked.access, family_name=asked.family_name, given_names=asked.given_names, born=born)


def pnc_answer(reply: pnc.SearchPersonsResponse) -> Answer[PersonMatch]:
    """Candidates with what is circulated about them."""
    return _answer([_nominal(one) for one in reply.nominals], reply.provenance)


def cris_request(asked: SearchPersonsRequest) -> SearchCrimeReportsRequest:
    """Crime reports in which the person plays any part."""
    person = PersonCriteria(family_name=asked.family_name, given_names=asked.given_names)
    if _complete(asked):
        person.date_of_birth.CopyFrom(asked.date_of_birth)
    return SearchCrimeReportsRequest(access=asked.access, person=person)


def cris_answer(reply: SearchCrimeReportsResponse) -> Answer[PersonMatch]:
    """Crime reports, each with the person's part in it."""
    return _answer([_crime(one) for one in reply.reports], reply.provenance)


def merlin_request(asked: SearchPersonsRequest) -> SearchReportsRequest:
    """Reports on people missing or at risk."""
    request = SearchReportsRequest(access=asked.access, family_name=asked.family_name, given_names=asked.given_names)
    if _complete(asked):
        request.date_of_birth.CopyFrom(asked.date_of_birth)
    return request


def merlin_answer(reply: SearchReportsResponse) -> Answer[PersonMatch]:
    """Reports, each with the person's part in it."""
    return _answer([_report(one) for one in reply.reports], reply.provenance)


def _nominal(one: Nominal) -> PersonMatch:
    circulated = [CirculationType.Name(report.type).removeprefix("CIRCULATION_TYPE_").replace("_", " ") for report in one.circulations]
    warnings = [signal.text or signal.code for signal in one.person.warning_signals]
    summary = "; ".join([*(f"circulated: {word.lower()}" for word in circulated), *(f"warning: {word.lower()}" for word in warnings)])
    return PersonMatch(
        source="pnc",
        reference=one.person.pnc_id.value,
        person=one.person,
        role="nominal",
        summary=summary or "no circulation, no warning",
        not_over_open_air=any(OPEN_AIR_WARNING in report.text.upper() for report in one.circulations),
    )


def _crime(one: cris.CrimeReportSummary) -> PersonMatch:
    role = cris.PartyRole.Name(one.role).removeprefix("PARTY_ROLE_").lower()
    return PersonMatch(
        source="cris",
        reference=one.crime_report_number.value,
        person=one.person,
        role=role,
        summary=one.summary,
        not_over_open_air=one.restricted,
    )


def _report(one: merlin.ReportSummary) -> PersonMatch:
    role = merlin.PersonRole.Name(one.role).removeprefix("PERSON_ROLE_").replace("_", " ").lower()
    return PersonMatch(
        source="merlin",
        reference=one.merlin_reference.value,
        person=one.person,
        role=role,
        summary=one.summary,
        not_over_open_air=one.restricted,
    )


def _answer(matches: list[PersonMatch], provenance: Provenance) -> Answer[PersonMatch]:
    as_of = provenance.as_of.ToDatetime(tzinfo=UTC) if provenance.HasField("as_of") else None
    return Answer(matches, as_of, provenance.truncated)


def _complete(asked: SearchPersonsRequest) -> bool:
    """Sources search by whole dates; a partial one would exclude the very person whose date is not known in full."""
    born = asked.date_of_birth
    return bool(born.year and born.month and born.day)
