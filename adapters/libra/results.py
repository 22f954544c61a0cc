"""Native records of what courts send back (`ResultedCaseMessage`), field by field in the order of the SPI schema."""

from datetime import date
from typing import Annotated, Final

from adapters.libra.layout import DATE, FREE, PENCE, REFERENCE, TEXT, Leaf, Part, matching, one_of, record, whole
from adapters.libra.records import (
    INTERFACE,
    REMAND,
    SPI,
    Address,
    Aside,
    Emails,
    Hearing,
    Offence,
    Organisation,
    Person,
    PersonDefendant,
)

UNIT: Final = one_of("DHLMSWY")


@record(SPI)
class CourtHearing:
    """A sitting, and the court that sat."""

    hearing: Annotated[Hearing | None, Part("Hearing")] = None
    psa_code: Annotated[str, Leaf("PSAcode", matching("[0-9]{4}"))] = ""


@record(SPI)
class SimpleAddress:
    """An address in lines."""

    line1: Annotated[str, Leaf("AddressLine1", TEXT)] = ""
    line2: Annotated[str, Leaf("AddressLine2", TEXT)] = ""
    line3: Annotated[str, Leaf("AddressLine3", TEXT)] = ""
    line4: Annotated[str, Leaf("AddressLine4", TEXT)] = ""
    line5: Annotated[str, Leaf("AddressLine5", TEXT)] = ""


@record(SPI)
class CourtAddress:
    """An address in the form in which the court keeps it."""

    structured: Annotated[Address | None, Part("ComplexAddress")] = None
    simple: Annotated[SimpleAddress | None, Part("SimpleAddress", unless="structured")] = None


@record(SPI)
class CourtGuardian:
    """A parent or guardian."""

    details: Annotated[Person | None, Part("BasePersonDetails")] = None
    address: Annotated[CourtAddress | None, Part("Address")] = None


@record(SPI)
class CourtIndividual:
    """A person who was dealt with."""

    person: Annotated[PersonDefendant | None, Part("PersonDefendant")] = None
    bail_status: Annotated[str, Leaf("BailStatus", REMAND)] = ""
    address: Annotated[CourtAddress | None, Part("Address")] = None
    present: Annotated[str, Leaf("PresentAtHearing", one_of("ANY"))] = ""
    bail_reason: Annotated[str, Leaf("ReasonForBailConditionsOrCustody", FREE)] = ""
    guardian: Annotated[CourtGuardian | None, Part("ParentGuardianDetails")] = None


@record(SPI)
class CourtCorporate:
    """An organisation that was dealt with."""

    organisation: Annotated[Organisation | None, Part("OrganisationName")] = None
    telephone: Annotated[str, Leaf("TelephoneNumberBusiness", TEXT)] = ""
    emails: Annotated[Emails | None, Part("EmailDetails")] = None
    pnc_id: Annotated[str, Leaf("PNCidentifier", REFERENCE)] = ""
    address: Annotated[CourtAddress | None, Part("Address")] = None
    present: Annotated[str, Leaf("PresentAtHearing", one_of("ANY"))] = ""
    bail_status: Annotated[str, Leaf("BailStatus", REMAND)] = ""


@record(SPI)
class NextHearing:
    """Where the case goes on."""

    hearing: Annotated[Hearing | None, Part("NextHearingDetails")] = None
    reason: Annotated[str, Leaf("NextHearingReason", FREE)] = ""
    bail_status: Annotated[str, Leaf("BailStatusOffence", REMAND)] = ""


@record(SPI)
class Duration:
    """How long an outcome lasts; a document may state any number of secondary durations, each a value and then a unit."""

    value: Annotated[int | None, Leaf("DurationValue", whole(999))] = None
    unit: Annotated[str, Leaf("DurationUnit", UNIT)] = ""
    start: Annotated[date | None, Leaf("DurationStartDate", DATE)] = None
    end: Annotated[date | None, Leaf("DurationEndDate", DATE)] = None
    secondary_values: Annotated[tuple[int, ...], Leaf("SecondaryDurationValue", whole(999))] = ()
    secondary_units: Annotated[tuple[str, ...], Leaf("SecondaryDurationUnit", UNIT, after="SecondaryDurationValue")] = ()


@record(SPI)
class Outcome:
    """What a result costs and how long it lasts."""

    penalty_points: Annotated[int | None, Leaf("PenaltyPoints", whole(99))] = None
    pence: Annotated[int | None, Leaf("ResultAmountSterling", PENCE)] = None
    duration: Annotated[Duration | None, Part("Duration")] = None


@record(SPI)
class Result:
    """What the court ordered."""

    code: Annotated[int | None, Leaf("ResultCode", whole(9999))] = None
    text: Annotated[str, Leaf("ResultText", FREE)] = ""
    qualifiers: Annotated[tuple[str, ...], Leaf("ResultCodeQualifier", REFERENCE)] = ()
    next_hearing: Annotated[NextHearing | None, Part("NextHearing")] = None
    outcome: Annotated[Outcome | None, Part("Outcome")] = None


@record(SPI)
class CourtOffence:
    """An offence and what the court did about it."""

    base: Annotated[Offence | None, Part("BaseOffenceDetails")] = None
    initiated: Annotated[date | None, Leaf("InitiatedDate", DATE)] = None
    plea: Annotated[str, Leaf("Plea", one_of("1-8"))] = ""
    mode_of_trial: Annotated[int | None, Leaf("ModeOfTrial", whole(99, 2))] = None
    final_disposal: Annotated[str, Leaf("FinalDisposalIndicator", one_of("YN"))] = ""
    convicted: Annotated[date | None, Leaf("ConvictionDate", DATE)] = None
    convicting_court: Annotated[str, Leaf("ConvictingCourt", matching("[0-9]{4}"))] = ""
    finding: Annotated[str, Leaf("Finding", one_of("GNAOC"))] = ""
    results: Annotated[tuple[Result, ...], Part("Result")] = ()


@record(SPI)
class CourtDefendant:
    """A defendant and the resulted offences."""

    reference: Annotated[str, Leaf("ProsecutorReference", REFERENCE)] = ""
    individual: Annotated[CourtIndividual | None, Part("CourtIndividualDefendant")] = None
    corporate: Annotated[CourtCorporate | None, Part("CourtCorporateDefendant", unless="individual")] = None
    offences: Annotated[tuple[CourtOffence, ...], Part("Offence")] = ()


@record(SPI)
class CourtCase:
    """One defendant's part of a case."""

    pti_urn: Annotated[str, Leaf("PTIURN", REFERENCE)] = ""
    defendant: Annotated[CourtDefendant | None, Part("Defendant")] = None


@record(SPI)
class Session:
    """What was resulted at one sitting."""

    hearing: Annotated[CourtHearing | None, Part("CourtHearing")] = None
    cases: Annotated[tuple[CourtCase, ...], Part("Case")] = ()


@record(SPI, "ResultedCaseMessage", Flow="ResultedCasesForThePolice", **INTERFACE)
class ResultedCases:
    """Payload of a delivery from a court."""

    session: Annotated[Session | None, Part("Session")] = None
    aside: tuple[Aside, ...] = ()
