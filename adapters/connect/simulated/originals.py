"""The records that CONNECT holds before anybody changes one, made of the shared population when they are first asked for."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from adapters.connect.records import Tree
from adapters.kit.population import WARNING_SIGNALS, Address, Arrest, Crime, Person, Population, Vehicle
from adapters.kit.population.intelligence import Report
from adapters.kit.population.ties import Ties

GENDER = {"M": "GNDR_0002", "F": "GNDR_0001"}
STATUS = {"OPEN": "OPEN", "DETECTED": "DETECTED", "SCREENED_OUT": "CLOSED"}
KINDS = {"N": "person", "V": "vehicle", "L": "address", "I": "crime", "C": "arrest", "R": "report"}
LETTERS = {kind: letter for letter, kind in KINDS.items()}
ROLES = {
    "victim": "VIC",
    "suspect": "SUS",
    "detained": "DP",
    "keeper": "KPR",
    "resident": "RES",
    "scene": "LOC",
    "involved": "INV",
    "subject": "SUB",
    "arrest": "ARR",
}
SOURCES = (("CONNECT", "2.0.1"), ("CRIS", "1.2.0"), ("MERLIN", "1.0.0"))
"""Two of three records were taken over, each under the meaning that its own system had."""


def name_of(letter: str, number: int) -> str:
    """The id of the record of that kind and number."""
    return f"{letter}{number:010d}"


def at(instant: datetime) -> str:
    """An instant as CONNECT writes it."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


class Originals:
    """Makes the record of an id."""

    def __init__(self, population: Population) -> None:
        self.population, self.ties = population, Ties(population)
        self._makers: dict[str, Callable[[int], Tree]] = {
            "N": lambda number: self._person(population.person(number)),
            "V": lambda number: _vehicle(population.vehicle_numbered(number)),
            "L": lambda number: _location(population.address(number)),
            "I": lambda number: _investigation(population.crime(number)),
            "C": lambda number: self._custody(population.arrest(number)),
            "R": lambda number: _report(self.ties.reports[number]),
        }

    def record(self, entity_id: str) -> Tree | None:
        """The record of that id; None when there is none."""
        letter, number = entity_id[:1], int(entity_id[1:])
        try:
            said = self._makers[letter](number)
        except LookupError:
            return None
        links = [{"id": name_of(LETTERS[tie.kind], tie.number), "role": ROLES[tie.role]} for tie in self.ties.of(KINDS[letter], number)]
        return {"id": entity_id, "version": 1, "restricted": self.ties.hidden(KINDS[letter], number), "links": links, **said}

    def _person(self, person: Person) -> Tree:
        number, signals = person.number, [{"code": code, "text": WARNING_SIGNALS[code]} for code in person.warning_signals]
        seen, given = f"IC{person.observed_ethnicity}", f"ESDD_{person.self_defined_ethnicity}"
        home = _place(self.population.address(person.address_number))
        born, gender, aliases = person.date_of_birth.isoformat(), GENDER.get(person.sex, ""), [_name(one) for one in person.aliases]
        sections = {
            "identity": _section(number, name=_name(person), aliases=aliases, dateOfBirth=born, gender=gender),
            # It prints a PNC id without the century.
            "identifiers": _section(number, pncId=person.pnc_id[2:], croNumber=person.cro),
            "description": _section(number, observedEthnicity=seen, selfDefinedEthnicity=given, heightCm=person.height_cm),
            "addresses": _section(number, places=[home]),
            "warnings": _section(number, signals=signals),
        }
        return {"sections": sections}

    def _custody(self, one: Arrest) -> Tree:
        source, version = (("NSPIS", "1.0.0"), ("CONNECT", "2.0.1"))[one.number % 2]
        detention = {
            "custodyRecordNumber": one.custody_number,
            "sourceVersion": 4,
            "suite": one.force_station,
            "arrivedAt": at(one.arrested_at),
            "arrestedAt": at(one.arrested_at),
            "offences": [{"number": place, "cjsOffenceCode": offence.cjs_code} for place, offence in enumerate(one.offences, 1)],
            "arrestSummonsNumber": one.asn if one.charged else "",
        }
        # The same letter in both: whether somebody was called in the one, whether a need was found in the other.
        said: Tree = {"detention": detention, "care": {"observation": "L1", "appropriateAdult": "N" if one.number % 5 else "Y"}}
        sections = {name: {"source": source, "semanticVersion": version, **section} for name, section in said.items()}
        return {"sections": {**self._person(self.population.person(one.person_number))["sections"], **sections}}


def _vehicle(one: Vehicle) -> Tree:
    mark, first = f"{one.vrm[:4]} {one.vrm[4:]}", one.first_registered.isoformat()
    said = _section(one.number, registration=mark, vin=one.vin, make=one.make, model=one.model, colour=one.colour, firstRegistered=first)
    return {"sections": {"vehicle": said}}


def _location(one: Address) -> Tree:
    return {"sections": {"premises": _section(one.number, place=_place(one), easting=one.easting, northing=one.northing)}}


def _investigation(one: Crime) -> Tree:
    what = {"crimeReportNumber": one.reference, "cjsOffenceCode": one.cjs_code, "classification": one.classification}
    when = {"committedFrom": at(one.committed_from), "committedTo": at(one.committed_to)}
    offence = _section(one.number, **what, **when, borough=one.borough, flags=list(one.flags))
    progress = _section(one.number, status=STATUS[one.status], summary=one.method)
    return {"recorded": at(one.reported_at), "sections": {"offence": offence, "progress": progress}}


def _report(one: Report) -> Tree:
    grading = {"source": one.source, "information": one.information, "handling": one.handling}
    item = {"text": one.text, "grading": grading, "handlingConditions": one.conditions}
    return {"recorded": at(one.submitted_at), "sections": {"intelligence": _section(0, items=[item])}}


def _section(number: int, **said: Any) -> Tree:
    source, version = SOURCES[number % 3]
    return {"source": source, "semanticVersion": version, **{name: value for name, value in said.items() if value}}


def _name(one: Any) -> Tree:
    """The first 35 characters of each part: it has no room for more."""
    return {"familyName": one.surname[:35], "givenNames": [name[:35] for name in one.forenames]}


def _place(one: Address) -> Tree:
    flat = {"secondary": f"Flat {one.flat}"} if one.flat else {}
    return {**flat, "primary": str(one.house), "street": one.street, "town": one.town, "uprn": one.uprn, "postcode": one.postcode}
