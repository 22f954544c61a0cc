"""Messages and enums as schemas of JSON Schema (2020-12), as Envoy's transcoder reads and writes them.

Fields have the contract's own names. What has its default value is left out of an answer, so a schema demands a field only where the rules
refuse the default. Of a request every unknown field is refused; of an answer none is, since contracts grow.
"""

from collections.abc import Container, Iterator
from typing import Any, Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from buf.validate import validate_pb2 as validate
from hub.catalogue.elements import Elements
from hub.catalogue.rules import INT64, Schema, allows, keywords, rules_of
from metip.options.v1 import options_pb2 as options

Type = FieldDescriptorProto
DURATION: Final = r"^-?[0-9]+(\.[0-9]{1,9})?s$"
WHOLE: Final = "^-?[0-9]+$"
SMALL: Final = {
    Type.TYPE_INT32: (-(2**31), 2**31 - 1),
    Type.TYPE_SINT32: (-(2**31), 2**31 - 1),
    Type.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    Type.TYPE_UINT32: (0, 2**32 - 1),
    Type.TYPE_FIXED32: (0, 2**32 - 1),
}
LARGE: Final = frozenset((Type.TYPE_INT64, Type.TYPE_SINT64, Type.TYPE_SFIXED64, Type.TYPE_UINT64, Type.TYPE_FIXED64))
WELL_KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": DURATION, "examples": ["1.5s"]},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Any": {"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}},
    "google.protobuf.Empty": {"type": "object"},
}


class UnknownTypeError(Exception):
    """A field of a type for which this module knows no JSON form; the text names it."""


def schemas(found: Elements, names: Container[str], closed: Container[str]) -> dict[str, Schema]:
    """A schema for each of the named messages and enums, by full name; `closed` are those of which unknown fields are refused."""
    made = {name: _message(name, one, found) for name, one in found.messages.items() if name in names and name not in found.entries}
    for name, schema in made.items():
        if name in closed:
            schema["additionalProperties"] = False
    made |= {name: _enum(name, found) for name in found.enums if name in names}
    return dict(sorted(made.items()))


def _message(name: str, message: DescriptorProto, found: Elements) -> Schema:
    schema: Schema = {"type": "object"}
    if said := found.said(name):
        schema["description"] = said
    properties, required = {}, []
    for one in message.field:
        properties[one.name] = _field(f"{name}.{one.name}", one, found)
        if _demanded(one, properties[one.name], found):
            required.append(one.name)
    schema["properties"] = properties
    if required:
        schema["required"] = required
    rules = [{key.name: value for key, value in rule.ListFields()} for rule in message.options.Extensions[validate.message].cel]
    if rules:
        schema["x-rules"] = rules
    choices = list(_choices(message))
    if len(choices) == 1:
        schema.update(choices[0])
    elif choices:
        schema["allOf"] = choices
    return schema


def _choices(message: DescriptorProto) -> Iterator[Schema]:
    """Of each oneof one member, or none unless the rules demand one."""
    for number, oneof in enumerate(message.oneof_decl):
        members = [
            one.name for one in message.field if one.HasField("oneof_index") and one.oneof_index == number and not one.proto3_optional
        ]
        if not members:
            continue
        each: list[Schema] = [{"required": [name]} for name in members]
        if oneof.options.Extensions[validate.oneof].required:
            yield {"oneOf": each}
        elif len(each) > 1:
            yield {"oneOf": [*each, {"not": {"anyOf": each}}]}


def _field(name: str, one: FieldDescriptorProto, found: Elements) -> Schema:
    rules = rules_of(one)
    entry = found.map_entry(one)
    schema: Schema
    if entry is not None:
        _, value = entry.field
        schema = {"type": "object", "additionalProperties": _value(value, rules.map.values, found)}
        if names := keywords(rules.map.keys):
            schema["propertyNames"] = names
        schema |= keywords(rules)
    elif one.label == Type.LABEL_REPEATED:
        schema = {"type": "array", "items": _value(one, rules.repeated.items, found), **keywords(rules)}
    else:
        schema = _value(one, rules, found)
    return schema | _about(name, one, found)


