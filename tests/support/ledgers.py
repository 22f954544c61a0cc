"""Ledgers for tests: journals of synthetic records, keys, and a tree that is kept as a list."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.ledger import tree
from hub.ledger.entries import Entry
from hub.ledger.notes import Kind, Signer
from metip.journal import chain

ORIGIN = "metip.local/ledger"


def signer(name: str = ORIGIN, *, seed: int = 1, kind: Kind = Kind.SIGNATURE) -> Signer:
    """A key that is the same in each run."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), kind)


class Journal:
    """A journal that goes on and on."""

    def __init__(self, name: str = "example-0") -> None:
        self.name, self.position, self.chain = name, 0, chain.start(name)

    def entry(self, record: bytes | None = None) -> Entry:
        """The next entry."""
        self.position += 1
        record = record or b"record %d of %s" % (self.position, self.name.encode())
        self.chain = chain.after(self.chain, record)
        return Entry(self.name, self.position, record, self.chain)

    def entries(self, count: int) -> list[Entry]:
        """The next entries."""
        return [self.entry() for _ in range(count)]


class Leaves:
    """The leaves of a tree by their hashes, as a reader of subtrees."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._known = {(0, index): tree.leaf_hash(leaf) for index, leaf in enumerate(leaves)}

    def __call__(self, level: int, index: int) -> bytes:
        """The root over a whole subtree."""
        if (level, index) not in self._known:
            self._known[level, index] = tree.node_hash(self(level - 1, 2 * index), self(level - 1, 2 * index + 1))
        return self._known[level, index]
