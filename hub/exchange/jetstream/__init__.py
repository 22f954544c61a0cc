"""The exchange on a log that several hubs share, NATS JetStream; each hub carries it out on a SQLite file of its own."""

from hub.exchange.jetstream.engine import JetStreamEngine
from hub.exchange.jetstream.settings import Settings

__all__ = ["JetStreamEngine", "Settings"]
