"""The rules of the simulated CONNECT: who may see what, versions, merges, commands once, and the feed of all that changes. In memory.

The law: whether somebody may see a record is asked before anything else about it, and the refusal is the same for an id that no record has.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.connect import wire
from adapters.connect.records import Tree
from adapters.connect.simulated.originals import Originals, name_of
from adapters.kit.population import Population, finding
from adapters.kit.population.codes import OFFENCES
from adapters.kit.population.documents import instant
from adapters.kit.simulation.rest import Refusal
from adapters.kit.simulation.ringing import Feed

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
        self.custody = {arrest.custody_number: name_of("C", arrest.number) for arrest in population.arrests()}
        self.feed = Feed()
        self.merge(*MERGED_BEFORE)

    def see(self, entity_id: str, need_to_know: bool) -> Tree:
        """A record as somebody may see it. Raises `Refusal`."""
        record = self._now(self._moved.get(entity_id, (entity_id, ""))[0])
        if not record:
            raise Refusal(404, "not-found")
        if not need_to_know and record.get("restricted"):
            raise Refusal(403, "restricted")
        if entity_id in self._moved:
            moved_to, merged_at = self._moved[entity_id]
            raise Refusal(301, "merged", {"movedTo": moved_to, "mergedAt": merged_at})
        links = [link for link in record["links"] if need_to_know or not self._now(link["id"]).get("restricted")]
        return {**record, "links": links, "asAt": instant(self._clock())}

    def search(self, letter: str, asked: Tree, most: int, start: int, need_to_know: bool) -> tuple[list[Tree], int]:
        """A page and where the next one starts, 0 after the last. Like the real one, it takes out what the asker may not see from a page
        that was full, so that some pages are short."""
        numbers = {"N": finding.people, "V": finding.vehicles, "L": finding.addresses}[letter](self._population, asked)
        found = [one for one in (name_of(letter, number) for number in numbers) if one not in self._moved]
        page = [self._now(one) for one in found[start : start + most]]
        return [one for one in page if need_to_know or not one.get("restricted")], start + most if len(found) > start + most else 0

    def make(self, letter: str, asked: Tree, need_to_know: bool) -> Tree:
        """Makes a record, or a version of a custody record."""
        sections = asked["sections"]
        if letter == "C":
            return self._make_custody(sections)
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
        record = {"id": name_of(letter, MADE + len(self._changed)), "recorded": instant(self._clock()), "links": asked.get("links", [])}
        return self._keep({**record, "sections": sections}, "CREATED", *sections)

    def _make_custody(self, sections: Tree) -> Tree:
        detention = sections["detention"]
        reference, version = detention["custodyRecordNumber"], detention["sourceVersion"]
        if reference not in self.custody:
            self.custody[reference] = name_of("C", MADE + len(self._changed))
            known = finding.people(self._population, {"pncId": sections.get("identifiers", {}).get("pncId", "")})
            links = [{"id": name_of("N", number), "role": "DP"} for number in known]
            return self._keep({"id": self.custody[reference], "links": links, "sections": sections}, "CREATED", *sections)
        held = self._now(self.custody[reference])
        if held["sections"]["detention"]["sourceVersion"] > version:
            raise Refusal(409, "superseded")
        return self._keep({**held, "sections": {**held["sections"], **sections}}, "UPDATED", *sections)

    def link(self, entity_id: str, tag: str, asked: Tree, need_to_know: bool) -> Tree:
        """Ties a record to another, if it has that version still."""
        for one in (entity_id, asked["id"]):
            self.see(one, need_to_know)
        held = self._now(entity_id)
        if tag != wire.tag_of(held["version"]):
            raise Refusal(412, "stale-version")
        return self._keep({**held, "links": [*held["links"], asked]}, "UPDATED", "links")

    def save_elsewhere(self, entity_id: str = "") -> None:
        """Somebody saves a record, of whomever."""
        someone = name_of("N", len(self.feed.items) % self._population.scale.people + 1)
        self._keep(self._now(entity_id or someone), "UPDATED", "identity")

    def restrict(self, entity_id: str) -> None:
        """Somebody restricts a record."""
        self._keep({**self._now(entity_id), "restricted": True}, "RESTRICTED")

    def merge(self, entity_id: str, into: str) -> None:
        """Two records become one."""
        self._moved[entity_id] = (into, instant(self._clock()))
        self._keep(self._now(entity_id), "MERGED", other=into)
        self._keep(self._now(into), "UPDATED", "identity", "links")

    def unmerge(self, entity_id: str) -> None:
        """They become two again."""
        if entity_id in self._moved:
            self._keep(self._now(entity_id), "UNMERGED", other=self._moved.pop(entity_id)[0])

    def _keep(self, record: Tree, change: str, *sections: str, other: str = "") -> Tree:
        kept = {**record, "version": record.get("version", 0) + 1}
        self._changed[kept["id"]] = kept
        told = {"id": kept["id"], "version": kept["version"], "change": change, "at": instant(self._clock()), "sections": list(sections)}
        secret = {"restricted": kept.get("restricted", False), "otherRestricted": bool(other and self._now(other).get("restricted"))}
        self.feed.add({**told, **secret, **({"other": other} if other else {})})
        return kept

    def _now(self, entity_id: str) -> Tree:
        return self._changed.get(entity_id) or self.originals.record(entity_id) or {}
