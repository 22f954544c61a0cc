"""What the simulated host has on file, and how updates change it; in memory, the same at every start.

Who is on file is the population's; what courts did is kept as the segments in which it is asked for and told. Which cases have results at
the start, and the words and most codes of refusals, are (assumed); what the codes mean to an update is in `replies`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.kit.population import Arrest, Person, Population
from adapters.kit.population.standing import DEFERRED_MONTHS, FINE_POUNDS, Standing, opened_serial, standing
from adapters.pnc.records import SEGMENTS, Segment, Transaction, runs
from metip import identifiers

CARRIED_FORWARD = "2059"
DEFERRED = "4005"
FINE = "1015"


@dataclass
class Refused(Exception):
    """What the host answers instead of doing what it was asked."""

    code: str
    words: str


@dataclass
class OffenceOnFile:
    """One offence: COF, then ADJ and DIS once a court has decided."""

    key: Segment
    decided: list[Segment] = field(default_factory=list)

    @property
    def adjudicated(self) -> bool:
        """Whether a finding is on file."""
        return any(segment.tag == "ADJ" for segment in self.decided)


@dataclass
class CaseOnFile:
    """One court case (CCR) or penalty case (PCR)."""

    key: Segment
    arrest: Arrest
    offences: list[OffenceOnFile]

    def segments(self) -> list[Segment]:
        """The case as a reply tells it."""
        told = [self.key]
        for offence in self.offences:
            told += [offence.key, *offence.decided]
        return told


class Holdings:
    """Cases by arrest/summons number in slash form and by court case reference in short form; remands by the former."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._by_arrest: dict[str, list[CaseOnFile]] = {}
        self._by_case: dict[str, CaseOnFile] = {}
        self._arrests: dict[str, Arrest] = {}
        self._opened = 0
        self.remands: dict[str, list[Segment]] = {}
        for arrest in population.arrests():
            number = identifiers.slash_arrest_summons_number(arrest.asn)
            self._arrests[number] = arrest
            self._by_arrest[number] = _cases_at_start(arrest)
            for case in self._by_arrest[number]:
                self._by_case[case.key.fields().get("court_case_ref", "")] = case

    def arrest(self, number: str) -> Arrest | None:
        """The arrest of a number in slash form."""
        return self._arrests.get(number)

    def cases(self, number: str) -> Sequence[CaseOnFile]:
        """The cases under an arrest/summons number."""
        return self._by_arrest.get(number, ())

    def person(self, arrest: Arrest) -> Person:
        """Who was arrested."""
        return self._population.person(arrest.person_number)

    # Updates. Each checks everything before it changes anything, and raises `Refused`.

    def remand(self, update: Transaction) -> list[Segment]:
        """Remembers a remand."""
        number = _field(update, "ASR", "asn")
        self._match(update, self._known(number))
        if not _field(update, "REM", "result") or not _field(update, "REM", "remand_date"):
            raise Refused("I0001", "INVALID ELEMENT IN SEGMENT REM")
        self.remands.setdefault(number, []).extend(update.all("REM"))
        return [told(f"A0031 - REMAND RECORDED FOR {number}")]

    def dispose(self, update: Transaction) -> list[Segment]:
        """Records findings and disposals, added charges, and what is carried forward."""
        case = self._case(update)
        added = update.find("ASR")
        if added is not None and self._known(added["asn"]).number != case.arrest.number:
            raise Refused("I0021", "ADDED CHARGES BELONG TO ANOTHER ARREST")
        results = self._results(update, case)
        if not results and added is None:
            raise Refused("I0001", "NOTHING TO RECORD")
        if any(offence.adjudicated for offence, _ in results):
            raise Refused("I0020", f"RESULTS ALREADY ON FILE FOR CASE {_field(update, 'CCR', 'court_case_ref')}")
        for offence, decided in results:
            offence.decided = decided
        said = [told(f"A0003 - COURT RESULTS RECORDED FOR CASE {case.key['court_case_ref']}")]
        if added is not None:
            for run in runs(update.segments, "ACH"):
                case.offences.append(_added(run, len(case.offences) + 1))
            said.append(told("A0029 - CHARGES ADDED BY THE COURT RECORDED"))
        if update.find("CRT") is not None:
            opened = self._carry_forward(case, results)
            said = [opened.key, *said, told(f"A0027 - CASE {opened.key['court_case_ref']} OPENED FOR WHAT WAS CARRIED FORWARD")]
        return said

    def resume(self, update: Transaction) -> list[Segment]:
        """Records a later appearance: the sentence after a deferral is added, a variation takes the place of what was there."""
        case = self._case(update)
        results = self._results(update, case)
        if any(not offence.adjudicated for offence, _ in results):
            raise Refused("I0020", f"NO EARLIER RESULT ON FILE FOR CASE {case.key['court_case_ref']}")
        varied = _field(update, "SUB", "hearing_type") == "V"
        for offence, decided in results:
            found = [segment for segment in decided if segment.tag == "ADJ"] or offence.decided[:1]
            before = [] if varied else offence.decided[1:]
            offence.decided = [*found, *before, *(segment for segment in decided if segment.tag == "DIS")]
        return [told(f"A0005 - SUBSEQUENT APPEARANCE RECORDED FOR CASE {case.key['court_case_ref']}")]

    def _known(self, number: str) -> Arrest:
        arrest = self._arrests.get(number)
        if arrest is None:
            raise Refused("I1008", f"ARREST/SUMMONS REF {number} NOT FOUND")
        return arrest

    def _case(self, update: Transaction) -> CaseOnFile:
        reference = _field(update, "CCR", "court_case_ref")
        case = self._by_case.get(reference)
        if case is None:
            raise Refused("I0022", f"COURT CASE {reference} NOT ON FILE")
        self._match(update, case.arrest)
        return case

    def _match(self, update: Transaction, arrest: Arrest) -> None:
        """PNC id, check name and, where given, CRO number must be those on file."""
        person, given = self.person(arrest), update.find("IDS")
        if given is None or not _field(update, "FSC", "force_station"):
            raise Refused("I0001", "INVALID ELEMENT IN SEGMENT IDS OR FSC")
        on_file = identity(person)
        if given["pnc_id"] != on_file["pnc_id"] or given["check_name"] != on_file["check_name"]:
            raise Refused("I0013", f"PNCID {given['pnc_id']} AND NAME {given['check_name']} DO NOT MATCH")
        if given["cro_number"] and given["cro_number"] != on_file["cro_number"]:
            raise Refused("I0014", f"CRO NUMBER {given['cro_number']} DOES NOT MATCH")

    def _results(self, update: Transaction, case: CaseOnFile) -> list[tuple[OffenceOnFile, list[Segment]]]:
        on_file = {(offence.key["offence_ref"], offence.key["cjs_code"]): offence for offence in case.offences}
        found = []
        for first, *decided in runs(_before_added(update), "CCH"):
            offence = on_file.get((first["offence_ref"], first["cjs_code"]))
            if offence is None:
                raise Refused("I0015", f"OFFENCE {first['offence_ref']} {first['cjs_code']} NOT IN CASE")
            found.append((offence, decided))
        return found

    def _carry_forward(self, case: CaseOnFile, results: Iterable[tuple[OffenceOnFile, list[Segment]]]) -> CaseOnFile:
        self._opened += 1
        year = case.arrest.arrested_at.year
        reference = identifiers.build_court_case_reference(year, int(case.arrest.court_code), opened_serial(self._opened))
        carried = [offence.key for offence, decided in results if any(map(_carries_forward, decided))]
        offences = [OffenceOnFile(_renumbered(key, number)) for number, key in enumerate(carried, 1)]
        key = Segment.of("CCR", court_case_ref=identifiers.short_court_case_reference(reference))
        opened = CaseOnFile(key, case.arrest, offences)
        case.offences = [offence for offence in case.offences if offence.key not in carried]  # as the host's next enquiry shows
        self._by_case[key["court_case_ref"]] = opened
        self._by_arrest[identifiers.slash_arrest_summons_number(case.arrest.asn)].append(opened)
        return opened


