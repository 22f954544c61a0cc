"""What a court decided as the updates that PNC needs, given what PNC has on file; pure.

The law: PNC is asked before it is told. What is on file already needs no update, so a result that comes again changes nothing; and what
contradicts the record is for a person. What an offence needs follows from both sides, as in Bichard 7, whose exceptions these are:

| on file             | the court                                       | update                                                     |
|---------------------|-------------------------------------------------|------------------------------------------------------------|
| no finding          | has found                                       | DISARR                                                     |
| no finding          | has adjourned, and found in others of the case  | DISARR with disposal 2059, which carries the offence on    |
| no finding          | has adjourned                                   | none                                                       |
| no finding          | goes on from an earlier conviction              | refused: HO200103, or HO200106 where it sentences          |
| a finding           | has found the same on the same day              | none                                                       |
| a finding, 2007     | has found, or sentences                         | SUBVAR                                                     |
| a finding           | sentences on an earlier conviction              | SENDEF                                                     |
| a finding           | has found something else                        | refused: HO200104                                          |
| no such offence     | has added one that is recordable                | DISARR with the added charge                               |
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from metip.common.v1.time_pb2 import CivilDate
from metip.faults import Fault, Reason
from metip.libra.v1.result_pb2 import ResultedDefendant, ResultedOffence
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.pnc.matching import OnFile, Pair, matched, none_matches, on_file
from metip.pnc.result_codes import CARRIED_FORWARD, NOT_RECORDABLE, RECORDABLE
from metip.pnc.sentences import adjudication, disposals, finding, is_adjourned, next_hearing
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest, GetArrestSummonsResponse
from metip.pnc.v1.case_update_service_pb2 import (
    AddedCharges,
    AddedOffence,
    Appearance,
    CarryForward,
    Hearing,
    OffenceResult,
    RecordDeferredSentenceRequest,
    RecordDisposalRequest,
    RecordVariationRequest,
)
from metip.pnc.v1.court_case_pb2 import Court, CourtCase, Disposal, Offence, OffencePeriod

Update = RecordDisposalRequest | RecordDeferredSentenceRequest | RecordVariationRequest
MOST: Final = 100
"""Offences in an update (Bichard 7's limit, exception HO100331)."""
SINE_DIE: Final = 2007
"""Adjourned without a day: what follows is a variation."""
REINSTATED: Final = 3027
CHECK_NAME, FILE_NAME = 12, 54
LOCATION: Final = 231


@dataclass(slots=True)
class _Due:
    """What one case on file still needs of a result."""

    case: CourtCase
    found: list[OffenceResult] = field(default_factory=list)
    adjourned: list[Pair] = field(default_factory=list)
    sentenced: list[OffenceResult] = field(default_factory=list)
    varied: list[OffenceResult] = field(default_factory=list)


def enquiry(result: PublishResultRequest) -> GetArrestSummonsRequest:
    """The question to ask first."""
    return GetArrestSummonsRequest(access=result.access, arrest_summons_number=result.defendant.arrest_summons_number)


def needs_record(result: PublishResultRequest) -> bool:
    """Whether PNC should hear of it at all: some offence of it may be recordable."""
    return any(offence.details.offence_code not in NOT_RECORDABLE for offence in result.offences)


def updates_for(result: PublishResultRequest, record: GetArrestSummonsResponse, court_codes: Mapping[str, str]) -> list[Update]:
    """What PNC must be told, in order; nothing where it is all on file.

    Raises `Fault` PRECONDITION where the two sides do not go together, and UPSTREAM_REFUSED, with its code, for a result or a finding that
    nobody has mapped.
    """
    if len(result.offences) > MOST:
        raise _refusal(f"PNC takes no more than {MOST} offences at once", "HO100331")
    if not is_check_name(record.subject.check_name, name_of(result.defendant)[0]):
        raise Fault(Reason.PRECONDITION, "the name that the court has is not the check name on file")
    pairs, rest = matched(result.offences, on_file(record))
    added = [offence for offence in rest if offence.details.offence_code not in NOT_RECORDABLE and finding(offence)]
    if not pairs and needs_record(result):
        raise none_matches()
    cases: dict[str, _Due] = {}
    for pair in pairs:
        reference = pair.file.case.reference
        _sort(pair, cases.setdefault(reference.value or reference.as_received, _Due(pair.file.case)), result.hearing.date)
    taker = next((due for due in cases.values() if due.found or due.adjourned), None)
    if added and taker is None:
        raise Fault(Reason.PRECONDITION, "the court added offences to a case that is decided on file")
    return [one for due in cases.values() for one in _updates_of(due, result, record, added if due is taker else [], court_codes)]


def is_check_name(check_name: str, name: str) -> bool:
    """Whether a check name is that of a name: its first twelve characters, compared without apostrophes, hyphens, blanks and case."""
    known, given = _letters(check_name), _letters(name)
    return known == given or (len(check_name) >= CHECK_NAME and bool(known) and given.startswith(known))


def _letters(name: str) -> str:
    return "".join(character for character in name.upper() if character.isalnum())


def name_of(defendant: ResultedDefendant) -> tuple[str, str]:
    """Family name and first given name, or an organisation's name and ''."""
    if defendant.WhichOneof("party") == "organisation":
        return defendant.organisation.name, ""
    name = defendant.individual.details.name
    return name.family_name, next((given for given in name.given_names if given), "")


def _sort(pair: Pair, due: _Due, heard: CivilDate) -> None:
    """Puts an offence where the table has it."""
    court, file = pair.court, pair.file.offence
    decided = file.adjudication.finding or file.adjudication.finding_as_received
    if not finding(court):
        if not decided:
            due.adjourned.append(pair)
        return
    given = [disposal for disposal in disposals(court) if disposal.code != REINSTATED]  # a variation says so by itself
    on_earlier_conviction = court.HasField("conviction_date") and _day(court.conviction_date) < _day(heard)
    if not decided and on_earlier_conviction:
        raise _refusal("a conviction that the court goes on from is not on file", "HO200103" if is_adjourned(court) else "HO200106")
    if not decided:
        due.found.append(_result(pair.file, court, heard, given))
    elif _on_file(court, heard, given, pair.file, on_earlier_conviction=on_earlier_conviction):
        return
    elif file.disposals and all(disposal.code == SINE_DIE for disposal in file.disposals):
        due.varied.append(_result(pair.file, court, heard, [*given, _reinstated(file)]))
    elif on_earlier_conviction:
        due.sentenced.append(_result(pair.file, court, None, given))
    else:
        raise _refusal("another result is on file", "HO200104")


def _reinstated(file: Offence) -> Disposal:
    """Says that an offence was taken up again; it bears the day on which it was adjourned without one."""
    return Disposal(code=REINSTATED, date=file.adjudication.sentence_date)


def _on_file(court: ResultedOffence, heard: CivilDate, given: list[Disposal], file: OnFile, *, on_earlier_conviction: bool) -> bool:
    """Whether the record needs nothing of it: a sentence that is on file or put off again, or finding and disposals of that day.

    The record may hold more, such as a sentence that followed.
    """
    if on_earlier_conviction:
        return is_adjourned(court) or _held(given, file.offence.disposals)
    known, told = file.offence.adjudication, adjudication(court, heard)
    same = (known.finding, known.plea, _day(known.sentence_date)) == (told.finding, told.plea, _day(heard))
    return same and _held(given, file.offence.disposals)


def _held(given: Iterable[Disposal], known: Iterable[Disposal]) -> bool:
    """Whether each disposal given is among those known, as often as it was given."""
    left = [one.SerializeToString(deterministic=True) for one in known]
    for one in given:
        bare = one.SerializeToString(deterministic=True)
        if bare not in left:
            return False
        left.remove(bare)
    return True


def _result(file: OnFile, court: ResultedOffence, heard: CivilDate | None, given: list[Disposal]) -> OffenceResult:
    return OffenceResult(
        number=file.offence.number,
        cjs_offence_code=file.offence.cjs_offence_code,
        adjudication=adjudication(court, heard) if heard else None,
        disposals=given,
    )


def _updates_of(
    due: _Due, result: PublishResultRequest, record: GetArrestSummonsResponse, added: list[ResultedOffence], court_codes: Mapping[str, str]
) -> Iterable[Update]:
    """At most one update of each kind for a case."""
    if not (due.found or added or due.sentenced or due.varied):
        return
    if due.varied and (due.found or due.sentenced):
        raise _refusal("existing disposals change together with others", "HO200115" if due.found else "HO200114")
    court = _court(result.hearing.court, result, court_codes)
    if due.found or added:
        yield RecordDisposalRequest(
            access=result.access,
            subject=record.subject,
            court_case_reference=due.case.reference,
            hearing=Hearing(
                court=court, date=result.hearing.date, filed_name="/".join(filter(None, name_of(result.defendant)))[:FILE_NAME]
            ),
            carry_forward=_carry_forward(due, result, court_codes),
            results=[*due.found, *(_carried(pair) for pair in due.adjourned)],
            added_charges=_added(added, result, record.owner) if added else None,
        )
    appearance = Appearance(court=court, date=result.hearing.date)
    if due.sentenced:
        yield RecordDeferredSentenceRequest(
            access=result.access,
            subject=record.subject,
            court_case_reference=due.case.reference,
            appearance=appearance,
            results=due.sentenced,
        )
    if due.varied:
        yield RecordVariationRequest(
            access=result.access, subject=record.subject, court_case_reference=due.case.reference, appearance=appearance, results=due.varied
        )


def _carried(pair: Pair) -> OffenceResult:
    """An offence that is carried on into a case of its own; it bears the plea and no finding."""
    offence = pair.file.offence
    told = adjudication(pair.court, CivilDate())
    return OffenceResult(
        number=offence.number, cjs_offence_code=offence.cjs_offence_code, adjudication=told, disposals=[Disposal(code=CARRIED_FORWARD)]
    )


def _carry_forward(due: _Due, result: PublishResultRequest, court_codes: Mapping[str, str]) -> CarryForward | None:
    if not due.adjourned:
        return None
    goes_on = next_hearing(pair.court for pair in due.adjourned)
    if goes_on is None:
        raise _refusal("part of the case is adjourned to no day", "HO100323")
    hearing = goes_on.next_hearing.hearing
    return CarryForward(court=_court(hearing.court, result, court_codes), date=hearing.date)


def _court(unit: str, result: PublishResultRequest, court_codes: Mapping[str, str]) -> Court:
    """The court of an organisational unit: as the setting has it, or the code that the message gives for the court that heard the case."""
    code = court_codes.get(unit, "") or (result.psa_code if unit == result.hearing.court else "")
    if not code:
        raise _refusal("a court is neither in the setting courts nor named by its code", "HO100300")
    return Court(code=code)


def _added(offences: Iterable[ResultedOffence], result: PublishResultRequest, station: str) -> AddedCharges:
    return AddedCharges(
        arrest_summons_number=result.defendant.arrest_summons_number,
        offences=[_charge(offence, result.hearing.date, station) for offence in offences],
    )


def _charge(offence: ResultedOffence, heard: CivilDate, station: str) -> AddedOffence:
    details = offence.details
    if details.offence_code not in RECORDABLE:
        raise Fault(Reason.PRECONDITION, "the court added an offence of which nobody has said whether it is recordable")
    return AddedOffence(
        cjs_offence_code=details.offence_code,
        committed=OffencePeriod(
            start_date=details.start_date if details.HasField("start_date") else None,
            start_time=details.start_time if details.HasField("start_time") else None,
            end_date=details.end_date if details.HasField("end_date") else None,
            end_time=details.end_time if details.HasField("end_time") else None,
        ),
        location=details.location[:LOCATION],
        location_force_station=station,
        adjudication=adjudication(offence, heard),
        disposals=disposals(offence),
    )


def _day(date: CivilDate) -> tuple[int, int, int]:
    return date.year, date.month, date.day


def _refusal(text: str, exception: str) -> Fault:
    """A result that does not go together with the record, by the exception that Bichard 7 raises for it."""
    return Fault(Reason.PRECONDITION, text, metadata={"exception": exception})
