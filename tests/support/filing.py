"""Has the SQLite engine file its keys much sooner than in life, so that short runs see many filings and what opens in between."""

from typing import Any

from hub.exchange.sqlite import keyed


def soon(messages: int = 37) -> None:
    """After so many messages, in this process."""
    module: Any = keyed
    module.AT_ONCE = messages
