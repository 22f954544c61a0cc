"""How an answer that comes from several sources reads: recognised by its shape, a message that names a `source` and its `status`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from hub.cli.printing import FAILED, OK, WARNED, clean, count, span
from hub.cli.rendering import enum_word, one_line

ANSWERED, NO_TRACE, STALE, TIMED_OUT, UNAVAILABLE = "ANSWERED", "NO_TRACE", "STALE", "TIMED_OUT", "UNAVAILABLE"
NOT_SEARCHABLE: Final = "NOT_SEARCHABLE"
"""Status of a source that can't be searched in this way, so was not asked."""
SPOKE: Final = frozenset({ANSWERED, NO_TRACE, STALE})
"""Statuses of a source that did answer."""
SILENT: Final = frozenset({TIMED_OUT, UNAVAILABLE})
"""Statuses of a source that may know something and did not say so."""


@dataclass(frozen=True)
class SourceEnd:
    """How one source ended."""

    source: str
    status: str
    found: str
    """How much it found, in words; empty where the answer does not tell."""
    elapsed: float | None
    """Seconds, where the answer tells."""
    explanation: str

    @property
    def mark(self) -> str:
        """The status as a mark."""
        return OK if self.status in (ANSWERED, NO_TRACE) else WARNED if self.status in (STALE, NOT_SEARCHABLE) else FAILED

    def words(self) -> str:
        """The end in a line: status, how much it found, time, and why."""
        found = [f"{self.source:8} {self.status}"]
        if self.found and self.status in (ANSWERED, STALE):
            found.append(self.found)
        if self.elapsed is not None:
            found.append(f"took {span(self.elapsed)}")
        if self.explanation:
            found.append(clean(self.explanation))
        return ", ".join(found)


def ends_of(reply: Message) -> Iterator[SourceEnd]:
    """Every source whose end a reply tells."""
    descriptor: Any = reply.DESCRIPTOR
    fields = descriptor.fields_by_name
    status = fields.get("status")
    if "source" in fields and status is not None and status.enum_type is not None:
        told: Any = reply
        yield SourceEnd(
            source=told.source,
            status=enum_word(status.enum_type, told.status),
            found=_found(told),
            elapsed=told.elapsed.ToTimedelta().total_seconds() if "elapsed" in fields and told.HasField("elapsed") else None,
            explanation=told.explanation if "explanation" in fields else "",
        )
        return
    for field, value in reply.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for one in value if field.is_repeated else (value,):
                yield from ends_of(one)


def _found(told: Any) -> str:
    """A source counts its matches, or comes with its entries."""
    fields = told.DESCRIPTOR.fields_by_name
    if _is_number(fields.get("matches")):
        return count(int(told.matches), "match", "matches")
    entries = fields.get("entries")
    return count(len(told.entries), "entry", "entries") if entries is not None and entries.is_repeated else ""


def _is_number(field: FieldDescriptor | None) -> bool:
    return field is not None and field.cpp_type in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32)


def reply_line(reply: Message) -> tuple[str, str]:
    """A reply in one line, led by its mark: a source's end as such, anything else by what can be said of it."""
    ends = list(ends_of(reply))
    if ends:
        return ends[0].mark, "; ".join(end.words() for end in ends)
    return OK, one_line(reply) or "(empty)"
