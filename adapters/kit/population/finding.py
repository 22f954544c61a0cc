"""Finds people, vehicles and addresses by the plain words that systems search by; what is not given does not bound the search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metip.identifiers import parse_pnc_id, parse_vrm

from .population import Population
from .records import Address


def people(population: Population, asked: Mapping[str, Any]) -> list[int]:
    """Numbers of people by `pncId`, or by `familyName`, `givenNames` and `dateOfBirth` (as far as it is known), best match first."""
    if "pncId" in asked:
        person = population.person_by_pnc_id(parse_pnc_id(asked["pncId"]).canonical)
        return [person.number] if person else []
    found = population.find_people(asked["familyName"], asked.get("givenNames", ""), limit=population.scale.people)
    return [one.number for one in found if one.date_of_birth.isoformat().startswith(asked.get("dateOfBirth", ""))]


def vehicles(population: Population, asked: Mapping[str, Any]) -> list[int]:
    """Numbers of vehicles by `vrm`, or by `vin`."""
    mark = parse_vrm(asked.get("vrm", "")).canonical
    found = population.vehicle_by_vrm(mark) if mark else population.vehicle_by_vin(asked.get("vin", ""))
    return [found.number] if found else []


def addresses(population: Population, asked: Mapping[str, Any]) -> list[int]:
    """Numbers of addresses by `postcode` or its first half, `street` or its beginning, house (`primary`) and `uprn`."""
    return [one.number for one in population.addresses() if _fits(one, asked)]


def _fits(one: Address, asked: Mapping[str, Any]) -> bool:
    postcode, street = asked.get("postcode", one.postcode), asked.get("street", "").casefold()
    if not one.postcode.startswith(postcode if " " in postcode else f"{postcode} ") or not one.street.casefold().startswith(street):
        return False
    return str(asked.get("primary", one.house)) == str(one.house) and asked.get("uprn", one.uprn) == one.uprn
