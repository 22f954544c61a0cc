"""Pairs of names enquiries as two platforms would answer them: made-up people, noise of the primary itself, defects of the shadow."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.parity.pairs import REPLICA, Answer, Pair
from metip.common.v1.pole_pb2 import SEX_FEMALE, SEX_MALE
from metip.pnc.v1.person_enquiry_service_pb2 import SearchPersonsRequest, SearchPersonsResponse
from metip.pnc.v1.person_pb2 import Nominal

OPERATION = "metip.pnc.v1.PersonEnquiryService/SearchPersons"
START = 1_795_000_000.0
FAMILY = ("SMITH", "O'BRIEN", "ABERNATHY-FITZGERALD-CHOLMONDELEY", "MÜLLER", "NAGY", "JONES", "PATEL", "WRIGHT", "ŁUKASZEWICZ", "BROWN")
GIVEN = ("JOHN", "MARY", "PAUL", "RENÉE", "ALI", "GRACE", "TOM", "ADA", "NOËL", "IVY")
TOWNS = ("LONDON", "CROYDON", "BARNET", "BROMLEY", "EALING")
LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
Change = Callable[[Any, random.Random], None]
"""Changes a reply in place."""


def reply(number: int) -> SearchPersonsResponse:
    """A reply of one to four candidates, the same for the same number."""
    dice = random.Random(number)
    found = SearchPersonsResponse()
    for place in range(1 + number % 4):
        found.nominals.append(_nominal(dice, number * 10 + place))
    found.provenance.system = "pnc"
    found.provenance.as_of.seconds = int(START) + number
    warning = found.provenance.warnings.add(code="W0001", text=f"SESSION {number % 9000 + 1000}")
    assert warning.code
    return found


def _nominal(dice: random.Random, number: int) -> Nominal:
    found = Nominal(place_of_birth=dice.choice(TOWNS))
    person = found.person
    person.name.family_name = dice.choice(FAMILY)
    person.name.given_names.extend(dice.sample(GIVEN, 2))
    person.date_of_birth.year, person.date_of_birth.month = dice.randint(1940, 2008), dice.randint(1, 12)
    person.date_of_birth.day = dice.randint(1, 27)
    person.sex = dice.choice((SEX_MALE, SEX_FEMALE))
    person.height_cm = dice.randint(151, 199)
    person.observed_ethnicity = dice.randint(1, 6)
    serial, year = number % 10_000_000, dice.randint(60, 99)
    person.pnc_id.value = f"19{year}/{serial:07}{LETTERS[int(f'{year}{serial:07}') % 23]}"
    for _ in range(2):
        person.aliases.add(family_name=dice.choice(FAMILY), given_names=dice.sample(GIVEN, 2))
    for _ in range(2):
        address = person.addresses.add(postcode=f"N{dice.randint(1, 22)} {dice.randint(1, 9)}AA")
        address.bs7666.primary, address.bs7666.street = str(dice.randint(1, 200)), f"{dice.choice(FAMILY)} STREET"
        address.bs7666.town, address.bs7666.uprn = "LONDON", dice.randint(10**9, 10**10)
    person.warning_signals.add(code=dice.choice(("VI", "WE", "ES")), text="SEE TEXT")
    found.circulations.add(type=dice.choice((1, 2, 3, 7)), circulated_by="01ZD", reference=f"REF{number}", text="LOCATE AND INFORM")
    return found


@dataclass(frozen=True)
class Population:
    """Replies and the changes that are made to them. `noise` and `defects` are by name: (share, change)."""

    noise: Mapping[str, tuple[float, Change]]
    defects: Mapping[str, tuple[float, Change]]
    again: float = 0.1
    origin: str = REPLICA

    def pairs(self, count: int, seed: int = 1) -> Iterator[Pair]:
        """That many pairs, the same for the same seed."""
        dice = random.Random(seed)
        requests = SearchPersonsRequest(family_name="SMITH").SerializeToString()
        whole = [reply(number).SerializeToString() for number in range(200)]
        read = SearchPersonsResponse.FromString
        for number in range(count):
            true = whole[dice.randrange(len(whole))]
            primary, shadow = read(true), read(true)
            self._noise(primary, dice)
            self._noise(shadow, dice)
            for share, change in self.defects.values():
                if dice.random() < share:
                    change(shadow, dice)
            again = None
            if dice.random() < self.again:
                second = read(true)
                self._noise(second, dice)
                again = _answer("old", second, dice)
            yield Pair(
                OPERATION, f"call-{number}", START + number / 50, requests, _answer("old", primary, dice), _answer("new", shadow, dice),
                again, self.origin,
            )  # fmt: skip

    def _noise(self, message: Any, dice: random.Random) -> None:
        for share, change in self.noise.values():
            if dice.random() < share:
                change(message, dice)


def _answer(system: str, message: Any, dice: random.Random) -> Answer:
    platform = "METIP" if system == "old" else "METIP2"
    return Answer(system, platform, reply=message.SerializeToString(), seconds=0.02 + dice.random() * 0.01)
