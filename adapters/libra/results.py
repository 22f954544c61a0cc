"""Native records of what courts send back (`ResultedCaseMessage`), field by field in the order of the SPI schema."""

from datetime import date
from typing import Annotated, Final

from adapters.kit.binding import Aside, At, record
from adapters.kit.texts import DATE, matching, one_of, whole
from adapters.libra import records
from adapters.libra.records import FREE, INTERFACE, PENCE, REFERENCE, REMAND, SPI, TEXT

COURT: Final = matching("[0-9]{4}")
"""A petty sessional area."""
PRESENT: Final = one_of("ANY")
UNIT: Final = one_of("DHLMSWY")


@record(SPI)
class CourtHearing:
    """A sitting, and the court that sat."""

    hearing: Annotated[records.Hearing | None, At("Hearing")] = None
    psa_code: Annotated[str, At("PSAcode", COURT)] = ""


@record(SPI)
class SimpleAddress:
    """An address in lines; a line is empty where only a later one is filled."""

    lines: Annotated[tuple[str, ...], At("AddressLine", TEXT, numbered=5)] = ()


@record(SPI)
class CourtAddress:
    """An address in the form in which the court keeps it."""

    structured: Annotated[records.Address | None, At("ComplexAddress")] = None
    simple: Annotated[SimpleAddress | None, At("SimpleAddress", unless="structured")] = None


@record(SPI)
class CourtIndividual:
    """A person who was dealt with."""

    details: Annotated[records.Person | None, At("PersonDefendant/BasePersonDetails")] = None
    pnc_id: Annotated[str, At("PersonDefendant/PNCidentifier", REFERENCE)] = ""
    nationality: Annotated[str, At("PersonDefendant/PersonStatedNationality", REFERENCE)] = ""
    bail_conditions: Annotated[str, At("PersonDefendant/BailConditions", FREE)] = ""
    bail_status: Annotated[str, At("BailStatus", REMAND)] = ""
    address: Annotated[CourtAddress | None, At("Address")] = None
    present_at_hearing: Annotated[str, At("PresentAtHearing", PRESENT)] = ""
    bail_reason: Annotated[str, At("ReasonForBailConditionsOrCustody", FREE)] = ""
    guardian: Annotated[records.Person | None, At("ParentGuardianDetails/BasePersonDetails")] = None
    guardian_address: Annotated[CourtAddress | None, At("ParentGuardianDetails/Address")] = None


@record(SPI)
class CourtCorporate:
    """An organisation that was dealt with."""

    name: Annotated[str, At("OrganisationName/OrganisationName", TEXT)] = ""
    business_telephone: Annotated[str, At("TelephoneNumberBusiness", TEXT)] = ""
    emails: records.Emails = ()
    pnc_id: Annotated[str, At("PNCidentifier", REFERENCE)] = ""
    address: Annotated[CourtAddress | None, At("Address")] = None
    present_at_hearing: Annotated[str, At("PresentAtHearing", PRESENT)] = ""
    bail_status: Annotated[str, At("BailStatus", REMAND)] = ""


@record(SPI)
class NextHearing:
    """Where the case goes on."""

    hearing: Annotated[records.Hearing | None, At("NextHearingDetails")] = None
    reason: Annotated[str, At("NextHearingReason", FREE)] = ""
    bail_status: Annotated[str, At("BailStatusOffence", REMAND)] = ""


@record(SPI)
class Duration:
    """How long an outcome lasts; a document may state any number of secondary durations, each a value and then a unit."""

    value: Annotated[int | None, At("DurationValue", whole(999))] = None
    unit: Annotated[str, At("DurationUnit", UNIT)] = ""
    start: Annotated[date | None, At("DurationStartDate", DATE)] = None
    end: Annotated[date | None, At("DurationEndDate", DATE)] = None
    secondary_values: Annotated[tuple[int, ...], At("SecondaryDurationValue", whole(999))] = ()
    secondary_units: Annotated[tuple[str, ...], At("SecondaryDurationUnit", UNIT, after="SecondaryDurationValue")] = ()


@record(SPI)
class Outcome:
    """What a result costs and how long it lasts."""

    penalty_points: Annotated[int | None, At("PenaltyPoints", whole(99))] = None
    pence: Annotated[int | None, At("ResultAmountSterling", PENCE)] = None
    duration: Annotated[Duration | None, At("Duration")] = None


@record(SPI)
class Result:
    """What the court ordered."""

    code: Annotated[int | None, At("ResultCode", whole(9999))] = None
    text: Annotated[str, At("ResultText", FREE)] = ""
    qualifiers: Annotated[tuple[str, ...], At("ResultCodeQualifier", REFERENCE)] = ()
    next_hearing: Annotated[NextHearing | None, At("NextHearing")] = None
    outcome: Annotated[Outcome | None, At("Outcome")] = None


@record(SPI)
class CourtOffence:
    """An offence and what the court did about it."""

    details: Annotated[records.Offence | None, At("BaseOffenceDetails")] = None
    initiated_date: Annotated[date | None, At("InitiatedDate", DATE)] = None
    plea: Annotated[str, At("Plea", one_of("1-8"))] = ""
    mode_of_trial: Annotated[int | None, At("ModeOfTrial", whole(99, 2))] = None
    final_disposal: Annotated[str, At("FinalDisposalIndicator", one_of("YN"))] = ""
    convicted: Annotated[date | None, At("ConvictionDate", DATE)] = None
    convicting_court: Annotated[str, At("ConvictingCourt", COURT)] = ""
    finding: Annotated[str, At("Finding", one_of("GNAOC"))] = ""
    results: Annotated[tuple[Result, ...], At("Result")] = ()


@record(SPI)
class CourtDefendant:
    """A defendant and the resulted offences."""

    reference: Annotated[str, At("ProsecutorReference", REFERENCE)] = ""
    individual: Annotated[CourtIndividual | None, At("CourtIndividualDefendant")] = None
    organisation: Annotated[CourtCorporate | None, At("CourtCorporateDefendant", unless="individual")] = None
    offences: Annotated[tuple[CourtOffence, ...], At("Offence")] = ()


@record(SPI)
class CourtCase:
    """One defendant's part of a case."""

    pti_urn: Annotated[str, At("PTIURN", REFERENCE)] = ""
    defendant: Annotated[CourtDefendant | None, At("Defendant")] = None


@record(SPI)
class Session:
    """What was resulted at one sitting."""

    hearing: Annotated[CourtHearing | None, At("CourtHearing")] = None
    cases: Annotated[tuple[CourtCase, ...], At("Case")] = ()


@record(SPI, "ResultedCaseMessage", Flow="ResultedCasesForThePolice", **INTERFACE)
class ResultedCases:
    """Payload of a delivery from a court."""

    session: Annotated[Session | None, At("Session")] = None
    aside: tuple[Aside, ...] = ()
