"""Between the contract's messages and COPA's records: what goes in comes out, and codes that one side lacks are never guessed at."""

import time
from datetime import UTC, datetime

import pytest

from adapters.copa import records, translate
from adapters.copa.codes import CLOSED
from adapters.copa.translate import TRANSLATION
from adapters.copa.vocabulary import PLEA, SEX, STATUS, VERDICT
from adapters.kit import Call, Officer
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CrimeReportNumber, PncId, PtiUrn
from metip.common.v1.pole_pb2 import SEX_FEMALE, PersonName
from metip.common.v1.time_pb2 import CivilDate, DateRange, LocalTime
from metip.copa.v1 import case_file_pb2 as contract
from metip.copa.v1.case_file_service_pb2 import Closing, CreateCaseFileRequest, GetCaseFileResponse, UpdateCaseFileRequest
from metip.libra.v1 import court_pb2 as courts
from metip.libra.v1 import result_pb2 as results
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.options.v1 import options_pb2

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ASN = "2601ZT0199000007919C"
DEFENDANT = contract.Defendant(
    arrest_summons_number=ArrestSummonsNumber(value=ASN),
    name=PersonName(title="Ms", given_names=["Ann", "Bea"], family_name="O'Nobody"),
    date_of_birth=CivilDate(year=1999, month=5),
    sex=SEX_FEMALE,
    pnc_id=PncId(value="2005/9007919R"),
    charges=[
        contract.Charge(
            sequence=1,
            cjs_offence_code="TH68010",
            title="Theft from shop",
            committed=DateRange(**{"from": CivilDate(year=2026, month=9, day=1), "to": CivilDate(year=2026, month=9, day=3)}),
        ),
        contract.Charge(sequence=2, cjs_offence_code="CJ88116"),
    ],
)
HEARINGS = [
    contract.Hearing(court_code="2576", date=CivilDate(year=2026, month=12, day=1), time=LocalTime(hour=9, minute=5), purpose="Trial"),
    contract.Hearing(court_code="2576", date=CivilDate(year=2026, month=12, day=2), time=LocalTime()),
    contract.Hearing(court_code="2576", date=CivilDate(year=2026, month=12, day=3)),
]


def call(officer: Officer | None) -> Call:
    return Call("call-1", "op", "spiffe://x/y", officer, time.monotonic() + 5)


def test_a_defendant_comes_back_as_it_was() -> None:
    assert TRANSLATION.message(TRANSLATION.record(DEFENDANT, records.Defendant), contract.Defendant) == DEFENDANT


@pytest.mark.parametrize("hearing", HEARINGS, ids=["with a time", "at midnight", "without a time"])
def test_a_hearing_comes_back_as_it_was(hearing: contract.Hearing) -> None:
    assert TRANSLATION.message(TRANSLATION.record(hearing, records.Hearing), contract.Hearing) == hearing


def test_the_officer_of_the_token_goes_with_the_question_and_a_machine_has_none() -> None:
    access = AccessContext(purpose=options_pb2.PURPOSE_PROSECUTION, reference="R", justification="why", on_behalf_of="P999")
    officer = Officer(warrant_number="P123456", force="01", unit="ZD", roles=())
    assert translate.caller(access, call(officer), "HUB") == records.Caller(
        account="HUB", officer="P123456", force="01", unit="ZD", reason="PRO", reference="R", on_behalf_of="P999", justification="why"
    )
    assert translate.caller(access, call(None), "HUB").officer == ""


def test_a_submission_id_has_one_spelling() -> None:
    request = CreateCaseFileRequest(
        submission_id="0B6F0A52-6F3E-4A8E-9D0B-1C2D3E4F5A6B",
        pti_urn=PtiUrn(value="01ZD9000126"),
        officer_in_case="P1",
        unit="01ZD",
        crime_report_number=CrimeReportNumber(value="9907919/26"),
        defendants=[DEFENDANT],
    )
    opening = TRANSLATION.record(request, records.OpenCase)
    assert opening.submission == request.submission_id.lower()
    assert opening.case.crime == "9907919/26"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"defendant": DEFENDANT}, "defendant"),
        ({"hearing": HEARINGS[0]}, "hearing"),
        ({"officer_in_case": "P1"}, "officer"),
        ({"closed": Closing(reason="discontinued")}, "closing"),
    ],
    ids=["defendant", "hearing", "officer", "closing"],
)
def test_a_change_is_one_change(change: dict[str, object], field: str) -> None:
    request = UpdateCaseFileRequest(pti_urn=PtiUrn(value="U"), version=3, **change)  # type: ignore[arg-type]
    made = TRANSLATION.record(request, records.AmendCase)
    assert [name for name in ("defendant", "hearing", "officer", "closing") if getattr(made, name)] == [field]


