"""What a difference is: its path, its kind, and how it looks; and what several of them together say."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from hub.parity.aligning import Alignment


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


def tell_alignment(
    alignment: Alignment,
    lengths: tuple[int, int],
    path: str,
    found: Found,
    field: FieldDescriptor | None,
    *,
    ordered: bool,
    lists: tuple[Sequence[Any], Sequence[Any]],
) -> None:
    """Tells what an alignment of two lists of those lengths leaves over, and whether the rest is in another order."""
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


def tell_unknown(mine: Any, theirs: Any, path: str, found: Found) -> None:
    """Fields that the contract does not know: told by their number."""
    before, after = (Counter((one.field_number, one.wire_type, str(one.data)) for one in side) for side in (mine, theirs))
    lost, new = ({number for number, _, _ in one} for one in (before - after, after - before))
    for number in sorted(lost | new):
        kind = Kind.CHANGED if number in lost and number in new else Kind.MISSING if number in lost else Kind.ADDED
        found.append(Difference(f"{path}({number})", kind, "not in the contract"))


def tell_exchanged(found: Found) -> None:
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
