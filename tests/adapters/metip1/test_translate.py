"""Between the contracts' messages and the bus's records: what goes out comes back, padding is undone, what is lost stays lost."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.kit.serving import installed_contracts
from adapters.metip1 import adapter, services, translate
from adapters.metip1.services import BY_CONTRACT, OPERATIONS, TABLE, SoapOperation, context_contract, context_native
from adapters.metip1.translate import Form, Forms, Row, TranslationError, described, rows
from adapters.metip1.wire import element_of, record_of
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.pole_pb2 import SEX_MALE
from metip.common.v1.time_pb2 import CivilDate, DateRange
from metip.cris.v1.crime_report_service_pb2 import CrimeSheetChanges, UpdateCrimeReportRequest
from metip.merlin.v1.report_service_pb2 import SearchReportsRequest
from metip.options.v1.options_pb2 import PURPOSE_CRIME_INVESTIGATION
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, GetPersonResponse, SearchPersonsRequest
from tests.adapters.metip1.strategies import FORMS, YEAR, any_message


def operation(name: str) -> SoapOperation:
    return next(one for one in OPERATIONS if one.name == name)


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_asked_or_answered_comes_back_from_the_wire(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FORMS)))
    form, message = FORMS[name], data.draw(any_message(name))
    element = element_of(form.layout, form.native(message, asking=True))
    assert form.contract(record_of(form.layout, etree.fromstring(etree.tostring(element)))) == message


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_what_the_bus_prints_reads_as_what_it_was_but_for_names(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FORMS)))
    form, message = FORMS[name], data.draw(any_message(name))
    found = form.contract(form.native(message, asking=False))
    assert found == form.contract(form.native(found, asking=False))


# The literal table


def test_the_bridge_serves_what_its_contract_says_and_the_table_has() -> None:
    known = installed_contracts(datetime.now(UTC).date())
    listed = next(one for one in known.back_ends if one.system == "metip1").serves
    assert sorted(one.contract for one in OPERATIONS if one.service in adapter.BRIDGED) == list(listed)
    assert known.platform("metip1") == "METIP"
    assert known.platform("pnc") == "METIP2"


def test_every_field_of_a_message_is_in_the_table_or_named_as_left_out() -> None:
    for row in TABLE:
        said = [field for _, field, _ in row.fields]
        assert sorted((*said, *row.without)) == sorted(field.name for field in described(row.message).fields), row.record
    left_out = {field for row in TABLE for field in row.without}
    assert left_out == {"access", "system"}


def test_the_table_has_no_record_that_no_operation_needs() -> None:
    needed: set[str] = {"metip.common.v1.AccessContext"}

    def walk(form: Form, message: Descriptor) -> None:
        needed.add(message.full_name)
        for step in form.steps:
            if step.inner is not None and step.field.message_type is not None:
                walk(step.inner, step.field.message_type)

    for one in OPERATIONS:
        for form in (one.question, one.answer):
            walk(form, form.made.DESCRIPTOR)  # type: ignore[attr-defined]
    assert sorted(row.message for row in TABLE) == sorted(needed)


def test_an_operation_is_written_once_where_its_contract_says_so() -> None:
    for one in OPERATIONS:
        level = services._method(one.contract).GetOptions().idempotency_level
        assert one.write_once == (level == MethodOptions.IDEMPOTENCY_UNKNOWN)
    assert [one.name for one in OPERATIONS if one.write_once] == [
        *("UpdateDisposal", "UpdateRemand", "UpdateDeferredSentence", "UpdateVariation"),
        *("AddDet", "UpdateCrime", "UpdateReport"),
    ]


@pytest.mark.parametrize("text", ["A metip.x.v1.A\n  B", "A metip.x.v1.A\n  B=c:d"])
def test_a_table_with_a_word_that_is_no_field_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="A has a word that is no field"):
        rows(text)


def test_a_table_that_names_what_the_contract_lacks_is_refused() -> None:
    wrong = (Row("A", "metip.common.v1.CivilDate", (("Hour", "hour", ""),), ()),)
    with pytest.raises(KeyError):
        Forms(wrong, services.NUMBERED, today=date.today).form(described("metip.common.v1.CivilDate"))


# What is undone, and what is not


def test_padding_of_codes_and_texts_is_taken_off() -> None:
    found = operation("GetName").answer_contract(
        {
            "Nominal": {
                "Person": {"Sex": "M ", "HeightCM": "0178", "PNCID": "2005/9007919R   "},
                "Circulation": [{"Type": " 01 ", "Text": "SEEN  "}],
            }
        }
    )
    person = found.nominal.person
    assert (person.sex, person.height_cm, person.pnc_id.value, person.pnc_id.as_received) == (SEX_MALE, 178, "2005/9007919R", "")
    assert (found.nominal.circulations[0].type, found.nominal.circulations[0].text) == (1, "SEEN")


def test_a_code_that_nobody_knows_is_none_and_an_identifier_stays_as_it_came() -> None:
    found = operation("GetName").answer_contract({"Nominal": {"Person": {"Sex": "X", "PNCID": "2005/9007919Z"}}})
    assert (found.nominal.person.sex, found.nominal.person.pnc_id.value) == (0, "")
    assert found.nominal.person.pnc_id.as_received == "2005/9007919Z"


def test_names_are_printed_in_capitals_and_cut_and_asked_for_as_they_are() -> None:
    long = "Winxondale-Hartzolbright-Estervazel"
    response = GetPersonResponse()
    response.nominal.person.name.family_name = long
    printed = operation("GetName").answer_native(response)
    assert printed["Nominal"]["Person"]["Name"]["Surname"] == "WINXONDALE-HARTZOLBRIGHT-ESTER"
    assert operation("GetName").answer_contract(printed).nominal.person.name.family_name == "WINXONDALE-HARTZOLBRIGHT-ESTER"
    assert operation("FindNames").ask_native(SearchPersonsRequest(family_name=long))["Surname"] == long


DAYS: dict[str, tuple[str, CivilDate | None]] = {
    "a whole one": ("09/02/1985", CivilDate(year=1985, month=2, day=9)),
    "a month": ("00/02/1985", CivilDate(year=1985, month=2)),
    "a year": ("00/00/1985", CivilDate(year=1985)),
    "none": ("00/00/0000", None),
    "blanks": ("          ", None),
    "a leap day": ("29/02/2024", CivilDate(year=2024, month=2, day=29)),
}


@pytest.mark.parametrize(("text", "day"), DAYS.values(), ids=DAYS)
def test_a_day_is_read_as_far_as_it_is_known(text: str, day: CivilDate | None) -> None:
    born = operation("FindNames").ask_contract({"Surname": "A", "Born": {"From": text}}).born
    assert born == (DateRange(**{"from": day}) if day else DateRange())


@pytest.mark.parametrize("text", ["1985-02-09", "9/2/1985", "09/02/85", "MUCH LATER"])
def test_a_text_that_is_no_day_is_refused_by_its_place(text: str) -> None:
    with pytest.raises(TranslationError, match="FindNames/Born/From is of another kind"):
        operation("FindNames").ask_contract({"Surname": "A", "Born": {"From": text}})


def test_a_year_of_two_digits_is_the_last_that_ends_so() -> None:
    find = operation("FindReports")
    for two, year in ((YEAR % 100, YEAR), ((YEAR + 1) % 100, YEAR - 99), (85, 1985)):
        assert find.ask_contract({"Surname": "A", "DOB": f"01/02/{two:02d}"}).date_of_birth.year == year


def test_a_birth_of_more_than_a_century_ago_can_not_be_asked_for_by_two_digits() -> None:
    with pytest.raises(TranslationError, match="FindReports/DOB can't be told to the bus"):
        operation("FindReports").ask_native(SearchReportsRequest(family_name="A", date_of_birth=CivilDate(year=1920, month=1, day=1)))


CLOCKS: dict[str, tuple[str, str]] = {
    "winter": ("26/11/2026 09:05:00", "2026-11-26T09:05:00Z"),
    "summer": ("26/06/2026 09:05:00", "2026-06-26T08:05:00Z"),
    "the hour that comes twice": ("25/10/2026 01:30:00", "2026-10-25T00:30:00Z"),
}


@pytest.mark.parametrize(("text", "instant"), CLOCKS.values(), ids=CLOCKS)
def test_an_instant_is_londons_clock(text: str, instant: str) -> None:
    told = operation("GetCrime").answer_contract({"Report": {"RecordedAt": text}})
    assert told.report.recorded_at.ToJsonString() == instant


def test_a_text_that_is_set_empty_is_told_and_one_that_is_not_set_is_not() -> None:
    update = operation("UpdateCrime")
    clearing = UpdateCrimeReportRequest(changes=CrimeSheetChanges(modus_operandi=""))
    assert update.ask_native(clearing)["Changes"] == {"MO": ""}
    assert update.ask_contract({"Changes": {"MO": ""}}).changes.HasField("modus_operandi")
    assert update.ask_native(UpdateCrimeReportRequest(changes=CrimeSheetChanges()))["Changes"] == {}


@pytest.mark.parametrize(("element", "text"), [("MaxRecords", "-1"), ("MaxRecords", "1" * 15), ("MaxRecords", "many"), ("Sex", "X")])
def test_a_value_that_has_no_room_is_refused_and_an_unknown_code_is_none(element: str, text: str) -> None:
    record: dict[str, Any] = {"Surname": "A", element: text}
    if element == "Sex":
        assert operation("FindNames").ask_contract(record).sex == 0
        return
    with pytest.raises(TranslationError, match="FindNames/MaxRecords is of another kind"):
        operation("FindNames").ask_contract(record)


def test_why_somebody_asks_goes_over_and_back() -> None:
    access = AccessContext(
        purpose=PURPOSE_CRIME_INVESTIGATION, reference="1/2", justification="because", on_behalf_of="PC 1", device_id="d"
    )
    assert context_contract(context_native(access)) == access
    assert context_native(access)["Purpose"] == f"{PURPOSE_CRIME_INVESTIGATION:02d}"


def test_the_question_itself_does_not_say_who_asks() -> None:
    request = GetPersonRequest(access=AccessContext(justification="SECRET"))
    assert operation("GetName").ask_native(request) == {}
    assert BY_CONTRACT["metip.pnc.v1.PersonEnquiryService/GetPerson"] is operation("GetName")


def test_codes_that_would_be_the_same_when_cut_are_refused() -> None:
    kinds: Any = described("metip.pnc.v1.Circulation").fields_by_name["type"].enum_type
    with pytest.raises(ValueError, match="are the same in 1 letters"):
        translate._codes(kinds, translate.Dialect(named_codes=True, code_width=1))
