"""A stand-in for the host on its own wire, over the population that all simulators share.

It answers by arrest/summons number and from its registers, takes the four updates and remembers them until it ends. Its
dials play what the real host does to callers: locks, lost replies, warnings, a clock an hour ahead, prompts for a fuller reason.
"""

import dataclasses
import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Framed
from adapters.pnc.holdings import Holdings, Refused, identity, told
from adapters.pnc.records import Segment, Transaction, WireError
from adapters.pnc.registers import Registers
from adapters.pnc.replies import JUSTIFY, Outcome, classify
from adapters.pnc.wire import decode, encode

DIALS: Final[Mapping[str, str]] = {
    "code": "answers this code, such as PNCUE, PNCAM, I0001 or I5069; one that accepts or warns comes beside the work done",
    "update_code": "the same for updates alone, so that the enquiry before one is answered",
    "lost_reply": "does an update, then answers PNCAM as if it had not arrived",
    "clock_ahead": "stamps replies one hour ahead",
    "trim": "cuts the blanks at the right end of each segment",
    "wrong_serial": "answers with the serial of another message",
    "justify": "wants a reason of at least so many letters (40 when not set) before it answers an enquiry that says why",
    "weeded": "no longer has the record that is asked for by number",
    "refreshed": "names a new keeper, as after the nightly refresh",
}
FULLER: Final = 40
# The codes that the host is known to understand as a reason for asking.
REASONS: Final = frozenset("0123456789")

Answer = Callable[[Transaction], list[Segment]]


class Simulator:
    """The host."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self.transport = Framed(self.answer)
        self.holdings = Holdings(population)
        self._dials = dials
        registers = Registers(population, dials)
        self._answers: Mapping[str, Answer] = {
            "ENQASI": self._arrest_summons,
            "SIMNAM": registers.names,
            "SIMVEH": registers.vehicle,
            "SIMVOD": registers.vehicles,
            "SIMDRV": registers.drivers,
            "SIMPRO": registers.property,
            "DISARR": self.holdings.dispose,
            "NEWREM": self.holdings.remand,
            "SENDEF": self.holdings.resume,
            "SUBVAR": self.holdings.resume,
        }

    async def answer(self, data: bytes) -> bytes:
        """One message for another; nothing for what is no message."""
        try:
            request = decode(data)
        except WireError:
            return b""
        self._dials.exchanges[request.header.function] += 1
        try:
            segments, refused = self._played(request), False
        except Refused as refusal:
            segments, refused = [told(f"{refusal.code} - {refusal.words}")], True
        at = datetime.datetime.now(datetime.UTC)
        if self._dials.strike("clock_ahead") is not None:
            at += datetime.timedelta(hours=1)
        header = request.header.reply(at=at, error=refused)
        if self._dials.strike("wrong_serial") is not None:
            header = dataclasses.replace(header, serial=f"{(int(header.serial) + 1) % 1_000_000:06d}")
        if self._dials.strike("trim") is not None:
            segments = [_trimmed(segment) for segment in segments]
        return encode(Transaction.of(request.root, header, segments))

    def _played(self, request: Transaction) -> list[Segment]:
        """The answer as the dials want it."""
        code = self._dials.strike("code")
        if code is None and request.update:
            code = self._dials.strike("update_code")
        if code is None:
            return self._answered(request)
        said = f"{_subject(request)} NOT FOUND"  # as the real host's words do, these hold what was asked for
        if classify(code, update=request.update, text=said) not in (Outcome.ACCEPTED, Outcome.WARNING):
            raise Refused(code, said)
        return [*self._answered(request), told(f"{code} - {said}")]

    def _answered(self, request: Transaction) -> list[Segment]:
        answer = self._answers.get(request.header.function)
        if answer is None:
            raise Refused("I0007", "NO SUCH FUNCTION")
        if request.header.function.startswith("SIM"):
            self._ask_why(request)
        segments = answer(request)
        if request.update and self._dials.strike("lost_reply") is not None:
            raise Refused("PNCAM", "COMMUNICATIONS FAILURE")
        return segments

    def _ask_why(self, request: Transaction) -> None:
        """Who asks must be told, with a reason that the host knows; the dial wants it told at length."""
        originator = request.find("ORG")
        if originator is None or not originator["user"] or originator["reason_code"] not in REASONS:
            raise Refused("I1001", "ORIGINATOR AND REASON NEEDED")
        least = self._dials.strike("justify")
        if least is not None and len(originator["reason_text"]) < int(least or FULLER):
            raise Refused(JUSTIFY, "FULLER REASON NEEDED")

    def _arrest_summons(self, request: Transaction) -> list[Segment]:
        key = request.find("E07")
        number = key["asn"] if key else ""
        arrest = self.holdings.arrest(number)
        if arrest is None or self._dials.strike("weeded") is not None:
            raise Refused("I1008", f"GWAY - ENQUIRY ERROR ARREST/SUMMONS REF ({number}) NOT FOUND")
        cases = [segment for case in self.holdings.cases(number) for segment in case.segments()]
        owner = Segment.of("FSC", force_station=arrest.force_station)
        return [Segment("ASI", "", (owner, identity(self.holdings.person(arrest)), *cases))]


def _subject(request: Transaction) -> str:
    """What a request is about, as the host's words name it."""
    named = (("IDS", "check_name"), ("E07", "asn"), ("N01", "surname"), ("V01", "vrm"), ("D01", "surname"), ("P01", "serial_number"))
    return next((segment[name] for tag, name in named if (segment := request.find(tag)) is not None), "")


def _trimmed(segment: Segment) -> Segment:
    return Segment(segment.tag, segment.body.rstrip(), tuple(_trims(segment.children)))


def _trims(segments: Iterable[Segment]) -> Iterable[Segment]:
    return (_trimmed(segment) for segment in segments)
