"""Between the PNC's contract and LEDS's records; pure. Names are printed in capitals, as PNC's callers know them.

Times of offences go out with London's offset and come back in UTC; the day itself stays as it was given (assumed).
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from adapters.kit import Fault, Reason
from adapters.kit.isodates import day_text, read_day, read_instant, read_time, time_text
from adapters.leds.wire import Record
from metip.common.v1 import pole_pb2 as pole
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.answer_pb2 import Warning as Remark
from metip.common.v1.identifiers_pb2 import PncId, Vrm
from metip.pnc import values
from metip.pnc.reports import circulation, vehicle_report
from metip.pnc.v1 import case_update_service_pb2 as updates
from metip.pnc.v1 import court_case_pb2 as cases
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest
from metip.pnc.v1.person_pb2 import Nominal
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest, GetVehicleResponse, Keeper

Later = updates.RecordDeferredSentenceRequest | updates.RecordVariationRequest
MARKERS: Final = ("impending-prosecution-detail", "penalty-notice", "court-case")
MOST: Final = 20
CHECK_NAME, LONGEST = 12, 35
SEXES: Final = {"M": pole.SEX_MALE, "F": pole.SEX_FEMALE, "U": pole.SEX_NOT_SPECIFIED}
# By number of the contract's enums. Sessions are told as text: `10 SESSIONS`.
PLEAS: Final = ("", "Guilty", "Not Guilty", "No Plea Taken", "Consented", "Resisted")
FINDINGS: Final = ("", "Guilty", "Not Guilty", "Non-Conviction")
UNITS: Final = ("", "hours", "days", "weeks", "months", "years", "life")
REMANDS: Final = ("", "remanded-on-bail", "remanded-in-custody", "remanded-in-care", "adjourned")
SESSIONS: Final = re.compile(r"([0-9]{1,3}) SESSIONS")


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
    if not request.vrm.value and not request.vin:
        raise values.invalid("key", "is neither mark nor identification number, by which alone LEDS is asked")
    return {"vrm": request.vrm.value, "vin": request.vin}


def provenance(at: datetime, *, more: bool = False) -> Provenance:
    """Where an answer is from."""
    source = Provenance(system="LEDS", truncated=more)
    source.as_of.FromDatetime(at)
    return source


def nominal(person: Record, today: date) -> Nominal:
    """One person."""
    aliases, born = person.get("aliases", ()), read_day(person.get("dateOfBirth"))
    homes = sorted(person.get("addresses", ()), key=lambda home: str(home.get("from", "")), reverse=True)
    return Nominal(
        person=pole.Person(
            name=_name(person),
            date_of_birth=born,
            sex=SEXES.get(person.get("sex", ""), pole.SEX_UNSPECIFIED),
            observed_ethnicity=person.get("ethnicAppearance", 0),
            height_cm=person.get("heightCm", 0),
            pnc_id=values.read_pnc_id(person["personUrn"], today),
            cro_number=values.read_cro(person.get("croNumber", "")),
            aliases=[_name(alias) for alias in aliases],
            addresses=[_address(home) for home in homes],
            warning_signals=[pole.WarningSignal(code=one["code"], text=one.get("text")) for one in person.get("warningMarkers", ())],
        ),
        place_of_birth=person.get("placeOfBirth", "").upper(),
        circulations=[circulation(one["type"], *_report(one)) for one in person.get("reports", ())],
        other_dates_of_birth=[day for alias in aliases if (day := read_day(alias.get("dateOfBirth"))) and day != born],
    )


def vehicle(reply: Record) -> GetVehicleResponse:
    """The first vehicle; where a mark was used twice, the provenance says that there is more."""
    (first, *rest), as_of = reply["vehicles"], read_instant(reply["registerAsOf"])
    if as_of is None:
        raise Fault(Reason.UPSTREAM_FAULT, "LEDS does not say as of when its vehicles are")
    keeper, reports = first.get("keeper"), first.get("reports", ())
    return GetVehicleResponse(
        vehicle=pole.Vehicle(
            vrm=Vrm(value=first["vrm"]) if first["vrm"] else None,
            first_registered=read_day(first.get("firstRegistered")),
            **{name: first.get(name, "").upper() for name in ("vin", "make", "model", "colour")},
        ),
        keeper=keeper
        and Keeper(name=keeper["name"].upper(), address=_address(keeper.get("address", {})), since=read_day(keeper.get("since"))),
        taxed=first.get("taxed", False),
        mot_expiry=read_day(first.get("motExpiry")),
        insured=first.get("insured", False),
        reports=[vehicle_report(one["type"], one.get("handling", ""), *_report(one)) for one in reports],
        provenance=provenance(as_of, more=bool(rest) or reply.get("more", False)),
        keeper_changes=first.get("keeperChanges", 0),
    )


def arrest_summons(record: Record, person: Record, at: datetime) -> GetArrestSummonsResponse:
    """What is on file under an arrest/summons number, and whom it is about."""

    def contents(case: Record) -> dict[str, Any]:
        reference = case.get("crimeOffenceReferenceNumber", "")
        return {"crime_offence_reference": reference, "offences": [_offence(one) for one in case["offences"]]}

    penalties = [case for case in record["disposals"] if case["caseStatusMarker"] == "penalty-notice"]
    others = [case for case in record["disposals"] if case not in penalties]
    return GetArrestSummonsResponse(
        owner=record["ownerCode"],
        subject=cases.Subject(
            pnc_id=values.read_pnc_id(record["personUrn"], at.date()),
            check_name=person["lastName"].upper()[:CHECK_NAME],
            cro_number=values.read_cro(person.get("croNumber", "")),
        ),
        court_cases=[cases.CourtCase(reference=values.read_court_case(one["courtCaseReference"]), **contents(one)) for one in others],
        penalty_cases=[cases.PenaltyCase(reference=one["courtCaseReference"], **contents(one)) for one in penalties],
        provenance=provenance(at),
    )


def _offence(one: Record) -> cases.Offence:
    found = max(one.get("adjudications", ()), key=lambda finding: int(finding.get("appearanceNumber", 0)), default=None)
    qualifiers = (*one.get("roleQualifiers", ())[:1], *one.get("legislationQualifiers", ())[:1])
    starts, ends = one["offenceStartDate"], one.get("offenceEndDate")
    return cases.Offence(
        number=one["courtOffenceSequenceNumber"],
        cjs_offence_code=one["cjsOffenceCode"],
        npcc_offence_code=one.get("npccOffenceCode", "").replace(".", ":"),
        qualifiers=[qualifier for qualifier in qualifiers if qualifier],
        committed=cases.OffencePeriod(
            start_date=read_day(starts),
            start_time=read_time(one.get("offenceStartTime"), starts),
            end_date=read_day(ends),
            end_time=read_time(one.get("offenceEndTime"), ends),
        ),
        adjudication=_adjudication(one, found or {}) if found or one.get("plea") else None,
        disposals=[_disposal(result) for result in one.get("disposalResults", ())],
    )


def _adjudication(one: Record, found: Record) -> cases.Adjudication:
    plea, finding = one.get("plea", ""), found.get("adjudication", "")
    return cases.Adjudication(
        plea=PLEAS.index(plea) if plea in PLEAS else 0,  # type: ignore[arg-type]  # the enum's own numbers, here and below
        plea_as_received="" if plea in PLEAS else plea.upper(),
        finding=FINDINGS.index(finding) if finding in FINDINGS else 0,  # type: ignore[arg-type]
        finding_as_received="" if finding in FINDINGS else finding.upper(),
        sentence_date=read_day(found.get("disposalDate")),
        offences_taken_into_consideration=one.get("offenceTic", 0),
    )


def _disposal(result: Record) -> cases.Disposal:
    fine, said = result.get("disposalFine", {}), result.get("disposalText", "")
    sessions = SESSIONS.fullmatch(said) if "disposalDuration" not in result else None
    counted = cases.SentenceDuration(unit=cases.DURATION_UNIT_SESSIONS, value=int(sessions[1])) if sessions else None
    return cases.Disposal(
        code=result["disposalCode"],
        duration=counted or _duration(result.get("disposalDuration")),
        date=read_day(result.get("disposalEffectiveDate")),
        amount_pence=round(fine.get("amount", 0) * 100),
        units_fined=fine.get("units", 0),
        qualifiers=result.get("disposalQualifiers", ()),
        qualifier_duration=_duration(result.get("disposalQualifierDuration")),
        text="" if sessions else said,
    )


def _duration(said: Record | None) -> cases.SentenceDuration | None:
    """None for a unit that the contract does not have."""
    if said is None or said["units"] not in UNITS[1:]:
        return None
    return cases.SentenceDuration(unit=UNITS.index(said["units"]), value=0 if said["units"] == "life" else said["count"])  # type: ignore[arg-type]


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
    care, custody = request.care, request.custody
    place = "forceStationCode"
    record = {
        **_opening(request, owner),
        "checkname": request.subject.check_name,
        "remandDate": day_text(request.remanded_on),
        "appearanceResult": REMANDS[request.result],
        "bailConditions": [condition for condition in request.bail_conditions if condition.strip()],
        "bailAddress": request.bail_address,
        "breach": request.breach,
        "currentAppearance": {"court": _court(request.court), place: request.remanded_at_station},
        "nextAppearance": {"court": _court(request.next_court), place: request.next_station, "date": day_text(request.next_appearance)},
    }
    if request.HasField("custody"):
        kept = {place: custody.force_station, "institutionCode": custody.institution}
        record["custody"] = kept | {"prisonerNumber": custody.prisoner_number, "text": custody.text}
    if request.HasField("care"):
        record["localAuthority"] = {
            "localAuthorityIdentityType": "code" if care.local_authority_code else "name",
            "localAuthorityCode": care.local_authority_code,
            "localAuthorityName": care.local_authority,
            "localAuthoritySecureUnit": care.secure_unit == "Y",
            "socialWorker": {"name": care.social_worker, "telephoneNumber": {"telephoneNumber": care.phone}},
        }
    return record


def urn(number: PncId) -> str:
    """A PNC id as LEDS prints it, `2021/17M`."""
    year, slash, serial = number.value.partition("/")
    return f"{year}{slash}{serial.lstrip('0')}" or number.as_received


def receipt(code: str, *more: tuple[str, str]) -> updates.UpdateReceipt:
    """What was done, in the codes of the PNC: the contract's callers know no others."""
    return updates.UpdateReceipt(code=code, remarks=[Remark(code=one, text=words) for one, words in more])


