"""The OpenAPI document of the JSON face as tests use it: a request or an answer is held against it, and what breaks it is told in words."""

import copy
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from adapters.kit.serving import installed_contracts
from hub.catalogue import document
from hub.cli.messages import Messages
from hub.contracts.samples import samples

HERE = "urn:openapi"


@cache
def installed() -> Any:
    """The document of the installed contracts, with samples."""
    messages = Messages(installed_contracts(date.min))
    found = {one.operation.name: messages.document(one.request) for one in samples(messages)}
    return document(messages.contracts, version="0", samples=found)


@cache
def closed() -> Any:
    """The same, of which nothing that the contracts lack is let pass: a client takes what it does not know, a test does not."""
    found = copy.deepcopy(installed())
    for schema in found["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return found


def faults(whole: Any, pointer: str, value: Any) -> list[str]:
    """What is wrong with a value by the schema at that place of the document; nothing when it is valid."""
    return [f"{error.json_path}: {error.message[:200]}" for error in _validator(id(whole), pointer, whole).iter_errors(value)]


_KEPT: dict[tuple[int, str], Draft202012Validator] = {}


def _validator(identity: int, pointer: str, whole: Any) -> Draft202012Validator:
    if (identity, pointer) not in _KEPT:
        registry: Any = Registry().with_resource(HERE, DRAFT202012.create_resource(whole))
        _KEPT[identity, pointer] = Draft202012Validator(
            {"$ref": f"{HERE}{pointer}"}, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
    return _KEPT[identity, pointer]


def operations(whole: Any) -> Iterator[tuple[str, Any]]:
    """Operations by full name, with what the document says of them."""
    for path, item in whole["paths"].items():
        yield path.removeprefix("/"), item["post"]


def request_schema(name: str) -> str:
    """Where the schema of an operation's request stands."""
    return f"#/paths/~1{name.replace('/', '~1')}/post/requestBody/content/application~1json/schema"


def answer_schema(name: str, status: int, whole: Any) -> str:
    """Where the schema of an answer of that HTTP status stands."""
    response = whole["paths"][f"/{name}"]["post"]["responses"][str(status)]
    place = response.get("$ref") or f"#/paths/~1{name.replace('/', '~1')}/post/responses/{status}"
    return f"{place}/content/application~1json/schema"
