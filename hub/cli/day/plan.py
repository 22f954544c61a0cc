"""What happens on a day: each system's `day.yaml`, and how the hours differ."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import Message

from hub.cli.messages import Messages
from hub.cli.options import Problem
from hub.contracts import Operation
from hub.contracts.folders import adapters_folder
from hub.contracts.samples import CaseError, read_case
from metip.settings import SettingsError, read_settings
from metip.simulator.v1.day_pb2 import Day

FILE: Final = "day.yaml"
HOURS: Final = (
    *(1.25, 0.95, 0.70, 0.52, 0.42, 0.40, 0.47, 0.62, 0.82, 0.92, 0.96, 1.00),
    *(1.02, 1.04, 1.06, 1.10, 1.15, 1.22, 1.30, 1.38, 1.45, 1.47, 1.44, 1.34),
)
"""Each hour's rate, as a multiple of the day's mean: a Friday, busiest towards midnight (assumed; the busiest day has 1.47 of the mean)."""
MEAN: Final = sum(HOURS) / len(HOURS)
DAY: Final = 86_400.0


@dataclass(frozen=True)
class Traffic:
    """One line of a system's day."""

    system: str
    operation: Operation
    a_day: int
    because: str
    template: Mapping[str, Any] | None
    """The request as protobuf's JSON with places for facts; None where the simulator makes it happen."""
    wants: frozenset[str]
    """Facts that a subject must have to be asked about."""
    dial: str = ""
    in_turn: bool = False
    """Whether each subject comes once before any comes again."""

    def rate(self, hour: int) -> float:
        """How often it happens a second, in that hour of the day."""
        return self.a_day / DAY * HOURS[hour % 24] / MEAN

    def request(self, messages: Messages, facts: Mapping[str, str]) -> Message:
        """The request about one subject. Raises `Problem` when it is none of the operation's."""
        try:
            return json_format.ParseDict(
                filled(self.template or {}, facts), messages.kind(self.operation.request)(), descriptor_pool=messages.pool
            )
        except (json_format.ParseError, KeyError, ValueError) as error:
            raise Problem(f"{self.system}/{FILE}: the request of {self.operation.method} can't be made: {error}") from None


def traffic(messages: Messages, folder: Path | None = None) -> tuple[Traffic, ...]:
    """Every line of every system's day. Raises `Problem` for a file that can't be used."""
    found: list[Traffic] = []
    for path in sorted((folder or adapters_folder()).glob(f"*/{FILE}")):
        found += _of(path, messages)
    return tuple(found)


def _of(path: Path, messages: Messages) -> Iterator[Traffic]:
    system = path.parent.name
    try:
        day = read_settings(path, Day)
    except SettingsError as error:
        raise Problem(str(error)) from None
    for one in day.traffic:
        operation = messages.contracts.operations.get(one.operation)
        if operation is None:
            raise Problem(f"{system}/{FILE} names {one.operation}, which is not loaded")
        template = _template(path, messages, one)
        yield Traffic(system, operation, one.a_day, one.because, template, frozenset(_places(template)) - OWN, one.dial, one.in_turn)


def _template(path: Path, messages: Messages, one: Any) -> Mapping[str, Any] | None:
    said = json_format.MessageToDict(one.request) if one.HasField("request") else None
    if not one.case:
        return said
    try:
        case = read_case(path.parent / "cases" / f"{one.case}.txtpb", messages)
    except CaseError as error:
        raise Problem(f"{path.parent.name}/{FILE}: {error}") from None
    return merged(messages.document(case.request), said or {})


OWN: Final = frozenset({"unique", "serial", "uuid", "now", "today"})
"""Facts that are not the subject's."""


def merged(base: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The first with what the second says otherwise; in nested messages too, while lists are taken whole."""
    found = dict(base)
    for key, value in other.items():
        below = found.get(key)
        found[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return found


def filled(value: Any, facts: Mapping[str, str]) -> Any:
    """The template with facts in their places. Raises `KeyError` for one that the subject does not have."""
    if isinstance(value, Mapping):
        return {key: filled(one, facts) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, facts) for one in value]
    return string.Template(value).substitute(facts) if isinstance(value, str) else value


def _places(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _places(one)
    elif isinstance(value, str):
        yield from string.Template(value).get_identifiers()
