"""Updates to the wire and back again: nothing is lost on the way."""

import datetime
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.pnc import translate, values
from adapters.pnc.records import OPERATIONS, Header, Segment, Transaction
from adapters.pnc.wire import decode, encode
from metip import identifiers
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CourtCaseReference, CroNumber, PncId, PtiUrn
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse
from metip.pnc.v1.case_update_service_pb2 import (
    AddedCharges,
    AddedOffence,
    Appearance,
    Care,
    CarryForward,
    CaseReferral,
    Custody,
    Hearing,
    OffenceResult,
    RecordDeferredSentenceRequest,
    RecordDisposalRequest,
    RecordRemandRequest,
    RecordVariationRequest,
    RemandResult,
)
from metip.pnc.v1.court_case_pb2 import (
    Adjudication,
    Court,
    Disposal,
    DurationUnit,
    Finding,
    OffencePeriod,
    Plea,
    SentenceDuration,
    Subject,
)

AT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
TODAY = AT.date()
CCR = "21/2732/000017A"


def sent(function: str, segments: Sequence[Segment]) -> Transaction:
    """As the far side reads it."""
    header = Header.of(function, serial=1, sequence=1, at=AT)
    return decode(encode(Transaction.of(OPERATIONS[function].root, header, segments)))


def reply(function: str, *segments: Segment) -> Transaction:
    header = Header.of(function, serial=1, sequence=1, at=AT).reply(at=AT)
    return decode(encode(Transaction.of(OPERATIONS[function].root, header, segments)))


