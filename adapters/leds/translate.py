"""Between the PNC's contract and LEDS's records, mostly as tables; pure. Names are printed in capitals, as PNC's callers know them.

Times of offences go out with London's offset and come back in UTC; the day itself stays as it was given (assumed).
"""

import importlib.resources
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Final

from adapters.kit import Fault, Reason
from adapters.kit.fields import Kind, Table, tables
from adapters.kit.isodates import day_text, read_day, read_instant, read_time, time_text
from adapters.leds.wire import Record
from metip.common.v1 import pole_pb2 as pole
from metip.common.v1.identifiers_pb2 import PncId, Vrm
from metip.pnc import reports, values
from metip.pnc.v1 import case_update_service_pb2 as updates
from metip.pnc.v1 import court_case_pb2 as cases
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest
from metip.pnc.v1.person_pb2 import Nominal
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest, GetVehicleResponse, Keeper

Later = updates.RecordDeferredSentenceRequest | updates.RecordVariationRequest
OfACase = updates.RecordDisposalRequest | Later
MARKERS: Final = ("impending-prosecution-detail", "penalty-notice", "court-case")
SYSTEM: Final = "LEDS"
MOST, CHECK_NAME, LONGEST = 20, 12, 35
SEXES: Final = {"M": pole.SEX_MALE, "F": pole.SEX_FEMALE, "U": pole.SEX_NOT_SPECIFIED}
# By number of the contract's enums. Sessions are told as text: `10 SESSIONS`.
PLEAS: Final = ("", "Guilty", "Not Guilty", "No Plea Taken", "Consented", "Resisted")
FINDINGS: Final = ("", "Guilty", "Not Guilty", "Non-Conviction")
UNITS: Final = ("", "hours", "days", "weeks", "months", "years", "life")
REMANDS: Final = ("", "remanded-on-bail", "remanded-in-custody", "remanded-in-care", "adjourned")
SESSIONS: Final = re.compile(r"([0-9]{1,3}) SESSIONS")


def _duration(said: Record) -> cases.SentenceDuration | None:
    """None for a unit that the contract does not have."""
    unit: Any = UNITS.index(said["units"]) if said["units"] in UNITS else 0
    return cases.SentenceDuration(unit=unit, value=0 if said["units"] == "life" else said["count"]) if unit else None


def _duration_record(duration: cases.SentenceDuration) -> Record | None:
    life = duration.unit == cases.DURATION_UNIT_LIFE
    return {"units": UNITS[duration.unit], "count": 1 if life else duration.value} if 0 < duration.unit < len(UNITS) else None


def _court(court: cases.Court) -> Record | None:
    named = {"courtIdentityType": "name", "courtName": court.name} if court.name else None
    return {"courtIdentityType": "code", "courtCode": court.code} if court.code else named


def _name(said: Record) -> pole.PersonName:
    """Cut as the contract has names; LEDS keeps 54 letters of one."""
    given = " ".join(said["firstNames"]).upper().split(maxsplit=2)
    return pole.PersonName(given_names=[name[:LONGEST] for name in given], family_name=said["lastName"].upper()[:LONGEST])


def _address(home: Record) -> pole.Address:
    lines = values.address_lines(", ".join(home.get("addressLines", ())).upper())
    return pole.Address(lines=lines, postcode=home.get("postcode", ""))


def _told(read: Callable[[Any], Any]) -> Kind:
    """A value that is only ever read."""
    return Kind(lambda value: None, read)


def _each(read: Callable[[Record], Any]) -> Kind:
    return _told(lambda records: [read(one) for one in records])


