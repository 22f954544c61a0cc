"""Which sources each view asks, what each is asked, and how its answer reads on a page. Messages in, messages out.

A source is a row of a table; a new one is a row more, and a line in `consults` of the contract. Its question is None when the request has
nothing by which it can be asked.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.kit.federation import Answer
from adapters.kit.values import DAY
from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1 import incident_service_pb2 as incidents
from metip.cad.v1.incident_service_pb2_grpc import IncidentServiceStub
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.pole_pb2 import Person
from metip.common.v1.time_pb2 import CivilDate, DateRange
from metip.connect.v1 import location_service_pb2 as connect_locations
from metip.connect.v1 import person_service_pb2 as connect_persons
from metip.connect.v1.location_service_pb2_grpc import LocationServiceStub
from metip.connect.v1.person_service_pb2_grpc import PersonServiceStub
from metip.copa.v1 import case_file_pb2 as copa
from metip.copa.v1.case_file_service_pb2 import GetCaseFileRequest, GetCaseFileResponse
from metip.copa.v1.case_file_service_pb2_grpc import CaseFileServiceStub
from metip.cris.v1 import crime_report_pb2 as cris
from metip.cris.v1 import crime_report_service_pb2 as crimes
from metip.cris.v1.crime_report_service_pb2_grpc import CrimeReportServiceStub
from metip.footwear.v1 import impression_pb2 as footwear
from metip.footwear.v1.footwear_service_pb2 import GetImpressionRequest, GetImpressionResponse
from metip.footwear.v1.footwear_service_pb2_grpc import FootwearServiceStub
from metip.iportal.v1 import portal_service_pb2 as api
from metip.iportal.v1 import view_pb2 as view
from metip.iportal.v1.view_pb2 import Entry
from metip.merlin.v1 import report_pb2 as merlin
from metip.merlin.v1 import report_service_pb2 as reports
from metip.merlin.v1.report_service_pb2_grpc import ReportServiceStub
from metip.pnc.v1 import person_enquiry_service_pb2 as names
from metip.pnc.v1.person_enquiry_service_pb2_grpc import PersonEnquiryServiceStub
from metip.pnc.v1.person_pb2 import CirculationType, Nominal

LONDON = ZoneInfo("Europe/London")
INCIDENTS_OF = timedelta(days=30)
LONGEST_STREET = 35


class Row(NamedTuple):
    """A source of a view."""

    source: str
    stub: Any
    method: str
    question: Callable[[Any], Any]
    answer: Callable[[Any], Answer[Entry]]


# Of a person. All but the first are asked by name.


def pnc_record(asked: api.ComposePersonViewRequest) -> names.GetPersonRequest | None:
    return names.GetPersonRequest(access=asked.access, pnc_id=asked.pnc_id) if asked.HasField("pnc_id") else None


def pnc_names(asked: api.ComposePersonViewRequest) -> names.SearchPersonsRequest | None:
    """A date of birth bounds it on both sides."""
    told, born = asked.description, _whole(asked.description)
    days = DateRange(**{"from": born, "to": born}) if born else None
    named = names.SearchPersonsRequest(access=asked.access, family_name=told.family_name, given_names=told.given_names, born=days)
    return named if asked.HasField("description") else None


def cris_person(asked: api.ComposePersonViewRequest) -> crimes.SearchCrimeReportsRequest | None:
    told = asked.description
    person = crimes.PersonCriteria(family_name=told.family_name, given_names=told.given_names, date_of_birth=_whole(told))
    return crimes.SearchCrimeReportsRequest(access=asked.access, person=person) if asked.HasField("description") else None


def merlin_person(asked: api.ComposePersonViewRequest) -> reports.SearchReportsRequest | None:
    told = asked.description
    named = {"family_name": told.family_name, "given_names": told.given_names, "date_of_birth": _whole(told)}
    return reports.SearchReportsRequest(access=asked.access, **named) if asked.HasField("description") else None  # type: ignore[arg-type]


def connect_person(asked: api.ComposePersonViewRequest) -> connect_persons.SearchPersonsRequest | None:
    """By number or by name, whichever is known."""
    if asked.HasField("pnc_id"):
        return connect_persons.SearchPersonsRequest(access=asked.access, pnc_id=asked.pnc_id)
    told = asked.description
    named = {"family_name": told.family_name, "given_names": told.given_names, "date_of_birth": _whole(told)}
    return connect_persons.SearchPersonsRequest(access=asked.access, **named) if asked.HasField("description") else None  # type: ignore[arg-type]


# Of an address.


def cris_place(asked: api.ComposeAddressViewRequest) -> crimes.SearchCrimeReportsRequest:
    place = crimes.PlaceCriteria(postcode=asked.postcode, street=asked.street)
    days = asked.days if asked.HasField("days") else None
    return crimes.SearchCrimeReportsRequest(access=asked.access, place=place, committed=days)


def connect_place(asked: api.ComposeAddressViewRequest) -> connect_locations.SearchLocationsRequest:
    return connect_locations.SearchLocationsRequest(access=asked.access, postcode=asked.postcode, street=asked.street)


def cad_street(asked: api.ComposeAddressViewRequest) -> incidents.SearchIncidentsRequest | None:
    """CAD has no index by postcode; without days, it is asked for those up to now."""
    today = datetime.now(LONDON).date()
    latest = DateRange(**{"from": DAY.out(today - INCIDENTS_OF), "to": DAY.out(today)})
    days = asked.days if asked.HasField("days") else latest
    street = asked.street[:LONGEST_STREET]
    return incidents.SearchIncidentsRequest(access=asked.access, opened=days, street=street) if street else None


# Of an incident, each by the reference that it has for it.


def cris_number(asked: api.ComposeIncidentViewRequest) -> crimes.GetCrimeReportRequest | None:
    number = asked.crime_report_number
    return crimes.GetCrimeReportRequest(access=asked.access, crime_report_number=number) if number.value else None


def cad_number(asked: api.ComposeIncidentViewRequest) -> incidents.GetIncidentRequest | None:
    return incidents.GetIncidentRequest(access=asked.access, cad_number=asked.cad_number) if asked.cad_number.value else None


def merlin_reference(asked: api.ComposeIncidentViewRequest) -> reports.GetReportRequest | None:
    reference = asked.merlin_reference
    return reports.GetReportRequest(access=asked.access, merlin_reference=reference) if reference.value else None


def footwear_custody(asked: api.ComposeIncidentViewRequest) -> GetImpressionRequest | None:
    number = asked.custody_record_number
    return GetImpressionRequest(access=asked.access, custody_record_number=number) if number.value else None


def copa_case(asked: api.ComposeIncidentViewRequest) -> GetCaseFileRequest | None:
    return GetCaseFileRequest(access=asked.access, pti_urn=asked.pti_urn) if asked.pti_urn.value else None


# Answers.


def nominal(one: Nominal) -> Entry:
    """A person with what is circulated and warned of."""
    said = [f"circulated: {_word(CirculationType, report.type, 'CIRCULATION_TYPE_')}" for report in one.circulations]
    said += [f"warning: {(signal.text or signal.code).lower()}" for signal in one.person.warning_signals]
    summary = "; ".join(said) or "no circulation, no warning"
    return Entry(kind=view.ENTRY_KIND_PERSON, reference=one.person.pnc_id.value, summary=summary, person=one.person, role="nominal")


def crime(one: cris.CrimeReportSummary) -> Entry:
    """Somebody's part in a crime report; of a place, the report."""
    return Entry(
        kind=view.ENTRY_KIND_CRIME_REPORT,
        reference=one.crime_report_number.value,
        summary=one.summary or one.classification.title,
        person=one.person if one.HasField("person") else None,
        role=_word(cris.PartyRole, one.role, "PARTY_ROLE_"),
        state=_word(cris.CrimeReportStatus, one.status, "CRIME_REPORT_STATUS_"),
        on=one.committed_on,
        restricted=one.restricted,
    )


