"""JSON of LEDS: where and under which action code each thing is asked, and in which shapes (`messages.shapes`); pure.

Names and forms are facts of Bichard 7's published schemas for LEDS, unless a line says (assumed): what LEDS offers beyond arrests and
disposals is not public.
"""

import importlib.resources
from dataclasses import dataclass
from typing import Final

from adapters.kit.shapes import Record, Shape, decode, encode, shapes
from adapters.kit.shapes import ShapeError as WireError

__all__ = ["Record", "WireError", "decode", "encode"]

# Not in what is published (assumed): the crime reference, which Bichard 7's stand-in has; method, dress and reference of an added offence;
# address, breach, custody and the authority's code and name of a remand; everything of people and vehicles.
SHAPES: Final = shapes(importlib.resources.files("adapters.leds").joinpath("messages.shapes").read_text(encoding="utf-8"))
ERROR: Final = SHAPES["Error"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be asked of LEDS: under which action code, where, in which shapes; `update` says whether it changes a record."""

    code: str
    path: str
    asks: Shape
    gives: Shape
    update: bool = False


def _action(code: str, path: str, asks: str, gives: str, *, update: bool = False) -> Action:
    return Action(code, path, SHAPES[asks], SHAPES[gives], update)


FIND, PERSON = "/person-services/v1/find-", "/person-services/v1/people/{person}"
SUMMARY: Final = "View Arrest / Summons Summary"
BY_ASN: Final = _action(SUMMARY, f"{FIND}disposals-by-asn", "ByAsn", "Arrest")
ADD_REMAND: Final = _action("Create Remand", f"{PERSON}/arrest-reports/{{report}}/basic-remands", "Remand", "Made", update=True)
CASE: Final = f"{PERSON}/disposals/{{case_id}}/court-case-"
ADD_DISPOSAL: Final = _action("Add Disposal Results", f"{CASE}disposal-result", "Disposal", "Made", update=True)
ADD_LATER: Final = _action("Create Court Case Subsequent Appearance", f"{CASE}subsequent-disposal-results", "Later", "Made", update=True)
# These three are (assumed).
BY_CASE: Final = _action(SUMMARY, f"{FIND}disposals-by-court-case", "ByCase", "Arrest")
FIND_PEOPLE: Final = _action("View Person Summary", f"{FIND}people", "Sought", "People")
FIND_VEHICLES: Final = _action("View Vehicle Summary", "/vehicle-services/v1/find-vehicles", "ByMark", "Vehicles")
