"""CRIS behind the bus: the population's crimes as reports, searched, given, recorded and changed; in memory, the same at every start.

The law: whether somebody may see a report is asked before anything else about it, and the refusal tells nothing of whether there is one.
"""

import copy
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from adapters.kit.population import STORIES, Address, Crime, Person, Population
from adapters.kit.population.codes import OFFENCES
from adapters.kit.population.name_index import folded
from adapters.kit.population.reserved import crime_reference
from adapters.metip1.simulated import printing
from adapters.metip1.simulated.printing import Refused, cut, day, in_parts, local, moment, named, said, word, yes
from adapters.metip1.wire import Record

USUAL, MOST = 20, 200
CHANNELS: Final = ("TELEPHONE", "COUNTER", "OFFICER", "ONLINE")
NEED_TO_KNOW: Final = "restricted_crime_reports"
"""The role of those who may see restricted reports (assumed)."""
CLASSES: Final = {offence.classification: offence.title for offence in reversed(OFFENCES)}


class Crimes:
    """All reports by number."""

    def __init__(self, population: Population, clock: Callable[[], datetime]) -> None:
        self._population, self._clock = population, clock
        self._reports = {crime.reference: self._report(crime) for crime in population.crimes()}
        self._before = copy.deepcopy(self._reports)
        self._submissions: dict[str, tuple[Record, str]] = {}

    def find(self, asked: Record, asker: Record, stale_days: int) -> Record:
        """Reports that fit, latest crimes first."""
        reports = (self._before if stale_days else self._reports).values()
        hits = [hit for one in reports if _open_to(one, asker) for hit in _hits(one, asked)]
        hits.sort(key=lambda hit: (_order(hit["CommittedOn"]), hit["CrimeNumber"]), reverse=True)
        if not hits:
            raise Refused("MB1101", f"NO CRIME OF {asked.get('Person', {}).get('Surname', '')}")
        limit = printing.most(asked, USUAL, MOST)
        return {"Report": hits[:limit], "AnswerInfo": self._info(len(hits) > limit)}

    def get(self, asked: Record, asker: Record, stale_days: int) -> Record:
        """One report."""
        report = self._seen(asked["CrimeNumber"], asker, self._before if stale_days else self._reports)
        return {"Report": copy.deepcopy(report), "AnswerInfo": self._info()}

    def create(self, asked: Record, asker: Record) -> Record:
        """Records a crime; the same submission again gives the first number."""
        key, before = asked["ClientReference"], self._submissions.get(asked["ClientReference"])
        if before is not None:
            if before[0] != asked:
                raise Refused("MB1001", "THE CLIENT REFERENCE WAS USED BEFORE")
            version = self._reports[before[1]]["Version"]
            return {"CrimeNumber": before[1], "Version": version, "AlreadyRecorded": "Y", "AnswerInfo": self._info()}
        sheet = cut(asked["Sheet"])
        self._check(sheet)
        number = crime_reference(self._population.scale.crimes + len(self._submissions) + 1, self._population.scale.as_of.year)
        sheet["Classification"] = said(Code=sheet["Classification"]["Code"], Title=CLASSES[sheet["Classification"]["Code"]])
        sheet.setdefault("FirstOfficer", asker.get("UserId", ""))
        for element in ("Party", "Property"):
            for at, one in enumerate(sheet.get(element, ()), 1):
                one.setdefault("Number", str(at))
        self._reports[number] = said(
            CrimeNumber=number, Version="1", Status=word("OPEN"), Restricted="N", RecordedAt=moment(self._clock()), Sheet=sheet
        )
        self._submissions[key] = (asked, number)
        return {"CrimeNumber": number, "Version": "1", "AlreadyRecorded": "N", "AnswerInfo": self._info()}

    def add(self, asked: Record, asker: Record) -> Record:
        """Adds an entry to the details pages."""
        report = self._changeable(asked["CrimeNumber"], asker)
        entries = report.setdefault("Detail", [])
        at = moment(self._clock())
        author = asker.get("UserId", "")
        entries.append(said(Number=str(len(entries) + 1), Page=asked["Page"], Author=author, EnteredAt=at, Text=asked["Text"]))
        return {"Number": str(len(entries)), "EnteredAt": at, "AnswerInfo": self._info()}

    def update(self, asked: Record, asker: Record) -> Record:
        """Changes a report that still has the version named."""
        report, changes = self._changeable(asked["CrimeNumber"], asker), cut(asked["Changes"])
        if int(asked["Version"]) != int(report["Version"]):
            raise Refused("MB1202", f"{report['CrimeNumber']} HAS ANOTHER VERSION")
        sheet = copy.deepcopy(report["Sheet"])
        if "Reclassification" in changes:
            code = changes["Reclassification"]["Code"]
            sheet["Classification"] = said(Code=code, Title=CLASSES.get(code, ""))
        sheet |= {key: changes[key] for key in ("Committed", "MO") if key in changes}
        flags = dict.fromkeys((*sheet.get("Flag", ()), *changes.get("AddFlag", ())))
        sheet["Flag"] = [one for one in flags if one not in changes.get("RemoveFlag", ())]
        for element in ("Party", "Property"):
            _merge(sheet, element, changes.get(element, ()))
        self._check(sheet)
        report["Sheet"], report["Version"] = sheet, str(int(report["Version"]) + 1)
        return {"Version": report["Version"], "AnswerInfo": self._info()}

    def _check(self, sheet: Record) -> None:
        if sheet["Classification"]["Code"] not in CLASSES:
            raise Refused("MB1001", "NO SUCH CLASSIFICATION")
        began = printing.asked_day(sheet["Committed"]["FromDate"])
        if began is None or began > local(self._clock()).date():
            raise Refused("MB1001", "COMMITTED IN THE FUTURE OR NEVER")

    def _changeable(self, number: str, asker: Record) -> Record:
        report = self._seen(number, asker, self._reports)
        if report["Status"].strip() == "SCREENED_OUT":
            raise Refused("MB1201", f"{number} IS CLOSED")
        return report

    def _seen(self, number: str, asker: Record, reports: dict[str, Record]) -> Record:
        report = reports.get(number)
        if report is not None and _open_to(report, asker):
            return report
        raise Refused("MB1101" if _needs_to_know(asker) else "MB1102", f"CRIME {number}")

    def _info(self, more: bool = False) -> Record:
        return {"AsOf": moment(self._clock()), "MoreRecords": yes(more)}

    # The population's crimes

    def _report(self, crime: Crime) -> Record:
        officer = f"P{100_000 + crime.number * 37 % 900_000}"
        call = "Victim called and told the crime number. No further lines of enquiry from this call."
        entries = (
            ("INVESTIGATION", crime.reported_at, f"Report taken. {crime.method}"),
            ("VICTIM_CONTACT", crime.reported_at + timedelta(hours=3), call),
        )
        return said(
            CrimeNumber=crime.reference,
            Version="1",
            Status=word(str(crime.status)),
            Restricted=yes(crime.restricted),
            RecordedAt=moment(crime.reported_at),
            Sheet=self._sheet(crime, officer),
            Detail=[
                {"Number": str(at), "Page": word(page), "Author": officer, "EnteredAt": moment(when), "Text": text}
                for at, (page, when, text) in enumerate(entries, 1)
            ],
        )

    def _sheet(self, crime: Crime, officer: str) -> Record:
        venue, began, ended = self._population.address(crime.venue_number), local(crime.committed_from), local(crime.committed_to)
        return said(
            ReportingChannel=word(CHANNELS[crime.number % len(CHANNELS)]),
            Borough=crime.borough,
            Beat=crime.beat,
            Classification=said(Code=crime.classification, Title=crime.title),
            Committed={"FromDate": day(began), "FromTime": f"{began:%H:%M}", "ToDate": day(ended), "ToTime": f"{ended:%H:%M}"},
            Venue=said(Address=_home(venue), Easting=str(venue.easting), Northing=str(venue.northing)),
            MO=crime.method,
            Flag=list(crime.flags),
            Party=list(self._parties(crime)),
            Property=self._property(crime),
            FirstOfficer=officer,
            CADNumber=crime.cad_number,
        )

    def _parties(self, crime: Crime) -> Iterator[Record]:
        people = [("VICTIM", 1, crime.victim_number), *(("SUSPECT", at, one) for at, one in enumerate(crime.suspect_numbers, 1))]
        # Somebody else told of every fifth crime and saw another fifth, as in CRIS's own copy of the world.
        role, told = {0: "INFORMANT", 1: "WITNESS"}.get(crime.number % 5), max(STORIES.values())
        other = told + 1 + crime.number * 37 % (self._population.scale.people - told)
        if role and crime.number > told and other not in (crime.victim_number, *crime.suspect_numbers):
            people.append((role, 1, other))
        for part, at, number in people:
            yield {"Number": str(at), "Role": word(part), "Person": self._person(self._population.person(number))}

    def _person(self, person: Person) -> Record:
        return said(
            Name=named(person.surname, person.forenames),
            DOB=day(person.date_of_birth),
            Sex=person.sex,
            ICCode=str(person.observed_ethnicity or ""),
            SDECode=person.self_defined_ethnicity,
            HeightCM=str(person.height_cm),
            PNCID=person.pnc_id,
            Address=[_home(self._population.address(person.address_number))],
        )

    def _property(self, crime: Crime) -> list[Record]:
        if not crime.vehicle_number:
            return []
        vehicle = self._population.vehicle_numbered(crime.vehicle_number)
        described = f"{vehicle.colour} {vehicle.make} {vehicle.model}"
        return [{"Number": "1", "Involvement": word("STOLEN"), "Description": described, "IdentifyingMark": vehicle.vrm}]