def crime_report(one: cris.CrimeReport) -> Iterator[Entry]:
    """The parts that people have in a whole report; the report itself where nobody is in it."""
    for party in one.sheet.parties or (cris.CrimeParty(),):
        yield Entry(
            kind=view.ENTRY_KIND_CRIME_REPORT,
            reference=one.crime_report_number.value,
            summary=one.sheet.classification.title or one.sheet.classification.code,
            person=party.person if party.HasField("person") else None,
            role=_word(cris.PartyRole, party.role, "PARTY_ROLE_"),
            state=_word(cris.CrimeReportStatus, one.status, "CRIME_REPORT_STATUS_"),
            on=one.sheet.committed.from_date,
            restricted=one.restricted,
        )


def report(one: merlin.ReportSummary) -> Entry:
    """Somebody's part in a report."""
    return Entry(
        kind=view.ENTRY_KIND_SAFEGUARDING_REPORT,
        reference=one.merlin_reference.value,
        summary=one.summary,
        person=one.person,
        role=_word(merlin.PersonRole, one.role, "PERSON_ROLE_"),
        state=_word(merlin.ReportStatus, one.status, "REPORT_STATUS_"),
        on=DAY.out(one.created.ToDatetime(UTC)),
        restricted=one.restricted,
    )


def impression(one: footwear.Impression) -> Entry:
    """An impression: whose it is only the custody record tells."""
    shoe = " ".join(filter(None, (one.shoe.make, one.shoe.model, one.shoe.size and f"size {one.shoe.size}", one.shoe.pattern_code)))
    return Entry(
        kind=view.ENTRY_KIND_FOOTWEAR_IMPRESSION,
        reference=one.custody_record_number.value,
        summary=shoe,
        state=_word(footwear.ImpressionStatus, one.status, "IMPRESSION_STATUS_"),
        on=DAY.out(one.scanned_at.ToDatetime(UTC)) if one.HasField("scanned_at") else None,
    )


