"""Where an adapter runs: the paths and addresses that the process was started with, and what it may use of its surroundings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import grpc

from metip.call import Call
from metip.faults import Fault, Reason
from metip.logs import Log
from metip.tracing import HEADER as TRACE_HEADER
from metip.tracing import PARENT_HEADER, parent_in

Req = TypeVar("Req")
Res = TypeVar("Res")
# Kept back from each consulted call, in seconds, so that this adapter can still say what went wrong.
MARGIN = 0.02


@dataclass(frozen=True)
class Identity:
    """Files of this workload's SPIFFE identity and of the authority that signed its peers'."""

    certificate: Path
    key: Path
    authority: Path


@dataclass
class Mesh:
    """The way through Envoy to other interfaces, under this adapter's own identity and the asker's token."""

    address: str
    identity: Identity
    server_name: str = "localhost"
    _channel: grpc.aio.Channel | None = field(default=None, repr=False)
    _read_at: float = field(default=0.0, repr=False)

    def channel(self) -> grpc.aio.Channel:
        """A channel to Envoy; a new one after the certificate's file changed, since a channel keeps the certificate it began with."""
        changed = self.identity.certificate.stat().st_mtime
        if self._channel is None or changed != self._read_at:
            credentials = grpc.ssl_channel_credentials(
                root_certificates=self.identity.authority.read_bytes(),
                private_key=self.identity.key.read_bytes(),
                certificate_chain=self.identity.certificate.read_bytes(),
            )
            options = [("grpc.ssl_target_name_override", self.server_name), ("grpc.enable_retries", 0)]
            self._channel = grpc.aio.secure_channel(self.address, credentials, options=options)
            self._read_at = changed
        return self._channel

    async def close(self) -> None:
        """Ends the channel."""
        if self._channel is not None:
            await self._channel.close()


async def consult(ask: Callable[..., Awaitable[Res]], request: Any, call: Call, *, within: float | None = None) -> Res:
    """Calls another interface on the asker's behalf: their token, their deadline less a margin, their trace.

    `within` bounds it further, in seconds. Raises `grpc.aio.AioRpcError` as the stub does and `Fault` TIMED_OUT when no time is left.
    """
    left = call.remaining - MARGIN if within is None else min(within, call.remaining - MARGIN)
    if left <= 0:
        raise Fault(Reason.TIMED_OUT, "no time was left to ask")
    metadata = [("authorization", call.authorization)] if call.authorization else []
    if trace := call.trace:
        metadata.append((TRACE_HEADER, trace))
    if parent_in(call.id):
        metadata.append((PARENT_HEADER, call.id))
    return await ask(request, timeout=left, metadata=metadata)


@dataclass(frozen=True)
class Site:
    """What the process gives to an adapter beside its own settings."""

    log: Log
    mesh: Mesh | None = None
    """The way to other interfaces; None where the process was started without an identity."""
    hub: str = ""
    """Address of the hub's own socket, where outcomes of messages are reported; empty where the process was started without one."""
    first: bool = True
    """Whether this is the first of the adapter's workers: what may run only once, such as reading a folder, runs there."""
