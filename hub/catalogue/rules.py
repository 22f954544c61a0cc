"""protovalidate's rules of a field as keywords of JSON Schema (2020-12), and in a list what JSON Schema can't say.

The law: a schema is never stricter than the rules. What it can't express (CEL, bounds of durations and of instants) is left to the hub and
listed under `x-rules`, so that a reader sees that there is more.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message

from buf.validate import validate_pb2 as validate

Schema = dict[str, Any]

BOUNDS: Final = {"gt": "exclusiveMinimum", "gte": "minimum", "lt": "exclusiveMaximum", "lte": "maximum"}
FORMATS: Final = {
    "email": "email",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "uri": "uri",
    "uri_ref": "uri-reference",
    "uuid": "uuid",
}
TEXT: Final = {"min_len": "minLength", "max_len": "maxLength"}
INT64: Final = "int64"
"""The format of a number that is a text in JSON, since JSON's own numbers are too small for it."""
OTHERS: Final = frozenset({"const", "in", "not_in", "example"})
"""Rules that are said alike for every type, or are none."""


def rules_of(field: FieldDescriptorProto) -> "validate.FieldRules":
    """What a field's contract demands; empty rules when nothing."""
    found: validate.FieldRules = field.options.Extensions[validate.field]
    return found


def keywords(rules: "validate.FieldRules", enum: Callable[[int], str] | None = None) -> Schema:
    """Keywords for one value under these rules: of a scalar, of each item where the rules are of items. `enum` names values of an enum.

    For a list or a map they are those of the whole (`minItems`), and the caller asks for items, keys and values by their own rules.
    """
    kind = rules.WhichOneof("type")
    found: Schema = {}
    beyond = [_cel(one) for one in rules.cel] + [{"expression": one} for one in rules.cel_expression]
    if kind is not None:
        for rule, value in getattr(rules, kind).ListFields():
            if not _said(found, kind, rule.name, value, enum) and (kind, rule.name) not in _ELSEWHERE:
                beyond.append({"rule": f"{kind}.{rule.name}", "value": _plain(value)})
    if beyond:
        found["x-rules"] = beyond
    return found


_ELSEWHERE: Final = frozenset({("repeated", "items"), ("map", "keys"), ("map", "values"), ("enum", "defined_only"), ("enum", "example")})


def _said(found: Schema, kind: str, rule: str, value: Any, enum: Callable[[int], str] | None) -> bool:
    """Adds what the rule comes to; False where JSON Schema has no word for it."""
    if kind in ("duration", "timestamp", "any", "field_mask"):
        return False
    if rule in OTHERS:
        return _listed(found, rule, value, enum)
    if kind in ("string", "bytes"):
        return _text(found, kind, rule, value)
    if kind == "repeated":
        return _add(found, {"min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems"}.get(rule), value)
    if kind == "map":
        return _add(found, {"min_pairs": "minProperties", "max_pairs": "maxProperties"}.get(rule), value)
    return not kind.endswith("64") and _add(found, BOUNDS.get(rule), value)  # numbers of 64 bits are texts in JSON


def _add(found: Schema, keyword: str | None, value: Any) -> bool:
    if keyword is None:
        return False
    found[keyword] = value
    return True


def _listed(found: Schema, rule: str, value: Any, enum: Callable[[int], str] | None) -> bool:
    named: Callable[[Any], Any] = enum or (lambda one: one)
    if rule == "const":
        found["const"] = named(value)
    elif rule == "in":
        found["enum"] = [named(one) for one in value]
    elif rule == "not_in":
        found["not"] = {"enum": [named(one) for one in value]}
    return True


def _text(found: Schema, kind: str, rule: str, value: Any) -> bool:
    if kind == "bytes":  # as base64: four characters for three bytes
        if rule in TEXT:
            found[TEXT[rule]] = -(-value // 3) * 4 if rule == "max_len" else -(-value * 4 // 3)
        return rule in TEXT
    if rule in TEXT:
        return _add(found, TEXT[rule], value)
    if rule == "len":
        found.update(minLength=value, maxLength=value)
    elif rule == "pattern":
        found["pattern"] = value
    elif rule in ("prefix", "suffix", "contains"):
        before, after = ("^" if rule == "prefix" else ""), ("$" if rule == "suffix" else "")
        found.setdefault("allOf", []).append({"pattern": before + re.escape(value) + after})
    elif rule in FORMATS:
        return _add(found, "format", FORMATS[rule])
    else:
        return False
    return True


def _cel(rule: Message) -> Schema:
    return {field.name: value for field, value in rule.ListFields()}


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return str(value).strip().replace("\n", " ")
    return (
        value
        if isinstance(value, str | int | float | bool)
        else [_plain(one) for one in value]
        if isinstance(value, Iterable)
        else str(value)
    )


def allows(found: Schema, zero: Any) -> bool:
    """Whether these keywords let the zero value pass, which is what a field that is left out counts as (for fields without presence)."""
    if "const" in found and found["const"] != zero:
        return False
    if ("enum" in found and zero not in found["enum"]) or zero in found.get("not", {}).get("enum", ()):
        return False
    if isinstance(zero, str):
        patterns = [one["pattern"] for one in (found, *found.get("allOf", ())) if "pattern" in one]
        return not found.get("minLength") and found.get("format", INT64) == INT64 and all(re.search(one, zero) for one in patterns)
    if isinstance(zero, list | dict):
        return not found.get("minItems") and not found.get("minProperties")
    return (
        found.get("minimum", zero) <= zero <= found.get("maximum", zero)
        and not found.get("exclusiveMinimum", zero - 1) >= zero
        and not found.get("exclusiveMaximum", zero + 1) <= zero
    )