def case_file(one: copa.CaseFile) -> Iterator[Entry]:
    """The defendants of a case."""
    for defendant in one.defendants:
        yield Entry(
            kind=view.ENTRY_KIND_CASE_FILE,
            reference=one.pti_urn.value,
            summary=f"{len(one.hearings)} hearings, {len(one.results)} results",
            person=Person(name=defendant.name),
            role="defendant",
            state=_word(copa.CaseStatus, one.status, "CASE_STATUS_"),
            on=DAY.out(one.opened.ToDatetime(UTC)),
        )


def held_person(one: connect_persons.PersonSummary) -> Entry:
    """A person whom CONNECT holds."""
    reference = one.entity_id.value
    return Entry(kind=view.ENTRY_KIND_PERSON, reference=reference, person=one.person, role="nominal", restricted=one.restricted)


def held_location(one: connect_locations.LocationSummary) -> Entry:
    """A place that CONNECT holds."""
    return Entry(kind=view.ENTRY_KIND_LOCATION, reference=one.entity_id.value, address=one.address, restricted=one.restricted)


def incident(one: cad.IncidentHeadline) -> Entry:
    """An incident, without its caller."""
    said = (_word(cad.Grade, one.grade, "GRADE_"), *one.opening_codes, one.location.text)
    return Entry(
        kind=view.ENTRY_KIND_INCIDENT,
        reference=one.cad_number.value,
        summary=", ".join(filter(None, said)),
        state=_word(cad.IncidentState, one.state, "INCIDENT_STATE_"),
        on=DAY.out(one.opened_at.ToDatetime(UTC)),
    )


def connect_found(reply: connect_persons.SearchPersonsResponse) -> Answer[Entry]:
    return _answer(map(held_person, reply.persons), reply.provenance, more=bool(reply.next_page_token))


def connect_places(reply: connect_locations.SearchLocationsResponse) -> Answer[Entry]:
    return _answer(map(held_location, reply.locations), reply.provenance, more=bool(reply.next_page_token))


