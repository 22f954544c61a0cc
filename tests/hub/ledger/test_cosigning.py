"""Ledger and witness as they run: the process cosigns after each checkpoint, remembers through a kill, and refuses a ledger put back."""

import asyncio
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from ledgers import ORIGIN, Journal, signer
from waiting import until
from witnesses import Home, running

from hub.ledger import notes, signing, tree
from hub.ledger.cosigning import Cosigning
from hub.ledger.notes import Checkpoint
from hub.ledger.store import LedgerStore
from metip.ledger.v1 import witness_service_pb2 as api
from metip.ledger.v1.witness_service_pb2_grpc import WitnessServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="function")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Keys and settings."""
    return Home(tmp_path)


class Asked:
    """A ledger that asks its witness."""

    def __init__(self, home: Home, grace: float = 60.0) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.now = 0.0
        keys = home.keys
        self.store = LedgerStore(home.folder / "ledger.sqlite", keys.signer, keys.trusted)
        self.cosigning = Cosigning(self.store, home.socket, home.witness_vkey, self._tell, grace=grace, clock=lambda: self.now)
        self.reader = self.store.reader()

    def _tell(self, event: str, **values: Any) -> None:
        self.lines.append((event, values))

    async def once(self, home: Home) -> bool:
        """Asks once."""
        async with grpc.aio.insecure_channel(f"unix:{home.socket}") as channel:
            return await self.cosigning.once(WitnessServiceStub(channel), self.reader)

    def close(self) -> None:
        """Closes the ledger."""
        self.reader.close()
        self.store.close()


@pytest_asyncio.fixture(loop_scope="function")
async def asked(home: Home) -> AsyncIterator[Asked]:
    """A ledger with its witness's home."""
    found = Asked(home)
    yield found
    found.close()


async def test_each_checkpoint_is_cosigned_by_the_witness_and_kept(home: Home, asked: Asked) -> None:
    journal = Journal()
    async with running(home):
        assert stat.S_IMODE(home.socket.stat().st_mode) == 0o600
        task = asyncio.create_task(asked.cosigning.run())
        for count in (3, 300, 1):
            head = asked.store.append(journal.entries(count))
            await until(lambda size=head.size: (one := asked.reader.cosigned()) is not None and one.size == size, within=20)  # type: ignore[misc]
            found = asked.reader.checkpoint(head.size)
            assert found is not None
            witness = signing.read_public(home.witness_vkey)[-1]
            assert notes.parsed(found.cosigned).signed_by([witness])[witness]
            assert found.cosigned.startswith(head.note)
        await until(lambda: asked.cosigning.state.cosigned == 304)
        state = asked.cosigning.state
        assert (state.size, state.cosigned, state.lag, state.problem, state.healthy) == (304, 304, 0.0, "", True)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert asked.lines == []


async def test_a_witness_that_is_away_is_shown_and_after_the_grace_time_the_ledger_is_unhealthy(home: Home, asked: Asked) -> None:
    asked.store.append(Journal().entries(3))
    assert not await asked.once(home)
    asked.now = 59.0
    assert not await asked.once(home)
    state = asked.cosigning.state
    assert (state.size, state.cosigned, state.lag, state.problem, state.healthy) == (3, 0, 59.0, "UNAVAILABLE", True)
    asked.now = 61.0
    assert not asked.cosigning.state.healthy
    async with running(home):
        assert await asked.once(home)
    assert (asked.cosigning.state.lag, asked.cosigning.state.healthy) == (0.0, True)
    assert asked.lines == [("witness_behind", {"size": 3, "cosigned": 0, "problem": "UNAVAILABLE"}), ("witness_back", {"size": 3})]


async def test_a_ledger_that_was_put_back_is_refused_also_after_the_witness_was_killed(home: Home, asked: Asked) -> None:
    journal, copy = Journal(), home.folder / "old.sqlite"
    asked.store.append(journal.entries(5))
    asked.close()
    shutil.copy(home.folder / "ledger.sqlite", copy)
    asked = Asked(home)
    asked.store.append(journal.entries(5))
    async with running(home) as process:
        assert await asked.once(home)
        process.kill()
        await process.wait()
    asked.close()
    home.socket.unlink()
    for one in home.folder.glob("ledger.sqlite*"):
        one.unlink()
    copy.rename(home.folder / "ledger.sqlite")
    back = Asked(home)
    async with running(home):
        assert not await back.once(home)
        state = back.cosigning.state
        assert (state.healthy, state.problem) == (False, "ROLLBACK: the witness knows 10 records, and the ledger has 5")
        back.store.append(Journal("other").entries(7))  # it goes on, in another way than before: now it is larger than the witness knows
        assert not await back.once(home)
        assert back.cosigning.state.problem.startswith("DATA_LOSS: FORK: the tree of 12 leaves does not begin with that of 10")
        assert not back.cosigning.state.healthy
    assert [event for event, _ in back.lines] == ["witness_refused", "witness_refused"]
    assert '"event":"checkpoint_refused"' in (home.folder / "witness.log").read_text()
    back.close()


