"""Rows as messages: every code of the table, codes of an unknown version, and what makes a row unacceptable."""

from dataclasses import replace
from datetime import date

import protovalidate
import pytest

from adapters.kit.population import Population
from adapters.kit.population.learners import WITHDRAWN, learners
from adapters.peqf.codes import CHANGES, OURS, OUTCOME, PORTFOLIO, REASON, ROUTES, VERSIONS
from adapters.peqf.records import Progress
from adapters.peqf.simulator import enrolled
from adapters.peqf.translate import column, enrolment, learner, problems, progress
from metip.common.v1.time_pb2 import CivilDate
from metip.peqf.v1 import learner_pb2 as message
from metip.peqf.v1.enrolment_service_pb2 import ENROLMENT_CHANGE_MOVE_COHORT, EnrolmentChange, PublishEnrolmentRequest

EVERYBODY = learners(Population())
ROSTER = {row.learner_id: row for row in map(enrolled, EVERYBODY)}
ONE, LEFT = EVERYBODY[2], EVERYBODY[WITHDRAWN - 1]
DAY = date(2026, 11, 1)
MARK = Progress(
    learner_id=ONE.learner_id, sequence=7, recorded=DAY, cohort=ONE.cohort, kind="M", module="PS401", attempt=2, mark=58, outcome="P"
)
OF_LEFT = replace(MARK, learner_id=LEFT.learner_id, cohort=LEFT.cohort)
MEANINGS = {
    "outcome P": (VERSIONS[OURS][OUTCOME]["P"], message.MODULE_OUTCOME_PASSED),
    "outcome F": (VERSIONS[OURS][OUTCOME]["F"], message.MODULE_OUTCOME_FAILED),
    "outcome R": (VERSIONS[OURS][OUTCOME]["R"], message.MODULE_OUTCOME_REFERRED),
    "outcome D": (VERSIONS[OURS][OUTCOME]["D"], message.MODULE_OUTCOME_DEFERRED),
    "portfolio N": (VERSIONS[OURS][PORTFOLIO]["N"], message.PORTFOLIO_STATUS_NOT_BEGUN),
    "portfolio S": (VERSIONS[OURS][PORTFOLIO]["S"], message.PORTFOLIO_STATUS_SUBMITTED),
    "portfolio A": (VERSIONS[OURS][PORTFOLIO]["A"], message.PORTFOLIO_STATUS_ACHIEVED),
    "reason 3": (VERSIONS[OURS][REASON]["3"], message.WITHDRAWAL_REASON_HEALTH),
    "reason 42": (VERSIONS[OURS][REASON]["42"], message.WITHDRAWAL_REASON_ACADEMIC),
    "reason 98": (VERSIONS[OURS][REASON]["98"], message.WITHDRAWAL_REASON_NOT_KNOWN),
    "route DHEPD": (ROUTES["DHEPD"], message.ROUTE_DHEP_DETECTIVE),
    "route IPLDP": (ROUTES["IPLDP"], message.ROUTE_IPLDP),
}


@pytest.mark.parametrize(("means", "value"), MEANINGS.values(), ids=MEANINGS)
def test_a_code_means_what_the_contract_says_of_it(means: int, value: int) -> None:
    assert means == value


def test_every_value_of_every_enum_has_a_code() -> None:
    codes = VERSIONS[OURS]
    assert set(ROUTES.values()) | {0} == set(message.Route.values())
    assert set(codes[OUTCOME].values()) | {0} == set(message.ModuleOutcome.values())
    assert set(codes[PORTFOLIO].values()) | {0} == set(message.PortfolioStatus.values())
    assert set(codes[REASON].values()) | {0} == set(message.WithdrawalReason.values())
    assert set(CHANGES.values()) | {0} == set(EnrolmentChange.values())


@pytest.mark.parametrize(
    ("version", "code", "problem"),
    [(OURS, "C", "CODE_UNKNOWN"), ("2027-01", "C", "CODE_SET_UNKNOWN"), ("2027-01", "P", "CODE_SET_UNKNOWN")],
    ids=["a code that the set lacks", "a set that nobody knows", "an old code under a set that nobody knows"],
)
def test_a_code_that_means_nothing_is_kept_as_it_is_with_a_remark_and_never_guessed(version: str, code: str, problem: str) -> None:
    request = progress(replace(MARK, outcome=code), version)
    protovalidate.validate(request)
    assert request.module_result.outcome == message.MODULE_OUTCOME_UNSPECIFIED
    assert request.module_result.outcome_code == message.CodedValue(set=OUTCOME, version=version, code=code)
    assert [(one.column, one.problem, one.code_set_version) for one in request.issues] == [("outcome", problem, version)]