KINDS: Final[dict[str, Kind]] = {
    "day": Kind(day_text, read_day),
    "duration": Kind(_duration_record, _duration),
    "pounds": Kind(lambda pence: pence / 100, lambda pounds: round(pounds * 100)),
    "capitals": Kind(str.upper, str.upper),
    "court": Kind(_court, lambda said: None),
    "npcc": Kind(lambda code: code.replace(":", "."), lambda code: code.replace(".", ":")),
    "flag": Kind("Y".__eq__, lambda secure: "Y" if secure else ""),
    "sex": _told(lambda letter: SEXES.get(letter, pole.SEX_UNSPECIFIED)),
    "urn": _told(lambda text: values.read_pnc_id(text, date.max)),
    "cro": _told(values.read_cro),
    "vrm": _told(lambda mark: Vrm(value=mark) if mark else None),
    "names": _each(_name),
    "home": _told(_address),
    "homes": _told(lambda homes: [_address(one) for one in sorted(homes, key=lambda home: str(home.get("from", "")), reverse=True)]),
    "markers": _each(lambda one: pole.WarningSignal(code=one["code"], text=one.get("text", ""))),
    "circulations": _each(lambda one: reports.circulation(**TABLES["Circulation"].fields(one))),
    "vehicle_reports": _each(lambda one: reports.vehicle_report(**TABLES["Report"].fields(one))),
    "keeper": _told(lambda said: Keeper(**TABLES["Keeper"].fields(said))),
    "offences": _each(lambda one: _offence(one)),
    "court_case": _told(values.read_court_case),
    "check_name": _told(lambda name: name.upper()[:CHECK_NAME]),
}
TABLES: Final[dict[str, Table]] = tables(
    importlib.resources.files("adapters.leds").joinpath("contract.fields").read_text(encoding="utf-8"), **KINDS
)


# Enquiries.


def search(request: SearchPersonsRequest) -> Record:
    """Somebody by description. Raises `Fault` INVALID_REQUEST by field."""
    first = values.bound_day(getattr(request.born, "from"), "born.from", last=False)
    last = values.bound_day(request.born.to, "born.to", last=True)
    return {
        "lastName": values.typed(request.family_name, "family_name"),
        "firstNames": values.typed(request.given_names, "given_names").split(),
        "sex": next((letter for letter, sex in SEXES.items() if sex == request.sex), ""),
        "bornFrom": first.isoformat() if first else "",
        "bornTo": last.isoformat() if last else "",
        "limit": request.limit or MOST,
    }


def by_number(request: GetPersonRequest) -> Record:
    """Somebody by number."""
    return {"personUrn": urn(request.pnc_id), "croNumber": request.cro_number.value, "limit": 1}


def vehicle_key(request: GetVehicleRequest) -> Record:
    """A vehicle by mark or number."""
    return {"vrm": request.vrm.value, "vin": request.vin, "engineNumber": request.engine_number}


def nominal(person: Record) -> Nominal:
    """One person."""
    others = [
        alias["dateOfBirth"] for alias in person.get("aliases", ()) if alias.get("dateOfBirth", "") not in ("", person.get("dateOfBirth"))
    ]
    described = pole.Person(name=_name(person), **TABLES["Person"].fields(person))
    return Nominal(person=described, other_dates_of_birth=filter(None, map(read_day, others)), **TABLES["Nominal"].fields(person))


def vehicle(reply: Record) -> GetVehicleResponse:
    """The first vehicle; where a mark was used twice, the provenance says that there is more."""
    (first, *rest), as_of = reply["vehicles"], read_instant(reply["registerAsOf"])
    if as_of is None:
        raise Fault(Reason.UPSTREAM_FAULT, "LEDS does not say as of when its vehicles are")
    source = values.provenance(SYSTEM, as_of, more=bool(rest) or reply.get("more", False))
    return GetVehicleResponse(
        vehicle=pole.Vehicle(**TABLES["Vehicle"].fields(first)), provenance=source, **TABLES["Register"].fields(first)
    )


def arrest_summons(record: Record, person: Record, at: datetime) -> GetArrestSummonsResponse:
    """What is on file under an arrest/summons number, and whom it is about."""
    penalties = [case for case in record["disposals"] if case["caseStatusMarker"] == "penalty-notice"]
    return GetArrestSummonsResponse(
        owner=record["ownerCode"],
        subject=cases.Subject(**TABLES["Subject"].fields(person)),
        court_cases=[cases.CourtCase(**TABLES["Case"].fields(one)) for one in record["disposals"] if one not in penalties],
        penalty_cases=[cases.PenaltyCase(**TABLES["Penalty"].fields(one)) for one in penalties],
        provenance=values.provenance(SYSTEM, at),
    )


