"""What the warehouse holds before the hub sends anything: a few days of custody records that the old platform loaded.

Their numbers are those of no arrest in the population, so that they never meet a record which somebody publishes today.
"""

from datetime import timedelta

from adapters.cdw.records import Disposal, Offence, Version
from adapters.kit.population import Population
from adapters.kit.population.reserved import custody_number

RECORDS = 12
FIRST = 9_001
"""Number of the first, far above those of the population's arrests."""


def loaded_before(population: Population) -> list[Version]:
    """Two versions of each record: opened, and closed on the day after."""
    return [version for place in range(RECORDS) for version in _record(population, place)]


def _record(population: Population, place: int) -> tuple[Version, Version]:
    arrest = population.arrest(3 + place)
    person = population.person(arrest.person_number)
    arrived_at = population.scale.now - timedelta(days=2) + timedelta(hours=8 + place % 4)
    offences = tuple(
        Offence(number=number, cjs_code=one.cjs_code, recordable=True) for number, one in enumerate(arrest.offences, start=1)
    )

    def version(number: int, after: timedelta, status: str, disposals: tuple[Disposal, ...] = ()) -> Version:
        at = arrived_at + after
        return Version(
            custody_number=custody_number(FIRST + place, arrest.force_station, arrived_at.year),
            version=number,
            business_date=at.date(),
            status=status,
            recorded_at=at,
            suite=arrest.force_station,
            arrived_at=arrived_at,
            arrested_at=arrived_at - timedelta(minutes=40),
            family_name=person.surname[:35],
            given_names=" ".join(person.forenames)[:107],
            birth_year=person.date_of_birth.year,
            birth_month=person.date_of_birth.month,
            birth_day=person.date_of_birth.day,
            sex=person.sex if person.sex in ("M", "F") else "",
            observed_ethnicity=person.observed_ethnicity,
            self_defined_ethnicity=person.self_defined_ethnicity,
            pnc_id=person.pnc_id,
            released_at=at if disposals else None,
            release_kind="UN" if disposals else "",
            offences=offences,
            disposals=disposals,
        )

    decided_at = arrived_at + timedelta(days=1)
    decided = tuple(Disposal(offence_number=one.number, cjs_code=one.cjs_code, kind="NFA", decided_at=decided_at) for one in offences)
    return version(1, timedelta(), "O"), version(2, timedelta(days=1), "C", decided)
