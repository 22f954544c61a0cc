"""JSON of LEDS: where and under which action code each thing is asked, and the shape of each message, as data; pure.

Names and forms are facts of Bichard 7's published schemas for LEDS, unless a line says (assumed): what LEDS offers beyond arrests and
disposals is not public.
"""

from dataclasses import dataclass
from typing import Any, Final

from adapters.kit.shapes import Record, Shape, decode, encode
from adapters.kit.shapes import ShapeError as WireError

__all__ = ["Record", "WireError", "decode", "encode"]


def text(names: str) -> dict[str, Any]:
    """Fields that are text."""
    return dict.fromkeys(names.split(), str)


COURT: Final = Shape(text("courtIdentityType"), text("courtCode courtName"))
DURATION: Final = Shape({"units": str, "count": int})
RESULT: Final = Shape(
    {"disposalCode": int},
    {"disposalDuration": DURATION, "disposalQualifierDuration": DURATION, "disposalFine": Shape({"amount": float}, {"units": int})}
    | {"disposalQualifiers": [str], "chargeAppearanceNumber": int, **text("disposalId disposalEffectiveDate disposalText")},
)
OFFENCE: Final = {
    **text("npccOffenceCode plea offenceStartTime offenceEndDate offenceEndTime"),
    "roleQualifiers": [str],
    "legislationQualifiers": [str],
    "offenceTic": int,
    "disposalResults": [RESULT],
}
NUMBERED: Final = {"courtOffenceSequenceNumber": int}
FINDING: Final = Shape(text("adjudication"), {"appearanceNumber": int, **text("adjudicationId disposalDate")})
ON_FILE: Final = Shape(NUMBERED | text("offenceId cjsOffenceCode offenceStartDate"), OFFENCE | {"adjudications": [FINDING]})
# The crime reference, here and in updates, is what Bichard 7's stand-in has (assumed).
CRIME: Final = text("crimeOffenceReferenceNumber")
CASE: Final = Shape(
    {**text("courtCaseId courtCaseReference caseStatusMarker"), "offences": [ON_FILE]},
    {**CRIME, **text("convictionDate userReference"), "court": COURT, "otherTicTotal": int},
)
ARREST: Final = Shape({**text("personId personUrn reportId asn ownerCode"), "disposals": [CASE]})

DECIDED: Final = OFFENCE | text("adjudication dateOfSentence")
RESULTED: Final = Shape(NUMBERED | text("offenceId cjsOffenceCode"), DECIDED)
OFFENCE_CODE: Final = Shape(text("offenceCodeType"), text("cjsOffenceCode npccOffenceCode"))
ADDED: Final = Shape(
    {**NUMBERED, **text("locationFsCode offenceStartDate"), "offenceCode": OFFENCE_CODE, "committedOnBail": bool},
    # The method, the dress and a reference of its own have no place in what is published (assumed).
    {**DECIDED, **text("offenceDescription method dress crimeReference"), "locationText": Shape(text("locationText"))},
)
OF_A_CASE: Final = text("ownerCode personUrn checkName courtCaseReference")
DEFENDANT: Final = Shape(text("defendantType"), {"defendantFirstNames": [str], **text("defendantLastName defendantOrganisationName")})
DISPOSAL: Final = Shape(
    {**OF_A_CASE, **text("dateOfConviction"), "defendant": DEFENDANT},
    {**CRIME, "court": COURT, "otherTic": int, "offences": [RESULTED], "carryForward": Shape({"court": COURT}, text("appearanceDate"))}
    | {"referToCourtCase": Shape(text("reference"), text("text"))}
    | {"additionalArrestOffences": [Shape({"asn": str, "additionalOffences": [ADDED]})]},
)
LATER: Final = Shape(OF_A_CASE | text("appearanceDate reasonForAppearance"), {**CRIME, "court": COURT, "offences": [RESULTED]})
SITTING: Final = {"court": COURT, **text("forceStationCode")}
WORKER: Final = Shape(may={"name": str, "telephoneNumber": Shape(may=text("telephoneNumber"))})
REMAND: Final = Shape(
    {**text("ownerCode personUrn checkname remandDate appearanceResult"), "bailConditions": [str]},
    # Address, breach, custody and the authority's code and name are not in what is published (assumed).
    {**CRIME, **text("bailAddress breach"), "custody": Shape(may=text("forceStationCode institutionCode prisonerNumber text"))}
    | {"currentAppearance": Shape(may=SITTING), "nextAppearance": Shape(may={**SITTING, "date": str})}
    | {
        "localAuthority": Shape(
            text("localAuthorityIdentityType"),
            {**text("localAuthorityCode localAuthorityName"), "localAuthoritySecureUnit": bool, "socialWorker": WORKER},
        )
    },
)
MADE: Final = Shape(text("id"))
DETAIL: Final = Shape(text("errorDetailType"), text("message description"))
ERROR: Final = Shape({"status": int, "type": str}, {**text("title details instance"), "leds": Shape(may={"errors": [DETAIL]})})