def _offence(one: Record) -> cases.Offence:
    found: Record = max(one.get("adjudications", ()), key=lambda finding: int(finding.get("appearanceNumber", 0)), default={})
    times: dict[str, Any] = {"start_time": read_time(one.get("offenceStartTime"), one["offenceStartDate"])}
    times["end_time"] = read_time(one.get("offenceEndTime"), one.get("offenceEndDate"))
    return cases.Offence(
        qualifiers=filter(None, (*one.get("roleQualifiers", ())[:1], *one.get("legislationQualifiers", ())[:1])),
        committed=cases.OffencePeriod(**TABLES["Period"].fields(one), **times),
        adjudication=_adjudication(one, found) if found or one.get("plea") else None,
        disposals=[_disposal(result) for result in one.get("disposalResults", ())],
        **TABLES["Offence"].fields(one),
    )


def _adjudication(one: Record, found: Record) -> cases.Adjudication:
    plea, finding = one.get("plea", ""), found.get("adjudication", "")
    known: dict[str, Any] = {"plea": PLEAS.index(plea)} if plea in PLEAS else {"plea_as_received": plea.upper()}
    known |= {"finding": FINDINGS.index(finding)} if finding in FINDINGS else {"finding_as_received": finding.upper()}
    day, tics = read_day(found.get("disposalDate")), one.get("offenceTic", 0)
    return cases.Adjudication(sentence_date=day, offences_taken_into_consideration=tics, **known)


def _disposal(result: Record) -> cases.Disposal:
    disposal = cases.Disposal(**TABLES["Disposal"].fields(result))
    sessions = SESSIONS.fullmatch(disposal.text)
    if sessions and not disposal.HasField("duration"):
        disposal.duration.CopyFrom(cases.SentenceDuration(unit=cases.DURATION_UNIT_SESSIONS, value=int(sessions[1])))
        disposal.ClearField("text")
    return disposal


# Updates. Each takes what is on file, since LEDS names records by ids of its own.


def disposal(request: updates.RecordDisposalRequest, owner: str, case: Record) -> Record:
    """The results of a hearing."""
    hearing, carried, added, number = request.hearing, request.carry_forward, request.added_charges, request.referral.pti_urn
    surname, slash, forename = hearing.filed_name.partition("/")
    person = {"defendantType": "individual", "defendantLastName": surname or request.subject.check_name, "defendantFirstNames": [forename]}
    record = _of_a_case(request, owner, hearing, case) | {
        "dateOfConviction": day_text(hearing.date),
        "defendant": person if slash or not surname else {"defendantType": "organisation", "defendantOrganisationName": surname},
        "otherTic": hearing.offences_taken_into_consideration,
    }
    if request.HasField("carry_forward"):
        record["carryForward"] = {"court": _court(carried.court), "appearanceDate": day_text(carried.date)}
    if request.HasField("referral"):
        record["referToCourtCase"] = {"reference": number.value or number.as_received, "text": request.referral.text}
    if request.HasField("added_charges"):
        asn = values.arrest_summons_number_text(added.arrest_summons_number, "added_charges.arrest_summons_number")
        offences = [_added(one, f"added_charges.offences[{place}]") for place, one in enumerate(added.offences)]
        record["additionalArrestOffences"] = [{"asn": asn, "additionalOffences": offences}]
    return record


def later(request: Later, owner: str, case: Record) -> Record:
    """A later appearance: the sentence after a deferral, or a result that was varied."""
    reason = "Subsequently Varied" if isinstance(request, updates.RecordVariationRequest) else "Sentenced Deferred"
    seen = {"appearanceDate": day_text(request.appearance.date), "reasonForAppearance": reason}
    return _of_a_case(request, owner, request.appearance, case) | seen


