"""The results that Bichard 7 recorded, against the updates that it sent to the PNC for them: the same segments, or a person.

Remands are left out: they are the business of `RecordRemand`.
"""

import datetime
import itertools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.kit import Fault
from adapters.pnc import translate
from adapters.pnc.records import Segment, Transaction
from adapters.pnc.wire import Direction, decode
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, PtiUrn
from metip.common.v1.pole_pb2 import PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.libra.v1 import court_pb2 as courts
from metip.libra.v1 import result_pb2 as results
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.pnc.results import CHECK_NAME, name_of, updates_for
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse

BESIDE_THE_CHECKOUT = Path(__file__).parents[4] / "shared" / "reference"
FOLDER = Path(os.environ.get("METIP_REFERENCE_DIR") or BESIDE_THE_CHECKOUT)
FILES = sorted(FOLDER.glob("pnc/exchanges/*.txt"))
MESSAGE = re.compile(rb"<\?xml[^>]*\?>\s*<(\w+)>.*?</\1>", re.DOTALL)
AT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
OWNER = "01YZ"
COURTS = {"B01EF01": "2732", "B41ME00": "1892", "B01MN01": "2721"}

FUNCTIONS = {kind: function for function, kind in translate.UPDATES.items()}
FINDINGS = {"": 0, "G": 1, "N": 2, "A": 3, "O": 4, "C": 5}
UNITS = {"D": 1, "H": 2, "W": 3, "M": 4, "Y": 5, "S": 6, "L": 7}

Scenario = tuple[Path, int, PublishResultRequest, Transaction, list[Transaction]]

FOR_A_PERSON = {
    "109b-ignoring-breach-offence-dates": "a breach is matched there whatever its days are, and here by its days as any offence is",
    "112b-breach-further-offence": "the same",
    "132-single-ccr-sendef-added-in-court": "there, the offence that the court added to a decided case is left out of the update",
    "143-breach-bail-denies": "there as here: no update",
    "159-offences-added-in-court": "there as here: no update",
    "161-ignored-offences": "there as here: no update",
}
"""Scenarios in which we refuse one of the results, and what Bichard 7 does. Everything else is sent as it was sent there."""

pytestmark = pytest.mark.skipif(not FILES, reason="METIP_REFERENCE_DIR names no folder that holds pnc/exchanges/*.txt")


def exchanges(file: Path) -> Iterator[tuple[Transaction, list[Transaction]]]:
    """Each answered enquiry with the updates that followed it, remands apart."""
    sent: list[Transaction] = []
    answer: Transaction | None = None
    for one in (decode(found.group()) for found in MESSAGE.finditer(file.read_bytes())):
        if one.find("ASI") is not None:
            if answer is not None:
                yield answer, sent
            answer, sent = one, []
        elif one.update and one.header.direction == Direction.SENT and one.header.function != "NEWREM":
            sent.append(one)
    if answer is not None:
        yield answer, sent


def documents(file: Path) -> list[PublishResultRequest]:
    """The results of a scenario, in order."""
    found = sorted(FOLDER.glob(f"cjse/results/{file.stem}--input-message*.xml"))
    return [request for path in found for request in read(path)]


def read(path: Path) -> Iterator[PublishResultRequest]:
    """What matters here of a court's document; reading all of it is the business of another adapter."""
    root = etree.parse(path).getroot()
    hearing = text_of(root, "CourtHearing/Hearing/DateOfHearing"), text_of(root, "CourtHearing/Hearing/CourtHearingLocation")
    for case in every(root, "Case"):
        yield PublishResultRequest(
            pti_urn=PtiUrn(value=text_of(case, "PTIURN")),
            hearing=courts.Hearing(court=hearing[1], date=date_of(hearing[0])),
            psa_code=text_of(root, "CourtHearing/PSAcode").zfill(4),
            defendant=results.ResultedDefendant(
                arrest_summons_number=ArrestSummonsNumber(value=text_of(case, "ProsecutorReference")),
                individual=results.ResultedIndividual(
                    details=courts.PersonDetails(
                        name=PersonName(given_names=[text_of(case, "PersonGivenName1")], family_name=text_of(case, "PersonFamilyName"))
                    )
                ),
            ),
            offences=[offence(one) for one in every(case, "Offence")],
        )


