"""One of two platforms of the probes' far system: the kit's stage before a handler that writes down each effect.

`python -m tests.faults.platform SYSTEM NUMBER SOCKET REGISTRY LEDGER EXECUTIONS`. Its ledger of effects is a far system that knows a probe
by its id, as the contract says: a line is written for each execution that passed the stage, with the platform's name first.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import grpc
import uvloop
from exchange_rig import INTERFACE, PROBE, contracts, kind
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from adapters.kit.owned import Owned
from adapters.kit.registration import Registration
from metip.call import Call, call_from
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED, Receipt
from metip.faults import Fault, status_of
from metip.logs import Log

SLOW = 0.02


async def serve(system: str, number: int, socket: Path, registry: str, ledger: Path, executions: Path) -> None:
    """Serves until it is told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    effects = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    stage = Owned(executions, system, number, Log(system=system))
    operation = contracts().operations[PROBE]
    request_kind: Any = kind(operation.request)

    async def execute(request: Any, call: Call) -> Receipt:
        assert call.handover is not None
        await asyncio.sleep(random.uniform(0, SLOW))
        line = "\t".join((system, request.id, request.line, str(request.place), call.handover.message_id, str(call.handover.attempt)))
        os.write(effects, f"{line}\n".encode("ascii"))
        await asyncio.sleep(random.uniform(0, SLOW))
        return Receipt(progress=PROGRESS_PROCESSED)

    guarded = stage.guarded(operation, contracts().post(system, PROBE), execute)

    async def take(data: bytes, context: Any) -> bytes:
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        call = call_from(metadata, PROBE, remaining=None)
        try:
            return (await guarded(request_kind.FromString(data), call)).SerializeToString()
        except Fault as fault:
            await context.abort_with_status(rpc_status.to_status(status_of(fault, system=system, call_id=call.id)))
            raise

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handler: Any = grpc.unary_unary_rpc_method_handler(take)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(INTERFACE, {"PublishProbe": handler}),))
    state = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    await state.set(INTERFACE, health_pb2.HealthCheckResponse.SERVING)
    socket.unlink(missing_ok=True)
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    name = f"{socket.stem}-{os.getpid()}"
    registration = Registration(registry, name, system, (INTERFACE,), f"unix:{socket}", Log(system=system), stage)
    keeping = asyncio.create_task(registration.keep())
    await stop.wait()
    await state.enter_graceful_shutdown()
    keeping.cancel()
    await registration.end()
    await server.stop(1)
    await asyncio.to_thread(stage.close)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], Path(sys.argv[5]), Path(sys.argv[6])))
