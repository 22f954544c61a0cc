"""The exchange on one SQLite file: WAL, `synchronous = FULL`, one writing thread, group commit."""

from hub.exchange.sqlite.engine import SqliteEngine

__all__ = ["SqliteEngine"]
