"""The ledger's side of its witness: asks for a cosignature after each checkpoint, keeps it, and says how far the witness lags.

Nothing waits for it. While the witness is away the ledger goes on; after a grace time it is unhealthy. What the witness refuses as a
rollback or a fork makes it unhealthy at once, for then the ledger, or the witness, is not what it was.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc

from hub.ledger import notes, tree
from hub.ledger.faults import FullLedgerError, UnreadyLedgerError
from hub.ledger.notes import NoteError
from hub.ledger.port import Head, Ledger, Reader
from hub.ledger.signing import SigningKeyError, read_public
from metip.ledger.v1 import witness_service_pb2 as api
from metip.ledger.v1.witness_service_pb2_grpc import WitnessServiceStub
from metip.logs import Value

if TYPE_CHECKING:  # the generated modules have these for the type checker only
    from metip.ledger.v1.witness_service_pb2_grpc import WitnessServiceAsyncStub

GRACE: Final = 600.0
"""Seconds for which the witness may lag where nothing is said."""
EVERY: Final = 1.0
"""Seconds between two looks at the ledger."""
LONGEST_PAUSE: Final = 30.0
WITHIN: Final = 5.0


class WitnessError(Exception):
    """The witness did not cosign; the text says why."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused
        """Whether it never will: it knows another ledger."""


@dataclass(frozen=True)
class Witnessed:
    """How far the witness is."""

    size: int
    """Leaves of the newest checkpoint."""
    cosigned: int
    """Leaves of the newest one that is cosigned; 0 for none."""
    lag: float
    """Seconds for which there has been a checkpoint that is not cosigned."""
    problem: str
    healthy: bool


class Cosigning:
    """Asks one witness for one ledger."""

    def __init__(
        self,
        ledger: Ledger[Any],
        socket: Path,
        key: Path,
        tell: Callable[..., None],
        *,
        grace: float = GRACE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key` is the file of the witness's verifier keys; `tell` writes a line of the log: an event and its values."""
        self._ledger, self._socket, self._key, self._tell = ledger, socket, key, tell
        self._grace, self._clock = grace, clock
        self._cosigned = 0
        self._agreed = False
        """Whether the witness was asked since this process began: a ledger that was put back, and nothing added, would not show."""
        self._behind: float | None = None
        self._error: WitnessError | None = None

    @property
    def state(self) -> Witnessed:
        """How far the witness is now."""
        size = self._ledger.head.size
        lag = 0.0 if self._behind is None else self._clock() - self._behind
        refused = self._error is not None and self._error.refused
        return Witnessed(size, self._cosigned, lag, str(self._error or ""), healthy=not refused and lag <= self._grace)

    async def run(self) -> None:
        """Asks after each checkpoint until it is cancelled; more and more rarely while the witness does not answer."""
        reader = await asyncio.to_thread(self._ledger.reader)
        try:
            self._cosigned = await self._cosigned_before(reader)
            async with grpc.aio.insecure_channel(f"unix:{self._socket}", options=(("grpc.enable_retries", 0),)) as channel:
                stub: WitnessServiceAsyncStub = WitnessServiceStub(channel)
                pause = EVERY
                while True:
                    pause = EVERY if await self.once(stub, reader) else min(2 * pause, LONGEST_PAUSE)
                    await asyncio.sleep(pause)
        finally:
            reader.close()

    @staticmethod
    async def _cosigned_before(reader: Reader) -> int:
        while True:
            try:
                known = await asyncio.to_thread(reader.cosigned)
            except UnreadyLedgerError:
                await asyncio.sleep(EVERY)
            else:
                return known.size if known else 0

    async def once(self, stub: "WitnessServiceAsyncStub", reader: Reader) -> bool:
        """Has the newest checkpoint cosigned, if it is not yet; whether it is."""
        head = self._ledger.head
        if self._agreed and head.size == self._cosigned and self._behind is None:
            return True
        self._behind = self._clock() if self._behind is None else self._behind
        try:
            note = await self._asked(stub, reader, head)
            await self._kept(head.size, note)
        except WitnessError as error:
            if self._error is None or str(self._error) != str(error):
                self._said(
                    "witness_refused" if error.refused else "witness_behind", size=head.size, cosigned=self._cosigned, problem=str(error)
                )
            self._error = error
            return False
        if self._error is not None:
            self._said("witness_back", size=head.size)
        self._cosigned, self._agreed, self._behind, self._error = head.size, True, None, None
        return True

    async def _kept(self, size: int, note: str) -> None:
        try:
            await asyncio.to_thread(self._ledger.cosign, size, note)
        except FullLedgerError:
            raise WitnessError("the disk is full: what the witness cosigned can't be kept") from None
        except UnreadyLedgerError as error:
            raise WitnessError(f"what the witness cosigned can't be kept: {error}") from None

    async def _asked(self, stub: "WitnessServiceAsyncStub", reader: Reader, head: Head) -> str:
        try:
            known = await stub.GetCheckpoint(api.GetCheckpointRequest(origin=head.checkpoint.origin), timeout=WITHIN)
            if known.size > head.size:
                text = f"ROLLBACK: the witness knows {known.size} records, and the ledger has {head.size}"
                raise WitnessError(text, refused=True)
            proof = await asyncio.to_thread(tree.consistency, known.size, head.size, reader.subtree)
            request = api.AddCheckpointRequest(old_size=known.size, proof=proof, checkpoint=head.note)
            answer = await stub.AddCheckpoint(request, timeout=WITHIN)
        except grpc.aio.AioRpcError as error:
            refused = error.code() is grpc.StatusCode.DATA_LOSS
            raise WitnessError(f"{error.code().name}: {error.details()}" if refused else error.code().name, refused=refused) from None
        except UnreadyLedgerError as error:
            raise WitnessError(str(error)) from None
        return self._checked(head, head.note + answer.signature)

    def _checked(self, head: Head, content: str) -> str:
        """The cosigned note, if it is one by the witness's own key."""
        try:
            if not notes.parsed(content).signed_by(read_public(self._key)):
                raise WitnessError("the cosignature is by another key than the witness's")
        except (NoteError, SigningKeyError) as error:
            raise WitnessError(f"the cosignature can't be checked: {error}") from None
        return content

    def _said(self, event: str, **values: Value) -> None:
        self._tell(event, **values)
