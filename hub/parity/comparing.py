"""Two messages of one type to their differences, field by field: one plan per type, compiled from its descriptor and its parity rules.

The law: a message has no difference with itself; and where `a` against `b` has a difference, `b` against `a` has the same one under the same
path, of the mirrored kind (`MIRROR`).
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from hub.parity import hints
from hub.parity.aligning import Alignment, Entries, align
from hub.parity.identifying import Name, names_of
from hub.parity.parts import parts_of
from hub.parity.rules import PLAIN, Rule, is_map, rule_of
from hub.parity.values import INSTANT, READERS, Reader, shift

DEEPEST: Final = 24
"""Fields on a path; what is nested deeper is compared in one piece."""


class Kind(StrEnum):
    """How one answer differs from the other at one path."""

    MISSING = "MISSING"
    """The shadow has no value."""
    ADDED = "ADDED"
    """Only the shadow has a value."""
    CHANGED = "CHANGED"
    REORDERED = "REORDERED"
    LOST_RECORD = "LOST_RECORD"
    """An entry of a list, or a reply of a stream, that the shadow does not have."""
    EXTRA_RECORD = "EXTRA_RECORD"
    """One that only the shadow has."""
    DUPLICATE_RECORD = "DUPLICATE_RECORD"
    """One that the shadow has more often."""
    MERGED_RECORD = "MERGED_RECORD"
    """One that the shadow has less often, though it has it."""
    STATUS = "STATUS"
    """The call ended otherwise."""
    UNREADABLE = "UNREADABLE"
    """The reply is no message of the contract."""


MIRROR: Final = {one: one for one in Kind} | {
    Kind.MISSING: Kind.ADDED,
    Kind.ADDED: Kind.MISSING,
    Kind.LOST_RECORD: Kind.EXTRA_RECORD,
    Kind.EXTRA_RECORD: Kind.LOST_RECORD,
    Kind.DUPLICATE_RECORD: Kind.MERGED_RECORD,
    Kind.MERGED_RECORD: Kind.DUPLICATE_RECORD,
}
"""The kind that is seen when primary and shadow change places."""


@dataclass(slots=True)
class Difference:
    """One place where two answers differ. `before` and `after` are the values themselves, and may be personal: they are not kept."""

    path: str
    kind: Kind
    hint: str = ""
    detail: str = ""
    before: Any = None
    after: Any = None
    field: FieldDescriptor | None = None


Found = list[Difference]
Step = Callable[[Any, Any, str, Found], None]


class Comparing:
    """Compares messages of any contract; plans are made when they are first needed."""

    def __init__(self) -> None:
        self._plans: dict[Descriptor, tuple[Step, ...]] = {}

    def messages(self, before: Message, after: Message) -> Found:
        """Differences of two messages of one type."""
        found: Found = []
        if before != after:
            self._walk(before, after, "", found)
            if len(found) > 1:
                _tell_exchanged(found)
        return found

    def streams(self, before: Sequence[Message], after: Sequence[Message], rule: Rule = PLAIN) -> Found:
        """Differences of two streams of one type, told under the path `(replies)[]`."""
        found: Found = []
        kinds = [one.DESCRIPTOR for one in (*before, *after)]
        if kinds:
            self._lists(before, after, "(replies)", rule, kinds[0], None, found)
            if len(found) > 1:
                _tell_exchanged(found)
        return found

    def _walk(self, before: Any, after: Any, path: str, found: Found) -> None:
        kind = before.DESCRIPTOR
        plan = self._plans.get(kind)
        if plan is None:
            plan = self._plans[kind] = tuple(self._steps(kind))
        for step in plan:
            step(before, after, path, found)
        if len(mine := UnknownFieldSet(before)) + len(theirs := UnknownFieldSet(after)):
            _unknown(mine, theirs, path, found)

    def _steps(self, kind: Descriptor) -> Iterable[Step]:
        for field in kind.fields:
            rule = rule_of(field)
            alone = field.containing_oneof is None or len(field.containing_oneof.fields) == 1
            if alone and not rule.ignore:
                yield self._step(field, rule)
        for oneof in kind.oneofs:
            if len(oneof.fields) > 1:
                yield self._alternatives(oneof)

    def _step(self, field: FieldDescriptor, rule: Rule) -> Step:
        if is_map(field):
            return self._map_step(field, rule)
        if field.is_repeated:
            return self._list_step(field, rule)
        compare = self._one(field, rule)
        return _present(field, rule, compare) if field.has_presence else _implicit(field, compare)

    def _one(self, field: FieldDescriptor, rule: Rule) -> Step:
        """Compares two values of a field that both sides have; takes the values and their own path."""
        kind = field.message_type
        if kind is None:
            return _scalar(field, rule)
        if reader := READERS.get(kind.full_name):
            return _value(field, rule, reader)

        def nested(before: Any, after: Any, path: str, found: Found) -> None:
            if before != after:
                if path.count(".") > DEEPEST:
                    found.append(Difference(path, Kind.CHANGED, hints.OTHER, "nested deeply", field=field))
                else:
                    self._walk(before, after, f"{path}.", found)

        return nested

    def _alternatives(self, oneof: Any) -> Step:
        steps = {field.name: (field, rule_of(field), self._step(field, rule_of(field))) for field in oneof.fields}
        name = oneof.name

        def step(before: Any, after: Any, path: str, found: Found) -> None:
            mine, theirs = before.WhichOneof(name), after.WhichOneof(name)
            if any(steps[one][1].ignore for one in (mine, theirs) if one):
                return
            if mine == theirs or not mine or not theirs:
                if mine or theirs:
                    steps[mine or theirs][2](before, after, path, found)
            else:
                at = f"{path}{name}"
                found.append(Difference(at, Kind.CHANGED, f"{theirs} instead of {mine}"))

        return step

    def _map_step(self, field: FieldDescriptor, rule: Rule) -> Step:
        entry: Any = field.message_type
        name, value = field.name, entry.fields_by_name["value"]
        compare = self._one(value, rule)

        def step(before: Any, after: Any, path: str, found: Found) -> None:
            mine, theirs, at = getattr(before, name), getattr(after, name), f"{path}{name}{{}}"
            for key in mine:
                if key not in theirs:
                    found.append(Difference(at, Kind.LOST_RECORD, field=field))
                elif mine[key] != theirs[key]:
                    compare(mine[key], theirs[key], at, found)
            found += [Difference(at, Kind.EXTRA_RECORD, field=field) for key in theirs if key not in mine]

        return step

    def _list_step(self, field: FieldDescriptor, rule: Rule) -> Step:
        name, kind = field.name, field.message_type

        def step(before: Any, after: Any, path: str, found: Found) -> None:
            mine, theirs = getattr(before, name), getattr(after, name)
            if mine != theirs:
                self._lists(mine, theirs, f"{path}{name}", rule, kind, field, found)

        return step

    def _lists(
        self, mine: Sequence[Any], theirs: Sequence[Any], at: str, rule: Rule, kind: Descriptor | None, field: FieldDescriptor | None, found: Found
    ) -> None:
        """Compares two lists, told under `at` followed by `[]`."""
        path = f"{at}[]"
        if kind is None or kind.full_name in READERS:
            assert field is not None, "values stand in a field"
            compare, read, names = self._one(field, rule), _entries_of_values(field, rule, self._one(field, rule)), ()
        else:
            compare, names = self._nested(field), names_of(kind, rule.identified_by)
            read = self._entries_of_messages(names)
        if len(mine) == len(theirs) and (not names or _same_names(mine, theirs, names)):
            by_place: Found = []
            for one, other in zip(mine, theirs, strict=True):
                compare(one, other, path, by_place)
                if by_place and not names and len(mine) > 1:
                    break
            else:
                found += by_place
                return
        alignment = align(mine, theirs, read)
        for place, there in alignment.pairs:
            compare(mine[place], theirs[there], path, found)
        _tell(alignment, (len(mine), len(theirs)), path, found, field, ordered=not rule.unordered, lists=(mine, theirs))

    def _nested(self, field: FieldDescriptor | None) -> Step:
        def nested(before: Any, after: Any, path: str, found: Found) -> None:
            if before != after:
                if path.count(".") > DEEPEST:
                    found.append(Difference(path, Kind.CHANGED, hints.OTHER, "nested deeply", field=field))
                else:
                    self._walk(before, after, f"{path}.", found)

        return nested

    def _entries_of_messages(self, names: tuple[Name, ...]) -> Entries:
        def same(one: Any, other: Any) -> bool:
            found: Found = []
            if one != other:
                self._walk(one, other, "", found)
            return not found

        return Entries(
            exact=lambda one: one.SerializeToString(deterministic=True),
            same=same,
            names=lambda one: tuple(name(one) for name in names),
            parts=parts_of,
        )


def _present(field: FieldDescriptor, rule: Rule, compare: Step) -> Step:
    """A field that can be absent: a message, `optional`, an alternative."""
    name, lax, message, clock = field.name, rule.unset_is_default, field.message_type is not None, rule.clock

    def step(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = before.HasField(name), after.HasField(name)
        if mine and theirs:
            compare(getattr(before, name), getattr(after, name), f"{path}{name}", found)
        elif (mine or theirs) and not clock:
            value = getattr(before if mine else after, name)
            empty = not value.ByteSize() if message else value == field.default_value
            if not (lax and empty):
                kind, hint = Kind.MISSING if mine else Kind.ADDED, "empty" if empty else ""
                found.append(Difference(f"{path}{name}", kind, hint, "", value if mine else None, None if mine else value, field))

    return step


def _implicit(field: FieldDescriptor, compare: Step) -> Step:
    """A field whose absence is its default."""
    name = field.name

    def step(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = getattr(before, name), getattr(after, name)
        if mine != theirs:
            compare(mine, theirs, f"{path}{name}", found)

    return step


def _scalar(field: FieldDescriptor, rule: Rule) -> Step:
    tolerance, normalise, enum = rule.tolerance, rule.normalise, field.enum_type
    text, boolean = field.type == FieldDescriptor.TYPE_STRING, field.type == FieldDescriptor.TYPE_BOOL
    numeric = not text and not boolean and enum is None and field.type != FieldDescriptor.TYPE_BYTES

    def compare(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = before, after
        if text and normalise is not None:
            mine, theirs = normalise(before), normalise(after)
        if mine == theirs or (numeric and (abs(mine - theirs) <= tolerance or (mine != mine and theirs != theirs))):
            return
        if boolean:
            kind, hint = Kind.CHANGED, ("inverted", "yes became no" if mine else "no became yes")
        elif not mine or not theirs:
            kind, hint = (Kind.MISSING if mine else Kind.ADDED), ("", "")
        elif text:
            kind, hint = Kind.CHANGED, hints.of_text(mine, theirs)
        elif enum is not None:
            known = enum.values_by_number
            kind, hint = Kind.CHANGED, ("another code", "") if theirs in known and mine in known else ("unknown code", "")
        elif numeric:
            kind, hint = Kind.CHANGED, hints.of_number(mine, theirs)
        else:
            kind, hint = Kind.CHANGED, ("truncated", f"at {len(theirs)}") if mine.startswith(theirs) else (hints.OTHER, "")
        found.append(Difference(path, kind, *hint, before, after, field))

    return compare


def _value(field: FieldDescriptor, rule: Rule, reader: Reader) -> Step:
    """A message that is one value: a date, an instant, a length of time."""

    def clocks(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = reader.read(before, rule), reader.read(after, rule)
        if hint := shift(mine, theirs):
            found.append(Difference(path, Kind.CHANGED, hint, "", mine, theirs, field))

    def compare(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = reader.read(before, rule), reader.read(after, rule)
        if mine != theirs and not reader.near(mine, theirs, rule.tolerance):
            if reader.empty(mine) == reader.empty(theirs):
                kind, hint = Kind.CHANGED, reader.hint(mine, theirs)
            else:
                kind, hint = Kind.MISSING if reader.empty(theirs) else Kind.ADDED, ("", "")
            found.append(Difference(path, kind, *hint, mine, theirs, field))

    return clocks if rule.clock and reader is INSTANT else compare


def _entries_of_values(field: FieldDescriptor, rule: Rule, compare: Step) -> Entries:
    reader = READERS.get(field.message_type.full_name) if field.message_type is not None else None

    def key(one: Any) -> Hashable:
        if reader is not None:
            found: Hashable = reader.read(one, rule)
            return found
        if rule.normalise is not None and isinstance(one, str):
            return rule.normalise(one)
        return "NaN" if one != one else one  # a list of what is not a number is the same as itself

    def parts(one: Any) -> dict[str, Hashable]:
        value = key(one)
        words = value.split() if isinstance(value, str) else ()
        return {str(place): word for place, word in enumerate(words)} if len(words) > 1 else {"": value}

    def same(one: Any, other: Any) -> bool:
        found: Found = []
        compare(one, other, "", found)
        return not found

    return Entries(exact=key, same=same, names=lambda _: (), parts=parts)


def _same_names(mine: Sequence[Any], theirs: Sequence[Any], names: tuple[Name, ...]) -> bool:
    """Whether entries of two lists have the same identifiers, place by place, and each its own."""
    keys = [tuple(name(one) for name in names) for one in mine]
    told = len(set(keys)) == len(keys) and all(any(part is not None for part in key) for key in keys)
    return told and all(key == tuple(name(one) for name in names) for key, one in zip(keys, theirs, strict=True))


def _tell(
    alignment: Alignment,
    lengths: tuple[int, int],
    path: str,
    found: Found,
    field: FieldDescriptor | None,
    *,
    ordered: bool,
    lists: tuple[Sequence[Any], Sequence[Any]],
) -> None:
    if ordered and alignment.reordered:
        found.append(Difference(path, Kind.REORDERED, field=field))
    for kind, places, side in (
        (Kind.LOST_RECORD, alignment.lost, 0),
        (Kind.EXTRA_RECORD, alignment.extra, 1),
        (Kind.DUPLICATE_RECORD, alignment.doubled, 1),
        (Kind.MERGED_RECORD, alignment.merged, 0),
    ):
        hint, detail = _where(places, lengths[side]), f"{len(places)} of {lengths[side]}"
        for place in places:
            value = lists[side][place]
            before, after = (value, None) if side == 0 else (None, value)
            found.append(Difference(path, kind, hint, detail, before, after, field))


def _where(places: list[int], length: int) -> str:
    """Where entries without counterpart stood: all of a list, its end, or elsewhere."""
    if len(places) == length:
        return "all of them"
    return "at the end" if places and places == list(range(length - len(places), length)) else "amid others"


def _unknown(mine: UnknownFieldSet, theirs: UnknownFieldSet, path: str, found: Found) -> None:
    """Fields that the contract does not know: told by their number."""
    before, after = (Counter((one.field_number, one.wire_type, str(one.data)) for one in side) for side in (mine, theirs))
    lost, new = ({number for number, _, _ in one} for one in (before - after, after - before))
    for number in sorted(lost | new):
        kind = Kind.CHANGED if number in lost and number in new else Kind.MISSING if number in lost else Kind.ADDED
        found.append(Difference(f"{path}({number})", kind, "not in the contract"))


def _tell_exchanged(found: Found) -> None:
    """Names values that changed places: fields that were swapped, or a value that moved to another field."""
    gone: dict[Hashable, list[Difference]] = {}
    for one in found:
        if _telling(one.before):
            gone.setdefault(one.before, []).append(one)
    for one in found:
        if not _telling(one.after):
            continue
        for other in gone.get(one.after, ()):
            if other.path == one.path:
                continue
            if other.after == one.before and _telling(one.before):
                one.hint, one.detail = "swapped", f"with {other.path}"
            elif one.hint != "swapped" and one.kind is Kind.ADDED and other.kind is Kind.MISSING:
                one.hint, one.detail = "moved", f"from {other.path}"
                other.hint, other.detail = "moved", f"to {one.path}"


def _telling(value: Any) -> bool:
    """Whether a value is so particular that it is hardly in two fields by chance."""
    return isinstance(value, str | int | tuple) and not isinstance(value, bool) and bool(value)
