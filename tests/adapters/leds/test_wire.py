"""LEDS's messages: golden bodies, round trips of whatever their shapes allow, and nothing that makes reading crash."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.shapes import Shape
from adapters.leds import wire
from adapters.leds.wire import SHAPES, WireError, decode, encode

ACTIONS = {name: one for name, one in vars(wire).items() if isinstance(one, wire.Action)}
GOLDEN: dict[str, dict[str, Any]] = {
    "Disposal": {
        "ownerCode": "01HB",
        "personUrn": "2005/9007919R",
        "checkName": "HALZERWICK",
        "courtCaseReference": "26/2576/907919V",
        "dateOfConviction": "2026-11-20",
        "defendant": {"defendantType": "individual", "defendantFirstNames": ["CALQUOL"], "defendantLastName": "HALZERWICK"},
        "court": {"courtIdentityType": "code", "courtCode": "2576"},
        "offences": [
            {
                "courtOffenceSequenceNumber": 1,
                "offenceId": "0b7a2f7e",
                "cjsOffenceCode": "TH68023",
                "plea": "Not Guilty",
                "offenceTic": 0,
                "disposalResults": [{"disposalCode": 1015, "disposalFine": {"amount": 250.0}}],
                "adjudication": "Guilty",
                "dateOfSentence": "2026-11-20",
            }
        ],
    },
    "ByAsn": {"asn": "26/01ZT/01/99000007919C", "caseStatusMarkers": ["impending-prosecution-detail", "penalty-notice", "court-case"]},
    "Remand": {
        "ownerCode": "01HB",
        "personUrn": "2005/9007919R",
        "checkname": "HALZERWICK",
        "remandDate": "2026-11-20",
        "appearanceResult": "remanded-on-bail",
        "bailConditions": ["Curfew: 2100-0600"],
        "currentAppearance": {"court": {"courtIdentityType": "code", "courtCode": "2576"}},
    },
}
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(min_size=1).filter(lambda text: text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") == text),
    int: st.integers(0, 2**31 - 1),
    float: st.floats(0, 2**31 - 1, allow_nan=False),
    bool: st.booleans(),
}


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Anything of a kind."""
    if isinstance(kind, Shape):
        return st.fixed_dictionaries(
            {name: of(one) for name, one in kind.needs.items()}, optional={name: of(one) for name, one in kind.may.items()}
        )
    return st.lists(of(kind[0]), max_size=2) if isinstance(kind, list) else VALUES[kind]


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_message_is_written_and_read(name: str) -> None:
    body = encode(SHAPES[name], GOLDEN[name])
    assert json.loads(body) == GOLDEN[name]
    assert decode(SHAPES[name], body) == GOLDEN[name]


@pytest.mark.parametrize("name", ["Arrest", "Disposal", "Later", "Remand", "People", "Vehicles", "Error"])
@given(data=st.data())
def test_whatever_a_shape_allows_comes_back(name: str, data: st.DataObject) -> None:
    record = data.draw(of(SHAPES[name]))
    assert decode(SHAPES[name], encode(SHAPES[name], record)) == record


@pytest.mark.parametrize("name", ACTIONS)
@given(body=st.binary())
def test_no_answer_makes_reading_crash(name: str, body: bytes) -> None:
    with suppress(WireError):
        decode(ACTIONS[name].gives, body)


def test_paths_and_action_codes_are_those_that_bichard_publishes() -> None:
    published = {
        "View Arrest / Summons Summary": "/person-services/v1/find-disposals-by-asn",
        "Create Remand": "/person-services/v1/people/{person}/arrest-reports/{report}/basic-remands",
        "Add Disposal Results": "/person-services/v1/people/{person}/disposals/{case_id}/court-case-disposal-result",
        "Create Court Case Subsequent Appearance": (
            "/person-services/v1/people/{person}/disposals/{case_id}/court-case-subsequent-disposal-results"
        ),
    }
    known = (wire.BY_ASN, wire.ADD_REMAND, wire.ADD_DISPOSAL, wire.ADD_LATER)
    assert {one.code: one.path for one in known} == published
    assert [one.update for one in known] == [False, True, True, True]
