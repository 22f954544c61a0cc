"""Notices as the Home Office wants them: every field has its place, every kind of notice its code."""

import pytest
from cases import case_files, read_case

from adapters.traffic_offences import records, translate
from metip.common.v1.pole_pb2 import Address, AddressLines, Bs7666Address
from metip.traffic_offences.v1 import offence_pb2 as message
from metip.traffic_offences.v1.offence_service_pb2 import SubmitOffenceRequest

REFERENCE = "0197c1d2-0000-7000-8000-000000000001"


def sample() -> SubmitOffenceRequest:
    """The request of the case that shows the operation."""
    request = SubmitOffenceRequest()
    read_case(next(path for path in case_files() if path.stem == "submit_offence_of_speed")).case.request.Unpack(request)
    return request


def test_every_field_has_its_place() -> None:
    offence = translate.offence(sample(), REFERENCE)
    assert offence == records.Offence(
        reference=REFERENCE,
        notice="0139000000000001",
        kind="COF",
        code="RT84001",
        at="2026-11-01T02:26:40Z",
        place="A23 PURLEY WAY, NORTHBOUND",
        mark="KE01CVV",
        make="FORD",
        points=3,
        penalty="100.00",
        speed=records.Speed(measured=46, limit=30, device="TRV-0042", calibrated="2026-03-02"),
        driver=records.Driver(
            surname="Dalquimsby-Jasvexmoor",
            forenames="Ilxodan",
            born="1999-04-06",
            number="DALQU904069I9XBL",
            address=records.Address(lines=(records.Line(text="NO FIXED ABODE"),)),
        ),
        evidence=(records.Evidence(reference="TRV-0042/20261101/000017"),),
    )


def test_every_kind_of_notice_has_a_code_of_its_own() -> None:
    kinds = {number for number in message.NoticeType.values() if number}
    assert set(translate.KINDS) == kinds
    assert len(set(translate.KINDS.values())) == len(kinds)


@pytest.mark.parametrize(("pence", "written"), [(0, ""), (5, "0.05"), (10_000, "100.00"), (123_456, "1234.56")])
def test_a_penalty_is_written_in_pounds(pence: int, written: str) -> None:
    request = sample()
    request.offence.penalty_pence = pence
    assert translate.offence(request, REFERENCE).penalty == written


def test_a_date_keeps_what_is_unknown_and_parts_of_an_address_stay_parts() -> None:
    request = sample()
    request.offence.driver.date_of_birth.Clear()
    request.offence.driver.date_of_birth.year = 1990
    parts = Bs7666Address(primary="12", street="HIGH STREET", town="CROYDON", uprn=999_000_000_001)
    request.offence.driver.address.CopyFrom(Address(bs7666=parts, postcode="ZZ1 1ZZ"))
    driver = translate.offence(request, REFERENCE).driver
    assert driver is not None
    assert driver.born == "1990-00-00"
    premises = records.Premises(primary="12", street="HIGH STREET", town="CROYDON", uprn="999000000001")
    assert driver.address == records.Address(postcode="ZZ1 1ZZ", premises=premises)
    request.offence.driver.address.CopyFrom(Address(lines=AddressLines(line=["1", "2"])))
    driver = translate.offence(request, REFERENCE).driver
    assert driver is not None
    assert driver.address == records.Address(lines=(records.Line(text="1"), records.Line(text="2")))


def test_what_nobody_knows_is_left_out() -> None:
    request = sample()
    request.offence.ClearField("driver")
    request.offence.ClearField("speed")
    offence = translate.offence(request, REFERENCE)
    assert offence.driver is None
    assert offence.speed is None
