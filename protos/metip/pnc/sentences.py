"""What a court decided about one offence, as PNC records it: plea and finding, and each result as a disposal; pure.

The forms are those of Bichard 7's recorded exchanges, where both sides are known: an adjournment bears the day of the next hearing, an
order its last day, a disqualification from driving its first day as text, a suspended sentence the qualifier `S` with its second term.
"""

from collections.abc import Iterable
from typing import Final

from metip.common.v1.time_pb2 import CivilDate
from metip.faults import Fault, Reason
from metip.libra.v1.result_pb2 import CourtDuration, CourtDurationUnit, CourtFinding, CourtResult, ResultedOffence
from metip.pnc.result_codes import ADJOURNED, DISPOSALS, DRIVING, FINDINGS, NOT_SENT, OTHERS, PLEAS, SUSPENDED, UNDATED, UNITS
from metip.pnc.v1.court_case_pb2 import Adjudication, Disposal, Finding, Plea, SentenceDuration

ENDED_WITHOUT_FINDING: Final = range(2000, 3000)
"""Disposals that end an offence; where the court states no finding, PNC's is a non-conviction (assumed)."""


def is_adjourned(offence: ResultedOffence) -> bool:
    """Whether the court goes on with the offence on another day."""
    return any(result.HasField("next_hearing") or result.code in ADJOURNED for result in offence.results)


def finding(offence: ResultedOffence) -> "Finding.ValueType":
    """PNC's finding. Raises `Fault` UPSTREAM_REFUSED for one that PNC has no word for."""
    if offence.finding == CourtFinding.COURT_FINDING_UNSPECIFIED:
        ended = any(_disposal_code(result) in ENDED_WITHOUT_FINDING for result in _sent(offence))
        return Finding.FINDING_NON_CONVICTION if ended and not is_adjourned(offence) else Finding.FINDING_UNSPECIFIED
    found = FINDINGS.get(offence.finding)
    if found is None:
        raise Fault(Reason.UPSTREAM_REFUSED, "PNC has no word for the court's finding", metadata={"code": _word(offence.finding)})
    return found


def adjudication(offence: ResultedOffence, on: CivilDate) -> Adjudication:
    """Plea and finding; `on` is the day of the hearing, which only a finding bears."""
    found = finding(offence)
    return Adjudication(plea=PLEAS.get(offence.plea, Plea.PLEA_UNSPECIFIED), finding=found, sentence_date=on if found else None)


def disposals(offence: ResultedOffence) -> list[Disposal]:
    """The disposals of an offence of which the court has found.

    Raises `Fault` UPSTREAM_REFUSED, with the court's code as `code`, for a result that nobody has mapped yet.
    """
    return [_disposal(result) for result in _sent(offence)]


def next_hearing(offences: Iterable[ResultedOffence]) -> CourtResult | None:
    """The first result that names the court and day on which it goes on."""
    results = (result for offence in offences for result in offence.results)
    return next((result for result in results if result.next_hearing.hearing.HasField("date")), None)


def _sent(offence: ResultedOffence) -> list[CourtResult]:
    """Results that PNC is told; words without a code are for people."""
    return [result for result in offence.results if result.HasField("code") and result.code not in NOT_SENT]


def _disposal(result: CourtResult) -> Disposal:
    code = _disposal_code(result)
    goes_on = result.next_hearing.hearing.HasField("date")
    ends = result.HasField("end_date") and code not in UNDATED
    started = result.start_date if code in DRIVING and result.HasField("start_date") else None
    suspended = _duration(result.secondary_durations[0]) if code in SUSPENDED and result.secondary_durations else None
    return Disposal(
        code=code,
        duration=_duration(result.duration) if result.HasField("duration") else None,
        date=result.next_hearing.hearing.date if goes_on else result.end_date if ends else None,
        amount_pence=result.amount_pence,
        qualifiers=["S"] if suspended else [],
        qualifier_duration=suspended,
        text=f"from {started.day:02d}/{started.month:02d}/{started.year % 100:02d}" if started else "",
    )


def _disposal_code(result: CourtResult) -> int:
    if result.code in DISPOSALS:
        return result.code
    code = OTHERS.get(result.code) or ADJOURNED.get(result.code)
    if code is None:
        raise Fault(
            Reason.UPSTREAM_REFUSED,
            "nobody has said yet how PNC records a result of this code",
            metadata={"code": str(result.code)},
        )
    return code


def _duration(duration: CourtDuration) -> SentenceDuration | None:
    """None for a length that PNC has no unit for, and for none at all."""
    unit = UNITS.get(duration.unit)
    if unit is None:
        return None
    life = duration.unit == CourtDurationUnit.COURT_DURATION_UNIT_LIFE
    return SentenceDuration(unit=unit, value=0 if life else duration.value) if duration.value or life else None


def _word(found: "CourtFinding.ValueType") -> str:
    return CourtFinding.Name(found).removeprefix("COURT_FINDING_") if found in CourtFinding.values() else str(found)
