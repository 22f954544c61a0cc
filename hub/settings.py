"""The hub's settings, as its file says them. What the files say that they name is read by `hub.sources`.

The command line reads them for almost every command, so that little is imported here.
"""

from dataclasses import dataclass, field
from pathlib import Path

from metip.hub.v1 import settings_pb2
from metip.settings import read_settings
from metip.telemetry.v1.telemetry_pb2 import Telemetry


@dataclass(frozen=True)
class Settings:
    """Settings with every path made absolute."""

    trust_domain: str
    socket: Path
    state: Path
    access: Path
    edge: settings_pb2.Edge
    exchange: settings_pb2.Exchange | None
    """None where the hub takes no messages."""
    folder: Path
    ledger: settings_pb2.Ledger | None = None
    """None where the hub keeps no ledger."""
    traffic: Path | None = None
    """None where each interface is left to the system that owns it."""
    envoy_admin: Path | None = None
    """None where nobody watches what is set by hand in Envoy."""
    migration: Path | None = None
    """None where the plan is what systems say of themselves."""
    telemetry: Telemetry = field(default_factory=Telemetry)
    """Where metrics are shown and traces sent; nowhere by default."""
    approvals: settings_pb2.Approvals = field(default_factory=settings_pb2.Approvals)
    """Whose approval a changed policy needs; nobody's by default."""
    console: settings_pb2.Console | None = None
    """None where there is no console."""
    adapter_logs: Path | None = None
    """None where the adapters' logs are not on this machine."""


def read(path: Path, *, judged: bool = True) -> Settings:
    """Reads the settings file; not `judged` by whoever looks for a hub that did so when it started. Raises `SettingsError`."""
    message = read_settings(path, settings_pb2.Settings, judged=judged)
    folder = path.resolve().parent
    return Settings(
        trust_domain=message.trust_domain,
        socket=folder / message.socket,
        state=folder / message.state,
        access=folder / message.access,
        edge=message.edge,
        exchange=message.exchange if message.HasField("exchange") else None,
        ledger=message.ledger if message.HasField("ledger") else None,
        folder=folder,
        traffic=folder / message.traffic if message.traffic else None,
        envoy_admin=folder / message.envoy_admin if message.envoy_admin else None,
        migration=folder / message.migration if message.migration else None,
        adapter_logs=folder / message.adapter_logs if message.adapter_logs else None,
        approvals=message.approvals,
        telemetry=message.telemetry,
        console=message.console if message.HasField("console") else None,
    )