def remand(request: updates.RecordRemandRequest, owner: str) -> Record:
    """A remand."""
    record = (
        TABLES["Remand"].record(request)
        | TABLES["Kept"].record(request.custody)
        | TABLES["Care"].record(request.care)
        | _opening(request, owner)
    )
    record |= {"checkname": request.subject.check_name, "appearanceResult": REMANDS[request.result]}
    record["bailConditions"] = [condition for condition in request.bail_conditions if condition.strip()]
    if authority := record.get("localAuthority"):
        authority["localAuthorityIdentityType"] = "code" if request.care.local_authority_code else "name"
    return record


def urn(number: PncId) -> str:
    """A PNC id as LEDS prints it, `2021/17M`."""
    year, slash, serial = number.value.partition("/")
    return f"{year}{slash}{serial.lstrip('0')}" or number.as_received


def case_named(record: Record, reference: str) -> Record | None:
    """The case of a reference in PNC's print."""
    printed = ((values.court_case_text(values.read_court_case(one["courtCaseReference"])), one) for one in record["disposals"])
    return next((case for number, case in printed if number == reference), None)


def _opening(request: updates.RecordRemandRequest | OfACase, owner: str) -> Record:
    if not (request.owner or owner):
        raise values.invalid("owner", "is needed, since the adapter's setting update_owner names none")
    return {"ownerCode": request.owner or owner, "personUrn": urn(request.subject.pnc_id)}


def _of_a_case(request: OfACase, owner: str, heard: updates.Hearing | updates.Appearance, case: Record) -> Record:
    return _opening(request, owner) | {
        "crimeOffenceReferenceNumber": request.crime_offence_reference,
        "checkName": request.subject.check_name,
        "courtCaseReference": values.court_case_text(request.court_case_reference),
        "court": _court(heard.court),
        "offences": _results(request.results, case, day_text(heard.date)),
    }


def _results(results: Iterable[updates.OffenceResult], case: Record, heard: str) -> list[Record]:
    on_file = {(one["courtOffenceSequenceNumber"], one["cjsOffenceCode"]): one["offenceId"] for one in case["offences"]}
    found = []
    for place, result in enumerate(results):
        offence = on_file.get((result.number, result.cjs_offence_code))
        if offence is None:
            raise Fault(Reason.PRECONDITION, "an offence of the request is not in the case on file", metadata={"exception": "HO100401"})
        found.append({"offenceId": offence, **TABLES["Offence"].record(result), **_decided(result, f"results[{place}]", heard)})
    return found


def _added(one: updates.AddedOffence, path: str) -> Record:
    when, record = one.committed, TABLES["Added"].record(one) | _decided(one, path, "") | TABLES["Period"].record(one.committed)
    record["offenceCode"]["offenceCodeType"] = "cjs"
    record["offenceStartTime"] = time_text(when.start_time, when.start_date) if when.HasField("start_time") else ""
    record["offenceEndTime"] = time_text(when.end_time, when.end_date) if when.HasField("end_time") else ""
    return record


def _decided(one: updates.OffenceResult | updates.AddedOffence, path: str, heard: str) -> Record:
    found = one.adjudication
    if found.weed_flag:
        raise values.invalid(f"{path}.adjudication.weed_flag", "is nothing that LEDS keeps")
    return {
        "roleQualifiers": list(one.qualifiers[:1]),
        "legislationQualifiers": list(one.qualifiers[1:]),
        "plea": PLEAS[found.plea] or found.plea_as_received.title(),
        "adjudication": FINDINGS[found.finding] or found.finding_as_received.title(),
        "dateOfSentence": day_text(found.sentence_date) or (heard if found.finding else ""),
        "offenceTic": found.offences_taken_into_consideration,
        "disposalResults": [_result(disposal, f"{path}.disposals[{place}]") for place, disposal in enumerate(one.disposals)],
    }


def _result(disposal: cases.Disposal, path: str) -> Record:
    record = TABLES["Disposal"].record(disposal)
    if "disposalFine" in record:
        record["disposalFine"].setdefault("amount", 0)
    if disposal.duration.unit == cases.DURATION_UNIT_SESSIONS:
        if disposal.text:
            raise values.invalid(f"{path}.text", "has no place beside sessions")
        record["disposalText"] = f"{disposal.duration.value} SESSIONS"
    return record
