"""What the simulated LEDS has on file, and how updates change it; in memory, the same at every start. Records are kept as they are told.

Who is on file is the population's, and so is how far courts had come; the words of refusals are (assumed).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import NAMESPACE_URL, uuid5

from adapters.kit.population import WARNING_SIGNALS, Arrest, Person, Population, Vehicle
from adapters.kit.population.reserved import engine_number
from adapters.kit.population.standing import DEFERRED_MONTHS, FINE_POUNDS, Standing, opened_serial, standing
from adapters.leds.wire import Record
from metip import identifiers

CARRIED_FORWARD, DEFERRED, FINE = 2059, 4005, 1015
CHECK_NAME = 12


@dataclass
class Refused(Exception):
    """What LEDS answers instead of doing what it was asked."""

    status: int
    kind: str
    words: str


def identity(*parts: object) -> str:
    """An id of LEDS's own, the same in every run."""
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, ("leds", *parts)))))


def urn(pnc_id: str) -> str:
    """A PNC id as LEDS prints it, `2021/17M`."""
    year, _, serial = pnc_id.partition("/")
    return f"{year}/{serial.lstrip('0')}"


class Register:
    """Arrests by arrest/summons number in slash form, with their cases, and remands by the same."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._arrests: dict[str, tuple[Arrest, Record]] = {}
        self._by_engine = {engine_number(number): number for number in range(1, population.scale.vehicles + 1)}
        self._opened = 0
        self.remands: dict[str, list[Record]] = {}
        for arrest in population.arrests():
            number = identifiers.slash_arrest_summons_number(arrest.asn)
            person = population.person(arrest.person_number)
            self._arrests[number] = (
                arrest,
                {
                    "personId": identity("person", person.number),
                    "personUrn": urn(person.pnc_id),
                    "reportId": identity("arrest", arrest.number),
                    "asn": number,
                    "ownerCode": arrest.force_station,
                    "disposals": list(_cases_at_start(arrest)),
                },
            )

    def vehicle(self, said: Record) -> Vehicle | None:
        """A vehicle by mark, identification number or engine number."""
        by_mark = self._population.vehicle_by_vrm(said.get("vrm", "")) or self._population.vehicle_by_vin(said.get("vin", ""))
        number = self._by_engine.get(said.get("engineNumber", ""))
        return by_mark or (self._population.vehicle_numbered(number) if number else None)

    def by_asn(self, number: str) -> Record | None:
        """An arrest and its cases."""
        return self._arrests[number][1] if number in self._arrests else None

    def by_case(self, reference: str, person: str) -> Record | None:
        """The arrest of a court case. Raises `Refused` where it is somebody else's."""
        found = next((one for one in self._records() if any(_is(case, reference) for case in one["disposals"])), None)
        if found is not None and found["personUrn"] != person:
            raise Refused(400, "bad-request/does-not-match", f"{person} is not the person of case {reference}")
        return found

    # Updates. Each checks everything before it changes anything, and raises `Refused`.

    def remand(self, update: Record, person: str, report: str) -> str:
        """Remembers a remand."""
        record = next((one for one in self._records() if one["reportId"] == report and one["personId"] == person), None)
        if record is None:
            raise Refused(404, "bad-request/invalid-reference", "NO SUCH ARREST REPORT")
        self._match(record, update["personUrn"], update["checkname"])
        kept = self.remands.setdefault(record["asn"], [])
        kept.append(update)
        return identity("remand", record["asn"], len(kept))

    def dispose(self, update: Record, person: str, case_id: str) -> str:
        """Records findings and disposals, added charges, and what is carried forward."""
        record, case = self._case(update, person, case_id)
        added = update.get("additionalArrestOffences", [])
        if any(one["asn"] != record["asn"] for one in added):
            raise Refused(400, "bad-request/invalid-reference", "ADDED CHARGES BELONG TO ANOTHER ARREST")
        results = _results(update, case)
        if not results and not added:
            raise Refused(422, "unprocessable/no-changes", "NOTHING TO RECORD")
        if any(offence.get("adjudications") for offence, _ in results):
            raise Refused(409, "conflict/duplicate-exists", "RESULTS ARE ALREADY ON FILE")
        for offence, result in results:
            _decide(offence, result, 1)
            offence["disposalResults"] = result.get("disposalResults", [])
        for one in (offence for group in added for offence in group["additionalOffences"]):
            case["offences"].append(_added(one, case))
        case |= {"caseStatusMarker": "court-case", "convictionDate": update["dateOfConviction"]}
        if "carryForward" in update:
            self._carry_forward(record, case)
        return identity("disposal", case_id)

    def resume(self, update: Record, person: str, case_id: str) -> str:
        """Records a later appearance: a sentence after a deferral is added, a variation takes the place of what was there."""
        _, case = self._case(update, person, case_id)
        results = _results(update, case)
        if any(not offence.get("adjudications") for offence, _ in results):
            raise Refused(422, "unprocessable/not-allowed", "THERE IS NO EARLIER RESULT")
        for offence, result in results:
            appearance = 1 + max(one["appearanceNumber"] for one in offence["adjudications"])
            if result.get("adjudication"):
                _decide(offence, result, appearance)
            new = [one | {"chargeAppearanceNumber": appearance} for one in result.get("disposalResults", [])]
            before = [] if update["reasonForAppearance"] == "Subsequently Varied" else offence["disposalResults"]
            offence["disposalResults"] = [*before, *new]
        return identity("appearance", case_id)

    def _records(self) -> Iterator[Record]:
        return (record for _, record in self._arrests.values())

    def _case(self, update: Record, person: str, case_id: str) -> tuple[Record, Record]:
        for record in self._records():
            for case in record["disposals"]:
                if (case["courtCaseId"], record["personId"]) == (case_id, person) and _is(case, update["courtCaseReference"]):
                    self._match(record, update["personUrn"], update["checkName"])
                    return record, case
        raise Refused(404, "bad-request/invalid-reference", "NO SUCH COURT CASE")

    def _match(self, record: Record, person: str, check_name: str) -> None:
        arrest, _ = self._arrests[record["asn"]]
        known = self._population.person(arrest.person_number).surname.upper()
        if person != record["personUrn"] or check_name.upper() not in (known, known[:CHECK_NAME]):
            raise Refused(400, "bad-request/does-not-match", f"{person} AND {check_name} DO NOT MATCH")

    def _carry_forward(self, record: Record, case: Record) -> None:
        self._opened += 1
        arrest, _ = self._arrests[record["asn"]]
        reference = identifiers.build_court_case_reference(arrest.arrested_at.year, int(arrest.court_code), opened_serial(self._opened))
        carried = [one for one in case["offences"] if any(r["disposalCode"] == CARRIED_FORWARD for r in one.get("disposalResults", ()))]
        case["offences"] = [one for one in case["offences"] if one not in carried]
        kept = [{name: one[name] for name in one if name not in DECIDED} for one in carried]
        offences = [one | {"courtOffenceSequenceNumber": number} for number, one in enumerate(kept, 1)]
        record["disposals"].append(_open_case(reference, arrest, offences))


