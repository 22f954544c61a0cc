"""The exchange's share of the record of access: what was accepted, and what persons did to it.

The law: messages and decisions are durable before anybody hears of them, and they are recorded from where they are kept, each once: how far
the reading came is kept in the transaction of the records themselves. So nothing is recorded that did not happen, no crash loses a record,
and accepting waits for none.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from google.protobuf.message import DecodeError, Message

from hub.exchange.accepting import Acceptor
from hub.exchange.calls import SYSTEM
from hub.exchange.life import BY_A_PERSON
from hub.exchange.port import Engine
from hub.exchange.records import Act
from hub.exchange.records import Message as Kept
from metip.call import Call, officer_of
from metip.faults import Fault
from metip.journal.blinding import IndexKeys
from metip.journal.records import OK, Draft, Facts, Recording, of_journal
from metip.journal.store import Journal
from metip.journal.subjects import subjects
from metip.ledger.v1.record_pb2 import KIND_HEARTBEAT
from metip.logs import Log

MESSAGES, ACTS = "exchange/message", "exchange/act"
AT_ONCE: Final = 200
"""Things that are read and recorded together; between two lots everybody else has their turn."""
EVERY: Final = 0.1
BREATH: Final = 0.01
OF_A_DELIVERY: Final = frozenset(event.value for event in BY_A_PERSON)
"""Acts whose subject begins with a message id."""
UNRECORDED: Final = 10_000
"""Messages without personal data after which it is kept how far the reading came."""


class ExchangeRecorder:
    """Records what one engine keeps."""

    def __init__(self, engine: Engine, acceptors: Mapping[str, Acceptor], journal: Journal, keys: IndexKeys, log: Log) -> None:
        self._engine, self._acceptors, self._journal, self._log = engine, acceptors, journal, log
        self._personal = frozenset(name for name, one in acceptors.items() if one.operation.personal)
        self._recording = Recording(SYSTEM, keys)
        self._message = self._marked = journal.marks.get(MESSAGES, 0)
        self._act = journal.marks.get(ACTS, 0)

    async def run(self) -> None:
        """Records until it is cancelled. While nothing can be recorded, as on a full disk, it waits; what there is stays where it is."""
        able = True
        while True:
            try:
                done = await self._messages() + await self._acts()
            except Fault as fault:
                if able:
                    self._log.line("exchange_not_recorded", problem=fault.text)
                able, done = False, 0
            else:
                able = True
            await asyncio.sleep(EVERY if done < AT_ONCE else BREATH)

    async def catch_up(self) -> None:
        """Records all that there is now."""
        while await self._messages() + await self._acts():
            pass

    async def _messages(self) -> int:
        """How many places were passed."""
        found, last = await self._engine.accepted_after(self._message, AT_ONCE, self._personal)
        drafts = [draft for one in found for draft in self._of_message(one)]
        if not drafts and last - self._marked >= UNRECORDED:
            drafts = [of_journal(KIND_HEARTBEAT, "", SYSTEM, time.time_ns())]
        if drafts:
            drafts[-1].mark = (MESSAGES, last)
            await self._journal.record(*drafts)
            self._marked = last
        passed, self._message = last - self._message, last
        return passed

    async def _acts(self) -> int:
        found = await self._engine.acts_after(self._act, AT_ONCE)
        if found:
            drafts = [self._of_act(one) for one in found]
            drafts[-1].mark = (ACTS, found[-1].place)
            await self._journal.record(*drafts)
            self._act = found[-1].place
        return len(found)

    def _of_message(self, kept: Kept) -> Sequence[Draft]:
        """The record of one message; none of an operation without personal data, or of one that is no longer known."""
        acceptor = self._acceptors.get(kept.operation)
        if acceptor is None or not acceptor.operation.personal:
            return ()
        officer = None
        with suppress(Fault):  # a payload that was good when it came: one that no longer reads must not hold up the others
            officer = officer_of(kept.officer) if kept.officer else None
        call_id = kept.call_id or kept.message_id
        call = Call(call_id, kept.operation, kept.producer, officer, deadline=0.0, traceparent=kept.traceparent)
        request = _read(acceptor, kept.body)
        named = subjects(request) if request is not None else ()
        drafts = self._recording.of_call(Facts(acceptor.operation, call, request, OK, 0.0, subjects=named))
        for draft in drafts:
            draft.record.message_id = kept.message_id
            draft.record.at.FromNanoseconds(int(kept.accepted * 1e9))
        return drafts

    def _of_act(self, act: Act) -> Draft:
        message_id = act.subject.split(" ")[0] if act.what in OF_A_DELIVERY else ""
        officer, by = ("", act.by) if "/" in act.by or not any(map(str.isdigit, act.by)) else (act.by, "")
        draft = self._recording.of_action(
            f"exchange/{act.what}", by=by, officer=officer, detail=act.subject, reason=act.reason, message_id=message_id
        )
        draft.record.at.FromNanoseconds(int(act.at * 1e9))
        return draft


def _read(acceptor: Acceptor, body: bytes) -> Message | None:
    try:
        return acceptor.kind.FromString(body)
    except DecodeError:
        return None