words = st.from_regex(r"[A-Z0-9\xc0-\xd6'/.-]([A-Z0-9\xc0-\xd6 '/.&<>-]{0,10}[A-Z0-9'])?", fullmatch=True)
prose = st.from_regex(r"[A-Za-z0-9\xe0-\xf6']([A-Za-z0-9\xa3 ',.&<>-]{0,30}[A-Za-z0-9.])?", fullmatch=True)
optional_words = st.one_of(st.just(""), words)
optional_prose = st.one_of(st.just(""), prose)
letters = st.from_regex(r"[A-Z]{1,2}", fullmatch=True)
stations = st.from_regex(r"[0-9]{2}[A-Z]{2}", fullmatch=True)
npcc = st.sampled_from(["", "5:1:1:1", "11:6:4:1", "1:8"])
cjs = st.sampled_from(["TH68023", "TH68023A", "COML062", "XX00001"])
days = st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31))
dates = days.map(lambda day: CivilDate(year=day.year, month=day.month, day=day.day))
partial = st.builds(CivilDate, year=st.integers(1900, 2099), month=st.integers(0, 12))
times = st.builds(LocalTime, hour=st.integers(0, 23), minute=st.integers(0, 59))
units = st.sampled_from([unit for unit in DurationUnit.values() if unit not in (0, DurationUnit.DURATION_UNIT_LIFE)])
finite = st.builds(SentenceDuration, unit=units, value=st.integers(0, 999)).filter(
    lambda duration: values.duration_text(duration) != "Y999"
)
durations = st.one_of(st.none(), finite, st.just(SentenceDuration(unit=DurationUnit.DURATION_UNIT_LIFE)))
courts = st.builds(Court, code=st.from_regex(r"[0-9]{4}", fullmatch=True), name=optional_words)
subjects = st.builds(
    Subject,
    pnc_id=st.builds(identifiers.build_pnc_id, st.integers(1930, 2026), st.integers(0, 9_999_999)).map(lambda value: PncId(value=value)),
    check_name=words.map(lambda name: name[:12].strip()),
    cro_number=st.one_of(
        st.none(),
        st.builds(identifiers.build_cro, st.integers(1950, 2026), st.integers(0, 999_999)).map(lambda value: CroNumber(value=value)),
        st.just(CroNumber(as_received="SF39/1234A")),
    ),
)
arrests = st.builds(
    identifiers.build_arrest_summons_number, st.integers(1930, 2029), stations, st.just("01"), st.integers(1, 99_999_999_999)
).map(lambda value: ArrestSummonsNumber(value=value))
court_cases = st.builds(
    identifiers.build_court_case_reference, st.integers(1930, 2029), st.integers(100, 9999), st.integers(0, 999_999)
).map(lambda value: CourtCaseReference(value=value))
found = st.builds(
    Adjudication,
    plea=st.sampled_from(Plea.values()),
    finding=st.sampled_from(Finding.values()),
    sentence_date=st.one_of(st.none(), dates),
    offences_taken_into_consideration=st.integers(0, 9999),
    weed_flag=st.sampled_from(["", "W"]),
)
findings = st.one_of(st.none(), found, st.just(Adjudication(plea_as_received="ADMITS", finding_as_received="PROVED")))
disposals = st.builds(
    Disposal,
    code=st.integers(1000, 9999),
    duration=durations,
    date=st.one_of(st.none(), dates),
    amount_pence=st.integers(0, 999_999_999),
    units_fined=st.integers(0, 99),
    qualifiers=st.lists(letters, max_size=4),
    qualifier_duration=durations,
    text=optional_prose,
)
decided: dict[str, Any] = {
    "cjs_offence_code": cjs,
    "npcc_offence_code": npcc,
    "qualifiers": st.lists(letters.filter(lambda text: len(text) == 2), max_size=2),
    "adjudication": findings,
    "disposals": st.lists(disposals, max_size=3),
}
results = st.lists(st.builds(OffenceResult, number=st.integers(1, 999), **decided), max_size=3)
periods = st.builds(
    OffencePeriod,
    start_date=st.one_of(dates, partial),
    start_time=st.one_of(st.none(), times),
    end_date=st.one_of(st.none(), dates),
    end_time=st.one_of(st.none(), times),
)
added = st.builds(
    AddedCharges,
    arrest_summons_number=arrests,
    crime_offence_reference=optional_words,
    offences=st.lists(
        st.builds(
            AddedOffence,
            number=st.integers(0, 999),
            committed=periods,
            location=optional_prose,
            location_force_station=stations,
            description=optional_prose,
            committed_on_bail=st.booleans(),
            crime_offence_reference=optional_words,
            method=optional_prose,
            dress=optional_prose,
            **decided,
        ),
        min_size=1,
        max_size=2,
    ),
)
disposal_requests = st.builds(
    RecordDisposalRequest,
    owner=stations,
    subject=subjects,
    court_case_reference=court_cases,
    crime_offence_reference=optional_words,
    hearing=st.builds(Hearing, court=courts, date=dates, filed_name=words, offences_taken_into_consideration=st.integers(0, 9999)),
    referral=st.one_of(st.none(), st.just(CaseReferral(pti_urn=PtiUrn(value="01VK1600008"), text="See there"))),
    carry_forward=st.one_of(st.none(), st.builds(CarryForward, court=courts, date=st.one_of(st.none(), dates))),
    results=results,
    added_charges=st.one_of(st.none(), added),
)
remand_requests = st.builds(
    RecordRemandRequest,
    owner=stations,
    subject=subjects,
    arrest_summons_number=arrests,
    crime_offence_reference=optional_words,
    remanded_on=dates,
    result=st.sampled_from([result for result in RemandResult.values() if result]),
    court=st.one_of(st.none(), courts),
    next_court=st.one_of(st.none(), courts),
    next_appearance=st.one_of(st.none(), dates),
    bail_conditions=st.lists(prose.map(lambda text: " ".join(text.split())), max_size=20),
    bail_address=optional_prose,
    care=st.one_of(st.none(), st.just(Care(local_authority_code="0123")), st.just(Care(local_authority="EXAMPLE", social_worker="JO"))),
    custody=st.one_of(st.none(), st.builds(Custody, force_station=stations, text=optional_prose)),
    remanded_at_station=stations,
    next_station=st.one_of(st.just(""), stations),
    breach=optional_prose,
)
later_requests = st.sampled_from(["SENDEF", "SUBVAR"]).flatmap(
    lambda function: st.tuples(
        st.just(function),
        st.builds(
            RecordDeferredSentenceRequest if function == "SENDEF" else RecordVariationRequest,
            owner=stations,
            subject=subjects,
            court_case_reference=court_cases,
            crime_offence_reference=optional_words,
            appearance=st.builds(Appearance, court=courts, date=dates),
            results=results,
        ),
    )
)
# These requests are large, so that a busy machine takes its time to make them up; fifty hold some hundreds of segments.
UNHURRIED = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
@given(
    st.one_of(
        disposal_requests.map(lambda request: ("DISARR", request)), remand_requests.map(lambda request: ("NEWREM", request)), later_requests
    )
)
def test_any_update_is_read_back_from_the_wire_as_it_was_asked_for(asked: tuple[str, Any]) -> None:
    function, request = asked
    update = sent(function, translate.update(request, ""))
    assert update.problems() == ()
    assert translate.read(translate.UPDATES[function], update.segments, TODAY) == request


@UNHURRIED
@given(subjects, court_cases, results)
def test_offences_on_file_are_read_as_updates_write_them(
    subject: Subject, reference: CourtCaseReference, of_offences: list[OffenceResult]
) -> None:
    request = RecordVariationRequest(owner="01HB", subject=subject, court_case_reference=reference, results=of_offences)
    wrote = [segment for segment in translate.update(request, "") if segment.tag in ("CCH", "ADJ", "DIS")]
    on_file = [
        Segment.of("COF", offence_ref=segment["offence_ref"], cjs_code=segment["cjs_code"]) if segment.tag == "CCH" else segment
        for segment in wrote
    ]
    case = Segment.of("CCR", court_case_ref=identifiers.short_court_case_reference(reference.value))
    person = Segment.of("IDS", pnc_id=identifiers.short_pnc_id(subject.pnc_id.value), check_name=subject.check_name)
    response = translate.answer(GetArrestSummonsResponse, reply("ENQASI", Segment("ASI", "", (person, case, *on_file))), AT)
    (found_case,) = response.court_cases
    assert found_case.reference == reference
    assert response.subject.pnc_id == subject.pnc_id
    for offence, result in zip(found_case.offences, of_offences, strict=True):
        assert (offence.number, offence.cjs_offence_code) == (result.number, result.cjs_offence_code)
        assert offence.HasField("adjudication") == result.HasField("adjudication")
        assert offence.adjudication == result.adjudication
        assert list(offence.disposals) == list(result.disposals)
