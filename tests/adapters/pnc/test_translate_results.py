"""Courts' codes in PNC's, which offence on file is meant, and what a record still needs: every rule by itself."""

from typing import Any

import pytest

from adapters.kit import Fault, Reason
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CourtCaseReference, PncId
from metip.common.v1.pole_pb2 import PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.libra.v1 import court_pb2 as courts
from metip.libra.v1 import result_pb2 as results
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.pnc import result_codes, sentences
from metip.pnc.matching import matched, on_file
from metip.pnc.results import MOST, is_check_name, updates_for
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse
from metip.pnc.v1.case_update_service_pb2 import RecordDeferredSentenceRequest, RecordDisposalRequest, RecordVariationRequest
from metip.pnc.v1.court_case_pb2 import (
    Adjudication,
    CourtCase,
    Disposal,
    DurationUnit,
    Finding,
    Offence,
    OffencePeriod,
    Plea,
    SentenceDuration,
    Subject,
)

HEARD = CivilDate(year=2026, month=11, day=20)
BEFORE = CivilDate(year=2026, month=10, day=1)
LATER = CivilDate(year=2026, month=12, day=18)
DAY = CivilDate(year=2026, month=9, day=21)
COURT, CROWN = "B01EF01", "C01CY00"
GUILTY = results.COURT_FINDING_GUILTY
FOUND = Adjudication(plea=Plea.PLEA_NOT_GUILTY, finding=Finding.FINDING_GUILTY, sentence_date=HEARD)
FINED = Disposal(code=1015, amount_pence=25_000)


def court(code: str, *decided: results.CourtResult, number: int = 1, start: CivilDate = DAY, **more: Any) -> results.ResultedOffence:
    details = courts.OffenceDetails(sequence_number=number, offence_code=code, start_date=start)
    return results.ResultedOffence(details=details, plea=results.COURT_PLEA_NOT_GUILTY, results=decided, **more)


def filed(number: int, code: str, *disposals: Disposal, start: CivilDate = DAY, found: Adjudication | None = None) -> Offence:
    committed = OffencePeriod(start_date=start)
    return Offence(number=number, cjs_offence_code=code, committed=committed, adjudication=found, disposals=disposals)


def record(*cases: list[Offence]) -> GetArrestSummonsResponse:
    return GetArrestSummonsResponse(
        owner="01ZD",
        subject=Subject(pnc_id=PncId(value="2005/9007919R"), check_name="DALQUIMSBY-J"),
        court_cases=[
            CourtCase(reference=CourtCaseReference(value=f"26/2576/{number:06d}A"), offences=offences)
            for number, offences in enumerate(cases)
        ],
    )


def result(*offences: results.ResultedOffence, **more: Any) -> PublishResultRequest:
    name = PersonName(given_names=["Ilxodan"], family_name="Dalquimsby-Jasvexmoor")
    person = results.ResultedIndividual(details=courts.PersonDetails(name=name))
    defaults: dict[str, Any] = {"hearing": courts.Hearing(court=COURT, date=HEARD), "psa_code": "2576"}
    defendant = results.ResultedDefendant(arrest_summons_number=ArrestSummonsNumber(value="2601ZT0199000007919C"), individual=person)
    return PublishResultRequest(defendant=defendant, offences=offences, **(defaults | more))


def fine(**more: Any) -> results.CourtResult:
    return results.CourtResult(code=1015, amount_pence=25_000, **more)


def adjourned(code: int = 4047, at: str = COURT) -> results.CourtResult:
    return results.CourtResult(code=code, next_hearing=results.NextHearing(hearing=courts.Hearing(court=at, date=LATER)))


def needed(request: PublishResultRequest, on_record: GetArrestSummonsResponse, **listed: str) -> list[Any]:
    return updates_for(request, on_record, listed)


def refusal(request: PublishResultRequest, on_record: GetArrestSummonsResponse) -> tuple[Reason, str]:
    with pytest.raises(Fault) as told:
        needed(request, on_record)
    return told.value.reason, told.value.metadata.get("exception", told.value.metadata.get("code", ""))


# One result as a disposal

