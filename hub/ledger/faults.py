"""What can be wrong with the ledger: what halts the process, and what is refused and leaves it as it was."""

from enum import StrEnum


class Code(StrEnum):
    """Why the process halts. The words are stable: logs and alarms name them."""

    NOT_A_LEDGER = "NOT_A_LEDGER"
    """The file is no ledger, one of another version, or one of another origin."""
    CHECKPOINT_MISSING = "CHECKPOINT_MISSING"
    """There is no checkpoint, or the newest is not of all the leaves that there are."""
    CHECKPOINT_UNREADABLE = "CHECKPOINT_UNREADABLE"
    """A checkpoint is no checkpoint, or nobody trusted signed it."""
    ROOT_MISMATCH = "ROOT_MISMATCH"
    """The tiles give another root than a checkpoint signed."""
    TILES_BROKEN = "TILES_BROKEN"
    """A tile is missing, short, or not what is below it."""
    LEAVES_BROKEN = "LEAVES_BROKEN"
    """A leaf is missing, or is not what its tile says."""
    JOURNALS_BROKEN = "JOURNALS_BROKEN"
    """A journal's position is not that of its last leaf."""
    SECOND_WRITER = "SECOND_WRITER"
    """Somebody else appended."""
    SET_BACK = "SET_BACK"
    """The server no longer has what it said was durable."""
    STORE_FAILED = "STORE_FAILED"
    """The system could not say that what was written is safe; nobody knows what is so."""


class BrokenLedgerError(Exception):
    """The ledger contradicts itself: the process stops with this code and guesses nothing."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class UnreadyLedgerError(Exception):
    """The ledger can't do it now, and may soon: try again."""


class FullLedgerError(UnreadyLedgerError):
    """The disk is full; nothing of the group was kept."""


class AwayLedgerError(UnreadyLedgerError):
    """The ledger's server does not answer, or the connection to it broke: what was under way is kept whole or not at all.

    Which of both, `Ledger.reached` says when it is back.
    """


class Refusal(StrEnum):
    """Why an entry is not taken."""

    MALFORMED = "MALFORMED"
    KNOWN = "KNOWN"
    """The ledger has this position already."""
    GAP = "GAP"
    """Positions between the last one and this are missing."""
    CHAIN = "CHAIN"
    """The chain does not follow from the record before."""


class RefusedEntryError(Exception):
    """An entry that does not continue its journal; nothing of its group was kept."""

    def __init__(self, reason: Refusal, journal: str, position: int, text: str) -> None:
        super().__init__(f"{reason}: journal {journal}, position {position}: {text}")
        self.reason, self.journal, self.position = reason, journal, position
