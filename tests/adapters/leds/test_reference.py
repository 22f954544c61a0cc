"""LEDS's real records of disposals and remands, against our vocabulary: each result and date in them is read and goes back unchanged.

They are the person's record, whose names differ a little from those of the enquiry by arrest/summons number; `RENAMED` is that difference.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.isodates import day_text, read_day
from adapters.leds import translate
from adapters.leds.translate import _disposal, _result
from adapters.leds.wire import SHAPES, decode, encode
from metip.pnc.v1.court_case_pb2 import Finding, Plea

BESIDE_THE_CHECKOUT = Path(__file__).parents[4] / "shared" / "reference"
FOLDER = Path(os.environ.get("METIP_REFERENCE_DIR") or BESIDE_THE_CHECKOUT) / "leds"
FILES = sorted(FOLDER.glob("*.json"))
pytestmark = pytest.mark.skipif(not FILES, reason="METIP_REFERENCE_DIR names no folder that holds leds/*.json")

RENAMED = {"effectiveDate": "disposalEffectiveDate", "disposalQualifierCodes": "disposalQualifiers"}
PLEAS = {"1": "Guilty", "2": "Not Guilty"}
"""By SPI code; the scenarios that are recorded for both PNC and LEDS pair them so."""
FINDINGS = {"G": "Guilty", "N": "Not Guilty"}


def records(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def charges(path: Path) -> Iterator[dict[str, Any]]:
    for case in records(path)["disposals"]:
        yield from case["charges"]
        for appearance in case.get("subsequentAppearances", ()):
            yield from appearance["charges"]


def told(result: dict[str, Any]) -> dict[str, Any]:
    """A result as the enquiry by arrest/summons number tells it."""
    said = {RENAMED.get(name, name): value for name, value in result.items() if name != "fineAmount"}
    fine = {"disposalFine": {"amount": result["fineAmount"]}} if "fineAmount" in result else {}
    return {**said, **fine, "disposalCode": int(result["disposalCode"])}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_result_is_read_and_goes_back_unchanged(path: Path) -> None:
    for charge in charges(path):
        for result in map(told, charge["results"]):
            again = decode(
                SHAPES["Result"], encode(SHAPES["Result"], _result(_disposal(decode(SHAPES["Result"], json.dumps(result).encode())), ""))
            )
            assert again == result


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_charge_is_an_offence_of_the_contract(path: Path) -> None:
    for case in records(path)["disposals"]:
        offences = [offence(charge) for charge in case["charges"]]
        reference = case.get("courtCaseReference") or case["userReference"]
        said = {"courtCaseId": "c", "courtCaseReference": reference, "caseStatusMarker": "court-case", "offences": offences}
        whole = {"personId": "p", "personUrn": "2000/1A", "reportId": "r", "asn": "a", "ownerCode": "01ZD", "disposals": [said]}
        record = decode(SHAPES["Arrest"], encode(SHAPES["Arrest"], whole))
        reply = translate.arrest_summons(record, {"lastName": "x", "personUrn": "2000/1A"}, datetime(2026, 11, 23, tzinfo=UTC))
        (found,) = reply.court_cases
        assert bool(found.reference.value) == bool(case.get("courtCaseReference"))
        for one, charge in zip(found.offences, case["charges"], strict=True):
            assert (one.number, one.cjs_offence_code) == (charge["courtCaseChargeNumber"], charge["cjsOffenceCode"])
            assert one.npcc_offence_code == charge["npccOffenceCode"].replace(".", ":")
            assert day_text(one.committed.start_date) == charge["startDate"]
            assert bool(one.adjudication.finding != Finding.FINDING_UNSPECIFIED) == ("adjudication" in charge)
            assert bool(one.adjudication.plea != Plea.PLEA_UNSPECIFIED) == ("plea" in charge)


def offence(charge: dict[str, Any]) -> dict[str, Any]:
    finding = {"adjudication": FINDINGS[charge["adjudication"]]} if "adjudication" in charge else None
    return {
        "offenceId": "o",
        "courtOffenceSequenceNumber": charge["courtCaseChargeNumber"],
        "cjsOffenceCode": charge["cjsOffenceCode"],
        "npccOffenceCode": charge["npccOffenceCode"],
        "offenceStartDate": charge["startDate"],
        "plea": PLEAS.get(charge.get("plea", ""), ""),
        "adjudications": [finding] if finding else [],
        "disposalResults": [told(result) for result in charge["results"]],
    }


def test_remands_and_days_are_of_our_vocabulary() -> None:
    remands = [remand for path in FILES for remand in records(path)["remands"]]
    assert remands
    for remand in remands:
        assert remand["appearanceResult"] in translate.REMANDS
        assert day_text(read_day(remand["remandDate"]) or pytest.fail("no day")) == remand["remandDate"]
        assert remand["currentAppearance"]["court"]["courtIdentityType"] == "code"
    reasons = {
        one["reasonForVariation"] for path in FILES for case in records(path)["disposals"] for one in case.get("subsequentAppearances", ())
    }
    assert reasons == {"S", "V"}
