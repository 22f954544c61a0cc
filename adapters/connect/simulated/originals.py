"""The records that CONNECT holds before anybody changes one, made of the shared population when they are first asked for."""

from adapters.connect.records import Tree
from adapters.kit.population import Population
from adapters.kit.population import documents as plain
from adapters.kit.population.ties import Ties

KINDS = {"N": "person", "V": "vehicle", "L": "address", "I": "crime", "C": "arrest", "R": "report"}
LETTERS = {kind: letter for letter, kind in KINDS.items()}
WORDS = "victim suspect detained keeper resident scene involved subject arrest"
ROLES = dict(zip(WORDS.split(), ["VIC", "SUS", "DP", "KPR", "RES", "LOC", "INV", "SUB", "ARR"], strict=True))
SOURCES = (("CONNECT", "2.0.1"), ("CRIS", "1.2.0"), ("MERLIN", "1.0.0"))
"""Two of three records were taken over, each under the meaning that its own system had."""
CUSTODY_SOURCES = (("NSPIS", "1.0.0"), ("CONNECT", "2.0.1"))


def name_of(letter: str, number: int) -> str:
    """The id of the record of that kind and number."""
    return f"{letter}{number:010d}"


class Originals:
    """Makes the record of an id."""

    def __init__(self, population: Population) -> None:
        self._population, self._ties = population, Ties(population)

    def record(self, entity_id: str) -> Tree | None:
        """The record of that id; None when there is none."""
        letter, number = entity_id[:1], int(entity_id[1:])
        try:
            sections, recorded = self._sections(letter, number)
        except LookupError:
            return None
        links = [{"id": name_of(LETTERS[tie.kind], tie.number), "role": ROLES[tie.role]} for tie in self._ties.of(KINDS[letter], number)]
        head = {"id": entity_id, "version": 1, "restricted": self._ties.hidden(KINDS[letter], number), "recorded": recorded}
        return {**head, "sections": sections, "links": links}

    def _sections(self, letter: str, number: int) -> tuple[Tree, str | None]:
        """What a record says, and when it was recorded. Raises `LookupError`."""
        population, source = self._population, SOURCES[number % 3]
        match letter:
            case "N":
                return self._person(number), None
            case "V":
                return _sourced(source, vehicle=plain.vehicle(population.vehicle_numbered(number))), None
            case "L":
                one = population.address(number)
                return _sourced(source, premises=plain.said(place=plain.place(one), easting=one.easting, northing=one.northing)), None
            case "I":
                crime = population.crime(number)
                progress = {"status": crime.status, "summary": crime.method}
                return _sourced(source, offence=plain.offence(crime), progress=progress), plain.instant(crime.reported_at)
            case "C":
                arrest = population.arrest(number)
                # The same letter in both sources: whether somebody was called in the one, whether a need was found in the other.
                care = {"observation": "L1", "appropriateAdult": "N" if number % 5 else "Y"}
                detention = {**plain.detention(arrest), "sourceVersion": 4}
                said = _sourced(CUSTODY_SOURCES[number % 2], detention=detention, care=care)
                return {**self._person(arrest.person_number), **said}, None
        report = self._ties.reports[number]
        grading = {"source": report.source, "information": report.information, "handling": report.handling}
        items = [plain.said(text=report.text, grading=grading, handlingConditions=report.conditions)]
        return _sourced(SOURCES[0], intelligence={"items": items}), plain.instant(report.submitted_at)

    def _person(self, number: int) -> Tree:
        person, source = self._population.person(number), SOURCES[number % 3]
        home, signals = plain.place(self._population.address(person.address_number)), plain.signals(person)
        sections = {"identity": plain.identity(person), "identifiers": plain.identifiers(person), "description": plain.description(person)}
        return _sourced(source, **sections, addresses={"places": [home]}, warnings={"signals": signals})


def _sourced(source: tuple[str, str], **sections: Tree) -> Tree:
    return {name: {"source": source[0], "semanticVersion": source[1], **section} for name, section in sections.items()}
