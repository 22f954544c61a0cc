"""The port behind which the ledger is kept: what every engine does, and when it says that it is done.

The law: nothing is shown before it is durable, and no checkpoint is ever inconsistent with an earlier one. SQL stays in the engine; what
others keep beside the leaves they write through `fill`, in its own transaction. Methods block: whoever has an event loop calls them in a
thread. The embedded engine is `hub.ledger.store`, the one on a server `hub.ledger.postgres`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hub.ledger.entries import Entry, Reached
from hub.ledger.notes import Checkpoint


class Rows(Protocol):
    """What a statement found."""

    def fetchone(self) -> Any:
        """The next row; None after the last."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left, one by one."""


class Statements(Protocol):
    """Runs statements that every engine understands: standard SQL, `?` for a value, `ON CONFLICT` with its columns."""

    def execute(self, statement: str, values: Any = ..., /) -> Rows:
        """Runs one statement."""

    def executemany(self, statement: str, values: Iterable[Any], /) -> Any:
        """Runs one statement for each sequence of values."""


R = TypeVar("R")
T = TypeVar("T", covariant=True)
"""The engine's own transaction, which has `Statements`; the embedded one's is an `apsw.Connection`."""
Fill = Callable[[T, int, Sequence[Entry]], None]
"""Is given a transaction, the index of the first new leaf, and the new entries; writes what else belongs to them and ends nothing."""


@dataclass(frozen=True, slots=True)
class Head:
    """A signed state of the ledger."""

    checkpoint: Checkpoint
    note: str
    """The checkpoint as the ledger signed it."""
    cosigned: str = ""
    """The same with the witness's signature; empty until it has come."""

    @property
    def size(self) -> int:
        """Leaves."""
        return self.checkpoint.size


class Reader(Protocol):
    """Reads the ledger while others append. A reader belongs to one thread at a time.

    Raises `BrokenLedgerError` where what is kept contradicts itself.
    """

    def head(self) -> Head:
        """The newest checkpoint."""

    def checkpoint(self, size: int) -> Head | None:
        """The checkpoint of that size; None where there is none."""

    def cosigned(self) -> Head | None:
        """The newest checkpoint that the witness signed; None where there is none."""

    def leaves(self, first: int, count: int) -> list[bytes]:
        """Leaves in order from index `first`: fewer at the end, none beyond."""

    def reached(self) -> dict[str, Reached]:
        """How far the ledger has each journal."""

    def subtree(self, level: int, index: int) -> bytes:
        """The reader of `hub.ledger.tree`, for every subtree that the newest checkpoint has whole."""

    def close(self) -> None:
        """Lets go."""


class Ledger(Protocol[T]):
    """Appends to the ledger; one process does. Any thread may call.

    Every method raises `BrokenLedgerError` once something could not be made durable or is not as it was left: the process must halt.
    """

    @property
    def head(self) -> Head:
        """The newest checkpoint."""

    @property
    def reached(self) -> Mapping[str, Reached]:
        """How far each journal is in the ledger: where to gather on."""

    def append(self, entries: Sequence[Entry], fill: Fill[T] | None = None) -> Head:
        """Adds entries, all or none, and signs; all is on disk when this returns the new head. No entries change nothing.

        Raises `RefusedEntryError` for the first entry that does not continue its journal, `FullLedgerError`, and whatever `fill` raises;
        nothing has changed then. Raises `AwayLedgerError` where a server's connection broke: see there.
        """

    def change(self, work: Callable[[T], R]) -> R:
        """Runs `work` as one durable transaction over what is kept beside leaves, tiles and checkpoints, which it must leave alone."""

    def cosign(self, size: int, note: str) -> None:
        """Keeps the witness's signature beside the checkpoint of that size. Raises `ValueError` for a note of another text."""

    def reader(self) -> Reader:
        """Another reader of the same ledger."""

    def close(self) -> None:
        """Lets go."""