DECIDED = ("plea", "adjudications", "disposalResults", "offenceTic")


def _is(case: Record, reference: str) -> bool:
    return bool(case["courtCaseReference"] == reference)


def _results(update: Record, case: Record) -> list[tuple[Record, Record]]:
    on_file = {offence["offenceId"]: offence for offence in case["offences"]}
    if any(result["offenceId"] not in on_file for result in update.get("offences", ())):
        raise Refused(400, "bad-request/invalid-reference", "AN OFFENCE IS NOT IN THE CASE")
    return [(on_file[result["offenceId"]], result) for result in update.get("offences", ())]


def _decide(offence: Record, result: Record, appearance: int) -> None:
    """Plea and finding; an offence that is only carried on has no finding."""
    offence |= {name: result[name] for name in ("plea", "offenceTic") if name in result}
    if result.get("adjudication"):
        day = result.get("dateOfSentence", "")
        finding = {"adjudicationId": identity("finding", offence["offenceId"], appearance), "appearanceNumber": appearance}
        offence.setdefault("adjudications", []).append(finding | {"disposalDate": day, "adjudication": result["adjudication"]})


def _added(one: Record, case: Record) -> Record:
    number = len(case["offences"]) + 1
    kept = ("npccOffenceCode", "roleQualifiers", "legislationQualifiers", "offenceStartDate", "offenceEndDate", "disposalResults")
    offence = {name: one[name] for name in kept if name in one}
    offence |= {name: _in_utc(one[name]) for name in ("offenceStartTime", "offenceEndTime") if name in one}
    code = one["offenceCode"].get("cjsOffenceCode", "")
    offence |= {"offenceId": identity(case["courtCaseId"], number), "courtOffenceSequenceNumber": number, "cjsOffenceCode": code}
    _decide(offence, one, 1)
    return offence