MONTHS, YEARS, HOURS, LIFE = (
    results.COURT_DURATION_UNIT_MONTHS,
    results.COURT_DURATION_UNIT_YEARS,
    results.COURT_DURATION_UNIT_HOURS,
    results.COURT_DURATION_UNIT_LIFE,
)
DISPOSALS = [
    ("a fine", results.CourtResult(code=1015, amount_pence=10_050), Disposal(code=1015, amount_pence=10_050)),
    (
        "prison",
        results.CourtResult(code=1002, duration=results.CourtDuration(value=12, unit=MONTHS)),
        Disposal(code=1002, duration=SentenceDuration(unit=DurationUnit.DURATION_UNIT_MONTHS, value=12)),
    ),
    (
        "life",
        results.CourtResult(code=1002, duration=results.CourtDuration(value=1, unit=LIFE)),
        Disposal(code=1002, duration=SentenceDuration(unit=DurationUnit.DURATION_UNIT_LIFE)),
    ),
    (
        "a suspended sentence",
        results.CourtResult(
            code=1115,
            duration=results.CourtDuration(value=4, unit=MONTHS),
            secondary_durations=[results.CourtDuration(value=1, unit=YEARS)],
        ),
        Disposal(
            code=1115,
            duration=SentenceDuration(unit=DurationUnit.DURATION_UNIT_MONTHS, value=4),
            qualifiers=["S"],
            qualifier_duration=SentenceDuration(unit=DurationUnit.DURATION_UNIT_YEARS, value=1),
        ),
    ),
    (
        "unpaid work",
        results.CourtResult(code=3101, duration=results.CourtDuration(value=100, unit=HOURS)),
        Disposal(code=3101, duration=SentenceDuration(unit=DurationUnit.DURATION_UNIT_HOURS, value=100)),
    ),
    ("an order with its last day", results.CourtResult(code=1116, start_date=HEARD, end_date=LATER), Disposal(code=1116, date=LATER)),
    (
        "a disqualification with its first day",
        results.CourtResult(code=3070, start_date=CivilDate(year=2011, month=9, day=6)),
        Disposal(code=3070, text="from 06/09/11"),
    ),
    ("an adjournment with its day", adjourned(4506), Disposal(code=4004, date=LATER)),
    ("a code that PNC writes otherwise", results.CourtResult(code=1507), Disposal(code=1002)),
    ("a duration of no unit", results.CourtResult(code=1002, duration=results.CourtDuration(value=3)), Disposal(code=1002)),
    ("no duration", results.CourtResult(code=1002, duration=results.CourtDuration(unit=MONTHS)), Disposal(code=1002)),
]


@pytest.mark.parametrize(("name", "given", "expected"), DISPOSALS, ids=[row[0] for row in DISPOSALS])
def test_a_result_becomes_a_disposal(name: str, given: results.CourtResult, expected: Disposal) -> None:
    assert sentences.disposals(court("TH68010", given)) == [expected]


def test_words_without_a_code_are_not_sent() -> None:
    words = results.CourtResult(text="Noted"), results.CourtResult(code=1000, text="Noted too")
    assert sentences.disposals(court("TH68010", *words)) == []


@pytest.mark.parametrize("code", [0, 1182, 9999])
def test_an_unknown_result_is_refused_with_its_code(code: int) -> None:
    with pytest.raises(Fault) as told:
        sentences.disposals(court("TH68010", results.CourtResult(code=code)))
    assert (told.value.reason, told.value.metadata) == (Reason.UPSTREAM_REFUSED, {"code": str(code)})


def test_no_code_means_two_disposals() -> None:
    tables = (result_codes.DISPOSALS, result_codes.OTHERS.keys(), result_codes.ADJOURNED.keys(), result_codes.NOT_SENT)
    assert sum(map(len, tables)) == len(set().union(*tables))
    assert result_codes.RECORDABLE.isdisjoint(result_codes.NOT_RECORDABLE)
    assert result_codes.CARRIED_FORWARD not in result_codes.DISPOSALS


@pytest.mark.parametrize("plea", results.CourtPlea.values())
def test_every_plea_has_a_word_on_pnc(plea: int) -> None:
    assert bool(result_codes.PLEAS[plea]) == bool(plea)  # type: ignore[index]


