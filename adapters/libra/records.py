"""Native records that cases and results share, field by field in the order of the SPI schema (version 1.2).

Codes stay as the courts write them. Records hold personal data, so none of them shows its content in a `repr`.
"""

from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Final

from adapters.libra.layout import DATE, FREE, NAME, PADDED, REFERENCE, TEXT, TIME, Leaf, Part, one_of, record, whole

SPI: Final = "http://www.dca.gov.uk/xmlschemas/libra"
BS7666: Final = "http://www.govtalk.gov.uk/people/bs7666"
INTERFACE: Final = {"Interface": "LibraStandardProsecutorPolice", "SchemaVersion": "0.6g"}
REMAND: Final = one_of("ABCLPSU")


@dataclass(frozen=True, slots=True, repr=False)
class Aside:
    """A part of a document that no record has a place for: where it stood, and the element as XML."""

    path: str
    xml: str


@record(SPI)
class Hearing:
    """A sitting of a court."""

    court: Annotated[str, Leaf("CourtHearingLocation", REFERENCE)] = ""
    day: Annotated[date | None, Leaf("DateOfHearing", DATE)] = None
    at: Annotated[time | None, Leaf("TimeOfHearing", TIME)] = None


@record(SPI)
class Name:
    """A person's name."""

    title: Annotated[str, Leaf("PersonTitle", NAME)] = ""
    first: Annotated[str, Leaf("PersonGivenName1", NAME)] = ""
    second: Annotated[str, Leaf("PersonGivenName2", NAME)] = ""
    third: Annotated[str, Leaf("PersonGivenName3", NAME)] = ""
    family: Annotated[str, Leaf("PersonFamilyName", NAME)] = ""


@record(SPI)
class Telephones:
    """Telephone numbers."""

    business: Annotated[str, Leaf("TelephoneNumberBusiness", TEXT)] = ""
    home: Annotated[str, Leaf("TelephoneNumberHome", TEXT)] = ""
    mobile: Annotated[str, Leaf("TelephoneNumberMobile", TEXT)] = ""


@record(SPI)
class Emails:
    """E-mail addresses."""

    first: Annotated[str, Leaf("EmailAddress1", TEXT)] = ""
    second: Annotated[str, Leaf("EmailAddress2", TEXT)] = ""


@record(SPI)
class Person:
    """What police and courts say of anybody."""

    name: Annotated[Name | None, Part("PersonName")] = None
    telephones: Annotated[Telephones | None, Part("TelephoneDetails")] = None
    emails: Annotated[Emails | None, Part("EmailDetails")] = None
    born: Annotated[date | None, Leaf("Birthdate", DATE)] = None
    gender: Annotated[str, Leaf("Gender", one_of("0129"))] = ""


@record(SPI)
class PersonDefendant:
    """A defendant who is a person."""

    details: Annotated[Person | None, Part("BasePersonDetails")] = None
    pnc_id: Annotated[str, Leaf("PNCidentifier", REFERENCE)] = ""
    nationality: Annotated[str, Leaf("PersonStatedNationality", REFERENCE)] = ""
    bail_conditions: Annotated[str, Leaf("BailConditions", FREE)] = ""


@record(BS7666)
class Address:
    """An address by British Standard 7666; the objects are packed as `1234A5678BNAME`."""

    secondary: Annotated[str, Leaf("SAON", PADDED)] = ""
    primary: Annotated[str, Leaf("PAON", PADDED)] = ""
    street: Annotated[str, Leaf("StreetDescription", TEXT)] = ""
    usrn: Annotated[int | None, Leaf("UniqueStreetReferenceNumber", whole(99999999))] = None
    locality: Annotated[str, Leaf("Locality", TEXT)] = ""
    town: Annotated[str, Leaf("Town", TEXT)] = ""
    area: Annotated[str, Leaf("AdministrativeArea", TEXT)] = ""
    post_town: Annotated[str, Leaf("PostTown", TEXT)] = ""
    postcode: Annotated[str, Leaf("PostCode", REFERENCE)] = ""
    uprn: Annotated[int | None, Leaf("UniquePropertyReferenceNumber", whole(999999999999))] = None


@record(SPI)
class OffenceStart:
    """When an offence began."""

    day: Annotated[date | None, Leaf("OffenceDateStartDate", DATE)] = None
    at: Annotated[time | None, Leaf("OffenceStartTime", TIME)] = None


@record(SPI)
class OffenceEnd:
    """When an offence ended."""

    day: Annotated[date | None, Leaf("OffenceEndDate", DATE)] = None
    at: Annotated[time | None, Leaf("OffenceEndTime", TIME)] = None


@record(SPI)
class OffenceTiming:
    """When an offence was committed."""

    code: Annotated[str, Leaf("OffenceDateCode", one_of("1-6"))] = ""
    start: Annotated[OffenceStart | None, Part("OffenceStart")] = None
    end: Annotated[OffenceEnd | None, Part("OffenceEnd")] = None


@record(SPI)
class Alcohol:
    """A measured level."""

    amount: Annotated[int | None, Leaf("AlcoholLevelAmount", whole(999))] = None
    method: Annotated[str, Leaf("AlcoholLevelMethod", one_of("A-Z"))] = ""


@record(SPI)
class OffenceVehicle:
    """The vehicle of an offence."""

    code: Annotated[str, Leaf("VehicleCode", one_of("A-Z"))] = ""
    vrm: Annotated[str, Leaf("VehicleRegistrationMark", REFERENCE)] = ""


@record(SPI)
class Offence:
    """An offence as charged."""

    number: Annotated[int | None, Leaf("OffenceSequenceNumber", whole(999, 3))] = None
    code: Annotated[str, Leaf("OffenceCode", REFERENCE)] = ""
    wording: Annotated[str, Leaf("OffenceWording", FREE)] = ""
    timing: Annotated[OffenceTiming | None, Part("OffenceTiming")] = None
    charged: Annotated[date | None, Leaf("ChargeDate", DATE)] = None
    arrested: Annotated[date | None, Leaf("ArrestDate", DATE)] = None
    location: Annotated[str, Leaf("LocationOfOffence", FREE)] = ""
    alcohol: Annotated[Alcohol | None, Part("AlcoholRelatedOffence")] = None
    vehicle: Annotated[OffenceVehicle | None, Part("VehicleRelatedOffence")] = None


@record(SPI)
class Organisation:
    """An organisation's name."""

    name: Annotated[str, Leaf("OrganisationName", TEXT)] = ""
