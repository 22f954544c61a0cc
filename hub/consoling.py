"""What the console needs of the hub beyond its own services, wired: the way to the edge on which operations are tried out."""

from contextlib import AsyncExitStack

import grpc

from hub import settings as settings_files
from hub.api.actions import Recorder
from hub.api.trying import TryApi
from hub.contracts import Contracts
from hub.exchange.sending import Sender
from hub.mesh.inputs import console_identity
from metip.console.v1.try_service_pb2_grpc import add_TryServiceServicer_to_server


def open_trying(
    settings: settings_files.Settings, contracts: Contracts, record: Recorder, server: grpc.aio.Server, stack: AsyncExitStack
) -> None:
    """Serves `TryService` for the life of the stack, where the settings give the console an identity among consumers."""
    said, folder = settings.console, settings.folder
    if said is None or not said.consumer_certificate:
        return
    address = f"{settings.edge.address or '127.0.0.1'}:{settings.edge.port}"
    edge = Sender(address, folder / said.consumer_certificate, folder / said.consumer_key, folder / settings.edge.authority)
    stack.push_async_callback(edge.close)
    add_TryServiceServicer_to_server(TryApi(contracts, edge, console_identity(settings.trust_domain), record), server)
