"""What is fuzzed of LEDS: every shape of its JSON, its errors, the identity service's token, and the messages that answers make."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from adapters.kit.http import HttpAnswer
from adapters.kit.oauth import TOKEN
from adapters.kit.population import Population
from adapters.kit.shapes import Shape, decode, encode
from adapters.leds import translate, wire
from adapters.leds.register import Register, pages, told_vehicle
from adapters.leds.upstream import _outcome
from adapters.leds.wire import SHAPES, WireError
from metip.faults import Fault
from tests.fuzz.declaring import Decoder

AT = datetime(2026, 11, 25, 10, tzinfo=UTC)
PERSON = {"personUrn": "26/1A", "lastName": "Nobody", "firstNames": ["Ann"]}
ERROR = b'{"status": 409, "type": "conflict/version", "title": "x", "leds-error": {"code": "x"}}'

ACTIONS = [one for one in vars(wire).values() if isinstance(one, wire.Action)]
ALONE = [name for name, shape in SHAPES.items() if shape is wire.ERROR or any(shape in (one.asks, one.gives) for one in ACTIONS)]
"""Shapes that are whole bodies."""


@cache
def answers() -> dict[str, list[bytes]]:
    """What the register holds, by shape."""
    population = Population(2026)
    register = Register(population)
    arrests = list(register._records())[:30]
    people = [pages([person], 1, population) for person in population.people()[:30]]
    vehicles = [{"vehicles": [told_vehicle(one, population)], "registerAsOf": "2026-11-25T04:00:00Z"} for one in population.vehicles()[:30]]
    found = {"Arrest": arrests, "People": people, "Vehicles": vehicles}
    return {name: [encode(SHAPES[name], one) for one in some] for name, some in found.items()}


def translated(name: str, record: Any) -> object:
    """What the adapter makes of an answer."""
    match name:
        case "People":
            return [translate.nominal(one) for one in record["people"]]
        case "Vehicles":
            return record["vehicles"] and translate.vehicle(record)
        case "Arrest":
            return translate.arrest_summons(record, PERSON, AT), translate.case_named(record, "26/2576/1A")
    return None


def _decoder(name: str, shape: Shape) -> Decoder:
    return Decoder(
        name=name,
        decode=lambda data: decode(shape, data),
        refuses=(WireError,),
        seeds=lambda: answers().get(name, ()),
        encode=lambda record: encode(shape, record),
        translate=lambda record: translated(name, record),
    )


def outcome(data: bytes) -> object:
    """What becomes of any body under any status, of an enquiry and of an update."""
    return [_told(action, HttpAnswer(status, data)) for action in (wire.BY_ASN, wire.ADD_DISPOSAL) for status in (200, 400, 409, 500)]


def _told(action: wire.Action, answer: HttpAnswer) -> bool:
    try:
        return isinstance(_outcome(action, answer), dict)
    except Fault:
        return False


DECODERS = (
    *(_decoder(name, SHAPES[name]) for name in ALONE),
    _decoder("token", TOKEN),
    Decoder(name="outcome", decode=outcome, refuses=(), seeds=lambda: [ERROR, *answers()["Arrest"][:3]]),
)
