"""The detentions of the invented people, version by version: arrival, what happens meanwhile, release. Pure, the same at each start."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.custody.records import Arrest, Clock, CustodyRecord, Detainee, Disposal, Footwear, Offence, Release, Review
from adapters.kit.population import Arrest as Arrested
from adapters.kit.population import Person, Population

LATE = timedelta(hours=47)
NAME = 35
"""Characters that the system keeps of a name (assumed)."""
SHOES = (
    ("NIKE", "AIR MAX 95", "Z-B-C-0173"),
    ("ADIDAS", "SAMBA", "C-Z-0041"),
    ("DR MARTENS", "1460", "B-B-0007"),
    ("REEBOK", "CLASSIC", ""),
)
"""Make, model and pattern code; '' where the pattern is in no reference collection. Makes are real, codes are invented."""
SUITES = {"01ZD": "CROYDON", "01YZ": "WEST END CENTRAL"}


def versions(population: Population, number: int) -> tuple[CustodyRecord, ...]:
    """The versions of the custody record that belongs to the arrest of a number, in order."""
    arrest = population.arrest(number)
    return tuple(
        replace(record, version=version) for version, record in enumerate(_told(arrest, population.person(arrest.person_number)), start=1)
    )


def amended(record: CustodyRecord) -> CustodyRecord:
    """A closed record as somebody corrects it 47 hours after the release, which is normal practice; as it was if it is open."""
    if record.release is None:
        return record
    return replace(
        record,
        version=record.version + 1,
        recorded=record.release.at + LATE,
        detainee=replace(record.detainee, height=record.detainee.height + 1),
    )


def _told(arrest: Arrested, person: Person) -> Iterator[CustodyRecord]:
    at = arrest.arrested_at.replace(second=0, microsecond=0)
    arrived = at + timedelta(minutes=25)
    record = CustodyRecord(
        number=arrest.custody_number,
        version=1,
        status="OPN",
        recorded=arrived,
        suite=arrest.force_station,
        suite_name=SUITES.get(arrest.force_station, f"SUITE {arrest.force_station}"),
        arrived=arrived,
        arrest=_arrest(arrest, at),
        detainee=_detainee(person),
        clock=Clock(relevant=arrived),
    )
    yield record
    authorised = arrived + timedelta(minutes=15)
    clock = Clock(relevant=arrived, authorised=authorised, expires=arrived + timedelta(hours=24), authority="CO")
    due = authorised + timedelta(hours=6)
    record = replace(
        record,
        status="UPD",
        recorded=authorised,
        clock=clock,
        risk=str(1 + arrest.number % 4),
        reviews=(Review(due=due),),
        footwear=_footwear(arrest, authorised + timedelta(minutes=20)),
    )
    yield record
    review = Review(due=due, done=due - timedelta(minutes=10), officer=f"P{200_000 + arrest.number}", method="PTV"[arrest.number % 3])
    record = replace(record, recorded=due, reviews=(review, Review(due=due + timedelta(hours=9))))
    yield record
    ended = due + timedelta(hours=2)
    kind, went = ("CHG", "BAI") if arrest.charged else (("RUI", "UNC"), ("NFA", "UNC"), ("BPC", "BAI"))[arrest.number % 3]
    yield replace(
        record,
        status="CLS",
        recorded=ended,
        asn=arrest.asn if arrest.charged else "",
        clock=replace(clock, expires=None) if arrest.charged else clock,
        reviews=(review,),
        disposals=tuple(Disposal(offence=one.number, code=one.code, kind=kind, at=ended) for one in record.arrest.offences),
        release=Release(at=ended, kind=went),
    )


def _arrest(arrest: Arrested, at: datetime) -> Arrest:
    offences = tuple(Offence(number=number, code=one.cjs_code, recordable=True) for number, one in enumerate(arrest.offences, start=1))
    return Arrest(at=at, place=f"STREET, AREA OF {arrest.force_station}", officer=f"P{100_000 + arrest.number}", offences=offences)


def _detainee(person: Person) -> Detainee:
    return Detainee(
        surname=person.surname[:NAME].upper(),
        forenames=" ".join(name[:NAME] for name in person.forenames).upper(),
        sex=person.sex,
        born=person.date_of_birth,
        observed=person.observed_ethnicity,
        self_defined=person.self_defined_ethnicity,
        height=person.height_cm,
        pnc_id=person.pnc_id,
    )


def _footwear(arrest: Arrested, at: datetime) -> Footwear:
    """Three in ten are never scanned (footweartimes.com, April 2015: 70% uptake)."""
    if arrest.number % 10 in (4, 7, 9):
        return Footwear(taken=False)
    make, model, pattern = SHOES[arrest.number % len(SHOES)]
    size = f"{5 + arrest.number % 8}{'.5' if arrest.number % 3 == 0 else ''}"
    return Footwear(taken=True, size=size, make=make, model=model, pattern=pattern, scan="DZR"[arrest.number % 3], scanned=at)