# People and vehicles, all (assumed), in LEDS's manner.
REPORT: Final = Shape(text("type"), text("handling forceStationCode reference text"))
HOME: Final = Shape({"addressLines": [str]}, text("postcode from"))
PERSON: Final = Shape(
    {**text("personId personUrn lastName"), "firstNames": [str]},
    {**text("croNumber sex dateOfBirth placeOfBirth"), "ethnicAppearance": int, "heightCm": int, "addresses": [HOME], "reports": [REPORT]}
    | {
        "aliases": [Shape({"lastName": str, "firstNames": [str]}, text("dateOfBirth"))],
        "warningMarkers": [Shape({"code": str}, text("text"))],
    },
)
SOUGHT: Final = Shape(may={**text("personUrn croNumber lastName sex bornFrom bornTo"), "firstNames": [str], "limit": int})
PEOPLE: Final = Shape({"people": [PERSON]}, {"more": bool})
VEHICLE: Final = Shape(
    text("vrm"),
    {**text("vin make model colour firstRegistered motExpiry"), "keeperChanges": int, "taxed": bool, "insured": bool, "reports": [REPORT]}
    | {"keeper": Shape({"name": str}, {"address": HOME, "since": str})},
)
VEHICLES: Final = Shape({"vehicles": [VEHICLE], "registerAsOf": str}, {"more": bool})


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be asked of LEDS: under which action code, where, in which shapes; `update` says whether it changes a record."""

    code: str
    path: str
    asks: Shape
    gives: Shape
    update: bool = False


PERSON_PATH: Final = "/person-services/v1/people/{person}"
FIND: Final = "/person-services/v1/find-"
SUMMARY: Final = "View Arrest / Summons Summary"
BY_ASN: Final = Action(SUMMARY, f"{FIND}disposals-by-asn", Shape(text("asn"), {"caseStatusMarkers": [str]}), ARREST)
ADD_REMAND: Final = Action("Create Remand", f"{PERSON_PATH}/arrest-reports/{{report}}/basic-remands", REMAND, MADE, update=True)
CASE_PATH: Final = f"{PERSON_PATH}/disposals/{{case_id}}/court-case-"
ADD_DISPOSAL: Final = Action("Add Disposal Results", f"{CASE_PATH}disposal-result", DISPOSAL, MADE, update=True)
ADD_LATER: Final = Action("Create Court Case Subsequent Appearance", f"{CASE_PATH}subsequent-disposal-results", LATER, MADE, update=True)
# These three are (assumed).
BY_CASE: Final = Action(SUMMARY, f"{FIND}disposals-by-court-case", Shape(text("personUrn courtCaseReference")), ARREST)
FIND_PEOPLE: Final = Action("View Person Summary", f"{FIND}people", SOUGHT, PEOPLE)
FIND_VEHICLES: Final = Action("View Vehicle Summary", "/vehicle-services/v1/find-vehicles", Shape(may=text("vrm vin")), VEHICLES)
