"""The contract against the exchanges that Bichard 7 recorded with the PNC: nothing on the wire may be lost between the two."""

import datetime
import functools
import os
import re
from collections import Counter
from pathlib import Path

import protovalidate
import pytest

from adapters.pnc import translate
from adapters.pnc.replies import Outcome, classify, reply_codes
from adapters.pnc.upstream import check_echo, refusal
from adapters.pnc.wire import Direction, Transaction, decode
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.time_pb2 import CivilDate
from metip.options.v1.options_pb2 import Purpose
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsResponse
from metip.pnc.v1.court_case_pb2 import DurationUnit, Finding, Plea, SentenceDuration

BESIDE_THE_CHECKOUT = Path(__file__).parents[4] / "shared" / "reference"
FOLDER = Path(os.environ.get("METIP_REFERENCE_DIR") or BESIDE_THE_CHECKOUT) / "pnc" / "exchanges"
FILES = sorted(FOLDER.glob("*.txt"))
MESSAGE = re.compile(rb"<\?xml[^>]*\?>\s*<(\w+)>.*?</\1>", re.DOTALL)
TODAY = datetime.date(2026, 11, 23)
AT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
OWNER = "01HB"

UNIT_LETTERS = {"HOURS": "H", "DAYS": "D", "WEEKS": "W", "MONTHS": "M", "YEARS": "Y", "SESSIONS": "S"}

pytestmark = pytest.mark.skipif(not FILES, reason="METIP_REFERENCE_DIR names no folder that holds pnc/exchanges/*.txt")
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@functools.cache
def transactions(file: Path) -> tuple[Transaction, ...]:
    return tuple(decode(found.group()) for found in MESSAGE.finditer(file.read_bytes()))


def updates(file: Path) -> list[Transaction]:
    return [one for one in transactions(file) if one.update and one.header.direction == Direction.SENT]


def answers(file: Path) -> list[Transaction]:
    return [one for one in transactions(file) if one.find("ASI") is not None]


@each_file
def test_a_recorded_update_goes_through_the_contract_and_comes_out_with_the_same_segments(file: Path) -> None:
    for update in updates(file):
        function = update.header.function
        request = translate.read(translate.UPDATES[function], update.segments, TODAY)
        again = type(request).FromString(request.SerializeToString())
        written = translate.update(again, OWNER)
        assert [segment.tag for segment in written] == [segment.tag for segment in update.segments]
        for ours, theirs in zip(written, update.segments, strict=True):
            assert ours.fields() == theirs.fields(), theirs.tag
            assert ours.body == theirs.body.ljust(len(ours.body)), theirs.tag


@each_file
def test_a_recorded_update_keeps_the_rules_of_the_contract_once_it_says_why(file: Path) -> None:
    for update in updates(file):
        request = translate.read(translate.UPDATES[update.header.function], update.segments, TODAY)
        request.access.CopyFrom(AccessContext(purpose=Purpose.PURPOSE_PROSECUTION))
        protovalidate.validate(request)


@each_file
def test_a_recorded_answer_translates_without_loss(file: Path) -> None:
    for answer in answers(file):
        response = translate.answer(GetArrestSummonsResponse, answer, AT)
        assert response.owner == answer.find("FSC")["force_station"]  # type: ignore[index]  # every answer has one
        assert len(response.court_cases) == len(answer.all("CCR"))
        assert len(response.penalty_cases) == len(answer.all("PCR"))
        assert tally(response) == tally_of_wire(answer)
        assert not any(case.reference.as_received for case in response.court_cases)
        assert response.subject.pnc_id.value


@each_file
def test_recorded_replies_are_answers_or_the_refusals_that_they_say(file: Path) -> None:
    asked = {}
    for transaction in transactions(file):
        header = transaction.header
        if header.direction == Direction.SENT:
            asked[header.group, header.serial] = transaction
        elif (request := asked.get((header.group, header.serial))) is not None:
            check_echo(request, transaction)
            if header.direction == Direction.REPLY:
                assert refusal(request.header.function, transaction) is None


