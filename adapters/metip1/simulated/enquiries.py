"""PNC's indexes as the bus tells of them: people, vehicles, drivers and property. The same at every start.

A stale answer is of a copy: it lacks what was reported in the last days, and nothing in it says so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from adapters.kit.population import WARNING_SIGNALS, Alias, Circulation, Person, Population, Vehicle, VehicleReport
from adapters.kit.population.driving import Licence, licence_of
from adapters.kit.population.reserved import engine_number
from adapters.kit.population.things import Thing, things
from adapters.metip1.simulated import printing
from adapters.metip1.simulated.printing import Refused, code, day, in_lines, name, named, number, said, yes
from adapters.metip1.wire import Record

MOST: Final = 20
CIRCULATIONS: Final = (
    *("WANTED", "FAILED_TO_APPEAR", "SUSPECT", "IMPENDING_PROSECUTION", "DESERTER"),
    *("LOCATE", "MISSING", "FOUND", "ABSCONDER", "RECALL"),
)
VEHICLE_REPORTS: Final = ("LOST_STOLEN", "DECEPTION", "FOUND", "REMOVED", "MOVED", "SUSPECTED", "POLICE", "OF_INTEREST", "SEEN")
THINGS: Final = ("FIREARM", "TRAILER", "PLANT", "MARINE", "ANIMAL")
THING_REPORTS: Final = ("STOLEN", "LOST", "FOUND", "DECEPTION", "OF_INTEREST")
LICENCES: Final = ("CURRENT", "EXPIRED", "REVOKED", "SURRENDERED", "DISQUALIFIED")
"""Each in the order of its codes, which begin with 1."""


class Enquiries:
    """Answers questions about the population. `stale_days` is how old the copy is that answers, 0 for none."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._things = things(population)
        self._by_engine = {engine_number(one): one for one in range(1, population.scale.vehicles + 1)}

    def find_names(self, asked: Record, stale_days: int) -> Record:
        """People by name and description."""
        born = asked.get("Born", {})
        first, last = printing.bounds(born.get("From", "")), printing.bounds(born.get("To", ""))
        found = self._population.find_people(
            surname=asked["Surname"],
            forename=asked.get("Forename", ""),
            sex=asked.get("Sex", ""),
            born_from=first[0] if first else None,
            born_to=last[1] if last else None,
            limit=self._population.scale.people,
        )
        known, limit = [person for person in found if person.pnc_id], printing.most(asked, MOST, MOST)
        return _answer([self._nominal(one, stale_days) for one in known[:limit]], "Nominal", len(known) > limit, asked["Surname"])

    def get_name(self, asked: Record, stale_days: int) -> Record:
        """One person by number."""
        person = (
            self._population.person_by_pnc_id(asked["PNCID"]) if "PNCID" in asked else self._population.person_by_cro(asked["CRONumber"])
        )
        if person is None or not person.pnc_id:
            raise Refused("MB1101", f"NAME {asked.get('PNCID', '')} NOT FOUND")
        return {"Nominal": self._nominal(person, stale_days)}

    def get_vehicle(self, asked: Record, stale_days: int) -> Record:
        """One vehicle by mark, identification number or engine number."""
        population, by_engine = self._population, self._by_engine.get(asked.get("EngineNumber", ""))
        found = population.vehicle_by_vrm(asked.get("VRM", "")) or population.vehicle_by_vin(asked.get("VIN", ""))
        vehicle = found or (population.vehicle_numbered(by_engine) if by_engine else None)
        if vehicle is None:
            raise Refused("MB1101", f"VEHICLE {asked.get('VRM', '')} NOT FOUND")
        keeper = population.person(vehicle.keeper_number)
        return said(
            Vehicle=_looks(vehicle),
            Keeper=said(
                Name=name(" ".join((*keeper.forenames, keeper.surname))),
                Address=in_lines(population.address(keeper.address_number)),
                Since=day(vehicle.keeper_since),
            ),
            Taxed=yes(vehicle.taxed),
            MOTExpiry=day(vehicle.mot_expiry),
            Insured=yes(vehicle.insured),
            Report=[_vehicle_report(one) for one in vehicle.reports if self._copied(one.reported_on, stale_days)],
            KeeperChanges=number(vehicle.number % 4) if vehicle.number % 4 else "",
            EngineNumber=engine_number(vehicle.number),
        )

    def find_vehicles(self, asked: Record, stale_days: int) -> Record:
        """Vehicles by what is known of them."""
        mark = re.compile("".join({"?": ".", "*": ".*"}.get(one, re.escape(one)) for one in asked.get("VrmPattern", "*")))
        fit = [one for one in self._population.vehicles() if mark.fullmatch(one.vrm) and self._fits(one, asked)]
        limit = printing.most(asked, MOST, MOST)
        told = [
            said(Vehicle=_looks(one), PostcodeArea=self._area(one), Reported=yes(self._reported(one, stale_days))) for one in fit[:limit]
        ]
        return _answer(told, "Candidate", len(fit) > limit, asked.get("VrmPattern", ""))

    def get_driver(self, asked: Record, stale_days: int) -> Record:
        """Drivers by number, or by name, sex and date of birth."""
        one = asked.get("Description", {})
        if one:
            born = printing.asked_day(one["DOB"])
            people: Sequence[Person] = self._population.find_people(
                surname=one["Surname"], forename=one.get("Forename", ""), sex=one["Sex"], born_from=born, born_to=born, limit=100
            )
        else:
            by_number = self._population.person_by_driver_number(asked["DriverNumber"])
            people = [by_number] if by_number else []
        found = [(person, licence) for person in people if (licence := licence_of(self._population, person))]
        told = [self._driver(person, licence) for person, licence in found[:MOST]]
        return _answer(told, "Driver", len(found) > MOST, asked.get("DriverNumber", ""))

    def find_property(self, asked: Record, stale_days: int) -> Record:
        """Things of a kind by the beginning of their number."""
        kind, begins = THINGS[int(asked["Type"]) - 1], re.sub("[-./ ]", "", asked["SerialNumber"])
        fit = [one for one in self._things if one.kind == kind and one.serial_number.startswith(begins)]
        limit = printing.most(asked, MOST, MOST)
        return _answer([_thing(one) for one in fit[:limit]], "Report", len(fit) > limit, begins)

    def _copied(self, reported: date, stale_days: int) -> bool:
        return not stale_days or reported <= self._population.scale.as_of - timedelta(days=stale_days)

    def _nominal(self, person: Person, stale_days: int) -> Record:
        born = dict.fromkeys(one.date_of_birth for one in person.aliases if one.date_of_birth not in (None, person.date_of_birth))
        return said(
            Person=said(
                Name=named(person.surname, person.forenames),
                DOB=day(person.date_of_birth),
                Sex=person.sex,
                ICCode=number(person.observed_ethnicity) if person.observed_ethnicity else "",
                HeightCM=number(person.height_cm),
                PNCID=person.pnc_id,
                CRONumber=person.cro,
                Alias=[_alias(one) for one in person.aliases],
                Address=[in_lines(self._population.address(person.address_number))],
                WarningSignal=[said(Code=one, Text=WARNING_SIGNALS[one]) for one in person.warning_signals],
            ),
            PlaceOfBirth=person.place_of_birth.upper(),
            Circulation=[_circulation(one) for one in person.circulations if self._copied(one.circulated_on, stale_days)],
            OtherDatesOfBirth=[day(one) for one in born],
        )

    def _driver(self, person: Person, licence: Licence) -> Record:
        term, banned = {"ValidFrom": day(licence.valid_from), "ValidTo": day(licence.valid_to)}, licence.disqualification
        return said(
            DriverNumber=person.driver_number,
            Name=named(person.surname, person.forenames),
            DOB=day(person.date_of_birth),
            Sex=person.sex,
            Address=in_lines(self._population.address(person.address_number)),
            Licence=code(2 if licence.provisional else 1),
            Status=code(LICENCES.index(licence.status) + 1),
            **term,
            Entitlement=[{"Category": one, "Provisional": yes(licence.provisional), **term} for one in licence.categories],
            Endorsement=[
                said(
                    Code=one.code,
                    CommittedOn=day(one.committed_on),
                    ConvictedOn=day(one.convicted_on),
                    Court={"Code": one.court_code} if one.court_code else None,
                    Points=number(one.points) if one.points else "",
                    FinePence=number(one.fine_pence),
                )
                for one in licence.endorsements
            ],
            Disqualification=[{"From": day(banned.start), "To": day(banned.end), "UntilTestPassed": yes(banned.until_test)}]
            if banned
            else [],
        )

    def _area(self, vehicle: Vehicle) -> str:
        keeper = self._population.person(vehicle.keeper_number)
        return re.match("[A-Z]*", self._population.address(keeper.address_number).postcode)[0]  # type: ignore[index]  # it always matches

    def _reported(self, vehicle: Vehicle, stale_days: int) -> bool:
        return any(self._copied(one.reported_on, stale_days) for one in vehicle.reports)

    def _fits(self, vehicle: Vehicle, asked: Mapping[str, str]) -> bool:
        same = all(asked.get(key, value).upper() == value for key, value in (("Colour", vehicle.colour), ("Make", vehicle.make)))
        area = self._area(vehicle)
        return same and vehicle.model.startswith(asked.get("Model", "").upper()) and asked.get("PostcodeArea", area) == area


