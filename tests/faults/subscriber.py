"""A subscriber of the test's own: takes probes, writes each delivery to its ledger before it answers, and is idempotent by probe id.

`python -m tests.faults.subscriber SOCKET REGISTRY LEDGER MODE`. The ledger is appended to in one write a line, so lines of several
processes do not mix and what was written survives the process. MODE is a file that says what to do; see `ExchangeRig.mode`.
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
from exchange_rig import INTERFACE, SYSTEM, kind
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from adapters.kit.registration import Registration
from metip.call import call_from
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED, Receipt
from metip.faults import Fault, Reason, status_of
from metip.logs import Log

METHODS = ("PublishProbe", "PublishOnce")


class Taker:
    """Takes probes."""

    def __init__(self, ledger: Path, mode: Path) -> None:
        self._ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._mode = mode

    def handler(self, method: str) -> Any:
        """The gRPC handler of one operation."""
        request_kind: Any = kind(f"metip.probe.v1.{method}Request")

        async def take(data: bytes, context: Any) -> bytes:
            metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            call = call_from(metadata, f"{INTERFACE}/{method}", remaining=None)
            assert call.handover is not None, "only the exchange reaches this"
            asked, handed = request_kind.FromString(data), call.handover
            mode = self._told()
            if mode.get("poison") and asked.id.startswith(mode["poison"]):
                fault = Fault(Reason.NO_TRACE, "the far system knows nobody by that name")
                await context.abort_with_status(rpc_status.to_status(status_of(fault, system=SYSTEM, call_id=call.id)))
            slow = float(mode.get("slow", 0))
            if slow:
                await asyncio.sleep(random.uniform(0, slow))
            redelivery = "again" if handed.redelivery else "first"
            line = "\t".join((method, asked.id, asked.line, str(asked.place), handed.message_id, str(handed.attempt), redelivery))
            os.write(self._ledger, f"{line}\n".encode("ascii"))
            if slow:
                await asyncio.sleep(random.uniform(0, slow))
            return Receipt(progress=PROGRESS_PROCESSED).SerializeToString()

        return grpc.unary_unary_rpc_method_handler(take)

    def _told(self) -> dict[str, str]:
        words = self._mode.read_text(encoding="ascii").split() if self._mode.exists() else []
        return dict(zip(words[::2], words[1::2], strict=True))


async def serve(socket: Path, registry: str, ledger: Path, mode: Path) -> None:
    """Serves until it is told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    taker = Taker(ledger, mode)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(INTERFACE, {name: taker.handler(name) for name in METHODS}),))
    state = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    await state.set(INTERFACE, health_pb2.HealthCheckResponse.SERVING)
    socket.unlink(missing_ok=True)
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    registration = Registration(registry, f"{socket.stem}-{os.getpid()}", SYSTEM, (INTERFACE,), f"unix:{socket}", Log(system=SYSTEM))
    keeping = asyncio.create_task(registration.keep())
    await stop.wait()
    await state.enter_graceful_shutdown()
    keeping.cancel()
    await registration.end()
    await server.stop(1)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