FINDINGS = [
    ("guilty", court("A", fine(), finding=GUILTY), Finding.FINDING_GUILTY),
    ("guilty of another", court("A", finding=results.COURT_FINDING_GUILTY_OF_ALTERNATIVE), Finding.FINDING_NOT_GUILTY),
    ("no conviction", court("A", finding=results.COURT_FINDING_NO_CONVICTION), Finding.FINDING_NON_CONVICTION),
    ("withdrawn without a word", court("A", results.CourtResult(code=2051)), Finding.FINDING_NON_CONVICTION),
    ("adjourned", court("A", adjourned()), Finding.FINDING_UNSPECIFIED),
    ("nothing", court("A"), Finding.FINDING_UNSPECIFIED),
]


@pytest.mark.parametrize(("name", "offence", "expected"), FINDINGS, ids=[row[0] for row in FINDINGS])
def test_a_finding_is_the_courts_or_follows_from_how_it_ended(name: str, offence: results.ResultedOffence, expected: int) -> None:
    assert sentences.finding(offence) == expected
    told = sentences.adjudication(offence, HEARD)
    assert told.HasField("sentence_date") == bool(expected)


def test_a_caution_by_a_court_is_for_a_person() -> None:
    assert refusal(result(court("TH68010", finding=results.COURT_FINDING_CAUTION)), record([filed(1, "TH68010")])) == (
        Reason.UPSTREAM_REFUSED,
        "CAUTION",
    )


# Which offence is meant


def test_several_of_a_kind_are_told_apart_by_their_numbers_and_other_kinds_by_their_codes() -> None:
    known = on_file(record([filed(1, "TH68010"), filed(2, "TH68010"), filed(3, "CJ88116")]))
    offences = [court("TH68010", number=2), court("CJ88116", number=9), court("TH68010", number=1)]
    pairs, rest = matched(offences, known)
    assert [pair.file.offence.number for pair in pairs] == [2, 3, 1]
    assert rest == []


def test_several_of_a_kind_are_told_apart_by_their_days() -> None:
    known = on_file(record([filed(1, "TH68010", start=BEFORE), filed(2, "TH68010", start=DAY)]))
    pairs, _ = matched([court("TH68010", number=8, start=DAY), court("TH68010", number=9, start=BEFORE)], known)
    assert [pair.file.offence.number for pair in pairs] == [2, 1]


def test_several_of_a_kind_that_were_decided_alike_need_not_be_told_apart() -> None:
    known = on_file(record([filed(1, "TH68010"), filed(2, "TH68010")]))
    pairs, _ = matched([court("TH68010", fine(), number=8), court("TH68010", fine(), number=9)], known)
    assert [pair.file.offence.number for pair in pairs] == [1, 2]


def test_a_day_that_is_not_known_tells_nothing_apart() -> None:
    pairs, _ = matched([court("TH68010", number=9, start=CivilDate())], on_file(record([filed(1, "TH68010")])))
    assert len(pairs) == 1


def test_an_offence_that_was_carried_on_is_found_where_it_went() -> None:
    known = on_file(record([filed(1, "TH68010", Disposal(code=2059))], [filed(1, "TH68010")]))
    assert [one.case.reference.value for one in known] == ["26/2576/000001A"]


AMBIGUOUS = [
    ("decided otherwise", [court("TH68010", fine(), number=8), court("TH68010", adjourned(), number=9)], "HO100310"),
    ("one of two", [court("TH68010", fine(), number=9)], "HO100310"),
    ("another day", [court("TH68010", fine(), number=1, start=LATER)], "HO100304"),
    ("another code", [court("CD71015", fine(), finding=GUILTY)], "HO100304"),
]


@pytest.mark.parametrize(("name", "offences", "exception"), AMBIGUOUS, ids=[row[0] for row in AMBIGUOUS])
def test_what_could_be_several_or_is_none_is_for_a_person(name: str, offences: list[results.ResultedOffence], exception: str) -> None:
    assert refusal(result(*offences), record([filed(1, "TH68010"), filed(2, "TH68010")])) == (Reason.PRECONDITION, exception)


def test_nothing_on_file_is_for_a_person() -> None:
    assert refusal(result(court("TH68010", fine(), finding=GUILTY)), record()) == (Reason.PRECONDITION, "HO100304")


# What the record needs