def offence(element: Any) -> results.ResultedOffence:
    return results.ResultedOffence(
        details=courts.OffenceDetails(
            sequence_number=int(text_of(element, "OffenceSequenceNumber")),
            offence_code=text_of(element, "OffenceCode"),
            start_date=date_of(text_of(element, "OffenceDateStartDate")),
            end_date=date_of(text_of(element, "OffenceEndDate")),
            location=text_of(element, "LocationOfOffence"),
        ),
        plea=int(text_of(element, "Plea") or 0),  # type: ignore[arg-type]
        finding=FINDINGS[text_of(element, "Finding")],  # type: ignore[arg-type]
        conviction_date=date_of(text_of(element, "ConvictionDate")),
        results=[result(one) for one in every(element, "Result")],
    )


def result(element: Any) -> results.CourtResult:
    amount = text_of(element, "ResultAmountSterling")
    return results.CourtResult(
        code=int(text_of(element, "ResultCode") or 0),
        duration=duration(element, "Duration"),
        secondary_durations=[one for one in (duration(element, "SecondaryDuration"),) if one],
        start_date=date_of(text_of(element, "DurationStartDate")),
        end_date=date_of(text_of(element, "DurationEndDate")),
        amount_pence=round(float(amount) * 100) if amount else None,
        next_hearing=next_hearing(element),
    )


def duration(element: Any, name: str) -> results.CourtDuration | None:
    value = text_of(element, f"{name}Value")
    unit: Any = UNITS.get(text_of(element, f"{name}Unit"), 0)
    return results.CourtDuration(value=int(value), unit=unit) if value else None


def next_hearing(element: Any) -> results.NextHearing | None:
    day = text_of(element, "DateOfHearing")
    place = text_of(element, "CourtHearingLocation")
    return results.NextHearing(hearing=courts.Hearing(court=place, date=date_of(day))) if place else None


def every(element: Any, name: str) -> list[Any]:
    found: list[Any] = element.findall(f".//{{*}}{name}")
    return found


def text_of(element: Any, path: str) -> str:
    *_, found = [None, *element.iterfind(".//" + "/".join(f"{{*}}{name}" for name in path.split("/")))][:2]
    return (found.text or "").strip() if found is not None else ""


def date_of(text: str) -> CivilDate | None:
    return CivilDate(year=int(text[:4]), month=int(text[5:7]), day=int(text[8:10])) if text else None


def told(answer: Transaction, request: PublishResultRequest) -> list[tuple[str, list[tuple[str, str]]]]:
    """What we tell the PNC. The check names of the recordings are invented apart from the courts' names, so that ours is the court's."""
    record = translate.answer(GetArrestSummonsResponse, answer, AT)
    check_name = record.subject.check_name
    record.subject.check_name = name_of(request.defendant)[0][:CHECK_NAME]
    updates = updates_for(request, record, COURTS)
    for one in updates:
        one.subject.check_name = check_name
    return [(FUNCTIONS[type(one)], bodies(translate.update(one, OWNER))) for one in updates]


def bodies(segments: Iterable[Segment]) -> list[tuple[str, str]]:
    """Tags and bodies; the disposals of one offence are a set, which Bichard 7 orders in ways of its own."""
    plain = [(segment.tag, segment.body.rstrip().upper()) for segment in segments]
    runs = [list(run) for _, run in itertools.groupby(plain, key=lambda one: one[0] == "DIS")]
    return [one for run in runs for one in (sorted(run) if run[0][0] == "DIS" else run)]


SCENARIOS = [
    (file, place, request, answer, sent)
    for file in FILES
    for place, (request, (answer, sent)) in enumerate(zip(documents(file), exchanges(file), strict=False))
]


def refused(request: PublishResultRequest, answer: Transaction) -> bool:
    """Whether we leave the result to a person."""
    try:
        told(answer, request)
    except Fault:
        return True
    return False


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{file.stem}-{place}" for file, place, *_ in SCENARIOS])
def test_a_recorded_result_becomes_the_updates_that_were_recorded(scenario: Scenario) -> None:
    file, _, request, answer, sent = scenario
    if not (file.stem in FOR_A_PERSON and refused(request, answer)):
        assert told(answer, request) == [(one.header.function, bodies(one.segments)) for one in sent]


def test_one_result_of_each_scenario_that_is_named_is_for_a_person_and_no_other() -> None:
    assert len(SCENARIOS) > 35
    assert [file.stem for file, _, request, answer, _ in SCENARIOS if refused(request, answer)] == list(FOR_A_PERSON)
