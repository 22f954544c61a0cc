"""Between the partner's rows and the contract's messages, and what makes a row of progress unacceptable; pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from adapters.kit.times import digits
from adapters.kit.values import DAY, identifier
from adapters.peqf.codes import CHANGES, OUTCOME, PORTFOLIO, REASON, ROUTE, ROUTES, VERSIONS
from adapters.peqf.records import Enrolled, Enrolment, Progress
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.pole_pb2 import PersonName
from metip.common.v1.time_pb2 import DateRange
from metip.identifiers import parse_uln
from metip.options.v1.options_pb2 import PURPOSE_TRAINING
from metip.peqf.v1 import learner_pb2 as message
from metip.peqf.v1.enrolment_service_pb2 import PublishEnrolmentRequest
from metip.peqf.v1.progress_service_pb2 import PublishProgressRequest

GIVEN_NAMES = 3
MODULE, ATTENDANCE, FOLDER, WITHDRAWAL = "M", "A", "P", "W"
MESSAGES = frozenset({"module_result", "attendance", "portfolio", "withdrawal"})
COLUMNS = {"percent": "attendance", "status": "portfolio", "period": "starts", "progress": "kind"}
"""Columns that are not named as their field in the contract."""
ALIKE = ("learner_id", "warrant_number", "cohort", "university", "programme_code", "apprenticeship_levy_id", "reasonable_adjustments")
"""Columns of a learner that are named as in the contract."""


def problems(row: Progress, roster: Mapping[str, Enrolled], left: Mapping[str, date]) -> Iterator[tuple[str, str]]:
    """Column and code of what makes a row unacceptable beyond the contract's rules; `left`: withdrawals that the roster has not yet."""
    learner = roster.get(row.learner_id)
    if row.uln and not parse_uln(row.uln).valid:
        yield "uln", "CHECK_DIGIT"
    if learner is None:
        yield "learner_id", "LEARNER_UNKNOWN"
        return
    if row.uln and learner.uln and row.uln != learner.uln:
        yield "uln", "OTHER_LEARNER"
    if row.cohort != learner.cohort:
        yield "cohort", "COHORT_MOVED"
    last_day = left.get(row.learner_id) or learner.left
    if row.kind != WITHDRAWAL and last_day is not None and row.recorded > last_day:
        yield "recorded", "AFTER_WITHDRAWAL"


def column(path: str) -> str:
    """The column from which a field of the message comes, by its path."""
    first, _, rest = path.partition(".")
    name = (rest.partition(".")[0] if first in MESSAGES and rest else first).removesuffix("_code")
    return COLUMNS.get(name, name)


def progress(row: Progress, version: str) -> PublishProgressRequest:
    """The message of a row. A code that means nothing stays as it is, beside an issue; a kind that means nothing is no message at all."""
    codes = _Codes(version)
    return PublishProgressRequest(
        access=AccessContext(purpose=PURPOSE_TRAINING, reference=row.cohort[:50]),
        learner_id=row.learner_id,
        sequence=row.sequence,
        recorded_on=DAY.out(row.recorded),
        cohort=row.cohort,
        uln=identifier(message.UniqueLearnerNumber, row.uln) if row.uln else None,
        **_told(row, codes),
        issues=codes.issues,
    )


def _told(row: Progress, codes: "_Codes") -> dict[str, Any]:
    if row.kind == MODULE:
        return {"module_result": codes.result(row.module, row.attempt, row.mark, row.outcome, row.credits)}
    if row.kind == ATTENDANCE:
        period = DateRange(**{"from": DAY.out(row.starts), "to": DAY.out(row.ends)})
        return {"attendance": message.Attendance(period=period, percent=row.attendance)}
    if row.kind == FOLDER:
        return {"portfolio": codes.portfolio(row.portfolio, row.patrol)}
    return {"withdrawal": codes.withdrawal(row.recorded, row.reason)} if row.kind == WITHDRAWAL else {}


