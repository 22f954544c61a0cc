"""Courts' results against the simulated host, on real sockets: what an enquiry then shows, and what is refused, repeated or in doubt."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from cases import error_info

from adapters.kit.population import Arrest
from adapters.kit.simulation.dials import Dial
from adapters.pnc.holdings import identity
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, PtiUrn
from metip.common.v1.pole_pb2 import PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED, Receipt
from metip.identifiers import build_arrest_summons_number, slash_arrest_summons_number
from metip.libra.v1 import court_pb2 as courts
from metip.libra.v1 import result_pb2 as results
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.libra.v1.result_service_pb2_grpc import ResultServiceStub
from metip.options.v1.options_pb2 import PURPOSE_PROSECUTION
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest
from metip.pnc.v1.arrest_summons_service_pb2_grpc import ArrestSummonsServiceStub
from metip.pnc.v1.court_case_pb2 import DurationUnit, Finding, Offence, Plea

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "pnc"
UPSTREAM = {"failures_to_open": 1000}  # the breaker has tests of its own
ACCESS = AccessContext(purpose=PURPOSE_PROSECUTION)
HEARD = CivilDate(year=2026, month=11, day=20)
LATER = CivilDate(year=2026, month=12, day=18)
COURT = "B01EF01"
GUILTY, NOT_GUILTY = results.COURT_FINDING_GUILTY, results.COURT_FINDING_NOT_GUILTY
DUMMY = "0800NP0100000000001H"

FINE = results.CourtResult(code=1015, amount_pence=25_000)
PRISON = results.CourtResult(code=1002, duration=results.CourtDuration(value=12, unit=results.COURT_DURATION_UNIT_MONTHS))
ADJOURNED = results.CourtResult(code=4047, next_hearing=results.NextHearing(hearing=courts.Hearing(court=COURT, date=LATER)))
UNKNOWN = results.CourtResult(code=1182, text="A result of which nobody has said how it is recorded")


def offence(arrest: Arrest, number: int, *decided: results.CourtResult, **more: Any) -> results.ResultedOffence:
    """One offence of an arrest as the court resulted it."""
    one = arrest.offences[number - 1]
    on = one.committed_on
    details = courts.OffenceDetails(
        sequence_number=number,
        offence_code=one.cjs_code,
        wording=one.title,
        start_date=CivilDate(year=on.year, month=on.month, day=on.day),
        location="High Street",
    )
    return results.ResultedOffence(details=details, plea=more.pop("plea", results.COURT_PLEA_NOT_GUILTY), results=decided, **more)


class Court:
    """Sends results to one adapter, and looks up what they left on file."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def result(self, arrest: Arrest, *offences: results.ResultedOffence, **more: Any) -> PublishResultRequest:
        """A result for the arrested person; by default, guilty of everything and fined."""
        person = self._rig.population.person(arrest.person_number)
        name = PersonName(given_names=person.forenames[:1], family_name=more.pop("surname", person.surname)[:35])
        defendant = results.ResultedDefendant(
            arrest_summons_number=ArrestSummonsNumber(value=more.pop("asn", arrest.asn)),
            individual=results.ResultedIndividual(details=courts.PersonDetails(name=name)),
        )
        defaults: dict[str, Any] = {"hearing": courts.Hearing(court=COURT, date=HEARD), "psa_code": "2576", "defendant": defendant}
        everything = [offence(arrest, number + 1, FINE, finding=GUILTY) for number in range(len(arrest.offences))]
        return PublishResultRequest(
            access=ACCESS,
            delivery_id="delivery-1",
            case_number=1,
            content_digest="0" * 64,
            pti_urn=PtiUrn(value=arrest.pti_urn),
            offences=offences or everything,
            **(defaults | more),
        )

    async def sends(self, request: PublishResultRequest, within: float = 10.0) -> Receipt:
        """Hands a result over as the exchange does: without an officer."""
        return await ResultServiceStub(self._rig.channel).PublishResult(request, metadata=from_envoy(officer=None), timeout=within)

    async def refused(self, request: PublishResultRequest) -> tuple[str, str, dict[str, str]]:
        """Status, reason, and codes of a result that is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await self.sends(request)
        info = error_info(told.value)
        return told.value.code().name, info.reason, {key: info.metadata[key] for key in ("code", "exception") if key in info.metadata}

    async def on_file(self, arrest: Arrest) -> list[list[Offence]]:
        """The offences of each case that an enquiry shows."""
        request = GetArrestSummonsRequest(access=ACCESS, arrest_summons_number=ArrestSummonsNumber(value=arrest.asn))
        shown = await ArrestSummonsServiceStub(self._rig.channel).GetArrestSummons(request, metadata=from_envoy(), timeout=10)
        return [list(case.offences) for case in shown.court_cases]

    def turn(self, dial: str, setting: str = "", times: int = 0) -> None:
        """Turns a dial of the host."""
        assert self._rig.dials is not None
        self._rig.dials.set([Dial(dial, setting, times=times)])

    def asked(self) -> dict[str, int]:
        """How often the host was asked what."""
        assert self._rig.dials is not None
        return {name: self._rig.dials.exchanges[name] for name in ("ENQASI", "DISARR", "SENDEF", "SUBVAR", "NEWREM")}


@pytest.fixture(scope="module")
def court(rig: Rig) -> Court:
    """The court of this module."""
    return Court(rig)


@pytest.fixture(scope="module")
def fresh(rig: Rig) -> Iterator[Arrest]:
    """Charged with several different offences, with results to come; each is handed out once."""
    open_ones = (arrest for arrest in rig.population.arrests() if arrest.charged and arrest.number % 2 and arrest.number > 2)
    return (arrest for arrest in open_ones if len({one.cjs_code for one in arrest.offences}) == len(arrest.offences) > 1)


def codes(of: Offence) -> list[int]:
    return [disposal.code for disposal in of.disposals]


async def test_a_result_is_on_file_after_one_enquiry_and_one_update(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest, before = next(fresh), court.asked()
    request = court.result(arrest, *(offence(arrest, n + 1, FINE, PRISON, finding=GUILTY) for n in range(len(arrest.offences))))
    assert (await court.sends(request)).progress == PROGRESS_PROCESSED
    assert court.asked() == before | {"ENQASI": before["ENQASI"] + 1, "DISARR": before["DISARR"] + 1}
    ((first, *_),) = await court.on_file(arrest)
    assert (first.adjudication.plea, first.adjudication.finding) == (Plea.PLEA_NOT_GUILTY, Finding.FINDING_GUILTY)
    assert first.adjudication.sentence_date == HEARD
    fine, prison = first.disposals
    assert (fine.code, fine.amount_pence) == (1015, 25_000)
    assert (prison.code, prison.duration.unit, prison.duration.value) == (1002, DurationUnit.DURATION_UNIT_MONTHS, 12)


async def test_a_result_that_comes_again_is_found_on_file_and_changes_nothing(court: Court, fresh: Iterator[Arrest]) -> None:
    request = court.result(next(fresh))
    await court.sends(request)
    before = court.asked()
    for _ in range(2):
        assert (await court.sends(request)).progress == PROGRESS_PROCESSED
    assert court.asked() == before | {"ENQASI": before["ENQASI"] + 2}


async def test_a_result_that_was_partly_recorded_gets_the_rest(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    await court.sends(court.result(arrest, offence(arrest, 1, FINE, finding=GUILTY)))
    before = court.asked()
    await court.sends(court.result(arrest))
    assert court.asked()["DISARR"] == before["DISARR"] + 1
    ((first, second, *_),) = await court.on_file(arrest)
    assert (codes(first), codes(second)) == ([1015], [1015])


@pytest.mark.parametrize("code", ["PNCUE", "I6001"])
async def test_a_lock_makes_it_come_again_and_nothing_was_done(court: Court, fresh: Iterator[Arrest], code: str) -> None:
    arrest = next(fresh)
    request = court.result(arrest)
    court.turn("update_code", code, times=1)
    assert await court.refused(request) == ("ABORTED", "LOCKED", {"code": code, "exception": "HO100404"})
    assert not any(one.HasField("adjudication") for case in await court.on_file(arrest) for one in case)
    assert (await court.sends(request)).progress == PROGRESS_PROCESSED


async def test_a_lost_reply_is_in_doubt_and_the_next_delivery_finds_that_it_was_done(court: Court, fresh: Iterator[Arrest]) -> None:
    request = court.result(next(fresh))
    court.turn("lost_reply", times=1)
    assert await court.refused(request) == ("FAILED_PRECONDITION", "IN_DOUBT", {"code": "PNCAM", "exception": "HO100404"})
    before = court.asked()
    assert (await court.sends(request)).progress == PROGRESS_PROCESSED
    assert court.asked() == before | {"ENQASI": before["ENQASI"] + 1}


async def test_a_lost_reply_is_in_doubt_and_the_next_delivery_does_what_was_not_done(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    request = court.result(arrest)
    court.turn("update_code", "PNCAM", times=1)
    assert await court.refused(request) == ("FAILED_PRECONDITION", "IN_DOUBT", {"code": "PNCAM", "exception": "HO100404"})
    assert (await court.sends(request)).progress == PROGRESS_PROCESSED
    ((first, *_),) = await court.on_file(arrest)
    assert codes(first) == [1015]


@pytest.mark.parametrize(
    ("dial", "setting", "status"),
    [("drop", "", "UNAVAILABLE"), ("truncate", "", "UNAVAILABLE"), ("garbage", "", "INTERNAL"), ("code", "PNCAM", "UNAVAILABLE")],
)
async def test_an_enquiry_that_fails_tells_the_host_nothing(
    court: Court, fresh: Iterator[Arrest], dial: str, setting: str, status: str
) -> None:
    before = court.asked()
    court.turn(dial, setting, times=1)
    assert (await court.refused(court.result(next(fresh))))[0] == status
    assert court.asked()["DISARR"] == before["DISARR"]


async def test_a_host_that_warns_has_done_it(court: Court, fresh: Iterator[Arrest]) -> None:
    court.turn("update_code", "I5069", times=1)
    assert (await court.sends(court.result(next(fresh)))).progress == PROGRESS_PROCESSED


async def test_an_adjourned_offence_is_carried_on_when_others_are_decided(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    request = court.result(arrest, offence(arrest, 1, FINE, finding=GUILTY), offence(arrest, 2, ADJOURNED))
    await court.sends(request)
    first, carried = await court.on_file(arrest)
    assert codes(first[0]) == [1015]
    assert (carried[0].number, carried[0].cjs_offence_code) == (1, arrest.offences[1].cjs_code)
    assert not carried[0].HasField("adjudication")
    before = court.asked()
    await court.sends(request)
    assert court.asked() == before | {"ENQASI": before["ENQASI"] + 1}
    # What became of it at the next hearing goes into the case that it was carried to.
    then = courts.Hearing(court=COURT, date=LATER)
    await court.sends(court.result(arrest, offence(arrest, 2, PRISON, finding=GUILTY, conviction_date=LATER), hearing=then))
    _, carried = await court.on_file(arrest)
    assert codes(carried[0]) == [1002]


async def test_an_adjournment_alone_leaves_the_record_as_it_is(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    before = court.asked()
    assert (await court.sends(court.result(arrest, offence(arrest, 1, ADJOURNED)))).progress == PROGRESS_PROCESSED
    assert court.asked() == before | {"ENQASI": before["ENQASI"] + 1}


async def test_a_sentence_on_an_earlier_conviction_follows_it(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    await court.sends(court.result(arrest, offence(arrest, 1, ADJOURNED, finding=GUILTY, conviction_date=HEARD)))
    before = court.asked()
    then = courts.Hearing(court=COURT, date=LATER)
    sentence = court.result(arrest, offence(arrest, 1, PRISON, finding=GUILTY, conviction_date=HEARD), hearing=then)
    await court.sends(sentence)
    await court.sends(sentence)
    assert court.asked() == before | {"ENQASI": before["ENQASI"] + 2, "SENDEF": before["SENDEF"] + 1}
    ((first, *_),) = await court.on_file(arrest)
    assert (codes(first), first.adjudication.sentence_date) == ([4047, 1002], HEARD)


async def test_what_follows_an_adjournment_without_a_day_is_a_variation(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    await court.sends(court.result(arrest, offence(arrest, 1, results.CourtResult(code=2007), finding=NOT_GUILTY)))
    before = court.asked()
    then = courts.Hearing(court=COURT, date=LATER)
    varied = court.result(arrest, offence(arrest, 1, FINE, finding=GUILTY, conviction_date=LATER), hearing=then)
    await court.sends(varied)
    await court.sends(varied)
    assert court.asked() == before | {"ENQASI": before["ENQASI"] + 2, "SUBVAR": before["SUBVAR"] + 1}
    ((first, *_),) = await court.on_file(arrest)
    assert (codes(first), first.adjudication.finding) == ([1015, 3027], Finding.FINDING_GUILTY)
    assert first.disposals[1].date == HEARD


async def test_a_recordable_offence_that_the_court_added_is_put_on_file(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    added = offence(arrest, 1, FINE, finding=GUILTY)
    added.details.sequence_number, added.details.offence_code = 9, "CD71015"
    everything = court.result(arrest).offences
    request = court.result(arrest, *everything, added)
    await court.sends(request)
    before = court.asked()
    await court.sends(request)
    assert court.asked() == before | {"ENQASI": before["ENQASI"] + 1}
    (case,) = await court.on_file(arrest)
    assert (case[-1].cjs_offence_code, codes(case[-1])) == ("CD71015", [1015])


async def test_an_offence_that_is_not_recordable_stays_off_the_record(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    uninsured = offence(arrest, 1, FINE, finding=GUILTY)
    uninsured.details.sequence_number, uninsured.details.offence_code = 9, "RT88191"
    await court.sends(court.result(arrest, *court.result(arrest).offences, uninsured))
    (case,) = await court.on_file(arrest)
    assert [one.cjs_offence_code for one in case] == [one.cjs_code for one in arrest.offences]


@pytest.mark.parametrize("asn", [DUMMY, build_arrest_summons_number(2020, "01ZD", "01", 77)], ids=["dummy", "unknown"])
async def test_nothing_recordable_needs_no_record(court: Court, fresh: Iterator[Arrest], asn: str) -> None:
    arrest = next(fresh)
    uninsured = offence(arrest, 1, FINE, finding=GUILTY)
    uninsured.details.offence_code = "RT88191"
    assert (await court.sends(court.result(arrest, uninsured, asn=asn))).progress == PROGRESS_PROCESSED


# What is for a person


async def test_a_dummy_number_is_never_sent(court: Court, fresh: Iterator[Arrest]) -> None:
    before = court.asked()
    assert await court.refused(court.result(next(fresh), asn=DUMMY)) == ("FAILED_PRECONDITION", "DUMMY_NUMBER", {"exception": "HO100321"})
    assert court.asked() == before


async def test_an_unknown_number_is_no_trace(court: Court, fresh: Iterator[Arrest]) -> None:
    asn = build_arrest_summons_number(2020, "01ZD", "01", 77)
    assert await court.refused(court.result(next(fresh), asn=asn)) == (
        "NOT_FOUND",
        "NO_TRACE",
        {"code": "I1008", "exception": "HO100301"},
    )


async def test_another_name_is_another_person(court: Court, fresh: Iterator[Arrest]) -> None:
    assert (await court.refused(court.result(next(fresh), surname="Zz-Nobody")))[:2] == ("FAILED_PRECONDITION", "PRECONDITION")


async def test_a_code_that_nobody_has_mapped_is_refused_with_the_code(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    before = court.asked()
    request = court.result(arrest, offence(arrest, 1, FINE, UNKNOWN, finding=GUILTY))
    assert await court.refused(request) == ("FAILED_PRECONDITION", "UPSTREAM_REFUSED", {"code": "1182"})
    assert court.asked()["DISARR"] == before["DISARR"]


async def test_another_result_on_file_is_for_a_person(court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    await court.sends(court.result(arrest))
    other = court.result(arrest, offence(arrest, 1, PRISON, finding=GUILTY))
    assert await court.refused(other) == ("FAILED_PRECONDITION", "PRECONDITION", {"exception": "HO200104"})


async def test_no_fault_tells_about_anybody(rig: Rig, court: Court, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    person = rig.population.person(arrest.person_number)
    court.turn("update_code", "I0013", times=1)
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await court.sends(court.result(arrest))
    said = repr(told.value)
    for secret in (person.surname.upper(), identity(person)["pnc_id"], arrest.asn, slash_arrest_summons_number(arrest.asn)):
        assert secret not in said
