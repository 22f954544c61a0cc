"""The simulated host by itself: what it tells, what it takes, and what its dials do to a message."""

import datetime

import pytest

from adapters.kit.population import STORIES, Population
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from adapters.pnc.records import OPERATIONS, Header, Segment, Transaction
from adapters.pnc.replies import reply_codes
from adapters.pnc.simulator import DIALS, Simulator
from adapters.pnc.wire import decode, encode
from metip import identifiers

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = datetime.datetime.now(datetime.UTC)
ORG = Segment.of("ORG", user="P1", station="01ZD", reason_code="1", reason_text="Stopped")


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(2026)


@pytest.fixture
def simulator(population: Population) -> Simulator:
    return Simulator(population, Dials(DIALS, seed=1))


async def ask(simulator: Simulator, function: str, *segments: Segment) -> Transaction:
    header = Header.of(function, serial=7, sequence=8, at=AT)
    data = await simulator.answer(encode(Transaction.of(OPERATIONS[function].root, header, segments)))
    reply = decode(data)
    assert reply.problems() == ()
    return reply


def turn(simulator: Simulator, name: str, setting: str = "") -> None:
    simulator._dials.set([Dial(name, setting)])


def codes(reply: Transaction) -> list[str]:
    return [text.code for text in reply_codes(reply)]


def remand(population: Population, number: int, **ids: str) -> tuple[Segment, ...]:
    arrest = population.arrest(number)
    person = population.person(arrest.person_number)
    named = {"pnc_id": identifiers.short_pnc_id(person.pnc_id), "check_name": person.surname[:12]} | ids
    return (
        Segment.of("FSC", force_station="01HB"),
        Segment.of("IDS", **named),
        Segment.of("ASR", asn=identifiers.slash_arrest_summons_number(arrest.asn)),
        Segment.of("REM", remand_date="20112026", result="B"),
    )


async def test_the_same_question_has_the_same_answer_in_every_life(population: Population) -> None:
    key = Segment.of("N01", surname=population.person(STORIES["common_name"]).surname, maximum="5")
    lives = [await ask(Simulator(Population(2026), Dials(DIALS, seed=1)), "SIMNAM", ORG, key) for _ in range(2)]
    assert lives[0].segments == lives[1].segments
    assert [segment["more"] for segment in lives[0].all("MOR")] == ["Y"]


async def test_nobody_without_a_record_is_on_file(simulator: Simulator, population: Population) -> None:
    keeper = population.person(STORIES["stolen_vehicle_keeper"])
    found = await ask(simulator, "SIMNAM", ORG, Segment.of("N01", surname=keeper.surname, forenames=keeper.forenames[0]))
    assert all(person["pnc_id"] for person in found.all("NOM"))
    assert keeper.surname.upper() not in [person["surname"] for person in found.all("NOM")] or not keeper.pnc_id


@pytest.mark.parametrize(
    "originator", [(), (Segment.of("ORG", user="P1"),), (Segment.of("ORG", reason_code="1"),)], ids=["none", "no reason", "no user"]
)
async def test_who_does_not_say_who_and_why_is_refused(simulator: Simulator, originator: tuple[Segment, ...]) -> None:
    reply = await ask(simulator, "SIMNAM", *originator, Segment.of("N01", surname="QUILL"))
    assert (reply.header.direction, reply.header.function, codes(reply)) == ("E", "ERRNAM", ["I1001"])


async def test_an_update_is_counted_each_time_it_is_received(simulator: Simulator, population: Population) -> None:
    for _ in range(2):
        assert codes(await ask(simulator, "NEWREM", *remand(population, 1))) == ["A0031"]
    assert simulator._dials.exchanges["NEWREM"] == 2
    assert len(simulator.holdings.remands) == 1


MISMATCHES = [("check_name", "SOMEBODY", "I0013"), ("pnc_id", "01/1A", "I0013"), ("cro_number", "000001/01A", "I0014")]


@pytest.mark.parametrize(("name", "value", "code"), MISMATCHES, ids=[row[0] for row in MISMATCHES])
async def test_an_update_of_somebody_else_changes_nothing(
    simulator: Simulator, population: Population, name: str, value: str, code: str
) -> None:
    assert codes(await ask(simulator, "NEWREM", *remand(population, 1, **{name: value}))) == [code]
    assert simulator.holdings.remands == {}


async def test_an_update_of_an_unknown_arrest_is_refused(simulator: Simulator, population: Population) -> None:
    fsc, ids, _, rem = remand(population, 1)
    assert codes(await ask(simulator, "NEWREM", fsc, ids, Segment.of("ASR", asn="14/01ZD/01/449846U"), rem)) == ["I1008"]


async def test_a_remand_without_a_result_is_bad_data(simulator: Simulator, population: Population) -> None:
    *before, _ = remand(population, 1)
    assert codes(await ask(simulator, "NEWREM", *before, Segment.of("REM", remand_date="20112026"))) == ["I0001"]


