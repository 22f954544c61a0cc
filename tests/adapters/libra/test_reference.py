"""Codec and translation against recorded documents and published schemas; both stay outside the repository."""

import functools
import os
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import protovalidate
import pytest
from lxml import etree

from adapters.libra import envelopes
from adapters.libra.translate import case_message, case_record, delivered
from adapters.libra.upstream import Systems, submission
from adapters.libra.wire import decode, decode_text, element_of, encode, encode_text
from metip.libra.v1.result_pb2 import CourtDurationUnit, CourtFinding, CourtPlea
from metip.libra.v1.result_service_pb2 import PublishResultRequest

BESIDE_THE_CHECKOUT = Path(__file__).parents[4] / "shared" / "reference"
FOLDER = Path(os.environ.get("METIP_REFERENCE_DIR") or BESIDE_THE_CHECKOUT) / "cjse"
CASES, RESULTS = sorted(FOLDER.glob("cases/*.xml")), sorted(FOLDER.glob("results/*.xml"))

pytestmark = pytest.mark.skipif(
    not (CASES and RESULTS), reason="METIP_REFERENCE_DIR names no folder that holds cjse/cases and cjse/results"
)
each_case = pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
each_result = pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
VALIDATOR = protovalidate.Validator()
NUMBERS = {"OffenceSequenceNumber", "ModeOfTrial"}
"""Elements in which leading zeros mean nothing."""
PLEAS = {"1": "GUILTY", "2": "NOT_GUILTY", "3": "NONE", "7": "ADMITS", "8": "DENIES"}
FINDINGS = {"G": "GUILTY", "N": "NOT_GUILTY", "O": "NO_CONVICTION"}
UNITS = {"H": "HOURS", "L": "LIFE", "M": "MONTHS", "S": "SESSIONS", "W": "WEEKS", "Y": "YEARS"}


@functools.cache
def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(FOLDER / "xsd" / name))


@functools.cache
def endpoint() -> etree.XMLSchema:
    """The schema that stands inside the service's description."""
    inside = etree.parse(FOLDER / "wsdl" / "spi.wsdl").find(".//{http://www.w3.org/2001/XMLSchema}schema")
    assert inside is not None
    return etree.XMLSchema(inside)


def facts(root: etree._Element) -> Counter[tuple[str, str]]:
    """Every text of a document with the path to it, in a form in which equal facts are equal texts."""
    found: Counter[tuple[str, str]] = Counter()

    def walk(element: etree._Element, path: str) -> None:
        name = etree.QName(element).localname
        inside = list(element.iterchildren("*"))
        text = (element.text or "").strip()
        if not inside and text:
            text = text.lstrip("0") if name in NUMBERS else re.sub(r"^(\d\d:\d\d:\d\d)[.0-9]*([-+]\d\d:\d\d)?$", r"\1", text)
            found[f"{path}/{name}", text] += 1
        for one in inside:
            walk(one, f"{path}/{name}")

    walk(root, "")
    return found


def texts(element: etree._Element, path: str) -> list[str]:
    return [(one.text or "").strip() for one in element.iterfind("/".join(f"{{*}}{step}" for step in path.split("/")))]


def published(file: Path) -> list[PublishResultRequest]:
    delivery = decode(file.read_bytes())
    assert isinstance(delivery, envelopes.DeliverRequest)
    return delivered(delivery, decode_text(delivery.message))


@each_case
def test_a_recorded_case_comes_back_from_its_message_with_the_same_facts(file: Path) -> None:
    before = etree.fromstring(file.read_bytes())
    after = etree.fromstring(encode(case_record(case_message(decode(file.read_bytes())))))
    assert facts(after) == facts(before)


@each_case
def test_a_recorded_case_is_a_good_message_exactly_where_its_document_is_a_good_one(file: Path) -> None:
    message = case_message(decode(file.read_bytes()))
    good = schema("CPP-StdProsPoliceCase-v1-2.xsd").validate(etree.fromstring(file.read_bytes()))
    assert (not VALIDATOR.collect_violations(message)) == good
    written = etree.fromstring(encode(case_record(message)))
    assert schema("CPP-StdProsPoliceCase-v1-2.xsd").validate(written) == good


@each_case
def test_a_recorded_case_can_be_read_again_from_the_request_that_submits_it(file: Path) -> None:
    case = decode(file.read_bytes())
    request = submission(case, "3f0c", Systems("00101PoliceCaseSystem", "B00LIBRA", "Z00CJSE"), datetime(2026, 11, 23, tzinfo=UTC))
    endpoint().assertValid(etree.fromstring(encode(request)))
    schema("cjseOperations.xsd").assertValid(etree.fromstring(request.message.encode()))
    routed = decode_text(decode(encode(request)).message)
    again = decode_text(routed.stream.content)
    assert (again.case, Counter(again.aside)) == (case.case, Counter(case.aside))


