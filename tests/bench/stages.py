"""Where the adapter's CPU goes: each stage of the kit's pipeline by itself, warm, in this process, in microseconds a call."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import protovalidate
import uvloop

from adapters.kit import pipeline as kit
from adapters.kit.journal import NoJournal, Told
from metip.call import CALL_ID_HEADER, call_from
from metip.journal.blinding import IndexKeys
from metip.journal.keys import INDEX, SEALING, ensure_keys
from metip.journal.records import OK, Draft, Recording
from metip.journal.sealing import Sealer
from metip.journal.store import Journal
from metip.logs import Log
from metip.telemetry import tracing
from metip.telemetry.spread import Counted
from metip.tracing import HEADER as TRACE_HEADER
from tests.bench.exchange import CONSUMER, Exchange, from_the_edge

TOGETHER = 64
RECORD, KEPT = "the record, made", f"the record, made, sealed, chained and kept, {TOGETHER} at a time"
WHOLE = "whole pipeline, with nothing recorded"


class Arriving:
    """As much of a gRPC context as the pipeline asks for, with the metadata that the edge sends."""

    def __init__(self, token: str) -> None:
        self._metadata = (("te", "trailers"), *from_the_edge(token), ("user-agent", "h2load"))

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata."""
        return self._metadata

    def time_remaining(self) -> float:
        """Seconds until the caller gives up."""
        return 10.0


def python_stages(exchange: Exchange, token: str, *, loops: int) -> dict[str, float]:
    """Microseconds of CPU by stage. The last, the whole pipeline, is those before the record as they run together."""
    with (
        Path(os.devnull).open("w", encoding="utf-8", buffering=1) as nowhere,  # a write a line, as standard error has it
        tempfile.TemporaryDirectory(prefix="metip-bench-") as folder,
    ):
        ensure_keys(Path(folder))
        recording = Recording("bench", IndexKeys(Path(folder) / INDEX))
        stages = _stages(exchange, token, Log(nowhere, system="bench", worker=0), recording)
        found = {name: _microseconds(stage, loops) for name, stage in stages.items()}
        kept = _kept(Path(folder), stages[RECORD], loops)
    whole = found.pop(WHOLE)
    return {**found, KEPT: kept, WHOLE: whole}


def _kept(folder: Path, made: Callable[[], Any], loops: int) -> float:
    """A record from beginning to end, on the loop and on the journal's thread, among `TOGETHER` calls that wait for theirs."""
    journal = Journal(folder / "bench-0.sqlite", "bench-0", "bench", Sealer(folder / SEALING), on_broken=lambda _broken: os._exit(1))

    async def caller(number: int) -> None:
        for _ in range(number):
            await journal.record_made(made)

    async def all_of_them(number: int) -> None:
        await asyncio.gather(*(caller(number) for _ in range(TOGETHER)))

    each = max(1, loops // TOGETHER)
    with closing(journal), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = []
        for _ in range(3):
            started = time.process_time()
            runner.run(all_of_them(each))
            found.append((time.process_time() - started) / (each * TOGETHER) * 1_000_000)
    return min(found)


def _stages(exchange: Exchange, token: str, log: Log, recording: Recording) -> dict[str, Callable[[], Any]]:
    operation, request, reply = exchange.operation, exchange.request, exchange.reply
    data, context, validator = request.SerializeToString(), Arriving(token), protovalidate.Validator()

    async def handler(request: Any, call: Any) -> Any:
        return reply

    shared = kit.Pipeline(exchange.system, NoJournal(), log, kit.Gate(200), validator)
    answer: Any = shared.compile(operation, type(request), handler).unary_unary
    metadata = dict(context.invocation_metadata())

    def whole() -> None:
        try:
            answer(data, context).send(None)
        except StopIteration:
            return

    def record() -> list[Draft]:
        told = Told()
        told.add(operation, call, reply)
        return recording.of_call(told.facts(operation, call, request, OK, 0.01))

    call = call_from(metadata, operation.name, remaining=10.0)
    tell = log.prepared("operation", "outcome", "ms", "call_id", "consumer", operation=operation.name)

    def line() -> None:
        tell("OK", 1.25, metadata[CALL_ID_HEADER], CONSUMER)

    counted = Counted()

    def count() -> None:
        if TRACE_HEADER in metadata:
            tracing.begin_call(operation.name, tracing.Role.SERVER, metadata[TRACE_HEADER])
        counted.ended("OK", 0.00125)

    return {
        "decode": lambda: type(request).FromString(data),
        "who calls, for which officer, until when": lambda: call_from(metadata, operation.name, remaining=10.0),
        "protovalidate": lambda: validator.validate(request),
        "encode": reply.SerializeToString,
        "log line": line,
        "counted for metrics": count,
        RECORD: record,
        WHOLE: whole,
    }


def _microseconds(stage: Callable[[], object], loops: int) -> float:
    """The least of three goes, since anything else that runs on the machine only adds to it."""
    found = []
    for _ in range(3):
        started = time.process_time()
        for _ in range(loops):
            stage()
        found.append((time.process_time() - started) / loops * 1_000_000)
    return min(found)
