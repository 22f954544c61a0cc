"""The courts' side of the simulator: what a court has against a case, and what it decides. Pure: one case, one result, always."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from hashlib import sha256
from typing import Final

from adapters.kit.population import Population
from adapters.kit.population.records import Arrest
from adapters.libra import cases_sent, codes, records, results

PSA_CODE: Final = "2576"
DUMMY_ASN: Final = "0800NP0100000000001H"
MOST_OFFENCES: Final = 101
"""One more than Bichard 7 takes (F15 of the fault catalogue)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a court decides about one offence."""

    plea: str
    finding: str
    code: int
    text: str
    pence: int | None = None
    months: int | None = None


DECISIONS: Final = (
    Decision("1", "G", 1015, "Fined 120.", pence=12_000),
    Decision("2", "G", 1002, "Imprisonment for 3 Months", months=3),
    Decision("2", "N", 2006, "Dismissed"),
    Decision("1", "G", 1116, "Community Order", months=12),
)


def objection(case: cases_sent.Case) -> int:
    """The code under which the courts' system refuses a case; success when it has nothing against it."""
    if not re.fullmatch("[A-Z0-9]{4}[0-9]{3,7}", case.pti_urn) or not case.defendants:
        return codes.UNUSABLE_DATA
    if case.hearing is None or not re.fullmatch("[A-Z][A-Z0-9]{6,9}", case.hearing.court):
        return codes.INVALID_UNIT
    charged = [one.details.offence_code if one.details else "" for defendant in case.defendants for one in defendant.offences]
    return codes.SUCCESS if all(re.fullmatch("[A-Z0-9]{7,8}", one) for one in charged) else codes.INVALID_OFFENCE_CODE


def result_of(case: cases_sent.Case, *, many: bool = False, mistaken: bool = False) -> results.ResultedCases:
    """What the court decides at the first hearing: a case for each defendant. A `mistaken` clerk writes down another decision."""
    hearing = case.hearing or records.Hearing()
    on = hearing.day or date(2026, 11, 1)
    tried = tuple(results.CourtCase(pti_urn=case.pti_urn, defendant=_dealt_with(one, on, many, mistaken)) for one in case.defendants)
    return results.ResultedCases(session=results.Session(hearing=_court(hearing.court, on, hearing.at), cases=tried))


def result_of_nobody(population: Population) -> results.ResultedCases:
    """A result for a case that was never submitted, with the number that a court makes up when it has none (F14)."""
    arrest = next(found for found in _charged(population))
    person = population.person(arrest.person_number)
    named = records.Name(given_names=person.forenames[:3], family_name=person.surname)
    offence = arrest.offences[0]
    on = arrest.arrested_at.date()
    base = records.Offence(
        sequence_number=1, offence_code=offence.cjs_code, wording=offence.title, date_code="1", start_date=offence.committed_on
    )
    individual = results.CourtIndividual(
        details=records.Person(name=named, date_of_birth=person.date_of_birth, sex={"M": "1", "F": "2"}.get(person.sex, "9")),
        bail_status="A",
        address=results.CourtAddress(simple=results.SimpleAddress(lines=("NO FIXED ABODE",))),
        present_at_hearing="N",
    )
    defendant = results.CourtDefendant(
        reference=DUMMY_ASN, individual=individual, offences=(_resulted(base, on + timedelta(days=28), DECISIONS[0]),)
    )
    tried = results.CourtCase(pti_urn=arrest.pti_urn, defendant=defendant)
    return results.ResultedCases(session=results.Session(hearing=_court("B01EF01", on + timedelta(days=28), None), cases=(tried,)))


def _charged(population: Population) -> Iterator[Arrest]:
    return (one for one in map(population.arrest, range(1, population.scale.arrests + 1)) if one.charged)


def _court(court: str, on: date, at: time | None) -> results.CourtHearing:
    return results.CourtHearing(hearing=records.Hearing(court=court, day=on, at=at or time(10)), psa_code=PSA_CODE)


def _dealt_with(defendant: cases_sent.Defendant, on: date, many: bool, mistaken: bool) -> results.CourtDefendant:
    charged = [one.details or records.Offence() for one in defendant.offences]
    if many:
        charged = [_numbered(charged[index % len(charged)], index + 1) for index in range(MOST_OFFENCES)]
    individual, corporate = defendant.individual, defendant.corporate
    return results.CourtDefendant(
        reference=defendant.reference,
        individual=_individual(individual) if individual else None,
        organisation=_corporate(corporate) if corporate else None,
        offences=tuple(_resulted(one, on, _decision(defendant.reference, one, mistaken)) for one in charged),
    )


def _numbered(offence: records.Offence, number: int) -> records.Offence:
    return replace(offence, sequence_number=number, alcohol=None, vehicle=None)


def _decision(reference: str, offence: records.Offence, mistaken: bool) -> Decision:
    place = sha256(f"{reference}/{offence.sequence_number}".encode()).digest()[0] + mistaken
    return DECISIONS[place % len(DECISIONS)]


def _resulted(offence: records.Offence, on: date, decided: Decision) -> results.CourtOffence:
    started = offence.start_date
    duration = results.Duration(value=decided.months, unit="M") if decided.months else None
    outcome = results.Outcome(pence=decided.pence, duration=duration) if duration or decided.pence else None
    guilty = decided.finding == "G"
    return results.CourtOffence(
        details=offence,
        initiated_date=offence.charge_date or started or on,
        plea=decided.plea,
        mode_of_trial=1,
        final_disposal="Y",
        convicted=on if guilty else None,
        convicting_court=PSA_CODE if guilty else "",
        finding=decided.finding,
        results=(results.Result(code=decided.code, text=decided.text, outcome=outcome),),
    )


def _individual(defendant: cases_sent.Individual) -> results.CourtIndividual:
    return results.CourtIndividual(
        details=defendant.details,
        pnc_id=defendant.pnc_id,
        nationality=defendant.nationality,
        bail_conditions=defendant.bail_conditions,
        bail_status="U",
        address=results.CourtAddress(structured=defendant.address) if defendant.address else None,
        present_at_hearing="Y",
    )


def _corporate(defendant: cases_sent.Corporate) -> results.CourtCorporate:
    return results.CourtCorporate(
        name=defendant.name,
        address=results.CourtAddress(structured=defendant.address) if defendant.address else None,
        present_at_hearing="A",
        bail_status="A",
    )