def cad_incidents(reply: incidents.SearchIncidentsResponse) -> Answer[Entry]:
    return _answer(map(incident, reply.incidents), reply.provenance)


def cad_incident(reply: incidents.GetIncidentResponse) -> Answer[Entry]:
    return _answer([incident(reply.incident.headline)], reply.provenance)


def pnc_nominals(reply: names.SearchPersonsResponse) -> Answer[Entry]:
    return _answer(map(nominal, reply.nominals), reply.provenance)


def pnc_nominal(reply: names.GetPersonResponse) -> Answer[Entry]:
    return _answer([nominal(reply.nominal)], reply.provenance)


def cris_reports(reply: crimes.SearchCrimeReportsResponse) -> Answer[Entry]:
    return _answer(map(crime, reply.reports), reply.provenance)


def cris_report(reply: crimes.GetCrimeReportResponse) -> Answer[Entry]:
    return _answer(crime_report(reply.report), reply.provenance)


def merlin_reports(reply: reports.SearchReportsResponse) -> Answer[Entry]:
    return _answer(map(report, reply.reports), reply.provenance)


def merlin_report(reply: reports.GetReportResponse) -> Answer[Entry]:
    return _answer([report(reply.report.summary)], reply.provenance)


def footwear_impression(reply: GetImpressionResponse) -> Answer[Entry]:
    return _answer([impression(reply.impression)], reply.provenance)


def copa_file(reply: GetCaseFileResponse) -> Answer[Entry]:
    return _answer(case_file(reply.case_file), reply.provenance)


PNC_RECORD = Row("pnc", PersonEnquiryServiceStub, "GetPerson", pnc_record, pnc_nominal)
PNC_NAMES = Row("pnc", PersonEnquiryServiceStub, "SearchPersons", pnc_names, pnc_nominals)
CONNECT = Row("connect", PersonServiceStub, "SearchPersons", connect_person, connect_found)
PERSON = (
    Row("cris", CrimeReportServiceStub, "SearchCrimeReports", cris_person, cris_reports),
    Row("merlin", ReportServiceStub, "SearchReports", merlin_person, merlin_reports),
)
"""Those that are asked by name only."""
ADDRESS = (
    Row("cris", CrimeReportServiceStub, "SearchCrimeReports", cris_place, cris_reports),
    Row("connect", LocationServiceStub, "SearchLocations", connect_place, connect_places),
    Row("cad", IncidentServiceStub, "SearchIncidents", cad_street, cad_incidents),
)
INCIDENT = (
    Row("cad", IncidentServiceStub, "GetIncident", cad_number, cad_incident),
    Row("cris", CrimeReportServiceStub, "GetCrimeReport", cris_number, cris_report),
    Row("merlin", ReportServiceStub, "GetReport", merlin_reference, merlin_report),
    Row("footwear", FootwearServiceStub, "GetImpression", footwear_custody, footwear_impression),
    Row("copa", CaseFileServiceStub, "GetCaseFile", copa_case, copa_file),
)
SOURCES = tuple(dict.fromkeys(row.source for row in (PNC_RECORD, CONNECT, *PERSON, *ADDRESS, *INCIDENT)))
"""Names of all sources, each once."""


def _answer(entries: Iterable[Entry], provenance: Provenance, *, more: bool = False) -> Answer[Entry]:
    as_of = provenance.as_of.ToDatetime(tzinfo=UTC) if provenance.HasField("as_of") else None
    return Answer(tuple(entries), as_of, provenance.truncated or more)


def _whole(told: api.PersonDescription) -> CivilDate | None:
    """Sources search by whole dates; a partial one would exclude the very person whose date is not known in full."""
    born = told.date_of_birth
    return born if born.year and born.month and born.day else None


def _word(enum: Any, value: int, prefix: str) -> str:
    name: str = enum.Name(value).removeprefix(prefix)
    return "" if name == "UNSPECIFIED" else name.replace("_", " ").lower()
