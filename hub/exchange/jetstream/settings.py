"""What the JetStream engine needs to be told."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the log is and who this hub is; times in seconds.

    A server must be set to sync before it acknowledges (`jetstream { sync_interval: always }`), which is looked up at `monitor`; or the
    stream must have three replicas or more. Its `max_payload` bounds one message.
    """

    servers: tuple[str, ...]
    """`nats://host:port` or `tls://host:port`."""
    stream: str
    """Name of the log, of the bucket of its snapshots (`<name>-snapshots`), and the first part of its subjects (`<name>.<hub>`)."""
    folder: Path
    """This hub's own; it can be made again from the log."""
    hub: str
    """This hub's name, unlike that of any other hub; it stays the same when it starts again."""
    credentials: Path | None = None
    """A NATS credentials file."""
    tls: ssl.SSLContext | None = None
    replicas: int = 1
    """Of a stream that does not exist yet."""
    monitor: str = ""
    """The server's monitoring address, `http://host:8222`; needed where the stream has fewer than three replicas."""
    lease: float = 15.0
    """A hub that wrote nothing for so long has lost its attempts to the others."""
    patience: float = 5.0
    """How long a request waits for a log that can't be reached before it is refused; also for a start."""
    snapshot_every: int = 100_000
    """Entries; the log keeps at most about twice as many."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for a name that can't be part of a subject."""
        for name in (self.stream, self.hub):
            if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
                raise ValueError(f"{name!r} is not a name of letters, digits, - and _")
