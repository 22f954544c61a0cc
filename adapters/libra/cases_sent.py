"""Native records of a case as police submit it (`NewCaseMessage`), field by field in the order of the SPI schema."""

from datetime import date
from typing import Annotated

from adapters.kit.binding import Aside, At, record
from adapters.kit.texts import DATE, matching, one_of, whole
from adapters.libra import records
from adapters.libra.records import FREE, GENDER, INTERFACE, REFERENCE, REMAND, SPI, TEXT


@record(SPI)
class Officer:
    """The officer in the case."""

    name: Annotated[records.Name | None, At("OfficerName")] = None
    rank: Annotated[str, At("PoliceOfficerRank", TEXT)] = ""
    worker_reference: Annotated[str, At("PoliceWorkerReferenceNumber", REFERENCE)] = ""
    worker_location: Annotated[str, At("PoliceWorkerLocationCode", REFERENCE)] = ""
    address: Annotated[records.Address | None, At("StructuredAddress")] = None
    business_telephone: records.Business = ""
    home_telephone: records.Home = ""
    mobile_telephone: records.Mobile = ""
    dx_address: Annotated[str, At("DXaddress", TEXT)] = ""
    fax: Annotated[str, At("FAXnumber", TEXT)] = ""
    emails: records.Emails = ()


@record(SPI)
class Ethnicity:
    """Ethnicity, observed or stated."""

    observed: Annotated[int | None, At("ObservedEthnicity", whole(9))] = None
    self_defined: Annotated[str, At("SelfDefinedEthnicity", matching("[A-Z][A-Z0-9]"))] = ""


@record(SPI)
class Guardian:
    """A parent or guardian."""

    details: Annotated[records.Person | None, At("BasePersonDetails")] = None
    address: Annotated[records.Address | None, At("Address")] = None
    ethnicity: Annotated[Ethnicity | None, At("PersonEthnicity")] = None


@record(SPI)
class Individual:
    """A person who is prosecuted."""

    details: Annotated[records.Person | None, At("PersonDefendant/BasePersonDetails")] = None
    pnc_id: Annotated[str, At("PersonDefendant/PNCidentifier", REFERENCE)] = ""
    nationality: Annotated[str, At("PersonDefendant/PersonStatedNationality", REFERENCE)] = ""
    bail_conditions: Annotated[str, At("PersonDefendant/BailConditions", FREE)] = ""
    perceived_birth_year: Annotated[int | None, At("PerceivedBirthYear", whole(2200))] = None
    address: Annotated[records.Address | None, At("Address")] = None
    ethnicity: Annotated[Ethnicity | None, At("PersonEthnicity")] = None
    occupation_code: Annotated[str, At("OccupationCode", matching("[0-9]{1,5}"))] = ""
    occupation: Annotated[str, At("Occupation", TEXT)] = ""
    cro_number: Annotated[str, At("CROnumber", REFERENCE)] = ""
    offender_code: Annotated[str, At("OffenderCode", matching(".{1,3}"))] = ""
    custody_status: Annotated[str, At("CustodyStatus", REMAND)] = ""
    documentation_language: Annotated[str, At("LanguageOptions/DocumentationLanguage", one_of("EW"))] = ""
    hearing_language: Annotated[str, At("LanguageOptions/HearingLanguage", one_of("EW"))] = ""
    language_needs: Annotated[str, At("LanguageNeeds", TEXT)] = ""
    special_needs: Annotated[str, At("SpecialNeeds", TEXT)] = ""
    driver_number: Annotated[str, At("DriverInformation/DriverNumber", REFERENCE)] = ""
    licence_code: Annotated[str, At("DriverInformation/DriverLicenceCode", matching("."))] = ""
    licence_issue: Annotated[str, At("DriverInformation/DriverLicenceIssue", matching(".{1,2}"))] = ""
    counterpart_issue: Annotated[str, At("CounterpartIssue", matching("."))] = ""
    aliases: Annotated[tuple[records.Name, ...], At("Alias")] = ()
    guardian: Annotated[Guardian | None, At("ParentGuardianDetails")] = None


@record(SPI)
class Corporate:
    """An organisation that is prosecuted."""

    name: Annotated[str, At("OrganisationName/OrganisationName", TEXT)] = ""
    business_telephone: Annotated[str, At("TelephoneNumberBusiness", TEXT)] = ""
    emails: records.Emails = ()
    pnc_id: Annotated[str, At("PNCidentifier", REFERENCE)] = ""
    address: Annotated[records.Address | None, At("Address")] = None
    cro_number: Annotated[str, At("CROnumber", REFERENCE)] = ""
    aliases: Annotated[tuple[str, ...], At("Alias", TEXT)] = ()


@record(SPI)
class Victim:
    """A victim."""

    name: Annotated[records.Name | None, At("PersonDetails")] = None
    address: Annotated[records.Address | None, At("Address")] = None
    business_telephone: records.Business = ""
    home_telephone: records.Home = ""
    mobile_telephone: records.Mobile = ""
    emails: records.Emails = ()
    date_of_birth: Annotated[date | None, At("Birthdate", DATE)] = None
    sex: Annotated[str, At("Gender", GENDER)] = ""
    ethnicity: Annotated[Ethnicity | None, At("PersonEthnicity")] = None


@record(SPI)
class CaseOffence:
    """An offence, its facts and its victims."""

    details: Annotated[records.Offence | None, At("BaseOffenceDetails")] = None
    prosecution_facts: Annotated[str, At("ProsecutionFacts", FREE)] = ""
    victims: Annotated[tuple[Victim, ...], At("OtherPartyVictim")] = ()


@record(SPI)
class Defendant:
    """A defendant and the offences. A document with both sides of the choice is read as a person's; the other side is kept aside."""

    reference: Annotated[str, At("ProsecutorReference", REFERENCE)] = ""
    individual: Annotated[Individual | None, At("PoliceIndividualDefendant")] = None
    corporate: Annotated[Corporate | None, At("PoliceCorporateDefendant", unless="individual")] = None
    offences: Annotated[tuple[CaseOffence, ...], At("Offence")] = ()


@record(SPI)
class Case:
    """A case."""

    pti_urn: Annotated[str, At("PTIURN", REFERENCE)] = ""
    originating_organisation: Annotated[str, At("OriginatingOrganisation", REFERENCE)] = ""
    initiation_code: Annotated[str, At("InitiationCode", one_of("CRSJ"))] = ""
    summons_type: Annotated[str, At("SummonsCode", one_of("AEMW"))] = ""
    case_initiation: Annotated[str, At("CaseInitiation", one_of("CRSJ"), unless="initiation_code")] = ""
    informant: Annotated[str, At("Informant", TEXT)] = ""
    cps_organisation: Annotated[str, At("CPSorganisation", REFERENCE)] = ""
    case_marker: Annotated[str, At("CaseMarker", REFERENCE)] = ""
    hearing: Annotated[records.Hearing | None, At("InitialHearing")] = None
    vehicle_operator_licence_number: Annotated[str, At("VehicleOperatorLicenceNumber", REFERENCE)] = ""
    officer_in_case: Annotated[Officer | None, At("OtherPartyOfficerInCase")] = None
    defendants: Annotated[tuple[Defendant, ...], At("Defendant")] = ()


@record(SPI, "NewCaseMessage", Flow="NewCasesFromThePolice", **INTERFACE)
class NewCase:
    """Payload of a submission: one case."""

    case: Annotated[Case | None, At("Case")] = None
    aside: tuple[Aside, ...] = ()