async def test_a_disposal_of_an_offence_that_is_not_in_the_case_changes_nothing(simulator: Simulator, population: Population) -> None:
    arrest = population.arrest(1)
    fsc, ids, asr, _ = remand(population, 1)
    ccr = Segment.of("CCR", court_case_ref=identifiers.short_court_case_reference(arrest.court_case_reference))
    good = Segment.of("CCH", offence_ref="001", cjs_code=arrest.offences[0].cjs_code)
    bad = Segment.of("CCH", offence_ref="099", cjs_code=arrest.offences[0].cjs_code)
    found = Segment.of("ADJ", plea="GUILTY", adjudication="GUILTY", tics="0000")
    assert codes(await ask(simulator, "DISARR", fsc, ids, ccr, Segment.of("COU"), good, found, bad, found)) == ["I0015"]
    assert (await ask(simulator, "ENQASI", Segment.of("E07", asn=asr["asn"]))).find("ADJ") is None
    assert codes(await ask(simulator, "DISARR", fsc, ids, ccr, Segment.of("COU"))) == ["I0001"]
    assert codes(await ask(simulator, "DISARR", fsc, ids, Segment.of("CCR", court_case_ref="21/2732/17A"))) == ["I0022"]


async def test_a_lost_reply_is_that_of_an_update_that_was_done(simulator: Simulator, population: Population) -> None:
    turn(simulator, "lost_reply")
    assert codes(await ask(simulator, "NEWREM", *remand(population, 1))) == ["PNCAM"]
    assert len(simulator.holdings.remands) == 1


async def test_a_lock_is_that_of_an_update_that_was_not_done(simulator: Simulator, population: Population) -> None:
    turn(simulator, "code", "PNCUE")
    reply = await ask(simulator, "NEWREM", *remand(population, 1))
    assert (reply.header.function, codes(reply)) == ("ERRREM", ["PNCUE"])
    assert simulator.holdings.remands == {}


async def test_a_warning_is_that_of_an_update_that_was_done(simulator: Simulator, population: Population) -> None:
    turn(simulator, "code", "I5069")
    assert codes(await ask(simulator, "NEWREM", *remand(population, 1))) == ["A0031", "I5069"]
    assert len(simulator.holdings.remands) == 1


async def test_a_clock_ahead_is_one_hour_ahead(simulator: Simulator, population: Population) -> None:
    turn(simulator, "clock_ahead")
    asked = datetime.datetime.now(datetime.UTC)
    reply = await ask(simulator, "NEWREM", *remand(population, 1))
    stamped = datetime.datetime.strptime(reply.header.date + reply.header.time, "%Y%m%d%H%M").replace(tzinfo=datetime.UTC)
    assert datetime.timedelta(minutes=58) < stamped - asked < datetime.timedelta(minutes=65)


async def test_trimmed_segments_are_short_and_say_the_same(simulator: Simulator, population: Population) -> None:
    key = Segment.of("E07", asn=identifiers.slash_arrest_summons_number(population.arrest(1).asn))
    plain = await ask(simulator, "ENQASI", key)
    turn(simulator, "trim")
    short = await ask(simulator, "ENQASI", key)
    assert [segment.fields() for segment in short.walk()] == [segment.fields() for segment in plain.walk()]
    assert sum(len(segment.body) for segment in short.walk()) < sum(len(segment.body) for segment in plain.walk())


async def test_another_serial_is_in_header_and_trailer(simulator: Simulator, population: Population) -> None:
    turn(simulator, "wrong_serial")
    assert (await ask(simulator, "NEWREM", *remand(population, 1))).header.serial == "000008"


async def test_a_fuller_reason_is_asked_for_by_its_length(simulator: Simulator) -> None:
    turn(simulator, "justify", "8")
    key = Segment.of("N01", surname="HALZERWICK")
    assert codes(await ask(simulator, "SIMNAM", ORG, key)) == ["J0001"]
    fuller = Segment.of("ORG", user="P1", reason_code="1", reason_text="Stopped at night")
    assert (await ask(simulator, "SIMNAM", fuller, key)).find("NOM") is not None


async def test_a_mark_is_matched_by_its_letters_and_nothing_in_it_is_more_than_a_letter(simulator: Simulator) -> None:
    found = await ask(simulator, "SIMVOD", ORG, Segment.of("V02", vrm="KE?1*"))
    assert all(one["vrm"].startswith("KE") and one["vrm"][3] == "1" for one in found.all("VEC"))
    assert codes(await ask(simulator, "SIMVOD", ORG, Segment.of("V02", vrm="KE(1.*"))) == ["I1008"]


async def test_a_weeded_driver_is_gone_by_number(simulator: Simulator, population: Population) -> None:
    key = Segment.of("D01", driver_number=population.person(STORIES["wanted"]).driver_number)
    assert (await ask(simulator, "SIMDRV", ORG, key)).find("DRV") is not None
    turn(simulator, "weeded")
    assert codes(await ask(simulator, "SIMDRV", ORG, key)) == ["I1008"]


@pytest.mark.parametrize("function", ["SIMNAM", "SIMVEH", "SIMVOD", "SIMDRV", "SIMPRO"])
async def test_an_enquiry_without_a_key_is_refused(simulator: Simulator, function: str) -> None:
    assert codes(await ask(simulator, function, ORG)) == ["I1002"]


async def test_what_is_no_message_is_answered_with_nothing(simulator: Simulator) -> None:
    assert await simulator.answer(b"\0NONSENSE") == b""
