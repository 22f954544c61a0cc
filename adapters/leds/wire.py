"""JSON of LEDS: where and under which action code each thing is asked, and the shape of each message, as data; pure.

Names and forms are facts of Bichard 7's published schemas for LEDS, unless a line says (assumed): what LEDS offers beyond arrests and
disposals is not public.
"""

from dataclasses import dataclass
from typing import Final

from adapters.kit.shapes import Record, Shape, decode, encode, shapes
from adapters.kit.shapes import ShapeError as WireError

__all__ = ["Record", "WireError", "decode", "encode"]

# Not in what is published (assumed): the crime reference, which Bichard 7's stand-in has; method, dress and reference of an added offence;
# address, breach, custody and the authority's code and name of a remand; everything of people and vehicles.
SHAPES: Final = shapes("""
Court       courtIdentityType! courtCode courtName
Duration    units! count!:int
Fine        amount!:float units:int
Result      disposalCode!:int disposalDuration:Duration disposalFine:Fine disposalEffectiveDate disposalQualifiers:[str] disposalText
            disposalQualifierDuration:Duration disposalId chargeAppearanceNumber:int
Offence     courtOffenceSequenceNumber!:int npccOffenceCode roleQualifiers:[str] legislationQualifiers:[str] plea offenceTic:int
            offenceStartTime offenceEndDate offenceEndTime disposalResults:[Result]
Finding     adjudication! appearanceNumber:int adjudicationId disposalDate
OnFile      +Offence offenceId! cjsOffenceCode! offenceStartDate! adjudications:[Finding]
Case        courtCaseId! courtCaseReference! caseStatusMarker! offences!:[OnFile] court:Court convictionDate userReference otherTicTotal:int
            crimeOffenceReferenceNumber
ByAsn       asn! caseStatusMarkers:[str]
ByCase      personUrn! courtCaseReference!
Arrest      personId! personUrn! reportId! asn! ownerCode! disposals!:[Case]

Resulted    +Offence offenceId! cjsOffenceCode! adjudication dateOfSentence
Code        offenceCodeType! cjsOffenceCode npccOffenceCode
Place       locationText!
Added       +Offence offenceCode!:Code committedOnBail!:bool locationFsCode! offenceStartDate! locationText:Place adjudication
            dateOfSentence offenceDescription method dress crimeReference
Defendant   defendantType! defendantFirstNames:[str] defendantLastName defendantOrganisationName
Forward     court!:Court appearanceDate
Referral    reference! text
Additional  asn! additionalOffences!:[Added]
OfACase     ownerCode! personUrn! checkName! courtCaseReference! crimeOffenceReferenceNumber court:Court offences:[Resulted]
Disposal    +OfACase dateOfConviction! defendant!:Defendant otherTic:int carryForward:Forward referToCourtCase:Referral
            additionalArrestOffences:[Additional]
Later       +OfACase appearanceDate! reasonForAppearance!
Sitting     court:Court forceStationCode date
Telephone   telephoneNumber
Worker      name telephoneNumber:Telephone
Authority   localAuthorityIdentityType! localAuthorityCode localAuthorityName localAuthoritySecureUnit:bool socialWorker:Worker
Custody     forceStationCode institutionCode prisonerNumber text
Remand      ownerCode! personUrn! checkname! remandDate! appearanceResult! bailConditions!:[str] bailAddress breach custody:Custody
            currentAppearance:Sitting nextAppearance:Sitting localAuthority:Authority crimeOffenceReferenceNumber
Made        id!
Detail      errorDetailType! message description
Details     errors:[Detail]
Error       status!:int type! title details instance leds:Details

Report      type! handling forceStationCode reference text
Home        addressLines!:[str] postcode from
Marker      code! text
Name        lastName! firstNames!:[str] dateOfBirth
Person      +Name personId! personUrn! croNumber sex placeOfBirth ethnicAppearance:int heightCm:int aliases:[Name] warningMarkers:[Marker]
            addresses:[Home] reports:[Report]
Sought      personUrn croNumber lastName firstNames:[str] sex bornFrom bornTo limit:int
People      people!:[Person] more:bool
Keeper      name! address:Home since
Vehicle     vrm! vin make model colour firstRegistered motExpiry keeperChanges:int taxed:bool insured:bool reports:[Report] keeper:Keeper
Vehicles    vehicles!:[Vehicle] registerAsOf! more:bool
ByMark      vrm vin
""")
ERROR: Final = SHAPES["Error"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be asked of LEDS: under which action code, where, in which shapes; `update` says whether it changes a record."""

    code: str
    path: str
    asks: Shape
    gives: Shape
    update: bool = False


def _action(code: str, path: str, asks: str, gives: str, *, update: bool = False) -> Action:
    return Action(code, path, SHAPES[asks], SHAPES[gives], update)


FIND, PERSON = "/person-services/v1/find-", "/person-services/v1/people/{person}"
SUMMARY: Final = "View Arrest / Summons Summary"
BY_ASN: Final = _action(SUMMARY, f"{FIND}disposals-by-asn", "ByAsn", "Arrest")
ADD_REMAND: Final = _action("Create Remand", f"{PERSON}/arrest-reports/{{report}}/basic-remands", "Remand", "Made", update=True)
CASE: Final = f"{PERSON}/disposals/{{case_id}}/court-case-"
ADD_DISPOSAL: Final = _action("Add Disposal Results", f"{CASE}disposal-result", "Disposal", "Made", update=True)
ADD_LATER: Final = _action("Create Court Case Subsequent Appearance", f"{CASE}subsequent-disposal-results", "Later", "Made", update=True)
# These three are (assumed).
BY_CASE: Final = _action(SUMMARY, f"{FIND}disposals-by-court-case", "ByCase", "Arrest")
FIND_PEOPLE: Final = _action("View Person Summary", f"{FIND}people", "Sought", "People")
FIND_VEHICLES: Final = _action("View Vehicle Summary", "/vehicle-services/v1/find-vehicles", "ByMark", "Vehicles")
