"""How pairs for the comparator come about, wired: what adapters offer, what operators set and record, the way to the other platform."""

from contextlib import AsyncExitStack
from pathlib import Path

import grpc

from hub import settings as settings_files
from hub.api.actions import Recorder
from hub.api.recordings import RecordingApi
from hub.api.sampling import SamplingApi, TapApi
from hub.contracts import Contracts
from hub.exchange.sending import Sender
from hub.mesh.registry import Registry
from hub.parity.asking import Take
from hub.parity.running import Pairs
from metip.parity.v1.recording_service_pb2_grpc import add_RecordingServiceServicer_to_server
from metip.parity.v1.sampling_service_pb2_grpc import add_SamplingServiceServicer_to_server
from metip.parity.v1.tap_service_pb2_grpc import add_TapServiceServicer_to_server


def opened_pairs(
    settings: settings_files.Settings,
    contracts: Contracts,
    registry: Registry,
    record: Recorder,
    take: Take,
    server: grpc.aio.Server,
    stack: AsyncExitStack,
) -> Pairs | None:
    """The making of pairs for the life of the stack, served; `take` is the comparator's. What is compared goes the way of deliveries, so
    that without an exchange there is none, and without a ledger, whose keys seal them, there are no recordings."""
    said = settings.exchange
    if said is None:
        return None
    folder: Path = settings.folder
    sender = Sender(f"127.0.0.1:{said.deliveries_port}", folder / said.certificate, folder / said.key, folder / settings.edge.authority)
    stack.push_async_callback(sender.close)
    keys = folder / settings.ledger.keys if settings.ledger is not None else None
    pairs = Pairs(settings.state, contracts, lambda: registry.instances, sender.channel, record, ledger_keys=keys, take=take)
    stack.push_async_callback(pairs.close)
    add_TapServiceServicer_to_server(TapApi(pairs), server)
    add_SamplingServiceServicer_to_server(SamplingApi(pairs), server)
    if pairs.recordings is not None and pairs.replayer is not None:
        add_RecordingServiceServicer_to_server(RecordingApi(pairs, pairs.recordings, pairs.replayer), server)
    return pairs
