"""An adapter's journal as it stands on disk: what the pipeline makes of calls, and with what an adapter starts or does not."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import protovalidate
import pytest
from adapter_rig import CONSUMER, from_envoy
from journals import Ledger, kinds
from journals_of_mesh import first_break
from sample_contract import INTERFACE, Asked, Plain, Told, asking, message, sample_contracts
from samples import write_once
from waiting import until

from adapters.kit import Call
from adapters.kit.journal import Place
from adapters.kit.pipeline import Gate, Pipeline
from adapters.kit.serving import add_to_server, handlers
from metip.common.v1.identifiers_pb2 import Vrm
from metip.journal.file import BrokenError
from metip.journal.store import HALTED
from metip.ledger.v1 import record_pb2 as ledger_messages
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="function")
Seen = message("Seen")
SYSTEM = "sample"
STARTED = write_once().system


class Sample:
    """Answers with two records, or with what a test puts in their place."""

    interface = INTERFACE

    async def GetSample(self, request: Asked, call: Call) -> Told:
        """Answers."""
        return Told(many=[Seen(vrm=Vrm(value="AB12CDE")), Seen()])

    async def RecordSample(self, request: Asked, call: Call) -> Told:
        """Answers."""
        return Told(one=Seen())

    async def WatchSamples(self, request: Asked, call: Call) -> AsyncIterator[Told]:
        """Answers."""
        yield Told(one=Seen())

    async def Count(self, request: Plain, call: Call) -> Told:
        """Answers."""
        return Told()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where a worker keeps its journal, with keys."""
    found = Ledger(tmp_path / "ledger")
    return Place(found.folder, found.keys)


async def asked(place: Place, *metadata: tuple[str, str], method: str = "GetSample", halted: list[BrokenError] | None = None) -> str:
    """Asks a worker with a journal, once; the call's reason, or OK."""
    with place.journal(SYSTEM, 0, (halted if halted is not None else []).append) as journal:
        pipeline = Pipeline(SYSTEM, journal, Log(io.StringIO()), Gate(10), protovalidate.Validator())
        server = grpc.aio.server()
        add_to_server(server, handlers(pipeline, (Sample(),), sample_contracts()))
        server.add_insecure_port(f"unix:{place.journals}/s")
        await server.start()
        request = Asked(access=asking(reference="90001/23NOV26"), surname="QUACKENBUSH", vrm="B2")
        try:
            async with grpc.aio.insecure_channel(f"unix:{place.journals}/s") as channel:
                call: Any = channel.unary_unary(f"/{INTERFACE}/{method}", request_serializer=Asked.SerializeToString)
                await call(request, metadata=[*from_envoy(), *metadata], timeout=10)
                return "OK"
        except grpc.aio.AioRpcError as error:
            return (error.details() or "").partition(":")[0]
        finally:
            await server.stop(None)


async def test_a_call_is_on_disk_with_its_subjects_and_nothing_personal_in_clear(place: Place) -> None:
    assert await asked(place) == "OK"
    ledger = Ledger(place.journals)
    record = ledger.records()[-1]
    assert (record.kind, record.outcome, record.consumer, record.disclosed) == (ledger_messages.KIND_OPERATION, "OK", CONSUMER, 2)
    said = ledger.particulars(record)
    assert (said.officer, said.reference) == ("P123456", "90001/23NOV26")
    keys = ledger.recording()._keys
    expected = [keys.token(*one) for one in (("vrm", "B2"), ("vrm", "AB12CDE"), ("officer", "P123456"), ("reference", "90001/23NOV26"))]
    assert [(one.kind, one.value) for one in said.tokens] == [(one.kind, one.value) for one in expected]
    on_disk = b"".join(path.read_bytes() for path in place.journals.glob(f"{SYSTEM}-0.*"))
    assert not [word for word in (b"P123456", b"90001", b"AB12CDE", b"QUACKENBUSH") if word in on_disk]


async def test_a_message_is_recorded_with_its_id_and_the_system_that_got_it(place: Place) -> None:
    handed = (("x-metip-message-id", "message-1"), ("x-metip-producer", "spiffe://metip.local/adapter/other"))
    assert await asked(place, *handed, method="RecordSample") == "OK"
    record = Ledger(place.journals).records()[-1]
    assert (record.message_id, record.recipient, record.disclosed) == ("message-1", SYSTEM, 1)
    assert record.consumer == "spiffe://metip.local/adapter/other"


async def test_a_journal_that_breaks_refuses_the_answer_and_halts_the_process(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metip.journal.file.APPEND", "insert into nowhere values (?, ?)")
    with pytest.raises(BrokenError):
        await asked(place)
    monkeypatch.undo()
    halted: list[BrokenError] = []

    async def break_it() -> None:
        await until(lambda: (place.journals / "s").exists())
        monkeypatch.setattr("metip.journal.file.APPEND", "insert into nowhere values (?, ?)")

    breaking = asyncio.create_task(break_it())
    await asyncio.sleep(0)
    monkeypatch.setattr(Sample, "GetSample", _after(breaking))
    assert await asked(place, halted=halted) == "JOURNAL"
    assert [broken.code for broken in halted] == ["DISK"]


def _after(breaking: "asyncio.Task[None]") -> Any:
    async def answer(self: Sample, request: Asked, call: Call) -> Told:
        await breaking
        return Told()

    return answer


async def test_each_opening_and_each_way_to_end_is_recorded(place: Place) -> None:
    for _ in range(2):
        assert await asked(place) == "OK"
    assert kinds(Ledger(place.journals).records()) == ["OPENED", "OPERATION"] * 2
    assert first_break(place.journals / f"{SYSTEM}-0.sqlite") is None


# The command.


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Starts an adapter whose far system is not there, with these arguments, until it ends of itself."""
    line = (sys.executable, "-m", "adapters.kit", "serve", STARTED, "--upstream=127.0.0.1:9", *arguments)
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


async def test_an_adapter_without_a_journal_does_not_start_and_says_what_is_missing(tmp_path: Path) -> None:
    done = await asyncio.to_thread(command, f"--run-dir={tmp_path}")
    assert done.returncode == 2
    assert "can't be served without a journal: start the adapter with --journals and --ledger" in done.stderr


@pytest.mark.parametrize("given", ["--journals", "--ledger"])
async def test_a_journal_without_keys_and_keys_without_a_journal_are_refused(tmp_path: Path, given: str) -> None:
    done = await asyncio.to_thread(command, f"--run-dir={tmp_path}", f"{given}={tmp_path}")
    assert (done.returncode, "--journals and --ledger go together" in done.stderr) == (2, True)


async def test_an_adapter_whose_keys_are_missing_names_them(tmp_path: Path) -> None:
    done = await asyncio.to_thread(command, f"--run-dir={tmp_path}", f"--journals={tmp_path}", f"--ledger={tmp_path / 'none'}")
    assert (done.returncode, "none/index holds no index key" in done.stderr) == (2, True)


async def test_an_adapter_whose_journal_was_changed_halts_with_a_code_of_its_own(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    (ledger.folder / f"{STARTED}-0.sqlite").write_bytes(b"no journal at all" * 1000)
    arguments = (f"--run-dir={tmp_path}", f"--journals={ledger.folder}", f"--ledger={ledger.keys}")
    done = await asyncio.to_thread(command, *arguments)
    assert (done.returncode, "the journal can't be opened: UNREADABLE" in done.stderr) == (HALTED, True)
