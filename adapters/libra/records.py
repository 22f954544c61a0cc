"""Native records that cases and results share, field by field in the order of the SPI schema (version 1.2).

Codes stay as the courts write them. A field that stands deeper than the others names the elements on its way. Records hold personal data,
so none of them shows its content in a `repr`.
"""

import re
from datetime import date, time
from typing import Annotated, Final

from adapters.kit.binding import At, Kind, record
from adapters.kit.texts import DATE, TIME, bounded, one_of, stripped, whole

SPI: Final = "http://www.dca.gov.uk/xmlschemas/libra"
BS7666: Final = "http://www.govtalk.gov.uk/people/bs7666"
INTERFACE: Final = {"Interface": "LibraStandardProsecutorPolice", "SchemaVersion": "0.6g"}
FREE: Final = bounded(20_000)
"""Sentences, kept as they stand."""
TEXT: Final = stripped(255)
NAME: Final = stripped(35)
REFERENCE: Final = stripped(40)
PADDED: Final = bounded(255)
"""Texts whose blanks mean something."""
REMAND: Final = one_of("ABCLPSU")
GENDER: Final = one_of("0129")

Business = Annotated[str, At("TelephoneDetails/TelephoneNumberBusiness", TEXT)]
Home = Annotated[str, At("TelephoneDetails/TelephoneNumberHome", TEXT)]
Mobile = Annotated[str, At("TelephoneDetails/TelephoneNumberMobile", TEXT)]
Emails = Annotated[tuple[str, ...], At("EmailDetails/EmailAddress", TEXT, numbered=2)]


def _pence(text: str) -> int:
    found = re.fullmatch(r"\+?([0-9]{1,12})(?:\.([0-9]{0,2})0*)?", text.strip())
    if not found:
        raise ValueError("no amount in pounds and pence")
    return int(found[1]) * 100 + int(f"{found[2] or '':0<2}")


PENCE: Final = Kind(_pence, lambda value: f"{value // 100}.{value % 100:02d}")


@record(SPI)
class Hearing:
    """A sitting of a court."""

    court: Annotated[str, At("CourtHearingLocation", REFERENCE)] = ""
    day: Annotated[date | None, At("DateOfHearing", DATE)] = None
    at: Annotated[time | None, At("TimeOfHearing", TIME)] = None


@record(SPI)
class Name:
    """A person's name; a given name is empty where only a later one is filled."""

    title: Annotated[str, At("PersonTitle", NAME)] = ""
    given_names: Annotated[tuple[str, ...], At("PersonGivenName", NAME, numbered=3)] = ()
    family_name: Annotated[str, At("PersonFamilyName", NAME)] = ""


@record(SPI)
class Person:
    """What police and courts say of anybody."""

    name: Annotated[Name | None, At("PersonName")] = None
    business_telephone: Business = ""
    home_telephone: Home = ""
    mobile_telephone: Mobile = ""
    emails: Emails = ()
    date_of_birth: Annotated[date | None, At("Birthdate", DATE)] = None
    sex: Annotated[str, At("Gender", GENDER)] = ""


@record(BS7666)
class Address:
    """An address by British Standard 7666; the objects are packed as `1234A5678BNAME`."""

    secondary: Annotated[str, At("SAON", PADDED)] = ""
    primary: Annotated[str, At("PAON", PADDED)] = ""
    street: Annotated[str, At("StreetDescription", TEXT)] = ""
    usrn: Annotated[int | None, At("UniqueStreetReferenceNumber", whole(99999999))] = None
    locality: Annotated[str, At("Locality", TEXT)] = ""
    town: Annotated[str, At("Town", TEXT)] = ""
    administrative_area: Annotated[str, At("AdministrativeArea", TEXT)] = ""
    post_town: Annotated[str, At("PostTown", TEXT)] = ""
    postcode: Annotated[str, At("PostCode", REFERENCE)] = ""
    uprn: Annotated[int | None, At("UniquePropertyReferenceNumber", whole(999999999999))] = None


@record(SPI)
class Offence:
    """An offence as charged."""

    sequence_number: Annotated[int | None, At("OffenceSequenceNumber", whole(999, 3))] = None
    offence_code: Annotated[str, At("OffenceCode", REFERENCE)] = ""
    wording: Annotated[str, At("OffenceWording", FREE)] = ""
    date_code: Annotated[str, At("OffenceTiming/OffenceDateCode", one_of("1-6"))] = ""
    start_date: Annotated[date | None, At("OffenceTiming/OffenceStart/OffenceDateStartDate", DATE)] = None
    start_time: Annotated[time | None, At("OffenceTiming/OffenceStart/OffenceStartTime", TIME)] = None
    end_date: Annotated[date | None, At("OffenceTiming/OffenceEnd/OffenceEndDate", DATE)] = None
    end_time: Annotated[time | None, At("OffenceTiming/OffenceEnd/OffenceEndTime", TIME)] = None
    charge_date: Annotated[date | None, At("ChargeDate", DATE)] = None
    arrest_date: Annotated[date | None, At("ArrestDate", DATE)] = None
    location: Annotated[str, At("LocationOfOffence", FREE)] = ""
    alcohol: Annotated["Alcohol | None", At("AlcoholRelatedOffence")] = None
    vehicle: Annotated["OffenceVehicle | None", At("VehicleRelatedOffence")] = None


@record(SPI)
class Alcohol:
    """A measured level."""

    amount: Annotated[int | None, At("AlcoholLevelAmount", whole(999))] = None
    method: Annotated[str, At("AlcoholLevelMethod", one_of("A-Z"))] = ""


@record(SPI)
class OffenceVehicle:
    """The vehicle of an offence."""

    code: Annotated[str, At("VehicleCode", one_of("A-Z"))] = ""
    vrm: Annotated[str, At("VehicleRegistrationMark", REFERENCE)] = ""
