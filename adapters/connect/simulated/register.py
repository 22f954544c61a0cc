"""The rules of the simulated CONNECT: who may see what, versions, merges, commands once, and the feed of all that changes. In memory.

The law: whether somebody may see a record is asked before anything else about it, and the refusal is the same for an id that no record has.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.connect import wire
from adapters.connect.records import Tree
from adapters.connect.simulated.originals import Originals, at, name_of
from adapters.kit.population import Address, Population
from adapters.kit.population.codes import OFFENCES
from adapters.kit.simulation.rest import Refusal
from adapters.kit.simulation.ringing import Feed
from metip.identifiers import parse_pnc_id, parse_vrm

STEPS = {"DV": "DARA", "HT": "HATE"}
"""A flag, and the step that must have been taken before an investigation with it is recorded."""
MERGED_BEFORE = ("N0000000135", "N0000000010")
"""Two people of the same name, of whom somebody thought that they were one."""
OPEN = {"source": "CONNECT", "semanticVersion": "2.0.1", "status": "OPEN"}
MADE = 5_000_000_000
"""Records that are made here are numbered from there."""


class Register:
    """All records, as they were and as they became."""

    def __init__(self, population: Population, clock: Callable[[], datetime]) -> None:
        self.originals, self._population, self._clock = Originals(population), population, clock
        self._changed: dict[str, Tree] = {}
        self._moved: dict[str, tuple[str, str]] = {}
        self._custody = {arrest.custody_number: name_of("C", arrest.number) for arrest in population.arrests()}
        self.feed = Feed()
        self.merge(*MERGED_BEFORE)

    def see(self, entity_id: str, need_to_know: bool) -> Tree:
        """A record as somebody may see it. Raises `Refusal`."""
        record = self._now(self._moved.get(entity_id, (entity_id, ""))[0])
        if record is None:
            raise Refusal(404, "not-found")
        if not need_to_know and record.get("restricted"):
            raise Refusal(403, "restricted")
        if entity_id in self._moved:
            moved_to, merged_at = self._moved[entity_id]
            raise Refusal(301, "merged", {"movedTo": moved_to, "mergedAt": merged_at})
        links = [link for link in record["links"] if need_to_know or not (self._now(link["id"]) or {}).get("restricted")]
        return {**record, "links": links, "asAt": at(self._clock())}

    def numbered(self, reference: str, need_to_know: bool) -> Tree:
        """The custody record of a number."""
        return self.see(self._custody.get(reference, name_of("C", 0)), need_to_know)

    def search(self, letter: str, asked: Tree, most: int, start: int, need_to_know: bool) -> tuple[list[Tree], int]:
        """A page and where the next one starts, 0 after the last. Like the real one, it takes out what the asker may not see from a page
        that was full, so that some pages are short."""
        found = [one for one in self._found(letter, asked) if one not in self._moved]
        page = [self._now(one) or {} for one in found[start : start + most]]
        return [one for one in page if need_to_know or not one.get("restricted")], start + most if len(found) > start + most else 0

    def make(self, letter: str, asked: Tree, need_to_know: bool) -> Tree:
        """Makes a record, or a version of a custody record."""
        sections = asked["sections"]
        if letter == "C":
            return self._make_custody(sections, need_to_know)
        if letter == "I":
            offence = sections["offence"]
            if offence["classification"] not in {one.classification for one in OFFENCES}:
                raise Refusal(422, "invalid", {"errors": [{"pointer": "/sections/offence/classification", "detail": "Retired."}]})
            for flag, step in STEPS.items():
                if flag in offence.get("flags", ()) and step not in asked.get("stepsTaken", ()):
                    raise Refusal(409, "step-missing", {"step": step})
            sections = {**sections, "progress": {**OPEN, **sections.get("progress", OPEN)}}
        for link in asked.get("links", ()):
            self.see(link["id"], need_to_know)
        record = {"id": name_of(letter, MADE + len(self._changed)), "recorded": at(self._clock()), "links": asked.get("links", [])}
        return self._keep({**record, "sections": sections}, "CREATED", *sections)

    def _make_custody(self, sections: Tree, need_to_know: bool) -> Tree:
        detention = sections["detention"]
        reference, version = detention["custodyRecordNumber"], detention["sourceVersion"]
        if reference not in self._custody:
            self._custody[reference] = name_of("C", MADE + len(self._changed))
            return self._keep({"id": self._custody[reference], "links": [], "sections": sections}, "CREATED", *sections)
        held = self._now(self._custody[reference]) or {}
        if held["sections"]["detention"]["sourceVersion"] > version:
            raise Refusal(409, "superseded")
        return self._keep({**held, "sections": {**held["sections"], **sections}}, "UPDATED", *sections)

    def link(self, entity_id: str, tag: str, asked: Tree, need_to_know: bool) -> Tree:
        """Ties a record to another, if it has that version still."""
        record = self.see(entity_id, need_to_know)
        self.see(asked["id"], need_to_know)
        if tag != wire.tag_of(record["version"]):
            raise Refusal(412, "stale-version")
        held = self._now(entity_id) or {}
        return self._keep({**held, "links": [*held["links"], {"id": asked["id"], "role": asked["role"]}]}, "UPDATED", "links")

    # What people do in CONNECT itself.

    def save_elsewhere(self, entity_id: str) -> None:
        """Somebody saves a record."""
        self._keep(self._now(entity_id) or {}, "UPDATED", "identity")

    def restrict(self, entity_id: str) -> None:
        """Somebody restricts a record."""
        self._keep({**(self._now(entity_id) or {}), "restricted": True}, "WITHDRAWN")

    def merge(self, entity_id: str, into: str) -> None:
        """Two records become one."""
        self._moved[entity_id] = (into, at(self._clock()))
        self._keep(self._now(entity_id) or {}, "MERGED", other=into)
        self._keep(self._now(into) or {}, "UPDATED", "identity", "links")

    def unmerge(self, entity_id: str) -> None:
        """They become two again."""
        into, _ = self._moved.pop(entity_id)
        self._keep(self._now(entity_id) or {}, "UNMERGED", other=into)

    def _keep(self, record: Tree, change: str, *sections: str, other: str = "") -> Tree:
        kept = {**record, "version": record.get("version", 0) + 1}
        self._changed[kept["id"]] = kept
        unseen = any((self._now(one) or {}).get("restricted", False) for one in (kept["id"], other) if one)
        told = {"id": kept["id"], "version": kept["version"], "change": change, "at": at(self._clock()), "sections": list(sections)}
        self.feed.add({**told, "unseen": unseen, **({"other": other} if other else {})})
        return kept

    def _now(self, entity_id: str) -> Tree | None:
        return self._changed.get(entity_id) or self.originals.record(entity_id)

    def _found(self, letter: str, asked: Tree) -> list[str]:
        population = self._population
        if letter == "N" and "pncId" in asked:
            person = population.person_by_pnc_id(parse_pnc_id(asked["pncId"]).canonical)
            numbers = [person.number] if person else []
        elif letter == "N":
            people = population.find_people(asked["familyName"], asked.get("givenNames", ""), limit=population.scale.people)
            numbers = [one.number for one in people if one.date_of_birth.isoformat().startswith(asked.get("dateOfBirth", ""))]
        elif letter == "V":
            mark = parse_vrm(asked.get("vrm", "")).canonical
            vehicle = population.vehicle_by_vrm(mark) if mark else population.vehicle_by_vin(asked["vin"])
            numbers = [vehicle.number] if vehicle else []
        else:
            numbers = [one.number for one in population.addresses() if _fits(one, asked)]
        return [name_of(letter, number) for number in numbers]


def _fits(one: Address, asked: Tree) -> bool:
    building, uprn, postcode = asked.get("primary", str(one.house)), asked.get("uprn", one.uprn), asked.get("postcode", one.postcode)
    half = postcode if " " in postcode else f"{postcode} "
    street = asked.get("street", one.street).casefold()
    return (building, uprn) == (str(one.house), one.uprn) and one.postcode.startswith(half) and one.street.casefold().startswith(street)