def disposal_receipt(request: updates.RecordDisposalRequest, opened: Record | None) -> updates.RecordDisposalResponse:
    """The receipt of a disposal, with the case that was opened for what was carried forward."""
    more = [("A0029", "charges that the court added were recorded")] if request.HasField("added_charges") else []
    more += [("A0027", "a case was opened for what was carried forward")] if request.HasField("carry_forward") else []
    reference = values.read_court_case(opened["courtCaseReference"]) if opened else None
    return updates.RecordDisposalResponse(receipt=receipt("A0003", *more), additional_case=reference)


def case_named(record: Record, reference: str) -> Record | None:
    """The case of a reference in PNC's print."""
    printed = (values.court_case_text(values.read_court_case(case["courtCaseReference"])) for case in record["disposals"])
    return next((case for case, number in zip(record["disposals"], printed, strict=True) if number == reference), None)


def _opening(request: updates.RecordRemandRequest | updates.RecordDisposalRequest | Later, owner: str) -> Record:
    if not (request.owner or owner):
        raise values.invalid("owner", "is needed, since the adapter's setting update_owner names none")
    reference = request.crime_offence_reference
    return {"ownerCode": request.owner or owner, "personUrn": urn(request.subject.pnc_id), "crimeOffenceReferenceNumber": reference}


