"""What the exchange keeps is recorded from where it is kept: each message and each decision once, whatever crashes between."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
from engines import NOW, Bench
from exchange_in_process import accepting_exchange
from mesh_rig import reason_of

from adapters.kit.serving import installed_contracts
from hub.cli.messages import installed
from hub.contracts.samples import Sample, samples
from hub.exchange.accepting import Accepting
from hub.exchange.calls import Calls
from hub.exchange.life import Event
from hub.exchange.recording import ExchangeRecorder
from hub.exchange.records import Accepted, Arrival
from metip.call import CALL_ID_HEADER, CERTIFICATE_HEADER, OFFICER_HEADER
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.faults import Fault, Reason
from metip.grants import PURPOSES_HEADER
from metip.journal import chain
from metip.journal.blinding import IndexKeys
from metip.journal.keys import INDEX, SEALING, ensure_keys
from metip.journal.sealing import Opener, Sealer, Wrapped
from metip.journal.store import Journal
from metip.ledger.v1 import record_pb2 as ledger
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="function")
CONTRACTS = installed_contracts(date.min)
SAMPLE: Sample = next(one for one in samples(installed()) if one.operation.delivery is not None and one.operation.personal)
OPERATION = SAMPLE.operation.name
SUBSCRIPTION = next(one for one in CONTRACTS.subscriptions if one.operation == OPERATION)
OFFICER = base64.urlsafe_b64encode(json.dumps({"sub": "P7654321", "force": "01", "unit": "ZD"}).encode()).decode().rstrip("=")
PRODUCER = "spiffe://metip.local/consumer/test"


def journal(folder: Path) -> Journal:
    keys = folder / "keys"
    ensure_keys(keys)
    return Journal(folder / "hub.sqlite", "hub", "exchange", Sealer(keys / SEALING), on_broken=_unexpected)


def _unexpected(error: Exception) -> None:
    raise AssertionError("the journal of a test broke") from error


@contextmanager
def recorded(folder: Path, bench: Bench) -> Iterator[tuple[ExchangeRecorder, Journal]]:
    """A recorder of the bench's engine on a journal of that folder."""
    kept = journal(folder)
    acceptors = Accepting(CONTRACTS, bench.engine, Log(system="exchange"), lambda: NOW).acceptors
    try:
        yield ExchangeRecorder(bench.engine, acceptors, kept, IndexKeys(folder / "keys" / INDEX), Log(system="exchange")), kept
    finally:
        kept.close()


def records(folder: Path) -> list[tuple[ledger.Record, ledger.Particulars]]:
    """All records of messages and decisions, opened as the hub opens them, once their chain was found whole."""
    database = sqlite3.connect(folder / "hub.sqlite")
    rows: list[Any] = database.execute("select position, record, chain from records order by position").fetchall()
    wrapped = {one[0]: Wrapped(*one) for one in database.execute("select id, interface, month, wrapped from keys")}
    database.close()
    assert chain.first_break(0, chain.start("hub"), rows) is None
    opener = Opener(folder / "keys" / SEALING)
    found = []
    for _, data, _ in rows:
        record = ledger.Record.FromString(data)
        if record.sealed:
            key = opener.unwrap(wrapped[record.key_id])
            found.append((record, ledger.Particulars.FromString(opened(key, record))))
    return found


def opened(key: bytes, record: ledger.Record) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key).decrypt(record.sealed[:12], record.sealed[12:], record.key_id)


async def hand_over(bench: Bench, key: str) -> str:
    """One message of the operation under a key; its id."""
    (found,) = await bench.engine.accept(
        [Arrival(OPERATION, SAMPLE.request.SerializeToString(), key, "", PRODUCER, OFFICER, f"call-{key}")]
    )
    assert isinstance(found, Accepted)
    return found.message_id


async def test_each_message_is_recorded_once_with_its_producer_and_the_person_behind_it(bench: Bench, tmp_path: Path) -> None:
    await bench.subscribe(SUBSCRIPTION)
    ids = [await hand_over(bench, key) for key in "abc"]
    with recorded(tmp_path, bench) as (recorder, _):
        await recorder.catch_up()
        await recorder.catch_up()
    found = records(tmp_path)
    assert [one.message_id for one, _ in found] == ids
    record, particulars = found[0]
    assert (record.kind, record.operation, record.consumer, record.call_id) == (ledger.KIND_OPERATION, OPERATION, PRODUCER, "call-a")
    assert (record.force, record.unit, record.outcome, record.platform, record.disclosed) == ("01", "ZD", "OK", "exchange", 0)
    assert particulars.officer == "P7654321"
    assert {one.kind for one in particulars.tokens} > {"officer"}
    assert abs(record.at.ToNanoseconds() / 1e9 - NOW) < 1