def _about(name: str, one: FieldDescriptorProto, found: Elements) -> Schema:
    said: Schema = {"description": found.said(name)} if found.said(name) else {}
    marked = one.options.Extensions[options.field]
    if marked.personal:
        said["x-personal-data"] = options.PersonalData.Name(marked.personal).removeprefix("PERSONAL_DATA_")
    if marked.subject_identifier:
        said["x-subject-identifier"] = marked.subject_identifier
    if one.options.deprecated:
        said["deprecated"] = True
    return said


def _value(one: FieldDescriptorProto, rules: "validate.FieldRules", found: Elements) -> Schema:
    """One value: a scalar, an enum by name, a message by reference; with what the rules say of it."""
    kind = one.type_name.lstrip(".")
    if kind in found.enums:
        names = {value.number: value.name for value in found.enums[kind].value}
        return {"$ref": reference(kind), **_or_zero(keywords(rules, names.__getitem__), rules, names[0])}
    if kind in WELL_KNOWN:
        return WELL_KNOWN[kind] | keywords(rules)
    if kind:
        return {"$ref": reference(kind), **keywords(rules)}
    return _or_zero(_scalar(one) | keywords(rules), rules, zero_of(one, found))


def _or_zero(schema: Schema, rules: "validate.FieldRules", zero: Any) -> Schema:
    """The default is let pass where the rules say so, whatever else they say."""
    if rules.ignore != validate.IGNORE_IF_ZERO_VALUE or allows(schema, zero):
        return schema
    beside = {key: schema.pop(key) for key in ("type", "$ref", "x-rules") if key in schema}
    return beside | {"anyOf": [{"const": zero}, schema]}


def _scalar(one: FieldDescriptorProto) -> Schema:
    if one.type == Type.TYPE_STRING:
        return {"type": "string"}
    if one.type == Type.TYPE_BYTES:
        return {"type": "string", "contentEncoding": "base64"}
    if one.type == Type.TYPE_BOOL:
        return {"type": "boolean"}
    if one.type in SMALL:
        least, most = SMALL[one.type]
        return {"type": "integer", "minimum": least, "maximum": most}
    if one.type in LARGE:
        return {"type": "string", "format": INT64, "pattern": WHOLE}
    if one.type in (Type.TYPE_DOUBLE, Type.TYPE_FLOAT):
        return {"type": "number"}
    raise UnknownTypeError(f"{one.name} is of type {one.type_name or one.type}, and there is no rule how that looks in JSON")


def _demanded(one: FieldDescriptorProto, schema: Schema, found: Elements) -> bool:
    """Whether a document without the field is refused: because the rules say so, or because they refuse the default that it then has."""
    rules = rules_of(one)
    if one.HasField("oneof_index") and not one.proto3_optional:
        return False
    if rules.required:
        return True
    if rules.ignore == validate.IGNORE_IF_ZERO_VALUE or rules.ignore == validate.IGNORE_ALWAYS or one.proto3_optional:
        return False
    zero = zero_of(one, found)
    return zero is not None and "anyOf" not in schema and not allows(schema, zero)


def zero_of(one: FieldDescriptorProto, found: Elements) -> Any:
    """What a field that is left out counts as, in JSON's form; None for a message, which is then absent."""
    if one.label == Type.LABEL_REPEATED:
        return {} if found.map_entry(one) is not None else []
    if one.type == Type.TYPE_MESSAGE:
        return None
    if one.type == Type.TYPE_ENUM:
        return found.enums[one.type_name.lstrip(".")].value[0].name
    if one.type in (Type.TYPE_STRING, Type.TYPE_BYTES):
        return ""
    if one.type == Type.TYPE_BOOL:
        return False
    return "0" if one.type in LARGE else 0


def _enum(name: str, found: Elements) -> Schema:
    values = [value.name for value in found.enums[name].value]
    told = [f"- `{value}`: {found.said(f'{name}.{value}')}" for value in values]
    return {"type": "string", "enum": values, "description": "\n".join([found.said(name), "", *told]).strip()}


def reference(name: str) -> str:
    """Where a schema of that name stands in the document."""
    return f"#/components/schemas/{name}"
