"""Pairs of names enquiries as two platforms would answer them: made-up people, noise of the primary itself, defects of the shadow.

The contract is a small one of the same shape as a real one, so that what is tested is nobody's in particular; any other whose replies have
such candidates can be put in its place.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from checkout import ROOT
from contract_sets import compiled
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

import hub.contracts
from hub.parity.pairs import REPLICA, Answer, Pair

OPERATION = "metip.example.v1.PeopleService/SearchPeople"
INTERFACE = "metip.example.v1.PeopleService"
PROTO = """syntax = "proto3";
package metip.example.v1;
import "metip/cases/v1/case.proto";
import "metip/common/v1/answer.proto";
import "metip/common/v1/pole.proto";
import "metip/options/v1/options.proto";
service PeopleService {
  option (metip.options.v1.interface) = {
    owner: "Example" dpia: {reference: "not-personal" review_by: "2099-01-01"}
    classification: CLASSIFICATION_OFFICIAL legal_regime: LEGAL_REGIME_UK_GDPR
  };
  rpc SearchPeople(SearchPeopleRequest) returns (SearchPeopleResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 1} verb: VERB_NONE mirror: MIRROR_POLICY_REPLICA};
  }
}
message SearchPeopleRequest { string family_name = 1; }
message SearchPeopleResponse {
  repeated Nominal nominals = 1;
  metip.common.v1.Provenance provenance = 2;
}
message Nominal {
  metip.common.v1.Person person = 1;
  string place_of_birth = 2;
  repeated Circulation circulations = 3;
}
message Circulation {
  Kind type = 1;
  string circulated_by = 2 [(metip.options.v1.field).personal = PERSONAL_DATA_NONE];
  string reference = 3 [(metip.options.v1.field).subject_identifier = "record_reference"];
  string text = 4;
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_WANTED = 1; KIND_SUSPECT = 3; KIND_MISSING = 7; KIND_FOUND = 8; }
message Unused { metip.cases.v1.Case case = 1; }
"""
START = 1_795_000_000.0
FAMILY = ("SMITH", "O'BRIEN", "ABERNATHY-FITZGERALD-CHOLMONDELEY", "MÜLLER", "NAGY", "JONES", "PATEL", "WRIGHT", "ŁUKASZEWICZ", "BROWN")
GIVEN = ("JOHN", "MARY", "PAUL", "RENÉE", "ALI", "GRACE", "TOM", "ADA", "NOËL", "IVY")
TOWNS = ("LONDON", "CROYDON", "BARNET", "BROMLEY", "EALING")
LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
Change = Callable[[Any, random.Random], None]
"""Changes a reply in place."""


class People:
    """A contract whose operation answers with people: the one above, compiled in a folder, or another of that shape."""

    def __init__(self, folder: Path | None = None, *, operation: str = OPERATION) -> None:
        self.operation = operation
        made = compiled(folder, {"metip/example/v1/people.proto": PROTO}, against=ROOT / "protos") if folder is not None else None
        self.contracts = hub.contracts.load(date(2026, 11, 23), descriptor_set=made)
        pool: Any = DescriptorPool()
        for file in FileDescriptorSet.FromString(self.contracts.descriptor_set).file:
            pool.Add(file)
        known = self.contracts.operations[operation]
        self.pool = pool
        kinds: list[Any] = [GetMessageClass(pool.FindMessageTypeByName(one)) for one in (known.request, known.reply)]
        self.request, self.kind = kinds

    def reply(self, number: int) -> Any:
        """A reply of one to four candidates, the same for the same number."""
        dice = random.Random(number)
        found: Any = self.kind()
        for place in range(1 + number % 4):
            _fill(found.nominals.add(), dice, number * 10 + place)
        provenance = found.provenance
        provenance.system = "old"
        provenance.as_of.seconds = int(START) + number
        provenance.warnings.add(code="W0001", text=f"SESSION {number % 9000 + 1000}")
        return found


def _fill(found: Any, dice: random.Random, number: int) -> None:
    found.place_of_birth = dice.choice(TOWNS)
    person = found.person
    person.name.family_name = dice.choice(FAMILY)
    person.name.given_names.extend(dice.sample(GIVEN, 2))
    person.date_of_birth.year, person.date_of_birth.month = dice.randint(1940, 2008), dice.randint(1, 12)
    person.date_of_birth.day = dice.randint(1, 27)
    person.sex = dice.choice((1, 2))
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
    found.circulations.add(type=dice.choice((1, 3, 7)), circulated_by="01ZD", reference=f"REF{number}", text="LOCATE AND INFORM")


@dataclass(frozen=True)
class Population:
    """Replies and the changes that are made to them. `noise` and `defects` are by name: (share, change)."""

    people: People
    noise: Mapping[str, tuple[float, Change]]
    defects: Mapping[str, tuple[float, Change]]
    again: float = 0.1
    origin: str = REPLICA

    def pairs(self, count: int, seed: int = 1) -> Iterator[Pair]:
        """That many pairs, the same for the same seed."""
        dice = random.Random(seed)
        request = self.people.request(family_name="SMITH").SerializeToString()
        whole = [self.people.reply(number).SerializeToString() for number in range(200)]
        read = self.people.kind.FromString
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
            answers = _answer("old", primary, dice), _answer("new", shadow, dice)
            yield Pair(self.people.operation, f"call-{number}", START + number / 50, request, *answers, again, self.origin)

    def _noise(self, message: Any, dice: random.Random) -> None:
        for share, change in self.noise.values():
            if dice.random() < share:
                change(message, dice)


def _answer(system: str, message: Any, dice: random.Random) -> Answer:
    platform = "METIP" if system == "old" else "METIP2"
    return Answer(system, platform, reply=message.SerializeToString(), seconds=0.02 + dice.random() * 0.01)
