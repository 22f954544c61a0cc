"""What each source is asked, and how its answer reads on a tablet. Pure: messages in, messages out."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration

from adapters.kit.federation import Answer, Ended
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.pole_pb2 import WarningSignal
from metip.common.v1.time_pb2 import DateRange
from metip.connect.v1 import location_service_pb2, person_service_pb2, vehicle_service_pb2
from metip.cris.v1 import crime_report_pb2 as cris
from metip.cris.v1 import crime_report_service_pb2 as crimes
from metip.merlin.v1 import report_pb2 as merlin
from metip.merlin.v1.report_service_pb2 import SearchReportsRequest, SearchReportsResponse
from metip.pnc.v1 import person_enquiry_service_pb2 as names
from metip.pnc.v1 import vehicle_enquiry_service_pb2 as vehicles
from metip.pnc.v1.person_pb2 import CirculationType, Nominal
from metip.tablet.v1.officer_search_service_pb2 import (
    AddressMatch,
    PersonMatch,
    SearchAddressesRequest,
    SearchPersonsRequest,
    SearchVehiclesRequest,
    SourceOutcome,
    SourceStatus,
    VehicleMatch,
)

T = TypeVar("T")
OPEN_AIR_WARNING = "NOT FOR OPEN AIR"


# Persons.


def pnc_person(asked: SearchPersonsRequest) -> names.SearchPersonsRequest:
    """The names enquiry; a date of birth bounds it on both sides."""
    born = DateRange(**{"from": asked.date_of_birth, "to": asked.date_of_birth}) if _complete(asked) else None
    return names.SearchPersonsRequest(access=asked.access, family_name=asked.family_name, given_names=asked.given_names, born=born)


def pnc_persons(reply: names.SearchPersonsResponse) -> Answer[PersonMatch]:
    """Candidates with what is circulated about them."""
    return _answer(map(_nominal, reply.nominals), reply.provenance)


def cris_person(asked: SearchPersonsRequest) -> crimes.SearchCrimeReportsRequest:
    """Crime reports in which the person plays any part."""
    person = crimes.PersonCriteria(family_name=asked.family_name, given_names=asked.given_names)
    if _complete(asked):
        person.date_of_birth.CopyFrom(asked.date_of_birth)
    return crimes.SearchCrimeReportsRequest(access=asked.access, person=person)


def cris_persons(reply: crimes.SearchCrimeReportsResponse) -> Answer[PersonMatch]:
    """Crime reports, each with the person's part in it."""
    return _answer(map(_party, reply.reports), reply.provenance)


def merlin_person(asked: SearchPersonsRequest) -> SearchReportsRequest:
    """Reports on people missing or at risk."""
    request = SearchReportsRequest(access=asked.access, family_name=asked.family_name, given_names=asked.given_names)
    if _complete(asked):
        request.date_of_birth.CopyFrom(asked.date_of_birth)
    return request


def merlin_persons(reply: SearchReportsResponse) -> Answer[PersonMatch]:
    """Reports, each with the person's part in it."""
    return _answer(map(_report, reply.reports), reply.provenance)


def connect_person(asked: SearchPersonsRequest) -> person_service_pb2.SearchPersonsRequest:
    """Persons of that name."""
    request = person_service_pb2.SearchPersonsRequest(access=asked.access, family_name=asked.family_name, given_names=asked.given_names)
    if _complete(asked):
        request.date_of_birth.CopyFrom(asked.date_of_birth)
    return request


def connect_persons(reply: person_service_pb2.SearchPersonsResponse) -> Answer[PersonMatch]:
    """Persons, with their warning signals."""
    return _answer(map(_known_person, reply.persons), reply.provenance)


def _nominal(one: Nominal) -> PersonMatch:
    circulated = [f"circulated: {_word(CirculationType.Name(report.type), 'CIRCULATION_TYPE_')}" for report in one.circulations]
    return PersonMatch(
        source="pnc",
        reference=one.person.pnc_id.value,
        person=one.person,
        role="nominal",
        summary="; ".join([*circulated, *_warnings(one.person.warning_signals)]) or "no circulation, no warning",
        not_over_open_air=any(OPEN_AIR_WARNING in report.text.upper() for report in one.circulations),
    )


def _party(one: cris.CrimeReportSummary) -> PersonMatch:
    return PersonMatch(
        source="cris",
        reference=one.crime_report_number.value,
        person=one.person,
        role=_word(cris.PartyRole.Name(one.role), "PARTY_ROLE_"),
        summary=one.summary,
        not_over_open_air=one.restricted,
    )


def _report(one: merlin.ReportSummary) -> PersonMatch:
    return PersonMatch(
        source="merlin",
        reference=one.merlin_reference.value,
        person=one.person,
        role=_word(merlin.PersonRole.Name(one.role), "PERSON_ROLE_"),
        summary=one.summary,
        not_over_open_air=one.restricted,
    )


def _known_person(one: person_service_pb2.PersonSummary) -> PersonMatch:
    return PersonMatch(
        source="connect",
        reference=one.entity_id.value,
        person=one.person,
        role="nominal",
        summary="; ".join(_warnings(one.person.warning_signals)) or "no warning",
        not_over_open_air=one.restricted,
    )


# Vehicles.


def pnc_vehicle(asked: SearchVehiclesRequest) -> vehicles.GetVehicleRequest:
    """The vehicle enquiry by mark."""
    return vehicles.GetVehicleRequest(access=asked.access, vrm=asked.vrm)


