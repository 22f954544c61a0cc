"""The invented people and things as values. Each names the others by number: `person_number` is a number for `Population.person`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from .codes import CirculationKind, CrimeStatus, EpisodeKind, EpisodeStatus, Risk, VehicleReportKind


class Record:
    """What all records share, written once instead of generated for each class: that halves the time that importing this module takes.

    Records are equal when their kinds and all their fields are. A repr shows no name, so that no log and no failed test does.
    """

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({vars(self).get('number', '...')})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Address(Record):
    """A dwelling, in BS7666 parts and, apart from them, in lines of at most 35 characters (without the postcode)."""

    number: int
    flat: int
    """Number of the flat; 0 for a house."""
    house: int
    street: str
    town: str
    administrative_area: str
    postcode: str
    uprn: int
    usrn: int
    easting: int
    northing: int
    borough: str
    """Operational command unit, two letters."""
    force_station: str
    """Force and station, such as `01ZD`."""
    lines: tuple[str, ...]

    @property
    def paon(self) -> str:
        """Primary addressable object as the Standard Prosecutor Interface packs it: four digits and a suffix or blank."""
        return f"{self.house:04d} "

    @property
    def saon(self) -> str:
        """Secondary addressable object, packed likewise; '' for a house."""
        return f"{self.flat:04d} " if self.flat else ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Alias(Record):
    """Another name, and perhaps another date of birth, that a person has used."""

    surname: str
    forenames: tuple[str, ...]
    date_of_birth: date | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Circulation(Record):
    """A report on the wanted and missing index that is in force."""

    kind: CirculationKind
    circulated_by: str
    """Force and station."""
    reference: str
    text: str
    circulated_on: date


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Person(Record):
    """An invented person. Identifiers that the person does not have are ''. Ethnicity is drawn apart from all other facts."""

    number: int
    surname: str
    forenames: tuple[str, ...]
    sex: str
    """M, F or U, as on PNC."""
    date_of_birth: date
    place_of_birth: str
    nationality: str
    observed_ethnicity: int
    """The 6+1 code: 1 to 6, or 9 when unknown."""
    self_defined_ethnicity: str
    height_cm: int
    pnc_id: str
    """Canonical; '' for a person without a PNC record, who then has neither warning signals nor circulations."""
    cro: str
    driver_number: str
    aliases: tuple[Alias, ...]
    address_number: int
    phone: str
    warning_signals: tuple[str, ...]
    circulations: tuple[Circulation, ...]
    school: str
    """'' for an adult."""
    guardian_number: int
    """An adult at the same address; 0 for an adult."""

    def age_on(self, day: date) -> int:
        """Full years on a day; who was born on 29 February grows a year older on 1 March of other years."""
        return day.year - self.date_of_birth.year - ((day.month, day.day) < (self.date_of_birth.month, self.date_of_birth.day))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class VehicleReport(Record):
    """What a force reported about a vehicle."""

    kind: VehicleReportKind
    open_air: bool
    """Whether it may be spoken over open radio (Hansard, 19 July 1988, tells of reports that may not)."""
    circulated_by: str
    reference: str
    text: str
    reported_on: date


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Vehicle(Record):
    """An invented vehicle."""

    number: int
    vrm: str
    vin: str
    make: str
    model: str
    colour: str
    keeper_number: int
    keeper_since: date
    first_registered: date
    taxed: bool
    mot_expiry: date | None
    """Last day of the certificate; None for a vehicle of under three years, which needs none."""
    insured: bool
    reports: tuple[VehicleReport, ...]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Crime(Record):
    """A crime report. Times are UTC."""

    number: int
    reference: str
    borough: str
    beat: str
    title: str
    classification: str
    """Home Office classification."""
    cjs_code: str
    committed_from: datetime
    committed_to: datetime
    reported_at: datetime
    venue_number: int
    """Number of an address."""
    victim_number: int
    suspect_numbers: tuple[int, ...]
    vehicle_number: int
    """Vehicle that was stolen; 0 for none."""
    method: str
    flags: tuple[str, ...]
    restricted: bool
    """Whether the report may be seen by named people only; nobody else may learn that it exists."""
    cad_number: str
    """'' when nobody called the police."""
    status: CrimeStatus


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Episode(Record):
    """A Merlin report: a missing episode (MIS), a child (PAC) or an adult (ACN) who came to notice. Times are UTC."""

    number: int
    reference: str
    kind: EpisodeKind
    subject_number: int
    risk: Risk
    status: EpisodeStatus
    borough: str
    created_at: datetime
    last_seen_at: datetime | None
    """None unless the kind is MIS."""
    found_at: datetime | None
    circumstances: str
    concerns: tuple[str, ...]
    restricted: bool


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ArrestOffence(Record):
    """An offence for which somebody was arrested."""

    title: str
    cjs_code: str
    npcc_code: str
    committed_on: date


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Arrest(Record):
    """An arrest, with its PNC case where it ended in a charge. Times are UTC."""

    number: int
    asn: str
    """Arrest/summons number, canonical."""
    custody_number: str
    person_number: int
    force_station: str
    arrested_at: datetime
    offences: tuple[ArrestOffence, ...]
    crime_number: int
    """The crime that led to the arrest; 0 when it was for something else."""
    charged: bool
    court_code: str
    """Court, court case and PTI-URN are '' unless charged."""
    court_case_reference: str
    pti_urn: str
