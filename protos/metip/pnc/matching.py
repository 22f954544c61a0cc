"""Which offence on file is the one that a court means; pure.

The law: nothing is guessed. An offence is found by its code and its days, and by its number among several of them; what fits more than one
and was decided differently, or fits none while something of its kind is left over, is for a person. The exceptions named are Bichard 7's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from metip.common.v1.time_pb2 import CivilDate
from metip.faults import Fault, Reason
from metip.libra.v1.result_pb2 import ResultedOffence
from metip.pnc.result_codes import CARRIED_FORWARD
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse
from metip.pnc.v1.court_case_pb2 import CourtCase, Offence

NO_MATCH: Final = "HO100304"
MANY_MATCH: Final = "HO100310"


@dataclass(frozen=True, slots=True)
class OnFile:
    """An offence on file, in its case."""

    case: CourtCase
    offence: Offence


@dataclass(frozen=True, slots=True)
class Pair:
    """An offence of the court and the one on file that it is."""

    court: ResultedOffence
    file: OnFile


def on_file(record: GetArrestSummonsResponse) -> list[OnFile]:
    """The offences of a record's court cases. One that was carried forward stands in the case that it was carried to."""
    return [
        OnFile(case, offence)
        for case in record.court_cases
        for offence in case.offences
        if all(disposal.code != CARRIED_FORWARD for disposal in offence.disposals)
    ]


def matched(offences: Sequence[ResultedOffence], known: Iterable[OnFile]) -> tuple[list[Pair], list[ResultedOffence]]:
    """The pairs, in the court's order, and what the court has beyond what is on file.

    Raises `Fault` PRECONDITION where more than one pairing would fit and where offences are left over on both sides.
    """
    pool = list(known)
    found: dict[int, OnFile] = {}
    for place, offence in enumerate(offences):
        same = next((one for one in pool if _fits(offence, one) and one.offence.number == offence.details.sequence_number), None)
        if same is not None:
            pool.remove(same)
            found[place] = same
    for place, offence in enumerate(offences):
        fitting = [one for one in pool if _fits(offence, one)] if place not in found else []
        if not fitting:
            continue
        rivals = [other for at, other in enumerate(offences) if at not in found and _fits(other, fitting[0])]
        if len(fitting) > len(rivals) or (len(rivals) > 1 and len({_decision(one) for one in rivals}) > 1):
            raise _refusal("several offences on file fit one that the court decided", MANY_MATCH)
        pool.remove(fitting[0])
        found[place] = fitting[0]
    rest = [offence for place, offence in enumerate(offences) if place not in found]
    open_left = [one for one in pool if not one.offence.HasField("adjudication")]
    if rest and (open_left or any(one.offence.cjs_offence_code == other.details.offence_code for one in pool for other in rest)):
        raise _refusal("the court's offences are not those on file", NO_MATCH)
    return [Pair(offences[place], found[place]) for place in sorted(found)], rest


def none_matches() -> Fault:
    """The refusal of a result of which nothing is on file."""
    return _refusal("none of the court's offences is on file", NO_MATCH)


def _fits(court: ResultedOffence, file: OnFile) -> bool:
    details, committed = court.details, file.offence.committed
    return (
        details.offence_code == file.offence.cjs_offence_code
        and _same_day(details.start_date, committed.start_date)
        and _same_day(details.end_date, committed.end_date)
    )


def _same_day(one: CivilDate, other: CivilDate) -> bool:
    """Whether two days may be the same; one that is not known, or that only one side has, does not tell offences apart."""
    return not one.year or not other.year or one == other


def _decision(offence: ResultedOffence) -> bytes:
    """What was decided, without what tells one offence from another."""
    bare = ResultedOffence(plea=offence.plea, finding=offence.finding, results=offence.results)
    return bare.SerializeToString(deterministic=True)


def _refusal(text: str, exception: str) -> Fault:
    return Fault(Reason.PRECONDITION, text, metadata={"exception": exception})
