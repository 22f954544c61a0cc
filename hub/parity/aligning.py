"""Which entry of one list is which of the other, so that a record that is lost or doubled is named as such and not as many changed fields.

In turns, each for what the turns before have left: entries with the same identifier; entries that are the same; entries that are alike in
half of what they hold; and, in lists of one length, entries at the same place that do not say by an identifier that they are others.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

ALIKE: Final = 0.5
"""Share of equal parts from which two entries are taken for the same record."""
MOST_PAIRS: Final = 1024
"""Pairs whose likeness is looked at; longer remainders are taken by their place."""
FEW_PAIRS: Final = 64
"""Pairs that are all compared under the contract's rules, which a key can't express where they have a tolerance."""
SOMEWHERE: Final = 0.75
"""What a value counts for that the other entry has in another field."""


Names = list[tuple[Hashable, ...]]
"""Identifiers of each entry of a list, in the order of their weight; None for one that an entry does not have."""


@dataclass(frozen=True, slots=True)
class Entries:
    """How the entries of one list are read."""

    exact: Callable[[Any], Hashable]
    """A key that is equal where entries are surely the same; cheap."""
    same: Callable[[Any, Any], bool]
    """Whether entries agree under the contract's rules."""
    parts: Callable[[Any], dict[str, Hashable]]
    """What an entry holds, by path."""


@dataclass(slots=True)
class Alignment:
    """Places in the first list and in the second."""

    pairs: list[tuple[int, int]] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    merged: list[int] = field(default_factory=list)
    """Entries of the first list that it has more often than the second."""
    extra: list[int] = field(default_factory=list)
    doubled: list[int] = field(default_factory=list)
    """Entries of the second list that it has more often than the first."""

    @property
    def reordered(self) -> bool:
        """Whether entries that both have come in another order."""
        places = [there for _, there in sorted(self.pairs)]
        return any(one > other for one, other in pairwise(places))


def align(first: Sequence[Any], second: Sequence[Any], read: Entries, names: Names, theirs: Names) -> Alignment:
    """Which entry is which, by their identifiers and what they hold."""
    left, right = list(range(len(first))), list(range(len(second)))
    found = Alignment()

    def match(keys: Sequence[Hashable], others: Sequence[Hashable]) -> None:
        """Pairs what is left by equal keys, in order; a key of None matches nothing."""
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for place in reversed(right):
            if others[place] is not None:
                waiting[others[place]].append(place)
        for place in list(left):
            if keys[place] is not None and (there := waiting.get(keys[place])):
                pair(place, there.pop())

    def pair(place: int, there: int) -> None:
        found.pairs.append((place, there))
        left.remove(place)
        right.remove(there)

    for which in range(len(names[0]) if names else 0):
        match(_unique([one[which] for one in names]), _unique([one[which] for one in theirs]))
    if left and right:
        match([read.exact(one) for one in first], [read.exact(one) for one in second])
    if not left and not right:
        found.pairs.sort()
        return found
    if left and right:
        parts = {place: read.parts(first[place]) for place in left}, {place: read.parts(second[place]) for place in right}
        if len(left) * len(right) <= FEW_PAIRS:
            for place in list(left):
                if (there := next((one for one in right if read.same(first[place], second[one])), None)) is not None:
                    pair(place, there)
        for place, there, _ in _by_likeness(left, right, parts, names, theirs, same_length=len(first) == len(second)):
            if place in left and there in right:
                pair(place, there)
    _judge_rest(found, (left, right), (first, second), (names, theirs), read)
    found.pairs.sort()
    return found


def _unique(keys: list[Hashable]) -> list[Hashable]:
    """Keys that tell one entry of a list from all others; None for the rest, such as the officer whom all records name."""
    counts = Counter(keys)
    return [one if counts[one] == 1 else None for one in keys]


def _by_likeness(
    left: list[int],
    right: list[int],
    parts: tuple[dict[int, dict[str, Hashable]], dict[int, dict[str, Hashable]]],
    names: Names,
    theirs: Names,
    *,
    same_length: bool,
) -> list[tuple[int, int, float]]:
    """Pairs that may be the same record, the likeliest first."""
    if len(left) * len(right) > MOST_PAIRS:
        return [(place, there, 0.0) for place, there in zip(left, right, strict=False)]
    found = []
    for place in left:
        for there in right:
            share = likeness(parts[0][place], parts[1][there])
            if share >= ALIKE or (same_length and place == there and not _others(names[place], theirs[there])):
                found.append((place, there, share))
    return sorted(found, key=lambda one: (-one[2], abs(one[0] - one[1])))


def likeness(one: dict[str, Hashable], other: dict[str, Hashable]) -> float:
    """Share of what two entries hold that is equal, 0 to 1; a value that stands in another field counts a little less."""
    most = max(len(one), len(other))
    if not most:
        return 1.0
    equal = sum(1 for path, value in one.items() if other.get(path) == value)
    moved = sum((Counter(one.values()) & Counter(other.values())).values()) - equal
    return (equal + SOMEWHERE * max(moved, 0)) / most


def _others(names: tuple[Hashable, ...], theirs: tuple[Hashable, ...]) -> bool:
    """Whether two entries say by their identifiers that they are two records."""
    both = [(one, other) for one, other in zip(names, theirs, strict=True) if one is not None and other is not None]
    return bool(both) and all(one != other for one, other in both)


def _judge_rest(
    found: Alignment,
    rest: tuple[list[int], list[int]],
    lists: tuple[Sequence[Any], Sequence[Any]],
    names: tuple[Names, Names],
    read: Entries,
) -> None:
    """What has no counterpart is a double of an entry that has one, or is lost, or is new."""
    counts = [[Counter(one[which] for one in side) for which in range(len(side[0]) if side else 0)] for side in names]
    for side, once, again in ((0, found.lost, found.merged), (1, found.extra, found.doubled)):
        paired = [pair[side] for pair in found.pairs]
        for place in rest[side]:
            entry = lists[side][place]
            known = (*paired, *(one for one in rest[side] if one < place))
            double = _named_again(names[side][place], counts[side], counts[1 - side]) or any(
                read.same(entry, lists[side][one]) for one in known
            )
            (again if double else once).append(place)


def _named_again(names: tuple[Hashable, ...], own: Sequence[Counter[Hashable]], others: Sequence[Counter[Hashable]]) -> bool:
    """Whether an identifier of an entry stands several times in its own list and once in the other."""
    told = zip(names, own, others, strict=False)
    return any(one is not None and mine[one] > 1 and theirs[one] == 1 for one, mine, theirs in told)