async def test_a_new_signing_key_is_known_to_the_witness_at_once(home: Home, asked: Asked) -> None:
    journal = Journal()
    asked.store.append(journal.entries(1))
    async with running(home):
        assert await asked.once(home)
        asked.store.sign_with(signing.add(home.folder / "signing", ORIGIN).signer)
        asked.store.append(journal.entries(1))
        assert await asked.once(home)


async def test_a_signature_by_another_than_the_witness_is_not_kept(home: Home, asked: Asked) -> None:
    asked.store.append(Journal().entries(1))
    async with running(home):
        home.witness_vkey.write_text(f"{signer('metip.local/witness', seed=8, kind=notes.Kind.COSIGNATURE).verifier}\n")
        assert not await asked.once(home)
    assert asked.cosigning.state.problem == "the cosignature is by another key than the witness's"
    assert asked.reader.cosigned() is None


STATUS = grpc.StatusCode
CALLS: list[tuple[str, api.AddCheckpointRequest, grpc.StatusCode, str]] = [
    ("nothing", api.AddCheckpointRequest(), STATUS.INVALID_ARGUMENT, "checkpoint: "),
    ("a short hash", api.AddCheckpointRequest(proof=[b"x"], checkpoint="x"), STATUS.INVALID_ARGUMENT, "proof[0]: "),
    ("too many hashes", api.AddCheckpointRequest(proof=[bytes(32)] * 64, checkpoint="x"), STATUS.INVALID_ARGUMENT, "proof: "),
    ("no note", api.AddCheckpointRequest(checkpoint="x"), STATUS.INVALID_ARGUMENT, "MALFORMED: "),
    (
        "a stranger's log",
        api.AddCheckpointRequest(checkpoint=str(notes.signed(str(Checkpoint("strange", 1, bytes(32))), signer("strange")))),
        STATUS.NOT_FOUND,
        "UNKNOWN_LOG: ",
    ),
    (
        "a stranger's key",
        api.AddCheckpointRequest(checkpoint=str(notes.signed(str(Checkpoint(ORIGIN, 1, bytes(32))), signer(seed=9)))),
        STATUS.PERMISSION_DENIED,
        "UNSIGNED: ",
    ),
]


async def test_the_witness_says_why_it_refuses(home: Home) -> None:
    keys = home.keys
    async with running(home), grpc.aio.insecure_channel(f"unix:{home.socket}") as channel:
        stub: Any = WitnessServiceStub(channel)
        for name, request, status, words in CALLS:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.AddCheckpoint(request, timeout=5)
            assert (name, refused.value.code(), str(refused.value.details())[: len(words)]) == (name, status, words)
        one = str(notes.signed(str(Checkpoint(ORIGIN, 1, tree.leaf_hash(b"x"))), keys.signer))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.AddCheckpoint(api.AddCheckpointRequest(old_size=1, checkpoint=one))
        assert (refused.value.code(), refused.value.details()) == (
            STATUS.FAILED_PRECONDITION,
            "STALE: the proof leads from 1, and one of 0 records is known",
        )
        first = await stub.AddCheckpoint(api.AddCheckpointRequest(checkpoint=one))
        again = await stub.AddCheckpoint(api.AddCheckpointRequest(old_size=1, checkpoint=one))
        witness = signing.read_public(home.witness_vkey)[-1]
        for answer in (first, again):
            assert notes.parsed(one + answer.signature).signed_by([witness])
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.AddCheckpoint(
                api.AddCheckpointRequest(old_size=1, checkpoint=str(notes.signed(str(Checkpoint(ORIGIN, 1, bytes(32))), keys.signer)))
            )
        assert (refused.value.code(), refused.value.details()) == (STATUS.DATA_LOSS, "FORK: another checkpoint of 1 records is known")
        known = await stub.GetCheckpoint(api.GetCheckpointRequest(origin=ORIGIN))
        assert (known.size, known.checkpoint) == (1, one)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetCheckpoint(api.GetCheckpointRequest(origin="strange"))
        assert refused.value.code() is STATUS.NOT_FOUND


UNUSABLE = [
    ("no key", lambda home: (home.folder / "witness" / "witness.key").unlink(), "witness.key can't be read"),
    ("an open key", lambda home: (home.folder / "witness" / "witness.key").chmod(0o644), "is open to other users (mode 0644)"),
    ("no key of it", lambda home: (home.folder / "witness" / "witness.vkey").write_text("x\n"), "joined by +"),
    ("an unknown setting", lambda home: home.settings.write_text(home.settings.read_text() + "more: 1\n"), "more: no such setting"),
]


@pytest.mark.parametrize(("name", "break_", "words"), UNUSABLE, ids=[case[0] for case in UNUSABLE])
async def test_a_witness_that_can_not_start_says_why_and_ends_with_two(home: Home, name: str, break_: Any, words: str) -> None:
    import sys

    break_(home)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.ledger.witness", "--settings", str(home.settings), stderr=asyncio.subprocess.PIPE
    )
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert words in err.decode()
