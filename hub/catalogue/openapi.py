"""The JSON face as an OpenAPI 3.1 document, derived from the contracts: what Envoy's transcoder takes, answers and refuses.

Every operation is one POST at `/<interface>/<method>` with the request as its body. A stream answers one document a line. The document's
schemas say what a caller may rely on; what the hub checks beyond JSON Schema stands in `x-rules`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.rpc import code_pb2

from hub.catalogue.elements import elements
from hub.catalogue.rules import Schema
from hub.catalogue.schemas import reference, schemas
from hub.contracts import Contracts, Interface, Operation
from hub.stubs import chosen

OPENAPI: Final = "3.1.1"
REFUSAL, FAILURE = "Refusal", "Failure"
HTTP: Final[Mapping[int, tuple[str, ...]]] = {
    400: ("INVALID_ARGUMENT", "FAILED_PRECONDITION"),
    401: ("UNAUTHENTICATED",),
    403: ("PERMISSION_DENIED",),
    404: ("NOT_FOUND",),
    409: ("ALREADY_EXISTS", "ABORTED"),
    429: ("RESOURCE_EXHAUSTED",),
    500: ("INTERNAL",),
    503: ("UNAVAILABLE",),
    504: ("DEADLINE_EXCEEDED",),
}
"""HTTP statuses of refusals, and the gRPC statuses that Envoy makes them of."""
CERTIFICATE, OFFICER = "certificate", "officer"
ABOUT: Final = """Every interface of the hub as JSON over HTTP, served by Envoy beside gRPC.

- A caller is known by its certificate (mutual TLS), the person behind it by the officer's token, where an operation demands one.
- Field names are the contract's own. A field that has its default value is left out of an answer.
- A document with a field that the contract lacks is not valid by this description, although the edge passes over such a field: a misspelt
  name would go unseen.
- A stream answers with one document a line; the schema is that of a line. Of a stream that breaks off, the last line is the refusal.
- A refusal says its reason in `details`. Where a call went nowhere (nobody serves, time ran out), Envoy says `code` and `message` alone.
"""
DETAILS: Final[Mapping[str, tuple[str, Schema]]] = {
    "ErrorInfo": (
        "Why, as one of a closed set of reasons; `metadata` holds advice, the call's id, and codes of the far system.",
        {
            "reason": {"type": "string"},
            "domain": {"type": "string"},
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    ),
    "BadRequest": (
        "Which fields break the contract's rules.",
        {
            "field_violations": {
                "type": "array",
                "items": {"type": "object", "properties": {"field": {"type": "string"}, "description": {"type": "string"}}},
            }
        },
    ),
    "RetryInfo": ("After which time to repeat.", {"retry_delay": {"type": "string"}}),
    "LocalizedMessage": ("A text for the person who called.", {"locale": {"type": "string"}, "message": {"type": "string"}}),
}


def document(contracts: Contracts, *, version: str, samples: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document; `samples` are valid requests by operation, shown as examples."""
    found = elements(chosen(contracts.descriptor_set))
    offered = [one for one in contracts.interfaces if not one.private]
    operations = [operation for one in offered for operation in one.operations]
    asked = set(found.used_by(*(one.request for one in operations)))
    answered = set(found.used_by(*(one.reply for one in operations)))
    paths = {one.path: {"post": _operation(one, contracts.interface(one.interface), samples or {})} for one in operations}
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "MetIP Hub: the JSON face",
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [_server()],
        "tags": [{"name": one.name, "description": one.description} for one in offered],
        "paths": paths,
        "components": {
            "securitySchemes": _security_schemes(),
            "parameters": {"deadline": _deadline()},
            "headers": {"call": {"description": "The id of the call, to be told to operations.", "schema": {"type": "string"}}},
            "responses": {str(status): _refused(status, names) for status, names in HTTP.items()},
            "schemas": {**_refusals(), **schemas(found, asked | answered, asked - answered)},
        },
    }


