"""How much a client may ask of the edge. Tests prove with the real Envoy that each bites (`tests/mesh/test_edge_limits.py`)."""

from dataclasses import dataclass
from typing import Final

KIBI: Final = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The edge's limits; the defaults are those of production."""

    headers: int = 60
    header_kilobytes: int = 16
    streams: int = 100
    """Calls at once on one connection."""
    stream_window: int = 64 * KIBI
    connection_window: int = 1024 * KIBI
    buffer: int = 32 * KIBI
    """Bytes that Envoy keeps of a connection's data in each direction; of a request, as many as its contract allows."""
    json_bytes: int = 1024 * KIBI
    """The longest body that is turned from JSON into a message; a contract that allows less is still asked."""
    handshake: float = 10.0
    """Seconds for TLS to be set up."""
    headers_within: float = 10.0
    """Seconds for a request's headers to arrive."""
    idle: float = 3600.0
    """Seconds that a connection without calls is kept."""
    stream_idle: float = 300.0
    """Seconds that a call may be silent; its whole length is bounded by its contract."""
    ping_every: float = 30.0
    pong_within: float = 10.0
    resets: int = 200
    """Streams that a client may take back at once (Rapid Reset), or make us reset (MadeYouReset)."""
    resets_per_second: int = 100
    control_frames: int = 1000
    """SETTINGS, PING and RST_STREAM frames that wait to be sent to a client which does not read."""
    frames: int = 10_000
    calls_per_second: int = 10_000
    """Calls of one consumer, whatever it calls."""
    burst: int = 20_000
    consumers: int = 1000
    """Consumers that are counted apart; past them the one that was quiet for longest starts anew."""


PRODUCTION: Final = Limits()
