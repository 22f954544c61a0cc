"""What the simulated host tells of people, vehicles, drivers and property: the population as segments; the same at every start."""

import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from adapters.kit.population import WARNING_SIGNALS, Person, Population, Vehicle
from adapters.kit.population.driving import Licence, licence_of
from adapters.kit.population.reserved import engine_number
from adapters.kit.population.things import Thing, things
from adapters.kit.simulation import Dials
from adapters.pnc.holdings import Refused, cut
from adapters.pnc.records import Segment, Transaction

T = TypeVar("T")
MOST: Final = 20
NOT_FOUND: Final = "I1008"


class Registers:
    """The indexes of the host. Each answers one enquiry and raises `Refused`."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._population = population
        self._dials = dials
        self._things = things(population)
        self._by_engine = {engine_number(number): number for number in range(1, population.scale.vehicles + 1)}

    def names(self, request: Transaction) -> list[Segment]:
        """People by number or description."""
        key = _key(request, "N01")
        by_pnc_id, by_cro = self._population.person_by_pnc_id, self._population.person_by_cro
        if key["pnc_id"] or key["cro_number"]:
            person = by_pnc_id(key["pnc_id"]) if key["pnc_id"] else by_cro(key["cro_number"])
            found = [] if person is None or self._weeded() else [person]
        else:
            born = _date(key["born_from"]), _date(key["born_to"])
            found = [person for person in self._described(key, *born) if person.pnc_id]
        return _answer(key, found, self._person, f"NAME {key['surname']}")

    def vehicle(self, request: Transaction) -> list[Segment]:
        """A vehicle by mark, identification number or engine number."""
        key, population = _key(request, "V01"), self._population
        number = self._by_engine.get(key["engine_number"])
        by_engine = population.vehicle_numbered(number) if number else None
        found = population.vehicle_by_vrm(key["vrm"]) or population.vehicle_by_vin(key["vin"]) or by_engine
        return _answer(key, [] if found is None or self._weeded() else [found], self._vehicle, f"VEHICLE {key['vrm']}")

    def vehicles(self, request: Transaction) -> list[Segment]:
        """Vehicles by what is known of them."""
        key = _key(request, "V02")
        mark = re.compile("".join({"?": ".", "*": ".*"}.get(one, re.escape(one)) for one in key["vrm"] or "*"))
        found = [vehicle for vehicle in self._population.vehicles() if mark.fullmatch(vehicle.vrm) and self._fits(vehicle, key)]
        return _answer(key, found, self._candidate, f"VEHICLE {key['vrm']}")

    def drivers(self, request: Transaction) -> list[Segment]:
        """Drivers by number or by name, sex and date of birth."""
        key = _key(request, "D01")
        one = self._population.person_by_driver_number(key["driver_number"])
        born = _date(key["born"])
        by_number = [] if one is None or self._weeded() else [one]
        people = by_number if key["driver_number"] else self._described(key, born, born)
        found = [(person, licence) for person in people if (licence := licence_of(self._population, person))]
        return _answer(key, found, self._driver, f"DRIVER {key['driver_number']}{key['surname']}")

    def property(self, request: Transaction) -> list[Segment]:
        """Things of a kind by the beginning of their number."""
        key = _key(request, "P01")
        found = [one for one in self._things if one.kind == key["type"] and one.serial_number.startswith(key["serial_number"])]
        return _answer(key, found, _thing, f"PROPERTY {key['serial_number']}")

    def _weeded(self) -> bool:
        return self._dials.strike("weeded") is not None

    def _described(self, key: Segment, born_from: datetime.date | None, born_to: datetime.date | None) -> Sequence[Person]:
        return self._population.find_people(
            surname=key["surname"],
            forename=key["forenames"],
            sex=key["sex"],
            born_from=born_from,
            born_to=born_to,
            limit=self._population.scale.people,
        )

    def _home(self, person: Person) -> dict[str, str]:
        home = self._population.address(person.address_number)
        return {"address": ", ".join(home.lines), "postcode": home.postcode}

    def _person(self, person: Person) -> list[Segment]:
        return [
            cut(
                "NOM",
                pnc_id=person.pnc_id,
                cro_number=person.cro,
                **_named(person),
                ethnic_appearance=str(person.observed_ethnicity),
                height_cm=str(person.height_cm),
                birth_place=person.place_of_birth,
            ),
            *(
                cut("ALI", surname=alias.surname, forenames=" ".join(alias.forenames), born=_text(alias.date_of_birth))
                for alias in person.aliases
            ),
            *(cut("WRN", code=code, text=WARNING_SIGNALS[code]) for code in person.warning_signals),
            cut("NAD", **self._home(person)),
            *(
                cut("RPT", type=report.kind, force_station=report.circulated_by, reference=report.reference, text=report.text)
                for report in person.circulations
            ),
        ]

    def _vehicle(self, vehicle: Vehicle) -> list[Segment]:
        refreshed = self._dials.strike("refreshed") is not None
        keeper = self._next_keeper(vehicle) if refreshed else self._population.person(vehicle.keeper_number)
        return [
            cut(
                "VEH",
                **_looks(vehicle),
                keeper_changes=f"{vehicle.number % 4 + refreshed:02d}",
                taxed=_said(vehicle.taxed),
                mot_expiry=_text(vehicle.mot_expiry),
                insured=_said(vehicle.insured),
                engine_number=engine_number(vehicle.number),
            ),
            cut(
                "KPR",
                name=" ".join((*keeper.forenames, keeper.surname)),
                **self._home(keeper),
                since=_text(self._population.scale.as_of if refreshed else vehicle.keeper_since),
            ),
            *(
                cut(
                    "VRP",
                    type=report.kind,
                    handling=_handling(report.open_air),
                    force_station=report.circulated_by,
                    reference=report.reference,
                    text=report.text,
                )
                for report in vehicle.reports
            ),
        ]

    def _next_keeper(self, vehicle: Vehicle) -> Person:
        """The next grown-up by number."""
        today, number = self._population.scale.as_of, vehicle.keeper_number
        while True:
            number = number % self._population.scale.people + 1
            person = self._population.person(number)
            if person.age_on(today) >= 17:
                return person

    def _area(self, vehicle: Vehicle) -> str:
        keeper = self._population.person(vehicle.keeper_number)
        return re.match("[A-Z]*", self._population.address(keeper.address_number).postcode)[0]  # type: ignore[index]  # it always matches

    def _fits(self, vehicle: Vehicle, key: Segment) -> bool:
        return (
            key["colour"] in ("", vehicle.colour)
            and key["make"] in ("", vehicle.make)
            and vehicle.model.startswith(key["model"])
            and key["postcode_area"] in ("", self._area(vehicle))
        )

    def _candidate(self, vehicle: Vehicle) -> list[Segment]:
        return [cut("VEC", **_looks(vehicle), postcode_area=self._area(vehicle), reported=_said(bool(vehicle.reports)))]

    def _driver(self, found: tuple[Person, Licence]) -> list[Segment]:
        person, licence = found
        term = {"valid_from": _text(licence.valid_from), "valid_to": _text(licence.valid_to)}
        banned = licence.disqualification
        return [
            cut(
                "DRV",
                driver_number=person.driver_number,
                **_named(person),
                **self._home(person),
                licence="PROVISIONAL" if licence.provisional else "FULL",
                status=licence.status,
                **term,
            ),
            *(cut("ENT", category=category, provisional=_said(licence.provisional), **term) for category in licence.categories),
            *(
                cut(
                    "END",
                    code=one.code,
                    committed_on=_text(one.committed_on),
                    convicted_on=_text(one.convicted_on),
                    court_code=one.court_code,
                    points=f"{one.points:02d}",
                    fine=f"{one.fine_pence // 100:07d}.{one.fine_pence % 100:02d}",
                )
                for one in licence.endorsements
            ),
            *([cut("DSQ", **{"from": _text(banned.start)}, to=_text(banned.end), until_test=_said(banned.until_test))] if banned else ()),
        ]


def _thing(thing: Thing) -> list[Segment]:
    return [
        cut(
            "PRP",
            type=thing.kind,
            serial_number=thing.serial_number,
            make=thing.make,
            model=thing.model,
            description=thing.description,
            report=thing.report,
            handling=_handling(thing.open_air),
            force_station=thing.circulated_by,
            reference=thing.reference,
            reported_on=_text(thing.reported_on),
            text=thing.text,
        )
    ]


def _key(request: Transaction, tag: str) -> Segment:
    key = request.find(tag)
    if key is None:
        raise Refused("I1002", "NO KEY")
    return key


def _answer(key: Segment, found: Sequence[T], told: Callable[[T], Iterable[Segment]], subject: str) -> list[Segment]:
    """As many as were asked for, at most `MOST`, and whether there are more."""
    if not found:
        raise Refused(NOT_FOUND, f"{subject} NOT FOUND")
    asked = key.fields().get("maximum", "")
    maximum = min(int(asked or MOST), MOST)
    more = [Segment.of("MOR", more="Y")] if len(found) > maximum else []
    return [Segment("ASI", "", (*(segment for one in found[:maximum] for segment in told(one)), *more))]


def _named(person: Person) -> dict[str, str]:
    return {"surname": person.surname, "forenames": " ".join(person.forenames), "sex": person.sex, "born": _text(person.date_of_birth)}


def _looks(vehicle: Vehicle) -> dict[str, str]:
    described = {name: getattr(vehicle, name) for name in ("vrm", "vin", "make", "model", "colour")}
    return described | {"first_registered": _text(vehicle.first_registered)}


def _said(yes: bool) -> str:
    return "Y" if yes else "N"


def _handling(open_air: bool) -> str:
    return "NORMAL" if open_air else "NOT_OVER_OPEN_AIR"


def _date(text: str) -> datetime.date | None:
    return datetime.datetime.strptime(text, "%d%m%Y").date() if text else None  # noqa: DTZ007 - a date has no zone


def _text(date: datetime.date | None) -> str:
    return f"{date:%d%m%Y}" if date else ""
