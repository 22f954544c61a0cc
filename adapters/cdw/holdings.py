"""What the warehouse holds before the hub sends anything: custody records that the old platform loaded."""

from datetime import timedelta

from adapters.cdw.records import Disposal, Offence, Version
from adapters.kit.population import Population
from adapters.kit.population.past import PastDetention, past_detentions


def loaded_before(population: Population) -> list[Version]:
    """Two versions of each record: opened, and closed on the day after."""
    return [version for detention in past_detentions(population) for version in _versions(detention)]


def _versions(detention: PastDetention) -> tuple[Version, Version]:
    person, arrived_at = detention.person, detention.arrived_at
    offences = tuple(
        Offence(number=number, cjs_code=one.cjs_code, recordable=True) for number, one in enumerate(detention.arrest.offences, start=1)
    )

    def version(number: int, after: timedelta, status: str, disposals: tuple[Disposal, ...] = ()) -> Version:
        at = arrived_at + after
        return Version(
            custody_number=detention.custody_number,
            version=number,
            business_date=at.date(),
            status=status,
            recorded_at=at,
            suite=detention.arrest.force_station,
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