def _home(address: Address) -> Record:
    return in_parts(address, f"FLAT {address.flat}" if address.flat else "")


def _needs_to_know(asker: Record) -> bool:
    return NEED_TO_KNOW in asker.get("Role", ())


def _open_to(report: Record, asker: Record) -> bool:
    return report["Restricted"] == "N" or _needs_to_know(asker)


def _order(text: str) -> str:
    return f"{text[6:10]}{text[3:5]}{text[:2]}"


def _hits(report: Record, asked: Record) -> Iterator[Record]:
    sheet, wanted = report["Sheet"], asked.get("Person", {})
    if not (_committed(sheet["Committed"], asked.get("Committed", {})) and _at(sheet, asked.get("Place", {})) and _marked(sheet, asked)):
        return
    if not wanted:
        yield _hit(report, {})
    for party in sheet.get("Party", ()) if wanted else ():
        if _named(party["Person"], wanted):
            yield _hit(report, party)


def _hit(report: Record, party: Record) -> Record:
    sheet = report["Sheet"]
    on, title = sheet["Committed"]["FromDate"], sheet["Classification"].get("Title", "")
    return said(
        CrimeNumber=report["CrimeNumber"],
        Role=party.get("Role"),
        Person=copy.deepcopy(party.get("Person")),
        Classification=dict(sheet["Classification"]),
        CommittedOn=on,
        Summary=f"{title}, {sheet['Borough']}, {on}",
        Restricted=report["Restricted"],
        Status=report["Status"],
        Borough=sheet["Borough"],
    )