def test_what_is_found_goes_to_the_case_that_it_stands_in() -> None:
    on_record = record([filed(1, "TH68010")], [filed(1, "CJ88116")])
    updates = needed(result(court("TH68010", fine(), finding=GUILTY), court("CJ88116", fine(), number=2, finding=GUILTY)), on_record)
    assert [one.court_case_reference.value for one in updates] == ["26/2576/000000A", "26/2576/000001A"]
    first = updates[0]
    assert isinstance(first, RecordDisposalRequest)
    assert first.results[0].adjudication == FOUND
    assert list(first.results[0].disposals) == [FINED]
    assert first.hearing.filed_name == "Dalquimsby-Jasvexmoor/Ilxodan"
    assert first.hearing.court.code == "2576"
    assert first.subject == on_record.subject


STATES = [
    ("the same is on file", court("TH68010", fine(), finding=GUILTY), filed(1, "TH68010", FINED, found=FOUND), None),
    (
        "a sentence followed",
        court("TH68010", adjourned(4004), finding=GUILTY),
        filed(1, "TH68010", Disposal(code=4004, date=LATER), FINED, found=FOUND),
        None,
    ),
    ("adjourned", court("TH68010", adjourned()), filed(1, "TH68010"), None),
    ("adjourned after the end", court("TH68010", adjourned()), filed(1, "TH68010", FINED, found=FOUND), None),
    ("found", court("TH68010", fine(), finding=GUILTY), filed(1, "TH68010"), RecordDisposalRequest),
    (
        "sentenced",
        court("TH68010", fine(), finding=GUILTY, conviction_date=BEFORE),
        filed(1, "TH68010", Disposal(code=4005), found=FOUND),
        RecordDeferredSentenceRequest,
    ),
    (
        "sentenced again",
        court("TH68010", fine(), finding=GUILTY, conviction_date=BEFORE),
        filed(1, "TH68010", Disposal(code=4005), FINED, found=FOUND),
        None,
    ),
    (
        "put off again",
        court("TH68010", adjourned(4004), finding=GUILTY, conviction_date=BEFORE),
        filed(1, "TH68010", Disposal(code=4005), found=FOUND),
        None,
    ),
    (
        "taken up again",
        court("TH68010", fine(), results.CourtResult(code=3027), finding=GUILTY),
        filed(1, "TH68010", Disposal(code=2007), found=FOUND),
        RecordVariationRequest,
    ),
]


@pytest.mark.parametrize(("name", "offence", "known", "update"), STATES, ids=[row[0] for row in STATES])
def test_what_is_needed_follows_from_both_sides(name: str, offence: results.ResultedOffence, known: Offence, update: type | None) -> None:
    assert [type(one) for one in needed(result(offence), record([known]))] == ([update] if update else [])


CONTRADICTIONS = [
    ("another result", court("TH68010", fine(), finding=GUILTY), filed(1, "TH68010", Disposal(code=1016), found=FOUND), "HO200104"),
    ("sentence without conviction", court("TH68010", fine(), finding=GUILTY, conviction_date=BEFORE), filed(1, "TH68010"), "HO200106"),
    (
        "adjourned on a conviction that is not there",
        court("TH68010", adjourned(4004), finding=GUILTY, conviction_date=BEFORE),
        filed(1, "TH68010"),
        "HO200103",
    ),
]


@pytest.mark.parametrize(("name", "offence", "known", "exception"), CONTRADICTIONS, ids=[row[0] for row in CONTRADICTIONS])
def test_what_contradicts_the_record_is_for_a_person(name: str, offence: results.ResultedOffence, known: Offence, exception: str) -> None:
    assert refusal(result(offence), record([known])) == (Reason.PRECONDITION, exception)


def test_changes_of_several_kinds_to_one_case_are_for_a_person() -> None:
    varied = filed(1, "TH68010", Disposal(code=2007), found=FOUND)
    both = result(court("TH68010", fine(), finding=GUILTY), court("CJ88116", fine(), number=2, finding=GUILTY))
    assert refusal(both, record([varied, filed(2, "CJ88116")])) == (Reason.PRECONDITION, "HO200115")
    deferred = filed(2, "CJ88116", Disposal(code=4005), found=FOUND)
    both.offences[1].conviction_date.CopyFrom(BEFORE)
    assert refusal(both, record([varied, deferred])) == (Reason.PRECONDITION, "HO200114")