@each_file
def test_recorded_acceptances_become_receipts_that_keep_every_code(file: Path) -> None:
    for transaction in transactions(file):
        if transaction.header.direction != Direction.REPLY or not transaction.update:
            continue
        confirmed = translate.disposal_receipt(transaction)
        said = [text.code for text in reply_codes(transaction)]
        assert sorted([confirmed.receipt.code, *(remark.code for remark in confirmed.receipt.remarks)]) == sorted(said)
        assert classify(confirmed.receipt.code, update=True) in (Outcome.ACCEPTED, Outcome.WARNING)
        assert confirmed.HasField("additional_case") == (transaction.find("CCR") is not None)
        assert not confirmed.additional_case.as_received


def test_every_kind_of_update_was_recorded() -> None:
    seen = Counter(update.header.function for file in FILES for update in updates(file))
    assert seen.keys() == translate.UPDATES.keys()
    assert sum(seen.values()) > 100


def tally(response: GetArrestSummonsResponse) -> Counter[tuple[str, str]]:
    """Every fact of every offence, counted: from the contract, printed as the wire prints it."""
    facts: Counter[tuple[str, str]] = Counter()
    cases = [case.offences for case in response.court_cases] + [case.offences for case in response.penalty_cases]
    for offences in cases:
        for offence in offences:
            start = offence.committed.start_date
            facts["number", f"{offence.number:03d}"] += 1
            facts["cjs", offence.cjs_offence_code] += 1
            facts["npcc", offence.npcc_offence_code] += 1
            facts["start", printed(start)] += 1
            facts["end", printed(offence.committed.end_date)] += 1
            if offence.HasField("adjudication"):
                found = offence.adjudication
                assert not found.plea_as_received
                assert not found.finding_as_received
                facts["plea", Plea.Name(found.plea).removeprefix("PLEA_").replace("_", " ")] += 1
                facts["finding", Finding.Name(found.finding).removeprefix("FINDING_").replace("_", " ")] += 1
                facts["sentenced", printed(found.sentence_date)] += 1
                facts["tics", f"{found.offences_taken_into_consideration:04d}"] += 1
                facts["weed", found.weed_flag] += 1
            for disposal in offence.disposals:
                facts["disposal", str(disposal.code)] += 1
                facts["duration", lasting(disposal.duration)] += 1
                facts["date", printed(disposal.date)] += 1
                facts["pence", str(disposal.amount_pence)] += 1
                facts["text", disposal.text] += 1
    return facts


def tally_of_wire(answer: Transaction) -> Counter[tuple[str, str]]:
    """The same facts, straight from the segments."""
    names = {
        "COF": {"number": "offence_ref", "cjs": "cjs_code", "npcc": "npcc_code", "start": "start_date", "end": "end_date"},
        "ADJ": {"plea": "plea", "finding": "adjudication", "sentenced": "sentence_date", "tics": "tics", "weed": "weed_flag"},
        "DIS": {"disposal": "disposal_code", "duration": "duration", "date": "date", "text": "text"},
    }
    facts = Counter((fact, segment[name]) for tag, fields in names.items() for segment in answer.all(tag) for fact, name in fields.items())
    facts.update(("pence", str(round(float(segment["amount"] or 0) * 100))) for segment in answer.all("DIS"))
    return facts


def printed(date: CivilDate) -> str:
    return f"{date.day:02d}{date.month:02d}{date.year:04d}" if date.year else ""


def lasting(duration: SentenceDuration) -> str:
    if not duration.unit:
        return ""
    unit = DurationUnit.Name(duration.unit).removeprefix("DURATION_UNIT_")
    return "Y999" if unit == "LIFE" else f"{UNIT_LETTERS[unit]}{duration.value}"
