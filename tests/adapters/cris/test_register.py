"""The rules that the simulated CRIS keeps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time

import pytest

from adapters.cris import records
from adapters.cris.codes import Channel, Code, Page, Problem, Role, Status
from adapters.cris.records import Day
from adapters.cris.simulated import rules
from adapters.cris.simulated.register import Register
from adapters.cris.simulated.rules import Refusal
from adapters.kit.population import STORIES, CrimeStatus, Population

NOW = datetime(2026, 11, 23, 9, 5)  # noqa: DTZ001 - CRIS prints local time without a zone
POPULATION = Population(2026, people=200, addresses=120, vehicles=20, crimes=300, episodes=10, arrests=40)
BY = records.Requestor(
    account="METIPHUB",
    warrant_no="P123456",
    force="01",
    unit="ZD",
    reason_code="CI",
    reason_text="",
    reference="",
    on_behalf_of="",
    device_id="",
    need_to_know=False,
)
CLEARED = replace(BY, need_to_know=True)
ROBBERY, RESTRICTED, CYCLE = (POPULATION.crime(number).reference for number in (1, 2, 5))
CLOSED = next(crime.reference for crime in POPULATION.crimes() if crime.status is CrimeStatus.SCREENED_OUT and not crime.restricted)
UNKNOWN = "0000001/26"
SHEET = records.Sheet(
    channel=Channel.OFFICER,
    borough="ZD",
    class_code="044/00",
    committed=records.Period(from_date=Day(2026, 11, 20), from_time=time(18, 20)),
    parties=(records.Party(number=0, role=Role.VICTIM, person=records.Person(family_name="Dalquimsby-Jasvexmoor")),),
)


@pytest.fixture
def register() -> Register:
    return Register(POPULATION, lambda: NOW)


def search(register: Register, by: records.Requestor = BY, maximum: int = 200, **criteria: object) -> records.Found:
    asked = records.Search(requestor=by, maximum=maximum)
    return register.search(replace(asked, **criteria))  # type: ignore[arg-type]  # names and types are the dataclass's own


def create(sheet: records.Sheet = SHEET, by: records.Requestor = BY, client_ref: str = "ref-1") -> records.Create:
    return records.Create(requestor=by, client_ref=client_ref, sheet=sheet)


def update(crime_no: str, version: int, **changes: object) -> records.Update:
    made = records.Changes(**changes)  # type: ignore[arg-type]  # as above
    return records.Update(requestor=BY, crime_no=crime_no, version=version, changes=made)


def test_a_person_is_found_with_the_part_they_have(register: Register) -> None:
    offender = POPULATION.person(STORIES["known_offender"])
    hits = search(register, family_name=offender.surname, given_names=offender.forenames[0]).hits
    assert [(hit.crime_no, hit.role) for hit in hits] == [(ROBBERY, Role.SUSPECT)]


SPELLINGS = [
    pytest.param("overzandle", "", id="without_apostrophe_and_capitals"),
    pytest.param("O'VERZANDLE", "gal", id="beginning_of_a_given_name"),
    pytest.param("\u00d3'Verz\u00e1ndle", "", id="accents"),
]


@pytest.mark.parametrize(("family_name", "given_names"), SPELLINGS)
def test_case_accents_and_apostrophes_make_no_difference(register: Register, family_name: str, given_names: str) -> None:
    assert [hit.crime_no for hit in search(register, family_name=family_name, given_names=given_names).hits] == [
        POPULATION.crime(4).reference
    ]


def test_a_name_longer_than_cris_holds_is_found_by_its_first_35_characters(register: Register) -> None:
    surname = POPULATION.person(STORIES["long_name"]).surname
    assert len(surname) > 35
    assert search(register, family_name=surname[:35]).hits
    assert not search(register, family_name=surname).hits


def test_given_names_must_be_found_in_order(register: Register) -> None:
    person = POPULATION.person(STORIES["known_offender"])
    first, second = person.forenames
    assert search(register, family_name=person.surname, given_names=f"{first} {second[:2]}").hits
    assert not search(register, family_name=person.surname, given_names=f"{second} {first}").hits


def test_an_unknown_part_of_a_date_of_birth_fits_any(register: Register) -> None:
    person = POPULATION.person(STORIES["known_offender"])
    born = person.date_of_birth
    for asked, found in ((Day(born.year, 0, 0), True), (Day(0, born.month, born.day), True), (Day(born.year + 1, 0, 0), False)):
        hits = search(register, family_name=person.surname, given_names=person.forenames[0], date_of_birth=asked).hits
        assert bool(hits) is found


def test_nobody_without_a_date_of_birth_fits_one(register: Register) -> None:
    register.create(create())
    assert search(register, family_name="Dalquimsby-Jasvexmoor", date_of_birth=Day(1999, 4, 6)).hits[0].crime_no == CYCLE


def test_the_latest_crimes_come_first_and_more_is_said_when_there_are(register: Register) -> None:
    found = search(register, maximum=5, committed_from=Day(2026, 1, 1), committed_to=Day(2026, 10, 31))
    assert len(found.hits) == 5
    assert found.more
    assert [hit.committed_from for hit in found.hits] == sorted((hit.committed_from for hit in found.hits), reverse=True)


def test_no_more_than_200_are_given_however_many_are_asked_for(register: Register) -> None:
    found = search(register, maximum=1000, committed_from=Day(1990, 1, 1), committed_to=Day(2026, 12, 31))
    assert len(found.hits) == 200
    assert found.more


def test_half_a_postcode_stands_for_all_that_begin_with_it(register: Register) -> None:
    hits = search(register, postcode="ZZ1").hits
    venues = [register.get(records.Get(requestor=BY, crime_no=hit.crime_no)).report.sheet.venue for hit in hits]
    assert {venue.postcode.split()[0] for venue in venues if venue} == {"ZZ1"}


def test_a_street_is_found_by_its_beginning_and_a_postcode(register: Register) -> None:
    venue = POPULATION.address(POPULATION.crime(1).venue_number)
    assert ROBBERY in [hit.crime_no for hit in search(register, postcode=venue.postcode, street=venue.street[:5].upper()).hits]
    assert not search(register, postcode=venue.postcode, street="Elsewhere").hits


def test_a_search_for_a_place_names_nobody(register: Register) -> None:
    assert {(hit.role, hit.person) for hit in search(register, postcode="ZZ1").hits} == {("", None)}


def test_a_restricted_report_is_not_found_by_name(register: Register) -> None:
    surname = POPULATION.person(STORIES["restricted_victim"]).surname
    assert RESTRICTED not in [hit.crime_no for hit in search(register, family_name=surname).hits]
    assert RESTRICTED in [hit.crime_no for hit in search(register, CLEARED, family_name=surname).hits]


def test_a_restricted_report_is_not_even_counted(register: Register) -> None:
    on = register.get(records.Get(requestor=CLEARED, crime_no=RESTRICTED)).report.sheet.committed.from_date
    first, last = Day(on.year, on.month, 1), Day(on.year, on.month, 31)
    everything = search(register, CLEARED, committed_from=first, committed_to=last).hits
    shown = sum(not hit.restricted for hit in everything)
    assert 0 < shown < len(everything)
    found = search(register, maximum=shown, committed_from=first, committed_to=last)
    assert len(found.hits) == shown
    assert not found.more


@pytest.mark.parametrize("number", [RESTRICTED, UNKNOWN], ids=["restricted", "unknown"])
@pytest.mark.parametrize("ask", ["get", "add_det", "update"])
def test_a_restricted_report_is_refused_like_one_that_is_not_there(register: Register, number: str, ask: str) -> None:
    questions: dict[str, Callable[[], object]] = {
        "get": lambda: register.get(records.Get(requestor=BY, crime_no=number)),
        "add_det": lambda: register.add_det(records.AddDet(requestor=BY, crime_no=number, page=Page.FORENSIC, text="x")),
        "update": lambda: register.update(update(number, 1, mo_text="x")),
    }
    with pytest.raises(Refusal) as refused:
        questions[ask]()
    assert refused.value == Refusal(Code.RESTRICTED)


def test_an_officer_with_a_need_to_know_sees_it_and_learns_what_is_not_there(register: Register) -> None:
    assert register.get(records.Get(requestor=CLEARED, crime_no=RESTRICTED)).report.restricted
    with pytest.raises(Refusal) as refused:
        register.get(records.Get(requestor=CLEARED, crime_no=UNKNOWN))
    assert refused.value == Refusal(Code.UNKNOWN_REF)


def test_the_same_submission_again_gives_the_first_number(register: Register) -> None:
    first, second = register.create(create()), register.create(create())
    assert (second.crime_no, second.version, second.duplicate) == (first.crime_no, 1, True)
    assert not first.duplicate
    assert len(search(register, committed_from=Day(2026, 11, 20), committed_to=Day(2026, 11, 20)).hits) == 1


OTHERS = [
    pytest.param(create(replace(SHEET, mo_text="Another")), id="another_content"),
    pytest.param(create(by=replace(BY, warrant_no="P999999")), id="another_officer"),
]


@pytest.mark.parametrize("again", OTHERS)
def test_a_client_reference_serves_once(register: Register, again: records.Create) -> None:
    register.create(create())
    with pytest.raises(Refusal) as refused:
        register.create(again)
    assert refused.value.code is Code.REUSED_REF


def test_numbers_are_given_in_turn_and_nobody_elses(register: Register) -> None:
    made = [register.create(create(client_ref=f"ref-{place}")).crime_no for place in range(20)]
    assert len(set(made)) == 20
    assert not set(made) & {crime.reference for crime in POPULATION.crimes()}


BAD = [
    pytest.param(replace(SHEET, borough="QQ"), "SHEET.BOROUGH", Problem.UNKNOWN_CODE, id="borough"),
    pytest.param(replace(SHEET, class_code="999/99"), "SHEET.CLASS_CODE", Problem.UNKNOWN_CODE, id="class"),
    pytest.param(replace(SHEET, mo_text="x" * 2501), "SHEET.MO_TEXT", Problem.TOO_LONG, id="method_too_long"),
    pytest.param(replace(SHEET, committed=records.Period(from_date=Day(2026, 2, 30))), "SHEET.COMMITTED", Problem.FORMAT, id="no_such_day"),
    pytest.param(
        replace(SHEET, committed=records.Period(from_date=Day(2026, 11, 23), from_time=time(9, 6))),
        "SHEET.COMMITTED",
        Problem.FUTURE,
        id="in_a_minute",
    ),
    pytest.param(
        replace(SHEET, committed=records.Period(from_date=Day(2026, 11, 2), to_date=Day(2026, 11, 1))),
        "SHEET.COMMITTED",
        Problem.ORDER,
        id="ends_before_it_begins",
    ),
    pytest.param(
        replace(
            SHEET,
            parties=(records.Party(number=0, role=Role.VICTIM, person=records.Person(family_name="X", date_of_birth=Day(2027, 0, 0))),),
        ),
        "SHEET.PARTIES[1].PERSON.DATE_OF_BIRTH",
        Problem.FUTURE,
        id="born_next_year",
    ),
    pytest.param(
        replace(SHEET, parties=(records.Party(number=4, role=Role.VICTIM, person=records.Person(family_name="X")),)),
        "SHEET.PARTIES[1].NUMBER",
        Problem.UNKNOWN_CODE,
        id="a_number_that_nobody_has",
    ),
]


@pytest.mark.parametrize(("sheet", "path", "problem"), BAD)
def test_a_sheet_that_makes_no_sense_is_refused_by_field(register: Register, sheet: records.Sheet, path: str, problem: Problem) -> None:
    with pytest.raises(Refusal) as refused:
        register.create(create(sheet))
    assert refused.value == Refusal(Code.INVALID, ((path, problem),))


def test_every_problem_of_a_sheet_is_reported_at_once(register: Register) -> None:
    with pytest.raises(Refusal) as refused:
        register.create(create(replace(SHEET, borough="QQ", class_code="999/99")))
    assert len(refused.value.errors) == 2


def test_a_retired_class_is_refused_as_that(register: Register) -> None:
    with pytest.raises(Refusal) as refused:
        register.create(create(replace(SHEET, class_code=next(iter(rules.RETIRED)))))
    assert refused.value.code is Code.RETIRED_CLASS


def test_29_february_of_an_unknown_year_is_a_date_of_birth(register: Register) -> None:
    born = records.Person(family_name="Lorzadrick", date_of_birth=Day(0, 2, 29))
    register.create(create(replace(SHEET, parties=(records.Party(number=0, role=Role.WITNESS, person=born),))))


def test_an_update_must_name_the_version_that_is_there(register: Register) -> None:
    assert register.update(update(CYCLE, 1, mo_text="First")).version == 2
    with pytest.raises(Refusal) as refused:
        register.update(update(CYCLE, 1, mo_text="Second"))
    assert refused.value == Refusal(Code.VERSION_CONFLICT)
    assert register.get(records.Get(requestor=BY, crime_no=CYCLE)).report.sheet.mo_text == "First"


def test_an_update_that_would_change_nothing_is_confirmed_and_changes_nothing(register: Register) -> None:
    register.update(update(CYCLE, 1, mo_text="First"))
    assert register.update(update(CYCLE, 1, mo_text="First")).version == 2


def test_changes_are_made_and_the_rest_stays(register: Register) -> None:
    before = register.get(records.Get(requestor=BY, crime_no=ROBBERY)).report.sheet
    suspect = records.Party(number=0, role=Role.SUSPECT, person=records.Person(family_name="UNKNOWN"))
    register.update(
        update(ROBBERY, 1, class_code="039/00", class_reason="No force", add_flags=("KN", "DV"), remove_flags=("DV",), parties=(suspect,))
    )
    after = register.get(records.Get(requestor=BY, crime_no=ROBBERY)).report.sheet
    assert (after.class_code, after.class_title) == ("039/00", rules.CLASSES["039/00"])
    assert "KN" in after.flags
    assert "DV" not in after.flags
    assert [party.number for party in after.parties if party.role == Role.SUSPECT] == [1, 2]
    assert after.mo_text == before.mo_text


def test_a_person_in_a_report_can_be_replaced(register: Register) -> None:
    renamed = records.Party(number=1, role=Role.VICTIM, person=records.Person(family_name="Newzandle"))
    register.update(update(CYCLE, 1, parties=(renamed,)))
    assert [hit.crime_no for hit in search(register, family_name="newzandle").hits] == [CYCLE]
    assert CYCLE not in [hit.crime_no for hit in search(register, family_name="Dalquimsby-Jasvexmoor").hits]


def test_a_report_that_is_screened_out_is_closed(register: Register) -> None:
    assert register.get(records.Get(requestor=BY, crime_no=CLOSED)).report.status == Status.SCREENED_OUT
    for change in (
        lambda: register.add_det(records.AddDet(requestor=BY, crime_no=CLOSED, page=Page.FORENSIC, text="x")),
        lambda: register.update(update(CLOSED, 1, mo_text="x")),
    ):
        with pytest.raises(Refusal) as refused:
            change()
        assert refused.value == Refusal(Code.CLOSED)


def test_entries_are_added_and_leave_the_version(register: Register) -> None:
    entry = records.AddDet(requestor=BY, crime_no=CYCLE, page=Page.FORENSIC, text="Examined.")
    assert [register.add_det(entry).det_no for _ in range(2)] == [3, 4]
    report = register.get(records.Get(requestor=BY, crime_no=CYCLE)).report
    assert report.version == 1
    assert (report.dets[-1].author, report.dets[-1].entered_at, report.dets[-1].text) == ("P123456", NOW, "Examined.")


def test_the_latest_200_entries_are_given_and_more_is_said(register: Register) -> None:
    for place in range(199):
        register.add_det(records.AddDet(requestor=BY, crime_no=CYCLE, page=Page.FORENSIC, text=f"Entry {place}"))
    given = register.get(records.Get(requestor=BY, crime_no=CYCLE))
    assert given.more
    assert [entry.number for entry in given.report.dets] == list(range(2, 202))


ENTRIES = [
    pytest.param("XXX", "text", "PAGE", Problem.UNKNOWN_CODE, id="page"),
    pytest.param(Page.FORENSIC, " \n", "TEXT", Problem.REQUIRED, id="empty"),
    pytest.param(Page.FORENSIC, "x" * 4001, "TEXT", Problem.TOO_LONG, id="too_long"),
]


@pytest.mark.parametrize(("page", "text", "path", "problem"), ENTRIES)
def test_an_entry_that_cris_cannot_take_is_refused(register: Register, page: str, text: str, path: str, problem: Problem) -> None:
    with pytest.raises(Refusal) as refused:
        register.add_det(records.AddDet(requestor=BY, crime_no=CYCLE, page=page, text=text))
    assert refused.value == Refusal(Code.INVALID, ((path, problem),))


def test_a_time_that_ends_before_it_begins_finds_nothing_but_a_refusal(register: Register) -> None:
    with pytest.raises(Refusal) as refused:
        search(register, committed_from=Day(2026, 2, 1), committed_to=Day(2026, 1, 1))
    assert refused.value == Refusal(Code.INVALID, (("COMMITTED_TO", Problem.ORDER),))


def test_the_same_seed_gives_the_same_register() -> None:
    again = Population(2026, people=200, addresses=120, vehicles=20, crimes=300, episodes=10, arrests=40)
    asked = records.Search(requestor=CLEARED, maximum=200, committed_from=Day(1990, 1, 1), committed_to=Day(2027, 1, 1))
    assert Register(again, lambda: NOW).search(asked) == Register(POPULATION, lambda: NOW).search(asked)


def test_somebody_in_no_police_system_is_in_no_report(register: Register) -> None:
    nobody = POPULATION.person(STORIES["no_trace"])
    born = Day(nobody.date_of_birth.year, nobody.date_of_birth.month, nobody.date_of_birth.day)
    assert not search(register, CLEARED, family_name=nobody.surname, date_of_birth=born).hits
