"""The register's rules: the two state tables, risks, submissions, and that what may not be seen leaves no trace."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.population import STORIES, Population
from adapters.merlin import codes, records
from adapters.merlin.holdings import cut_name, held
from adapters.merlin.register import (
    ADULT,
    CHILD,
    CLOSED,
    DEBRIEFED,
    EPISODE,
    LOCATED,
    MISSING,
    NOTICE,
    OPEN,
    Refusal,
    Register,
    Step,
    overdue,
)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
OFFICER = records.Asker(warrant="P123456", unit="ZD")
INSIDER = records.Asker(warrant="P777777", unit="PPU")
SUPERVISOR = "P654321"
CHANGES = {
    Step.LOCATE: {"located": records.Located(found=NOW, place="at a friend's")},
    Step.DEBRIEF: {"debriefed": records.Debriefed(account="was at a friend's")},
    Step.CLOSE: {"closed": records.Closed(reason="done")},
}


def somebody(surname: str = "Nobody", first: str = "Ann", born: tuple[int, int, int] = (2012, 3, 4), pnc_id: str = "") -> records.Person:
    return records.Person(born=born, pnc_id=pnc_id, name=records.Name(first=first, surname=surname))


def stored(
    reference: str = "26MIS000001",
    *,
    type: str = MISSING,  # noqa: A002 - the record's own word
    status: str = OPEN,
    risk: str = "MED",
    restricted: bool = False,
    person: records.Person | None = None,
    days: int = 1,
) -> records.Report:
    """A report that a register holds from the start."""
    return records.Report(
        summary=records.Summary(
            reference=reference,
            type=type,
            status=status,
            risk=risk,
            role="SUB",
            restricted=restricted,
            created=NOW - timedelta(days=days),
            person=person or somebody(),
        )
    )


def submission(
    number: int = 1,
    *,
    type: str = MISSING,  # noqa: A002 - as above
    subject: records.Person | None = None,
    sharing: records.Sharing | None = None,
) -> records.Raise:
    """A report to be raised."""
    return records.Raise(
        submission=f"submission-{number}",
        type=type,
        summary="Left home.",
        subject=subject or somebody(),
        assessment=records.Assessment(level="HGH", rationale="young"),
        missing=records.Missing(seen=NOW - timedelta(hours=3), circumstances="left") if type == MISSING else None,
        child=records.Child(circumstances="alone") if type == CHILD else None,
        adult=records.Adult(circumstances="confused") if type == ADULT else None,
        sharing=sharing,
    )


def search(surname: str = "Nobody", forenames: str = "", **more: object) -> records.Find:
    return replace(records.Find(surname=surname, forenames=forenames, most=50), **more)  # type: ignore[arg-type]  # by name


def references(found: tuple[tuple[records.Summary, ...], bool]) -> list[str]:
    return [one.reference for one in found[0]]


def refusal(told: pytest.ExceptionInfo[Refusal]) -> tuple[str, str]:
    return told.value.code, told.value.reference


@pytest.mark.parametrize("type", [MISSING, CHILD, ADULT])
@pytest.mark.parametrize("status", codes.STATUSES)
@pytest.mark.parametrize("step", Step)
def test_a_report_takes_the_steps_of_its_table_and_no_other(type: str, status: str, step: Step) -> None:  # noqa: A002
    register = Register([stored(type=type, status=status)])
    change = records.Amend(reference="26MIS000001", **CHANGES[step])  # type: ignore[arg-type]  # the part is chosen by name
    then = (EPISODE if type == MISSING else NOTICE)[status, step]
    if then is None:
        with pytest.raises(Refusal) as told:
            register.amend(change, OFFICER, NOW)
        assert told.value.code == codes.STEP_NOT_ALLOWED
        assert register.fetch("26MIS000001", OFFICER).summary.status == status
    else:
        assert register.amend(change, OFFICER, NOW).summary.status == then
        assert register.fetch("26MIS000001", OFFICER).summary.status == then


def test_the_tables_name_every_status_with_every_step_and_never_lead_back() -> None:
    order = list(codes.STATUSES)
    for table in (EPISODE, NOTICE):
        assert set(table) == {(status, step) for status in codes.STATUSES for step in Step}
        assert all(order.index(then) > order.index(status) for (status, _), then in table.items() if then)
    assert [EPISODE[OPEN, Step.LOCATE], EPISODE[LOCATED, Step.DEBRIEF], EPISODE[DEBRIEFED, Step.CLOSE]] == [LOCATED, DEBRIEFED, CLOSED]


def test_a_step_keeps_what_earlier_steps_said() -> None:
    register = Register([stored()])
    for step in (Step.LOCATE, Step.DEBRIEF, Step.CLOSE):
        register.amend(records.Amend(reference="26MIS000001", **CHANGES[step]), OFFICER, NOW)  # type: ignore[arg-type]  # as above
    report = register.fetch("26MIS000001", OFFICER)
    assert report.located
    assert report.debriefed
    assert report.closed
    assert report.located.place == "at a friend's"


RISK_CHANGES = [
    ("raised by anybody", "LOW", "HGH", "", True),
    ("kept by anybody", "MED", "MED", "", True),
    ("lowered by nobody", "HGH", "MED", "", False),
    ("lowered by the asker", "HGH", "LOW", OFFICER.warrant, False),
    ("lowered by a supervisor", "HGH", "NON", SUPERVISOR, True),
]


@pytest.mark.parametrize(("name", "before", "after", "supervisor", "allowed"), RISK_CHANGES, ids=[row[0] for row in RISK_CHANGES])
def test_a_risk_is_lowered_by_a_supervisor_only(name: str, before: str, after: str, supervisor: str, allowed: bool) -> None:
    register = Register([stored(risk=before)])
    change = records.Amend(
        reference="26MIS000001", assessment=records.Assessment(level=after, supervisor=supervisor, rationale="looked again")
    )
    if allowed:
        report = register.amend(change, OFFICER, NOW)
        assert report.summary.risk == after
        assert report.assessments[0].at == NOW
    else:
        with pytest.raises(Refusal) as told:
            register.amend(change, OFFICER, NOW)
        assert told.value.code == codes.RISK_DOWNGRADE
        assert register.fetch("26MIS000001", OFFICER).summary.risk == before


def test_the_risk_of_a_closed_report_is_assessed_no_more() -> None:
    register = Register([stored(status=CLOSED)])
    with pytest.raises(Refusal) as told:
        register.amend(records.Amend(reference="26MIS000001", assessment=records.Assessment(level="HGH")), OFFICER, NOW)
    assert told.value.code == codes.STEP_NOT_ALLOWED


@pytest.mark.parametrize(("risk", "hours"), [("HGH", 12), ("MED", 24), ("LOW", 24), ("NON", 24)])
def test_the_risk_of_somebody_missing_is_looked_at_again_in_time(risk: str, hours: int) -> None:
    register = Register([stored(risk="NON")])
    report = register.amend(records.Amend(reference="26MIS000001", assessment=records.Assessment(level=risk)), OFFICER, NOW)
    assert report.review_due == NOW + timedelta(hours=hours)
    assert not overdue(report, NOW + timedelta(hours=hours))
    assert overdue(report, NOW + timedelta(hours=hours, minutes=1))
    found = register.amend(records.Amend(reference="26MIS000001", located=records.Located(found=NOW)), OFFICER, NOW)
    assert found.review_due is None
    assert not overdue(found, NOW + timedelta(days=9))


def test_a_submission_raises_one_report_however_often_it_comes() -> None:
    register = Register([])
    first = register.submit(submission(), OFFICER, NOW, outbox_full=False)
    assert first.summary.reference.startswith("26MIS")
    assert first.review_due == NOW + timedelta(hours=12)
    again = register.submit(submission(), OFFICER, NOW + timedelta(hours=1), outbox_full=True)
    assert again == first
    assert references(register.find(search(), OFFICER)) == [first.summary.reference]


def test_a_submission_id_is_good_for_one_report_only() -> None:
    register = Register([])
    register.submit(submission(), OFFICER, NOW, outbox_full=False)
    with pytest.raises(Refusal) as told:
        register.submit(submission(subject=somebody("Other")), OFFICER, NOW, outbox_full=False)
    assert refusal(told) == (codes.SUBMISSION_USED, "")
    assert not register.find(search("Other"), OFFICER)[0]


SAME_PERSON = [
    ("name and birthday", somebody(), somebody("NO-BODY", "ann"), True),
    ("PNC id", somebody(pnc_id="2002/0073319Z"), somebody("Else", "Eve", (1990, 1, 1), "2002/0073319Z"), True),
    ("another birthday", somebody(), somebody(born=(2012, 3, 5)), False),
    ("another forename", somebody(), somebody(first="Eve"), False),
    ("a birthday that nobody knows", somebody(born=(2012, 0, 0)), somebody(born=(2012, 0, 0)), False),
]


@pytest.mark.parametrize(("name", "known", "raised", "same"), SAME_PERSON, ids=[row[0] for row in SAME_PERSON])
def test_nobody_is_missing_twice_at_once(name: str, known: records.Person, raised: records.Person, same: bool) -> None:
    register = Register([stored(person=known)])
    if same:
        with pytest.raises(Refusal) as told:
            register.submit(submission(subject=raised), OFFICER, NOW, outbox_full=False)
        assert refusal(told) == (codes.EPISODE_OPEN, "26MIS000001")
    else:
        assert register.submit(submission(subject=raised), OFFICER, NOW, outbox_full=False)


@pytest.mark.parametrize("status", [LOCATED, DEBRIEFED, CLOSED])
def test_who_was_found_can_go_missing_again(status: str) -> None:
    register = Register([stored(status=status)])
    assert register.submit(submission(), OFFICER, NOW, outbox_full=False).summary.status == OPEN


@pytest.mark.parametrize("type", [CHILD, ADULT])
def test_coming_to_notice_again_is_another_report(type: str) -> None:  # noqa: A002
    register = Register([stored(type=type)])
    assert register.submit(submission(type=type), OFFICER, NOW, outbox_full=False)


SHARING = [
    ("no ground", records.Sharing(partners=("CSC",)), False),
    ("a ground that nobody knows", records.Sharing(partners=("CSC",), basis="WHY"), False),
    ("consent that was not given", records.Sharing(partners=("CSC",), basis="CNS"), False),
    ("consent", records.Sharing(partners=("CSC",), basis="CNS", consent=True), True),
    ("a duty", records.Sharing(partners=("CSC", "EDU"), basis="CHA"), True),
    ("nothing shared", None, True),
]


@pytest.mark.parametrize(("name", "sharing", "allowed"), SHARING, ids=[row[0] for row in SHARING])
def test_nothing_is_shared_without_a_ground(name: str, sharing: records.Sharing | None, allowed: bool) -> None:
    register = Register([])
    if allowed:
        assert register.submit(submission(sharing=sharing), OFFICER, NOW, outbox_full=False).sharing == sharing
    else:
        with pytest.raises(Refusal) as told:
            register.submit(submission(sharing=sharing), OFFICER, NOW, outbox_full=False)
        assert told.value.code == codes.NO_LEGAL_BASIS
        assert not register.find(search(), OFFICER)[0]


def test_a_full_outbox_stops_what_is_shared_and_nothing_else() -> None:
    register = Register([])
    shared = submission(sharing=records.Sharing(partners=("CSC",), basis="CHA"))
    with pytest.raises(Refusal) as told:
        register.submit(shared, OFFICER, NOW, outbox_full=True)
    assert (told.value.code, told.value.own) == (codes.OUTBOX_FULL, True)
    assert not register.find(search(), OFFICER)[0]
    assert register.submit(shared, OFFICER, NOW, outbox_full=False)
    assert register.submit(submission(2, type=CHILD), OFFICER, NOW, outbox_full=True)


SEARCHES = [
    ("the beginning of a surname", search("nob"), True),
    ("no regard to case and marks", search("NO'BODY"), True),
    ("the beginning of a forename", search(forenames="an"), True),
    ("two forenames, one of them wrong", search(forenames="an eve"), False),
    ("an alias", search("Other"), True),
    ("the birthday", search(born=(2012, 3, 4)), True),
    ("the year of birth", search(born=(2012, 0, 0)), True),
    ("another birthday", search(born=(2012, 3, 5)), False),
    ("the type", search(type=MISSING), True),
    ("another type", search(type=ADULT), False),
    ("a surname in the middle", search("body"), False),
]


@pytest.mark.parametrize(("name", "criteria", "fits"), SEARCHES, ids=[row[0] for row in SEARCHES])
def test_people_are_found_by(name: str, criteria: records.Find, fits: bool) -> None:
    person = replace(somebody(), aliases=(records.Name(first="Ann", surname="Otherwise"),))
    register = Register([stored(person=person)])
    assert bool(register.find(criteria, OFFICER)[0]) is fits


def test_open_reports_come_first_and_then_the_latest() -> None:
    register = Register(
        [
            stored("26MIS000001", status=CLOSED, days=1),
            stored("26MIS000002", status=OPEN, days=9),
            stored("26MIS000003", status=LOCATED, days=5),
            stored("26MIS000004", status=CLOSED, days=3),
        ]
    )
    assert references(register.find(search(), OFFICER)) == ["26MIS000003", "26MIS000002", "26MIS000001", "26MIS000004"]
    assert references(register.find(search(open_only=True), OFFICER)) == ["26MIS000003", "26MIS000002"]


def test_more_is_told_only_when_there_is_more() -> None:
    register = Register([stored(f"26MIS00000{number}") for number in range(4)])
    assert register.find(search(most=4), OFFICER)[1] is False
    found, more = register.find(search(most=3), OFFICER)
    assert (len(found), more) == (3, True)


def test_everybody_in_a_report_is_found_with_their_part() -> None:
    guardian = records.Linked(role="GRD", person=somebody("Nobody", "Eve", (1980, 1, 1)))
    register = Register([replace(stored(), people=(guardian,))])
    found, _ = register.find(search(), OFFICER)
    assert [(one.role, one.person.name.first) for one in found] == [("SUB", "Ann"), ("GRD", "Eve")]


# --- what may not be seen ---

REPORTS = st.lists(
    st.builds(
        stored,
        st.integers(1, 999_999).map(lambda serial: f"26MIS{serial:06d}"),
        type=st.sampled_from([MISSING, CHILD, ADULT]),
        status=st.sampled_from(list(codes.STATUSES)),
        restricted=st.booleans(),
        person=st.sampled_from([somebody(), somebody("Nobodies", "Eve", (1990, 5, 6))]),
        days=st.integers(0, 30),
    ),
    max_size=12,
    unique_by=lambda report: report.summary.reference,
)
ASKED = st.builds(
    search,
    st.sampled_from(["nob", "nobody", "else"]),
    type=st.sampled_from(["", MISSING, CHILD]),
    open_only=st.booleans(),
    most=st.integers(1, 5),
)


@given(reports=REPORTS, criteria=ASKED)
@settings(max_examples=200, deadline=None)
def test_a_register_with_restricted_reports_answers_a_search_as_if_it_had_none(
    reports: list[records.Report], criteria: records.Find
) -> None:
    open_to_all = [report for report in reports if not report.summary.restricted]
    assert Register(reports).find(criteria, OFFICER) == Register(open_to_all).find(criteria, OFFICER)


@given(reports=REPORTS, subject=st.sampled_from([somebody(), somebody("Nobodies", "Eve", (1990, 5, 6))]))
@settings(max_examples=100, deadline=None)
def test_a_register_with_restricted_reports_takes_a_report_as_if_it_had_none(
    reports: list[records.Report], subject: records.Person
) -> None:
    open_to_all = [report for report in reports if not report.summary.restricted]
    assert _said(reports, subject) == _said(open_to_all, subject)


def _said(reports: Iterable[records.Report], subject: records.Person) -> object:
    try:
        return Register(reports).submit(submission(subject=subject), OFFICER, NOW, outbox_full=False)
    except Refusal as refused:
        return refused


@pytest.mark.parametrize(
    "ask",
    [
        lambda register, reference: register.fetch(reference, OFFICER),
        lambda register, reference: register.amend(records.Amend(reference=reference, closed=records.Closed(reason="x")), OFFICER, NOW),
        lambda register, reference: register.amend(
            records.Amend(reference=reference, assessment=records.Assessment(level="LOW")), OFFICER, NOW
        ),
    ],
    ids=["fetch", "step", "risk"],
)
def test_a_restricted_report_and_an_unknown_one_are_refused_alike(ask: object) -> None:
    assert callable(ask)
    register = Register([stored("26MIS000001", restricted=True)])
    said = []
    for reference in ("26MIS000001", "26MIS999999"):
        with pytest.raises(Refusal) as told:
            ask(register, reference)
        said.append(told.value)
    assert said[0] == said[1]
    assert said[0].code == codes.REFERENCE_UNKNOWN


def test_members_of_the_unit_see_restricted_reports_and_that_they_are() -> None:
    register = Register([stored(restricted=True)])
    found, _ = register.find(search(), INSIDER)
    assert [one.restricted for one in found] == [True]
    assert register.fetch("26MIS000001", INSIDER).summary.restricted
    with pytest.raises(Refusal) as told:
        register.submit(submission(), INSIDER, NOW, outbox_full=False)
    assert refusal(told) == (codes.EPISODE_OPEN, "26MIS000001")


# --- what is held at the start ---


def test_the_population_s_episodes_are_held_as_reports_that_nobody_has_neglected() -> None:
    population = Population(2026, 300, addresses=150, episodes=60)
    reports = held(population, NOW)
    assert [report.summary.reference for report in reports] == [episode.reference for episode in population.episodes()]
    missing_now = [report for report in reports if report.summary.type == MISSING and report.summary.status == OPEN]
    assert missing_now
    assert all(report.review_due and NOW < report.review_due <= NOW + timedelta(hours=24) for report in missing_now)
    assert all(report.review_due is None for report in reports if report not in missing_now)
    assert all(sum(part is not None for part in (report.missing, report.child, report.adult)) == 1 for report in reports)


def test_a_child_is_held_with_the_guardian() -> None:
    first = held(Population(2026, 300, addresses=150, episodes=60), NOW)[0]
    assert [linked.role for linked in first.people] == ["GRD"]


def test_a_name_is_kept_up_to_its_width() -> None:
    longest = Population().person(STORIES["long_name"])
    assert len(longest.surname) > 35
    kept = cut_name(longest.surname, longest.forenames)
    assert (kept.surname, kept.first, kept.third) == (longest.surname[:35], longest.forenames[0], "")