def _committed(held: Record, asked: Record) -> bool:
    first, last = _order(held["FromDate"]), _order(held["ToDate"] if "ToDate" in held else held["FromDate"])
    return (_order(asked["From"]) if "From" in asked else first) <= last and first <= (_order(asked["To"]) if "To" in asked else last)


def _at(sheet: Record, asked: Record) -> bool:
    if not asked:
        return True
    held: Any = sheet.get("Venue", {}).get("Address", {})
    code, wanted = held.get("PostCode", ""), asked.get("PostCode", "")
    near = not wanted or code == wanted or code.startswith(f"{wanted} ")
    return near and folded(held.get("Structured", {}).get("Street", "")).startswith(folded(asked.get("Street", "")))


def _marked(sheet: Record, asked: Record) -> bool:
    mark = asked.get("Property", {}).get("IdentifyingMark", "").replace(" ", "").casefold()
    held = (one.get("IdentifyingMark", "").replace(" ", "").casefold() for one in sheet.get("Property", ()))
    return not mark or mark in held


def _named(person: Record, wanted: Record) -> bool:
    held = person["Name"]
    if folded(held.get("Surname", "")) != folded(wanted["Surname"][: printing.LETTERS]):
        return False
    names = iter([folded(one) for one in held.get("Forename", ())])
    given = all(any(one.startswith(folded(start)) for one in names) for start in wanted.get("Forename", "").split())
    bounds = printing.bounds(wanted.get("DOB", ""))
    born: date | None = printing.asked_day(person.get("DOB", ""))
    return given and (bounds is None or (born is not None and bounds[0] <= born <= bounds[1]))


def _merge(sheet: Record, element: str, sent: Any) -> None:
    """What is sent without a number is added, what has one takes the place of what has it."""
    held = sheet.setdefault(element, [])
    for one in sent:
        place = next((at for at, each in enumerate(held) if _key(each) == _key(one)), None) if "Number" in one else len(held)
        if place is None:
            raise Refused("MB1001", f"NO {element} OF THAT NUMBER")
        taken = [int(each["Number"]) for each in held if each.get("Role") == one.get("Role")]
        held[place : place + 1] = [one if "Number" in one else one | {"Number": str(max(taken, default=0) + 1)}]
    if not held:
        del sheet[element]


def _key(one: Record) -> tuple[str, int]:
    return one.get("Role", ""), int(one["Number"])
