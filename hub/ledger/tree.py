"""The Merkle tree of RFC 6962, section 2.1 (the same in RFC 9162): hashes, an append-only frontier, proofs and their verification.

The law: nothing here keeps or reads a tree. Whoever keeps one gives a reader, `subtree(level, index)`: the root over the 2**level leaves
that begin at leaf index * 2**level, all of which the tree has.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

Subtree = Callable[[int, int], bytes]
HASH_BYTES: Final = 32
EMPTY: Final = hashlib.sha256().digest()
"""The root of a tree without leaves."""


class ProofError(Exception):
    """A proof that proves nothing; the text says why."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """The right edge of a growing tree: one root for each bit of its size, the largest subtree first (a compact range from 0)."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[bytes]:
        """Adds a leaf by its hash. Returns the subtree roots that it completed, of level 0 (itself), 1, 2, …"""
        completed, size = [leaf], self.size
        while size & 1:
            completed.append(node_hash(self.peaks.pop(), completed[-1]))
            size >>= 1
        self.peaks.append(completed[-1])
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the tree as it is."""
        return _folded(self.peaks) if self.peaks else EMPTY

    def copy(self) -> "Frontier":
        """One that grows apart from this."""
        return Frontier(self.size, list(self.peaks))


def frontier(size: int, subtree: Subtree) -> Frontier:
    """The right edge of the first `size` leaves."""
    return Frontier(size, _peaks(0, size, subtree))


def root(size: int, subtree: Subtree) -> bytes:
    """The root over the first `size` leaves."""
    return frontier(size, subtree).root()


def inclusion(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """Proves that a leaf is in the tree of `size` leaves: the audit path, nearest sibling first. Raises `ValueError` out of range."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    first, end, path = 0, size, []
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append(_over(middle, end, subtree))
            end = middle
        else:
            path.append(_over(first, middle, subtree))
            first = middle
    return tuple(reversed(path))


def consistency(old: int, new: int, subtree: Subtree) -> tuple[bytes, ...]:
    """Proves that the tree of `new` leaves begins with that of `old`. Raises `ValueError` out of range."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves can't have grown from one of {old}")
    if old in (0, new):
        return ()
    first, end, path, whole = 0, new, [], True
    while old != end:
        middle = first + _split(end - first)
        if old <= middle:
            path.append(_over(middle, end, subtree))
            end = middle
        else:
            path.append(_over(first, middle, subtree))
            first, whole = middle, False
    if not whole:
        path.append(_over(first, end, subtree))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], claimed: bytes) -> None:
    """Checks an audit path by RFC 9162, section 2.1.3.2; `leaf` is the leaf's hash. Raises `ProofError`."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    _check_hashes((leaf, claimed, *path))
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError(f"the path has {len(path)} hashes, too many for leaf {index} of {size}")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError(f"the path has {len(path)} hashes, too few for leaf {index} of {size}")
    if not hmac.compare_digest(found, claimed):
        raise ProofError(f"the path of leaf {index} does not lead to the root of the tree of {size}")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Checks a consistency proof by RFC 9162, section 2.1.4.2; a tree of 0 leaves begins every tree. Raises `ProofError`."""
    _check_hashes((old_root, new_root, *path))
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves can't have grown from one of {old}")
    if old in (0, new):
        if path:
            raise ProofError(f"from {old} to {new} there is nothing to prove, and the proof has {len(path)} hashes")
        if not hmac.compare_digest(old_root, new_root if old else EMPTY):
            raise ProofError("two roots of one size differ" if old else "the root of the empty tree is not that of nothing")
        return
    rest = list(path)
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    if not rest:
        raise ProofError("the proof is empty")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            raise ProofError(f"the proof has {len(path)} hashes, too many for {old} to {new}")
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError(f"the proof has {len(path)} hashes, too few for {old} to {new}")
    if not hmac.compare_digest(before, old_root):
        raise ProofError(f"the tree of {new} leaves does not begin with that of {old}: another root came out for {old}")
    if not hmac.compare_digest(after, new_root):
        raise ProofError(f"the proof from {old} to {new} does not lead to the root of {new}")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    for one in hashes:
        if len(one) != HASH_BYTES:
            raise ProofError(f"a hash has {HASH_BYTES} bytes, and one here has {len(one)}")


def _split(size: int) -> int:
    """The largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _peaks(first: int, end: int, subtree: Subtree) -> list[bytes]:
    """Roots of the largest whole subtrees that make up a range, left to right; `first` is aligned as the recursion of the RFC aligns it."""
    found = []
    while first < end:
        level = (end - first).bit_length() - 1
        found.append(subtree(level, first >> level))
        first += 1 << level
    return found


def _over(first: int, end: int, subtree: Subtree) -> bytes:
    return _folded(_peaks(first, end, subtree))


def _folded(peaks: Sequence[bytes]) -> bytes:
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks))
