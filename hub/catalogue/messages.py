"""Messages and enums as sections of a page: each field with its type, what the rules demand, what it holds of people, and its comment."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from buf.validate import validate_pb2 as validate
from hub.catalogue.elements import WELL_KNOWN, Elements
from hub.catalogue.prose import code, heading, link, plain, table
from hub.catalogue.rules import keywords, rules_of
from metip.options.v1 import options_pb2 as options

MARKS = {"ordering_key": "ordering key", "idempotency_key": "idempotency key", "deliver_after": "not delivered before"}


def section(name: str, found: Elements, level: int = 3) -> Iterator[str]:
    """One message or enum."""
    yield from heading(level, code(name.rpartition(".")[2]), name)
    if said := found.said(name):
        yield from (plain(said), "")
    if name in found.enums:
        values = [(code(one.name), str(one.number), plain(found.said(f"{name}.{one.name}"))) for one in found.enums[name].value]
        yield from table(("value", "number", "what it means"), values)
        return
    message = found.messages[name]
    for rule in message.options.Extensions[validate.message].cel:
        yield from (f"Rule {code(rule.id)}: {plain(rule.message)}.", "")
    unmarked = message.options.Extensions[options.message].personal or options.PERSONAL_DATA_PERSONAL
    rows = [
        (
            code(one.name),
            str(one.number),
            _type(one, found),
            _rules(one, found, message.oneof_decl),
            _personal(one, unmarked),
            plain(found.said(f"{name}.{one.name}")),
        )
        for one in message.field
    ]
    yield from table(("field", "number", "type", "rules", "personal data", "what it is"), rows)
    if not rows:
        yield from ("It has no fields.", "")


def _type(one: FieldDescriptorProto, found: Elements) -> str:
    entry = found.map_entry(one)
    if entry is not None:
        key, value = entry.field
        return f"map of {_type(key, found)} to {_type(value, found)}"
    words = link(one.type_name.lstrip("."), one.type_name.rpartition(".")[2]) if _ours(one) else _scalar(one)
    return f"list of {words}" if one.label == FieldDescriptorProto.LABEL_REPEATED else words


def _ours(one: FieldDescriptorProto) -> bool:
    return bool(one.type_name) and not one.type_name.startswith(f".{WELL_KNOWN}")


def _scalar(one: FieldDescriptorProto) -> str:
    return one.type_name.rpartition(".")[2] or FieldDescriptorProto.Type.Name(one.type).removeprefix("TYPE_").lower()


def _rules(one: FieldDescriptorProto, found: Elements, oneofs: Any) -> str:
    rules = rules_of(one)
    said = ["required"] if rules.required else []
    if one.HasField("oneof_index") and not one.proto3_optional:
        oneof = oneofs[one.oneof_index]
        said.append(f"one of {code(oneof.name)}{', which is required' if oneof.options.Extensions[validate.oneof].required else ''}")
    enum = found.enums.get(one.type_name.lstrip("."))
    names = {value.number: value.name for value in enum.value}.__getitem__ if enum is not None else None
    said += _words(keywords(rules, names))
    said += [f"each {words}" for words in _words(keywords(rules.repeated.items, names))]
    said += [f"key {words}" for words in _words(keywords(rules.map.keys))]
    said += [f"value {words}" for words in _words(keywords(rules.map.values))]
    if rules.ignore == validate.IGNORE_IF_ZERO_VALUE:
        said.append("or empty")
    return "; ".join(said)


def _words(found: dict[str, Any]) -> Iterator[str]:
    for keyword, value in found.items():
        if keyword == "x-rules":
            for rule in value:
                yield plain(str(rule.get("message") or f"{rule.get('rule')} {rule.get('value')}"))
        elif keyword == "not":
            yield f"not {', '.join(code(str(one)) for one in value['enum'])}"
        elif keyword == "allOf":
            yield from (f"pattern {code(one['pattern'])}" for one in value)
        elif isinstance(value, list):
            yield f"{keyword} {', '.join(code(str(one)) for one in value)}"
        else:
            yield f"{keyword} {code(str(value))}"


def _personal(one: FieldDescriptorProto, unmarked: Any) -> str:
    marked = one.options.Extensions[options.field]
    said = []
    if not _ours(one) or marked.personal:
        said.append(options.PersonalData.Name(marked.personal or unmarked).removeprefix("PERSONAL_DATA_").replace("_", " ").lower())
    if marked.subject_identifier:
        said.append(f"finds the subject: {code(marked.subject_identifier)}")
    said += [words for mark, words in MARKS.items() if getattr(marked, mark)]
    return "; ".join(said)
