"""The invented people and things as JSON objects in plain words, for simulators of systems that speak JSON: each puts its own codes in.

Names are at most 35 characters a part, as systems hold them (Standard Prosecutor Interface). What is not known is left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .codes import WARNING_SIGNALS
from .records import Address, Alias, Arrest, Crime, Person, Vehicle

Tree = dict[str, Any]


def said(**values: Any) -> Tree:
    """An object of what is known."""
    return {name: value for name, value in values.items() if value}


def instant(moment: datetime) -> str:
    """An instant in UTC, to the second (RFC 3339)."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def name(one: Person | Alias) -> Tree:
    """A name."""
    return said(familyName=one.surname[:35], givenNames=[forename[:35] for forename in one.forenames])


def identity(person: Person) -> Tree:
    """Names, date of birth and sex (M, F or U)."""
    aliases, born = [name(one) for one in person.aliases], person.date_of_birth.isoformat()
    return said(name=name(person), aliases=aliases, dateOfBirth=born, sex=person.sex)


def identifiers(person: Person) -> Tree:
    """Numbers in national systems; the PNC id in the short form, as many systems print it."""
    return said(pncId=person.pnc_id[2:], croNumber=person.cro)


def description(person: Person) -> Tree:
    """Ethnicity, observed (`IC` and the 6+1 code) and self-defined (the 16+1 code), and height."""
    seen, own = f"IC{person.observed_ethnicity}", person.self_defined_ethnicity
    return said(observedEthnicity=seen, selfDefinedEthnicity=own, heightCm=person.height_cm)


def signals(person: Person) -> list[Tree]:
    """Warning signals."""
    return [said(code=code, text=WARNING_SIGNALS[code]) for code in person.warning_signals]


def place(one: Address) -> Tree:
    """An address in the parts of BS7666."""
    flat, parts = f"Flat {one.flat}" if one.flat else "", {"street": one.street, "town": one.town, "postcode": one.postcode}
    return said(secondary=flat, primary=str(one.house), **parts, uprn=one.uprn)


def vehicle(one: Vehicle) -> Tree:
    """A vehicle; its mark with a blank, as plates have it."""
    mark, first = f"{one.vrm[:4]} {one.vrm[4:]}", one.first_registered.isoformat()
    return said(registration=mark, vin=one.vin, make=one.make, model=one.model, colour=one.colour, firstRegistered=first)


def offence(one: Crime) -> Tree:
    """What was committed, when, and where roughly."""
    what = said(crimeReportNumber=one.reference, cjsOffenceCode=one.cjs_code, classification=one.classification, flags=list(one.flags))
    return {**what, **said(committedFrom=instant(one.committed_from), committedTo=instant(one.committed_to), borough=one.borough)}


def detention(one: Arrest) -> Tree:
    """An arrest, and the arrival at the suite at the same moment."""
    offences = [said(number=place, cjsOffenceCode=offence.cjs_code) for place, offence in enumerate(one.offences, 1)]
    when, asn = instant(one.arrested_at), one.asn if one.charged else ""
    numbers = said(custodyRecordNumber=one.custody_number, arrestSummonsNumber=asn, suite=one.force_station)
    return {**numbers, **said(arrivedAt=when, arrestedAt=when, offences=offences)}