def test_an_adjourned_offence_is_carried_to_the_court_of_the_setting() -> None:
    on_record = record([filed(1, "TH68010"), filed(2, "CJ88116")])
    request = result(court("TH68010", fine(), finding=GUILTY), court("CJ88116", adjourned(at=CROWN), number=2))
    assert refusal(request, on_record) == (Reason.PRECONDITION, "HO100300")
    (update,) = needed(request, on_record, **{CROWN: "0401", COURT: "2732"})
    assert (update.carry_forward.court.code, update.carry_forward.date, update.hearing.court.code) == ("0401", LATER, "2732")
    carried = update.results[1]
    assert (carried.adjudication.plea, carried.adjudication.finding) == (Plea.PLEA_NOT_GUILTY, Finding.FINDING_UNSPECIFIED)
    assert [one.code for one in carried.disposals] == [2059]


def test_an_offence_that_is_adjourned_to_no_day_is_for_a_person() -> None:
    request = result(court("TH68010", fine(), finding=GUILTY), court("CJ88116", results.CourtResult(code=4506), number=2))
    assert refusal(request, record([filed(1, "TH68010"), filed(2, "CJ88116")])) == (Reason.PRECONDITION, "HO100323")


def test_a_court_that_nobody_names_is_for_a_person() -> None:
    request = result(court("TH68010", fine(), finding=GUILTY), psa_code="")
    assert refusal(request, record([filed(1, "TH68010")])) == (Reason.PRECONDITION, "HO100300")


def test_an_added_offence_goes_with_an_open_case_and_never_into_a_decided_one() -> None:
    added = court("CD71015", fine(), number=9, finding=GUILTY)
    (update,) = needed(result(court("TH68010", fine(), finding=GUILTY), added), record([filed(1, "TH68010")]))
    assert [one.cjs_offence_code for one in update.added_charges.offences] == ["CD71015"]
    decided = record([filed(1, "TH68010", FINED, found=FOUND)])
    assert refusal(result(court("TH68010", fine(), finding=GUILTY), added), decided) == (Reason.PRECONDITION, "")


def test_an_added_offence_of_which_nobody_has_said_whether_it_is_recordable_is_for_a_person() -> None:
    request = result(court("TH68010", fine(), finding=GUILTY), court("ZZ99999", fine(), number=9, finding=GUILTY))
    assert refusal(request, record([filed(1, "TH68010")])) == (Reason.PRECONDITION, "")


def test_more_than_a_hundred_offences_are_for_a_person() -> None:
    many = [court("TH68010", fine(), number=number) for number in range(1, MOST + 2)]
    assert refusal(result(*many), record([filed(1, "TH68010")])) == (Reason.PRECONDITION, "HO100331")


@pytest.mark.parametrize(
    ("check_name", "name", "same"),
    [
        ("DALQUIMSBY-J", "Dalquimsby-Jasvexmoor", True),
        ("DALQUIMSBY J", "Dalquimsby-Jasvexmoor", True),
        ("DALQUIMSBYJA", "Dalquimsby-Jasvexmoor", True),
        ("O'VERZANDLE", "O\N{RIGHT SINGLE QUOTATION MARK}Verzandle", True),
        ("OVERZANDLE", "O'Verzandle", True),
        ("DALQUIMSBY", "Dalquimsby-Jasvexmoor", False),
        ("HOMER", "Homerton", False),
        ("", "Homer", False),
        ("------------", "Homer", False),
    ],
)
def test_a_check_name_is_the_first_twelve_characters_in_any_spelling(check_name: str, name: str, same: bool) -> None:
    assert is_check_name(check_name, name) is same


def test_another_check_name_is_for_a_person() -> None:
    on_record = record([filed(1, "TH68010")])
    on_record.subject.check_name = "SOMEBODYELSE"
    assert refusal(result(court("TH68010", fine(), finding=GUILTY)), on_record) == (Reason.PRECONDITION, "")


def test_an_organisation_is_known_by_its_name() -> None:
    request = result(court("TH68010", fine(), finding=GUILTY))
    request.defendant.organisation.name = "Zorvex Haulage Ltd"
    on_record = record([filed(1, "TH68010")])
    on_record.subject.check_name = "ZORVEX HAULA"
    (update,) = needed(request, on_record)
    assert update.hearing.filed_name == "Zorvex Haulage Ltd"
