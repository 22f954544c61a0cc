"""Collecting from the CJS Exchange what it could not deliver, by `retrieve`: at the start, and at an interval where one is set."""

import asyncio
from datetime import UTC, datetime, timedelta

from adapters.kit import Fault
from adapters.kit.binding import WireError
from adapters.kit.errands import errand
from adapters.libra import codes
from adapters.libra.inbox import Inbox
from adapters.libra.upstream import Exchange
from adapters.libra.wire import decode_text
from metip.libra.v1.settings_pb2 import Settings
from metip.logs import Log

AGAIN = 5.0
"""Seconds before an attempt that failed is repeated."""
WITHIN = 60.0
SINCE = timedelta(hours=24)


async def collect(settings: Settings, exchange: Exchange, inbox: Inbox, log: Log) -> None:
    """Collects until cancelled, or once where no interval is set, or until the exchange says that it has no retrieval."""
    every = settings.retrieve_every.ToTimedelta().total_seconds() if settings.HasField("retrieve_every") else 0.0
    since = datetime.now(UTC) - (settings.retrieve_since.ToTimedelta() if settings.HasField("retrieve_since") else SINCE)
    failing = False
    while True:
        pause = AGAIN
        try:
            answer = await exchange.retrieve(since, errand("retrieve", within=WITHIN))
            failing = False
            if answer is None:
                return
            if all([await _take(inbox, message, log) for message in answer.messages]):
                since, pause = answer.last or since, every
                if not every:
                    return
        except Fault as fault:
            if not failing:
                log.line("retrieve_failed", reason=fault.metadata.get("code") or fault.reason.name)
            failing = True
        await asyncio.sleep(pause)


async def _take(inbox: Inbox, message: str, log: Log) -> bool:
    """Whether a message is done with: taken, or such that nobody here ever will."""
    try:
        return await inbox.take(decode_text(message)) not in codes.RETRY
    except WireError as error:
        log.line("delivery_refused", problem=str(error))
        return True