def learner(row: Enrolled, version: str) -> tuple[message.Learner, list[message.QualityIssue]]:
    """The learner of a row of the roster, and what in it could not be taken as it came."""
    codes = _Codes(version)
    told = message.Learner(
        **{name: getattr(row, name) for name in ALIKE},
        uln=identifier(message.UniqueLearnerNumber, row.uln) if row.uln else None,
        name=PersonName(given_names=row.forenames.split()[:GIVEN_NAMES], family_name=row.surname),
        route=codes.read("route", ROUTE, row.route)[0],
        started_on=DAY.out(row.starts),
        expected_end_on=DAY.out(row.ends),
        module_results=codes.results(row.modules),
        credits=row.credits or 0,
        attendance_percent=row.attendance,
        portfolio=codes.portfolio(row.portfolio, row.patrol) if row.portfolio else None,
        withdrawal=codes.withdrawal(row.left, row.reason) if row.left else None,
    )
    if row.uln and not told.uln.value:
        codes.remark("uln", "IDENTIFIER_UNREADABLE")
    return told, codes.issues


def enrolment(request: PublishEnrolmentRequest, reference: str) -> Enrolment:
    """The row of a request that keeps its contract."""
    told = request.enrolment
    return Enrolment(
        **{name: getattr(told, name) for name in ALIKE if name != "learner_id"},
        learner_id=request.learner_id,
        reference=reference,
        version=request.version,
        change=next(code for code, value in CHANGES.items() if value == request.change),
        surname=told.name.family_name,
        forenames=" ".join(told.name.given_names),
        born=digits(told.date_of_birth),
        uln=told.uln.value,
        route=next(code for code, value in ROUTES.items() if value == told.route),
        starts=digits(told.starts_on),
        ends=digits(told.expected_end_on),
    )


class _Codes:
    """Reads the codes of one version, and remembers what could not be taken as it came."""

    def __init__(self, version: str) -> None:
        self._version = version
        self.issues: list[message.QualityIssue] = []

    def read(self, column: str, code_set: str, code: str) -> tuple[Any, message.CodedValue]:
        """The enum's value, 0 with a remark for a code that means nothing; and the code as it came."""
        known = VERSIONS.get(self._version)
        if known is None or code not in known[code_set]:
            self.remark(column, "CODE_SET_UNKNOWN" if known is None else "CODE_UNKNOWN")
        value = known[code_set].get(code, 0) if known else 0
        return value, message.CodedValue(set=code_set, version=self._version, code=code)

    def remark(self, column: str, problem: str) -> None:
        self.issues.append(message.QualityIssue(column=column, problem=problem, code_set_version=self._version))

    def result(self, module: str, attempt: int | None, mark: int | None, code: str, gained: int | None) -> message.ModuleResult:
        outcome, outcome_code = self.read("outcome", OUTCOME, code)
        return message.ModuleResult(
            module_code=module, attempt=attempt or 0, mark=mark, outcome=outcome, outcome_code=outcome_code, credits=gained or 0
        )

    def results(self, packed: str) -> Iterator[message.ModuleResult]:
        """The results in a column; one that can't be taken apart is left out with a remark."""
        for one in filter(None, packed.split(";")):
            module, *numbers = one.split("/")
            try:
                attempt, mark, code, gained = numbers
                yield self.result(module, int(attempt), int(mark) if mark else None, code, int(gained or 0))
            except ValueError:
                self.remark("modules", "RESULT_UNREADABLE")

    def portfolio(self, code: str, patrol: date | None) -> message.Portfolio:
        status, status_code = self.read("portfolio", PORTFOLIO, code)
        return message.Portfolio(status=status, status_code=status_code, independent_patrol_on=DAY.out(patrol))

    def withdrawal(self, last_day: date | None, code: str) -> message.Withdrawal:
        reason, reason_code = self.read("reason", REASON, code)
        return message.Withdrawal(effective_on=DAY.out(last_day), reason=reason, reason_code=reason_code)