def _answer(told: list[Record], element: str, more: bool, words: str) -> Record:
    if not told:
        raise Refused("MB1101", f"{words} NOT FOUND")
    return {element: told, "AnswerInfo": {"MoreRecords": yes(more)}}


def _alias(alias: Alias) -> Record:
    return named(alias.surname, alias.forenames)


def _circulation(one: Circulation) -> Record:
    kind = code(CIRCULATIONS.index(str(one.kind)) + 1)
    return said(Type=kind, ForceStation=one.circulated_by, Reference=one.reference, Text=one.text)


def _handling(open_air: bool) -> str:
    return code(1 if open_air else 2)


def _vehicle_report(one: VehicleReport) -> Record:
    kind = code(VEHICLE_REPORTS.index(str(one.kind)) + 1)
    return said(Type=kind, Handling=_handling(one.open_air), ForceStation=one.circulated_by, Reference=one.reference, Text=one.text)


def _looks(vehicle: Vehicle) -> Record:
    described: Iterable[tuple[str, str]] = ((one, getattr(vehicle, one.lower())) for one in ("Make", "Model", "Colour"))
    return said(VRM=vehicle.vrm.ljust(11), VIN=vehicle.vin, **dict(described), FirstRegistered=day(vehicle.first_registered))


def _thing(one: Thing) -> Record:
    return said(
        Type=code(THINGS.index(one.kind) + 1),
        SerialNumber=one.serial_number,
        Make=one.make,
        Model=one.model,
        Description=one.description,
        Report=code(THING_REPORTS.index(one.report) + 1),
        Handling=_handling(one.open_air),
        ForceStation=one.circulated_by,
        Reference=one.reference,
        ReportedOn=day(one.reported_on),
        Text=one.text,
    )
