"""Two messages of one type to their differences, field by field: one plan per type, compiled from descriptor and parity rules.

The law: a message has no difference with itself; and where `a` against `b` has a difference, `b` against `a` has the same one under the
same path, of the mirrored kind (`MIRROR`).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from hub.parity import hints
from hub.parity.aligning import Entries, align
from hub.parity.differences import Difference, Found, Kind, Step, tell_alignment, tell_exchanged, tell_unknown
from hub.parity.fields import implicit, present, scalar, value
from hub.parity.identifying import Name, names_of
from hub.parity.parts import parts_of
from hub.parity.rules import PLAIN, Rule, is_map, rule_of
from hub.parity.values import READERS

DEEPEST: Final = 24
"""Fields on a path; what is nested deeper is compared in one piece."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How messages of one type are compared.

    `values` reads all fields at once whose value says everything, and `steps` are theirs; only those that differ are looked at. `others`
    are fields whose presence counts too, and alternatives.
    """

    values: Callable[[Any], tuple[Any, ...]] | None
    steps: tuple[Step, ...]
    others: tuple[Step, ...]


class Comparing:
    """Compares messages of any contract; plans are made when they are first needed."""

    def __init__(self) -> None:
        self._plans: dict[Descriptor, Plan] = {}

    def messages(self, before: Message, after: Message) -> Found:
        """Differences of two messages of one type."""
        found: Found = []
        if before != after:
            self._walk(before, after, "", found)
            if len(found) > 1:
                tell_exchanged(found)
        return found

    def streams(self, before: Sequence[Message], after: Sequence[Message], rule: Rule = PLAIN) -> Found:
        """Differences of two streams of one type, told under the path `(replies)[]`."""
        found: Found = []
        kinds: list[Any] = [one.DESCRIPTOR for one in (*before, *after)]
        if kinds:
            self._lists(before, after, "(replies)", rule, kinds[0], None, found)
            if len(found) > 1:
                tell_exchanged(found)
        return found

    def _walk(self, before: Any, after: Any, path: str, found: Found) -> None:
        kind = before.DESCRIPTOR
        plan = self._plans.get(kind)
        if plan is None:
            plan = self._plans[kind] = self._plan(kind)
        if plan.values is not None:
            for step, mine, theirs in zip(plan.steps, plan.values(before), plan.values(after), strict=True):
                if mine != theirs:
                    step(before, after, path, found)
        for step in plan.others:
            step(before, after, path, found)
        if len(known := UnknownFieldSet(before)) + len(new := UnknownFieldSet(after)):
            tell_unknown(known, new, path, found)

    def _plan(self, kind: Descriptor) -> Plan:
        fields = [field for field in kind.fields if not rule_of(field).ignore]
        whole = [field for field in fields if not field.has_presence]
        alone = [field for field in fields if field.has_presence and not _has_others(field)]
        steps = [self._step(field, rule_of(field)) for field in whole]
        others = [self._step(field, rule_of(field)) for field in alone]
        others += [self._alternatives(oneof) for oneof in kind.oneofs if len(oneof.fields) > 1]
        if len(whole) < 2:  # one name alone would be read as a value, not as a tuple of one
            return Plan(None, (), (*steps, *others))
        return Plan(attrgetter(*(field.name for field in whole)), tuple(steps), tuple(others))

    def _step(self, field: FieldDescriptor, rule: Rule) -> Step:
        if is_map(field):
            return self._map_step(field, rule)
        if field.is_repeated:
            return self._list_step(field, rule)
        compare = self._one(field, rule)
        return present(field, rule, compare) if field.has_presence else implicit(field, compare)

    def _one(self, field: FieldDescriptor, rule: Rule) -> Step:
        """Compares two values of a field that both sides have; takes the values and their own path."""
        kind = field.message_type
        if kind is None:
            return scalar(field, rule)
        if reader := READERS.get(kind.full_name):
            return value(field, rule, reader)
        return self._nested(field)

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
        name, compare = field.name, self._one(entry.fields_by_name["value"], rule)

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
        self,
        mine: Sequence[Any],
        theirs: Sequence[Any],
        at: str,
        rule: Rule,
        kind: Descriptor | None,
        field: FieldDescriptor | None,
        found: Found,
    ) -> None:
        """Compares two lists, told under `at` followed by `[]`."""
        path = f"{at}[]"
        names: tuple[Name, ...] = ()
        if kind is None or kind.full_name in READERS:
            assert field is not None, "values stand in a field"
            compare = self._one(field, rule)
            read = _entries_of_values(field, rule, compare)
        else:
            compare, read, names = self._nested(field), self._entries_of_messages, names_of(kind, rule.identified_by)
        keys, others = ([tuple(name(one) for name in names) for one in entries] for entries in (mine, theirs))
        if len(mine) == len(theirs) and (not names or (keys == others and _telling_apart(keys))):
            by_place: Found = []
            for one, other in zip(mine, theirs, strict=True):
                compare(one, other, path, by_place)
                if by_place and not names and len(mine) > 1:
                    break
            else:
                found += by_place
                return
        alignment = align(mine, theirs, read, keys, others)
        for place, there in alignment.pairs:
            compare(mine[place], theirs[there], path, found)
        tell_alignment(alignment, (len(mine), len(theirs)), path, found, field, ordered=not rule.unordered, lists=(mine, theirs))

    def _nested(self, field: FieldDescriptor | None) -> Step:
        def nested(before: Any, after: Any, path: str, found: Found) -> None:
            if before != after:
                if path.count(".") > DEEPEST:
                    found.append(Difference(path, Kind.CHANGED, hints.OTHER, "nested deeply", field=field))
                else:
                    self._walk(before, after, f"{path}.", found)

        return nested

    @cached_property
    def _entries_of_messages(self) -> Entries:
        def same(one: Any, other: Any) -> bool:
            found: Found = []
            if one != other:
                self._walk(one, other, "", found)
            return not found

        return Entries(exact=lambda one: one.SerializeToString(deterministic=True), same=same, parts=parts_of)


def _has_others(field: FieldDescriptor) -> bool:
    """Whether a field is one of several alternatives."""
    return field.containing_oneof is not None and len(field.containing_oneof.fields) > 1


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

    return Entries(exact=key, same=same, parts=parts)


def _telling_apart(keys: list[tuple[Hashable, ...]]) -> bool:
    """Whether the entries of a list all have identifiers, and each its own."""
    return len(set(keys)) == len(keys) and all(any(part is not None for part in key) for key in keys)