def _operation(one: Operation, interface: Interface, samples: Mapping[str, Any]) -> dict[str, Any]:
    schema: Schema = {"$ref": reference(one.request)}
    body: dict[str, Any] = {"schema": {"type": "array", "items": schema} if one.client_streams else schema}
    if one.name in samples:
        body["example"] = samples[one.name]
    return {
        "operationId": one.name.replace("/", "."),
        "tags": [one.interface],
        "summary": one.description.partition(". ")[0].replace("\n", " ").rstrip("."),
        "description": _described(one, interface),
        "security": _security(one),
        "parameters": [{"$ref": "#/components/parameters/deadline"}],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": {
                "description": "The answer, one document a line" if one.server_streams else "The answer",
                "headers": {"x-request-id": {"$ref": "#/components/headers/call"}},
                "content": {"application/json": {"schema": {"$ref": reference(one.reply)}}},
            },
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in HTTP},
        },
        "x-delivery-class": one.delivery_class.name,
        "x-verb": one.verb,
        "x-purposes": [f"PURPOSE_{purpose}" for purpose in one.purposes],
        "x-timeout-seconds": one.timeout,
        "x-max-request-bytes": one.max_request_bytes,
        "x-streams": one.server_streams,
        "x-dpia": {"reference": interface.dpia.reference, "review_by": interface.dpia.review_by.isoformat()},
        "x-classification": interface.classification,
    }


def _described(one: Operation, interface: Interface) -> str:
    lines = [" ".join(one.description.split()), ""]
    if one.purposes:
        lines.append(f"Purposes: {', '.join(one.purposes)}.")
    if one.justification_required:
        lines.append("A written justification is demanded.")
    lines.append(f"At most {one.timeout:g} s. Owner: {interface.owner}.")
    return "\n".join(lines)


def _security(one: Operation) -> list[dict[str, list[str]]]:
    """One of these: with the officer's token, without it, or either."""
    with_officer: dict[str, list[str]] = {CERTIFICATE: [], OFFICER: []}
    if one.officer_required:
        return [with_officer]
    return [with_officer, {CERTIFICATE: []}] if one.officer_admissible else [{CERTIFICATE: []}]


def _security_schemes() -> dict[str, Any]:
    return {
        CERTIFICATE: {"type": "mutualTLS", "description": "A certificate of the trust domain with one SPIFFE id; TLS 1.3."},
        OFFICER: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The token of the officer behind the call, issued to this consumer (`azp`).",
        },
    }


def _server() -> dict[str, Any]:
    return {
        "url": "https://{host}:{port}",
        "description": "Envoy's listener for JSON",
        "variables": {"host": {"default": "localhost"}, "port": {"default": "8444"}},
    }


def _deadline() -> dict[str, Any]:
    return {
        "name": "grpc-timeout",
        "in": "header",
        "description": "How long the caller waits, such as `3S` or `500m` (milliseconds); a shorter limit of the contract wins.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,8}[HMSmun]$"},
    }


def _refused(status: int, names: Iterable[str]) -> dict[str, Any]:
    return {
        "description": f"Refused: {' or '.join(names)}",
        "headers": {"x-request-id": {"$ref": "#/components/headers/call"}},
        "content": {"application/json": {"schema": {"anyOf": [{"$ref": reference(REFUSAL)}, {"$ref": reference(FAILURE)}]}}},
    }


def _refusals() -> dict[str, Schema]:
    kinds = [
        {
            "type": "object",
            "description": said,
            "required": ["@type"],
            "properties": {"@type": {"const": f"type.googleapis.com/google.rpc.{name}"}, **properties},
            "additionalProperties": False,
        }
        for name, (said, properties) in DETAILS.items()
    ]
    codes = sorted(code_pb2.Code.Value(name) for names in HTTP.values() for name in names)
    return {
        REFUSAL: {
            "type": "object",
            "description": "A `google.rpc.Status`: why the call was not answered, and what the caller can do.",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "integer", "enum": codes, "description": "The gRPC status by number."},
                "message": {"type": "string"},
                "details": {"type": "array", "items": {"oneOf": kinds}},
            },
            "additionalProperties": False,
        },
        FAILURE: {
            "type": "object",
            "description": "What Envoy itself says when a call went nowhere.",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status."},
                "message": {"type": "string"},
                "call_id": {"type": "string"},
            },
            "additionalProperties": False,
        },
    }