async def test_a_recorder_that_starts_again_goes_on_where_it_was(bench: Bench, tmp_path: Path) -> None:
    await bench.subscribe(SUBSCRIPTION)
    ids = [await hand_over(bench, "a")]
    with recorded(tmp_path, bench) as (recorder, _):
        await recorder.catch_up()
    ids += [await hand_over(bench, "b")]
    with recorded(tmp_path, bench) as (recorder, _):
        await recorder.catch_up()
    assert [one.message_id for one, _ in records(tmp_path)] == ids


async def test_what_persons_did_is_recorded_with_their_reason(bench: Bench, tmp_path: Path) -> None:
    await bench.subscribe(SUBSCRIPTION)
    message_id = await hand_over(bench, "a")
    await bench.engine.decide([(message_id, SUBSCRIPTION.name)], Event.PARK, by="P1234567", reason="the address is wrong")
    await bench.engine.pause(SUBSCRIPTION.name, paused=True, by="P1234567", reason="works")
    with recorded(tmp_path, bench) as (recorder, _):
        await recorder.catch_up()
    acts = [(one, told) for one, told in records(tmp_path) if one.kind == ledger.KIND_ACTION]
    assert [(one.operation, one.message_id, told.officer, told.justification) for one, told in acts] == [
        ("exchange/park", message_id, "P1234567", "the address is wrong"),
        ("exchange/pause", "", "P1234567", "works"),
    ]
    assert all("P1234567" not in str(one) and "wrong" not in str(one) for one, _ in acts)


async def test_a_message_that_is_handed_over_again_is_recorded_as_that_by_its_second_call(tmp_path: Path) -> None:
    kept = journal(tmp_path)
    try:
        calls = Calls(kept, IndexKeys(tmp_path / "keys" / INDEX))
        async with accepting_exchange(tmp_path, CONTRACTS, calls) as channel:
            ask: Any = channel.unary_unary(SAMPLE.operation.path, response_deserializer=Receipt.FromString)
            receipts = [
                await ask(SAMPLE.request.SerializeToString(), metadata=called(call_id), timeout=10) for call_id in ("call-a", "call-b")
            ]
    finally:
        kept.close()
    first, again = receipts
    assert again.duplicate_of == first.message_id
    ((record, particulars),) = records(tmp_path)  # what is accepted is recorded from where it is kept, which nobody does here
    assert (record.kind, record.outcome, record.call_id) == (ledger.KIND_OPERATION, "DUPLICATE", "call-b")
    assert (record.message_id, record.consumer, record.disclosed) == (first.message_id, PRODUCER, 0)
    assert particulars.officer == "P7654321"
    assert {one.kind for one in particulars.tokens} > {"officer"}


async def test_no_receipt_is_given_again_that_can_not_be_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = journal(tmp_path)
    try:
        async with accepting_exchange(tmp_path, CONTRACTS, Calls(kept, IndexKeys(tmp_path / "keys" / INDEX))) as channel:
            ask: Any = channel.unary_unary(SAMPLE.operation.path, response_deserializer=Receipt.FromString)
            await ask(SAMPLE.request.SerializeToString(), metadata=called("call-a"), timeout=10)

            async def failing(*_: Any) -> None:
                raise Fault(Reason.JOURNAL, "no room")

            monkeypatch.setattr(kept, "record", failing)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(SAMPLE.request.SerializeToString(), metadata=called("call-b"), timeout=10)
            assert reason_of(refused.value) == "JOURNAL"
    finally:
        kept.close()


def called(call_id: str) -> list[tuple[str, str]]:
    """What Envoy says of a call."""
    certificate = f"Hash=0;URI={PRODUCER}"
    return [(CERTIFICATE_HEADER, certificate), (CALL_ID_HEADER, call_id), (OFFICER_HEADER, OFFICER), (PURPOSES_HEADER, "*")]


async def test_a_message_that_can_not_be_recorded_now_is_recorded_later(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.subscribe(SUBSCRIPTION)
    message_id = await hand_over(bench, "a")
    with recorded(tmp_path, bench) as (recorder, kept):
        record = kept.record

        async def failing(*_: Any) -> None:
            raise RuntimeError("no room")

        monkeypatch.setattr(kept, "record", failing)
        with pytest.raises(RuntimeError):
            await recorder.catch_up()
        monkeypatch.setattr(kept, "record", record)
        await recorder.catch_up()
    assert [one.message_id for one, _ in records(tmp_path)] == [message_id]