def test_what_does_not_parse_is_kept_as_it_was_received() -> None:
    case = records.Case(
        urn="urn of old",
        version=2,
        status="??",
        crime="crime 7",
        opened=AT,
        defendants=(records.Defendant(asn="none", surname="Nobody", pnc_id="unknown", sex="X"),),
        hearings=(records.Hearing(court="2576", day=(2026, 12, 0), time="ten"),),
    )
    file = TRANSLATION.message(records.GetCaseReply(as_at=AT, case=case), GetCaseFileResponse).case_file
    assert (file.pti_urn.value, file.pti_urn.as_received) == ("", "urn of old")
    assert (file.crime_report_number.value, file.crime_report_number.as_received) == ("", "crime 7")
    assert file.status == contract.CASE_STATUS_UNSPECIFIED
    (one,) = file.defendants
    assert (one.arrest_summons_number.as_received, one.pnc_id.as_received, one.sex) == ("none", "unknown", 0)
    assert not file.hearings[0].HasField("time")
    assert file.opened.ToDatetime(tzinfo=UTC) == AT


def test_every_code_has_a_value_and_back() -> None:
    assert STATUS.value(CLOSED) == contract.CASE_STATUS_CLOSED
    assert {PLEA.code(value) for value in results.CourtPlea.values()} == {"", "G", "NG", "NONE", "CON", "OPP", "ADM", "DEN"}
    assert PLEA.code(results.COURT_PLEA_GUILTY_6) == "G"
    assert {VERDICT.code(value) for value in results.CourtFinding.values()} == {"", "G", "N", "A", "O", "C"}
    assert SEX.code(99) == ""


def published(**more: object) -> PublishResultRequest:
    defaults = {"delivery_id": "D1", "case_number": 1, "content_digest": "0" * 64}
    return PublishResultRequest(**(defaults | more))  # type: ignore[arg-type]


def test_each_part_of_the_messages_key_is_part_of_the_results_key() -> None:
    keys = [
        translate.result(one).key
        for one in (published(), published(delivery_id="D2"), published(case_number=2), published(content_digest="1" * 64))
    ]
    assert len(set(keys)) == 4
    assert translate.result(published(psa_code="2576")).key == keys[0]
    assert all(len(key) == 64 for key in keys)


def test_a_results_words_are_cut_to_what_there_is_room_for_and_codes_are_kept() -> None:
    request = published(
        pti_urn=PtiUrn(as_received="urn of old"),
        psa_code="2576",
        hearing=courts.Hearing(date=CivilDate(year=2026, month=11, day=20)),
        defendant=results.ResultedDefendant(arrest_summons_number=ArrestSummonsNumber(value=ASN)),
        offences=[
            results.ResultedOffence(
                details=courts.OffenceDetails(sequence_number=3, offence_code="TH68010"),
                plea=results.COURT_PLEA_DENIES,
                finding=results.COURT_FINDING_GUILTY_OF_ALTERNATIVE,
                results=[results.CourtResult(code=1015, text="x" * 3000), results.CourtResult(text="words alone")],
            )
        ],
    )
    assert translate.urn(request) == "urn of old"
    made = translate.result(request)
    assert (made.asn, made.court, made.heard) == (ASN, "2576", (2026, 11, 20))
    (decision,) = made.decisions
    assert (decision.sequence, decision.code, decision.plea, decision.verdict) == (3, "TH68010", "DEN", "A")
    assert [(one.code, len(one.text)) for one in decision.disposals] == [(1015, 2500), (0, 11)]
