"""The adapter against its simulator, on real sockets: what is answered and what is recorded."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.kit.population import STORIES, Arrest
from adapters.kit.population.reserved import engine_number
from adapters.kit.population.things import things
from adapters.pnc import translate
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CroNumber, PncId, Vrm
from metip.common.v1.pole_pb2 import Sex
from metip.common.v1.time_pb2 import CivilDate, DateRange
from metip.pnc.v1.case_update_service_pb2 import AddedCharges, AddedOffence, CarryForward
from metip.pnc.v1.court_case_pb2 import Disposal, DurationUnit, OffencePeriod, SentenceDuration
from metip.pnc.v1.driver_enquiry_service_pb2 import DriverDescription, GetDriverRequest
from metip.pnc.v1.driver_pb2 import LicenceStatus
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest
from metip.pnc.v1.person_pb2 import CirculationType
from metip.pnc.v1.property_enquiry_service_pb2 import PropertyReportType, PropertyType, SearchPropertyRequest
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest, Handling, SearchVehiclesRequest, VehicleReportType

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "pnc"


# What is answered


async def test_a_search_finds_the_namesakes_and_says_that_there_are_more(asker: Any) -> None:
    person = asker.population.person(STORIES["common_name"])
    request = SearchPersonsRequest(
        access=asker.asking, family_name=person.surname.lower(), given_names=person.forenames[0], sex=Sex.SEX_MALE
    )
    response = await asker.asked("SearchPersons", request)
    assert len(response.nominals) == 20
    assert response.provenance.truncated
    request.limit = 3
    assert len((await asker.asked("SearchPersons", request)).nominals) == 3
    born = person.date_of_birth
    day = CivilDate(year=born.year, month=born.month, day=born.day)
    request.born.CopyFrom(DateRange(to=day))
    getattr(request.born, "from").CopyFrom(day)
    response = await asker.asked("SearchPersons", request)
    assert person.pnc_id in [nominal.person.pnc_id.value for nominal in response.nominals]
    assert {(nominal.person.date_of_birth.year, nominal.person.date_of_birth.day) for nominal in response.nominals} == {
        (born.year, born.day)
    }


async def test_an_alias_leads_to_the_person_with_signals_address_and_aliases(asker: Any) -> None:
    person = asker.population.person(STORIES["known_offender"])
    request = SearchPersonsRequest(access=asker.asking, family_name=person.aliases[0].surname)
    (nominal,) = (await asker.asked("SearchPersons", request)).nominals
    assert nominal.person.pnc_id.value == person.pnc_id
    assert nominal.person.cro_number.value == person.cro
    assert nominal.person.name.family_name == person.surname.upper()
    assert [alias.family_name for alias in nominal.person.aliases] == [alias.surname.upper() for alias in person.aliases]
    assert [signal.code for signal in nominal.person.warning_signals] == list(person.warning_signals)
    assert list(nominal.person.addresses[0].lines.line) == [line.upper() for line in asker.population.address(person.address_number).lines]
    assert nominal.person.observed_ethnicity == person.observed_ethnicity


@pytest.mark.parametrize("key", ["pnc_id", "cro_number"])
async def test_a_person_is_given_by_either_number_with_what_is_circulated(asker: Any, key: str) -> None:
    person = asker.population.person(STORIES["wanted"])
    numbers: dict[str, Any] = {"pnc_id": {"pnc_id": PncId(value=person.pnc_id)}, "cro_number": {"cro_number": CroNumber(value=person.cro)}}
    request = GetPersonRequest(access=asker.asking, **numbers[key])
    nominal = (await asker.asked("GetPerson", request)).nominal
    assert nominal.person.pnc_id.value == person.pnc_id
    (circulation,) = nominal.circulations
    assert circulation.type == CirculationType.CIRCULATION_TYPE_WANTED
    assert circulation.text == person.circulations[0].text


async def test_a_surname_of_more_than_35_letters_comes_as_the_host_has_it(asker: Any) -> None:
    person = asker.population.person(STORIES["long_name"])
    request = GetPersonRequest(access=asker.asking, pnc_id=PncId(value=person.pnc_id))
    nominal = (await asker.asked("GetPerson", request)).nominal
    assert nominal.person.name.family_name == person.surname.upper()[:35]


@pytest.mark.parametrize("key", ["vrm", "vin"])
async def test_a_vehicle_tells_its_keeper_and_what_must_not_be_said_over_open_radio(asker: Any, key: str) -> None:
    vehicle = asker.population.vehicle_numbered(1)
    keeper = asker.population.person(vehicle.keeper_number)
    request = GetVehicleRequest(access=asker.asking, **({"vrm": Vrm(value=vehicle.vrm)} if key == "vrm" else {"vin": vehicle.vin}))
    response = await asker.asked("GetVehicle", request)
    assert (response.vehicle.vrm.value, response.vehicle.vin, response.vehicle.make) == (vehicle.vrm, vehicle.vin, vehicle.make)
    assert response.keeper.name.endswith(keeper.surname.upper())
    (report,) = response.reports
    assert report.type == VehicleReportType.VEHICLE_REPORT_TYPE_OF_INTEREST
    assert report.handling == Handling.HANDLING_NOT_OVER_OPEN_AIR
    assert (response.taxed, response.insured) == (vehicle.taxed, vehicle.insured)


async def test_a_vehicle_is_found_by_the_number_on_its_engine(asker: Any) -> None:
    request = GetVehicleRequest(access=asker.asking, engine_number=engine_number(7))
    response = await asker.asked("GetVehicle", request)
    assert (response.vehicle.vrm.value, response.engine_number) == (asker.population.vehicle_numbered(7).vrm, engine_number(7))


async def test_vehicles_are_found_by_what_a_witness_saw_as_many_as_were_asked_for(asker: Any) -> None:
    fitting = [one for one in asker.population.vehicles() if (one.make, one.colour) == ("FORD", "RED")]
    request = SearchVehiclesRequest(access=asker.searching, make="Ford", colour="red", limit=3)
    response = await asker.asked("SearchVehicles", request)
    assert [one.vehicle.vrm.value for one in response.candidates] == [one.vrm for one in fitting[:3]]
    assert {(one.vehicle.make, one.vehicle.colour, one.postcode_area) for one in response.candidates} == {("FORD", "RED", "ZZ")}
    assert [one.reported for one in response.candidates] == [bool(one.reports) for one in fitting[:3]]
    assert response.provenance.truncated


async def test_a_driver_tells_what_stands_against_the_licence(asker: Any) -> None:
    person = asker.population.person(STORIES["wanted"])
    (driver,) = (await asker.ask("GetDriver")).drivers
    assert (driver.driver_number, driver.name.family_name) == (person.driver_number, person.surname.upper())
    assert driver.status == LicenceStatus.LICENCE_STATUS_DISQUALIFIED
    (banned,) = driver.disqualifications
    assert [(one.code, one.points, one.convicted_on) for one in driver.endorsements] == [("DR10", 0, getattr(banned, "from"))]
    assert [one.category for one in driver.entitlements] == ["AM", "B"]


async def test_everybody_who_fits_a_description_is_told_and_nobody_chosen(asker: Any) -> None:
    person = asker.population.person(STORIES["known_offender"])
    born = CivilDate(year=person.date_of_birth.year, month=person.date_of_birth.month, day=person.date_of_birth.day)
    described = DriverDescription(family_name=person.aliases[0].surname, date_of_birth=born, sex=Sex.SEX_MALE)
    drivers = (await asker.asked("GetDriver", GetDriverRequest(access=asker.asking, description=described))).drivers
    assert [driver.driver_number for driver in drivers] == [person.driver_number]
    described.sex = Sex.SEX_FEMALE
    request = GetDriverRequest(access=asker.asking, description=described)
    assert (await asker.refusal("GetDriver", request))[:2] == ("NOT_FOUND", "NO_TRACE")


async def test_property_is_found_by_kind_and_the_beginning_of_its_number(asker: Any) -> None:
    fitting = [one for one in things(asker.population) if one.kind == "MARINE"]
    request = SearchPropertyRequest(access=asker.searching, type=PropertyType.PROPERTY_TYPE_MARINE, serial_number="ZZ-MET", limit=20)
    response = await asker.asked("SearchProperty", request)
    assert [one.serial_number for one in response.reports] == [one.serial_number for one in fitting[:20]]
    assert [PropertyReportType.Name(one.report) for one in response.reports] == [
        f"PROPERTY_REPORT_TYPE_{one.report}" for one in fitting[:20]
    ]
    assert response.provenance.truncated == (len(fitting) > 20)


async def test_copies_of_registers_are_as_old_as_the_last_refresh(asker: Any) -> None:
    now = datetime.datetime.now(datetime.UTC)
    for method in ("SearchVehicles", "GetDriver"):
        assert (await asker.ask(method)).provenance.as_of.ToDatetime(tzinfo=datetime.UTC) == translate.last_refresh(now)
    told = (await asker.ask("SearchProperty")).provenance.as_of.ToDatetime(tzinfo=datetime.UTC)
    assert abs(told - now) < datetime.timedelta(minutes=1)


async def test_a_vehicle_is_as_old_as_the_last_refresh_and_a_person_as_new_as_now(asker: Any) -> None:
    now = datetime.datetime.now(datetime.UTC)
    vehicle = await asker.ask("GetVehicle")
    assert vehicle.provenance.as_of.ToDatetime(tzinfo=datetime.UTC) == translate.last_refresh(now)
    person = await asker.ask("GetPerson")
    assert abs(person.provenance.as_of.ToDatetime(tzinfo=datetime.UTC) - now) < datetime.timedelta(minutes=1)
    assert person.provenance.system == "PNC"


async def test_an_arrest_gives_the_person_and_the_offences(asker: Any) -> None:
    arrest = asker.population.arrest(2)
    person = asker.population.person(arrest.person_number)
    response = await asker.asked("GetArrestSummons", asker.summons(arrest))
    assert response.owner == arrest.force_station
    assert (response.subject.pnc_id.value, response.subject.check_name) == (person.pnc_id, person.surname.upper()[:12])
    (case,) = response.court_cases
    assert case.reference.value == arrest.court_case_reference
    assert [offence.cjs_offence_code for offence in case.offences] == [offence.cjs_code for offence in arrest.offences]
    assert not any(offence.HasField("adjudication") for offence in case.offences)


async def test_a_penalty_notice_stands_apart_from_court_cases(asker: Any) -> None:
    arrest = next(arrest for arrest in asker.population.arrests() if not arrest.charged and arrest.number % 5 == 0)
    response = await asker.asked("GetArrestSummons", asker.summons(arrest))
    assert len(response.court_cases) == 0
    assert response.penalty_cases[0].reference == arrest.custody_number


# What is recorded


async def test_a_disposal_is_recorded_once_and_read_back(asker: Any, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    prison = Disposal(code=1002, duration=_months(18), qualifiers=["S"], qualifier_duration=_months(12))
    before = asker.count("RecordDisposal")
    response = await asker.asked("RecordDisposal", asker.disposal_of(arrest, prison, asker.fined))
    assert response.receipt.code == "A0003"
    assert not response.HasField("additional_case")
    assert asker.count("RecordDisposal") == before + 1
    record = await asker.asked("GetArrestSummons", asker.summons(arrest))
    for offence in record.court_cases[0].offences:
        assert offence.adjudication == asker.found_guilty
        assert list(offence.disposals) == [prison, asker.fined]


async def test_what_is_already_recorded_is_a_precondition_that_fails(asker: Any, fresh: Iterator[Arrest]) -> None:
    request = asker.disposal_of(next(fresh))
    await asker.asked("RecordDisposal", request)
    status, reason, codes = await asker.refusal("RecordDisposal", request)
    assert (status, reason, codes) == ("FAILED_PRECONDITION", "PRECONDITION", {"code": "I0020", "exception": "HO100401"})


async def test_what_is_carried_forward_opens_a_case(asker: Any, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    request = asker.disposal_of(arrest, Disposal(code=2059))
    request.carry_forward.CopyFrom(CarryForward(court=asker.court, date=CivilDate(year=2027, month=1, day=4)))
    response = await asker.asked("RecordDisposal", request)
    assert [remark.code for remark in response.receipt.remarks] == ["A0027"]
    record = await asker.asked("GetArrestSummons", asker.summons(arrest))
    assert [case.reference for case in record.court_cases][1:] == [response.additional_case]
    assert len(record.court_cases[1].offences) == len(arrest.offences)


async def test_charges_that_the_court_added_are_read_back(asker: Any, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    request = asker.disposal_of(arrest)
    committed = OffencePeriod(start_date=asker.heard)
    charge = AddedOffence(cjs_offence_code="TH68006", committed=committed, location="High Street", location_force_station="01ZD")
    charge.adjudication.CopyFrom(asker.found_guilty)
    request.added_charges.CopyFrom(AddedCharges(arrest_summons_number=ArrestSummonsNumber(value=arrest.asn), offences=[charge]))
    response = await asker.asked("RecordDisposal", request)
    assert [remark.code for remark in response.receipt.remarks] == ["A0029"]
    record = await asker.asked("GetArrestSummons", asker.summons(arrest))
    added = record.court_cases[0].offences[-1]
    assert (added.cjs_offence_code, added.committed, added.adjudication) == ("TH68006", committed, asker.found_guilty)
    assert added.number == len(arrest.offences) + 1


async def test_a_remand_is_recorded(asker: Any, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    response = await asker.asked("RecordRemand", asker.remand_of(arrest))
    assert response.receipt.code == "A0031"
    holdings = asker.rig.simulator.holdings
    (remands,) = [held for number, held in holdings.remands.items() if holdings.arrest(number) == arrest]
    assert remands[0]["bail_conditions"].startswith("Residence: to live")


async def test_a_deferred_sentence_is_added_and_a_variation_takes_its_place(asker: Any) -> None:
    arrest = asker.deferred_arrest
    before = (await asker.asked("GetArrestSummons", asker.summons(arrest))).court_cases[0].offences[0]
    response = await asker.ask("RecordDeferredSentence")
    assert response.receipt.code == "A0005"
    sentenced = (await asker.asked("GetArrestSummons", asker.summons(arrest))).court_cases[0].offences[0]
    assert list(sentenced.disposals) == [*before.disposals, asker.fined]
    assert (await asker.ask("RecordVariation")).receipt.code == "A0005"
    varied = (await asker.asked("GetArrestSummons", asker.summons(arrest))).court_cases[0].offences[0]
    assert list(varied.disposals) == [asker.fined]
    assert varied.adjudication == before.adjudication


async def test_an_update_of_somebody_else_is_a_precondition_that_fails(asker: Any, fresh: Iterator[Arrest]) -> None:
    request = asker.disposal_of(next(fresh))
    request.subject.check_name = "SOMEBODYELSE"
    assert await asker.refusal("RecordDisposal", request) == (
        "FAILED_PRECONDITION",
        "PRECONDITION",
        {"code": "I0013", "exception": "HO100401"},
    )


def _months(number: int) -> SentenceDuration:
    return SentenceDuration(unit=DurationUnit.DURATION_UNIT_MONTHS, value=number)