def _of_a_case(
    request: updates.RecordDisposalRequest | Later, owner: str, heard: updates.Hearing | updates.Appearance, case: Record
) -> Record:
    return _opening(request, owner) | {
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
        named = {"offenceId": offence, "courtOffenceSequenceNumber": result.number, "cjsOffenceCode": result.cjs_offence_code}
        found.append(named | _decided(result, f"results[{place}]", heard))
    return found


def _added(one: updates.AddedOffence, path: str) -> Record:
    when = one.committed
    return _decided(one, path, "") | {
        "courtOffenceSequenceNumber": one.number,
        "offenceCode": {"offenceCodeType": "cjs", "cjsOffenceCode": one.cjs_offence_code},
        "committedOnBail": one.committed_on_bail,
        "locationFsCode": one.location_force_station,
        "locationText": {"locationText": one.location} if one.location else None,
        "offenceDescription": one.description,
        "method": one.method,
        "dress": one.dress,
        "crimeReference": one.crime_offence_reference,
        "offenceStartDate": day_text(when.start_date),
        "offenceStartTime": time_text(when.start_time, when.start_date) if when.HasField("start_time") else "",
        "offenceEndDate": day_text(when.end_date),
        "offenceEndTime": time_text(when.end_time, when.end_date) if when.HasField("end_time") else "",
    }


def _decided(one: updates.OffenceResult | updates.AddedOffence, path: str, heard: str) -> Record:
    found = one.adjudication
    if found.weed_flag:
        raise values.invalid(f"{path}.adjudication.weed_flag", "is nothing that LEDS keeps")
    return {
        "npccOffenceCode": one.npcc_offence_code.replace(":", "."),
        "roleQualifiers": list(one.qualifiers[:1]),
        "legislationQualifiers": list(one.qualifiers[1:]),
        "plea": PLEAS[found.plea] or found.plea_as_received.title(),
        "adjudication": FINDINGS[found.finding] or found.finding_as_received.title(),
        "dateOfSentence": day_text(found.sentence_date) or (heard if found.finding else ""),
        "offenceTic": found.offences_taken_into_consideration,
        "disposalResults": [_result(disposal, f"{path}.disposals[{place}]") for place, disposal in enumerate(one.disposals)],
    }


def _result(disposal: cases.Disposal, path: str) -> Record:
    sessions = disposal.duration.unit == cases.DURATION_UNIT_SESSIONS
    if sessions and disposal.text:
        raise values.invalid(f"{path}.text", "has no place beside sessions")
    fine = {"amount": disposal.amount_pence / 100, "units": disposal.units_fined or None}
    return {
        "disposalCode": disposal.code,
        "disposalDuration": None if sessions else _duration_record(disposal.duration),
        "disposalFine": fine if any(fine.values()) else None,
        "disposalEffectiveDate": day_text(disposal.date),
        "disposalQualifiers": list(disposal.qualifiers),
        "disposalQualifierDuration": _duration_record(disposal.qualifier_duration),
        "disposalText": f"{disposal.duration.value} SESSIONS" if sessions else disposal.text,
    }


def _duration_record(duration: cases.SentenceDuration) -> Record | None:
    life = duration.unit == cases.DURATION_UNIT_LIFE
    return {"units": UNITS[duration.unit], "count": 1 if life else duration.value} if duration.unit else None


def _court(court: cases.Court) -> Record | None:
    named = {"courtIdentityType": "name", "courtName": court.name} if court.name else None
    return {"courtIdentityType": "code", "courtCode": court.code} if court.code else named


def _name(said: Record) -> pole.PersonName:
    """Cut as the contract has names; LEDS keeps 54 letters of one."""
    given = " ".join(said["firstNames"]).upper().split(maxsplit=2)
    return pole.PersonName(given_names=[name[:LONGEST] for name in given], family_name=said["lastName"].upper()[:LONGEST])


def _address(home: Record) -> pole.Address:
    return values.address(", ".join(home.get("addressLines", ())).upper(), home.get("postcode", ""))


def _report(one: Record) -> tuple[str, str, str]:
    return one.get("forceStationCode", ""), one.get("reference", ""), one.get("text", "")