def _in_utc(text: str) -> str:
    """`HH:MM+01:00` as LEDS keeps it (assumed)."""
    minutes = int(text[:2]) * 60 + int(text[3:5]) - int(text[6:8]) * 60 - int(text[9:11])
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _cases_at_start(arrest: Arrest) -> Iterator[Record]:
    stands = standing(arrest)
    if stands is Standing.NOTHING:
        return
    if stands is Standing.PENALTY:
        yield _open_case(arrest.custody_number, arrest, _offences(arrest)) | {"caseStatusMarker": "penalty-notice"}
        return
    case = _open_case(arrest.court_case_reference, arrest, _offences(arrest))
    if stands is not Standing.OPEN:
        fine = {"disposalCode": FINE, "disposalFine": {"amount": FINE_POUNDS}}
        deferred = {"disposalCode": DEFERRED, "disposalDuration": {"units": "months", "count": DEFERRED_MONTHS}}
        day = arrest.arrested_at.date().isoformat()
        case |= {"caseStatusMarker": "court-case", "convictionDate": day}
        for offence in case["offences"]:
            _decide(offence, {"plea": "Guilty", "adjudication": "Guilty", "dateOfSentence": day, "offenceTic": 0}, 1)
            offence["disposalResults"] = [deferred if stands is Standing.DEFERRED else fine]
    yield case


def _open_case(reference: str, arrest: Arrest, offences: list[Record]) -> Record:
    parsed = identifiers.parse_court_case_reference(reference)
    return {
        "courtCaseId": identity("case", reference),
        "courtCaseReference": identifiers.short_court_case_reference(parsed.canonical) if parsed.valid else reference,
        "caseStatusMarker": "impending-prosecution-detail",
        "court": {"courtIdentityType": "code", "courtCode": arrest.court_code or "0000"},
        "offences": offences,
    }


def _offences(arrest: Arrest) -> list[Record]:
    return [
        {
            "offenceId": identity("offence", arrest.number, number),
            "courtOffenceSequenceNumber": number,
            "cjsOffenceCode": offence.cjs_code,
            "npccOffenceCode": offence.npcc_code,
            "offenceStartDate": offence.committed_on.isoformat(),
        }
        for number, offence in enumerate(arrest.offences, 1)
    ]


def told_person(person: Person, population: Population) -> Record:
    """A person as LEDS tells them."""
    home = population.address(person.address_number)
    return {
        "personId": identity("person", person.number),
        "personUrn": urn(person.pnc_id),
        "croNumber": person.cro,
        "lastName": person.surname,
        "firstNames": list(person.forenames),
        "sex": person.sex,
        "dateOfBirth": _day(person.date_of_birth),
        "ethnicAppearance": person.observed_ethnicity,
        "heightCm": person.height_cm,
        "placeOfBirth": person.place_of_birth,
        "aliases": [
            {"lastName": alias.surname, "firstNames": list(alias.forenames), "dateOfBirth": _day(alias.date_of_birth)}
            for alias in person.aliases
        ],
        "warningMarkers": [{"code": code, "text": WARNING_SIGNALS[code]} for code in person.warning_signals],
        "addresses": [{"addressLines": list(home.lines), "postcode": home.postcode}],
        "reports": [_report(one.kind, "", one.circulated_by, one.reference, one.text) for one in person.circulations],
    }


def told_vehicle(vehicle: Vehicle, population: Population) -> Record:
    """A vehicle as LEDS tells it."""
    keeper = population.person(vehicle.keeper_number)
    home = population.address(keeper.address_number)
    handled = (("NORMAL" if one.open_air else "NOT_OVER_OPEN_AIR", one) for one in vehicle.reports)
    return {
        **{name: getattr(vehicle, name) for name in ("vrm", "vin", "make", "model", "colour", "taxed", "insured")},
        "engineNumber": engine_number(vehicle.number),
        "firstRegistered": _day(vehicle.first_registered),
        "motExpiry": _day(vehicle.mot_expiry),
        "keeperChanges": vehicle.number % 4,
        "keeper": {
            "name": " ".join((*keeper.forenames, keeper.surname)),
            "address": {"addressLines": list(home.lines), "postcode": home.postcode},
            "since": _day(vehicle.keeper_since),
        },
        "reports": [_report(one.kind, handling, one.circulated_by, one.reference, one.text) for handling, one in handled],
    }


def _report(kind: str, handling: str, station: str, reference: str, text: str) -> Record:
    return {"type": str(kind), "handling": handling, "forceStationCode": station, "reference": reference, "text": text}


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def pages(found: Iterable[Person], limit: int, population: Population) -> Record:
    """As many people as were asked for, and whether there are more."""
    everybody = list(found)
    return {"people": [told_person(person, population) for person in everybody[:limit]], "more": len(everybody) > limit}
