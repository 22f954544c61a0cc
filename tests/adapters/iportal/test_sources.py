"""What each source is asked and how its answer reads on a page, without asking anybody."""

from datetime import UTC, date, datetime

import pytest

from adapters.iportal import sources
from adapters.iportal.sources import ADDRESS, CONNECT, INCIDENT, PERSON, PNC_NAMES, PNC_RECORD, SOURCES
from adapters.kit.population import Population
from adapters.kit.serving import installed_contracts
from hub.cli.sources import ends_of
from metip.common.v1.identifiers_pb2 import CrimeReportNumber, PncId
from metip.common.v1.pole_pb2 import Person, PersonName, WarningSignal
from metip.common.v1.time_pb2 import CivilDate
from metip.copa.v1 import case_file_pb2 as copa
from metip.cris.v1 import crime_report_pb2 as cris
from metip.footwear.v1 import impression_pb2 as footwear
from metip.iportal.v1 import portal_service_pb2 as api
from metip.iportal.v1 import view_pb2 as view
from metip.pnc.v1.person_pb2 import CIRCULATION_TYPE_FAILED_TO_APPEAR, Circulation, Nominal

BY_NAME = api.ComposePersonViewRequest(description=api.PersonDescription(family_name="Halzerwick", given_names="Calquol"))
BY_NUMBER = api.ComposePersonViewRequest(pnc_id=PncId(value="2005/9007919R"))
BORN = CivilDate(year=1992, month=3, day=20)


def test_what_the_tables_ask_is_what_the_contract_says_it_consults() -> None:
    contract = installed_contracts(Population().scale.as_of).interface("metip.iportal.v1.PortalService")
    consults = {operation.method: operation.consults for operation in contract.operations}
    tables = {
        "ComposePersonView": (PNC_RECORD, PNC_NAMES, CONNECT, *PERSON),
        "ComposeAddressView": ADDRESS,
        "ComposeIncidentView": INCIDENT,
    }
    for method, rows in tables.items():
        said = {(name.split(".")[1], name.rpartition("/")[2]) for name in consults[method]}
        assert said == {(row.source, row.method) for row in rows}
    assert consults["GetStatus"] == ()


def test_no_view_has_a_source_twice() -> None:
    for rows in ((PNC_NAMES, CONNECT, *PERSON), (PNC_RECORD, CONNECT, *PERSON), ADDRESS, INCIDENT):
        assert len({row.source for row in rows}) == len(rows)
    assert len(set(SOURCES)) == len(SOURCES)


def test_a_number_is_a_question_to_those_that_have_it_and_a_name_to_the_others() -> None:
    rows = (PNC_RECORD, CONNECT, PNC_NAMES, *PERSON)
    assert [row.question(BY_NUMBER) is None for row in rows] == [False, False, True, True, True]
    assert [row.question(BY_NAME) is None for row in rows] == [True, False, False, False, False]
    assert [row.question(api.ComposePersonViewRequest()) is None for row in rows] == [True] * 5


def test_without_days_an_address_is_asked_for_the_incidents_of_the_last_month_and_only_by_street() -> None:
    (asked,) = [row.question(api.ComposeAddressViewRequest(street="J" * 50)) for row in ADDRESS if row.source == "cad"]
    first, last = getattr(asked.opened, "from"), asked.opened.to
    assert (date(last.year, last.month, last.day) - date(first.year, first.month, first.day)).days == 30
    assert asked.street == "J" * 35
    assert [row.source for row in ADDRESS if row.question(api.ComposeAddressViewRequest(postcode="ZZ1 1AA")) is None] == ["cad"]


@pytest.mark.parametrize("born", [CivilDate(year=1992), CivilDate(year=1992, month=3), CivilDate()], ids=["year", "month", "nothing"])
def test_a_date_that_is_not_whole_bounds_no_search(born: CivilDate) -> None:
    asked = api.ComposePersonViewRequest()
    asked.CopyFrom(BY_NAME)
    asked.description.date_of_birth.CopyFrom(born)
    for row in (PNC_NAMES, CONNECT, *PERSON):
        assert row.question(asked) == row.question(BY_NAME)
    asked.description.date_of_birth.CopyFrom(BORN)
    for row in (PNC_NAMES, CONNECT, *PERSON):
        assert row.question(asked) != row.question(BY_NAME)


def test_an_incident_asks_only_those_whose_reference_it_has() -> None:
    asked = api.ComposeIncidentViewRequest(crime_report_number=CrimeReportNumber(value="9907919/26"))
    assert [row.source for row in INCIDENT if row.question(asked) is not None] == ["cris"]


def test_a_person_reads_with_what_is_circulated_and_warned_of() -> None:
    one = Nominal(
        person=Person(
            pnc_id=PncId(value="2005/9007919R"), warning_signals=[WarningSignal(code="VI"), WarningSignal(code="WE", text="KNIFE")]
        ),
        circulations=[Circulation(type=CIRCULATION_TYPE_FAILED_TO_APPEAR)],
    )
    assert sources.nominal(one).summary == "circulated: failed to appear; warning: vi; warning: knife"
    assert sources.nominal(Nominal()).summary == "no circulation, no warning"


def test_a_crime_report_reads_once_for_each_person_in_it_and_once_without_any() -> None:
    report = cris.CrimeReport(crime_report_number=CrimeReportNumber(value="9907919/26"), restricted=True)
    report.sheet.classification.code = "028/03"
    (alone,) = sources.crime_report(report)
    assert (alone.reference, alone.summary, alone.role, alone.HasField("person")) == ("9907919/26", "028/03", "", False)
    assert alone.restricted
    report.sheet.parties.add(role=cris.PARTY_ROLE_VICTIM).person.name.family_name = "A"
    report.sheet.parties.add(role=cris.PARTY_ROLE_SUSPECT).person.name.family_name = "B"
    assert [(one.role, one.person.name.family_name) for one in sources.crime_report(report)] == [("victim", "A"), ("suspect", "B")]


def test_an_impression_reads_without_anybodys_name() -> None:
    one = footwear.Impression(status=footwear.IMPRESSION_STATUS_AT_BUREAU)
    one.shoe.CopyFrom(footwear.Shoe(make="ADIDAS", size="9.5"))
    entry = sources.impression(one)
    assert (entry.kind, entry.summary, entry.state) == (view.ENTRY_KIND_FOOTWEAR_IMPRESSION, "ADIDAS size 9.5", "at bureau")
    assert not entry.HasField("person")
    assert not entry.HasField("on")


def test_a_case_file_reads_once_for_each_defendant() -> None:
    one = copa.CaseFile(defendants=[copa.Defendant(name=PersonName(family_name=name)) for name in "AB"])
    one.opened.FromDatetime(datetime(2026, 10, 1, tzinfo=UTC))
    entries = list(sources.case_file(one))
    assert [entry.person.name.family_name for entry in entries] == ["A", "B"]
    assert entries[0].on == CivilDate(year=2026, month=10, day=1)
    assert entries[0].summary == "0 hearings, 0 results"


def test_the_command_line_says_how_much_each_source_shows() -> None:
    answered = view.Section(source="cad", status=view.SECTION_STATUS_ANSWERED, entries=[view.Entry(), view.Entry()])
    nothing = view.Section(source="cris", status=view.SECTION_STATUS_NOTHING_TO_SHOW)
    ends = ends_of(api.ComposeIncidentViewResponse(sections=[answered, nothing]))
    assert [one.words() for one in ends] == ["cad      ANSWERED, 2 entries", "cris     NOTHING_TO_SHOW"]
