"""The way to LEDS: who asks and why in the headers of each request, and the one place where its errors become the faults that PNC's are."""

import importlib.resources
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Self
from urllib.parse import quote
from uuid import uuid4, uuid5

from adapters.kit import Call, Fault, Log, Reason
from adapters.kit.http import HttpAnswer
from adapters.kit.posting import PostingClient
from adapters.kit.refusals import Refusals
from adapters.leds.wire import ERROR, Action, Record, WireError, decode, encode
from metip.common.v1.access_pb2 import AccessContext
from metip.leds.v1.settings_pb2 import Settings
from metip.options.v1.options_pb2 import PURPOSE_AUDIT
from metip.pnc.reasons import reason_code
from metip.pnc.values import typed

AGAIN: Final = timedelta(seconds=10)
UNATTENDED: Final = "Automated request of the force's integration hub"
"""The justification of a request in which nobody gave one (assumed); LEDS takes none without."""
SAID: Final = ("justification", "reference", "on_behalf_of")
SHORTEST: Final = 3
DONE: Final = (200, 201)
# The types are Bichard 7's list, what they mean to us follows PNC's nearest code (assumed).
REFUSALS: Final = Refusals(importlib.resources.files("adapters.leds").joinpath("errors.table").read_text(encoding="utf-8"))


class Leds:
    """The service: every answer is a record, every refusal a `Fault`."""

    def __init__(self, rest: PostingClient, settings: Settings) -> None:
        self._rest = rest
        self._system_name = settings.system_name or "MetIP Hub"
        self._sessions = uuid4()
        self.update_owner = settings.update_owner

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way for the length of the block. Raises `SettingsError` for an address or a file that can't be used."""
        async with PostingClient.connected(settings.upstream, settings.logon, log) as rest:
            yield cls(rest, settings)

    async def ask(self, action: Action, record: Record, call: Call, access: AccessContext, **ids: str) -> Record:
        """One request. `ids` fill the path. Raises `Fault`: every error by `REFUSALS`; IN_DOUBT for an update that may have been done."""
        headers = self._headers(action, call, access)
        try:
            data, path = encode(action.asks, record), action.path.format(**{name: quote(one, safe="") for name, one in ids.items()})
        except WireError as error:
            raise Fault(Reason.INVALID_REQUEST, f"LEDS takes no such message: {error}") from None
        return await self._rest.post(path, data, headers, call, partial(_outcome, action), write_once=action.update)

    def _headers(self, action: Action, call: Call, access: AccessContext) -> dict[str, str]:
        at = datetime.now(UTC)
        said = {name: typed(" ".join(getattr(access, name).split()), f"access.{name}") for name in SAID}
        asker = call.officer.warrant_number if call.officer else ""
        reason = reason_code(PURPOSE_AUDIT if action.update else access.purpose, at.date())
        behalf = said["on_behalf_of"] or asker
        call_id = call.id or str(uuid4())
        return {
            "X-Leds-Session-Id": str(uuid5(self._sessions, asker or call.consumer)),
            "X-Leds-System-Name": self._system_name,
            "X-Leds-Application-Datetime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "X-Leds-Justification": said["justification"] or UNATTENDED,
            "X-Leds-Reason": str(reason),
            "X-Leds-Activity-Flow-Id": call_id,
            "X-Leds-Activity-Code": "Person Update" if action.update else "Person Enquiry",
            "X-Leds-Action-Code": action.code,
            "X-Leds-Reference-Id": said["reference"] or call_id,
            "X-Leds-Correlation-Id": call.handover.message_id if call.handover else call_id,
            **({"X-Leds-On-Behalf-Of": behalf} if len(behalf) >= SHORTEST else {}),
        }


def _outcome(action: Action, answer: HttpAnswer) -> Record | Fault:
    """The record, or the refusal. Raises `Fault` UPSTREAM_FAULT for what nobody can read, and for a failure of LEDS itself."""
    kind = status = str(answer.status)
    try:
        if answer.status in DONE:
            return decode(action.gives, answer.body)
        kind = str(decode(ERROR, answer.body)["type"])
    except WireError as error:
        if answer.status in DONE:
            raise Fault(Reason.UPSTREAM_FAULT, f"LEDS's answer is no message: {error}") from None
    again = {Reason.LOCKED: AGAIN, Reason.BUSY: answer.retry_after or timedelta(seconds=1)}
    fault = REFUSALS.fault((kind, status), update=action.update, who="LEDS", again=again)
    if fault.reason is Reason.UPSTREAM_FAULT:
        raise fault
    return fault