@pytest.mark.parametrize("one", EVERYBODY, ids=lambda one: one.learner_id)
def test_every_learner_of_the_roster_reads_without_a_remark(one: object) -> None:
    row = ROSTER[one.learner_id]  # type: ignore[attr-defined]
    told, issues = learner(row, OURS)
    assert issues == []
    protovalidate.validate(told)
    assert told.credits == sum(result.credits for result in told.module_results)


def test_what_of_a_roster_cant_be_read_is_remarked_and_the_rest_is_there() -> None:
    row = replace(ROSTER[ONE.learner_id], uln="0237599074", modules="PS401/x/1/P/2;PS402/1//P/20;PS403", route="BOBBY")
    told, issues = learner(row, OURS)
    assert (told.uln.value, told.uln.as_received) == ("", "0237599074")
    assert [(one.module_code, one.HasField("mark")) for one in told.module_results] == [("PS402", False)]
    assert sorted((one.column, one.problem) for one in issues) == [
        ("modules", "RESULT_UNREADABLE"),
        ("modules", "RESULT_UNREADABLE"),
        ("route", "CODE_UNKNOWN"),
        ("uln", "IDENTIFIER_UNREADABLE"),
    ]


PROBLEMS = {
    "nothing": (MARK, []),
    "unknown learner": (replace(MARK, learner_id="LX2699999"), [("learner_id", "LEARNER_UNKNOWN")]),
    "check digit": (replace(MARK, uln="0237599074"), [("uln", "CHECK_DIGIT"), ("uln", "OTHER_LEARNER")]),
    "somebody else's number": (replace(MARK, uln=LEFT.uln), [("uln", "OTHER_LEARNER")]),
    "cohort moved": (replace(MARK, cohort="PCDA-2024-09-A"), [("cohort", "COHORT_MOVED")]),
    "mark after withdrawal": (OF_LEFT, [("recorded", "AFTER_WITHDRAWAL")]),
    "mark on the last day": (replace(OF_LEFT, recorded=LEFT.withdrawn_on or DAY), []),
    "withdrawal corrected": (replace(OF_LEFT, kind="W", reason="42"), []),
}


@pytest.mark.parametrize(("row", "found"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_makes_a_row_unacceptable(row: Progress, found: list[tuple[str, str]]) -> None:
    assert list(problems(row, ROSTER, {})) == found


def test_a_withdrawal_that_is_newer_than_the_roster_counts() -> None:
    assert list(problems(MARK, ROSTER, {ONE.learner_id: date(2026, 10, 31)})) == [("recorded", "AFTER_WITHDRAWAL")]
    assert list(problems(MARK, ROSTER, {ONE.learner_id: DAY})) == []


BROKEN = {
    "mark of 101": (replace(MARK, mark=101), "mark"),
    "no attempt": (replace(MARK, attempt=None), "attempt"),
    "no module": (replace(MARK, module=""), "module"),
    "no outcome": (replace(MARK, outcome=""), "outcome"),
    "no attendance": (replace(MARK, kind="A", starts=DAY, ends=DAY), "attendance"),
    "attendance of 101": (replace(MARK, kind="A", starts=DAY, ends=DAY, attendance=101), "attendance"),
    "no portfolio": (replace(MARK, kind="P"), "portfolio"),
    "no reason": (replace(MARK, kind="W"), "reason"),
    "unknown kind": (replace(MARK, kind="Z"), "kind"),
    "no sequence": (replace(MARK, sequence=0), "sequence"),
}


@pytest.mark.parametrize(("row", "name"), BROKEN.values(), ids=BROKEN)
def test_the_contract_refuses_the_rest_and_the_column_is_found(row: Progress, name: str) -> None:
    with pytest.raises(protovalidate.ValidationError) as caught:
        protovalidate.validate(progress(row, OURS))
    paths = [".".join(element.field_name for element in one.proto.field.elements) for one in caught.value.violations]  # type: ignore[union-attr]  # each has a field
    assert [column(path) for path in paths][:1] == [name]


def test_attendance_of_nothing_is_not_attendance_unsaid() -> None:
    request = progress(replace(MARK, kind="A", starts=DAY, ends=DAY, attendance=0), OURS)
    protovalidate.validate(request)
    assert request.attendance.HasField("percent")


def test_an_enrolment_keeps_what_of_a_date_is_unknown() -> None:
    request = PublishEnrolmentRequest(learner_id="LX2600121", version=2, change=ENROLMENT_CHANGE_MOVE_COHORT)
    request.enrolment.route = message.ROUTE_PCDA
    request.enrolment.name.family_name = "O'Vexmoor-Źal"
    request.enrolment.date_of_birth.CopyFrom(CivilDate(year=2001))
    row = enrolment(request, "m-1")
    assert (row.reference, row.change, row.route, row.surname, row.born) == ("m-1", "M", "PCDA", "O'Vexmoor-Źal", "2001-00-00")
