"""The tree: RFC 6962's definitions word for word, vectors, a foreign implementation, and what no wrong proof gets past."""

import hashlib
import re

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import Leaves

from hub.ledger import tree

INPUTS = tuple(
    bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Roots over the first 1, 2, … inputs: the vectors that implementations of Certificate Transparency share."""
MOST = 200


def leaves(count: int) -> list[bytes]:
    """That many different leaves."""
    return [b"leaf %d" % index for index in range(count)]


def rfc_root(data: list[bytes]) -> bytes:
    """MTH, as section 2.1 of RFC 6962 writes it."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = rfc_split(len(data))
    return hashlib.sha256(b"\x01" + rfc_root(data[:k]) + rfc_root(data[k:])).digest()


def rfc_path(m: int, data: list[bytes]) -> list[bytes]:
    """PATH, as section 2.1.1 writes it."""
    if len(data) == 1:
        return []
    k = rfc_split(len(data))
    return [*rfc_path(m, data[:k]), rfc_root(data[k:])] if m < k else [*rfc_path(m - k, data[k:]), rfc_root(data[:k])]


def rfc_subproof(m: int, data: list[bytes], *, complete: bool) -> list[bytes]:
    """SUBPROOF, as section 2.1.2 writes it."""
    if m == len(data):
        return [] if complete else [rfc_root(data)]
    k = rfc_split(len(data))
    if m <= k:
        return [*rfc_subproof(m, data[:k], complete=complete), rfc_root(data[k:])]
    return [*rfc_subproof(m - k, data[k:], complete=False), rfc_root(data[:k])]


def rfc_split(size: int) -> int:
    """The largest power of two smaller than a size."""
    k = 1
    while 2 * k < size:
        k *= 2
    return k


@pytest.mark.parametrize("size", range(1, len(ROOTS) + 1))
def test_the_roots_of_the_shared_vectors_come_out(size: int) -> None:
    reader = Leaves(list(INPUTS))
    assert tree.root(size, reader).hex() == ROOTS[size - 1]
    assert rfc_root(list(INPUTS[:size])).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_root_of_nothing() -> None:
    assert tree.Frontier().root() == tree.root(0, Leaves([])) == tree.EMPTY == rfc_root([])


def test_a_frontier_has_the_root_of_the_rfc_at_each_size_and_says_what_it_completed() -> None:
    data, grown = leaves(MOST), tree.Frontier()
    reader = Leaves(data)
    for size in range(1, MOST + 1):
        completed = grown.append(tree.leaf_hash(data[size - 1]))
        assert completed == [reader(level, (size >> level) - 1) for level in range(len(completed))]
        assert len(completed) == (size & -size).bit_length()
        assert grown.root() == rfc_root(data[:size]) == tree.root(size, reader)
        assert tree.frontier(size, reader) == grown


def test_a_copied_frontier_grows_apart() -> None:
    one = tree.frontier(3, Leaves(leaves(3)))
    other = one.copy()
    other.append(tree.leaf_hash(b"other"))
    assert (one.size, one.root()) == (3, rfc_root(leaves(3)))


@given(st.integers(1, MOST).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_an_audit_path_is_that_of_the_rfc_and_verifies(place: tuple[int, int]) -> None:
    size, index = place
    data = leaves(size)
    path = tree.inclusion(index, size, Leaves(data))
    assert list(path) == rfc_path(index, data)
    tree.verify_inclusion(tree.leaf_hash(data[index]), index, size, path, rfc_root(data))


@given(st.integers(0, MOST).flatmap(lambda new: st.tuples(st.integers(0, new), st.just(new))))
def test_a_consistency_proof_is_that_of_the_rfc_and_verifies(sizes: tuple[int, int]) -> None:
    old, new = sizes
    data = leaves(new)
    path = tree.consistency(old, new, Leaves(data))
    assert list(path) == (rfc_subproof(old, data, complete=True) if old else [])
    tree.verify_consistency(old, new, rfc_root(data[:old]), rfc_root(data), path)


@given(st.integers(1, 70).flatmap(lambda new: st.tuples(st.integers(1, new), st.just(new))), st.data())
def test_a_foreign_implementation_agrees(sizes: tuple[int, int], draw: st.DataObject) -> None:
    old, new = sizes
    foreign, data = pymerkle.InmemoryTree(algorithm="sha256"), leaves(new)
    for leaf in data:
        foreign.append_entry(leaf)
    reader = Leaves(data)
    assert foreign.get_root(new) == tree.root(new, reader)
    assert foreign.get_root(old) == tree.root(old, reader)
    index = draw.draw(st.integers(0, new - 1))
    theirs = foreign.prove_inclusion(index + 1, new).path  # whose path begins with the leaf itself
    assert theirs[0] == tree.leaf_hash(data[index])
    tree.verify_inclusion(theirs[0], index, new, theirs[1:], foreign.get_root(new))
    assert tuple(theirs[1:]) == tree.inclusion(index, new, reader)


@given(st.integers(1, MOST).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))), st.data())
def test_no_altered_audit_path_verifies(place: tuple[int, int], draw: st.DataObject) -> None:
    size, index = place
    data = leaves(size)
    path, leaf = list(tree.inclusion(index, size, Leaves(data))), tree.leaf_hash(data[index])
    wrong = altered(path, draw)
    with pytest.raises(tree.ProofError):
        tree.verify_inclusion(leaf, index, size, wrong, rfc_root(data))
    with pytest.raises(tree.ProofError):
        tree.verify_inclusion(tree.leaf_hash(b"another"), index, size, path, rfc_root(data))


