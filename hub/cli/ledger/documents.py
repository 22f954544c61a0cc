"""Records of the ledger as JSON and as rows for people."""

from typing import Any, Final

from google.protobuf import json_format

from hub.cli.exchange.moments import written
from hub.cli.printing import clean, span
from hub.cli.rendering import enum_word
from metip.ledger.v1 import query_pb2, record_pb2
from metip.options.v1 import options_pb2

COLUMNS: Final = ("record", "recorded (UTC)", "operation", "purpose", "consumer", "unit", "outcome", "disclosed", "particulars")
MASK: Final = "•••"
PARTICULARS: Final = ("officer", "reference", "on_behalf_of", "justification", "device_id", "detail")


def line(one: Any) -> dict[str, Any]:
    """A leaf as JSON."""
    found: dict[str, Any] = {
        "index": one.index,
        "journal": one.journal,
        "position": one.position,
        "sealing": sealing(one),
        "sentence": one.sentence,
    }
    found |= json_format.MessageToDict(one.record, preserving_proto_field_name=True)
    for name, enum in (("kind", record_pb2.Kind), ("verb", options_pb2.Verb), ("purpose", options_pb2.Purpose)):
        found[name] = _word(enum, getattr(one.record, name))
    return found


def particulars(one: Any) -> dict[str, Any]:
    """Particulars as JSON, without the tokens."""
    return {name: getattr(one, name) for name in PARTICULARS if getattr(one, name)}


def row(one: Any) -> tuple[str, ...]:
    """A leaf as a row under `COLUMNS`."""
    record = one.record
    unit = clean(" ".join(filter(None, (record.force, record.unit))))
    operation = clean(record.operation.removeprefix("metip.")) or _word(record_pb2.Kind, record.kind).lower()
    purpose = _word(options_pb2.Purpose, record.purpose).lower().replace("_", " ") if record.purpose else ""
    return (
        str(one.index), written(record.at), operation, purpose, clean(record.consumer), unit, clean(record.outcome),
        str(record.disclosed or ""), sealing(one),
    )  # fmt: skip


def shown(one: Any, opened: Any) -> list[tuple[str, str]]:
    """A leaf as lines of name and value; particulars as `•••` unless they were opened."""
    record = one.record
    found = [
        ("in short", one.sentence),
        ("record", str(one.index)),
        ("journal", f"{one.journal}, position {one.position}"),
        ("recorded", f"{written(record.at, precisely=True)} UTC"),
        ("kind", _word(record_pb2.Kind, record.kind).lower()),
        ("operation", record.operation),
        ("verb", _word(options_pb2.Verb, record.verb).lower()),
        ("purpose", _word(options_pb2.Purpose, record.purpose).lower().replace("_", " ") if record.purpose else ""),
        ("consumer", record.consumer),
        ("force, unit", " ".join(filter(None, (record.force, record.unit)))),
        ("outcome", record.outcome),
        ("disclosed", str(record.disclosed)),
        ("recipient", record.recipient),
        ("platform", f"{record.platform}, {_word(options_pb2.Platform, record.generation)}" if record.generation else record.platform),
        ("took", span(record.took.ToMilliseconds() / 1000) if record.HasField("took") else ""),
        ("call", record.call_id),
        ("trace", record.trace_id),
        ("message", record.message_id),
    ]
    if opened is not None:
        found += [(name.replace("_", " "), getattr(opened, name)) for name in PARTICULARS]
    elif one.sealing == query_pb2.SEALING_SEALED:
        found.append(("particulars", f"{MASK} (sealed; --unmask shows them to an officer with the role)"))
    elif one.sealing:
        found.append(("particulars", sealing(one)))
    return [(name, clean(value)) for name, value in found if value]


def sealing(one: Any) -> str:
    """What became of the particulars, in a word."""
    return enum_word(query_pb2.Sealing.DESCRIPTOR, one.sealing).lower() if one.sealing else ""


def _word(enum: Any, number: int) -> str:
    return enum_word(enum.DESCRIPTOR, number) if number else ""
