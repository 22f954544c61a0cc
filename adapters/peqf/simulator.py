"""A stand-in for the learning partner on its own wire: it puts a roster and progress, takes enrolments and answers each file of them."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from adapters.kit.drops import CSV, MANIFEST
from adapters.kit.population import Population
from adapters.kit.population.learners import NOT_BEGUN, WITHDRAWN, Learner, learners
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import seconds
from adapters.kit.simulation.sftp import Sftp
from adapters.kit.tables import Damaged, Incomplete, check, manifest_of, read_manifest
from adapters.peqf.codes import OURS
from adapters.peqf.records import Enrolled, Enrolment, Finding, Progress
from adapters.peqf.upstream import IN, OUT
from adapters.peqf.wire import ENROLMENTS, PROGRESS, RECEIPT, ROSTER, SCHEMA, STATEMENT, Rejection, decode, encode

DIALS = {
    "partial": "puts a file of progress without its end, which comes after 2s, or after the time that is set, such as 10s, or never",
    "wrong_count": "puts a file of progress whose manifest counts one row too many",
    "new_codes": "writes progress under the code sets of the next term, with a code that the last one lacks",
    "unknown_learner": "adds a row of progress of somebody who is on no roster",
    "after_withdrawal": "adds a mark of somebody who has left",
    "cohort_moved": "adds a row under the cohort that a learner was in before",
    "reject": "rejects every enrolment of a file with this code, such as PROGRAMME_CLOSED",
    "refuse_file": "refuses a file of enrolments as a whole with this code, such as SCHEMA_UNKNOWN",
    "no_receipt": "takes a file of enrolments and gives no receipt",
    "burst": "tells of so many more learners, such as 10; each second again unless it is set for a number of times",
    "forgetful": "leaves the first file out of its statement of the day",
}
PARTNER, NEXT_TERM, TAKEN = "LP01", "2027-01", "taken"
TICK, REST_AFTER, STATED_AFTER = 0.1, 2.0, 1.0
AT_START, BURST_TICKS = 3, 10
"""Learners of whom the first file of progress tells, and ticks in a second."""


class Simulator:
    """The learning partner, over the shared population."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._dials = dials
        self._day = population.scale.as_of
        self._number, self._turn = count(1), count(NOT_BEGUN + AT_START)
        self._rest: list[tuple[Path, bytes, float]] = []
        self._files: dict[str, int] = {}
        self._stated: dict[str, int] = {}
        self._quiet = 0.0
        self.learners = learners(population)
        self.sequences = {one.learner_id: count(1) for one in self.learners}
        self.enrolments: dict[str, Enrolment] = {}
        """What it holds of our enrolments, by learner: the highest version."""
        self.folder = Path()
        """Where the files are, once the simulator listens."""
        self.transport = Sftp(self.begin, self.work)

    def begin(self, folder: Path) -> None:
        """Puts the first roster and the first progress."""
        self.folder = folder
        for name in (IN, OUT, TAKEN):
            (folder / name).mkdir()
        self.put_roster()
        self.put_progress(self.learners[NOT_BEGUN : NOT_BEGUN + AT_START])

    async def work(self, folder: Path) -> None:
        """Takes what comes, puts the rest of what has no end, and states what it sent and took once it has been quiet for a moment."""
        for tick in count():
            before = dict(self._files)
            burst = self._dials.strike("burst") if tick % BURST_TICKS == 0 else None
            if burst is not None and burst.isdecimal() and int(burst):
                self.put_progress([self.learners[next(self._turn) % len(self.learners)] for _ in range(int(burst))])
            self.take()
            self._complete()
            self._quiet = self._quiet + TICK if before == self._files else 0.0
            if self._files != self._stated and self._quiet >= STATED_AFTER:
                self.put_statement()
            await asyncio.sleep(TICK)

    def put_roster(self, rows: Sequence[Enrolled] | None = None) -> str:
        """Puts a roster, of all learners unless rows are given, and gives the file's name."""
        return self.put(ROSTER, [enrolled(one) for one in self.learners] if rows is None else rows, Enrolled, OURS)

    def put_progress(self, people: Sequence[Learner]) -> str:
        """Puts what happened to these learners, and what the dials add to it; gives the file's name."""
        self._dials.exchanges["progress"] += 1
        rows = [row for one in people for row in self._told(one)]
        if self._dials.strike("unknown_learner") is not None:
            rows.append(replace(rows[0], learner_id="LX2699999", uln=""))
        if self._dials.strike("after_withdrawal") is not None:
            rows.append(self._mark(self.learners[WITHDRAWN - 1]))
        if self._dials.strike("cohort_moved") is not None:
            rows.append(replace(self._mark(people[0]), cohort="PCDA-2024-09-A"))
        version = OURS
        if self._dials.strike("new_codes") is not None:
            version, rows = NEXT_TERM, [replace(row, outcome="C") if row.kind == "M" else row for row in rows]
        name = self.put(PROGRESS, rows, Progress, version)
        self._files[name] = len(rows)
        return name

    def put_statement(self) -> str:
        """Puts what it sent and took so far; gives the file's name."""
        self._stated = dict(self._files)
        forgotten = 1 if self._dials.strike("forgetful") is not None else 0
        rows = [Finding(file=name + CSV, rows=rows) for name, rows in self._stated.items()][forgotten:]
        return self.put(STATEMENT, rows, Finding, OURS)

    def put(self, beginning: str, rows: Sequence[Any], kind: type[Any], version: str, name: str = "") -> str:
        """Puts a file and its manifest the way the dials say."""
        name = name or f"{beginning}{PARTNER}_{datetime.now(UTC):%Y%m%d}_{next(self._number):04d}"
        data = encode(rows, kind)
        counted, whole = len(rows), data
        if beginning == PROGRESS:
            counted += self._dials.strike("wrong_count") is not None
            partial = self._dials.strike("partial")
            if partial is not None:
                whole = data[: len(data) * 2 // 3]
                after = seconds(partial)
                if partial != "never":
                    self._rest.append((self.folder / IN / (name + CSV), data, REST_AFTER if after is None else after))
        manifest = manifest_of(name + CSV, data, rows=counted, schema=SCHEMA, code_set=version, created=datetime.now(UTC))
        for ending, content in ((CSV, whole), (MANIFEST, manifest)):
            temporary = self.folder / IN / f".{name}{ending}"
            temporary.write_bytes(content)
            temporary.rename(self.folder / IN / (name + ending))
        return name

    def take(self) -> None:
        """Takes our files that are whole. Enrolments are judged row by row; receipts and reports are kept."""
        for path in sorted((self.folder / OUT).glob(f"[!.]*{MANIFEST}")):
            name, data_path = path.stem, path.with_suffix(CSV)
            try:
                data = data_path.read_bytes()
                check(read_manifest(path.read_bytes(), name + CSV, SCHEMA), data)
            except (OSError, Incomplete, Damaged):
                continue
            if name.startswith(ENROLMENTS):
                self._judge(name, data)
            for one in (data_path, path):
                one.rename(self.folder / TAKEN / one.name)

    def _judge(self, name: str, data: bytes) -> None:
        self._dials.exchanges["enrolments"] += 1
        rows, rejected = decode(data, Enrolment)
        refused = self._dials.strike("refuse_file")
        if refused is not None:
            rows, rejected = {}, [Rejection(row=0, code=refused or "REFUSED")]
        code = self._dials.strike("reject")
        for number, row in rows.items():
            self._dials.exchanges["enrolment"] += 1
            wrong = ("", code or "REJECTED") if code is not None else self._problem(row)
            if wrong is not None:
                rejected.append(Rejection(row=number, column=wrong[0], code=wrong[1]))
            else:
                self.enrolments[row.learner_id] = row
        self._files[name] = len(rows)
        if self._dials.strike("no_receipt") is None:
            self.put(RECEIPT, rejected, Rejection, OURS, RECEIPT + name)

    def _problem(self, row: Enrolment) -> tuple[str, str] | None:
        """What the partner has against an enrolment; a version that it has, or a later one, is no matter."""
        held = self.enrolments.get(row.learner_id)
        if held is None and row.change != "E" and row.learner_id not in self.sequences:
            return "learner_id", "LEARNER_UNKNOWN"
        if row.change == "M" and held is not None and row.version > held.version and row.cohort == held.cohort:
            return "cohort", "COHORT_NOT_MOVED"
        return None

    def _told(self, one: Learner) -> Iterator[Progress]:
        yield self._mark(one)
        last = self._day.replace(day=1) - timedelta(days=1)
        yield replace(self._row(one, "A"), starts=last.replace(day=1), ends=last, attendance=one.attendance)
        yield replace(self._row(one, "P"), portfolio=one.portfolio, patrol=one.patrol_on)
        if one.withdrawn_on is not None:
            yield replace(self._row(one, "W"), recorded=one.withdrawn_on, reason=str(one.withdrawal_reason))

    def _mark(self, one: Learner) -> Progress:
        result = one.results[-1] if one.results else None
        mark, outcome, gained = (result.mark, result.outcome, result.credits) if result else (55, "P", 20)
        module = result.module if result else "PS401"
        recorded = one.withdrawn_on if one.withdrawn_on and one.number != WITHDRAWN else self._day
        return replace(self._row(one, "M"), recorded=recorded, module=module, attempt=1, mark=mark, outcome=outcome, credits=gained)

    def _row(self, one: Learner, kind: str) -> Progress:
        sequence, recorded = next(self.sequences[one.learner_id]), one.withdrawn_on or self._day
        return Progress(learner_id=one.learner_id, sequence=sequence, recorded=recorded, cohort=one.cohort, kind=kind, uln=one.uln)

    def _complete(self) -> None:
        due = [rest for rest in self._rest if rest[2] <= TICK]
        self._rest = [(path, data, left - TICK) for path, data, left in self._rest if left > TICK]
        for path, data, _ in due:
            if path.exists():
                path.write_bytes(data)


def enrolled(one: Learner) -> Enrolled:
    """A learner's row of the roster."""
    return Enrolled(
        learner_id=one.learner_id,
        cohort=one.cohort,
        route=one.route,
        surname=one.person.surname[:35],
        forenames=" ".join(one.person.forenames),
        warrant_number=one.warrant_number,
        uln=one.uln,
        university=one.university,
        programme_code=one.programme,
        apprenticeship_levy_id=one.levy_id,
        reasonable_adjustments=one.adjustments,
        starts=one.started_on,
        ends=one.expected_end_on,
        modules=";".join(f"{result.module}/{result.attempt}/{result.mark}/{result.outcome}/{result.credits}" for result in one.results),
        credits=sum(result.credits for result in one.results),
        attendance=one.attendance,
        portfolio=one.portfolio,
        patrol=one.patrol_on,
        left=one.withdrawn_on,
        reason=str(one.withdrawal_reason) if one.withdrawal_reason else "",
    )