@given(st.integers(2, MOST).flatmap(lambda new: st.tuples(st.integers(1, new - 1), st.just(new))), st.data())
def test_no_altered_consistency_proof_verifies(sizes: tuple[int, int], draw: st.DataObject) -> None:
    old, new = sizes
    data = leaves(new)
    path, before, after = list(tree.consistency(old, new, Leaves(data))), rfc_root(data[:old]), rfc_root(data)
    with pytest.raises(tree.ProofError):
        tree.verify_consistency(old, new, before, after, altered(path, draw))
    with pytest.raises(tree.ProofError):
        tree.verify_consistency(old, new, tree.leaf_hash(b"another past"), after, path)
    with pytest.raises(tree.ProofError):
        tree.verify_consistency(old, new, before, tree.leaf_hash(b"another present"), path)


def altered(path: list[bytes], draw: st.DataObject) -> list[bytes]:
    """A path with one thing wrong."""
    how = draw.draw(st.sampled_from(("flip", "drop", "add") if path else ("add",)))
    at = draw.draw(st.integers(0, max(len(path) - 1, 0)))
    if how == "flip":
        bit = draw.draw(st.integers(0, 255))
        flipped = int.from_bytes(path[at]) ^ 1 << bit
        return [*path[:at], flipped.to_bytes(32), *path[at + 1 :]]
    return [*path[:at], *path[at + 1 :]] if how == "drop" else [*path[:at], bytes(32), *path[at:]]


@pytest.mark.parametrize(
    ("index", "size"), [(-1, 1), (0, 0), (1, 1), (7, 3)], ids=["before the first", "of nothing", "the one after", "far beyond"]
)
def test_no_path_is_made_or_taken_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"there is no leaf {index} in a tree of {size}"):
        tree.inclusion(index, size, Leaves(leaves(size)))
    with pytest.raises(tree.ProofError, match=f"there is no leaf {index} in a tree of {size}"):
        tree.verify_inclusion(bytes(32), index, size, (), bytes(32))


CASES = [
    (3, 2, bytes(32), bytes(32), (), "a tree of 2 leaves can't have grown from one of 3"),
    (-1, 2, bytes(32), bytes(32), (), "a tree of 2 leaves can't have grown from one of -1"),
    (2, 2, bytes(32), tree.EMPTY, (), "two roots of one size differ"),
    (0, 2, bytes(32), bytes(32), (), "the root of the empty tree is not that of nothing"),
    (2, 2, bytes(32), bytes(32), (bytes(32),), "there is nothing to prove, and the proof has 1 hashes"),
    (3, 5, bytes(32), bytes(32), (), "the proof is empty"),
    (1, 2, bytes(31), bytes(32), (), "a hash has 32 bytes, and one here has 31"),
    (1, 2, bytes(32), bytes(32), (b"",), "a hash has 32 bytes, and one here has 0"),
]


@pytest.mark.parametrize(("old", "new", "before", "after", "path", "words"), CASES, ids=[case[-1] for case in CASES])
def test_a_proof_that_proves_nothing_is_refused_with_why(
    old: int, new: int, before: bytes, after: bytes, path: tuple[bytes, ...], words: str
) -> None:
    with pytest.raises(tree.ProofError, match=re.escape(words)):
        tree.verify_consistency(old, new, before, after, path)
