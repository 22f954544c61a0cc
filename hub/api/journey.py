"""Journeys, as operators ask for them: by an id of the platform's own freely, by a business key with a purpose and a record."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from grpc_status import rpc_status

from hub.api.checking import check
from hub.api.exchange_words import stamp
from hub.api.journey_words import journey, number
from hub.api.ledger_asking import Asked, Asking
from hub.exchange.accepting import metadata_of
from hub.journey import finding
from hub.journey.evidence import Evidence, Kept, Recorded, Work, trace_of
from hub.journey.finding import Names
from hub.journey.ids import IdKind, identified, kind_of
from hub.journey.sources import HubSources
from hub.journey.steps import Journey
from hub.journey.telling import told
from hub.ledger.faults import UnreadyLedgerError
from hub.ledger.questions import Blinding
from metip.call import CALL_ID_HEADER
from metip.faults import Fault, Reason, status_of
from metip.journal.blinding import Token
from metip.journey.v1 import journey_service_pb2 as api
from metip.journey.v1.journey_service_pb2_grpc import JourneyServiceServicer
from metip.tracing import trace_id_in

SERVICE: Final = "metip.journey.v1.JourneyService"
SYSTEM: Final = "journey"
AT_ONCE: Final = 2
"""Journeys that are gathered at the same time: each may read much of a log."""
MOST_FOUND: Final = 200
"""Records and messages of a business key that are looked at."""
MOST_OTHERS: Final = 50
UNKNOWN: Final = "no source knows anything by that id"
PERHAPS: Final = f"{UNKNOWN}; if it is a business key, such as the key of a message, state purpose and reference"


@dataclass(frozen=True)
class Personal:
    """What asking by a business key takes: whoever records it, and the keys of the blind index."""

    asking: Asking
    keys: Blinding


class JourneyApi(JourneyServiceServicer):
    """Answers from the sources. `personal` is None where the hub keeps no ledger: then nobody may ask by a business key."""

    def __init__(self, sources: HubSources, works: dict[str, Work], personal: Personal | None) -> None:
        self._sources, self._works, self._personal = sources, works, personal
        self._room = asyncio.Semaphore(AT_ONCE)

    async def GetJourney(self, request: api.GetJourneyRequest, context: Any) -> api.GetJourneyResponse:  # noqa: N802
        """Tells one journey; see the contract."""
        await check(request, context)
        kind = IdKind(request.kind) if request.kind else kind_of(request.id)
        try:
            if kind is not IdKind.BUSINESS_KEY:
                async with self._room:
                    return await self._by_id(request.id.strip(), kind)
            if self._personal is None:
                raise Fault(Reason.JOURNAL, "this hub keeps no ledger, and nobody may ask by a business key without a record")
        except Fault as fault:
            # A key may look like one of the platform's own ids. Whoever said why may have meant that.
            if request.kind or fault.reason is not Reason.NO_TRACE or not request.HasField("access") or self._personal is None:
                call_id = metadata_of(context).get(CALL_ID_HEADER, "")
                await context.abort_with_status(rpc_status.to_status(status_of(fault, system=SYSTEM, call_id=call_id)))
        assert self._personal is not None, "whoever may not ask by a business key was refused"
        async with self._personal.asking.asked("journey/find", request, context) as asked, self._room:
            return await self._by_key(request, asked, self._personal.keys)

    async def _by_id(self, text: str, kind: IdKind) -> api.GetJourneyResponse:
        plain, first = text.lower(), list[Recorded]()
        if kind is IdKind.RECORD:
            record = await self._sources.record(int(plain)) if plain.isdecimal() else None
            if record is None:
                raise Fault(Reason.NO_TRACE, "the ledger has no record of that number which belongs to a call, a message or a person's act")
            first, names = [record], Names()
        elif kind is IdKind.TRACE:
            names = Names(traces={trace_id_in(plain) or plain})
        else:
            names = Names(calls={plain}, messages={plain})
        evidence, found = await self._told(names, first)
        if kind in (IdKind.CALL, IdKind.MESSAGE):
            messages = {one.message_id for one in evidence.messages} | {one.message_id for one in evidence.records}
            kind = IdKind.MESSAGE if plain in messages else IdKind.CALL
        return api.GetJourneyResponse(journey=journey(found, evidence), kind=number(kind))

    async def _by_key(self, request: api.GetJourneyRequest, asked: Asked, keys: Blinding) -> api.GetJourneyResponse:
        """By what is personal: recorded, whatever comes of it, before it is answered."""
        if not request.access.reference.strip():
            fields = (("access.reference", "is needed where the id is a business key"),)
            raise Fault(Reason.INVALID_REQUEST, "whoever asks by a business key names the case or incident that it is for", fields=fields)
        text = request.id.strip()
        normal = identified(text, request.identifier)
        tokens = {kind: keys.tokens(kind, one) for kind, one in normal.items()}
        asked.about(f"by {', '.join(normal) or 'a key of a message'}", [found[0] for found in tokens.values() if found])
        since = getattr(request, "from").ToNanoseconds() / 1e9 if request.HasField("from") else 0.0
        before = request.before.ToNanoseconds() / 1e9 if request.HasField("before") else 0.0
        candidates = await self._candidates({text, *normal.values()}, _values(tokens.values()), since, before)
        if not candidates:
            raise Fault(Reason.NO_TRACE, UNKNOWN)
        evidence, found = await self._told(candidates[0].names, ())
        others = _others(candidates, evidence)
        await asked.record(disclosed=1 + len(others))
        response = api.GetJourneyResponse(journey=journey(found, evidence), kind=number(IdKind.BUSINESS_KEY), identifiers=sorted(normal))
        for one in others[:MOST_OTHERS]:
            response.others.add(id=one.id, at=stamp(one.at), operation=one.operation)
        response.more = len(others) > MOST_OTHERS or len(candidates) >= MOST_FOUND
        return response

    async def _candidates(self, texts: Iterable[str], tokens: list[bytes], since: float, before: float) -> "list[_Candidate]":
        """What a business key may mean, the latest first."""
        try:
            records = await self._sources.ledger.about(tokens, since or None, before or None, MOST_FOUND)
        except UnreadyLedgerError as error:
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, str(error)) from None
        kept = [one for text in sorted(texts) for one in await self._sources.exchange.with_key(text, since, before, MOST_FOUND)]
        found = [_of_record(one) for one in records if not one.action] + [_of_message(one) for one in kept]
        return sorted((one for one in found if one.id), key=lambda one: (-one.at, one.id))

    async def _told(self, names: Names, first: Iterable[Recorded]) -> tuple[Evidence, Journey]:
        evidence = await finding.gathered(self._sources, names, self._works, first=first)
        try:
            return evidence, told(evidence)
        except ValueError:
            raise Fault(Reason.NO_TRACE, PERHAPS) from None


@dataclass(frozen=True)
class _Candidate:
    """Something that a business key was found in."""

    id: str
    at: float
    operation: str
    call_id: str
    message_id: str
    trace: str

    @property
    def names(self) -> Names:
        """Where its journey begins."""
        return Names({self.call_id} - {""}, {self.trace} - {""}, {self.message_id} - {""})


def _of_record(one: Recorded) -> _Candidate:
    return _Candidate(one.message_id or one.call_id, one.at, one.operation, one.call_id, one.message_id, trace_of(one))


def _of_message(one: Kept) -> _Candidate:
    return _Candidate(one.message_id, one.accepted, one.operation, one.call_id, one.message_id, trace_of(one))


def _others(candidates: list[_Candidate], evidence: Evidence) -> list[_Candidate]:
    """Those of other journeys, one each."""
    told_of = {trace_of(one) for one in evidence.records} | {trace_of(one) for one in evidence.passed}
    told_of |= {trace_of(one) for one in evidence.messages}
    found: dict[str, _Candidate] = {}
    for one in candidates:
        if one.trace not in told_of:
            found.setdefault(one.trace or one.id, one)
    return list(found.values())


def _values(tokens: Iterable[tuple[Token, ...]]) -> list[bytes]:
    return [one.value for some in tokens for one in some]
