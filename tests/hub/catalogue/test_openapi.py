"""The OpenAPI document is one, and its schemas say what the contracts' rules say: never more."""

from datetime import date
from typing import Any

import openapi
import protovalidate
import pytest
from cases import case_files, read_case, request_message
from google.protobuf import json_format
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapters.kit.serving import installed_contracts
from buf.validate import validate_pb2 as validate
from hub.catalogue.rules import allows, keywords

DOCUMENT = openapi.installed()
ACCESS = {"purpose": "PURPOSE_STREET_STOP", "justification": "Stopped in the street."}
CASES = [read_case(path) for path in case_files()]


def test_it_is_a_valid_document() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_every_operation_on_the_mesh_is_there_and_no_private_one() -> None:
    interfaces = installed_contracts(date.min).interfaces
    assert set(DOCUMENT["paths"]) == {operation.path for one in interfaces if not one.private for operation in one.operations}


def test_every_part_that_is_referred_to_exists() -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    kinds = {"schemas", "responses", "parameters", "headers"}
    there = {f"#/components/{kind}/{name}" for kind in kinds for name in DOCUMENT["components"][kind]}
    assert references(DOCUMENT) - there == set()


@pytest.mark.parametrize("recorded", CASES, ids=lambda one: f"{one.system}/{one.path.stem}")
def test_what_the_rules_let_pass_the_document_lets_pass(recorded: Any) -> None:
    message = request_message(recorded)
    try:
        protovalidate.validate(message)
    except protovalidate.ValidationError:
        return
    sent = json_format.MessageToDict(message, preserving_proto_field_name=True)
    assert openapi.faults(DOCUMENT, openapi.request_schema(recorded.operation.name), sent) == []


PERSONS = next(path.lstrip("/") for path in DOCUMENT["paths"] if path.endswith("OfficerSearchService/SearchPersons"))
BROKEN = {
    "no access": ({"family_name": "Halzerwick"}, "'access' is a required property"),
    "a purpose that is none": ({"access": {**ACCESS, "purpose": "PURPOSE_CURIOSITY"}}, "is not one of"),
    "the purpose that is refused": ({"access": {**ACCESS, "purpose": "PURPOSE_UNSPECIFIED"}}, "should not be valid under"),
    "a justification too short": ({"access": {**ACCESS, "justification": "no"}}, "is not valid under any"),
    "a field that is misspelt": ({"access": ACCESS, "familyname": "Halzerwick"}, "Additional properties are not allowed"),
    "a number as a name": ({"access": ACCESS, "family_name": 7}, "is not of type 'string'"),
}


@pytest.mark.parametrize(("request_document", "told"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_the_rules_is_not_valid(request_document: Any, told: str) -> None:
    found = openapi.faults(DOCUMENT, openapi.request_schema(PERSONS), request_document)
    assert any(told in one for one in found), found


RULES: dict[str, tuple[Any, dict[str, Any]]] = {
    "lengths": (validate.FieldRules(string=validate.StringRules(min_len=1, max_len=9)), {"minLength": 1, "maxLength": 9}),
    "one length": (validate.FieldRules(string=validate.StringRules(len=4)), {"minLength": 4, "maxLength": 4}),
    "a pattern": (validate.FieldRules(string=validate.StringRules(pattern="^A+$")), {"pattern": "^A+$"}),
    "a beginning": (validate.FieldRules(string=validate.StringRules(prefix="a.b")), {"allOf": [{"pattern": r"^a\.b"}]}),
    "a uuid": (validate.FieldRules(string=validate.StringRules(uuid=True)), {"format": "uuid"}),
    "bounds": (validate.FieldRules(uint32=validate.UInt32Rules(gt=1, lte=20)), {"exclusiveMinimum": 1, "maximum": 20}),
    "a list": (validate.FieldRules(repeated=validate.RepeatedRules(min_items=1, unique=True)), {"minItems": 1, "uniqueItems": True}),
    "octets": (validate.FieldRules(bytes=validate.BytesRules(max_len=32)), {"maxLength": 44}),
    "an expression": (
        validate.FieldRules(cel=[validate.Rule(id="x", message="m", expression="true")]),
        {"x-rules": [{"id": "x", "message": "m", "expression": "true"}]},
    ),
    "bounds of a number that is a text": (
        validate.FieldRules(uint64=validate.UInt64Rules(gte=5)),
        {"x-rules": [{"rule": "uint64.gte", "value": 5}]},
    ),
}


@pytest.mark.parametrize(("rules", "expected"), RULES.values(), ids=RULES)
def test_a_rule_becomes_its_keyword_or_is_listed(rules: Any, expected: dict[str, Any]) -> None:
    assert keywords(rules) == expected


ZEROS: dict[str, tuple[dict[str, Any], Any, bool]] = {
    "no rule": ({}, "", True),
    "a length": ({"minLength": 1}, "", False),
    "a pattern that takes nothing": ({"pattern": "^([A-Z]{2})?$"}, "", True),
    "a pattern that does not": ({"pattern": "^[A-Z]{2}$"}, "", False),
    "a bound": ({"minimum": 1}, 0, False),
    "a bound above": ({"exclusiveMinimum": 0}, 0, False),
    "bounds around": ({"minimum": 0, "maximum": 3}, 0, True),
    "a list of names": ({"not": {"enum": ["A"]}}, "A", False),
    "a list": ({"minItems": 1}, [], False),
    "a number of 64 bits": ({"format": "int64", "pattern": "^-?[0-9]+$"}, "0", True),
}


@pytest.mark.parametrize(("found", "zero", "passes"), ZEROS.values(), ids=ZEROS)
def test_a_field_may_be_left_out_where_its_default_passes(found: dict[str, Any], zero: Any, passes: bool) -> None:
    assert allows(found, zero) is passes