def identity(person: Person) -> Segment:
    """The segment IDS of a person."""
    return cut("IDS", pnc_id=identifiers.short_pnc_id(person.pnc_id), check_name=person.surname, cro_number=person.cro)


def told(message: str) -> Segment:
    """A reply text."""
    return cut("TXT", message=message)


def cut(tag: str, **fields: str) -> Segment:
    """A segment whose values are cut to their fields, as the host does with a surname of more than 35 letters."""
    widths = {one.name: one.width for one in SEGMENTS[tag].fields}
    return Segment.of(tag, **{name: value[: widths[name]] for name, value in fields.items()})


def _cases_at_start(arrest: Arrest) -> list[CaseOnFile]:
    """The case of a charge, or of a penalty notice, as it stands."""
    stands = standing(arrest)
    if stands in (Standing.NOTHING, Standing.PENALTY):
        key = cut("PCR", penalty_case_ref=arrest.custody_number)
        return [CaseOnFile(key, arrest, _offences(arrest))] if stands is Standing.PENALTY else []
    key = Segment.of("CCR", court_case_ref=identifiers.short_court_case_reference(arrest.court_case_reference))
    offences = _offences(arrest)
    if stands is not Standing.OPEN:
        day = arrest.arrested_at.strftime("%d%m%Y")
        found = Segment.of("ADJ", plea="GUILTY", adjudication="GUILTY", sentence_date=day, tics="0000")
        fine = Segment.of("DIS", disposal_code=FINE, amount=f"{FINE_POUNDS:07d}.00", units_fined="00")
        deferred = Segment.of("DIS", disposal_code=DEFERRED, duration=f"M{DEFERRED_MONTHS}", units_fined="00")
        for offence in offences:
            offence.decided = [found, deferred if stands is Standing.DEFERRED else fine]
    return [CaseOnFile(key, arrest, offences)]


def _offences(arrest: Arrest) -> list[OffenceOnFile]:
    return [
        OffenceOnFile(
            Segment.of(
                "COF",
                offence_ref=f"{number:03d}",
                npcc_code=identifiers.colon_npcc_offence_code(offence.npcc_code),
                cjs_code=offence.cjs_code,
                start_date=offence.committed_on.strftime("%d%m%Y"),
            )
        )
        for number, offence in enumerate(arrest.offences, 1)
    ]


def _added(run: Sequence[Segment], number: int) -> OffenceOnFile:
    first, *decided = run
    key = Segment.of(
        "COF",
        offence_ref=f"{number:03d}",
        npcc_code=first["npcc_code"],
        cjs_code=first["cjs_code"],
        **{name: first[name] for name in ("start_date", "start_time", "end_date", "end_time")},
    )
    return OffenceOnFile(key, decided)


def _renumbered(key: Segment, number: int) -> Segment:
    fields = key.fields() | {"offence_ref": f"{number:03d}"}
    return Segment.of("COF", **fields)


def _carries_forward(segment: Segment) -> bool:
    return segment.tag == "DIS" and segment["disposal_code"] == CARRIED_FORWARD


def _before_added(update: Transaction) -> list[Segment]:
    tags = [segment.tag for segment in update.segments]
    return list(update.segments[: tags.index("ASR")]) if "ASR" in tags else list(update.segments)


def _field(update: Transaction, tag: str, name: str) -> str:
    segment = update.find(tag)
    return segment[name] if segment is not None else ""
