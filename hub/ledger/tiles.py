"""Tiles of the tree in the geometry of C2SP tlog-tiles: 256 hashes each; level 0 are leaf hashes, an entry above is a whole tile's root.

A tree of n leaves has n >> 8·level entries at a level; the last tile of a level may be partial.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hub.ledger.faults import BrokenLedgerError, Code
from hub.ledger.tree import HASH_BYTES, Frontier, node_hash

WIDTH: Final = 256
HEIGHT: Final = 8
"""Levels of the tree that a tile spans."""
TILE_BYTES: Final = WIDTH * HASH_BYTES
ReadTile = Callable[[int, int], bytes | None]
"""Gives the hashes of a tile by level and index; None where there is none."""


@dataclass
class Edge:
    """The growing right edge: the frontier and the last tile of each level."""

    frontier: Frontier = field(default_factory=Frontier)
    last: list[bytearray] = field(default_factory=list)
    changed: dict[tuple[int, int], bytearray] = field(default_factory=dict)
    """Tiles by level and index that are not as they were when this edge was copied."""

    def append(self, leaf: bytes) -> None:
        """Adds a leaf by its hash."""
        for level, node in enumerate(self.frontier.append(leaf)):
            if level % HEIGHT == 0:
                self._keep(level // HEIGHT, node)

    def copy(self) -> "Edge":
        """One that grows apart from this; nothing of it has changed yet."""
        return Edge(self.frontier.copy(), [bytearray(one) for one in self.last])

    def _keep(self, level: int, node: bytes) -> None:
        if level == len(self.last):
            self.last.append(bytearray())
        elif len(self.last[level]) == TILE_BYTES:
            self.last[level] = bytearray()
        self.last[level] += node
        self.changed[level, ((self.frontier.size >> HEIGHT * level) - 1) // WIDTH] = self.last[level]


def subtree(read: ReadTile, level: int, index: int) -> bytes:
    """A root within the tree as `hub.ledger.tree` reads it. Raises `BrokenLedgerError` TILES_BROKEN for one that the tiles do not have."""
    above, height = divmod(level, HEIGHT)
    tile, place = divmod(index << height, WIDTH)
    hashes = read(above, tile)
    begin, end = place * HASH_BYTES, (place + (1 << height)) * HASH_BYTES
    if hashes is None or len(hashes) < end:
        raise BrokenLedgerError(Code.TILES_BROKEN, f"tile {tile} of level {above} is {'missing' if hashes is None else 'short'}")
    return whole(_split(hashes[begin:end]))


def whole(hashes: list[bytes]) -> bytes:
    """The root over hashes whose number is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def edge(size: int, frontier: Frontier, read: ReadTile) -> Edge:
    """The right edge of a tree that is kept, after checking it: each last tile has as many hashes as it must, and each last entry above is
    the root of the tile below. Raises `BrokenLedgerError` TILES_BROKEN.
    """
    last: list[bytearray] = []
    level, entries = 0, size
    while entries:
        index = (entries - 1) // WIDTH
        hashes, wanted = read(level, index), (entries - index * WIDTH) * HASH_BYTES
        if hashes is None or len(hashes) != wanted:
            found = "missing" if hashes is None else f"of {len(hashes)} bytes instead of {wanted}"
            raise BrokenLedgerError(Code.TILES_BROKEN, f"tile {index} of level {level} is {found}")
        if level:
            below = read(level - 1, entries - 1)
            if below is None or len(below) != TILE_BYTES or whole(_split(below)) != hashes[-HASH_BYTES:]:
                raise BrokenLedgerError(Code.TILES_BROKEN, f"tile {entries - 1} of level {level - 1} is not what level {level} says")
        last.append(bytearray(hashes))
        level, entries = level + 1, entries // WIDTH
    return Edge(frontier, last)


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
