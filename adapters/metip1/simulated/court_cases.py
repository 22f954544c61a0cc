"""Court cases as PNC keeps them behind the bus, and how updates change them; in memory, the same at every start.

Each update checks everything before it changes anything. Records are kept as they are told.
"""

import copy
from typing import Final

from adapters.kit.population import Arrest, Population
from adapters.kit.population.standing import DEFERRED_MONTHS, FINE_POUNDS, Standing, opened_serial, standing
from adapters.metip1.simulated.printing import Refused, code, day, name, number, said
from adapters.metip1.wire import Record
from metip import identifiers

CARRIED_FORWARD, DEFERRED, FINE = 2059, 4005, 1015
FILE_NAME: Final = 12
GUILTY: Final = code(1)
MONTHS: Final = code(4)
DECIDED: Final = ("Adjudication", "Disposal")


class CourtCases:
    """Cases by arrest/summons number, and remands by the same."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._arrests = {arrest.asn: arrest for arrest in population.arrests()}
        self._records = {arrest.asn: self._at_start(arrest) for arrest in population.arrests()}
        self._before = copy.deepcopy(self._records)
        self._opened = 0
        self.remands: dict[str, list[Record]] = {}

    def get(self, asked: Record, stale_days: int) -> Record:
        """What is on file under a number; what was before any update, from a stale copy."""
        record = (self._before if stale_days else self._records).get(asked["ASN"])
        if record is None:
            raise Refused("MB1101", f"ARREST/SUMMONS {asked['ASN']} NOT FOUND")
        return copy.deepcopy(record)

    def remand(self, update: Record) -> Record:
        """Remembers a remand."""
        if update["ASN"] not in self._records:
            raise Refused("MB1001", f"ARREST/SUMMONS {update['ASN']} NOT FOUND")
        self._match(update, self._arrests[update["ASN"]])
        self.remands.setdefault(update["ASN"], []).append(update)
        return {"Receipt": {"Code": "A0031"}}

    def dispose(self, update: Record) -> Record:
        """Records findings and disposals, added charges, and what is carried forward."""
        asn, case = self._case(update)
        added = update.get("AddedCharges", {})
        if added and added["ASN"] != asn:
            raise Refused("MB1201", "ADDED CHARGES BELONG TO ANOTHER ARREST")
        results = _results(update, case)
        if not results and not added:
            raise Refused("MB1201", "NOTHING TO RECORD")
        if any(_adjudicated(offence) for offence, _ in results):
            raise Refused("MB1201", "RESULTS ARE ALREADY ON FILE")
        for offence, result in results:
            offence |= {key: result[key] for key in DECIDED if key in result}
        remarks = []
        for one in added.get("Offence", ()):
            kept = ("CJSOffence", "NPCCOffence", "Qualifier", "Committed", *DECIDED)
            case["Offence"].append({"Number": number(len(case["Offence"]) + 1)} | {key: one[key] for key in kept if key in one})
        if added:
            remarks.append({"Code": "A0029", "Text": "CHARGES ADDED BY THE COURT RECORDED"})
        opened = self._carry_forward(asn, case) if "CarryForward" in update else ""
        if opened:
            remarks.append({"Code": "A0027", "Text": f"CASE {opened} OPENED FOR WHAT WAS CARRIED FORWARD"})
        return said(Receipt=said(Code="A0003", Remark=remarks), AdditionalCase=opened)

    def defer(self, update: Record) -> Record:
        """Adds the sentence after a deferral."""
        return self._resume(update, varied=False)

    def vary(self, update: Record) -> Record:
        """Puts a result in the place of what was there."""
        return self._resume(update, varied=True)

    def _resume(self, update: Record, *, varied: bool) -> Record:
        _, case = self._case(update)
        results = _results(update, case)
        if any(not _adjudicated(offence) for offence, _ in results):
            raise Refused("MB1201", "THERE IS NO EARLIER RESULT")
        for offence, result in results:
            if _adjudicated(result):
                offence["Adjudication"] = result["Adjudication"]
            offence["Disposal"] = [*([] if varied else offence.get("Disposal", [])), *result.get("Disposal", [])]
        return {"Receipt": {"Code": "A0005"}}

    def _case(self, update: Record) -> tuple[str, Record]:
        for asn, record in self._records.items():
            for case in record.get("CourtCase", ()):
                if case["Reference"] == update["CourtCaseRef"]:
                    self._match(update, self._arrests[asn])
                    return asn, case
        raise Refused("MB1201", f"COURT CASE {update['CourtCaseRef']} NOT ON FILE")

    def _match(self, update: Record, arrest: Arrest) -> None:
        """PNC id, file name and, where given, CRO number must be those on file."""
        person, given = self._population.person(arrest.person_number), update["Subject"]
        known = (person.pnc_id, person.surname.upper()[:FILE_NAME])
        if (given["PNCID"], given["FileName"].upper()) != known or given.get("CRONumber", person.cro) != person.cro:
            raise Refused("MB1201", f"{given['PNCID']} AND {given['FileName']} DO NOT MATCH")

    def _carry_forward(self, asn: str, case: Record) -> str:
        self._opened += 1
        arrest = self._arrests[asn]
        reference = identifiers.build_court_case_reference(arrest.arrested_at.year, int(arrest.court_code), opened_serial(self._opened))
        carried = [one for one in case["Offence"] if any(int(each["Code"]) == CARRIED_FORWARD for each in one.get("Disposal", ()))]
        case["Offence"] = [one for one in case["Offence"] if one not in carried]
        plain = [{key: one[key] for key in one if key not in DECIDED} | {"Number": number(at)} for at, one in enumerate(carried, 1)]
        self._records[asn]["CourtCase"].append(said(Reference=reference, Offence=plain))
        return reference

    def _at_start(self, arrest: Arrest) -> Record:
        person, stands = self._population.person(arrest.person_number), standing(arrest)
        record = said(
            Owner=arrest.force_station,
            Subject=said(PNCID=person.pnc_id, FileName=name(person.surname)[:FILE_NAME], CRONumber=person.cro),
        )
        if stands is Standing.NOTHING:
            return record
        if stands is Standing.PENALTY:
            return record | {"PenaltyCase": [said(Reference=arrest.custody_number, Offence=_offences(arrest))]}
        offences = _offences(arrest)
        if stands is not Standing.OPEN:
            fine = {"Code": number(FINE), "AmountPence": number(FINE_POUNDS * 100)}
            deferred = {"Code": number(DEFERRED), "Duration": {"Unit": MONTHS, "Value": number(DEFERRED_MONTHS)}}
            for one in offences:
                one["Adjudication"] = {"Plea": GUILTY, "Finding": GUILTY, "SentenceDate": day(arrest.arrested_at.date())}
                one["Disposal"] = [deferred if stands is Standing.DEFERRED else fine]
        return record | {"CourtCase": [{"Reference": arrest.court_case_reference, "Offence": offences}]}


def _adjudicated(offence: Record) -> bool:
    return bool(offence.get("Adjudication", {}).get("Finding"))


def _results(update: Record, case: Record) -> list[tuple[Record, Record]]:
    on_file = {(int(one["Number"]), one["CJSOffence"]): one for one in case["Offence"]}
    found = [(on_file.get((int(one["Number"]), one["CJSOffence"])), one) for one in update.get("Result", ())]
    if any(offence is None for offence, _ in found):
        raise Refused("MB1201", "AN OFFENCE IS NOT IN THE CASE")
    return [(offence, result) for offence, result in found if offence is not None]


def _offences(arrest: Arrest) -> list[Record]:
    return [
        said(
            Number=number(at),
            CJSOffence=one.cjs_code,
            NPCCOffence=identifiers.colon_npcc_offence_code(one.npcc_code),
            Committed={"StartDate": day(one.committed_on)},
        )
        for at, one in enumerate(arrest.offences, 1)
    ]
