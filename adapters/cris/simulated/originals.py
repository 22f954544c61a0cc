"""The population's crimes as reports that CRIS would hold of them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from adapters.cris import records
from adapters.cris.codes import NAME, ZONE, Channel, Involvement, Page, Role, Sex, Status
from adapters.cris.records import Day
from adapters.kit.population import STORIES, Address, Crime, CrimeStatus, Person, Population

LONDON = ZoneInfo(ZONE)
STATUSES: Mapping[CrimeStatus, Status] = MappingProxyType(
    {CrimeStatus.OPEN: Status.OPEN, CrimeStatus.DETECTED: Status.DETECTED, CrimeStatus.SCREENED_OUT: Status.SCREENED_OUT}
)
SEXES: Mapping[str, Sex] = MappingProxyType({"M": Sex.MALE, "F": Sex.FEMALE, "U": Sex.NOT_SPECIFIED})
CHANNELS = tuple(Channel)


def report_of(population: Population, crime: Crime) -> records.Report:
    """The report of a crime, at version 1, with the two entries that every report begins with."""
    officer = first_officer(crime)
    recorded_at = local(crime.reported_at)
    return records.Report(
        crime_no=crime.reference,
        version=1,
        status=STATUSES[crime.status],
        restricted=crime.restricted,
        recorded_at=recorded_at,
        sheet=_sheet(population, crime, officer),
        dets=(
            records.Det(number=1, page=Page.INVESTIGATION, author=officer, entered_at=recorded_at, text=f"Report taken. {crime.method}"),
            records.Det(
                number=2,
                page=Page.VICTIM_CONTACT,
                author=officer,
                entered_at=local(crime.reported_at + timedelta(hours=3)),
                text="Victim called and told the crime number. No further lines of enquiry from this call.",
            ),
        ),
    )


def first_officer(crime: Crime) -> str:
    """The warrant number of the officer who took the report."""
    return f"P{100_000 + crime.number * 37 % 900_000}"


def _sheet(population: Population, crime: Crime, officer: str) -> records.Sheet:
    venue = population.address(crime.venue_number)
    committed_from, committed_to = local(crime.committed_from), local(crime.committed_to)
    return records.Sheet(
        channel=CHANNELS[crime.number % len(CHANNELS)],
        borough=crime.borough,
        beat=crime.beat,
        class_code=crime.classification,
        class_title=crime.title,
        committed=records.Period(
            from_date=day(committed_from),
            from_time=committed_from.time(),
            to_date=day(committed_to),
            to_time=committed_to.time(),
        ),
        venue=_address(venue),
        easting=venue.easting,
        northing=venue.northing,
        mo_text=crime.method,
        flags=crime.flags,
        parties=tuple(_parties(population, crime)),
        property=_property(population, crime),
        first_officer=officer,
        cad_no=crime.cad_number,
    )


def _parties(population: Population, crime: Crime) -> Iterator[records.Party]:
    yield records.Party(number=1, role=Role.VICTIM, person=_person(population, population.person(crime.victim_number)))
    for number, suspect in enumerate(crime.suspect_numbers, 1):
        yield records.Party(number=number, role=Role.SUSPECT, person=_person(population, population.person(suspect)))
    # Somebody else told of every fifth crime and saw another fifth; nobody whose story is fixed is drawn into either.
    role = {0: Role.INFORMANT, 1: Role.WITNESS}.get(crime.number % 5)
    last_story = max(STORIES.values())
    other = last_story + 1 + crime.number * 37 % (population.scale.people - last_story)
    if role and crime.number > last_story and other not in (crime.victim_number, *crime.suspect_numbers):
        yield records.Party(number=1, role=role, person=_person(population, population.person(other)))


def _property(population: Population, crime: Crime) -> tuple[records.PropertyLine, ...]:
    if not crime.vehicle_number:
        return ()
    vehicle = population.vehicle_numbered(crime.vehicle_number)
    description = f"{vehicle.colour} {vehicle.make} {vehicle.model}"
    return (records.PropertyLine(number=1, involvement=Involvement.STOLEN, description=description, mark=vehicle.vrm),)


def _person(population: Population, person: Person) -> records.Person:
    return records.Person(
        given_names=tuple(name[:NAME] for name in person.forenames),
        family_name=person.surname[:NAME],  # a longer one is cut, as every screen of CRIS does
        date_of_birth=day(person.date_of_birth),
        sex=SEXES[person.sex],
        ic_code=person.observed_ethnicity,
        sde_code=person.self_defined_ethnicity,
        height_cm=person.height_cm,
        pnc_id=person.pnc_id,
        address=_address(population.address(person.address_number)),
    )


def _address(held: Address) -> records.Address:
    return records.Address(
        secondary=f"FLAT {held.flat}" if held.flat else "",
        primary=str(held.house),
        street=held.street,
        town=held.town,
        uprn=held.uprn,
        postcode=held.postcode,
    )


def day(of: date) -> Day:
    """The day of a date or of an instant."""
    return Day(of.year, of.month, of.day)


def local(instant: datetime) -> datetime:
    """An instant as CRIS prints it."""
    return instant.astimezone(LONDON).replace(tzinfo=None)


def now() -> datetime:
    """The clock on CRIS's wall."""
    return local(datetime.now(UTC)).replace(microsecond=0)
