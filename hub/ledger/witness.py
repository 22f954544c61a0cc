"""`python -m hub.ledger.witness --settings witness.yaml`: the process that cosigns what the ledger signs, with a key of its own.

It shares nothing with the hub but the ledger's public keys. Whoever wants to put the ledger back must put back the witness's file too: keep
it on another machine, or at least as another user.
"""

import metip.polling  # noqa: F401 - before gRPC

# isort: split

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import apsw
import grpc
import protovalidate
import uvloop
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from hub.ledger import signing
from hub.ledger.notes import Signer, Verifier
from hub.ledger.signing import SigningKeyError
from hub.ledger.witnessing import Memory, Reason, RefusedCheckpointError
from metip.hub.v1.witness_settings_pb2 import WitnessSettings
from metip.ledger.v1 import witness_service_pb2 as api
from metip.ledger.v1.witness_service_pb2_grpc import WitnessServiceServicer, add_WitnessServiceServicer_to_server
from metip.logs import Log
from metip.rules import where
from metip.settings import SettingsError, read_settings

HALTED: Final = 70
"""The exit code of a witness that could not remember: it signs nothing more."""
GRACE: Final = 2.0
STATUSES: Final = {
    Reason.MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.UNKNOWN_LOG: grpc.StatusCode.NOT_FOUND,
    Reason.UNSIGNED: grpc.StatusCode.PERMISSION_DENIED,
    Reason.STALE: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.ROLLBACK: grpc.StatusCode.DATA_LOSS,
    Reason.FORK: grpc.StatusCode.DATA_LOSS,
}


class WitnessApi(WitnessServiceServicer):
    """Remembers, then signs."""

    def __init__(self, memory: Memory, signer: Signer, logs: tuple[Path, ...], log: Log) -> None:
        self._memory, self._signer, self._logs, self._log = memory, signer, logs, log
        self._validator = protovalidate.Validator()

    async def AddCheckpoint(self, request: api.AddCheckpointRequest, context: Any) -> api.AddCheckpointResponse:  # noqa: N802
        """Takes a checkpoint; see the contract."""
        await self._check(request, context)
        try:
            taken = self._memory.add(request.checkpoint, request.old_size, request.proof, self._trusted())
        except RefusedCheckpointError as error:
            if error.reason is not Reason.STALE:
                self._log.line("checkpoint_refused", reason=error.reason.value, problem=str(error))
            await context.abort(STATUSES[error.reason], str(error))
            raise
        except apsw.Error as error:
            self._log.line("halted", problem=type(error).__name__)
            os._exit(HALTED)
        return api.AddCheckpointResponse(signature=self._signer.sign(str(taken), time=int(time.time())))

    async def GetCheckpoint(self, request: api.GetCheckpointRequest, context: Any) -> api.GetCheckpointResponse:  # noqa: N802
        """Tells what is remembered; see the contract."""
        await self._check(request, context)
        if all(key.name != request.origin for key in self._trusted()):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"{Reason.UNKNOWN_LOG}: no log of that origin is watched")
        known, note = self._memory.known(request.origin)
        return api.GetCheckpointResponse(size=known.size, checkpoint=note)

    def _trusted(self) -> tuple[Verifier, ...]:
        """Keys of the logs as the files say now; of a file that can't be read, none."""
        found: list[Verifier] = []
        for path in self._logs:
            try:
                found += signing.read_public(path)
            except SigningKeyError as error:
                self._log.line("file_refused", file=path.name, problem=str(error))
        return tuple(found)

    async def _check(self, request: Message, context: Any) -> None:
        try:
            self._validator.validate(request)
        except protovalidate.ValidationError as error:
            broken = "; ".join(f"{where(one) or 'the request'}: {one.proto.message}" for one in error.violations)
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, broken)


async def serve(path: Path, stop: asyncio.Event) -> None:
    """Runs a witness from an absolute path of a settings file until `stop`. Raises `SettingsError`."""
    said, folder, log = read_settings(path, WitnessSettings), path.parent, Log(process="witness")
    try:
        keys = signing.load(folder / said.keys, said.name, signing.WITNESS)
        memory = Memory(folder / said.file)
    except SigningKeyError as error:
        raise SettingsError(str(path), (f"keys: {error}",)) from None
    except (OSError, apsw.Error) as error:
        raise SettingsError(str(path), (f"file: {said.file} can't be opened: {error}",)) from None
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_WitnessServiceServicer_to_server(WitnessApi(memory, keys.signer, tuple(folder / one for one in said.logs), log), server)
    healthy = health.aio.HealthServicer()
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    socket = folder / said.socket
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
    old = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{socket}")
    finally:
        os.umask(old)
    await server.start()
    log.line("started", socket=str(socket), key=str(keys.signer.verifier))
    await stop.wait()
    await server.stop(GRACE)
    memory.close()
    log.line("stopped")


def main() -> int:
    """Reads the arguments, runs until told to stop, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hub.ledger.witness", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="YAML settings (metip.hub.v1.WitnessSettings)")
    return run(parser.parse_args().settings)


def run(settings: Path) -> int:
    """Runs a witness until the process is told to stop; the exit code."""

    path = settings.resolve()

    async def body() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(path, stop)

    try:
        uvloop.run(body())
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the one message before logging begins
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
