"""The enquiry service's documents: every record comes back, published examples read as they should, nothing crashes the codec."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.ivma.records import Document, Enquiry, Problem, Refused, Vehicle
from adapters.ivma.wire import WireError, decode, encode

WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBERS = st.none() | st.integers(-(2**31), 2**31 - 1)
DAYS = st.none() | st.dates().map(date.isoformat)
VEHICLES = st.builds(
    Vehicle,
    registration_number=WORDS,
    tax_status=st.none() | WORDS,
    tax_due_date=DAYS,
    mot_status=st.none() | WORDS,
    mot_expiry_date=DAYS,
    make=WORDS,  # with one fact at least: a mark alone is an enquiry
    colour=st.none() | WORDS,
    year_of_manufacture=NUMBERS,
    month_of_first_registration=st.none() | WORDS,
    engine_capacity=NUMBERS,
    co2_emissions=NUMBERS,
    fuel_type=st.none() | WORDS,
    marked_for_export=st.none() | st.booleans(),
    type_approval=st.none() | WORDS,
    euro_status=st.none() | WORDS,
    wheelplan=st.none() | WORDS,
    date_of_last_v5_c_issued=DAYS,
)
PROBLEMS = st.builds(Problem, status=WORDS, code=WORDS, title=WORDS, detail=WORDS)
DOCUMENTS: st.SearchStrategy[Document] = st.one_of(
    st.builds(Enquiry, registration_number=WORDS),
    VEHICLES,
    st.builds(Refused, errors=st.lists(PROBLEMS, min_size=1, max_size=3).map(tuple)),
    st.builds(Refused, message=WORDS.filter(bool)),
)
ANSWER = (
    b'{"registrationNumber":"AB51ABC","taxStatus":"Taxed","taxDueDate":"2027-01-01","motStatus":"Not valid","motExpiryDate":"2026-10-31",'
    b'"make":"ROVER","colour":"BLUE","yearOfManufacture":2004,"monthOfFirstRegistration":"2004-12","engineCapacity":2494,"co2Emissions":135,'
    b'"fuelType":"PETROL","markedForExport":false,"typeApproval":"M1","euroStatus":"EURO 4","wheelplan":"2 AXLE RIGID BODY",'
    b'"dateOfLastV5CIssued":"2019-05-20"}'
)
VEHICLE = Vehicle(
    registration_number="AB51ABC",
    tax_status="Taxed",
    tax_due_date="2027-01-01",
    mot_status="Not valid",
    mot_expiry_date="2026-10-31",
    make="ROVER",
    colour="BLUE",
    year_of_manufacture=2004,
    month_of_first_registration="2004-12",
    engine_capacity=2494,
    co2_emissions=135,
    fuel_type="PETROL",
    marked_for_export=False,
    type_approval="M1",
    euro_status="EURO 4",
    wheelplan="2 AXLE RIGID BODY",
    date_of_last_v5_c_issued="2019-05-20",
)
NOT_FOUND = b'{"errors":[{"status":"404","code":"404","title":"Vehicle Not Found","detail":"Record for vehicle not found"}]}'
BROKEN = {
    "no JSON": b"{",
    "no object": b"[]",
    "neither vehicle nor problem": b"{}",
    "a number as a mark": b'{"registrationNumber":1}',
    "a year in words": b'{"registrationNumber":"AB51ABC","yearOfManufacture":"2004"}',
    "truth as a number": b'{"registrationNumber":"AB51ABC","engineCapacity":true}',
    "a day that does not exist": b'{"registrationNumber":"AB51ABC","taxDueDate":"2027-02-32"}',
    "a day without dashes": b'{"registrationNumber":"AB51ABC","make":"ROVER","motExpiryDate":"20270228"}',
    "a day of a week": b'{"registrationNumber":"AB51ABC","make":"ROVER","dateOfLastV5CIssued":"2027-W01-1"}',
    "errors that are no list": b'{"errors":{}}',
    "half a surrogate pair": b'{"registrationNumber":"\\ud800"}',
    "another encoding": '{"message":"£"}'.encode("latin-1"),
    "no depth to it": b"[" * 100_000,
    "a number without end": b'{"registrationNumber":"A","co2Emissions":' + b"9" * 5000 + b"}",
}


def test_the_published_example_reads_as_it_should_and_is_written_the_same() -> None:
    assert decode(ANSWER) == VEHICLE
    assert encode(VEHICLE) == ANSWER


def test_a_mark_alone_is_an_enquiry() -> None:
    assert encode(Enquiry(registration_number="AB51ABC")) == b'{"registrationNumber":"AB51ABC"}'
    assert decode(b'{ "registrationNumber": "AB51ABC" }') == Enquiry(registration_number="AB51ABC")


def test_problems_are_read_and_so_are_the_words_of_the_gateway() -> None:
    found = Problem(status="404", code="404", title="Vehicle Not Found", detail="Record for vehicle not found")
    assert decode(NOT_FOUND) == Refused(errors=(found,))
    assert decode(b'{"message": "Forbidden"}') == Refused(message="Forbidden")


def test_what_a_later_release_adds_is_passed_over_and_nothing_is_nothing() -> None:
    added = b'{"registrationNumber":"AB51ABC","make":"ROVER","automatedVehicle":true,"colour":null}'
    assert decode(added) == Vehicle(registration_number="AB51ABC", make="ROVER")


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_document_is_refused_without_its_content(data: bytes) -> None:
    with pytest.raises(WireError) as raised:
        decode(data)
    assert "AB51ABC" not in str(raised.value)


@given(DOCUMENTS)
def test_every_document_comes_back(document: Document) -> None:
    assert decode(encode(document)) == document


@given(st.binary(max_size=300))
@example(b"\xff\xfe")
def test_no_bytes_crash_the_codec(data: bytes) -> None:
    with suppress(WireError):
        decode(data)


@given(DOCUMENTS, st.integers(0, 400), st.integers(0, 255))
def test_no_damage_to_a_document_crashes_the_codec(document: Document, place: int, byte: int) -> None:
    data = bytearray(encode(document))
    data[place % len(data)] = byte
    with suppress(WireError):
        decode(bytes(data))


def test_no_record_shows_what_it_holds() -> None:
    for one in (VEHICLE, Enquiry(registration_number="AB51ABC"), Problem(detail="AB51ABC")):
        assert "AB51ABC" not in repr(one)