def pnc_vehicles(reply: vehicles.GetVehicleResponse) -> Answer[VehicleMatch]:
    """The register's entry, then each report about the vehicle with a handling of its own."""
    return _answer(_register_and_reports(reply), reply.provenance)


def cris_vehicle(asked: SearchVehiclesRequest) -> crimes.SearchCrimeReportsRequest:
    """Crime reports whose property bears the mark."""
    marked = crimes.PropertyCriteria(identifying_mark=asked.vrm.value)
    return crimes.SearchCrimeReportsRequest(access=asked.access, property=marked)


def cris_vehicles(reply: crimes.SearchCrimeReportsResponse) -> Answer[VehicleMatch]:
    """Crime reports with the vehicle among their property."""
    found = (
        VehicleMatch(
            source="cris",
            reference=one.crime_report_number.value,
            role="property",
            summary=one.summary,
            not_over_open_air=one.restricted,
        )
        for one in reply.reports
    )
    return _answer(found, reply.provenance)


def connect_vehicle(asked: SearchVehiclesRequest) -> vehicle_service_pb2.SearchVehiclesRequest:
    """Vehicles with that mark, of which there may be several: plates are cloned and given on."""
    return vehicle_service_pb2.SearchVehiclesRequest(access=asked.access, vrm=asked.vrm)


def connect_vehicles(reply: vehicle_service_pb2.SearchVehiclesResponse) -> Answer[VehicleMatch]:
    """Vehicles as CONNECT knows them."""
    found = (
        VehicleMatch(
            source="connect",
            reference=one.entity_id.value,
            vehicle=one.vehicle,
            role="vehicle",
            summary="known to CONNECT; its record says what it is tied to",
            not_over_open_air=one.restricted,
        )
        for one in reply.vehicles
    )
    return _answer(found, reply.provenance)


def _register_and_reports(reply: vehicles.GetVehicleResponse) -> Iterator[VehicleMatch]:
    facts = ("taxed" if reply.taxed else "not taxed", "insured" if reply.insured else "no insurance recorded")
    yield VehicleMatch(
        source="pnc",
        reference=reply.vehicle.vrm.value,
        vehicle=reply.vehicle,
        keeper=reply.keeper.name,
        keeper_address=reply.keeper.address if reply.keeper.HasField("address") else None,
        role="register",
        summary=", ".join(facts),
    )
    for report in reply.reports:
        yield VehicleMatch(
            source="pnc",
            reference=report.reference,
            role=_word(vehicles.VehicleReportType.Name(report.type), "VEHICLE_REPORT_TYPE_"),
            summary=report.text,
            not_over_open_air=report.handling == vehicles.HANDLING_NOT_OVER_OPEN_AIR,
        )


# Addresses.


def cris_address(asked: SearchAddressesRequest) -> crimes.SearchCrimeReportsRequest:
    """Crimes committed there."""
    place = crimes.PlaceCriteria(postcode=asked.postcode, street=asked.street)
    return crimes.SearchCrimeReportsRequest(access=asked.access, place=place)


def cris_addresses(reply: crimes.SearchCrimeReportsResponse) -> Answer[AddressMatch]:
    """Crime reports; their list does not repeat the venue."""
    found = (
        AddressMatch(
            source="cris",
            reference=one.crime_report_number.value,
            role="venue",
            summary=one.summary,
            not_over_open_air=one.restricted,
        )
        for one in reply.reports
    )
    return _answer(found, reply.provenance)


def connect_address(asked: SearchAddressesRequest) -> location_service_pb2.SearchLocationsRequest:
    """Locations there."""
    return location_service_pb2.SearchLocationsRequest(access=asked.access, postcode=asked.postcode, street=asked.street)


def connect_addresses(reply: location_service_pb2.SearchLocationsResponse) -> Answer[AddressMatch]:
    """Locations as CONNECT knows them."""
    found = (
        AddressMatch(
            source="connect",
            reference=one.entity_id.value,
            address=one.address,
            role="location",
            summary="known to CONNECT; its record says what it is tied to",
            not_over_open_air=one.restricted,
        )
        for one in reply.locations
    )
    return _answer(found, reply.provenance)


def outcome(ended: Ended) -> SourceOutcome:
    """How a source ended."""
    said = SourceOutcome(
        source=ended.source,
        status=SourceStatus.Value(f"SOURCE_STATUS_{ended.status.name}"),
        matches=ended.matches,
        explanation=ended.explanation,
        elapsed=Duration(seconds=int(ended.elapsed), nanos=int(ended.elapsed % 1 * 1e9)),
        truncated=ended.truncated,
    )
    if ended.as_of is not None:
        said.as_of.FromDatetime(ended.as_of)
    return said


def _warnings(signals: Iterable[WarningSignal]) -> list[str]:
    return [f"warning: {(signal.text or signal.code).lower()}" for signal in signals]


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).replace("_", " ").lower()


def _answer(matches: Iterable[T], provenance: Provenance) -> Answer[T]:
    as_of = provenance.as_of.ToDatetime(tzinfo=UTC) if provenance.HasField("as_of") else None
    return Answer(list(matches), as_of, provenance.truncated)


def _complete(asked: SearchPersonsRequest) -> bool:
    """Sources search by whole dates; a partial one would exclude the very person whose date is not known in full."""
    born = asked.date_of_birth
    return bool(born.year and born.month and born.day)