@each_result
def test_a_recorded_result_is_in_its_message(file: Path) -> None:
    document = etree.fromstring(file.read_bytes())
    messages = published(file)
    recorded = document.findall(".//{*}Case")
    assert len(messages) == len(recorded)
    for message, case in zip(messages, recorded, strict=True):
        assert [str(one) for one in VALIDATOR.collect_violations(message)] == []
        assert not message.kept_aside
        assert (message.pti_urn.as_received or message.pti_urn.value) == texts(case, "PTIURN")[0]
        number = message.defendant.arrest_summons_number
        assert (number.as_received or number.value) == texts(case, "Defendant/ProsecutorReference")[0]
        name = case.find(".//{*}PersonName")
        assert name is not None
        assert message.defendant.individual.details.name.family_name == texts(name, "PersonFamilyName")[0]
        assert len(message.offences) == len(case.findall("{*}Defendant/{*}Offence"))
        for offence, element in zip(message.offences, case.iterfind("{*}Defendant/{*}Offence"), strict=True):
            assert offence.details.sequence_number == int(texts(element, "BaseOffenceDetails/OffenceSequenceNumber")[0])
            assert offence.details.offence_code == texts(element, "BaseOffenceDetails/OffenceCode")[0]
            assert CourtPlea.Name(offence.plea) == f"COURT_PLEA_{PLEAS[texts(element, 'Plea')[0]]}"
            finding = [f"COURT_FINDING_{FINDINGS[one]}" for one in texts(element, "Finding")] or ["COURT_FINDING_UNSPECIFIED"]
            assert [CourtFinding.Name(offence.finding)] == finding
            assert offence.final_disposal == (texts(element, "FinalDisposalIndicator") == ["Y"])
            for result, ordered in zip(offence.results, element.iterfind("{*}Result"), strict=True):
                assert [str(result.code)] * result.HasField("code") == texts(ordered, "ResultCode")
                assert [result.text.strip()] == texts(ordered, "ResultText")
                assert list(result.qualifiers) == texts(ordered, "ResultCodeQualifier")
                assert [f"{result.amount_pence / 100:.2f}"] * result.HasField("amount_pence") == texts(
                    ordered, "Outcome/ResultAmountSterling"
                )
                assert [str(result.penalty_points)] * result.HasField("penalty_points") == texts(ordered, "Outcome/PenaltyPoints")
                durations = [result.duration] * result.HasField("duration")
                assert [str(one.value) for one in durations] == texts(ordered, "Outcome/Duration/DurationValue")
                assert [CourtDurationUnit.Name(one.unit) for one in durations] == [
                    f"COURT_DURATION_UNIT_{UNITS[one]}" for one in texts(ordered, "Outcome/Duration/DurationUnit")
                ]
                assert [str(one.value) for one in result.secondary_durations] == texts(ordered, "Outcome/Duration/SecondaryDurationValue")
                assert result.HasField("next_hearing") == (ordered.find("{*}NextHearing") is not None)


@each_result
def test_a_recorded_result_written_again_says_the_same(file: Path) -> None:
    delivery = decode(file.read_bytes())
    resulted = decode_text(delivery.message)
    payload = etree.fromstring(file.read_bytes()).find(".//{*}ResultedCaseMessage")
    assert payload is not None
    written = etree.fromstring(encode(resulted))
    assert facts(written) == facts(payload)
    schema("CPP-StdProsPoliceResult-v1-2.xsd").assertValid(written)
    again = decode(encode(delivery))
    assert (again.message_id, again.metadata, decode_text(again.message)) == (delivery.message_id, delivery.metadata, resulted)


def test_deliveries_of_one_name_with_different_results_are_different_messages() -> None:
    keys = {(one.delivery_id, one.case_number, one.content_digest) for file in RESULTS for one in published(file)}
    assert len({one[0] for one in keys}) == 1
    distinct = {encode_text(decode_text(decode(file.read_bytes()).message)) for file in RESULTS}
    assert len(keys) == len(distinct)


def test_every_message_of_the_service_keeps_its_description() -> None:
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    for record in (
        envelopes.SubmitResponse(request_id="a", code=1, text="Success"),
        envelopes.SubmitResponse(request_id="a", code=200),
        envelopes.RetrieveRequest(request_id="a", source_id="b", filter=envelopes.RetrieveFilter(since=now)),
        envelopes.RetrieveRequest(request_id="a", source_id="b"),
        envelopes.RetrieveResponse(request_id="a", code=1, last=now, messages=("<a/>", "<b/>")),
    ):
        endpoint().assertValid(element_of(record))
    answer = envelopes.RouteDataResp(
        receiver=envelopes.System(correlation_id="a", system_id="b"),
        statuses=(envelopes.Status(kind="Court", code=1, description="Success", route="1"),),
    )
    schema("cjseOperations.xsd").assertValid(element_of(answer))
