"""Native records of a case as police submit it (`NewCaseMessage`), field by field in the order of the SPI schema."""

from datetime import date
from typing import Annotated

from adapters.libra.layout import DATE, FREE, REFERENCE, TEXT, Leaf, Part, matching, one_of, record, whole
from adapters.libra.records import (
    INTERFACE,
    REMAND,
    SPI,
    Address,
    Aside,
    Emails,
    Hearing,
    Name,
    Offence,
    Organisation,
    Person,
    PersonDefendant,
    Telephones,
)


@record(SPI)
class Officer:
    """The officer in the case."""

    name: Annotated[Name | None, Part("OfficerName")] = None
    rank: Annotated[str, Leaf("PoliceOfficerRank", TEXT)] = ""
    reference: Annotated[str, Leaf("PoliceWorkerReferenceNumber", REFERENCE)] = ""
    location: Annotated[str, Leaf("PoliceWorkerLocationCode", REFERENCE)] = ""
    address: Annotated[Address | None, Part("StructuredAddress")] = None
    telephones: Annotated[Telephones | None, Part("TelephoneDetails")] = None
    dx: Annotated[str, Leaf("DXaddress", TEXT)] = ""
    fax: Annotated[str, Leaf("FAXnumber", TEXT)] = ""
    emails: Annotated[Emails | None, Part("EmailDetails")] = None


@record(SPI)
class Ethnicity:
    """Ethnicity, observed or stated."""

    observed: Annotated[int | None, Leaf("ObservedEthnicity", whole(9))] = None
    stated: Annotated[str, Leaf("SelfDefinedEthnicity", matching("[A-Z][A-Z0-9]"))] = ""


@record(SPI)
class Languages:
    """Languages of documents and of the hearing."""

    documents: Annotated[str, Leaf("DocumentationLanguage", one_of("EW"))] = ""
    hearing: Annotated[str, Leaf("HearingLanguage", one_of("EW"))] = ""


@record(SPI)
class Driver:
    """A driving licence."""

    number: Annotated[str, Leaf("DriverNumber", REFERENCE)] = ""
    code: Annotated[str, Leaf("DriverLicenceCode", matching("."))] = ""
    issue: Annotated[str, Leaf("DriverLicenceIssue", matching(".{1,2}"))] = ""


@record(SPI)
class Guardian:
    """A parent or guardian."""

    details: Annotated[Person | None, Part("BasePersonDetails")] = None
    address: Annotated[Address | None, Part("Address")] = None
    ethnicity: Annotated[Ethnicity | None, Part("PersonEthnicity")] = None


@record(SPI)
class Individual:
    """A person who is prosecuted."""

    person: Annotated[PersonDefendant | None, Part("PersonDefendant")] = None
    perceived_birth_year: Annotated[int | None, Leaf("PerceivedBirthYear", whole(2200))] = None
    address: Annotated[Address | None, Part("Address")] = None
    ethnicity: Annotated[Ethnicity | None, Part("PersonEthnicity")] = None
    occupation_code: Annotated[str, Leaf("OccupationCode", matching("[0-9]{1,5}"))] = ""
    occupation: Annotated[str, Leaf("Occupation", TEXT)] = ""
    cro: Annotated[str, Leaf("CROnumber", REFERENCE)] = ""
    offender_code: Annotated[str, Leaf("OffenderCode", matching(".{1,3}"))] = ""
    custody_status: Annotated[str, Leaf("CustodyStatus", REMAND)] = ""
    languages: Annotated[Languages | None, Part("LanguageOptions")] = None
    language_needs: Annotated[str, Leaf("LanguageNeeds", TEXT)] = ""
    special_needs: Annotated[str, Leaf("SpecialNeeds", TEXT)] = ""
    driver: Annotated[Driver | None, Part("DriverInformation")] = None
    counterpart_issue: Annotated[str, Leaf("CounterpartIssue", matching("."))] = ""
    aliases: Annotated[tuple[Name, ...], Part("Alias")] = ()
    guardian: Annotated[Guardian | None, Part("ParentGuardianDetails")] = None


@record(SPI)
class Corporate:
    """An organisation that is prosecuted."""

    organisation: Annotated[Organisation | None, Part("OrganisationName")] = None
    telephone: Annotated[str, Leaf("TelephoneNumberBusiness", TEXT)] = ""
    emails: Annotated[Emails | None, Part("EmailDetails")] = None
    pnc_id: Annotated[str, Leaf("PNCidentifier", REFERENCE)] = ""
    address: Annotated[Address | None, Part("Address")] = None
    cro: Annotated[str, Leaf("CROnumber", REFERENCE)] = ""
    aliases: Annotated[tuple[str, ...], Leaf("Alias", TEXT)] = ()


@record(SPI)
class Victim:
    """A victim."""

    name: Annotated[Name | None, Part("PersonDetails")] = None
    address: Annotated[Address | None, Part("Address")] = None
    telephones: Annotated[Telephones | None, Part("TelephoneDetails")] = None
    emails: Annotated[Emails | None, Part("EmailDetails")] = None
    born: Annotated[date | None, Leaf("Birthdate", DATE)] = None
    gender: Annotated[str, Leaf("Gender", one_of("0129"))] = ""
    ethnicity: Annotated[Ethnicity | None, Part("PersonEthnicity")] = None


@record(SPI)
class CaseOffence:
    """An offence, its facts and its victims."""

    base: Annotated[Offence | None, Part("BaseOffenceDetails")] = None
    facts: Annotated[str, Leaf("ProsecutionFacts", FREE)] = ""
    victims: Annotated[tuple[Victim, ...], Part("OtherPartyVictim")] = ()


@record(SPI)
class Defendant:
    """A defendant and the offences. A document with both sides of the choice is read as a person's; the other side is kept aside."""

    reference: Annotated[str, Leaf("ProsecutorReference", REFERENCE)] = ""
    individual: Annotated[Individual | None, Part("PoliceIndividualDefendant")] = None
    corporate: Annotated[Corporate | None, Part("PoliceCorporateDefendant", unless="individual")] = None
    offences: Annotated[tuple[CaseOffence, ...], Part("Offence")] = ()


@record(SPI)
class Case:
    """A case."""

    pti_urn: Annotated[str, Leaf("PTIURN", REFERENCE)] = ""
    originating_organisation: Annotated[str, Leaf("OriginatingOrganisation", REFERENCE)] = ""
    initiation_code: Annotated[str, Leaf("InitiationCode", one_of("CRSJ"))] = ""
    summons_code: Annotated[str, Leaf("SummonsCode", one_of("AEMW"))] = ""
    case_initiation: Annotated[str, Leaf("CaseInitiation", one_of("CRSJ"), unless="initiation_code")] = ""
    informant: Annotated[str, Leaf("Informant", TEXT)] = ""
    cps_organisation: Annotated[str, Leaf("CPSorganisation", REFERENCE)] = ""
    case_marker: Annotated[str, Leaf("CaseMarker", REFERENCE)] = ""
    hearing: Annotated[Hearing | None, Part("InitialHearing")] = None
    operator_licence: Annotated[str, Leaf("VehicleOperatorLicenceNumber", REFERENCE)] = ""
    officer: Annotated[Officer | None, Part("OtherPartyOfficerInCase")] = None
    defendants: Annotated[tuple[Defendant, ...], Part("Defendant")] = ()


@record(SPI, "NewCaseMessage", Flow="NewCasesFromThePolice", **INTERFACE)
class NewCase:
    """Payload of a submission: one case."""

    case: Annotated[Case | None, Part("Case")] = None
    aside: tuple[Aside, ...] = ()
