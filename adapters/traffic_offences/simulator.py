"""A stand-in for the Home Office's penalty processing on its own wire: it reads batches, remembers notices, and acknowledges."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import seconds
from adapters.kit.simulation.sftp import Sftp
from adapters.traffic_offences.records import Acknowledgement, Offence, Result, Verdict
from adapters.traffic_offences.upstream import IN, OUT, REFUSED
from adapters.traffic_offences.wire import Damaged, Incomplete, decode_batch, encode_acknowledgement

DIALS = {
    "reject": "refuses every notice of a batch with this code, such as N07",
    "no_ack": "takes a batch and never acknowledges it",
    "late_ack": "acknowledges a batch after this long, such as 3s",
    "wrong_trailer": "takes the trailer of a batch for wrong, and refuses the batch as a whole",
}
WRONG_TRAILER, REPEATED, POINTS_NOT_ALLOWED, NOT_SPEEDING, REJECTED = "B01", "D01", "N03", "N04", "N99"
"""The far side's codes (assumed): a batch whose trailer does not fit; a notice that it knows; points on a notice that carries none; a speed
that is within the limit; what the dial refuses without a code."""
WITHOUT_POINTS = frozenset({"FPN", "VDR", "HOR", "NDO"})
TICK = 0.1
ACKNOWLEDGED_AFTER = 0.3
PROCESSED = "processed"


@dataclass
class _Pending:
    """An acknowledgement that is not yet put."""

    acknowledgement: Acknowledgement
    ticks: float


class Simulator:
    """The Home Office's system, which has one record for each notice number."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._dials = dials
        self._number = count(1)
        self._pending: list[_Pending] = []
        self.notices: dict[str, Offence] = {}
        """What it holds, by notice number: one effect for each."""
        self.folder = Path()
        """Where the files are, once the simulator listens."""
        self.transport = Sftp(self.begin, self.work)

    def begin(self, folder: Path) -> None:
        """Makes the folders."""
        self.folder = folder
        for name in (IN, OUT, REFUSED, PROCESSED):
            (folder / name).mkdir()

    async def work(self, folder: Path) -> None:
        """Reads what comes in, and acknowledges it after a moment."""
        while True:
            self.read()
            self._acknowledge()
            await asyncio.sleep(TICK)

    def read(self) -> None:
        """Reads the batches that have come in whole."""
        for path in sorted((self.folder / IN).glob("[!.]*.xml")):
            self._dials.exchanges["batch"] += 1
            acknowledgement = self._judged(path)
            path.rename(self.folder / (REFUSED if acknowledgement.verdict.outcome == "R" else PROCESSED) / path.name)
            if self._dials.strike("no_ack") is None:
                late = self._dials.strike("late_ack")
                after = ACKNOWLEDGED_AFTER if late is None else seconds(late) or 0
                self._pending.append(_Pending(acknowledgement, after / TICK))

    def _judged(self, path: Path) -> Acknowledgement:
        try:
            batch = decode_batch(path.read_bytes())
            if self._dials.strike("wrong_trailer") is not None:
                raise Damaged("so the dial says")
        except (Incomplete, Damaged):
            return Acknowledgement(verdict=Verdict(batch=path.name, outcome="R", code=WRONG_TRAILER))
        reject = self._dials.strike("reject")
        results = tuple(self._result(offence, reject) for offence in batch.offences)
        return Acknowledgement(verdict=Verdict(batch=path.name, outcome="A"), results=results)

    def _result(self, offence: Offence, reject: str | None) -> Result:
        self._dials.exchanges["notice"] += 1
        if reject is not None:
            return Result(reference=offence.reference, outcome="R", code=reject or REJECTED)
        if offence.notice in self.notices:
            return Result(reference=offence.reference, outcome="A", code=REPEATED)
        for code in _objections(offence):
            return Result(reference=offence.reference, outcome="R", code=code)
        self.notices[offence.notice] = offence
        return Result(reference=offence.reference, outcome="A")

    def _acknowledge(self) -> None:
        for pending in self._pending:
            pending.ticks -= 1
        due, self._pending = [one for one in self._pending if one.ticks <= 0], [one for one in self._pending if one.ticks > 0]
        for pending in due:
            name = f"ACK_{next(self._number):08d}.xml"
            temporary = self.folder / OUT / f".{name}"
            temporary.write_bytes(encode_acknowledgement(pending.acknowledgement))
            temporary.rename(self.folder / OUT / name)
            self._dials.exchanges["acknowledgement"] += 1


def _objections(offence: Offence) -> Iterator[str]:
    if offence.points and offence.kind in WITHOUT_POINTS:
        yield POINTS_NOT_ALLOWED
    if offence.speed is not None and offence.speed.measured <= offence.speed.limit:
        yield NOT_SPEEDING
