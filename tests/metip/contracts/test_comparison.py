"""Parity rules that would mean nothing are refused; those of the example contract load."""

from datetime import date
from pathlib import Path

import pytest
from checkout import ROOT
from contract_sets import compiled
from parity_contract import PROTO, Contract

from metip.contracts import read

MARK = "(metip.options.v1.field).parity"
BAD: dict[str, tuple[str, str, str]] = {
    # name: (what stands there, what is put in its place, what is said of it)
    "negative tolerance": ("parity.tolerance = 0.5", "parity.tolerance = -1", "GetExampleResponse.near: has a tolerance"),
    "tolerance of a text": ("string text = 1;", f"string text = 1 [{MARK}.tolerance = 1];", "text: has a tolerance"),
    "unordered text": ("string text = 1;", f"string text = 1 [{MARK}.unordered = true];", "is unordered and no list"),
    "no step": ("NORMALISE_DIGITS", "NORMALISE_UNSPECIFIED", "phone: is normalised in no way"),
    "a step of a number": ("number = 7;", f"number = 7 [{MARK} = {{normalise: [NORMALISE_TRIM]}}];", "NORMALISE_TRIM, which"),
    "the day of a text": ("NORMALISE_DIGITS", "NORMALISE_DATE", "phone: has NORMALISE_DATE, which is not for its type"),
    "a clock of text": ("string other = 2;", f"string other = 2 [{MARK}.clock = true];", "is a clock and no instant"),
    "no such field": ('parity.identified_by = "id"', 'parity.identified_by = "di"', "is identified by di"),
    "a list as a key": ('parity.identified_by = "id"', 'parity.identified_by = "inside"', "is identified by inside"),
    "a key of no list": ("Plain part = 28;", f'Plain part = 28 [{MARK}.identified_by = "one"];', "has none"),
    "a key of no such reply": ('unordered: true identified_by: "id"', 'identified_by: "nothing"', "FindExamples: is identified by nothing"),
    "parity of one reply": (
        "timeout: {seconds: 1} verb: VERB_NONE};",
        "timeout: {seconds: 1} verb: VERB_NONE parity: {unordered: true}};",
        "GetExample: says how its replies are compared, and has one",
    ),
}


def test_every_rule_of_the_example_loads(tmp_path: Path) -> None:
    contracts = Contract(tmp_path).contracts
    assert [str(one) for one in contracts.faults] == []
    assert "metip.example.v1.ExampleService" in {one.name for one in contracts.interfaces}


@pytest.mark.parametrize(("stands", "put", "said"), BAD.values(), ids=BAD)
def test_a_rule_that_means_nothing_is_refused_by_name(stands: str, put: str, said: str, tmp_path: Path) -> None:
    assert stands in PROTO
    text = PROTO.replace(stands, put, 1)
    made = compiled(tmp_path, {"metip/example/v1/example_service.proto": text}, against=ROOT / "protos")
    found = read(made, today=date(2026, 11, 23))
    assert any(said in str(one) for one in found.faults), [str(one) for one in found.faults]
    assert found.interfaces == ()
