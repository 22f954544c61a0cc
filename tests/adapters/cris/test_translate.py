"""The contract's messages to CRIS's records and back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cris import codes, records, translate, vocabulary
from adapters.cris.records import Day
from adapters.cris.translate import TRANSLATION, VALUES
from adapters.kit.latin import Transcript
from adapters.kit.vocabulary import Vocabulary
from metip.call import Officer
from metip.common.v1 import pole_pb2 as pole
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CadNumber, CrimeReportNumber, PncId
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.cris.v1 import crime_report_pb2 as cris
from metip.cris.v1 import crime_report_service_pb2 as service
from metip.faults import Fault, Reason
from metip.identifiers import build_cad_number, build_pnc_id
from metip.options.v1 import options_pb2 as options

OFFICER = Officer(warrant_number="P123456", force="01", unit="ZD", roles=("officer",))
CLEARED = Officer(warrant_number="P123457", force="01", unit="ZD", roles=("officer", translate.ROLE))
ACCESS = AccessContext(purpose=options.PURPOSE_CRIME_INVESTIGATION, reference="90001/23NOV26")
NOON = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001 - CRIS prints local time without a zone

LATIN = st.characters(max_codepoint=0xFF, exclude_categories=["Cc"])


def words(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return st.text(LATIN, min_size=least, max_size=most)


def other_than_unspecified(enum: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(enum.values()[1:])


WHOLE_DATES = st.dates().map(lambda date: CivilDate(year=date.year, month=date.month, day=date.day))
PARTIAL_DATES = st.builds(CivilDate, year=st.integers(1800, 2200), month=st.integers(0, 12), day=st.integers(0, 31))
TIMES = st.builds(LocalTime, hour=st.integers(0, 23), minute=st.integers(0, 59))
BS7666 = st.builds(
    pole.Bs7666Address,
    secondary=words(100),
    primary=words(100, 1),
    street=words(100),
    locality=words(35),
    town=words(30),
    uprn=st.integers(0, 999_999_999_999),
)
LINES = st.builds(pole.AddressLines, line=st.lists(words(35), min_size=1, max_size=5))
ADDRESSES = st.builds(pole.Address, bs7666=BS7666, postcode=words(8)) | st.builds(pole.Address, lines=LINES, postcode=words(8))
NUMBERS = st.builds(build_pnc_id, st.integers(1995, 2026), st.integers(0, 9_999_999))
PERSONS = st.builds(
    pole.Person,
    name=st.builds(pole.PersonName, title=words(35), given_names=st.lists(words(35), max_size=3), family_name=words(35, 1)),
    date_of_birth=st.none() | PARTIAL_DATES,
    sex=st.sampled_from(pole.Sex.values()),
    observed_ethnicity=st.integers(0, 9),
    self_defined_ethnicity=words(2),
    height_cm=st.integers(0, 250),
    pnc_id=st.none() | NUMBERS.map(lambda number: PncId(value=number)),
    addresses=st.lists(ADDRESSES, max_size=1),
)
SHEETS = st.builds(
    cris.CrimeSheet,
    reporting_channel=st.sampled_from(cris.ReportingChannel.values()),
    borough=st.sampled_from(["ZD", "VK"]),
    beat=words(6),
    classification=st.just(cris.Classification(code="044/00")),
    committed=st.builds(
        cris.CommittedPeriod,
        from_date=WHOLE_DATES,
        from_time=st.none() | TIMES,
        to_date=st.none() | WHOLE_DATES,
        to_time=st.none() | TIMES,
    ),
    venue=st.none() | st.builds(cris.Venue, address=ADDRESSES, easting=st.integers(0, 9_999_999), northing=st.integers(0, 9_999_999)),
    modus_operandi=words(60),
    flags=st.lists(st.sampled_from(["DV", "KN"]), unique=True),
    parties=st.lists(
        st.builds(cris.CrimeParty, number=st.integers(0, 999), role=other_than_unspecified(cris.PartyRole), person=PERSONS), max_size=2
    ),
    property=st.lists(
        st.builds(
            cris.PropertyLine,
            number=st.integers(0, 999),
            involvement=other_than_unspecified(cris.PropertyInvolvement),
            description=words(100, 1),
            identifying_mark=words(40),
            value_pounds=st.integers(0, 99_999_999),
        ),
        max_size=2,
    ),
    first_officer=st.sampled_from(["", "P123456"]),
    cad_number=st.none()
    | st.dates(datetime(2000, 1, 1).date(), datetime(2099, 1, 1).date()).map(lambda on: CadNumber(value=build_cad_number(90_001, on))),  # noqa: DTZ001
)


DATE = VALUES[CivilDate]


def known_person(held: records.Person) -> pole.Person:
    return TRANSLATION.message(held, pole.Person)


@given(sheet=SHEETS)
@settings(max_examples=80, deadline=None)
def test_a_crime_sheet_comes_back_as_it_was_sent(sheet: cris.CrimeSheet) -> None:
    copy = Transcript()
    sent = TRANSLATION.record(translate.transcribed(sheet, copy, "sheet"), records.Sheet)
    assert TRANSLATION.message(sent, cris.CrimeSheet) == sheet
    copy.settle()
    assert copy.warnings == []


@given(person=PERSONS)
@settings(deadline=None)
def test_a_person_comes_back_as_they_were_sent(person: pole.Person) -> None:
    sent = TRANSLATION.record(translate.transcribed(person, Transcript(), "person"), records.Person)
    assert TRANSLATION.message(sent, pole.Person) == person


@given(date=PARTIAL_DATES)
def test_a_date_with_unknown_parts_comes_back(date: CivilDate) -> None:
    assert DATE.out(DATE.back(date)) == date


def test_a_date_of_which_nothing_is_known_is_no_date() -> None:
    assert DATE.back(CivilDate()) is None
    assert DATE.out(Day(0, 0, 0)) is None


TABLES = [
    pytest.param(vocabulary.ROLES, cris.PartyRole.DESCRIPTOR, codes.Role, id="roles"),
    pytest.param(vocabulary.STATUSES, cris.CrimeReportStatus.DESCRIPTOR, codes.Status, id="statuses"),
    pytest.param(vocabulary.CHANNELS, cris.ReportingChannel.DESCRIPTOR, codes.Channel, id="channels"),
    pytest.param(vocabulary.INVOLVEMENTS, cris.PropertyInvolvement.DESCRIPTOR, codes.Involvement, id="involvements"),
    pytest.param(vocabulary.PAGES, cris.DetailPage.DESCRIPTOR, codes.Page, id="pages"),
    pytest.param(vocabulary.SEXES, pole.Sex.DESCRIPTOR, codes.Sex, id="sexes"),
]


@pytest.mark.parametrize(("table", "enum", "theirs"), TABLES)
def test_every_member_of_an_enum_has_a_code_of_its_own_and_the_other_way_round(
    table: Vocabulary, enum: EnumDescriptor, theirs: Any
) -> None:
    assert sorted(table.code(value) for value in enum.values_by_number) == sorted(["", *theirs])
    assert sorted(table.value(code) for code in ["", *theirs]) == sorted(enum.values_by_number)
    assert table.value("") == 0
    assert table.value("ZZZ") == 0


def test_every_purpose_that_an_operation_permits_has_a_reason_at_cris() -> None:
    for method in service.DESCRIPTOR.services_by_name["CrimeReportService"].methods:
        permitted = method.GetOptions().Extensions[options.operation].purposes
        assert all(vocabulary.REASONS.code(purpose) for purpose in permitted)


CLOCKS = [
    pytest.param((2026, 7, 1, 12, 0), "2026-07-01T11:00:00", id="summer"),
    pytest.param((2026, 12, 1, 12, 0), "2026-12-01T12:00:00", id="winter"),
    pytest.param((2026, 10, 25, 1, 30), "2026-10-25T00:30:00", id="the_hour_that_comes_twice_is_read_as_the_first"),
    pytest.param((2026, 3, 29, 1, 30), "2026-03-29T01:30:00", id="the_hour_that_does_not_come"),
]


@pytest.mark.parametrize(("local", "utc"), CLOCKS)
def test_local_times_become_instants(local: tuple[int, int, int, int, int], utc: str) -> None:
    held = datetime(*local)  # noqa: DTZ001 - CRIS prints local time without a zone
    assert VALUES[Timestamp].out(held).ToDatetime(UTC).isoformat() == f"{utc}+00:00"


def test_a_pnc_id_that_does_not_parse_is_kept_and_not_guessed_at() -> None:
    known = known_person(records.Person(family_name="Halzerwick", pnc_id="26/1Q"))
    assert (known.pnc_id.value, known.pnc_id.as_received) == ("", "26/1Q")


def test_a_short_pnc_id_becomes_canonical_and_keeps_what_was_received() -> None:
    known = known_person(records.Person(family_name="Halzerwick", pnc_id="21/23U"))
    assert (known.pnc_id.value, known.pnc_id.as_received) == ("2021/0000023U", "21/23U")


def test_a_code_that_no_table_has_is_unspecified() -> None:
    hit = records.Hit(
        crime_no="9907919/26",
        role="XYZ",
        class_code="034/01",
        class_title="Robbery",
        committed_from=Day(2026, 9, 21),
        summary="",
        restricted=False,
        status="ZZ",
        borough="ZD",
    )
    reply = translate.answer(records.Found(as_at=NOON, more=True, hits=(hit,)), service.SearchCrimeReportsResponse, [])
    assert reply.reports[0].role == cris.PARTY_ROLE_UNSPECIFIED
    assert reply.reports[0].status == cris.CRIME_REPORT_STATUS_UNSPECIFIED
    assert not reply.reports[0].HasField("person")
    assert reply.provenance.truncated
    assert reply.provenance.as_of.ToDatetime(UTC) == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_crime_number_of_another_form_is_kept_as_received() -> None:
    done = translate.answer(records.Created(as_at=NOON, crime_no="12/A", version=1, duplicate=False), service.CreateCrimeReportResponse, [])
    assert (done.crime_report_number.value, done.crime_report_number.as_received) == ("", "12/A")


def test_nothing_found_is_no_trace() -> None:
    with pytest.raises(Fault) as refused:
        translate.answer(records.Found(as_at=NOON, more=False), service.SearchCrimeReportsResponse, [])
    assert refused.value.reason is Reason.NO_TRACE


def test_cris_learns_who_asks_and_why() -> None:
    access = AccessContext(
        purpose=options.PURPOSE_STREET_STOP, reference="R", justification="Stopped in the street", on_behalf_of="P777777", device_id="T-9"
    )
    assert translate.House().requestor(access, OFFICER, Transcript()) == records.Requestor(
        account="METIPHUB",
        warrant_no="P123456",
        force="01",
        unit="ZD",
        reason_code="SS",
        reason_text="Stopped in the street",
        reference="R",
        on_behalf_of="P777777",
        device_id="T-9",
        need_to_know=False,
    )


@pytest.mark.parametrize(("officer", "cleared"), [(OFFICER, False), (CLEARED, True)], ids=["ordinary", "cleared"])
def test_the_need_to_know_is_a_role_in_the_officers_token(officer: Officer, cleared: bool) -> None:
    assert translate.House().requestor(ACCESS, officer, Transcript()).need_to_know is cleared


def test_nobody_asks_without_an_officer() -> None:
    with pytest.raises(Fault) as refused:
        translate.House().requestor(ACCESS, None, Transcript())
    assert refused.value.reason is Reason.OFFICER_NEEDED


BY = translate.House().requestor(ACCESS, OFFICER, Transcript())


def test_a_search_asks_for_twenty_unless_told_otherwise() -> None:
    asked = [
        translate.question(
            service.SearchCrimeReportsRequest(person=service.PersonCriteria(family_name="Halzerwick"), limit=limit),
            records.Search,
            BY,
            Transcript(),
        )
        for limit in (0, 200)
    ]
    assert [one.maximum for one in asked] == [20, 200]


def test_a_client_reference_is_the_same_in_capitals() -> None:
    request = service.CreateCrimeReportRequest(
        client_reference="6F1C1B1E-6D0A-4B43-9F0E-2B1F6F2F9A10",
        sheet=cris.CrimeSheet(committed=cris.CommittedPeriod(from_date=CivilDate(year=2024, month=5, day=17))),
    )
    assert translate.question(request, records.Create, BY, Transcript()).client_ref == "6f1c1b1e-6d0a-4b43-9f0e-2b1f6f2f9a10"


def test_what_an_update_leaves_out_stays_as_it_is() -> None:
    request = service.UpdateCrimeReportRequest(
        crime_report_number=CrimeReportNumber(value="9907919/26"), version=3, changes=service.CrimeSheetChanges(add_flags=["DV"])
    )
    assert translate.question(request, records.Update, BY, Transcript()).changes == records.Changes(add_flags=("DV",))


def test_an_update_can_empty_a_text() -> None:
    request = service.UpdateCrimeReportRequest(version=3, changes=service.CrimeSheetChanges(modus_operandi=""))
    assert translate.question(request, records.Update, BY, Transcript()).changes.mo_text == ""


GROWN = "\u2026" * 90
"""270 characters once written as CRIS holds it."""


@pytest.mark.parametrize(
    ("kind", "request_of", "path"),
    [
        (records.Get, service.GetCrimeReportRequest(), "access.justification"),
        (records.Search, service.SearchCrimeReportsRequest(), "access.justification"),
        (records.AddDet, service.AddDetailRequest(text="\u2026" * 1500), "text"),
        (
            records.Update,
            service.UpdateCrimeReportRequest(changes=service.CrimeSheetChanges(reclassification=service.Reclassification(reason=GROWN))),
            "changes.reclassification.reason",
        ),
    ],
    ids=["get", "search", "add_detail", "update"],
)
def test_a_text_that_grows_past_its_width_is_refused_before_cris_is_asked(kind: Any, request_of: Any, path: str) -> None:
    copy = Transcript()
    by = translate.House().requestor(AccessContext(justification=GROWN), OFFICER, copy)
    with pytest.raises(Fault) as refused:
        translate.question(request_of, kind, by, copy)
    assert path in [field for field, _ in refused.value.fields]
